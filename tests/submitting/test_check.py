"""``bench check`` with real worker processes: each problem with its line and its remedy."""

from __future__ import annotations

import json
import sys
import textwrap

import pytest

from motifidelity.cli import main
from motifidelity.executors.process import ProcessExecutor
from motifidelity.model_file import read_submission
from motifidelity.submitting.check import check_submission
from motifidelity.submitting.findings import Finding, lines
from motifidelity.submitting.source import Source
from motifidelity.submitting.trial import PROBED
from motifidelity.tasks.spec import Profile, find_spec

SLICE = Profile("check", 1, 200, 60, 8, 2, 2)
HEAD = """\
MODEL = dict(name="Mine", authors="A. Author", license="MIT")
import keras
import numpy as np
from keras import layers


"""
GOOD = """\
def build_model(task, *, units=4):
    x = inputs = keras.Input(task.input_shape)
    x = layers.Conv1D(units, 19, padding="same", activation="relu")(x)
    x = layers.GlobalMaxPooling1D()(x)
    return keras.Model(inputs, layers.Dense(task.num_outputs)(x))
"""


@pytest.fixture
def check(tmp_path):
    """Check a text on the regulatory code; the findings by check."""

    def check(body, *params, timeout=100.0, methods=("saliency",)):
        path = tmp_path / "mine.py"
        path.write_text(HEAD + textwrap.dedent(body))
        report = check_submission(
            path,
            params,
            [find_spec("regulatory-code")],
            ProcessExecutor(timeout),
            lambda _: None,
            SLICE,
            methods,
        )
        return report, {f.check: f for f in report.findings}

    return check


def test_a_good_model_is_ready_and_everything_about_it_is_told(check):
    report, found = check(GOOD, methods=None)
    assert report.problems == []
    assert {f.level for f in report.findings} == {"ok"}, report.findings
    assert f"{len(PROBED)} methods" in found["attribution"].text
    assert set(found) == {
        *("file", "metadata", "parameters", "imports", "contract", "freezing", "training"),
        *("filters", "attribution", "size", "time", "memory", "determinism"),
    }
    # by hand: 19 * 4 * 4 + 4, and 4 + 1
    assert "313 weights" in found["size"].text
    for method in ("saliency", "ism", "deepshap", "integrated_gradients"):
        assert method in found["attribution"].text
    assert "an epoch" in found["time"].text
    assert "10 trials" in found["time"].text
    assert "GiB" in found["memory"].text
    json.dumps(report.to_json())


def test_an_exception_is_named_with_its_line(check):
    report, found = check("def build_model(task, *, x=1):\n    y = x - 1\n    return 1 / y\n")
    (problem,) = report.problems
    assert (problem.check, problem.where) == ("contract", "mine.py:9")
    assert "ZeroDivisionError" in problem.text
    assert problem.remedy
    assert "determinism" not in found


def test_a_fault_at_import_is_named_with_its_line(check):
    report, _ = check(GOOD + "\n\nTABLE = {}['absent']\n")
    (problem,) = report.problems
    assert (problem.check, problem.where) == ("import", "mine.py:14")
    assert "KeyError" in problem.text


def test_a_wrong_shape_is_named_with_the_line_of_the_return(check):
    report, _ = check(GOOD.replace("task.num_outputs", "7"))
    (problem,) = report.problems
    assert (problem.check, problem.where) == ("contract", "mine.py:11")
    assert "(None, 7)" in problem.text


def test_a_network_that_pools_more_than_there_is_names_the_length(check):
    pooled = "layers.MaxPooling1D(40)(layers.MaxPooling1D(40)(x))"
    report, _ = check(GOOD.replace("layers.GlobalMaxPooling1D()(x)", pooled))
    (problem,) = report.problems
    assert (problem.check, problem.where) == ("contract", "mine.py:10")
    assert problem.remedy.startswith("regulatory-code@2 has 200 bases, and layers before that line")


