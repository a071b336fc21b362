"""Attribution: whether a network's importance maps point at the implanted bases."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.areas import Ranking, mean_score, rank_rows
from motifidelity.metrics.declare import STUDY, Metric, Score
from motifidelity.metrics.methods import METHODS, at_sigmoid, base_scores, checked_maps, get_method
from motifidelity.metrics.readings import OWN
from motifidelity.metrics.scored import MapScorer, ScoredMaps

__all__ = [
    "METHODS",
    "METRICS",
    "SCORERS",
    "at_sigmoid",
    "base_scores",
    "rank_bases",
    "score_attribution",
]

METRICS: tuple[Metric, ...] = (
    Metric(
        name="attribution_auroc",
        family="attribution",
        definition="corrected",
        direction="higher",
        low=0.0,
        high=1.0,
        chance=0.5,
        version=2,
        source=f"{STUDY}; at the logit, chance sites and low-information columns left out",
        summary="Chance that an implanted base gets a higher importance than a background base.",
    ),
    Metric(
        name="attribution_aupr",
        family="attribution",
        definition="corrected",
        direction="higher",
        low=0.0,
        high=1.0,
        chance=None,
        version=2,
        source=f"{STUDY}; as attribution_auroc, average precision instead of the trapezoid",
        summary="Average precision of importance; chance is the share of implanted bases.",
    ),
    Metric(
        name="paper_attribution_auroc",
        family="attribution",
        definition="paper",
        direction="higher",
        low=0.0,
        high=1.0,
        chance=0.5,
        version=1,
        source=STUDY,
        summary="As attribution_auroc, but by the study's own maps (saliency and ism at the "
        "saturating sigmoid output), unmasked.",
    ),
    Metric(
        name="paper_attribution_aupr",
        family="attribution",
        definition="paper",
        direction="higher",
        low=0.0,
        high=1.0,
        chance=None,
        version=1,
        source=STUDY,
        summary="As attribution_aupr, but by the study's own maps (saliency and ism at the "
        "saturating sigmoid output) and by the trapezoid, unmasked.",
    ),
    Metric(
        name="attribution_prevalence",
        family="attribution",
        definition="standard",
        direction="neutral",
        low=0.0,
        high=1.0,
        chance=None,
        version=2,
        source="share of positives; the average precision of an uninformative map",
        summary="Share of scored bases that are implanted: what attribution_aupr is at chance.",
    ),
    Metric(
        name="attribution_constant",
        family="attribution",
        definition="standard",
        direction="neutral",
        low=0.0,
        high=1.0,
        chance=None,
        version=1,
        source="our definition: share of sequences in which every base has the same importance",
        summary="Share of sequences whose map is one constant: they count as chance, and stay in.",
    ),
)

Floats = npt.NDArray[np.floating]
# the scores that depend on how maps are read; the study's have its own reading alone
READ = ("attribution_auroc", "attribution_aupr", "attribution_constant")


def score_attribution(
    method: str,
    maps: Floats,
    logits: Floats,
    sequences: npt.NDArray[np.uint8],
    truth: npt.ArrayLike,
    chance: npt.ArrayLike | None = None,
    low_information: npt.ArrayLike | None = None,
    importance: Floats | None = None,
) -> list[Score]:
    """Score the maps of one method against the implanted bases.

    Parameters
    ----------
    method : str
        A name in `methods.METHODS`.
    maps : (m, L, 4) float
        At the logit; those of the study's own variants (``paper_...``) as the study takes them.
    logits : (m,) float
        The logit that is explained, of each sequence.
    sequences : (m, L) uint8
        A=0 C=1 G=2 T=3.
    truth : (m, L) uint8, 0 or 1
        Implanted bases as the study has them.
    chance : (m, L) bool, optional
        Bases of sites that arose by chance (`truth.BaseTruth.chance`), of which implanted bases
        are ignored: left out of the corrected scores.
    low_information : (m, L) bool, optional
        Bases of implanted columns that say too little (`truth.BaseTruth.low_information`): left
        out of the corrected scores.
    importance : (m, L) float, optional
        What the maps say of each base by another reading (`readings.read_maps`), for the corrected
        scores; default: by the method's own.

    Returns
    -------
    list of Score
        Mean and SD over the n sequences with both kinds of base. For methods at the logit
        ``attribution_auroc``, ``attribution_aupr``, ``attribution_prevalence`` and
        ``attribution_constant``; where the study has the method, ``paper_attribution_auroc`` and
        ``paper_attribution_aupr``, under the method's plain name: ``integrated_gradients`` for the
        maps ``paper_ig``, ``deepshap`` for ``paper_deepshap``. Those of ``paper_saliency`` and
        ``paper_ism`` equal the ones of ``saliency`` and ``ism``: score either, not both.

    Raises
    ------
    ValueError
        If the method is unknown, shapes disagree or a value is not finite.

    Notes
    -----
    Koo & Ploenzke (2021), with the per-base scores of `base_scores`. The study explains the sigmoid
    output; `at_sigmoid` derives its saliency and mutagenesis from these maps. A map that is one
    constant in a sequence, as where the sigmoid saturates, scores AUROC 0.5 and as average
    precision the prevalence: it is never left out, or a network would gain by failing on hard
    sequences.
    """
    kind = get_method(method)
    maps, logits = checked_maps(maps, sequences), np.asarray(logits)
    planted = np.asarray(truth).astype(bool)
    if planted.shape != sequences.shape:
        raise ValueError(f"truth {planted.shape} must have the sequences' shape {sequences.shape}")
    if logits.shape != maps.shape[:1]:
        raise ValueError(f"logits {logits.shape} must be ({len(maps)},), one per sequence")

    scores: list[Score] = []
    if not kind.paper_maps:
        if importance is None:
            importance = base_scores(method, maps, sequences)
        areas = rank_bases(importance, planted, chance, low_information)
        defined = ~np.isnan(areas.auroc)
        constant = (importance == importance[:, :1]).all(axis=1)
        scores += [
            mean_score(name, np.where(defined, values, np.nan), method=method)
            for name, values in (
                ("attribution_auroc", areas.auroc),
                ("attribution_aupr", areas.average_precision),
                ("attribution_prevalence", areas.prevalence),
                ("attribution_constant", constant),
            )
        ]
    if kind.study is not None:
        study = maps if kind.paper_maps else at_sigmoid(method, maps, logits)
        areas = rank_rows(base_scores(method, study, sequences), planted)
        defined = ~np.isnan(areas.auroc)
        scores += [
            mean_score(name, np.where(defined, values, np.nan), method=kind.study)
            for name, values in (
                ("paper_attribution_auroc", areas.auroc),
                ("paper_attribution_aupr", areas.pr_trapezoid),
            )
        ]
    return scores


def rank_bases(
    importance: Floats,
    truth: npt.ArrayLike,
    chance: npt.ArrayLike | None = None,
    low_information: npt.ArrayLike | None = None,
) -> Ranking:
    """Rank the bases of each sequence by importance, as corrected scores do.

    Parameters
    ----------
    importance : (m, L) float
    truth, chance, low_information
        As in `score_attribution`.

    Returns
    -------
    Ranking
        Of every sequence.
    """
    planted = np.asarray(truth).astype(bool)
    keep = np.ones(planted.shape, bool)
    if chance is not None:
        keep &= ~np.asarray(chance).astype(bool) | planted
    if low_information is not None:
        keep &= ~np.asarray(low_information).astype(bool)
    return rank_rows(importance, planted, keep)


def _score(found: ScoredMaps) -> list[Score]:
    task = found.task
    scores = score_attribution(
        found.method.name,
        found.maps,
        found.logits,
        task.explained_sequences,
        task.planted[task.explained],
        task.explained_bases.chance,
        task.explained_bases.low_information,
        found.importance,
    )
    if found.reading != OWN:
        return [score for score in scores if score.metric in READ]
    if task.target == "binary":
        return scores
    # the study explains one sigmoid output; a sum of logits has none
    return [score for score in scores if not score.metric.startswith("paper_")]


SCORERS = (MapScorer(_score, place=10, read=True),)
