"""Attribution maps of every class, batched over sequences.

Each method is one function ``(network, one_hot, settings, report) -> AttributionResult`` that its
module declares (`result.Method`), with the settings that it takes, what its maps mean and which
scores they allow. The host reads the same declarations; it decides which classes of a sequence
count, because it alone knows the labels.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arrays import OF_EXTRA, Part
from ...limits import MAX_MAGNITUDE, MAX_REASON
from ...report import Reporter, out_of_memory, said
from .result import AttributionResult, Method, NotSupported, Settings

if TYPE_CHECKING:
    from ...frozen.network import FrozenNetwork


def find_methods() -> dict[str, Method]:
    """Every method that a module of this package declares in its `METHODS`, by name.

    Raises
    ------
    ValueError
        If two modules declare the same name.
    """
    found: dict[str, Method] = {}
    for name in sorted(info.name for info in pkgutil.iter_modules(__path__) if not info.ispkg):
        for method in getattr(importlib.import_module(f"{__name__}.{name}"), "METHODS", ()):
            if method.name in found:
                raise ValueError(f"method {method.name!r} is declared twice; rename one of them")
            found[method.name] = method
    return found


METHODS = find_methods()
"""Every method by name."""

__all__ = [
    "METHODS",
    "AttributionResult",
    "Method",
    "NotSupported",
    "Settings",
    "find_methods",
    "write_extra_maps",
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
        finite) are left out, and ``unsupported.json`` maps their names to the reason;
        ``by_gradient.json`` maps those that took the gradient of operations without a rule to
        these.
    report : Reporter
    refused : mapping of str to str, optional
        Reasons of what failed before, for the same file.

    Returns
    -------
    dict of str to ndarray (n, length, 4, classes) float32
        The maps of every supported method, and its hypothetical contributions, by the names of
        their arrays.
    """
    wanted = methods if isinstance(methods, Mapping) else {name: {} for name in methods}
    maps: dict[str, Any] = {}
    unsupported = dict(refused or {})
    by_gradient: dict[str, str] = {}
    for name, settings in wanted.items():
        result, reason = _explained(name, network, one_hot, settings, partial(report, name=name))
        if result is None:
            unsupported[name] = reason
            report("unsupported", name=name, reason=reason)
            continue
        if result.by_gradient:
            by_gradient[name] = result.by_gradient[:MAX_REASON]
            report("by_gradient", name=name, reason=by_gradient[name])
        for part, array in (
            (Part.MAPS, result.maps),
            (Part.COMPLETENESS, result.completeness),
            (Part.HYPOTHETICAL, result.hypothetical),
        ):
            if array is not None:
                np.save(out / f"{part.of(name)}.npy", array, allow_pickle=False)
                if part is not Part.COMPLETENESS:
                    maps[part.of(name)] = array
    for file, texts in (("unsupported.json", unsupported), ("by_gradient.json", by_gradient)):
        if texts:
            (out / file).write_text(json.dumps(texts), encoding="utf-8")
    return maps


def write_extra_maps(
    network: FrozenNetwork,
    one_hot: Any,
    methods: Mapping[str, Settings],
    out: Path,
    report: Reporter,
) -> None:
    """Write maps of sequences that are explained besides.

    Parameters
    ----------
    network : FrozenNetwork
    one_hot : ndarray (e, length, 4) float32
    methods : mapping of str to Settings
    out : Path
        Folder that receives ``<method>_extra.npy`` (e, length, 4, classes) float32, and where
        asked for ``<method>_hypothetical_extra.npy``; neither of a method that finds nothing.
    report : Reporter
    """
    for name, settings in methods.items():
        told = partial(report, name=f"{name}, extra sets")
        result, _ = _explained(name, network, one_hot, settings, told)
        if result is None:
            continue
        for part, array in zip(OF_EXTRA, (result.maps, result.hypothetical), strict=True):
            if array is not None:
                np.save(out / f"{part.of(name)}.npy", array, allow_pickle=False)


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
        return None, f"the {METHODS[name].entry} is zero everywhere"
    arrays = (result.maps, result.completeness, result.hypothetical)
    for array in (found for found in arrays if found is not None):
        # nan is not at most anything
        if not np.abs(array).max(initial=0) <= MAX_MAGNITUDE:
            return None, "its maps hold values that are not finite, or far too large"
    return result, ""
