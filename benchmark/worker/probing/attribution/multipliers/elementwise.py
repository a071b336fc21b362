"""Multiplier rules of element-wise operations."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .pairs import Backward, Pair, derivative, ratio, rerun

# pieces with a kink between them, mostly straight, of which a difference quotient loses nothing
KINKED = frozenset(
    """
    Abs Ceil ClipByValue Elu Floor FloorDiv FloorMod IsFinite IsInf IsNan LeakyRelu Mod Relu Relu6
    Rint Round Selu Sign Softsign TruncateDiv TruncateMod
    """.split()  # noqa: SIM905
)
# curves that change over a distance of one; of the others the distance shrinks towards zero
UNIT_SCALE = frozenset(
    """
    Asinh Atan BesselI0e BesselI1e Cos Cosh Erf Erfc Expm1 Sigmoid Sin Sinh Softplus Tanh
    """.split()  # noqa: SIM905
)
# below this share of that distance the difference quotient is less exact than the derivative in
# the middle: the error of the one is the rounding over the share, of the other the share's square
NEAR = {tf.float32: 1e-2, tf.float64: 1e-5}


def rescale(pair: Pair) -> Backward:
    """Difference quotient; of two inputs, each one's share averaged over both orders.

    The second is Shapley's value of two players (Lundberg & Lee 2017, arXiv:1705.07874).
    """
    op, ref = pair.op, pair.ref
    if not all(op.inputs[i].dtype.is_floating for i in pair.live) or len(pair.live) > 2:
        raise pair.refuse()
    if len(pair.live) == 1:
        slopes = {pair.live[0]: _slope(pair, pair.live[0], op, ref)}
    else:
        mixed = {}
        for i in pair.live:
            inputs = list(ref.inputs)
            inputs[i] = op.inputs[i]
            mixed[i] = rerun(op, inputs)
        u, v = pair.live
        slopes = {
            u: (_slope(pair, u, op, mixed[v]) + _slope(pair, u, mixed[u], ref)) / 2,
            v: (_slope(pair, v, op, mixed[u]) + _slope(pair, v, mixed[v], ref)) / 2,
        }
    return lambda multipliers: pair.spread({i: multipliers[0] * s for i, s in slopes.items()})


def _slope(pair: Pair, index: int, op: Any, ref: Any) -> Any:
    """Difference quotient in one input, of two runs that differ in no other."""
    y, y0 = pair.number(op.outputs[0]), pair.number(ref.outputs[0])
    u, u0 = op.inputs[index], ref.inputs[index]
    if len(op.inputs) > 1:
        u, u0 = (tf.broadcast_to(t, tf.shape(y)) for t in (u, u0))
    change, middle = u - u0, (u + u0) / 2
    if op.type in KINKED:
        near = tf.equal(change, 0)
    else:
        scale = 1.0 if op.type in UNIT_SCALE else tf.minimum(tf.abs(middle), 1.0)
        near = tf.abs(change) <= NEAR.get(change.dtype, 0.1) * scale
    return ratio(y - y0, change, _slope_at(pair, index, op, middle), near)


def _slope_at(pair: Pair, index: int, op: Any, middle: Any) -> Any:
    """Derivative in one input at a point, computed in double precision."""
    double = middle.dtype == tf.float32
    inputs = [middle if i == index else t for i, t in enumerate(op.inputs)]
    if double:
        inputs = [tf.cast(t, tf.float64) if t.dtype == tf.float32 else t for t in inputs]
    again = rerun(op, inputs, double)
    try:
        slope = derivative(again, [tf.ones_like(pair.number(again.outputs[0]))])[index]
    except LookupError:
        if op.type not in KINKED:
            raise pair.refuse() from None
        slope = None  # a step
    if slope is None:
        return tf.zeros_like(middle)
    slope = tf.cast(slope, middle.dtype)
    # an infinite slope meets a difference of zero: any finite multiplier is complete
    return tf.where(tf.math.is_finite(slope), slope, tf.zeros_like(slope))


def exponential(pair: Pair) -> Backward:
    """Difference quotient of the exponential without cancellation, however large it is."""
    (u, u0), (y, y0) = pair.inputs(0), pair.outputs()
    distance = tf.abs(u - u0)
    near = tf.equal(distance, 0)
    share = ratio(-tf.math.expm1(-distance), distance, tf.ones_like(distance), near)
    slope = tf.maximum(y, y0) * share
    return lambda multipliers: [multipliers[0] * slope]


def quotient(pair: Pair) -> Backward:
    """``u / v`` as the product of u and 1/v, whose difference is ``-dv / (v v0)``."""
    (u, u0), (v, v0) = pair.inputs(0), pair.inputs(1)
    of_u = (1 / v + 1 / v0) / 2
    of_v = -(u + u0) / 2 / v / v0
    return lambda m: pair.spread({0: m[0] * of_u, 1: m[0] * of_v})


def reciprocal(pair: Pair) -> Backward:
    """``1/u - 1/u0 = -du / (u u0)``."""
    y, y0 = pair.outputs()
    slope = -y * y0
    return lambda multipliers: [multipliers[0] * slope]


def larger(pair: Pair) -> Backward:
    """``max(u, v) = v + relu(u - v)``, with the rescale rule for the ramp; a minimum mirrored."""
    (u, u0), (v, v0) = pair.inputs(0), pair.inputs(1)
    if pair.op.type == "Minimum":
        u, u0, v, v0 = -u, -u0, -v, -v0
    lead, lead0 = u - v, u0 - v0
    change = lead - lead0
    at_tie = tf.cast(lead > 0, change.dtype)
    ramp = ratio(tf.nn.relu(lead) - tf.nn.relu(lead0), change, at_tie, tf.equal(change, 0))
    return lambda m: pair.spread({0: m[0] * ramp, 1: m[0] * (1 - ramp)})


def compared(pair: Pair) -> Backward:
    """Truth value of a comparison: a step, rescaled in the difference of both sides."""
    if not pair.op.inputs[0].dtype.is_floating:
        raise pair.refuse()
    (u, u0), (v, v0), (y, y0) = pair.inputs(0), pair.inputs(1), pair.outputs()
    change = (u - v) - (u0 - v0)
    y, y0 = tf.cast(y, change.dtype), tf.cast(y0, change.dtype)
    step = ratio(y - y0, change, tf.zeros_like(change), tf.equal(change, 0))

    def backward(multipliers: list[Any]) -> list[Any]:
        m = tf.cast(multipliers[0], change.dtype) * step
        return pair.spread({0: m, 1: -m})

    return backward


def negated(pair: Pair) -> Backward:
    """``not c = 1 - c``."""
    return lambda multipliers: [-multipliers[0]]


def both_true(pair: Pair) -> Backward:
    """``b and c = b c``; ``b or c = b + c - b c``."""
    (b, b0), (c, c0) = pair.inputs(0), pair.inputs(1)
    of_b, of_c = (c + c0) / 2, (b + b0) / 2
    if pair.op.type == "LogicalOr":
        of_b, of_c = 1 - of_b, 1 - of_c
    return lambda m: pair.spread({0: m[0] * of_b, 1: m[0] * of_c})


def chosen(pair: Pair) -> Backward:
    """``c a + (1 - c) b`` by the product rule, c being 0 or 1.

    Where the condition is the same in both, only the chosen side counts: the other may be
    infinite there.
    """
    if pair.op.type == "Select" and pair.op.inputs[0].shape.rank != pair.op.inputs[1].shape.rank:
        raise pair.refuse("condition of another rank")
    (c, c0), (a, a0), (b, b0) = (pair.inputs(i) for i in range(3))
    same = tf.equal(c, c0)
    share = tf.cast((c + c0) / 2, a.dtype)
    gap = (a + a0 - b - b0) / 2
    of_c = tf.where(same, tf.zeros_like(gap), gap)
    return lambda m: pair.spread(
        {
            0: tf.cast(m[0] * of_c, pair.real),
            1: m[0] * share,
            2: m[0] * (1 - share),
        }
    )
