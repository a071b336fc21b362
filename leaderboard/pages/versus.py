"""The comparison page: every two models of a task, with the differences that trials leave."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from motifidelity.leaderboard.page import Material, Page
from motifidelity.leaderboard.standings import scores_of
from motifidelity.leaderboard.text import DASH, clip, shorten, signed
from motifidelity.statistics import Comparison, compare_models
from motifidelity.summary.ranks import competing
from motifidelity.summary.runs import BOARD
from motifidelity.summary.stats import by_seed, seeds_of

# of this many models of a task, the best, every two are compared: the pairs grow with the square
MOST = 40
WIDTH = 120.0
COMPARED = {
    "accuracy": ("Accuracy", "accuracy"),
    "recovery": ("Motif recovery", "filters"),
    "fidelity": ("Attribution fidelity", "attribution"),
    "ism": ("Fidelity, ISM", "attribution"),
    "localisation": ("Localisation", "localisation"),
}


@dataclass(frozen=True)
class Side:
    """A model of a pair."""

    key: str
    name: str
    activation: str
    href: str

    @property
    def label(self) -> str:
        """Name and activation."""
        return f"{self.name} {self.activation}".strip()


@dataclass(frozen=True)
class Difference:
    """First less second in one score; places are on a drawing `WIDTH` wide, for SVG."""

    text: str
    interval: str
    note: str
    title: str
    significant: bool
    centre: str
    ends: tuple[str, str] | None
    sort: str


@dataclass(frozen=True)
class Pair:
    """Two models and their differences, one for each of the board's scores."""

    first: Side
    second: Side
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Duel:
    """All pairs of one task and division."""

    anchor: str
    task: str
    division: str
    spec: str
    scores: tuple[tuple[str, str], ...]
    sides: tuple[Side, ...]
    pairs: tuple[Pair, ...]
    left_out: int


def comparison_page(material: Material, frame: pd.DataFrame) -> Page:
    """The page; ``frame`` is the table of `standings.standings`, the best first."""

    def draw() -> Mapping[str, object]:
        duels = list(_duels(material, frame))
        sides = {side.label: None for duel in duels for side in duel.sides}
        return {"duels": duels, "labels": sorted(sides), "width": WIDTH, "most": MOST}

    return Page("compare.html", "compare.html", material.inputs(material.summary.trials), draw)


def _duels(material: Material, frame: pd.DataFrame) -> Iterable[Duel]:
    if frame.empty:
        return
    seeds = seeds_of(material.summary.trials)
    models = frame[competing(frame) & (frame["ok"] > 0)]
    # the frame's tasks are in the order of pages
    for number, (_, board) in enumerate(models.groupby([*BOARD, "division"], sort=False)):
        if len(board) < 2:
            continue
        best = board.head(MOST)
        sides = _sides(best)
        found: dict[str, list[Comparison]] = {}
        scores = scores_of(str(board["task"].iloc[0]))
        for name in filter(scores.__contains__, COMPARED):
            # laid out with all of them, as they are ranked
            values = {
                run: by_seed(material.stats, seeds, run, *scores[name]) for run in board["run"]
            }
            if sum(bool(values[run]) for run in best["run"]) >= 2:
                found[name] = compare_models(values, among=best["run"])
        rows = zip(*found.values(), strict=True)
        yield Duel(
            anchor=f"task-{number + 1}",
            task=clip(board["task"].iloc[0]),
            division=clip(board["division"].iloc[0], 20),
            spec=shorten(board["task_digest"].iloc[0], 12),
            scores=tuple(COMPARED[name] for name in found),
            sides=tuple(sides.values()),
            pairs=tuple(
                Pair(sides[row[0].first], sides[row[0].second], tuple(map(_difference, row)))
                for row in rows
            ),
            left_out=len(board) - len(best),
        )


def _sides(best: pd.DataFrame) -> dict[str, Side]:
    """Models by run, with what tells like-named ones apart in their name."""
    return {
        row["run"]: Side(
            key=str(row["run"])[:12],
            name=f"{shorten(row['model'], 30)} {shorten(row['beside'], 40)}".strip(),
            activation=shorten(row["activation"], 30),
            href=row["href"],
        )
        for row in best.to_dict("records")
    }


def _difference(found: Comparison) -> Difference:
    known = math.isfinite(found.low) and math.isfinite(found.high)
    count = f"{found.num_first} and {found.num_second} trials"
    if not math.isfinite(found.difference):
        return Difference(DASH, "", "", f"no values to compare; {count}", False, "", None, "")
    return Difference(
        text=signed(found.difference, 3),
        interval=f"{signed(found.low, 3)} to {signed(found.high, 3)}" if known else "",
        note=f"p = {found.p_adjusted:.2g}" if known else "too few trials",
        title=f"{'Tukey, ' if known else 'test: '}{found.test}; {count}",
        significant=found.told,
        centre=_x(found.difference),
        ends=(_x(found.low), _x(found.high)) if known else None,
        sort=repr(found.difference),
    )


def _x(value: float) -> str:
    return f"{(min(max(value, -1.0), 1.0) + 1) / 2 * WIDTH:.1f}"
