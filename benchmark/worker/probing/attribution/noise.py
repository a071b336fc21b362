"""Maps that know nothing: the floor of every score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..shuffles import generator
from .result import AttributionResult, Method, Report, Settings

if TYPE_CHECKING:
    from ...frozen.network import FrozenNetwork


def noise(
    network: FrozenNetwork, one_hot: Any, settings: Settings, report: Report
) -> AttributionResult:
    """Standard normal noise for every letter of every base.

    Parameters
    ----------
    settings : dict
        ``seed``; the noise belongs to it and to the sequence.
    """
    shape = (*one_hot.shape[1:], network.classes)
    # a stream of its own: shuffles of the same sequence must not move with it
    drawn = [
        generator(row.argmax(axis=1), settings["seed"] + 2**33).standard_normal(shape, np.float32)
        for row in one_hot
    ]
    report("step", done=len(one_hot), of=len(one_hot))
    return AttributionResult(np.stack(drawn))


METHODS = (
    Method(
        noise,
        name="random",
        label="Random maps",
        summary="standard normal noise, the floor of every score",
        base="observed",
        reason="normal noise: the floor of every score, read like a gradient",
        letters=True,
        defaults={"seed": 0},
    ),
)
