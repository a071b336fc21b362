"""Rows of the registry, from what a job found."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from motifidelity.metrics.declare import Score, all_metrics
from motifidelity.phase.interface import Place
from motifidelity.provenance import code, environment
from motifidelity.registry import Result
from motifidelity.runs.intake import ProbeOutput
from motifidelity.scoring.evidence import gather_evidence
from motifidelity.scoring.score import JobScores, score_job
from motifidelity.scoring.truth import Arrays, Truth
from motifidelity.tasks.spec import TaskSpec

NO_SUPPORT = "does not support this network"


def job_row(spec: TaskSpec, profile: str, place: Place, **columns: Any) -> dict[str, Any]:
    """A row of the registry's ``jobs`` table that begins now, on this machine.

    Parameters
    ----------
    spec : TaskSpec
    profile : str
    place : Place
        Where the job runs.
    **columns
        What is the job's own.
    """
    harness = code()
    return {
        "task": spec.id,
        "task_digest": spec.digest,
        "dataset_digest": spec.dataset_digest,
        "profile": profile,
        "device": "cpu",
        "started": datetime.now(UTC),
        "commit": harness.commit,
        "dirty": harness.dirty,
        "worker_digest": harness.worker_digest,
        **where_columns(place, environment()),
        **columns,
    }


def scored_result(
    row: Mapping[str, Any],
    truth: Truth,
    arrays: Arrays,
    /,
    **parts: Any,
) -> Result:
    """The result of a job whose arrays are there: its row, what is scored, and the evidence.

    Parameters
    ----------
    row : mapping of str
        The job's row.
    truth : Truth
    arrays : mapping of str to ndarray
        As `score_job` takes them.
    **parts
        Other parts of the result.
    """
    started = time.monotonic()
    scores = score_job(truth, arrays)
    evidence = gather_evidence(truth, arrays)
    return Result(
        {**row, "status": "ok", "seconds_score": time.monotonic() - started},
        score_rows(scores.scores),
        filter_rows(scores),
        evidence=evidence,
        **parts,
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


def unsupported_warnings(probe: ProbeOutput) -> list[str]:
    """One line for each attribution method that does not support the network."""
    return [f"{method} {NO_SUPPORT}: {reason}" for method, reason in probe.unsupported.items()]


def where_columns(place: Place, machine: str) -> dict[str, Any]:
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


def history_rows(history: list[dict[str, float]]) -> list[dict[str, Any]]:
    """Rows of the registry's ``history`` table, an epoch each."""
    names = ("loss", "val_loss", "val_auroc", "val_aupr", "learning_rate", "seconds")
    return [
        {"epoch": number, **{name: row.get(name) for name in names}}
        for number, row in enumerate(history, start=1)
    ]
