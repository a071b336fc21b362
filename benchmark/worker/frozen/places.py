"""Which base each value of a filter scan lies on, told by what the network itself answers.

Every kernel is replaced by its middle column alone. What is left of a scan's value depends on the
one base that the middle of its filter lies on, whatever cropping, padding, reversal, dilation or
dealing into windows stands in between: the base whose change changes the value. Pooling before the
scan widens it to a stretch, whose middle is taken. Outside of the sequence nothing changes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

Bases = NDArray[np.intp]
# scan values of one call
_VALUES = 1 << 24
# filters of one convolution that stand for the others: their kernels have one shape
_SAMPLE = 8
# a change below this share of the largest value is rounding
_ROUNDING = 1e-5
# shares of a value's largest change: a base that it lies on has the one at least, through the
# statistics of a norm others have the other at most
_LARGE, _SMALL = 0.5, 0.1
# share of the largest change of all values that one on a base has
_ON_A_BASE = 0.25
# of the values that see any base, how many see a whole stretch: the others lie at an edge
_WHOLE = 0.5


class Unplaced(Exception):
    """Why the bases of a scan cannot be told."""


@dataclass(frozen=True)
class Places:
    """Where the values of one tensor lie; its filters in blocks that lie alike.

    Attributes
    ----------
    axes : (int, int)
        Axes of positions and of filters.
    rows : int
    dealt : bool
        See `scans.Part`.
    bases : ndarray (blocks, rows, positions)
        The base under the middle, -1 outside of the sequence.
    steps : ndarray (blocks, rows)
        Bases from one column of the kernel to the next, negative where it reads backwards, 0 where
        there is no telling.
    letters : ndarray (rows, 4, filters)
        What a sequence of one letter alone answers.
    """

    axes: tuple[int, int]
    rows: int
    dealt: bool
    bases: Bases
    steps: Bases
    letters: NDArray[np.float32]


@dataclass(frozen=True)
class _Kernel:
    """A kernel that is replaced: its tensor, and the axis that lies along the sequence."""

    tensor: str
    shape: tuple[int, ...]
    dtype: Any
    axis: int
    depthwise: bool

    @property
    def width(self) -> int:
        return self.shape[self.axis]

    def column(self, place: int) -> NDArray[np.float32]:
        """The kernel with positive random numbers in one column, zero elsewhere."""
        drawn = np.random.default_rng(0).uniform(0.5, 1.5, self.shape)
        kept = np.zeros(self.shape)
        where = [slice(None)] * len(self.shape)
        where[self.axis] = slice(place, place + 1)
        kept[tuple(where)] = drawn[tuple(where)]
        inputs = self.shape[1 - self.axis] * (1 if self.depthwise else self.shape[2])
        return (kept / inputs).astype(np.float32)


# sequences (n, length, 4) to the values of the tensors
_Read = Callable[[Any], list[Any]]


def find_places(
    graph_def: Any,
    sequences: Any,
    tensors: Sequence[Any],
    convolutions: Sequence[Any],
    blocks: Sequence[Sequence[int] | None],
) -> list[Places | Unplaced]:
    """Tell which bases the values of scans lie on.

    Parameters
    ----------
    graph_def : GraphDef
    sequences : tensor (n, length, 4)
    tensors : sequence of tensor
    convolutions : sequence of Operation
        All that the tensors are computed from.
    blocks : sequence of sequences of int or None
        Of each tensor, how many filters in a row lie alike; None where any may lie elsewhere.

    Returns
    -------
    list of Places or Unplaced
        Of each tensor.
    """
    length = int(sequences.shape[1])
    kernels = [_kernel(op) for op in convolutions]
    # read backwards, an even kernel's middle is the other one of the two
    columns = {
        "middle": tuple(k.width // 2 for k in kernels),
        "backwards": tuple((k.width - 1) // 2 for k in kernels),
        "beside": tuple(max(k.width // 2 - 1, 0) for k in kernels),
    }
    reads = {
        each: _function(graph_def, sequences, tensors, kernels, each)
        for each in set(columns.values())
    }
    first = reads[columns["middle"]]
    answers = zip(*_calls(first, length), blocks, strict=True)
    layouts = [_layout(*values) for values in answers]
    # of any two letters one raises a maximum; no pooled filters stand before a first convolution
    letters = range(2 if None not in blocks and len(kernels) <= len(tensors) else 4)
    seen = {each: _Stretches(read, layouts, letters, length) for each, read in reads.items()}
    alone = [np.stack(v) for v in zip(*(first(_letter(i, 1, length)) for i in range(4)),
                                      strict=True)]  # fmt: skip
    found: list[Places | Unplaced] = []
    for number, layout in enumerate(layouts):
        try:
            if isinstance(layout, Unplaced):
                raise layout
            found.append(_found_at(layout, {n: seen[c] for n, c in columns.items()}, number,
                                   alone[number]))  # fmt: skip
        except Unplaced as error:
            found.append(error)
    return found


def _letter(letter: int, number: int, length: int) -> NDArray[np.float32]:
    """Sequences (number, length, 4) of one letter alone."""
    one_hot = np.zeros((number, length, 4), np.float32)
    one_hot[:, :, letter] = 1
    return one_hot


def _kernel(op: Any) -> _Kernel:
    """Where a convolution's kernel lies; along the sequence is the axis with more positions."""
    tensor = op.inputs[1]
    extents = op.outputs[0].shape.as_list()[1:3] if op.outputs[0].shape.rank else [None, None]
    shape = tuple(int(n) for n in tensor.shape)
    height, width = (n or 0 for n in extents)
    along = (height > width) if height != width else shape[0] > shape[1]
    depthwise = op.type == "DepthwiseConv2dNative"
    return _Kernel(tensor.name, shape, tensor.dtype, 0 if along else 1, depthwise)


