"""JAX: the network's jaxpr, primitive by primitive.

The jaxpr is traced once with a symbolic number of sequences. Functions that JAX keeps by name
(``relu``, ``softplus``) become the one operation that TensorFlow has for them, so that attribution
rules meet the same operations on every backend.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import jax
import numpy as np
import tensorflow as tf
from jax.extend.core import ClosedJaxpr, Literal

from . import Forward, Unsupported, recorded_output
from .shared import convolve, max_pool, spread


def has_gpu() -> bool:
    """Whether JAX sees a GPU."""
    return bool(jax.default_backend() == "gpu")


def lower(model: Any, shape: tuple[int, ...], motif_layer: Any) -> Forward:
    """The network's jaxpr as a function of tensors; see `Backend.lower`."""
    weights = [v.value for v in model.trainable_variables]
    others = [v.value for v in model.non_trainable_variables]

    def call(sequences: Any) -> list[Any]:
        with recorded_output(motif_layer) as seen:
            output, _ = model.stateless_call(weights, others, sequences, training=False)
        return [output, *seen[:1]]

    (number,) = jax.export.symbolic_shape("n")
    example: Any = jax.ShapeDtypeStruct
    traced = jax.make_jaxpr(call)(example((number, *shape), np.float32))

    def forward(sequences: Any) -> list[Any]:
        return _Interpreter(tf.shape(sequences)[0]).run(traced, [sequences])

    return forward


class _Interpreter:
    """Runs a jaxpr on tensors.

    A broadcast is put off until an operation needs it: a value may have extent 1 where its type
    has more, because element-wise operations broadcast by themselves.
    """

    def __init__(self, number: Any) -> None:
        self._number = number

    def run(self, closed: Any, arguments: Sequence[Any]) -> list[Any]:
        """Values of a closed jaxpr's results, at their full shapes."""
        jaxpr = closed.jaxpr
        values: dict[Any, Any] = dict(
            zip(jaxpr.constvars, map(_constant, closed.consts), strict=True)
        )
        values.update(zip(jaxpr.invars, arguments, strict=True))

        def read(atom: Any) -> Any:
            return _constant(atom.val) if isinstance(atom, Literal) else values[atom]

        for equation in jaxpr.eqns:
            inputs = [read(atom) for atom in equation.invars]
            values.update(zip(equation.outvars, self._apply(equation, inputs), strict=True))
        return [self._full(read(atom), atom.aval) for atom in jaxpr.outvars]

    def _apply(self, equation: Any, inputs: list[Any]) -> list[Any]:
        name = equation.primitive.name
        if name == "max" and _is_lowest(equation.invars[0]):
            return [inputs[1]]  # JAX's guard of an empty maximum
        if name == "div" and (whole := _softmax(*inputs)) is not None:
            return [whole]
        if name in ELEMENT_WISE:
            return [ELEMENT_WISE[name](*inputs)]
        inputs = [self._full(x, atom.aval) for x, atom in zip(inputs, equation.invars, strict=True)]
        params = equation.params
        if name in CALLS:
            inner = params.get("jaxpr") or params.get("call_jaxpr") or params.get("fun_jaxpr")
            known = _by_name(params.get("name"), equation, inputs)
            return [known] if known is not None else self.run(_closed(inner), inputs)
        if name == "scan":
            return self._scan(params, inputs)
        if name == "split":
            return list(tf.split(inputs[0], list(params["sizes"]), params["axis"]))
        if name not in PRIMITIVES:
            raise Unsupported(f"JAX primitive '{name}'")
        return [PRIMITIVES[name](self, equation, *inputs)]

    def _full(self, value: Any, aval: Any) -> Any:
        """The value at the shape of its type."""
        shape = value.shape
        if shape.rank == len(aval.shape) and all(
            want is None or have == want
            for have, want in zip(shape, map(_static, aval.shape), strict=True)
            if have is not None
        ):
            missing = [
                have == 1 and _static(want) is None
                for have, want in zip(shape, aval.shape, strict=True)
            ]
            if not any(missing):
                return value
        return tf.broadcast_to(value, self.dims(aval.shape))

    def dims(self, shape: Sequence[Any]) -> Any:
        """A shape as a tensor; the symbolic number of sequences is that of the batch."""
        if all(_static(d) is not None for d in shape):
            return [int(d) for d in shape]
        return tf.stack([self._number if _static(d) is None else int(d) for d in shape])

    def _scan(self, params: dict[str, Any], inputs: list[Any]) -> list[Any]:
        """A loop of fixed length, unrolled."""
        consts, carries = params["num_consts"], params["num_carry"]
        fixed, carry = inputs[:consts], inputs[consts : consts + carries]
        steps = [tf.unstack(x, params["length"]) for x in inputs[consts + carries :]]
        collected: list[list[Any]] = []
        order = range(params["length"])
        for i in reversed(order) if params["reverse"] else order:
            found = self.run(_closed(params["jaxpr"]), [*fixed, *carry, *(x[i] for x in steps)])
            carry = found[:carries]
            collected.append(found[carries:])
        if params["reverse"]:
            collected.reverse()
        return [*carry, *(tf.stack(list(rows)) for rows in zip(*collected, strict=True))]


