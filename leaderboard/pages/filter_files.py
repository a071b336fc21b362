"""First-layer filters of a run as a file of motifs, for tools that read the MEME format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from motifidelity.leaderboard.page import Material, Page
from motifidelity.leaderboard.text import shorten
from motifidelity.summary.runs import by_key, plain_text, together


def meme_path(run: str) -> str:
    """Where the filters of a run lie, below the site's folder."""
    return f"motifs/{run[:12]}.meme"


def median_trial(
    finished: pd.DataFrame, filters: Mapping[object, pd.DataFrame]
) -> tuple[object, Sequence[int]]:
    """The result whose filters stand for a run, and how many of every trial match a true motif.

    Parameters
    ----------
    finished : DataFrame
        The run's successful trials, of `Summary.trials`.
    filters : mapping of str to DataFrame
        By result, its rows of the registry's table.

    Returns
    -------
    result : str or None
        The one in the middle by that number, of an even number of trials the lower of the two in
        the middle; the first where no filters are stored, None without a trial.
    counts : sequence of int
        In the order of the trials.
    """
    counts = {}
    for result in finished["result_id"]:
        mine = filters.get(result)
        if mine is not None:
            true = mine.loc[mine["definition"] == "corrected", "true_tf"]
            counts[result] = sum(bool(shorten(name)) for name in true)
    if not counts:
        return next(iter(finished["result_id"]), None), ()
    ordered = sorted(counts, key=lambda result: counts[result])
    return ordered[(len(ordered) - 1) // 2], tuple(counts.values())


def motif_files(material: Material, frame: pd.DataFrame) -> Iterable[Page]:
    """A file for every run with stored filters: those of its trial in the middle."""
    if material.large:
        return
    trials = material.summary.trials
    filters = by_key(material.filters, "result_id")
    finished = trials[trials["counted"] & (trials["status"] == "ok")]
    finished = finished[finished["result_id"].isin(set(material.filters["result_id"]))]
    for run, mine in finished.groupby("run", sort=True):

        def draw(mine: pd.DataFrame = mine) -> Mapping[str, object]:
            stored = plain_text(together(filters, list(mine["result_id"])))
            result, _ = median_trial(mine, dict(list(stored.groupby("result_id"))))
            rows = stored[
                (stored["result_id"] == result) & (stored["definition"] == "corrected")
            ].sort_values("filter", kind="stable")
            return {"motifs": [motif for row in rows.to_dict("records") if (motif := _motif(row))]}

        yield Page(meme_path(str(run)), "filters.meme", material.inputs(mine), draw)


def _motif(row: Mapping[object, object]) -> Mapping[str, object] | None:
    """What the template writes of a filter; None where its matrix cannot be read."""
    width = int(str(row["width"]))
    matrix = np.asarray(row["ppm"], float)
    if matrix.size != 4 * width or not width:
        return None
    name = shorten(row["true_tf"], 30) or shorten(row["best_hit_name"], 30)
    return {
        "name": f"filter_{int(str(row['filter'])):02d}",
        "match": "_".join(name.split()),
        "sites": row["num_sites"],
        "rows": [" ".join(f"{value:.6f}" for value in base) for base in matrix.reshape(width, 4)],
    }
