"""The leaderboard: HTML drawn from the registry, and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .pages import EvidenceOf
    from .tables import MetricInfo, Tables

__all__ = ["render"]


def render(
    tables: Tables,
    out_dir: Path,
    *,
    metrics: Mapping[str, MetricInfo],
    evidence: EvidenceOf | None = None,
) -> Path:
    """Draw the registry as a static site that opens from disk, with no network.

    The same tables give the same bytes, whatever the order of their rows. Files of an earlier
    rendering are overwritten; other files in `out_dir` are left alone.

    Parameters
    ----------
    tables : Tables
        The four tables of the registry; they are not changed.
    out_dir : Path
        Folder that receives ``index.html``, ``models/`` and ``static/``; made when it is missing.
    metrics : Mapping of str to MetricInfo
        The declared metrics by name, for headings, ranges and the legend. A score whose metric is
        not declared is shown under its bare name.
    evidence : callable, optional
        Gives a result's evidence by its id, None where there is none; raises ``DataError`` where it
        is damaged. Without it the pages say that there is none.

    Returns
    -------
    Path
        ``out_dir / "index.html"``.

    Raises
    ------
    ValueError
        If a table lacks a column that the registry's schema has.
    """
    from .site import write_site

    return write_site(tables, out_dir, metrics=metrics, evidence=evidence)
