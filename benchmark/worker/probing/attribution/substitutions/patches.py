"""The values that a substitution changes: a stretch of positions of one tensor for every mutant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

Positions = NDArray[np.intp]


class NotLocal(Exception):
    """An operation whose output a substitution may change anywhere, or whose reach is not known."""


@dataclass(frozen=True, eq=False)
class Mutants:
    """The mutants of one call: some positions of every sequence, under every other letter.

    Attributes
    ----------
    length, others : int
        Positions of a sequence, and letters that each can be replaced by.
    per_call : int
        Positions of a call; the last of a sequence's calls repeats the last position.
    call : tensor () int32
        Which of a sequence's calls it is.
    """

    length: int
    others: int
    per_call: int
    call: Any

    @property
    def number(self) -> int:
        """Mutants of one sequence in one call."""
        return self.per_call * self.others

    @cached_property
    def positions(self) -> Positions:
        """The substituted position (calls x per_call) of every mutant."""
        calls = -(-self.length // self.per_call)
        return np.minimum(np.arange(calls * self.per_call), self.length - 1)

    def of_call(self, values: Any) -> Any:
        """What values (calls x per_call, ...) are in this call (per_call, ...)."""
        if len(values) == self.per_call:
            return tf.constant(values)
        by_call = values.reshape(-1, self.per_call, *values.shape[1:])
        return tf.gather(tf.constant(by_call), self.call)


@dataclass(frozen=True, eq=False)
class Patches:
    """One tensor of the network, as every mutant has it.

    Outside of its stretch a mutant has the values of its sequence. Both arrays hold the positions
    on their second axis, whatever the tensor's own order; a stretch may be longer than what is
    changed, never shorter.

    Attributes
    ----------
    mutants : Mutants
    unchanged : tensor (n, length, ...)
        The sequences' own values.
    values : tensor (n x mutants, width, ...)
        From position `start` on.
    axis : int
        Axis of the positions in the network's own order.
    first, last : ndarray (calls x per_call)
        First and last position that a substitution may change; none where last < first.
    """

    mutants: Mutants
    unchanged: Any
    values: Any
    axis: int
    first: Positions
    last: Positions

    @property
    def length(self) -> int:
        """Positions of the tensor."""
        return int(self.unchanged.shape[1])

    @property
    def rest(self) -> tuple[int, ...]:
        """Extents of all axes but sequences and positions."""
        return tuple(int(n) for n in self.unchanged.shape[2:])

    @property
    def shape(self) -> tuple[int, ...]:
        """Extents of the tensor in the network's order, without that of the sequences."""
        return (*self.rest[: self.axis - 1], self.length, *self.rest[self.axis - 1 :])

    @cached_property
    def stretch(self) -> tuple[Positions, int]:
        """First position of every stretch, and their width."""
        return stretch(self.first, self.last, self.length)

    def read(
        self,
        first: Positions,
        extent: int,
        padding: float = 0,
        sources: Positions | None = None,
    ) -> Any:
        """Values (n x mutants, extent, ...) of positions in a row.

        Parameters
        ----------
        first : ndarray (calls x per_call) or (1,)
            Where each mutant's row begins; it may reach beyond both ends.
        extent : int
        padding : float
            The value beyond the ends.
        sources : ndarray of int, optional
            Which position stands in each place that is counted; -1 is padding. By default the
            position itself.
        """
        start, width = self.stretch
        if sources is None and extent == width and np.array_equal(first, start):
            return self.values
        wanted = first[:, None] + np.arange(extent)
        places = self.length if sources is None else len(sources)
        beyond = (wanted < 0) | (wanted >= places)
        if sources is not None:
            wanted = sources[np.clip(wanted, 0, places - 1)]
        wanted = np.where(beyond, -1, wanted).astype(np.int32)
        wanted = self.mutants.of_call(wanted) if len(first) > 1 else tf.constant(wanted)
        return self._gathered(wanted, extent, padding)

    def _gathered(self, wanted: Any, extent: int, padding: float) -> Any:
        """Values at positions (per_call or 1, extent), -1 for padding."""
        start, width = self.stretch
        size = int(np.prod(self.rest))
        number = self.mutants.number
        within = wanted - self.mutants.of_call(start.astype(np.int32))[:, None]
        changed = (wanted >= 0) & (within >= 0) & (within < width)
        kind = self.values.dtype
        unchanged = tf.reshape(self.unchanged, (-1, self.length, size))
        beyond = tf.fill((tf.shape(unchanged)[0], 1, size), tf.cast(padding, kind))
        table = (beyond, unchanged, tf.reshape(self.values, (-1, number * width, size)))
        rows = np.arange(number, dtype=np.int32).reshape(-1, self.mutants.others, 1) * width
        rows += 1 + self.length
        index = tf.where(changed[:, None], rows + within[:, None], wanted[:, None] + 1)
        found = tf.gather(tf.concat(table, 1), tf.reshape(index, (-1,)), axis=1)
        return tf.reshape(found, (-1, extent, *self.rest))

    def whole(self) -> Any:
        """The tensor (n x mutants, ...) of every mutant, in the network's order."""
        return to_order(self.read(np.zeros(1, np.intp), self.length), self.axis)


def stretch(first: Positions, last: Positions, length: int) -> tuple[Positions, int]:
    """Stretches of one width that hold the positions from first to last, all inside a tensor."""
    width = max(1, int((last - first).max()) + 1)
    return np.clip(first, 0, length - width), width


def to_order(values: Any, axis: int) -> Any:
    """Values (m, positions, ...) with the positions on another axis."""
    rest = values.shape.as_list()[2:]
    if all(n == 1 for n in rest[: axis - 1]):
        return tf.reshape(values, (-1, *rest[: axis - 1], int(values.shape[1]), *rest[axis - 1 :]))
    return tf.transpose(values, (0, *range(2, axis + 1), 1, *range(axis + 1, len(rest) + 2)))


def from_order(values: Any, axis: int) -> Any:
    """Values (m, ...) with the positions, on some axis, on the second."""
    extents = values.shape.as_list()[1:]
    rest = [*extents[: axis - 1], *extents[axis:]]
    if all(n == 1 for n in extents[: axis - 1]):
        return tf.reshape(values, (-1, extents[axis - 1], *rest))
    return tf.transpose(values, (0, axis, *range(1, axis), *range(axis + 1, len(extents) + 1)))


def joined(patches: Sequence[Patches]) -> tuple[Positions, Positions]:
    """First and last position that a substitution may change in any of several tensors."""
    empty = [p.last < p.first for p in patches]
    first = np.min([np.where(e, p.length, p.first) for e, p in zip(empty, patches, strict=True)], 0)
    last = np.max([np.where(e, -1, p.last) for e, p in zip(empty, patches, strict=True)], 0)
    return first, last
