"""What comes back from a worker is hostile until it is checked.

Only plain files with expected names are opened, only in numpy's plain array format and never
pickled; each must have exactly the expected type, shape and size before its values are read.
"""

from __future__ import annotations

import json
import math
import stat
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motifidelity.metrics.gates import SCAN_LEARNED, SCAN_MATTERS
from motifidelity.phase.outputs import OutputLimits, holes, read_plain, survey
from motifidelity.scoring.explanations import Explanations
from motifidelity.untrusted import clean_text, quoted
from motifidelity.worker.arrays import (
    ASKED_LOGITS,
    OF_EXTRA,
    RANDOMISED,
    SCAN_LOGITS,
    UNTRAINED,
    UNTRAINED_SITES,
)
from motifidelity.worker.limits import (
    MAX_FILTERS,
    MAX_GRAPH_BYTES,
    MAX_JSON_BYTES,
    MAX_MAGNITUDE,
    MAX_REASON,
)
from motifidelity.worker.training.own import TRAINING

Array = NDArray[Any]
# what stands for the filter scan among attribution methods that a network does not support
FILTERS = "filters"
# what any phase may leave beside its results
_NOTES = {"progress.jsonl", "error.json"}
_REASONS = ("unsupported.json", "by_gradient.json")


class InvalidOutput(Exception):
    """Something in a worker's output is not what the contract says; one line."""


@dataclass(frozen=True)
class FitOutput:
    """Checked results of the fit phase.

    Attributes
    ----------
    graph, network : Path
        The frozen network and its manifest.
    history : list of dict
    num_weights : int
    unchanged : bool
        Whether the submission's own training left every weight as it was.
    own_training : tuple of str
        Methods of training that the model's class brings itself, as its own process tells.
    untrained : tuple of Path or None
        Graph and manifest of the network as its own process froze it before the training.
    """

    graph: Path
    network: Path
    history: list[dict[str, float]]
    num_weights: int
    unchanged: bool = False
    own_training: tuple[str, ...] = ()
    untrained: tuple[Path, Path] | None = None


@dataclass(frozen=True)
class ProbeOutput:
    """Checked results of the probe phase.

    Attributes
    ----------
    arrays : mapping of str to ndarray
        By name, as the worker documents them.
    unsupported : mapping of str to str
        Attribution methods that the network does not support, with the reason; under `FILTERS`
        what of its filter scan was not read, and why.
    by_gradient : mapping of str to str
        Attribution methods that took the gradient where they have no rule, with the operations.
    """

    arrays: Mapping[str, Array]
    unsupported: Mapping[str, str] = field(default_factory=dict)
    by_gradient: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_filters(self) -> bool:
        """Whether the network has a filter scan."""
        return "filter_max" in self.arrays


def take_fit(out: Path) -> FitOutput:
    """Check the fit phase's files.

    Raises
    ------
    InvalidOutput
        Naming the file and what is wrong with it.
    """
    before = (f"{UNTRAINED}.graph.pb", f"{UNTRAINED}.network.json")
    there = any((out / name).exists() for name in before)
    _only(out, {"graph.pb", "network.json", "history.json", *(before if there else ())})
    graph, network = _network(out, "graph.pb", "network.json")
    untrained = _network(out, *before) if there else None
    payload = _json(out / "history.json")
    try:
        history = [{str(k): float(v) for k, v in row.items()} for row in payload["history"]]
        num_weights = int(payload["num_weights"])
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InvalidOutput(
            f"history.json: not a training history ({quoted(str(error))})"
        ) from error
    if len(history) > 100_000 or not 0 <= num_weights < 1 << 40:
        raise InvalidOutput("history.json: values out of range")
    own = payload.get("own_training", [])
    if not isinstance(own, list) or not all(isinstance(n, str) and n in TRAINING for n in own):
        raise InvalidOutput("history.json: own_training names no methods of training")
    return FitOutput(
        graph,
        network,
        history,
        num_weights,
        payload.get("unchanged") is True,
        tuple(own),
        untrained,
    )


def _network(out: Path, graph: str, manifest: str) -> tuple[Path, Path]:
    return (
        _plain_file(out / graph, MAX_GRAPH_BYTES),
        _plain_file(out / manifest, MAX_JSON_BYTES),
    )


