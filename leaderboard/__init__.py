"""The leaderboard: HTML drawn from the registry, and from nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from motifidelity.leaderboard.figures.alone import Figure
    from motifidelity.leaderboard.page import EvidenceOf, LayersOf, ScanNameOf
    from motifidelity.study.published import PublishedScore
    from motifidelity.summary.inputs import MetricInfo, Tables

__all__ = ["draw_figures", "published_figure", "render"]


def render(
    tables: Tables,
    out_dir: Path,
    *,
    metrics: Mapping[str, MetricInfo],
    problems: Sequence[str] = (),
    tiers: Mapping[str, str] | None = None,
    past: Tables | None = None,
    evidence: EvidenceOf | None = None,
    scan_name: ScanNameOf | None = None,
    layers: LayersOf | None = None,
    stored: Mapping[str, str] | None = None,
) -> Path:
    """Draw the registry as a static site that opens from disk, with no network.

    The same tables give the same bytes, whatever the order of their rows. Pages of an earlier
    rendering are left where nothing that they show has changed, and removed where their model is
    gone; other files in `out_dir` are left alone. A page that cannot be drawn says why, the front
    page names it, and the next rendering tries again.

    Parameters
    ----------
    tables : Tables
        The four tables of the registry; they are not changed.
    out_dir : Path
        Folder that receives ``index.html`` and all other pages; made when it is missing.
    metrics : Mapping of str to MetricInfo
        The declared metrics by name, for headings, ranges and the legend. A score whose metric is
        not declared is shown under its bare name.
    problems : sequence of str
        What of the registry could not be read, to be said on the front page.
    tiers : mapping of str to str, optional
        Who vouches for a job's results, by its id; the submitter where it is not named.
    past : Tables, optional
        All results, those that a later scoring of the same job replaced too, for the history;
        default: `tables`.
    evidence : callable, optional
        Gives a result's evidence by its id, None where there is none; raises ``DataError`` where it
        is damaged, which the pages say, and ``UnreachableError`` where the registry does not
        answer, which leaves the page to the next rendering. Without it the pages say that there
        is none.
    scan_name : callable, optional
        Gives, by the id of the result that a network was kept with, the name of the layer that its
        filters are of, None where it is not known; raises the same errors.
    layers : callable, optional
        Gives, by the same id, the layers of the network likewise.
    stored : mapping of str to str, optional
        By a result's id, a text that changes whenever one of these may answer otherwise
        (`Registry.stored`); without it a page is drawn again only where the tables that it shows
        have changed.

    Returns
    -------
    Path
        ``out_dir / "index.html"``.

    Raises
    ------
    ValueError
        If a table lacks a column that the registry's schema has.
    """
    from motifidelity.leaderboard.site import gather, write_site

    material = gather(tables, metrics, problems, tiers, past, evidence, scan_name, stored, layers)
    return write_site(material, out_dir)


def draw_figures(
    tables: Tables,
    patterns: Sequence[str],
    *,
    metrics: Mapping[str, MetricInfo],
    evidence: EvidenceOf | None = None,
    paper: bool = False,
    each: bool = False,
) -> Iterator[Figure]:
    """Draw the figures of a site's pages so that each stands alone.

    Parameters
    ----------
    tables, metrics, evidence
        As `render` takes them.
    patterns : sequence of str
        Which pages, by their paths below the site's folder, such as ``models/*``.
    paper : bool
        On a light ground with a margin, legible wherever it is shown.
    each : bool
        What stands on a sheet, such as the filters of a trial, alone too.

    Yields
    ------
    Figure
        Names are unique.

    Raises
    ------
    ValueError
        If a table lacks a column that the registry's schema has.
    """
    from motifidelity.leaderboard import site

    material = site.gather(tables, metrics, evidence=evidence)
    return site.draw_figures(material, patterns, paper=paper, each=each)


def published_figure(title: str, scores: Sequence[PublishedScore]) -> Figure:
    """Draw published scores beside the trials that measure the same, on a ground of its own.

    Parameters
    ----------
    title : str
    scores : sequence of PublishedScore
        As `motifidelity.study.published.compare` yields them; at least one.
    """
    from motifidelity.leaderboard.figures.alone import Figure, page_stem
    from motifidelity.leaderboard.figures.beside import TOP, lay_out
    from motifidelity.leaderboard.site import make_environment

    drawing = lay_out(title, scores)
    svg = make_environment().get_template("beside.svg").render(f=drawing, top=TOP)
    return Figure(page_stem(title), drawing.description, svg)
