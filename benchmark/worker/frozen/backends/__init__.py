"""Keras's backends: how the network of each becomes TensorFlow operations that can be frozen.

A network is trained by its own backend and probed as one graph of operations, so that every method
works on every backend. One file per backend turns a built model into a function of tensors; an
operation that has no counterpart is refused by its name.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Protocol, cast

# as people write them
NAMES = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}
# sequences (n, length, 4) to the output and, where a layer is named, what that layer returned
Forward = Callable[[Any], list[Any]]


class Unsupported(Exception):
    """An operation of a backend that has no counterpart; the message names it."""


class Backend(Protocol):
    """What a backend's file defines."""

    def lower(self, model: Any, shape: tuple[int, ...], motif_layer: Any) -> Forward:
        """The network as a function of TensorFlow tensors."""

    def has_gpu(self) -> bool:
        """Whether the backend sees a GPU."""


def current() -> Backend:
    """The backend that Keras runs on in this process."""
    import keras

    return cast(Backend, import_module(f".on_{keras.backend.backend()}", __name__))


@contextmanager
def recorded_output(layer: Any, method: str = "call") -> Any:
    """Collect what one layer returns while a model is traced."""
    seen: list[Any] = []
    if layer is None:
        yield seen
        return
    original = getattr(layer, method)

    def recording(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        seen.append(result)
        return result

    setattr(layer, method, recording)
    try:
        yield seen
    finally:
        setattr(layer, method, original)
