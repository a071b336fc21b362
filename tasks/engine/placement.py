"""Where blocks of sites lie in a sequence: anywhere, edges included, without overlap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from motifidelity.tasks.engine.draws import Draws


def place_blocks(
    draws: Draws, owner: NDArray[np.intp], widths: NDArray[np.intp], length: int
) -> NDArray[np.intp]:
    """Starts of blocks, several a sequence.

    Each block gets a place of its own among the bases that no block covers, uniformly and whatever
    the others get; blocks at one place follow each other in a random order.

    Parameters
    ----------
    draws : Draws
    owner : ndarray (b,) intp
        Sequence of each block.
    widths : ndarray (b,) intp
        In bases.
    length : int
        Of a sequence.

    Raises
    ------
    ValueError
        If the blocks of a sequence are longer than it is.
    """
    if not len(owner):
        return np.zeros(0, np.intp)
    used = np.bincount(owner, weights=widths).astype(np.intp)
    if used.max() > length:
        row = int(np.argmax(used))
        raise ValueError(
            f"the sites and gaps of a sequence take {used[row]} bases, and it has {length}; take "
            "fewer or narrower ones, or longer sequences"
        )
    place = draws.integers(0, length - used[owner] + 1, len(owner))
    ordered = np.lexsort((draws.uniform(len(owner)), place, owner))
    before = np.cumsum(widths[ordered]) - widths[ordered]
    first = np.flatnonzero(np.r_[True, np.diff(owner[ordered]) > 0])
    sizes = np.diff(np.r_[first, len(owner)])
    before -= np.repeat(before[first], sizes)
    starts = np.empty(len(owner), np.intp)
    starts[ordered] = place[ordered] + before
    return starts
