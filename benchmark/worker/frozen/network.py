"""A frozen network, imported without any of the submission's Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf

from .freeze import Manifest
from .ops import refuse_unknown

T = TypeVar("T")


class FrozenNetwork:
    """Predictions, filter scans and gradients of a frozen graph.

    Parameters
    ----------
    graph, manifest : Path
        The frozen graph and its manifest.
    edit : callable, optional
        Changes the graph (GraphDef) before it is imported.

    Attributes
    ----------
    manifest : Manifest
    graph_def : GraphDef
        The network's operations, plain gradients restored.
    shape : tuple of int
        ``(length, 4)`` of the input.
    classes : int
        Number of logits.

    Raises
    ------
    SubmissionError
        If the graph holds an operation that is not allowed.
    """

    def __init__(
        self, graph: Path, manifest: Path, edit: Callable[[Any], None] | None = None
    ) -> None:
        self.manifest = Manifest.read(manifest)
        graph_def = tf.compat.v1.GraphDef.FromString(graph.read_bytes())
        refuse_unknown(graph_def, graph.name)
        _restore_plain_gradients(graph_def)
        if edit is not None:
            edit(graph_def)
        self.graph_def = graph_def
        self._traced: dict[str, Any] = {}
        imported = tf.compat.v1.wrap_function(
            lambda: tf.graph_util.import_graph_def(graph_def, name=""), []
        )
        source = imported.graph.get_tensor_by_name(self.manifest.input)

        def pruned(*names: str) -> Any:
            return imported.prune(source, [imported.graph.get_tensor_by_name(n) for n in names])

        self._logits = pruned(self.manifest.logits)
        self.shape = tuple(int(n) for n in source.shape[1:])
        self.classes = int(self._logits.outputs[0].shape[1])
        parts = self.manifest.scan.parts if self.manifest.scan else ()
        self._scan = (
            pruned(*(p.before for p in parts), *(p.after for p in parts)) if parts else None
        )
        # prune() keeps only what a tensor needs: the second pass runs the first layer alone
        self._after = pruned(*(p.after for p in parts)) if parts else None
        spec = tf.TensorSpec((None, *self.shape), tf.float32)
        self._gradients = tf.function(
            self._class_gradients, input_signature=[spec], autograph=False
        )

    def logits(self, one_hot: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Logits (n, classes) of one-hot sequences (n, length, 4) float32, in one call."""
        return np.asarray(self.symbolic_logits(tf.constant(one_hot)))

    def scan(self, one_hot: Any) -> tuple[Any, Any, Any]:
        """Filter scan of sequences (n, length, 4), on their bases.

        Returns
        -------
        before, after : ndarray (n, length, filters) float32
            Before and after the activation; minus infinity where a filter's middle never lies.
        again : ndarray (n, length) float32 or None
            The highest value after the activation on the other strand, where one convolution reads
            both.
        """
        assert self._scan is not None
        scan = self.manifest.scan
        assert scan is not None
        found = self._scan(tf.constant(one_hot))
        number = len(scan.parts)
        before, _ = scan.spread(found[:number], self.shape[0])
        after, again = scan.spread(found[number:], self.shape[0])
        return before, after, again

    def activations(self, one_hot: Any) -> Any:
        """Filter scan (n, length, filters) after the activation; see `scan`."""
        assert self._after is not None
        scan = self.manifest.scan
        assert scan is not None
        return scan.spread(self._after(tf.constant(one_hot)), self.shape[0])[0]

    def gradients(self, one_hot: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Gradients (n, length, 4, classes) of every logit, after one forward pass."""
        return np.asarray(self._gradients(tf.constant(one_hot)))

    def traced(self, name: str, make: Callable[[], T]) -> T:
        """A function traced over this network by another module, made at its first use."""
        if name not in self._traced:
            self._traced[name] = make()
        function: T = self._traced[name]
        return function

    def symbolic_logits(self, one_hot: Any) -> Any:
        """Logits (n, classes) of a tensor of sequences, inside a traced function."""
        return tf.cast(self._logits(one_hot)[0], tf.float32)

    def _class_gradients(self, one_hot: Any) -> Any:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(one_hot)
            logits = tf.unstack(self.symbolic_logits(one_hot), self.classes, axis=1)
        return tf.stack(
            [tape.gradient(logit, one_hot, unconnected_gradients="zero") for logit in logits],
            axis=-1,
        )


def _restore_plain_gradients(graph_def: Any) -> None:
    """Drop names of custom gradients, whose functions did not survive freezing.

    ``silu`` and its like leave ``IdentityN`` nodes that name a Python function; without the name
    the operation's plain derivative is used, which is the same value.
    """
    for nodes in (graph_def.node, *(f.node_def for f in graph_def.library.function)):
        for node in nodes:
            node.attr.pop("_gradient_op_type", None)
