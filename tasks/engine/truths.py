"""What is true of sequences that a recipe has drawn, in the form that metrics take."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from motifidelity.metrics.truth.asked import FunctionTruth, RuleTruth
from motifidelity.tasks.engine.dataset_recipe import ByAffinity, ByNumber, ByRules, Matrices
from motifidelity.tasks.engine.removals import Placed, removals, rule_of, together
from motifidelity.tasks.engine.sites import KINDS

Codes = NDArray[np.uint8]
Ints = NDArray[np.intp]


def rule_truth(
    contents: ByRules,
    matrices: Matrices,
    labels: NDArray[np.uint8],
    sites: Placed,
    explained: Ints,
    sites_explained: Placed,
) -> RuleTruth:
    """Which sequences hold both motifs of a rule, and what removals do to explained ones.

    Parameters
    ----------
    contents : ByRules
    matrices : Matrices
    labels : ndarray (n, rules) uint8
    sites : Placed
        True sites of these sequences.
    explained : ndarray (m,) intp
        Sequences that are explained.
    sites_explained : Placed
        Their sites, by their place among them.
    """
    number = matrices.number
    of = rule_of(sites.motif, contents.rules, number)
    both = together(sites.sequence, *of, *labels.shape)
    return RuleTruth(both, removals(contents.rules, number, labels[explained], sites_explained))


def negative_kinds(
    contents: ByNumber, sequence: NDArray[np.integer], kind: NDArray[np.integer], count: int
) -> Ints:
    """Kind of each sequence (count,) by its decoys, as ``contents.negatives`` counts; else -1.

    Parameters
    ----------
    contents : ByNumber
    sequence, kind : ndarray (k,) int
        Of decoys, kinds as `sites.KINDS` counts.
    count : int
        Sequences.
    """
    place = np.full(len(KINDS), -1)
    place[[KINDS.index(name) for name in contents.negatives]] = np.arange(len(contents.negatives))
    found = np.full(count, -1)
    found[sequence] = place[kind]
    return found


def function_truth(
    contents: ByAffinity, matrices: Matrices, codes: Codes, explained: Ints
) -> FunctionTruth:
    """The target without noise, and what substitutions of explained sequences do to it.

    Parameters
    ----------
    contents : ByAffinity
    matrices : Matrices
    codes : ndarray (n, L) uint8
    explained : ndarray (m,) intp
    """
    changes = contents.changes(matrices, codes[explained])
    return FunctionTruth(contents.exact(matrices, codes)[:, None], changes, {})
