"""PyTorch: the network's exported program, ATen operation by operation.

`torch.export` traces the module once with a free number of sequences and without in-place
operations; what ATen has a composite for and this file has not is decomposed by PyTorch itself.
Two permutations that undo each other vanish, so that a convolution between them is found with its
positions and filters in TensorFlow's order.
"""

from __future__ import annotations

import math
import operator
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
import torch

from . import Forward, Unsupported, recorded_output
from .shared import convolve, max_pool, spread

aten = torch.ops.aten


def has_gpu() -> bool:
    """Whether PyTorch sees a GPU."""
    return bool(torch.cuda.is_available())


def lower(model: Any, shape: tuple[int, ...], motif_layer: Any) -> Forward:
    """The network's exported program as a function of tensors; see `Backend.lower`."""
    program = _exported(model, shape, motif_layer)

    def forward(sequences: Any) -> list[Any]:
        interpreter = _Interpreter(program.graph_module)
        return list(interpreter.run(*_arguments(program, sequences)))

    return forward


class _Called(torch.nn.Module):
    """A network at prediction, with what one of its layers returned."""

    def __init__(self, model: Any, motif_layer: Any) -> None:
        super().__init__()
        self.model = model
        self._layer = motif_layer

    def forward(self, sequences: Any) -> list[Any]:
        method = "call" if hasattr(self._layer, "call") else "forward"
        with recorded_output(self._layer, method) as seen:
            output = self.model(sequences, training=False)
        return [output, *seen[:1]]


def _exported(model: Any, shape: tuple[int, ...], motif_layer: Any) -> Any:
    from keras.src.backend.torch.core import get_device

    # not 0, 1 or a number that the network may hold: each would be taken for a constant
    example = torch.zeros((7, *shape), device=get_device())
    batch = {0: torch.export.Dim.DYNAMIC}
    # a table without our own operations: PyTorch takes apart only what is missing here
    table: Any = torch.export.default_decompositions()
    for known in OPERATIONS:
        table.pop(known, None)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(
            _Called(model, motif_layer).eval(),
            (example,),
            dynamic_shapes={"sequences": batch},
            strict=False,
        )
        program = program.run_decompositions(table)
    targets = {node.target for node in program.graph.nodes if node.op == "call_function"}
    if unknown := targets - IGNORED - PYTHON - OPERATIONS.keys():
        raise Unsupported(f"PyTorch operation {', '.join(sorted(map(str, unknown)))}")
    return program


def _arguments(program: Any, sequences: Any) -> list[Any]:
    """Values of the program's inputs in their order: weights, constants, then the sequences."""
    signature = program.graph_signature
    named = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    lifted = signature.inputs_to_lifted_tensor_constants
    values = []
    for node in program.graph.nodes:
        if node.op != "placeholder":
            continue
        if node.name in named:
            target = named[node.name]
            held = program.state_dict.get(target, program.constants.get(target))
            values.append(_constant(held) if node.users else None)
        elif node.name in lifted:
            values.append(_constant(program.constants[lifted[node.name]]))
        else:
            values.append(sequences)
    return values


def _constant(tensor: Any) -> Any:
    return tf.constant(tensor.detach().cpu().numpy())


class _Interpreter(torch.fx.Interpreter):
    """Runs an exported program on TensorFlow's tensors."""

    def run_node(self, n: Any) -> Any:
        self._node = n
        return super().run_node(n)

    def call_function(self, target: Any, args: Any, kwargs: Any) -> Any:
        if target in IGNORED:
            return None
        if target in PYTHON:
            return target(*args)
        device = ("device", "layout", "pin_memory", "memory_format", "implicit", "non_blocking")
        if target is aten.split.Tensor and not isinstance(args[1], int):
            # of a number that depends on the sequences: how many parts shows in who reads them
            parts = 1 + max(int(reader.args[1]) for reader in self._node.users)
            return _split(args[0], [args[1]] * (parts - 1) + [-1], *args[2:])
        kept = {name: value for name, value in kwargs.items() if name not in device}
        return OPERATIONS[target](*args, **kept)

    def fetch_attr(self, target: str) -> Any:
        return _constant(super().fetch_attr(target))


