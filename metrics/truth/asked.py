"""What is asked of a network beyond the test set, and what is true of it.

Designed sequences, and sequences without one of their instances: the host writes them, a network
answers, and answers come back in the shape of the design, by the name of its part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.motifs.pwm import Codes

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

# names of parts: instances replaced; backgrounds as they are; test sequences' other strands
REMOVED, NEITHER, REVERSE = "removed", "neither", "reverse"


def pairs_part(rule: str) -> str:
    """Of a rule's configurations (p, backgrounds)."""
    return f"pairs of {rule}"


def single_part(factor: str) -> str:
    """Of one factor's sites (strengths, backgrounds)."""
    return f"one {factor}"


def crossed_parts(first: str, second: str) -> tuple[str, str, str]:
    """Of two factors' sites together, and each alone where it stands then."""
    both = f"{first} and {second}"
    return both, f"{both}: {first}", f"{both}: {second}"


@dataclass(frozen=True, eq=False)
class Questions:
    """Sequences that a network is asked about, by what they are for.

    Attributes
    ----------
    parts : mapping of str to ndarray (..., L) uint8
    """

    parts: Mapping[str, Codes]

    @cached_property
    def sequences(self) -> Codes:
        """All of them (q, L), part after part."""
        return np.concatenate([part.reshape(-1, part.shape[-1]) for part in self.parts.values()])

    def answers(self, outputs: Floats) -> dict[str, Floats]:
        """Outputs (q, C) to `sequences`, in the shape of each part: (..., C).

        Raises
        ------
        ValueError
            If there is not one row of outputs a sequence.
        """
        if len(outputs) != len(self.sequences):
            raise ValueError(f"{len(outputs)} outputs of {len(self.sequences)} sequences")
        found, first = {}, 0
        for name, part in self.parts.items():
            shape = part.shape[:-1]
            last = first + int(np.prod(shape))
            found[name] = outputs[first:last].reshape(*shape, *outputs.shape[1:])
            first = last
        return found


@dataclass(frozen=True, eq=False)
class Instances:
    """Instances whose removal is asked about, of sequences that hold both motifs of their rule.

    Attributes
    ----------
    sequence : (k,) int
        Place among the explained sequences.
    rule, role : (k,) int
        Of which rule, and whether of its first (0) or second motif (1).
    start, end : (k,) int
        Half-open span in bases.
    effect : (k,) int8
        What the removal does to the rule: -1, 0 or 1.
    """

    sequence: Ints
    rule: Ints
    role: Ints
    start: Ints
    end: Ints
    effect: npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class PairTruth:
    """Designed configurations of a rule, (p,) each, in the order of their part.

    Attributes
    ----------
    gap : (p,) int
        Bases between the sites.
    satisfied : (p,) bool
    ranked : (p,) bool
        Whether the recipe draws it.
    on_curve : (p,) bool
        Whether it counts for the curve by distance.
    """

    gap: Ints
    satisfied: Bools
    ranked: Bools
    on_curve: Bools


@dataclass(frozen=True, eq=False)
class RuleTruth:
    """What is true of a task of rules, one rule a class.

    Attributes
    ----------
    together : (n, R) bool
        Whether test sequences hold both motifs of a rule.
    instances : Instances
    pairs : tuple of R PairTruth
        Empty where nothing designed is asked.
    """

    together: Bools
    instances: Instances
    pairs: tuple[PairTruth, ...] = ()


@dataclass(frozen=True, eq=False)
class FunctionTruth:
    """What is true of a task whose target is an exact function, in SDs of it.

    Attributes
    ----------
    exact : (n, T) float
        Of test sequences, without noise.
    changes : (m, L, 4) float
        Of explained sequences, by each letter in place of the one there.
    answers : mapping of str to ndarray (..., T)
        The function's own to what is asked; empty where nothing designed is.
    factors : tuple of str
        Of single sites, by the ids of their matrices.
    crossed : tuple of (str, str)
        Pairs of factors.
    names : tuple of str
        What the factors are called; by default their ids.
    """

    exact: Floats
    changes: Floats
    answers: Mapping[str, Floats]
    factors: tuple[str, ...] = ()
    crossed: tuple[tuple[str, str], ...] = ()
    names: tuple[str, ...] = ()
