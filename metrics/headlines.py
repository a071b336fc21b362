"""The scores that a person reads first: a specification names its own, the others have these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from motifidelity.metrics.declare import Family
from motifidelity.metrics.readings import OWN, Reading

_SHORT: Mapping[str, str] = {"auroc": "AUROC", "aupr": "AUPR", "pearson": "r"}
# the first of these families that has a main score ranks: what a task asks of its own comes first
RANKED_BY: tuple[Family, ...] = (
    "rules",
    "effects",
    "robust",
    "attribution",
    "filters",
    "localisation",
    "accuracy",
)


Capability = Literal["Predicts", "Filters", "Maps", "Effects", "Rules", "Robust"]
CAPABILITIES: tuple[Capability, ...] = get_args(Capability)
"""What a reader asks of a network, in the order of tables."""
# of a task that does not say itself which of its scores show a capability: the main ones
_OF_FAMILY: Mapping[Family, Capability] = {
    "accuracy": "Predicts",
    "filters": "Filters",
    "attribution": "Maps",
}


@dataclass(frozen=True)
class Headline:
    """One score among those that are read first.

    Attributes
    ----------
    family : {"accuracy", "filters", "localisation", "attribution", "rules", "effects", "robust"}
    metric : str
        Name of a declared metric.
    label : str
        What a table calls it.
    method : str or None
        The attribution method, or what was scanned with; `methods.MEAN_METHOD`: the mean over the
        methods of `maps`.
    main : bool
        Whether it stands for its family where there is room for one.
    reading : {"own", "signed", "magnitude"}
        How the maps are read that it is of.
    capability : str or None
        What of `CAPABILITIES` it shows; of several scores of one the mean counts.
    """

    family: Family
    metric: str
    label: str
    method: str | None = None
    main: bool = False
    reading: Reading = OWN
    capability: Capability | None = None

    @property
    def score(self) -> tuple[str, str]:
        """Metric and method, "" where it has none."""
        return self.metric, self.method or ""

    @property
    def read_score(self) -> tuple[str, str, Reading]:
        """Metric, method and how the maps are read."""
        return (*self.score, self.reading)


# one line a score, in the order of the families
HEADLINES = (
    Headline("accuracy", "auroc", "AUROC", main=True),
    Headline("accuracy", "aupr", "AUPR"),
    Headline("filters", "match_any", "filters that match any known motif"),
    Headline("filters", "match_fraction", "filters that match a true motif", main=True),
    Headline("filters", "motifs_found", "true motifs found"),
    Headline(
        "localisation",
        "localisation_auroc",
        "localisation AUROC of the filters",
        "filter",
        main=True,
    ),
    Headline("localisation", "localisation_auroc", "  the same of the true PWMs", "pwm"),
    Headline(
        "attribution", "attribution_auroc", "attribution AUROC, saliency", "saliency", main=True
    ),
    Headline("attribution", "attribution_auroc", "attribution AUROC, mutagenesis", "ism"),
)


def short_name(metric: str) -> str:
    """How a score that predictions are read or monitored by is written where there is no room."""
    return _SHORT.get(metric, metric)


def readings_of(headlines: Iterable[Headline]) -> Mapping[tuple[str, str], Reading]:
    """How maps are read of headlines that do not take the method's own way, by their scores.

    Raises
    ------
    ValueError
        If a score is named twice: a table has one of it.
    """
    found: dict[tuple[str, str], Reading] = {}
    for one in headlines:
        if one.score in found:
            raise ValueError(f"two headlines are {' '.join(filter(None, one.score))}; keep one")
        found[one.score] = one.reading
    return {score: reading for score, reading in found.items() if reading != OWN}


def shown_capabilities(
    headlines: Iterable[Headline],
) -> Mapping[Capability, tuple[Headline, ...]]:
    """The scores that show each capability: those that say so, or where none does the main ones.

    Raises
    ------
    ValueError
        If one names a capability that there is none of.
    """
    headlines = tuple(headlines)
    stated = [(one.capability, one) for one in headlines if one.capability]
    if strange := {name for name, _ in stated} - set(CAPABILITIES):
        raise ValueError(
            f"no capability {', '.join(sorted(strange))}; choose of {', '.join(CAPABILITIES)}"
        )
    by_family = [
        (name, one) for one in headlines if one.main and (name := _OF_FAMILY.get(one.family))
    ]
    found = stated or by_family
    return {
        name: scores
        for name in CAPABILITIES
        if (scores := tuple(one for mine, one in found if mine == name))
    }


def main_scores(headlines: Iterable[Headline]) -> Mapping[Family, Headline]:
    """The headline that stands for each family, those that rank first, first.

    Raises
    ------
    ValueError
        If a family has two.
    """
    found: dict[Family, Headline] = {}
    for one in headlines:
        if one.main and one.family in found:
            raise ValueError(f"two headlines stand for {one.family}; one of them is not main")
        if one.main:
            found[one.family] = one
    return {family: found[family] for family in RANKED_BY if family in found}
