"""The reference study's claims, each beside what a registry measures.

Koo & Ploenzke, Nature Machine Intelligence 3, 258-266 (2021), doi 10.1038/s42256-020-00291-x.
A verdict is a rule, applied to the means over trials in the study's own definitions. It says
`not run` where a registry lacks what the claim is about, and of how many networks it speaks where
a registry lacks some.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

NOT_RUN = "not run"
HOLDS = "holds"
FAILS = "does not hold"
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
OTHERS = ("relu", "sigmoid", "tanh", "softplus", "linear", "elu")
PLAIN = (EXPONENTIAL, *OTHERS)
# bent towards the exponential in both ways, and in one way or another
SHIFTED_AND_SCALED = ("shift_scale_relu", "shift_scale_sigmoid", "shift_scale_tanh")
BENT = ("shift_relu", "scale_relu", "shift_sigmoid", "scale_sigmoid", "shift_tanh", "scale_tanh",
        "exp_relu")  # fmt: skip
SAME_ACCURACY = 0.02
BETTER_MAPS = 0.02
NEAR_LOCALISATION = 0.05
CLEARLY_MORE = 0.2

Cell = tuple[str, str]


class Means:
    """Means over trials of a registry's scores.

    Parameters
    ----------
    scores : DataFrame
        ``model``, ``activation``, ``metric``, ``method`` (empty for none), ``trial``, ``value``.
    """

    def __init__(self, scores: pd.DataFrame) -> None:
        keys = ["model", "activation", "metric", "method"]
        grouped = scores.dropna(subset=["value"]).groupby(keys)["value"]
        self._means = grouped.mean().to_dict()
        self._trials = grouped.size().to_dict()

    def of(self, model: str, activation: str, metric: str, method: str = "") -> float | None:
        """The mean, or None where no trial has a value."""
        return self._means.get((model, activation, metric, method))

    def by_activation(
        self, model: str, activations: Iterable[str], metric: str, method: str = ""
    ) -> dict[str, float]:
        """Means of those activations that have one."""
        found = {a: self.of(model, a, metric, method) for a in activations}
        return {a: value for a, value in found.items() if value is not None}

    def trials(self, model: str, activation: str, metric: str = "auroc") -> int:
        """Trials that have a value."""
        return int(self._trials.get((model, activation, metric, ""), 0))


@dataclass(frozen=True)
class Finding:
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
    test: Callable[[Means], Finding]


def _finding(
    means: Means, cells: Sequence[Cell], shown: Sequence[str], tests: Sequence[bool]
) -> Finding:
    """A finding from the tests that could be made.

    `cells` are all that the claim is about, `shown` what is measured by the study's definition
    and by the corrected one.
    """
    if not tests:
        return Finding("–", "–", "0", NOT_RUN)
    trials = [number for cell in cells if (number := means.trials(*cell))]
    low, high = min(trials), max(trials)
    good = sum(tests)
    partly = f"holds in {good} of {len(tests)}" if good else FAILS
    return Finding(
        paper=shown[0],
        corrected=shown[1],
        trials=str(low) if low == high else f"{low} to {high}",
        verdict=HOLDS if good == len(tests) else partly,
        coverage=f"{len(trials)} of {len(cells)} networks" if len(trials) < len(cells) else "",
    )


def _grid(models: Iterable[str], activations: Iterable[str]) -> list[Cell]:
    activations = list(activations)
    return [(model, activation) for model in models for activation in activations]


def _equal_accuracy(means: Means) -> Finding:
    said, tests = [], []
    for model in NETWORKS:
        values = means.by_activation(model, PLAIN, "aupr")
        if len(values) < 2:
            continue
        low, high = (pick(values, key=values.__getitem__) for pick in (min, max))
        gap = values[high] - values[low]
        said.append(f"{model} {gap:.3f} ({low} {values[low]:.3f}, {high} {values[high]:.3f})")
        tests.append(gap <= SAME_ACCURACY)
    text = "; ".join(["AUPR, largest less smallest", *said])
    return _finding(means, _grid(NETWORKS, PLAIN), (text, "the same metric"), tests)


def _match_fraction(means: Means) -> Finding:
    models = ("CNN-2", "CNN-deep")
    shown, tests = [], []
    for metric in ("paper_match_fraction", "match_fraction"):
        parts = []
        for model in ("CNN-2", "CNN-50", "CNN-deep"):
            best = _against_best_other(means, model, metric)
            if best is None:
                continue
            own, name, other = best
            parts.append(f"{model} {own:.2f} / {other:.2f} {name}")
            if metric.startswith("paper") and model in models:
                tests.append(own - other >= CLEARLY_MORE)
        shown.append("; ".join(parts))
    return _finding(means, _grid(models, PLAIN), shown, tests)


def _better_maps(means: Means) -> Finding:
    models = ("CNN-local", "CNN-dist")
    shown, tests = [], []
    for metric in ("paper_attribution_auroc", "attribution_auroc"):
        parts = []
        for model in models:
            for method in METHODS:
                best = _against_best_other(means, model, metric, method)
                if best is None:
                    continue
                own, name, other = best
                parts.append(f"{model} {method.replace('_', ' ')} {own - other:+.3f} {name}")
                if metric.startswith("paper"):
                    tests.append(own > other)
        shown.append("; ".join(parts))
    return _finding(means, _grid(models, PLAIN), shown, tests)


def _against_best_other(
    means: Means, model: str, metric: str, method: str = ""
) -> tuple[float, str, float] | None:
    """The exponential's mean, and name and mean of the best other plain activation."""
    own = means.of(model, EXPONENTIAL, metric, method)
    others = means.by_activation(model, OTHERS, metric, method)
    if own is None or not others:
        return None
    name = max(others, key=others.__getitem__)
    return own, name, others[name]


