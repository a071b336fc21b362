"""Attribution maps at the logit, for every class, batched over sequences.

Each method is one small function ``(network, one_hot, report) -> maps (n, length, 4, classes)``;
the host decides which classes of a sequence count, because it alone knows the labels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .network import FrozenNetwork
from .report import Reporter

SALIENCY_BATCH = 250
# sequences whose mutants are evaluated in one call: large enough to fill the cores, small enough
# that the mutants stay in cache
MUTANTS_PER_CALL = 2400


def saliency(network: FrozenNetwork, one_hot: Any, report: Reporter) -> Any:
    """Gradient of each logit with respect to the input (Simonyan et al. 2013).

    Parameters
    ----------
    network : FrozenNetwork
    one_hot : ndarray (n, length, 4) float32
    report : Reporter

    Returns
    -------
    ndarray (n, length, 4, classes) float32
        In logits per unit of input.
    """
    classes = network.logits(one_hot[:1]).shape[1]
    maps = np.empty((*one_hot.shape, classes), dtype=np.float32)
    for start in range(0, len(one_hot), SALIENCY_BATCH):
        batch = one_hot[start : start + SALIENCY_BATCH]
        for output in range(classes):
            maps[start : start + len(batch), ..., output] = network.gradient(batch, output)
        report("step", name="saliency", done=start + len(batch), of=len(one_hot))
    return maps


def in_silico_mutagenesis(network: FrozenNetwork, one_hot: Any, report: Reporter) -> Any:
    """Change of each logit when one letter is replaced by another.

    Only the three substitutions per position are evaluated; the entry of the original letter is
    zero by definition.

    Parameters
    ----------
    network : FrozenNetwork
    one_hot : ndarray (n, length, 4) float32
    report : Reporter

    Returns
    -------
    ndarray (n, length, 4, classes) float32
        ``logit(mutant) - logit(original)``.
    """
    n, length, letters = one_hot.shape
    codes = one_hot.argmax(axis=2)
    # mutant j of position p carries letter (original + j) mod 4, j = 1..3
    shifts = np.arange(1, letters)
    position = np.repeat(np.arange(length), letters - 1)
    substitutes = (codes[:, :, None] + shifts) % letters
    identity = np.eye(letters, dtype=np.float32)
    per_call = max(1, MUTANTS_PER_CALL // (length * (letters - 1)))
    original = network.logits(one_hot)
    maps = np.zeros((*one_hot.shape, original.shape[1]), dtype=np.float32)
    mutant = np.arange(length * (letters - 1))
    for start in range(0, n, per_call):
        batch = slice(start, min(start + per_call, n))
        size = batch.stop - batch.start
        mutants = np.repeat(one_hot[batch, None], len(mutant), axis=1)
        letter = substitutes[batch].reshape(size, -1)
        mutants[:, mutant, position] = identity[letter]
        logits = network.logits(mutants.reshape(-1, length, letters))
        change = logits.reshape(size, len(mutant), -1) - original[batch, None]
        maps[np.arange(batch.start, batch.stop)[:, None], position, letter] = change
        report("step", name="ism", done=batch.stop, of=n)
    return maps


METHODS: dict[str, Callable[[FrozenNetwork, Any, Reporter], Any]] = {
    "saliency": saliency,
    "ism": in_silico_mutagenesis,
}
