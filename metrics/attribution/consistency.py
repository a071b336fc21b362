"""Consistency: maps should change with the network's weights, and not with the training run."""

from __future__ import annotations

import numpy as np

from motifidelity.metrics.agreement import mean_cosine, mean_spearman
from motifidelity.metrics.areas import mean_score
from motifidelity.metrics.declare import Metric, Score
from motifidelity.metrics.methods import (
    Codes,
    Floats,
    base_scores,
    centred,
    checked_maps,
    get_method,
)
from motifidelity.metrics.scored import MapScorer, ScoredMaps

METRICS: tuple[Metric, ...] = (
    Metric(
        name="randomisation_similarity",
        family="attribution",
        definition="standard",
        direction="lower",
        low=-1.0,
        high=1.0,
        chance=0.0,
        version=1,
        source="Adebayo et al., NeurIPS (2018): model parameter randomisation, rank correlation",
        summary=(
            "How much the maps resemble those of the same network with random weights; near 1, "
            "they show the method or the sequence and not what was learned."
        ),
        own_network=True,
    ),
    Metric(
        name="trial_agreement",
        family="attribution",
        definition="standard",
        direction="higher",
        low=-1.0,
        high=1.0,
        chance=0.0,
        version=1,
        source="our definition: mean Spearman correlation of base importance over pairs of trials",
        summary="How alike trials of one model rank the bases of a sequence.",
        own_network=True,
    ),
    Metric(
        name="trial_cosine",
        family="attribution",
        definition="standard",
        direction="higher",
        low=-1.0,
        high=1.0,
        chance=0.0,
        version=1,
        source="our definition: mean cosine of maps over pairs of trials",
        summary="How alike the maps of trials of one model are, letters and sizes included.",
        own_network=True,
    ),
)


def score_randomisation(
    method: str, maps: Floats, randomised: Floats, sequences: Codes
) -> list[Score]:
    """Similarity of the maps of a trained network and of the same with random weights.

    Parameters
    ----------
    method : str
    maps, randomised : (m, L, 4) float
        By the same method, of the same sequences.
    sequences : (m, L) uint8

    Returns
    -------
    list of Score
        ``randomisation_similarity``: mean and SD over sequences.

    Notes
    -----
    Adebayo et al. compare ranks with and without the sign; here the ranks of |importance|, because
    a random network may take either sign for the same pattern.
    """
    pair = np.stack([checked_maps(maps, sequences), checked_maps(randomised, sequences)])
    size = np.abs(np.stack([base_scores(method, each, sequences) for each in pair]))
    return [mean_score("randomisation_similarity", mean_spearman(size), method=method)]


def score_agreement(method: str, maps: Floats, sequences: Codes) -> list[Score]:
    """Agreement of the maps of several trials of one model.

    Parameters
    ----------
    method : str
    maps : (t, m, L, 4) float
        A trial each, of the same sequences.
    sequences : (m, L) uint8

    Returns
    -------
    list of Score
        ``trial_agreement`` and ``trial_cosine``: mean and SD over sequences of the mean over the
        t (t - 1) / 2 pairs. Empty for fewer than two trials. The cosine compares what the method
        says of all letters (less their mean over letters), or else the importance of the bases.
    """
    if len(maps) < 2:
        return []
    trials = [checked_maps(each, sequences) for each in maps]
    importance = np.stack([base_scores(method, each, sequences) for each in trials])
    vectors = importance
    if get_method(method).letters:
        vectors = np.stack([centred(each).reshape(len(each), -1) for each in trials])
    return [
        mean_score("trial_agreement", mean_spearman(importance), method=method),
        mean_score("trial_cosine", mean_cosine(vectors), method=method),
    ]


def _score(found: ScoredMaps) -> list[Score]:
    if found.randomised is None:
        return []
    task, tested = found.task, slice(found.task.tested)
    return score_randomisation(
        found.method.name,
        found.maps[tested],
        found.randomised,
        task.explained_sequences[tested],
    )


SCORERS = (MapScorer(_score, place=60),)