def _constant(value: Any) -> Any:
    return tf.constant(np.asarray(value))


def _is_lowest(atom: Any) -> bool:
    return isinstance(atom, Literal) and np.ndim(atom.val) == 0 and bool(atom.val == -np.inf)


def _static(extent: Any) -> int | None:
    """An extent as a number; None for one that depends on the number of sequences."""
    return int(extent) if isinstance(extent, (int, np.integer)) else None


def _closed(jaxpr: Any) -> Any:
    return jaxpr if hasattr(jaxpr, "jaxpr") else ClosedJaxpr(jaxpr, ())


def _by_name(name: Any, equation: Any, inputs: list[Any]) -> Any:
    """The one operation that TensorFlow has for a function that JAX names, or None."""
    if name in NAMED and len(inputs) == 1:
        return NAMED[name](inputs[0])
    if name in WITH_ONE and len(inputs) == 2 and isinstance(equation.invars[1], Literal):
        return WITH_ONE[name](inputs[0], float(equation.invars[1].val))
    return None


def _softmax(numerator: Any, denominator: Any) -> Any:
    """The softmax that a quotient is the last step of, or None."""
    if numerator.op.type != "Exp" or numerator.op.inputs[0].op.type != "Sub":
        return None
    logits, shift = numerator.op.inputs[0].op.inputs
    total, largest = _reduction(denominator), _reduction(shift)
    if total is None or largest is None or (total.type, largest.type) != ("Sum", "Max"):
        return None
    axes = [tf.get_static_value(op.inputs[1]).tolist() for op in (total, largest)]
    if total.inputs[0] is not numerator or largest.inputs[0] is not logits or axes[0] != axes[1]:
        return None
    return tf.nn.softmax(logits, axes[0][0]) if len(axes[0]) == 1 else None


def _reduction(tensor: Any) -> Any:
    """The reduction whose result a tensor is, at another shape at most; or None."""
    while tensor.op.type in ("Reshape", "StopGradient", "Identity"):
        tensor = tensor.op.inputs[0]
    return tensor.op if tensor.op.type in ("Sum", "Max") else None


