"""The exact function: by hand, by brute force, and the same on both strands."""

from __future__ import annotations

import numpy as np
import pytest

from motifidelity.tasks.engine.affinity import PSEUDO, Affinity, nats

LENGTH = 18


@pytest.fixture(scope="module")
def function():
    rng = np.random.default_rng(2)
    ppms = {name: rng.dirichlet(np.full(4, 0.5), width).T for name, width in (("A", 4), ("B", 6))}
    return Affinity(ppms, {"A": 3.0, "B": 4.0}, {"A": 1.0, "B": -0.8}, [("A", "B", 1.8)])


@pytest.fixture(scope="module")
def codes():
    return np.random.default_rng(3).integers(0, 4, (5, LENGTH)).astype(np.uint8)


def by_hand(function, row):
    """The target of one sequence, site by site."""
    p = {}
    for name, ppm in function.ppms.items():
        z, width = 0.0, ppm.shape[1]
        for letters in (row, 3 - row[::-1]):
            for start in range(len(row) - width + 1):
                s = sum(
                    np.log((ppm[letters[start + i], i] + PSEUDO) / (1 + 4 * PSEUDO) / 0.25)
                    for i in range(width)
                )
                z += np.exp(s - function.offsets[name])
        p[name] = z / (1 + z)
    return p["A"] - 0.8 * p["B"] + 1.8 * p["A"] * p["B"]


def test_the_target_is_the_formula(function, codes):
    assert function(codes) == pytest.approx([by_hand(function, row) for row in codes])


def test_both_strands_have_one_target(function, codes):
    np.testing.assert_allclose(function(3 - codes[:, ::-1]), function(codes), rtol=1e-12)


def test_every_substitution_is_what_evaluating_it_again_gives(function, codes):
    found = function.substitutions(codes)
    assert found.shape == (*codes.shape, 4)
    for row, sequence in enumerate(codes):
        for place in range(LENGTH):
            for letter in range(4):
                other = sequence.copy()
                other[place] = letter
                change = by_hand(function, other) - by_hand(function, sequence)
                assert found[row, place, letter] == pytest.approx(change, abs=1e-10)


def test_log_odds_are_finite_where_a_letter_never_occurs():
    ppm = np.array([[1.0], [0.0], [0.0], [0.0]])
    assert nats(ppm)[1, 0] == pytest.approx(np.log(PSEUDO / (1 + 4 * PSEUDO) / 0.25))
