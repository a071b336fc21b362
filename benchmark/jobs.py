"""One job from its inputs to its recorded result."""

from __future__ import annotations

import json
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from motifidelity.errors import DataError
from motifidelity.evidence import gather_evidence
from motifidelity.executors.base import Event, Executor, Phase, PhaseResult, Place
from motifidelity.intake import FitOutput, InvalidOutput, ProbeOutput, take_fit, take_probe
from motifidelity.metrics.declare import Score, all_metrics
from motifidelity.metrics.methods import METHODS
from motifidelity.plan import Job
from motifidelity.provenance import code, environment
from motifidelity.registry import Registry, Result
from motifidelity.scoring import JobScores, Truth, present_classes, score_job
from motifidelity.scratch import scratch_folder

# the columns that trials of one model share
SAME_MODEL = ("task", "profile", "model_digest", "params", "backend")
NO_SUPPORT = "does not support this network"

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
        probed = record.phase(probe_phase(truth, fit.graph, fit.network, work), on_event)
        if probed.status != "ok":
            return record.failure(probed)
        probe = read_probe(truth, work / "probe")
    except InvalidOutput as error:
        return record.failure(PhaseResult("invalid_output", str(error)))
    return record.scored(truth, probe, [fit.graph, fit.network], on_event)


def fit_phase(job: Job, truth: Truth, work: Path) -> Phase:
    """Training and validation data alone: no test sequence, label or implant is written here."""
    spec, profile = job.task, job.profile
    train = truth.dataset.splits["train"].head(profile.train)
    valid = truth.dataset.splits["valid"].head(profile.valid)
    inputs = {"model": job.submission.path}
    for name, array in (
        ("x_train", train.sequences),
        ("y_train", train.labels),
        ("x_valid", valid.sequences),
        ("y_valid", valid.labels),
    ):
        inputs[name] = _save(work / f"{name}.npy", array)
    settings = {
        "task": {
            "name": spec.name,
            "input_shape": [spec.length, 4],
            "num_outputs": len(spec.classes),
            "classes": list(spec.classes),
        },
        "params": dict(job.params),
        "backend": job.submission.backend,
        "own_fit": job.submission.own_fit,
        "seed": job.seed,
        "recipe": {**asdict(spec.fit), "max_epochs": profile.max_epochs},
    }
    return Phase("fit", settings, inputs, _folder(work / "fit"))


def probe_phase(truth: Truth, graph: Path, network: Path, work: Path) -> Phase:
    """The frozen network and unlabelled sequences; none of the submission's Python."""
    scoring = truth.spec.scoring
    inputs = {
        # the worker runs in a folder of its own
        "graph": graph.resolve(),
        "network": network.resolve(),
        "sequences": _save(work / "sequences.npy", truth.test.sequences),
        "explained": _save(work / "explained.npy", truth.test.sequences[truth.explained]),
    }
    settings = {
        "scan": {
            "window": scoring.window,
            "half_max": scoring.half_max,
            "top_sites": scoring.top_sites,
        },
        "methods": {name: dict(given) for name, given in truth.methods.items()},
        "tested": truth.tested,
        "randomised": list(truth.explanations.randomised),
        "curves": curve_settings(truth),
    }
    return Phase("probe", settings, inputs, _folder(work / "probe"))


def curve_settings(truth: Truth) -> dict[str, Any]:
    """How maps are tested on the network, as the worker's `faithfulness` takes it."""
    return {
        "methods": {name: METHODS[name].base for name in truth.explanations.curves},
        "counts": list(truth.curve_counts),
        "resamples": truth.spec.attribution.resamples,
        "perturbations": truth.spec.attribution.perturbations,
        "window": truth.spec.scoring.window,
    }


def read_probe(truth: Truth, out: Path) -> ProbeOutput:
    """Check and read what a probe phase wrote.

    Raises
    ------
    InvalidOutput
        Naming the array and what is wrong with it.
    """
    spec = truth.spec
    return take_probe(
        out,
        tests=len(truth.test.sequences),
        explained=len(truth.explained),
        length=spec.length,
        classes=len(spec.classes),
        top_sites=spec.scoring.top_sites,
        window=spec.scoring.window,
        explanations=truth.explanations,
    )


def score_rows(scores: Iterable[Score]) -> list[dict[str, Any]]:
    """Rows of the registry's ``scores`` table."""
    metrics = all_metrics()
    return [
        {
            "family": metrics[s.metric].family,
            "metric": s.metric,
            "definition": metrics[s.metric].definition,
            "method": s.method,
            "target": s.target,
            "value": float(s.value),
            "sd": None if s.sd is None else float(s.sd),
            "n": int(s.n),
            "metric_version": metrics[s.metric].version,
        }
        for s in scores
    ]


def filter_rows(scores: JobScores) -> list[dict[str, Any]]:
    """Rows of the registry's ``filters`` table; a PPM is flattened row by row."""
    return [
        {
            **{k: v for k, v in vars(row).items() if k != "ppm"},
            "ppm": row.ppm.ravel().tolist(),
            "width": len(row.ppm),
        }
        for row in scores.filters
    ]


