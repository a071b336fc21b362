"""``bench submit``: one reviewable folder of a model file and its results."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from motifidelity import __version__
from motifidelity.errors import DataError, UserError
from motifidelity.model_file import Submission
from motifidelity.registry import Registry
from motifidelity.submitting.check import CheckReport
from motifidelity.submitting.coherence import division
from motifidelity.submitting.folder import TABLES, write_folder

# parameter sets that a message names
SHOWN = 4
SELF_REPORTED = "self-reported"
# what is the same for all rows of one machine stands once, in environment.json
_ENVIRONMENT = (
    "environment",
    "commit",
    "dirty",
    "worker_digest",
    "image_digest",
    "runner",
    "isolation",
    "device",
    "policy",
    "widened",
    "gpus",
)
_PARSED = ("environment", "policy", "gpus")


@dataclass(frozen=True)
class ModelResults:
    """The latest results of one model file, failures included.

    Attributes
    ----------
    tables : mapping of str to list of dict
        Rows by table; rows of the others name their job by its number in ``jobs``.
    """

    tables: Mapping[str, list[dict[str, Any]]]

    @property
    def done(self) -> list[dict[str, Any]]:
        """Jobs that have scores."""
        return [job for job in self.tables["jobs"] if job["status"] == "ok"]

    @property
    def failed(self) -> list[dict[str, Any]]:
        """Jobs that have none."""
        return [job for job in self.tables["jobs"] if job["status"] != "ok"]


def model_results(
    registry: Registry, submission: Submission, params: Mapping[str, Any] | None = None
) -> ModelResults:
    """All results of a model file in a registry.

    Parameters
    ----------
    registry : Registry
    submission : Submission
    params : mapping, optional
        Only results with these parameters.

    Raises
    ------
    UserError
        If none is finished.
    """
    found = registry.latest(*TABLES)
    wanted = None if params is None else json.dumps(dict(params), sort_keys=True)
    rows = found["jobs"].to_pylist()
    of_file = [row for row in rows if row["model_digest"] == submission.digest]
    jobs = [row for row in of_file if wanted in (None, row["params"])]
    jobs.sort(key=lambda row: (row["task"], row["profile"], row["params"], row["trial"]))
    if not any(row["status"] == "ok" for row in jobs):
        raise UserError(
            f"registry {registry.name}: no finished result of {submission.path.name} "
            f"({_why_none(submission, jobs, of_file, rows)}); run 'bench run --model "
            f"{submission.path.name}' first"
        )
    number = {row["result_id"]: i for i, row in enumerate(jobs)}
    tables = {"jobs": jobs}
    for name in TABLES[1:]:
        tables[name] = [
            {
                "job": number[row["result_id"]],
                **{k: v for k, v in row.items() if k not in ("result_id", "job_id")},
            }
            for row in found[name].to_pylist()
            if row["result_id"] in number
        ]
    return ModelResults(tables)


def _why_none(
    submission: Submission,
    jobs: Sequence[Mapping[str, Any]],
    of_file: Sequence[Mapping[str, Any]],
    rows: Sequence[Mapping[str, Any]],
) -> str:
    """Why nothing is there to submit: it failed, has other parameters, or is of another file."""
    if jobs:
        return f"{len(jobs)} failed, the first: {jobs[0]['message'] or jobs[0]['status']}"
    if done := {row["params"] for row in of_file if row["status"] == "ok"}:
        sets = sorted(_shown(json.loads(text)) for text in done)
        more = f" and {len(sets) - SHOWN} more" if len(sets) > SHOWN else ""
        return f"with these parameters; there are results with {', or '.join(sets[:SHOWN])}{more}"
    name = submission.path.name
    other = sum(row["model_file"] == name for row in rows if row["model_digest"])
    if other and not of_file:
        return f"{other} of another {name}, which was edited since: any edit is a new model"
    return "none of this file at all"


def _shown(params: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted(params.items())) or "none"


def job_parameters(results: ModelResults) -> dict[str, Any]:
    """Parameters of the first finished job, to check the model with."""
    found: dict[str, Any] = json.loads(results.done[0]["params"])
    return found


def make_submission(
    report: CheckReport, results: ModelResults, target: Path, when: datetime | None = None
) -> str:
    """Write the folder of a checked model.

    Returns
    -------
    str
        Its seal, by which a reviewer knows that nothing was changed since.

    Raises
    ------
    UserError
        If the check found problems, or authors or licence are missing.
    DataError
        If the folder exists or cannot be written.
    """
    submission = report.submission
    if submission is None or report.problems:
        first = report.problems[0]
        raise UserError(
            f"{first.where or report.path.name}: {first.text}; {first.remedy} "
            f"({len(report.problems)} in all: see 'bench check {report.path.name}')"
        )
    for key in ("authors", "license"):
        if key not in submission.metadata:
            raise UserError(
                f"{submission.path.name}: no {key}; add MODEL = dict(name=..., authors=..., "
                "license=...) to the file, run it again, and submit that"
            )
    metadata = {
        "name": submission.name,
        **submission.metadata,
        "file": submission.path.name,
        "digest": submission.digest,
        "division": division(submission, results.tables["jobs"]),
        "parameters": _distinct(json.loads(row["params"]) for row in results.tables["jobs"]),
        "tasks": sorted({row["task"] for row in results.tables["jobs"]}),
        "finished": len(results.done),
        "failed": len(results.failed),
        "tier": SELF_REPORTED,
        "submitted": (when or datetime.now(UTC)).isoformat(timespec="seconds"),
        "suite": __version__,
    }
    environments = [_environment(row) for row in results.tables["jobs"]]
    distinct = _distinct(environments)
    jobs = [
        # paths of the submitter's machine are nobody's business
        {k: v for k, v in row.items() if k not in (*_PARSED, "traceback")}
        | {"environment": distinct.index(environment)}
        for row, environment in zip(results.tables["jobs"], environments, strict=True)
    ]
    try:
        return write_folder(
            target,
            submission.path,
            metadata,
            {"environments": distinct},
            report.to_json(),
            {**results.tables, "jobs": jobs},
        )
    except TypeError as error:
        raise DataError(f"{submission.path.name}: {error}; report this") from error


def _environment(row: Mapping[str, Any]) -> dict[str, Any]:
    """Where a job ran, its stored JSON unpacked."""
    found = {key: row.get(key) for key in _ENVIRONMENT}
    return found | {key: json.loads(text) for key in _PARSED if (text := found[key])}


def _distinct(values: Iterable[Any]) -> list[Any]:
    """Each value once, in order; values are plain JSON."""
    return list({json.dumps(value, sort_keys=True): value for value in values}.values())
