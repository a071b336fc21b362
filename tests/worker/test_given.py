"""Weights from elsewhere: the network's own are taken, any others are refused in one line."""

from __future__ import annotations

import pickle

import keras
import numpy as np
import pytest
from keras import layers

from motifidelity.worker.report import SubmissionError
from motifidelity.worker.training.given import take_weights

pytestmark = pytest.mark.backends
LENGTH = 30
SEQUENCES = np.eye(4, dtype=np.float32)[np.random.default_rng(0).integers(0, 4, (5, LENGTH))]
on_torch = pytest.mark.only_on("torch")


def build(width=6, *, deep=False):
    x = inputs = keras.Input((LENGTH, 4))
    x = layers.Conv1D(width, 5, use_bias=False)(x)
    x = layers.Dropout(0.2)(layers.BatchNormalization()(x))
    x = layers.GlobalMaxPooling1D()(x)
    if deep:
        x = layers.Dense(7)(x)
    return keras.Model(inputs, layers.Dense(2)(x))


def answers(model):
    return keras.ops.convert_to_numpy(model(SEQUENCES, training=False))


def refused(model, path):
    with pytest.raises(SubmissionError) as error:
        take_weights(model, path, "my.py")
    message = str(error.value)
    assert message.startswith(f"{path.name}: ")
    assert "\n" not in message
    assert "; " in message  # what is wrong, and what to do
    return message


@pytest.fixture
def saved(tmp_path):
    def save(model, name="my.weights.h5"):
        model.save_weights(tmp_path / name)
        return tmp_path / name

    return save


def test_a_network_with_given_weights_answers_as_the_one_that_they_were_saved_from(saved):
    trained, fresh = build(), build()
    assert not np.array_equal(answers(trained), answers(fresh))
    take_weights(fresh, saved(trained), "my.py")
    np.testing.assert_array_equal(answers(fresh), answers(trained))


def test_what_an_optimiser_left_beside_the_weights_does_not_matter(saved):
    trained, fresh = build(), build()
    trained.compile("adam", "mse")
    trained.fit(SEQUENCES, np.zeros((5, 2)), verbose=0)
    take_weights(fresh, saved(trained), "my.py")
    np.testing.assert_array_equal(answers(fresh), answers(trained))


def test_names_of_layers_do_not_matter(saved):
    [build() for _ in range(2)]
    fresh = build()
    path = saved(build())
    take_weights(fresh, path, "my.py")


def test_another_shape_is_named(saved):
    message = refused(build(), saved(build(width=8)))
    assert "batch_normalization/vars/0 has shape (8,), and (6,) in the network of my.py" in message
    assert "--param" in message


def test_a_layer_too_few_or_too_many_is_named(saved):
    assert "lacks 'layers/dense_1/" in refused(build(deep=True), saved(build()))
    assert "holds 'layers/dense_1/" in refused(build(), saved(build(deep=True)))


def test_a_whole_model_is_told_from_weights(tmp_path):
    import h5py

    # as Keras 2 saved models
    with h5py.File(tmp_path / "old.weights.h5", "w") as file:
        file.attrs["model_config"] = "{}"
        file.create_group("model_weights")
    assert "a whole model" in refused(build(), tmp_path / "old.weights.h5")
    build().save(tmp_path / "my.keras")
    renamed = (tmp_path / "my.keras").rename(tmp_path / "zip.weights.h5")
    assert "no HDF5 file" in refused(build(), renamed)


@pytest.mark.parametrize("content", [b"", b"junk" * 99, b"\x89HDF\r\n\x1a\n" + b"\0" * 50])
def test_a_damaged_file_is_one_line(tmp_path, content):
    path = tmp_path / "my.weights.h5"
    path.write_bytes(content)
    assert "no HDF5 file" in refused(build(), path)


def test_arrays_of_other_types_are_one_line(saved):
    import h5py

    path = saved(build())
    with h5py.File(path, "a") as file:
        name = next(name for name in found(file) if file[name].shape == (5, 4, 6))
        del file[name]
        file[name] = np.full((5, 4, 6), b"text")
    assert "cannot load it" in refused(build(), path)


def found(file):
    import h5py

    names = []
    file.visititems(lambda n, item: names.append(n) if isinstance(item, h5py.Dataset) else None)
    return names


def test_the_other_framework_s_file_is_refused(tmp_path):
    (tmp_path / "my.pt").write_bytes(b"")
    assert "is Keras's" in refused(build(), tmp_path / "my.pt")


def module(width=6):
    import torch

    from motifidelity.worker.frozen.backends.module import ModuleModel

    class Module(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = torch.nn.Conv1d(4, width, 5)
            self.norm = torch.nn.BatchNorm1d(width)
            self.last = torch.nn.Linear(width, 2)

        def forward(self, x):
            return self.last(self.norm(self.first(x.transpose(1, 2))).amax(dim=2))

    model = ModuleModel(Module())
    answers(model)
    return model


@on_torch
def test_a_module_takes_its_state_dict(tmp_path):
    import torch

    trained, fresh = module(), module()
    with torch.no_grad():
        trained.submitted.norm.running_mean.fill_(0.3)
    torch.save(trained.submitted.state_dict(), tmp_path / "my.pt")
    take_weights(fresh, tmp_path / "my.pt", "my.py")
    np.testing.assert_array_equal(answers(fresh), answers(trained))


@on_torch
def test_other_files_of_pytorch_are_one_line_each(tmp_path, saved):
    import torch

    path, state = tmp_path / "my.pt", module().submitted.state_dict()
    torch.save(module(width=8).submitted.state_dict(), path)
    assert "first.weight has shape (8, 4, 5), and (6, 4, 5)" in refused(module(), path)
    torch.save({k: v for k, v in state.items() if k != "last.bias"}, path)
    assert "lacks 'last.bias' (of 9 arrays)" in refused(module(), path)
    torch.save({**state, "more": torch.zeros(1)}, path)
    assert "holds 'more' (of 10 arrays)" in refused(module(), path)
    torch.save({"state_dict": state, "epoch": 3}, path)
    assert "no state_dict but a dict with 'state_dict', 'epoch'" in refused(module(), path)
    torch.save(torch.nn.Linear(4, 1), path)
    assert "no state_dict" in refused(module(), path)
    path.write_bytes(b"")
    assert "no state_dict" in refused(module(), path)
    assert "is PyTorch's" in refused(module(), saved(build()))


class Evil:
    """What a pickle runs when it is loaded."""

    ran = False

    def __reduce__(self):
        return (_run, ())


def _run():
    Evil.ran = True
    return {}


@on_torch
def test_a_pickle_is_never_run(tmp_path):
    path = tmp_path / "my.pt"
    path.write_bytes(pickle.dumps(Evil()))
    assert "a pickle of other things than tensors" in refused(module(), path)
    assert not Evil.ran
