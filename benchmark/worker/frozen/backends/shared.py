"""What several backends turn into the same TensorFlow operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from . import Unsupported

# not minus infinity: the difference of two such is undefined
LOWEST = tf.float32.min


def convolve(
    x: Any, kernel: Any, strides: Any, padding: Any, dilations: Any, groups: int = 1
) -> Any:
    """Convolution of (n, spatial, channels) with (window, channels / groups, filters).

    Parameters
    ----------
    x, kernel : tensor
    strides, dilations : sequence of int
    padding : sequence of (int, int)
        Zeros before and after every spatial axis.
    groups : int
    """
    strides, dilations = list(strides), list(dilations)
    if any(width < 0 for pair in padding for width in pair):
        raise Unsupported("a convolution with a negative padding")
    windows = [(int(k) - 1) * d + 1 for k, d in zip(kernel.shape, dilations, strict=False)]
    mode = padding_mode(x.shape[1:-1], windows, strides, padding)
    if mode is None:
        x, mode = tf.pad(x, [[0, 0], *map(list, padding), [0, 0]]), "VALID"
    if groups == 1:
        return tf.nn.convolution(x, kernel, strides, mode, dilations=dilations)
    parts = zip(tf.split(x, groups, -1), tf.split(kernel, groups, -1), strict=True)
    return tf.concat(
        [tf.nn.convolution(a, k, strides, mode, dilations=dilations) for a, k in parts], -1
    )


def spread(x: Any, strides: Sequence[int]) -> Any:
    """Zeros between the positions of (n, spatial, channels), as a transposed convolution reads."""
    for axis, stride in enumerate(strides, start=1):
        if stride > 1:
            extent = int(x.shape[axis])
            widths = [[0, 0] for _ in range(x.shape.rank + 1)]
            widths[axis + 1][1] = stride - 1
            holes = tf.pad(tf.expand_dims(x, axis + 1), widths)
            shape = [-1 if n is None else n for n in x.shape]
            shape[axis] = extent * stride
            whole = tf.reshape(holes, shape)
            last = (extent - 1) * stride + 1
            x = tf.gather(whole, tf.range(last), axis=axis)
    return x


def padding_mode(
    extents: Sequence[int | None], windows: Sequence[int], strides: Sequence[int], padding: Any
) -> str | None:
    """TensorFlow's name for a padding, or None where it has none."""
    if not any(before or after for before, after in padding):
        return "VALID"
    for extent, window, stride, (before, after) in zip(
        extents, windows, strides, padding, strict=True
    ):
        if extent is None:
            return None
        total = max((-(-extent // stride) - 1) * stride + window - extent, 0)
        if (before, after) != (total // 2, total - total // 2):
            return None
    return "SAME"


def max_pool(
    x: Any, window: Sequence[int], strides: Sequence[int], padding: Sequence[tuple[int, int]]
) -> Any:
    """Maximum over windows of (n, spatial, channels), padded on every spatial axis."""
    mode = padding_mode(x.shape[1:-1], window, strides, padding)
    if mode is None:
        x = tf.pad(x, [[0, 0], *map(list, padding), [0, 0]], constant_values=LOWEST)
    return tf.nn.max_pool(x, list(window), list(strides), mode or "VALID")
