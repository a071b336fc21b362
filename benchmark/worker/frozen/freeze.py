"""Freeze a network into a graph of operations, with a small manifest of its named tensors.

The model is traced once with ``training=False`` and a free batch size, its weights are folded into
constants, and the logit and the filter scan are found in the graph itself, so that functional,
subclassed and hand-written models are treated alike.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from ..report import SubmissionError, said
from .backends import Forward, Unsupported, current
from .ops import ELEMENT_WISE, PASS_THROUGH, refuse_unknown
from .positions import follow_positions

GRAPH = "graph.pb"
MANIFEST = "network.json"
# what may stand between a convolution and its activation without changing a position's filters
_RESHAPING = frozenset({"Squeeze", "ExpandDims", "Reshape", "Transpose"})
# sequences on which a frozen network is compared with its model
CHECKED = 4
_AFFINE = frozenset({"BiasAdd", "Mul", "AddV2", "Add", "Sub", "RealDiv", "FusedBatchNormV3"})
# an order of additions in half precision moves an output by so many times as much
_ROUNDING = 100
# how a dilated convolution puts its positions back in order
_DEALT_OUT = frozenset({"BatchToSpaceND"})


@dataclass(frozen=True)
class Scan:
    """First-layer filter scan inside a frozen network.

    Attributes
    ----------
    before, after : str
        Tensors (n, positions, filters) before and after the activation.
    channels_first : bool
        Whether these tensors are (n, filters, positions) instead, as PyTorch has them.
    filters : int
    positions : int
        Positions of the scan; position ``i`` is centred on base ``first + i * stride``.
    first, stride : int
    """

    before: str
    after: str
    filters: int
    positions: int
    first: int
    stride: int
    channels_first: bool = False


@dataclass(frozen=True)
class Manifest:
    """Names of what the probe reads from a frozen network."""

    input: str
    logits: str
    has_sigmoid: bool
    scan: Scan | None

    def write(self, folder: Path, prefix: str = "") -> None:
        """Write the manifest beside its graph."""
        (folder / f"{prefix}{MANIFEST}").write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Read a manifest that ``write`` wrote."""
        raw = json.loads(path.read_text(encoding="utf-8"))
        scan = raw.pop("scan")
        return cls(**raw, scan=Scan(**scan) if scan else None)


@dataclass(frozen=True)
class Frozen:
    """A frozen network: its graph and the manifest."""

    graph_def: Any
    manifest: Manifest

    def write(self, folder: Path, prefix: str = "") -> None:
        """Write graph and manifest into a folder, their names after a prefix."""
        (folder / f"{prefix}{GRAPH}").write_bytes(self.graph_def.SerializeToString())
        self.manifest.write(folder, prefix)


def freeze(
    model: Any, input_shape: tuple[int, ...], source: str, motif_layer: Any = None
) -> Frozen:
    """Freeze a built Keras model.

    Parameters
    ----------
    model : keras.Model
    input_shape : tuple of int
        ``(length, 4)``.
    source : str
        File name of the submission, for messages.
    motif_layer : keras.Layer, optional
        Layer whose output is the filter scan; by default the activation after the first
        convolution.

    Raises
    ------
    SubmissionError
        If the model cannot be traced, or holds operations that are not allowed.
    """
    sequences = _some_sequences(input_shape[0])
    # before the model is lowered: it may not have been built yet
    expected = keras.ops.convert_to_numpy(model(sequences, training=False)).astype(np.float32)
    backend = current()
    try:
        forward = backend.lower(model, input_shape, motif_layer)
        concrete = _constant_graph(forward, input_shape)
    except Unsupported as error:
        raise SubmissionError(
            f"{source}: the network cannot be frozen: {error} has no counterpart in TensorFlow; "
            "build the network from other operations"
        ) from error
    except Exception as error:
        raise SubmissionError(
            f"{source}: the network cannot be frozen: {type(error).__name__}: "
            f"{said(error)[:300]}; use keras.ops in call(), not numpy"
        ) from error
    name = None if motif_layer is None else layer_name(motif_layer)
    frozen = freeze_graph(concrete, source, name)
    found = concrete(tf.constant(sequences))[0].numpy()
    scale = np.abs(expected[np.isfinite(expected)]).max(initial=0)
    coarse = _ROUNDING if _holds_half_precision(frozen.graph_def) else 1
    near = {"rtol": coarse * 1e-3, "atol": coarse * 1e-4 * scale}
    if not np.allclose(found, expected, **near, equal_nan=True):
        raise SubmissionError(
            f"{source}: the frozen network predicts otherwise than the model (up to "
            f"{np.nanmax(np.abs(found - expected)):.2g} apart); predictions must not depend on the "
            "batch, the time or chance"
        )
    return frozen


def freeze_function(forward: Forward, input_shape: tuple[int, ...], source: str) -> Frozen:
    """Freeze a function of sequences (n, length, 4) that is written in TensorFlow's operations."""
    return freeze_graph(_constant_graph(forward, input_shape), source)


