"""Agreement between the trials of a model: of all of them at once, whenever they have changed.

A trial is recorded without it, since it cannot know which others there will be. Where the recorded
agreement is not with all of today's trials, every one gets a later result that differs in this
alone; so it is the same whatever the order in which trials ended, and whoever ran them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from motifidelity.errors import DataError
from motifidelity.metrics.attribution.consistency import AGREEMENT
from motifidelity.metrics.declare import Score
from motifidelity.registry import Registry, Result
from motifidelity.registry.counting import ORDER
from motifidelity.registry.schema import TABLES
from motifidelity.runs.plan import Job
from motifidelity.runs.recording import score_rows
from motifidelity.scoring.score import agreeing_maps, score_trials
from motifidelity.scoring.truth import Truth
from motifidelity.summary.runs import RUN_KEY, mark_trials

# one more is needed for each trial that another run records or compares meanwhile
PASSES = 20
Row = Mapping[str, Any]
# by metric and method: value, and number of other trials
Agreed = Mapping[tuple[str, str | None, str | None], tuple[float, int]]


def renew_agreement(
    registry: Registry,
    jobs: Sequence[Job],
    truth_of: Callable[[Job], Truth],
    note: Callable[[str], None] = lambda _: None,
) -> int:
    """Bring the agreement of the trials of all runs that the jobs are of up to date.

    Parameters
    ----------
    registry : Registry
    jobs : sequence of Job
    truth_of : callable
        Gives a job's truth; called only where something is to be compared.
    note : callable
        Receives a line for what cannot be compared.

    Returns
    -------
    int
        Results that were recorded.

    Raises
    ------
    DataError
        If the registry cannot be read or written.
    """
    written = 0
    for _ in range(PASSES):
        changed, holders = _stale(registry, {job.id: job for job in jobs}, truth_of, note)
        if not changed:
            break
        written += _record(registry, changed, holders)
    return written


def _stale(
    registry: Registry,
    jobs: Mapping[str, Job],
    truth_of: Callable[[Job], Truth],
    note: Callable[[str], None],
) -> tuple[dict[str, list[Score]], dict[str, str]]:
    """Agreement of results that have another or none, and where the maps of each are kept."""
    sets: dict[tuple[str, ...], Job] = {}

    def pick(table: pa.Table) -> frozenset[str]:
        # in the reading itself, so that what is read is of one moment
        sets.clear()
        sets.update(_sets(table, jobs))
        return frozenset(name for names in sets for name in names)

    tables = registry.latest("jobs", "scores", pick=pick)
    rows = {row["result_id"]: row for row in tables["jobs"].to_pylist()}
    scores = tables["scores"]
    scores = scores.filter(pc.is_in(scores["metric"], pa.array(AGREEMENT)))
    recorded = {name: _agreed(mine) for name, mine in _by_result(scores.to_pylist()).items()}
    holders: dict[str, str] = {}
    changed: dict[str, list[Score]] = {}
    for names, job in sets.items():
        held = {
            name: holder
            for name in names
            if (holder := registry.arrays_holder(rows[name])) is not None
        }
        if len(held) < 2 or all(_is_with(recorded.get(n, {}), len(held) - 1) for n in held):
            continue
        holders |= held
        try:
            found = _compared(registry, held, truth_of(job), note)
        except Exception as error:  # a fault of the scoring must not end a run of many models
            why = f"{type(error).__name__}: {error}"
            note(f"{job.label}: its trials cannot be compared ({why}); report this")
            continue
        changed |= {
            name: scores
            for name, scores in found.items()
            if _agreed(score_rows(scores)) != recorded.get(name, {})
        }
    return changed, holders


def _sets(table: pa.Table, jobs: Mapping[str, Job]) -> dict[tuple[str, ...], Job]:
    """Finished trials, two or more, of each run that a job is of, in the order of trials."""
    columns = ["job_id", *RUN_KEY, "trial", "seed", "status", *ORDER]
    trials = mark_trials(table.select(columns).to_pandas())
    mine = trials[trials["job_id"].isin(jobs)]
    # what another state of the task has scored is compared when it is scored again
    of_runs = {
        run: jobs[job]
        for run, job, digest in zip(mine["run"], mine["job_id"], mine["task_digest"], strict=True)
        if jobs[job].task.digest == digest
    }
    done = trials[trials["counted"] & (trials["status"] == "ok") & trials["run"].isin(of_runs)]
    return {
        tuple(rows["result_id"]): of_runs[str(run)]
        for run, rows in done.groupby("run", sort=False)
        if len(rows) > 1
    }


def _compared(
    registry: Registry, held: Mapping[str, str], truth: Truth, note: Callable[[str], None]
) -> dict[str, list[Score]]:
    """Agreement of every trial whose maps can be read, from where they are kept."""
    names = {each.array for each in agreeing_maps(truth)}
    maps = {}
    for name, holder in held.items() if names else ():
        try:
            maps[name] = registry.arrays(holder, names)
        except DataError as error:
            note(f"{error}; the other trials are compared without it")
    if len(maps) < 2:
        return {}
    return dict(zip(maps, score_trials(truth, list(maps.values())), strict=True))


def _record(
    registry: Registry, changed: Mapping[str, list[Score]], holders: Mapping[str, str]
) -> int:
    """Record later results that differ in their agreement alone, of those still the latest."""
    tables = registry.latest(*TABLES, pick=lambda _: frozenset(changed))
    scores, filters, history = (
        _by_result(tables[name].to_pylist()) for name in ("scores", "filters", "history")
    )
    jobs = tables["jobs"].to_pylist()
    for job in jobs:
        name, holder = job["result_id"], holders[job["result_id"]]
        origin = job["arrays_of"] or name
        others = [row for row in scores[name] if row["metric"] not in AGREEMENT]
        registry.record(
            Result(
                {**job, "arrays_of": origin},
                scores=[*others, *score_rows(changed[name])],
                filters=filters[name],
                history=history[name],
                # of a network that was probed again they are not those of its first result
                arrays=None if holder == origin else registry.arrays(holder),
                evidence=_evidence(registry, name),
            )
        )
    return len(jobs)


def _evidence(registry: Registry, name: str) -> bytes:
    try:
        return registry.evidence(name) or b""
    except DataError:
        # 'bench registry verify' names it; the scores do not rest on it
        return b""


def _agreed(rows: Iterable[Row]) -> Agreed:
    return {
        (row["metric"], row["method"], row["reading"]): (row["value"], row["n"]) for row in rows
    }


def _is_with(agreed: Agreed, others: int) -> bool:
    """Whether agreement is with so many other trials."""
    return max((n for _, n in agreed.values()), default=0) == others


def _by_result(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["result_id"]].append(row)
    return found
