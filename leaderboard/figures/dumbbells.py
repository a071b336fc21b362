"""A score of the same network with either of two activations, as two marks on one axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from motifidelity.leaderboard.figures.axis import place

WIDTH, HEIGHT = 132.0, 16.0
# room for half a mark at either end
EDGE = 6.0
PARTS = 5


@dataclass(frozen=True)
class Dumbbell:
    """Places on an axis `WIDTH` wide; None for what is not there. `told` has the values."""

    first: str | None
    second: str | None
    ceiling: str | None
    told: tuple[str, str]


def lay_out(low: float, first: float, second: float, ceiling: float) -> Dumbbell:
    """Lay two values out on an axis from what knows nothing (`low`) to 1.

    A value beyond an end stands at it; `told` has it as it is.
    """
    return Dumbbell(
        first=_x(first, low),
        second=_x(second, low),
        ceiling=_x(ceiling, low),
        told=(_told(first), _told(second)),
    )


def grid(parts: int = PARTS) -> str:
    """The path of an axis' lines."""
    step = (WIDTH - 2 * EDGE) / parts
    return "".join(f"M{EDGE + step * number:g} 0V{HEIGHT:g}" for number in range(parts + 1))


def ends(low: float) -> Sequence[str]:
    """What stands at either end of an axis."""
    return (f"{low:g}", "1")


def _x(value: float, low: float) -> str | None:
    return place(value, low, WIDTH, EDGE) if math.isfinite(value) else None


def _told(value: float) -> str:
    return f"{value:z.2f}" if math.isfinite(value) else "none"
