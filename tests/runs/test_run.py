"""``bench run`` from end to end, with real worker processes, on a few hundred real sequences."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import numpy as np
import pytest
from displays import Silent
from registry_rows import result
from small_tasks import small_tasks

from motifidelity import provenance
from motifidelity.executors.process import ProcessExecutor
from motifidelity.metrics.attribution.consistency import AGREEMENT
from motifidelity.model_file import read_submission
from motifidelity.registry import Registry
from motifidelity.runs.plan import plan_jobs
from motifidelity.runs.recording import AT_CHANCE
from motifidelity.runs.run import run_plan
from motifidelity.scoring.score import score_job
from motifidelity.tasks import spec as specs

MODEL = """
    import keras
    from keras import layers

    def build_model(task, *, units=8, activation="exponential"):
        x = inputs = keras.Input(task.input_shape)
        x = layers.Conv1D(units, 19, padding="same")(x)
        x = layers.Activation(activation)(x)
        x = layers.GlobalMaxPooling1D()(x)
        return keras.Model(inputs, layers.Dense(task.num_outputs)(x))
"""


SMALL_BENCH = Path(__file__).parents[1] / "support" / "small_bench.py"
METHODS = ("saliency", "ism", "deepshap", "random")
ONE = ("--task", "regulatory-code", "--trials", 1)


@pytest.fixture
def with_references():
    """Ceilings and floors take seconds: only tests that ask for them have them."""


@pytest.fixture
def with_pages():
    """Pages take seconds: only tests that ask for them have them."""


@pytest.fixture(autouse=True)
def _less(request, monkeypatch):
    if "with_references" not in request.fixturenames:
        for module in ("run", "rescore"):
            monkeypatch.setattr(f"motifidelity.runs.{module}.record_references", lambda *_, **__: 0)
    if "with_pages" not in request.fixturenames:
        monkeypatch.setattr("motifidelity.report.draw.draw_leaderboard", lambda *_, **__: "no page")


@pytest.fixture
def model(tmp_path):
    """Write a model file: the small working one, or the given text."""

    def write(text=MODEL, name="tiny.py"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return path

    return write


@pytest.fixture
def bench(bench, monkeypatch, tmp_path):
    """Run a command line with small tasks and a registry of the test's own."""
    small = small_tasks(METHODS, full=2, quick=1)
    monkeypatch.setattr(specs, "all_specs", lambda: small)

    def run(*arguments):
        if "run" in arguments and "--registry" not in arguments:
            arguments += ("--registry", tmp_path / "registry")
        return bench(*arguments)

    return run


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory):
    """Two trials of the small model on the regulatory code."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "tiny.py").write_text(textwrap.dedent(MODEL))
    submission = read_submission(folder / "tiny.py")
    task = small_tasks(METHODS, full=2, quick=1)["regulatory-code@1"]
    jobs = plan_jobs(submission, submission.parameters(()), [task], "full", 2, 0)
    registry = Registry(folder / "registry")
    run_plan(jobs, registry, ProcessExecutor(), Silent())
    assert set(registry.jobs()["status"]) == {"ok"}
    return registry.folder


@pytest.fixture
def trained(trained_once, tmp_path):
    """A registry of them that a test may change."""
    return Registry(shutil.copytree(trained_once, tmp_path / "registry"))


@pytest.fixture
def registry(tmp_path):
    return Registry(tmp_path / "registry")


def test_a_model_runs_on_every_task_with_the_task_s_trials(
    bench, model, registry, monkeypatch, with_pages
):
    status, out, err = bench("run", "--model", model())
    assert status == 0, err
    tables = registry.tables()
    assert sorted(zip(tables.jobs["task"], tables.jobs["trial"], strict=True)) == [
        ("motif-classes@2", 0),
        ("motif-classes@2", 1),
        ("regulatory-code@2", 0),
        ("regulatory-code@2", 1),
    ]
    assert set(tables.jobs["status"]) == {"ok"}
    assert set(tables.scores["family"]) == {"accuracy", "filters", "localisation", "attribution"}
    assert (tables.jobs["epochs"] == 2).all()
    assert (tables.jobs["num_filters"] == 8).all()
    page = Path(out.strip().rpartition("Leaderboard: ")[2])
    assert page.exists()
    assert "tiny" in page.read_text()
    assert "AUROC" in out

    # the second call trains nothing; --force does
    before = sorted(p.name for p in (registry.folder / "jobs").iterdir())
    status, out, err = bench("run", "--model", model())
    assert (status, sorted(p.name for p in (registry.folder / "jobs").iterdir())) == (0, before)
    assert "4 jobs finished before" in err
    bench("run", "--model", model(), "--force", "--task", "motif-classes", "--trials", 1)
    assert len(registry.jobs()) == 4
    rows = registry.every("jobs")["jobs"].to_pylist()
    assert sum(row["arrays_of"] is None for row in rows) == 5
    # both trials of a task were compared with each other
    first = scores_by_job(registry)
    agreed = [key for key in first if key[1] in AGREEMENT]
    assert len({key[0] for key in agreed}) == 4

    # scored again from kept arrays, and again from kept networks, the scores are the same
    assert bench("rescore", "--registry", registry.folder)[0] == 0
    second = scores_by_job(registry)
    assert second == pytest.approx(first, nan_ok=True)
    assert {key: second[key] for key in agreed} == {key: first[key] for key in agreed}
    monkeypatch.chdir(registry.folder.parent)  # a worker runs elsewhere
    assert bench("rescore", "--registry", registry.folder.name, "--probe")[0] == 0
    assert scores_by_job(registry) == pytest.approx(second, abs=1e-3, nan_ok=True)


def test_what_was_probed_again_stays_so_when_it_is_scored_again(
    bench, model, registry, monkeypatch
):
    assert bench("run", "--model", model(), *ONE)[0] == 0
    fresh = scores_by_job(registry)
    (origin,) = registry.jobs()["result_id"]
    # arrays of an older probe
    arrays = {name: array[::-1] for name, array in registry.arrays(origin).items()}
    np.savez(registry.folder / "arrays" / f"{origin}.npz", **arrays)
    again = provenance.Code("commit", False, "worker of today")
    monkeypatch.setattr("motifidelity.runs.rescore.code", lambda: again)
    for flags in (("--probe",), (), ()):
        status, _, err = bench("rescore", "--registry", registry.folder, *flags)
        assert status == 0, err
        assert scores_by_job(registry) == pytest.approx(fresh, abs=1e-3, nan_ok=True)
    (row,) = registry.latest("jobs")["jobs"].to_pylist()
    assert (row["arrays_of"], row["worker_digest"]) == (origin, "worker of today")
    # another trial's agreement is with these, not with the old ones
    assert bench("run", "--model", model(), "--task", "regulatory-code", "--trials", 2)[0] == 0
    second = scores_by_job(registry)
    assert bench("rescore", "--registry", registry.folder)[0] == 0
    both = scores_by_job(registry)
    assert {key[1] for key in second} >= set(AGREEMENT)
    assert both == pytest.approx(second, abs=1e-3, nan_ok=True)
    # where they are not kept any more, the network answers
    row = next(row for row in registry.jobs().to_dict("records") if row["trial"] == 0)
    (registry.folder / "arrays" / f"{row['result_id']}.npz").unlink()
    assert bench("rescore", "--registry", registry.folder)[0] == 0
    assert scores_by_job(registry) == pytest.approx(both, abs=1e-3, nan_ok=True)
    status, out, _ = bench("registry", "verify", "--registry", registry.folder)
    assert f"changed  arrays/{origin}.npz" in out
    assert out.endswith("1 problem\n")


def test_a_network_from_a_container_is_probed_in_a_container_alone(
    bench, model, registry, monkeypatch
):
    with monkeypatch.context() as inside:
        inside.setattr(ProcessExecutor, "isolation", "container")
        inside.setattr(ProcessExecutor, "image", "sha256:one")
        assert bench("run", "--model", model(), *ONE)[0] == 0
    line = ("rescore", "--registry", registry.folder)
    status, out, err = bench(*line, "--probe")
    assert status == 1
    assert "trained in a container, and its network is not probed outside of one" in err
    assert "add --runner docker" in err
    assert "0 results scored again" in out
    # kept arrays need no probe
    assert bench(*line)[0] == 0
    assert bench(*line, "--image", "other")[0] == 2

    wishes = []

    class Inside(ProcessExecutor):
        isolation = "container"
        image = "sha256:two"

    def choose(wish, say):
        wishes.append(wish)
        return Inside()

    monkeypatch.setattr("motifidelity.executors.choose.choose_executor", choose)
    status, _, err = bench(*line, "--probe", "--runner", "docker", "--image", "other")
    assert status == 0, err
    assert [(wish.runner, wish.image) for wish in wishes] == [("docker", "other")]
    (row,) = registry.latest("jobs")["jobs"].to_pylist()
    assert (row["isolation"], row["image_digest"]) == ("container", "sha256:one")
    # trained on so little, a network may well be at chance
    warnings = [text for text in row["warnings"] if not text.startswith(AT_CHANCE)]
    assert warnings == ["its network was probed again in image sha256:two"]


def test_a_result_that_cannot_be_scored_again_does_not_hinder_the_others(
    bench, trained, monkeypatch
):
    registry = trained
    jobs = registry.jobs().sort_values("trial")
    first, origin, second = jobs["result_id"].iloc[0], *jobs["arrays_of"]
    scored = []

    def fail_once(*given):
        scored.append(given)
        if len(scored) == 1:
            raise ValueError("no such bin")
        return score_job(*given)

    monkeypatch.setattr("motifidelity.runs.recording.score_job", fail_once)
    status, out, err = bench("rescore", "--registry", registry.folder)
    assert status == 1
    assert "trial 0: scoring failed (ValueError: no such bin); its scores stay as they are" in err
    assert "1 result scored again" in out
    assert "1 could not be scored again" in err
    jobs = registry.jobs().sort_values("trial")
    assert [name == first for name in jobs["result_id"]] == [True, False]
    assert jobs["arrays_of"].iloc[1] == second
    # damaged arrays of one are no reason either
    (registry.folder / "arrays" / f"{origin}.npz").write_bytes(b"PK")
    status, out, err = bench("rescore", "--registry", registry.folder)
    assert status == 1
    assert f"arrays/{origin}.npz: missing or damaged" in err
    assert "1 result scored again" in out
    # nor are results of a task, a profile or data that are not here
    for number, changes in enumerate(
        (
            {"task": "aa-foreign@1", "profile": "full"},
            {"task": "regulatory-code@1", "profile": "slow"},
            {"task": "regulatory-code@1", "profile": "full", "dataset_digest": "other"},
        )
    ):
        foreign = {"model": "A", "model_digest": "0", "params": "{}", "division": "closed"}
        registry.record(result(f"{number:024}", **foreign, **changes))
    status, out, err = bench("rescore", "--registry", registry.folder)
    assert status == 1
    assert "unknown task 'aa-foreign@1'" in err
    assert "unknown profile 'slow'" in err
    assert "regulatory-code@1: it was trained on other data of that name" in err
    assert "4 could not be scored again" in err
    assert "1 result scored again" in out


def test_ceilings_and_floors_stand_beside_what_ran(
    bench, model, registry, with_references, with_pages
):
    line = ("run", "--model", model(), *ONE)
    status, out, err = bench(*line)
    assert status == 0, err
    jobs = registry.jobs()
    references = {"6-mer regression", "GC content", "Oracle", "Random"}
    assert sorted(jobs["model"]) == sorted([*references, "tiny"])
    assert all(f"{name} on regulatory-code" in err for name in references)
    page = Path(out.strip().rpartition("Leaderboard: ")[2])
    assert "Oracle" in page.read_text()
    [model_page] = (page.parent / "models").glob("tiny-*")
    assert "ceiling 0.99" in model_page.read_text() or "ceiling 1.00" in model_page.read_text()
    # once is enough, and a later scoring takes them along
    bench(*line, "--force")
    assert len(list((registry.folder / "jobs").iterdir())) == 6
    assert bench("rescore", "--registry", registry.folder)[0] == 0
    assert len(registry.jobs()) == 5


def test_a_bucket_holds_what_a_folder_holds(bench, model, s3, tmp_path, monkeypatch, with_pages):
    monkeypatch.chdir(tmp_path)
    line = ("run", "--model", model(), *ONE)
    status, out, err = bench(*line, "--registry", s3)
    assert status == 0, err
    assert "Leaderboard: leaderboard/index.html" in out
    assert "drawn into ./leaderboard" in err
    assert (tmp_path / "leaderboard" / "index.html").exists()
    assert "1 job finished before" in bench(*line, "--registry", s3)[2]
    registry = Registry(s3)
    first = scores_by_job(registry)
    (name,) = registry.jobs()["result_id"]
    # arrays that were not kept: the network is fetched and probed
    registry.store.delete(f"arrays/{name}.npz")
    status, out, err = bench("rescore", "--registry", s3)
    assert status == 0, err
    assert "1 result scored again" in out
    assert len(registry.every("jobs")["jobs"]) == 2
    assert scores_by_job(registry) == pytest.approx(first, abs=1e-3, nan_ok=True)
    assert bench("registry", "verify", "--registry", s3)[0] == 0


def scores_by_job(registry):
    keys = ["job_id", "metric", "method", "reading", "target"]
    scores = registry.tables().scores
    return {tuple(map(str, row[:-1])): row[-1] for row in scores[[*keys, "value"]].to_numpy()}


def test_equal_seeds_give_equal_scores(bench, model, trained, cold):
    # the first ones are of forks of a process that had TensorFlow loaded
    first = scores_by_job(trained)
    bench("run", "--model", model(), *ONE, "--force")
    assert sum(row["arrays_of"] is None for row in trained.every("jobs")["jobs"].to_pylist()) == 3
    again = scores_by_job(trained)
    assert {key: again[key] for key in first} == pytest.approx(first, abs=1e-3, nan_ok=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "import keras\ndef build_model(task):\n    x = i = keras.Input(task.input_shape)\n"
            "    x = keras.layers.Flatten()(x)\n"
            "    return keras.Model(i, keras.layers.Dense(7)(x))\n",
            "bad.py: build_model returned shape (None, 7); task regulatory-code needs 1 output",
        ),
        (
            "def build_model(task):\n    raise RuntimeError('no luck')\n",
            "bad.py:2: RuntimeError: no luck",
        ),
        (
            "def build_model(task):\n    return 3\n",
            "build_model returned int; return a keras.Model",
        ),
        (
            "import keras\ndef build_model(task):\n    x = i = keras.Input(task.input_shape)\n"
            "    x = keras.layers.Flatten()(x)\n"
            "    x = keras.layers.Lambda(lambda v: v / 0.0)(x)\n"
            "    return keras.Model(i, keras.layers.Dense(1)(x))\n",
            "predictions are not finite (NaN or infinity) after epoch 1",
        ),
        ("import os\ndef build_model(task):\n    os._exit(9)\n", "ended with exit status 9"),
        ("import nothing_of_that_name\ndef build_model(task): ...\n", "nothing_of_that_name"),
    ],
)
def test_a_failing_model_is_one_line_a_failure_row_and_status_1(
    text, message, bench, model, registry
):
    line = ("run", "--model", model(text, "bad.py"), *ONE)
    status, _, err = bench(*line)
    assert status == 1
    assert message in err
    (row,) = registry.jobs().to_dict("records")
    assert row["status"] == "model_error"
    assert message in row["message"]
    # a model's own failure is not repeated unless asked for, and still counts as a failure
    status, _, err = bench(*line)
    assert status == 1
    assert "1 job failed before, skipped (--retry-failed runs them):\n  bad on" in err
    assert f"trial 0: model_error: {row['message']}\n" in err
    assert len(list((registry.folder / "jobs").iterdir())) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--model", "none.py"), "none.py: No such file"),
        (("--task", "motif-clases"), "unknown task 'motif-clases'; did you mean motif-classes"),
        (("--profile", "quik"), "unknown profile 'quik'; did you mean quick?"),
        (("--param", "activaton=relu"), "did you mean activation?"),
        (("--param", "units=many"), "'units' takes a whole number"),
        (("--param", "units"), "write it as name=value"),
        (("--trials", "0"), "--trials"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(arguments, message, bench, model, tmp_path):
    line = ["run", *arguments]
    if "--model" not in arguments:
        line += ["--model", model()]
    status, out, err = bench(*line)
    assert status == 2
    assert message in err
    assert err.count("\n") == 1
    assert out == ""
    assert not (tmp_path / "registry").exists()


def test_a_registry_that_cannot_be_written_is_said_before_training(bench, model, tmp_path):
    (tmp_path / "file").write_text("")
    status, _, err = bench("run", "--model", model(), "--registry", tmp_path / "file" / "registry")
    assert status == 2
    assert err.count("\n") == 1
    assert "a file stands there" in err
    assert "--registry" in err


def test_a_damaged_result_file_is_named_and_the_others_are_kept(bench, model, trained):
    registry = trained
    line = ("run", "--model", model(), "--task", "regulatory-code@1")
    # each trial has two results, before and after it was compared with the other
    *mine, damaged, kept, _ = sorted((registry.folder / "jobs").iterdir())
    damaged.write_bytes(damaged.read_bytes()[:100])
    status, _, err = bench(*line)
    assert status == 1
    assert damaged.name in err
    assert kept.exists()
    for path in (*mine, damaged):
        path.unlink()
    status, _, err = bench(*line)
    assert status == 0
    assert "1 job finished before" in err
    assert set(registry.jobs()["status"]) == {"ok"}


def test_a_phase_that_outlives_its_limit_is_a_timeout(bench, model, registry):
    text = "import time\ndef build_model(task):\n    time.sleep(60)\n"
    status, _, err = bench(
        *("run", "--model", model(text), *ONE),
        *("--timeout", 5),
    )
    assert status == 1
    assert "took longer than 5 s" in err
    assert registry.jobs()["status"].tolist() == ["timeout"]


def test_a_phase_that_fills_its_working_folder_is_stopped(bench, model, registry, monkeypatch):
    monkeypatch.setattr("motifidelity.executors.process.SCRATCH_BYTES", 1 << 20)
    text = """
        from pathlib import Path
        import time

        def build_model(task):
            Path("checkpoint").write_bytes(bytes(1 << 21))
            time.sleep(60)
    """
    status, _, err = bench("run", "--model", model(text), *ONE)
    assert status == 1
    assert "wrote more than 1 MiB into its working folder; keep fewer checkpoints" in err
    assert registry.jobs()["status"].tolist() == ["model_error"]


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_a_file_for_other_sequences_is_refused_before_anything_runs(dry, bench, model, tmp_path):
    text = MODEL.replace("task.input_shape", "(100, 4)")
    status, out, err = bench("run", "--model", model(text), *ONE, *dry)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert "(100, 4)" in err
    assert "(200, 4)" in err
    assert not (tmp_path / "registry").exists()


@pytest.mark.parametrize("debug", [(), ("--debug",)])
def test_whole_stacks_are_shown_to_who_asks_for_them(debug, bench, model):
    text = MODEL.replace("task.input_shape", "task.no_such_thing")
    status, _, err = bench(*debug, "run", "--model", model(text), *ONE)
    assert status == 1
    assert "no_such_thing" in err
    # of the suite's own files
    assert ("worker/contract.py" in err) is bool(debug)


GREEDY = """import keras
from keras import layers, ops


