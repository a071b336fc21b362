import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motifidelity.metrics.attribution.faithfulness import (
    curve_areas,
    foreseen_changes,
    infidelity,
    score_curves,
    score_infidelity,
)


def table(scores):
    return {score.metric: score for score in scores}


def test_areas_by_hand():
    replaced = [0, 10, 40]
    # Falls from 4 to 0 at once, and from 2 to 0 only in the last step; mean fall 3.
    deletion = np.array([[4.0, 0, 0], [2, 2, 0]])
    insertion = np.array([[0.0, 4, 4], [0, 0, 2]])
    down, up = curve_areas(deletion, insertion, replaced)
    # (10 x 2 + 30 x 4) / 40 / 3 and (30 x 1) / 40 / 3
    assert down == pytest.approx([140 / 120, 30 / 120])
    assert up == pytest.approx([140 / 120, 30 / 120])


def test_an_additive_network_is_worn_down_fastest_in_the_true_order():
    rng = np.random.default_rng(0)
    worth = rng.exponential(size=(50, 200))
    replaced = np.arange(0, 201, 10)

    def curves(order):
        taken = np.cumsum(np.take_along_axis(worth, order, axis=1), axis=1)
        taken = np.pad(taken, ((0, 0), (1, 0)))[:, replaced]
        return table(score_curves("x", worth.sum(axis=1, keepdims=True) - taken, taken, replaced))

    best = curves(np.argsort(-worth, axis=1))
    chance = curves(rng.permuted(np.tile(np.arange(200), (50, 1)), axis=1))
    worst = curves(np.argsort(worth, axis=1))
    for name in ("deletion_area", "insertion_area"):
        assert chance[name].value == pytest.approx(0.5, abs=0.02)
        assert best[name].value > 0.7
        assert worst[name].value < 0.3
        assert (best[name].method, best[name].n) == ("x", 50)


def test_each_class_counts_where_a_sequence_has_it():
    rng = np.random.default_rng(1)
    deletion, insertion = rng.normal(size=(2, 6, 3, 5))
    labels = rng.random((6, 3)) < 0.5
    labels[:2] = [[True, False, True], [False, False, False]]
    replaced = [0, 5, 10, 15, 20]
    got = table(score_curves("x", deletion, insertion, replaced, labels))
    assert got["deletion_area"].n == labels.any(axis=1).sum()
    expected = []
    for c in range(3):
        held = labels[:, c]
        area = np.full(6, np.nan)
        area[held] = curve_areas(deletion[held, c], insertion[held, c], replaced)[0]
        expected.append(area)
    per_sequence = [np.nanmean(row) for row in np.transpose(expected) if not np.isnan(row).all()]
    assert got["deletion_area"].value == pytest.approx(np.mean(per_sequence))
    with pytest.raises(ValueError, match="need the labels"):
        score_curves("x", deletion, insertion, replaced)


def test_a_network_that_nothing_changes_has_no_area():
    got = table(score_curves("x", np.ones((3, 2)), np.ones((3, 2)), [0, 9]))
    assert np.isnan(got["deletion_area"].value)
    assert got["insertion_area"].n == 0


@pytest.mark.parametrize("replaced", [[1, 2, 3], [0, 2, 2], [0, 1]])
def test_steps_that_do_not_rise_from_zero_or_do_not_fit_are_refused(replaced):
    with pytest.raises(ValueError, match=r"replaced must rise|deletion \(2, 3\) must be"):
        curve_areas(np.zeros((2, 3)), np.zeros((2, 3)), replaced)


def linear(rng, m=6, length=30, copies=40):
    """A linear network's sequences, perturbed copies and true changes."""
    weights = rng.normal(size=(length, 4))
    sequences = rng.integers(0, 4, (m, length), dtype=np.uint8)
    perturbed = np.repeat(sequences[:, None], copies, axis=1)
    other = rng.integers(0, 4, perturbed.shape, dtype=np.uint8)
    perturbed = np.where(rng.random(perturbed.shape) < 0.2, other, perturbed)
    place = np.arange(length)
    changes = weights[place, sequences].sum(axis=1)[:, None] - weights[place, perturbed].sum(axis=2)
    return weights, sequences, perturbed, changes


