"""The reference study's claims, each beside what a registry measures.

Koo & Ploenzke, Nature Machine Intelligence 3, 258-266 (2021), doi 10.1038/s42256-020-00291-x.
A verdict is a rule, applied to means over trials in the study's own definitions. It says
`not told apart` where the trials are too few or too different to tell, `not run` where a registry
lacks what the claim is about, and of how many networks it speaks where a registry lacks some.

Most cells of the grid have few trials, many a single one. So the SD of a score is one for all
activations of a network, pooled over those that have several trials (the error of an analysis of
variance), and differences are told by Student's t at 95 %.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, sqrt
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import pandas as pd

NOT_RUN = "not run"
HOLDS = "holds"
FAILS = "does not hold"
NOT_TOLD = "not told apart"
LEVEL = 0.05
# networks by the task that the study trains them on
NETWORKS = {
    "CNN-2": "motif-classes@1",
    "CNN-50": "motif-classes@1",
    "CNN-deep": "motif-classes@1",
    "CNN-local": "regulatory-code@1",
    "CNN-dist": "regulatory-code@1",
}
METHODS = ("saliency", "ism", "integrated_gradients", "deepshap")
EXPONENTIAL = "exponential"
PLAIN = (EXPONENTIAL, "relu", "sigmoid", "tanh", "softplus", "linear", "elu")
# bent towards the exponential in both ways, and in one way or another
SHIFTED_AND_SCALED = ("shift_scale_relu", "shift_scale_sigmoid", "shift_scale_tanh")
BENT = ("shift_relu", "scale_relu", "shift_sigmoid", "scale_sigmoid", "shift_tanh", "scale_tanh",
        "exp_relu")  # fmt: skip
SAME_ACCURACY = 0.02
BETTER_MAPS = 0.02
NEAR_LOCALISATION = 0.05
CLEARLY_MORE = 0.2

Cell = tuple[str, str]
Key = tuple[str, str, str, str]
# None: the trials do not tell
Test = bool | None


class Trials:
    """A registry's scores, by network and activation.

    Parameters
    ----------
    scores : DataFrame
        ``model``, ``activation``, ``metric``, ``method`` (empty for none), ``trial``, ``value``.
    """

    def __init__(self, scores: pd.DataFrame) -> None:
        keys = ["model", "activation", "metric", "method"]
        grouped = scores.dropna(subset=["value"]).groupby(keys)["value"]
        self._means = cast("dict[Key, float]", grouped.mean().to_dict())
        self._numbers = cast("dict[Key, int]", grouped.size().to_dict())
        self._variances = cast("dict[Key, float]", grouped.var().to_dict())

    def number(self, model: str, activation: str, metric: str = "auroc") -> int:
        """Trials that have a value."""
        return int(self._numbers.get((model, activation, metric, ""), 0))

    def score(
        self, model: str, metric: str, method: str = "", activations: Iterable[str] | None = None
    ) -> Score:
        """One score of a network, by those activations that have it."""
        keys = [key for key in self._means if (key[0], key[2], key[3]) == (model, metric, method)]
        spread = [(self._variances[key], self._numbers[key] - 1) for key in keys]
        freedom = sum(n for _, n in spread)
        pooled = sum(variance * n for variance, n in spread if n) / freedom if freedom else inf
        found = {key[1]: key for key in keys}
        order = found if activations is None else activations
        return Score(
            {a: float(self._means[found[a]]) for a in order if a in found},
            {a: int(self._numbers[found[a]]) for a in order if a in found},
            sqrt(pooled),
            int(freedom),
        )


@dataclass(frozen=True)
class Score:
    """One score of a network, by activation.

    Attributes
    ----------
    means : mapping of str to float
        Over trials.
    numbers : mapping of str to int
        Of trials.
    sd : float
        Over trials, pooled over all activations of the network; infinite where none has two.
    freedom : int
        Degrees of freedom of `sd`.
    """

    means: Mapping[str, float]
    numbers: Mapping[str, int]
    sd: float
    freedom: int

    @cached_property
    def best(self) -> str:
        """The activation with the largest mean."""
        return max(self.means, key=self.means.__getitem__)

    @cached_property
    def least(self) -> str:
        """The activation with the smallest mean."""
        return min(self.means, key=self.means.__getitem__)

    def half_width(self, *activations: str, looks: int = 1) -> float:
        """Half the 95 % interval of a mean, or of the difference of two.

        With several `looks` at once the level is Bonferroni's.
        """
        from scipy import stats

        if not self.freedom:
            return inf
        factor = float(stats.t.ppf(1 - LEVEL / looks / 2, self.freedom))
        return factor * self.sd * sqrt(sum(1 / self.numbers[a] for a in activations))

    def range_half_width(self) -> float:
        """What the largest mean less the smallest exceeds by chance in 5 % (Tukey's range)."""
        from scipy import stats

        if not self.freedom:
            return inf
        factor = float(stats.studentized_range.ppf(1 - LEVEL, len(self.means), self.freedom))
        ends = (self.best, self.least)
        return factor * self.sd * sqrt(sum(1 / self.numbers[a] for a in ends) / 2)

    def exceeds(self, one: str, other: str, by: float = 0.0, looks: int = 1) -> Test:
        """Whether the mean of one is larger than that of another by so much."""
        more = self.means[one] - self.means[other] - by
        return _told(more, self.half_width(one, other, looks=looks))

    def better_than_all(self, one: str, by: float = 0.0) -> Test:
        """Whether the mean of one is larger than that of every other by so much."""
        return _every(self.exceeds(one, other, by) for other in self.means if other != one)


def _told(excess: float, half_width: float) -> Test:
    """Whether a quantity is above 0, where its interval does not hold 0."""
    if half_width == 0:
        return excess > 0
    return excess > 0 if abs(excess) > half_width else None


def _near(distance: float, tolerance: float, half_width: float) -> Test:
    """Whether means lie together; that they do not must be more than chance."""
    if distance <= tolerance:
        return True
    return False if distance - half_width > tolerance else None


def _every(tests: Iterable[Test]) -> Test:
    """False where one is false, None where one is not told, else True."""
    found = list(tests)
    if False in found:
        return False
    return None if None in found else True


def _some(tests: Iterable[Test]) -> Test:
    """True where one is true, None where one is not told, else False."""
    found = list(tests)
    if True in found:
        return True
    return None if None in found else False


@dataclass(frozen=True)
class Answer:
    """What a registry says to a claim.

    Attributes
    ----------
    paper, corrected : str
        What is measured, in the study's definition and in the corrected one; parts of it are
        separated by semicolons.
    trials : str
        How many there are of each network.
    verdict : str
    coverage : str
        How many of the networks that the claim is about were trained; "" for all.
    """

    paper: str
    corrected: str
    trials: str
    verdict: str
    coverage: str = ""


@dataclass(frozen=True)
class Claim:
    """A claim of the study, and the rule that tests it."""

    name: str
    claimed: str
    rule: str
    test: Callable[[Trials], Answer]


def _finding(
    trials: Trials, cells: Sequence[Cell], shown: Sequence[str], tests: Sequence[Test]
) -> Answer:
    """A finding from the tests that could be made.

    `cells` are all that the claim is about, `shown` what is measured by the study's definition
    and by the corrected one.
    """
    if not tests:
        return Answer("–", "–", "0", NOT_RUN)
    numbers = [number for cell in cells if (number := trials.number(*cell))]
    low, high = min(numbers), max(numbers)
    return Answer(
        paper=shown[0],
        corrected=shown[1],
        trials=str(low) if low == high else f"{low} to {high}",
        verdict=_verdict(tests),
        coverage=f"{len(numbers)} of {len(cells)} networks" if len(numbers) < len(cells) else "",
    )


def _verdict(tests: Sequence[Test]) -> str:
    """All, none, or so many of the tests."""
    for value, words in ((True, HOLDS), (False, FAILS), (None, NOT_TOLD)):
        if all(test is value for test in tests):
            return words
    good, undecided = (sum(test is value for test in tests) for value in (True, None))
    parts = [f"holds in {good} of {len(tests)}"]
    if undecided:
        parts.append(f"{NOT_TOLD} in {undecided}")
    return ", ".join(parts)


def _grid(models: Iterable[str], activations: Iterable[str]) -> list[Cell]:
    activations = list(activations)
    return [(model, activation) for model in models for activation in activations]


def _interval(half_width: float, digits: int) -> str:
    return f" ± {half_width:.{digits}f}" if half_width < inf else ""


def _equal_accuracy(trials: Trials) -> Answer:
    said, tests = [], []
    for model in NETWORKS:
        score = trials.score(model, "aupr", activations=PLAIN)
        if len(score.means) < 2:
            continue
        low, high = score.means[score.least], score.means[score.best]
        half = score.range_half_width()
        said.append(
            f"{model} {high - low:.3f}{_interval(half, 3)} "
            f"({score.least} {low:.3f}, {score.best} {high:.3f})"
        )
        tests.append(_near(high - low, SAME_ACCURACY, half))
    text = "; ".join(["AUPR, largest less smallest", *said])
    return _finding(trials, _grid(NETWORKS, PLAIN), (text, "the same metric"), tests)


def _match_fraction(trials: Trials) -> Answer:
    models = ("CNN-2", "CNN-deep")
    shown, tests = [], []
    for metric in ("paper_match_fraction", "match_fraction"):
        parts = []
        for model in ("CNN-2", "CNN-50", "CNN-deep"):
            score = trials.score(model, metric, activations=PLAIN)
            best = _best_other(score)
            if best is None:
                continue
            half = score.half_width(EXPONENTIAL, best)
            own, other = score.means[EXPONENTIAL], score.means[best]
            parts.append(
                f"{model} {own:.2f} / {other:.2f} {best}: {own - other:+.2f}{_interval(half, 2)}"
            )
            if metric.startswith("paper") and model in models:
                tests.append(score.better_than_all(EXPONENTIAL, CLEARLY_MORE))
        shown.append("; ".join(parts))
    return _finding(trials, _grid(models, PLAIN), shown, tests)


def _better_maps(trials: Trials) -> Answer:
    models = ("CNN-local", "CNN-dist")
    shown, tests = [], []
    for metric in ("paper_attribution_auroc", "attribution_auroc"):
        parts = []
        for model in models:
            for method in METHODS:
                score = trials.score(model, metric, method, PLAIN)
                best = _best_other(score)
                if best is None:
                    continue
                more = score.means[EXPONENTIAL] - score.means[best]
                half = score.half_width(EXPONENTIAL, best)
                parts.append(
                    f"{model} {method.replace('_', ' ')} {more:+.3f}{_interval(half, 3)} {best}"
                )
                if metric.startswith("paper"):
                    tests.append(score.better_than_all(EXPONENTIAL))
        shown.append("; ".join(parts))
    return _finding(trials, _grid(models, PLAIN), shown, tests)


def _best_other(score: Score) -> str | None:
    """The best plain activation but the exponential; None without either."""
    others = [a for a in score.means if a != EXPONENTIAL]
    if EXPONENTIAL not in score.means or not others:
        return None
    return max(others, key=score.means.__getitem__)


def _localisation(trials: Trials) -> Answer:
    published = {EXPONENTIAL: 0.889, "relu": 0.391}
    shown, tests = [], []
    for metric in ("paper_localisation_auroc", "localisation_auroc"):
        filters, scan = (trials.score("CNN-deep", metric, method) for method in ("filter", "pwm"))
        # the scan with the true PWMs is the same beside every network
        found = [(filters, a, value) for a, value in published.items()]
        found.append((scan, EXPONENTIAL, 0.884))
        parts = []
        for score, activation, value in found:
            mean = score.means.get(activation)
            if mean is None:
                parts.append("–")
                continue
            half = score.half_width(activation)
            parts.append(f"{mean:.3f}{_interval(half, 3) if score is filters else ''}")
            if metric.startswith("paper"):
                tests.append(_near(abs(mean - value), NEAR_LOCALISATION, half))
        shown.append(" / ".join(parts))
    return _finding(trials, _grid(("CNN-deep",), published), shown, tests)


def _accuracy_is_not_attribution(trials: Trials) -> Answer:
    """Whether a network that is no more accurate than another is the better explained one."""
    accuracy = trials.score("CNN-dist", "auroc", activations=PLAIN).means
    shown, tests = [], []
    for metric in ("paper_attribution_auroc", "attribution_auroc"):
        maps = trials.score("CNN-dist", metric, "saliency", accuracy)
        names = sorted(maps.means, key=lambda a: (-accuracy[a], a))
        # the first of a pair is the more accurate one
        pairs = [
            (a, b)
            for i, a in enumerate(names)
            for b in names[i + 1 :]
            if {a, b} & {"softplus", "linear"}
        ]
        by_mean = sum(maps.means[b] - maps.means[a] >= BETTER_MAPS for a, b in pairs)
        values = [
            f"{a} {accuracy[a]:.3f} and {maps.means[a]:.3f}{_interval(maps.half_width(a), 3)}"
            for a in names
        ]
        shown.append("; ".join([f"by their means {by_mean} of {len(pairs)} pairs", *values]))
        if metric.startswith("paper") and pairs:
            # one pair of many is enough, so each must stand against all looks together
            against = [maps.exceeds(b, a, BETTER_MAPS, looks=len(pairs)) for a, b in pairs]
            tests = [_some(against)]
    return _finding(trials, _grid(("CNN-dist",), PLAIN), shown, tests)


def _like_exponential(trials: Trials) -> Answer:
    shown, tests = [], []
    for prefix in ("paper_", ""):
        parts = []
        for model, metric, method, more in (
            ("CNN-deep", "match_fraction", "", CLEARLY_MORE),
            ("CNN-dist", "attribution_auroc", "saliency", 0.0),
        ):
            score = trials.score(model, prefix + metric, method)
            said, found = _against_relu(score, SHIFTED_AND_SCALED, more, BENT)
            if found:
                parts.append(f"{model} {method or 'match fraction'}: {said}")
                tests += found if prefix else []
        shown.append("; ".join(parts))
    cells = _grid(("CNN-deep", "CNN-dist"), ("relu", *SHIFTED_AND_SCALED))
    return _finding(trials, cells, shown, tests)


def _log_relu(trials: Trials) -> Answer:
    shown, tests = [], []
    for metric in ("paper_match_fraction", "match_fraction"):
        score = trials.score("CNN-deep", metric)
        said, found = _against_relu(score, ("log_relu",), CLEARLY_MORE)
        shown.append(said)
        if metric.startswith("paper"):
            tests += [None if more is None else not more for more in found]
    return _finding(trials, _grid(("CNN-deep",), ("relu", "log_relu")), shown, tests)


def _against_relu(
    score: Score, activations: Sequence[str], more: float, beside: Sequence[str] = ()
) -> tuple[str, list[Test]]:
    """What ReLU and others score, and which of `activations` score more by at least `more`.

    Activations `beside` are told and not tested.
    """
    tested = [a for a in activations if a in score.means]
    if "relu" not in score.means or not tested:
        return "–", []
    told = ["relu", *tested, *(a for a in beside if a in score.means)]
    said = ", ".join(f"{a} {score.means[a]:.2f}{_interval(score.half_width(a), 2)}" for a in told)
    return said, [score.exceeds(a, "relu", more) for a in tested]


CLAIMS = (
    Claim(
        "Accuracy",
        "about equal across first-layer activations",
        f"the mean AUPRs of the plain activations lie within {SAME_ACCURACY:g}, network by network",
        _equal_accuracy,
    ),
    Claim(
        "Filter motifs",
        "only the exponential gives high match fractions in CNN-2 and CNN-deep",
        "its fraction is larger than that of every other plain activation by at least "
        f"{CLEARLY_MORE:g}; exponential / best other, and their difference, are shown",
        _match_fraction,
    ),
    Claim(
        "Localisation",
        "CNN-deep: 0.889 exponential, 0.391 ReLU, 0.884 scan with the true PWMs",
        f"each within {NEAR_LOCALISATION:g} of the published mean",
        _localisation,
    ),
    Claim(
        "Attribution",
        "the exponential gives better maps in CNN-local and CNN-dist, by every method",
        "its attribution AUROC is larger than that of every other plain activation; the difference "
        "from the best other is shown",
        _better_maps,
    ),
    Claim(
        "Accuracy is not attribution",
        "a network that predicts better need not be explained better (softplus and linear in "
        "CNN-dist)",
        "in some pair of plain activations with softplus or linear, the network that is not the "
        f"more accurate has saliency maps better by at least {BETTER_MAPS:g}, told over all these "
        "pairs at once; accuracy and saliency are shown",
        _accuracy_is_not_attribution,
    ),
    Claim(
        "Modified activations",
        "shifted and scaled ones behave like the exponential",
        "those that are both beat ReLU: match fraction of CNN-deep by at least "
        f"{CLEARLY_MORE:g}, saliency maps of CNN-dist by anything; the others stand beside",
        _like_exponential,
    ),
    Claim(
        "Log-ReLU",
        "a logarithm in place of the exponential does not help",
        f"match fraction of CNN-deep not larger than ReLU's by {CLEARLY_MORE:g} or more",
        _log_relu,
    ),
)
