"""Which scores the front page shows, as data; everything else is on the model pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from motifidelity.metrics.headlines import HEADLINES
from motifidelity.metrics.methods import MEAN_METHOD, METHODS
from motifidelity.tasks.spec import headlines_of

FAMILIES = {
    "accuracy": "Accuracy",
    "filters": "Filter motifs",
    "localisation": "Localisation",
    "attribution": "Attribution",
    "rules": "Rules",
    "effects": "Effects",
    "robust": "Robustness",
}

# The study's metric on the left has no namesake among the corrected ones.
PAPER_PARTNERS = {"paper_motif_coverage": "motif_recall"}

# beside saliency and mutagenesis; the other methods are on the model pages
FRONT_METHODS = {"deepshap"}

# what is scanned with, in the place of a method
SCANS = {"filter": "Filters", "pwm": "PWM scan"}


@dataclass(frozen=True)
class Column:
    """One column of scores.

    Attributes
    ----------
    family : str
        Key of `FAMILIES`.
    label : str
        Heading.
    metric : str
        Corrected or standard metric.
    paper : str
        The study's version; the same as `metric` where there is only one.
    method : str
        "" where the metric has no method.
    bar : str or None
        Metric whose value (0 to 1) sets the length of the bar, where it is not `metric` itself.
    reference : str or None
        Method of the same metric that is drawn as a mark on the bar.
    muted : bool
        True for a column of context, which belongs to the task and not to the model.
    """

    family: str
    label: str
    metric: str
    paper: str
    method: str = ""
    bar: str | None = None
    reference: str | None = None
    muted: bool = False


HEADLINE = (
    Column("accuracy", "AUROC", "auroc", "auroc"),
    Column("accuracy", "AUPR", "aupr", "paper_aupr"),
    Column("filters", "Match any", "match_any", "paper_match_any"),
    Column("filters", "Match true", "match_fraction", "paper_match_fraction"),
    Column("filters", "Motifs found", "motifs_found", "paper_motif_coverage", bar="motif_recall"),
    Column(
        "localisation",
        "AUROC",
        "localisation_auroc",
        "paper_localisation_auroc",
        method="filter",
        reference="pwm",
    ),
    Column(
        "localisation",
        "PWM scan",
        "localisation_auroc",
        "paper_localisation_auroc",
        method="pwm",
        muted=True,
    ),
)


def headline_columns(task: str, methods: Iterable[str]) -> tuple[Column, ...]:
    """A board's columns: the headlines that its task states, or `HEADLINE` and first methods.

    Parameters
    ----------
    task : str
    methods : iterable of str
        Attribution methods that occur in the registry; saliency and ISM always have a column.

    Returns
    -------
    tuple of Column
    """
    own = headlines_of(task)
    if own != HEADLINES:
        return tuple(
            Column(one.family, one.label, one.metric, one.metric, one.method or "") for one in own
        )
    more = sorted(set(methods) & FRONT_METHODS)
    attribution = tuple(
        Column(
            "attribution",
            method_label(method),
            "attribution_auroc",
            "paper_attribution_auroc",
            method=method,
        )
        for method in ("saliency", "ism", *more)
    )
    return HEADLINE + attribution


def metric_order(metrics: Iterable[str]) -> Callable[[str, str], tuple[int, int]]:
    """Place of a family and a metric in the order of declaration; what is not known comes last."""
    families = {family: place for place, family in enumerate(FAMILIES)}
    names = {name: place for place, name in enumerate(metrics)}
    return lambda family, name: (
        families.get(family, len(families)),
        names.get(name, len(names)),
    )


def method_label(method: str) -> str:
    """A method as people write it."""
    if method in METHODS:
        return METHODS[method].label
    if method == MEAN_METHOD:
        return "mean of methods"
    return SCANS.get(method, method.replace("_", " "))


def partner(metric: str) -> str:
    """The corrected metric beside which a ``paper_`` metric is shown."""
    return PAPER_PARTNERS.get(metric, metric.removeprefix("paper_"))
