"""Consistency: maps should change with the network's weights, and not with the training run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from motifidelity.metrics.agreement import centred_ranks, cosine_with_others, mean_spearman
from motifidelity.metrics.areas import mean_score
from motifidelity.metrics.declare import Metric, Score
from motifidelity.metrics.methods import (
    Codes,
    Floats,
    centred,
    checked_maps,
    get_method,
)
from motifidelity.metrics.readings import OWN, Reading, read_maps
from motifidelity.metrics.scored import MapScorer, ScoredMaps

# of a trial and the others of its model, unlike all other scores
AGREEMENT = ("trial_agreement", "trial_cosine")

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
    method: str,
    maps: Floats,
    randomised: Floats,
    sequences: Codes,
    reading: Reading = OWN,
    hypothetical: tuple[Floats | None, Floats | None] = (None, None),
) -> list[Score]:
    """Similarity of the maps of a trained network and of the same with random weights.

    Parameters
    ----------
    method : str
    maps, randomised : (m, L, 4) float
        By the same method, of the same sequences.
    sequences : (m, L) uint8
    reading : {"own", "signed", "magnitude"}
    hypothetical : two (m, L, 4) float or None
        Hypothetical contributions of both.

    Returns
    -------
    list of Score
        ``randomisation_similarity``: mean and SD over sequences; none where the maps have no such
        reading.

    Notes
    -----
    Adebayo et al. compare ranks with and without the sign; here the ranks of |importance|, because
    a random network may take either sign for the same pattern.
    """
    both = zip((maps, randomised), hypothetical, strict=True)
    pair = [read_maps(method, each, sequences, reading, shares) for each, shares in both]
    known = [each for each in pair if each is not None]
    if len(known) < len(pair):
        return []
    size = np.abs(np.stack(known))
    return [mean_score("randomisation_similarity", mean_spearman(size), method=method)]


def score_agreement(
    method: str, maps: Sequence[Floats], sequences: Codes, reading: Reading = OWN
) -> list[list[Score]]:
    """Agreement of each trial's maps with those of the other trials of its model.

    Parameters
    ----------
    method : str
    maps : sequence of (m, L, 4) float
        A trial each, of the same sequences; hypothetical contributions where the reading is of
        these.
    sequences : (m, L) uint8
    reading : {"own", "signed", "magnitude"}

    Returns
    -------
    list of list of Score
        For each trial ``trial_agreement`` and ``trial_cosine``: mean over the other trials, as many
        as ``n`` says, of the mean over sequences. None where there is no other trial. The cosine
        compares what the method says of all letters (less their mean over letters), or else the
        importance of the bases, and belongs to the method's own reading alone.

    Raises
    ------
    ValueError
        If the method has no such reading.
    """
    if len(maps) < 2:
        return [[] for _ in maps]
    trials = [checked_maps(each, sequences) for each in maps]
    read = [read_maps(method, each, sequences, reading, each) for each in trials]
    known = [each for each in read if each is not None]
    if len(known) < len(trials):
        raise ValueError(f"maps of {method} have no reading {reading}")
    importance = np.stack(known)
    vectors = importance
    if get_method(method).letters:
        vectors = np.stack([centred(each).reshape(len(each), -1) for each in trials])
    compared: dict[str, Floats] = {AGREEMENT[0]: centred_ranks(importance)}
    if reading == OWN:
        compared[AGREEMENT[1]] = vectors
    means = {metric: cosine_with_others(each).mean(axis=1) for metric, each in compared.items()}
    return [
        [
            Score(metric, float(values[trial]), n=len(maps) - 1, method=method)
            for metric, values in means.items()
        ]
        for trial in range(len(maps))
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
        found.reading,
        (
            None if found.hypothetical is None else found.hypothetical[tested],
            found.randomised_hypothetical,
        ),
    )


SCORERS = (MapScorer(_score, place=60, read=True),)
