"""Files that went wrong when strangers' networks were tried, and what is right for each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import phases
import pytest

from motifidelity.runs.recording import unsupported_warnings
from motifidelity.worker.frozen.network import FrozenNetwork

CASES = Path(__file__).parent / "cases"
PUBLISHED = Path(__file__).parents[1] / "models" / "published"
# the files of PyTorch have a process of theirs
pytestmark = pytest.mark.only_on("tensorflow")
HEAD = "import keras\nfrom keras import layers\n\n\n"
PLAIN = """\
def build_model(task):
    x = i = keras.Input(task.input_shape)
    x = layers.Conv1D(16, 19, padding="same", activation="relu")(x)
    x = layers.GlobalMaxPooling1D()(x)
    return keras.Model(i, layers.Dense(task.num_outputs)(x))
"""


@pytest.fixture
def ended(tmp_path, monkeypatch):
    """Run a file of the cases, or a text, in a working folder of its own."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.chdir(scratch)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")

    def run(name, text=None, **given):
        path = CASES / f"{name}.py"
        if text is not None:
            path = tmp_path / f"{name}.py"
            path.write_text(text)
        return phases.run_case(path, tmp_path, **given)

    yield run
    # a file may change what every later network of the process is made of
    keras.config.set_floatx("float32")
    keras.mixed_precision.set_global_policy("float32")
    keras.backend.clear_session()


REFUSED = {
    "argv": ("argv.py:11: the file ended the process at import (SystemExit: 2)", "--param"),
    "sys_exit0": ("sys_exit0.py:12: the file ended the process in build_model", "SystemExit: 0"),
    "motif_layer_typo": ("motif_layer returned 'scann', and no layer has that name", "name one of"),
    "many_filters": ("its scan has 5,000 filters; at most 4,096", "use fewer"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_file_does_wrong_is_its_own_error_in_one_line_before_training(name, ended):
    found = ended(name)
    assert found.status == "model_error", found.message
    assert "\n" not in found.message
    for text in REFUSED[name]:
        assert text in found.message
    # of a stack the file's own lines alone
    frames = [line for line in found.traceback.splitlines() if line.startswith("  File ")]
    assert all(f"{name}.py" in line for line in frames)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["class_build", "tfkeras_guard", "train_step", "fit_checkpoint"])
def test_fine_files_are_trained_and_scored(name, ended):
    found = ended(name)
    assert found.status == "ok", found.message
    assert found.unsupported == {}
    assert found.probed.has_filters
    assert not found.unchanged
    assert found.own_training == (("train_step",) if name == "train_step" else ())


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["causal", "crop_first", "pad_full", "timedistributed", "windows_in_batch", "dilated_first"],
)
def test_scans_of_every_shape_are_probed(name, ended):
    found = ended(name)
    assert found.status == "ok", found.message
    assert found.unsupported == {}
    assert found.probed.arrays["filter_max"].shape == (16,)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["conv2d_basset", "grouped", "jit"])
def test_every_method_explains_what_is_written_out_when_freezing(name, ended):
    found = ended(name)
    assert found.status == "ok", found.message
    assert found.maps == set(phases.METHODS)
    assert found.probed.has_filters


@pytest.mark.slow
def test_how_much_of_the_first_layer_is_read_is_said(ended):
    text = PLAIN.replace(
        "    x = layers.GlobalMax",
        "    x = layers.Add()([x, layers.Conv1D(16, 1)(i)])\n    x = layers.GlobalMax",
    )
    found = ended("short_cut", HEAD + text)
    assert found.probed.arrays["filter_max"].shape == (16,)
    note = "1 of 2 first convolutions are read, those wider than a base"
    assert found.unsupported == {"filters": note}
    assert unsupported_warnings(found.probed) == [f"the filter scan was read in part: {note}"]


@pytest.mark.slow
def test_a_first_layer_that_cannot_be_placed_costs_its_scores_alone(ended):
    mixed = "layers.Permute((2, 1))(layers.Dense(200)(layers.Permute((2, 1))(x)))"
    text = PLAIN.replace(")(x)\n", f")({mixed})\n", 1)
    found = ended("behind", HEAD + text)
    assert not found.probed.has_filters
    assert set(found.unsupported) == {"filters"}
    (warning,) = unsupported_warnings(found.probed)
    assert warning.startswith(
        "the filter scan was not read: the first convolution cannot be placed: "
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["deepsea", "legnet"])
def test_published_architectures_are_trained_and_explained_by_every_method(name, ended):
    found = ended(name, (PUBLISHED / f"{name}.py").read_text())
    assert found.status == "ok", found.message
    assert found.unsupported == {}
    assert found.maps == set(phases.METHODS)
    assert found.probed.has_filters


