"""The same task from other random numbers: data that nobody has seen."""

from __future__ import annotations

from dataclasses import replace

from motifidelity.errors import UserError
from motifidelity.tasks.dataset import Dataset, array_digests
from motifidelity.tasks.generate import generate
from motifidelity.tasks.motifs import load_motifs
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
    if not 0 <= seed < SEEDS:
        raise UserError(f"seed {seed}: choose one from 0 to {SEEDS - 1}")
    if seed == spec.grammar.seed:
        raise UserError(f"seed {seed} is the published one of {spec.id}; choose another")
    motifs = load_motifs(spec.motifs)
    fresh = replace(spec, grammar=replace(spec.grammar, seed=seed))
    splits = generate(fresh, motifs)
    digests = {
        name: {"n": len(split.sequences), **array_digests(split)} for name, split in splits.items()
    }
    mark = {"seed": seed, "data": digests}
    fresh = replace(
        fresh,
        digests=digests,
        digest=canonical_digest({"of": spec.digest, **mark}),
        training_digest=canonical_digest({"of": spec.training_digest, **mark}),
    )
    return Dataset(fresh, splits, motifs)
