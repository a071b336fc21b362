"""Rules of two motifs: which arrangements satisfy one, and how arrangements are drawn.

Every rule reads the same on the reverse complement: distances are between the sites' edges, and
directions are those of a site's own strand.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from motifidelity.tasks.engine.draws import Draws

Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]

_OVERLAP = "near {} and far {} overlap; let no distance be both"


class State(IntEnum):
    """What a sequence holds of a rule."""

    SATISFIED = 0
    VIOLATED = 1
    ONE = 2
    NONE = 3


@dataclass(frozen=True, eq=False)
class Pairs:
    """How the two sites of a rule lie to each other, one row a pair.

    Attributes
    ----------
    gap : ndarray (p,) intp
        Bases between their edges.
    second_right : ndarray (p,) bool
        Whether the second site lies to the right of the first.
    first_strand, second_strand : ndarray (p,) int8
        1 or -1.
    """

    gap: Ints
    second_right: Bools
    first_strand: NDArray[np.int8]
    second_strand: NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Arrangement:
    """What is drawn of a rule for some sequences, one row each.

    Attributes
    ----------
    first, second : ndarray (n,) bool
        Whether the sequence has a site of the first and of the second motif.
    together : ndarray (n,) bool
        Whether the two are one block, as ``pairs`` says; else each has a place of its own.
    pairs : Pairs
        Strands are those of single sites too.
    """

    first: Bools
    second: Bools
    together: Bools
    pairs: Pairs


@dataclass(frozen=True)
class Rule(ABC):
    """A rule of two motifs, and the label that it gives.

    Attributes
    ----------
    name : str
        The class that it labels.
    first, second : str
        Ids of the two matrices.
    """

    name: str
    first: str
    second: str

    @abstractmethod
    def satisfied(self, pairs: Pairs) -> Bools:
        """Whether two sites satisfy the rule (p,)."""

    @abstractmethod
    def violated(self, pairs: Pairs) -> Bools:
        """Whether two sites are what the recipe draws against the rule (p,)."""

    @abstractmethod
    def said(self) -> str:
        """The rule in words."""

    def alone(self, *, first: bool) -> bool:
        """Whether one site by itself satisfies the rule."""
        return False

    def problem(self) -> str:
        """Why its distances make no rule, and the remedy; or nothing."""
        return ""

    @abstractmethod
    def draw(self, draws: Draws, state: Ints) -> Arrangement:
        """Arrangements of sequences in a state each, of `State` (n,)."""

    def label(self, arrangement: Arrangement) -> Bools:
        """Whether sequences satisfy the rule (n,)."""
        both = arrangement.first & arrangement.second
        return np.where(
            both,
            self.satisfied(arrangement.pairs),
            (arrangement.first & self.alone(first=True))
            | (arrangement.second & self.alone(first=False)),
        )


def _single(draws: Draws, state: Ints) -> tuple[Bools, Bools]:
    """Which sites are there: both, one of either with equal chance, or none."""
    both = state <= State.VIOLATED
    coin = draws.coins(len(state))
    one = state == State.ONE
    return both | (one & coin), both | (one & ~coin)


def _strands(draws: Draws, count: int) -> NDArray[np.int8]:
    return np.where(draws.coins(count), 1, -1).astype(np.int8)


@dataclass(frozen=True)
class Order(Rule):
    """The second site lies 3' of the first on the first one's strand, ``gap`` bases on."""

    gap: tuple[int, int] = (2, 12)

    def said(self) -> str:
        """As `Rule`."""
        low, high = self.gap
        return f"{self.second} lies {low} to {high} bases 3' of {self.first}, on its strand"

    def satisfied(self, pairs: Pairs) -> Bools:
        """As `Rule`."""
        return _within(pairs.gap, self.gap) & _downstream(pairs)

    def violated(self, pairs: Pairs) -> Bools:
        """As `Rule`: 5' of it."""
        return _within(pairs.gap, self.gap) & ~_downstream(pairs)

    def draw(self, draws: Draws, state: Ints) -> Arrangement:
        """As `Rule`."""
        n = len(state)
        first, second = _single(draws, state)
        strand = _strands(draws, n)
        right = (strand == 1) == (state == State.SATISFIED)
        pairs = Pairs(_gaps(draws, self.gap, n), right, strand, _strands(draws, n))
        return Arrangement(first, second, first & second, pairs)


