"""Sites have the letters of their matrices, and decoys none of their meaning."""

from __future__ import annotations

import numpy as np
import pytest

from motifidelity.tasks.engine.draws import Draws
from motifidelity.tasks.engine.sites import MUTATED, PERMUTED, TRUE, SiteTable, tempered

ONE = np.array([[0.7, 0.1, 0.25], [0.1, 0.7, 0.25], [0.1, 0.1, 0.25], [0.1, 0.1, 0.25]])
OTHER = np.array([[0.0, 0.4], [0.0, 0.3], [1.0, 0.2], [0.0, 0.1]])


@pytest.fixture
def table():
    return SiteTable([ONE, OTHER])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_letters_come_from_the_tempered_matrix(table, temperature):
    motif = np.tile([0, 1], 20_000)
    letters = table.draw(Draws(1), motif, np.full(len(motif), temperature))
    for number, ppm in enumerate((ONE, OTHER)):
        for column in range(ppm.shape[1]):
            mine = (motif[letters.site] == number) & (letters.offset == column)
            shares = np.bincount(letters.codes[mine], minlength=4) / mine.sum()
            power = ppm[:, column] ** (1 / temperature)
            assert shares == pytest.approx(power / power.sum(), abs=0.015)


def test_a_matrix_at_temperature_one_is_itself():
    np.testing.assert_allclose(tempered(ONE, 1.0), ONE)
    assert tempered(ONE, 0.5)[0, 0] == pytest.approx(0.49 / 0.52)


def test_bits_are_summed_over_a_site(table):
    motif = np.array([1, 0])
    letters = table.draw(Draws(3), motif, np.ones(2))
    codes = [letters.codes[letters.site == s] for s in (0, 1)]
    expected = [
        sum(np.log2(ppm[c, i] / 0.25) for i, c in enumerate(mine))
        for ppm, mine in zip((OTHER, ONE), codes, strict=True)
    ]
    assert table.bits(motif, letters) == pytest.approx(expected)


def test_decoys_of_each_kind():
    rng = np.random.default_rng(1)
    ppm = rng.dirichlet(np.full(4, 0.4), 9).T
    table, motif = SiteTable([ppm]), np.zeros(3000, np.intp)
    letters = table.draw(Draws(4), motif, np.ones(3000))
    kind = np.tile([TRUE, PERMUTED, MUTATED], 1000)
    decoys = table.as_decoys(Draws(5), motif, letters, kind)
    before, after = (one.codes.reshape(-1, 9) for one in (letters, decoys))
    assert (before[kind == TRUE] == after[kind == TRUE]).all()
    # the same letters, in another order
    mine = kind == PERMUTED
    assert (np.sort(before[mine]) == np.sort(after[mine])).all()
    assert (before[mine] != after[mine]).any(axis=1).mean() > 0.9
    # the complement at the two columns of the highest information
    mine = kind == MUTATED
    entropy = -(ppm * np.log2(np.maximum(ppm, 1e-300))).sum(axis=0)
    columns = np.sort(np.argsort(entropy)[:2])
    assert (np.flatnonzero((before[mine] != after[mine]).any(axis=0)) == columns).all()
    assert (after[mine][:, columns] == 3 - before[mine][:, columns]).all()
    gc = [np.isin(one[mine], (1, 2)).mean() for one in (before, after)]
    assert gc[0] == gc[1]
