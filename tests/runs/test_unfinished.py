"""A trial whose process was killed goes on from its last epoch, and ends with the same bits."""

from __future__ import annotations

import json
import os
import shutil
import textwrap

import pytest
from displays import Silent
from small_tasks import small_tasks

from motifidelity.executors.process import ProcessExecutor
from motifidelity.model_file import read_submission
from motifidelity.phase.interface import PhaseResult, Place
from motifidelity.phase.outputs import read_plain
from motifidelity.registry import Registry
from motifidelity.runs import run as runs
from motifidelity.runs import unfinished
from motifidelity.runs.intake import take_fit
from motifidelity.runs.job import Outcome
from motifidelity.runs.phases import fit_phase
from motifidelity.runs.plan import plan_jobs
from motifidelity.runs.run import run_plan
from motifidelity.runs.unfinished import Unfinished, begin, open_unfinished
from motifidelity.scoring.truth import Truth
from motifidelity.tasks.dataset import load_dataset
from motifidelity.worker.limits import KEPT

# dropout, batch norm and shuffled sequences: all that draws or counts
MODEL = """
    import keras
    from keras import layers

    def build_model(task):
        x = inputs = keras.Input(task.input_shape)
        x = layers.Conv1D(6, 19, padding="same", use_bias=False)(x)
        x = layers.Activation("exponential")(layers.BatchNormalization()(x))
        x = layers.Dropout(0.3)(layers.GlobalMaxPooling1D()(x))
        return keras.Model(inputs, layers.Dense(task.num_outputs)(x))
"""
# epochs long enough that the host sees one end before the last has
EPOCHS, TRAIN, STOPPED_AFTER = 12, 1500, 3


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    return planned(tmp_path_factory.mktemp("model"), MODEL)


def planned(folder, text):
    (folder / "tiny.py").write_text(textwrap.dedent(text))
    task = small_tasks(full=1, max_epochs=EPOCHS, train=TRAIN)["regulatory-code@1"]
    return plan_jobs(read_submission(folder / "tiny.py"), {}, [task], "full", 1, 0)[0]


@pytest.fixture(scope="module")
def truth(job):
    return Truth(load_dataset(job.task), job.profile)


class KilledAfter(ProcessExecutor):
    """Kills the process that trains, as soon as it has said that an epoch is kept.

    Sums over several threads are in no fixed order, so that no training of them repeats its bits.
    """

    def __init__(self, epoch=None):
        super().__init__(threads=1)
        self._epoch = epoch
        self.epochs = []

    def run(self, phase, on_event):
        def listen(event):
            on_event(event)
            if event["event"] == "epoch":
                self.epochs.append(event["epoch"])
            if event["event"] == "kept" and event["epoch"] == self._epoch:
                self.stop()

        return super().run(phase, listen)


def fit(executor, job, truth, work):
    """Weights and history of a trained job, and how its phase ended."""
    work.mkdir()
    done = executor.run(fit_phase(job, truth, work), lambda _: None)
    assert done.status == "ok", done.message
    found = take_fit(work / "fit")
    history = [{k: v for k, v in row.items() if k != "seconds"} for row in found.history]
    return found.graph.read_bytes(), history, done


@pytest.fixture(scope="module")
def whole(job, truth, tmp_path_factory):
    """The job as it is trained where nothing is kept."""
    return fit(ProcessExecutor(threads=1), job, truth, tmp_path_factory.mktemp("whole") / "work")


@pytest.fixture(scope="module")
def stopped_once(job, truth, tmp_path_factory):
    """The folder of unfinished jobs after the training process was killed."""
    folder = tmp_path_factory.mktemp("killed")
    kept = Unfinished(KilledAfter(STOPPED_AFTER), job, folder / "unfinished", print)
    (folder / "work").mkdir()
    with pytest.raises(KeyboardInterrupt):
        kept.run(fit_phase(job, truth, folder / "work"), lambda _: None)
    return folder / "unfinished"


