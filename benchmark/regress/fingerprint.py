"""Fingerprints of arrays: moments and a few exact values, each with the scale it is read on."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# places of the exact values, as shares of the flattened array
PLACES = (0.1234567, 0.3456789, 0.6172839, 0.8912345)


@dataclass(frozen=True)
class Observed:
    """One observation: text that must stay equal, or a number.

    ``scale`` is the size that a change of the number is small beside; tolerances are shares of it.
    """

    value: float | str
    scale: float = 1.0


def fixed_sequences(number: int, length: int) -> NDArray[np.uint8]:
    """Sequences (number, length) uint8 of codes 0 to 3, the same anywhere and for ever.

    From SHAKE-256, because numpy promises no stable stream of random numbers.
    """
    text = f"motifidelity {number} x {length}".encode()
    stream = hashlib.shake_256(text).digest(number * length)
    codes = np.frombuffer(stream, dtype=np.uint8) & np.uint8(3)
    return codes.astype(np.uint8).reshape(number, length)


def fingerprint(array: NDArray[Any], label: str = "") -> dict[str, Observed]:
    """Moments and a few exact values of an array.

    Parameters
    ----------
    array : ndarray
        Of any shape and numeric type; computed in double precision.
    label : str
        Put before each name.

    Returns
    -------
    dict of str to Observed
        ``shape`` (text), ``mean``, ``sd``, ``skew``, ``min``, ``max`` and four values by index.
    """
    values = np.asarray(array, dtype=np.float64)
    before = f"{label} " if label else ""
    found = {f"{before}shape": Observed("x".join(map(str, values.shape)))}
    if not values.size:
        return found
    with np.errstate(all="ignore"):
        mean, sd = float(values.mean()), float(values.std())
        skew = float((((values - mean) / sd) ** 3).mean()) if sd > 0 else 0.0
    size = sd if math.isfinite(sd) else 1.0
    for name, value, scale in (
        ("mean", mean, abs(mean) + size),
        ("sd", sd, size),
        ("skew", skew, abs(skew) + 1.0),
        ("min", float(values.min()), size),
        ("max", float(values.max()), size),
    ):
        found[before + name] = Observed(value, max(scale, abs(value)))
    for share in PLACES:
        index = np.unravel_index(int(share * values.size), values.shape)
        value = float(values[index])
        place = ",".join(str(int(i)) for i in index)
        found[f"{before}[{place}]"] = Observed(value, max(size, abs(value)))
    return found
