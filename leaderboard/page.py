"""What a page of the site is, and what every maker of pages is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from motifidelity.leaderboard.tables.capabilities import capability_table
from motifidelity.summary.inputs import MetricInfo
from motifidelity.summary.runs import Summary
from motifidelity.summary.stats import Stats

if TYPE_CHECKING:
    from motifidelity.registry.layers import Layer
    from motifidelity.scoring.evidence import Evidence

EvidenceOf = Callable[[str], "Evidence | None"]
ScanNameOf = Callable[[str], "str | None"]
LayersOf = Callable[[str], "tuple[Layer, ...] | None"]


@dataclass(frozen=True)
class Material:
    """The registry, arranged once for all makers of pages.

    Attributes
    ----------
    summary : Summary
        The table that every number is taken from.
    stats : Stats
        Its scores, by run, metric, method and class.
    filters, history : DataFrame
        The registry's.
    past_jobs, past_scores : DataFrame
        All results, those that a later scoring of the same job replaced too.
    metrics : Mapping of str to MetricInfo
        The declared metrics.
    evidence : callable
        Gives a result's evidence by its id, None where there is none; raises ``DataError`` where
        it is damaged, ``UnreachableError`` where the registry does not answer.
    scan_name : callable
        Gives, by the id of the result that a network was kept with, the name of the layer that its
        filters are of; None and errors likewise.
    layers : callable
        Gives, by the same id, the layers of the network; None and errors likewise.
    problems : tuple of str
        What of the registry could not be read, a line each.
    tiers : Mapping of str to str
        Who vouches for a job's results, by its id; the submitter where it is not named.
    digests : Mapping of str to str
        Digest of all rows of a result and of what is stored beside them, by its id.
    large : bool
        Whether there are so many results that only one of each run is drawn in detail.
    """

    summary: Summary
    stats: Stats
    filters: pd.DataFrame
    history: pd.DataFrame
    past_jobs: pd.DataFrame
    past_scores: pd.DataFrame
    metrics: Mapping[str, MetricInfo]
    evidence: EvidenceOf = lambda _: None
    scan_name: ScanNameOf = lambda _: None
    layers: LayersOf = lambda _: None
    problems: tuple[str, ...] = ()
    tiers: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    large: bool = False

    @cached_property
    def capabilities(self) -> pd.DataFrame:
        """What every run can do (`capability_table`), made once for all pages."""
        return capability_table(self.summary.trials, self.stats)

    def inputs(self, trials: pd.DataFrame) -> tuple[object, ...]:
        """What a page of these trials depends on."""
        rows = zip(trials["result_id"], trials["job_id"], trials["counted"].tolist(), strict=True)
        return tuple(
            (result, counted, self.digests.get(result, ""), self.tiers.get(job, ""))
            for result, job, counted in rows
        )


@dataclass(frozen=True)
class Page:
    """One file of the site.

    Attributes
    ----------
    path : str
        Where it goes, below the site's folder, with ``/``.
    template : str
        File in ``templates/``.
    inputs : object
        Anything whose ``repr`` changes whenever the page's content does; a page of the same
        inputs is not drawn again. None: it is always drawn.
    draw : callable
        Gives the template's variables.
    """

    path: str
    template: str
    inputs: object
    draw: Callable[[], Mapping[str, Any]]

    @property
    def root(self) -> str:
        """The way from the page to the site's folder."""
        return "../" * self.path.count("/")
