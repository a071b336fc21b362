"""How a map is read: from four entries at a place to one importance of its base.

A method's own reading (`methods.base_scores`) is what its users and the study do: gradients at the
letter that is there, mutagenesis by its norm. Which of two networks has the better maps then hangs
on that choice. So every map is also read in two ways that are the same for all methods.
"""

from __future__ import annotations

from dataclasses import dataclass
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

__all__ = ["OWN", "READINGS", "Letters", "Reading", "has_reading", "letters_of", "read_maps"]

Reading = Literal["own", "signed", "magnitude"]
READINGS: tuple[Reading, ...] = get_args(Reading)
OWN: Reading = "own"


@dataclass(frozen=True)
class Letters:
    """What a reading makes of the four entries at a place.

    Attributes
    ----------
    base : {"observed", "norm"}
        The entry of the letter that is there, or the L2 norm over letters.
    centred : bool
        Of entries less their mean over letters.
    hypothetical : bool
        Of hypothetical contributions in place of the maps.
    """

    base: Literal["observed", "norm"]
    centred: bool = False
    hypothetical: bool = False


def letters_of(method: str, reading: Reading) -> Letters | None:
    """How a method's maps are read; None where it has no such reading.

    Raises
    ------
    ValueError
        If the method or the reading is unknown.
    """
    kind = get_method(method)
    if reading not in READINGS:
        raise ValueError(f"no reading {reading!r}; choose one of {', '.join(READINGS)}")
    if reading == OWN:
        return Letters(kind.base)
    if kind.quantity is None:
        return None
    shares = kind.quantity == "contribution"
    if reading == "signed":
        return Letters("observed", centred=not shares)
    return Letters("norm", centred=True, hypothetical=shares)


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
    letters = letters_of(method, reading)
    if letters is None:
        return None
    if reading == OWN:
        return base_scores(method, maps, sequences)
    entries = maps
    if letters.hypothetical:
        if hypothetical is None:
            return None
        entries = checked_maps(hypothetical, sequences)
    if letters.centred:
        entries = centred(entries)
    if letters.base == "norm":
        return np.asarray(np.sqrt(np.square(entries).sum(axis=2)))
    entry = observed(entries, sequences)
    # of three changes and a zero the mean over four is three quarters of that over three
    return np.asarray(entry * 4 / 3) if get_method(method).quantity == "changes" else entry


def has_reading(method: str, reading: Reading, *, hypothetical: bool) -> bool:
    """Whether a method's maps can be read so, with or without hypothetical contributions."""
    letters = letters_of(method, reading)
    return letters is not None and (hypothetical or not letters.hypothetical)
