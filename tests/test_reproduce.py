"""The study's grid: every cell once, in the declared order, the committed baselines part of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from motifidelity.errors import UserError
from motifidelity.published import published
from motifidelity.registry import Registry
from motifidelity.reproduce import estimate, plan_study, read_study

BASELINES = Path(__file__).parents[1] / "baselines"


def cells(jobs):
    return [(job.submission.path.stem, job.params["activation"], job.trial) for job in jobs]


def test_the_whole_grid_has_every_activation_of_the_study(tmp_path):
    from motifidelity.models.cnn_deep import ACTIVATIONS

    study = read_study()
    activations = [a for part in study.parts.values() for a in part.activations]
    assert sorted(activations) == sorted(ACTIVATIONS)
    jobs = plan_study()
    assert len({job.id for job in jobs}) == len(jobs) == 5 * 2 * 3 + 5 * 5 + 2 * 11


def test_the_order_is_part_by_part_and_trial_by_trial():
    jobs = plan_study(["contrast"])
    assert cells(jobs)[:4] == [
        ("cnn_deep", "exponential", 0),
        ("cnn_deep", "relu", 0),
        ("cnn_dist", "exponential", 0),
        ("cnn_dist", "relu", 0),
    ]
    assert [trial for *_, trial in cells(jobs)] == [0] * 10 + [1] * 10 + [2] * 10
    assert cells(plan_study())[: len(jobs)] == cells(jobs)


def test_every_model_runs_on_the_study_s_task():
    tasks = {(job.submission.path.stem, job.task.id) for job in plan_study()}
    assert tasks == set(read_study().tasks.items())
    # the 64 published cells are on the networks of the regulatory code
    table = published()
    models = set(table[table["task"] == "regulatory-code@1"]["model"])
    assert models == {
        job.submission.name for job in plan_study() if job.task.id == "regulatory-code@1"
    }


def test_cells_and_trials_pick_a_part():
    picked = plan_study(cells=["cnn_deep/relu"], trials=2)
    assert cells(picked) == [("cnn_deep", "relu", 0), ("cnn_deep", "relu", 1)]
    assert {a for _, a, _ in cells(plan_study(cells=["*/exponential"], trials=1))} == {
        "exponential"
    }
    with pytest.raises(UserError, match="cnn_deep/rely"):
        plan_study(cells=["cnn_deep/rely"])
    with pytest.raises(UserError, match="contrast"):
        plan_study(["contrasts"])


def test_jobs_are_those_of_bench_run_so_nothing_is_trained_twice():
    finished = set(Registry(BASELINES).jobs()["job_id"])
    planned = {job.id for job in plan_study(["contrast"], trials=1)}
    assert planned <= finished


def test_the_estimate_is_the_median_of_what_such_jobs_took(tmp_path):
    registry = Registry(BASELINES)
    # a trial that nobody has run
    one = plan_study(cells=["cnn_deep/softplus"], trials=100)[-1:]
    seconds, unknown = estimate(one, registry)
    jobs = registry.jobs()
    mine = jobs[jobs["model"] == "CNN-deep"]
    total = mine["seconds_fit"] + mine["seconds_probe"] + mine["seconds_score"]
    assert (seconds, unknown) == (pytest.approx(total.median()), 0)
    assert estimate(one, Registry(tmp_path)) == (0.0, 1)
    assert estimate(plan_study(cells=["cnn_deep/relu"], trials=1), registry) == (0.0, 0)
