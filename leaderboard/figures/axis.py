"""Where a value lies on an axis."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """What a picture's side is: from its first tick to its last."""

    ticks: tuple[float, ...]

    def along(self, value: float) -> float:
        """Share of the way, 0 to 1: what lies beyond an end stands at it."""
        first, last = self.ticks[0], self.ticks[-1]
        return min(max((value - first) / (last - first), 0.0), 1.0)


def place(value: float, low: float, width: float, edge: float) -> str:
    """Where a value stands, for SVG, on an axis from `low` to 1, `edge` from either end."""
    return f"{edge + Axis((low, 1.0)).along(value) * (width - 2 * edge):.1f}"
