"""What several jobs at once on one machine's cores gain, side by side with one after the other."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from motifidelity.executors.cores import count_cores, threads_for
from motifidelity.executors.process import ProcessExecutor
from motifidelity.jobs import fit_phase
from motifidelity.plan import Job
from motifidelity.scoring import Truth
from motifidelity.submission import read_submission
from motifidelity.tasks.spec import Profile

ROUNDS = 2
MODEL = Path(__file__).parents[2] / "models" / "cnn_deep.py"


def test_jobs_with_a_core_each_are_no_slower_than_one_job_with_all_of_them(
    motif_classes, tmp_path, benchmark
):
    cores = count_cores()
    if cores < 2:
        pytest.skip("one core has room for one job")
    profile = Profile("tiny", 1, 6000, 600, 60, 2, 4)
    truth = Truth(motif_classes, profile)
    submission = read_submission(MODEL)
    numbers = itertools.count()

    def fit(executor):
        work = tmp_path / str(next(numbers))
        work.mkdir()
        job = Job(submission, {}, motif_classes.spec, profile, 0, 1)
        assert executor.run(fit_phase(job, truth, work), lambda _: None).status == "ok"

    def seconds(jobs):
        executor = ProcessExecutor(jobs=jobs, threads=threads_for(jobs))
        started = time.monotonic()
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(fit, [executor] * cores))
        return time.monotonic() - started

    pairs = []

    def side_by_side():
        # alternating, so that a machine that slows down slows both
        pairs.append((seconds(cores), seconds(1)))

    benchmark.pedantic(side_by_side, rounds=ROUNDS, iterations=1)
    spread, serial = (min(column) for column in zip(*pairs, strict=True))
    benchmark.extra_info["seconds"] = pairs
    benchmark.extra_info["ratio"] = spread / serial
    assert spread <= serial
