"""``bench regress`` in a repository of one's own: it never passes when the model changed."""

from __future__ import annotations

import hashlib
import shutil
import textwrap
from datetime import UTC, datetime
from pathlib import Path

import pytest
from displays import Silent
from small_tasks import small_tasks

from motifidelity.entries import GIVEN
from motifidelity.executors.process import ProcessExecutor
from motifidelity.model_file import read_submission
from motifidelity.registry import Registry, Result
from motifidelity.regress import observe, trained
from motifidelity.regress.golden import Golden, read_golden, write_golden
from motifidelity.runs.plan import plan_jobs
from motifidelity.runs.run import run_plan
from motifidelity.tasks import spec as specs

MODEL = """
    import keras
    from keras import layers

    MODEL = dict(name="Mine")

    def build_model(task, *, units=6):
        x = inputs = keras.Input(task.input_shape)
        x = layers.Conv1D(units, 19, padding="same", activation="relu")(x)
        x = layers.GlobalMaxPooling1D()(x)
        return keras.Model(inputs, layers.Dense(task.num_outputs)(x))
"""
SUBJECT = "Mine units=6 on regulatory-code@1"
# what a test of networks needs; the others are slow, or not of a model
KINDS = ("files", "activations", "networks", "first-layer")
OF_NETWORKS = [word for kind in KINDS for word in ("--only", kind)]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A repository with a model file, its network, and the record of both."""
    small = small_tasks(quick=1)
    here = tmp_path_factory.mktemp("repository")
    path = here / "my_model.py"
    path.write_text(textwrap.dedent(MODEL))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(specs, "all_specs", lambda: small)
        patch.setattr(observe, "VARIANTS", observe.VARIANTS[:1])
        submission = read_submission(path)
        task = small["regulatory-code@1"]
        jobs = plan_jobs(submission, submission.parameters(()), [task], "quick", 1, 0)
        run_plan(jobs, Registry(here / "golden"), ProcessExecutor(), Silent())
        from motifidelity.regress.record import update

        patch.chdir(here)
        done = update(Path("golden"), KINDS, "first", lambda _: None, author=None)
    assert done.counts["added"] > 40
    return here


@pytest.fixture
def here(recorded, tmp_path, monkeypatch):
    """A copy of it that one works in."""
    copy = Path(shutil.copytree(recorded, tmp_path / "repository"))
    monkeypatch.chdir(copy)
    small = small_tasks(quick=1)
    monkeypatch.setattr(specs, "all_specs", lambda: small)
    monkeypatch.setattr(observe, "all_specs", lambda: small)
    return copy


def edit(here, old, new):
    path = here / "my_model.py"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def told(out, kind):
    """The report's line on a kind."""
    (line,) = [line for line in out.splitlines() if line.split()[1:2] == [kind]]
    return line


def test_nothing_changed_is_ok_and_the_first_line_says_what_was_not_looked_at(bench, here):
    status, out, err = bench("regress", "--against", "golden", *OF_NETWORKS)
    assert status == 0, out + err
    assert out.splitlines()[0] == (
        "Not looked at: datasets, definitions, metrics (--only); scores of trained networks "
        "(--train or --from)"
    )
    for kind in KINDS:
        assert told(out, kind).startswith("ok ")
    assert "with your rights" in err
    assert read_golden(here / "golden").files == {"my_model.py": "../my_model.py"}


def test_another_activation_fails_by_digest_and_by_what_is_built(bench, here):
    edit(here, '"relu"', '"exponential"')
    status, out, err = bench("regress", "--against", "golden", *OF_NETWORKS, "--all")
    assert status == 1
    assert told(out, "files").startswith("DRIFTED")
    assert "my_model.py is " in out
    assert told(out, "networks").startswith("DRIFTED")
    assert "1 Exp" in out
    assert "after is of operation is Exp, recorded Relu" in out
    # the network that is kept is the old one
    assert told(out, "activations").startswith("ok ")
    last = err.splitlines()[-1]
    assert "'bench run --model my_model.py --param units=6 --task regulatory-code" in last
    assert "--registry golden', then bench regress update --against golden --reason" in last


def test_an_edit_that_builds_the_same_network_fails_by_digest_alone(bench, here):
    edit(here, "import keras\n", "import keras  # a comment\n")
    status, out, _ = bench("regress", "--against", "golden", *OF_NETWORKS)
    assert status == 1
    assert told(out, "files").startswith("DRIFTED")
    assert told(out, "networks").startswith("ok ")
    assert told(out, "first-layer").startswith("ok ")


def test_a_file_that_no_longer_builds_is_an_observation_that_fails(bench, here):
    edit(here, "return keras.Model", "return 1 + keras.Model")
    status, out, _ = bench("regress", "--against", "golden", *OF_NETWORKS[4:])
    assert status == 1
    assert "could not be observed: " in out


def test_a_changed_file_is_not_recorded_as_what_is_expected(bench, here):
    before = (here / "golden" / "regression.toml").read_bytes()
    edit(here, '"relu"', '"exponential"')
    line = ("regress", "update", "--against", "golden", "--reason", "x")
    status, out, err = bench(*line, *OF_NETWORKS)
    assert (status, out) == (1, "")
    assert "my_model.py: changed since the network of Mine units=6" in err
    assert "run 'bench run --model my_model.py" in err
    assert (here / "golden" / "regression.toml").read_bytes() == before


