"""How a map is read: from four entries at a place to one importance of its base.

A method's own reading (`methods.base_scores`) is what its users and the study do: gradients at the
letter that is there, mutagenesis by its norm. Which of two networks has the better maps then hangs
on that choice. So every map is also read in two ways that are the same for all methods.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from motifidelity.metrics.methods import (
    Codes,
    Floats,
    base_scores,
    centred,
    checked_maps,
    get_method,
    observed,
)

__all__ = ["OWN", "READINGS", "Reading", "has_reading", "read_maps"]

Reading = Literal["own", "signed", "magnitude"]
READINGS: tuple[Reading, ...] = get_args(Reading)
OWN: Reading = "own"


def read_maps(
    method: str,
    maps: Floats,
    sequences: Codes,
    reading: Reading = OWN,
    hypothetical: Floats | None = None,
) -> Floats | None:
    """One importance per base.

    Parameters
    ----------
    method : str
        A name in `methods.METHODS`.
    maps : (m, L, 4) float
    sequences : (m, L) uint8
        A=0 C=1 G=2 T=3.
    reading : {"own", "signed", "magnitude"}
        ``own``: as the method declares. ``signed``: what the letter that is there does for the
        output, against the mean letter: the centred gradient's entry; minus the mean of the three
        changes; the contribution. ``magnitude``: how much the place matters, the L2 norm over the
        four letters of the centred gradient, changes, or hypothetical contributions.
    hypothetical : (m, L, 4) float, optional
        Hypothetical contributions, of methods that have them.

    Returns
    -------
    (m, L) float or None
        None where the method has no such reading.

    Raises
    ------
    ValueError
        If the method or the reading is unknown, or shapes do not fit.

    Notes
    -----
    A constant added to all four entries of a place says nothing about one-hot letters
    (`methods.centred`), and changes neither the signed reading nor the magnitude.
    """
    maps = checked_maps(maps, sequences)
    if reading not in READINGS:
        raise ValueError(f"no reading {reading!r}; choose one of {', '.join(READINGS)}")
    if reading == OWN:
        return base_scores(method, maps, sequences)
    if not has_reading(method, reading, hypothetical=hypothetical is not None):
        return None
    quantity = get_method(method).quantity
    if reading == "magnitude":
        letters = maps if quantity != "contribution" or hypothetical is None else hypothetical
        norm = np.sqrt(np.square(centred(checked_maps(letters, sequences))).sum(axis=2))
        return np.asarray(norm)
    if quantity == "contribution":
        return observed(maps, sequences)
    entry = observed(centred(maps), sequences)
    # of three changes and a zero the mean over four is three quarters of that over three
    return entry if quantity == "gradient" else np.asarray(entry * 4 / 3)


def has_reading(method: str, reading: Reading, *, hypothetical: bool) -> bool:
    """Whether a method's maps can be read so, with or without hypothetical contributions."""
    quantity = get_method(method).quantity
    if reading == OWN:
        return True
    return quantity is not None and (
        reading == "signed" or quantity != "contribution" or hypothetical
    )
