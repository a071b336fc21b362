"""Which networks do no better than counting: held against the 6-mer regression of their task."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.stats import norm

from motifidelity.entries import DIVISION, KMER_REGRESSION
from motifidelity.metrics.declare import all_metrics
from motifidelity.summary.query import Query, Source, answer
from motifidelity.summary.ranks import LEVEL
from motifidelity.summary.runs import BOARD, RUN_KEY, gather_scores, key_digest, mark_trials
from motifidelity.summary.stats import Stat, Stats, index_stats, mean_intervals

if TYPE_CHECKING:
    import pandas as pd

HELD = {
    "Predicts": (("auroc", "auroc_error"), ("pearson", "pearson_error")),
    "Maps": (("maps", "maps_error"),),
}
"""What is held against counting, the first that a task has, and the standard error over test
sequences of a trial's value."""
Verdict = Literal["above", "not above", "not recorded"]
NOT_ABOVE = "does not beat counting"
OF_JOBS = ("task", "model", "profile", "division", "isolation", "backend", "param", "status")
# below this the trials say too little of what another would give
ENOUGH_TRIALS = 3
COLUMNS = ("task", "profile", "model", "params", "backend", "division", "headline")
FIGURES = ("mean", "low", "counting", "verdict")


@dataclass(frozen=True)
class Against:
    """A run's headline beside that of the 6-mer regression.

    Attributes
    ----------
    mean : float
        Over trials.
    low : float
        Lower end of the interval; nan where it cannot be told.
    counting : float
        What the 6-mer regression has.
    """

    mean: float
    low: float
    counting: float

    @property
    def verdict(self) -> Verdict:
        """``above``, ``not above``, or ``not recorded`` where the interval cannot be told."""
        if math.isnan(self.low):
            return "not recorded"
        return "above" if self.low > self.counting else "not above"


def against_counting(
    trials: pd.DataFrame, stats: Stats, level: float = LEVEL
) -> Mapping[str, Mapping[str, Against]]:
    """Every run of a network beside the 6-mer regression of its task and profile.

    Parameters
    ----------
    trials : DataFrame
        As `Summary.trials`.
    stats : Stats
    level : float
        Nominal coverage of the interval whose lower end must be above.

    Returns
    -------
    mapping of str to mapping of str to Against
        By run and name of `HELD`; nothing where the registry has no such entry. The interval
        is that over trials; below three trials that over test sequences, normal, by the trials'
        own standard errors (root of the mean square: all have the same sequences).
    """
    found: dict[str, dict[str, Against]] = {}
    ok = trials[trials["counted"] & (trials["status"] == "ok")]
    entries = (ok["division"] == DIVISION) & (ok["model"] == KMER_REGRESSION)
    rivals = ok[entries].drop_duplicates(BOARD).set_index(BOARD)["run"].to_dict()
    networks = ok[ok["division"] != DIVISION].drop_duplicates("run")
    for run, *board in networks[["run", *BOARD]].itertuples(index=False):
        rival = rivals.get(tuple(board))
        for name, (metric, error) in ((name, one) for name, held in HELD.items() for one in held):
            theirs, mine = (stats.get((str(one), metric, "", "")) for one in (rival, run))
            if theirs is None or mine is None or not theirs.n or not mine.n:
                continue
            low = _low(mine, metric, stats.get((str(run), error, "", "")), level)
            against = Against(mine.mean, low, theirs.mean)
            found.setdefault(str(run), {}).setdefault(name, against)
    return found


def not_above_counting(trials: pd.DataFrame, stats: Stats) -> Mapping[str, tuple[str, ...]]:
    """Names of the headlines in which a run does not beat counting, by run."""
    return {
        run: names
        for run, mine in against_counting(trials, stats).items()
        if (names := tuple(name for name, one in mine.items() if one.verdict == "not above"))
    }


def below_counting(source: Source) -> Mapping[str, tuple[str, ...]]:
    """`not_above_counting` of a registry; its scores are read where it has the entry alone."""
    import pyarrow.compute as pc

    jobs = source.latest("jobs")["jobs"]
    if not pc.any(pc.equal(jobs["model"], KMER_REGRESSION)).as_py():
        return {}
    return not_above_counting(*_arranged(source))


def beside_counting(source: Source, query: Query) -> pd.DataFrame:
    """Every network beside the 6-mer regression of its task, a row a headline.

    Parameters
    ----------
    source : Source
    query : Query
        Its filters of jobs say which runs.

    Returns
    -------
    DataFrame
        `COLUMNS` and `FIGURES`, of the tasks and profiles that have such an entry.

    Raises
    ------
    UserError
        If the query names something unknown.
    """
    import pandas as pd

    found = against_counting(*_arranged(source), query.level)
    # whatever scores are asked for
    jobs = {name: getattr(query, name) for name in OF_JOBS}
    runs = answer(source, Query(**jobs))
    rows = []
    for _, first in runs.drop_duplicates(list(RUN_KEY)).iterrows():
        about = [first[name] for name in COLUMNS[:-1]]
        for name, one in found.get(key_digest(tuple(first[list(RUN_KEY)])), {}).items():
            rows.append((*about, name, one.mean, one.low, one.counting, one.verdict))
    table = pd.DataFrame(rows, columns=[*COLUMNS, *FIGURES])
    return table.astype(dict.fromkeys(FIGURES[:-1], float))


def _arranged(source: Source) -> tuple[pd.DataFrame, Stats]:
    tables = source.latest("jobs", "scores")
    trials = mark_trials(tables["jobs"].to_pandas())
    return trials, index_stats(gather_scores(trials, tables["scores"].to_pandas()))


def _low(stat: Stat, metric: str, error: Stat | None, level: float) -> float:
    """Lower end of the interval of a mean."""
    if stat.n >= ENOUGH_TRIALS:
        mean, sd, n = (np.array([value], float) for value in (stat.mean, stat.sd, stat.n))
        low, _ = mean_intervals([metric], mean, sd, n, all_metrics(), level)
        return float(low[0])
    if error is None or not error.n:
        return math.nan
    squares = [value**2 for value, _, _ in error.by_trial.values() if math.isfinite(value)]
    spread = math.sqrt(sum(squares) / len(squares))
    return stat.mean - float(norm.ppf((1 + level) / 2)) * spread
