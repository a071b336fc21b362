"""Agreement between trials is of all of them, whatever the order in which they ended."""

from __future__ import annotations

import dataclasses
import itertools
import threading

import numpy as np
import pytest
from registry_rows import failure, row
from scipy.stats import spearmanr

from motifidelity.metrics.attribution.consistency import AGREEMENT
from motifidelity.metrics.methods import base_scores
from motifidelity.model_file import read_submission
from motifidelity.registry import Registry, Result
from motifidelity.runs.plan import plan_jobs
from motifidelity.runs.trial_agreement import renew_agreement
from motifidelity.scoring.truth import Truth
from motifidelity.tasks.spec import Profile

METHODS = ("saliency", "ism", "random")
TRIALS = 3


@pytest.fixture(scope="module")
def truth(regulatory_code):
    profile = Profile("full", TRIALS, 60, 60, 60, 1, 4, METHODS)
    spec = dataclasses.replace(regulatory_code.spec, profiles={"full": profile})
    return Truth(dataclasses.replace(regulatory_code, spec=spec), profile)


@pytest.fixture(scope="module")
def jobs(truth, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "tiny.py"
    path.write_text("def build_model(task):\n    return None\n")
    return plan_jobs(read_submission(path), {}, [truth.spec], "full", TRIALS, 0)


@pytest.fixture(scope="module")
def maps(truth):
    """Maps of every trial: something in common, and noise."""
    rng = np.random.default_rng(0)
    shape = (len(truth.explained), truth.spec.length, 4)
    common = rng.normal(size=shape)
    return [
        {method: (common + rng.normal(size=shape)).astype(np.float32) for method in METHODS}
        for _ in range(TRIALS)
    ]


def made(job, arrays, **columns):
    about = {"task": job.task.id, "task_digest": job.task.digest, "profile": "full"}
    about |= {"trial": job.trial, "seed": job.seed, "job_id": job.id}
    return Result(
        {**row("jobs", status="ok", message=None, traceback=None), **about, **columns},
        scores=[row("scores", metric="auroc", value=job.trial / 10)],
        filters=[row("filters", filter=0)],
        history=[row("history", epoch=1)],
        arrays=arrays,
        evidence=b"what it sees",
    )


def agreement(registry):
    """Value and number of others, by trial, metric and method."""
    tables = registry.latest("jobs", "scores")
    trials = {job["result_id"]: job["trial"] for job in tables["jobs"].to_pylist()}
    return {
        (trials[s["result_id"]], s["metric"], s["method"]): (s["value"], s["n"])
        for s in tables["scores"].to_pylist()
        if s["metric"] in AGREEMENT
    }


@pytest.fixture(scope="module")
def expected(truth, jobs, maps, tmp_path_factory):
    """Every trial compared with every other, once all are there."""
    registry = Registry(tmp_path_factory.mktemp("all"))
    for job, arrays in zip(jobs, maps, strict=True):
        registry.record(made(job, arrays))
    assert renew_agreement(registry, jobs, lambda _: truth) == TRIALS
    found = agreement(registry)
    sequences = truth.test.sequences[truth.explained]
    for method in ("saliency", "ism"):
        bases = [base_scores(method, each[method], sequences) for each in maps]
        for one in range(TRIALS):
            ranks = [
                spearmanr(a, b).statistic
                for other in set(range(TRIALS)) - {one}
                for a, b in zip(bases[one], bases[other], strict=True)
            ]
            mine = (pytest.approx(np.mean(ranks)), TRIALS - 1)
            assert found[one, "trial_agreement", method] == mine
    # a floor's random maps agree by no merit of the network
    assert len(found) == TRIALS * len(AGREEMENT) * 2
    return found


@pytest.mark.parametrize("order", list(itertools.permutations(range(TRIALS))))
def test_trials_recorded_and_compared_one_by_one_agree_as_all_at_once(
    order, truth, jobs, maps, expected, tmp_path
):
    registry = Registry(tmp_path)
    for trial in order:
        registry.record(made(jobs[trial], maps[trial]))
        renew_agreement(registry, [jobs[trial]], lambda _: truth)
    assert agreement(registry) == expected
    # what is as it should be is not written again
    assert renew_agreement(registry, jobs, lambda _: pytest.fail("nothing is to be scored")) == 0


def test_runs_side_by_side_agree_as_one(truth, jobs, maps, expected, tmp_path):
    registry, together = Registry(tmp_path), threading.Barrier(TRIALS)

    def run(trial):
        together.wait()
        registry.record(made(jobs[trial], maps[trial]))
        renew_agreement(registry, [jobs[trial]], lambda _: truth)

    threads = [threading.Thread(target=run, args=(trial,)) for trial in range(TRIALS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert agreement(registry) == expected


def test_a_trial_that_is_replaced_or_fails_later_counts_for_the_others(
    truth, jobs, maps, expected, tmp_path
):
    registry = Registry(tmp_path)
    for job, arrays in zip(jobs, [maps[1], *maps[1:]], strict=True):
        registry.record(made(job, arrays))
    renew_agreement(registry, jobs, lambda _: truth)
    assert agreement(registry) != expected
    registry.record(made(jobs[0], maps[0]))
    renew_agreement(registry, jobs, lambda _: truth)
    assert agreement(registry) == expected
    for status, others in (("infra_error", 2), ("model_error", 1)):
        failed = failure(jobs[2].id, status)
        same = made(jobs[2], None).job
        names = ("task", "task_digest", "profile", "trial", "seed", "isolation", "started")
        registry.record(dataclasses.replace(failed, job={**same, **failed.job} | {
            name: same[name] for name in names}))  # fmt: skip
        renew_agreement(registry, jobs, lambda _: truth)
        assert {n for _, n in agreement(registry).values()} == {others}
    assert {trial for trial, *_ in agreement(registry)} == {0, 1}


def test_only_the_agreement_changes_and_no_array_is_written_twice(truth, jobs, maps, tmp_path):
    registry = Registry(tmp_path)
    for job, arrays in zip(jobs, maps, strict=True):
        registry.record(made(job, arrays))
    before = registry.tables()
    renew_agreement(registry, jobs, lambda _: truth)
    after = registry.tables()
    assert len(list((tmp_path / "arrays").iterdir())) == TRIALS
    assert set(after.jobs["arrays_of"]) == set(before.jobs["result_id"])
    assert {registry.evidence(name) for name in after.jobs["result_id"]} == {b"what it sees"}
    assert not set(after.jobs["result_id"]) & set(before.jobs["result_id"])
    drop = ["result_id", "arrays_of", "files"]
    kept = after.scores[~after.scores["metric"].isin(AGREEMENT)].reset_index(drop=True)
    for one, other in (
        (before.jobs, after.jobs),
        (before.scores, kept),
        (before.filters, after.filters),
        (before.history, after.history),
    ):
        one, other = (each.drop(columns=drop, errors="ignore") for each in (one, other))
        one, other = (each.to_json(orient="records", date_format="iso") for each in (one, other))
        assert one == other


def test_where_arrays_are_not_kept_the_recorded_agreement_stays(
    truth, jobs, maps, expected, tmp_path
):
    registry = Registry(tmp_path)
    for job, arrays in zip(jobs, maps, strict=True):
        registry.record(made(job, arrays))
    renew_agreement(registry, jobs, lambda _: truth)
    for path in (tmp_path / "arrays").iterdir():
        path.unlink()
    assert renew_agreement(registry, jobs, lambda _: pytest.fail("nothing to compare")) == 0
    assert agreement(registry) == expected
