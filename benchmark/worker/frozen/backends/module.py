"""A plain PyTorch module as a Keras model."""

from __future__ import annotations

from typing import Any

import keras


class ModuleModel(keras.Model):  # type: ignore[misc]  # keras has no types
    """Wraps a ``torch.nn.Module`` of sequences (n, length, 4) to logits (n, classes).

    Attributes
    ----------
    submitted : torch.nn.Module
    """

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.network = keras.layers.TorchModuleWrapper(module)

    @property
    def submitted(self) -> Any:
        """The module itself."""
        return self.network.module

    def call(self, sequences: Any, training: bool = False) -> Any:
        """Logits; dropout and batch statistics as in training or as in prediction."""
        return self.network(sequences, training=training)