@pytest.fixture
def stopped(stopped_once, tmp_path):
    return shutil.copytree(stopped_once, tmp_path / "unfinished")


def test_a_killed_training_goes_on_with_the_same_bits(job, truth, whole, stopped, tmp_path):
    assert [path.name for path in (stopped / job.id).iterdir()] == [KEPT]
    notes, executor = [], KilledAfter()
    kept = Unfinished(executor, job, stopped, notes.append)
    graph, history, done = fit(kept, job, truth, tmp_path / "again")
    assert graph == whole[0]
    assert history == whole[1]
    after = len(history) - len(executor.epochs)
    # the process went on until the signal came
    assert STOPPED_AFTER <= after < EPOCHS
    assert notes == [f"{job.label} goes on after epoch {after}"]
    assert json.loads(done.host.environment)["resumed"] == after
    # the cost is that of both sessions
    assert done.seconds > sum(row["seconds"] for row in take_fit(tmp_path / "again/fit").history)
    kept.end("ok")
    assert not (stopped / job.id).exists()


def test_another_machine_s_state_is_not_gone_on_with(
    job, truth, whole, stopped, tmp_path, monkeypatch
):
    monkeypatch.setattr(unfinished, "worker_digest", lambda: "another version")
    notes = []
    graph, history, _ = fit(
        Unfinished(KilledAfter(), job, stopped, notes.append), job, truth, tmp_path / "again"
    )
    assert (graph, history) == whole[:2]
    (note,) = notes
    assert "starts over: what was kept is of another machine, version or setting" in note


class Hostile:
    """An executor in which a submission leaves and says what it likes."""

    name, isolation, image, place = "double", "none", None, Place()

    def __init__(self, leave, events):
        self._leave, self._events = leave, events
        self.given = None

    def run(self, phase, on_event):
        self.given = phase
        self._leave(phase.out / KEPT)
        for event in self._events:
            on_event(event)
        return PhaseResult("ok", seconds=1.0)


def hostile(job, truth, tmp_path, leave, events=({"event": "kept", "epoch": 1},)):
    notes, executor = [], Hostile(leave, events)
    work = tmp_path / "work"
    work.mkdir()
    kept = Unfinished(executor, job, tmp_path / "unfinished", notes.append)
    done = kept.run(fit_phase(job, truth, work), lambda event: notes.append(event))
    return executor, done, notes


@pytest.mark.parametrize(
    "leave",
    [
        lambda path: path.symlink_to("/etc/passwd"),
        lambda path: path.mkdir(),
        lambda path: path.hardlink_to(__file__),
        lambda path: None,
    ],
    ids=["link", "folder", "hard link", "nothing"],
)
def test_only_a_plain_file_is_copied(job, truth, tmp_path, leave):
    hostile(job, truth, tmp_path, leave)
    assert not (tmp_path / "unfinished" / job.id / KEPT).exists()


def test_what_is_copied_is_bounded_in_size_and_in_all(job, truth, tmp_path, monkeypatch):
    monkeypatch.setattr(unfinished, "_LARGEST", 1000)
    monkeypatch.setattr(unfinished, "MAX_KEPT_WRITTEN", 2500)
    copied = []

    def counting(path, limit):
        copied.append(read_plain(path, limit))
        return copied[-1]

    monkeypatch.setattr(unfinished, "read_plain", counting)
    kept = tmp_path / "unfinished" / job.id / KEPT
    hostile(job, truth, tmp_path, lambda path: path.write_bytes(b"x" * 1001))
    assert not kept.exists()
    (tmp_path / "work").rename(tmp_path / "first")
    hostile(
        job,
        truth,
        tmp_path,
        lambda path: path.write_bytes(b"y" * 900),
        [{"event": "kept", "epoch": n} for n in (1, 2, 3)],
    )
    assert kept.read_bytes() == b"y" * 900
    assert [path.name for path in kept.parent.iterdir()] == [KEPT]


