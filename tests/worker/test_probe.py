"""What the probe reads off a network, against brute force and closed forms."""

from __future__ import annotations

import keras
import networks
import numpy as np
import pytest
from keras import layers

from motifidelity.worker.frozen.freeze import freeze
from motifidelity.worker.frozen.network import FrozenNetwork
from motifidelity.worker.probing import filters
from motifidelity.worker.probing.attribution.gradients import saliency
from motifidelity.worker.probing.attribution.mutagenesis import in_silico_mutagenesis
from motifidelity.worker.probing.filters import write_predictions

pytestmark = pytest.mark.backends
LENGTH = networks.LENGTH
SETTINGS = {"window": 20, "half_max": 0.5, "top_sites": 7}


def network_of(model, folder):
    freeze(model, (LENGTH, 4), "model.py").write(folder)
    return FrozenNetwork(folder / "graph.pb", folder / "network.json")


@pytest.fixture(scope="module")
def codes():
    return np.random.default_rng(3).integers(0, 4, (23, LENGTH)).astype(np.uint8)


def test_mutagenesis_equals_one_substitution_at_a_time(codes, tmp_path, report):
    keras.utils.set_random_seed(2)
    model = networks.plain()
    network = network_of(model, tmp_path)
    one_hot = np.eye(4, dtype=np.float32)[codes[:5]]
    maps = in_silico_mutagenesis(network, one_hot, {}, report).maps
    original = networks.predicted(model, one_hot)
    expected = np.zeros_like(maps)
    for i in range(5):
        for base in range(LENGTH):
            mutants = np.repeat(one_hot[i][None], 4, axis=0)
            mutants[:, base] = np.eye(4)
            change = networks.predicted(model, mutants) - original[i]
            change[codes[i, base]] = 0
            expected[i, base] = change
    np.testing.assert_allclose(maps, expected, atol=2e-6)
    assert (maps[np.arange(5)[:, None], np.arange(LENGTH), codes[:5]] == 0).all()


def test_saliency_of_a_linear_network_is_its_weights(codes, tmp_path, report):
    inputs = keras.Input((LENGTH, 4))
    model = keras.Model(inputs, layers.Dense(3)(layers.Flatten()(inputs)))
    network = network_of(model, tmp_path)
    one_hot = np.eye(4, dtype=np.float32)[codes]
    weights = model.layers[-1].get_weights()[0].reshape(LENGTH, 4, 3)
    maps = saliency(network, one_hot, {}, report).maps
    np.testing.assert_allclose(maps, np.broadcast_to(weights, maps.shape), atol=1e-6)


def test_mutagenesis_is_batched_over_sequences(codes, tmp_path, report):
    network = network_of(networks.plain(), tmp_path)
    in_silico_mutagenesis(network, np.eye(4, dtype=np.float32)[np.tile(codes, (2, 1))], {}, report)
    # 20 sequences x 120 mutants fill one call of 2,400
    assert [values["done"] for _, values in report.events] == [20, 40, 46]


def arrays_of(model, codes, folder, report):
    folder.joinpath("frozen").mkdir()
    network = network_of(model, folder / "frozen")
    write_predictions(network, codes, SETTINGS, folder, report)
    return {p.stem: np.load(p, allow_pickle=False) for p in folder.glob("*.npy")}


@pytest.mark.parametrize("batch", [500, 10])
def test_filter_arrays_equal_a_plain_reading_of_their_definition(
    batch, codes, tmp_path, report, monkeypatch
):
    monkeypatch.setattr(filters, "BATCH", batch)
    keras.utils.set_random_seed(4)
    model = networks.plain()
    one_hot = np.eye(4, dtype=np.float32)[codes]
    after = networks.predicted(keras.Model(model.input, model.layers[3].output), one_hot)
    arrays = arrays_of(model, codes, tmp_path, report)
    np.testing.assert_allclose(arrays["logits"], networks.predicted(model, one_hot), atol=1e-5)
    maximum = after.max(axis=(0, 1))
    np.testing.assert_allclose(arrays["filter_max"], maximum, rtol=1e-5)
    np.testing.assert_allclose(arrays["scan_max"], after.max(axis=2), rtol=1e-5)
    mask = np.unpackbits(arrays["above_half_max"], axis=-1, count=8).astype(bool)
    np.testing.assert_array_equal(mask, after > 0.5 * maximum)
    whole = [p for p in range(LENGTH) if p - 10 > 0 and p + 10 < LENGTH]
    for filter_ in range(8):
        sites = [(after[s, p, filter_], s, p) for s in range(len(codes)) for p in whole]
        best = sorted(sites, reverse=True)[:7]
        values = [after[s, p, filter_] for s, p in arrays["top_sites"][filter_]]
        np.testing.assert_allclose(values, [value for value, _, _ in best], rtol=1e-5)


def test_scan_of_a_strided_convolution_lies_on_its_own_bases(codes, tmp_path, report):
    arrays = arrays_of(networks.strided_valid(), codes, tmp_path, report)
    bases = np.arange(3, 3 + 17 * 2, 2)
    others = np.setdiff1d(np.arange(LENGTH), bases)
    lowest = arrays["scan_max"].min(axis=1, keepdims=True)
    np.testing.assert_array_equal(
        arrays["scan_max"][:, others], np.broadcast_to(lowest, (len(codes), len(others)))
    )
    assert not arrays["above_half_max"][:, others].any()
    assert np.isin(arrays["top_sites"][..., 1], bases).all()


def test_fewer_whole_windows_than_asked_for_are_padded(codes, tmp_path, report):
    settings = SETTINGS | {"window": 38}
    network = network_of(networks.plain(), tmp_path)
    write_predictions(network, codes[:4], settings, tmp_path, report)
    sites = np.load(tmp_path / "top_sites.npy")
    # only base 20 has a whole window of 38 with start > 0 and end < 40, in four sequences
    assert (sites[:, :4, 1] == 20).all()
    assert (sites[:, 4:] == -1).all()


def test_network_without_convolution_leaves_no_filter_arrays(codes, tmp_path, report):
    assert set(arrays_of(networks.attention(), codes, tmp_path, report)) == {"logits"}
