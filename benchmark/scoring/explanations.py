"""Which arrays about explained sequences a probe is asked for."""

from __future__ import annotations

from dataclasses import dataclass


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
    tested : int
        Sequences of the last two.
    counts : int
        Points of a curve.
    perturbations : int
        Replaced windows per sequence.
    """

    methods: tuple[str, ...]
    complete: tuple[str, ...] = ()
    hypothetical: tuple[str, ...] = ()
    curves: tuple[str, ...] = ()
    randomised: tuple[str, ...] = ()
    tested: int = 0
    counts: int = 0
    perturbations: int = 0

    def arrays(
        self, explained: int, length: int, classes: int
    ) -> dict[str, tuple[str, tuple[int, ...], str | None]]:
        """Type, shape and method of every array."""
        maps = (explained, length, 4, classes)
        curve = (self.tested, classes, self.counts)
        found: dict[str, tuple[str, tuple[int, ...], str | None]] = {}
        for names, suffix, shape in (
            (self.methods, "", maps),
            (self.complete, "_completeness", (explained, classes)),
            (self.hypothetical, "_hypothetical", maps),
            (self.curves, "_deletion", curve),
            (self.curves, "_insertion", curve),
            (self.randomised, "_randomised", (self.tested, *maps[1:])),
        ):
            found |= {f"{name}{suffix}": ("<f4", shape, name) for name in names}
        if self.tested:
            copies = (self.tested, self.perturbations)
            found["perturbed"] = ("|u1", (*copies, length), None)
            found["changes"] = ("<f4", (*copies, classes), None)
        return found