def test_a_network_that_cannot_be_frozen_is_named(check):
    report, found = check("""\
        class Host(layers.Layer):
            def call(self, x):
                return keras.ops.convert_to_tensor(np.sum(x, axis=1))

            def compute_output_shape(self, shape):
                return (shape[0], shape[2])


        class Mine(keras.Model):
            def __init__(self, outputs):
                super().__init__()
                self.host, self.dense = Host(), layers.Dense(outputs)

            def call(self, x):
                return self.dense(self.host(x))


        def build_model(task):
            model = Mine(task.num_outputs)
            return model
    """)
    (problem,) = report.problems
    assert problem.check == "freezing", problem
    assert found["contract"].level == "ok"
    assert problem.where.startswith("mine.py:")
    assert "keras.ops" in problem.remedy


def test_a_network_for_other_sequences_is_the_models_fault_and_not_the_machines(check):
    report, _ = check(GOOD.replace("task.input_shape", "(1000, 4)"))
    (problem,) = report.problems
    assert (problem.check, problem.where) == ("contract", "mine.py:11")
    assert "sequences of shape (200, 4)" in problem.text
    assert problem.remedy == "begin with keras.Input(task.input_shape)"


def test_a_fault_in_a_layer_is_no_fault_at_import_and_has_no_colours(check):
    report, _ = check(
        GOOD.replace("x = layers.GlobalMaxPooling1D()(x)", "x = Flip()(x)[:, 0]")
        + """

class Flip(layers.Layer):
    def call(self, x):
        return np.asarray(x)[:, ::-1]
"""
    )
    (problem,) = report.problems
    assert (problem.check, problem.where) == ("contract", "mine.py:16")
    assert "numpy" in problem.remedy
    assert "[1m" not in problem.text


def test_values_that_overflow_have_their_own_remedy(check):
    report, _ = check(
        GOOD.replace('activation="relu"', "activation=lambda x: keras.ops.exp(1e4 * x**2)")
    )
    (problem,) = report.problems
    assert "bound the activations" in (problem.remedy or "")


def test_training_that_diverges_is_named(check):
    report, found = check(
        GOOD.replace('activation="relu"', "activation=lambda x: keras.ops.log(x - 9.0)")
    )
    (problem,) = report.problems
    assert problem.check == "training", problem
    assert "not finite" in problem.text
    assert found["freezing"].level == "ok"


def test_a_seed_that_decides_nothing_is_named_with_its_line(check):
    report, found = check("""\
        def build_model(task):
            rng = np.random.default_rng()
            x = inputs = keras.Input(task.input_shape)
            start = keras.initializers.Constant(rng.normal(size=(19, 4, 4)))
            x = layers.Conv1D(4, 19, padding="same", kernel_initializer=start)(x)
            x = layers.GlobalMaxPooling1D()(layers.Activation("relu")(x))
            return keras.Model(inputs, layers.Dense(task.num_outputs)(x))
    """)
    (problem,) = report.problems
    assert (problem.check, problem.where) == ("determinism", "mine.py:8")
    assert "keras.random" in problem.remedy
    assert found["training"].level == "ok"


def test_what_a_network_has_not_is_a_warning(check):
    report, _ = check(
        """\
        def build_model(task):
            x = inputs = keras.Input(task.input_shape)
            x = layers.GRU(4)(x)
            x = layers.Dense(task.num_outputs)(x)
            return keras.Model(inputs, layers.Activation(keras.ops.sigmoid)(x) * 0.5 + 0.2)
        """,
        methods=("saliency", "deepshap"),
    )
    assert report.problems == []
    warned = {f.check: f for f in report.findings if f.level == "warning"}
    assert {"filters", "attribution", "outputs"} <= set(warned)
    texts = [f.text for f in report.findings if f.check == "attribution"]
    assert any("deepshap takes the gradient where it has no rule" in text for text in texts)
    assert "saliency" in texts[0]


