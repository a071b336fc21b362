"""The best that can be known of a sequence with sites or decoys, against brute force."""

from __future__ import annotations

import itertools
from math import factorial, prod

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from motifidelity.tasks.engine.backgrounds import Background
from motifidelity.tasks.engine.dataset_recipe import ByNumber, Matrices, Recipe
from motifidelity.tasks.engine.decoy_likelihoods import composition_odds, mutated, number_logit
from motifidelity.tasks.engine.sites import KINDS


@pytest.fixture
def ppm():
    return np.random.default_rng(2).dirichlet([0.5] * 4, 4).T


def test_odds_of_permuted_letters_are_the_mean_over_their_orders(ppm):
    table = composition_odds(ppm)
    for letters in itertools.product(range(4), repeat=4):
        # the letters there came from any order of them, each as likely
        orders = list(itertools.permutations(letters))
        chance = np.mean([prod(ppm[letter, i] for i, letter in enumerate(o)) for o in orders])
        assert len(orders) == factorial(4)
        counts = tuple(letters.count(letter) for letter in range(3))
        assert table[counts] == pytest.approx(chance / 0.25**4)


def test_a_mutated_matrix_has_complements_where_it_says_most():
    ppm = np.array([[0.9, 0.3, 1.0], [0.1, 0.2, 0.0], [0.0, 0.3, 0.0], [0.0, 0.2, 0.0]])
    changed = [[0.0, 0.3, 0.0], [0.0, 0.2, 0.0], [0.1, 0.3, 0.0], [0.9, 0.2, 1.0]]
    assert mutated(ppm) == pytest.approx(np.array(changed))


def test_one_site_against_one_decoy_is_bayes_theorem_by_hand(ppm):
    rng = np.random.default_rng(3)
    relative = rng.dirichlet([0.5] * 4, 4).T
    matrices = Matrices(("A", "B"), (ppm, relative))
    contents = ByNumber(("A",), ("B",), (1, 1), 0.25, KINDS[1:])
    codes = rng.integers(0, 4, (20, 7)).astype(np.uint8)
    # G and C as often as A and T: against even letters
    codes[:, -1] = 0
    codes = codes[((codes == 1) | (codes == 2)).sum(axis=1) == 3]
    gc = 3 / 7
    background = np.array([1 - gc, gc, gc, 1 - gc]) / 2

    def likelihood(row, kind):
        total = []
        for start, strand in itertools.product(range(4), (1, -1)):
            site = row[start : start + 4]
            site = site if strand == 1 else 3 - site[::-1]
            source = {"true": ppm, "look-alike": relative, "mutated": mutated(ppm)}.get(kind, ppm)
            orders = itertools.permutations(site) if kind == "permuted" else [site]
            chance = np.mean([prod(source[x, i] for i, x in enumerate(o)) for o in orders])
            total.append(chance / prod(background[site]))
        return np.mean(total)

    for row, found in zip(codes, number_logit(contents, codes, matrices), strict=True):
        against = np.mean([likelihood(row, kind) for kind in KINDS[1:]])
        by_hand = np.log(0.25 * likelihood(row, "true") / (0.75 * against))
        assert found == pytest.approx(by_hand, rel=1e-3)
    assert len(codes) > 3


def test_it_tells_every_kind_of_decoy():
    rng = np.random.default_rng(4)
    ids = tuple("ABCDEF")
    matrices = Matrices(ids, tuple(rng.dirichlet([0.15] * 4, 10).T for _ in ids))
    contents = ByNumber(ids[:3], ids[3:], (2, 3), 0.5, KINDS[1:])
    recipe = Recipe(1, 800, (1.0, 1.0), Background(), contents)
    drawn = recipe.draw(matrices, 100, {"all": slice(0, 800)})["all"]
    logit = number_logit(contents, drawn.codes, matrices)
    kind = np.zeros(800, int)
    kind[drawn.sites.owner] = drawn.sites.kind
    for negative in range(1, len(KINDS)):
        mine = (kind == 0) | (kind == negative)
        assert roc_auc_score(drawn.labels[mine, 0], logit[mine]) > 0.95


def test_more_sequences_than_fit_at_once_are_the_same(monkeypatch, ppm):
    rng = np.random.default_rng(5)
    matrices = Matrices(("A",), (ppm,))
    contents = ByNumber(("A",), (), (1, 2), 0.5, ("mutated",))
    codes = rng.integers(0, 4, (25, 30)).astype(np.uint8)
    whole = number_logit(contents, codes, matrices)
    monkeypatch.setattr("motifidelity.tasks.engine.decoy_likelihoods.CHUNK", 10)
    assert number_logit(contents, codes, matrices) == pytest.approx(whole)
