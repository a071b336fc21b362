"""Which bases the positions of a network's tensors are centred on.

Strides, padding and windows are followed from the sequences through convolutions, pooling and
whatever leaves positions as they are. A tensor with as many positions as there are bases has one
on each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
import tensorflow as tf

from .ops import ELEMENT_WISE, PASS_THROUGH

_WINDOWS = frozenset({"AvgPool", "Conv2D", "DepthwiseConv2dNative", "MaxPool"})
_POSITION_WISE = ELEMENT_WISE | PASS_THROUGH | {"FusedBatchNormV3", "LogSoftmax", "Softmax"}
_REDUCTIONS = frozenset({"Max", "Mean", "Min", "Prod", "Sum"})
# the input that names axes, or widths by axis
_AXES = {
    **dict.fromkeys(("ExpandDims", "MirrorPad", "Pad", "PadV2", "Transpose", *_REDUCTIONS), 1),
    "ConcatV2": -1,
    "Split": 0,
    "SplitV": 2,
}


@dataclass(frozen=True)
class Positions:
    """Where the positions of a tensor lie.

    Attributes
    ----------
    axis : int
        Axis of the tensor that holds them.
    first : float
        Base that position 0 is centred on; between two bases for an even window.
    stride : int
        Bases between positions.
    """

    axis: int
    first: float = 0
    stride: int = 1


def follow_positions(
    ops: Iterable[Any], sequences: Any, depends: Callable[[Any], bool]
) -> dict[Any, Positions]:
    """Positions of every tensor of a graph for which they can be told, by its reference.

    Parameters
    ----------
    ops : iterable of Operation
        In topological order.
    sequences : tensor (n, length, 4)
    depends : callable
        Whether a tensor depends on the sequences.
    """
    length = sequences.shape[1]
    found = {sequences.ref(): Positions(1)}
    for op in ops:
        for number, output in enumerate(op.outputs):
            sources = [op.inputs[number]] if op.type == "IdentityN" else list(op.inputs)
            sources = [t for t in sources if depends(t)]
            first = next((t for t in sources if t.ref() in found), None)
            if output.ref() in found or first is None or output.shape.rank is None:
                continue
            place = _after(op, first, output, found[first.ref()])
            joins = op.type in _POSITION_WISE or op.type == "ConcatV2"
            if place is not None and joins and not _agree(sources, place, output, found):
                place = None
            if place is None and output.shape.rank == first.shape.rank:
                # an operation of any kind may keep one position a base
                place = found[first.ref()]
                place = place if output.shape[place.axis] == length else None
            if place is not None and place.axis < output.shape.rank:
                whole = output.shape[place.axis] == length
                found[output.ref()] = Positions(place.axis) if whole else place
    return found


def _agree(sources: list[Any], place: Positions, output: Any, found: dict[Any, Positions]) -> bool:
    """Whether all inputs lie where the output does; what has only one position joins any."""
    for tensor in sources:
        if tensor.shape.rank == output.shape.rank and tensor.shape[place.axis] == 1:
            continue
        other = found.get(tensor.ref())
        if other is None or (other.axis, other.stride) != (place.axis, place.stride):
            return False
        # windows of even and odd width are centred half a position apart
        if abs(other.first - place.first) > place.stride / 2:
            return False
    return True


def _after(op: Any, tensor: Any, output: Any, place: Positions) -> Positions | None:
    """Positions after an operation on a tensor; None where they cannot be told."""
    if op.type in _POSITION_WISE:
        return place if tensor.shape.rank == output.shape.rank else None
    if op.type in _WINDOWS:
        return _windowed(op, tensor, output, place)
    if op.type in ("SpaceToBatchND", "BatchToSpaceND"):
        return _dealt_out(op, place)
    if op.type == "Slice":
        begin = _constant(op.inputs[1])
        if begin is None:
            return None
        return replace(place, first=place.first + int(begin[place.axis]) * place.stride)
    if op.type == "StridedSlice":
        return _sliced(op, tensor, place)
    if op.type == "Reshape":
        return _reshaped(tensor, output, place)
    if op.type == "Squeeze":
        gone = {i % tensor.shape.rank for i in op.get_attr("squeeze_dims")}
        gone = gone or {i for i, extent in enumerate(tensor.shape) if extent == 1}
        return _without(gone, place)
    if op.type not in _AXES:
        return None
    constant = _constant(op.inputs[_AXES[op.type]])
    return None if constant is None else _renamed(op, tensor, constant, place)


def _constant(tensor: Any) -> Any:
    """Value of a tensor that depends on no input; None for any other."""
    value = tf.get_static_value(tensor)
    if value is None:
        config = tf.compat.v1.ConfigProto(device_count={"GPU": 0})
        try:
            with tf.compat.v1.Session(graph=tensor.graph, config=config) as session:
                value = session.run(tensor)
        except tf.errors.OpError:
            return None
    return np.asarray(value)


def _renamed(op: Any, tensor: Any, constant: Any, place: Positions) -> Positions | None:
    """Positions after an operation whose axes or widths stand in a constant."""
    axis, rank = place.axis, tensor.shape.rank
    if op.type == "Transpose":
        return replace(place, axis=constant.tolist().index(axis))
    if op.type in ("MirrorPad", "Pad", "PadV2"):
        return replace(place, first=place.first - float(constant[axis, 0]) * place.stride)
    if op.type == "ExpandDims":
        return replace(place, axis=axis + int(int(constant) % (rank + 1) <= axis))
    axes = {int(i) % rank for i in constant.ravel()}
    if op.type in _REDUCTIONS and not op.get_attr("keep_dims"):
        return _without(axes, place)
    return None if axis in axes else place


def _without(gone: set[int], place: Positions) -> Positions | None:
    """Positions of a tensor that has lost axes."""
    if place.axis in gone:
        return None
    return replace(place, axis=place.axis - sum(i < place.axis for i in gone))


def _windowed(op: Any, tensor: Any, output: Any, place: Positions) -> Positions | None:
    """Positions after a window has moved over them: the window's centre."""
    axis = place.axis
    layout = op.get_attr("data_format").decode()
    padding = op.get_attr("padding").decode()
    extents = tensor.shape[axis], output.shape[axis]
    if layout != "NHWC" or padding not in ("SAME", "VALID"):
        return None
    if axis not in (1, 2) or None in extents:
        return None
    stride = op.get_attr("strides")[axis]
    if op.type in ("AvgPool", "MaxPool"):
        window = op.get_attr("ksize")[axis]
    else:
        kernel = op.inputs[1].shape[axis - 1]
        if kernel is None:
            return None
        window = (kernel - 1) * op.get_attr("dilations")[axis] + 1
    before = 0
    if padding == "SAME":
        before = max((extents[1] - 1) * stride + window - extents[0], 0) // 2
    first = place.first + place.stride * ((window - 1) / 2 - before)
    return Positions(axis, first, place.stride * stride)


