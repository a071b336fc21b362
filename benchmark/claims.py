"""The reference study's claims, each beside what a registry measures.

Koo & Ploenzke, Nature Machine Intelligence 3, 258-266 (2021), doi 10.1038/s42256-020-00291-x.
A verdict is a rule, applied to the means over trials; it says `not run` where a registry lacks the
networks that the claim is about.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

NOT_RUN = "not run"
HOLDS = "holds"
FAILS = "does not hold"
# networks by the task that the study trains them on
NETWORKS = {
    "CNN-2": "motif-classes",
    "CNN-50": "motif-classes",
    "CNN-deep": "motif-classes",
    "CNN-local": "regulatory-code",
    "CNN-dist": "regulatory-code",
}
METHODS = ("saliency", "ism", "integrated_gradients", "deepshap")
# activations that the study bends towards the exponential
MODIFIED = ("shift_relu", "scale_relu", "shift_scale_relu", "shift_tanh", "shift_scale_tanh",
            "shift_sigmoid", "shift_scale_sigmoid", "exp_relu")  # fmt: skip
SAME_ACCURACY = 0.02
NEAR_LOCALISATION = 0.05
CLEARLY_MORE = 0.2


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

    def trials(self, model: str, activation: str, metric: str = "auroc") -> int:
        """Trials that have a value."""
        return int(self._trials.get((model, activation, metric, ""), 0))


@dataclass(frozen=True)
class Finding:
    """What a registry says to a claim.

    Attributes
    ----------
    paper, corrected : str
        What is measured, in the study's definition and in the corrected one.
    trials : str
        How many there are of each network.
    verdict : str
    """

    paper: str
    corrected: str
    trials: str
    verdict: str


@dataclass(frozen=True)
class Claim:
    """A claim of the study, and the rule that tests it."""

    name: str
    claimed: str
    rule: str
    test: Callable[[Means], Finding]


def _missing() -> Finding:
    return Finding("–", "–", "0", NOT_RUN)


def _range(numbers: list[int]) -> str:
    return str(numbers[0]) if len(set(numbers)) == 1 else f"{min(numbers)} to {max(numbers)}"


def _finding(shown: dict[str, str], trials: str, verdict: str) -> Finding:
    """A finding of what is shown of the study's definition, and of the corrected one."""
    paper, corrected = shown.values()
    return Finding(paper, corrected, trials, verdict)


def _verdict(good: int, of: int) -> str:
    if good == of:
        return HOLDS
    return f"holds in {good} of {of}" if good else FAILS


def _pairs(means: Means, models: tuple[str, ...]) -> list[str]:
    """Those of the networks that were trained with both activations."""
    both = ("exponential", "relu")
    return [m for m in models if all(means.trials(m, a) for a in both)]


def _trials(means: Means, models: list[str]) -> str:
    return _range([means.trials(m, a) for m in models for a in ("exponential", "relu")])


def _equal_accuracy(means: Means) -> Finding:
    models = _pairs(means, tuple(NETWORKS))
    if not models:
        return _missing()
    gaps = {}
    for model in models:
        a, b = (means.of(model, act, "aupr") for act in ("exponential", "relu"))
        if a is not None and b is not None:
            gaps[model] = a - b
    text = ", ".join(f"{model} {gap:+.3f}" for model, gap in gaps.items())
    good = sum(abs(gap) <= SAME_ACCURACY for gap in gaps.values())
    said = f"AUPR, exponential less ReLU: {text}"
    return Finding(said, "the same metric", _trials(means, models), _verdict(good, len(gaps)))


def _match_fraction(means: Means) -> Finding:
    models = _pairs(means, ("CNN-2", "CNN-deep"))
    if not models:
        return _missing()
    shown = {}
    good = 0
    for metric in ("paper_match_fraction", "match_fraction"):
        parts = []
        for model in _pairs(means, ("CNN-2", "CNN-50", "CNN-deep")):
            a, b = (means.of(model, act, metric) for act in ("exponential", "relu"))
            if a is None or b is None:
                continue
            parts.append(f"{model} {a:.2f} / {b:.2f}")
            if metric.startswith("paper") and model in models:
                good += a - b >= CLEARLY_MORE
        shown[metric] = ", ".join(parts)
    return _finding(shown, _trials(means, models), _verdict(good, len(models)))


def _localisation(means: Means) -> Finding:
    published = {"exponential": 0.889, "relu": 0.391}
    if not _pairs(means, ("CNN-deep",)):
        return _missing()
    shown, good = {}, 0
    for metric in ("paper_localisation_auroc", "localisation_auroc"):
        found = {a: means.of("CNN-deep", a, metric, "filter") for a in published}
        scan = means.of("CNN-deep", "exponential", metric, "pwm")
        values = [*found.values(), scan]
        shown[metric] = " / ".join("–" if v is None else f"{v:.3f}" for v in values)
        if metric.startswith("paper"):
            wanted = [*published.values(), 0.884]
            good = sum(
                v is not None and abs(v - w) <= NEAR_LOCALISATION
                for v, w in zip(values, wanted, strict=True)
            )
    return _finding(shown, _trials(means, ["CNN-deep"]), _verdict(good, 3))