def test_a_submission_cannot_claim_to_have_gone_on(job, truth, tmp_path):
    claim = {"event": "resumed", "epoch": 5, "seconds": 1e9}
    _, done, notes = hostile(job, truth, tmp_path, lambda _: None, [claim])
    assert (done.seconds, notes) == (1.0, [])


def test_a_training_that_cannot_be_kept_says_once_that_it_would_start_over(job, truth, tmp_path):
    reason = "its class brings its own fit"
    told = [{"event": "unkept", "reason": reason}] * 2 + [{"event": "kept", "epoch": 1}]
    *_, notes = hostile(job, truth, tmp_path, lambda path: path.write_bytes(b"x"), told)
    assert notes == [f"{job.label} starts over if it is stopped in training: {reason}"]
    assert not (tmp_path / "unfinished" / job.id / KEPT).exists()


def test_what_was_kept_is_handed_back_as_one_more_input(job, truth, stopped, tmp_path):
    executor, *_ = hostile(job, truth, tmp_path, lambda _: None)
    assert executor.given.inputs["kept"].read_bytes() == (stopped / job.id / KEPT).read_bytes()
    # laid out with the phase's other files, which a sandbox mounts one by one
    assert executor.given.inputs["kept"].parent == tmp_path / "work"


def test_a_cache_that_cannot_be_written_is_said_and_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MOTIFIDELITY_CACHE", str(tmp_path / "file"))
    notes = []
    assert open_unfinished(notes.append) is None
    assert "will start over; MOTIFIDELITY_CACHE" in notes[0]


def test_folders_that_nobody_went_on_with_are_removed(tmp_path, monkeypatch):
    monkeypatch.setenv("MOTIFIDELITY_CACHE", str(tmp_path))
    for name, age in (("old", unfinished.OLD_SECONDS + 60), ("new", 60)):
        folder = tmp_path / "unfinished" / name
        folder.mkdir(parents=True)
        (folder / KEPT).write_bytes(b"")
        os.utime(folder, (folder.stat().st_mtime - age,) * 2)
    assert [path.name for path in open_unfinished(print).iterdir()] == ["new"]


OWN = MODEL + "\n    def fit(model, data):\n        pass\n"


@pytest.mark.parametrize(
    ("text", "reason"), [(OWN, "a file's own training"), (MODEL, "trained together")]
)
def test_what_starts_over_says_so(tmp_path, text, reason):
    job, notes = planned(tmp_path, text), []
    begin(job, tmp_path / "unfinished", notes.append)
    assert notes == []
    begin(job, tmp_path / "unfinished", notes.append)
    (note,) = notes
    assert "was stopped before and starts over" in note
    assert reason in note


@pytest.mark.parametrize(("status", "left"), [("ok", 0), ("model_error", 0), ("infra_error", 1)])
def test_a_job_s_folder_goes_when_the_job_has_its_result(job, tmp_path, monkeypatch, status, left):
    monkeypatch.setenv("MOTIFIDELITY_CACHE", str(tmp_path))
    monkeypatch.setattr(runs, "load_dataset", lambda task: None)
    monkeypatch.setattr(runs, "Truth", lambda dataset, profile: None)
    monkeypatch.setattr(runs, "compile_in_background", lambda: None)
    monkeypatch.setattr(runs, "renew_agreement", lambda *_: None)

    def run_job(job, truth, executor, registry, on_event):
        assert isinstance(executor, Unfinished)
        assert (tmp_path / "unfinished" / job.id).is_dir()
        return Outcome(status, "", "", "")

    monkeypatch.setattr(runs, "run_job", run_job)
    run_plan([job], Registry(tmp_path / "r"), ProcessExecutor(), Silent(), keep=True)
    assert len(list((tmp_path / "unfinished").iterdir())) == left
