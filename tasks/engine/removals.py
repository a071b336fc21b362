"""What happens to a rule without one of its sites: which instances are asked about, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from motifidelity.metrics.truth.asked import Instances
from motifidelity.tasks.engine.backgrounds import Background
from motifidelity.tasks.engine.draws import Draws
from motifidelity.tasks.engine.motif_rules import Rule, removal_effects

Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]

# what stands in place of an instance is drawn so often
REPLACEMENTS = 5


class Placed(Protocol):
    """Sites as parallel arrays (k,): sequence, matrix, and half-open span."""

    @property
    def sequence(self) -> NDArray[np.integer]:
        """Row of the sequence."""

    @property
    def motif(self) -> NDArray[np.integer]:
        """Number of the matrix."""

    @property
    def start(self) -> NDArray[np.integer]:
        """First base."""

    @property
    def end(self) -> NDArray[np.integer]:
        """The base after the last."""


def rule_of(
    motif: NDArray[np.integer], rules: Sequence[Rule], number: Mapping[str, int]
) -> tuple[Ints, Ints]:
    """Rule and role (k,) of sites, by their matrices; -1 of a matrix that is of no rule.

    Parameters
    ----------
    motif : ndarray (k,) int
    rules : sequence of Rule
        Each with two matrices of its own.
    number : mapping of str to int
        Of each matrix by its id.
    """
    table = np.full((max(number.values()) + 1, 2), -1)
    for index, rule in enumerate(rules):
        for role, name in enumerate((rule.first, rule.second)):
            table[number[name]] = index, role
    rule, role = table[motif].T
    return rule, role


def together(
    sequence: NDArray[np.integer], rule: Ints, role: Ints, count: int, rules: int
) -> Bools:
    """Whether sequences hold both motifs of a rule: (count, rules), by their sites (k,)."""
    found = np.zeros((count, rules, 2), bool)
    mine = rule >= 0
    found[sequence[mine], rule[mine], role[mine]] = True
    return np.asarray(found.all(axis=2))


def removals(
    rules: Sequence[Rule],
    number: Mapping[str, int],
    labels: NDArray[np.uint8],
    sites: Placed,
) -> Instances:
    """Instances whose removal is asked about, with what it does.

    Parameters
    ----------
    rules : sequence of r Rule
    number : mapping of str to int
        Of each matrix by its id.
    labels : ndarray (n, r) uint8
        Whether sequences satisfy each.
    sites : Placed
        True sites of these sequences.
    """
    effects = np.stack(
        [
            np.stack(removal_effects(rule, labels[:, index] == 1), axis=1)
            for index, rule in enumerate(rules)
        ],
        axis=1,
    )  # (n, r, 2)
    rule, role = rule_of(sites.motif, rules, number)
    sequence = sites.sequence.astype(np.intp)
    both = together(sequence, rule, role, *labels.shape)
    rows = np.flatnonzero((rule >= 0) & both[sequence, rule])
    sequence, rule, role = sequence[rows], rule[rows], role[rows]
    start, end = (column[rows].astype(np.intp) for column in (sites.start, sites.end))
    return Instances(sequence, rule, role, start, end, effects[sequence, rule, role])


def replaced(
    draws: Draws,
    background: Background,
    codes: NDArray[np.uint8],
    instances: Instances,
    count: int = REPLACEMENTS,
) -> NDArray[np.uint8]:
    """Sequences in which one instance each is background.

    Parameters
    ----------
    draws : Draws
    background : Background
        Its letters stand in the span as if it had no neighbours.
    codes : ndarray (n, L) uint8
    instances : Instances
        (k,) of these sequences.
    count : int
        Draws of each.

    Returns
    -------
    ndarray (k, count, L) uint8
    """
    owner, start, end = instances.sequence, instances.start, instances.end
    found = np.repeat(codes[owner][:, None], count, axis=1)
    widest = int((end - start).max(initial=0))
    letters = background.draw(draws, len(owner) * count, widest).reshape(len(owner), count, widest)
    k, column = np.nonzero(np.arange(widest) < (end - start)[:, None])
    found[k, :, start[k] + column] = letters[k, :, column]
    return found
