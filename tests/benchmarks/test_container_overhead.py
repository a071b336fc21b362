"""What a job costs more in containers than in plain processes, side by side."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from side_by_side import measure_until

MOST = 3
LIMIT_SECONDS = 3.0
MODEL = Path(__file__).parents[1] / "containers" / "hostile" / "honest.py"


@pytest.fixture(scope="module")
def executors():
    from dataclasses import replace

    from motifidelity.containers import images
    from motifidelity.containers.engine import connect
    from motifidelity.containers.policy import Policy
    from motifidelity.containers.runner import DockerExecutor
    from motifidelity.errors import UserError
    from motifidelity.executors.process import ProcessExecutor

    try:
        engine = connect()
        image = images.find(engine, images.default_name("cpu"))
    except UserError as error:
        if os.environ.get("CI"):
            pytest.fail(f"CI must measure this: {error}")
        pytest.skip(str(error))
    cpus = min(Policy.cpus, float(engine.info["NCPU"]))
    policy = replace(Policy(), user=engine.user(), cpus=cpus)
    return DockerExecutor(engine, image, policy), ProcessExecutor()


def test_a_job_costs_at_most_3_seconds_more_in_containers(
    executors, motif_classes, tmp_path, benchmark
):
    from motifidelity.model_file import read_submission
    from motifidelity.registry import Registry
    from motifidelity.runs.job import run_job
    from motifidelity.runs.plan import Job
    from motifidelity.scoring.truth import Truth
    from motifidelity.tasks.spec import Profile

    profile = Profile("tiny", 1, 240, 100, 60, 1, 4)
    truth = Truth(motif_classes, profile)
    submission = read_submission(MODEL)

    def seconds(executor):
        job = Job(submission, {}, motif_classes.spec, profile, 0, 1, executor.image)
        started = time.monotonic()
        outcome = run_job(job, truth, executor, Registry(tmp_path), lambda *_: None)
        assert outcome.status == "ok"
        return time.monotonic() - started

    pairs = []

    def side_by_side():
        # both load TensorFlow twice
        pairs.append([seconds(executor) for executor in executors])

    side_by_side()  # warm-up: the files of the image
    pairs.clear()

    def overhead():
        container, process = (min(column) for column in zip(*pairs, strict=True))
        return container - process

    measure_until(benchmark, side_by_side, overhead, LIMIT_SECONDS, MOST)
    benchmark.extra_info["container and process seconds"] = pairs
