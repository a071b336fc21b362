"""Attribution methods against closed forms, and the invariances that they must have."""

from __future__ import annotations

import json

import keras
import networks
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers
from scipy import stats

from motifidelity.worker.frozen.freeze import freeze
from motifidelity.worker.frozen.network import FrozenNetwork
from motifidelity.worker.probing.attribution import METHODS, write_extra_maps, write_maps
from motifidelity.worker.probing.shuffles import (
    dinucleotide_shuffle,
    mononucleotide_shuffle,
    references,
)

LENGTH, CLASSES = networks.LENGTH, networks.CLASSES
FAST = {
    "smoothgrad": {"samples": 4},
    "integrated_gradients": {"references": 3, "steps": 4},
    "expected_gradients": {"references": 4},
    "deepshap": {"references": 3},
    "paper_ig": {"references": 3, "steps": 4},
    "paper_deepshap": {"references": 3},
}


class Silent:
    def __call__(self, event, **values):
        pass


def network_of(model, folder, length=LENGTH):
    freeze(model, (length, 4), "model.py").write(folder)
    return FrozenNetwork(folder / "graph.pb", folder / "network.json")


def letters(n, length=LENGTH, seed=3):
    return np.eye(4, dtype=np.float32)[np.random.default_rng(seed).integers(0, 4, (n, length))]


def maps_of(network, method, one_hot, **given):
    return METHODS[method](network, one_hot, FAST.get(method, {}) | given, Silent()).maps


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    keras.utils.set_random_seed(2)
    return network_of(networks.plain(), tmp_path_factory.mktemp("plain"))


def quadratic():
    """Logits whose gradient is linear in the input, so that the trapezoidal rule is exact."""
    inputs = keras.Input((LENGTH, 4))
    x = layers.Dense(6)(layers.Flatten()(inputs))
    return keras.Model(inputs, layers.Dense(2)(x * x))


@pytest.fixture(scope="module")
def squares(tmp_path_factory):
    keras.utils.set_random_seed(2)
    return network_of(quadratic(), tmp_path_factory.mktemp("quadratic"))


@pytest.mark.backends
@pytest.mark.parametrize("method", METHODS)
def test_every_method_explains_every_class(method, network):
    maps = maps_of(network, method, letters(3))
    assert maps.shape == (3, LENGTH, 4, CLASSES)
    assert maps.dtype == np.float32
    assert np.isfinite(maps).all()
    assert maps.std() > 0


@settings(max_examples=5, deadline=None)
@given(order=st.permutations(range(6)))
@pytest.mark.parametrize("method", METHODS)
def test_permuting_sequences_permutes_maps(method, order, network):
    one_hot = letters(6)
    order = list(order)
    expected = maps_of(network, method, one_hot)[order]
    got = maps_of(network, method, one_hot[order])
    np.testing.assert_allclose(got, expected, atol=1e-5 * np.abs(expected).max())


class Symmetric(keras.Model):
    """The same logit for a sequence and its reverse complement."""

    def __init__(self):
        super().__init__()
        self.conv = layers.Conv1D(8, 7, padding="same", activation="softplus")
        self.out = layers.Dense(CLASSES)

    def call(self, x, training=False):
        pooled = [keras.ops.max(self.conv(y), axis=1) for y in (x, keras.ops.flip(x, (1, 2)))]
        return self.out(pooled[0] + pooled[1])


@pytest.fixture(scope="module")
def symmetric(tmp_path_factory):
    keras.utils.set_random_seed(6)
    return network_of(Symmetric(), tmp_path_factory.mktemp("symmetric"))


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
@pytest.mark.parametrize(
    "method",
    ["saliency", "gradient_x_input", "gradient_corrected", "ism", "deeplift", "paper_ism"],
)
def test_symmetric_network_gives_symmetric_maps(method, seed, symmetric):
    one_hot = letters(4, seed=seed)
    there = maps_of(symmetric, method, one_hot)
    back = maps_of(symmetric, method, one_hot[:, ::-1, ::-1])
    np.testing.assert_allclose(back[:, ::-1, ::-1], there, atol=1e-5 * np.abs(there).max())


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(-3, 3))
def test_gradient_correction_ignores_what_is_added_to_all_letters(
    seed, scale, squares, tmp_path_factory
):
    """A term in the sum over letters changes no logit difference between sequences."""
    keras.utils.set_random_seed(2)
    model = quadratic()
    weights = scale * np.random.default_rng(seed).normal(size=(LENGTH, 1))
    added = keras.ops.sum(model.input * weights.astype(np.float32), axis=(1, 2))[:, None]
    other = network_of(
        keras.Model(model.input, model.output + added), tmp_path_factory.mktemp("added")
    )
    one_hot = letters(3)
    for method, changes in (("gradient_corrected", False), ("saliency", bool(np.any(weights)))):
        difference = maps_of(other, method, one_hot) - maps_of(squares, method, one_hot)
        assert (np.abs(difference).max() > 1e-4) == changes or abs(scale) < 1e-3


