"""Training histories as line charts: geometry only, the templates draw it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

WIDTH = 300.0
HEIGHT = 110.0
_PANELS = (
    ("Loss", (("loss", "training"), ("val_loss", "validation")), None),
    ("Validation score", (("val_auroc", "AUROC"), ("val_aupr", "AUPR")), (0.0, 1.0)),
    ("Validation score", (("val_pearson", "r"),), None),
)


@dataclass(frozen=True)
class Line:
    """One curve: label, final value as text and SVG path."""

    label: str
    last: str
    path: str


@dataclass(frozen=True)
class Chart:
    """A panel `WIDTH` by `HEIGHT` units.

    Attributes
    ----------
    title : str
        What is on the vertical axis.
    lines : tuple of Line
        At least one.
    low, high : str
        Ends of the vertical axis.
    epochs : int
        Last epoch, the right end of the horizontal axis.
    best : str or None
        Horizontal place of the best epoch.
    """

    title: str
    lines: tuple[Line, ...]
    low: str
    high: str
    epochs: int
    best: str | None


def draw_history(history: pd.DataFrame, best_epoch: int | None) -> tuple[Chart, ...]:
    """Draw one trial's training.

    Parameters
    ----------
    history : DataFrame
        The rows of one result, columns as in the registry.
    best_epoch : int or None
        Epoch to mark, counted from 1.

    Returns
    -------
    tuple of Chart
        A panel for losses and one for scores; panels with nothing finite in them are left out.
    """
    if history.empty:
        return ()
    history = history.sort_values("epoch", kind="stable")
    epochs = [int(epoch) for epoch in history["epoch"]]
    last = max(epochs)
    charts: list[Chart] = []
    for title, wanted, fixed in _PANELS:
        series = {
            label: [
                (epoch, value)
                for epoch, value in zip(epochs, history[column].astype(float), strict=True)
                if math.isfinite(value)
            ]
            for column, label in wanted
            if column in history
        }
        series = {label: points for label, points in series.items() if points}
        if not series:
            continue
        low, high = fixed or _range([value for points in series.values() for _, value in points])
        lines = tuple(_line(label, points, last, (low, high)) for label, points in series.items())
        known = best_epoch is not None and 1 <= best_epoch <= last
        best = _x(best_epoch, last) if known and best_epoch is not None else None
        charts.append(Chart(title, lines, f"{low:.3g}", f"{high:.3g}", last, best))
    return tuple(charts)


def _range(values: list[float]) -> tuple[float, float]:
    low, high = min(0.0, *values), max(values)
    return (low, high) if high > low else (low, low + 1.0)


def _line(
    label: str, points: list[tuple[int, float]], last: int, bounds: tuple[float, float]
) -> Line:
    placed = [(_x(epoch, last), _y(value, bounds)) for epoch, value in points]
    path = "M" + "L".join(f"{x} {y}" for x, y in placed)
    if len(placed) == 1:
        path += "h0.1"
    return Line(label, f"{points[-1][1]:.3f}", path)


def _x(epoch: int, last: int) -> str:
    return f"{(epoch - 1) / max(last - 1, 1) * WIDTH:.1f}"


def _y(value: float, bounds: tuple[float, float]) -> str:
    low, high = bounds
    return f"{(1 - (value - low) / (high - low)) * HEIGHT:.1f}"