@pytest.mark.slow
@pytest.mark.parametrize("name", ["float64", "float64_inside"])
def test_double_precision_is_scored_like_single(name, ended):
    found = ended(name)
    assert found.status == "ok", found.message
    assert found.maps == set(phases.METHODS)
    error = np.abs(found.probed.arrays["deeplift_completeness"])
    assert error.max() < 1e-5 * np.abs(found.probed.arrays["deeplift"]).sum(axis=(1, 2)).max()
    # "with random weights" is another network
    given = found.probed.arrays["saliency"][: phases.TESTED]
    other = found.probed.arrays["saliency_randomised"]
    assert np.corrcoef(given.ravel(), other.ravel())[0, 1] < 0.9


@pytest.mark.slow
def test_a_sigmoid_behind_a_cast_is_found_and_half_precision_is_explained(ended):
    found = ended("mixed_sigmoid")
    assert found.status == "ok", found.message
    assert found.manifest["has_sigmoid"]
    assert found.maps == set(phases.METHODS)


@pytest.mark.slow
def test_whole_numbers_as_input_have_no_gradient_and_no_score_of_one(ended):
    found = ended("int_input")
    assert found.status == "ok", found.message
    zero = "the gradient is zero everywhere"
    assert found.unsupported["saliency"] == found.unsupported["integrated_gradients"] == zero
    assert "Cast" in found.unsupported["deeplift"]
    assert found.maps == {"ism"}
    assert "saliency_randomised" not in found.probed.arrays
    assert found.probed.arrays["ism"].any()


@pytest.mark.slow
def test_a_constant_network_gives_no_map(ended):
    found = ended("constant_output")
    assert found.status == "ok", found.message
    assert found.maps == set()
    assert set(found.unsupported) == set(phases.METHODS)
    assert all(reason.endswith("zero everywhere") for reason in found.unsupported.values())


@pytest.mark.slow
def test_channels_first_is_scored_or_refused_by_name(ended):
    # which of the two is the processor's: not every one has kernels for that order
    found = ended("conv_transposed_input")
    if found.status == "ok":
        assert found.maps == set(phases.METHODS)
    else:
        assert found.status == "model_error"
        assert "NHWC" in found.message
        assert "channels_last" in found.message


@pytest.mark.slow
def test_the_network_that_fit_returns_is_the_one_that_is_scored(ended, tmp_path):
    found = ended("fit_returns_new")
    assert found.status == "ok", found.message
    assert not found.unchanged
    untrained = ended_network(tmp_path / "again", CASES / "fit_returns_new.py")
    codes = np.load(tmp_path / "sequences.npy")
    blank = untrained.logits(np.eye(4, dtype=np.float32)[codes])
    # it is a clone with weights of its own, and trained
    assert np.abs(found.probed.arrays["logits"] - blank).max() > 1e-3


def ended_network(folder, path):
    """The network of a file as `build_model` makes it for the trial's seed."""
    from motifidelity.worker import contract
    from motifidelity.worker.frozen.freeze import GRAPH, MANIFEST, freeze

    folder.mkdir()
    keras.utils.set_random_seed(1)
    task = contract.Task("regulatory-code", (phases.LENGTH, 4), 1, ("class 0",))
    model = contract.build(contract.load_submission(path), path.name, task, {})
    freeze(model, task.input_shape, path.name).write(folder)
    return FrozenNetwork(folder / GRAPH, folder / MANIFEST)


@pytest.mark.slow
def test_a_training_that_changes_no_weight_is_told(ended):
    found = ended("idle", HEAD + PLAIN + "\n\ndef fit(model, data):\n    return model\n")
    assert found.status == "ok", found.message
    assert found.unchanged


OWN = (
    HEAD
    + "class Own(keras.Model):\n    def fit(self, x, y, **_):\n        "
    + "return super().fit(x[:20], y[:20], epochs=1, verbose=0)\n\n\n"
    + PLAIN.replace("keras.Model(", "Own(")
)


def events(tmp_path):
    """What the fit phase told of itself: kinds of events and reasons."""
    lines = (tmp_path / "fit" / "progress.jsonl").read_text().splitlines()
    return [(event["event"], event.get("reason")) for event in map(json.loads, lines)]


@pytest.mark.slow
def test_a_class_that_trains_itself_is_told_and_nothing_of_its_training_is_kept(ended, tmp_path):
    found = ended("own", OWN, fit={"keep": "one"})
    assert found.status == "ok", found.message
    assert found.own_training == ("fit",)
    told = events(tmp_path)
    assert ("unkept", "its class brings its own fit") in told
    assert "kept" not in dict(told)


@pytest.mark.slow
def test_a_training_by_the_recipe_is_kept(ended, tmp_path):
    found = ended("plain", HEAD + PLAIN, fit={"keep": "one"})
    assert found.status == "ok", found.message
    told = dict(events(tmp_path))
    assert "kept" in told
    assert "unkept" not in told


@pytest.mark.slow
def test_a_pack_of_a_class_that_trains_itself_is_refused_with_the_remedy(ended):
    found = ended(
        "own", OWN, fit={"trials": [{"seed": 1, "params": {}}, {"seed": 2, "params": {}}]}
    )
    assert found.status == "model_error"
    assert found.message == (
        "own.py: its class brings its own fit, and a pack trains all its trials in one step of "
        "Keras's own; run it without --pack"
    )


