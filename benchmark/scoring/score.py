"""From checked arrays and truth to scores: the trusted side, which no submission reaches."""

from __future__ import annotations

import dataclasses
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from motifidelity.metrics.attribution.consistency import score_agreement
from motifidelity.metrics.declare import Score
from motifidelity.metrics.filters.filter_matches import FilterRow, match_filters
from motifidelity.metrics.methods import FLOOR_METHOD, METHODS
from motifidelity.metrics.motifs.tomtom import compare
from motifidelity.metrics.scored import (
    FilterArrays,
    MapScorer,
    NetworkScorer,
    ScoredMaps,
    ScoredNetwork,
    scorers,
)
from motifidelity.scoring.truth import Arrays, Truth
from motifidelity.worker.arrays import Part


def compile_in_background() -> None:
    """Let Tomtom's compiled code be made while the first network trains.

    It takes about a minute of one core, once on a machine; memelite keeps it.
    """

    def compare_something() -> None:
        motif = np.eye(4)[[0, 1, 2, 3, 0, 1]]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # memelite's, of a database with few motifs
            compare([motif], [motif, motif[::-1]])

    threading.Thread(target=compare_something, name="compile", daemon=True).start()


@dataclass(frozen=True)
class JobScores:
    """Everything that is scored of one job."""

    scores: list[Score]
    filters: list[FilterRow]


def score_job(truth: Truth, arrays: Arrays, others: Sequence[Arrays] = ()) -> JobScores:
    """Score a job's arrays in all families.

    Parameters
    ----------
    truth : Truth
    arrays : mapping of str to ndarray
        As ``take_probe`` checked them, with maps already reduced by ``present_classes``.
    others : sequence of mappings
        The same of other trials of this model, for the agreement with them.
    """
    filters = None
    if "filter_max" in arrays:
        filters = FilterArrays(**{field.name: arrays[field.name] for field in fields(FilterArrays)})
    network = ScoredNetwork(truth.scored, arrays["logits"], filters)
    scores = [score for one in scorers(NetworkScorer) for score in one.score(network)]
    map_scorers = scorers(MapScorer)
    for method in truth.methods:
        if method in arrays:
            maps = _maps(truth, arrays, method)
            scores += [score for one in map_scorers for score in one.score(maps)]
            if not METHODS[method].paper_maps and method != FLOOR_METHOD:
                scores += _agreement(truth, arrays, others, method)
    return JobScores(scores, network.once(match_filters).filters)


def _maps(truth: Truth, arrays: Arrays, method: str) -> ScoredMaps:
    """A method's maps with every array that goes with them."""
    parts = {part.value: arrays.get(part.of(method)) for part in Part if part is not Part.MAPS}
    return ScoredMaps(
        truth.scored,
        METHODS[method],
        arrays[method],
        arrays["explained_logits"],
        perturbed=arrays.get("perturbed"),
        changes=arrays.get("changes"),
        **parts,
    )


def _agreement(truth: Truth, arrays: Arrays, others: Sequence[Arrays], method: str) -> list[Score]:
    """Mean agreement of a trial's maps with those of other trials of the same model."""
    sequences = truth.test.sequences[truth.explained]
    pairs = [
        score_agreement(method, np.stack([arrays[method], other[method]]), sequences)
        for other in others
        if method in other and other[method].shape == arrays[method].shape
    ]
    return [
        dataclasses.replace(same[0], value=float(np.mean([score.value for score in same])), sd=None)
        for same in zip(*pairs, strict=True)
    ]
