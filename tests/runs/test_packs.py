"""Which jobs are trained together, and how what was trained is handed on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from motifidelity.errors import UserError
from motifidelity.executors.local import require_backend
from motifidelity.executors.process import ProcessExecutor
from motifidelity.model_file import on_backend, read_submission
from motifidelity.phase.interface import PhaseResult, Place
from motifidelity.runs.packs import fitted_together, units
from motifidelity.runs.plan import plan_jobs
from motifidelity.scoring.truth import Truth
from motifidelity.tasks.dataset import load_dataset
from motifidelity.tasks.spec import find_spec

SOURCE = '"""A model."""\n\n\ndef build_model(task, *, width=8):\n    raise NotImplementedError\n'


@pytest.fixture
def submission(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(SOURCE, encoding="utf-8")
    return on_backend(read_submission(path), "jax")


@pytest.fixture(scope="module")
def tasks():
    return [find_spec("motif-classes@1"), find_spec("regulatory-code@1")]


def test_units_hold_trials_of_one_task_in_the_plan_s_order(submission, tasks):
    jobs = plan_jobs(submission, {}, tasks, "quick", 5, 0)
    found = units(jobs, 3)
    assert sorted(job.id for unit in found for job in unit) == sorted(job.id for job in jobs)
    assert [len(unit) for unit in found] == [3, 3, 2, 2]
    assert all(len({job.task.id for job in unit}) == 1 for unit in found)
    assert units(jobs, 1) == [[job] for job in jobs]


def test_trials_with_the_same_parameters_go_together(submission, tasks):
    plans = [plan_jobs(submission, {"width": w}, tasks[:1], "quick", 4, 0) for w in (4, 8, 16)]
    # as a grid is planned: trial by trial over its cells
    jobs = [job for cells in zip(*plans, strict=True) for job in cells]
    assert units(jobs, 4) == plans
    widths = [[job.params["width"] for job in unit] for unit in units(jobs, 6)]
    assert widths == [[4] * 4 + [8] * 2, [8] * 2 + [16] * 4]


def test_trials_on_another_backend_are_not_packed(submission, tasks):
    jobs = plan_jobs(on_backend(submission, "torch"), {}, tasks, "quick", 2, 0)
    with pytest.raises(UserError, match=r"--pack: mine.py runs on torch.* add --backend jax"):
        units(jobs, 2)


def test_training_of_its_own_is_not_packed(submission, tasks):
    jobs = plan_jobs(replace(submission, own_fit=True), {}, tasks, "quick", 2, 0)
    with pytest.raises(UserError, match="brings its own training"):
        units(jobs, 2)


class Double:
    """An executor that leaves what a pack leaves, or fails."""

    name, isolation, image = "double", "none", None
    place = Place()

    def __init__(self, status="ok", left=(0, 1), together=2):
        self.status, self.left, self.phases = status, left, []
        self.together = together

    def run(self, phase, on_event):
        self.phases.append(phase)
        if "trials" in phase.settings and self.status == "ok":
            for number in self.left:
                for name in ("graph.pb", "network.json", "history.json"):
                    text = json.dumps({"number": number, "together": self.together})
                    (phase.out / f"{number}.{name}").write_text(text, encoding="utf-8")
        return PhaseResult(self.status, "no memory", seconds=10.0)

    def stop(self):
        """Nothing runs."""


@pytest.fixture
def unit(submission, tasks):
    jobs = plan_jobs(submission, {"width": 4}, tasks[1:], "quick", 2, 7)
    return jobs, Truth(load_dataset(tasks[1]), tasks[1].profile("quick"))


def serve(place, out: Path):
    """The fit phase of a job, as it asks for it."""
    from motifidelity.phase.interface import Phase

    out.mkdir()
    return place.run(Phase("fit", {}, {}, out), lambda _: None)


def test_each_job_is_served_its_own_network_and_its_share_of_the_cost(unit, tmp_path):
    jobs, truth = unit
    executor, notes = Double(), []
    with fitted_together(jobs, truth, executor, lambda _: None, notes.append) as places:
        for number, place in enumerate(places):
            done = serve(place, tmp_path / str(number))
            served = json.loads((tmp_path / str(number) / "history.json").read_text())
            assert served["number"] == number
            assert done.seconds == 5.0
            assert json.loads(done.host.environment)["pack"] == 2
    (phase,) = executor.phases
    assert phase.settings["trials"] == [
        {"seed": 7, "params": {"width": 4}},
        {"seed": 8, "params": {"width": 4}},
    ]
    assert phase.settings["backend"] == "jax"
    assert notes == []


@pytest.mark.parametrize(("said", "recorded"), [(1, 1), (2, 2), (3, 2), ("many", 2), (None, 2)])
def test_a_row_says_how_many_trials_were_trained_with_it(said, recorded, unit, tmp_path):
    jobs, truth = unit
    executor = Double(together=said)
    with fitted_together(jobs, truth, executor, lambda _: None, lambda _: None) as places:
        done = serve(places[0], tmp_path / "fit")
    assert json.loads(done.host.environment)["pack"] == recorded


@pytest.mark.parametrize(("status", "left"), [("oom", ()), ("ok", (0,))])
def test_a_job_without_a_network_is_trained_alone(status, left, unit, tmp_path):
    jobs, truth = unit
    executor, notes = Double(status, left), []
    with fitted_together(jobs, truth, executor, lambda _: None, notes.append) as places:
        assert places[1] is executor
        assert (places[0] is executor) == (not left)
    assert bool(notes) == (status != "ok")


def test_a_full_disk_leaves_every_job_to_itself(unit):
    jobs, truth = unit
    notes = []

    class Full(Double):
        def run(self, phase, on_event):
            raise OSError(28, "No space left on device")

    executor = Full()
    with fitted_together(jobs, truth, executor, lambda _: None, notes.append) as places:
        assert places == [executor, executor]
    assert "No space left on device" in notes[0]


def test_a_backend_that_is_not_there_is_named_with_the_remedy(monkeypatch):
    monkeypatch.setattr("motifidelity.executors.local.find_spec", lambda _: None)
    with pytest.raises(UserError, match=r"pip install 'motifidelity\[jax\]'"):
        require_backend("jax", ProcessExecutor())
    inside = ProcessExecutor()
    inside.place, inside.image = Place(packages={"tensorflow": "2.21.0"}), "sha256:abc"
    with pytest.raises(UserError, match="image sha256:abc has none"):
        require_backend("torch", inside)
    require_backend("tensorflow", inside)


def test_a_file_chooses_its_backend_and_the_id_keeps_it(tmp_path, tasks):
    path = tmp_path / "mine.py"
    path.write_text(f'MODEL = dict(backend="torch")\n{SOURCE}', encoding="utf-8")
    torch = read_submission(path)
    assert torch.backend == "torch"
    ids = {
        name: plan_jobs(on_backend(torch, name), {}, tasks[:1], "quick", 1, 0)[0].id
        for name in ("tensorflow", "jax", "torch")
    }
    assert len(set(ids.values())) == 3
    path.write_text(f'MODEL = dict(backend="theano")\n{SOURCE}', encoding="utf-8")
    with pytest.raises(UserError, match="backend"):
        read_submission(path)
