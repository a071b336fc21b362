"""The comparison page: two models of a task beside each other, with what their trials tell.

The page shows the pairs that most readers look for; the numbers of all others lie in it, and are
drawn by its script when they are asked for.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pandas as pd

from motifidelity.leaderboard.figures.axis import place
from motifidelity.leaderboard.page import Material, Page
from motifidelity.leaderboard.standings import scores_of
from motifidelity.leaderboard.tables.rows import RunLink, run_link
from motifidelity.leaderboard.tables.siblings import ALIKE, KNOWN
from motifidelity.leaderboard.text import clip, number, shorten, signed
from motifidelity.statistics import Comparison, compare_models
from motifidelity.summary.ranks import competing
from motifidelity.summary.runs import BOARD
from motifidelity.summary.stats import by_seed, seeds_of

# of this many models of a task, the best, every two can be compared: pairs grow with the square
MOST = 40
# of so few all pairs are shown; of more so many
FEW, MOST_SHOWN = 4, 8
# of a drawing; room for half a mark at either end
WIDTH, EDGE = 132.0, 5.0
COMPARED = {
    "accuracy": ("Accuracy", "accuracy"),
    "recovery": ("Motif recovery", "filters"),
    "fidelity": ("Attribution fidelity", "attribution"),
    "ism": ("Fidelity, ISM", "attribution"),
    "localisation": ("Localisation", "localisation"),
}
# digits of what the script is given
DIGITS = 6

Row = Mapping[Hashable, Any]


@dataclass(frozen=True)
class Score:
    """A score that models are compared by, and where its axis begins."""

    label: str
    family: str
    low: float


@dataclass(frozen=True)
class Cell:
    """A pair in one score: both values, and first less second; places are for SVG.

    ``ends`` is where the first would lie by the interval of the difference, of this pair alone.
    """

    values: str
    difference: str
    interval: str
    adjusted: str
    title: str
    told: bool
    places: tuple[str, str] | None
    ends: tuple[str, str] | None
    sort: str


@dataclass(frozen=True)
class Pair:
    """Two models, a cell for each of the board's scores."""

    first: RunLink
    second: RunLink
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Duel:
    """The models of one task and division.

    Attributes
    ----------
    pairs : tuple of Pair
        Those that the page shows.
    numbers : list of list
        Of every score, for every two sides in the order of ``itertools.combinations``: difference,
        half of its interval, p, p of all pairs together, and whether it is told; null where there
        is none.
    means : list of list
        Of every score the value of every side.
    """

    anchor: str
    task: str
    division: str
    spec: str
    scores: tuple[Score, ...]
    sides: tuple[RunLink, ...]
    pairs: tuple[Pair, ...]
    numbers: list[list[list[float | None]]]
    means: list[list[float | None]]
    left_out: int

    @property
    def data(self) -> Mapping[str, object]:
        """What the page's script draws any pair from."""
        return {
            "sides": [[side.label, side.name, side.activation, side.href] for side in self.sides],
            "scores": [[score.family, score.low] for score in self.scores],
            "means": self.means,
            "pairs": self.numbers,
        }

    @property
    def num_pairs(self) -> int:
        """Pairs that can be asked for."""
        return math.comb(len(self.sides), 2)


def comparison_page(material: Material, frame: pd.DataFrame) -> Page:
    """The page; ``frame`` is the table of `standings.standings`, the best first."""

    def draw() -> Mapping[str, object]:
        duels = list(_duels(material, frame))
        return {
            "duels": duels,
            "labels": sorted({side.label for duel in duels for side in duel.sides}),
            "data": [duel.data for duel in duels],
            "axis": {"width": WIDTH, "edge": EDGE},
            "most": MOST,
        }

    return Page("compare.html", "compare.html", material.inputs(material.summary.trials), draw)


def _duels(material: Material, frame: pd.DataFrame) -> Iterable[Duel]:
    if frame.empty:
        return
    seeds = seeds_of(material.summary.trials)
    models = frame[competing(frame) & (frame["ok"] > 0)]
    # the frame's tasks are in the order of pages
    for index, (_, board) in enumerate(models.groupby([*BOARD, "division"], sort=False)):
        if len(board) < 2:
            continue
        best = board.head(MOST)
        found: dict[str, list[Comparison]] = {}
        scores = scores_of(str(board["task"].iloc[0]))
        for name in filter(scores.__contains__, COMPARED):
            # laid out with all of them, as they are ranked
            values = {
                run: by_seed(material.stats, seeds, run, *scores[name]) for run in board["run"]
            }
            if sum(bool(values[run]) for run in best["run"]) >= 2:
                found[name] = compare_models(values, among=best["run"])
        yield _duel(f"task-{index + 1}", board, best, found, material)


