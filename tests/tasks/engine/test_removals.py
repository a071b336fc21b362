"""Removals: their effects are what the rule says of what is left, and they touch one span alone."""

from __future__ import annotations

import numpy as np
import pytest

from motifidelity.tasks.engine.backgrounds import Background
from motifidelity.tasks.engine.compose import by_rules, place, write
from motifidelity.tasks.engine.draws import Draws
from motifidelity.tasks.engine.motif_rules import RULES, Arrangement, Pairs
from motifidelity.tasks.engine.removals import removals, replaced, rule_of, together
from motifidelity.tasks.engine.sites import SiteTable
from motifidelity.tasks.generate import Implants

LENGTH, COUNT = 250, 300
NAMES = sorted(RULES)
# of matrices, and of one that is of no rule
NUMBER = {f"M{i}": i for i in range(8)} | {"MX": 8}


@pytest.fixture(scope="module")
def rules():
    return [RULES[name](name, f"M{2 * i}", f"M{2 * i + 1}") for i, name in enumerate(NAMES)]


@pytest.fixture(scope="module")
def drawn(rules):
    rng = np.random.default_rng(6)
    table = SiteTable([np.eye(4)[rng.integers(0, 4, width)].T for width in range(8, 16)])
    draws = Draws(11)
    composition, labels = by_rules(
        draws, COUNT, rules, (0.5, 0.25, 0.2, 0.05), NUMBER, table.widths, (0.5, 0.5)
    )
    start = place(draws, composition, LENGTH, rules)
    codes, sites = write(draws, composition, start, table, Background(), LENGTH)
    return codes, labels, sites


@pytest.fixture(scope="module")
def implants(drawn):
    """The sites as a dataset has them, and one of a matrix of no rule."""
    _, _, sites = drawn
    columns = (sites.owner, sites.motif, sites.strand, sites.start, sites.end, sites.bits)
    return Implants(
        *(np.append(one, last) for one, last in zip(columns, [0, 8, 1, 0, 4, 1.0], strict=True))
    )


def held(sites, owner, rule):
    """Rows of a sequence's sites of a rule, by role."""
    mine = np.flatnonzero((sites.owner == owner) & (sites.rule == rule))
    return {sites.role[i]: i for i in mine}


def label_without(rule, sites, rows, role):
    """The rule's own word on a sequence that has lost its site of a role."""
    one = np.ones(1, np.int8)
    there = {r: np.array([r in rows and r != role]) for r in (0, 1)}
    nothing = Pairs(np.array([0]), np.array([True]), one, one)
    return int(rule.label(Arrangement(there[0], there[1], there[0] & there[1], nothing))[0])


def test_sites_are_of_the_rule_and_role_of_their_matrix(drawn, implants, rules):
    _, _, sites = drawn
    rule, role = rule_of(implants.motif, rules, NUMBER)
    assert (rule[:-1] == sites.rule).all()
    assert (role[:-1] == sites.role).all()
    assert (rule[-1], role[-1]) == (-1, -1)


def test_motifs_are_together_where_a_sequence_holds_both(drawn, implants, rules):
    _, _, sites = drawn
    of = rule_of(implants.motif, rules, NUMBER)
    found = together(implants.sequence, *of, COUNT, len(rules))
    for owner in range(COUNT):
        for number in range(len(rules)):
            assert found[owner, number] == (len(held(sites, owner, number)) == 2)
    # more are together than satisfied, but for a lone activator's
    assert 0.4 < found.mean() < 0.8


def test_effects_of_removals_are_what_the_rule_says_of_the_rest(drawn, implants, rules):
    _, labels, sites = drawn
    found = removals(rules, NUMBER, labels, implants)
    expected = set()
    for owner in range(COUNT):
        for number, rule in enumerate(rules):
            rows = held(sites, owner, number)
            if len(rows) < 2:
                continue
            for role, row in rows.items():
                change = label_without(rule, sites, rows, role) - int(labels[owner, number])
                expected.add((owner, number, role, sites.start[row], sites.end[row], change))
    columns = (found.sequence, found.rule, found.role, found.start, found.end, found.effect)
    assert len(found.sequence) == len(expected)
    assert set(zip(*columns, strict=True)) == expected
    assert set(found.effect) == {-1, 0, 1}


def test_a_replacement_is_background_in_its_span_and_the_sequence_elsewhere(drawn, implants, rules):
    codes, labels, _ = drawn
    found = removals(rules, NUMBER, labels, implants)
    background = Background(gc=(0.9, 0.9))
    after = replaced(Draws(3), background, codes, found)
    assert after.shape == (len(found.sequence), 5, LENGTH)
    assert after.dtype == codes.dtype
    base = np.arange(LENGTH)
    inside = (base >= found.start[:, None]) & (base < found.end[:, None])
    before = np.repeat(codes[found.sequence][:, None], 5, axis=1)
    outside = np.repeat(~inside[:, None], 5, axis=1)
    assert (after == before)[outside].all()
    letters = after[~outside]
    # the background's own letters, drawn anew each time: nine of ten are G or C
    assert np.isin(letters, (1, 2)).mean() == pytest.approx(0.9, abs=0.02)
    same = np.mean([(a[:1, i] == a[1:, i]).mean() for a, i in zip(after, inside, strict=True)])
    assert same == pytest.approx(2 * 0.45**2 + 2 * 0.05**2, abs=0.02)


def test_nothing_is_replaced_by_nothing(drawn, implants, rules):
    codes, labels, _ = drawn
    found = removals(rules, NUMBER, labels, implants.take(np.zeros(0, np.intp)))
    assert replaced(Draws(1), Background(), codes, found).shape == (0, 5, LENGTH)
