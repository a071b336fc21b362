"""One job from its inputs to its recorded result."""

from __future__ import annotations

import json
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from motifidelity.entries import GIVEN, OPEN, OWN_TRAINING
from motifidelity.metrics.scored import REGRESSION
from motifidelity.phase.interface import Event, Executor, Phase, PhaseResult
from motifidelity.registry import Registry, Result
from motifidelity.runs.intake import FitOutput, InvalidOutput, ProbeOutput, take_fit
from motifidelity.runs.phases import fit_phase, probe_phase, read_probe
from motifidelity.runs.plan import Job
from motifidelity.runs.recording import (
    UNCHANGED,
    history_rows,
    job_row,
    scored_result,
    unsupported_warnings,
    where_columns,
)
from motifidelity.scoring.truth import Truth, present_classes
from motifidelity.scratch import scratch_folder

OnJobEvent = Callable[[str, Event], None]


@dataclass(frozen=True)
class Outcome:
    """How a job ended, and the result that was recorded of it."""

    status: str
    message: str
    traceback: str
    result_id: str


def run_job(
    job: Job, truth: Truth, executor: Executor, registry: Registry, on_event: OnJobEvent
) -> Outcome:
    """Train, probe, score and record one job.

    A failure of the submission is an outcome, recorded like a success, and not an error.

    Parameters
    ----------
    job : Job
    truth : Truth
        The task's test data at the job's profile.
    executor : Executor
    registry : Registry
    on_event : callable
        Receives the phase's name and each of its progress events.

    Raises
    ------
    DataError
        If the result cannot be recorded.
    """
    record = _Record(job, executor, registry)
    try:
        with scratch_folder() as work:
            return _run_phases(record, job, truth, work, on_event)
    except BrokenPipeError:
        # whoever read what is displayed has gone
        raise
    except OSError as error:
        # the registry's own trouble is a DataError; this is the folder that the phases work in
        where = Path(error.filename).parent if error.filename else Path(tempfile.gettempdir())
        return record.failure(
            PhaseResult(
                "infra_error",
                f"temporary folder {where}: {error.strerror or error}; free some space or set "
                "TMPDIR to another folder, then run the same command again",
            )
        )


def _run_phases(
    record: _Record, job: Job, truth: Truth, work: Path, on_event: OnJobEvent
) -> Outcome:
    fitted = record.phase(fit_phase(job, truth, work), on_event)
    if fitted.status != "ok":
        return record.failure(fitted)
    try:
        fit = take_fit(work / "fit")
        record.take_fit(fit, job)
        probe = probe_phase(truth, fit.graph, fit.network, work, untrained=fit.untrained)
        probed = record.phase(probe, on_event)
        if probed.status != "ok":
            return record.failure(probed)
        found = read_probe(truth, work / "probe")
    except InvalidOutput as error:
        return record.failure(PhaseResult("invalid_output", str(error)))
    return record.scored(truth, found, [fit.graph, fit.network], on_event)


class _Record:
    """The job's registry row while it is being filled."""

    def __init__(self, job: Job, executor: Executor, registry: Registry) -> None:
        self._executor = executor
        self._registry = registry
        # what is recorded beside the row, however the job ends
        self._parts: dict[str, Any] = {}
        submission = job.submission
        self.row: dict[str, Any] = job_row(
            job.task,
            job.profile.name,
            executor.place,
            job_id=job.id,
            model=submission.name,
            model_file=submission.path.name,
            model_digest=submission.digest,
            params=json.dumps(dict(job.params), sort_keys=True),
            trial=job.trial,
            seed=job.seed,
            division=submission.division,
            runner=executor.name,
            isolation=executor.isolation,
            backend=submission.backend,
            peak_memory=0,
            authors=submission.metadata.get("authors"),
            url=submission.metadata.get("url"),
            license=submission.metadata.get("license"),
            image_digest=executor.image,
        )

    def phase(self, phase: Phase, on_event: OnJobEvent) -> PhaseResult:
        """Run a phase and note its cost, and where the training ran."""
        done = self._executor.run(phase, lambda event: on_event(phase.name, event))
        if done.host is not None and phase.name == "fit":
            self.row |= where_columns(done.host.place, done.host.environment)
        if done.output:
            on_event(phase.name, {"event": "output", "text": done.output})
        self.row[f"seconds_{phase.name}"] = done.seconds
        self.row["peak_memory"] = max(self.row["peak_memory"], done.peak_memory)
        self.row["device"] = done.device
        return done

    def take_fit(self, fit: FitOutput, job: Job) -> None:
        """Note what training left: length, best epoch, size, and what looks odd."""
        self._parts["history"] = history_rows(fit.history)
        self.row["num_weights"] = fit.num_weights
        if weights := job.submission.weights:
            self.row["warnings"].append(f"{GIVEN}: {weights.path.name}, sha256 {weights.digest}")
        if fit.unchanged:
            self.row["warnings"].append(UNCHANGED)
        if fit.own_training:
            self.row["division"] = OPEN
            self.row["warnings"].append(f"{OWN_TRAINING} {', '.join(fit.own_training)}")
        if not fit.history:
            return
        watched = f"val_{job.task.fit.monitor}"
        values = [row.get(watched, float("-inf")) for row in fit.history]
        self.row["epochs"] = len(fit.history)
        self.row["best_epoch"] = int(np.argmax(values)) + 1

    def scored(
        self, truth: Truth, probe: ProbeOutput, files: list[Path], on_event: OnJobEvent
    ) -> Outcome:
        """The outcome of a probed job.

        A fault of the scoring itself is recorded with the arrays and the network, so that nothing
        that was trained is lost: ``bench rescore`` scores it again.
        """
        logits = probe.arrays["logits"]
        of_classes = truth.spec.target != REGRESSION
        if of_classes and ((logits >= 0) & (logits <= 1)).all():
            self.row["warnings"].append(
                "every output lies between 0 and 1: build_model must return logits, or end in a "
                "sigmoid activation"
            )
        self.row["warnings"] += unsupported_warnings(probe)
        self.row["num_filters"] = len(probe.arrays["filter_max"]) if probe.has_filters else 0
        arrays = present_classes(truth, probe.arrays)
        on_event("score", {"event": "start"})
        self._parts |= {"files": files, "arrays": arrays}
        try:
            result = scored_result(self.row, truth, arrays, **self._parts)
        except Exception as error:
            ended = PhaseResult(
                "infra_error",
                f"scoring failed ({type(error).__name__}: {error}); the trained network is kept: "
                "report this, then run 'bench rescore'",
                "".join(traceback.format_exception(error)),
            )
            return self.failure(ended)
        return Outcome("ok", "", "", self._registry.record(result))

    def failure(self, ended: PhaseResult) -> Outcome:
        """The outcome of a job that did not reach its scores."""
        row = {
            **self.row,
            "status": ended.status,
            "message": ended.message or None,
            "traceback": ended.traceback or None,
        }
        result_id = self._registry.record(Result(row, **self._parts))
        return Outcome(ended.status, ended.message, ended.traceback, result_id)