@dataclass(frozen=True)
class Spacing(Rule):
    """Between the sites lie ``near`` bases, and not ``far`` ones; order and strands are free."""

    near: tuple[int, int] = (4, 9)
    far: tuple[int, int] = (14, 39)

    def said(self) -> str:
        """As `Rule`."""
        near, far = ("{} to {}".format(*bounds) for bounds in (self.near, self.far))
        return f"{near} bases between {self.first} and {self.second}, against {far}"

    def problem(self) -> str:
        """As `Rule`."""
        overlap = max(self.near[0], self.far[0]) <= min(self.near[1], self.far[1])
        return _OVERLAP.format(list(self.near), list(self.far)) if overlap else ""

    def satisfied(self, pairs: Pairs) -> Bools:
        """As `Rule`."""
        return _within(pairs.gap, self.near)

    def violated(self, pairs: Pairs) -> Bools:
        """As `Rule`."""
        return _within(pairs.gap, self.far)

    def draw(self, draws: Draws, state: Ints) -> Arrangement:
        """As `Rule`."""
        n = len(state)
        first, second = _single(draws, state)
        gap = np.where(
            state == State.SATISFIED, _gaps(draws, self.near, n), _gaps(draws, self.far, n)
        )
        pairs = Pairs(gap, draws.coins(n), _strands(draws, n), _strands(draws, n))
        return Arrangement(first, second, first & second, pairs)


@dataclass(frozen=True)
class Orientation(Rule):
    """Both sites are on one strand, ``gap`` bases apart; their order is free."""

    gap: tuple[int, int] = (2, 12)

    def said(self) -> str:
        """As `Rule`."""
        low, high = self.gap
        return f"{self.first} and {self.second} on one strand, {low} to {high} bases apart"

    def satisfied(self, pairs: Pairs) -> Bools:
        """As `Rule`."""
        return np.asarray(
            _within(pairs.gap, self.gap) & (pairs.first_strand == pairs.second_strand)
        )

    def violated(self, pairs: Pairs) -> Bools:
        """As `Rule`."""
        return np.asarray(
            _within(pairs.gap, self.gap) & (pairs.first_strand != pairs.second_strand)
        )

    def draw(self, draws: Draws, state: Ints) -> Arrangement:
        """As `Rule`."""
        n = len(state)
        first, second = _single(draws, state)
        strand = _strands(draws, n)
        other = np.where(state == State.SATISFIED, strand, -strand).astype(np.int8)
        pairs = Pairs(_gaps(draws, self.gap, n), draws.coins(n), strand, other)
        return Arrangement(first, second, first & second, pairs)


@dataclass(frozen=True)
class Repressor(Rule):
    """The first site acts alone; the second silences it from ``near`` by, not from ``far`` off.

    Satisfied are sequences with the first alone, and as many whose second lies at least ``far``
    bases away; a sequence with one site that does not satisfy it has the second.
    """

    near: tuple[int, int] = (0, 20)
    far: int = 40

    def said(self) -> str:
        """As `Rule`."""
        low, high = self.near
        return (
            f"{self.first}, alone or at least {self.far} bases from {self.second}, against "
            f"{low} to {high}"
        )

    def problem(self) -> str:
        """As `Rule`."""
        return _OVERLAP.format(list(self.near), self.far) if self.near[1] >= self.far else ""

    def satisfied(self, pairs: Pairs) -> Bools:
        """As `Rule`."""
        return pairs.gap >= self.far

    def violated(self, pairs: Pairs) -> Bools:
        """As `Rule`."""
        return _within(pairs.gap, self.near)

    def alone(self, *, first: bool) -> bool:
        """As `Rule`."""
        return first

    def draw(self, draws: Draws, state: Ints) -> Arrangement:
        """As `Rule`; the gap of a pair that is not together is whatever its places make it."""
        n = len(state)
        away = (state == State.SATISFIED) & draws.coins(n)
        near = state == State.VIOLATED
        first = (state == State.SATISFIED) | near
        second = away | near | (state == State.ONE)
        gap = np.where(near, _gaps(draws, self.near, n), self.far)
        pairs = Pairs(gap, draws.coins(n), _strands(draws, n), _strands(draws, n))
        return Arrangement(first, second, near, pairs)


RULES: dict[str, type[Rule]] = {
    "order": Order,
    "spacing": Spacing,
    "orientation": Orientation,
    "repressor": Repressor,
}


def removal_effects(rule: Rule, label: Bools) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """What the removal of the first, and of the second, does to the label of pairs: -1, 0 or 1.

    Parameters
    ----------
    rule : Rule
    label : ndarray (p,) bool
        Whether sequences that hold both satisfy the rule.

    Returns
    -------
    two ndarrays (p,) int8
    """
    now = label.astype(np.int8)
    return (
        (np.int8(rule.alone(first=False)) - now).astype(np.int8),
        (np.int8(rule.alone(first=True)) - now).astype(np.int8),
    )


def _within(gap: Ints, bounds: tuple[int, int]) -> Bools:
    return (bounds[0] <= gap) & (gap <= bounds[1])


def _gaps(draws: Draws, bounds: tuple[int, int], count: int) -> Ints:
    return draws.integers(bounds[0], bounds[1] + 1, count)


def _downstream(pairs: Pairs) -> Bools:
    """Whether the second lies 3' of the first, on the first one's strand."""
    return np.asarray(pairs.second_right == (pairs.first_strand == 1))
