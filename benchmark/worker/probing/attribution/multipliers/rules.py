"""One multiplier rule per operation, each complete by construction.

A rule says how the change of an operation's outputs between a sequence and its reference,
``y - y0``, is shared among the changes of its inputs, ``u - u0``: it turns multipliers of the
outputs into multipliers of the inputs with ``sum m_y (y - y0) = sum m_u (u - u0)``. Chained from
the logit to the sequence, this is DeepLIFT's rescale rule (Shrikumar et al. 2017, arXiv:1704.02685)
for any network whose operations all have a rule. There is no default: an operation that is not
listed is refused.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ....frozen.ops import PASS_THROUGH
from . import elementwise
from .pairs import Backward, Pair, Rule, derivative, ratio, rerun

# no difference of their own: the shapes of sequences and references agree
SHAPES = frozenset({"Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike"})

LINEAR = frozenset(
    """
    Add AddN AddV2 AvgPool AvgPool3D BatchToSpace BatchToSpaceND BiasAdd BroadcastTo CheckNumerics
    Concat ConcatV2 Cumsum DepthToSpace Diag DiagPart EnsureShape ExpandDims FusedBatchNorm
    FusedBatchNormV2 FusedBatchNormV3 Gather GatherNd GatherV2 MatrixBandPart MatrixDiag
    MatrixDiagV2 MatrixDiagV3 Mean MirrorPad Neg Pack Pad PadV2 ResizeBilinear ResizeNearestNeighbor
    Reshape Reverse ReverseSequence ReverseV2 Roll ScatterNd SegmentMean SegmentSum Slice
    SpaceToBatch SpaceToBatchND SpaceToDepth Split SplitV Squeeze StridedSlice Sub Sum
    TensorScatterAdd TensorScatterUpdate Tile Transpose Unpack UnsortedSegmentSum
    """.split()  # noqa: SIM905
)
_FIRST = LINEAR - frozenset(
    """
    Add AddN AddV2 BiasAdd Concat ConcatV2 FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 Pack
    ScatterNd Split Sub TensorScatterAdd TensorScatterUpdate
    """.split()  # noqa: SIM905
)
_RESCALED = (
    elementwise.KINKED
    | elementwise.UNIT_SCALE
    | frozenset(
        """
    Acos Acosh Asin Atan2 Atanh Digamma DivNoNan Erfinv Lgamma Log Log1p Ndtri Pow Rsqrt Sqrt Tan
    Xdivy Xlog1py Xlogy
    """.split()  # noqa: SIM905
    )
)
_COMPARISONS = "Equal Greater GreaterEqual Less LessEqual NotEqual".split()  # noqa: SIM905


def at_midpoint(*data: int) -> Rule:
    """The derivative halfway between sequence and reference.

    Exact for every operation that is linear or quadratic in its data inputs jointly: the
    difference of a product is ``d(uv) = du (v + v0)/2 + dv (u + u0)/2``, of a square
    ``(u + u0) du``. Other inputs (shapes, indices) must be constant.

    Parameters
    ----------
    data : int
        Positions of the data inputs; negative ones count from the end of all inputs, and none
        means all.
    """

    def prepare(pair: Pair) -> Backward:
        op, n = pair.op, len(pair.op.inputs)
        allowed = {i % n for i in data} if data else set(range(n))
        if not set(pair.live) <= allowed:
            raise pair.refuse("computed shapes or indices")
        inputs = list(op.inputs)
        if op.type not in LINEAR:
            for i in pair.live:
                inputs[i] = (op.inputs[i] + pair.ref.inputs[i]) / 2
            op = rerun(op, inputs)

        def backward(multipliers: list[Any]) -> list[Any]:
            try:
                found = derivative(op, multipliers)
            except LookupError:
                raise pair.refuse() from None
            if any(found[i] is None for i in pair.live):
                raise pair.refuse()
            return [m if i in pair.live else None for i, m in enumerate(found)]

        return backward

    return prepare


def all_but(*constant: int) -> Rule:
    """As `at_midpoint`, for a list of data inputs beside some constant ones."""

    def prepare(pair: Pair) -> Backward:
        n = len(pair.op.inputs)
        data = set(range(n)) - {i % n for i in constant}
        return at_midpoint(*data)(pair)

    return prepare


def passed_on(pair: Pair) -> Backward:
    """Inputs are outputs. A stopped gradient stops no difference."""
    return lambda multipliers: [m if i in pair.live else None for i, m in enumerate(multipliers)]


def normalised(pair: Pair) -> Backward:
    """Batch norm with constant statistics is linear; with those of the batch it is refused."""
    if pair.op.get_attr("is_training"):
        raise pair.refuse("statistics of the batch")
    return at_midpoint(0)(pair)


def cast(pair: Pair) -> Backward:
    """Between floating-point types, and from truth values."""
    source, target = pair.op.inputs[0].dtype, pair.op.outputs[0].dtype
    if not (source.is_floating or source.is_bool) or not target.is_floating:
        raise pair.refuse(f"{source.name} to {target.name}")
    kept = pair.real if source.is_bool else source
    return lambda multipliers: [tf.cast(multipliers[0], kept)]


def pooled_maximum(pair: Pair) -> Backward:
    """The change of each maximum goes to the element that was larger.

    If a window's maximum rises, the rise belongs to the sequence's largest element, else to the
    reference's: these changed by at least as much, so the multiplier is at most that of the
    window (the rule of ``shap``'s DeepExplainer). Windows may overlap. An element that did not
    change gets the derivative. A minimum is the mirror image.
    """
    if pair.live != (0,):
        raise pair.refuse("computed window")
    (u, u0), (y, y0) = pair.inputs(0), pair.outputs()
    rise, fall = tf.nn.relu(y - y0), -tf.nn.relu(y0 - y)
    change = u - u0
    near = tf.equal(change, 0)

    def backward(multipliers: list[Any]) -> list[Any]:
        m = multipliers[0]
        of_op, of_ref = (fall, rise) if pair.op.type == "Min" else (rise, fall)
        gained = derivative(pair.op, [m * of_op])[0] + derivative(pair.ref, [m * of_ref])[0]
        return [
            ratio(gained, change, derivative(pair.op, [m])[0], near),
            *(None for _ in pair.op.inputs[1:]),
        ]

    return backward


def softmax(pair: Pair) -> Backward:
    """Additive decomposition by logarithmic means, exact and free of the shift.

    With ``l_i = (p_i - p0_i) / (log p_i - log p0_i)`` the change is ``dp_i = l_i (dz_i - dn)``,
    n being the log of the normaliser; as the p sum to one, ``dn = sum l dz / sum l`` (the
    logarithmic mean Divisia index of Ang & Choi, Energy J. 18(3), 59-73, 1997).
    """
    z, z0 = (tf.nn.log_softmax(t) for t in pair.inputs(0))
    largest, distance = tf.maximum(z, z0), tf.abs(z - z0)
    near = tf.equal(distance, 0)
    share = ratio(-tf.math.expm1(-distance), distance, tf.ones_like(distance), near)
    mean = tf.exp(largest) * share
    weight = mean / tf.reduce_sum(mean, -1, keepdims=True)
    if pair.op.type == "LogSoftmax":
        return lambda m: [m[0] - weight * tf.reduce_sum(m[0], -1, keepdims=True)]
    return lambda m: [mean * (m[0] - tf.reduce_sum(m[0] * weight, -1, keepdims=True))]


RULES: dict[str, Rule] = {
    **dict.fromkeys(PASS_THROUGH, passed_on),
    **dict.fromkeys(_FIRST, at_midpoint(0)),
    **dict.fromkeys(("Add", "AddN", "AddV2", "BiasAdd", "Pack", "Sub"), at_midpoint()),
    **dict.fromkeys(("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"), normalised),
    "Concat": all_but(0),
    "ConcatV2": all_but(-1),
    "Split": at_midpoint(1),
    "ScatterNd": at_midpoint(1),
    "TensorScatterAdd": at_midpoint(0, 2),
    "TensorScatterUpdate": at_midpoint(0, 2),
    **dict.fromkeys(
        (
            "BatchMatMul",
            "BatchMatMulV2",
            "Conv2D",
            "Conv3D",
            "DepthwiseConv2dNative",
            "Einsum",
            "L2Loss",
            "MatMul",
            "Mul",
            "Square",
            "SquaredDifference",
        ),
        at_midpoint(),
    ),
    "Conv2DBackpropInput": at_midpoint(1, 2),
    "Conv3DBackpropInputV2": at_midpoint(1, 2),
    "Cast": cast,
    **dict.fromkeys(_RESCALED, elementwise.rescale),
    "Exp": elementwise.exponential,
    **dict.fromkeys(("Div", "RealDiv"), elementwise.quotient),
    **dict.fromkeys(("Inv", "Reciprocal"), elementwise.reciprocal),
    **dict.fromkeys(("Maximum", "Minimum"), elementwise.larger),
    **dict.fromkeys(_COMPARISONS, elementwise.compared),
    "LogicalNot": elementwise.negated,
    **dict.fromkeys(("LogicalAnd", "LogicalOr"), elementwise.both_true),
    **dict.fromkeys(("Select", "SelectV2"), elementwise.chosen),
    # not MaxPool3D: its derivative counts equal maxima more than once
    **dict.fromkeys(("MaxPool", "MaxPoolV2"), pooled_maximum),
    **dict.fromkeys(("Max", "Min"), pooled_maximum),
    **dict.fromkeys(("Softmax", "LogSoftmax"), softmax),
}