def _duel(
    anchor: str,
    board: pd.DataFrame,
    best: pd.DataFrame,
    found: Mapping[str, Sequence[Comparison]],
    material: Material,
) -> Duel:
    scores = tuple(
        Score(*COMPARED[name], _begins(material, scores_of(str(board["task"].iloc[0]))[name][0]))
        for name in found
    )
    rows = best.to_dict("records")
    sides = tuple(map(run_link, rows))
    means = {name: [float(row[name]) for row in rows] for name in found}
    places = list(combinations(range(len(sides)), 2))
    shown = _shown(rows)
    return Duel(
        anchor=anchor,
        task=clip(board["task"].iloc[0]),
        division=clip(board["division"].iloc[0], 20),
        spec=shorten(board["task_digest"].iloc[0], 12),
        scores=scores,
        sides=sides,
        pairs=tuple(
            Pair(
                sides[i],
                sides[j],
                tuple(
                    _cell(found[name][at], means[name][i], means[name][j], score.low)
                    for name, score in zip(found, scores, strict=True)
                ),
            )
            for at, (i, j) in enumerate(places)
            if (i, j) in shown
        ),
        numbers=[[_numbers(one) for one in mine] for mine in found.values()],
        means=[[_rounded(value) for value in mine] for mine in means.values()],
        left_out=len(board) - len(best),
    )


def _begins(material: Material, metric: str) -> float:
    """Where a score's axis begins: at chance, else at 0."""
    declared = material.metrics.get(metric)
    return float(getattr(declared, "chance", None) or 0.0)


def _shown(rows: Sequence[Row]) -> set[tuple[int, int]]:
    """The pairs that a page begins with, by their places: the best first.

    Of few models all; else the two best, and every network with the study's two activations.
    """
    places = list(combinations(range(len(rows)), 2))
    if len(rows) <= FEW:
        return set(places)
    both = [
        (i, j)
        for i, j in places
        if {rows[i]["activation"], rows[j]["activation"]} == set(KNOWN)
        and all(rows[i][name] == rows[j][name] for name in ALIKE)
    ]
    return set(list(dict.fromkeys([(0, 1), *both]))[:MOST_SHOWN])


def _cell(found: Comparison, first: float, second: float, low: float) -> Cell:
    count = f"{found.num_first} and {found.num_second} trials"
    values = f"{number(first)} − {number(second)}"
    if not math.isfinite(found.difference):
        nothing = f"no values to compare; {count}"
        return Cell(values, "", "", "", nothing, told=False, places=None, ends=None, sort="")
    known = math.isfinite(found.alone_low) and math.isfinite(found.alone_high)
    ends = (second + found.alone_low, second + found.alone_high)
    interval = f"{signed(found.alone_low, 3)} to {signed(found.alone_high, 3)}"
    return Cell(
        values=values,
        difference=signed(found.difference, 3),
        interval=f"{interval}, p = {found.p:.2g}" if known else "too few trials",
        adjusted=f"of all pairs p = {found.p_adjusted:.2g}" if known else "",
        title=f"{'Tukey, ' if known else 'test: '}{found.test}; {count}",
        told=found.told,
        places=(place(first, low, WIDTH, EDGE), place(second, low, WIDTH, EDGE)),
        ends=(place(ends[0], low, WIDTH, EDGE), place(ends[1], low, WIDTH, EDGE))
        if known
        else None,
        sort=repr(found.difference),
    )


def _numbers(found: Comparison) -> list[float | None]:
    half = (found.alone_high - found.alone_low) / 2
    numbers = (found.difference, half, found.p, found.p_adjusted)
    return [*map(_rounded, numbers), int(found.told)]


def _rounded(value: float) -> float | None:
    """A number as JSON has it: to `DIGITS` places, or as many digits if it is small."""
    if not math.isfinite(value):
        return None
    return round(value, DIGITS) if abs(value) > 10**-2 else float(f"{value:.3g}")


def _x(value: float, low: float) -> str:
    return place(value, low, WIDTH, EDGE)
