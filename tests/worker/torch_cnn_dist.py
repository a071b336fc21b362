"""CNN-dist as a plain PyTorch module, with the weights of a Keras one."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch
from torch import nn


class CnnDist(nn.Module):
    """The layers of ``models/cnn_dist.py``: sequences (n, length, 4) in, logits (n, 1) out."""

    def __init__(self):
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv1d(a, b, window, padding=padding, bias=False)
            for a, b, window, padding in (
                (4, 24, 19, "same"),
                (24, 32, 7, "same"),
                (32, 48, 7, "valid"),
                (48, 64, 3, "valid"),
            )
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(n, eps=1e-3) for n in (24, 32, 48, 64, 96))
        self.dense = nn.Linear(192, 96, bias=False)
        self.out = nn.Linear(96, 1)

    def forward(self, x):
        x = x.transpose(1, 2)
        pools = (None, 4, 4, 3)
        for number, (convolution, norm, pool) in enumerate(
            zip(self.convolutions, self.norms, pools, strict=False)
        ):
            x = norm(convolution(x))
            x = torch.relu(x) if number else torch.exp(x)
            x = nn.functional.max_pool1d(x, pool) if pool else x
        # Keras flattens position by position
        x = torch.relu(self.norms[4](self.dense(x.transpose(1, 2).flatten(1))))
        return self.out(x)


def network_with(weights):
    """A submission's module whose network holds Keras's weights, in the order of its layers."""
    network = CnnDist()
    rest = iter(torch.tensor(np.asarray(w)) for w in weights)
    with torch.no_grad():
        for layer, norm in zip([*network.convolutions, network.dense], network.norms, strict=True):
            kernel = next(rest)
            layer.weight.copy_(kernel.permute(*reversed(range(kernel.ndim))))
            for name in ("weight", "bias", "running_mean", "running_var"):
                getattr(norm, name).copy_(next(rest))
        network.out.weight.copy_(next(rest).T)
        network.out.bias.copy_(next(rest))
    return SimpleNamespace(build_model=lambda task: network)
