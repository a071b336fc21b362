"""Random numbers that are the same everywhere.

numpy promises the numbers of its legacy generator for ever, and those of its new ones not
(NEP 19); uniform ones alone are taken, and everything else is made of them here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Draws:
    """A stream of random numbers.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        self._rng = np.random.RandomState(seed)

    def uniform(self, *shape: int) -> NDArray[np.float64]:
        """Numbers of [0, 1)."""
        numbers: NDArray[np.float64] = self._rng.random_sample(shape)
        return numbers

    def integers(self, low: ArrayLike, high: ArrayLike, *shape: int) -> NDArray[np.intp]:
        """Whole numbers from ``low`` up to, not including, ``high``; bounds broadcast."""
        low, high = np.asarray(low), np.asarray(high)
        return np.asarray(low + np.floor(self.uniform(*shape) * (high - low)), np.intp)

    def choice(self, shares: Sequence[float], *shape: int) -> NDArray[np.intp]:
        """Indices, each as often as its share of the sum of shares says."""
        cumulative = np.cumsum(shares)
        found = np.searchsorted(cumulative, self.uniform(*shape) * cumulative[-1], side="right")
        return np.asarray(np.minimum(found, len(cumulative) - 1))

    def coins(self, *shape: int) -> NDArray[np.bool_]:
        """True or false, evenly."""
        return self.uniform(*shape) < 0.5

    def order(self, count: int) -> NDArray[np.intp]:
        """A permutation of the first whole numbers."""
        return np.asarray(np.argsort(self.uniform(count), kind="stable"))
