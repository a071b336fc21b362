"""Whether a submission's rows follow from its model file and from each other, without running it.

Digests show that nothing was changed since the manifest was made. Who changes a number can make the
manifest anew; what is checked here then still holds it to the model file (through the job's id) and
to the other rows, and what passes that too is found by running the model again.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from motifidelity.backends import backend_of, known_backend
from motifidelity.entries import OPEN
from motifidelity.errors import UserError
from motifidelity.model_file import on_backend
from motifidelity.phase.interface import STATUSES
from motifidelity.submitting.findings import Finding
from motifidelity.submitting.folder import Contents
from motifidelity.submitting.source import name_problem, text_problem
from motifidelity.untrusted import clean_text, quoted

if TYPE_CHECKING:
    from motifidelity.metrics.declare import Metric
    from motifidelity.model_file import Submission
    from motifidelity.runs.plan import Job

# a mean over classes is summed in another order by another machine at most
SAME_MEAN = 1e-6
MAX_SHOWN = 20
MAX_LINE = 300
_JOB_TYPES: dict[str, tuple[type, ...]] = {
    "job_id": (str,),
    "task": (str,),
    "profile": (str,),
    "model": (str,),
    "model_digest": (str,),
    "params": (str,),
    "trial": (int,),
    "seed": (int,),
    "status": (str,),
}
_SCORE_TYPES: dict[str, tuple[type, ...]] = {
    "job": (int,),
    "metric": (str,),
    "family": (str,),
    "method": (str, type(None)),
    "target": (str, type(None)),
    "value": (float, int, type(None)),
    "n": (int,),
}


class MalformedRow(Exception):
    """A row lacks a field, or has it in another type; one line."""


def job_of(row: Mapping[str, Any], submission: Submission) -> Job:
    """The job that a row says it is of, by this suite's own tasks.

    Raises
    ------
    UserError
        For a task or a profile that this version does not know.
    MalformedRow
        For parameters that are none.
    """
    from motifidelity.runs.plan import Job
    from motifidelity.tasks.spec import find_spec

    spec = find_spec(row["task"])
    try:
        params = json.loads(row["params"])
    except (ValueError, RecursionError):
        params = None
    if not isinstance(params, dict):
        raise MalformedRow("params is not a JSON object")
    image = row.get("image_digest")
    submission = on_backend(submission, known_backend(backend_of(row)))
    return Job(
        submission, params, spec, spec.profile(row["profile"]), row["trial"], row["seed"], image
    )


def consistency(contents: Contents, submission: Submission) -> Iterator[Finding]:
    """Every contradiction between metadata, rows and model file.

    Parameters
    ----------
    contents : Contents
        Of a folder whose digests were checked.
    submission : Submission
        The folder's model file, parsed.
    """
    yield from _metadata(contents, submission)
    good = yield from _jobs(contents.tables["jobs"], submission)
    if good:
        yield from _gaps(contents.tables["jobs"])
        yield from _limited(_scores(contents.tables["jobs"], contents.tables["scores"]))
    failed = [row for row in contents.tables["jobs"] if row.get("status") != "ok"]
    for row in failed[:MAX_SHOWN]:
        yield Finding(
            "failures",
            "warning",
            f"{_label(row)}: {clean_text(str(row.get('status')), 40)}: "
            f"{clean_text(str(row.get('message') or 'no message'), 200)}",
            where="jobs.json",
        )


def division(submission: Submission, jobs: Iterable[Mapping[str, Any]]) -> str:
    """A submission's division: the open one where its file or one of its rows tells of it."""
    return OPEN if any(row.get("division") == OPEN for row in jobs) else submission.division


def _problem(
    where: str, text: str, remedy: str = "make the folder anew from your registry"
) -> Finding:
    # a stranger's text may hold anything
    return Finding("consistency", "problem", clean_text(text, MAX_LINE), remedy, where)


def _metadata(contents: Contents, submission: Submission) -> Iterator[Finding]:
    metadata = contents.metadata
    words = {
        "name": submission.name,
        **submission.metadata,
        "file": contents.model_name,
        "digest": submission.digest,
        "division": division(submission, contents.tables["jobs"]),
    }
    for key in ("authors", "license"):
        if key not in words:
            yield _problem(contents.model_name, f"the model file gives no {key}", "add it to MODEL")
    for key, value in words.items():
        told = "rows say" if key == "division" else "model file says"
        if metadata.get(key) != value:
            yield _problem(
                "metadata.json",
                f"{key} is {quoted(metadata.get(key), 80)}, but the {told} {quoted(value, 80)}",
            )
    for key in ("name", "authors", "license", "url"):
        stated = metadata.get(key)
        if stated is None and key == "url":
            continue
        problem = (
            (name_problem(stated) if key == "name" else text_problem(stated))
            if isinstance(stated, str)
            else "is no text"
        )
        if problem:
            yield _problem("metadata.json", f"{key} {problem}", "change MODEL and run it again")
    jobs = contents.tables["jobs"]
    done = sum(row.get("status") == "ok" for row in jobs)
    if metadata.get("finished") != done or metadata.get("failed") != len(jobs) - done:
        yield _problem(
            "metadata.json",
            f"says {quoted(metadata.get('finished'), 20)} finished and "
            f"{quoted(metadata.get('failed'), 20)} failed jobs; jobs.json has {done} and "
            f"{len(jobs) - done}",
        )
    if not done:
        yield _problem("jobs.json", "no job is finished")


