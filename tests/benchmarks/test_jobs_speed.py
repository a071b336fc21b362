"""What a job costs with one core of its own, side by side with one that has all cores."""

from __future__ import annotations

import itertools
import resource
from pathlib import Path

import pytest
from side_by_side import measure_until

from motifidelity.executors.process import ProcessExecutor
from motifidelity.model_file import read_submission
from motifidelity.phase.cores import count_cores
from motifidelity.runs.phases import fit_phase
from motifidelity.runs.plan import Job
from motifidelity.scoring.truth import Truth
from motifidelity.tasks.spec import Profile

MOST = 3
LIMIT = 1.05
MODEL = Path(__file__).parents[2] / "models" / "cnn_deep.py"


def test_a_job_with_one_thread_takes_at_most_5_percent_more_processor_time_than_with_all(
    motif_classes, tmp_path, benchmark
):
    """Then jobs side by side, a core each, finish about as many in an hour, or more.

    One job with all cores can at best keep all of them busy, and does not.
    """
    cores = count_cores()
    if cores < 2:
        pytest.skip("one core has room for one job")
    profile = Profile("tiny", 1, 4000, 600, 60, 2, 4)
    truth = Truth(motif_classes, profile)
    submission = read_submission(MODEL)
    numbers = itertools.count()

    def seconds(threads):
        work = tmp_path / str(next(numbers))
        work.mkdir()
        job = Job(submission, {}, motif_classes.spec, profile, 0, 1)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = ProcessExecutor(threads=threads).run(fit_phase(job, truth, work), lambda _: None)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert done.status == "ok"
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return spent, done.seconds

    pairs = []

    def side_by_side():
        pairs.append((seconds(1), seconds(cores)))

    def ratio():
        columns = zip(*pairs, strict=True)
        alone, all_cores = (min(spent for spent, _ in column) for column in columns)
        return alone / all_cores

    measure_until(benchmark, side_by_side, ratio, LIMIT, MOST)
    benchmark.extra_info["processor and wall seconds"] = pairs
