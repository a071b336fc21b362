"""Attribution maps of every class, batched over sequences.

Each method is one function ``(network, one_hot, settings, report) -> AttributionResult`` in
`METHODS`, whose entries fill in the settings that are not given. The host decides which classes of
a sequence count, because it alone knows the labels.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...frozen.network import FrozenNetwork
from ...limits import MAX_MAGNITUDE, MAX_REASON
from ...report import Reporter, out_of_memory, said
from .deeplift import deeplift
from .gradients import gradient_corrected, gradient_x_input, saliency, smoothgrad
from .mutagenesis import MUTANTS_PER_CALL, in_silico_mutagenesis
from .noise import noise
from .paper import paper_deepshap, paper_ig, paper_mutagenesis, paper_saliency
from .paths import expected_gradients, integrated_gradients
from .result import AttributionResult, Method, NotSupported, Settings

_SHUFFLED: Settings = {
    "reference": "dinucleotide",
    "references": 10,
    "seed": 0,
    "hypothetical": False,
}

METHODS: dict[str, Method] = {
    "saliency": Method(saliency, {}),
    "gradient_x_input": Method(gradient_x_input, {}),
    "gradient_corrected": Method(gradient_corrected, {}),
    "smoothgrad": Method(smoothgrad, {"samples": 50, "sigma": 0.15, "seed": 0}),
    "integrated_gradients": Method(integrated_gradients, {**_SHUFFLED, "steps": 20}),
    "expected_gradients": Method(expected_gradients, {**_SHUFFLED, "references": 100}),
    "ism": Method(in_silico_mutagenesis, {}),
    "deeplift": Method(deeplift, {**_SHUFFLED, "reference": "uniform", "references": 1}),
    "deepshap": Method(deeplift, {**_SHUFFLED, "references": 20}),
    "random": Method(noise, {"seed": 0}),
    "paper_saliency": Method(paper_saliency, {}),
    "paper_ism": Method(paper_mutagenesis, {}),
    "paper_ig": Method(paper_ig, {"references": 10, "steps": 20, "seed": 0}),
    "paper_deepshap": Method(paper_deepshap, {"references": 10, "seed": 0}),
}

# what vanishes where a map is zero everywhere in every sequence
_ZERO = {
    **dict.fromkeys(("ism", "paper_ism"), "change under every other letter"),
    **dict.fromkeys(("deeplift", "deepshap", "paper_deepshap"), "contribution"),
}

__all__ = [
    "METHODS",
    "MUTANTS_PER_CALL",
    "AttributionResult",
    "Method",
    "NotSupported",
    "Settings",
    "in_silico_mutagenesis",
    "saliency",
    "write_maps",
]


def write_maps(
    network: FrozenNetwork,
    one_hot: Any,
    methods: Mapping[str, Settings] | Sequence[str],
    out: Path,
    report: Reporter,
    refused: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Run methods and write their arrays; one that fails does not cost the others.

    Parameters
    ----------
    network : FrozenNetwork
    one_hot : ndarray (n, length, 4) float32
        Sequences to explain.
    methods : mapping or list
        Names in `METHODS`, with the settings that differ from the defaults, if any.
    out : Path
        Folder that receives, for each method, ``<method>.npy`` (n, length, 4, classes) float32;
        where defined ``<method>_completeness.npy`` (n, classes) float32; where asked for
        ``<method>_hypothetical.npy``, shaped like the map. Methods that the network does not
        support, that fail, or whose maps say nothing (zero everywhere in every sequence, or not
        finite) are left out, and ``unsupported.json`` maps their names to the reason.
    report : Reporter
    refused : mapping of str to str, optional
        Reasons of what failed before, for the same file.

    Returns
    -------
    dict of str to ndarray (n, length, 4, classes) float32
        The maps of every supported method.
    """
    wanted = methods if isinstance(methods, Mapping) else {name: {} for name in methods}
    maps: dict[str, Any] = {}
    unsupported = dict(refused or {})
    for name, settings in wanted.items():
        result, reason = _explained(name, network, one_hot, settings, partial(report, name=name))
        if result is None:
            unsupported[name] = reason
            report("unsupported", name=name, reason=reason)
            continue
        maps[name] = result.maps
        for suffix, array in (
            ("", result.maps),
            ("_completeness", result.completeness),
            ("_hypothetical", result.hypothetical),
        ):
            if array is not None:
                np.save(out / f"{name}{suffix}.npy", array, allow_pickle=False)
    if unsupported:
        (out / "unsupported.json").write_text(json.dumps(unsupported), encoding="utf-8")
    return maps


def _explained(
    name: str, network: FrozenNetwork, one_hot: Any, settings: Settings, report: Any
) -> tuple[AttributionResult | None, str]:
    """What a method finds; or None, and why not."""
    try:
        result = METHODS[name](network, one_hot, settings, report)
    except NotSupported as error:
        return None, str(error)
    except Exception as error:
        # one method's failure is its own; but memory that ran out is the machine's
        if out_of_memory(error):
            raise
        return None, f"{type(error).__name__}: {said(error)}"[:MAX_REASON]
    if not result.maps.any():
        return None, f"the {_ZERO.get(name, 'gradient')} is zero everywhere"
    arrays = (result.maps, result.completeness, result.hypothetical)
    for array in (found for found in arrays if found is not None):
        # nan is not at most anything
        if not np.abs(array).max(initial=0) <= MAX_MAGNITUDE:
            return None, "its maps hold values that are not finite, or far too large"
    return result, ""
