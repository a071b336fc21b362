"""What networks can do, as the command gives it: six figures a task, and over all tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from motifidelity.leaderboard.tables.capabilities import capability_table, in_order, over_tasks
from motifidelity.metrics.headlines import CAPABILITIES
from motifidelity.summary.query import Query, Source, answer
from motifidelity.summary.rivals import OF_JOBS
from motifidelity.summary.runs import RUN_KEY, gather_scores, key_digest, mark_trials
from motifidelity.summary.stats import index_stats

if TYPE_CHECKING:
    from collections.abc import Sequence

ALL = "all"
COLUMNS = ("task", "model", "params", "backend", "division", *CAPABILITIES, "flagged", "ran")


def capability_answer(source: Source, query: Query) -> pd.DataFrame:
    """The figures of every run that a query's filters of jobs choose.

    Parameters
    ----------
    source : Source
    query : Query

    Returns
    -------
    DataFrame
        `COLUMNS`: by task the best first, then under the task `ALL` the means over the suite's.

    Raises
    ------
    UserError
        If the query names something unknown.
    """
    tables = source.latest("jobs", "scores")
    trials = mark_trials(tables["jobs"].to_pandas())
    stats = index_stats(gather_scores(trials, tables["scores"].to_pandas()))
    # whatever scores are asked for
    chosen = answer(source, Query(**{name: getattr(query, name) for name in OF_JOBS}))
    keys = chosen[list(RUN_KEY)].drop_duplicates().itertuples(index=False, name=None)
    table = capability_table(trials, stats)
    table = table[table["run"].isin({key_digest(key) for key in keys})]
    parts: Sequence[pd.DataFrame] = [
        *(in_order(mine) for _, mine in table.groupby("task", sort=True)),
        in_order(over_tasks(table)).assign(task=ALL),
    ]
    frame = pd.concat([part for part in parts if len(part)] or parts[-1:], ignore_index=True)
    frame = frame.reindex(columns=list(COLUMNS))
    return frame.assign(flagged=frame["flagged"].fillna(""), ran=frame["ran"].fillna(""))