def trained_together(path: Path, most: int) -> int:
    """How many trials were trained with one of a pack; ``most`` where its file does not say."""
    try:
        payload = _json(path)
    except InvalidOutput:
        # the job's own check of its files says so
        return most
    number = payload.get("together") if isinstance(payload, dict) else None
    return number if isinstance(number, int) and 1 <= number <= most else most


def take_probe(
    out: Path,
    *,
    tests: int,
    explained: int,
    length: int,
    classes: int,
    top_sites: int,
    explanations: Explanations,
    window: int = 20,
    gates: Collection[str] = (),
    asked: int = 0,
) -> ProbeOutput:
    """Check and read the probe phase's arrays.

    Parameters
    ----------
    out : Path
    tests, explained : int
        Number of test sequences, and of those that attribution maps explain.
    length, classes, top_sites : int
    explanations : Explanations
        What was asked for about the explained sequences.
    window : int
        Bases around a site; every site must lie with its whole window inside its sequence.
    gates : collection of str
        Gates whose arrays were asked for (`metrics.gates`); not every network has those of its
        scan.
    asked : int
        Sequences that were asked about beyond the test set.

    Raises
    ------
    InvalidOutput
        Naming the array and what is wrong with it.
    """
    expected: dict[str, tuple[str, tuple[int, ...]]] = {
        "logits": ("<f4", (tests, classes)),
        "explained_logits": ("<f4", (explained, classes)),
    }
    if asked:
        expected[ASKED_LOGITS] = ("<f4", (asked, classes))
    if SCAN_MATTERS in gates and (out / f"{SCAN_LOGITS}.npy").exists():
        expected[SCAN_LOGITS] = expected["logits"]
    if SCAN_LEARNED in gates and (out / f"{UNTRAINED_SITES}.npy").exists():
        filters = _filters(out, UNTRAINED_SITES, 3)
        expected[UNTRAINED_SITES] = ("<i4", (filters, top_sites, 2))
    unsupported, by_gradient = (take_reasons(out / name, explanations.methods) for name in _REASONS)
    for name, one in explanations.arrays(explained, length, classes).items():
        # a method may find nothing with random weights, or in other sequences
        optional = one.part in (*RANDOMISED, *OF_EXTRA) and not (out / f"{name}.npy").exists()
        if one.method not in unsupported and not optional:
            expected[name] = (one.dtype, one.shape)
    if (out / "filter_max.npy").exists():
        filters = _filters(out, "filter_max", 1)
        expected |= {
            "filter_max": ("<f4", (filters,)),
            "scan_max": ("<f4", (tests, length)),
            "top_sites": ("<i4", (filters, top_sites, 2)),
            "above_half_max": ("|u1", (tests, length, math.ceil(filters / 8))),
        }
    _only(out, {f"{name}.npy" for name in expected}.union(_REASONS))
    arrays = {name: take_array(out / f"{name}.npy", *want) for name, want in expected.items()}
    if "perturbed" in arrays and arrays["perturbed"].max(initial=0) > 3:
        raise InvalidOutput("perturbed holds a letter beyond A, C, G, T")
    for name in ("top_sites", UNTRAINED_SITES):
        if name in arrays:
            _check_sites(name, arrays[name], tests, length, window)
    return ProbeOutput(arrays, unsupported, by_gradient)


def take_reasons(path: Path, methods: Iterable[str]) -> dict[str, str]:
    """Methods that the network does not support, with reasons that are safe to show.

    Raises
    ------
    InvalidOutput
        If the file is there and holds anything else.
    """
    if not path.exists() and not path.is_symlink():
        return {}
    found = _json(path)
    if not isinstance(found, dict) or not all(
        name in {*methods, FILTERS} and isinstance(reason, str) for name, reason in found.items()
    ):
        raise InvalidOutput(f"{path.name}: not reasons by attribution method")
    return {name: clean_text(reason, MAX_REASON) for name, reason in found.items()}


def _filters(out: Path, name: str, axes: int) -> int:
    """How many filters an array of so many axes is of, by its header; they are its first axis."""
    shape = _header(out / f"{name}.npy")[1]
    if len(shape) != axes or not 0 < shape[0] <= MAX_FILTERS:
        more = ", ..." if axes > 1 else ","
        raise InvalidOutput(f"{name} has shape {shape}; (filters{more}) with at most {MAX_FILTERS}")
    return shape[0]


