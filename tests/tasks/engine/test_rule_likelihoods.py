"""What is best known of a rule: by brute force over every place of two sites, strand by strand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import expit

from motifidelity.tasks.engine.motif_rules import RULES, Pairs
from motifidelity.tasks.engine.rule_likelihoods import PSEUDO, bayes_logit, state_likelihoods

LENGTH = 26
SHARES = (0.5, 0.25, 0.2, 0.05)
# distances short enough for short sequences
RULES_HERE = {
    "order": {"gap": (1, 4)},
    "spacing": {"near": (2, 3), "far": (6, 9)},
    "orientation": {"gap": (0, 5)},
    "repressor": {"near": (0, 3), "far": 6},
}


@pytest.fixture(scope="module")
def ppms():
    rng = np.random.default_rng(4)
    ppms = {name: rng.dirichlet(np.full(4, 0.2), width).T for name, width in (("A", 4), ("B", 6))}
    # a letter that never occurs
    ppms["A"][:, 0] = 1, 0, 0, 0
    return ppms


@pytest.fixture(scope="module")
def codes(ppms):
    """Sequences with strong sites, so that odds reach over many orders of magnitude."""
    codes = np.random.default_rng(5).integers(0, 4, (4, LENGTH)).astype(np.uint8)
    codes[0, 3:7] = ppms["A"].argmax(axis=0)
    codes[0, 10:16] = ppms["B"].argmax(axis=0)
    codes[1, 15:21] = 3 - ppms["B"].argmax(axis=0)[::-1]
    return codes


def odds(row, ppm, start, strand):
    width = ppm.shape[1]
    site = row[start : start + width]
    site = site if strand == 1 else 3 - site[::-1]
    return math.prod((ppm[c, i] + PSEUDO) / (1 + 4 * PSEUDO) / 0.25 for i, c in enumerate(site))


def by_hand(rule, row, ppms):
    a, b = ppms["A"], ppms["B"]
    wide = {"A": a.shape[1], "B": b.shape[1]}
    found = {"satisfied": [], "violated": [], "first": [], "second": []}
    for one in (1, -1):
        found["first"] += [odds(row, a, i, one) for i in range(LENGTH - wide["A"] + 1)]
        found["second"] += [odds(row, b, i, one) for i in range(LENGTH - wide["B"] + 1)]
        for two in (1, -1):
            for i in range(LENGTH - wide["A"] + 1):
                for j in range(LENGTH - wide["B"] + 1):
                    gap = j - i - wide["A"] if j > i else i - j - wide["B"]
                    if gap < 0:
                        continue
                    pair = Pairs(
                        np.array([gap]),
                        np.array([j > i]),
                        np.array([one], np.int8),
                        np.array([two], np.int8),
                    )
                    product = odds(row, a, i, one) * odds(row, b, j, two)
                    for state in ("satisfied", "violated"):
                        if getattr(rule, state)(pair)[0]:
                            found[state].append(product)
    return {state: math.fsum(each) / len(each) for state, each in found.items()}


@pytest.mark.parametrize("name", sorted(RULES_HERE))
def test_likelihoods_are_means_over_all_arrangements(name, codes, ppms):
    rule = RULES[name](name, "A", "B", **RULES_HERE[name])
    found = state_likelihoods(rule, codes, ppms)
    for row, sequence in enumerate(codes):
        for state, expected in by_hand(rule, sequence, ppms).items():
            assert found[state][row] == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("name", sorted(RULES_HERE))
def test_the_logit_is_that_of_the_posterior(name, codes, ppms):
    rule = RULES[name](name, "A", "B", **RULES_HERE[name])
    for row, found in zip(codes, bayes_logit(rule, codes, ppms, SHARES), strict=True):
        of = by_hand(rule, row, ppms)
        # a repressor's motif alone is no member of the satisfied, and its activator's alone is
        if name == "repressor":
            joint = [0.25 * of["first"] + 0.25 * of["satisfied"], 0.2 * of["second"]]
        else:
            joint = [0.5 * of["satisfied"], 0.1 * of["first"] + 0.1 * of["second"]]
        total = joint[0] + 0.25 * of["violated"] + joint[1] + 0.05
        assert expit(found) == pytest.approx(joint[0] / total)


@pytest.mark.parametrize("name", sorted(RULES_HERE))
def test_both_strands_have_one_logit(name, codes, ppms):
    rule = RULES[name](name, "A", "B", **RULES_HERE[name])
    one, other = (bayes_logit(rule, c, ppms, SHARES) for c in (codes, 3 - codes[:, ::-1]))
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)
