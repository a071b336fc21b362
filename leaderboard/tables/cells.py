"""A score as it stands in a table: number, spread, coverage and a small bar."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from motifidelity.leaderboard.tables.columns import FAMILIES, Column
from motifidelity.leaderboard.text import number
from motifidelity.summary.inputs import MetricInfo
from motifidelity.summary.stats import Stats

BAR_WIDTH = 72.0
_ARROWS = {"higher": "↑", "lower": "↓"}
_WORDS = {
    "higher": "higher is better",
    "lower": "lower is better",
    "neutral": "context, neither better nor worse",
}


@dataclass(frozen=True)
class Bar:
    """Geometry of an in-cell bar, in units of a drawing `BAR_WIDTH` wide (text, for SVG).

    Attributes
    ----------
    family : str
        Decides the colour.
    length : str
        Length of the bar.
    dots : tuple of str
        Position of every trial.
    chance, reference : str or None
        Position of the tick of an uninformative model, and of the reference mark.
    """

    family: str
    length: str
    dots: tuple[str, ...]
    chance: str | None
    reference: str | None


@dataclass(frozen=True)
class Cell:
    """One cell. `sort` is the raw mean as text, "" where there is none."""

    text: str
    spread: str
    note: str
    sort: str
    title: str
    bar: Bar | None
    muted: bool = False

    @property
    def missing(self) -> bool:
        """True for a dash."""
        return self.sort == ""


@dataclass(frozen=True)
class Heading:
    """A column's heading: what it says, which way is better, and the tooltip."""

    label: str
    arrow: str
    title: str
    family: str
    muted: bool


@dataclass(frozen=True)
class Group:
    """A family's heading over its columns."""

    label: str
    family: str
    span: int


def heading(column: Column, metrics: Mapping[str, MetricInfo], *, paper: bool = False) -> Heading:
    """The heading of a column, with the metric's summary as its tooltip."""
    name = column.paper if paper else column.metric
    return Heading(
        label="Motif coverage" if name == "paper_motif_coverage" else column.label,
        arrow="" if column.muted else arrow(metrics.get(name)),
        title=describe(name, metrics.get(name)),
        family=column.family,
        muted=column.muted,
    )


def groups(columns: tuple[Column, ...]) -> Iterator[Group]:
    """Families over their columns, in order."""
    for family, label in FAMILIES.items():
        span = sum(column.family == family for column in columns)
        if span:
            yield Group(label, family, span)


def arrow(metric: MetricInfo | None) -> str:
    """Arrow of the better direction; "" when there is none."""
    return _ARROWS.get(metric.direction, "") if metric else ""


def describe(name: str, metric: MetricInfo | None) -> str:
    """One line on a metric: name, summary, direction and chance level."""
    if metric is None:
        return f"{name}: not declared"
    chance = "" if metric.chance is None else f"; chance {metric.chance:g}"
    return f"{name}: {metric.summary} ({_WORDS.get(metric.direction, metric.direction)}{chance})"


def counts_things(name: str, metric: MetricInfo | None) -> bool:
    """True for a metric that is a count, not a share or an area."""
    if metric is None or metric.family != "filters":
        return False
    return metric.low == 0 and (metric.high is None or metric.high > 1)


def make_cell(
    stats: Stats,
    run: str,
    column: Column,
    metrics: Mapping[str, MetricInfo],
    *,
    absent: str,
    paper: bool = False,
) -> Cell:
    """The cell of one run and column.

    Parameters
    ----------
    stats : Stats
        As `index_stats` returns them.
    run : str
        Key of the run.
    column : Column
        What to show.
    metrics : Mapping of str to MetricInfo
        For the range and the chance level.
    absent : str
        Why there is no score, should there be none.
    paper : bool
        Show the study's version.

    Returns
    -------
    Cell
    """
    name = column.paper if paper else column.metric
    metric = metrics.get(name)
    stat = stats.get((run, name, column.method, ""))
    if stat is None or stat.n == 0 or not math.isfinite(stat.mean):
        title = absent if stat is None else "undefined in every trial"
        return Cell("–", "", "", "", title, None, column.muted)
    whole = counts_things(name, metric)
    spread = number(stat.sd, whole=whole) if math.isfinite(stat.sd) else ""
    deviation = f" ± {stat.sd:.3g} (SD)" if spread else ""
    covered = f"mean over {stat.n} of {stat.num_trials} trials"
    return Cell(
        text=number(stat.mean, whole=whole),
        spread=spread,
        note="" if stat.n == stat.num_trials else f"n = {stat.n}",
        sort=repr(stat.mean),
        title=f"{name} {stat.mean:.6g}{deviation}; {covered}",
        bar=None if column.muted else _bar(stats, run, column, metrics, name),
        muted=column.muted,
    )


def _bar(
    stats: Stats, run: str, column: Column, metrics: Mapping[str, MetricInfo], name: str
) -> Bar | None:
    if column.bar and name == column.metric:
        name = column.bar
    stat, metric = stats.get((run, name, column.method, "")), metrics.get(name)
    if stat is None or not stat.n:
        return None
    low, high = (metric.low, metric.high) if metric else (None, None)
    if low is None or high is None or high <= low:
        return None
    bounds = (low, high)
    beside = stats.get((run, name, column.reference, "")) if column.reference else None
    chance = metric.chance if metric else None
    values = [value for value, _, _ in stat.by_trial.values() if math.isfinite(value)]
    return Bar(
        family=column.family,
        length=_place(stat.mean, bounds),
        dots=tuple(_place(value, bounds) for value in values),
        chance=None if chance is None or chance <= low else _place(chance, bounds),
        reference=None if beside is None or not beside.n else _place(beside.mean, bounds),
    )


def _place(value: float, bounds: tuple[float, float]) -> str:
    low, high = bounds
    share = min(max((value - low) / (high - low), 0.0), 1.0)
    return f"{share * BAR_WIDTH:.1f}"