def _permuted(x: Any, order: Sequence[int]) -> Any:
    """A transposition, joined with the one before it; none at all where they cancel."""
    rank = x.shape.rank
    order = [int(i) % rank for i in order]
    source = x.op.inputs[0] if _transposes(x) else x
    if source is not x:
        before = tf.get_static_value(x.op.inputs[1]).tolist()
        order = [before[i] for i in order]
    return source if order == list(range(rank)) else tf.transpose(source, order)


def _transposes(x: Any) -> bool:
    return x.op.type == "Transpose" and tf.get_static_value(x.op.inputs[1]) is not None


def _swapped(x: Any, first: int, second: int) -> Any:
    order = list(range(x.shape.rank))
    order[first], order[second] = order[second], order[first]
    return _permuted(x, order)


def _last(x: Any) -> Any:
    """Channels (axis 1) moved to the end."""
    return _permuted(x, (0, *range(2, x.shape.rank), 1))


def _second(x: Any) -> Any:
    """Channels moved back to axis 1."""
    return _permuted(x, (0, x.shape.rank - 1, *range(1, x.shape.rank - 1)))


def _convolution(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    axes = weight.shape.rank - 2
    stride, dilation = _each(stride, axes), _each(dilation, axes)
    if padding == "same":
        spans = [d * (int(k) - 1) for d, k in zip(dilation, weight.shape[2:], strict=True)]
        pads = [(span // 2, span - span // 2) for span in spans]
    else:
        pads = [(p, p) for p in _each(0 if padding == "valid" else padding, axes)]
    kernel = tf.transpose(weight, (*range(2, axes + 2), 1, 0))
    y = convolve(_last(x), kernel, stride, pads, dilation, groups)
    return _second(y if bias is None else y + bias)


def _general_convolution(
    x: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    output_padding: Any,
    groups: int,
) -> Any:
    if not transposed:
        return _convolution(x, weight, bias, stride, padding, dilation, groups)
    if groups != 1:
        raise Unsupported("PyTorch operation 'aten.convolution' (transposed, in groups)")
    axes = weight.shape.rank - 2
    dilation = _each(dilation, axes)
    pads = []
    for k, d, p, more in zip(
        weight.shape[2:], dilation, _each(padding, axes), _each(output_padding, axes), strict=True
    ):
        width = d * (int(k) - 1) - p
        pads.append((width, width + more))
    # from (channels, filters, window), reversed, to (window, channels, filters)
    kernel = tf.transpose(weight, (*range(2, axes + 2), 0, 1))
    kernel = tf.reverse(kernel, list(range(axes)))
    y = convolve(spread(_last(x), _each(stride, axes)), kernel, [1] * axes, pads, dilation)
    return _second(y if bias is None else y + bias)


def _each(value: Any, axes: int) -> list[int]:
    """One number an axis."""
    values = list(value) if isinstance(value, (list, tuple)) else [value]
    return [int(v) for v in (values * axes if len(values) == 1 else values)]


def _max_pool(axes: int) -> Callable[..., Any]:
    def pool(
        x: Any,
        window: Any,
        stride: Any = (),
        padding: Any = 0,
        dilation: Any = 1,
        ceil: bool = False,
    ) -> Any:
        if ceil or set(_each(dilation, axes)) != {1}:
            raise Unsupported("PyTorch operation 'max_pool' with a dilation or ceil_mode")
        window = _each(window, axes)
        pads = [(p, p) for p in _each(padding, axes)]
        return _second(max_pool(_last(x), window, _each(stride or window, axes), pads))

    return pool


def _mean_pool(axes: int) -> Callable[..., Any]:
    def pool(
        x: Any,
        window: Any,
        stride: Any = (),
        padding: Any = 0,
        ceil: bool = False,
        count_include_pad: bool = True,
        divisor: Any = None,
    ) -> Any:
        pads = [(p, p) for p in _each(padding, axes)]
        if ceil or divisor is not None or (any(map(any, pads)) and not count_include_pad):
            raise Unsupported("PyTorch operation 'avg_pool' with ceil_mode or another divisor")
        window = _each(window, axes)
        padded = (
            tf.pad(_last(x), [[0, 0], *map(list, pads), [0, 0]])
            if any(map(any, pads))
            else _last(x)
        )
        return _second(tf.nn.avg_pool(padded, window, _each(stride or window, axes), "VALID"))

    return pool


def _adaptive(function: Callable[..., Any]) -> Callable[..., Any]:
    def pool(x: Any, size: Any) -> Any:
        axes = x.shape.rank - 2
        if set(_each(size, axes)) != {1}:
            raise Unsupported("PyTorch operation 'adaptive pooling' to more than one position")
        return function(x, list(range(2, x.shape.rank)), keepdims=True)

    return pool


def _adaptive_maximum(x: Any, size: Any) -> tuple[Any, None]:
    """The maximum; its place, the other output, is read by unpooling alone."""
    return _adaptive(tf.reduce_max)(x, size), None


def _vector_norm(
    x: Any, order: Any = 2, axes: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Any:
    size = tf.abs(x if dtype is None else tf.cast(x, _kind(dtype)))
    axes = None if axes is None or axes == [] else list(axes)
    if order == 2:
        return tf.sqrt(tf.reduce_sum(tf.square(size), axes, keepdims=keepdim))
    if order == 1:
        return tf.reduce_sum(size, axes, keepdims=keepdim)
    if order == math.inf:
        return tf.reduce_max(size, axes, keepdims=keepdim)
    raise Unsupported(f"PyTorch operation 'linalg_vector_norm' of order {order}")


def _weight_norm(v: Any, g: Any, axis: int = 0) -> tuple[Any, Any]:
    """Direction times length of every slice along an axis, and the lengths."""
    others = [i for i in range(v.shape.rank) if i != axis]
    norm = _vector_norm(v, 2, others, True)
    return v * (g / norm), norm


def _batch_norm(
    x: Any, weight: Any, bias: Any, mean: Any, variance: Any, _: float, eps: float
) -> tuple[Any, None, None]:
    """At prediction; the other two outputs are read in training alone."""
    shape = (-1, *(1 for _ in x.shape[2:]))
    scale = tf.math.rsqrt(variance + eps)
    scale = scale if weight is None else scale * weight
    shift = -mean * scale
    shift = shift if bias is None else shift + bias
    return x * tf.reshape(scale, shape) + tf.reshape(shift, shape), None, None


def _layer_norm(
    x: Any, shape: Sequence[int], weight: Any = None, bias: Any = None, eps: float = 1e-5, *_: Any
) -> Any:
    y = _standardised(x, [-1 - i for i in range(len(shape))], eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def _group_norm(
    x: Any, groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5, *_: Any
) -> Any:
    channels, inner = int(x.shape[1]), [int(d) for d in x.shape[2:]]
    grouped = tf.reshape(x, (-1, groups, channels // groups, *inner))
    y = _standardised(grouped, list(range(2, grouped.shape.rank)), eps)
    y = tf.reshape(y, (-1, channels, *inner))
    shape = (channels, *(1 for _ in inner))
    y = y if weight is None else y * tf.reshape(weight, shape)
    return y if bias is None else y + tf.reshape(bias, shape)


def _standardised(x: Any, axes: list[int], eps: float) -> Any:
    centred = x - tf.reduce_mean(x, axes, keepdims=True)
    variance = tf.reduce_mean(tf.square(centred), axes, keepdims=True)
    return centred * tf.math.rsqrt(variance + eps)


def _linear(x: Any, weight: Any, bias: Any = None) -> Any:
    y = _matmul(x, tf.transpose(weight))
    return y if bias is None else y + bias


def _matmul(a: Any, b: Any) -> Any:
    if a.shape.rank > 2 and b.shape.rank == 2:
        return tf.tensordot(a, b, 1)
    if b.shape.rank == 1:
        return tf.linalg.matvec(a, b)
    return tf.matmul(a, b)


def _addmm(added: Any, a: Any, b: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    product = _matmul(a, b)
    product = product if alpha == 1 else product * alpha
    return product + (added if beta == 1 else added * beta)


def _attention(
    query: Any,
    key: Any,
    value: Any,
    mask: Any = None,
    dropout: float = 0.0,
    causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    if mask is not None or causal or enable_gqa:
        raise Unsupported("PyTorch operation 'scaled_dot_product_attention' with a mask")
    scale = 1 / math.sqrt(int(query.shape[-1])) if scale is None else scale
    return tf.matmul(tf.nn.softmax(tf.matmul(query, key, transpose_b=True) * scale), value)


def _reduced(function: Callable[..., Any]) -> Callable[..., Any]:
    def reduce(x: Any, axes: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
        axes = None if axes is None or axes == [] else axes
        return function(x, axes, keepdims=keepdim)

    return reduce


def _extreme(values: Callable[..., Any], places: Callable[..., Any]) -> Callable[..., Any]:
    def reduce(x: Any, axis: int, keepdim: bool = False) -> tuple[Any, Any]:
        found = places(x, axis)
        return values(x, axis, keepdims=keepdim), tf.expand_dims(found, axis) if keepdim else found

    return reduce


def _variance(x: Any, axes: Any = None, *, correction: Any = 1, keepdim: bool = False) -> Any:
    centred = tf.square(x - tf.reduce_mean(x, axes, keepdims=True))
    mean = tf.reduce_mean(centred, axes, keepdims=keepdim)
    number = tf.cast(tf.size(x) / tf.maximum(tf.size(mean), 1), x.dtype)
    return mean * number / (number - float(correction)) if correction else mean


def _viewed(x: Any, shape: Sequence[Any]) -> Any:
    """A reshape; what depends on the number of sequences is left to TensorFlow where it can be."""
    if sum(not isinstance(d, int) or d == -1 for d in shape) == 1:
        return tf.reshape(x, [d if isinstance(d, int) else -1 for d in shape])
    return tf.reshape(x, tf.stack([tf.cast(d, tf.int32) for d in shape]))


def _flattened(x: Any, start: int = 0, end: int = -1) -> Any:
    rank = x.shape.rank
    start, end = start % rank, end % rank
    outer = [-1 if d is None else int(d) for d in x.shape]
    inner = outer[start : end + 1]
    merged = -1 if -1 in inner else math.prod(inner)
    return tf.reshape(x, [*outer[:start], merged, *outer[end + 1 :]])


def _sliced(x: Any, axis: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    index: list[Any] = [slice(None)] * x.shape.rank
    end = None if isinstance(end, int) and end >= 1 << 62 else end
    index[axis] = slice(start, end, step)
    return x[tuple(index)]


def _selected(x: Any, axis: int, index: Any) -> Any:
    axis %= x.shape.rank
    if not isinstance(index, int):
        return tf.gather(x, index, axis=axis)
    whole: list[Any] = [slice(None)] * x.shape.rank
    whole[axis] = index
    return x[tuple(whole)]


def _indexed(x: Any, indices: Sequence[Any]) -> Any:
    used = [i for i, index in enumerate(indices) if index is not None]
    if len(used) != 1 or indices[used[0]].dtype == tf.bool:
        raise Unsupported("PyTorch operation 'aten.index' along several axes or by a mask")
    return tf.gather(x, indices[used[0]], axis=used[0])


def _padded(x: Any, widths: Sequence[int], mode: Any = "constant", value: Any = None) -> Any:
    if not isinstance(mode, str):
        mode, value = "constant", mode
    pairs = [list(widths[i : i + 2]) for i in range(0, len(widths), 2)][::-1]
    if min(map(min, pairs)) < 0 or mode not in ("constant", "reflect"):
        raise Unsupported(f"PyTorch operation 'pad' ({mode}, or of negative width)")
    full = [[0, 0]] * (x.shape.rank - len(pairs)) + pairs
    if mode == "reflect":
        return tf.pad(x, full, "REFLECT")
    return tf.pad(x, full, constant_values=0.0 if value is None else value)


def _expanded(x: Any, shape: Sequence[Any]) -> Any:
    missing = len(shape) - x.shape.rank
    now = tf.concat([tf.ones(missing, tf.int32), tf.shape(x)], 0)
    wanted = [
        now[i] if isinstance(d, int) and d == -1 else tf.cast(d, tf.int32)
        for i, d in enumerate(shape)
    ]
    return tf.broadcast_to(x, tf.stack(wanted))


def _split(x: Any, size: Any, axis: int = 0) -> list[Any]:
    if isinstance(size, int):
        extent = int(x.shape[axis])
        size = [min(size, extent - i) for i in range(0, extent, size)]
    if all(isinstance(n, int) for n in size):
        return list(tf.split(x, list(size), axis))
    return list(tf.split(x, tf.stack([tf.cast(n, tf.int32) for n in size]), axis, len(size)))


def _filled(shape: Sequence[Any], value: Any, *, dtype: Any = None) -> Any:
    filled = tf.fill(tf.stack([tf.cast(d, tf.int32) for d in shape]), value)
    return filled if dtype is None else tf.cast(filled, _kind(dtype))


def _like(value: Any) -> Callable[..., Any]:
    return lambda x, *, dtype=None: tf.fill(
        tf.shape(x), tf.cast(value, x.dtype if dtype is None else _kind(dtype))
    )


def _kind(dtype: Any) -> Any:
    return tf.as_dtype(str(dtype).removeprefix("torch."))


def _cast(x: Any, *options: Any, dtype: Any = None, **_: Any) -> Any:
    kinds = [o for o in (*options, dtype) if isinstance(o, torch.dtype)]
    return tf.cast(x, _kind(kinds[0])) if kinds else x


def _pair(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of two numbers or tensors, the second of the first one's type."""

    def apply(a: Any, b: Any, *, alpha: Any = 1) -> Any:
        a, b = _same_kind(a, b)
        return function(a, b if alpha == 1 else b * alpha)

    return apply


def _same_kind(a: Any, b: Any) -> tuple[Any, Any]:
    if isinstance(a, tf.Tensor) and isinstance(b, tf.Tensor) and a.dtype != b.dtype:
        floating = a.dtype if a.dtype.is_floating else b.dtype
        return tf.cast(a, floating), tf.cast(b, floating)
    if isinstance(a, tf.Tensor):
        return a, b if isinstance(b, tf.Tensor) else tf.cast(b, a.dtype)
    return tf.cast(a, b.dtype), b


def _power(x: Any, exponent: Any) -> Any:
    x, exponent = _same_kind(x, exponent)
    return tf.pow(x, exponent)


def _where(condition: Any, a: Any, b: Any) -> Any:
    return tf.where(condition, *_same_kind(a, b))


def _clamp(x: Any, low: Any = None, high: Any = None) -> Any:
    x = x if low is None else tf.maximum(x, tf.cast(low, x.dtype))
    return x if high is None else tf.minimum(x, tf.cast(high, x.dtype))


def _elu(x: Any, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Any:
    if (alpha, scale, input_scale) == (1, 1, 1):
        return tf.nn.elu(x)
    grown = alpha * tf.math.expm1(tf.minimum(x * input_scale, 0.0))
    return scale * (tf.nn.relu(x) + grown)


def _softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    # beyond the threshold PyTorch returns x itself, which differs by less than the rounding
    return tf.nn.softplus(x) if beta == 1 else tf.nn.softplus(x * beta) / beta


def _gelu(x: Any, *, approximate: str = "none") -> Any:
    return tf.nn.gelu(x, approximate=approximate == "tanh")


def _softmax(x: Any, axis: int, *_: Any, **__: Any) -> Any:
    return tf.nn.softmax(x, axis)


def _dropped(x: Any, rate: float, training: bool) -> Any:
    if training:
        raise Unsupported("PyTorch operation 'dropout' in training")
    return x


def _counted(start: Any, end: Any = None, step: Any = 1, *, dtype: Any = None) -> Any:
    counted = tf.range(start) if end is None else tf.range(start, end, step)
    return counted if dtype is None else tf.cast(counted, _kind(dtype))


def _einsum(equation: str, tensors: Sequence[Any], **_: Any) -> Any:
    return tf.einsum(equation, *tensors)


def _unary(**functions: Callable[..., Any]) -> dict[Any, Callable[..., Any]]:
    return {getattr(aten, name).default: function for name, function in functions.items()}


def _binary(**functions: Callable[..., Any]) -> dict[Any, Callable[..., Any]]:
    """Functions of a tensor with a tensor or a number."""
    return {
        getattr(getattr(aten, name), kind): _pair(function)
        for name, function in functions.items()
        for kind in ("Tensor", "Scalar")
        if kind in getattr(aten, name).overloads()
    }


IGNORED = frozenset({aten._assert_tensor_metadata.default, aten._assert_scalar.default})
PYTHON = frozenset(
    {operator.add, operator.sub, operator.mul, operator.floordiv, operator.getitem, operator.neg}
)
OPERATIONS: dict[Any, Callable[..., Any]] = {
    **_unary(
        abs=tf.abs,
        acos=tf.acos,
        acosh=tf.acosh,
        alias=tf.identity,
        asin=tf.asin,
        asinh=tf.asinh,
        atan=tf.atan,
        atanh=tf.atanh,
        bmm=_matmul,
        cat=lambda xs, axis=0: tf.concat(list(xs), axis),
        ceil=tf.math.ceil,
        clamp=_clamp,
        clamp_min=_clamp,
        clone=lambda x: x,
        constant_pad_nd=_padded,
        contiguous=lambda x: x,
        convolution=_general_convolution,
        cos=tf.cos,
        cosh=tf.cosh,
        detach=tf.stop_gradient,
        detach_=tf.stop_gradient,
        digamma=tf.math.digamma,
        dropout=_dropped,
        einsum=_einsum,
        elu=_elu,
        erf=tf.math.erf,
        erfc=tf.math.erfc,
        exp=tf.exp,
        expand=_expanded,
        expm1=tf.math.expm1,
        feature_dropout=_dropped,
        flip=lambda x, axes: tf.reverse(x, list(axes)),
        floor=tf.floor,
        full=_filled,
        gelu=_gelu,
        group_norm=_group_norm,
        hardtanh=lambda x, low=-1.0, high=1.0: _clamp(x, low, high),
        index_select=lambda x, axis, index: tf.gather(x, index, axis=axis),
        layer_norm=_layer_norm,
        leaky_relu=lambda x, slope=0.01: tf.nn.leaky_relu(x, slope),
        lgamma=tf.math.lgamma,
        linear=_linear,
        log=tf.math.log,
        log1p=tf.math.log1p,
        log_sigmoid=tf.math.log_sigmoid,
        logical_and=tf.logical_and,
        logical_not=tf.logical_not,
        logical_or=tf.logical_or,
        matmul=_matmul,
        max_pool1d=_max_pool(1),
        max_pool2d=_max_pool(2),
        maximum=_pair(tf.maximum),
        minimum=_pair(tf.minimum),
        mish=lambda x: x * tf.tanh(tf.nn.softplus(x)),
        mm=_matmul,
        neg=tf.negative,
        permute=_permuted,
        reciprocal=tf.math.reciprocal,
        relu=tf.nn.relu,
        relu6=tf.nn.relu6,
        repeat=lambda x, times: tf.tile(x, list(times)),
        reshape=_viewed,
        rsqrt=tf.math.rsqrt,
        selu=tf.nn.selu,
        sigmoid=tf.sigmoid,
        sign=tf.sign,
        silu=tf.nn.silu,
        sin=tf.sin,
        sinh=tf.sinh,
        softplus=_softplus,
        split_with_sizes=_split,
        sqrt=tf.sqrt,
        square=tf.square,
        stack=lambda xs, axis=0: tf.stack(list(xs), axis),
        t=lambda x: _swapped(x, 0, 1),
        tan=tf.tan,
        tanh=tf.tanh,
        unsqueeze=tf.expand_dims,
        view=_viewed,
        zeros=lambda shape, **options: _filled(shape, 0.0, **options),
        ones=lambda shape, **options: _filled(shape, 1.0, **options),
        zeros_like=_like(0.0),
        ones_like=_like(1.0),
        addmm=_addmm,
        adaptive_avg_pool1d=_adaptive(tf.reduce_mean),
        adaptive_max_pool1d=_adaptive_maximum,
        adaptive_max_pool2d=_adaptive_maximum,
        linalg_vector_norm=_vector_norm,
        _weight_norm_interface=_weight_norm,
        amax=_reduced(tf.reduce_max),
        amin=_reduced(tf.reduce_min),
        avg_pool1d=_mean_pool(1),
        avg_pool2d=_mean_pool(2),
        _native_batch_norm_legit_no_training=_batch_norm,
        logsumexp=_reduced(tf.reduce_logsumexp),
        mean=lambda x, **_: tf.reduce_mean(x),
        pad=_padded,
        scaled_dot_product_attention=_attention,
        sum=lambda x, **_: tf.reduce_sum(x),
        _softmax=_softmax,
        _unsafe_view=_viewed,
    ),
    **_binary(
        add=tf.add,
        div=tf.divide,
        eq=tf.equal,
        ge=tf.greater_equal,
        gt=tf.greater,
        le=tf.less_equal,
        lt=tf.less,
        mul=tf.multiply,
        multiply=tf.multiply,
        ne=tf.not_equal,
        sub=tf.subtract,
        subtract=tf.subtract,
    ),
    aten.arange.default: _counted,
    aten.arange.start: _counted,
    aten.arange.start_step: _counted,
    aten.chunk.default: lambda x, n, axis=0: _split(x, -(-int(x.shape[axis]) // n), axis),
    aten.conv1d.default: _convolution,
    aten.conv1d.padding: _convolution,
    aten.conv2d.default: _convolution,
    aten.conv2d.padding: _convolution,
    aten.flatten.using_ints: _flattened,
    aten.index.Tensor: _indexed,
    aten.log_softmax.int: lambda x, axis, *_: tf.nn.log_softmax(x, axis),
    aten.max.dim: _extreme(tf.reduce_max, tf.argmax),
    aten.mean.dim: _reduced(tf.reduce_mean),
    aten.min.dim: _extreme(tf.reduce_min, tf.argmin),
    aten.pow.Scalar: _power,
    aten.pow.Tensor_Scalar: _power,
    aten.pow.Tensor_Tensor: _power,
    aten.rsub.Scalar: lambda a, b: b - a,
    aten.select.int: _selected,
    aten.slice.Tensor: _sliced,
    aten.softmax.int: _softmax,
    aten.split.Tensor: _split,
    aten.squeeze.dim: lambda x, axis: tf.squeeze(x, [axis]),
    aten.squeeze.dims: lambda x, axes: tf.squeeze(x, list(axes)),
    aten.sum.dim_IntList: _reduced(tf.reduce_sum),
    aten.sym_size.int: lambda x, axis: tf.shape(x)[axis],
    aten.to.dtype: _cast,
    aten.to.dtype_layout: _cast,
    aten._to_copy.default: _cast,
    aten.transpose.int: _swapped,
    aten.var.correction: _variance,
    aten.where.self: _where,
}
