"""Designed sequences hold what they say where they say it, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from motifidelity.tasks.engine import designs
from motifidelity.tasks.engine.affinity import nats
from motifidelity.tasks.engine.backgrounds import Background
from motifidelity.tasks.engine.designs import (
    NoFreeBackground,
    configurations,
    consensus,
    ladder,
    site_free,
    strongest_sites,
    write_crossed,
    write_pairs,
    write_singles,
)
from motifidelity.tasks.engine.draws import Draws
from motifidelity.tasks.engine.motif_rules import RULES, Pairs

LENGTH = 250
NAMES = sorted(RULES)
RNG = np.random.default_rng(8)
PPMS = [RNG.dirichlet(np.full(4, 0.3), width).T for width in (8, 11, 9)]


def rule(name, **options):
    return RULES[name](name, "A", "B", **options)


def scores_by_hand(row, ppm):
    """Log-odds of every place on both strands, one after the other."""
    width = ppm.shape[1]
    table = np.log2(ppm / 0.25 + 1e-10)
    return [
        sum(table[c, i] for i, c in enumerate(letters[start : start + width]))
        for letters in (row, 3 - row[::-1])
        for start in range(len(row) - width + 1)
    ]


def test_the_strongest_site_is_of_either_strand():
    codes = Background().draw(Draws(1), 3, 40)
    codes[0, 5:13] = consensus(PPMS[0])
    codes[1, 5:13] = 3 - consensus(PPMS[0])[::-1]
    expected = [[max(scores_by_hand(row, ppm)) for ppm in PPMS] for row in codes]
    assert strongest_sites(codes, PPMS) == pytest.approx(np.array(expected))


def test_backgrounds_are_free_of_every_motif():
    bounds = np.array([6.0, 7.0, 8.0])
    background = Background(gc=(0.4, 0.6))
    drawn = background.draw(Draws(2), 100, LENGTH)
    assert 0.05 < (strongest_sites(drawn, PPMS) < bounds).all(axis=1).mean() < 0.95
    found = site_free(Draws(2), background, PPMS, bounds, LENGTH, count=30)
    assert found.shape == (30, LENGTH)
    for row in found[:5]:
        for ppm, bound in zip(PPMS, bounds, strict=True):
            assert max(scores_by_hand(row, ppm)) < bound
    assert (strongest_sites(found, PPMS) < bounds).all()
    assert len(np.unique(found, axis=0)) == 30


def test_a_bound_that_every_background_reaches_is_refused(monkeypatch):
    monkeypatch.setattr(designs, "TRIES", 3)
    with pytest.raises(NoFreeBackground, match=r"0 of 600 .* raise the log-odds"):
        site_free(Draws(1), Background(), PPMS, np.full(3, -30.0), 40)


@pytest.mark.parametrize(
    ("name", "satisfied", "violated", "on_curve"),
    [
        ("order", range(2, 13), range(2, 13), 4),
        ("orientation", range(2, 13), range(2, 13), 4),
        ("spacing", range(4, 10), range(14, 40), 8),
        ("repressor", range(40, 161, 20), range(21), 8),
    ],
)
def test_configurations_are_all_that_a_rule_is_asked_about(name, satisfied, violated, on_curve):
    found = configurations(rule(name), 230)
    pairs = found.pairs
    assert (found.satisfied == rule(name).satisfied(pairs)).all()
    assert (found.ranked <= found.satisfied | rule(name).violated(pairs)).all()
    for gaps, mine in (
        (satisfied, found.ranked & found.satisfied),
        (violated, found.ranked & ~found.satisfied),
    ):
        assert set(pairs.gap[mine]) == set(gaps)
        # every side and strand that the rule has at that distance, once
        ways = 4 if name in ("order", "orientation") else 8
        assert (np.unique(pairs.gap[mine], return_counts=True)[1] == ways).all()
    columns = (pairs.gap, pairs.second_right, pairs.first_strand, pairs.second_strand)
    assert len(set(zip(*columns, strict=True))) == len(pairs.gap)
    curve, counts = np.unique(pairs.gap[found.on_curve], return_counts=True)
    assert curve.tolist() == list(range(61))
    assert (counts == on_curve).all()


def test_configurations_of_short_sequences_and_of_long_distances():
    found = configurations(rule("repressor"), 70)
    assert set(found.pairs.gap[found.ranked & found.satisfied]) == {40, 60}
    longer = configurations(rule("repressor", far=190), 230)
    assert set(longer.pairs.gap[longer.ranked & longer.satisfied]) == {190}
    wide = configurations(rule("repressor", near=(0, 70), far=85), 230)
    assert set(wide.pairs.gap[wide.ranked & ~wide.satisfied]) == {*range(40), 40, 60}
    assert set(wide.pairs.gap[wide.ranked & wide.satisfied]) == {85, 105, 125, 145}


def test_pairs_lie_as_they_say_and_the_rest_is_background():
    every = configurations(rule("spacing"), 230).pairs
    take = RNG.permutation(len(every.gap))[:60]
    pairs = Pairs(*(getattr(every, c)[take] for c in Pairs.__dataclass_fields__))
    backgrounds = Background().draw(Draws(3), 4, LENGTH)
    ppms = (PPMS[0], PPMS[1])
    codes = write_pairs(Draws(4), backgrounds, ppms, pairs)
    assert codes.shape == (60, 4, LENGTH)
    for row in range(60):
        sites = [
            site if strand[row] == 1 else 3 - site[::-1]
            for site, strand in zip(
                map(consensus, ppms), (pairs.first_strand, pairs.second_strand), strict=True
            )
        ]
        left, right = sites if pairs.second_right[row] else sites[::-1]
        block = np.concatenate([left, np.full(pairs.gap[row], 4), right]).astype(np.uint8)
        for found, background in zip(codes[row], backgrounds, strict=True):
            expected = np.repeat(background[None], LENGTH - len(block) + 1, axis=0)
            for start, one in enumerate(expected):
                there = one[start : start + len(block)]
                there[block < 4] = block[block < 4]
            assert (found == expected).all(axis=1).any()


def test_pairs_lie_anywhere():
    pairs = Pairs(*(np.full(2000, v) for v in (4, True)), *(np.ones(2000, np.int8),) * 2)
    empty = np.zeros((1, 40), np.uint8)
    sure = np.eye(4)[[1, 2, 3]].T
    codes = write_pairs(Draws(5), empty, (sure, sure), pairs)[:, 0]
    start = (codes != 0).argmax(axis=1)
    counts = np.bincount(start, minlength=31)
    assert len(counts) == 31
    assert counts == pytest.approx(2000 / 31, abs=5 * np.sqrt(2000 / 31))


def test_a_ladder_has_the_strengths_that_are_drawn():
    ppm = PPMS[1]
    sites = ladder(Draws(6), ppm, (0.5, 1.25))
    assert sites.shape == (20, 11)
    strength = nats(ppm)[sites, np.arange(11)].sum(axis=1)
    assert (np.diff(strength) >= 0).all()
    # the expected strength of a site drawn from the tempered matrix, between both temperatures
    mean = {
        t: (ppm ** (1 / t) / (ppm ** (1 / t)).sum(axis=0) * nats(ppm)).sum() for t in (0.5, 1.25)
    }
    assert mean[1.25] < strength.mean() < mean[0.5]
    assert len(ladder(Draws(6), ppm, (0.5, 1.25), 7)) == 7


def test_single_sites_take_turns_at_one_place_of_each_background():
    backgrounds = np.zeros((50, 30), np.uint8)
    sites = np.array([[1, 2, 3, 2], [2, 3, 1, 1]], np.uint8)
    codes = write_singles(Draws(7), backgrounds, sites)
    assert codes.shape == (2, 50, 30)
    turned = 0
    for number in range(50):
        # C and G are each other's complement; T's is what the background is of
        places = []
        for site, row in zip(sites, codes[:, number], strict=True):
            fits = [
                (start, strand)
                for start in range(27)
                for strand, letters in ((1, site), (-1, 3 - site[::-1]))
                if (row[start : start + 4] == letters).all()
                and not np.delete(row, np.arange(start, start + 4)).any()
            ]
            assert fits
            places.append(set(fits))
        assert places[0] & places[1]
        turned += all(strand == -1 for _, strand in places[0] & places[1])
    assert 10 < turned < 40


def test_crossed_sites_are_both_what_each_is_alone():
    backgrounds = Background().draw(Draws(8), 6, 60)
    first, second = (ladder(Draws(9), ppm, (0.5, 1.25), 5) for ppm in PPMS[:2])
    both, one, other = write_crossed(Draws(10), backgrounds, first, second[:4])
    assert both.shape == (5, 4, 6, 60)
    assert (one.shape, other.shape) == ((5, 6, 60), (4, 6, 60))
    # where either differs from the background: never in the same places, and both have the two
    by_one, by_other = ((x != backgrounds).any(axis=0) for x in (one, other))
    assert by_one.any(axis=1).all()
    assert by_other.any(axis=1).all()
    assert not (by_one & by_other).any()
    expected = np.where(by_one, one[:, None], np.where(by_other, other[None], backgrounds))
    assert (both == expected).all()
    assert (by_one.sum(axis=1) <= 8).all()
    assert (by_other.sum(axis=1) <= 11).all()