def test_the_gradient_of_a_linear_network_foresees_every_change():
    rng = np.random.default_rng(2)
    weights, sequences, perturbed, changes = linear(rng)
    maps = np.tile(weights, (6, 1, 1))
    np.testing.assert_allclose(foreseen_changes("saliency", maps, sequences, perturbed), changes)
    here = np.take_along_axis(maps, sequences[:, :, None].astype(int), axis=2)
    for method, faithful in (
        ("saliency", 3 * maps),
        ("gradient_corrected", maps - maps.mean(axis=2, keepdims=True)),
        ("ism", maps - here),
    ):
        (score,) = score_infidelity(method, faithful, sequences, perturbed, changes)
        assert (score.metric, score.method, score.n) == ("infidelity", method, 6)
        assert score.value == pytest.approx(0, abs=1e-12)
    (wrong,) = score_infidelity("saliency", -maps, sequences, perturbed, changes)
    assert wrong.value == 1
    (noise,) = score_infidelity(
        "saliency", rng.normal(size=maps.shape), sequences, perturbed, changes
    )
    assert noise.value > 0.8


def test_contributions_count_the_bases_that_change():
    sequences = np.array([[0, 1, 2]], np.uint8)
    perturbed = np.array([[[0, 3, 2], [1, 1, 1]]], np.uint8)
    maps = np.arange(12.0).reshape(1, 3, 4)
    # Entries of the letters that are there 0, 5, 10; base 1 changes first, bases 0 and 2 then.
    foreseen = foreseen_changes("integrated_gradients", maps, sequences, perturbed)
    assert foreseen.tolist() == [[5, 10]]
    # Hypothetical contributions know the new letters: 5 - 7, then 0 - 1 and 10 - 9.
    foreseen = foreseen_changes("integrated_gradients", maps, sequences, perturbed, maps)
    assert foreseen.tolist() == [[-2, 0]]


def test_infidelity_is_the_least_squares_residual():
    rng = np.random.default_rng(3)
    foreseen, actual = rng.normal(size=(2, 20, 15))
    expected = []
    for a, b in zip(foreseen, actual, strict=True):
        scale = max(np.linalg.lstsq(a[:, None], b, rcond=None)[0][0], 0)
        expected.append(np.sum((scale * a - b) ** 2) / np.sum(b**2))
    np.testing.assert_allclose(infidelity(foreseen, actual), expected)
    assert infidelity(np.zeros((1, 3)), np.ones((1, 3))).tolist() == [1]
    assert np.isnan(infidelity(np.ones((1, 3)), np.zeros((1, 3)))).all()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_order_and_strand_change_nothing_and_logits_have_no_unit(seed):
    rng = np.random.default_rng(seed)
    _, sequences, perturbed, changes = linear(rng, m=4)
    maps = rng.normal(size=(4, 30, 4))
    foreseen = foreseen_changes("ism", maps, sequences, perturbed)
    backwards = foreseen_changes(
        "ism", maps[:, ::-1, ::-1], 3 - sequences[:, ::-1], 3 - perturbed[:, :, ::-1]
    )
    np.testing.assert_allclose(backwards, foreseen)
    order = rng.permutation(4)
    np.testing.assert_allclose(
        infidelity(foreseen[order], changes[order]), infidelity(foreseen, changes)[order]
    )
    deletion, insertion = rng.normal(size=(2, 4, 3))
    areas = np.array(curve_areas(deletion, insertion, [0, 1, 2]))
    scaled = np.array(curve_areas(5 * deletion + 3, 5 * insertion - 1, [0, 1, 2]))
    np.testing.assert_allclose(scaled, areas)


def test_what_does_not_fit_is_refused():
    _, sequences, perturbed, changes = linear(np.random.default_rng(4))
    maps = np.zeros((6, 30, 4))
    with pytest.raises(ValueError, match="perturbed"):
        score_infidelity("ism", maps, sequences, perturbed[..., :-1], changes)
    with pytest.raises(ValueError, match="changes"):
        score_infidelity("ism", maps, sequences, perturbed, changes[:, :-1])
    with pytest.raises(ValueError, match="labels"):
        curve_areas(np.zeros((2, 3)), np.zeros((2, 3)), [0, 1, 2], np.ones((3, 3), bool))
    with pytest.raises(ValueError, match="nan or infinity"):
        curve_areas(np.zeros((2, 3)) * np.nan, np.zeros((2, 3)), [0, 1, 2])
