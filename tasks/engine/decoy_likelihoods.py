"""What is best known of a sequence that holds some sites, or decoys: the logit of its label.

Likelihoods are against a background of independent letters with the sequence's own share of G and
C; the order of a Markov chain is not looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from math import lgamma

import numpy as np
from numpy.typing import NDArray

from motifidelity.metrics.truth.grammar import sites_log_likelihood
from motifidelity.tasks.engine.dataset_recipe import ByNumber, Matrices
from motifidelity.tasks.engine.rule_likelihoods import site_odds
from motifidelity.tasks.engine.sites import BACKGROUND, most_informative

Floats = NDArray[np.float64]
Codes = NDArray[np.uint8]
# sequences at once: tables of all places are held for so many
CHUNK = 1000


def number_logit(contents: ByNumber, codes: Codes, matrices: Matrices) -> Floats:
    """Log-odds (n,) that sequences hold true sites, given how often each kind is drawn.

    Parameters
    ----------
    contents : ByNumber
    codes : ndarray (n, L) uint8
    matrices : Matrices

    Notes
    -----
    Sites of temperature 1. A decoy of permuted letters has its motif's composition and no order:
    the likelihood of its letters is that of their counts, over the number of their orders.
    """
    core = matrices.of(contents.core)
    sources: dict[str, tuple[Mapping[str, Floats], _Odds]] = {
        "true": (core, _of_matrix),
        "permuted": (core, _of_permuted),
        "look-alike": (matrices.of(contents.relatives), _of_matrix),
        "mutated": ({name: mutated(ppm) for name, ppm in core.items()}, _of_matrix),
    }
    low, high = contents.number
    counts = dict.fromkeys(range(low, high + 1), 1 / (high - low + 1))
    found = np.empty(len(codes))
    for first in range(0, len(codes), CHUNK):
        some = codes[first : first + CHUNK]
        of = {
            kind: _log_likelihood(some, *sources[kind], counts)
            for kind in ("true", *contents.negatives)
        }
        against = np.logaddexp.reduce([of[kind] for kind in contents.negatives], axis=0)
        prior = np.log(contents.positives / (1 - contents.positives) * len(contents.negatives))
        found[first : first + CHUNK] = of["true"] - against + prior
    return found


_Odds = Callable[[Codes, Floats], Floats]


def _log_likelihood(
    codes: Codes, ppms: Mapping[str, Floats], odds: _Odds, counts: Mapping[int, float]
) -> Floats:
    gc = _is_gc(codes).mean(axis=1)
    # a sequence of one kind of letter alone has no share to divide by
    gc = np.clip(gc, 1 / codes.shape[1], 1 - 1 / codes.shape[1])
    tables, widths = [], []
    for ppm in ppms.values():
        width = ppm.shape[1]
        strong = _in_windows(_is_gc(codes), width)
        shift = (
            strong * np.log(2 * BACKGROUND / gc)[:, None]
            + (width - strong) * np.log(2 * BACKGROUND / (1 - gc))[:, None]
        )
        tables.append((odds(codes, ppm) * np.exp(shift)).T / len(ppms))
        widths.append(width)
    return sites_log_likelihood(widths, tables, counts, codes.shape[1])


def _of_matrix(codes: Codes, ppm: Floats) -> Floats:
    odds: Floats = site_odds(codes, ppm).mean(axis=2)
    return odds


def _of_permuted(codes: Codes, ppm: Floats) -> Floats:
    """Odds (n, places), against even letters, of a site's letters in any order, mean of strands."""
    width = ppm.shape[1]
    table = composition_odds(ppm)
    a, c, g, t = (_in_windows(codes == letter, width) for letter in range(4))
    odds: Floats = (table[a, c, g] + table[t, g, c]) / 2
    return odds


def composition_odds(ppm: Floats) -> Floats:
    """Odds of letters in an order that is as likely as any, by their numbers of A, C and G.

    Parameters
    ----------
    ppm : ndarray (4, width)
        What the letters are drawn from, before their order is lost.

    Returns
    -------
    ndarray (width + 1, width + 1, width + 1)
        Against even letters; 0 where the counts cannot be.
    """
    chance: Mapping[tuple[int, ...], float] = {(0, 0, 0, 0): 1.0}
    for column in ppm.T:
        after: dict[tuple[int, ...], float] = defaultdict(float)
        for counts, p in chance.items():
            for letter in range(4):
                more = list(counts)
                more[letter] += 1
                after[tuple(more)] += p * column[letter]
        chance = after
    width = ppm.shape[1]
    table = np.zeros((width + 1,) * 3)
    for counts, p in chance.items():
        orders = lgamma(width + 1) - sum(lgamma(n + 1) for n in counts)
        table[counts[:3]] = p * np.exp(-orders) / BACKGROUND**width
    return table


def mutated(ppm: Floats) -> Floats:
    """The matrix (4, width) of sites with complements at the two most informative columns."""
    marked = most_informative(ppm)
    return np.where(marked, ppm[::-1], ppm)


def _is_gc(codes: Codes) -> NDArray[np.bool_]:
    return np.asarray((codes == 1) | (codes == 2))


def _in_windows(marks: NDArray[np.bool_], width: int) -> NDArray[np.intp]:
    """How many marks (n, L) lie in each window (n, L - width + 1)."""
    sums = np.cumsum(np.pad(marks, ((0, 0), (1, 0))), axis=1)
    return sums[:, width:] - sums[:, :-width]