class _Record:
    """The job's registry row while it is being filled."""

    def __init__(self, job: Job, executor: Executor, registry: Registry) -> None:
        self._executor = executor
        self._registry = registry
        self._history: list[dict[str, float]] = []
        harness = code()
        submission = job.submission
        self.row: dict[str, Any] = {
            "job_id": job.id,
            "task": job.task.id,
            "task_digest": job.task.digest,
            "dataset_digest": job.task.dataset_digest,
            "profile": job.profile.name,
            "model": submission.name,
            "model_file": submission.path.name,
            "model_digest": submission.digest,
            "params": json.dumps(dict(job.params), sort_keys=True),
            "trial": job.trial,
            "seed": job.seed,
            "division": submission.division,
            "runner": executor.name,
            "isolation": executor.isolation,
            "device": "cpu",
            "backend": submission.backend,
            "started": datetime.now(UTC),
            "peak_memory": 0,
            "authors": submission.metadata.get("authors"),
            "url": submission.metadata.get("url"),
            "license": submission.metadata.get("license"),
            "commit": harness.commit,
            "dirty": harness.dirty,
            "worker_digest": harness.worker_digest,
            "image_digest": executor.image,
            **_where(executor.place, environment()),
        }

    def phase(self, phase: Phase, on_event: OnJobEvent) -> PhaseResult:
        """Run a phase and note its cost, and where the training ran."""
        done = self._executor.run(phase, lambda event: on_event(phase.name, event))
        if done.host is not None and phase.name == "fit":
            self.row |= _where(done.host.place, done.host.environment)
        if done.output:
            on_event(phase.name, {"event": "output", "text": done.output})
        self.row[f"seconds_{phase.name}"] = done.seconds
        self.row["peak_memory"] = max(self.row["peak_memory"], done.peak_memory)
        self.row["device"] = done.device
        return done

    def take_fit(self, fit: FitOutput, job: Job) -> None:
        """Note what training left: length, best epoch, size, and what looks odd."""
        self._history = fit.history
        self.row["num_weights"] = fit.num_weights
        if not fit.history:
            return
        watched = f"val_{job.task.fit.monitor}"
        values = [row.get(watched, float("-inf")) for row in fit.history]
        self.row["epochs"] = len(fit.history)
        self.row["best_epoch"] = int(np.argmax(values)) + 1

    def failure(self, ended: PhaseResult) -> Outcome:
        """The outcome of a job that did not reach its scores."""
        return self._record(ended)

    def scored(
        self, truth: Truth, probe: ProbeOutput, files: list[Path], on_event: OnJobEvent
    ) -> Outcome:
        """The outcome of a probed job.

        A fault of the scoring itself is recorded with the arrays and the network, so that nothing
        that was trained is lost: ``bench rescore`` scores it again.
        """
        logits = probe.arrays["logits"]
        if ((logits >= 0) & (logits <= 1)).all():
            self.row["warnings"].append(
                "every output lies between 0 and 1: build_model must return logits, or end in a "
                "sigmoid activation"
            )
        self.row["warnings"] += unsupported_warnings(probe)
        self.row["num_filters"] = len(probe.arrays["filter_max"]) if probe.has_filters else 0
        arrays = present_classes(truth, probe.arrays)
        on_event("score", {"event": "start"})
        started = time.monotonic()
        try:
            scores = score_job(truth, arrays, _other_trials(self._registry, self.row))
            evidence = gather_evidence(truth, arrays)
        except Exception as error:
            ended = PhaseResult(
                "infra_error",
                f"scoring failed ({type(error).__name__}: {error}); the trained network is kept: "
                "report this, then run 'bench rescore'",
                "".join(traceback.format_exception(error)),
            )
            return self._record(ended, files=files, arrays=arrays)
        self.row["seconds_score"] = time.monotonic() - started
        return self._record(
            PhaseResult("ok"),
            scores=score_rows(scores.scores),
            filters=filter_rows(scores),
            files=files,
            arrays=arrays,
            evidence=evidence,
        )

    def _record(self, ended: PhaseResult, **parts: Any) -> Outcome:
        row = {
            **self.row,
            "status": ended.status,
            "message": ended.message or None,
            "traceback": ended.traceback or None,
        }
        result = Result(row, history=_history_rows(self._history), **parts)
        result_id = self._registry.record(result)
        return Outcome(ended.status, ended.message, ended.traceback, result_id)


def unsupported_warnings(probe: ProbeOutput) -> list[str]:
    """One line for each attribution method that does not support the network."""
    return [f"{method} {NO_SUPPORT}: {reason}" for method, reason in probe.unsupported.items()]


def _other_trials(registry: Registry, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Kept arrays of other finished trials of the same model with the same parameters."""
    found = []
    for other in registry.latest("jobs")["jobs"].to_pylist():
        same = all(other[name] == row[name] for name in SAME_MODEL)
        if not same or other["status"] != "ok" or other["job_id"] == row["job_id"]:
            continue
        try:
            if holder := registry.arrays_holder(other):
                found.append(registry.arrays(holder))
        except DataError:
            # damaged: the agreement is with the others
            continue
    return found


def _where(place: Place, machine: str) -> dict[str, Any]:
    """Columns of the machine, its versions (the image's own where there is one) and the sandbox."""
    found = json.loads(machine)
    if place.threads is not None:
        found["threads"] = place.threads
    if place.packages is not None:
        inside = dict(place.packages)
        found["python"] = inside.pop("python", found["python"])
        found["packages"] |= inside
    return {
        "environment": json.dumps(found, sort_keys=True),
        "policy": place.policy,
        "widened": list(place.widened),
        "gpus": place.gpus,
        "warnings": list(place.warnings),
    }


def _history_rows(history: list[dict[str, float]]) -> list[dict[str, Any]]:
    names = ("loss", "val_loss", "val_auroc", "val_aupr", "learning_rate", "seconds")
    return [
        {"epoch": number, **{name: row.get(name) for name in names}}
        for number, row in enumerate(history, start=1)
    ]


def _save(path: Path, array: Any) -> Path:
    np.save(path, array, allow_pickle=False)
    return path


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