def _einsum(_: _Interpreter, equation: Any, a: Any, b: Any) -> Any:
    (contract_a, contract_b), (batch_a, batch_b) = equation.params["dimension_numbers"]
    if (a.shape.rank, b.shape.rank) == (2, 2) and not batch_a:
        return tf.matmul(
            a, b, transpose_a=tuple(contract_a) == (0,), transpose_b=tuple(contract_b) == (1,)
        )
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    of_a = [next(letters) for _ in a.shape]
    of_b = [next(letters) for _ in b.shape]
    for i, j in (*zip(contract_a, contract_b, strict=True), *zip(batch_a, batch_b, strict=True)):
        of_b[j] = of_a[i]
    out = [of_a[i] for i in batch_a]
    out += [x for i, x in enumerate(of_a) if i not in (*contract_a, *batch_a)]
    out += [x for j, x in enumerate(of_b) if j not in (*contract_b, *batch_b)]
    return tf.einsum(f"{''.join(of_a)},{''.join(of_b)}->{''.join(out)}", a, b)


def _convolution(_: _Interpreter, equation: Any, x: Any, kernel: Any) -> Any:
    params = equation.params
    numbers = params["dimension_numbers"]
    if params["batch_group_count"] != 1:
        raise Unsupported("JAX primitive 'conv_general_dilated' in groups of sequences")
    lhs, rhs, out = numbers.lhs_spec, numbers.rhs_spec, numbers.out_spec
    x = spread(_permuted(x, (lhs[0], *lhs[2:], lhs[1])), params["lhs_dilation"])
    kernel = _permuted(kernel, (*rhs[2:], rhs[1], rhs[0]))
    y = convolve(
        x,
        kernel,
        params["window_strides"],
        params["padding"],
        params["rhs_dilation"],
        params["feature_group_count"],
    )
    # from (n, spatial, filters) to the order that JAX was asked for
    order = [out[0], *out[2:], out[1]]
    return _permuted(y, tuple(int(i) for i in np.argsort(order)))


def _permuted(x: Any, order: tuple[int, ...]) -> Any:
    return x if order == tuple(range(len(order))) else tf.transpose(x, order)


def _pool(kind: str) -> Callable[..., Any]:
    def pool(_: _Interpreter, equation: Any, x: Any) -> Any:
        params = equation.params
        window, strides = params["window_dimensions"], params["window_strides"]
        if set(params["base_dilation"]) | set(params["window_dilation"]) != {1}:
            raise Unsupported(f"JAX primitive '{equation.primitive.name}' with a dilation")
        if (window[0], window[-1], strides[0], strides[-1]) != (1, 1, 1, 1):
            raise Unsupported(f"JAX primitive '{equation.primitive.name}' over sequences")
        inner, steps = list(window[1:-1]), list(strides[1:-1])
        pads = params["padding"][1:-1]
        if kind == "max":
            return max_pool(x, inner, steps, pads)
        padded = tf.pad(x, [[0, 0], *map(list, pads), [0, 0]])
        return tf.nn.avg_pool(padded, inner, steps, "VALID") * float(prod(inner))

    return pool


def _padded(_: _Interpreter, equation: Any, x: Any, value: Any) -> Any:
    config = equation.params["padding_config"]
    if any(low < 0 or high < 0 or inner for low, high, inner in config):
        raise Unsupported("JAX primitive 'pad' with holes or a negative width")
    widths = [[low, high] for low, high, _ in config]
    return tf.pad(x, widths, constant_values=value)


def _sliced(_: _Interpreter, equation: Any, x: Any) -> Any:
    params = equation.params
    starts, limits = params["start_indices"], params["limit_indices"]
    strides = params["strides"] or (1,) * len(starts)
    whole = [
        slice(None) if _static(limit) is None else slice(int(start), int(limit), int(stride))
        for start, limit, stride in zip(starts, limits, strides, strict=True)
    ]
    return x[tuple(whole)]


