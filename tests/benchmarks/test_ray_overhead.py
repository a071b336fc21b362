"""What a plan of short jobs costs more through Ray than on the local executor, side by side."""

from __future__ import annotations

import time

import pytest
from ray_fixtures import *  # noqa: F403
from ray_fixtures import Silent

from motifidelity.executors.choose import choose_executor
from motifidelity.phase.wish import Wish
from motifidelity.registry import Registry
from motifidelity.runs.run import run_plan

JOBS, TOGETHER, ROUNDS = 12, 2, 3
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
    jobs = make_plan(model, JOBS)

    def seconds(name, wish):
        executor = choose_executor(wish, lambda _: None)
        registry = Registry(tmp_path / f"{name}-{time.monotonic_ns()}")
        started = time.monotonic()
        ended = run_plan(jobs, registry, executor, Silent())
        assert ended.finished == JOBS
        return time.monotonic() - started

    wishes = {
        "local": Wish(jobs=TOGETHER),
        "ray": Wish(executor="ray", address=cluster.address, memory="256m", jobs=TOGETHER),
    }
    taken = {name: [] for name in wishes}

    def side_by_side():
        # alternating, so that a machine that slows down slows both
        for name, wish in wishes.items():
            taken[name].append(seconds(name, wish))

    def ratio():
        # each at its best: what else the machine does only ever adds
        return min(taken["ray"]) / min(taken["local"])

    try:
        side_by_side()  # warm-up: processes of Ray, scans with the true motifs
        for times in taken.values():
            times.clear()
        benchmark.pedantic(side_by_side, rounds=ROUNDS, iterations=1)
        # the bound is near: what a busy machine spoiled is measured again
        while ratio() > LIMIT and len(taken["ray"]) < 2 * ROUNDS:
            side_by_side()
    finally:
        ray.shutdown()
    benchmark.extra_info["seconds"] = taken
    benchmark.extra_info["ratio"] = ratio()
    assert ratio() <= LIMIT
