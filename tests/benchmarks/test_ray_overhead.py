"""What a plan of short jobs costs more through Ray than on the local executor, side by side."""

from __future__ import annotations

import time

import pytest
from displays import Silent
from ray_fixtures import *  # noqa: F403
from side_by_side import measure_until

from motifidelity.executors.choose import choose_executor
from motifidelity.phase.wish import Wish
from motifidelity.registry import Registry
from motifidelity.runs.run import run_plan

JOBS, TOGETHER, MOST = 8, 2, 6
LIMIT = 1.15
# of processor time a phase, twice a job: short, for a network
SECONDS = "1.5"


@pytest.fixture(scope="session")
def busy():
    """Phases compute, and leave no processor to what is measured."""
    return {"FAKE_WORKER_SECONDS": SECONDS, "FAKE_WORKER_BUSY": "1", "RAY_worker_niceness": "0"}


def test_short_jobs_take_at_most_15_percent_longer_on_ray(
    cluster, fake_worker, make_plan, model, tmp_path, monkeypatch, benchmark
):
    import ray

    for name, value in fake_worker.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("motifidelity.runs.run.compile_in_background", lambda: None)

    def seconds(name, wish, jobs=JOBS):
        executor = choose_executor(wish, lambda _: None)
        registry = Registry(tmp_path / f"{name}-{time.monotonic_ns()}")
        started = time.monotonic()
        ended = run_plan(make_plan(model, jobs), registry, executor, Silent())
        assert ended.finished == jobs
        return time.monotonic() - started

    wishes = {
        "local": Wish(jobs=TOGETHER),
        "ray": Wish(executor="ray", address=cluster.address, memory="256m", jobs=TOGETHER),
    }
    taken = {name: [] for name in wishes}

    def side_by_side():
        for name, wish in wishes.items():
            taken[name].append(seconds(name, wish))

    def ratio():
        return min(taken["ray"]) / min(taken["local"])

    try:
        for name, wish in wishes.items():
            seconds(name, wish, TOGETHER)  # warm-up: processes of Ray, scans with the true motifs
        measure_until(benchmark, side_by_side, ratio, LIMIT, MOST)
    finally:
        ray.shutdown()
    benchmark.extra_info["seconds"] = taken