def _gathered(run: _Interpreter, equation: Any, x: Any, index: Any) -> Any:
    """What indexing with numbers becomes: one slice, or whole slices at places of some axes."""
    numbers, sizes = equation.params["dimension_numbers"], equation.params["slice_sizes"]
    places, collapsed = list(numbers.start_index_map), list(numbers.collapsed_slice_dims)
    if index.shape.rank == 1:
        begin = [0] * x.shape.rank
        for number, place in enumerate(places):
            begin[place] = index[number]
        extent = [-1 if _static(size) is None else int(size) for size in sizes]
        part = tf.slice(x, tf.stack([tf.cast(i, tf.int32) for i in begin]), extent)
        return tf.squeeze(part, collapsed) if collapsed else part
    others = [i for i in range(x.shape.rank) if i not in places]
    whole = all(_static(sizes[i]) is None or sizes[i] == x.shape[i] for i in others)
    if sorted(places) != sorted(collapsed) or not whole:
        raise Unsupported("JAX primitive 'gather' of parts")
    picked = tf.gather_nd(_permuted(x, (*places, *others)), index)
    # the index's axes come first there; JAX says where the others go
    first = [d for d in range(picked.shape.rank) if d not in numbers.offset_dims]
    return _permuted(picked, tuple(int(i) for i in np.argsort([*first, *numbers.offset_dims])))


def _dynamic_slice(run: _Interpreter, equation: Any, x: Any, *starts: Any) -> Any:
    begin = tf.stack([tf.cast(s, tf.int32) for s in starts])
    sizes = equation.params["slice_sizes"]
    last = tf.shape(x) - run.dims(sizes)
    return tf.slice(x, tf.clip_by_value(begin, 0, last), run.dims(sizes))


def _select(predicate: Any, *cases: Any) -> Any:
    if predicate.dtype != tf.bool or len(cases) != 2:
        raise Unsupported("JAX primitive 'select_n' of several cases")
    return tf.where(predicate, cases[1], cases[0])


