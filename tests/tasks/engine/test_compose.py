"""Whole sequences: what is in them is what was asked for, where it says it is."""

from __future__ import annotations

import numpy as np
import pytest

from motifidelity.tasks.engine.backgrounds import Background
from motifidelity.tasks.engine.compose import (
    by_chance,
    by_number,
    by_rules,
    place,
    place_at_ends,
    write,
)
from motifidelity.tasks.engine.draws import Draws
from motifidelity.tasks.engine.motif_rules import RULES, Pairs
from motifidelity.tasks.engine.sites import LOOK_ALIKE, MUTATED, PERMUTED, TRUE, SiteTable

LENGTH, COUNT = 250, 1500


@pytest.fixture(scope="module")
def ppms():
    """Eight matrices of one sure letter a column: a site is read off a sequence without doubt."""
    rng = np.random.default_rng(6)
    return [np.eye(4)[rng.integers(0, 4, width)].T for width in (8, 9, 10, 11, 12, 13, 14, 15)]


@pytest.fixture(scope="module")
def table(ppms):
    return SiteTable(ppms)


@pytest.fixture(scope="module")
def rules():
    return [RULES[name](name, f"M{2 * i}", f"M{2 * i + 1}") for i, name in enumerate(sorted(RULES))]


@pytest.fixture(scope="module")
def drawn(rules, table):
    draws = Draws(11)
    numbers = {f"M{i}": i for i in range(8)}
    shares = (0.5, 0.25, 0.2, 0.05)
    composition, labels = by_rules(draws, COUNT, rules, shares, numbers, table.widths, (0.5, 0.5))
    start = place(draws, composition, LENGTH, rules)
    codes, sites = write(draws, composition, start, table, Background(), LENGTH)
    return codes, labels, sites


def consensus(ppm, strand):
    letters = ppm.argmax(axis=0)
    return letters if strand == 1 else 3 - letters[::-1]


def assert_written(codes, sites, ppms):
    for owner, motif, strand, start, end in zip(
        sites.owner, sites.motif, sites.strand, sites.start, sites.end, strict=True
    ):
        assert (codes[owner, start:end] == consensus(ppms[motif], strand)).all()


def test_sites_stand_where_the_table_says_on_the_strand_that_it_says(drawn, ppms):
    codes, _, sites = drawn
    assert_written(codes, sites, ppms)
    assert sites.start.min() == 0
    assert sites.end.max() == LENGTH
    assert sites.bits == pytest.approx(2.0 * (sites.end - sites.start))
    order = np.lexsort((sites.start, sites.owner))
    assert (order == np.arange(len(order))).all()


def test_labels_follow_from_the_sites_as_they_lie(drawn, rules):
    _, labels, sites = drawn
    for number, rule in enumerate(rules):
        by_role = [
            {
                o: i
                for i, o in enumerate(sites.owner)
                if (sites.rule[i], sites.role[i]) == (number, r)
            }
            for r in (0, 1)
        ]
        for owner in range(COUNT):
            a, b = (places.get(owner) for places in by_role)
            if a is not None and b is not None:
                gap = max(sites.start[b] - sites.end[a], sites.start[a] - sites.end[b])
                assert gap >= 0
                right = np.array([sites.start[b] > sites.start[a]])
                pair = Pairs(np.array([gap]), right, sites.strand[[a]], sites.strand[[b]])
                expected = rule.satisfied(pair)[0]
                assert expected or rule.violated(pair)[0]
            else:
                alone = {True: a is not None, False: b is not None}
                expected = any(there and rule.alone(first=first) for first, there in alone.items())
            assert labels[owner, number] == expected


def test_rules_are_drawn_independently_by_their_shares(drawn, rules):
    _, labels, sites = drawn
    assert labels.mean(axis=0) == pytest.approx(0.5, abs=0.05)
    off = np.corrcoef(labels.T)[np.triu_indices(len(rules), 1)]
    assert np.abs(off).max() < 0.1
    per_sequence = np.bincount(sites.owner, minlength=COUNT)
    assert per_sequence.mean() == pytest.approx(4 * 1.6, abs=0.5)


def test_motifs_by_chance_are_there_as_often_as_asked(table, ppms):
    draws = Draws(3)
    composition = by_chance(draws, COUNT, np.arange(5), 0.6, table.widths, (0.5, 1.25))
    codes, sites = write(
        draws, composition, place(draws, composition, LENGTH), table, Background(), LENGTH
    )
    assert_written(codes, sites, ppms)
    for motif in range(5):
        mine = sites.owner[sites.motif == motif]
        assert len(np.unique(mine)) == len(mine)
        assert len(mine) / COUNT == pytest.approx(0.6, abs=0.04)
    assert (sites.rule == -1).all()


def test_decoys_are_of_their_sequence_s_kind(table, ppms):
    draws = Draws(4)
    kind = np.tile([TRUE, PERMUTED, MUTATED, LOOK_ALIKE], 300)
    motifs, instead = np.arange(4), np.arange(4, 8)
    owner = np.repeat(np.arange(len(kind)), 3)
    composition = by_number(
        draws, len(kind), owner, kind[owner], motifs, instead, table.widths, (1.0, 1.0)
    )
    codes, sites = write(
        draws, composition, place(draws, composition, 200), table, Background(), 200
    )
    assert set(np.bincount(sites.owner, minlength=len(kind))) == {3}
    assert (sites.kind == kind[sites.owner]).all()
    of = kind[sites.owner]
    assert (np.isin(sites.motif, instead) == (of == LOOK_ALIKE)).all()
    matches = np.array(
        [
            (codes[o, s:e] == consensus(ppms[m], strand)).sum()
            for o, m, strand, s, e in zip(
                sites.owner, sites.motif, sites.strand, sites.start, sites.end, strict=True
            )
        ]
    )
    width = sites.end - sites.start
    assert (matches == width)[np.isin(of, (TRUE, LOOK_ALIKE))].all()
    assert (matches == width - 2)[of == MUTATED].all()
    assert (matches < width)[of == PERMUTED].mean() > 0.9


def test_two_sites_lie_one_at_either_end(table):
    draws = Draws(5)
    owner = np.repeat(np.arange(500), 2)
    none = np.zeros(0, np.intp)
    composition = by_number(
        draws, 500, owner, np.full(1000, TRUE), np.arange(8), none, table.widths, (1.0, 1.0)
    )
    start = place_at_ends(draws, composition, LENGTH, 20)
    _, sites = write(draws, composition, start, table, Background(), LENGTH)
    left, right = (sites.owner[0::2], sites.owner[1::2])
    assert (left == np.arange(500)).all()
    assert (right == left).all()
    assert sites.start[0::2].min() == 0
    assert sites.end[0::2].max() == 20
    assert sites.start[1::2].min() == LENGTH - 20
    assert sites.end[1::2].max() == LENGTH
    with pytest.raises(ValueError, match="a site of 15 bases does not fit into 12 at an end"):
        place_at_ends(draws, composition, LENGTH, 12)


def test_sites_that_cannot_lie_apart_are_refused(table):
    rule = RULES["repressor"]("r", "M0", "M1", far=300)
    draws = Draws(1)
    composition, _ = by_rules(
        draws, 50, [rule], (1, 0, 0, 0), {"M0": 0, "M1": 1}, table.widths, (1.0, 1.0)
    )
    with pytest.raises(ValueError, match="as far apart as a rule wants them"):
        place(draws, composition, LENGTH, [rule])
