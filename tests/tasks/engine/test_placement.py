"""Blocks lie anywhere, edges included, and never on each other."""

from __future__ import annotations

import numpy as np
import pytest

from motifidelity.tasks.engine.draws import Draws
from motifidelity.tasks.engine.placement import place_blocks


def test_blocks_never_overlap_and_stay_inside():
    rng = np.random.default_rng(0)
    owner = np.sort(rng.integers(0, 300, 900))
    widths = rng.integers(5, 20, 900)
    shuffled = rng.permutation(900)
    owner, widths = owner[shuffled], widths[shuffled]
    starts = place_blocks(Draws(3), owner, widths, 250)
    for row in range(300):
        mine = np.flatnonzero(owner == row)
        covered = np.concatenate(
            [np.arange(starts[i], starts[i] + widths[i]) for i in mine] or [np.zeros(0, int)]
        )
        assert len(np.unique(covered)) == len(covered)
        assert not len(covered) or (covered.min() >= 0 and covered.max() < 250)


def test_a_lone_block_lies_anywhere_evenly():
    starts = place_blocks(Draws(4), np.arange(44_000), np.full(44_000, 10), 20)
    counts = np.bincount(starts, minlength=11)
    assert len(counts) == 11
    assert counts == pytest.approx(4000, abs=5 * np.sqrt(4000))


def test_of_two_blocks_either_comes_first():
    owner = np.repeat(np.arange(20_000), 2)
    starts = place_blocks(Draws(5), owner, np.tile([3, 9], 20_000), 12).reshape(-1, 2)
    # no base is free: only the order is left, and a tie is broken evenly
    first = (starts[:, 0] == 0).mean()
    assert first == pytest.approx(0.5, abs=0.015)
    assert set(map(tuple, starts)) == {(0, 3), (9, 0)}


def test_blocks_that_are_longer_than_the_sequence_are_refused():
    with pytest.raises(ValueError, match="take 21 bases, and it has 20"):
        place_blocks(Draws(1), np.array([0, 0, 1]), np.array([10, 11, 5]), 20)


def test_no_block_has_no_start():
    assert place_blocks(Draws(1), np.zeros(0, int), np.zeros(0, int), 20).shape == (0,)
