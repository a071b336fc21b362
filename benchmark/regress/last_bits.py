"""A network whose operations round otherwise, as another processor's functions do.

Libraries agree on a hyperbolic tangent or on a sum of products up to the last bit or two, and an
activation that subtracts nearly equal numbers makes much of that bit. How much is measured on the
network itself: the result of every operation that rounds is moved by one unit of single precision.
"""

from __future__ import annotations

from typing import Any

ULP = 2.0**-23
# operations of libraries that round in ways of their own; sums and products of two are exact to 1/2
ROUNDING = frozenset(
    """
    AvgPool BatchMatMulV2 BatchMatMulV3 Conv2D Elu Erf Exp Expm1 FusedBatchNormV3 Log Log1p MatMul
    Mean Pow Rsqrt Selu Sigmoid Softmax Softplus Sqrt Sum Tanh
    """.split()  # noqa: SIM905
)


def move_results(graph_def: Any, units: int) -> None:
    """Multiply each rounded result of a graph by ``1 + units * ULP``, in place.

    Parameters
    ----------
    graph_def : GraphDef
        Without a library of functions: baselines have none.
    units : int
        How many units in the last place; negative ones make results smaller.
    """
    import tensorflow as tf

    single = tf.float32.as_datatype_enum
    for node in list(graph_def.node):
        if node.op not in ROUNDING or node.attr["T"].type != single:
            continue
        exact = graph_def.node.add()
        exact.CopyFrom(node)
        exact.name = f"{node.name}/exact"
        factor = graph_def.node.add(name=f"{node.name}/factor", op="Const")
        factor.attr["dtype"].type = single
        factor.attr["value"].tensor.CopyFrom(
            tf.make_tensor_proto(1.0 + units * ULP, dtype=tf.float32)
        )
        # who reads the result by its name reads the moved one
        moved = tf.compat.v1.NodeDef(name=node.name, op="Mul", input=[exact.name, factor.name])
        moved.attr["T"].type = single
        node.CopyFrom(moved)
