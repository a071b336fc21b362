"""How maps are read: on a linear network, where every method knows everything, all say the same."""

from __future__ import annotations

import numpy as np
import pytest

from motifidelity.metrics.methods import METHODS, base_scores
from motifidelity.metrics.readings import OWN, READINGS, has_reading, read_maps
from motifidelity.tasks import spec

M, L = 5, 12
RNG = np.random.default_rng(3)
CODES = RNG.integers(0, 4, (M, L)).astype(np.uint8)
WEIGHTS = RNG.normal(size=(L, 4))
THERE = np.eye(4)[CODES]
CENTRED = WEIGHTS - WEIGHTS.mean(1, keepdims=True)
# the logit of a linear network is the sum of its weights at the letters that are there
GRADIENT = np.broadcast_to(WEIGHTS, (M, L, 4))
CHANGES = GRADIENT - (GRADIENT * THERE).sum(2, keepdims=True)
# against a reference of all four letters in equal parts
HYPOTHETICAL = np.broadcast_to(CENTRED, (M, L, 4))
CONTRIBUTION = HYPOTHETICAL * THERE
MAPS = {"gradient": GRADIENT, "changes": CHANGES, "contribution": CONTRIBUTION}
# entries of a contribution are shares of a difference of logits, and mean what they are
LETTERS = [
    (name, MAPS[m.quantity])
    for name, m in METHODS.items()
    if m.quantity not in (None, "contribution")
]
QUANTITIES = [(name, MAPS[m.quantity]) for name, m in METHODS.items() if m.quantity is not None]


@pytest.mark.parametrize(("method", "maps"), QUANTITIES)
def test_every_method_reads_a_linear_network_alike(method, maps):
    expected = (CENTRED * THERE).sum(2)
    scale = 4 / 3 if METHODS[method].quantity == "changes" else 1.0
    signed = read_maps(method, maps, CODES, "signed", HYPOTHETICAL)
    np.testing.assert_allclose(signed, scale * expected)
    size = read_maps(method, maps, CODES, "magnitude", HYPOTHETICAL)
    np.testing.assert_allclose(size, np.broadcast_to(np.linalg.norm(CENTRED, axis=1), (M, L)))


def test_the_signed_reading_of_mutagenesis_is_minus_the_mean_of_the_three_changes():
    others = CHANGES[~THERE.astype(bool)].reshape(M, L, 3)
    np.testing.assert_allclose(read_maps("ism", CHANGES, CODES, "signed"), -others.mean(2))


@pytest.mark.parametrize("reading", READINGS[1:])
@pytest.mark.parametrize(("method", "maps"), LETTERS)
def test_what_says_nothing_of_letters_changes_no_reading(method, maps, reading):
    shift = RNG.normal(size=(M, L, 1))
    found = read_maps(method, maps + shift, CODES, reading)
    np.testing.assert_allclose(found, read_maps(method, maps, CODES, reading), atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_the_own_reading_is_the_method_s(method):
    maps = RNG.normal(size=(M, L, 4))
    np.testing.assert_array_equal(
        read_maps(method, maps, CODES, OWN), base_scores(method, maps, CODES)
    )


def test_a_reading_that_a_method_has_not_is_none():
    for name, method in METHODS.items():
        for reading in READINGS:
            for hypothetical in (None, HYPOTHETICAL):
                found = read_maps(name, CONTRIBUTION, CODES, reading, hypothetical)
                there = has_reading(name, reading, hypothetical=hypothetical is not None)
                assert (found is not None) == there
        if name in ("saliency", "random") or method.paper_maps:
            assert not has_reading(name, "signed", hypothetical=True)
    assert not has_reading("deepshap", "magnitude", hypothetical=False)
    with pytest.raises(ValueError, match="no reading 'loud'; choose one of own, signed, magn"):
        read_maps("ism", CHANGES, CODES, "loud")


def test_the_study_s_tasks_have_the_study_s_readings():
    for task in spec.all_specs().values():
        by_study = task.id in ("motif-classes@1", "regulatory-code@1")
        assert task.attribution.readings == ((OWN,) if by_study else READINGS)
