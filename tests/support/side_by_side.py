"""Two things measured side by side, until a bound holds."""

from __future__ import annotations

from collections.abc import Callable


def measure_until(
    benchmark, measure: Callable[[], None], figure: Callable[[], float], limit: float, most: int
) -> None:
    """Measure once, and again while a figure is above its limit.

    A figure is of each side at its best: what else the machine does only ever adds, so a
    measurement more can only bring it nearer to the truth, and a bound that truly is broken stays
    broken.

    Parameters
    ----------
    benchmark : fixture
        The first measurement is its; gets the last figure as ``figure``.
    measure : callable
        Measures both sides, alternating, so that a machine that slows down slows both.
    figure : callable
        The figure of all measurements so far.
    limit : float
    most : int
        Measurements at the most.
    """
    benchmark.pedantic(measure, rounds=1, iterations=1)
    for _ in range(most - 1):
        if figure() <= limit:
            break
        measure()
    benchmark.extra_info["figure"] = figure()
    assert figure() <= limit
