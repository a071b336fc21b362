"""How maps are read: the importance of a base, as the method's own file declares it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# declarations alone: what computes the maps is loaded where they are computed
from motifidelity.worker.probing.attribution import METHODS, Method

__all__ = [
    "FLOOR_METHOD",
    "MEAN_METHOD",
    "METHODS",
    "Codes",
    "Floats",
    "Method",
    "at_sigmoid",
    "base_scores",
    "centred",
    "checked_maps",
    "get_method",
    "letter_maps",
    "observed",
]

Floats = npt.NDArray[np.floating]
Codes = npt.NDArray[np.uint8]


FLOOR_METHOD = "random"
"""The method whose maps know nothing."""
MEAN_METHOD = "mean"
"""In a method's place: the mean over the three methods that `maps` is of."""


def get_method(name: str) -> Method:
    """Look a method up.

    Raises
    ------
    ValueError
        If there is none of that name; the message lists all.
    """
    if name not in METHODS:
        raise ValueError(f"no attribution method {name!r}; choose one of {', '.join(METHODS)}")
    return METHODS[name]


def base_scores(method: str, maps: Floats, sequences: Codes) -> Floats:
    """One importance per base.

    Parameters
    ----------
    method : str
        A name in `METHODS`, whose table says how the letters are reduced and why.
    maps : (m, L, 4) float
    sequences : (m, L) uint8
        A=0 C=1 G=2 T=3.

    Returns
    -------
    (m, L) float
        In the map's unit; signed, except for mutagenesis, which is an L2 norm.

    Raises
    ------
    ValueError
        If the method is unknown.
    """
    if get_method(method).base == "norm":
        return np.asarray(np.sqrt(np.square(maps).sum(axis=2)))
    return observed(maps, sequences)


def letter_maps(
    method: str, maps: Floats, sequences: Codes, hypothetical: npt.ArrayLike | None = None
) -> Floats | None:
    """Maps that speak of all four letters: the method's own, or its hypothetical contributions.

    Parameters
    ----------
    method : str
    maps : (m, L, 4) float
    sequences : (m, L) uint8
    hypothetical : (m, L, 4) float, optional

    Returns
    -------
    (m, L, 4) float or None
        None where the method says nothing of letters that are not there.

    Raises
    ------
    ValueError
        If the method is unknown or the hypothetical contributions do not fit.
    """
    if get_method(method).letters:
        return maps
    return None if hypothetical is None else checked_maps(hypothetical, sequences)


def observed(maps: Floats, sequences: Codes) -> Floats:
    """Entry of the letter that is there, (m, L), of maps (m, L, 4)."""
    return np.take_along_axis(maps, sequences[:, :, None].astype(np.intp), axis=2)[:, :, 0]


def centred(maps: Floats) -> Floats:
    """Maps (..., 4) less their mean over letters.

    A network sees one-hot letters only, so a constant that is added to all four entries of a place
    means nothing (Majdandzic et al., Genome Biol. 24, 109 (2023)). For mutagenesis this replaces
    the original letter as the reference by the mean letter.
    """
    return np.asarray(maps - maps.mean(axis=-1, keepdims=True))


def at_sigmoid(method: str, maps: Floats, logits: Floats) -> npt.NDArray[np.float32]:
    """Maps at the sigmoid output s(z) from maps at the logit z.

    Parameters
    ----------
    method : {"saliency", "ism"}
        Other methods' maps do not follow from those at the logit.
    maps : (m, L, 4) float
    logits : (m,) float

    Returns
    -------
    (m, L, 4) float32
        Saliency x s(z) (1 - s(z)), by the chain rule; mutagenesis s(z + change) - s(z). In single
        precision like the study's networks, where 1 - s(z) vanishes above z = 17.

    Raises
    ------
    ValueError
        For another method.
    """
    if method not in ("saliency", "ism"):
        raise ValueError(f"maps of {method} at the sigmoid do not follow from those at the logit")
    change = np.asarray(maps, dtype=np.float32)
    z = np.asarray(logits, dtype=np.float32)[:, None, None]
    output = _sigmoid(z)
    if method == "ism":
        return _sigmoid(z + change) - output
    return change * (output * (np.float32(1) - output))


def checked_maps(maps: npt.ArrayLike, sequences: Codes) -> Floats:
    """The maps as an array, after their shape was found to fit.

    Raises
    ------
    ValueError
        If maps are not (m, L, 4) for sequences (m, L), or hold nan or infinity.
    """
    array = np.asarray(maps)
    if array.ndim != 3 or array.shape != (*sequences.shape, 4):
        raise ValueError(f"maps {array.shape} must be (m, L, 4) for sequences {sequences.shape}")
    if not np.isfinite(array).all():
        raise ValueError("maps hold nan or infinity; clip or reject them before scoring")
    return array


def _sigmoid(z: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return np.float32(1) / (np.float32(1) + np.exp(-z))