def _check_sites(name: str, sites: Array, tests: int, length: int, window: int) -> None:
    """Every site is (-1, -1), or a base with a whole window in a sequence that exists."""
    sequence, base = sites[..., 0], sites[..., 1]
    start = base - window // 2
    real = (sequence >= 0) & (sequence < tests) & (start > 0) & (start + window < length)
    if not (real | ((sequence == -1) & (base == -1))).all():
        raise InvalidOutput(
            f"{name} names a sequence that does not exist, or a base without a whole window"
        )


def _only(out: Path, names: set[str]) -> None:
    if problem := survey(out, OutputLimits()):
        raise InvalidOutput(f"{problem}; write nothing beside the results")
    allowed = names | _NOTES
    extra = sorted(p.name for p in out.iterdir() if p.name not in allowed)
    if extra:
        shown = ", ".join(quoted(name) for name in extra[:3])
        raise InvalidOutput(
            f"the output folder holds {len(extra)} unexpected file{'s' if len(extra) > 1 else ''}: "
            f"{shown}; write nothing beside the results"
        )


def _plain_file(path: Path, limit: int) -> Path:
    try:
        status = path.lstat()
    except OSError as error:
        raise InvalidOutput(f"{path.name}: missing") from error
    if not stat.S_ISREG(status.st_mode):
        raise InvalidOutput(f"{path.name}: not a regular file")
    if status.st_nlink != 1:
        raise InvalidOutput(f"{path.name}: a hard link")
    if status.st_size > limit:
        raise InvalidOutput(f"{path.name}: {status.st_size} bytes, at most {limit} are allowed")
    try:
        if holes(path):
            raise InvalidOutput(f"{path.name}: a sparse file")
    except OSError as error:
        raise InvalidOutput(f"{path.name}: cannot be read ({error.strerror})") from error
    return path


def _json(path: Path) -> Any:
    _plain_file(path, MAX_JSON_BYTES)
    try:
        return json.loads(read_plain(path, MAX_JSON_BYTES) or b"")
    except (ValueError, RecursionError) as error:
        raise InvalidOutput(f"{path.name}: not JSON") from error


def _header(path: Path) -> tuple[np.dtype[Any], tuple[int, ...], bool, int]:
    """Type, shape, order and header size of an array file, without reading its values."""
    _plain_file(path, 1 << 40)
    try:
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            if version != (1, 0):
                raise ValueError(f"format version {version}")
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
            return dtype, shape, fortran, file.tell()
    except Exception as error:
        # the header is parsed as a literal, which a stranger can make fail in many ways
        raise InvalidOutput(f"{path.stem}: not a numpy array file") from error


def take_array(path: Path, dtype: str, shape: tuple[int, ...]) -> Array:
    """Check an array's type, shape, size and finiteness, and read it.

    Raises
    ------
    InvalidOutput
        Naming the array and what is wrong with it.
    """
    found, found_shape, fortran, offset = _header(path)
    if found.hasobject or found.str != dtype:
        raise InvalidOutput(f"{path.stem} has type {found.str[:20]}; {dtype} is expected")
    if found_shape != shape or fortran:
        raise InvalidOutput(f"{path.stem} has shape {str(found_shape)[:60]}; {shape} is expected")
    size = path.stat().st_size
    if size != offset + found.itemsize * math.prod(shape):
        raise InvalidOutput(f"{path.stem}: {size} bytes do not fit its shape")
    values: Array = np.load(path, allow_pickle=False)
    if found.kind == "f" and not np.isfinite(values).all():
        share = float(1 - np.isfinite(values).mean())
        raise InvalidOutput(
            f"{path.stem}: {share:.1%} of the values are NaN or infinite; bound the activations or "
            "lower the learning rate"
        )
    bounded = found.kind == "f" and path.stem not in ("filter_max", "scan_max")
    if bounded and np.abs(values).max(initial=0) > MAX_MAGNITUDE:
        raise InvalidOutput(
            f"{path.stem}: values beyond {MAX_MAGNITUDE:g}; bound the activations or lower the "
            "learning rate"
        )
    return values
