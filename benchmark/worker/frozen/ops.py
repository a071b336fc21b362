"""Operations that a frozen network may hold: arithmetic and shapes, nothing that reaches outside.

A graph could read and write files, draw random numbers or call back into Python, so the list
allows by name. Element-wise operations are told apart because the filter scan is found by
following them from the first convolution.
"""

from __future__ import annotations

from typing import Any

from ..report import SubmissionError

PASS_THROUGH = frozenset({"Identity", "IdentityN", "PreventGradient", "Snapshot", "StopGradient"})

ELEMENT_WISE = frozenset(
    """
    Abs Acos Acosh Add AddN AddV2 Asin Asinh Atan Atan2 Atanh BesselI0e BesselI1e BiasAdd
    Cast Ceil ClipByValue Cos Cosh Digamma Div DivNoNan Elu Equal Erf Erfc Erfinv Exp Expm1
    Floor FloorDiv FloorMod Greater GreaterEqual Igamma Igammac Inv Invert IsFinite IsInf
    IsNan LeakyRelu Less LessEqual Lgamma Log Log1p LogicalAnd LogicalNot LogicalOr Maximum
    Minimum Mod Mul MulNoNan Ndtri Neg NextAfter NotEqual OnesLike Pow RealDiv Reciprocal
    Relu Relu6 Rint Round Rsqrt Select SelectV2 Selu Sigmoid Sign Sin Sinh Softplus Softsign
    Sqrt Square SquaredDifference Sub Tan Tanh TruncateDiv TruncateMod Xdivy Xlog1py Xlogy
    ZerosLike
    """.split()  # noqa: SIM905
)

STRUCTURAL = frozenset(
    """
    All Any ArgMax ArgMin AvgPool AvgPool3D BatchMatMul BatchMatMulV2 BatchMatMulV3
    BatchToSpace BatchToSpaceND BroadcastArgs BroadcastTo CheckNumerics Concat ConcatV2
    Const Conv2D Conv2DBackpropInput Conv3D Conv3DBackpropInputV2 Cumprod Cumsum
    CumulativeLogsumexp DepthToSpace DepthwiseConv2dNative Diag DiagPart Einsum Empty
    EmptyTensorList EnsureShape Enter Exit ExpandDims FFT FFT2D Fill FusedBatchNorm
    FusedBatchNormV2 FusedBatchNormV3 Gather GatherNd GatherV2 IFFT IRFFT If InTopK
    InvertPermutation L2Loss LRN LinSpace LogSoftmax LoopCond MatMul MatrixBandPart
    MatrixDiag MatrixDiagV2 MatrixDiagV3 MatrixSetDiag Max MaxPool MaxPool3D MaxPoolV2 Mean
    Merge Min MirrorPad NextIteration NoOp NonMaxSuppression OneHot Pack Pad PadV2
    ParallelConcat PartitionedCall Placeholder PlaceholderWithDefault Prod RFFT Range Rank
    Reshape ResizeBilinear ResizeNearestNeighbor Reverse ReverseSequence ReverseV2 Roll
    ScatterNd SegmentMax SegmentMean SegmentSum Shape ShapeN Size Slice Softmax SpaceToBatch
    SpaceToBatchND SpaceToDepth Split SplitV Squeeze StatefulPartitionedCall StatelessIf
    StatelessWhile StridedSlice StridedSliceGrad Sum Switch TensorListConcatV2
    TensorListElementShape TensorListFromTensor TensorListGetItem TensorListLength
    TensorListPopBack TensorListPushBack TensorListReserve TensorListResize
    TensorListSetItem TensorListStack TensorScatterAdd TensorScatterUpdate Tile TopK TopKV2
    Transpose Unique UniqueV2 Unpack UnsortedSegmentSum Where While
    """.split()  # noqa: SIM905
)

ALLOWED = PASS_THROUGH | ELEMENT_WISE | STRUCTURAL


def refuse_unknown(graph_def: Any, source: str) -> None:
    """Check every node of a graph and of its function library.

    Raises
    ------
    SubmissionError
        Naming the operations that are not on the list.
    """
    nodes = list(graph_def.node)
    for function in graph_def.library.function:
        nodes.extend(function.node_def)
    unknown = sorted({node.op for node in nodes} - ALLOWED)
    if unknown:
        raise SubmissionError(
            f"{source}: the network holds operations that cannot be probed in isolation: "
            f"{', '.join(unknown)}; build predictions from deterministic keras.ops or layers alone"
        )
