"""From checked arrays and truth to scores: the trusted side, which no submission reaches."""

from __future__ import annotations

import dataclasses
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from motifidelity.metrics.accuracy import score_accuracy
from motifidelity.metrics.attribution.base_ranking import score_attribution
from motifidelity.metrics.attribution.completeness import score_completeness
from motifidelity.metrics.attribution.consistency import score_agreement, score_randomisation
from motifidelity.metrics.attribution.contrast import score_contrast
from motifidelity.metrics.attribution.faithfulness import score_curves, score_infidelity
from motifidelity.metrics.attribution.instances import score_instances
from motifidelity.metrics.declare import Score
from motifidelity.metrics.filters.families import score_families
from motifidelity.metrics.filters.filter_matches import FilterRow, FilterScores, score_filters
from motifidelity.metrics.filters.sweep import score_sweep
from motifidelity.metrics.localisation import score_localisation
from motifidelity.metrics.methods import FLOOR_METHOD, METHODS
from motifidelity.metrics.motifs.tomtom import compare
from motifidelity.scoring.truth import Arrays, Truth


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
    spec = truth.spec
    scores = score_accuracy(arrays["logits"], truth.test.labels, spec.classes)
    filters: list[FilterRow] = []
    if "filter_max" in arrays:
        found = _filters(truth, arrays)
        scores += found.scores
        filters = found.filters
        scores += _filter_robustness(truth, arrays, filters)
        rows = truth.positive
        scores += score_localisation(
            arrays["scan_max"][rows],
            truth.test.truth[rows],
            truth.bases.chance[rows],
            buffer=spec.scoring.buffer,
        )
        scores += truth.reference_localisation
    for method in truth.methods:
        # a map that is zero everywhere in every sequence says nothing, as one that is not there
        if method in arrays and arrays[method].any():
            scores += _attribution(truth, arrays, method)
            scores += _map_tests(truth, arrays, method)
            if not METHODS[method].paper_maps and method != FLOOR_METHOD:
                scores += _agreement(truth, arrays, others, method)
    return JobScores(scores, filters)


def _filters(truth: Truth, arrays: Arrays) -> FilterScores:
    database = truth.database
    return score_filters(
        truth.test.sequences,
        arrays["above_half_max"],
        arrays["top_sites"],
        database_ids=database.ids,
        database_names=database.names,
        database_ppms=database.ppms,
        accepted=truth.spec.accepted["corrected"],
        accepted_paper=truth.spec.accepted["paper"],
        window=truth.spec.scoring.window,
    )


def _filter_robustness(truth: Truth, arrays: Arrays, filters: list[FilterRow]) -> list[Score]:
    """How far the filters' matches hold for fewer or more sites, and for families of factors."""
    accepted = truth.spec.accepted["corrected"]
    families = {motif.id: motif.families for motif in truth.dataset.motifs.values()}
    corrected = [row for row in filters if row.definition == "corrected"]
    return [
        *score_sweep(
            truth.test.sequences,
            arrays["top_sites"],
            truth.database,
            accepted,
            window=truth.spec.scoring.window,
        ),
        *score_families(corrected, families, accepted),
    ]


def _attribution(truth: Truth, arrays: Arrays, method: str) -> list[Score]:
    rows = truth.explained
    maps, sequences = arrays[method], truth.test.sequences[rows]
    bases, spans = truth.explained_bases, truth.explained_spans
    scores = score_attribution(
        method,
        maps,
        arrays["explained_logits"],
        sequences,
        truth.test.truth[rows],
        bases.chance,
        bases.low_information,
    )
    if truth.spec.target != "binary":
        # the study explains one sigmoid output; a sum of logits has none
        scores = [score for score in scores if not score.metric.startswith("paper_")]
    if METHODS[method].paper_maps:
        return scores
    hypothetical = arrays.get(f"{method}_hypothetical")
    return [
        *scores,
        *score_instances(method, maps, sequences, bases, spans, truth.implanted),
        *score_contrast(method, maps, sequences, bases, spans, truth.implanted, hypothetical),
    ]


def _map_tests(truth: Truth, arrays: Arrays, method: str) -> list[Score]:
    """What the network itself says of a map: completeness, faithfulness, random weights."""
    scores: list[Score] = []
    maps = arrays[method]
    if f"{method}_completeness" in arrays:
        scores += score_completeness(method, maps, arrays[f"{method}_completeness"])
    rows = truth.explained[: truth.tested]
    maps, sequences = maps[: truth.tested], truth.test.sequences[rows]
    if f"{method}_deletion" in arrays:
        curves = (arrays[f"{method}_deletion"], arrays[f"{method}_insertion"])
        scores += score_curves(method, *curves, truth.curve_counts, truth.test.labels[rows])
        hypothetical = arrays.get(f"{method}_hypothetical")
        if hypothetical is not None:
            hypothetical = hypothetical[: truth.tested]
        perturbed, changes = arrays["perturbed"], arrays["changes"]
        scores += score_infidelity(method, maps, sequences, perturbed, changes, hypothetical)
    if arrays.get(f"{method}_randomised", np.zeros(1)).any():
        scores += score_randomisation(method, maps, arrays[f"{method}_randomised"], sequences)
    return scores


def _agreement(truth: Truth, arrays: Arrays, others: Sequence[Arrays], method: str) -> list[Score]:
    """Mean agreement of a trial's maps with those of other trials of the same model."""
    sequences = truth.test.sequences[truth.explained]
    pairs = [
        score_agreement(method, np.stack([arrays[method], other[method]]), sequences)
        for other in others
        if method in other and other[method].shape == arrays[method].shape and other[method].any()
    ]
    return [
        dataclasses.replace(same[0], value=float(np.mean([score.value for score in same])), sd=None)
        for same in zip(*pairs, strict=True)
    ]