def _function(
    graph_def: Any,
    sequences: Any,
    tensors: Sequence[Any],
    kernels: Sequence[_Kernel],
    columns: tuple[int, ...],
) -> _Read:
    """The tensors' values under kernels of one column each."""

    def with_columns() -> None:
        replaced = {
            kernel.tensor: tf.constant(kernel.column(column), kernel.dtype, name="column")
            for kernel, column in zip(kernels, columns, strict=True)
        }
        tf.graph_util.import_graph_def(graph_def, input_map=replaced, name="network")

    with tf.device("/CPU:0"):
        imported = tf.compat.v1.wrap_function(with_columns, [])

    def named(name: str) -> Any:
        return imported.graph.get_tensor_by_name(f"network/{name}")

    pruned = imported.prune(named(sequences.name), [named(t.name) for t in tensors])

    def read(one_hot: Any) -> list[Any]:
        with tf.device("/CPU:0"):
            return [
                np.asarray(v).astype(np.float32, copy=False) for v in pruned(tf.constant(one_hot))
            ]

    return read


@dataclass(frozen=True)
class _Layout:
    """How a tensor holds sequences, positions and filters.

    Attributes
    ----------
    kept : (int, int)
        The axes that hold positions and filters, in either order.
    rows : int
    dealt : bool
        See `scans.Part`.
    filters_at : int or None
        0 or 1, which of the two axes is known to hold the filters.
    sizes : tuple of int or None
        Filters of each block.
    """

    kept: tuple[int, int]
    rows: int
    dealt: bool
    filters_at: int | None
    sizes: tuple[int, ...] | None

    @property
    def sampled(self) -> tuple[int, ...] | None:
        """How many filters of each block stand for it."""
        if self.sizes is None or self.filters_at is None:
            return self.sizes
        return tuple(min(size, _SAMPLE) for size in self.sizes)

    def sample(self, values: Any) -> Any:
        """Some filters (n, rows, a, b) of each block, all where their axis is not known."""
        if self.sizes is not None and self.filters_at is not None:
            starts = np.cumsum([0, *self.sizes[:-1]])
            kept = [s + i for s, n in zip(starts, self.sizes, strict=True)
                    for i in range(min(n, _SAMPLE))]  # fmt: skip
            if len(kept) < values.shape[self.kept[self.filters_at]]:
                values = np.take(values, kept, axis=self.kept[self.filters_at])
        return self.split(values)

    def by_block(self, changes: Any) -> Any:
        """Changes (n, rows, a, b) of sampled filters, the largest of each block for all of it."""
        if self.sampled is None or self.filters_at is None:
            return changes
        starts = np.cumsum([0, *self.sampled[:-1]])
        axis = 2 + self.filters_at
        return np.repeat(np.maximum.reduceat(changes, starts, axis=axis), self.sampled, axis=axis)

    def split(self, values: Any) -> Any:
        """Values (n, rows, a, b) of a tensor (n x rows, ...)."""
        found = np.moveaxis(values, self.kept, (-2, -1)).reshape(
            len(values), *(values.shape[i] for i in self.kept)
        )
        shape = (self.rows, -1) if self.dealt else (-1, self.rows)
        split = found.reshape(*shape, *found.shape[1:])
        return np.swapaxes(split, 0, 1) if self.dealt else split


