"""A small trial of a submission on one task, through the real worker: fit, probe, fit again."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motifidelity.metrics.methods import FLOOR_METHOD, METHODS
from motifidelity.phase.interface import Event, Executor, Phase, PhaseResult
from motifidelity.phase.outputs import read_plain
from motifidelity.runs.intake import FILTERS, FitOutput, InvalidOutput, take_fit
from motifidelity.runs.phases import fit_phase
from motifidelity.runs.plan import Job
from motifidelity.scoring.truth import Truth
from motifidelity.tasks.spec import Profile
from motifidelity.worker.limits import MAX_REASON

# enough steps to time one, few enough for seconds; two epochs, of which the first also compiles
SLICE = Profile("check", 1, 1000, 200, 8, 2, 3)
# the floor knows nothing of any network
PROBED = tuple(name for name in METHODS if name != FLOOR_METHOD)
# attribution at its cheapest: it is asked what works, not what comes out
_CHEAP: dict[str, dict[str, int]] = {
    "smoothgrad": {"samples": 2},
    "integrated_gradients": {"references": 1, "steps": 2},
    "expected_gradients": {"references": 2},
    "deepshap": {"references": 1},
    "paper_ig": {"references": 1, "steps": 2},
    "paper_deepshap": {"references": 1},
}
_MAX_ARRAY_BYTES = 64 << 20
_MAX_REASONS = 1 << 16


@dataclass
class TriedOut:
    """What a trial on one task left.

    Attributes
    ----------
    fitted : PhaseResult
    begun : bool
        Whether training began: the network was built and frozen before.
    fit : FitOutput or None
        None where it failed.
    probed : PhaseResult or None
    logits : ndarray (n, classes) float32 or None
        Of the first test sequences.
    has_filters : bool
    filters : str
        Why the scan was not read, where that failed.
    attribution : mapping of str to str or None
        Attribution methods that were tried, with the reason why the network does not support one.
    invalid : str
        What is wrong with the files that came back.
    """

    job: Job
    fitted: PhaseResult
    begun: bool = False
    fit: FitOutput | None = None
    probed: PhaseResult | None = None
    logits: NDArray[np.float32] | None = None
    has_filters: bool = False
    filters: str = ""
    attribution: Mapping[str, str | None] = field(default_factory=dict)
    invalid: str = ""

    @property
    def peak_memory(self) -> int:
        """Bytes that the hungrier phase needed."""
        return max(self.fitted.peak_memory, self.probed.peak_memory if self.probed else 0)

    @property
    def graph_bytes(self) -> int:
        """Size of the frozen network."""
        return self.fit.graph.stat().st_size if self.fit else 0


def fit_trial(job: Job, truth: Truth, executor: Executor, work: Path) -> TriedOut:
    """Fit a job on its slice.

    Parameters
    ----------
    job : Job
        With the profile `SLICE` or one like it.
    truth : Truth
        Of the same profile.
    executor : Executor
    work : Path
        An empty folder.
    """
    events: list[Event] = []
    fitted = executor.run(fit_phase(job, truth, work), events.append)
    trial = TriedOut(job, fitted, begun=any(event["event"] == "start" for event in events))
    if fitted.status == "ok":
        try:
            trial.fit = take_fit(work / "fit")
        except InvalidOutput as error:
            trial.invalid = str(error)
    return trial


def probe_trial(
    trial: TriedOut, truth: Truth, executor: Executor, work: Path, methods: Sequence[str]
) -> None:
    """Probe what a trial's fit left, and note what came out in the trial.

    Parameters
    ----------
    trial : TriedOut
    truth : Truth
    executor : Executor
    work : Path
        The folder that it was fitted in.
    methods : sequence of str
        Attribution methods to try.
    """
    if trial.fit is None:
        return
    probe = _probe_phase(truth, trial.fit, work, methods)
    trial.probed = executor.run(probe, lambda _: None)
    if trial.probed.status != "ok":
        return
    shape = (len(truth.test.sequences), len(trial.job.task.classes))
    try:
        trial.logits = _logits(probe.out / "logits.npy", shape)
    except InvalidOutput as error:
        trial.invalid = str(error)
    trial.has_filters = (probe.out / "filter_max.npy").is_file()
    reasons = _reasons(probe.out / "unsupported.json")
    trial.attribution = {name: reasons.get(name) for name in methods}
    trial.filters = reasons.get(FILTERS, "")


def same_history(one: FitOutput, other: FitOutput) -> bool:
    """Whether two trainings were equal in every loss and score, to the last bit.

    The last row's validation scores are of the trained weights. False without any history.
    """

    def scores(fit: FitOutput) -> list[dict[str, float]]:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in fit.history]

    return bool(one.history) and scores(one) == scores(other)


def difference(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Largest difference of two arrays of logits, in units of the larger of 1 and their size."""
    scale = max(1.0, float(np.abs(one).max()), float(np.abs(other).max()))
    return float(np.abs(one.astype(float) - other).max()) / scale


def _probe_phase(truth: Truth, fit: FitOutput, work: Path, methods: Sequence[str]) -> Phase:
    scoring = truth.spec.scoring
    sequences, explained = work / "sequences.npy", work / "explained.npy"
    np.save(sequences, truth.test.sequences, allow_pickle=False)
    np.save(explained, truth.test.sequences[: truth.profile.explained], allow_pickle=False)
    settings: dict[str, Any] = {
        "scan": {
            "window": scoring.window,
            "half_max": scoring.half_max,
            "top_sites": scoring.top_sites,
        },
        "methods": {name: _CHEAP.get(name, {}) for name in methods},
        # the tests of the maps follow from them and are left to a real run
        "tested": 1,
        "randomised": [],
        "curves": {
            "methods": {},
            "counts": [0, truth.spec.length],
            "resamples": 1,
            "perturbations": 1,
            "window": scoring.window,
        },
    }
    out = work / "probe"
    out.mkdir()
    inputs = {
        "graph": fit.graph,
        "network": fit.network,
        "sequences": sequences,
        "explained": explained,
    }
    return Phase("probe", settings, inputs, out)


def _logits(path: Path, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Logits of a probe, after their type and shape were found to fit.

    Raises
    ------
    InvalidOutput
        If they are anything but finite numbers of that shape.
    """
    content = read_plain(path, _MAX_ARRAY_BYTES + 1)
    try:
        if content is None or len(content) > _MAX_ARRAY_BYTES:
            raise ValueError("missing or too large")
        file = io.BytesIO(content)
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError("another format version")
        found, fortran, dtype = np.lib.format.read_array_header_1_0(file)
        if found != shape or fortran or dtype.str != "<f4":
            raise ValueError(f"shape {str(found)[:40]}, type {dtype.str[:10]}")
        size = math.prod(shape)
        values = np.frombuffer(content, dtype="<f4", count=size, offset=file.tell())
    except Exception as error:  # a header is parsed as a literal, which can fail in many ways
        raise InvalidOutput(f"logits: {error}") from error
    if not np.isfinite(values).all():
        raise InvalidOutput("logits: NaN or infinite values; bound the activations")
    return values.reshape(shape)


def _reasons(path: Path) -> dict[str, str]:
    content = read_plain(path, _MAX_REASONS)
    if not content:
        return {}
    try:
        found = json.loads(content)
        return {
            name: " ".join(str(found[name]).split())[:MAX_REASON]
            for name in (*METHODS, FILTERS)
            if name in found
        }
    except (ValueError, TypeError, RecursionError):
        return {}
