"""A small trial of a submission on one task, through the real worker: fit, probe, fit again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motifidelity.metrics.methods import FLOOR_METHOD, METHODS
from motifidelity.phase.interface import Event, Executor, Phase, PhaseResult
from motifidelity.runs.forecast import Forecast, note_pace, worth_calibrating
from motifidelity.runs.intake import (
    FILTERS,
    FitOutput,
    InvalidOutput,
    take_array,
    take_fit,
    take_reasons,
)
from motifidelity.runs.phases import fit_phase, probe_phase
from motifidelity.runs.plan import Job
from motifidelity.scoring.truth import Truth
from motifidelity.scratch import scratch_folder
from motifidelity.tasks.dataset import load_dataset
from motifidelity.tasks.spec import Profile

# enough steps to time one, few enough for seconds; two epochs, of which the first also compiles
SLICE = Profile("check", 1, 1000, 200, 8, 2, 3)
# the floor knows nothing of any network
PROBED = tuple(name for name in METHODS if name != FLOOR_METHOD)


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
    by_gradient : mapping of str to str
        Those that took the gradient of operations they have no rule for, with these operations.
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
    by_gradient: Mapping[str, str] = field(default_factory=dict)
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
            note_pace(job, trial.fit.history)
        except InvalidOutput as error:
            trial.invalid = str(error)
    return trial


def calibrate(
    jobs: Sequence[Job], found: Forecast, executor: Executor, say: Callable[[str], None]
) -> bool:
    """Train the networks of a long plan of which nothing was measured here for a few seconds each.

    Returns
    -------
    bool
        Whether anything was measured.
    """
    measured = False
    for job in worth_calibrating(jobs, found):
        say(f"measuring an epoch of {job.submission.name} on {job.task.id}")
        short = replace(job, profile=SLICE)
        with scratch_folder() as work:
            trial = fit_trial(short, Truth(load_dataset(job.task), SLICE), executor, work)
        measured = measured or trial.fit is not None
    return measured


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
    trial.has_filters = (probe.out / "filter_max.npy").is_file()
    try:
        reasons = take_reasons(probe.out / "unsupported.json", methods)
        trial.by_gradient = take_reasons(probe.out / "by_gradient.json", methods)
        trial.logits = take_array(probe.out / "logits.npy", "<f4", shape)
    except InvalidOutput as error:
        trial.invalid = str(error)
        return
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
    phase = probe_phase(truth, fit.graph, fit.network, work)
    # the tests of the maps follow from them and are left to a real run
    curves = {"methods": {}, "counts": [0, truth.spec.length], "resamples": 1, "perturbations": 1}
    settings = {
        # it is asked what works by the task's settings, not what comes out
        "methods": {
            name: {**truth.spec.attribution.methods.get(name, {}), **METHODS[name].cheapest}
            for name in methods
        },
        "tested": 1,
        "randomised": [],
        "curves": {**phase.settings["curves"], **curves},
    }
    return replace(phase, settings={**phase.settings, **settings})
