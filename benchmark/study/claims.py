"""The reference study's claims, each beside what a registry measures.

Koo & Ploenzke, Nature Machine Intelligence 3, 258-266 (2021), doi 10.1038/s42256-020-00291-x.
A verdict is a rule, applied to the study's own definitions. It says `not told apart` where the
trials are too few or too different to tell, with what they could tell, `not run` where a registry
lacks what the claim is about, and of how many networks it speaks where a registry lacks some.

Most cells of the grid have few trials, many a single one. So the activations of a network are laid
out together, blocked by seed (`motifidelity.statistics.two_way`), and differences are told by
Student's t at 95 %. That things are alike is shown by two one-sided tests
(`motifidelity.statistics.equivalence`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf, isfinite, sqrt
from statistics import fmean, variance
from typing import TYPE_CHECKING, Literal, cast

from scipy import stats

from motifidelity.statistics import (
    MIN_TRIALS,
    Layout,
    alike,
    by_model,
    lay_out,
    quantile_at,
    reach,
)

if TYPE_CHECKING:
    import pandas as pd

NOT_RUN = "not run"
HOLDS = "holds"
FAILS = "does not hold"
NOT_TOLD = "not told apart"
# of networks of which too few were trained to speak of training
OF_THESE = "{} of these networks"
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
LOG_RELU = "log_relu"
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
Key = tuple[str, str, str]


class Trials:
    """A registry's scores, by network and activation.

    Parameters
    ----------
    scores : DataFrame
        ``model``, ``activation``, ``metric``, ``method`` (empty for none), ``seed``, ``value``.
    """

    def __init__(self, scores: pd.DataFrame) -> None:
        known = scores.dropna(subset=["value"])
        self._found: dict[Key, dict[str, dict[int, float]]] = {}
        keys = ["model", "metric", "method", "activation"]
        for (*key, activation), rows in known.groupby(keys, sort=True):
            values = rows.groupby("seed")["value"].mean()
            place = self._found.setdefault(cast("Key", tuple(key)), {})
            place[str(activation)] = {
                int(seed): float(v) for seed, v in zip(values.index, values, strict=True)
            }

    def number(self, model: str, activation: str, metric: str = "auroc") -> int:
        """Trials that have a value."""
        return len(self._found.get((model, metric, ""), {}).get(activation, ()))

    def score(
        self, model: str, metric: str, method: str = "", activations: Iterable[str] | None = None
    ) -> Score:
        """One score of a network, by those activations that have it; all are laid out."""
        every = self._found.get((model, metric, method), {})
        order = every if activations is None else activations
        return Score(every, tuple(a for a in order if a in every))


class Score:
    """One score of a network, by activation.

    Parameters
    ----------
    every : mapping of str to mapping of int to float
        By activation, the score of each trial by its seed.
    activations : sequence of str
        Those that are asked for; the others say what trials vary by.

    Attributes
    ----------
    means : mapping of str to float
        Over trials, of those that are asked for.
    """

    def __init__(
        self, every: Mapping[str, Mapping[int, float]], activations: Sequence[str]
    ) -> None:
        self._every = every
        self.means = {a: fmean(every[a].values()) for a in activations}

    @cached_property
    def _layout(self) -> tuple[dict[str, int], Layout]:
        names, values = by_model(self._every)
        return {name: place for place, name in enumerate(names)}, lay_out(values)

    @cached_property
    def _spread(self) -> tuple[float, int]:
        """SD of single trials and its degrees of freedom, pooled over activations."""
        several = [list(values.values()) for values in self._every.values() if len(values) > 1]
        freedom = sum(len(values) - 1 for values in several)
        squares = sum(variance(values) * (len(values) - 1) for values in several)
        return (sqrt(squares / freedom), freedom) if freedom else (inf, 0)

    def mean(self, activation: str) -> Measured:
        """A mean over trials, whose seeds are drawn at random too."""
        sd, freedom = self._spread
        error = sd / sqrt(len(self._every[activation]))
        return Measured(self.means[activation], error, freedom)

    def more(self, one: str, other: str) -> Measured:
        """How much more one has than another, by seed."""
        places, layout = self._layout
        i, j = places[one], places[other]
        difference = float(layout.effects[i] - layout.effects[j])
        return Measured(difference, float(layout.error[i, j]), int(layout.freedom[i, j]))

    def range(self) -> Range:
        """The two that differ most, and what that is worth among so many."""
        pairs = {(a, b): self.more(a, b) for a in self.means for b in self.means if a != b}
        ends = max(pairs, key=lambda pair: pairs[pair].value)
        return Range(*ends, pairs[ends], tuple(pairs.values()), len(self.means))

    def exceeds(self, one: str, other: str, by: float = 0.0, looks: int = 1) -> Outcome:
        """Whether one has more than another by so much."""
        return self.more(one, other).exceeds(by, looks)

    def better_than_all(self, one: str, by: float = 0.0) -> Outcome:
        """Whether one has more than every other by so much."""
        return _every(self.exceeds(one, other, by) for other in self.means if other != one)


@dataclass(frozen=True)
class Outcome:
    """What trials say: yes, no or (None) nothing.

    Attributes
    ----------
    told : bool or None
    least : float
        Where nothing is told, what would have been: the least difference, or the least tolerance
        within which what is measured to be equal is shown to be alike.
    of : {"difference", "closeness"}
    """

    told: bool | None
    least: float = inf
    of: Literal["difference", "closeness"] = "difference"


@dataclass(frozen=True)
class Measured:
    """A quantity, its standard error, and the degrees of freedom of that."""

    value: float
    error: float
    freedom: int

    def half_width(self, looks: int = 1) -> float:
        """Half of the 95 % interval; with several `looks` at once the level is Bonferroni's."""
        if self.error == 0:
            return 0.0
        if not self.freedom or self.error == inf:
            return inf
        return float(stats.t.ppf(1 - LEVEL / looks / 2, self.freedom)) * self.error

    def exceeds(self, by: float, looks: int = 1) -> Outcome:
        """Whether it is larger than that, where its interval leaves no doubt."""
        half = self.half_width(looks)
        excess = self.value - by
        told = excess > 0 if abs(excess) > half or half == 0 else None
        return Outcome(told, by + half)

    def within(self, tolerance: float) -> Outcome:
        """Whether it is shown to be smaller than the tolerance, either way, or larger."""
        if alike(self.value, self.error, self.freedom, tolerance):
            return Outcome(True)
        apart = abs(self.value) - self.half_width() > tolerance
        least = float(reach(self.error, self.freedom))
        return Outcome(False if apart else None, least, "closeness")

    def said(self, digits: int, sign: str = "") -> str:
        """As text, with the 95 % interval where there is one."""
        return f"{self.value:{sign}.{digits}f}{_interval(self.half_width(), digits)}"


