"""The same task from other random numbers: data that nobody has seen, or of secret motifs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from motifidelity.errors import UserError
from motifidelity.tasks.dataset import Dataset, array_digests
from motifidelity.tasks.engine.dataset_recipe import Recipe
from motifidelity.tasks.generate import generate, motif_ids
from motifidelity.tasks.motifs import Motif, load_motifs, motifs_digest
from motifidelity.tasks.permuted import permuted_motifs
from motifidelity.tasks.spec import TaskSpec, canonical_digest

SEEDS = 1 << 32


def fresh_dataset(spec: TaskSpec, seed: int) -> Dataset:
    """Generate a task's data with another seed of its grammar.

    Motifs, grammar, sizes and splits are the task's own; only the random numbers differ. Nothing
    is cached or locked: the data exist in memory alone.

    Parameters
    ----------
    spec : TaskSpec
        A published task.
    seed : int
        0 <= seed < 2**32, and not the task's own.

    Returns
    -------
    Dataset
        Its specification has the task's name, the given seed, the digests of the new arrays, and
        digests of its own, so that no result of it can be taken for one of the published task.

    Raises
    ------
    UserError
        If the seed is out of range or is the published one.
    """
    _check(spec, seed)
    return _generated(spec, seed, load_motifs(spec.motifs), {})


def secret_motifs_dataset(spec: TaskSpec, seed: int) -> Dataset:
    """Generate a task's data with another seed, of motifs that are in no release.

    Every matrix of the task's pools is replaced by one with its columns permuted. Grammar, sizes,
    splits and recipe are the task's own. Labels and places are those of `fresh_dataset` with this
    seed, so that the matrices alone tell the two apart.

    Parameters
    ----------
    spec : TaskSpec
        A published task.
    seed : int
        Of the data and of the permutations; as of `fresh_dataset`.

    Returns
    -------
    Dataset
        As of `fresh_dataset`. Its pools name the permuted matrices, which alone count as found; its
        motifs are the known ones and these, so filters are compared with both.

    Raises
    ------
    UserError
        If the seed is out of range or is the published one, or if a matrix of the task resembles a
        known one in every order of its columns.
    """
    _check(spec, seed)
    known = load_motifs(spec.motifs)
    secret = permuted_motifs(motif_ids(spec), known, np.random.default_rng(seed))
    renamed = {origin: motif.id for origin, motif in secret.items()}
    grammar = spec.grammar
    if isinstance(grammar, Recipe):
        grammar = replace(grammar, contents=grammar.contents.renamed(renamed))
    spec_of_secret = replace(
        spec,
        grammar=grammar,
        pools={name: tuple(renamed[i] for i in ids) for name, ids in spec.pools.items()},
        accepted={
            definition: {
                tf: tuple(renamed[i] for i in ids if i in renamed) for tf, ids in table.items()
            }
            for definition, table in spec.accepted.items()
        },
    )
    motifs = {motif.id: motif for motif in secret.values()}
    mark = {"motifs": motifs_digest(motifs)}
    return _generated(spec_of_secret, seed, {**known, **motifs}, mark)


def _check(spec: TaskSpec, seed: int) -> None:
    if not 0 <= seed < SEEDS:
        raise UserError(f"seed {seed}: choose one from 0 to {SEEDS - 1}")
    if seed == spec.grammar.seed:
        raise UserError(f"seed {seed} is the published one of {spec.id}; choose another")


def _generated(
    spec: TaskSpec, seed: int, motifs: Mapping[str, Motif], mark: Mapping[str, Any]
) -> Dataset:
    fresh = replace(spec, grammar=replace(spec.grammar, seed=seed))
    splits = generate(fresh, motifs)
    digests = {
        name: {"n": len(split.sequences), **array_digests(split)} for name, split in splits.items()
    }
    mark = {"seed": seed, "data": digests, **mark}
    fresh = replace(
        fresh,
        digests=digests,
        digest=canonical_digest({"of": spec.digest, **mark}),
        training_digest=canonical_digest({"of": spec.training_digest, **mark}),
    )
    return Dataset(fresh, splits, motifs)
