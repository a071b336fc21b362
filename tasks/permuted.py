"""Motifs that nobody knows: known matrices with their columns in another order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from motifidelity.errors import UserError
from motifidelity.metrics.motifs.hits import MAX_EVALUE
from motifidelity.metrics.motifs.tomtom import compare
from motifidelity.tasks.motifs import Motif

BATCH = 8
MAX_DRAWS = 8000


def permuted_motifs(
    ids: Sequence[str], known: Mapping[str, Motif], rng: np.random.Generator
) -> dict[str, Motif]:
    """Permute the columns of matrices until they match no known one, nor each other.

    A permuted matrix has the width of its origin, the information of its columns, and its share of
    each letter.

    Parameters
    ----------
    ids : sequence of str
        Matrices to permute, each once.
    known : mapping of str to Motif
        The database. A match is E <= 0.1, as for filters, against it and what was drawn before.
    rng : numpy Generator

    Returns
    -------
    dict of str to Motif
        By id of the origin, in the order of ``ids``; their own ids are no known ones, and they
        have no family.

    Raises
    ------
    UserError
        If a matrix still matches after `MAX_DRAWS` draws.
    """
    drawn: dict[str, Motif] = {}
    for motif_id in ids:
        drawn[motif_id] = _unlike(known[motif_id], [*known.values(), *drawn.values()], rng)
    return drawn


def _unlike(motif: Motif, others: Sequence[Motif], rng: np.random.Generator) -> Motif:
    """A motif with its columns in an order that matches no other."""
    targets = [other.ppm.T for other in others]
    for _ in range(MAX_DRAWS // BATCH):
        tried = [_permuted(motif, rng) for _ in range(BATCH)]
        evalues = compare([candidate.ppm.T for candidate in tried], targets).evalues.min(axis=1)
        if (evalues > MAX_EVALUE).any():
            return tried[int(np.argmax(evalues > MAX_EVALUE))]
    raise UserError(
        f"motif {motif.id}: its columns match a known motif in each of {MAX_DRAWS} orders; choose "
        "a motif of more columns, or of more kinds of columns"
    )


def _permuted(motif: Motif, rng: np.random.Generator) -> Motif:
    return replace(
        motif,
        id=f"{motif.id}-permuted",
        name=f"{motif.name} permuted",
        counts=motif.counts[:, rng.permutation(motif.width)],
        families=(),
    )