def _calls(read: _Read, length: int) -> list[list[Any]]:
    """What two equal sequences answer, what two unlike ones do, and what three do."""
    two, unlike = _letter(0, 2, length), _letter(0, 2, length)
    unlike[1] = _letter(1, 1, length)
    return [read(two), read(unlike), read(_letter(0, 3, length))]


def _layout(two: Any, unlike: Any, three: Any, blocks: Sequence[int] | None) -> _Layout | Unplaced:
    """How a tensor holds sequences, positions and filters."""
    extents = two.shape[1:]
    kept = [i for i, extent in enumerate(extents, start=1) if extent > 1]
    # filters or positions may be one alone, the last of the axes that are
    ones = [i for i in range(len(extents), 0, -1) if i not in kept]
    kept = sorted([*kept, *ones[: max(2 - len(kept), 0)]])
    if len(kept) != 2:
        shape = ", ".join(map(str, extents))
        return Unplaced(f"values of shape ({shape}) are no positions and filters")
    if len(two) % 2 or len(two) // 2 * 3 != len(three) or three.shape[1:] != extents:
        return Unplaced("its rows are not those of single sequences")
    rows = len(two) // 2
    changed = np.flatnonzero((two != unlike).reshape(len(two), -1).any(axis=1))
    if (changed >= rows).all():
        dealt = False
    elif (changed % 2 == 1).all():
        dealt = True
    else:
        return Unplaced("one sequence changes another one's values")
    fits = [i for i in (0, 1) if blocks is not None and two.shape[kept[i]] == sum(blocks)]
    if blocks is not None and not fits:
        shape = ", ".join(map(str, extents))
        return Unplaced(f"values of shape ({shape}) are not those of {sum(blocks)} filters")
    return _Layout(
        (kept[0], kept[1]),
        rows,
        dealt,
        fits[0] if len(fits) == 1 else None,
        None if blocks is None else tuple(blocks),
    )