def _cumulative(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda _, e, x: function(x, e.params["axis"], reverse=e.params["reverse"])


def _reduced(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda _, e, x: function(x, [int(i) for i in e.params["axes"]])


def _widened(run: _Interpreter, equation: Any, x: Any) -> Any:
    """A broadcast, put off: extent 1 in place of every new one."""
    places = equation.params["broadcast_dimensions"]
    shape: list[Any] = [1] * len(equation.params["shape"])
    for have, place in zip(equation.invars[0].aval.shape, places, strict=True):
        shape[place] = -1 if _static(have) is None else int(have)
    return tf.reshape(x, shape)


def _reshaped(run: _Interpreter, equation: Any, x: Any) -> Any:
    shape = [_static(d) for d in equation.params["new_sizes"]]
    return tf.reshape(x, [-1 if d is None else d for d in shape])


def _counted(run: _Interpreter, equation: Any) -> Any:
    params = equation.params
    if _static(params["shape"][params["dimension"]]) is None:
        raise Unsupported("JAX primitive 'iota' over the sequences")
    extent = int(params["shape"][params["dimension"]])
    shape = [1] * len(params["shape"])
    shape[params["dimension"]] = extent
    return tf.reshape(tf.range(extent, dtype=params["dtype"].name), shape)


ELEMENT_WISE: dict[str, Callable[..., Any]] = {
    "abs": tf.abs,
    "acos": tf.acos,
    "acosh": tf.acosh,
    "add": tf.add,
    "add_any": tf.add,
    "and": tf.logical_and,
    "asin": tf.asin,
    "asinh": tf.asinh,
    "atan": tf.atan,
    "atan2": tf.atan2,
    "atanh": tf.atanh,
    "ceil": tf.math.ceil,
    "clamp": lambda low, x, high: tf.minimum(tf.maximum(x, low), high),
    "copy": tf.identity,
    "copy_p": tf.identity,
    "cos": tf.cos,
    "cosh": tf.cosh,
    "digamma": tf.math.digamma,
    "div": tf.divide,
    "eq": tf.equal,
    "erf": tf.math.erf,
    "erfc": tf.math.erfc,
    "erf_inv": tf.math.erfinv,
    "exp": tf.exp,
    "exp2": lambda x: tf.pow(tf.constant(2.0, x.dtype), x),
    "expm1": tf.math.expm1,
    "floor": tf.floor,
    "ge": tf.greater_equal,
    "gt": tf.greater,
    "is_finite": tf.math.is_finite,
    "le": tf.less_equal,
    "lgamma": tf.math.lgamma,
    "log": tf.math.log,
    "log1p": tf.math.log1p,
    "logistic": tf.sigmoid,
    "lt": tf.less,
    "max": tf.maximum,
    "min": tf.minimum,
    "mul": tf.multiply,
    "ne": tf.not_equal,
    "neg": tf.negative,
    "not": tf.logical_not,
    "or": tf.logical_or,
    "pow": lambda x, y: tf.pow(x, tf.cast(y, x.dtype)),
    "rsqrt": tf.math.rsqrt,
    "select_n": _select,
    "sign": tf.sign,
    "sin": tf.sin,
    "sinh": tf.sinh,
    "sqrt": tf.sqrt,
    "square": tf.square,
    "stop_gradient": tf.stop_gradient,
    "sub": tf.subtract,
    "tan": tf.tan,
    "tanh": tf.tanh,
}
PRIMITIVES: dict[str, Callable[..., Any]] = {
    "argmax": lambda _, e, x: tf.argmax(x, e.params["axes"][0], e.params["index_dtype"].name),
    "argmin": lambda _, e, x: tf.argmin(x, e.params["axes"][0], e.params["index_dtype"].name),
    "broadcast_in_dim": _widened,
    "concatenate": lambda _, e, *xs: tf.concat(xs, e.params["dimension"]),
    "conv_general_dilated": _convolution,
    "convert_element_type": lambda _, e, x: tf.cast(x, e.params["new_dtype"].name),
    "cumprod": _cumulative(tf.math.cumprod),
    "cumsum": _cumulative(tf.cumsum),
    "dot_general": _einsum,
    "dynamic_slice": _dynamic_slice,
    "gather": _gathered,
    "integer_pow": lambda _, e, x: tf.pow(x, tf.constant(e.params["y"], x.dtype)),
    "iota": _counted,
    "pad": _padded,
    "reduce_and": _reduced(tf.reduce_all),
    "reduce_max": _reduced(tf.reduce_max),
    "reduce_min": _reduced(tf.reduce_min),
    "reduce_or": _reduced(tf.reduce_any),
    "reduce_prod": _reduced(tf.reduce_prod),
    "reduce_sum": _reduced(tf.reduce_sum),
    "reduce_window_max": _pool("max"),
    "reduce_window_sum": _pool("sum"),
    "reshape": _reshaped,
    "rev": lambda _, e, x: tf.reverse(x, list(e.params["dimensions"])),
    "round": lambda _, e, x: tf.round(x),
    "slice": _sliced,
    "stack": lambda _, e, *xs: tf.stack(xs, e.params["axis"]),
    "squeeze": lambda _, e, x: tf.squeeze(x, list(e.params["dimensions"])),
    "transpose": lambda _, e, x: tf.transpose(x, list(e.params["permutation"])),
}
CALLS = frozenset(
    {"jit", "pjit", "closed_call", "custom_jvp_call", "custom_vjp_call", "checkpoint", "remat2"}
)
NAMED: dict[str, Callable[[Any], Any]] = {
    "relu": tf.nn.relu,
    "relu6": tf.nn.relu6,
    "selu": tf.nn.selu,
    "soft_sign": tf.nn.softsign,
    "softplus": tf.nn.softplus,
}
# named functions of one parameter; None at a value for which TensorFlow has no operation
WITH_ONE: dict[str, Callable[[Any, float], Any]] = {
    "elu": lambda x, alpha: tf.nn.elu(x) if alpha == 1 else None,
    "leaky_relu": tf.nn.leaky_relu,
    "logaddexp": lambda x, other: tf.nn.softplus(x) if other == 0 else None,
}
