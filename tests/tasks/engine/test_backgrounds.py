"""Letters around the sites have the composition that is asked for."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from motifidelity.tasks.engine.backgrounds import Background, gc_share, reverse_complement, tilted
from motifidelity.tasks.engine.draws import Draws

WORDS = ["".join(word) for word in itertools.product("ACGT", repeat=3)]


@pytest.fixture(scope="module")
def counts():
    """Counts of trinucleotides, by their pyrimidine, of an invented genome that prefers words."""
    rng = np.random.default_rng(5)
    steps = rng.dirichlet(np.full(4, 4.0), 16).cumsum(axis=1)
    genome = [0, 0]
    for reach in rng.random(200_000):
        genome.append(int(np.searchsorted(steps[4 * genome[-2] + genome[-1]], reach)))
    text = "".join("ACGT"[c] for c in genome)
    found = Counter(text[i : i + 3] for i in range(len(text) - 2))
    return {w: found[w] + found[reverse_complement(w)] for w in WORDS if w[1] in "CT"}


def words_of(codes, size):
    texts = ["".join("ACGT"[c] for c in row) for row in codes]
    found = Counter(t[i : i + size] for t in texts for i in range(len(t) - size + 1))
    total = sum(found.values())
    return {word: count / total for word, count in found.items()}


def test_letters_without_counts_are_even():
    codes = Background().draw(Draws(1), 400, 250)
    shares = np.bincount(codes.ravel(), minlength=4) / codes.size
    # three standard errors
    assert shares == pytest.approx(0.25, abs=3 * np.sqrt(0.1875 / codes.size))
    assert codes.dtype == np.uint8


def test_a_chain_has_the_counts_words(counts):
    codes = Background(2, counts).draw(Draws(2), 1500, 250)
    both = {w: counts.get(w, counts.get(reverse_complement(w))) for w in WORDS}
    total = sum(both.values())
    found = words_of(codes, 3)
    for word in WORDS:
        share = both[word] / total
        assert found[word] == pytest.approx(share, rel=0.06)


def test_both_strands_of_a_chain_are_alike(counts):
    share = Background(2, counts)
    codes = share.draw(Draws(3), 1500, 250)
    found = words_of(codes, 2)
    for word, frequency in found.items():
        assert frequency == pytest.approx(found[reverse_complement(word)], abs=0.002)


@pytest.mark.parametrize("share", [0.35, 0.5, 0.65])
def test_independent_letters_are_tilted_by_the_log_odds_of_the_share(share):
    even = np.full((1, 4), 0.25)
    tilt = np.log(share / (1 - share))
    assert gc_share(tilted(even, tilt)) == pytest.approx(share)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_each_sequence_has_a_share_of_gc_of_its_own(order, counts):
    of_order = {
        0: None,
        1: {"AA": 9.8, "AC": 5.0, "AG": 7.0, "AT": 7.7, "CA": 7.3, "CC": 5.2, "CG": 1.0}
        | {"GA": 5.9, "GC": 4.3, "TA": 6.6},
        2: counts,
    }[order]
    low, high = 0.40, 0.60
    codes = Background(order, of_order, (low, high)).draw(Draws(4), 600, 2000)
    shares = np.isin(codes, (1, 2)).mean(axis=1)
    assert shares.mean() == pytest.approx(0.5, abs=0.01)
    # uniform between the two, and the spread of a sequence's letters on top
    assert shares.std() == pytest.approx((high - low) / np.sqrt(12), abs=0.008)


def test_another_stream_is_another_background_and_the_same_the_same(counts):
    chain = Background(2, counts, (0.42, 0.52))
    one, again, other = (chain.draw(Draws(seed), 20, 80) for seed in (7, 7, 8))
    assert (one == again).all()
    assert (one != other).any()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"order": 1}, "order 1 needs counts"),
        ({"order": 1, "counts": {"AAA": 1.0}}, "no word of 2 letters of ACGT: 'AAA'"),
        ({"order": 1, "counts": {"AA": 1.0}}, "no count of 'AC'"),
        ({"gc": (0.6, 0.4)}, "two rising shares"),
        ({"gc": (0.4, 1.0)}, "two rising shares"),
        ({"gc": (0.001, 0.5)}, "out of the chain's reach"),
    ],
)
def test_what_is_no_background_is_refused(given, says):
    with pytest.raises(ValueError, match=says):
        Background(**given)