def _changes(
    read: _Read, layouts: Sequence[_Layout | Unplaced], letters: Sequence[int], length: int
) -> Iterator[tuple[Bases, list[Any]]]:
    """Bases (c,), and how much each of them changes the values (c, rows, a, b) of each tensor.

    Every base of sequences of one letter is replaced by the next letter, and the larger change
    counts, also of the filters of one block. What is rounding is 0; a tensor without a layout has
    None.
    """

    def values(one_hot: Any) -> list[Any]:
        return [
            None if isinstance(layout, Unplaced) else layout.sample(found)
            for layout, found in zip(layouts, read(one_hot), strict=True)
        ]

    before = [values(_letter(letter, 1, length)) for letter in letters]
    most = max(sum(v.size for v in before[0] if v is not None), 1)
    step = int(np.clip(_VALUES // most, 1, length))
    for start in range(0, length, step):
        bases = np.arange(start, min(start + step, length))
        largest: list[Any] = [None] * len(layouts)
        for letter, old in zip(letters, before, strict=True):
            mutants = _letter(letter, len(bases), length)
            mutants[np.arange(len(bases)), bases] = np.eye(4)[(letter + 1) % 4]
            for number, new in enumerate(values(mutants)):
                if new is None:
                    continue
                change = np.abs(new - old[number])
                change[change <= _ROUNDING * np.abs(old[number]).max()] = 0
                known = largest[number]
                largest[number] = change if known is None else np.maximum(known, change)
        yield (
            bases,
            [
                None if isinstance(layout, Unplaced) else layout.by_block(change)
                for layout, change in zip(layouts, largest, strict=True)
            ],
        )


class _Stretches:
    """First and last base (rows, a, b) that changes each value of each tensor; -1 for none."""

    def __init__(
        self,
        read: _Read,
        layouts: Sequence[_Layout | Unplaced],
        letters: Sequence[int],
        length: int,
    ) -> None:
        self._asked = (read, layouts, letters, length)
        self._most: list[Any] = [0] * len(layouts)
        self._mainly: list[Any] | None = None
        self._found: list[Any] = [[length, -1] for _ in layouts]
        for bases, changes in _changes(*self._asked):
            for number, change in enumerate(changes):
                if change is not None:
                    self._most[number] = np.maximum(self._most[number], change.max(axis=0))
                    self._found[number] = _widened(self._found[number], change > 0, bases, length)

    def of(self, number: int) -> tuple[Bases, Bases]:
        """The stretch of any change at all."""
        first, last = self._found[number]
        return first, last

    def mainly(self, number: int) -> tuple[Bases, Bases]:
        """The stretch of the large changes, where the others are small.

        Raises
        ------
        Unplaced
            If changes are of every size.
        """
        if self._mainly is None:
            length = self._asked[-1]
            found: list[Any] = [[length, -1] for _ in self._most]
            unclear = [False for _ in self._most]
            for bases, changes in _changes(*self._asked):
                for at, change in enumerate(changes):
                    if change is not None:
                        most = self._most[at]
                        # what changes far less than other values lies on padding
                        placed = most > _ON_A_BASE * most.max()
                        large = (change >= _LARGE * most) & placed
                        found[at] = _widened(found[at], large, bases, length)
                        unclear[at] |= bool((placed & ~large & (change > _SMALL * most)).any())
            self._mainly = [None if u else f for u, f in zip(unclear, found, strict=True)]
        if self._mainly[number] is None:
            raise Unplaced("its values depend on many bases, more or less")
        first, last = self._mainly[number]
        return first, last


def _widened(stretch: Any, changed: Any, bases: Bases, length: int) -> list[Any]:
    """First and last base that changes values, with what further bases (c,) change."""
    first, last = stretch
    which = bases.reshape(-1, 1, 1, 1)
    return [
        np.minimum(first, np.where(changed, which, length).min(axis=0)),
        np.maximum(last, np.where(changed, which, -1).max(axis=0)),
    ]


def _found_at(layout: _Layout, seen: dict[str, _Stretches], number: int, alone: Any) -> Places:
    """Places of one tensor; what every base changes a little lies where few change it much."""
    try:
        return _placed(layout, {name: each.of(number) for name, each in seen.items()}, alone)
    except Unplaced:
        return _placed(layout, {name: each.mainly(number) for name, each in seen.items()}, alone)


def _placed(layout: _Layout, stretches: dict[str, tuple[Bases, Bases]], alone: Any) -> Places:
    """Places of one tensor, from the stretches that its values read."""
    filters_last = (
        _positions_first(*stretches["middle"])
        if layout.filters_at is None
        else layout.filters_at == 1
    )
    bases = {}
    for name, (first, last) in stretches.items():
        if not filters_last:
            first, last = first.swapaxes(1, 2), last.swapaxes(1, 2)
        bases[name] = _middles(*_joined(first, last, layout.sampled))
    steps = _steps(bases["middle"], bases["beside"])
    turned = np.where(steps[..., None] < 0, bases["backwards"], bases["middle"])
    a, b = layout.kept
    letters = np.stack([layout.split(values)[0] for values in alone])
    return Places(
        (a, b) if filters_last else (b, a),
        layout.rows,
        layout.dealt,
        turned,
        steps,
        _answers(letters if filters_last else letters.swapaxes(2, 3), turned, layout.sizes),
    )


def _positions_first(first: Bases, last: Bases) -> bool:
    """Whether positions come before filters: the axis that the bases change along."""
    seen = np.ma.masked_array((first + last) / 2, last < 0)
    along = [float(np.ma.filled(seen.std(axis=axis).mean(), 0)) for axis in (1, 2)]
    return along[0] >= along[1]


def _joined(first: Bases, last: Bases, blocks: Sequence[int] | None) -> tuple[Bases, Bases]:
    """Stretches (blocks, rows, positions) of blocks of filters (rows, positions, filters)."""
    filters = first.shape[2]
    sizes = [1] * filters if blocks is None else list(blocks)
    starts = np.cumsum([0, *sizes[:-1]])
    return (
        np.moveaxis(np.minimum.reduceat(first, starts, axis=2), 2, 0),
        np.moveaxis(np.maximum.reduceat(last, starts, axis=2), 2, 0),
    )


def _middles(first: Bases, last: Bases) -> Bases:
    """Middles (blocks, rows, positions) of stretches, -1 where there is none."""
    seen = last >= 0
    width = np.where(seen, last - first + 1, 0)
    read = seen.any(axis=(1, 2))
    if not read.any():
        raise Unplaced("no base changes its values")
    for block in np.flatnonzero(read):
        widths = width[block][seen[block]]
        widest = widths.max()
        everything = last[block].max() - first[block][seen[block]].min() + 1
        if widest > 1 and len(widths) > 1:
            if widest == everything:
                raise Unplaced("some of its values depend on every base")
            if (widths == widest).mean() < _WHOLE:
                raise Unplaced("its values depend on stretches of unlike width")
    middles = np.where(seen, first + width // 2, -1)
    if not read.all():
        # what an activation holds down lies where the other filters do, if they all lie alike
        alive = middles[read]
        if (alive != alive[0]).any():
            raise Unplaced("no base changes the values of some of its filters")
        middles[~read] = alive[0]
    return middles


def _steps(middle: Bases, beside: Bases) -> Bases:
    """Bases (blocks, rows) from one column of the kernels to the next."""
    steps = np.zeros(middle.shape[:2], np.intp)
    for place in np.ndindex(*steps.shape):
        here, next_to = middle[place], beside[place]
        moved = (here - next_to)[(here >= 0) & (next_to >= 0)]
        if not moved.any():
            # kernels of one column: the order of the positions
            moved = np.diff(here[here >= 0])
        steps[place] = np.median(moved) if len(moved) else 0
    return steps


def _answers(letters: Any, bases: Bases, blocks: Sequence[int] | None) -> Any:
    """What letters (rows, 4, filters) answer at a position of each row that sees a base."""
    rows, filters = letters.shape[1], letters.shape[3]
    sizes = [1] * filters if blocks is None else list(blocks)
    found = np.zeros((rows, 4, filters), np.float32)
    for row in range(rows):
        places = np.repeat((bases[:, row] >= 0).argmax(axis=1), sizes)
        found[row] = letters[:, row, places, np.arange(filters)]
    return found
