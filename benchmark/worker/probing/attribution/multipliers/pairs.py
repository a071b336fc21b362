"""One operation on sequences and on their references, and what every rule for it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import ops as framework

from ..result import NotSupported

# multipliers of the outputs (None: not needed) to multipliers of the inputs (None: constant)
Backward = Callable[[list[Any]], list[Any]]


@dataclass(frozen=True)
class Pair:
    """One operation on sequences and the same on their references.

    Attributes
    ----------
    op, ref : tf.Operation
    live : tuple of int
        Inputs whose value depends on the sequence.
    real : tf.DType
        What truth values are counted in.
    """

    op: Any
    ref: Any
    live: tuple[int, ...]
    real: Any

    def refuse(self, why: str = "") -> NotSupported:
        """The error that names this operation."""
        return NotSupported(f"op {self.op.type}{f' ({why})' if why else ''}")

    def inputs(self, index: int) -> tuple[Any, Any]:
        """One input on sequences and on references, truth values as 0 and 1."""
        return self.number(self.op.inputs[index]), self.number(self.ref.inputs[index])

    def outputs(self) -> tuple[Any, Any]:
        """First output on sequences and on references, truth values as 0 and 1."""
        return self.number(self.op.outputs[0]), self.number(self.ref.outputs[0])

    def number(self, tensor: Any) -> Any:
        """A truth value as 0 or 1; other tensors unchanged."""
        return tf.cast(tensor, self.real) if tensor.dtype == tf.bool else tensor

    def spread(self, multipliers: dict[int, Any]) -> list[Any]:
        """Multipliers of all inputs, summed where an input was broadcast."""
        return [
            _unbroadcast(multipliers[i], t) if i in self.live else None
            for i, t in enumerate(self.op.inputs)
        ]


Rule = Callable[[Pair], Backward]


def rerun(op: Any, inputs: list[Any], double: bool = False) -> Any:
    """The same operation on other inputs, in double precision where asked."""
    attributes = {k: v for k, v in op.node_def.attr.items() if not k.startswith("_")}
    if double:
        single = tf.float32.as_datatype_enum
        value = tf.compat.v1.AttrValue(type=tf.float64.as_datatype_enum)
        for name, attribute in attributes.items():
            if attribute.type == single:
                attributes[name] = value
    graph = tf.compat.v1.get_default_graph()
    return graph.create_op(op.type, inputs, None, attrs=attributes)


def derivative(op: Any, multipliers: list[Any]) -> list[Any]:
    """Multipliers of the inputs by the operation's own derivative."""
    function = framework.get_gradient_function(op)
    if function is None:
        return [None] * len(op.inputs)
    filled = [
        tf.zeros_like(output) if m is None else m
        for output, m in zip(op.outputs, multipliers, strict=True)
    ]
    found = function(op, *filled)
    found = list(found) if isinstance(found, (list, tuple)) else [found]
    return [None if m is None else tf.convert_to_tensor(m) for m in found]


def _unbroadcast(multiplier: Any, like: Any) -> Any:
    axes = tf.raw_ops.BroadcastGradientArgs(s0=tf.shape(like), s1=tf.shape(multiplier)).r0
    return tf.reshape(tf.reduce_sum(multiplier, axes), tf.shape(like))


def ratio(numerator: Any, denominator: Any, otherwise: Any, near: Any) -> Any:
    """``numerator / denominator``, and ``otherwise`` where the denominator is as good as zero."""
    safe = tf.where(near, tf.ones_like(denominator), denominator)
    return tf.where(near, otherwise, numerator / safe)
