"""Freeze a network into a graph of operations, with a small manifest of its named tensors.

The model is traced once with ``training=False`` and a free batch size, its weights are folded into
constants, and the logit and the filter scan are found in the graph itself, so that functional,
subclassed and hand-written models are treated alike.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.eager.wrap_function import function_from_graph_def
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from ..report import SubmissionError, said
from .backends import Forward, Unsupported, current
from .layout import with_filters_last, without_groups
from .ops import PASS_THROUGH, refuse_unknown
from .places import Unplaced
from .scan_search import find_scan
from .scans import Scan

GRAPH = "graph.pb"
MANIFEST = "network.json"
# sequences on which a frozen network is compared with its model
CHECKED = 4
# an order of additions in half precision moves an output by so many times as much
_ROUNDING = 100


@dataclass(frozen=True)
class Manifest:
    """Names of what the probe reads from a frozen network."""

    input: str
    logits: str
    has_sigmoid: bool
    scan: Scan | None
    # what of the first layer is not read, and why
    notes: tuple[str, ...] = ()

    def write(self, folder: Path, prefix: str = "") -> None:
        """Write the manifest beside its graph."""
        (folder / f"{prefix}{MANIFEST}").write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Read a manifest that ``write`` wrote."""
        raw = json.loads(path.read_text(encoding="utf-8"))
        scan, notes = raw.pop("scan"), tuple(raw.pop("notes", ()))
        return cls(**raw, scan=Scan.of(scan) if scan else None, notes=notes)


@dataclass(frozen=True)
class Frozen:
    """A frozen network: its graph and the manifest."""

    graph_def: Any
    manifest: Manifest

    def write(self, folder: Path, prefix: str = "") -> None:
        """Write graph and manifest into a folder, their names after a prefix."""
        (folder / f"{prefix}{GRAPH}").write_bytes(
            self.graph_def.SerializeToString(deterministic=True)
        )
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
    # in another order and number: a network answers a sequence, not a place in a batch
    again = concrete(tf.constant(sequences[:0:-1]))[0].numpy()[::-1]
    scale = np.abs(expected[np.isfinite(expected)]).max(initial=0)
    coarse = _ROUNDING if _holds_half_precision(frozen.graph_def) else 1
    near = {"rtol": coarse * 1e-3, "atol": coarse * 1e-4 * scale}
    for answers, own in ((found, expected), (again, expected[1:])):
        if not np.allclose(answers, own, **near, equal_nan=True):
            raise SubmissionError(
                f"{source}: the frozen network predicts otherwise than the model (up to "
                f"{np.nanmax(np.abs(answers - own)):.2g} apart); predictions must not depend on "
                "the batch, the time or chance"
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
    if named and named[0].shape.rank not in (3, 4):
        raise SubmissionError(
            f"{source}: motif_layer '{motif_layer}' gives shape {tuple(named[0].shape)}; "
            "a filter scan is (batch, positions, filters)"
        )
    try:
        found = find_scan(graph_def, sequences, named[0] if named else None)
    except Unplaced as error:
        raise SubmissionError(
            f"{source}: motif_layer '{motif_layer}' cannot be placed on the bases: {error}; name a "
            "convolution of the sequence, or the activation after it"
        ) from error
    manifest = Manifest(sequences.name, logits.name, has_sigmoid, found.scan, found.notes)
    return Frozen(graph_def, manifest)


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
    with _functions_in_line():
        concrete = traced.get_concrete_function()
    return _in_one_form(convert_variables_to_constants_v2(concrete, lower_control_flow=False))


@contextmanager
def _functions_in_line() -> Iterator[None]:
    """Trace what calls of ``tf.function`` hold in their place.

    A compiled one (``jit_compile``, which Keras has around grouped convolutions) would stay a call,
    of which a frozen graph has no gradient.
    """
    eager = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(eager)


def _in_one_form(concrete: Any) -> Any:
    """The function with its convolutions in the one form of `layout`."""
    graph_def = concrete.graph.as_graph_def()
    changed = with_filters_last(graph_def)
    if changed:
        concrete = _again(graph_def, concrete)
    channels = {
        op.name: (int(op.inputs[0].shape[-1]), int(op.inputs[1].shape[2]))
        for op in concrete.graph.get_operations()
        if op.type == "Conv2D" and None not in (op.inputs[0].shape[-1], op.inputs[1].shape[2])
    }
    if without_groups(graph_def, channels):
        concrete = _again(graph_def, concrete)
    return concrete


def _again(graph_def: Any, concrete: Any) -> Any:
    """A traced function of constants with another graph between its inputs and outputs."""
    return function_from_graph_def(
        graph_def, [t.name for t in concrete.inputs], [t.name for t in concrete.outputs]
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


def layer_name(layer: Any) -> str:
    """How a layer is named to people."""
    return str(getattr(layer, "name", type(layer).__name__))