def freeze_graph(concrete: Any, source: str, motif_layer: str | None = None) -> Frozen:
    """Find logit and filter scan in a traced function of constants; see `freeze`.

    Parameters
    ----------
    concrete : ConcreteFunction
        Its second output, if there is one, is the scan after its activation.
    source : str
    motif_layer : str, optional
        Name of the layer that gave the second output.

    Raises
    ------
    SubmissionError
        If the graph holds operations that are not allowed, or the layer gave no scan, or one whose
        positions lie on bases that cannot be told.
    """
    graph_def = concrete.graph.as_graph_def()
    refuse_unknown(graph_def, source)
    output, *named = concrete.outputs
    if motif_layer is not None and not named:
        raise SubmissionError(
            f"{source}: motif_layer names layer '{motif_layer}', which the model never calls"
        )
    logits, has_sigmoid = _before_sigmoid(output)
    sequences = concrete.inputs[0]
    graph = _GraphView(concrete.graph, sequences)
    try:
        scan = find_scan(graph, int(sequences.shape[1]), named[0] if named else None)
    except _Unplaced as error:
        raise SubmissionError(
            f"{source}: motif_layer '{motif_layer}' gives {error} positions, and the layers before "
            "it do not tell which bases they lie on; name a convolution of the sequence, or the "
            "activation after it"
        ) from error
    if named and scan is None:
        raise SubmissionError(
            f"{source}: motif_layer '{motif_layer}' gives shape {tuple(named[0].shape)}; "
            "a filter scan is (batch, positions, filters)"
        )
    return Frozen(graph_def, Manifest(sequences.name, logits.name, has_sigmoid, scan))


def _some_sequences(length: int) -> Any:
    """One-hot letters (CHECKED, length, 4) float32, the same at every call."""
    letters = np.random.default_rng(0).integers(0, 4, (CHECKED, length))
    return np.eye(4, dtype=np.float32)[letters]


def _constant_graph(forward: Forward, input_shape: tuple[int, ...]) -> Any:
    """Trace a function of sequences with a free batch size, its weights folded into constants."""
    signature = [tf.TensorSpec((None, *input_shape), tf.float32, name="sequences")]
    traced = tf.function(
        lambda sequences: _as_single(forward(sequences)),
        input_signature=signature,
        autograph=False,
    )
    return convert_variables_to_constants_v2(
        traced.get_concrete_function(), lower_control_flow=False
    )


def _as_single(outputs: list[Any]) -> list[Any]:
    """The network's output in single precision, and what a named layer returned."""
    output, *named = outputs
    return [tf.identity(tensor) for tensor in (tf.cast(output, tf.float32), *named)]


def _holds_half_precision(graph_def: Any) -> bool:
    half = {tf.float16.as_datatype_enum, tf.bfloat16.as_datatype_enum}
    return any(a.type in half for node in graph_def.node for a in node.attr.values())


def _before_sigmoid(output: Any) -> tuple[Any, bool]:
    """Logit before a trailing sigmoid, and whether there was one; a cast may stand behind it."""
    tensor = output
    while tensor.op.type in (*PASS_THROUGH, "Cast") and tensor.op.type != "IdentityN":
        tensor = tensor.op.inputs[0]
    if tensor.op.type == "Sigmoid":
        return tensor.op.inputs[0], True
    return output, False


class _Unplaced(Exception):
    """The bases of a named scan's positions cannot be told; the message is their number."""


class _GraphView:
    """Which operations depend on the sequences, and who reads whom."""

    def __init__(self, graph: Any, start: Any) -> None:
        self.ops = graph.get_operations()
        self.start = start
        live = {start.op}
        for op in self.ops:  # a FuncGraph lists operations in topological order
            if any(t.op in live for t in op.inputs):
                live.add(op)
        self._live = live

    def depends(self, tensor: Any) -> bool:
        """Whether a tensor depends on the sequences."""
        return tensor.op in self._live

    def data_inputs(self, op: Any) -> list[Any]:
        """Inputs of an operation that depend on the sequences."""
        return [t for t in op.inputs if self.depends(t)]

    def readers(self, tensor: Any) -> list[Any]:
        """Operations that read a tensor."""
        return [op for op in tensor.consumers() if op in self._live]


def find_scan(graph: _GraphView, length: int, named: Any = None) -> Scan | None:
    """Find the filter scan: the first convolution, its affine tail, and its activation.

    Parameters
    ----------
    graph : _GraphView
    length : int
        Bases of the input, which the first convolution's positions are mapped to.
    named : tensor, optional
        The scan after its activation where the submission names it.

    Returns
    -------
    Scan or None
        None for a network without a convolution.

    Raises
    ------
    _Unplaced
        If the bases of a named scan's positions cannot be told.
    """
    convolution = (
        next((op for op in graph.ops if op.type == "Conv2D" and graph.data_inputs(op)), None)
        if named is None
        else _own_convolution(graph, named)
    )
    through = _RESHAPING if named is None else _RESHAPING | _DEALT_OUT
    before = None if convolution is None else _affine_tail(graph, convolution, through)
    if named is not None:
        after = named
    elif before is not None:
        after = _activation(graph, before)
    else:
        return None
    if after.shape.rank != 3 or after.shape[1] is None or after.shape[2] is None:
        return None
    if before is None or before.shape.rank != 3 or before.shape[1:] != after.shape[1:]:
        before = after
    channels_first = _is_channels_first(graph, after)
    positions, filters = (int(n) for n in after.shape[1:])
    if channels_first:
        positions, filters = filters, positions
    first, stride = (
        _alignment(convolution, length, positions)
        if named is None
        else _bases(graph, after, length, 2 if channels_first else 1)
    )
    return Scan(before.name, after.name, filters, positions, first, stride, channels_first)