def test_gradient_correction_subtracts_the_mean_over_letters(network):
    raw = maps_of(network, "saliency", letters(3))
    expected = raw - raw.mean(axis=2, keepdims=True)
    np.testing.assert_allclose(maps_of(network, "gradient_corrected", letters(3)), expected)


def test_gradient_x_input_keeps_the_letters_that_are_there(network):
    one_hot = letters(3)
    expected = maps_of(network, "saliency", one_hot) * one_hot[..., None]
    np.testing.assert_array_equal(maps_of(network, "gradient_x_input", one_hot), expected)


def test_smoothgrad_without_noise_is_saliency(network):
    expected = maps_of(network, "saliency", letters(3))
    got = maps_of(network, "smoothgrad", letters(3), sigma=0.0)
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_smoothgrad_averages_noisy_gradients(tmp_path):
    inputs = keras.Input((LENGTH, 4))
    logit = keras.ops.sum(inputs**3, axis=(1, 2))[:, None]
    network = network_of(keras.Model(inputs, logit), tmp_path)
    one_hot = letters(2)
    maps = maps_of(network, "smoothgrad", one_hot, samples=4000, sigma=0.5)[..., 0]
    # E 3 (x + noise)^2 = 3 x^2 + 3 sigma^2; its standard error is at most 0.06
    np.testing.assert_allclose(maps, 3 * one_hot**2 + 0.75, atol=0.35)
    assert abs((maps - 3 * one_hot**2).mean() - 0.75) < 0.02


@pytest.mark.parametrize("reference", ["dinucleotide", "mononucleotide", "uniform", "zero"])
def test_integrated_gradients_are_complete_where_the_rule_is_exact(reference, squares):
    one_hot = letters(4)
    given = {"reference": reference, "references": 3, "steps": 2}
    result = METHODS["integrated_gradients"](squares, one_hot, given, Silent())
    others = references(one_hot, reference, 3, 0)
    at_others = squares.logits(others.reshape(-1, LENGTH, 4)).reshape(4, -1, 2).mean(axis=1)
    gap = squares.logits(one_hot) - at_others
    np.testing.assert_allclose(result.maps.sum(axis=(1, 2)), gap, atol=2e-5)
    np.testing.assert_allclose(result.completeness, 0, atol=2e-5)


def test_integrated_gradients_of_a_quadratic_network_are_deeplift(squares):
    """Both average the gradient between the ends, which is that of the middle."""
    one_hot = letters(4)
    shuffled = {"references": 4, "hypothetical": True}
    path = METHODS["integrated_gradients"](squares, one_hot, shuffled, Silent())
    lift = METHODS["deepshap"](squares, one_hot, shuffled, Silent())
    np.testing.assert_allclose(path.maps, lift.maps, atol=1e-5)
    np.testing.assert_allclose(path.hypothetical, lift.hypothetical, atol=1e-5)


def test_more_steps_shrink_the_completeness_error(network):
    errors = [
        np.abs(
            METHODS["integrated_gradients"](
                network, letters(8), {"references": 2, "steps": steps}, Silent()
            ).completeness
        ).mean()
        for steps in (2, 8, 64)
    ]
    assert errors[0] > errors[1] > errors[2]


def test_expected_gradients_approach_integrated_gradients(squares):
    one_hot = letters(2)
    given = {"reference": "uniform"}
    exact = maps_of(squares, "integrated_gradients", one_hot, **given)
    sampled = maps_of(squares, "expected_gradients", one_hot, references=400, **given)
    np.testing.assert_allclose(sampled, exact, atol=5e-3 * np.abs(exact).max())


def test_studys_integrated_gradients_are_a_mean_gradient(squares):
    """Where the gradient is linear its mean over the path is that of the middle."""
    one_hot = letters(3)
    others = references(one_hot, "mononucleotide", 10, 0)
    middles = (one_hot[:, None] + others) / 2
    expected = squares.gradients(middles.reshape(-1, LENGTH, 4)).reshape(3, 10, LENGTH, 4, 2)
    result = METHODS["paper_ig"](squares, one_hot, {}, Silent())
    np.testing.assert_allclose(result.maps, expected.mean(axis=1), atol=1e-5)


def test_studys_shap_values_lie_at_letters_and_references(squares):
    one_hot = letters(3)
    result = METHODS["paper_deepshap"](squares, one_hot, {}, Silent())
    others = references(one_hot, "mononucleotide", 10, 0)
    middles = (one_hot[:, None] + others) / 2
    multipliers = squares.gradients(middles.reshape(-1, LENGTH, 4)).reshape(3, 10, LENGTH, 4, 2)
    expected = (multipliers * (one_hot[:, None] - others)[..., None]).mean(axis=1)
    np.testing.assert_allclose(result.maps, expected, atol=1e-5)