def _jobs(rows: list[dict[str, Any]], submission: Submission) -> Any:
    """Contradictions of the jobs; returns whether there were none."""
    good = True
    counts = Counter(row.get("job_id") for row in rows if isinstance(row.get("job_id"), str))
    for number, row in enumerate(rows):
        try:
            text = _job_problem(row, submission)
        except (MalformedRow, UserError) as error:
            text = str(error)
        if text is None and counts[row["job_id"]] > 1:
            text = "the same job stands twice"
        if text:
            good = False
            yield _problem(f"jobs.json:{number + 2}", f"{_label(row)}: {text}")
    return good


def _job_problem(row: Mapping[str, Any], submission: Submission) -> str | None:
    _require(row, _JOB_TYPES)
    if row["status"] not in STATUSES:
        return f"unknown status {quoted(row['status'], 40)}"
    if row["model_digest"] != submission.digest:
        return "its result is of another model file"
    if row["model"] != submission.name:
        return f"its model is named {quoted(row['model'], 80)}"
    if row.get("division") not in {OPEN, submission.division}:
        return f"its division is {quoted(row.get('division'), 40)}, not {submission.division}"
    job = job_of(row, submission)
    if job.id != row["job_id"]:
        return (
            "its id does not follow from model file, parameters, task, profile, seed and image: "
            "one of them was changed, or the task's data were"
        )
    return None


def _scores(jobs: list[dict[str, Any]], rows: list[dict[str, Any]]) -> Iterator[Finding]:
    from motifidelity.metrics.declare import all_metrics
    from motifidelity.tasks.spec import is_read_first, read_first

    metrics = all_metrics()
    first = cache(read_first)
    held: dict[int, set[tuple[Any, ...]]] = defaultdict(set)
    seen: set[tuple[Any, ...]] = set()
    classes: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    means: dict[tuple[Any, ...], tuple[str, float]] = {}
    for number, row in enumerate(rows):
        where = f"scores.json:{number + 2}"
        try:
            text = _score_problem(row, jobs)
        except MalformedRow as error:
            text = str(error)
        if text:
            yield _problem(where, text)
            continue
        key = (row["job"], row["metric"], row["method"])
        name = (row["metric"], row["method"], row["target"])
        # a map may be read in several ways
        reading = row.get("reading")
        if (row["job"], *name, reading) in seen:
            yield _problem(where, f"{row['metric']} stands twice for one job")
        seen.add((row["job"], *name, reading))
        if is_read_first(row, first(str(jobs[row["job"]]["task"]))):
            held[row["job"]].add(name)
        if row["value"] is not None and _has_classes(metrics[row["metric"]]):
            if row["target"] is None:
                means[key] = (where, row["value"])
            else:
                classes[key].append(row["value"])
    for key in dict.fromkeys((*classes, *means)):
        values = classes.get(key, [])
        mean = math.fsum(values) / len(values) if values else math.nan
        where, stated = means.get(key, ("scores.json", math.nan))
        if not abs(stated - mean) <= SAME_MEAN:
            yield _problem(
                where, f"{key[1]} is {stated:.6f}, but the mean over its classes is {mean:.6f}"
            )
    yield from _left_out(jobs, held)


