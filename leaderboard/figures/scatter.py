"""Accuracy against representation: geometry of the front page's figure."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from motifidelity.metrics.declare import Family, all_metrics
from motifidelity.metrics.headlines import HEADLINES, main_scores, short_name
from motifidelity.summary.stats import Stat, Stats
from motifidelity.tasks.spec import accuracy_of, headlines_of

SIZE = 250.0
LOW_X = 0.5
_LABELS = 14
LINE = 13.0
# from a point to the column of labels, and what the column needs
GAP, ROOM = 18.0, 105.0
_SAME = 0.005
# where a mark that lies on another may go: so far, in steps, in so many directions, and up or down
# this share of it, because heights are what is compared
FARTHEST, STEP, DIRECTIONS, FLAT = 36.0, 1.0, 24, 1 / 3
PANELS: Mapping[Family, str] = {
    "filters": "Filters that match a true motif",
    "localisation": "Localisation AUROC of filter scans",
    "attribution": "Attribution AUROC, saliency",
}
"""The families that are drawn, with the titles of `HEADLINES`."""


@dataclass(frozen=True)
class Point:
    """One run: the mean, a small dot per trial, and a label with its leader line."""

    x: str
    y: str
    trials: tuple[tuple[str, str], ...]
    label: str
    title: str
    label_x: str
    label_y: str
    left: bool


@dataclass(frozen=True)
class Panel:
    """One panel, `SIZE` by `SIZE` units: accuracy (`low` to 1) across, a score (0 to 1) up.

    `reference` is the height of the PWM scan, None where the runs do not agree on it; `across` what
    accuracy is.
    """

    family: str
    title: str
    points: tuple[Point, ...]
    reference: str | None
    across: str = "AUROC"
    low: float = LOW_X


def draw_panels(task: str, stats: Stats, runs: Sequence[tuple[str, str]]) -> tuple[Panel, ...]:
    """Draw a panel for each kind of representation score that the runs have.

    Parameters
    ----------
    task : str
        Its main scores are drawn.
    stats : Stats
        As `index_stats` returns them.
    runs : sequence of (str, str)
        Key and label of each run in order of rank; the first fourteen are labelled.

    Returns
    -------
    tuple of Panel
        Empty when fewer than two runs have both scores: one point shows no contrast.
    """
    panels: list[Panel] = []
    headlines = headlines_of(task)
    main = main_scores(headlines)
    accuracy = accuracy_of(task).score
    low = chance_of(accuracy[0])
    across_named = short_name(accuracy[0])
    for family, title in PANELS.items():
        if family not in main:
            continue
        metric, method = main[family].score
        if headlines != HEADLINES:
            title = main[family].label
        found = [
            (across, up, label)
            for run, label in runs
            if (across := _known(stats, (run, *accuracy, ""))) is not None
            and (up := _known(stats, (run, metric, method, ""))) is not None
        ]
        if len(found) < 2:
            continue
        scan = [_known(stats, (run, metric, "pwm", "")) for run, _ in runs] if method else []
        beside = [stat.mean for stat in scan if stat is not None]
        agreed = beside and max(beside) - min(beside) < _SAME
        reference = _y(beside[0]) if agreed else None
        panels.append(Panel(family, title, _label(found, low), reference, across_named, low))
    return tuple(panels)


def _known(stats: Stats, key: tuple[str, str, str, str]) -> Stat | None:
    stat = stats.get(key)
    return stat if stat is not None and math.isfinite(stat.mean) else None


def chance_of(metric: str) -> float:
    """Where an axis of a score begins: at what knowing nothing gets."""
    declared = all_metrics().get(metric)
    return LOW_X if declared is None or declared.chance is None else declared.chance


def _label(found: list[tuple[Stat, Stat, str]], low: float) -> tuple[Point, ...]:
    """Place labels in a column beside the points, pushed apart so that no two share a line."""
    wanted = [float(_y(up.mean)) for _, up, _ in found[:_LABELS]]
    placed = dict(
        zip(sorted(range(len(wanted)), key=wanted.__getitem__), spread_labels(wanted), strict=True)
    )
    centres = [(float(_x(across.mean, low)), float(_y(up.mean))) for across, up, _ in found]
    column = label_column([centre for centre in centres if centre[0] > SIZE / 2], placed.values())
    points: list[Point] = []
    for index, ((across, up, label), (x, y)) in enumerate(zip(found, centres, strict=True)):
        left = x > SIZE / 2
        points.append(
            Point(
                x=f"{x:.1f}",
                y=f"{y:.1f}",
                trials=tuple(
                    (_x(across.by_trial[result][0], low), _y(value))
                    for result, (value, _, _) in up.by_trial.items()
                    if result in across.by_trial
                    and math.isfinite(value)
                    and math.isfinite(across.by_trial[result][0])
                ),
                label=label if index < _LABELS else "",
                title=f"{label}: accuracy {across.mean:.3f}, {up.mean:.3f} (means over trials)",
                label_x=f"{min(column, x - GAP) if left else x + GAP:.1f}",
                label_y=f"{placed.get(index, y):.1f}",
                left=left,
            )
        )
    return tuple(points)


def label_column(
    points: Sequence[tuple[float, float]], heights: Collection[float], room: float = ROOM
) -> float:
    """Where labels left of points end: left of every point that stands beside one of them.

    Parameters
    ----------
    points : sequence of (float, float)
    heights : collection of float
        Of the labels.
    room : float
        What the longest label needs.
    """
    beside = [x for x, y in points if heights and min(heights) - LINE < y < max(heights) + LINE]
    return max(min(beside, default=room) - GAP, room)


def spread_labels(wanted: list[float], size: float = SIZE) -> list[float]:
    """Heights in ascending order, at least a line apart and inside the panel where they fit."""
    heights: list[float] = []
    for height in sorted(wanted):
        heights.append(max(height, heights[-1] + LINE) if heights else height)
    ceiling = size - 4
    for index in range(len(heights) - 1, -1, -1):
        heights[index] = min(heights[index], ceiling)
        ceiling = heights[index] - LINE
    return heights


def spread_marks(
    points: Sequence[tuple[float, float]], distance: float, size: tuple[float, float]
) -> list[tuple[float, float]]:
    """Move points that lie on one another as little as shows each.

    Parameters
    ----------
    points : sequence of (float, float)
        The first ones keep their places.
    distance : float
        That points are to have from each other.
    size : (float, float)
        Of the panel, which no point leaves.

    Returns
    -------
    list of (float, float)
        The same for the same points; one that finds no room within `FARTHEST` of its place stays.
    """
    ring = np.linspace(0, 2 * np.pi, DIRECTIONS, endpoint=False)
    directions = np.stack([np.cos(ring), FLAT * np.sin(ring)], axis=1)
    reaches = np.arange(0.0, FARTHEST + STEP, STEP)
    offsets = (reaches[:, None, None] * directions).reshape(-1, 2)
    placed = np.empty((0, 2))
    for point in np.asarray(points, float).reshape(-1, 2):
        places = point + offsets
        inside = ((places >= 0) & (places <= size)).all(axis=1)
        gaps = np.linalg.norm(places[:, None] - placed, axis=2).min(axis=1, initial=np.inf)
        free = np.flatnonzero(inside & (gaps >= distance))
        placed = np.vstack([placed, places[free[0]] if len(free) else point])
    return [(float(x), float(y)) for x, y in placed]


def _x(value: float, low: float) -> str:
    return f"{min(max((value - low) / (1 - low), 0.0), 1.0) * SIZE:.1f}"


def _y(value: float) -> str:
    return f"{(1 - min(max(value, 0.0), 1.0)) * SIZE:.1f}"