def _better_maps(means: Means) -> Finding:
    models = _pairs(means, ("CNN-local", "CNN-dist"))
    if not models:
        return _missing()
    shown, good, count = {}, 0, 0
    for metric in ("paper_attribution_auroc", "attribution_auroc"):
        parts = []
        for model in models:
            for method in METHODS:
                a, b = (means.of(model, act, metric, method) for act in ("exponential", "relu"))
                if a is None or b is None:
                    continue
                parts.append(f"{model} {method.replace('_', ' ')} {a - b:+.3f}")
                if metric.startswith("paper"):
                    count += 1
                    good += a > b
        shown[metric] = ", ".join(parts)
    return _finding(shown, _trials(means, models), _verdict(good, count))


def _accuracy_is_not_attribution(means: Means) -> Finding:
    """Whether the more accurate of two networks is the better explained one, pair by pair."""
    names = ("relu", "softplus", "linear", "exponential")
    rows = {
        a: [
            means.of("CNN-dist", a, metric, method)
            for metric, method in (
                ("auroc", ""),
                ("paper_attribution_auroc", "saliency"),
                ("attribution_auroc", "saliency"),
            )
        ]
        for a in names
    }
    known = {a: [v for v in row if v is not None] for a, row in rows.items()}
    if any(len(row) < 3 for row in known.values()):
        return _missing()
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    against = sum((known[a][0] - known[b][0]) * (known[a][1] - known[b][1]) < 0 for a, b in pairs)
    shown = [
        ", ".join(f"{a} {row[0]:.3f} and {row[i]:.3f}" for a, row in known.items()) for i in (1, 2)
    ]
    trials = _range([means.trials("CNN-dist", a) for a in names])
    return Finding(shown[0], shown[1], trials, HOLDS if against else FAILS)


def _like_exponential(means: Means) -> Finding:
    return _against_relu(means, MODIFIED, more=True)


def _log_relu(means: Means) -> Finding:
    return _against_relu(means, ("log_relu",), more=False)


def _against_relu(means: Means, activations: tuple[str, ...], *, more: bool) -> Finding:
    """Whether activations give CNN-deep a clearly larger match fraction than ReLU does."""
    run = [a for a in activations if means.trials("CNN-deep", a)]
    if not run or not means.trials("CNN-deep", "relu"):
        return _missing()
    shown, good = {}, 0
    for metric in ("paper_match_fraction", "match_fraction"):
        relu = means.of("CNN-deep", "relu", metric) or 0.0
        values = {a: means.of("CNN-deep", a, metric) for a in run}
        shown[metric] = f"relu {relu:.2f}, " + ", ".join(
            f"{a} {'–' if v is None else format(v, '.2f')}" for a, v in values.items()
        )
        if metric.startswith("paper"):
            clearly = [v is not None and v - relu >= CLEARLY_MORE for v in values.values()]
            good = clearly.count(more)
    trials = _range([means.trials("CNN-deep", a) for a in run])
    return _finding(shown, trials, _verdict(good, len(run)))


CLAIMS = (
    Claim(
        "Accuracy",
        "about equal across first-layer activations",
        f"mean AUPR of exponential and ReLU within {SAME_ACCURACY:g} of each other, network by "
        "network",
        _equal_accuracy,
    ),
    Claim(
        "Filter motifs",
        "only the exponential gives high match fractions in CNN-2 and CNN-deep",
        f"its fraction is larger than ReLU's by at least {CLEARLY_MORE:g}; exponential / ReLU are "
        "shown",
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
        "its attribution AUROC is larger than ReLU's; the difference is shown",
        _better_maps,
    ),
    Claim(
        "Accuracy is not attribution",
        "a network that predicts better need not be explained better (softplus and linear in "
        "CNN-dist)",
        "in some pair the less accurate one has the better saliency maps; accuracy and saliency "
        "are shown",
        _accuracy_is_not_attribution,
    ),
    Claim(
        "Modified activations",
        "shifted and scaled ones behave like the exponential",
        f"match fraction of CNN-deep larger than ReLU's by at least {CLEARLY_MORE:g}",
        _like_exponential,
    ),
    Claim(
        "Log-ReLU",
        "a logarithm in place of the exponential does not help",
        "match fraction of CNN-deep not clearly larger than ReLU's",
        _log_relu,
    ),
)
