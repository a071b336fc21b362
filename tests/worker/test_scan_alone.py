"""Logits where a network's filter scan alone sees a sequence, on every backend."""

from __future__ import annotations

import dataclasses
import json

import keras
import networks
import numpy as np
import pytest
from keras import layers, ops

from motifidelity.metrics.filters.scan_reliance import score_reliance
from motifidelity.worker.arrays import SCAN_LOGITS
from motifidelity.worker.frozen.freeze import freeze
from motifidelity.worker.frozen.network import FrozenNetwork
from motifidelity.worker.probing.scan_alone import (
    derangement,
    has_other_uses,
    mixed_logits,
    write_scan_logits,
)

pytestmark = pytest.mark.backends
LENGTH, CLASSES = networks.LENGTH, networks.CLASSES
CODES = np.random.default_rng(3).integers(0, 4, (600, LENGTH)).astype(np.uint8)
ONE_HOT = np.eye(4, dtype=np.float32)[CODES]


def frozen(model, folder, motif_layer=None):
    freeze(model, (LENGTH, 4), "model.py", motif_layer).write(folder)
    return FrozenNetwork(folder / "graph.pb", folder / "network.json")


def written(network, folder, report, codes=CODES):
    """Logits, and those where the scan alone sees; None where they are not written."""
    logits = network.logits(np.eye(4, dtype=np.float32)[codes])
    np.save(folder / "logits.npy", logits)
    write_scan_logits(network, codes, folder, report)
    path = folder / f"{SCAN_LOGITS}.npy"
    return logits, np.load(path) if path.exists() else None


def kept(logits, scan_logits):
    """``scan_reliance``, the labels being the network's own answers: its full AUROC is 1."""
    labels = (logits > np.median(logits, axis=0)).astype(np.uint8)
    (score,) = score_reliance(logits, scan_logits, labels, [f"{i}" for i in range(CLASSES)])
    return score.value


@pytest.mark.parametrize(
    "name", [name for name in networks.BUILDERS if name not in ("attention", "two_branches")]
)
def test_what_sees_the_input_through_its_filters_alone_keeps_all(name, tmp_path, report):
    keras.utils.set_random_seed(1)
    network = frozen(networks.BUILDERS[name](), tmp_path)
    assert not has_other_uses(network)
    logits, alone = written(network, tmp_path, report)
    np.testing.assert_array_equal(alone, logits)
    assert kept(logits, alone) == 1.0
    # and where the sequences are exchanged all the same, nothing comes of it
    found = mixed_logits(network)(ONE_HOT[:50], ONE_HOT[50:100])
    np.testing.assert_allclose(found, logits[:50], rtol=1e-4, atol=1e-5)


def test_both_strands_of_one_convolution_are_filters(tmp_path, report):
    keras.utils.set_random_seed(1)
    logits, alone = written(frozen(networks.two_branches(), tmp_path), tmp_path, report)
    np.testing.assert_array_equal(alone, logits)


def test_a_network_without_filters_has_no_such_logits(tmp_path, report):
    assert written(frozen(networks.attention(), tmp_path), tmp_path, report)[1] is None


def branches():
    """Filters, and beside them letters by position."""
    inputs = keras.Input((LENGTH, 4))
    scan = layers.Conv1D(8, 7, padding="same", activation="relu", name="scan")(inputs)
    through = layers.Dense(CLASSES, name="through")(layers.Flatten()(scan))
    beside = layers.Dense(CLASSES, name="beside")(layers.Flatten()(inputs))
    return keras.Model(inputs, through + beside)


def test_an_honest_branch_beside_the_filters_takes_its_share(tmp_path, report):
    keras.utils.set_random_seed(1)
    model = branches()
    one, other = (model.get_layer(name) for name in ("through", "beside"))

    def outputs():
        found = (keras.Model(model.inputs[0], branch.output) for branch in (one, other))
        return [networks.predicted(each, ONE_HOT) for each in found]

    # branches that say as much of each class
    through, beside = outputs()
    kernel, bias = other.get_weights()
    other.set_weights([kernel * through.std(axis=0) / beside.std(axis=0), bias])
    through, beside = outputs()
    network = frozen(model, tmp_path)
    assert has_other_uses(network)
    logits, alone = written(network, tmp_path, report)
    expected = through + beside[derangement(len(CODES))]
    np.testing.assert_allclose(alone, expected, rtol=1e-4, atol=1e-5)
    # of normal logits that correlate by r, those above the median of one have in the other an AUROC
    # of 1 / 2 + 2 asin(r / sqrt(2)) / pi (Sheppard's formula of an orthant)
    r = [np.corrcoef(logits[:, place], alone[:, place])[0, 1] for place in range(CLASSES)]
    assert np.mean(r) == pytest.approx(0.5, abs=0.1)
    assert kept(logits, alone) == pytest.approx(
        np.mean(4 / np.pi * np.arcsin(np.array(r) / np.sqrt(2))), abs=0.05
    )


