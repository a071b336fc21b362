"""How a network answers two sites as they move apart: geometry only, the templates draw it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from motifidelity.scoring.evidence import Curve

WIDTH, HEIGHT = 420.0, 120.0
# of the strip of marks below the curve
BAND = 6.0


@dataclass(frozen=True)
class DistanceChart:
    """A panel `WIDTH` by `HEIGHT` units.

    Attributes
    ----------
    name : str
        The rule.
    path : str
        SVG path of the mean logit.
    low, high : str
        Ends of the vertical axis.
    first, last : int
        Ends of the horizontal axis, in bases.
    holds, breaks : tuple of (str, str)
        Left end and width of the stretches of distances in training that satisfy the rule, and
        that violate it.
    """

    name: str
    path: str
    low: str
    high: str
    first: int
    last: int
    holds: tuple[tuple[str, str], ...]
    breaks: tuple[tuple[str, str], ...]


def draw_distances(curve: Curve) -> DistanceChart:
    """Draw one rule's mean logit by distance."""
    low, high = float(curve.logit.min()), float(curve.logit.max())
    if high <= low:
        low, high = low - 0.5, high + 0.5
    first, last = int(curve.distance[0]), int(curve.distance[-1])
    step = WIDTH / max(last - first, 1)
    points = [
        f"{(distance - first) * step:.1f} {(1 - (logit - low) / (high - low)) * HEIGHT:.1f}"
        for distance, logit in zip(curve.distance, curve.logit, strict=True)
    ]
    return DistanceChart(
        curve.name,
        "M" + "L".join(points),
        f"{low:.3g}",
        f"{high:.3g}",
        first,
        last,
        _stretches(curve, 1, first, step),
        _stretches(curve, -1, first, step),
    )


def _stretches(curve: Curve, kind: int, first: int, step: float) -> tuple[tuple[str, str], ...]:
    """Left end and width of every run of neighbouring distances of a kind."""
    runs: list[list[int]] = []
    for distance in curve.distance[curve.drawn == kind].tolist():
        if runs and distance == runs[-1][1] + 1:
            runs[-1][1] = distance
        else:
            runs.append([distance, distance])
    found = []
    for start, end in runs:
        left, right = max((start - first - 0.5) * step, 0), min((end - first + 0.5) * step, WIDTH)
        found.append((f"{left:.1f}", f"{right - left:.1f}"))
    return tuple(found)
