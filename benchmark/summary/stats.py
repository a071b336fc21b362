"""The scores of the table of results, to look up: by run, metric, method and class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from motifidelity.statistics import trial_interval
from motifidelity.summary.inputs import MetricInfo

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Stat:
    """One row of `Summary.scores`.

    Attributes
    ----------
    mean, sd : float
        Over trials; nan where there is none.
    n, num_trials : int
        Trials with a defined value, and all counted trials of the run.
    by_trial : dict of str to (float, float or None, int)
        By result_id: value, SD over items, number of items.
    definition : str
        As the registry has it.
    """

    mean: float
    sd: float
    n: int
    num_trials: int
    by_trial: Mapping[str, tuple[float, float | None, int]]
    definition: str


Stats = Mapping[tuple[str, str, str, str], Stat]


def index_stats(scores: pd.DataFrame) -> Stats:
    """The summary's score table, by (run, metric, method, target)."""
    stats: dict[tuple[str, str, str, str], Stat] = {}
    for row in scores.to_dict("records"):
        key = (str(row["run"]), str(row["metric"]), str(row["method"]), str(row["target"]))
        stats[key] = Stat(
            mean=float(row["mean"]),
            sd=float(row["sd"]),
            n=int(row["n"]),
            num_trials=int(row["num_trials"]),
            by_trial=row["by_trial"],
            definition=str(row["definition"]),
        )
    return stats


def split_stats(stats: Stats) -> Mapping[str, Stats]:
    """The scores of every run, under the same keys."""
    found: dict[str, dict[tuple[str, str, str, str], Stat]] = {}
    for key, stat in stats.items():
        found.setdefault(key[0], {})[key] = stat
    return found


def mean_intervals(
    names: Sequence[str],
    mean: Floats,
    sd: Floats,
    n: Floats,
    metrics: Mapping[str, MetricInfo],
    level: float,
) -> tuple[Floats, Floats]:
    """Intervals of means over trials, within the range that each one's metric is declared with."""
    bounds = {
        name: (-np.inf if m.low is None else m.low, np.inf if m.high is None else m.high)
        for name, m in metrics.items()
    }
    ends = np.array([bounds.get(name, (-np.inf, np.inf)) for name in names], float).reshape(-1, 2)
    return trial_interval(mean, sd, n, level, (ends[:, 0], ends[:, 1]))


def seeds_of(trials: pd.DataFrame) -> Mapping[str, int]:
    """Seed of every result of `Summary.trials`."""
    return dict(zip(trials["result_id"], trials["seed"].map(_whole), strict=True))


def by_seed(
    stats: Stats, seeds: Mapping[str, int], run: str, metric: str, method: str
) -> dict[int, float]:
    """A run's values of a score by the seed of their trial."""
    stat = stats.get((run, metric, method, ""))
    return {seeds[result]: v for result, (v, _, _) in stat.by_trial.items()} if stat else {}


def _whole(value: object) -> int:
    """A seed as a number; what is none becomes -1 (it pairs with nothing of the registry's)."""
    try:
        return int(float(str(value)))
    except (ValueError, OverflowError):
        return -1
