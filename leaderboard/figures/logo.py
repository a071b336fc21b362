"""Sequence logos: geometry only, the templates draw it.

Heights follow Schneider & Stephens, Nucleic Acids Res. 18, 6097-6100 (1990), for a uniform
background and without the small-sample correction: a column is ``2 + sum p log2 p`` bits high,
shared among its letters by their probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

COLUMN = 10.0
HEIGHT = 40.0
MAX_BITS = 2.0
_SMALLEST = 0.01
_MARGIN = 0.03
LETTERS = "ACGT"

# Outlines in a box of 100 by 100 units, y downwards, each touching all four sides.
GLYPHS = {
    "A": "M0 100L37 0H63L100 100H77L70 77H30L23 100ZM37 58H63L50 18Z",
    "C": (
        "M100 34C95 12 78 0 53 0C20 0 0 20 0 50C0 80 20 100 53 100C78 100 95 88 100 66"
        "L78 61C75 75 66 82 53 82C34 82 23 70 23 50C23 30 34 18 53 18C66 18 75 25 78 39Z"
    ),
    "G": (
        "M100 34C95 12 78 0 53 0C20 0 0 20 0 50C0 80 20 100 53 100C73 100 89 93 100 81"
        "V45H52V63H78V73C72 79 64 82 54 82C34 82 23 70 23 50C23 30 34 18 53 18C66 18 75 25 78 39Z"
    ),
    "T": "M0 0H100V18H61.5V100H38.5V18H0Z",
}


class Glyph(NamedTuple):
    """One letter: which, and the SVG transform that places its outline."""

    letter: str
    transform: str


@dataclass(frozen=True)
class Logo:
    """A drawing `width` by `HEIGHT` units (`MAX_BITS` bits high).

    Attributes
    ----------
    glyphs : tuple of Glyph
        From left to right, in each column from the bottom up; letters of less than 0.01 bit are
        left out.
    width : str
        Units, as text for SVG.
    bits : float
        Sum of the columns' information.
    consensus : str
        The likeliest letter of each column, lower case below one bit, for readers who cannot see
        the drawing.
    """

    glyphs: tuple[Glyph, ...]
    width: str
    bits: float
    consensus: str

    @property
    def uses(self) -> Markup:
        """The letters as elements of SVG, written here because pages have hundreds of thousands."""
        return Markup(
            "".join(
                f'<use href="#g{letter}" class="{letter}" transform="{transform}"/>'
                for letter, transform in self.glyphs
            )
        )


def letter_heights(ppm: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Height of every letter in bits.

    Parameters
    ----------
    ppm : ndarray of float64, shape (width, 4)
        Probabilities of A, C, G, T; rows sum to 1.

    Returns
    -------
    ndarray of float64, shape (width, 4)
        Between 0 and 2; rows sum to the column's information content.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(ppm > 0, ppm * np.log2(ppm), 0.0)
    information = np.clip(MAX_BITS + terms.sum(axis=1, keepdims=True), 0.0, MAX_BITS)
    heights: npt.NDArray[np.float64] = ppm * information
    return heights


def draw_logo(ppm: object, width: int) -> Logo | None:
    """Lay a motif out.

    Parameters
    ----------
    ppm : sequence of float
        Row-major, ``width * 4`` probabilities, as the registry stores them.
    width : int
        Number of columns.

    Returns
    -------
    Logo or None
        None when the numbers are no motif (wrong length, negative, not finite, rows not near 1).
    """
    try:
        matrix = np.asarray(ppm, dtype=np.float64).reshape(width, 4)
    except (TypeError, ValueError):
        return None
    if width < 1 or not np.isfinite(matrix).all() or (matrix < 0).any():
        return None
    if (abs(matrix.sum(axis=1) - 1) > 0.01).any():
        return None
    heights = letter_heights(matrix)
    glyphs: list[Glyph] = []
    orders = np.argsort(heights, axis=1, kind="stable").tolist()
    for column, (letters, order) in enumerate(zip(heights.tolist(), orders, strict=True)):
        scale, left = _place(column)
        top = HEIGHT
        for index in order:
            tall = letters[index] * HEIGHT / MAX_BITS
            if letters[index] >= _SMALLEST:
                transform = f"matrix({scale} 0 0 {tall / 100:.4g} {left} {top - tall:.2f})"
                glyphs.append(Glyph(LETTERS[index], transform))
            top -= tall
    information = heights.sum(axis=1)
    best = [LETTERS[index] for index in matrix.argmax(axis=1).tolist()]
    consensus = "".join(
        letter if bits >= 1 else letter.lower()
        for letter, bits in zip(best, information.tolist(), strict=True)
    )
    return Logo(tuple(glyphs), f"{width * COLUMN:g}", float(information.sum()), consensus)


@cache
def _place(column: int) -> tuple[str, str]:
    """A column's horizontal scale and left edge."""
    return f"{COLUMN * (1 - 2 * _MARGIN) / 100:g}", f"{(column + _MARGIN) * COLUMN:g}"