def test_a_phase_that_takes_too_long_is_stopped(check):
    report, _ = check(
        "import time\n" + GOOD.replace("    x = in", "    time.sleep(600)\n    x = in"), timeout=8.0
    )
    (problem,) = report.problems
    assert "longer than 8 s" in problem.text


def test_own_training_is_told_and_its_time_is_not_foretold(check):
    report, found = check(
        GOOD
        + """
def fit(model, data):
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
    model.fit(data.x_train, data.y_train, epochs=1, verbose=0)
"""
    )
    assert report.problems == []
    assert "open division" in found["training"].text
    assert found["time"].level == "warning"


def test_a_class_that_brings_its_own_training_is_told(check):
    own = "class Own(keras.Model):\n    def compile(self, optimizer, **given):\n"
    own += "        super().compile(keras.optimizers.Adam(3e-3), **given)\n\n\ndef build_model"
    text = GOOD.replace("def build_model", own).replace("keras.Model(inputs", "Own(inputs")
    assert "Own(inputs" in text
    report, found = check(text)
    assert report.problems == []
    assert found["training"].level == "warning"
    assert "its class brings its own compile" in found["training"].text
    assert "open division" in found["training"].text


def test_own_training_that_cannot_be_read_in_the_file_is_refused(check):
    report, _ = check(GOOD + "\nfrom keras.utils import set_random_seed as fit\n")
    (problem,) = report.problems
    assert problem.check == "training"
    assert "the name 'fit' is there and no function of the file" in problem.text
    assert "write your own training as 'def fit(model, data):'" in problem.remedy


@pytest.mark.parametrize(
    ("text", "place"), [("def build_model(task:\n", "mine.py:7"), ("x = 1\n", "")]
)
def test_a_file_that_is_no_submission_is_a_problem_and_nothing_runs(text, place, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(HEAD + text)
    report = check_submission(path, (), [], None, lambda _: None)
    (problem,) = report.problems
    assert problem.check == "file"
    assert problem.where == place
    assert problem.remedy


def test_problems_of_the_text_stop_before_anything_runs(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(HEAD + "import torch\n" + GOOD)
    report = check_submission(path, (), [find_spec("regulatory-code")], None, lambda _: None)
    assert [f.check for f in report.problems] == ["imports"]


def test_the_command_prints_a_table_and_exits_1_with_problems(tmp_path, capfd, monkeypatch):
    path = tmp_path / "mine.py"
    path.write_text(HEAD + "import torch\n" + GOOD)
    monkeypatch.setattr(sys, "argv", ["bench", "check", str(path)])
    with pytest.raises(SystemExit) as ended:
        main()
    out = capfd.readouterr().out
    assert ended.value.code == 1
    assert "mine.py:7: imports torch" in out
    assert "1 problem" in out
    monkeypatch.setattr(sys, "argv", ["bench", "check", str(path), "--json"])
    with pytest.raises(SystemExit):
        main()
    report = json.loads(capfd.readouterr().out)
    assert report["problems"] == 1
    assert {"check", "level", "text", "remedy", "where", "task"} == set(report["checks"][0])


def test_a_missing_file_is_one_line(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["bench", "check", str(tmp_path / "absent.py")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capfd.readouterr().err.count("\n") == 1


def test_findings_are_lined_up():
    shown = lines([Finding("a", "ok", "fine"), Finding("long", "problem", "bad", "mend", "f:1")])
    assert shown == ["a     ok       fine", "long  problem  f:1: bad", "               -> mend"]


@pytest.mark.parametrize(("backend", "good"), [("torch", True), ("tensorflow", False)])
def test_a_file_may_import_its_own_backend(backend, good, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        f'import torch\n\nMODEL = dict(backend="{backend}")\n\n\ndef build_model(task):\n'
        "    return torch.nn.Identity()\n",
        encoding="utf-8",
    )
    findings = [f for f in Source(read_submission(path)).findings() if f.check == "imports"]
    assert [f.level for f in findings] == ["ok" if good else "problem"]
