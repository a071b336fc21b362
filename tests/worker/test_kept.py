"""A trial that was stopped goes on with the bits of one that was not."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from motifidelity.worker.contract import TrainingData
from motifidelity.worker.training import kept
from motifidelity.worker.training.kept import Keep, hidden_draws
from motifidelity.worker.training.recipe import train

pytestmark = pytest.mark.backends
LENGTH, EPOCHS = 30, 7
# labels mean nothing: the score goes up and down, so that the rate falls and the training ends
RECIPE = {
    "learning_rate": 1e-2,
    "batch_size": 25,
    "max_epochs": EPOCHS,
    "monitor": "aupr",
    "stop_patience": 3,
    "rate_patience": 1,
    "rate_factor": 0.2,
    "rate_floor": 1e-7,
}


class Stop(Exception):
    """The end of a process, played."""


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
    """A reporter that plays the end of the process once so many epochs are kept."""

    def __init__(self, stop_after=None):
        self.events = []
        self._stop_after = stop_after

    def __call__(self, event, **values):
        json.dumps(values)
        self.events.append((event, values))
        if event == "kept" and values["epoch"] == self._stop_after:
            raise Stop

    def of(self, kind):
        return [values for event, values in self.events if event == kind]


def run(data, file, *, before=None, stop_after=None, of="one", make=build):
    """Train from the beginning or from what was kept; weights, history, events."""
    model, told = make(), Told(stop_after)
    keep = None if file is None else Keep(file, of, before)
    history = train(model, data, RECIPE, from_logits=True, source="m.py", report=told, keep=keep)
    return state(model), [{k: v for k, v in row.items() if k != "seconds"} for row in history], told


def state(model):
    buffers = getattr(model, "named_buffers", dict)()
    found = [keras.ops.convert_to_numpy(variable) for variable in model.variables]
    return [*found, *(b.detach().cpu().numpy() for _, b in buffers)]


def stopped(data, file, after, *, before=None, make=build):
    with pytest.raises(Stop):
        run(data, file, before=before, stop_after=after, make=make)
    # what another process would have drawn meanwhile
    np.random.random(7)  # noqa: NPY002
    return file.rename(file.with_name(f"after-{after}.npz"))


def assert_same_bits(one, other):
    assert one[1] == other[1]
    for mine, its in zip(one[0], other[0], strict=True):
        assert mine.dtype == its.dtype
        assert mine.tobytes() == its.tobytes()


@pytest.fixture(scope="module")
def whole(data):
    """A trial that nobody stopped, and that keeps nothing."""
    return run(data, None)


def test_the_trial_of_these_tests_lowers_its_rate(whole):
    rates = [row["learning_rate"] for row in whole[1]]
    assert len(rates) > 4
    assert rates[3] < rates[0]


def test_keeping_changes_no_bit(data, whole, tmp_path):
    found = run(data, tmp_path / "training.npz")
    assert_same_bits(found, whole)
    assert [event["epoch"] for event in found[2].of("kept")] == list(range(1, len(whole[1]) + 1))
    assert [path.name for path in tmp_path.iterdir()] == ["training.npz"]


@pytest.mark.parametrize("after", [1, 3])
def test_a_stopped_trial_goes_on_with_the_same_bits(data, whole, tmp_path, after):
    before = stopped(data, tmp_path / "training.npz", after)
    found = run(data, tmp_path / "training.npz", before=before)
    assert_same_bits(found, whole)
    (resumed,) = found[2].of("resumed")
    assert resumed["epoch"] == after
    assert resumed["seconds"] > 0
    assert [event["epoch"] for event in found[2].of("epoch")][:1] == [after + 1]


def test_a_trial_may_be_stopped_again(data, whole, tmp_path):
    file = tmp_path / "training.npz"
    second = stopped(data, file, 3, before=stopped(data, file, 2))
    assert_same_bits(run(data, file, before=second), whole)


def test_a_trial_whose_training_was_over_is_not_trained_again(data, whole, tmp_path):
    before = stopped(data, tmp_path / "training.npz", len(whole[1]))
    found = run(data, tmp_path / "training.npz", before=before)
    assert_same_bits(found, whole)
    assert not found[2].of("epoch")


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="of PyTorch")
def test_a_module_of_pytorch_goes_on_with_the_same_bits(data, tmp_path):
    whole = run(data, None, make=build_module)
    before = stopped(data, tmp_path / "training.npz", 2, make=build_module)
    found = run(data, tmp_path / "training.npz", before=before, make=build_module)
    assert_same_bits(found, whole)


def spoiled(path: Path, spoil) -> Path:
    content = bytearray(path.read_bytes())
    spoil(content)
    path.write_bytes(content)
    return path


def flip(content):
    content[len(content) // 2] ^= 1


def cut(content):
    del content[-100:]


def empty(content):
    content.clear()


@pytest.mark.parametrize("spoil", [flip, cut, empty])
def test_a_damaged_file_means_starting_over(data, whole, tmp_path, spoil):
    before = spoiled(stopped(data, tmp_path / "training.npz", 2), spoil)
    found = run(data, tmp_path / "training.npz", before=before)
    assert_same_bits(found, whole)
    assert found[2].of("over") == [{"reason": "what was kept is damaged"}]


def test_another_trial_s_file_means_starting_over(data, whole, tmp_path):
    before = stopped(data, tmp_path / "training.npz", 2)
    found = run(data, tmp_path / "training.npz", before=before, of="another machine")
    assert_same_bits(found, whole)
    (over,) = found[2].of("over")
    assert "another machine" in over["reason"]


def test_another_network_s_file_and_a_pickle_mean_starting_over(data, tmp_path):
    wide = stopped(data, tmp_path / "training.npz", 1, make=lambda: build(width=8))
    pickled = tmp_path / "pickled.npz"
    np.savez(pickled, notes=np.array([{"of": "one"}], dtype=object))
    for before in (wide, pickled):
        with pytest.raises(Stop):
            run(data, tmp_path / "training.npz", before=before, stop_after=1)
        told = Told()
        kept.Keeper(Keep(tmp_path / "new.npz", "one", before), compiled(), [], [], EPOCHS, told)
        assert told.of("over") == [{"reason": "what was kept is damaged"}]


def compiled():
    model = build()
    model.compile(keras.optimizers.Adam(), "mse")
    return model


def test_a_state_too_large_is_not_kept_and_said_once(data, tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "MAX_KEPT_BYTES", 1000)
    found = run(data, tmp_path / "training.npz")
    (unkept,) = found[2].of("unkept")
    assert "at most" in unkept["reason"]
    assert not list(tmp_path.iterdir())


def test_a_large_state_is_kept_less_often(data, whole, tmp_path, monkeypatch):
    size = sum(array.nbytes for array in whole[0]) * 3
    monkeypatch.setattr(kept, "MAX_KEPT_WRITTEN", size * EPOCHS // 2)
    epochs = [event["epoch"] for event in run(data, tmp_path / "training.npz")[2].of("kept")]
    assert 1 < len(epochs) < len(whole[1])
    assert epochs[-1] == len(whole[1])


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="of TensorFlow")
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
