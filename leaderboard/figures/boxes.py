"""A score by activation and network, as box plots over trials: geometry, the templates draw it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from motifidelity.leaderboard.figures.scatter import spread_labels
from motifidelity.leaderboard.text import number, shorten

HEIGHT = 230.0
BOX = 16.0
_SPACE = 6.0
_GROUP = 22.0
_NARROWEST = 330.0
_LABELS = 96.0
# fewer trials are shown as what they are: a quartile of two numbers says nothing
FEWEST = 3
# the study's two first; the others follow, those of most networks first
_FIRST = ("exponential", "relu")
KINDS = 7


@dataclass(frozen=True)
class Series:
    """The trials of one network with one activation."""

    network: str
    activation: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Box:
    """One series.

    Attributes
    ----------
    kind : int
        Number of its network, which decides the colour.
    left, middle, width : str
        Place of the box and of its dots.
    top, height, median : str or None
        The box; None below `FEWEST` trials.
    whiskers : str
        Path to the smallest and the largest trial; "" without a box.
    mean : str
        Height of the mean, drawn where there is no box.
    dots : tuple of str
        Height of every trial.
    title : str
        The series in words.
    """

    kind: int
    left: str
    middle: str
    width: str
    top: str | None
    height: str | None
    median: str | None
    whiskers: str
    mean: str
    dots: tuple[str, ...]
    title: str


@dataclass(frozen=True)
class Line:
    """A floor or a ceiling across the plot; the label stands at `label_y`, right of all boxes."""

    label: str
    y: str
    label_y: str


@dataclass(frozen=True)
class BoxPlot:
    """A drawing `width` by `HEIGHT` units, with room for labels around it.

    Attributes
    ----------
    title : str
        The score's name.
    width : str
    boxes : tuple of Box
    groups : tuple of (str, str)
        Middle and name of every activation.
    lines : tuple of Line
    ticks : tuple of (str, str)
        Height and text.
    networks : tuple of (int, str)
        Number and name, for the key.
    description : str
        All series in words.
    """

    title: str
    width: str
    boxes: tuple[Box, ...]
    groups: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]
    ticks: tuple[tuple[str, str], ...]
    networks: tuple[tuple[int, str], ...]
    description: str


def draw_boxes(
    title: str,
    series: Sequence[Series],
    ends: Sequence[tuple[str, float]] = (),
    bounds: tuple[float | None, float | None] = (None, None),
) -> BoxPlot | None:
    """Lay a plot out.

    Parameters
    ----------
    title : str
        The score's name.
    series : sequence of Series
        In any order; values that are not finite are left out.
    ends : sequence of (str, float)
        Floors and ceilings: label and value.
    bounds : (float or None, float or None)
        The metric's range, beyond which the axis never goes.

    Returns
    -------
    BoxPlot or None
        None where no series has a value.
    """
    kept = [
        Series(one.network, one.activation, tuple(v for v in one.values if math.isfinite(v)))
        for one in series
    ]
    kept = [one for one in kept if one.values]
    common = Counter(one.activation for one in kept)
    kept.sort(key=lambda one: _place(one, common))
    if not kept:
        return None
    ends = sorted(((e, v) for e, v in ends if math.isfinite(v)), key=lambda end: -end[1])
    shown = [v for one in kept for v in one.values] + [value for _, value in ends]
    ticks = round_ticks(min(shown), max(shown), bounds)
    axis = (ticks[0], ticks[-1])
    networks = sorted({one.network for one in kept}, key=str.lower)
    kinds = {name: index for index, name in enumerate(networks)}
    num_groups = len({one.activation for one in kept})
    natural = len(kept) * (BOX + _SPACE) + num_groups * (_GROUP - _SPACE)
    stretch = min(max(_NARROWEST / natural, 1.0), 2.2)
    boxes: list[Box] = []
    groups: list[tuple[str, str]] = []
    x = _GROUP / 2 * stretch
    for activation in dict.fromkeys(one.activation for one in kept):
        start = x
        for one in (one for one in kept if one.activation == activation):
            boxes.append(_box(one, kinds[one.network], (x, BOX * stretch), axis))
            x += (BOX + _SPACE) * stretch
        groups.append(
            (f"{(start + x - _SPACE * stretch) / 2:.1f}", shorten(activation, 20) or "none")
        )
        x += (_GROUP - _SPACE) * stretch
    heights = [float(_y(value, axis)) for _, value in ends]
    return BoxPlot(
        title=title,
        # no label lies on a trial: beyond the last box there is room for them
        width=f"{max(x - _GROUP / 2 * stretch, _NARROWEST) + (_LABELS if ends else 0):.1f}",
        boxes=tuple(boxes),
        groups=tuple(groups),
        lines=tuple(
            Line(label, f"{height:.1f}", f"{place:.1f}")
            for (label, _), height, place in zip(
                ends, heights, spread_labels([_over(y) for y in heights], HEIGHT), strict=True
            )
        ),
        ticks=tuple((_y(tick, axis), f"{tick:g}") for tick in ticks),
        networks=tuple((kinds[name] % KINDS, shorten(name, 24)) for name in networks),
        description=_describe(title, kept, ends),
    )


def _over(height: float) -> float:
    """Where the label of a line stands: over it, or below it at the top of the plot."""
    return height + (13 if height < 16 else -4)


def _place(one: Series, common: Mapping[str, int]) -> tuple[object, ...]:
    known = _FIRST.index(one.activation) if one.activation in _FIRST else len(_FIRST)
    often = common[one.activation]
    return known, -often, one.activation, one.network.lower(), one.values


def _box(one: Series, kind: int, place: tuple[float, float], axis: tuple[float, float]) -> Box:
    values = np.array(one.values)
    boxed = len(values) >= FEWEST
    low, first, median, third, high = (
        float(_y(value, axis)) for value in np.percentile(values, [0, 25, 50, 75, 100])
    )
    x, width = place
    middle = x + width / 2
    spread = f", SD {values.std(ddof=1):.3f}" if len(values) > 1 else ""
    return Box(
        kind=kind % KINDS,
        left=f"{x:.1f}",
        middle=f"{middle:.1f}",
        width=f"{width:.1f}",
        top=f"{third:.1f}" if boxed else None,
        height=f"{max(first - third, 0.5):.1f}" if boxed else None,
        median=f"{median:.1f}" if boxed else None,
        whiskers=f"M{middle:.1f} {first:.1f}V{low:.1f}M{middle:.1f} {third:.1f}V{high:.1f}"
        if boxed
        else "",
        mean=_y(float(values.mean()), axis),
        dots=tuple(_y(value, axis) for value in sorted(one.values)),
        title=f"{shorten(one.network, 40)} {shorten(one.activation, 30)}: mean "
        f"{values.mean():.3f}{spread}, {len(values)} {'trial' if len(values) == 1 else 'trials'}",
    )


def _describe(title: str, series: Sequence[Series], ends: Sequence[tuple[str, float]]) -> str:
    said = [
        f"{shorten(one.network, 24)} {shorten(one.activation, 20)} "
        f"{number(float(np.mean(one.values)))} over {len(one.values)}"
        for one in series[:40]
    ]
    more = f" and {len(series) - 40} more" if len(series) > 40 else ""
    levels = "".join(f" {label} {number(value)}." for label, value in ends)
    return f"{title}, mean and number of trials: {'; '.join(said)}{more}.{levels}"


def round_ticks(low: float, high: float, bounds: tuple[float | None, float | None]) -> list[float]:
    """Three to seven round numbers that enclose the values, inside the metric's range."""
    span = max(high - low, 1e-3)
    power = 10 ** math.floor(math.log10(span))
    step = next(s * power for s in (0.2, 0.5, 1.0, 2.0, 5.0) if span / (s * power) <= 5)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = [round(index * step, 10) for index in range(first, max(last, first + 1) + 1)]
    if bounds[0] is not None:
        ticks = sorted({max(tick, bounds[0]) for tick in ticks})
    if bounds[1] is not None:
        ticks = sorted({min(tick, bounds[1]) for tick in ticks})
    return ticks if len(ticks) > 1 else [ticks[0], ticks[0] + step]


def _y(value: float, axis: tuple[float, float]) -> str:
    share = (value - axis[0]) / (axis[1] - axis[0])
    return f"{(1 - min(max(share, 0.0), 1.0)) * HEIGHT:.1f}"
