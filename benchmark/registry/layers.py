"""What a network is, layer by layer, read off its frozen graph without TensorFlow."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

# of graph.proto, node_def.proto, attr_value.proto and tensor.proto of TensorFlow: name, number and
# type of the fields that are read; the others are skipped
_FIELDS: Mapping[str, tuple[tuple[str, int, str, bool], ...]] = {
    "Dim": (("size", 1, "INT64", False),),
    "Shape": (("dim", 2, "Dim", True),),
    "Tensor": (
        ("tensor_shape", 2, "Shape", False),
        ("tensor_content", 4, "BYTES", False),
        ("int_val", 7, "INT32", True),
    ),
    "List": (("i", 3, "INT64", True),),
    "Value": (("list", 1, "List", False), ("tensor", 8, "Tensor", False)),
    "Entry": (("key", 1, "STRING", False), ("value", 2, "Value", False)),
    "Node": (
        ("name", 1, "STRING", False),
        ("op", 2, "STRING", False),
        ("input", 3, "STRING", True),
        ("attr", 5, "Entry", True),
    ),
    "Graph": (("node", 1, "Node", True),),
}
# operations that begin a layer, and those that are said of the one before them
_POOLS = {"MaxPool": "max pooling", "AvgPool": "mean pooling"}
_WHOLE = {"Max": "maximum over positions", "Mean": "mean over positions"}
_LOOPS = {"While": "recurrence", "StatelessWhile": "recurrence"}
_THEN = {
    "Elu": "ELU",
    "Erf": "GELU",
    "Erfc": "GELU",
    "Exp": "exponential",
    "LeakyRelu": "leaky ReLU",
    "Relu": "ReLU",
    "Relu6": "ReLU6",
    "Selu": "SELU",
    "Sigmoid": "sigmoid",
    "Softmax": "softmax",
    "Softplus": "softplus",
    "Tanh": "tanh",
}
_PASSED = {"Identity", "ExpandDims", "Transpose", "Reshape", "Cast", "Squeeze"}


@dataclass(frozen=True)
class Layer:
    """One step of a network.

    Attributes
    ----------
    kind : str
        Such as ``convolution``.
    size : str
        In words; "" where there is none.
    then : tuple of str
        What follows it at once: normalisation, activations, a sum with an earlier layer.
    times : int
        How often it stands in a row.
    """

    kind: str
    size: str = ""
    then: tuple[str, ...] = ()
    times: int = 1


def layers_of(graph: bytes, logits: str) -> tuple[Layer, ...]:
    """The layers of a frozen network, in the order of computation.

    Parameters
    ----------
    graph : bytes
        A serialised ``GraphDef`` whose nodes stand after what they read, as freezing leaves them.
    logits : str
        Name of the tensor of the logits.

    Returns
    -------
    tuple of Layer
        Of what the logits are computed from; what is no layer of a known kind is left out.

    Raises
    ------
    ValueError
        If the bytes are no graph.
    """
    from google.protobuf.message import DecodeError

    try:
        nodes = {node.name: node for node in _message()("Graph").FromString(graph).node}
    except DecodeError as error:
        raise ValueError("no graph") from error
    view = _View(nodes, logits.partition(":")[0])
    layers: list[Layer] = []
    for node in view.computed:
        layer = _layer(node, view)
        if layer is not None:
            layers.append(layer)
        elif layers and (said := _said(node, view)) and said not in layers[-1].then:
            layers[-1] = replace(layers[-1], then=(*layers[-1].then, said))
    found: list[Layer] = []
    for layer in layers:
        if found and replace(found[-1], times=1) == layer:
            found[-1] = replace(found[-1], times=found[-1].times + 1)
        else:
            found.append(layer)
    return tuple(found)


class _View:
    """Nodes on a way from the sequences to the logits, and the shapes of constants."""

    def __init__(self, nodes: Mapping[str, Any], last: str) -> None:
        self.nodes = nodes
        wanted, stack = set(), [last]
        while stack:
            name = stack.pop()
            if name in nodes and name not in wanted:
                wanted.add(name)
                stack += _inputs(nodes[name])
        self.moving: set[str] = set()
        self.computed = []
        for name, node in nodes.items():
            if node.op == "Placeholder" or self.moving.intersection(_inputs(node)):
                self.moving.add(name)
                if name in wanted:
                    self.computed.append(node)

    def kernel(self, node: Any) -> list[int] | None:
        """Shape of the constant that a node multiplies with; None where it has none."""
        for name in _inputs(node):
            while name in self.nodes and name not in self.moving:
                at = self.nodes[name]
                if at.op == "Const":
                    return [dim.size for dim in _value(at, "value").tensor.tensor_shape.dim]
                if at.op not in _PASSED:
                    break
                name = _inputs(at)[0]
        return None

    def before(self, node: Any) -> Any:
        """The node whose values an operation reads first, past those that keep them."""
        at = self.nodes[_inputs(node)[0]]
        while at.op in _PASSED and _inputs(at):
            at = self.nodes[_inputs(at)[0]]
        return at

    def numbers(self, name: str) -> list[int]:
        """Integers (int32) of a constant."""
        node = self.nodes.get(name)
        if node is None or node.op != "Const":
            return []
        tensor = _value(node, "value").tensor
        held: list[int] = np.frombuffer(tensor.tensor_content, "<i4").tolist()
        return held or list(tensor.int_val)

    def joined(self, node: Any) -> int:
        """How many of a node's inputs depend on the sequences."""
        return sum(name in self.moving for name in _inputs(node))


