"""DeepLIFT of a frozen network, operation by operation: multipliers of pairs of sequences."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import tensorflow as tf

from ....frozen.freeze import Manifest
from ....frozen.network import FrozenNetwork
from ..result import NotSupported
from .own_gradient import or_derivative
from .pairs import Backward, Pair
from .rules import RULES, SHAPES


@dataclass(frozen=True)
class Contributions:
    """What one call finds about sequences, averaged over their references.

    Attributes
    ----------
    hypothetical : ndarray (n, length, 4, classes)
        ``mean_k sum_b' m[b'] (e_b - reference)[b']`` for each letter b, m the multipliers.
    at_input : ndarray (n, length, 4, classes)
        ``mean_k m (x - reference)``, one value per input.
    gap : ndarray (n, classes)
        Logit minus the mean logit of the references.
    """

    hypothetical: Any
    at_input: Any
    gap: Any

    def error(self, one_hot: Any) -> Any:
        """Largest completeness error (n,) of any class, as a share of its difference of logits."""
        terms = (self.at_input, self.hypothetical * one_hot[..., None])
        errors = [np.abs(term.sum(axis=(1, 2), dtype=np.float64) - self.gap) for term in terms]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.maximum(*errors) / np.abs(self.gap)
        return np.nan_to_num(share, nan=0.0).max(axis=1)

    def replace(self, rows: Any, others: Contributions) -> None:
        """Put other findings in the place of some sequences (n,) bool."""
        for name in FIELDS:
            getattr(self, name)[rows] = getattr(others, name)


FIELDS = ("hypothetical", "at_input", "gap")
_COPIES = count()
_LOOPS = frozenset({"While", "StatelessWhile"})
_FLOATING = (tf.float16, tf.bfloat16, tf.float32, tf.float64)


class DeepLift:
    """DeepLIFT of a network: a forward pass of pairs and one backward pass for each class.

    The network's graph is imported twice into one traced function, for sequences and for their
    references, so that no rule need know which axis holds the batch. Every operation's rule is
    prepared once; then multipliers walk from each logit to the input.

    Parameters
    ----------
    network : FrozenNetwork
    real : tf.DType
        Precision that the network runs in: its own, or double.
    gradient : bool
        Where no rule fits, take an operation's own derivative at the sequence.

    Attributes
    ----------
    by_gradient : tuple of str
        Operations whose derivative was taken, in the order of their names.

    Raises
    ------
    NotSupported
        Naming the operations that have no rule, or saying why a rule does not fit.
    """

    def __init__(
        self, network: FrozenNetwork, real: Any = tf.float32, *, gradient: bool = False
    ) -> None:
        self._real = real
        self._gradient = gradient
        self._without_rule: set[str] = set()
        self._manifest = network.manifest
        self._classes = network.classes
        self._graph = _reaching(network.graph_def, network.manifest)
        if gradient:
            _rename_functions(self._graph)
        _in_one_precision(self._graph, real)
        shape = network.shape
        self._contributions = tf.function(
            self._trace,
            input_signature=[
                tf.TensorSpec((None, *shape), tf.float32),
                tf.TensorSpec((None, None, *shape), tf.float32),
            ],
            autograph=False,
        )
        try:
            self._contributions.get_concrete_function()
        except (LookupError, TypeError, ValueError) as error:
            # an operation in a form that its rule does not fit: no map rather than a wrong one
            reason = " ".join(str(error).split())[:200]
            raise NotSupported(f"{type(error).__name__}: {reason}") from error
        self.by_gradient = tuple(sorted(self._without_rule))

    def __call__(self, sequences: Any, others: Any) -> Contributions:
        """Explain sequences (n, length, 4) against references (n, k, length, 4), float32."""
        found = self._contributions(tf.constant(sequences), tf.constant(others))
        return Contributions(*(np.array(array) for array in found))

    def _trace(self, sequences: Any, others: Any) -> tuple[Any, Any, Any]:
        sequences, others = (tf.cast(t, self._real) for t in (sequences, others))
        n, k = tf.unstack(tf.shape(others)[:2])
        one = sequences.shape[1:]
        repeated = tf.reshape(tf.broadcast_to(sequences[:, None], tf.shape(others)), (n * k, *one))
        flat = tf.reshape(others, (n * k, *one))
        without_rule = self._without_rule if self._gradient else None
        walk = _Walk(self._graph, self._manifest, repeated, flat, without_rule)

        def of_class(seed: Any) -> tuple[Any, Any]:
            multipliers = tf.reshape(walk.multipliers(seed), (n, k, *one))
            at_references = tf.reduce_sum(multipliers * others, -1, keepdims=True)
            hypothetical = tf.reduce_mean(multipliers - at_references, 1)
            at_input = tf.reduce_mean(multipliers * (sequences[:, None] - others), 1)
            return hypothetical, at_input

        seeds = tf.eye(self._classes, dtype=self._real)
        if self._classes == 1:
            hypothetical, at_input = (t[..., None] for t in of_class(seeds[0]))
        else:
            kinds = (self._real, self._real)
            hypothetical, at_input = (
                tf.transpose(t, (1, 2, 3, 0))
                for t in tf.map_fn(of_class, seeds, fn_output_signature=kinds)
            )
        gap = tf.reshape(tf.cast(walk.gap, tf.float64), (n, k, self._classes))
        return hypothetical, at_input, tf.reduce_mean(gap, 1)


class _Walk:
    """The operations between input and logits, with their rules prepared for a batch of pairs.

    ``without_rule`` receives the names of operations whose derivative is taken; None: they are
    refused.
    """

    def __init__(
        self,
        graph: Any,
        manifest: Manifest,
        sequences: Any,
        others: Any,
        without_rule: set[str] | None,
    ) -> None:
        self._input = sequences
        ops = imported(graph, manifest, sequences, "sequences")
        refs = imported(graph, manifest, others, "references")
        node, index = manifest.logits.split(":")
        self._logits, logits0 = (copy[node].outputs[int(index)] for copy in (ops, refs))
        self.gap = tf.cast(self._logits, tf.float64) - tf.cast(logits0, tf.float64)
        twin = {op.name: refs[name] for name, op in ops.items()}
        order = ancestors(self._logits.op, sequences.op)
        live = _depending(order, sequences)
        needed = {self._logits.name}
        pairs = []
        for op in reversed(order):
            if not any(t.name in live and t.name in needed for t in op.outputs):
                continue
            inputs = tuple(i for i, t in enumerate(op.inputs) if t.name in live)
            needed.update(op.inputs[i].name for i in inputs)
            pairs.append(Pair(op, twin[op.name], inputs, sequences.dtype))
        unknown = sorted({pair.op.type for pair in pairs} - set(RULES))
        if unknown and without_rule is None:
            loop = any(name in _LOOPS for name in unknown)
            why = " (a recurrent layer of too many steps, or of no fixed number)" if loop else ""
            raise NotSupported(f"op {', '.join(unknown)}{why}")
        self._rules: list[tuple[Any, Backward]] = [
            (
                pair.op,
                RULES[pair.op.type](pair)
                if without_rule is None
                else or_derivative(RULES.get(pair.op.type), pair, without_rule),
            )
            for pair in pairs
        ]

    def multipliers(self, seed: Any) -> Any:
        """Multipliers (m, length, 4) of the input, of the logits weighted by ``seed`` (classes)."""
        found = {self._logits.name: tf.zeros_like(self._logits) + seed}
        for op, backward in self._rules:
            outputs = [found.pop(t.name, None) for t in op.outputs]
            if all(m is None for m in outputs):
                continue
            for tensor, m in zip(op.inputs, backward(outputs), strict=True):
                if m is not None:
                    found[tensor.name] = found[tensor.name] + m if tensor.name in found else m
        return found.get(self._input.name, tf.zeros_like(self._input))


def imported(graph: Any, manifest: Manifest, sequences: Any, scope: str) -> dict[str, Any]:
    """Operations, by name, of a copy of the network that reads the given tensor."""
    names = [node.name for node in graph.node]
    operations = tf.graph_util.import_graph_def(
        graph, input_map={manifest.input: sequences}, return_elements=names, name=scope
    )
    return dict(zip(names, operations, strict=True))


def _reaching(graph: Any, manifest: Manifest) -> Any:
    """The input and the part of a graph that its logits depend on."""
    inputs = {node.name: [_node(name) for name in node.input] for node in graph.node}
    kept: set[str] = set()
    stack = [_node(manifest.logits), _node(manifest.input)]
    while stack:
        name = stack.pop()
        if name not in kept:
            kept.add(name)
            stack.extend(inputs[name])
    return tf.compat.v1.GraphDef(
        node=[node for node in graph.node if node.name in kept],
        library=graph.library,
        versions=graph.versions,
    )


def _rename_functions(graph: Any) -> None:
    """Give the functions of a graph names of their own.

    The derivative of a loop adds another form of it under a name made from the loop's; that of the
    network's own gradient, for other outputs, is not the same.
    """
    library = graph.library.function
    names = {
        each.signature.name: f"deeplift_{next(_COPIES)}_{each.signature.name}" for each in library
    }
    for function in library:
        function.signature.name = names[function.signature.name]
    for nodes in (graph.node, *(function.node_def for function in library)):
        for node in nodes:
            node.op = names.get(node.op, node.op)
            for attribute in node.attr.values():
                for called in (attribute.func, *attribute.list.func):
                    if called.name in names:
                        called.name = names[called.name]


def _node(tensor: str) -> str:
    return tensor.lstrip("^").split(":")[0]


def _in_one_precision(graph: Any, real: Any) -> None:
    """Let every floating operation and constant of a graph be of one type.

    Half, mixed and double precision inside a network would meet a rule's own numbers otherwise.
    """
    wanted = real.as_datatype_enum
    others = {kind.as_datatype_enum for kind in _FLOATING} - {wanted}
    for node in graph.node:
        for name, attribute in node.attr.items():
            if attribute.type in others:
                attribute.type = wanted
            if name == "value" and attribute.tensor.dtype in others:
                values = tf.make_ndarray(attribute.tensor).astype(real.as_numpy_dtype)
                attribute.tensor.CopyFrom(tf.make_tensor_proto(values, real))


def ancestors(last: Any, first: Any) -> list[Any]:
    """Operations after ``first`` that ``last`` depends on, itself included, in running order."""
    order: list[Any] = []
    seen = {first.name}
    stack = [(last, False)]
    while stack:
        op, visited = stack.pop()
        if visited:
            order.append(op)
        elif op.name not in seen:
            seen.add(op.name)
            stack.append((op, True))
            stack.extend((t.op, False) for t in op.inputs)
    return order


def _depending(order: list[Any], start: Any) -> set[str]:
    """Names of the tensors whose values depend on the start."""
    live = {start.name}
    for op in order:
        if op.type not in SHAPES and any(t.name in live for t in op.inputs):
            live.update(t.name for t in op.outputs)
    return live


def in_double(network: FrozenNetwork) -> DeepLift | None:
    """The same in double precision, unless an operation has no such form."""
    try:
        return DeepLift(network, tf.float64)
    except NotSupported:
        return None
