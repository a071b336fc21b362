"""A made-up second version of a task that only scores differently, given a committed network."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from motifidelity import models
from motifidelity.errors import UserError
from motifidelity.executors.process import ProcessExecutor
from motifidelity.model_file import read_submission
from motifidelity.phase.interface import PhaseResult, Place
from motifidelity.registry import Registry, Result
from motifidelity.runs import rescore as rescoring
from motifidelity.runs import run
from motifidelity.runs.plan import plan_jobs
from motifidelity.runs.rescore import rescore
from motifidelity.tasks import spec as specs
from motifidelity.tasks.spec import Profile, find_spec

BASELINES = Path(__file__).parents[2] / "baselines"
MODEL = Path(models.__file__).parent / "cnn_local.py"
# trains as the published profile does, and is asked less
FULL = Profile("full", 10, None, None, 60, 100, 4, ("saliency", "random"))


class Refusing:
    """An executor that nothing may be run by."""

    name, isolation, image, place = "process", "none", None, Place()

    def __init__(self):
        self.asked = []

    def run(self, phase, on_event):
        self.asked.append(phase.name)
        return PhaseResult("infra_error", "not now")

    def stop(self):
        pass


class Silent:
    def __getattr__(self, name):
        return lambda *_: None


@pytest.fixture(autouse=True)
def versions(monkeypatch):
    """The regulatory code with less to explain, and later versions of it."""
    published = find_spec("regulatory-code@1")
    attribution = dataclasses.replace(published.attribution, tested=2, resamples=1, perturbations=3)
    first = dataclasses.replace(published, profiles={"full": FULL}, attribution=attribution)

    def later(version, **changes):
        return dataclasses.replace(
            first, version=version, supersedes=first.id, digest=f"{version}" * 64, **changes
        )

    narrow = dataclasses.replace(first.scoring, buffer=4)
    other_data = {**first.digests, "test": {**first.digests["test"], "truth": "0" * 64}}
    made = [
        first,
        later(2, scoring=narrow),
        later(3, scoring=dataclasses.replace(first.scoring, buffer=6)),
        later(4, attribution=dataclasses.replace(attribution, tested=3)),
        later(5, digests=other_data),
        later(6, training_digest="6" * 64),
        later(7, profiles={"full": dataclasses.replace(FULL, max_epochs=5)}),
    ]
    monkeypatch.setattr(specs, "all_specs", lambda: {spec.id: spec for spec in made})
    for module in (run, rescoring):
        monkeypatch.setattr(module, "record_references", lambda *_, **__: 0)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """One committed network of the regulatory code, with a row of its training and no arrays."""
    source = Registry(BASELINES)
    rows = source.latest("jobs")["jobs"].to_pylist()
    origin = next(
        row
        for row in rows
        if row["model_file"] == MODEL.name
        and row["trial"] == 0
        and json.loads(row["params"]) == {"activation": "exponential"}
    )
    network = source.network(origin["arrays_of"] or origin["result_id"])
    job = {**origin, "arrays_of": None}
    del job["result_id"], job["files"]
    registry = Registry(tmp_path_factory.mktemp("kept") / "registry")
    registry.record(Result(job, history=[], files=[network["graph"], network["network"]]))
    return registry


def jobs_of(registry, task):
    rows = registry.latest("jobs")["jobs"].to_pylist()
    return [row for row in rows if row["task"] == task]


def scores_of(registry, result_id):
    rows = registry.latest("scores")["scores"].to_pylist()
    return {
        (row["metric"], row["method"], row["target"]): row["value"]
        for row in rows
        if row["result_id"] == result_id
    }


def plan(task):
    submission = read_submission(MODEL)
    params = submission.parameters(("activation=exponential",))
    return plan_jobs(submission, params, [find_spec(task)], "full", 1, 0)


def test_kept_networks_are_scored_under_a_later_version_and_its_run_skips_them(kept):
    (before,) = jobs_of(kept, "regulatory-code@1")
    done = rescore(kept, ProcessExecutor(), version=find_spec("regulatory-code@2"))
    assert (len(done.written), done.failed) == (1, 0)
    (row,) = jobs_of(kept, "regulatory-code@2")
    (job,) = plan("regulatory-code@2")
    assert row["job_id"] == job.id != before["job_id"]
    assert row["task_digest"] == "2" * 64
    assert row["dataset_digest"] == before["dataset_digest"]
    assert row["arrays_of"] == before["result_id"]
    same = ("model_digest", "params", "seed", "trial", "started", "seconds_fit", "commit")
    assert {name: row[name] for name in same} == {name: before[name] for name in same}
    # the first version's row is what it was, and both count
    assert jobs_of(kept, "regulatory-code@1") == [before]

    executor = Refusing()
    ended = run.run_plan([job], kept, executor, Silent())
    assert (ended.finished, ended.failed, executor.asked) == (1, 0, [])

    # what is there is not scored again
    said = []
    again = rescore(kept, Refusing(), version=find_spec("regulatory-code@2"), note=said.append)
    assert (again.written, again.failed) == ([], 0)
    assert said == ["1 of 1 have a result under regulatory-code@2; they stay as they are"]

    # arrays that answer what a version asks are scored as they are: another buffer moves
    # localisation alone
    done = rescore(kept, executor, version=find_spec("regulatory-code@3"))
    assert (len(done.written), done.failed, executor.asked) == (1, 0, [])
    narrow = scores_of(kept, row["result_id"])
    wide = scores_of(kept, done.written[0])
    assert narrow.keys() == wide.keys()
    moved = {key[0] for key in narrow if narrow[key] != wide[key] and narrow[key] == narrow[key]}
    assert moved == {"localisation_auroc", "paper_localisation_auroc"}
    # of two versions' results of one network the newer is taken
    (third,) = jobs_of(kept, "regulatory-code@3")
    assert third["arrays_of"] == before["result_id"]

    # a version that asks for more has the network probed again
    said = []
    done = rescore(kept, executor, version=find_spec("regulatory-code@4"), note=said.append)
    assert (done.written, done.failed, executor.asked) == ([], 1, ["probe"])
    assert "cannot be probed again: not now; its scores stay as they are" in said[-1]


@pytest.mark.parametrize(
    ("task", "why"),
    [
        ("regulatory-code@1", "there is no earlier version of the task"),
        ("regulatory-code@5", "its data are not those of regulatory-code@4"),
        ("regulatory-code@6", r"it trains otherwise than regulatory-code@4 \(classes, recipe\)"),
    ],
)
def test_a_version_whose_networks_are_others_is_refused_in_one_line(bench, tmp_path, task, why):
    registry = tmp_path / "registry"
    Registry(registry).prepare()
    with pytest.raises(UserError, match=f"--as {task}: {why}.*'bench run --task {task}' trains"):
        rescore(Registry(registry), Refusing(), version=find_spec(task))
    status, _, err = bench("rescore", "--registry", registry, "--as", task)
    assert (status, len(err.splitlines())) == (2, 1)
    assert f"--as {task}: " in err


def test_a_profile_that_trains_otherwise_is_left_for_a_run(kept):
    said = []
    done = rescore(kept, Refusing(), version=find_spec("regulatory-code@7"), note=said.append)
    assert (done.written, done.failed) == ([], 0)
    assert "profile full of regulatory-code@7 trains otherwise; 'bench run' trains it" in said[0]


def test_a_plain_name_is_the_latest_version():
    assert find_spec("regulatory-code").id == "regulatory-code@7"
