"""Answers to replaced bases, and maps of random weights, against plain loops and closed forms."""

from __future__ import annotations

import keras
import networks
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from motifidelity.worker.frozen.freeze import freeze
from motifidelity.worker.frozen.network import FrozenNetwork
from motifidelity.worker.probing.answers import importance, write_curves
from motifidelity.worker.probing.attribution import METHODS
from motifidelity.worker.probing.randomise import permute_weights, write_randomised
from motifidelity.worker.probing.shuffles import dinucleotide_shuffle

LENGTH, CLASSES = networks.LENGTH, 3
COUNTS = [0, 3, 10, LENGTH]
SETTINGS = {
    "methods": {"saliency": "observed", "ism": "norm"},
    "counts": COUNTS,
    "resamples": 4,
    "perturbations": 6,
    "window": 7,
}


@pytest.fixture(scope="module")
def frozen(tmp_path_factory):
    keras.utils.set_random_seed(5)
    inputs = keras.Input((LENGTH, 4))
    x = layers.Conv1D(6, 5, activation="exponential")(inputs)
    x = layers.Flatten()(layers.BatchNormalization()(x))
    model = keras.Model(inputs, layers.Dense(CLASSES)(x))
    folder = tmp_path_factory.mktemp("frozen")
    freeze(model, (LENGTH, 4), "model.py").write(folder)
    return folder / "graph.pb", folder / "network.json"


@pytest.fixture(scope="module")
def network(frozen):
    return FrozenNetwork(*frozen)


@pytest.fixture(scope="module")
def codes():
    return np.random.default_rng(3).integers(0, 4, (5, LENGTH)).astype(np.uint8)


@pytest.fixture(scope="module")
def maps(codes):
    rng = np.random.default_rng(4)
    shape = (len(codes) + 2, LENGTH, 4, CLASSES)  # more sequences were explained than are tested
    return {name: rng.normal(size=shape).astype(np.float32) for name in ("saliency", "ism")}


@pytest.fixture(scope="module")
def written(network, codes, maps, tmp_path_factory):
    out = tmp_path_factory.mktemp("curves")
    write_curves(network, codes, maps, SETTINGS, out, lambda *_, **__: None)
    return {path.stem: np.load(path, allow_pickle=False) for path in out.glob("*.npy")}


def logit(network, codes):
    return network.logits(np.eye(4, dtype=np.float32)[codes[None]])[0]


@pytest.mark.parametrize("method", ["saliency", "ism"])
def test_curves_equal_replacing_one_base_after_the_other(method, network, codes, maps, written):
    shuffles = dinucleotide_shuffle(codes, SETTINGS["resamples"], 0)
    for row, sequence in enumerate(codes):
        for c in range(CLASSES):
            entry = maps[method][row, :, :, c]
            if method == "ism":
                size = [np.linalg.norm(entry[p]) for p in range(LENGTH)]
            else:
                size = [entry[p, sequence[p]] for p in range(LENGTH)]
            order = sorted(range(LENGTH), key=lambda p: -size[p])
            for step, count in enumerate(COUNTS):
                deleted, inserted = [], []
                for shuffle in shuffles[row]:
                    mixed, back = sequence.copy(), shuffle.copy()
                    for p in order[:count]:
                        mixed[p], back[p] = shuffle[p], sequence[p]
                    deleted.append(logit(network, mixed)[c])
                    inserted.append(logit(network, back)[c])
                got = (written[f"{method}_{curve}"][row, c, step] for curve in WAYS)
                expected = (np.mean(deleted), np.mean(inserted))
                np.testing.assert_allclose(list(got), expected, rtol=1e-4, atol=1e-5)


WAYS = ("deletion", "insertion")


def test_curves_of_another_reading_are_those_of_its_order(network, codes, maps, tmp_path):
    """A method whose own importance is the other reading's gets just these curves."""
    entries = maps["ism"]
    mean = entries.mean(axis=2, keepdims=True)
    given = {"saliency": entries, "saliency_hypothetical": maps["saliency"]}
    asked = {
        "signed": {"base": "observed", "centred": True, "hypothetical": False},
        "magnitude": {"base": "norm", "centred": True, "hypothetical": True},
        "alike": {"base": "observed", "centred": False, "hypothetical": False},
    }
    read = {**SETTINGS, "methods": {"saliency": "observed"}, "readings": {"saliency": asked}}
    calls = []

    def report(_, **told):
        calls.extend([told] if told.get("part") == "curves" else [])

    write_curves(network, codes, given, read, tmp_path, report)
    # "alike" orders bases as the method itself does
    assert len(calls) == 3 * len(COUNTS)

    other = maps["saliency"] - maps["saliency"].mean(axis=2, keepdims=True)
    for name, own in (
        ("signed", {"saliency": entries - mean}),
        ("magnitude", {"ism": other}),
        ("alike", {"saliency": entries}),
    ):
        plain = tmp_path / name
        plain.mkdir()
        write_curves(network, codes, own, SETTINGS, plain, lambda *_, **__: None)
        (method,) = own
        for way in WAYS:
            found = np.load(tmp_path / f"saliency_{name}_{way}.npy")
            np.testing.assert_array_equal(found, np.load(plain / f"{method}_{way}.npy"))