WRONG = {
    "length": (
        PLAIN.replace("task.input_shape", "(100, 4)"),
        "does not take sequences of shape (200, 4): its input is (100, 4)",
    ),
    "channels": (
        PLAIN.replace("task.input_shape", "(None, 5)"),
        "does not take sequences of shape (200, 4): its input is (None, 5)",
    ),
    "softmax": (
        PLAIN.replace("task.num_outputs", "1, activation='softmax'"),
        "a softmax over one output is 1 for every sequence",
    ),
    "text": ("def build_model(task):\n    return 'a network'\n", "build_model returned str"),
    "framework": (
        PLAIN.replace("Conv1D(16,", "Conv1D(-16,"),
        "framework.py:7: ValueError",
    ),
    "contract": (
        PLAIN + "\n\ndef motif_layer(model):\n    return {}['scan']\n",
        "contract.py:13: KeyError",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_users_mistake_is_never_the_machines(name, ended):
    text, message = WRONG[name]
    found = ended(name, HEAD + text)
    assert found.status == "model_error"
    assert message in found.message
    assert "worker" not in found.traceback


@pytest.mark.slow
def test_an_error_of_a_framework_in_training_is_the_networks(ended):
    text = PLAIN.replace(
        "    return keras.Model(i, layers.Dense(task.num_outputs)(x))\n",
        "    x = layers.Dense(task.num_outputs, kernel_regularizer=Bad())(x)\n"
        "    return keras.Model(i, x)\n",
    )
    # raised by Keras, far from any line of the file
    bad = "class Bad(keras.regularizers.Regularizer):\n    pass\n\n\n"
    found = ended("training", HEAD + bad + text)
    assert found.status == "model_error"
    assert found.message.startswith("training.py: AttributeError in training: ")


def test_a_file_for_another_backend_is_told_which(ended):
    text = PLAIN.replace("    x = layers.Conv1D", "    x = torch.relu(x)\n    x = layers.Conv1D")
    found = ended("relu", HEAD.replace("import keras", "import keras\nimport torch") + text)
    assert found.status == "model_error"
    assert found.message.startswith("relu.py:8: ")
    assert found.message.endswith("Keras runs on tensorflow: add MODEL = dict(backend='torch')")


@pytest.mark.slow
def test_one_failed_method_or_scan_does_not_cost_the_trial(ended, monkeypatch):
    from dataclasses import replace

    from motifidelity.worker.probing import attribution, filters

    def broken(*_, **__):
        raise RuntimeError("no kernel for this operation")

    ism = attribution.METHODS["ism"]
    monkeypatch.setitem(attribution.METHODS, "ism", replace(ism, explain=broken))
    monkeypatch.setattr(filters._Strongest, "add", broken)
    found = ended("plain", HEAD + PLAIN)
    assert found.status == "ok", found.message
    reason = "RuntimeError: no kernel for this operation"
    assert found.unsupported == {"ism": reason, "filters": reason}
    assert found.maps == set(phases.METHODS) - {"ism"}
    assert not found.probed.has_filters
    assert np.isfinite(found.probed.arrays["logits"]).all()


PROGRAM = """
import json, sys
from pathlib import Path
import phases
for name in sys.argv[2:]:
    work = Path(sys.argv[1]) / name
    work.mkdir()
    found = phases.run_case(Path(name).resolve(), work, backend="torch")
    result = [found.status, found.message]
    if found.probed:
        result += [sorted(found.maps), found.manifest["has_sigmoid"]]
    print("FOUND", json.dumps(result), flush=True)
"""
WEIGHT_NORM = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.scan = nn.utils.parametrizations.weight_norm(nn.Conv1d(4, 16, 19, padding=9))
        self.out = nn.Linear(16, outputs)

    def forward(self, x):
        x = torch.relu(self.scan(x.transpose(1, 2))).amax(dim=2)
        return self.out(nn.functional.normalize(x, dim=1))


def build_model(task):
    return Net(task.num_outputs)
"""


@pytest.mark.slow
def test_operations_of_common_torch_networks_are_lowered(tmp_path):
    pytest.importorskip("torch")
    weight_norm = tmp_path / "weight_norm.py"
    weight_norm.write_text(WEIGHT_NORM)
    names = [str(CASES / "rc_cat.py"), str(CASES / "logits_squeezed.py"), str(weight_norm)]
    program = PROGRAM.replace("/ name", "/ Path(name).stem")
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), *names],
        env={**os.environ, "KERAS_BACKEND": "torch", "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        timeout=500,
    )
    found = [json.loads(line[6:]) for line in done.stdout.splitlines() if line[:5] == "FOUND"]
    assert done.returncode == 0, done.stderr[-2000:]
    # predictions are compared with the module's own when it is frozen
    for status, message, maps, has_sigmoid in found:
        assert (status, message) == ("ok", "")
        assert maps == sorted(phases.METHODS)
        assert not has_sigmoid
    assert len(found) == 3