def _left_out(
    jobs: list[dict[str, Any]], held: Mapping[int, set[tuple[Any, ...]]]
) -> Iterator[Finding]:
    """Scores that a finished job must have and has not, and scores of classes that are none.

    It has accuracy for each class, and the scores that decide where another trial has them. Other
    scores may have come with a later version of the suite.
    """
    from motifidelity.metrics.declare import all_metrics
    from motifidelity.submitting.compare import judged
    from motifidelity.tasks.spec import find_spec

    metrics = all_metrics()
    done = [number for number, job in enumerate(jobs) if job["status"] == "ok"]
    of_trials: dict[tuple[str, ...], set[tuple[Any, ...]]] = defaultdict(set)
    for number in done:
        keys = {(*key, None) for key in judged(jobs[number]["task"])}
        of_trials[_alike(jobs[number])] |= keys & held.get(number, set())
    for number in done:
        job, mine = jobs[number], held.get(number, set())
        if not mine:
            yield _problem("scores.json", f"{_label(job)}: no score")
            continue
        first = [key for key in judged(job["task"]) if _has_classes(metrics[key[0]])]
        stated = {(name, method) for name, method, _ in mine if _has_classes(metrics[name])}
        targets = (None, *find_spec(job["task"]).classes)
        expected = {
            (*key, target) for key in stated.union(first) for target in targets
        } | of_trials[_alike(job)]
        foreign = {(*key, t) for *key, t in mine if tuple(key) in stated and t not in targets}
        for missing in sorted(expected - mine, key=str):
            yield _problem(
                "scores.json",
                f"{_label(job)}: {_score_name(missing)} is left out",
                "run 'bench rescore' and make the folder anew",
            )
        for unknown in sorted(foreign, key=str):
            yield _problem(
                "scores.json", f"{_label(job)}: {_score_name(unknown)}: the task has no such class"
            )


def _has_classes(metric: Metric) -> bool:
    """Whether a score is the mean over classes: accuracy is, what is asked of a network is not."""
    return metric.family == "accuracy" and not metric.own_network


def _alike(row: Mapping[str, Any]) -> tuple[str, ...]:
    """What trials share that are scored alike."""
    names = ("task", "task_digest", "profile", "params")
    return (*(str(row.get(name)) for name in names), backend_of(row))


def _score_name(key: tuple[Any, ...]) -> str:
    metric, *where = key
    named = ", ".join(str(part) for part in where if part is not None)
    return f"{metric} ({named})" if named else str(metric)


def _gaps(jobs: list[dict[str, Any]]) -> Iterator[Finding]:
    """Trials that stand nowhere though later ones do."""
    trials: dict[tuple[str, ...], set[int]] = defaultdict(set)
    for row in jobs:
        if row["trial"] >= 0:
            trials[row["task"], row["profile"], row["params"], backend_of(row)].add(row["trial"])
    for (task, *_), found in trials.items():
        ordered = sorted(found)
        first = next((i for i, trial in enumerate(ordered) if i != trial), None)
        if first is not None:
            lacking = ordered[-1] + 1 - len(ordered)
            yield Finding(
                "trials",
                "warning",
                f"trial {first} is in no row, though trial {ordered[-1]} is ({lacking} left out)",
                "submit every trial that was run, failed ones too",
                "jobs.json",
                task,
            )


def _score_problem(row: Mapping[str, Any], jobs: list[dict[str, Any]]) -> str | None:
    from motifidelity.metrics.declare import all_metrics
    from motifidelity.metrics.readings import READINGS

    _require(row, _SCORE_TYPES)
    if not 0 <= row["job"] < len(jobs) or jobs[row["job"]]["status"] != "ok":
        return f"a score of job {row['job']}, which has none"
    metric = all_metrics().get(row["metric"])
    if metric is None:
        return f"unknown metric {quoted(row['metric'], 60)}"
    if metric.family != row["family"]:
        return f"{metric.name} is of family {metric.family}, not {quoted(row['family'], 40)}"
    if row.get("reading") not in (None, *READINGS):
        return f"{metric.name} has a reading that is none of {', '.join(READINGS)}"
    value = row["value"]
    if value is None:
        return None
    low = -math.inf if metric.low is None else metric.low - SAME_MEAN
    high = math.inf if metric.high is None else metric.high + SAME_MEAN
    if not low <= value <= high:
        return f"{metric.name} is {value:g}; it lies between {metric.low} and {metric.high}"
    return None


def _require(row: Mapping[str, Any], types: Mapping[str, tuple[type, ...]]) -> None:
    for name, allowed in types.items():
        value = row.get(name)
        if name not in row or not isinstance(value, allowed) or isinstance(value, bool):
            raise MalformedRow(f"field {name} is missing or of another type")
        if isinstance(value, int) and abs(value) >= 1 << 62:
            raise MalformedRow(f"field {name} is out of range")


def _limited(findings: Iterator[Finding]) -> Iterator[Finding]:
    """The first findings; the others are counted."""
    rest = 0
    for number, finding in enumerate(findings):
        if number < MAX_SHOWN:
            yield finding
        else:
            rest += 1
    if rest:
        yield _problem("scores.json", f"{rest} more of such rows")


def _label(row: Mapping[str, Any]) -> str:
    task = clean_text(str(row.get("task")), 60)
    profile = clean_text(str(row.get("profile")), 20)
    return f"{task}, {profile}, trial {clean_text(str(row.get('trial')), 20)}"
