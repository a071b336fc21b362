"""A run goes on where it was stopped: by job ids alone, whoever wrote the results."""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from pathlib import Path

import pytest
from registry_rows import failure, result

from motifidelity.executors.process import ProcessExecutor
from motifidelity.model_file import read_submission
from motifidelity.registry import Registry
from motifidelity.registry.compact import compact
from motifidelity.registry.merge import merge
from motifidelity.runs import run as runs
from motifidelity.runs.job import Outcome
from motifidelity.runs.plan import plan_jobs
from motifidelity.runs.run import run_plan
from motifidelity.tasks.spec import chosen_specs, find_spec

DATA = Path(__file__).parents[1] / "data"


class Screen:
    """Keeps what a display would show."""

    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)

    def begin(self, *_):
        pass

    event = end = begin


@pytest.fixture
def statuses(monkeypatch):
    """How each job ends, ``ok`` where nothing else is said: no network is trained here."""
    said = defaultdict(lambda: "ok")
    ran = []

    def run_job(job, truth, executor, registry, on_event):
        status = said[job.id]
        made = result(job.id) if status == "ok" else failure(job.id, status)
        ran.append(job.id)
        return Outcome(status, "", "", registry.record(made))

    monkeypatch.setattr(runs, "run_job", run_job)
    monkeypatch.setattr(runs, "load_dataset", lambda task: None)
    monkeypatch.setattr(runs, "Truth", lambda dataset, profile: None)
    monkeypatch.setattr(runs, "compile_in_background", lambda: None)
    return said, ran


@pytest.fixture
def jobs(tmp_path):
    (tmp_path / "tiny.py").write_text("def build_model(task):\n    return None\n")
    submission = read_submission(tmp_path / "tiny.py")
    return plan_jobs(submission, {}, chosen_specs([]), "full", 3, 0)


@pytest.fixture
def go(statuses, place):
    """Run jobs into the registry; returns the ids that ran."""
    _, ran = statuses
    registry = Registry(place)

    def run(jobs, **options):
        ran.clear()
        run.ended = run_plan(jobs, registry, ProcessExecutor(), Screen(), **options)
        return list(ran)

    run.registry = registry
    return run


def ids(jobs):
    return [job.id for job in jobs]


def test_only_what_is_missing_infra_failed_or_asked_for_runs_again(go, jobs, statuses):
    said, _ = statuses
    finished, machine, model, timeout, *missing = jobs
    said |= {machine.id: "infra_error", model.id: "model_error", timeout.id: "timeout"}
    assert go([finished, machine, model, timeout]) == ids([finished, machine, model, timeout])
    assert go(jobs) == ids([machine, *missing])
    assert (go.ended.finished, go.ended.failed) == (3, 3)
    assert go(jobs, retry_failed=True) == ids([machine, model, timeout])
    assert go([finished], force=True) == ids([finished])
    said.clear()
    assert go(jobs) == ids([machine])
    assert go(jobs, retry_failed=True) == ids([model, timeout])
    assert go(jobs, retry_failed=True) == []
    assert (go.ended.finished, go.ended.failed) == (len(jobs), 0)
    assert len(go.registry.jobs()) == len(jobs)


def test_packed_and_merged_results_are_not_run_again(go, jobs, tmp_path, statuses):
    other = Registry(tmp_path / "other")
    run_plan(jobs[:2], other, ProcessExecutor(), Screen())
    merge(go.registry.store, [other.store])
    assert go(jobs[:4]) == ids(jobs[2:4])
    compact(go.registry.store)
    assert go(jobs) == ids(jobs[4:])
    assert go(jobs[::-1]) == []


def test_a_job_that_another_machine_recorded_has_the_id_that_is_planned_here(tmp_path):
    (row,) = Registry(DATA / "registry_v1").latest("jobs")["jobs"].to_pylist()
    (tmp_path / "any.py").write_text("def build_model(task, *, activation='relu'):\n    return 1\n")
    submission = dataclasses.replace(
        read_submission(tmp_path / "any.py"), digest=row["model_digest"]
    )
    task = find_spec(row["task"])
    (job,) = plan_jobs(submission, json.loads(row["params"]), [task], "full", 1, row["seed"])
    assert job.id == row["job_id"]
