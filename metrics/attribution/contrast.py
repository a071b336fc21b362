"""Contrast: how far motifs stand out of a map, and whether it knows their letters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.areas import mean_score
from motifidelity.metrics.declare import Metric, Score
from motifidelity.metrics.methods import (
    Codes,
    Floats,
    base_scores,
    centred,
    checked_maps,
    letter_maps,
)
from motifidelity.metrics.motifs.pwm import Matrix
from motifidelity.metrics.readings import OWN
from motifidelity.metrics.scored import MapScorer, ScoredMaps
from motifidelity.metrics.truth.bases import BaseTruth
from motifidelity.metrics.truth.spans import Bools, Role, Spans

METRICS: tuple[Metric, ...] = (
    Metric(
        name="signal_to_noise",
        family="attribution",
        definition="corrected",
        direction="higher",
        low=-10.0,
        high=10.0,
        chance=0.0,
        version=1,
        source="our definition: log2 of mean |importance| in implanted over background bases",
        summary=(
            "How many times, in powers of two, implanted bases are more important than background."
        ),
    ),
    Metric(
        name="pwm_cosine",
        family="attribution",
        definition="corrected",
        direction="higher",
        low=-1.0,
        high=1.0,
        chance=0.0,
        version=1,
        source=(
            "our definition, with the gauge of Majdandzic et al., Genome Biol. 24, 109 (2023): "
            "cosine of map and log-odds, both less their mean over letters"
        ),
        summary="Whether the map prefers the letters that the implanted motif prefers.",
    ),
)

MAX_OCTAVES = 10.0
"""A ratio beyond 1,024 counts as 1,024: with no noise at all it would be infinite."""
UNIFORM_SHARE = 0.01
"""Uniform share mixed into a PPM, so that a letter that never occurs has -6.6 bits, not -33."""


def score_contrast(
    method: str,
    maps: Floats,
    sequences: Codes,
    truth: BaseTruth,
    spans: Spans,
    motifs: Sequence[Matrix],
    hypothetical: Floats | None = None,
    importance: Floats | None = None,
) -> list[Score]:
    """Signal-to-noise of the maps of one method, and their cosine with the true log-odds.

    Parameters
    ----------
    method, maps, sequences, truth, spans, motifs
        As in `instances.score_instances`.
    hypothetical : (m, L, 4) float, optional
        Hypothetical contributions, of methods that have them.
    importance : (m, L) float, optional
        What the maps say of each base by another reading (`readings.read_maps`); default: by the
        method's own.

    Returns
    -------
    list of Score
        ``signal_to_noise``, and ``pwm_cosine`` where there is something about letters that are not
        there (`methods.letter_maps`): mean and SD over sequences.
    """
    maps = checked_maps(maps, sequences)
    if importance is None:
        importance = base_scores(method, maps, sequences)
    ratio = signal_to_noise(importance, truth.implanted, truth.background)
    scores = [mean_score("signal_to_noise", ratio, method=method)]
    letters = letter_maps(method, maps, sequences, hypothetical)
    if letters is not None:
        cosine = pwm_cosine(letters, spans.of(Role.IMPLANT), motifs)
        scores.append(mean_score("pwm_cosine", cosine, method=method))
    return scores


def signal_to_noise(scores: Floats, implanted: Bools, background: Bools) -> npt.NDArray[np.float64]:
    """log2 of the mean |importance| of implanted bases over that of background bases.

    Parameters
    ----------
    scores : (m, L) float
    implanted, background : (m, L) bool

    Returns
    -------
    (m,) float64, in [-10, 10]
        Beyond a ratio of 1,024 clipped; 0 for a map that is zero in both; nan for a sequence
        without one of the two kinds of base.
    """
    size = np.abs(np.asarray(scores, np.float64))
    with np.errstate(invalid="ignore", divide="ignore"):
        signal = (size * implanted).sum(axis=1) / implanted.sum(axis=1)
        noise = (size * background).sum(axis=1) / background.sum(axis=1)
        octaves = np.clip(np.log2(signal) - np.log2(noise), -MAX_OCTAVES, MAX_OCTAVES)
    return np.where((signal == 0) & (noise == 0), 0.0, octaves)


def pwm_cosine(maps: Floats, implants: Spans, motifs: Sequence[Matrix]) -> npt.NDArray[np.float64]:
    """Cosine of the map at each implant with the log-odds of the motif that is there.

    Parameters
    ----------
    maps : (m, L, 4) float
        With a meaning for all four letters.
    implants : Spans
    motifs : sequence of (w, 4) float

    Returns
    -------
    (m,) float64, in [-1, 1]
        Mean over a sequence's implants; nan for one without any. A map without any preference
        between letters has cosine 0; one that prefers the opposite letters is negative.

    Notes
    -----
    Both sides are taken less their mean over letters, at every base of the site, on the strand of
    the implant. Informative columns weigh more, as their log-odds are larger. The log-odds are
    log2 of 4 (0.99 p + 0.01 / 4).
    """
    m = len(maps)
    letters = centred(np.asarray(maps, np.float64))
    cosine = np.zeros(len(implants.sequence))
    for index, ppm in enumerate(motifs):
        pwm = letter_log_odds(ppm)
        for strand in (1, -1):
            mine = np.flatnonzero((implants.motif == index) & (implants.strand == strand))
            if not mine.size:
                continue
            target = pwm if strand > 0 else pwm[::-1, ::-1]
            base = implants.start[mine, None].astype(np.int64) + np.arange(len(pwm))
            here = letters[implants.sequence[mine, None], base]
            product = np.einsum("kwa,wa->k", here, target)
            size = np.sqrt(np.square(here).sum(axis=(1, 2))) * np.sqrt(np.square(target).sum())
            np.divide(product, size, out=product, where=size > 0)
            cosine[mine] = product
    with np.errstate(invalid="ignore"):
        mean: npt.NDArray[np.float64] = np.bincount(
            implants.sequence, weights=cosine, minlength=m
        ) / np.bincount(implants.sequence, minlength=m)
    return mean


def letter_log_odds(ppm: Matrix) -> npt.NDArray[np.float64]:
    """log2 of 4 (0.99 p + 0.01 / 4) less its mean over letters, (w, 4) in bits."""
    mixed = (1 - UNIFORM_SHARE) * np.asarray(ppm, np.float64) + UNIFORM_SHARE / 4
    return np.asarray(centred(np.log2(4 * mixed)), np.float64)


def _score(found: ScoredMaps) -> list[Score]:
    task = found.task
    if found.method.paper_maps:
        return []
    scores = score_contrast(
        found.method.name,
        found.maps,
        task.explained_sequences,
        task.explained_bases,
        task.explained_spans,
        task.implanted,
        found.hypothetical,
        found.importance,
    )
    # the cosine compares all letters, however the maps are read
    return scores if found.reading == OWN else scores[:1]


SCORERS = (MapScorer(_score, place=30, read=True),)
