"""Where a score lies between what knows nothing and what the oracle gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from motifidelity.entries import DIVISION, ORACLE, RANDOM
from motifidelity.leaderboard.text import number
from motifidelity.metrics.declare import is_of_own_network
from motifidelity.metrics.oracle import normalise
from motifidelity.summary.stats import Stats


@dataclass(frozen=True)
class Scale:
    """Floors and ceilings of one task and profile, by (metric, method)."""

    floors: Mapping[tuple[str, str], float]
    ceilings: Mapping[tuple[str, str], float]

    def place(self, metric: str, method: str, value: float) -> float:
        """(value - floor) / (ceiling - floor), not clipped; nan where either is unknown."""
        key = (metric, method)
        if not self._knows(key):
            return float("nan")
        return normalise(value, self.floors[key], self.ceilings[key])

    def describe(self, metric: str, method: str) -> str:
        """The two ends as text; "" where there are none."""
        key = (metric, method)
        if not self._knows(key):
            return ""
        return f"floor {number(self.floors[key])}, ceiling {number(self.ceilings[key])}"

    def _knows(self, key: tuple[str, str]) -> bool:
        return key in self.floors and key in self.ceilings and not is_of_own_network(key[0])


def find_scale(trials: pd.DataFrame, stats: Stats) -> Scale:
    """Read the scale off the reference entries of a task and profile.

    Where the task states the floor of a score (`Scoring.fixed_floor`), that is it, not noise's.

    Parameters
    ----------
    trials : DataFrame
        Rows of `Summary.trials` of one task, its digests and profile.
    stats : Stats
        As `index_stats` returns them.

    Returns
    -------
    Scale
        Empty where the registry has no reference entries of that task.
    """
    ends: dict[str, dict[tuple[str, str], float]] = {ORACLE: {}, RANDOM: {}}
    entries = trials[(trials["division"] == DIVISION) & (trials["status"] == "ok")]
    runs = {str(job["run"]): str(job["model"]) for _, job in entries.iterrows()}
    for (run, metric, method, target), stat in stats.items():
        if target == "" and stat.n and runs.get(run) in ends:
            ends[runs[run]][metric, method] = stat.mean
    return Scale(ends[RANDOM] | _stated(trials, ends[ORACLE]), ends[ORACLE])


def _stated(
    trials: pd.DataFrame, ceilings: Mapping[tuple[str, str], float]
) -> dict[tuple[str, str], float]:
    """Floors that the task states, of the scores that have a ceiling."""
    from motifidelity.tasks.spec import known_specs

    if trials.empty or "task" not in trials:
        return {}
    first = trials.iloc[0]
    spec = known_specs().get(str(first["task"]))
    if spec is None or spec.digest != first["task_digest"]:
        return {}
    found = {key: spec.scoring.fixed_floor(key[0]) for key in ceilings}
    return {key: floor for key, floor in found.items() if floor is not None}
