"""A rule is satisfied by what it says, on either strand, and draws what it is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from motifidelity.tasks.engine.draws import Draws
from motifidelity.tasks.engine.motif_rules import RULES, Pairs, State, removal_effects

NAMES = sorted(RULES)


def rule(name):
    return RULES[name](name, "MA0001.1", "MA0002.1")


def pairs(rows):
    gap, right, first, second = (np.array(column) for column in zip(*rows, strict=True))
    return Pairs(gap, right.astype(bool), first.astype(np.int8), second.astype(np.int8))


# gap, whether B is right of A, strands of A and B; satisfied, violated
HAND = {
    "order": [
        ((2, True, 1, 1), True, False),
        ((12, False, -1, 1), True, False),
        ((5, False, 1, -1), False, True),
        ((5, True, -1, -1), False, True),
        ((13, True, 1, 1), False, False),
    ],
    "spacing": [
        ((4, True, 1, -1), True, False),
        ((9, False, -1, -1), True, False),
        ((10, True, 1, 1), False, False),
        ((14, True, 1, 1), False, True),
        ((39, False, 1, -1), False, True),
    ],
    "orientation": [
        ((2, True, 1, 1), True, False),
        ((12, False, -1, -1), True, False),
        ((7, True, 1, -1), False, True),
        ((1, True, 1, 1), False, False),
    ],
    "repressor": [
        ((0, True, 1, 1), False, True),
        ((20, False, 1, -1), False, True),
        ((21, True, 1, 1), False, False),
        ((40, False, -1, -1), True, False),
    ],
}


@pytest.mark.parametrize("name", NAMES)
def test_pairs_by_hand(name):
    rows, satisfied, violated = zip(*HAND[name], strict=True)
    assert rule(name).satisfied(pairs(rows)).tolist() == list(satisfied)
    assert rule(name).violated(pairs(rows)).tolist() == list(violated)


@pytest.mark.parametrize("name", NAMES)
def test_a_rule_reads_the_same_on_the_reverse_complement(name):
    every = [
        (gap, right, first, second)
        for gap in range(61)
        for right in (False, True)
        for first in (1, -1)
        for second in (1, -1)
    ]
    turned = [(gap, not right, -first, -second) for gap, right, first, second in every]
    assert (rule(name).satisfied(pairs(every)) == rule(name).satisfied(pairs(turned))).all()
    assert (rule(name).violated(pairs(every)) == rule(name).violated(pairs(turned))).all()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_drawn_is_in_the_state_that_is_asked_for(name):
    state = np.repeat([State.SATISFIED, State.VIOLATED, State.ONE, State.NONE], 2000)
    drawn = rule(name).draw(Draws(9), state)
    label = rule(name).label(drawn)
    assert (label == (state == State.SATISFIED)).all()
    both = drawn.first & drawn.second
    assert both[state == State.VIOLATED].all()
    assert rule(name).violated(drawn.pairs)[state == State.VIOLATED].all()
    assert not (drawn.first | drawn.second)[state == State.NONE].any()
    assert (drawn.first ^ drawn.second)[state == State.ONE].all()
    assert (drawn.together <= both).all()


@pytest.mark.parametrize("name", ["order", "spacing", "orientation"])
def test_a_single_site_is_either(name):
    drawn = rule(name).draw(Draws(2), np.full(4000, State.ONE))
    assert drawn.first.mean() == pytest.approx(0.5, abs=0.03)


def test_a_repressor_that_is_alone_or_far_off_does_nothing():
    drawn = rule("repressor").draw(Draws(2), np.full(4000, State.SATISFIED))
    assert drawn.first.all()
    assert not drawn.together.any()
    assert drawn.second.mean() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("name", NAMES)
def test_strands_and_sides_tell_nothing_of_a_label_by_themselves(name):
    state = np.repeat([State.SATISFIED, State.VIOLATED], 6000)
    drawn = rule(name).draw(Draws(5), state)
    for marks in (drawn.pairs.second_right, drawn.pairs.first_strand == 1):
        one, other = marks[:6000].mean(), marks[6000:].mean()
        assert one == pytest.approx(0.5, abs=0.03)
        assert other == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("name", "of_satisfied", "of_violated"),
    [
        ("order", (-1, -1), (0, 0)),
        ("spacing", (-1, -1), (0, 0)),
        ("orientation", (-1, -1), (0, 0)),
        # without the activator nothing acts; without the repressor near by it does
        ("repressor", (-1, 0), (0, 1)),
    ],
)
def test_what_a_removal_does(name, of_satisfied, of_violated):
    first, second = removal_effects(rule(name), np.array([True, False]))
    assert (first[0], second[0]) == of_satisfied
    assert (first[1], second[1]) == of_violated