@dataclass(frozen=True)
class Range:
    """The largest of several less the least of them.

    Attributes
    ----------
    best, least : str
    between : Measured
        Their difference.
    all : tuple of Measured
        Of every pair, either way.
    number : int
        Of how many.
    """

    best: str
    least: str
    between: Measured
    all: tuple[Measured, ...]
    number: int

    def half_width(self, pair: Measured) -> float:
        """What the difference of a pair exceeds by chance in 5 % of ranges (Tukey)."""
        quantile = quantile_at(1 - LEVEL, self.number, pair.freedom)
        return quantile * pair.error / sqrt(2) if pair.error < inf else inf

    def within(self, tolerance: float) -> Outcome:
        """Whether every two are shown to be alike, or two of them not to be."""
        tests = [pair.within(tolerance) for pair in self.all]
        if all(test.told for test in tests):
            return Outcome(True)
        apart = any(abs(p.value) - self.half_width(p) > tolerance for p in self.all)
        least = max(test.least for test in tests if not test.told)
        return Outcome(False if apart else None, least, "closeness")


def _every(tests: Iterable[Outcome]) -> Outcome:
    """False where one is false, not told where one is not, else true."""
    found = list(tests)
    if any(test.told is False for test in found):
        return Outcome(False)
    open_ = [test for test in found if test.told is None]
    return replace(open_[0], least=max(test.least for test in open_)) if open_ else Outcome(True)


