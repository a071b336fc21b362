"""In-silico mutagenesis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .result import NORM, AttributionResult, Method, Report, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...frozen.network import FrozenNetwork

# sequences (n, length, 4) to logits (n, length, 3, classes) of their mutants
Evaluator: TypeAlias = "Callable[[Any], Any]"
# of one call: large enough to fill the cores, small enough to stay in cache
MUTANTS_PER_CALL = 2400
# positions at which the faster way is held against the whole network, and the share of the largest
# logit that is rounding there
COMPARED, TOLERANCE = 32, 1e-3


def in_silico_mutagenesis(
    network: FrozenNetwork, one_hot: Any, settings: Settings, report: Report
) -> AttributionResult:
    """Change of each logit when one letter is replaced by another.

    Only the three substitutions per position are evaluated; the entry of the original letter is
    zero by definition. Only what a substitution changes is computed, where that is known
    (`substitutions.changed`), which adds in another order and so rounds otherwise: within 1e-5 of
    the largest logit, in single precision.

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
    n, length, letters = one_hot.shape
    mutants = length * (letters - 1)
    # mutant j of position p carries letter (original + j) mod 4, j = 1..3
    letter = (one_hot.argmax(axis=2)[:, :, None] + np.arange(1, letters)) % letters
    position = np.arange(length)[:, None]
    per_call = max(1, MUTANTS_PER_CALL // mutants)
    original = network.logits(one_hot)
    maps = np.zeros((*one_hot.shape, network.classes), dtype=np.float32)
    evaluate = network.traced("mutants", lambda: evaluator(network, one_hot[:1]))
    for start in range(0, n, per_call):
        rows = np.arange(start, min(start + per_call, n))
        change = evaluate(one_hot[rows]) - original[rows, None, None]
        maps[rows[:, None, None], position, letter[rows]] = change
        report("step", done=int(rows[-1]) + 1, of=n)
    return maps, original


def evaluator(network: FrozenNetwork, one_hot: Any) -> Evaluator:
    """Mutants by what a substitution changes; whole where nothing is saved or the two disagree.

    Parameters
    ----------
    network : FrozenNetwork
    one_hot : ndarray (n, length, 4) float32
        Sequences on which the two are compared, at some of their positions.
    """
    from .substitutions.changed import ChangedOnly
    from .substitutions.patches import NotLocal

    try:
        changed = ChangedOnly(network, one_hot.shape[2] - 1, MUTANTS_PER_CALL)
    except NotLocal:
        return plain(network)
    return changed if agrees(network, changed, one_hot) else plain(network)


def agrees(network: FrozenNetwork, evaluate: Evaluator, one_hot: Any) -> bool:
    """Whether mutants' logits are the network's own, at the ends and some positions between."""
    import tensorflow as tf

    n, length, letters = one_hot.shape
    some = np.unique(np.linspace(0, length - 1, min(length, COMPARED)).astype(int))
    rolled = np.stack([np.roll(one_hot, j, axis=2) for j in range(1, letters)], axis=2)[:, some]
    mutants = np.broadcast_to(one_hot[:, None, None], (n, len(some), letters - 1, length, letters))
    mutants = mutants.copy()
    mutants[:, np.arange(len(some)), :, some] = rolled.swapaxes(0, 1)
    whole = network.logits(mutants.reshape(-1, length, letters))
    try:
        found = evaluate(one_hot)[:, some].reshape(whole.shape)
    except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError):
        # a form of an operation that this device has no kernel for
        return False
    scale = np.abs(whole[np.isfinite(whole)]).max(initial=0)
    return np.allclose(found, whole, rtol=0, atol=TOLERANCE * scale, equal_nan=True)


def plain(network: FrozenNetwork) -> Evaluator:
    """Every mutant evaluated whole."""
    import tensorflow as tf

    length, letters = network.shape
    here = tf.constant(np.eye(length, dtype=np.float32)[None, :, None, :, None])

    def evaluate(one_hot: Any) -> Any:
        rolled = tf.stack([tf.roll(one_hot, j, axis=2) for j in range(1, letters)], axis=2)
        # 0 or 1 exactly, as sums and differences of zeros and ones
        change = (rolled - one_hot[:, :, None])[:, :, :, None] * here
        mutants = one_hot[:, None, None] + change
        return network.symbolic_logits(tf.reshape(mutants, (-1, length, letters)))

    spec = tf.TensorSpec((None, length, letters), tf.float32)
    traced = tf.function(evaluate, input_signature=[spec], autograph=False)

    def logits(one_hot: Any) -> Any:
        found = np.asarray(traced(tf.constant(one_hot)))
        return found.reshape(len(one_hot), length, letters - 1, network.classes)

    return logits


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
