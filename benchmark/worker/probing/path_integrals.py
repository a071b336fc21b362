"""Whether a network's gradients add up to what its logits do along straight paths.

By the gradient theorem the integral of the gradient from one input to another is the difference of
the logits, whatever the network. Where it is not, something on the way shows another gradient than
that of what it computes: a stopped, rounded or custom one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import PATH_CHANGES, PATH_INTEGRALS
from .attribution.gradients import POINTS_PER_CALL, gradients_at
from .shuffles import references

if TYPE_CHECKING:
    from ..frozen.network import FrozenNetwork

SEED = 3
# where so much of the changes is missed by the steps asked for, so many times as many are taken:
# kinks that a coarse rule steps over are no fault of the network's
DOUBTFUL, FINER = 0.2, 4


def write_path_integrals(
    network: FrozenNetwork, one_hot: Any, settings: dict[str, Any], out: Path, report: Any
) -> None:
    """Integrate gradients from dinucleotide shuffles to their sequence, by the trapezoidal rule.

    Parameters
    ----------
    network : FrozenNetwork
    one_hot : ndarray (n, length, 4) float32
    settings : dict
        ``paths``: shuffles of each sequence; ``steps``: intervals of a path.
    out : Path
        Folder that receives ``path_integrals`` and ``path_changes``, both (n, paths, classes)
        float32, in logits: the integral, and the logit of the sequence less that of the shuffle.
    report : callable
    """
    shape = (len(one_hot), settings["paths"], network.classes)
    integrals, changes = np.empty(shape, np.float32), np.empty(shape, np.float32)
    for row, sequence in enumerate(one_hot):
        others = references(sequence[None], "dinucleotide", settings["paths"], SEED)[0]
        here = network.logits(sequence[None]) - network.logits(others)
        found = _integrals(network, sequence, others, settings["steps"])
        if np.abs(found - here).sum() > DOUBTFUL * np.abs(here).sum():
            found = _integrals(network, sequence, others, FINER * settings["steps"])
        integrals[row], changes[row] = found, here
        report("step", name="paths", done=row + 1, of=len(one_hot))
    for name, array in ((PATH_INTEGRALS, integrals), (PATH_CHANGES, changes)):
        np.save(out / f"{name}.npy", array, allow_pickle=False)


def _integrals(network: FrozenNetwork, sequence: Any, others: Any, steps: int) -> Any:
    """Integrals (paths, classes) from each of others (paths, length, 4) to a sequence."""
    shares = np.linspace(0.0, 1.0, steps + 1, dtype=np.float32)
    weights = np.full(steps + 1, 1.0 / steps)
    weights[[0, -1]] /= 2
    along = sequence - others
    points = others[:, None] + shares[:, None, None] * along[:, None]
    total = np.zeros((len(others), network.classes))
    flat = points.reshape(-1, *sequence.shape)
    path, step = np.divmod(np.arange(len(flat)), steps + 1)
    for start in range(0, len(flat), POINTS_PER_CALL):
        rows = slice(start, start + POINTS_PER_CALL)
        slopes = np.einsum("plbc,plb->pc", gradients_at(network, flat[rows]), along[path[rows]])
        np.add.at(total, path[rows], slopes * weights[step[rows], None])
    return total
