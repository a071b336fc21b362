"""How far each kind of operation carries a change, and its values where it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from ....frozen.ops import ELEMENT_WISE, PASS_THROUGH
from ..multipliers.pairs import rerun
from .moves import MOVES, extents_of, move
from .patches import NotLocal, Patches, Positions, from_order, joined, stretch, to_order

# where a stretch is so much of a tensor, cutting it out costs more than it saves
_MOST = 0.8
_HALF = (tf.float16, tf.bfloat16)

# operation, its inputs (Patches where a substitution changes them, else tensors) and which of them
# depend on the sequences, to its outputs
Rule = Callable[[Any, list[Any], set[int]], list[Any]]


@dataclass(frozen=True)
class Window:
    """What an operation reads at each position of its output.

    Output position o reads ``o * stride - before + j * dilation``, j from 0 to ``taps - 1``.
    """

    taps: int
    stride: int
    dilation: int
    before: int
    length: int

    @property
    def span(self) -> int:
        """Positions from the first that one output reads to the last."""
        return (self.taps - 1) * self.dilation + 1

    def reached(self, patches: Patches) -> tuple[Positions, Positions]:
        """First and last output that reads a position from the first to the last changed one."""
        first = -((self.span - 1 - self.before - patches.first) // self.stride)
        last = (patches.last + self.before) // self.stride
        first, last = np.maximum(first, 0), np.minimum(last, self.length - 1)
        none = (patches.last < patches.first) | (last < first)
        return np.where(none, self.length, first), np.where(none, -1, last)

    def inside(self, length: int) -> Any:
        """How many of the positions that each output reads lie within an input."""
        read = np.arange(self.length)[:, None] * self.stride - self.before
        read = read + np.arange(self.taps) * self.dilation
        return ((read >= 0) & (read < length)).sum(axis=1)


@dataclass(frozen=True, eq=False)
class Dealt:
    """A dilated convolution as TensorFlow writes it: positions dealt into sequences of their own.

    Attributes
    ----------
    first, convolution, last : Operation
        SpaceToBatchND, the convolution without padding, BatchToSpaceND.
    between : tuple of Operation
        All of them from first to last, in running order.
    """

    first: Any
    convolution: Any
    last: Any
    between: tuple[Any, ...]

    def settings(self) -> tuple[int, int, int]:
        """Every how many positions are read, padding and crop before the first."""
        values = [tf.get_static_value(t) for t in (*self.first.inputs[1:], *self.last.inputs[1:])]
        if any(v is None for v in values):
            raise NotLocal("a dilated convolution")
        rate, padding, back, crops = values
        strides = list(self.convolution.node_def.attr["strides"].list.i)
        dilations = list(self.convolution.node_def.attr["dilations"].list.i)
        plain = self.convolution.get_attr("padding") == b"VALID" and {*strides, *dilations} <= {1}
        kernel = self.convolution.inputs[1].shape
        if len(rate) != 1 or list(rate) != list(back) or not plain or kernel[0] != 1:
            raise NotLocal("a dilated convolution")
        return int(rate[0]), int(padding[0][0]), int(crops[0][0])


def dealt(last: Any) -> Dealt | None:
    """The dilated convolution that an operation ends, if it does."""
    between, convolution, op = [last], None, last
    if last.type != "BatchToSpaceND":
        return None
    while op.type != "SpaceToBatchND":
        op = op.inputs[0].op
        if op.type not in ("Squeeze", "Conv2D", "ExpandDims", "SpaceToBatchND"):
            return None
        if len(op.outputs[0].consumers()) != 1 or (op.type == "Conv2D" and convolution):
            return None
        convolution = op if op.type == "Conv2D" else convolution
        between.append(op)
    if convolution is None or op.outputs[0].shape.rank != 3 or last.outputs[0].shape.rank != 3:
        return None
    if convolution.inputs[0].shape[1] != 1 or convolution.outputs[0].shape[1] != 1:
        return None
    return Dealt(op, convolution, last, tuple(reversed(between)))


def slide(
    patches: Patches,
    window: Window,
    output: Any,
    axis: int,
    run: Callable[[Any], Any],
    padding: float = 0,
    scale: Any = None,
) -> Patches:
    """The output of an operation that reads windows.

    Parameters
    ----------
    patches : Patches
    window : Window
    output : tensor
        Of the unchanged sequences.
    axis : int
        Its axis of positions.
    run : callable
        The operation without padding, on values in the network's order.
    padding : float
        The value beyond the ends.
    scale : ndarray (positions,), optional
        What the output is multiplied by at each position.
    """
    first, last = window.reached(patches)
    start, width = stretch(first, last, window.length)
    if width > _MOST * window.length:
        raise NotLocal("a substitution reaches most positions")
    extent = (width - 1) * window.stride + window.span
    read = patches.read(start * window.stride - window.before, extent, padding)
    values = from_order(run(to_order(read, patches.axis)), axis)
    if scale is not None:
        mutants = patches.mutants
        factor = mutants.of_call(scale[start[:, None] + np.arange(width)])
        rest = [int(n) for n in values.shape[2:]]
        by_position = tf.reshape(
            values, (-1, mutants.per_call, mutants.others, width, int(np.prod(rest)))
        )
        values = tf.reshape(by_position * factor[:, None, :, None], (-1, width, *rest))
    return Patches(patches.mutants, from_order(output, axis), values, axis, first, last)


def _window(op: Any, patches: Patches, taps: list[int]) -> Window:
    """How an operation over two axes, the positions on one of them, reads its input.

    ``taps`` are the extents of its kernel or window.
    """
    axis, other = patches.axis, 3 - patches.axis
    if op.get_attr("data_format") != b"NHWC" or axis not in (1, 2) or len(patches.shape) != 3:
        raise NotLocal(op.type)
    attributes = op.node_def.attr
    strides = list(attributes["strides"].list.i)
    dilations = list(attributes["dilations"].list.i) or [1, 1, 1, 1]
    kind = op.get_attr("padding")
    length = int(op.outputs[0].shape[axis])
    stride, dilation, reads = strides[axis], dilations[axis], taps[axis - 1]
    if kind == b"VALID":
        before = 0
    elif kind == b"SAME" and (taps[other - 1], strides[other]) == (1, 1):
        span = (reads - 1) * dilation + 1
        before = max((length - 1) * stride + span - patches.length, 0) // 2
    else:
        raise NotLocal(op.type)
    return Window(reads, stride, dilation, before, length)


def convolution(op: Any, inputs: list[Any], live: set[int]) -> list[Any]:
    """A kernel that is no function of the sequence."""
    if live != {0}:
        raise NotLocal(op.type)
    patches, kernel = inputs
    window = _window(op, patches, [int(n) for n in kernel.shape[:2]])
    attributes = op.node_def.attr
    fixed = {
        "strides": list(attributes["strides"].list.i),
        "dilations": list(attributes["dilations"].list.i) or [1, 1, 1, 1],
        "padding": "VALID",
    }
    apply = {
        "Conv2D": tf.raw_ops.Conv2D,
        "DepthwiseConv2dNative": tf.raw_ops.DepthwiseConv2dNative,
    }[op.type]

    def run(values: Any) -> Any:
        return apply(input=values, filter=kernel, **fixed)

    return [slide(patches, window, op.outputs[0], patches.axis, run)]


def dilated(chain: Dealt, inputs: list[Any], live: set[int]) -> list[Any]:
    """A convolution of every so many positions; see `Dealt`."""
    patches, kernel = inputs[0], chain.convolution.inputs[1]
    rate, padding, crops = chain.settings()
    output = chain.last.outputs[0]
    if live != {0} or len(patches.shape) != 2 or patches.axis != 1:
        raise NotLocal("a dilated convolution")
    window = Window(int(kernel.shape[1]), 1, rate, padding - crops, int(output.shape[1]))

    def run(values: Any) -> Any:
        found = tf.raw_ops.Conv2D(
            input=values[:, None],
            filter=kernel,
            strides=[1, 1, 1, 1],
            dilations=[1, 1, rate, 1],
            padding="VALID",
        )
        return found[:, 0]

    return [slide(patches, window, output, 1, run)]


def pooling(op: Any, inputs: list[Any], live: set[int]) -> list[Any]:
    """A maximum or a mean over windows; padding is no part of either."""
    patches = inputs[0]
    extents = list(op.node_def.attr["ksize"].list.i)
    if extents[0] != 1 or extents[3] != 1:
        raise NotLocal(op.type)
    window = _window(op, patches, extents[1:3])
    apply = {"MaxPool": tf.raw_ops.MaxPool, "AvgPool": tf.raw_ops.AvgPool}[op.type]
    strides = list(op.node_def.attr["strides"].list.i)

    def run(values: Any) -> Any:
        name = "input" if op.type == "MaxPool" else "value"
        return apply(**{name: values}, ksize=extents, strides=strides, padding="VALID")

    padding, scale = -np.inf, None
    if op.type == "AvgPool":
        padding, inside = 0.0, window.inside(patches.length)
        if (inside < window.taps).any():
            scale = (window.taps / inside).astype(patches.values.dtype.as_numpy_dtype)
    return [slide(patches, window, op.outputs[0], patches.axis, run, padding, scale)]


def position_by_position(
    op: Any, inputs: list[Any], live: set[int], outputs: int | None = None
) -> list[Any]:
    """An operation whose first outputs at a position depend on nothing but its inputs there."""
    patches = [x for x in inputs if isinstance(x, Patches)]
    one, rank = patches[0], len(patches[0].shape) + 1
    if len(patches) < len(live) or any(
        (p.axis, p.length, len(p.shape) + 1) != (one.axis, one.length, rank) for p in patches
    ):
        raise NotLocal(op.type)
    first, last = joined(patches)
    start, width = stretch(first, last, one.length)
    if len(patches) > 1 and width > _MOST * one.length:
        raise NotLocal("a substitution reaches most positions")
    given = [
        to_order(x.read(start, width), one.axis) if isinstance(x, Patches) else x for x in inputs
    ]
    found = []
    axis = _axis_after(op, one.axis, rank)
    for output, values in list(zip(op.outputs, rerun(op, given).outputs, strict=True))[:outputs]:
        if (output.shape.rank or 0) <= axis or output.shape[axis] != one.length:
            raise NotLocal(op.type)
        found.append(
            Patches(
                one.mutants,
                from_order(output, axis),
                from_order(values, axis),
                axis,
                first,
                last,
            )
        )
    return found


def element_wise(op: Any, inputs: list[Any], live: set[int]) -> list[Any]:
    """Constants must be the same at every position."""
    axis, rank = next((x.axis, len(x.shape) + 1) for x in inputs if isinstance(x, Patches))
    if op.type == "BiasAdd" and op.get_attr("data_format") != b"NHWC":
        raise NotLocal(op.type)
    for tensor in (x for x in inputs if not isinstance(x, Patches)):
        extents = tensor.shape.as_list() if tensor.shape.rank is not None else [None] * (rank + 1)
        if len(extents) > rank:
            raise NotLocal(op.type)
        aligned = [1] * (rank - len(extents)) + extents
        if aligned[0] != 1 or aligned[axis] != 1:
            raise NotLocal(op.type)
    return position_by_position(op, inputs, live)


def passed_on(op: Any, inputs: list[Any], live: set[int]) -> list[Any]:
    """Inputs are outputs."""
    return [x if i in live else op.outputs[i] for i, x in enumerate(inputs)]


def normalised(op: Any, inputs: list[Any], live: set[int]) -> list[Any]:
    """Batch norm with constant statistics, of filters on the last axis."""
    patches = inputs[0]
    if live != {0} or op.get_attr("is_training") or op.get_attr("data_format") != b"NHWC":
        raise NotLocal(op.type)
    if patches.axis == 3:
        raise NotLocal(op.type)
    # the others are the statistics
    return [*position_by_position(op, inputs, live, outputs=1), *op.outputs[1:]]


def over_filters(op: Any, inputs: list[Any], live: set[int]) -> list[Any]:
    """A softmax over the last axis."""
    if inputs[0].axis == len(inputs[0].shape):
        raise NotLocal(op.type)
    return position_by_position(op, inputs, live)


def dense(op: Any, inputs: list[Any], live: set[int]) -> list[Any]:
    """The same matrix at every position."""
    patches, kernel = inputs
    if live != {0} or kernel.shape.rank != 2 or op.get_attr("adj_x"):
        raise NotLocal(op.type)
    if patches.axis == len(patches.shape):
        raise NotLocal(op.type)
    return position_by_position(op, inputs, live)


def concatenation(op: Any, inputs: list[Any], live: set[int]) -> list[Any]:
    """Side by side on another axis than that of positions."""
    *parts, along = inputs
    axis = tf.get_static_value(along) if not isinstance(along, Patches) else None
    if axis is None or not all(isinstance(part, Patches) for part in parts):
        raise NotLocal(op.type)
    if int(axis) % (len(parts[0].shape) + 1) in (0, parts[0].axis):
        raise NotLocal(op.type)
    return position_by_position(op, inputs, live)


def reduction(op: Any, inputs: list[Any], live: set[int]) -> list[Any]:
    """A sum, a mean or a maximum: over other axes, or over all positions."""
    axes = _reduced(op, inputs)
    patches = inputs[0]
    if 0 in axes:
        raise NotLocal(op.type)
    if patches.axis not in axes:
        return position_by_position(op, inputs, live)
    if axes != {patches.axis} or op.type not in ("Mean", "Sum", "Max", "Min"):
        raise NotLocal(op.type)
    values = _over_positions(patches, op.type)
    return [tf.reshape(values, (-1, *extents_of(op.outputs[0])))]


def _over_positions(patches: Patches, kind: str) -> Any:
    """What all positions (n x mutants, 1, ...) are together: those of the stretch and around it."""
    join, neutral = {
        "Mean": (tf.add, 0),
        "Sum": (tf.add, 0),
        "Max": (tf.maximum, -np.inf),
        "Min": (tf.minimum, np.inf),
    }[kind]
    if not patches.values.dtype.is_floating:
        raise NotLocal(kind)
    start, width = patches.stretch
    mutants, size = patches.mutants, int(np.prod(patches.rest))
    unchanged = tf.reshape(patches.unchanged, (-1, patches.length, size))
    nothing = tf.fill((tf.shape(unchanged)[0], 1, size), tf.cast(neutral, unchanged.dtype))
    before = _running(tf.concat((nothing, unchanged), 1), join, neutral)
    back = tf.concat((nothing, tf.reverse(unchanged, [1])), 1)
    after = _running(back, join, neutral)
    left = tf.gather(before, mutants.of_call(start.astype(np.int32)), axis=1)
    right = tf.gather(
        after, mutants.of_call((patches.length - start - width).astype(np.int32)), axis=1
    )
    shape = (-1, mutants.per_call, mutants.others, width, size)
    reduce = {tf.add: tf.reduce_sum, tf.maximum: tf.reduce_max, tf.minimum: tf.reduce_min}[join]
    inside = reduce(tf.reshape(patches.values, shape), 3)
    found = join(join(left, right)[:, :, None], inside)
    return found / patches.length if kind == "Mean" else found


def _running(values: Any, join: Any, neutral: Any) -> Any:
    """What all positions up to each (n, positions, size) are together."""
    if join is tf.add:
        return tf.cumsum(values, 1)
    step, length = 1, int(values.shape[1])
    while step < length:
        edge = [[0, 0], [step, 0], [0, 0]]
        moved = tf.pad(values[:, :-step], edge, constant_values=tf.cast(neutral, values.dtype))
        values = join(values, moved)
        step *= 2
    return values


def _reduced(op: Any, inputs: list[Any]) -> set[int]:
    """Axes that a reduction reduces."""
    axes = None if isinstance(inputs[1], Patches) else tf.get_static_value(inputs[1])
    if axes is None or not isinstance(inputs[0], Patches):
        raise NotLocal(op.type)
    rank = len(inputs[0].shape) + 1
    return {int(axis) % rank for axis in np.ravel(axes)}


def _axis_after(op: Any, axis: int, rank: int) -> int:
    """Axis of positions behind an operation that may leave out others."""
    if op.type not in _REDUCTIONS or op.get_attr("keep_dims"):
        return axis
    axes = {int(a) % rank for a in np.ravel(tf.get_static_value(op.inputs[1]))}
    return axis - sum(a < axis for a in axes)


_REDUCTIONS = ("All", "Any", "Max", "Mean", "Min", "Prod", "Sum")
RULES: dict[str, Rule] = {
    **dict.fromkeys(ELEMENT_WISE - {"Select"}, element_wise),
    **dict.fromkeys(PASS_THROUGH, passed_on),
    **dict.fromkeys(MOVES, move),
    **dict.fromkeys(_REDUCTIONS, reduction),
    **dict.fromkeys(("Conv2D", "DepthwiseConv2dNative"), convolution),
    **dict.fromkeys(("MaxPool", "AvgPool"), pooling),
    **dict.fromkeys(("BatchMatMulV2", "BatchMatMulV3"), dense),
    **dict.fromkeys(("Softmax", "LogSoftmax"), over_filters),
    "ConcatV2": concatenation,
    "FusedBatchNormV3": normalised,
}


def apply(op: Any, inputs: list[Any], live: set[int]) -> list[Any]:
    """The outputs of an operation, its values only where a substitution changes them.

    Parameters
    ----------
    op : Operation
        On the unchanged sequences.
    inputs : list of Patches or tensor
        As every mutant has them; constants as they are.
    live : set of int
        Inputs that depend on the sequences.

    Raises
    ------
    NotLocal
        If it is not known how far the operation carries a change, or that is everywhere.
    """
    if any(t.dtype in _HALF for t in (*op.inputs, *op.outputs)) or op.type not in RULES:
        raise NotLocal(op.type)
    return RULES[op.type](op, inputs, live)
