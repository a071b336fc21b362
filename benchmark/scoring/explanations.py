"""Which arrays about explained sequences a probe is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from motifidelity.metrics.readings import Reading
from motifidelity.worker.arrays import CURVES, PATH_CHANGES, PATH_INTEGRALS, Part

# tested sequences, the first ones, along whose paths gradients are integrated: fifty times as dear
# as a map
PATH_SEQUENCES = 20


class Asked(NamedTuple):
    """Type and shape of an array, and what it is of which method."""

    dtype: str
    shape: tuple[int, ...]
    method: str | None = None
    part: Part | None = None


@dataclass(frozen=True)
class Explanations:
    """Which arrays about explained sequences a probe was asked for.

    Attributes
    ----------
    methods : tuple of str
        Attribution methods.
    complete, hypothetical, curves, randomised : tuple of str
        Those with a completeness error; with hypothetical contributions; with deletion and
        insertion curves; with maps of the network with random weights.
    randomised_hypothetical : tuple of str
        Those whose hypothetical contributions by the network with random weights are read.
    read_curves : tuple of (str, str)
        Methods with such curves in the order of another reading than their own, with the reading.
    tested : int
        Sequences of the last two.
    counts : int
        Points of a curve.
    perturbations : int
        Replaced windows per sequence.
    paths : int
        Straight paths to a sequence along which gradients are integrated, of the first
        `PATH_SEQUENCES` tested ones.
    extra, extra_hypothetical : tuple of str
        Methods with maps of sequences of extra test sets, and with their hypothetical
        contributions.
    extras : int
        Those sequences.
    """

    methods: tuple[str, ...]
    complete: tuple[str, ...] = ()
    hypothetical: tuple[str, ...] = ()
    curves: tuple[str, ...] = ()
    read_curves: tuple[tuple[str, Reading], ...] = ()
    randomised: tuple[str, ...] = ()
    randomised_hypothetical: tuple[str, ...] = ()
    tested: int = 0
    counts: int = 0
    perturbations: int = 0
    paths: int = 0
    extra: tuple[str, ...] = ()
    extra_hypothetical: tuple[str, ...] = ()
    extras: int = 0

    @property
    def along_paths(self) -> int:
        """Sequences that paths lead to."""
        return min(self.tested, PATH_SEQUENCES) if self.paths else 0

    def arrays(self, explained: int, length: int, classes: int) -> dict[str, Asked]:
        """What is expected of every array, by its name."""
        maps = (explained, length, 4, classes)
        curve = (self.tested, classes, self.counts)
        found: dict[str, Asked] = {}
        for names, part, shape in (
            (self.methods, Part.MAPS, maps),
            (self.complete, Part.COMPLETENESS, (explained, classes)),
            (self.hypothetical, Part.HYPOTHETICAL, maps),
            *((self.curves, part, curve) for part in CURVES),
            (self.randomised, Part.RANDOMISED, (self.tested, *maps[1:])),
            (
                self.randomised_hypothetical,
                Part.RANDOMISED_HYPOTHETICAL,
                (self.tested, *maps[1:]),
            ),
            (self.extra, Part.EXTRA, (self.extras, *maps[1:])),
            (self.extra_hypothetical, Part.HYPOTHETICAL_EXTRA, (self.extras, *maps[1:])),
        ):
            found |= {part.of(name): Asked("<f4", shape, name, part) for name in names}
        found |= {
            part.of(name, reading): Asked("<f4", curve, name, part)
            for name, reading in self.read_curves
            for part in CURVES
        }
        if self.tested:
            copies = (self.tested, self.perturbations)
            found["perturbed"] = Asked("|u1", (*copies, length))
            found["changes"] = Asked("<f4", (*copies, classes))
        if self.along_paths:
            along = Asked("<f4", (self.along_paths, self.paths, classes))
            found |= dict.fromkeys((PATH_INTEGRALS, PATH_CHANGES), along)
        return found