def _inputs(node: Any) -> list[str]:
    """Names of the nodes that a node reads, less those that it only waits for."""
    return [name.partition(":")[0] for name in node.input if not name.startswith("^")]


def _value(node: Any, key: str) -> Any:
    return next((entry.value for entry in node.attr if entry.key == key), _message()("Value")())


def _layer(node: Any, view: _View) -> Layer | None:
    """The layer that an operation is the heart of."""
    if node.op.startswith("Conv2D") or node.op == "DepthwiseConv2dNative":
        return _convolution(node, view)
    if node.op in ("MatMul", "BatchMatMulV2", "Einsum"):
        kernel = view.kernel(node)
        if kernel is None:
            return Layer("attention") if view.joined(node) > 1 else None
        return Layer("dense", _counted(kernel[-1], "unit"))
    if node.op in _POOLS:
        size = max(_value(node, "ksize").list.i, default=1)
        return Layer(_POOLS[node.op], f"{size} wide")
    if node.op in _WHOLE and "moments" not in node.name:
        return Layer(_WHOLE[node.op])
    if node.op in _LOOPS:
        return Layer(_LOOPS[node.op])
    return None


def _convolution(node: Any, view: _View) -> Layer:
    kernel = view.kernel(node)
    if kernel is None or len(kernel) < 3:
        return Layer("convolution")
    *space, _, filters = kernel
    stride, dilation = (
        max(_value(node, name).list.i, default=1) for name in ("strides", "dilations")
    )
    before = view.before(node)
    if before.op == "SpaceToBatchND":  # a dilated one is done on every n-th position at a time
        dilation = max(view.numbers(_inputs(before)[1]), default=dilation)
    steps = {"stride": stride, "dilation": dilation}
    told = [f"{name} {step}" for name, step in steps.items() if step > 1]
    size = [f"{max(space)} wide", _counted(filters, "filter"), *told]
    return Layer("convolution", ", ".join(size))


def _counted(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def _said(node: Any, view: _View) -> str:
    """What an operation is to the layer before it."""
    if node.op in _THEN:
        return _THEN[node.op]
    if "batchnorm" in node.name or "moments" in node.name:
        return "normalised"
    if node.op in ("AddV2", "Add", "AddN") and view.joined(node) > 1:
        return "added to an earlier one"
    if node.op == "ConcatV2" and view.joined(node) > 1:
        return "joined with others"
    return ""


@functools.cache
def _message() -> Any:
    """Classes of messages by the names of `_FIELDS`."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    field = descriptor_pb2.FieldDescriptorProto
    package = "motifidelity"
    file = descriptor_pb2.FileDescriptorProto(
        name="motifidelity/graph.proto", package=package, syntax="proto3"
    )
    for message, fields in _FIELDS.items():
        made = file.message_type.add(name=message)
        for name, number, kind, repeated in fields:
            label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
            one = made.field.add(name=name, number=number, label=label)
            if kind in _FIELDS:
                one.type, one.type_name = field.TYPE_MESSAGE, f".{package}.{kind}"
            else:
                one.type = getattr(field, f"TYPE_{kind}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return functools.cache(
        lambda name: message_factory.GetMessageClass(
            pool.FindMessageTypeByName(f"{package}.{name}")
        )
    )
