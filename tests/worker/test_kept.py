"""A trial that was stopped goes on with the bits of one that was not."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass

import keras
import numpy as np
import pytest
from keras import layers

from motifidelity.worker.contract import TrainingData
from motifidelity.worker.training import kept
from motifidelity.worker.training.kept import Keep, hidden_draws
from motifidelity.worker.training.recipe import train

pytestmark = pytest.mark.backends
LENGTH, EPOCHS = 30, 8
# labels mean nothing: the score goes up and down, so that the rate falls and the training ends
RECIPE = {
    "learning_rate": 1e-2,
    "batch_size": 25,
    "max_epochs": EPOCHS,
    "monitor": "aupr",
    "stop_patience": 5,
    "rate_patience": 1,
    "rate_factor": 0.2,
    "rate_floor": 1e-7,
}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(5)
    x = np.eye(4, dtype=np.float32)[rng.integers(0, 4, (170, LENGTH))]
    y = rng.integers(0, 2, (170, 2)).astype(np.float32)
    return TrainingData(x[:110], y[:110], x[110:], y[110:], 0)


def build(seed=3, width=6):
    """With all that has a state: batch norm, dropout, and draws without a generator's name."""
    keras.utils.set_random_seed(seed)
    x = inputs = keras.Input((LENGTH, 4))
    x = layers.Conv1D(width, 5, use_bias=False)(layers.GaussianNoise(0.05)(x))
    x = layers.Dropout(0.2)(layers.Activation("exponential")(layers.BatchNormalization()(x)))
    x = layers.Flatten()(layers.MaxPooling1D(4)(x))
    return keras.Model(inputs, layers.Dense(2)(x))


def build_module():
    """PyTorch's own: running means are no parameters, and dropout draws from its state."""
    import torch

    from motifidelity.worker.frozen.backends.module import ModuleModel

    class Module(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = torch.nn.Conv1d(4, 6, 5)
            self.norm = torch.nn.BatchNorm1d(6)
            self.drop = torch.nn.Dropout(0.3)
            self.last = torch.nn.Linear(6, 2)

        def forward(self, x):
            found = torch.relu(self.norm(self.first(x.transpose(1, 2))))
            return self.last(self.drop(found).amax(dim=2))

    keras.utils.set_random_seed(3)
    model = ModuleModel(Module())
    model(np.zeros((2, LENGTH, 4), np.float32), training=False)
    return model


class Told:
    """A reporter that puts every kept state aside, as a host does that is killed afterwards."""

    def __init__(self, file):
        self.events = []
        self.states = {}
        self._file = file

    def __call__(self, event, **values):
        json.dumps(values)
        self.events.append((event, values))
        if event == "kept":
            self.states[values["epoch"]] = self._file.read_bytes()

    def of(self, kind):
        return [values for event, values in self.events if event == kind]


@dataclass
class Ran:
    """What a training left: every array, its history but the seconds, and what was told."""

    arrays: list
    history: list
    told: Told


def run(data, folder, *, before=None, make=build, keeps=True):
    """Train from the beginning, or from what was kept."""
    file = folder / "training.npz"
    model, told, keep = make(), Told(file), None
    if keeps:
        keep = Keep(file, "one", None if before is None else saved(folder, before))
    history = train(model, data, RECIPE, from_logits=True, source="m.py", report=told, keep=keep)
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in history]
    # what another process would have drawn meanwhile
    np.random.random(7)  # noqa: NPY002
    return Ran(state(model), rows, told)


def saved(folder, content):
    (folder / "before.npz").write_bytes(content)
    return folder / "before.npz"


def state(model):
    buffers = getattr(model, "named_buffers", dict)()
    found = [keras.ops.convert_to_numpy(variable) for variable in model.variables]
    return [*found, *(b.detach().cpu().numpy() for _, b in buffers)]


def assert_same_bits(one, other):
    assert one.history == other.history
    for mine, its in zip(one.arrays, other.arrays, strict=True):
        assert mine.dtype == its.dtype
        assert mine.tobytes() == its.tobytes()


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """A trial that nobody stopped, and that keeps nothing."""
    return run(data, tmp_path_factory.mktemp("whole"), keeps=False)


@pytest.fixture(scope="module")
def keeping(data, tmp_path_factory):
    """A trial that nobody stopped, with its state after every epoch."""
    folder = tmp_path_factory.mktemp("keeping")
    found = run(data, folder)
    # one at a time, and no part of another
    assert [path.name for path in folder.iterdir()] == ["training.npz"]
    return found


