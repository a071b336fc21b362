"""The scores that a person reads first: a specification names its own, the others have these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from motifidelity.metrics.declare import Family

# the first of these families that has a main score ranks
RANKED_BY: tuple[Family, ...] = ("attribution", "filters", "localisation", "accuracy")


@dataclass(frozen=True)
class Headline:
    """One score among those that are read first.

    Attributes
    ----------
    family : {"accuracy", "filters", "localisation", "attribution"}
    metric : str
        Name of a declared metric.
    label : str
        What a table calls it.
    method : str or None
        The attribution method, or what was scanned with.
    main : bool
        Whether it stands for its family where there is room for one.
    """

    family: Family
    metric: str
    label: str
    method: str | None = None
    main: bool = False

    @property
    def score(self) -> tuple[str, str]:
        """Metric and method, "" where it has none."""
        return self.metric, self.method or ""


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