def test_a_file_that_is_gone_fails_and_is_found_where_one_says(bench, here):
    (here / "nets").mkdir()
    (here / "my_model.py").rename(here / "nets" / "my_model.py")
    line = ("regress", "--against", "golden", "--only", "files")
    status, out, _ = bench(*line)
    assert status == 1
    assert "my_model.py was ../my_model.py from the record and is gone; give its folder" in out
    for place in ("nets", "nets/my_model.py"):
        status, out, err = bench(*line, "--models", place)
        assert status == 0, out + err
        assert told(out, "files").startswith("ok ")
    status, _, err = bench(*line, "--models", "nowhere")
    assert (status, err) == (2, "bench: --models nowhere: no such file or folder\n")


def test_a_file_that_nobody_recorded_or_finds_is_told_first(bench, here):
    golden = read_golden(here / "golden")
    networks = {k: r for k, r in golden.records.items() if k[0] == "activations"}
    write_golden(here / "golden", Golden(networks, golden.measured))
    (here / "my_model.py").unlink()
    status, out, _ = bench("regress", "--against", "golden", *OF_NETWORKS)
    assert status == 0
    first = out.splitlines()[0]
    assert f"{SUBJECT}: my_model.py (neither here nor beside the record: give its folder" in first
    assert "files, networks, first-layer (there is nothing of it)" in first


def test_nothing_compared_is_no_success(bench, here):
    write_golden(here / "golden", Golden({}, {}))
    status, out, err = bench("regress", "--against", "golden", "--only", "activations")
    assert status == 1
    assert "NEW      activations  nothing was compared" in out
    assert "activations (not recorded: 'bench regress update' records it)" in out.splitlines()[0]
    assert err.splitlines()[-1].startswith("bench: nothing was compared; record it with 'bench ")


def again(here, **changed):
    """Record the network once more, as of another file, backend or profile."""
    registry = Registry(here / "golden")
    (row,) = registry.latest("jobs")["jobs"].to_pylist()
    files = list(registry.network(row["result_id"]).values())
    row |= {"job_id": "f" * 24, **changed}
    registry.record(Result(row, files=files), datetime.now(UTC))


def test_several_results_of_one_name_are_told_and_that_of_the_file_is_taken(bench, here):
    again(
        here, model_digest="e" * 64, backend="jax", started=datetime(2030, 1, 2, 3, 4, tzinfo=UTC)
    )
    status, out, _ = bench("regress", "--against", "golden", "--only", "files")
    assert status == 0, out
    first = out.splitlines()[0]
    assert f"{SUBJECT}: 1 more result of that name (another my_model.py (eeeeeeee) jax of " in first
    assert "2030-01-02 03:04, beside the one looked at, of " in first


def test_further_trials_are_counted(bench, here):
    again(here, trial=1, seed=1)
    status, out, _ = bench("regress", "--against", "golden", "--only", "files")
    assert status == 0
    assert "1 further trial (of each network one is)" in out.splitlines()[0]


def test_a_backend_that_is_not_there_is_told_of_its_network(bench, here, monkeypatch):
    again(here, backend="torch", started=datetime(2030, 1, 2, tzinfo=UTC))
    real = observe.importlib.util.find_spec
    monkeypatch.setattr(
        observe.importlib.util, "find_spec", lambda name: None if name == "torch" else real(name)
    )
    status, out, _ = bench("regress", "--against", "golden", "--only", "networks")
    assert status == 1
    assert "backend torch is not installed here; pip install 'motifidelity[torch]'" in out


def test_a_quick_trained_run_is_of_the_file_that_is_there(bench, here, monkeypatch):
    monkeypatch.setattr(trained, "SEEDS", 1)
    line = ("regress", "update", "--against", "golden", "--only", "files", "--train")
    status, out, err = bench(*line, "--reason", "x")
    assert status == 0, err
    assert "training 1 network at profile quick, seed 0" in err
    golden = read_golden(here / "golden")
    assert {key[1] for key in golden.records if key[0] == "scores"} == {SUBJECT}
    # the registry has a quick result of this very file already
    line = ("regress", "--against", "golden", "--only", "files", "--from", "golden")
    status, out, err = bench(*line)
    assert status == 0, out + err
    assert told(out, "scores").startswith("ok ")
    assert "scores of trained networks" not in out.splitlines()[0]
    edit(here, '"relu"', '"exponential"')
    status, out, _ = bench(*line)
    assert status == 1
    assert "no result of seed 0 at profile quick; 'bench run --model " in out


def test_reports_say_what_was_not_looked_at(bench, here):
    line = ("regress", "--against", "golden", "--only", "files", "--junit", "r.xml")
    status, *_ = bench(*line, "--markdown", "r.md")
    assert status == 0
    assert "Not looked at:\n\n- datasets, activations," in Path("r.md").read_text()
    assert '<testsuite name="not looked at" tests="2" skipped="2">' in Path("r.xml").read_text()


def test_given_weights_are_part_of_the_digest_and_never_trained(bench, here):
    (row,) = Registry(here / "golden").latest("jobs")["jobs"].to_pylist()
    of_file, of_weights = row["model_digest"], "a" * 64
    both = hashlib.sha256(f"{of_file} {of_weights}".encode()).hexdigest()
    warning = f"{GIVEN}: my.weights.h5, sha256 {of_weights}"
    later = datetime(2030, 1, 2, tzinfo=UTC)
    again(here, model_digest=both, warnings=[warning], started=later, division="open")
    line = ("regress", "--against", "golden", "--only", "files")
    status, out, _ = bench(*line)
    assert status == 0, out
    status, _, err = bench(*line, "--from", "golden")
    assert (status, err.splitlines()[-1]) == (
        2,
        "bench: no model file was found to train; give its folder with --models",
    )
    edit(here, '"relu"', '"exponential"')
    status, _, err = bench(*line)
    assert status == 1
    assert "bench run --model my_model.py --weights my.weights.h5 --param units=6" in err
