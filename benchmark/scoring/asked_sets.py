"""Extra test sets: what is asked about them, and what is true of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from motifidelity.metrics.attribution.maps import METHODS, VIEWS
from motifidelity.metrics.readings import read_maps
from motifidelity.metrics.robust.shifted_sets import maps_on_sets, worst_kind
from motifidelity.metrics.truth.bases import base_truth, find_spans
from motifidelity.metrics.truth.extra_sets import DecoySites, ExtraTruth, ShiftedSet, shifted_part
from motifidelity.scoring.stand_ins import DecoyOracle, evidence_maps
from motifidelity.tasks.dataset import Dataset
from motifidelity.tasks.engine.dataset_recipe import ByNumber, Matrices, Recipe
from motifidelity.tasks.engine.truths import negative_kinds
from motifidelity.tasks.generate import Split

Codes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class ExtraSets:
    """What is true of extra sets, and what is asked about them.

    Attributes
    ----------
    truth : ExtraTruth
    questions : mapping of str to ndarray (n, L) uint8
        The sequences of shifted sets, by the names of their parts.
    """

    truth: ExtraTruth
    questions: Mapping[str, Codes]


def extra_sets(
    dataset: Dataset, recipe: Recipe, contents: ByNumber, matrices: Matrices, number: int
) -> ExtraSets:
    """The extra sets of a task of true sites against decoys.

    Parameters
    ----------
    dataset : Dataset
    recipe : Recipe
    contents : ByNumber
        How the training set is drawn: what the oracle takes for granted on every set.
    matrices : Matrices
    number : int
        Explained sequences of each set: the first positive ones. Of sets that hold both true
        instances and decoys the first is taken.
    """
    questions: dict[str, Codes] = {}
    explained = [np.zeros((0, dataset.spec.length), np.uint8)]
    shifted: list[ShiftedSet] = []
    decoys: DecoySites | None = None
    first = 0
    for extra in recipe.extras:
        split = dataset.splits[extra.name]
        rows = np.flatnonzero(split.labels[:, 0])[:number]
        if not extra.mixed:
            shifted.append(_shifted(dataset, contents, extra.name, rows, first))
            questions[shifted_part(extra.name)] = split.sequences
        elif decoys is None:
            decoys = _decoy_sites(split.rows(rows), first)
        else:
            continue
        explained.append(split.sequences[rows])
        first += len(rows)
    codes = np.concatenate(explained)
    core = [dataset.motifs[name].ppm.T for name in contents.core]
    oracle = DecoyOracle(contents, matrices, core)
    worst = [
        worst_kind(oracle.logits_of(part)[:, 0], one, contents.negatives)
        for one, part in zip(shifted, questions.values(), strict=True)
    ]
    maps = _maps_of(oracle, codes, shifted, dataset.spec.scoring.maps_floor)
    known = (
        replace(one, oracle_worst=by_kind, oracle_maps=by_maps)
        for one, by_kind, by_maps in zip(shifted, worst, maps, strict=True)
    )
    return ExtraSets(ExtraTruth(codes, tuple(known), decoys), questions)


def _shifted(
    dataset: Dataset, contents: ByNumber, name: str, rows: NDArray[np.intp], first: int
) -> ShiftedSet:
    split = dataset.splits[name]
    implanted = [motif.ppm.T for motif in dataset.implanted]
    spans = find_spans(
        split.sequences,
        split.implants,
        implanted,
        sought=range(len(contents.core)),
        percentile=dataset.spec.scoring.chance_percentile,
    )
    bases = base_truth(split.sequences.shape, spans, implanted)
    kinds = np.full(len(split.sequences), -1)
    if split.decoys is not None:
        kinds = negative_kinds(contents, split.decoys.sequence, split.decoys.kind, len(kinds))
    return ShiftedSet(
        name,
        split.labels[:, 0] == 1,
        kinds,
        slice(first, first + len(rows)),
        split.truth[rows],
        bases.rows(rows),
    )


def _decoy_sites(split: Split, first: int) -> DecoySites:
    """True instances of the sequences, then their decoys."""
    tables = [table for table in (split.implants, split.decoys) if table is not None]
    columns = (
        np.concatenate([np.asarray(getattr(table, name)) for table in tables])
        for name in ("sequence", "start", "end")
    )
    true = np.repeat([table is split.implants for table in tables], [len(t.start) for t in tables])
    sequence, start, end = columns
    return DecoySites(sequence + first, start, end, true)


def _maps_of(
    oracle: DecoyOracle, codes: Codes, sets: Sequence[ShiftedSet], floor: float | None
) -> list[float]:
    """What the oracle's maps get on each set."""
    if floor is None:
        return [float("nan")] * len(sets)
    made = evidence_maps(oracle, codes, METHODS)
    views: dict[tuple[str, str], NDArray[np.floating]] = {}
    for method, reading in VIEWS:
        shares = made.hypothetical.get(method)
        shares = None if shares is None else shares[..., 0]
        found = read_maps(method, made.maps[method][..., 0], codes, reading, shares)
        if found is not None:
            views[method, reading] = found
    return maps_on_sets(views, sets, floor)
