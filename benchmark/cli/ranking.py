"""Ranks and comparisons as the commands give them: of the score that ranks, unless others asked."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from motifidelity.summary.names import name_runs
from motifidelity.summary.query import Query, Source, answer, columns
from motifidelity.summary.ranks import compare, competing, kinds, of_accuracy, order_by, rank
from motifidelity.summary.two_runs import compare_two
from motifidelity.tasks.spec import headlines_of

if TYPE_CHECKING:
    import pyarrow as pa

# on what the score that ranks depends
BOARD = ["task", "profile", "division"]
OF_SCORES = ("metric", "method", "family", "definition")


class _Once:
    """A source whose tables are read once for several questions."""

    def __init__(self, source: Source) -> None:
        self._read = functools.cache(source.latest)

    def latest(self, *names: str) -> dict[str, pa.Table]:
        """The named tables; the dict is the caller's own."""
        return dict(self._read(*names))


def ranking(source: Source, query: Query, *, references: bool = False) -> pd.DataFrame:
    """`ranks.rank`, of each board's ranking score where the query asks for none.

    Parameters
    ----------
    source : Source
    query : Query
    references : bool
        Add ceilings and floors to every board, without a rank.
    """
    source = _Once(source)
    frame = _by_default(source, query, functools.partial(rank, source))
    if frame.empty or not references:
        return frame
    beside = _beside(source, query)
    key = ["task", "profile", "metric", "method"]
    boards = frame[[*BOARD, "metric", "method"]].drop_duplicates()
    added = boards.merge(beside, on=key).sort_values("mean", ascending=False)
    frame = pd.concat([frame, added[[name for name in frame if name in added]]], ignore_index=True)
    order = [*BOARD, "metric", "method"]
    return frame.sort_values(order, kind="stable").reset_index(drop=True)


def comparison(
    source: Source, query: Query, runs: Sequence[str], kind: Literal["t", "rank"]
) -> pd.DataFrame:
    """`ranks.compare` of every pair by the score that ranks, or `compare_two` of two runs."""
    source = _Once(source)
    if not runs:
        return _by_default(source, query, lambda asked: compare(source, asked, kind))
    first, second = runs
    frame = compare_two(source, query, first, second, kind)
    if any(getattr(query, name) for name in OF_SCORES):
        return frame
    read = {(task, *one.score) for task in set(frame["task"]) for one in headlines_of(str(task))}
    scores = zip(frame["task"], frame["metric"], frame["method"].fillna(""), strict=True)
    return frame[[score in read for score in scores]].reset_index(drop=True)


def _by_default(source: Source, query: Query, ask: Callable[[Query], pd.DataFrame]) -> pd.DataFrame:
    """The answer, or where no score is asked for, on every board that of its ranking score."""
    if any(getattr(query, name) for name in OF_SCORES):
        return ask(query)
    found = answer(source, query)
    found = found[competing(found) | found["model"].isin(query.model)]
    pairs = zip(found["metric"], found["method"].fillna("").astype(str), strict=True)
    found["score"] = list(pairs)
    boards: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    for board, rows in found.groupby(BOARD, sort=True):
        there = set(rows["score"])
        if score := next((score for score in order_by(str(board[0])) if score in there), None):
            boards.setdefault(score, []).append(board)
    frames = []
    for (metric, method), mine in boards.items():
        frame = ask(dataclasses.replace(query, metric=(metric,), method=(method or "none",)))
        places = pd.MultiIndex.from_frame(frame[[name for name in BOARD if name in frame]])
        frames.append(frame[places.isin(mine)])
    frames = [frame for frame in frames if len(frame)] or frames
    if not frames:
        return ask(query)
    return pd.concat(frames, ignore_index=True).sort_values(BOARD, kind="stable")


def _beside(source: Source, query: Query) -> pd.DataFrame:
    """Ceilings and floors on every task and score, with their accuracy."""
    asked = Query(task=query.task, profile=query.profile, columns=columns(False))
    frame = answer(source, asked)
    frame = frame[kinds(frame) != "model"]
    frame = frame.assign(label=[name.label for name in name_runs(frame)])
    accurate = frame[of_accuracy(frame)]
    accuracy = accurate.set_index(["task", "profile", "label"])["mean"]
    places = pd.MultiIndex.from_frame(frame[["task", "profile", "label"]])
    frame["accuracy"] = accuracy[~accuracy.index.duplicated()].reindex(places).to_numpy()
    beside: pd.DataFrame = frame.drop(columns=["division"])
    return beside
