"""Rows of the registry, from what a job found."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motifidelity.metrics.declare import Score, all_metrics
from motifidelity.phase.interface import Place
from motifidelity.provenance import code, environment
from motifidelity.registry import Result
from motifidelity.runs.intake import FILTERS, ProbeOutput
from motifidelity.scoring.evidence import gather_evidence
from motifidelity.scoring.score import JobScores, score_job
from motifidelity.scoring.truth import Arrays, Truth
from motifidelity.tasks.spec import TaskSpec

NO_SUPPORT = "does not support this network"
UNCHANGED = "its own training changed no weight: the network is scored as build_model made it"
NOT_READ = "the filter scan was not read"
READ_IN_PART = "the filter scan was read in part"
BY_GRADIENT = "takes the gradient where it has no rule"
ALL_ALIKE = "every sequence gets the same answer"
AT_CHANCE = "accuracy is at chance"
# standard errors of an AUROC above chance within which it says nothing
_CHANCE_ERRORS = 3.0


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
    before = [text for text in row["warnings"] if not text.startswith((ALL_ALIKE, AT_CHANCE))]
    warnings = accuracy_warnings(scores.scores, arrays["logits"], truth.test.labels)
    scored = {"seconds_score": time.monotonic() - started, "warnings": [*before, *warnings]}
    return Result(
        {**row, "status": "ok", **scored},
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
            "reading": s.reading,
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
    """One line for what a probe lacks: each attribution method, its rules, the filter scan."""
    made = [f"{method} {BY_GRADIENT}: {ops}" for method, ops in probe.by_gradient.items()]
    return made + [
        f"{READ_IN_PART if probe.has_filters else NOT_READ}: {reason}"
        if method == FILTERS
        else f"{method} {NO_SUPPORT}: {reason}"
        for method, reason in probe.unsupported.items()
    ]


def accuracy_warnings(
    scores: Iterable[Score], logits: NDArray[np.floating], labels: NDArray[np.uint8]
) -> list[str]:
    """A line where a network answers every sequence alike, or no better than chance.

    Parameters
    ----------
    scores : iterable of Score
    logits : (n, C) float
    labels : (n, C) uint8
        Of a regression they are not read.

    Notes
    -----
    Under chance the AUROC of a class has the variance (n + 1) / (12 n1 n0) (Mann & Whitney, Ann.
    Math. Stat. 18, 50-60, 1947), a correlation 1 / (n - 1); classes count as independent.
    """
    if not np.ptp(logits, axis=0).any():
        return [f"{ALL_ALIKE}: accuracy, maps and filters say nothing"]
    values = {s.metric: s.value for s in scores if s.target is None and s.method is None}
    if "pearson" in values:
        least = _CHANCE_ERRORS / math.sqrt(max(1, len(logits) - 1) * logits.shape[1])
        if values["pearson"] > least:
            return []
        return [f"{AT_CHANCE} (r {values['pearson']:.3f}): maps and filters say little"]
    held = labels.sum(axis=0, dtype=np.float64)
    pairs = held * (len(labels) - held)
    if not (pairs > 0).any():
        return []
    variance = (len(labels) + 1) / (12 * pairs[pairs > 0])
    error = float(np.sqrt(variance.sum()) / len(variance))
    found = values.get("auroc", math.nan)
    if found > 0.5 + _CHANCE_ERRORS * error or math.isnan(found):
        return []
    return [f"{AT_CHANCE} (AUROC {found:.3f}): maps and filters say little"]


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
    scores = ("val_loss", "val_auroc", "val_aupr", "val_pearson")
    names = ("loss", *scores, "learning_rate", "seconds")
    return [
        {"epoch": number, **{name: row.get(name) for name in names}}
        for number, row in enumerate(history, start=1)
    ]
