"""The committed baselines without most of their networks: to go through all takes minutes."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from motifidelity.entries import DIVISION
from motifidelity.registry import Registry

BASELINES = Path(__file__).parents[2] / "baselines"
ACTIVATIONS = '"exponential"|"relu"'


def copy_few(
    target: Path, trials: int, models: Collection[str] = (), tasks: Collection[str] = ()
) -> pd.DataFrame:
    """Copy the folder with the exponential and ReLU networks alone, and what no network is.

    Parameters
    ----------
    target : Path
        New.
    trials : int
        How many of each.
    models, tasks : collection of str, optional
        Of these alone, tasks by their names without a version; default: of all.

    Returns
    -------
    DataFrame
        Jobs of the copy.
    """
    jobs = Registry(BASELINES).jobs()
    few = (jobs["trial"] < trials) & jobs["params"].str.contains(ACTIVATIONS)
    if models:
        few &= jobs["model"].isin(models)
    if tasks:
        few &= jobs["task"].str.partition("@")[0].isin(tasks)
    kept = jobs[few | (jobs["division"] == DIVISION)]
    left = _files(jobs) - _files(kept)

    def others(_, entries):
        return [entry for entry in entries if entry.partition(".")[0] in left]

    shutil.copytree(BASELINES, target, ignore=others)
    return kept


def _files(jobs: pd.DataFrame) -> set[str]:
    """Results whose files jobs use."""
    return {*jobs["result_id"], *jobs["arrays_of"].dropna()}
