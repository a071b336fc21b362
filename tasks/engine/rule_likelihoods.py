"""What is best known of a rule from the letters alone: the logit of its posterior odds.

The likelihood of a sequence under an arrangement of sites, over that without sites, is the product
of the sites' odds; of a state, the mean over its arrangements. Places of two sites are taken as
even over all pairs of places that the state allows: what else stands in a sequence, and so what
room is left, is not looked at.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from motifidelity.tasks.engine.affinity import site_scores
from motifidelity.tasks.engine.motif_rules import Pairs, Repressor, Rule, State

Floats = NDArray[np.float64]
# what is added to a probability, so that no site is impossible
PSEUDO = 1e-6


def site_odds(codes: NDArray[np.uint8], ppm: Floats) -> Floats:
    """Odds (n, L - width + 1, 2) of a site at every place: as given, reverse complemented."""
    return np.asarray(np.exp(site_scores(codes, ppm, PSEUDO)))


def state_likelihoods(
    rule: Rule, codes: NDArray[np.uint8], ppms: Mapping[str, Floats]
) -> dict[str, Floats]:
    """Likelihood ratios (n,) against no site: ``satisfied`` and ``violated`` pairs, single sites.

    Parameters
    ----------
    rule : Rule
    codes : ndarray (n, L) uint8
    ppms : mapping of str to ndarray (4, width)
        By the ids of the rule's motifs, as sites are drawn from them.

    Returns
    -------
    dict of str to ndarray
        ``satisfied``, ``violated``, ``first`` and ``second``.

    Notes
    -----
    The second sites that go with each place of the first are added up by a product with a matrix of
    zeros and ones: nothing is subtracted, so that a strong site's odds leave no rounding behind.
    """
    a, b = (site_odds(codes, ppms[name]) for name in (rule.first, rule.second))
    widths = (ppms[rule.first].shape[1], ppms[rule.second].shape[1])
    # of every place of the first site, and of the second
    step = np.arange(b.shape[1]) - np.arange(a.shape[1])[:, None]
    gap = np.where(step > 0, step - widths[0], -step - widths[1])
    sums = {"satisfied": np.zeros(len(codes)), "violated": np.zeros(len(codes))}
    counts = dict.fromkeys(sums, 0)
    for one, two in itertools.product((0, 1), repeat=2):
        strands = (np.full(gap.shape, 1 - 2 * strand, np.int8) for strand in (one, two))
        pairs = Pairs(gap, step > 0, *strands)
        for name, holds in (("satisfied", rule.satisfied), ("violated", rule.violated)):
            allowed = holds(pairs) & (gap >= 0)
            sums[name] += np.einsum("np,np->n", a[..., one], b[..., two] @ allowed.T.astype(float))
            counts[name] += int(allowed.sum())
    found = {name: sums[name] / counts[name] for name in sums}
    return found | {"first": a.mean(axis=(1, 2)), "second": b.mean(axis=(1, 2))}


def bayes_logit(
    rule: Rule,
    codes: NDArray[np.uint8],
    ppms: Mapping[str, Floats],
    shares: Sequence[float],
) -> Floats:
    """Log-odds (n,) that sequences satisfy a rule, given how often its states are drawn.

    Parameters
    ----------
    rule, codes, ppms
        As `state_likelihoods` takes them.
    shares : sequence of float
        Of sequences by `motif_rules.State`.
    """
    of = state_likelihoods(rule, codes, ppms)
    share = np.asarray(shares, float) / sum(shares)
    if isinstance(rule, Repressor):
        for_it = share[State.SATISFIED] * (of["first"] + of["satisfied"]) / 2
        one = of["second"]
    else:
        for_it = share[State.SATISFIED] * of["satisfied"]
        one = (of["first"] + of["second"]) / 2
    against = share[State.VIOLATED] * of["violated"] + share[State.ONE] * one + share[State.NONE]
    return np.asarray(np.log(for_it) - np.log(against))