def test_deletion_starts_where_insertion_ends(network, codes, written):
    whole = network.logits(np.eye(4, dtype=np.float32)[codes])
    for method in SETTINGS["methods"]:
        down, up = (written[f"{method}_{curve}"] for curve in WAYS)
        np.testing.assert_allclose(down[..., 0], whole, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(up[..., -1], whole, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(down[..., -1], up[..., 0], rtol=1e-5, atol=1e-6)


def test_each_copy_has_one_replaced_window_and_its_change_is_that_of_the_logit(
    network, codes, written
):
    perturbed, changes = written["perturbed"], written["changes"]
    assert perturbed.shape == (len(codes), 6, LENGTH)
    assert perturbed.dtype == np.uint8
    touched = 0
    for sequence, copies, change in zip(codes, perturbed, changes, strict=True):
        for copy, expected in zip(copies, change, strict=True):
            places = np.flatnonzero(copy != sequence)
            touched += len(places)
            assert places.size == 0 or places.max() - places.min() < SETTINGS["window"]
            difference = logit(network, sequence) - logit(network, copy)
            np.testing.assert_allclose(expected, difference, rtol=1e-4, atol=1e-5)
    assert touched > 3 * len(codes) * 6


def test_curves_do_not_depend_on_the_sequences_beside(network, codes, maps, written, tmp_path):
    few = {name: array[2:4] for name, array in maps.items()}
    write_curves(network, codes[2:4], few, SETTINGS, tmp_path, lambda *_, **__: None)
    for name, array in written.items():
        alone = np.load(tmp_path / f"{name}.npy", allow_pickle=False)
        np.testing.assert_allclose(alone, array[2:4], rtol=1e-5, atol=1e-6)


def test_a_method_without_a_map_has_no_curves(network, codes, maps, tmp_path):
    only = {"saliency": maps["saliency"]}
    write_curves(network, codes, only, SETTINGS, tmp_path, lambda *_, **__: None)
    assert not list(tmp_path.glob("ism*"))
    assert (tmp_path / "saliency_deletion.npy").exists()


def test_importance_is_read_as_the_metrics_read_it(codes, maps):
    from motifidelity.metrics.methods import METHODS as READINGS
    from motifidelity.metrics.methods import base_scores

    for method in ("saliency", "ism"):
        mine = importance(maps[method][: len(codes)], codes, READINGS[method].base)
        for c in range(CLASSES):
            theirs = base_scores(method, maps[method][: len(codes), ..., c], codes)
            np.testing.assert_allclose(mine[..., c], theirs, rtol=1e-6)


# random weights


def constants(path, edit=None):
    graph = tf.compat.v1.GraphDef.FromString(path.read_bytes())
    if edit:
        edit(graph)
    kept = {}
    for node in graph.node:
        if node.op == "Const":
            kept[node.name] = tf.make_ndarray(node.attr["value"].tensor)
    return kept


@pytest.mark.backends
def test_permuted_weights_keep_their_values_and_leave_all_else(frozen):
    before, after = constants(frozen[0]), constants(frozen[0], permute_weights)
    assert before.keys() == after.keys()
    moved = 0
    for name, values in before.items():
        assert after[name].shape == values.shape
        np.testing.assert_array_equal(np.sort(after[name], axis=None), np.sort(values, axis=None))
        same = np.array_equal(after[name], values)
        moved += not same
        if values.dtype != np.float32 or values.size == 1:
            assert same
    assert moved >= 2


@pytest.mark.backends
def test_the_edited_network_answers_differently(frozen, network, codes):
    one_hot = np.eye(4, dtype=np.float32)[codes]
    other = FrozenNetwork(*frozen, edit=permute_weights)
    assert np.abs(other.logits(one_hot) - network.logits(one_hot)).max() > 1e-3
    again = FrozenNetwork(*frozen, edit=permute_weights)
    np.testing.assert_array_equal(other.logits(one_hot), again.logits(one_hot))


def test_maps_of_random_weights_are_scaled_per_sequence_and_class(frozen, codes, tmp_path, report):
    one_hot = np.eye(4, dtype=np.float32)[codes]
    methods = {"saliency": {}, "deepshap": {"references": 3}}
    write_randomised(*frozen, one_hot, methods, tmp_path, report)
    other = FrozenNetwork(*frozen, edit=permute_weights)
    for name, settings in methods.items():
        found = np.load(tmp_path / f"{name}_randomised.npy", allow_pickle=False)
        plain = METHODS[name](other, one_hot, settings, report).maps
        np.testing.assert_allclose(np.abs(found).max(axis=(1, 2)), 1, rtol=1e-6)
        ratio = np.abs(plain).max(axis=(1, 2), keepdims=True)
        np.testing.assert_allclose(found * ratio, plain, rtol=1e-4, atol=1e-6)
    parts = {values.get("part") for _, values in report.events}
    assert "random weights" in parts
    assert not list(tmp_path.glob("*hypothetical*"))
    kept = {"deepshap": {"references": 3, "hypothetical": True}}
    write_randomised(*frozen, one_hot, kept, tmp_path, report, hypothetical=("deepshap",))
    found = np.load(tmp_path / "deepshap_randomised_hypothetical.npy", allow_pickle=False)
    plain = METHODS["deepshap"](other, one_hot, kept["deepshap"], report).hypothetical
    ratio = np.abs(plain).max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(found * ratio, plain, rtol=1e-4, atol=1e-6)


def test_noise_belongs_to_the_sequence_and_is_standard_normal(network, codes, report):
    one_hot = np.eye(4, dtype=np.float32)[codes]
    maps = METHODS["random"](network, one_hot, {}, report).maps
    assert maps.shape == (*one_hot.shape, CLASSES)
    alone = METHODS["random"](network, one_hot[3:], {}, report).maps
    np.testing.assert_array_equal(alone, maps[3:])
    other = METHODS["random"](network, one_hot, {"seed": 1}, report).maps
    assert abs(np.corrcoef(maps.ravel(), other.ravel())[0, 1]) < 0.1
    assert abs(maps.mean()) < 5 / np.sqrt(maps.size)
    assert maps.std() == pytest.approx(1, abs=0.1)
