"""Attribution methods: what their maps mean, and the importance of a base that follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Codes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Method:
    """How the maps (m, L, 4) of one method are read.

    Attributes
    ----------
    name : str
    base : {"observed", "norm"}
        The importance of a base: the entry of the letter that is there (sum over letters of map x
        one-hot), or the L2 norm over letters.
    letters : bool
        The map says for each of the 4 letters what it would do at its place, up to a constant per
        place. False: only the observed letter has an entry; hypothetical contributions, where a
        method has them, are an array of their own.
    study : str or None
        The name under which the study's scores of these maps are reported; None where the study
        has no such method.
    paper_maps : bool
        The maps are the study's own variant, and have no corrected score.
    complete : bool
        The sum of a map should be the difference of logits, and its error comes with it.
    reason : str
        Why `base` is what it is.
    """

    name: str
    base: Literal["observed", "norm"]
    letters: bool
    study: str | None
    paper_maps: bool
    complete: bool
    reason: str


def _gradient(name: str, letters: bool, reason: str, study: str | None = None) -> Method:
    return Method(name, "observed", letters, study, False, False, reason)


def _contribution(name: str) -> Method:
    return Method(name, "observed", False, None, False, True, _CONTRIBUTION)


def _paper(name: str, base: Literal["observed", "norm"], study: str, reason: str) -> Method:
    return Method(name, base, base == "norm", study, True, name == "paper_deepshap", reason)


_GRADIENT = "a gradient has an entry per letter; the study reads it at the letter that is there"
_CORRECTED = "a gradient less its mean over letters (Majdandzic et al. 2023), read likewise"
_CONTRIBUTION = (
    "the contribution of a base stands at its letter, the reference's share included, so that this "
    "entry alone is complete; it is the same entry of hypothetical contributions"
)
_NORM = "zero at the letter that is there; the study takes the norm of the three changes"

_TABLE = (
    _gradient("saliency", True, _GRADIENT, "saliency"),
    _gradient("gradient_x_input", False, "times x already: the other letters' entries are zero"),
    _gradient("gradient_corrected", True, _CORRECTED),
    _gradient("smoothgrad", True, "a mean of gradients, read likewise"),
    _contribution("integrated_gradients"),
    _contribution("expected_gradients"),
    Method("ism", "norm", True, "ism", False, False, _NORM),
    _contribution("deeplift"),
    _contribution("deepshap"),
    _gradient("random", True, "normal noise: the floor of every score, read like a gradient"),
    _paper("paper_saliency", "observed", "saliency", "at the sigmoid, else as saliency"),
    _paper("paper_ism", "norm", "ism", "at the sigmoid, else as ism"),
    _paper(
        "paper_ig",
        "observed",
        "integrated_gradients",
        "the study multiplies the mean gradient by x, not by (x - reference)",
    ),
    _paper(
        "paper_deepshap",
        "observed",
        "deepshap",
        "the study multiplies SHAP values by x again, which drops the reference letters' share",
    ),
)

FLOOR_METHOD = "random"
"""The method whose maps know nothing."""

METHODS: dict[str, Method] = {method.name: method for method in _TABLE}
"""Every method by name."""


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