def _dealt_out(op: Any, place: Positions) -> Positions | None:
    """Positions dealt out among sequences and back, as a dilated convolution does."""
    blocks, widths = (_constant(t) for t in op.inputs[1:])
    if blocks is None or widths is None:
        return None
    if place.axis > len(blocks):
        return place
    block, before = int(blocks[place.axis - 1]), int(widths[place.axis - 1][0])
    if op.type == "SpaceToBatchND":
        first = place.first - before * place.stride
        return replace(place, first=first, stride=place.stride * block)
    stride = place.stride // block
    return replace(place, first=place.first + before * stride, stride=stride)


def _sliced(op: Any, tensor: Any, place: Positions) -> Positions | None:
    begin, _, steps = (_constant(t) for t in op.inputs[1:])
    masks = [op.get_attr(f"{name}_mask") for name in ("ellipsis", "new_axis", "shrink_axis")]
    extent = tensor.shape[place.axis]
    if begin is None or steps is None or any(masks) or extent is None:
        return None
    if place.axis >= len(begin):
        return place
    step = int(steps[place.axis])
    start = 0 if op.get_attr("begin_mask") >> place.axis & 1 else int(begin[place.axis])
    start = max(start + extent, 0) if start < 0 else min(start, extent)
    first = place.first + start * place.stride
    return replace(place, first=first, stride=place.stride * step) if step > 0 else None


def _reshaped(tensor: Any, output: Any, place: Positions) -> Positions | None:
    """Positions on the axis with their extent and as many values after it."""

    def key(shape: Any, axis: int) -> tuple[int, int] | None:
        inner = shape[axis:]
        return None if None in inner else (inner[0], prod(inner))

    before, after = tensor.shape.as_list(), output.shape.as_list()
    wanted = key(before, place.axis)
    found = [i for i in range(1, len(after)) if wanted is not None and key(after, i) == wanted]
    return replace(place, axis=found[0]) if len(found) == 1 else None