def _own_convolution(graph: _GraphView, tensor: Any) -> Any | None:
    """The convolution that alone a tensor is computed from, position by position, or None."""
    found, seen, left = set(), set(), [tensor.op]
    while left:
        op = left.pop()
        if op in seen:
            continue
        seen.add(op)
        if op.type == "Conv2D":
            found.add(op)
        elif op.type in ELEMENT_WISE | PASS_THROUGH | _RESHAPING | _AFFINE | _DEALT_OUT:
            left += [t.op for t in graph.data_inputs(op)]
        else:
            return None
    return found.pop() if len(found) == 1 else None


def _is_channels_first(graph: _GraphView, tensor: Any) -> bool:
    """Whether positions and filters were exchanged since the convolution."""
    exchanged = False
    while tensor.op.type != "Conv2D":
        if tensor.op.type == "Transpose":
            order = tf.get_static_value(tensor.op.inputs[1])
            exchanged ^= order is not None and order.tolist() == [0, 2, 1]
        data = graph.data_inputs(tensor.op)
        if not data:
            return False
        tensor = data[0]
    return exchanged


def _affine_tail(graph: _GraphView, convolution: Any, through: frozenset[str]) -> Any:
    """Pre-activation: follow bias, batch norm and reshapes that read nothing else but constants."""
    tensor = convolution.outputs[0]
    while True:
        step = [
            op
            for op in graph.readers(tensor)
            if op.type in PASS_THROUGH | through
            or (op.type in _AFFINE and len(graph.data_inputs(op)) == 1)
        ]
        if len(step) != 1 or len(graph.readers(tensor)) != 1:
            break
        following = step[0].outputs[0]
        if step[0].type in through and following.shape.rank not in (3, 4):
            break
        tensor = following
    return _three_dimensional(tensor)


def _three_dimensional(tensor: Any) -> Any:
    """The tensor itself, or the last (n, positions, filters) form on the way to it."""
    walk = tensor
    while walk.shape.rank != 3 and walk.op.type != "Conv2D":
        walk = next((t for t in walk.op.inputs if t.shape.rank in (3, 4)), walk.op.inputs[0])
    return walk if walk.shape.rank == 3 else tensor


def _activation(graph: _GraphView, before: Any) -> Any:
    """Follow element-wise operations from the pre-activation to the last of the same shape.

    An operation joins when all its data inputs are already inside and its constants are scalars,
    so that a batch norm that follows the activation, which has one constant a filter, stays out.
    """
    inside = {before.ref()}
    last = before
    for op in graph.ops:
        data = graph.data_inputs(op)
        if not data or any(t.ref() not in inside for t in data):
            continue
        if op.type not in ELEMENT_WISE | PASS_THROUGH:
            continue
        constants = [t for t in op.inputs if not graph.depends(t)]
        if any(t.shape.num_elements() not in (None, 1) for t in constants):
            continue
        for output in op.outputs:
            inside.add(output.ref())
        if op.outputs[0].dtype == before.dtype and op.outputs[0].shape[1:] == before.shape[1:]:
            last = op.outputs[0]
    return last


def _alignment(convolution: Any | None, length: int, positions: int) -> tuple[int, int]:
    """Base that position 0 is centred on, and bases between positions.

    With padding "same" and stride 1 position ``i`` is base ``i``; without padding the window's
    centre is half a kernel further in.
    """
    if positions == length or convolution is None:
        return 0, 1
    stride = max(convolution.get_attr("strides"))
    return _centred(length, positions, stride), stride


def _centred(length: int, positions: int, stride: int) -> int:
    """First of so many positions that lie as far from one end as from the other."""
    return max(0, (length - ((positions - 1) * stride + 1)) // 2)


def _bases(graph: _GraphView, named: Any, length: int, axis: int) -> tuple[int, int]:
    """As `_alignment`, for a scan anywhere in the network."""
    positions = int(named.shape[axis])
    if positions == length:
        return 0, 1
    place = follow_positions(graph.ops, graph.start, graph.depends).get(named.ref())
    if place is None or place.axis != axis:
        raise _Unplaced(positions)
    first = _centred(length, positions, place.stride)
    # a rounding apart: naming the layer that is found unnamed changes nothing
    if abs(first - place.first) > 1:
        first = math.floor(place.first)
    if first < 0 or first + (positions - 1) * place.stride >= length:
        raise _Unplaced(positions)
    return first, place.stride


def layer_name(layer: Any) -> str:
    """How a layer is named to people."""
    return str(getattr(layer, "name", type(layer).__name__))