class Greedy(layers.Layer):
    def call(self, x, training=False):
        if not training:
            return x
        # 4 TiB a sequence, of a shape that is known only when it runs
        return x + ops.mean(ops.ones((ops.shape(x)[0] * 2**20, 2**20)))


def build_model(task):
    x = inputs = keras.Input(task.input_shape)
    x = Greedy()(layers.Conv1D(4, 7, padding="same")(x))
    x = layers.GlobalMaxPooling1D()(x)
    return keras.Model(inputs, layers.Dense(task.num_outputs)(x))
"""


def test_training_that_finds_no_memory_is_oom_in_its_row(bench, model, registry):
    line = ("run", "--model", model(GREEDY), *ONE)
    status, _, err = bench(*line)
    assert status == 1
    assert "OOM when allocating" in err
    assert registry.jobs()["status"].tolist() == ["oom"]


def test_a_worker_that_a_nameless_signal_ends_is_a_failure_in_a_row(bench, model, registry):
    text = "import os\ndef build_model(task):\n    os.kill(os.getpid(), 35)\n"
    status, _, err = bench("run", "--model", model(text), *ONE)
    assert status == 1
    assert "the worker ended with signal 35" in err
    assert registry.jobs()["status"].tolist() == ["model_error"]


def test_who_stops_reading_is_no_trouble_of_the_machine(bench, model, registry, monkeypatch):
    def gone(*_):
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr("motifidelity.runs.display.JsonDisplay.event", gone)
    status, *_ = bench(*("run", "--model", model(), *ONE, "--json"))
    assert status == 1
    assert registry.jobs().empty


def test_own_training_puts_a_model_in_the_open_division(bench, model, registry):
    text = textwrap.dedent(MODEL) + textwrap.dedent("""
        def fit(model, data):
            assert data.x_train.shape == (240, 200, 4)
            model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
            model.fit(data.x_train, data.y_train, epochs=1, verbose=0)
    """)
    status, _, err = bench("run", "--model", model(text, "my own net.py"), *ONE)
    assert status == 0, err
    (row,) = registry.jobs().to_dict("records")
    assert row["division"] == "open"
    assert row["model_file"] == "my own net.py"


def test_a_model_without_convolution_gets_no_motif_score_and_no_error(bench, model, registry):
    text = """
        import keras

        def build_model(task):
            x = inputs = keras.Input(task.input_shape)
            x = keras.layers.Flatten()(x)
            return keras.Model(inputs, keras.layers.Dense(task.num_outputs)(x))
    """
    status, _, err = bench("run", "--model", model(text), *ONE)
    assert status == 0, err
    assert set(registry.tables().scores["family"]) == {"accuracy", "attribution"}


def test_machines_get_json_lines(bench, model):
    status, out, _ = bench("run", "--model", model(), *ONE, "--json")
    assert status == 0
    events = [json.loads(line) for line in out.splitlines()]
    kinds = [event["event"] for event in events]
    assert {"job", "epoch", "done", "scores"} <= set(kinds)
    epoch = next(event for event in events if event["event"] == "epoch")
    assert {"epoch", "of", "monitor", "value", "seconds"} <= set(epoch)
    assert {"metric", "mean", "trials"} <= set(events[-1]["scores"][0])


def test_interrupt_keeps_what_is_finished_and_says_how_to_go_on(tmp_path, model):
    slow = (
        textwrap.dedent(MODEL)
        .replace("def build_model", "import time\n\ndef build_model", 1)
        .replace("x = inputs", "time.sleep(20 if SLOW else 0)\n    x = inputs")
    )
    path = model("import os\nSLOW = os.environ.get('SLOW')\n" + slow)
    command = [sys.executable, SMALL_BENCH, "run", "--model", str(path), "--task"]
    command += ["regulatory-code", "--registry", str(tmp_path / "registry")]
    subprocess.run([*command, "--trials", "1"], check=True, capture_output=True)
    command += ["--trials", "2"]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, "SLOW": "1"}
    )
    for line in process.stderr:
        if line.startswith("[1/1]"):
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "1 of 2 jobs are finished and kept; run the same command again to go on" in err
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "1 job finished before" in done.stderr
    assert len(Registry(tmp_path / "registry").jobs()) == 2


def test_a_full_temporary_folder_is_one_line_and_a_failure_row(
    bench, model, registry, tmp_path, monkeypatch
):
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "none", small]).returncode:
        pytest.skip("needs the right to mount a small file system")
    try:
        monkeypatch.setattr(tempfile, "tempdir", str(small))
        status, _, err = bench("run", "--model", model(), *ONE)
    finally:
        subprocess.run(["umount", "-l", small], check=True)
    assert status == 1
    assert "temporary folder" in err
    assert "free some space or set TMPDIR" in err
    assert registry.jobs()["status"].tolist() == ["infra_error"]
    # trouble of the machine is tried again by the same command
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert bench("run", "--model", model(), *ONE)[0] == 0
    assert registry.jobs()["status"].tolist() == ["ok"]
