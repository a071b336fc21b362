"""One form of a graph's convolutions and pools: filters last, without groups.

TensorFlow has kernels and gradients for this form on every device and in every precision, and
attribution rules meet no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

# operations over (n, filters, height, width) and the attributes that count along these axes
_BY_AXIS = {
    "AvgPool": ("ksize", "strides"),
    "Conv2D": ("strides", "dilations"),
    "DepthwiseConv2dNative": ("strides", "dilations"),
    "FusedBatchNormV3": (),
    "MaxPool": ("ksize", "strides"),
}
_TO_LAST, _TO_SECOND = (0, 2, 3, 1), (0, 3, 1, 2)


def with_filters_last(graph_def: Any) -> bool:
    """Let operations that hold filters on the second axis hold them on the last; say if any did."""
    changed = False
    for node in list(graph_def.node):
        if node.op in _BY_AXIS and node.attr["data_format"].s == b"NCHW":
            changed = True
            _transpose_around(graph_def, node)
    return changed


def without_groups(graph_def: Any, channels: dict[str, tuple[int, int]]) -> bool:
    """Take grouped convolutions apart into one for each group; whether there were any.

    Parameters
    ----------
    graph_def : GraphDef
        With filters last.
    channels : dict of str to (int, int)
        Channels of the input and of the kernel of every convolution, by its name.
    """
    changed = False
    for node in list(graph_def.node):
        given, taken = channels.get(node.name, (1, 1))
        if node.op == "Conv2D" and given != taken:
            changed = True
            _split(graph_def, node, given // taken)
    return changed


def _transpose_around(graph_def: Any, node: Any) -> None:
    kind, whole = node.attr["T"].type, node.name
    source = node.input[0]
    for name in _BY_AXIS[node.op]:
        values = list(node.attr[name].list.i)
        if values:
            node.attr[name].list.i[:] = [values[i] for i in _TO_LAST]
    pads = list(node.attr["explicit_paddings"].list.i)
    if pads:
        pairs = list(zip(pads[::2], pads[1::2], strict=True))
        node.attr["explicit_paddings"].list.i[:] = [n for i in _TO_LAST for n in pairs[i]]
    node.attr["data_format"].s = b"NHWC"
    node.name = f"{whole}/filters_last"
    node.input[0] = _transposed(graph_def, f"{whole}/to_last", source, _TO_LAST, kind)
    _transposed(graph_def, whole, node.name, _TO_SECOND, kind)


def _transposed(graph_def: Any, name: str, source: str, order: Any, kind: int) -> str:
    perm = _constant(graph_def, f"{name}/perm", np.array(order, np.int32))
    node = graph_def.node.add(name=name, op="Transpose", input=[source, perm])
    node.attr["T"].type = kind
    node.attr["Tperm"].type = tf.int32.as_datatype_enum
    return name


def _split(graph_def: Any, node: Any, groups: int) -> None:
    kind, whole = node.attr["T"].type, node.name
    parts = [
        _pieces(graph_def, f"{whole}/{side}", source, groups, kind)
        for side, source in zip(("input", "kernel"), node.input, strict=True)
    ]
    pieces = []
    for number, (x, kernel) in enumerate(zip(*parts, strict=True)):
        piece = graph_def.node.add()
        piece.CopyFrom(node)
        piece.name = f"{whole}/group_{number}"
        piece.input[:] = [x, kernel]
        pieces.append(piece.name)
    axis = _constant(graph_def, f"{whole}/axis", np.array(3, np.int32))
    joined = graph_def.node.add(name=whole, op="ConcatV2", input=[*pieces, axis])
    joined.attr["N"].i = groups
    joined.attr["T"].type = kind
    joined.attr["Tidx"].type = tf.int32.as_datatype_enum
    graph_def.node.remove(node)


def _pieces(graph_def: Any, name: str, source: str, number: int, kind: int) -> Iterator[str]:
    axis = _constant(graph_def, f"{name}/axis", np.array(3, np.int32))
    node = graph_def.node.add(name=name, op="Split", input=[axis, source])
    node.attr["num_split"].i = number
    node.attr["T"].type = kind
    return (f"{name}:{i}" if i else name for i in range(number))


def _constant(graph_def: Any, name: str, value: Any) -> str:
    node = graph_def.node.add(name=name, op="Const")
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
    node.attr["dtype"].type = tf.as_dtype(value.dtype).as_datatype_enum
    return name
