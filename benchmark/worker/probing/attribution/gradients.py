"""Maps from gradients at the sequence itself, or close to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..shuffles import generator
from .result import AttributionResult, Method, Report, Settings

if TYPE_CHECKING:
    from ...frozen.network import FrozenNetwork

SEQUENCES_PER_CALL = 250
# a gradient has one array of activations per point: a few hundred points fill the cores
POINTS_PER_CALL = 500


def saliency(
    network: FrozenNetwork, one_hot: Any, settings: Settings, report: Report
) -> AttributionResult:
    """Gradient of each logit with respect to the input (Simonyan et al. 2013, arXiv:1312.6034).

    Returns
    -------
    AttributionResult
        In logits per unit of input.
    """
    return AttributionResult(_gradients(network, one_hot, report))


def gradient_x_input(
    network: FrozenNetwork, one_hot: Any, settings: Settings, report: Report
) -> AttributionResult:
    """Gradient at the letter that is there (Shrikumar et al. 2016, arXiv:1605.01713).

    Returns
    -------
    AttributionResult
        In logits, zero at the letters that are not there.
    """
    maps = _gradients(network, one_hot, report)
    maps *= one_hot[..., None]
    return AttributionResult(maps)


def gradient_corrected(
    network: FrozenNetwork, one_hot: Any, settings: Settings, report: Report
) -> AttributionResult:
    """Gradient minus its mean over the letters (Majdandzic et al., Genome Biol. 24, 109, 2023).

    One-hot letters lie on a plane where they sum to one; the mean is the part of the gradient that
    points off it, where the network was never trained.

    Returns
    -------
    AttributionResult
        In logits per unit of input, zero in sum over the letters.
    """
    maps = _gradients(network, one_hot, report)
    maps -= maps.mean(axis=2, keepdims=True)
    return AttributionResult(maps)


def smoothgrad(
    network: FrozenNetwork, one_hot: Any, settings: Settings, report: Report
) -> AttributionResult:
    """Mean gradient at noisy copies of the sequence (Smilkov et al. 2017, arXiv:1706.03825).

    Parameters
    ----------
    settings : dict
        ``samples``: noisy copies; ``sigma``: standard deviation of the normal noise, in units of
        input; ``seed``.

    Returns
    -------
    AttributionResult
        In logits per unit of input.
    """
    maps = np.empty((*one_hot.shape, network.classes), dtype=np.float32)
    samples = settings["samples"]
    per_call = max(1, POINTS_PER_CALL // samples)
    for start in range(0, len(one_hot), per_call):
        batch = one_hot[start : start + per_call]
        noise = np.stack(
            [
                generator(row.argmax(axis=1), settings["seed"]).normal(
                    0.0, settings["sigma"], (samples, *row.shape)
                )
                for row in batch
            ]
        )
        points = (batch[:, None] + noise).astype(np.float32)
        gradients = gradients_at(network, points.reshape(-1, *one_hot.shape[1:]))
        maps[start : start + len(batch)] = gradients.reshape(
            len(batch), samples, *maps.shape[1:]
        ).mean(axis=1)
        report("step", done=start + len(batch), of=len(one_hot))
    return AttributionResult(maps)


def gradients_at(network: FrozenNetwork, points: Any) -> Any:
    """Gradients (m, length, 4, classes) at inputs (m, length, 4) float32, some at a time."""
    calls = range(0, len(points), POINTS_PER_CALL)
    found = [network.gradients(points[i : i + POINTS_PER_CALL]) for i in calls]
    return found[0] if len(found) == 1 else np.concatenate(found)


def _gradients(network: FrozenNetwork, one_hot: Any, report: Report) -> Any:
    maps = np.empty((*one_hot.shape, network.classes), dtype=np.float32)
    for start in range(0, len(one_hot), SEQUENCES_PER_CALL):
        batch = one_hot[start : start + SEQUENCES_PER_CALL]
        maps[start : start + len(batch)] = network.gradients(batch)
        report("step", done=start + len(batch), of=len(one_hot))
    return maps


METHODS = (
    Method(
        saliency,
        name="saliency",
        label="Saliency",
        summary="gradient (Simonyan et al. 2013)",
        meaning="gradient of the logit at the letter that is there",
        base="observed",
        reason="a gradient has an entry per letter; the study reads it at the letter that is there",
        letters=True,
        study="saliency",
    ),
    Method(
        gradient_x_input,
        name="gradient_x_input",
        label="Gradient x input",
        summary="gradient times letters; the base scores of `saliency` (Shrikumar et al. 2016)",
        meaning="gradient of the logit at the letter that is there",
        base="observed",
        quantity="contribution",
        reason="times x already: the other letters' entries are zero",
    ),
    Method(
        gradient_corrected,
        name="gradient_corrected",
        label="Corrected gradient",
        summary="gradient less its mean over letters (Majdandzic et al. 2023)",
        meaning="gradient of the logit at the letter that is there, less its mean over the four "
        "letters",
        base="observed",
        quantity="gradient",
        reason="a gradient less its mean over letters (Majdandzic et al. 2023), read likewise",
        letters=True,
    ),
    Method(
        smoothgrad,
        name="smoothgrad",
        label="SmoothGrad",
        summary="mean gradient of 50 copies with normal noise of SD 0.15 (Smilkov et al. 2017)",
        meaning="gradient of the logit at the letter that is there, mean over noisy copies of the "
        "sequence",
        base="observed",
        quantity="gradient",
        reason="a mean of gradients, read likewise",
        letters=True,
        defaults={"samples": 50, "sigma": 0.15, "seed": 0},
        cheapest={"samples": 2},
    ),
)
