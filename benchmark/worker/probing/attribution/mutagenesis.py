"""In-silico mutagenesis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .result import NORM, AttributionResult, Method, Report, Settings

if TYPE_CHECKING:
    from ...frozen.network import FrozenNetwork

# sequences whose mutants are evaluated in one call: large enough to fill the cores, small enough
# that the mutants stay in cache
MUTANTS_PER_CALL = 2400


def in_silico_mutagenesis(
    network: FrozenNetwork, one_hot: Any, settings: Settings, report: Report
) -> AttributionResult:
    """Change of each logit when one letter is replaced by another.

    Only the three substitutions per position are evaluated; the entry of the original letter is
    zero by definition. The mutants are built inside the traced function, by all cores.

    Parameters
    ----------
    network : FrozenNetwork
    one_hot : ndarray (n, length, 4) float32
    settings : dict
        None.
    report : Report

    Returns
    -------
    AttributionResult
        ``logit(mutant) - logit(original)``.
    """
    maps, _ = mutate(network, one_hot, report)
    return AttributionResult(maps)


def mutate(network: FrozenNetwork, one_hot: Any, report: Report) -> tuple[Any, Any]:
    """Changes (n, length, 4, classes) of the logits, and the original logits (n, classes)."""
    import tensorflow as tf

    n, length, letters = one_hot.shape
    mutants = length * (letters - 1)
    # mutant j of position p carries letter (original + j) mod 4, j = 1..3
    letter = (one_hot.argmax(axis=2)[:, :, None] + np.arange(1, letters)) % letters
    position = np.arange(length)[:, None]
    per_call = max(1, MUTANTS_PER_CALL // mutants)
    original = network.logits(one_hot)
    maps = np.zeros((*one_hot.shape, network.classes), dtype=np.float32)
    evaluate = network.traced("mutants", lambda: _evaluator(network, length, letters))
    for start in range(0, n, per_call):
        rows = np.arange(start, min(start + per_call, n))
        logits = np.asarray(evaluate(tf.constant(one_hot[rows])))
        change = logits.reshape(len(rows), length, letters - 1, -1) - original[rows, None, None]
        maps[rows[:, None, None], position, letter[rows]] = change
        report("step", done=int(rows[-1]) + 1, of=n)
    return maps, original


def _evaluator(network: FrozenNetwork, length: int, letters: int) -> Any:
    """Logits (n * length * 3, classes) of all mutants of sequences (n, length, 4)."""
    import tensorflow as tf

    here = tf.constant(np.eye(length, dtype=np.float32)[None, :, None, :, None])

    def evaluate(one_hot: Any) -> Any:
        rolled = tf.stack([tf.roll(one_hot, j, axis=2) for j in range(1, letters)], axis=2)
        # 0 or 1 exactly, as sums and differences of zeros and ones
        change = (rolled - one_hot[:, :, None])[:, :, :, None] * here
        mutants = one_hot[:, None, None] + change
        return network.symbolic_logits(tf.reshape(mutants, (-1, length, letters)))

    spec = tf.TensorSpec((None, length, letters), tf.float32)
    return tf.function(evaluate, input_signature=[spec], autograph=False)


METHODS = (
    Method(
        in_silico_mutagenesis,
        name="ism",
        label="ISM",
        summary="change of the logit for each of the three substitutions",
        meaning="how far the logit moves when another letter stands there: the L2 norm of the "
        "three changes, without a sign",
        base="norm",
        entry="change under every other letter",
        quantity="changes",
        reason=NORM,
        letters=True,
        study="ism",
    ),
)
