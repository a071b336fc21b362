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
# at an operation without a rule: no maps, or its own derivative at the sequence
REFUSE, GRADIENT = "refuse", "gradient"


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
        ``hypothetical``: whether to keep hypothetical contributions; ``without_rule``: ``refuse``
        a network with an operation that has no rule, or take that operation's own ``gradient`` at
        the sequence.

    Returns
    -------
    AttributionResult
        Contribution of each base, in logits, at the letter that is there, mean over references;
        the sum is the difference of logits but for rounding, and for what gradients miss, both in
        ``completeness``.

    Raises
    ------
    NotSupported
        If an operation has no rule, nor a gradient where that is asked for, or a multiplier is not
        finite.
    ValueError
        If ``without_rule`` is neither.
    """
    if settings["without_rule"] not in (REFUSE, GRADIENT):
        raise ValueError(
            f"no without_rule {settings['without_rule']!r}; choose {REFUSE} or {GRADIENT}"
        )
    found = explain_pairs(network, one_hot, settings, report)
    maps = found.hypothetical * one_hot[..., None]
    error = maps.sum(axis=(1, 2), dtype=np.float64) - found.gap
    kept = found.hypothetical if settings["hypothetical"] else None
    named = ", ".join(_walk_of(network, settings).by_gradient)
    return AttributionResult(maps, error.astype(np.float32), kept, named)


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

    from .multipliers.walk import FIELDS, Contributions, in_double

    explain = _walk_of(network, settings)
    again: DeepLift | None = None
    per_call = max(1, PAIRS_PER_CALL // settings["references"])
    parts = []
    for start in range(0, len(one_hot), per_call):
        batch = one_hot[start : start + per_call]
        others = references(batch, settings["reference"], settings["references"], settings["seed"])
        found = explain(batch, others)
        rounded = found.error(batch) > TOLERANCE
        # what gradients miss is no rounding
        if rounded.any() and not explain.by_gradient:
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


def _walk_of(network: FrozenNetwork, settings: Settings) -> DeepLift:
    from .multipliers.walk import DeepLift

    without_rule = settings.get("without_rule", REFUSE)
    return network.traced(
        f"deeplift {without_rule}",
        lambda: DeepLift(network, gradient=without_rule == GRADIENT),
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
        defaults={**SHUFFLED, "reference": "uniform", "references": 1, "without_rule": REFUSE},
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
        defaults={**SHUFFLED, "references": 20, "without_rule": REFUSE},
        cheapest={"references": 1},
    ),
)
