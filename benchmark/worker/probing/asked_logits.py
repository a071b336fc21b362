"""What a network answers to sequences beyond the test set; the host alone knows their meaning."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import ASKED_LOGITS
from ..contract import one_hot
from .filters import BATCH

if TYPE_CHECKING:
    from ..frozen.network import FrozenNetwork


def write_asked_logits(network: FrozenNetwork, sequences: Any, out: Path, report: Any) -> None:
    """Write the logits of sequences.

    Parameters
    ----------
    network : FrozenNetwork
    sequences : ndarray (q, length) uint8
    out : Path
        Receives ``asked_logits`` (q, classes) float32.
    report : callable
    """
    answers = []
    for first in range(0, len(sequences), BATCH):
        answers.append(network.logits(one_hot(sequences[first : first + BATCH])))
        done = min(first + BATCH, len(sequences))
        report("step", name="questions", done=done, of=len(sequences))
    np.save(out / f"{ASKED_LOGITS}.npy", np.concatenate(answers), allow_pickle=False)
