"""The study's own variants, kept as they were so that its numbers compare.

Koo & Ploenzke, Nat. Mach. Intell. 3, 258-266 (2021). The scores multiply each map by the one-hot
letters afterwards, as the study does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..shuffles import references
from .deeplift import explain_pairs
from .gradients import POINTS_PER_CALL, gradients_at, saliency
from .mutagenesis import mutate
from .result import AttributionResult, Method, Report, Settings

if TYPE_CHECKING:
    from ...frozen.network import FrozenNetwork


def paper_saliency(
    network: FrozenNetwork, one_hot: Any, settings: Settings, report: Report
) -> AttributionResult:
    """Gradient of the sigmoid output s(z), by the chain rule: that of z times s (1 - s).

    In single precision like the study's networks, where 1 - s vanishes above z = 17.

    Returns
    -------
    AttributionResult
        In probability per unit of input.
    """
    output = _sigmoid(network.logits(one_hot))
    maps = saliency(network, one_hot, settings, report).maps
    maps *= (output * (np.float32(1) - output))[:, None, None]
    return AttributionResult(maps)


def paper_mutagenesis(
    network: FrozenNetwork, one_hot: Any, settings: Settings, report: Report
) -> AttributionResult:
    """Change of the sigmoid output when one letter is replaced by another.

    Returns
    -------
    AttributionResult
        In probability, zero at the original letter.
    """
    change, logits = mutate(network, one_hot, report)
    logits = logits[:, None, None]
    return AttributionResult(_sigmoid(logits + change) - _sigmoid(logits))


def paper_ig(
    network: FrozenNetwork, one_hot: Any, settings: Settings, report: Report
) -> AttributionResult:
    """What the study calls integrated gradients: a mean gradient of the logit, not weighted.

    Parameters
    ----------
    settings : dict
        ``references``: mononucleotide shuffles; ``steps``: points ``s / steps`` from 0 to 1, both
        included; ``seed``.

    Returns
    -------
    AttributionResult
        In logits per unit of input.
    """
    maps = np.empty((*one_hot.shape, network.classes), dtype=np.float32)
    count, steps = settings["references"], settings["steps"]
    shares = np.linspace(0.0, 1.0, steps + 1, dtype=np.float32)[:, None, None]
    per_call = max(1, POINTS_PER_CALL // (count * len(shares)))
    for start in range(0, len(one_hot), per_call):
        batch = one_hot[start : start + per_call]
        others = references(batch, "mononucleotide", count, settings["seed"])[:, :, None]
        points = others + shares * (batch[:, None, None] - others)
        gradients = gradients_at(network, points.reshape(-1, *batch.shape[1:]))
        maps[start : start + len(batch)] = gradients.reshape(len(batch), -1, *maps.shape[1:]).mean(
            axis=1
        )
        report("step", done=start + len(batch), of=len(one_hot))
    return AttributionResult(maps)


def paper_deepshap(
    network: FrozenNetwork, one_hot: Any, settings: Settings, report: Report
) -> AttributionResult:
    """SHAP values of the logit, one per input, which the study multiplies by the letters again.

    Parameters
    ----------
    settings : dict
        ``references``: mononucleotide shuffles; ``seed``.

    Returns
    -------
    AttributionResult
        In logits; what a letter that is not there contributed through the references is kept at
        that letter, so the product with the letters is not complete. ``completeness`` is that of
        the values themselves.
    """
    found = explain_pairs(network, one_hot, {**settings, "reference": "mononucleotide"}, report)
    error = found.at_input.sum(axis=(1, 2), dtype=np.float64) - found.gap
    return AttributionResult(found.at_input, error.astype(np.float32))


def _sigmoid(z: Any) -> Any:
    with np.errstate(over="ignore"):
        return np.float32(1) / (np.float32(1) + np.exp(-z))


METHODS = (
    Method(
        paper_saliency,
        name="paper_saliency",
        label="paper saliency",
        summary="the study's: gradient of the sigmoid output; follows from `saliency`",
        base="observed",
        reason="at the sigmoid, else as saliency",
        study="saliency",
        paper_maps=True,
    ),
    Method(
        paper_mutagenesis,
        name="paper_ism",
        label="paper ism",
        summary="the study's: change of the sigmoid output; follows from `ism`",
        base="norm",
        entry="change under every other letter",
        reason="at the sigmoid, else as ism",
        letters=True,
        study="ism",
        paper_maps=True,
    ),
    Method(
        paper_ig,
        name="paper_ig",
        label="paper ig",
        summary="the study's: mean gradient over 10 letter shuffles and 21 points, times letters",
        base="observed",
        reason="the study multiplies the mean gradient by x, not by (x - reference)",
        study="integrated_gradients",
        paper_maps=True,
        defaults={"references": 10, "steps": 20, "seed": 0},
        cheapest={"references": 1, "steps": 2},
    ),
    Method(
        paper_deepshap,
        name="paper_deepshap",
        label="paper deepshap",
        summary="the study's: SHAP values of 10 letter shuffles, times letters again",
        base="observed",
        entry="contribution",
        reason="the study multiplies SHAP values by x again, which drops the reference letters' "
        "share",
        study="deepshap",
        paper_maps=True,
        complete=True,
        defaults={"references": 10, "seed": 0},
        cheapest={"references": 1},
    ),
)