def _localisation(means: Means) -> Finding:
    published = {EXPONENTIAL: 0.889, "relu": 0.391}
    shown, tests = [], []
    for metric in ("paper_localisation_auroc", "localisation_auroc"):
        found = [(means.of("CNN-deep", a, metric, "filter"), w) for a, w in published.items()]
        found.append((means.of("CNN-deep", EXPONENTIAL, metric, "pwm"), 0.884))
        shown.append(" / ".join("–" if v is None else f"{v:.3f}" for v, _ in found))
        if metric.startswith("paper"):
            tests = [abs(v - w) <= NEAR_LOCALISATION for v, w in found if v is not None]
    return _finding(means, _grid(("CNN-deep",), published), shown, tests)


def _accuracy_is_not_attribution(means: Means) -> Finding:
    """Whether a network that is no more accurate than another is the better explained one."""
    accuracy = means.by_activation("CNN-dist", PLAIN, "auroc")
    shown, tests = [], []
    for metric in ("paper_attribution_auroc", "attribution_auroc"):
        maps = means.by_activation("CNN-dist", accuracy, metric, "saliency")
        names = sorted(maps, key=lambda a: (-accuracy[a], a))
        # the first of a pair is the more accurate one
        pairs = [
            (a, b)
            for i, a in enumerate(names)
            for b in names[i + 1 :]
            if {a, b} & {"softplus", "linear"}
        ]
        against = [maps[b] - maps[a] >= BETTER_MAPS for a, b in pairs]
        values = [f"{a} {accuracy[a]:.3f} and {maps[a]:.3f}" for a in names]
        shown.append("; ".join([f"{sum(against)} of {len(pairs)} pairs", *values]))
        if metric.startswith("paper") and pairs:
            tests = [any(against)]
    return _finding(means, _grid(("CNN-dist",), PLAIN), shown, tests)


def _like_exponential(means: Means) -> Finding:
    shown, tests = [], []
    for prefix in ("paper_", ""):
        parts = []
        for model, metric, method, more in (
            ("CNN-deep", "match_fraction", "", CLEARLY_MORE),
            ("CNN-dist", "attribution_auroc", "saliency", 0.0),
        ):
            said, found = _against_relu(
                means, (model, prefix + metric, method), SHIFTED_AND_SCALED, more, BENT
            )
            if found:
                parts.append(f"{model} {method or 'match fraction'}: {said}")
                tests += found if prefix else []
        shown.append("; ".join(parts))
    cells = _grid(("CNN-deep", "CNN-dist"), ("relu", *SHIFTED_AND_SCALED))
    return _finding(means, cells, shown, tests)


def _log_relu(means: Means) -> Finding:
    shown, tests = [], []
    for metric in ("paper_match_fraction", "match_fraction"):
        said, found = _against_relu(means, ("CNN-deep", metric, ""), ("log_relu",), CLEARLY_MORE)
        shown.append(said)
        tests += [not more for more in found] if metric.startswith("paper") else []
    return _finding(means, _grid(("CNN-deep",), ("relu", "log_relu")), shown, tests)


def _against_relu(
    means: Means,
    score: tuple[str, str, str],
    activations: Sequence[str],
    more: float,
    beside: Sequence[str] = (),
) -> tuple[str, list[bool]]:
    """What ReLU and others score, and which of `activations` score more by at least `more`.

    `score` is a network, a metric and a method; activations `beside` are told and not tested.
    """
    model, metric, method = score
    relu = means.of(model, "relu", metric, method)
    values = means.by_activation(model, activations, metric, method)
    if relu is None or not values:
        return "–", []
    told = {"relu": relu, **values, **means.by_activation(model, beside, metric, method)}
    said = ", ".join(f"{a} {value:.2f}" for a, value in told.items())
    return said, [value > relu and value - relu >= more for value in values.values()]


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
        f"{CLEARLY_MORE:g}; exponential / best other are shown",
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
        f"more accurate has saliency maps better by at least {BETTER_MAPS:g}; accuracy and "
        "saliency are shown",
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
