"""Two questions that the front page answers: which network to use, and whose maps to trust."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from motifidelity.leaderboard.page import Material
from motifidelity.leaderboard.pages.overview import newest
from motifidelity.leaderboard.pages.verdict import map_places
from motifidelity.leaderboard.tables.columns import method_label
from motifidelity.leaderboard.tables.rows import RunLink, run_link
from motifidelity.leaderboard.tables.scale import find_scale
from motifidelity.leaderboard.text import number, seconds, shorten
from motifidelity.metrics.methods import METHODS
from motifidelity.statistics import MIN_TRIALS
from motifidelity.summary.ranks import LEVEL, ranking_score
from motifidelity.summary.runs import BOARD
from motifidelity.summary.stats import Stat, mean_intervals
from motifidelity.tasks.spec import accuracy_of, headlines_of

# shades of a strip, from floor to ceiling
SHADES = 10

Row = Mapping[Hashable, Any]


@dataclass(frozen=True)
class Choice:
    """The best of a task's networks that are ranked, by the score that ranks them.

    ``ties`` are those that its trials do not tell apart from it; without a network of three trials
    there is no `best`.
    """

    task: str
    best: RunLink | None = None
    score: str = ""
    interval: str = ""
    ranked_by: str = ""
    predicts: str = ""
    accuracy: str = ""
    trials: int = 0
    cost: str = ""
    ties: tuple[RunLink, ...] = ()


@dataclass(frozen=True)
class Shade:
    """A cell of a strip: text, and its shade, None where there is no value."""

    text: str
    shade: int | None


@dataclass(frozen=True)
class Trust:
    """Networks by methods, each map from noise (0) to the oracle (1) of its task."""

    methods: tuple[str, ...]
    tasks: tuple[tuple[str, tuple[tuple[RunLink, tuple[Shade, ...]], ...]], ...]
    said: str


def choices(frame: pd.DataFrame, material: Material) -> tuple[Choice, ...]:
    """What to use, a line for each task that networks have run in full, in the order of pages."""
    return tuple(
        _choice(str(task), board, material) for (task, *_), board in _boards(frame, material)
    )


def trust(frame: pd.DataFrame, material: Material) -> Trust | None:
    """Whose maps find the motifs; None where no network of three trials has scores of maps."""
    found = []
    for (task, *_), board in _boards(frame, material):
        rows = _scaled(board[board["ok"] >= MIN_TRIALS], material)
        if rows:
            found.append((str(task), rows))
    methods = [name for name in METHODS if any(name in own for _, rows in found for _, own in rows)]
    if not methods:
        return None
    tasks = tuple(
        (
            shorten(task, 40),
            tuple((run, tuple(_shade(own.get(name)) for name in methods)) for run, own in rows),
        )
        for task, rows in found
    )
    every = [own for _, rows in found for _, own in rows]
    return Trust(tuple(map(method_label, methods)), tasks, _most(every))


def _boards(
    frame: pd.DataFrame, material: Material
) -> Iterator[tuple[tuple[Hashable, ...], pd.DataFrame]]:
    """Networks of the newest version of each task under the full profile."""
    if frame.empty:
        return
    shown = newest(frame)
    models = shown[(shown["kind"] == "model") & (shown["profile"] == "full") & (shown["ok"] > 0)]
    for key, board in models.groupby([*BOARD], sort=False):
        yield tuple(key), board


def _choice(task: str, board: pd.DataFrame, material: Material) -> Choice:
    first = board[board["rank"] == 1]
    by = ranking_score(task, material.stats, list(board["run"]))
    if first.empty or by is None:
        return Choice(shorten(task, 40))
    row = first.iloc[0].to_dict()
    stat = material.stats[row["run"], *by, ""]
    low, high = (float(end[0]) for end in _interval(by[0], stat, material))
    label = next((h.label.strip() for h in headlines_of(task) if h.score == by), " ".join(by))
    others = board[board["rank"].notna() & (board["run"] != row["run"])]
    ties = [r for r in others.to_dict("records") if _letters(r) & _letters(row)]
    return Choice(
        task=shorten(task, 40),
        best=_named(row),
        score=number(stat.mean),
        interval=f"{number(low)} to {number(high)}" if math.isfinite(low + high) else "",
        ranked_by=label,
        predicts=number(row["accuracy"]),
        accuracy=accuracy_of(task).label,
        trials=int(row["ok"]),
        cost=seconds(row["cost"]),
        ties=tuple(map(_named, ties)),
    )


def _letters(row: Row) -> set[str]:
    """The letters of a run's ties, as `statistics.tie_groups` writes them."""
    group = str(row["group"])
    return set(group.split(",") if "," in group else group)


def _interval(metric: str, stat: Stat, material: Material) -> tuple[Any, Any]:
    mean, sd, n = (np.array([value], float) for value in (stat.mean, stat.sd, stat.n))
    return mean_intervals([metric], mean, sd, n, material.metrics, LEVEL)


def _named(row: Row) -> RunLink:
    return run_link(row, beside=30, activation=24)


def _scaled(board: pd.DataFrame, material: Material) -> list[tuple[RunLink, dict[str, float]]]:
    """Of every run the place of each method's maps between floor and ceiling."""
    if board.empty:
        return []
    key = board.iloc[0]
    trials = material.summary.trials
    same = trials[(trials[BOARD] == key[BOARD]).all(axis=1)]
    scale = find_scale(same, material.stats)
    found = []
    for row in board.to_dict("records"):
        known = map_places(row["run"], material.stats, scale)
        if known:
            found.append((_named(row), known))
    return found


def _shade(value: float | None) -> Shade:
    if value is None:
        return Shade("", None)
    return Shade(f"{value:z.2f}", round(min(max(value, 0.0), 1.0) * SHADES))


def _most(rows: Sequence[Mapping[str, float]]) -> str:
    """Which method is highest in most networks, of those that have several."""
    several = [row for row in rows if len(row) > 1]
    best = [max(row, key=lambda name: row[name]) for row in several]
    if not best:
        return ""
    name = max(dict.fromkeys(best), key=best.count)
    of = f"{best.count(name)} of {len(best)}"
    return f"{method_label(name)} maps are the highest in {of} networks."