@pytest.fixture(scope="module")
def again(data, keeping, tmp_path_factory):
    """A trial that was stopped after its first epoch."""
    return run(data, tmp_path_factory.mktemp("again"), before=keeping.told.states[1])


def test_keeping_changes_no_bit(whole, keeping):
    assert_same_bits(keeping, whole)
    assert list(keeping.told.states) == list(range(1, len(whole.history) + 1))
    # the rules have counted, lowered the rate and ended the training
    rates = [row["learning_rate"] for row in whole.history]
    assert len(rates) > 5
    assert rates[-1] < rates[0]


def test_a_stopped_trial_goes_on_with_the_same_bits(whole, again):
    assert_same_bits(again, whole)
    (resumed,) = again.told.of("resumed")
    assert resumed["epoch"] == 1
    assert resumed["seconds"] > 0
    assert again.told.of("epoch")[0]["epoch"] == 2


def test_a_trial_may_be_stopped_again(data, whole, again, tmp_path):
    found = run(data, tmp_path, before=again.told.states[4])
    assert_same_bits(found, whole)
    assert found.told.of("epoch")[0]["epoch"] == 5


def test_a_trial_whose_training_was_over_is_not_trained_again(data, whole, keeping, tmp_path):
    found = run(data, tmp_path, before=keeping.told.states[len(whole.history)])
    assert_same_bits(found, whole)
    assert not found.told.of("epoch")


@pytest.mark.only_on("torch")
def test_a_module_of_pytorch_goes_on_with_the_same_bits(data, tmp_path):
    whole = run(data, tmp_path, make=build_module)
    found = run(data, tmp_path, before=whole.told.states[2], make=build_module)
    assert_same_bits(found, whole)


def flip(content):
    content[len(content) // 2] ^= 1


def cut(content):
    del content[-100:]


def start(folder, content, of="one", width=6):
    """Why a trial that is given a state starts over; None where it goes on."""
    told = Told(folder / "training.npz")
    model = build(width=width)
    model.compile(keras.optimizers.Adam(), "mse")
    keep = Keep(folder / "training.npz", of, saved(folder, content))
    keeper = kept.Keeper(keep, model, [], history := [], EPOCHS, told)
    assert (keeper.epoch > 0) == bool(history) == bool(told.of("resumed"))
    return told.of("over")[0]["reason"] if told.of("over") else None


@pytest.mark.parametrize("spoil", [flip, cut, bytearray.clear])
def test_a_damaged_state_means_starting_over(keeping, tmp_path, spoil):
    content = bytearray(keeping.told.states[2])
    assert start(tmp_path, content) is None
    spoil(content)
    assert start(tmp_path, content) == "what was kept is damaged"


def test_another_trial_s_state_means_starting_over(keeping, tmp_path):
    assert "another machine" in start(tmp_path, keeping.told.states[2], of="another")
    assert start(tmp_path, keeping.told.states[2], width=8) == "what was kept is damaged"


def test_a_pickle_means_starting_over(tmp_path):
    np.savez(tmp_path / "pickled.npz", notes=np.array([{"of": "one"}], dtype=object))
    content = (tmp_path / "pickled.npz").read_bytes()
    assert start(tmp_path, content) == "what was kept is damaged"


def test_a_state_too_large_is_not_kept_and_said_once(data, tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "MAX_KEPT_BYTES", 1000)
    (unkept,) = run(data, tmp_path).told.of("unkept")
    assert "at most" in unkept["reason"]
    assert not list(tmp_path.iterdir())


def test_a_large_state_is_kept_less_often(data, keeping, tmp_path, monkeypatch):
    with np.load(io.BytesIO(keeping.told.states[1])) as file:
        size = sum(len(file[name]) for name in file.files if name != "notes")
    monkeypatch.setattr(kept, "MAX_KEPT_WRITTEN", size * EPOCHS // 2)
    epochs = list(run(data, tmp_path).told.states)
    last = len(keeping.history)
    # its size is known once the first is written
    assert epochs == sorted({1, *range(2, last, 2), last})


@pytest.mark.only_on("tensorflow")
def test_random_states_that_nobody_can_read_are_found(tmp_path):
    import tensorflow as tf

    class Noisy(layers.Layer):
        def call(self, x):
            return x + tf.random.normal(tf.shape(x))

    file = tmp_path / "m.py"
    file.write_text("import tensorflow as tf\n")
    inputs = keras.Input((LENGTH, 4))
    noisy = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(Noisy()(inputs))))
    assert "RandomStandardNormal has a random state" in hidden_draws(noisy, (LENGTH, 4), file)
    assert hidden_draws(build(), (LENGTH, 4), file) == ""
