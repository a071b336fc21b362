"""An operation's own derivative, where no multiplier rule fits it."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ..result import NotSupported
from .pairs import Backward, Pair, Rule


def or_derivative(rule: Rule | None, pair: Pair, without_rule: set[str]) -> Backward:
    """What the rule gives; where there is none, or it does not fit, the derivative.

    Parameters
    ----------
    rule : Rule or None
    pair : Pair
    without_rule : set of str
        Receives the operation's name, and why its rule does not fit, where the derivative is
        taken.
    """
    refused = (NotSupported, LookupError, TypeError, ValueError)
    named = f"op {pair.op.type}"
    ready: Backward | None = None
    if rule is not None:
        try:
            ready = rule(pair)
        except refused as error:
            named = _why(error, named)
    if ready is None:
        without_rule.add(named)
        return at_sequence(pair)

    def backward(multipliers: list[Any]) -> list[Any]:
        try:
            return ready(multipliers)
        except refused as error:
            without_rule.add(_why(error, named))
            return at_sequence(pair)(multipliers)

    return backward


def at_sequence(pair: Pair) -> Backward:
    """The derivative at the sequence; what has none, such as an index, passes nothing on."""
    op = pair.op

    def backward(multipliers: list[Any]) -> list[Any]:
        outputs = [
            (y, m)
            for y, m in zip(op.outputs, multipliers, strict=True)
            if m is not None and _has_derivative(y)
        ]
        # an input that stands at two places has one derivative
        first = {op.inputs[i].name: i for i in reversed(pair.live) if _has_derivative(op.inputs[i])}
        found: list[Any] = [None] * len(op.inputs)
        if outputs and first:
            ys, weights = zip(*outputs, strict=True)
            places = list(first.values())
            slopes = tf.gradients(ys, [op.inputs[i] for i in places], grad_ys=weights)
            for place, slope in zip(places, slopes, strict=True):
                found[place] = None if slope is None else tf.convert_to_tensor(slope)
        return found

    return backward


def _has_derivative(tensor: Any) -> bool:
    return bool(tensor.dtype.is_floating or tensor.dtype == tf.variant)


def _why(error: Exception, named: str) -> str:
    return str(error) if isinstance(error, NotSupported) else named
