"""Operations that only move values, each asked where its values come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from ..multipliers.pairs import rerun
from .patches import NotLocal, Patches, Positions, from_order, stretch

MOVES = frozenset(
    """
    EnsureShape ExpandDims GatherV2 MirrorPad Pad PadV2 Reshape ReverseV2 Roll Slice Split SplitV
    Squeeze StridedSlice Tile Transpose
    """.split()  # noqa: SIM905
)
# whole numbers that single precision holds
_MOST = 1 << 24


@dataclass(frozen=True)
class _Move:
    """Where the values of an output come from.

    Attributes
    ----------
    axis : int
        The output's axis of positions.
    sources : ndarray (positions,)
        The input's position of each; -1 for padding.
    columns : ndarray
        Of a position's values, which one of the input's each is.
    """

    axis: int
    sources: Positions
    columns: Positions


def move(op: Any, inputs: list[Any], live: set[int]) -> list[Patches]:
    """The outputs of an operation that moves values; see `rules.RULES`."""
    (at,) = [i for i, x in enumerate(inputs) if isinstance(x, Patches)]
    patches = inputs[at]
    padding = 0.0
    others: list[Any] = [tf.get_static_value(t) for t in op.inputs]
    if op.type == "Reshape":
        others[1] = np.array([-1, *extents_of(op.outputs[0])], op.inputs[1].dtype.as_numpy_dtype)
    elif live != {at}:
        raise NotLocal(op.type)
    if any(other is None for i, other in enumerate(others) if i != at):
        raise NotLocal(op.type)
    if op.type == "PadV2":
        padding = float(others[2])
        others[2] = np.zeros_like(others[2])
    return [
        _moved(patches, output, _from(patches, found), padding)
        for output, found in zip(op.outputs, _asked(op, at, patches, others), strict=True)
    ]


def extents_of(tensor: Any) -> list[int]:
    """Extents of a tensor without that of the sequences, if all are known."""
    extents: list[Any] = tensor.shape.as_list()[1:] if tensor.shape.rank else [None]
    if None in extents:
        raise NotLocal(tensor.op.type)
    return extents


def _asked(op: Any, at: int, patches: Patches, others: list[Any]) -> list[Any]:
    """The outputs for two sequences whose values are numbered from 1 on."""
    size = int(np.prod(patches.shape))
    kind = op.inputs[at].dtype
    if 2 * size > _MOST or kind != tf.float32:
        raise NotLocal(op.type)
    numbers = np.arange(1, 2 * size + 1, dtype=np.float32)
    numbers = numbers.reshape(2, patches.length, *patches.rest)
    others[at] = np.moveaxis(numbers, 1, patches.axis)
    with tf.Graph().as_default() as graph, tf.device("/CPU:0"):
        moved = rerun(op, [tf.constant(other) for other in others])
        with tf.compat.v1.Session(graph=graph) as session:
            outputs: list[Any] = session.run(list(moved.outputs))
    return outputs


def _from(patches: Patches, found: Any) -> _Move:
    """Where each value of an output comes from.

    Raises
    ------
    NotLocal
        Unless each position of the output holds values of one position, the same ones everywhere.
    """
    if found.ndim < 2 or len(found) != 2:
        raise NotLocal("the sequences are on no axis of their own")
    size = int(np.prod(patches.shape))
    one, two = found.astype(np.int64)
    if not np.array_equal(np.where(one > 0, one + size, 0), two):
        raise NotLocal("sequences are mixed")
    per_position = int(np.prod(patches.rest))
    for axis in range(1, found.ndim):
        numbers = np.moveaxis(one, axis - 1, 0).reshape(found.shape[axis], -1)
        if not numbers.size:
            raise NotLocal("nothing is left")
        padded = numbers[:, 0] == 0
        position, column = np.divmod(numbers - 1, per_position)
        kept, columns = position[~padded], column[~padded]
        if (
            len(kept)
            and not numbers[padded].any()
            and numbers[~padded].all()
            and (kept == kept[:, :1]).all()
            and (columns == columns[0]).all()
        ):
            return _Move(axis, np.where(padded, -1, position[:, 0]), columns[0])
    raise NotLocal("positions are mixed")


def _moved(patches: Patches, output: Any, move: _Move, padding: float) -> Patches:
    unchanged = from_order(output, move.axis)
    rest = [int(n) for n in unchanged.shape[2:]]
    same = np.array_equal(move.sources, np.arange(patches.length))
    first, last = (patches.first, patches.last) if same else _reached(patches, move.sources)
    start, width = stretch(first, last, len(move.sources))
    values = patches.read(start, width, padding, None if same else move.sources)
    size = int(np.prod(patches.rest))
    if not np.array_equal(move.columns, np.arange(size)):
        flat = tf.reshape(values, (-1, width, size))
        values = tf.gather(flat, tf.constant(move.columns.astype(np.int32)), axis=2)
    values = tf.reshape(values, (-1, width, *rest))
    return Patches(patches.mutants, unchanged, values, move.axis, first, last)


def _reached(patches: Patches, sources: Positions) -> tuple[Positions, Positions]:
    """First and last place whose source a substitution may change."""
    places, length = len(sources), patches.length
    first_of, last_of = np.full(length, places), np.full(length, -1)
    taken = np.flatnonzero(sources >= 0)
    np.minimum.at(first_of, sources[taken], taken)
    np.maximum.at(last_of, sources[taken], taken)
    first, last = np.full(len(patches.first), places), np.full(len(patches.first), -1)
    for step in range(int((patches.last - patches.first).max()) + 1):
        position = patches.first + step
        within = position <= patches.last
        position = np.clip(position, 0, length - 1)
        first = np.where(within, np.minimum(first, first_of[position]), first)
        last = np.where(within, np.maximum(last, last_of[position]), last)
    return first, last
