"""The one table behind every number on the page: scores gathered over the trials of a run.

A *run* is a row of the leaderboard: one model with one set of parameters on one task, under one
profile, division and isolation. Nothing here computes a score; it only counts and averages.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from motifidelity.metrics.readings import OWN
from motifidelity.registry.counting import ORDER, which_count
from motifidelity.summary.inputs import REQUIRED, Tables, check_columns
from motifidelity.tasks.spec import read_first

MODEL_KEY = ("model", "model_digest", "params")
# runs that agree in these compete with each other
BOARD = ["task", "task_digest", "dataset_digest", "profile"]
RUN_KEY = (*BOARD, "division", "isolation", "backend", *MODEL_KEY)
TRIAL = ("run", "trial", "seed")
# the same in columns of the registry
TRIAL_KEY = (*RUN_KEY, "trial", "seed")
SCORE_KEY = ("run", "metric", "definition", "method", "target")


@dataclass(frozen=True)
class Summary:
    """The registry, arranged for display.

    Attributes
    ----------
    trials : DataFrame
        `jobs` with three more columns: ``run`` and ``model_key`` (digests that name the row and
        the model page a result belongs to) and ``counted`` (False for a result that a later
        result of the same trial and seed replaces). Sorted by run, trial, seed, start.
    scores : DataFrame
        One row per (run, metric, definition, method, target) over counted trials that ended
        ``ok``: ``mean``, ``sd`` (sample SD over trials, ``ddof=1``; nan below two trials), ``n``
        (trials with a defined value), ``num_trials`` (counted trials of the run, failed ones
        included) and ``by_trial`` (dict of result_id to (value, sd over items, n items)).
        `method` and `target` are "" where the registry has none.
    """

    trials: pd.DataFrame
    scores: pd.DataFrame


def summarise(tables: Tables) -> Summary:
    """Arrange the registry for display.

    Parameters
    ----------
    tables : Tables
        The registry; not changed.

    Returns
    -------
    Summary

    Raises
    ------
    ValueError
        If a table lacks a column.
    """
    check_columns(tables)
    trials = mark_trials(tables.jobs)
    return Summary(trials=trials, scores=gather_scores(trials, tables.scores))


def mark_trials(jobs: pd.DataFrame) -> pd.DataFrame:
    """Name the run of every result and say which results count.

    Of several results of one run with the same trial and seed one counts: see `which_count`.

    Parameters
    ----------
    jobs : DataFrame
        The registry's jobs, in any order.

    Returns
    -------
    DataFrame
        As `Summary.trials`.
    """
    trials = jobs.reindex(columns=REQUIRED["jobs"]).copy()
    for column in {*RUN_KEY, "result_id", "status"}:
        trials[column] = trials[column].astype(object).where(trials[column].notna(), "").map(str)
    for name, key in (("run", RUN_KEY), ("model_key", MODEL_KEY)):
        names = [key_digest(row) for row in trials[list(key)].itertuples(index=False)]
        # of no result they are text too
        trials[name] = pd.Series(names, index=trials.index, dtype=object)
    trials = trials.sort_values([*TRIAL, *ORDER], kind="stable", na_position="first")
    keys = trials.groupby(list(TRIAL), sort=False, dropna=False).ngroup()
    trials["counted"] = which_count(keys, trials["status"])
    return plain_text(trials.reset_index(drop=True))


def gather_scores(trials: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Average every score over the counted, successful trials of its run.

    Parameters
    ----------
    trials : DataFrame
        As `mark_trials` returns it.
    scores : DataFrame
        The registry's scores; of maps the method's own reading counts, or that of the task's
        headline.

    Returns
    -------
    DataFrame
        As `Summary.scores`.
    """
    columns = [*SCORE_KEY, "mean", "sd", "n", "num_trials", "by_trial"]
    if "reading" in scores:
        scores = scores[_read_first(scores, trials)]
    scores = scores.reindex(columns=REQUIRED["scores"])
    ok = trials[trials["counted"] & (trials["status"] == "ok")][["result_id", "run"]]
    ok = ok.assign(_order=np.arange(len(ok)))
    nothing = pd.DataFrame({column: pd.Series(dtype=object) for column in columns})
    if ok.empty or scores.empty:
        return nothing
    joined = ok.merge(scores, on="result_id", how="inner")
    if joined.empty:
        return nothing
    for column in ("method", "target"):
        joined[column] = joined[column].astype(object).where(joined[column].notna(), "")
    joined["value"] = joined["value"].astype(float).replace([np.inf, -np.inf], np.nan)
    joined = joined.sort_values([*SCORE_KEY, "_order", "metric_version"], kind="stable")
    joined = joined.drop_duplicates([*SCORE_KEY, "result_id"], keep="last")
    grouped = joined.groupby(list(SCORE_KEY), sort=True)
    values = grouped["value"]
    table = values.agg(mean="mean", sd="std", n="count").reset_index()
    totals = trials[trials["counted"]].groupby("run").size()
    table["num_trials"] = table["run"].map(totals).astype(int)
    table["by_trial"] = pd.Series(_by_trial(joined, grouped.ngroup()), dtype=object)
    return table[columns]