@keras.saving.register_keras_serializable()
class Hidden(layers.Layer):
    """Its input, behind what no gradient passes."""

    def call(self, x):
        return ops.stop_gradient(x)


def decoy(width=7):
    """An ordinary network behind a stopped gradient, and a scan for show."""
    inputs = keras.Input((LENGTH, 4))
    x = layers.Conv1D(8, width, padding="same", activation="relu")(Hidden()(inputs))
    honest = layers.Dense(CLASSES)(layers.Flatten()(x))
    scan = layers.Conv1D(CLASSES, 9, padding="same", activation="relu", name="scan")(inputs)
    return keras.Model(inputs, honest + 1e-4 * ops.sum(scan, axis=1))


def test_a_scan_for_show_that_the_file_names_keeps_nothing(tmp_path, report):
    keras.utils.set_random_seed(1)
    model = decoy()
    network = frozen(model, tmp_path, model.get_layer("scan"))
    assert abs(kept(*written(network, tmp_path, report))) < 0.15


def test_where_no_layer_is_named_all_first_layers_are_filters(tmp_path, report):
    keras.utils.set_random_seed(1)
    network = frozen(decoy(), tmp_path)
    assert network.manifest.scan.filters == 8 + CLASSES
    logits, alone = written(network, tmp_path, report)
    np.testing.assert_array_equal(alone, logits)


def test_letters_that_are_read_one_by_one_are_another_use(tmp_path, report):
    """A convolution of one column holds no motif, and a network behind it hides nothing."""
    keras.utils.set_random_seed(1)
    network = frozen(decoy(width=1), tmp_path)
    assert network.manifest.notes
    assert abs(kept(*written(network, tmp_path, report))) < 0.15


def test_a_first_layer_that_cannot_be_placed_leaves_the_figure_out(tmp_path, report):
    network = frozen(branches(), tmp_path)
    manifest = json.loads((tmp_path / "network.json").read_text())
    manifest["notes"] = ["1 of 2 first convolutions cannot be placed: its bases cannot be told"]
    (tmp_path / "network.json").write_text(json.dumps(manifest))
    network = FrozenNetwork(tmp_path / "graph.pb", tmp_path / "network.json")
    assert written(network, tmp_path, report)[1] is None


def test_channels_that_no_filter_is_read_from_are_another_use(tmp_path, report):
    """A manifest that calls a tensor a scan, and reads one filter in eight from it."""
    keras.utils.set_random_seed(1)
    network = frozen(networks.strided_valid(), tmp_path)
    scan = network.manifest.scan

    def read(*channels):
        """Logits where so many filters alone see the sequences."""
        part = dataclasses.replace(scan.parts[0], channels=channels, filters=channels)
        few = dataclasses.replace(scan, parts=(part,))
        network.manifest = dataclasses.replace(network.manifest, scan=few)
        assert has_other_uses(network)
        return written(network, tmp_path, report)

    logits, alone = read(2)
    assert kept(logits, alone) < 0.7
    np.testing.assert_allclose(read()[1], logits[derangement(len(CODES))], rtol=1e-4, atol=1e-5)


def test_one_sequence_has_no_other(tmp_path, report):
    assert written(frozen(branches(), tmp_path), tmp_path, report, CODES[:1])[1] is None


def test_a_network_that_breaks_down_tells_nothing(tmp_path, report):
    """Where the sequences that it sees are not one, a logarithm is not finite."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((LENGTH, 4))
    scan = layers.Conv1D(CLASSES, 1, use_bias=False, name="scan")
    value = scan(inputs)
    weights = np.random.default_rng(0).normal(size=(1, 4, CLASSES)).astype("float32")
    scan.set_weights([weights])
    same = ops.sum(ops.abs(value - ops.matmul(inputs, weights[0])), axis=1)
    model = keras.Model(inputs, ops.sum(value, axis=1) * ops.log(0.5 - same))
    network = frozen(model, tmp_path, scan)
    logits, alone = written(network, tmp_path, report)
    assert np.isfinite(logits).all()
    assert np.isfinite(alone).all()
    assert abs(kept(logits, alone)) < 0.15


@pytest.mark.parametrize("number", [2, 3, 7, 600])
def test_every_sequence_gets_another_one_and_each_is_used_once(number):
    others = derangement(number)
    assert sorted(others) == list(range(number))
    assert (others != np.arange(number)).all()
    np.testing.assert_array_equal(others, derangement(number))
