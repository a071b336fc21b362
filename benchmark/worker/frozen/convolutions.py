"""The first layer of a traced network: its convolutions, what they are joined to, the activation.

First are the convolutions that no other one stands before. Side by side they are followed, through
what changes no position's filters (bias, batch norm, reshapes) and through the operation that joins
them, to the activation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from .ops import ELEMENT_WISE, PASS_THROUGH

# what may stand between a convolution and its activation without changing a position's filters;
# a dilated convolution puts its positions back in order by the last
_RESHAPING = frozenset({"Squeeze", "ExpandDims", "Reshape", "Transpose", "BatchToSpaceND"})
_AFFINE = frozenset({"BiasAdd", "Mul", "AddV2", "Add", "Sub", "RealDiv", "FusedBatchNormV3"})
_KERNELS = frozenset({"Conv2D", "DepthwiseConv2dNative"})


@dataclass(frozen=True, eq=False)
class Head:
    """A tensor of filters before their activation, and after it.

    Attributes
    ----------
    before, after : tensor
    convolutions : tuple of Operation
        What the filters are from, in their order along the tensor's axis of filters.
    """

    before: Any
    after: Any
    convolutions: tuple[Any, ...]


class GraphView:
    """Which operations depend on the sequences, and who reads whom."""

    def __init__(self, graph: Any, start: Any) -> None:
        self.ops = graph.get_operations()
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

    def is_convolution(self, op: Any) -> bool:
        """Whether an operation moves a kernel of its own over what depends on the sequences."""
        return op.type == "Conv2D" and op in self._live and not self.depends(op.inputs[1])

    def kernels_before(self, tensors: Iterable[Any]) -> list[Any]:
        """Convolutions, depth-wise ones included, that any of the tensors is computed from."""
        seen, left = set(), [t.op for t in tensors]
        while left:
            op = left.pop()
            if op not in seen:
                seen.add(op)
                left += [t.op for t in self.data_inputs(op)]
        return [op for op in self.ops if op in seen and op.type in _KERNELS
                and not self.depends(op.inputs[1])]  # fmt: skip


def filters_of(convolution: Any) -> int:
    """Number of filters of a convolution."""
    return int(convolution.inputs[1].shape[-1])


def first_convolutions(graph: GraphView) -> list[Any]:
    """The convolutions that no other one stands before, in the network's order."""
    behind: set[Any] = set()
    first = []
    for op in graph.ops:
        before = {t.op for t in graph.data_inputs(op)}
        if graph.is_convolution(op) and not before & behind:
            first.append(op)
        if before & behind or graph.is_convolution(op):
            behind.add(op)
    return first


def first_heads(graph: GraphView, convolutions: Iterable[Any]) -> list[Head]:
    """The convolutions' filters before and after their activations, joined where they are."""
    heads = [Head(op.outputs[0], None, (op,)) for op in convolutions]
    while (moved := _moved(graph, heads)) is not None:
        heads = moved
    return [replace(head, after=_activation(graph, head.before)) for head in heads]


def named_head(graph: GraphView, after: Any) -> Head:
    """A scan that the submission names, before its activation where it has one of its own."""
    convolution = _own_convolution(graph, after)
    before = None
    if convolution is not None:
        head = Head(convolution.outputs[0], None, (convolution,))
        while (moved := _moved(graph, [head])) is not None:
            (head,) = moved
        before = head.before
    same = before is not None and before.shape.as_list()[1:] == after.shape.as_list()[1:]
    if not same:
        return Head(after, after, ())
    return Head(before, after, (convolution,))


def _moved(graph: GraphView, heads: list[Head]) -> list[Head] | None:
    """The heads with one of them an operation further on, or None where none can go on."""
    for head in heads:
        readers = graph.readers(head.before)
        if len(readers) != 1:
            continue
        op = readers[0]
        data = graph.data_inputs(op)
        if op.type == "ConcatV2":
            joined = [next((h for h in heads if h.before is t), None) for t in data]
            found = [h for h in joined if h is not None]
            if len(found) == len(data) == len(set(found)):
                together = Head(op.outputs[0], None, sum((h.convolutions for h in found), ()))
                at = heads.index(found[0])
                rest = [h for h in heads if h not in found]
                return [*rest[:at], together, *rest[at:]]
            continue
        passes = op.type in PASS_THROUGH | _RESHAPING or (op.type in _AFFINE and len(data) == 1)
        if passes and _keeps_filters(head, op.outputs[0]):
            following = replace(head, before=op.outputs[0])
            return [following if h is head else h for h in heads]
    return None


def _keeps_filters(head: Head, output: Any) -> bool:
    """Whether a tensor may still hold a head's filters along an axis of their own."""
    if output.shape.rank not in (3, 4):
        return False
    extents = output.shape.as_list()[1:]
    counts = [filters_of(op) for op in head.convolutions]
    return None in extents or sum(counts) in extents or counts[0] in extents


def _own_convolution(graph: GraphView, tensor: Any) -> Any | None:
    """The convolution that alone a tensor is computed from, position by position, or None."""
    found, seen, left = set(), set(), [tensor.op]
    while left:
        op = left.pop()
        if op in seen:
            continue
        seen.add(op)
        if op.type == "Conv2D":
            found.add(op)
        elif op.type in ELEMENT_WISE | PASS_THROUGH | _RESHAPING | _AFFINE:
            left += [t.op for t in graph.data_inputs(op)]
        else:
            return None
    return found.pop() if len(found) == 1 else None


def _activation(graph: GraphView, before: Any) -> Any:
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
        same = op.outputs[0].shape.as_list()[1:] == before.shape.as_list()[1:]
        if op.outputs[0].dtype == before.dtype and same:
            last = op.outputs[0]
    return last
