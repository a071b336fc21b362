"""How long a plan takes, from what was measured on this machine alone."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from registry_rows import failure, result

from motifidelity.model_file import read_submission
from motifidelity.phase.interface import Place
from motifidelity.provenance import environment
from motifidelity.registry import Registry
from motifidelity.runs.forecast import (
    Forecast,
    forecast,
    note_pace,
    read_pace,
    sequences,
    worth_calibrating,
)
from motifidelity.runs.plan import plan_jobs
from motifidelity.submitting import trial
from motifidelity.submitting.trial import SLICE, calibrate
from motifidelity.tasks.spec import find_spec

SOURCE = "def build_model(task, *, width=8):\n    return None\n"


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("MOTIFIDELITY_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def plan(tmp_path):
    def make(profile="full", trials=4, text=SOURCE):
        (tmp_path / "mine.py").write_text(text)
        submission = read_submission(tmp_path / "mine.py")
        params = submission.parameters(())
        return plan_jobs(submission, params, [find_spec("motif-classes@1")], profile, trials, 0)

    return make


@pytest.fixture
def registry(tmp_path):
    return Registry(tmp_path / "registry")


def took(job, fit, *, epochs=10, machine=None, **columns):
    """A result of a job that took so many seconds to train, 20 to probe and 10 to score."""
    return result(
        job.id,
        model_digest=job.submission.digest,
        params=json.dumps(dict(job.params)),
        task=job.task.id,
        profile=job.profile.name,
        backend=job.submission.backend,
        environment=machine or environment(),
        seconds_fit=float(fit),
        seconds_probe=20.0,
        seconds_score=10.0,
        epochs=epochs,
        **columns,
    )


def test_nothing_measured_is_said(plan, registry):
    assert str(forecast(plan(), registry)) == (
        "4 jobs to run: nothing like it was measured here yet"
    )
    assert str(forecast(plan(trials=1), registry)).startswith("1 job to run: ")


def test_jobs_take_what_their_like_took_here_and_finished_ones_stand_apart(plan, registry):
    jobs = plan()
    for job, seconds in zip(jobs[:3], (100, 170, 900), strict=True):
        registry.record(took(job, seconds))
    found = forecast(jobs, registry)
    # of 130, 200 and 930 the median
    assert (found.left, found.seconds, found.unknown) == (1, 200.0, 0)
    assert set(found.settled) == {job.id for job in jobs[:3]}
    assert str(found) == "1 of 4 jobs to run: about 3 min, by what such jobs took here"
    assert str(forecast(jobs, registry, force=True)).startswith("4 jobs to run: about 13 min")
    assert str(forecast(jobs[:3], registry)) == "3 jobs, none to run"


def test_failed_jobs_run_where_they_are_asked_for(plan, registry):
    jobs = plan()
    registry.record(failure(jobs[0].id))
    assert forecast(jobs, registry).left == 3
    assert forecast(jobs, registry, retry_failed=True).left == 4


def test_another_machine_network_or_task_says_nothing(plan, registry):
    jobs = plan()
    elsewhere = json.dumps({**json.loads(environment()), "cpu": "another"})
    other = replace(jobs[2], params={"width": 9})
    registry.record(took(jobs[0], 100, machine=elsewhere))
    registry.record(took(jobs[1], 100, machine="text"))
    registry.record(took(other, 100))
    found = forecast(jobs, registry)
    assert (found.left, found.unknown) == (2, 2)


def test_an_epoch_of_another_profile_bounds_the_training(plan, registry):
    (quick,), jobs = plan("quick", 1), plan()
    registry.record(took(quick, 50, epochs=10))
    found = forecast(jobs, registry)
    spec = quick.task
    grown = sequences(spec, spec.profile("full")) / sequences(spec, quick.profile)
    assert found.bounded == 4
    assert found.epochs == pytest.approx(4 * 5 * grown * spec.profile("full").max_epochs)
    assert "of training, by an epoch measured here; probing and scoring come on top" in str(found)


def test_an_epoch_that_check_measured_bounds_the_training(plan, registry):
    jobs = plan()
    short = replace(jobs[0], profile=SLICE)
    # the first epoch also compiles
    note_pace(short, [{"seconds": 9.0}, {"seconds": 0.5}])
    assert read_pace(jobs[3]) == pytest.approx(0.5 / (1000 + 200 / 3))
    found = forecast(jobs, registry)
    spec = jobs[0].task
    train, valid = (int(spec.digests[name]["n"]) for name in ("train", "valid"))
    epoch = 0.5 * (train + valid / 3) / (1000 + 200 / 3)
    assert found.epochs == pytest.approx(4 * 100 * epoch)
    assert read_pace(replace(jobs[0], params={"width": 9})) is None


@pytest.mark.parametrize("text", ["", "[]", '{"seconds_per_sequence": -1}', "{}"])
def test_a_damaged_measurement_is_none(plan, tmp_path, text):
    (job, *_) = plan()
    note_pace(job, [{"seconds": 1.0}])
    (path,) = (tmp_path / "cache/paces").iterdir()
    path.write_text(text)
    assert read_pace(job) is None


def test_jobs_at_a_time_share_the_time():
    found = Forecast(8, seconds=8 * 600.0, slots=4)
    assert str(found) == (
        "8 jobs to run: about 20 min with 4 at a time, by what such jobs took here"
    )
    mixed = Forecast(3, seconds=600.0, epochs=1200.0, bounded=1, unknown=1)
    assert str(mixed) == (
        "3 jobs to run: about 10 min, by what such jobs took here; at most 20 min of training, by "
        "an epoch measured here; probing and scoring come on top; 1 with nothing measured yet"
    )


def test_a_long_plan_is_worth_seconds_of_measuring_and_a_short_one_is_not(plan, registry):
    jobs = plan()
    assert worth_calibrating(jobs, forecast(jobs, registry)) == jobs[:1]
    quick = plan("quick", 1)
    assert worth_calibrating(quick, forecast(quick, registry)) == []
    own = plan(text=SOURCE + "def fit(model, data):\n    pass\n")
    assert worth_calibrating(own, forecast(own, registry)) == []


def test_what_a_calibration_measures_is_kept(plan, registry, monkeypatch):
    jobs, said = plan(), []
    monkeypatch.setattr(trial, "load_dataset", lambda task: None)
    monkeypatch.setattr(trial, "Truth", lambda dataset, profile: None)

    def fit_trial(job, truth, executor, work):
        assert job.profile is SLICE
        note_pace(job, [{"seconds": 1.0}])
        return SimpleNamespace(fit=object())

    monkeypatch.setattr(trial, "fit_trial", fit_trial)
    executor = SimpleNamespace(place=Place())
    assert calibrate(jobs, forecast(jobs, registry), executor, said.append)
    assert said == ["measuring an epoch of mine on motif-classes@1"]
    assert forecast(jobs, registry).bounded == 4
    assert not calibrate(jobs, forecast(jobs, registry), executor, said.append)
    assert len(said) == 1
