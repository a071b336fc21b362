"""From checked arrays and truth to scores: the trusted side, which no submission reaches."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from motifidelity.metrics.attribution import maps as maps_of
from motifidelity.metrics.attribution.base_ranking import rank_bases
from motifidelity.metrics.attribution.consistency import score_agreement
from motifidelity.metrics.attribution.first_order import CHANGES
from motifidelity.metrics.declare import Score, all_metrics
from motifidelity.metrics.filters.filter_matches import FilterRow, match_filters
from motifidelity.metrics.gates import ANSWERS_REPEAT
from motifidelity.metrics.methods import FLOOR_METHOD, MEAN_METHOD, METHODS
from motifidelity.metrics.motifs.tomtom import compare
from motifidelity.metrics.readings import OWN, READINGS, Reading, has_reading, letters_of
from motifidelity.metrics.repeatability import score_answers
from motifidelity.metrics.robust.shifted_sets import score_shifted_maps
from motifidelity.metrics.scored import (
    FilterArrays,
    MapScorer,
    NetworkScorer,
    ScoredMaps,
    ScoredNetwork,
    scorers,
)
from motifidelity.metrics.truth.asked import REVERSE
from motifidelity.scoring.truth import Arrays, Truth
from motifidelity.worker.arrays import (
    CURVES,
    PATH_CHANGES,
    PATH_INTEGRALS,
    RANDOMISED,
    SCAN_LOGITS,
    UNTRAINED_SITES,
    Part,
)

# arrays of `ScoredNetwork` that are there where a specification asks for them
_OF_GATES = (PATH_INTEGRALS, PATH_CHANGES, SCAN_LOGITS, UNTRAINED_SITES)


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


def score_job(truth: Truth, arrays: Arrays) -> JobScores:
    """Score a job's arrays in all families; its agreement with other jobs is `score_trials`.

    Parameters
    ----------
    truth : Truth
    arrays : mapping of str to ndarray
        As ``take_probe`` checked them, with maps already reduced by ``present_classes``.
    """
    filters = None
    if "filter_max" in arrays:
        filters = FilterArrays(**{field.name: arrays[field.name] for field in fields(FilterArrays)})
    more: dict[str, Any] = {name: arrays.get(name) for name in _OF_GATES}
    more |= _answers(truth, arrays)
    network = ScoredNetwork(truth.scored, arrays["logits"], filters, **more)
    scores = [score for one in scorers(NetworkScorer) for score in one.score(network)]
    map_scorers = scorers(MapScorer)
    floor = truth.spec.scoring.maps_floor
    areas: dict[tuple[str, str], NDArray[np.float64]] = {}
    task_extra = truth.scored.extra
    of_extra: dict[tuple[str, str], NDArray[np.floating]] = {}
    for method in truth.methods:
        # a map that is zero everywhere in every sequence says nothing, as one that is not there
        if method not in arrays or not arrays[method].any():
            continue
        maps = _maps(truth, arrays, method)
        for reading in READINGS:
            there = has_reading(method, reading, hypothetical=maps.hypothetical is not None)
            if not there or reading not in truth.spec.attribution.readings:
                continue
            named = "" if reading == OWN else reading
            deletion, insertion = (arrays.get(part.of(method, named)) for part in CURVES)
            read = replace(maps, reading=reading, deletion=deletion, insertion=insertion)
            scores += [
                replace(score, reading=reading)
                for one in map_scorers
                if one.read or reading == OWN
                for score in one.score(read)
            ]
            if truth.scored.errors and (method, reading) in maps_of.VIEWS:
                areas[method, reading] = _areas(read)
            if (method, reading) in maps_of.VIEWS and read.importance_of_extra is not None:
                of_extra[method, reading] = read.importance_of_extra
    if floor is not None and task_extra is not None and task_extra.shifted:
        scores += score_shifted_maps(of_extra, task_extra.shifted, floor)
    if floor is not None and set(maps_of.METHODS) <= set(truth.methods):
        views = {
            (str(score.method), str(score.reading)): score.value
            for score in scores
            if score.metric == maps_of.OF_VIEW and score.method and score.reading
        }
        scores += maps_of.score_maps(views, floor)
        if truth.scored.errors:
            scores.append(maps_of.score_error(areas, floor))
    scores += _means(truth, scores)
    again = arrays["explained_logits"]
    # references are asked once, and have zeros there
    if ANSWERS_REPEAT in truth.spec.gates and again.any():
        held = truth.held[truth.explained]
        first = (arrays["logits"][truth.explained] * held).sum(axis=1)
        scores += score_answers(first, again)
    return JobScores(scores, network.once(match_filters).filters)


def _answers(truth: Truth, arrays: Arrays) -> dict[str, Any]:
    """What a network answered to questions beyond the test set, where there are some."""
    if not (answers := truth.answers(arrays)):
        return {}
    return {"reverse_logits": answers.pop(REVERSE, None), "answers": answers}


def _means(truth: Truth, scores: Sequence[Score]) -> list[Score]:
    """Headlines that are means over methods, of a profile that has these."""
    wanted = [one for one in truth.spec.headlines if one.method == MEAN_METHOD]
    if not wanted or not set(maps_of.METHODS) <= set(truth.methods):
        return []
    found = {
        (score.metric, score.reading, score.method): score.value
        for score in scores
        if score.target is None
    }
    means = []
    for one in wanted:
        known = {
            name: found[key]
            for name in maps_of.METHODS
            if (key := (one.metric, one.reading, name)) in found
        }
        chance = all_metrics()[one.metric].chance
        means.append(maps_of.score_mean(one.metric, known, chance or 0.0, one.reading))
    return means


def _areas(maps: ScoredMaps) -> NDArray[np.float64]:
    """AUROC of the bases of each sequence."""
    task = maps.task
    bases, planted = task.explained_bases, task.planted[task.explained]
    return rank_bases(maps.importance, planted, bases.chance, bases.low_information).auroc


class Agreeing(NamedTuple):
    """Maps that are compared between trials: how they are read, and the array that is read."""

    method: str
    reading: Reading
    array: str


def agreeing_maps(truth: Truth) -> list[Agreeing]:
    """Maps that are compared between trials, each in the readings that the task asks for."""
    found = []
    for method, reading in product(truth.methods, truth.spec.attribution.readings):
        letters = letters_of(method, reading)
        if METHODS[method].paper_maps or method == FLOOR_METHOD or letters is None:
            continue
        part = Part.HYPOTHETICAL if letters.hypothetical else Part.MAPS
        found.append(Agreeing(method, reading, part.of(method)))
    return found


def score_trials(truth: Truth, trials: Sequence[Arrays]) -> list[list[Score]]:
    """Agreement of each trial's maps with those of the other trials of its model.

    Parameters
    ----------
    truth : Truth
    trials : sequence of mapping of str to ndarray
        Maps of every trial, as `score_job` takes them; what is not there, or of other sequences,
        or zero everywhere in every one, is left out.

    Returns
    -------
    list of list of Score
        In the order of the trials.
    """
    found: list[list[Score]] = [[] for _ in trials]
    sequences = truth.test.sequences[truth.explained]
    for method, reading, name in agreeing_maps(truth):
        maps = {
            place: arrays[name]
            for place, arrays in enumerate(trials)
            if name in arrays and arrays[name].shape == (*sequences.shape, 4) and arrays[name].any()
        }
        scored = score_agreement(method, list(maps.values()), sequences, reading)
        for place, scores in zip(maps, scored, strict=True):
            found[place] += [replace(score, reading=reading) for score in scores]
    return found


def _maps(truth: Truth, arrays: Arrays, method: str) -> ScoredMaps:
    """A method's maps with every array that goes with them."""
    parts: dict[str, Any] = {
        part.value: arrays.get(part.of(method)) for part in Part if part is not Part.MAPS
    }
    for part in RANDOMISED:
        if parts[part] is not None and not parts[part].any():
            # unlike every map: no likeness would read as the best one
            parts[part] = None
    substitutions = arrays.get(CHANGES)
    if substitutions is not None and not substitutions.any():
        substitutions = None
    return ScoredMaps(
        truth.scored,
        METHODS[method],
        arrays[method],
        arrays["explained_logits"],
        perturbed=arrays.get("perturbed"),
        changes=arrays.get("changes"),
        substitutions=substitutions,
        **parts,
    )
