"""Jobs and their ids."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from motifidelity.entries import DIVISION
from motifidelity.errors import UserError
from motifidelity.model_file import read_submission
from motifidelity.registry import Registry
from motifidelity.runs.plan import Job, is_settled, job_id, plan_jobs
from motifidelity.tasks.spec import find_spec, parse_spec

BASELINES = Path(__file__).parents[2] / "baselines"
TEXT = "def build_model(task, *, activation='relu', width=19): ...\n"
PARAMS = {"activation": "relu", "width": 19}


@pytest.fixture
def submission(tmp_path):
    path = tmp_path / "model.py"
    path.write_text(TEXT, encoding="utf-8")
    return read_submission(path)


@pytest.fixture
def tasks():
    return [find_spec("motif-classes@1"), find_spec("regulatory-code@1")]


def job(submission, **changes):
    task = changes.pop("task", find_spec("regulatory-code@1"))
    profile = changes.pop("profile", task.profile("full"))
    values = {"params": PARAMS, "trial": 0, "seed": 7, **changes}
    return Job(submission, task=task, profile=profile, **values)


def test_jobs_are_ordered_trial_by_trial(submission, tasks):
    jobs = plan_jobs(submission, PARAMS, tasks, "full", 3, seed=100)
    assert [(j.trial, j.task.name) for j in jobs] == [
        (trial, task.name) for trial in range(3) for task in tasks
    ]


def test_every_trial_has_a_seed_of_its_own_that_follows_the_run_s(submission, tasks):
    jobs = plan_jobs(submission, PARAMS, tasks, "full", 3, seed=100)
    assert [j.seed for j in jobs] == [100, 100, 101, 101, 102, 102]
    assert len({j.id for j in jobs}) == 6


@pytest.mark.parametrize(("profile", "trials"), [("full", 10), ("quick", 1)])
def test_without_a_number_the_profile_says_how_many_trials(profile, trials, submission, tasks):
    jobs = plan_jobs(submission, PARAMS, tasks, profile, None, seed=0)
    assert len(jobs) == 2 * trials
    assert {j.profile.name for j in jobs} == {profile}


@pytest.mark.parametrize(("seed", "fits"), [(2**32 - 3, True), (2**32 - 2, False)])
def test_a_seed_that_no_generator_takes_is_refused(seed, fits, submission, tasks):
    if fits:
        assert plan_jobs(submission, PARAMS, tasks, "full", 3, seed)[-1].seed == 2**32 - 1
        return
    with pytest.raises(UserError, match=r"--seed: .* the largest is 4294967295; give a smaller"):
        plan_jobs(submission, PARAMS, tasks, "full", 3, seed)


@pytest.mark.parametrize(
    ("status", "kept", "kept_by_a_retry"),
    [
        (None, False, False),
        ("infra_error", False, False),
        ("ok", True, True),
        ("oom", True, False),
        ("model_error", True, False),
    ],
)
def test_a_verdict_stays_and_a_fault_of_the_machine_is_none(status, kept, kept_by_a_retry):
    assert (is_settled(status), is_settled(status, True)) == (kept, kept_by_a_retry)


def test_more_trials_and_other_tasks_keep_the_ids_of_those_before(submission, tasks):
    few = {j.id for j in plan_jobs(submission, PARAMS, tasks[:1], "full", 2, seed=5)}
    more = {j.id for j in plan_jobs(submission, PARAMS, tasks, "full", 4, seed=5)}
    assert few < more


def test_the_order_of_tasks_changes_no_id(submission, tasks):
    there = plan_jobs(submission, PARAMS, tasks, "full", 2, seed=5)
    back = plan_jobs(submission, PARAMS, tasks[::-1], "full", 2, seed=5)
    assert {(j.task.id, j.trial): j.id for j in there} == {(j.task.id, j.trial): j.id for j in back}


def test_the_order_of_parameters_changes_no_id(submission):
    turned = dict(reversed(PARAMS.items()))
    assert list(turned) != list(PARAMS)
    assert job(submission, params=turned).id == job(submission).id


def test_the_place_and_the_name_of_the_model_s_file_change_no_id(submission, tmp_path):
    other = tmp_path / "elsewhere" / "renamed.py"
    other.parent.mkdir()
    other.write_text(TEXT, encoding="utf-8")
    assert job(read_submission(other)).id == job(submission).id


def test_another_process_gives_the_same_id(submission, tmp_path):
    code = (
        "import sys, json; from pathlib import Path\n"
        "from motifidelity.runs.plan import plan_jobs\n"
        "from motifidelity.model_file import read_submission\n"
        "from motifidelity.tasks.spec import find_spec\n"
        "jobs = plan_jobs(read_submission(Path(sys.argv[1])), {'width': 19, 'activation': 'relu'},"
        " [find_spec('regulatory-code@1')], 'full', 2, 7)\n"
        "print(json.dumps([job.id for job in jobs]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(submission.path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={"PYTHONHASHSEED": "12345", "PATH": "", "LC_ALL": "C"},
    )
    jobs = plan_jobs(submission, PARAMS, [find_spec("regulatory-code@1")], "full", 2, 7)
    assert json.loads(done.stdout) == [j.id for j in jobs]


def test_seed_parameters_model_profile_image_and_task_each_change_the_id(submission, tmp_path):
    path = tmp_path / "other.py"
    path.write_text(TEXT + "\n", encoding="utf-8")
    spec = find_spec("regulatory-code@1")
    jobs = [
        job(submission),
        job(submission, seed=8),
        job(submission, params={**PARAMS, "width": 20}),
        job(submission, params={**PARAMS, "width": "19"}),
        job(submission, params={**PARAMS, "depth": 1}),
        job(submission, image="sha256:1"),
        job(read_submission(path)),
        job(submission, profile=spec.profile("quick")),
        job(submission, profile=dataclasses.replace(spec.profile("full"), train=5000)),
        job(submission, profile=dataclasses.replace(spec.profile("full"), max_epochs=50)),
        job(submission, task=find_spec("motif-classes@1")),
    ]
    assert len({j.id for j in jobs}) == len(jobs)


def test_training_data_and_recipe_of_the_task_change_the_id_and_scoring_does_not(
    submission, spec_texts
):
    text = spec_texts["regulatory-code@1"]
    before = job(submission, task=parse_spec(text)).id
    digests = parse_spec(text).digests

    def changed(old, new):
        assert old in text
        return job(submission, task=parse_spec(text.replace(old, new))).id

    assert changed(digests["train"]["sequences"], "0" * 64) != before
    assert changed(digests["valid"]["labels"], "0" * 64) != before
    assert changed("batch_size = 100", "batch_size = 50") != before
    assert changed(digests["test"]["sequences"], "0" * 64) == before
    assert changed("top_sites = 200", "top_sites = 50") == before
    assert changed("smoothgrad = { samples = 50", "smoothgrad = { samples = 5") == before


def test_jobs_of_the_first_version_have_the_ids_under_which_the_baselines_are_recorded():
    jobs = Registry(BASELINES).latest("jobs")["jobs"].to_pylist()
    rows = [row for row in jobs if row["division"] != DIVISION]
    assert len(rows) > 100
    for row in rows:
        task = find_spec(row["task"])
        again = job_id(
            row["model_digest"],
            json.loads(row["params"]),
            task,
            task.profile(row["profile"]),
            seed=row["seed"],
            image=row["image_digest"],
            backend=row["backend"],
        )
        assert again == row["job_id"]


def test_from_the_second_version_on_the_version_is_part_of_the_id(submission):
    first = find_spec("regulatory-code@1")
    second, third = (dataclasses.replace(first, version=number) for number in (2, 3))
    jobs = [job(submission, task=task) for task in (first, second, third)]
    assert len({j.id for j in jobs}) == 3
    assert "on regulatory-code@2, trial 0" in jobs[1].label


def test_the_number_of_the_trial_alone_does_not_change_what_is_trained(submission):
    assert job(submission, trial=0, seed=7).id == job(submission, trial=3, seed=7).id


def test_an_id_is_short_enough_for_a_file_name_and_plain(submission):
    assert set(job(submission).id) <= set("0123456789abcdef")
    assert len(job(submission).id) == 24


def test_an_unknown_profile_is_refused_before_any_job_is_made(submission, tasks):
    with pytest.raises(UserError, match="unknown profile 'fulll'; did you mean full"):
        plan_jobs(submission, PARAMS, tasks, "fulll", None, 0)


def test_people_see_model_parameters_task_and_trial(submission):
    label = job(submission, params={"width": 19, "activation": "relu"}, trial=2).label
    assert label == "model activation=relu width=19 on regulatory-code@1, trial 2"
    assert job(submission, params={}).label == "model on regulatory-code@1, trial 0"
    later = find_spec("regulatory-code@2")
    assert job(submission, task=later, params={}).label == "model on regulatory-code@2, trial 0"