def test_study_explains_the_sigmoid_output(network):
    one_hot = letters(3)
    output = 1 / (1 + np.exp(-network.logits(one_hot)[:, None, None].astype(np.float64)))
    slope = maps_of(network, "saliency", one_hot) * output * (1 - output)
    np.testing.assert_allclose(maps_of(network, "paper_saliency", one_hot), slope, atol=1e-6)
    logits = network.logits(one_hot)[:, None, None] + maps_of(network, "ism", one_hot)
    change = 1 / (1 + np.exp(-logits.astype(np.float64))) - output
    np.testing.assert_allclose(maps_of(network, "paper_ism", one_hot), change, atol=1e-6)


@pytest.mark.backends
def test_gradients_of_all_classes_equal_those_one_by_one(network):
    one_hot = letters(3)
    together = network.gradients(one_hot)
    for output in range(CLASSES):
        with tf.GradientTape() as tape:
            inputs = tf.constant(one_hot)
            tape.watch(inputs)
            logit = network.symbolic_logits(inputs)[:, output]
        one = tape.gradient(logit, inputs)
        np.testing.assert_allclose(together[..., output], one, atol=1e-6)


def dinucleotides(rows):
    pairs = rows[..., :-1].astype(int) * 4 + rows[..., 1:]
    return np.stack([(pairs == pair).sum(axis=-1) for pair in range(16)], axis=-1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(0, 2**31))
def test_dinucleotide_shuffle_keeps_every_pair_and_both_ends(sequence, seed):
    codes = np.array([sequence], dtype=np.uint8)
    shuffled = dinucleotide_shuffle(codes, 7, seed)
    assert shuffled.shape == (1, 7, len(sequence))
    np.testing.assert_array_equal(dinucleotides(shuffled[0]), np.tile(dinucleotides(codes), (7, 1)))
    assert (shuffled[0, :, [0, -1]] == codes[0, [0, -1]][:, None]).all()
    np.testing.assert_array_equal(shuffled, dinucleotide_shuffle(codes, 7, seed))


def test_dinucleotide_shuffles_are_all_equally_likely():
    """Against all arrangements of a short sequence with the same pairs, listed by brute force."""
    codes = np.array([[0, 1, 0, 0, 2, 1, 2, 0, 1]], dtype=np.uint8)
    every = np.indices((3,) * 9).reshape(9, -1).T
    same = (dinucleotides(every) == dinucleotides(codes)).all(axis=1)
    same &= every[:, 0] == 0
    powers = 3 ** np.arange(9)
    listed = np.sort(every[same] @ powers)
    drawn = dinucleotide_shuffle(codes, 20000, 1)[0].astype(int) @ powers
    found, counts = np.unique(drawn, return_counts=True)
    np.testing.assert_array_equal(found, listed)
    assert stats.chisquare(counts).pvalue > 1e-3


def test_mononucleotide_shuffle_keeps_the_letters():
    codes = np.random.default_rng(0).integers(0, 4, (3, 50)).astype(np.uint8)
    shuffled = mononucleotide_shuffle(codes, 5, 0)
    np.testing.assert_array_equal(
        np.sort(shuffled, axis=2), np.tile(np.sort(codes, axis=1)[:, None], (1, 5, 1))
    )
    assert (shuffled != codes[:, None]).any(axis=2).all()


def test_arrays_are_written_with_the_settings_asked_for(network, tmp_path, report):
    one_hot = letters(3)
    methods = {"deepshap": {"references": 2, "hypothetical": True}, "saliency": {}}
    write_maps(network, one_hot, methods, tmp_path, report)
    written = {path.stem: np.load(path) for path in tmp_path.glob("*.npy")}
    assert set(written) == {
        "deepshap",
        "deepshap_completeness",
        "deepshap_hypothetical",
        "saliency",
    }
    assert written["deepshap_completeness"].shape == (3, CLASSES)
    np.testing.assert_array_equal(
        written["deepshap"], written["deepshap_hypothetical"] * one_hot[..., None]
    )
    assert not (tmp_path / "unsupported.json").exists()
    assert {values["name"] for _, values in report.events} == {"deepshap", "saliency"}
    json.dumps(report.events)


def test_maps_of_extra_sequences_are_those_of_any_others(network, tmp_path, report):
    one_hot = letters(3)
    methods = {"deepshap": {"references": 2, "hypothetical": True}, "ism": {}}
    for name, write in (("maps", write_maps), ("extra", write_extra_maps)):
        (tmp_path / name).mkdir()
        write(network, one_hot, methods, tmp_path / name, report)
    for extra, whole in (
        ("ism_extra", "ism"),
        ("deepshap_extra", "deepshap"),
        ("deepshap_hypothetical_extra", "deepshap_hypothetical"),
    ):
        np.testing.assert_array_equal(
            np.load(tmp_path / "extra" / f"{extra}.npy"),
            np.load(tmp_path / "maps" / f"{whole}.npy"),
        )
    assert len(list((tmp_path / "extra").iterdir())) == 3


def test_unknown_setting_is_named(network):
    with pytest.raises(ValueError, match="no setting refs; choose from reference"):
        METHODS["deepshap"](network, letters(1), {"refs": 3}, Silent())
