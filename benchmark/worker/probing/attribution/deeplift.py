"""DeepLIFT and DeepSHAP: contributions by multipliers of pairs of a sequence and a reference."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np

from ..shuffles import references
from .result import (
    CONTRIBUTION,
    SHARE,
    SHUFFLED,
    AttributionResult,
    Method,
    NotSupported,
    Report,
    Settings,
)

if TYPE_CHECKING:
    from ...frozen.network import FrozenNetwork
    from .multipliers.walk import Contributions, DeepLift

# pairs of sequence and reference whose activations are held at once
PAIRS_PER_CALL = 200
# a completeness error above this share of the difference of logits is the network's own rounding:
# such sequences are explained again in double precision
TOLERANCE = 1e-4


def deeplift(
    network: FrozenNetwork, one_hot: Any, settings: Settings, report: Report
) -> AttributionResult:
    """Contributions by DeepLIFT's rescale rule; with many shuffles as references, DeepSHAP.

    Shrikumar et al. 2017 (arXiv:1704.02685); Lundberg & Lee 2017 (arXiv:1705.07874); the rules in
    `multipliers.rules`.

    Parameters
    ----------
    settings : dict
        ``reference``: a kind of `references`; ``references``: how many; ``seed``;
        ``hypothetical``: whether to keep hypothetical contributions.

    Returns
    -------
    AttributionResult
        Contribution of each base, in logits, at the letter that is there, mean over references;
        the sum is the difference of logits but for rounding, which is in ``completeness``.

    Raises
    ------
    NotSupported
        If an operation has no rule, or a multiplier is not finite.
    """
    found = explain_pairs(network, one_hot, settings, report)
    maps = found.hypothetical * one_hot[..., None]
    error = maps.sum(axis=(1, 2), dtype=np.float64) - found.gap
    kept = found.hypothetical if settings["hypothetical"] else None
    return AttributionResult(maps, error.astype(np.float32), kept)


def explain_pairs(
    network: FrozenNetwork, one_hot: Any, settings: Settings, report: Report
) -> Contributions:
    """Contributions of sequences (n, length, 4) float32, some pairs at a time.

    Raises
    ------
    NotSupported
        If an operation has no rule, or a multiplier is not finite.
    """
    import tensorflow as tf

    from .multipliers.walk import FIELDS, Contributions, DeepLift, in_double

    explain = network.traced("deeplift", lambda: DeepLift(network))
    again: DeepLift | None = None
    per_call = max(1, PAIRS_PER_CALL // settings["references"])
    parts = []
    for start in range(0, len(one_hot), per_call):
        batch = one_hot[start : start + per_call]
        others = references(batch, settings["reference"], settings["references"], settings["seed"])
        found = explain(batch, others)
        rounded = found.error(batch) > TOLERANCE
        if rounded.any():
            again = again or network.traced("deeplift64", lambda: in_double(network))
            # an operation may have a form in double precision and no kernel for it
            with contextlib.suppress(tf.errors.InvalidArgumentError, tf.errors.UnimplementedError):
                if again is not None:
                    found.replace(rounded, again(batch[rounded], others[rounded]))
        if not np.isfinite(found.hypothetical).all():
            raise NotSupported("multipliers that are not finite")
        parts.append(found)
        report("step", done=start + len(batch), of=len(one_hot))
    return Contributions(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in FIELDS)
    )


METHODS = (
    Method(
        deeplift,
        name="deeplift",
        label="DeepLIFT",
        summary="rescale rule, reference 0.25 everywhere (Shrikumar et al. 2017)",
        meaning=SHARE + "by DeepLIFT's rescale rule",
        base="observed",
        entry="contribution",
        quantity="contribution",
        reason=CONTRIBUTION,
        complete=True,
        defaults={**SHUFFLED, "reference": "uniform", "references": 1},
    ),
    Method(
        deeplift,
        name="deepshap",
        label="DeepSHAP",
        summary="rescale rule, mean over dinucleotide shuffles (Lundberg & Lee 2017)",
        meaning=SHARE + "by DeepLIFT's rescale rule",
        base="observed",
        entry="contribution",
        quantity="contribution",
        reason=CONTRIBUTION,
        complete=True,
        defaults={**SHUFFLED, "references": 20},
        cheapest={"references": 1},
    ),
)
