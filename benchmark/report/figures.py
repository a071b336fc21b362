"""Figures of a report: those of the leaderboard, and published scores beside measured ones."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from motifidelity.errors import unknown
from motifidelity.metrics.declare import all_metrics
from motifidelity.report.tables import DocumentTables
from motifidelity.tasks.spec import all_specs, latest_specs

if TYPE_CHECKING:
    from motifidelity.leaderboard.figures.alone import Figure

# pages of the leaderboard whose figures a document may show
PAGES = ("figures.html", "index.html")
# title and metric of the figures of published scores
PUBLISHED = {
    "published-attribution": (
        "Attribution AUROC, published and measured",
        "paper_attribution_auroc",
    ),
    "published-localisation": (
        "Localisation AUROC, published and measured",
        "paper_localisation_auroc",
    ),
}


class ReportFigures:
    """Figures of one report, drawn when they are asked for."""

    def __init__(self, report: DocumentTables) -> None:
        self._report = report

    def figure(self, name: str) -> Figure | None:
        """A figure by its name; None where the registry has not the results that it shows.

        Names are those of `PUBLISHED`, and those that ``bench plot`` gives to files.

        Raises
        ------
        UserError
            If there is none of that name.
        """
        if name in PUBLISHED:
            return self._published(*PUBLISHED[name])
        if name not in self._leaderboard and name not in _names():
            raise unknown("figure", name, [*PUBLISHED, *_names()])
        return self._leaderboard.get(name)

    @cached_property
    def _leaderboard(self) -> dict[str, Figure]:
        from motifidelity.leaderboard import draw_figures

        drawn = draw_figures(self._report.tables, PAGES, metrics=all_metrics(), paper=True)
        return {one.name: one for one in drawn}

    def _published(self, title: str, metric: str) -> Figure:
        from motifidelity.leaderboard import published_figure

        return published_figure(title, self._report.compared(metric))


def _names() -> list[str]:
    """Names of all figures that the leaderboard can draw of the suite's tasks."""
    from motifidelity.leaderboard.figures.alone import page_stem
    from motifidelity.leaderboard.pages.study import figure_names

    # the front page draws the newest version of a task
    front = [f"index-{page_stem(spec.id)}" for spec in latest_specs().values()]
    return [*front, *(name for task in all_specs() for name in figure_names(task))]
