"""The study's grid: every cell once, in the declared order, the committed baselines part of it."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from click.testing import CliRunner
from registry_rows import failure

from motifidelity.cli import bench
from motifidelity.errors import UserError
from motifidelity.registry import Registry
from motifidelity.runs.forecast import forecast
from motifidelity.runs.study_jobs import plan_study
from motifidelity.study.grid import read_study
from motifidelity.study.published import published

BASELINES = Path(__file__).parents[2] / "baselines"


def cells(jobs):
    return [(job.submission.path.stem, job.params["activation"], job.trial) for job in jobs]


def test_the_whole_grid_has_every_activation_of_the_study_on_every_network():
    from motifidelity.models.cnn_deep import ACTIVATIONS

    networks = {"cnn_deep", "cnn_dist", "cnn_local", "cnn_2", "cnn_50"}
    jobs = plan_study()
    assert {(model, a) for model, a, _ in cells(jobs)} == set(product(networks, ACTIVATIONS))
    assert len({job.id for job in jobs}) == len(jobs) == 5 * 2 * 3 + 5 * 5 + 2 * 11 + 3 * 11


@pytest.mark.parametrize(
    ("part", "swept", "others", "number"),
    [
        ("initialisation", "initializer", {"stddev": 0.0, "scale": 1.0, "batch_norm": True}, 6),
        ("deviation", "stddev", {"scale": 1.0, "batch_norm": True}, 15),
        ("scale", "scale", {"stddev": 0.0, "batch_norm": False}, 11),
    ],
)
def test_a_control_is_run_when_asked_for(part, swept, others, number):
    assert read_study().parts[part].optional
    jobs = plan_study([part])
    values = [job.params[swept] for job in jobs]
    activations = {job.params["activation"] for job in jobs}
    assert len(set(values)) == number
    assert len({job.id for job in jobs}) == len(jobs) == number * len(activations)
    assert not {job.id for job in jobs} & {job.id for job in plan_study()}
    for job in jobs:
        assert {name: job.params[name] for name in others} == others
    (one,) = plan_study([part], cells=[f"*/exponential/{swept}={values[1]}"])
    assert one.params[swept] == values[1]
    assert len(plan_study([part], cells=["first_layer/exponential"])) == number


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
    jobs = [*plan_study(), *plan_study(["scale"])]
    tasks = {(job.submission.path.stem, job.task.id) for job in jobs}
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


def foretold(jobs, registry, **given):
    """Seconds, jobs of which nothing is known, and what will be skipped."""
    found = forecast(jobs, registry, anywhere=True, **given)
    return found.seconds, found.unknown, found.settled


def test_the_forecast_of_the_grid_is_the_median_of_what_its_network_took(tmp_path):
    registry = Registry(BASELINES)
    # a trial that nobody has run
    one = plan_study(cells=["cnn_deep/softplus"], trials=100)[-1:]
    seconds, unknown, settled = foretold(one, registry)
    jobs = registry.jobs()
    mine = jobs[(jobs["model"] == "CNN-deep") & (jobs["task"] == "motif-classes@1")]
    total = mine["seconds_fit"] + mine["seconds_probe"] + mine["seconds_score"]
    assert (seconds, unknown) == (pytest.approx(total.median()), 0)
    assert not settled
    assert foretold(one, Registry(tmp_path)) == (0.0, 1, {})
    (done,) = plan_study(cells=["cnn_deep/relu"], trials=1)
    assert foretold([done], registry) == (0.0, 0, {done.id: "ok"})


def test_jobs_that_failed_are_left_only_where_they_shall_run_again(tmp_path):
    registry = Registry(tmp_path)
    failed, faulted, new = plan_study(cells=["cnn_local/relu"], trials=3)
    registry.record(failure(failed.id))
    registry.record(failure(faulted.id, "infra_error"))
    plan = [failed, faulted, new]
    assert foretold(plan, registry) == (0.0, 2, {failed.id: "model_error"})
    assert foretold(plan, registry, retry_failed=True) == (0.0, 3, {})
    line = ["reproduce", "--dry-run", "--cells", "cnn_local/relu", "--trials", "3"]
    done = CliRunner().invoke(bench, [*line, "--registry", str(tmp_path)])
    assert f"{failed.id}  model_error  CNN-local" in done.stdout
    assert "2 of 3 jobs to run" in done.stderr


def test_a_dry_run_says_what_is_finished_and_what_is_left():
    line = ["reproduce", "--dry-run", "--part", "contrast", "--trials", "4", "--cells", "cnn_2/*"]
    done = CliRunner().invoke(bench, [*line, "--registry", str(BASELINES)])
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert ["finished" in text for text in lines if "CNN-2" in text] == [True] * 6 + [False] * 2
    assert "2 of 8 jobs to run: about " in done.stderr
    assert "by what such jobs took before, wherever they ran" in done.stderr