def _some(tests: Iterable[Outcome]) -> Outcome:
    """True where one is true, not told where one is not, else false."""
    found = list(tests)
    if any(test.told for test in found):
        return Outcome(True)
    open_ = [test for test in found if test.told is None]
    return replace(open_[0], least=min(test.least for test in open_)) if open_ else Outcome(False)


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
    tells : str
        Of what is not told apart, what these trials could tell.
    """

    paper: str
    corrected: str
    trials: str
    verdict: str
    coverage: str = ""
    tells: str = ""


@dataclass(frozen=True)
class Claim:
    """A claim of the study, and the rule that tests it."""

    name: str
    claimed: str
    rule: str
    test: Callable[[Trials], Answer]


def _finding(
    trials: Trials, cells: Sequence[Cell], shown: Sequence[str], tests: Sequence[Outcome]
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
        tells=_tells(tests),
        coverage=f"{len(numbers)} of {len(cells)} networks" if len(numbers) < len(cells) else "",
    )


def _verdict(tests: Sequence[Outcome]) -> str:
    """All, none, or so many of the tests."""
    told = [test.told for test in tests]
    for value, words in ((True, HOLDS), (False, FAILS), (None, NOT_TOLD)):
        if all(one is value for one in told):
            return words
    good, undecided = told.count(True), told.count(None)
    parts = [f"{HOLDS} in {good} of {len(tests)}"]
    if not good:
        parts = [f"{FAILS} in {told.count(False)} of {len(tests)}"]
    if undecided:
        parts.append(f"{NOT_TOLD} in {undecided}")
    return ", ".join(parts)


def _tells(tests: Sequence[Outcome]) -> str:
    """What the trials could tell of what they do not: it depends on how many they are."""
    said = []
    for of, words in (
        ("difference", "told from a measured difference of {} on"),
        ("closeness", "equal ones would be shown to be within {}"),
    ):
        open_ = [test.least for test in tests if test.told is None and test.of == of]
        least = sorted(filter(isfinite, open_))
        if least:
            ends = dict.fromkeys(f"{value:.2g}" for value in (least[0], least[-1]))
            said.append(words.format(" to ".join(ends)))
    return "; ".join(said)


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
        found = score.range()
        low, high = (score.means[a] for a in (found.least, found.best))
        said.append(
            f"{model} {found.between.value:.3f}"
            f"{_interval(found.half_width(found.between), 3)} "
            f"({found.least} {low:.3f}, {found.best} {high:.3f})"
        )
        tests.append(found.within(SAME_ACCURACY))
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
            own, other = score.means[EXPONENTIAL], score.means[best]
            more = score.more(EXPONENTIAL, best)
            parts.append(f"{model} {own:.2f} / {other:.2f} {best}: {more.said(2, '+')}")
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
                more = score.more(EXPONENTIAL, best)
                parts.append(f"{model} {method.replace('_', ' ')} {more.said(3, '+')} {best}")
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
            if activation not in score.means:
                parts.append("–")
                continue
            mean = score.mean(activation)
            if score is scan:  # no training, so no trial differs from another
                mean = replace(mean, error=0.0)
            parts.append(f"{mean.value:.3f}" if score is scan else mean.said(3))
            if metric.startswith("paper"):
                tests.append(replace(mean, value=mean.value - value).within(NEAR_LOCALISATION))
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
        values = [f"{a} {accuracy[a]:.3f} and {maps.mean(a).said(3)}" for a in names]
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
    """Whether log-ReLU's filters are no better, of trainings or of these networks alone."""
    shown, tests, verdict = [], [], ""
    for metric in ("paper_match_fraction", "match_fraction"):
        score = trials.score("CNN-deep", metric)
        both = "relu" in score.means and LOG_RELU in score.means
        shown.append(_against_relu(score, (LOG_RELU,), CLEARLY_MORE)[0])
        if metric.startswith("paper") and both:
            more = score.more(LOG_RELU, "relu")
            few = min(trials.number("CNN-deep", a) for a in ("relu", LOG_RELU)) < MIN_TRIALS
            if few:
                gap = score.means[LOG_RELU] - score.means["relu"]
                verdict = OF_THESE.format(HOLDS if gap < CLEARLY_MORE else FAILS)
            tests.append(_at_most(more, CLEARLY_MORE))
    cells = _grid(("CNN-deep",), ("relu", LOG_RELU))
    answer = _finding(trials, cells, shown, tests)
    return replace(answer, verdict=verdict, tells="") if verdict else answer


def _at_most(more: Measured, limit: float) -> Outcome:
    """Whether it is shown to be less than a limit, by a one-sided test, or more."""
    room = float(reach(more.error, more.freedom))
    if more.value + room < limit:
        return Outcome(True)
    return Outcome(False if more.exceeds(limit).told else None, room, "closeness")


def _against_relu(
    score: Score, activations: Sequence[str], more: float, beside: Sequence[str] = ()
) -> tuple[str, list[Outcome]]:
    """What ReLU and others score, and which of `activations` score more by at least `more`.

    Activations `beside` are told and not tested.
    """
    tested = [a for a in activations if a in score.means]
    if "relu" not in score.means or not tested:
        return "–", []
    told = ["relu", *tested, *(a for a in beside if a in score.means)]
    said = ", ".join(f"{a} {score.mean(a).said(2)}" for a in told)
    return said, [score.exceeds(a, "relu", more) for a in tested]


CLAIMS = (
    Claim(
        "Accuracy",
        "about equal across first-layer activations",
        f"the AUPRs of every two plain activations are shown to lie within {SAME_ACCURACY:g}, "
        "network by network",
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
        f"each shown to be within {NEAR_LOCALISATION:g} of the published mean",
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
        f"match fraction of CNN-deep shown not to be larger than ReLU's by {CLEARLY_MORE:g} or "
        f"more; below {MIN_TRIALS} trials of either a statement about these networks alone",
        _log_relu,
    ),
)