def _read_first(scores: pd.DataFrame, trials: pd.DataFrame) -> pd.Series[bool]:
    """Which scores are of the reading that their task reads first."""
    readings = scores["reading"].fillna(OWN)
    found: pd.Series[bool] = readings == OWN
    for task in trials["task"].unique():
        if not (read := read_first(str(task))):
            continue
        mine = scores["result_id"].isin(trials.loc[trials["task"] == task, "result_id"])
        for (metric, method), reading in read.items():
            here = mine & (scores["metric"] == metric) & (scores["method"].fillna("") == method)
            found = found.where(~here, readings == reading)
    return found


def _by_trial(
    joined: pd.DataFrame, numbers: pd.Series
) -> list[dict[str, tuple[float, float | None, int]]]:
    """For each group, in order: by result, value, SD over items, number of items."""
    found: list[dict[str, tuple[float, float | None, int]]] = [
        {} for _ in range(int(numbers.max()) + 1)
    ]
    rows = zip(
        numbers.to_list(),
        joined["result_id"].map(str).to_list(),
        joined["value"].to_list(),
        joined["sd"].astype(float).to_list(),
        joined["n"].astype(int).to_list(),
        strict=True,
    )
    for number, result, value, sd, n in rows:
        found[number][result] = (value, None if sd != sd else sd, n)
    return found


def first_of_each(trials: pd.DataFrame) -> pd.DataFrame:
    """The first counted trial of every run, in the order of the runs' keys."""
    counted = trials[trials["counted"]].sort_values("started", na_position="last", kind="stable")
    return counted.drop_duplicates("run").sort_values("run")


def by_key(table: pd.DataFrame, column: str) -> tuple[pd.DataFrame, Mapping[object, object]]:
    """A table and the places of its rows by a column's values, for `together`."""
    if table.empty:
        return table, {}
    return table, table.groupby(column, sort=False).indices


def together(
    indexed: tuple[pd.DataFrame, Mapping[object, object]], keys: Sequence[str]
) -> pd.DataFrame:
    """The rows of the given keys, in the table's order."""
    table, places = indexed
    found = [np.asarray(places[key]) for key in keys if key in places]
    return table.iloc[np.sort(np.concatenate(found))] if found else table.iloc[:0]


def plain_text(table: pd.DataFrame) -> pd.DataFrame:
    """The table with text as Python's own, which is many times quicker to read value by value."""
    texts = [name for name, kind in table.dtypes.items() if isinstance(kind, pd.StringDtype)]
    return table.astype(dict.fromkeys(texts, object))


def key_digest(values: tuple[object, ...]) -> str:
    """SHA-256 of the values as JSON, hexadecimal; equal values give equal names."""
    text = json.dumps([str(value) for value in values], ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
