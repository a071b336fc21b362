"""What each run can do as columns of the table of runs: figures, their intervals, their ranks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from motifidelity.entries import DIVISION
from motifidelity.leaderboard.page import Material
from motifidelity.leaderboard.tables.capabilities import (
    FULL,
    capability_bounds,
    capability_values,
    spec_as_known,
)
from motifidelity.leaderboard.tables.scale import Scale, find_scale
from motifidelity.metrics.headlines import CAPABILITIES, Capability, shown_capabilities
from motifidelity.statistics import trial_interval
from motifidelity.summary.ranks import LEVEL, NOT_RANKED, Standing, competing, rank_runs
from motifidelity.summary.runs import BOARD
from motifidelity.summary.stats import seeds_of
from motifidelity.summary.verdicts import barred, flagged
from motifidelity.tasks.spec import TaskSpec

COLUMNS: Mapping[str, Capability] = {name.lower(): name for name in CAPABILITIES}
"""Columns of the six figures: in each 0 is the task's floor and 1 its oracle."""


@dataclass(frozen=True)
class _Board:
    """Rows of a task's runs, its specification, and its floors and ceilings."""

    index: pd.Index[int]
    spec: TaskSpec
    scale: Scale


def with_abilities(frame: pd.DataFrame, material: Material) -> pd.DataFrame:
    """Add the six figures of every run of the full profile, each with its interval over trials.

    Parameters
    ----------
    frame : DataFrame
        A row a run: ``run`` and the columns of `BOARD`.
    material : Material

    Returns
    -------
    DataFrame
        With each of `COLUMNS`, its ``_low`` and ``_high`` (95%) and its ``_trials``.
    """
    cells = np.full((len(frame), len(COLUMNS), 5), np.nan)  # mean, SD, trials, least, most
    for board in _boards(frame, material):
        bounds = capability_bounds(board.spec, board.scale, material.metrics)
        for row in board.index:
            run = str(frame.at[row, "run"])
            found = capability_values(board.spec, material.stats, board.scale, run)
            for place, name in enumerate(CAPABILITIES):
                values = list(found.get(name, {}).values())
                if values:
                    spread = np.std(values, ddof=1) if len(values) > 1 else np.nan
                    cells[row, place] = (np.mean(values), spread, len(values), *bounds[name])
    mean, sd, n, least, most = np.moveaxis(cells, 2, 0)
    low, high = trial_interval(mean, sd, n, LEVEL, (least, most))
    for place, column in enumerate(COLUMNS):
        frame[column] = mean[:, place]
        frame[f"{column}_low"], frame[f"{column}_high"] = low[:, place], high[:, place]
        frame[f"{column}_trials"] = np.nan_to_num(n[:, place]).astype(int)
    return frame


def ability_ranks(frame: pd.DataFrame, material: Material) -> dict[str, dict[str, Standing]]:
    """Ranks by each of `COLUMNS`, as `headline_ranks` gives them by the task's own score.

    Parameters
    ----------
    frame : DataFrame
        As `standings.standings` returns it.
    material : Material

    Returns
    -------
    dict of str to dict of str to Standing
        By column and run; a column by which no run has a rank is left out.
    """
    seeds = seeds_of(material.summary.trials)
    ranks: dict[str, dict[str, Standing]] = {column: {} for column in COLUMNS}
    for board in _boards(frame, material):
        rows = frame.loc[board.index]
        asked = shown_capabilities(board.spec.headlines)
        for _, mine in rows[competing(rows)].groupby("division", sort=True):
            runs = [str(run) for run in mine["run"]]
            past = {run: flagged(board.spec.id, material.stats, run) for run in runs}
            found = {
                run: capability_values(board.spec, material.stats, board.scale, run) for run in runs
            }
            for column, name in COLUMNS.items():
                scores = [one.score for one in asked.get(name, ())]
                values = {
                    run: {seeds[result]: value for result, value in own[name].items()}
                    for run, own in found.items()
                    if own.get(name)
                }
                out = {run for run in values if any(barred(past[run], *one) for one in scores)}
                ranks[column] |= rank_runs({r: v for r, v in values.items() if r not in out})
                ranks[column] |= dict.fromkeys(out, NOT_RANKED)
    return {
        column: found
        for column, found in ranks.items()
        if any(one.rank is not None for one in found.values())
    }


def _boards(frame: pd.DataFrame, material: Material) -> Iterator[_Board]:
    """Every board of the full profile whose task has the specification that is known."""
    trials = material.summary.trials
    references = trials[trials["division"] == DIVISION]
    runs = set(references["run"])
    stats = {key: stat for key, stat in material.stats.items() if key[0] in runs}
    for index in frame.groupby(list(BOARD), sort=False).groups.values():
        first = frame.loc[index[0]]
        spec = spec_as_known(str(first["task"]), str(first["task_digest"]))
        if spec is not None and first["profile"] == FULL:
            same = (references[BOARD] == first[BOARD]).all(axis=1)
            yield _Board(index, spec, find_scale(references[same], stats))
