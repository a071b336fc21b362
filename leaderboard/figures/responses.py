"""What sites of rising strength do to a network, against the truth: geometry only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from motifidelity.scoring.evidence import Response

SIZE = 180.0


@dataclass(frozen=True)
class ResponseChart:
    """A panel `SIZE` by `SIZE` units, the exact change across and the network's up.

    Both axes have the same ends, so that the diagonal is where the two are equal.

    Attributes
    ----------
    name : str
        The factor.
    path : str
        SVG path from the weakest site to the strongest.
    points : tuple of (str, str)
        Centre of each strength.
    low, high : str
        Ends of both axes.
    """

    name: str
    path: str
    points: tuple[tuple[str, str], ...]
    low: str
    high: str


def draw_response(response: Response) -> ResponseChart:
    """Draw one factor's mean change of the output against the exact one."""
    both = np.concatenate([response.exact, response.found])
    # no change is always there to be compared with
    low, high = min(float(both.min()), 0.0), max(float(both.max()), 0.0)
    if high <= low:
        low, high = low - 0.5, high + 0.5
    scale = SIZE / (high - low)
    points = tuple(
        (f"{(exact - low) * scale:.1f}", f"{(high - found) * scale:.1f}")
        for exact, found in zip(response.exact, response.found, strict=True)
    )
    path = "M" + "L".join(f"{x} {y}" for x, y in points)
    return ResponseChart(response.name, path, points, f"{low:.2g}", f"{high:.2g}")
