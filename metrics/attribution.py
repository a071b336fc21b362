"""Attribution: whether a network's importance maps point at the implanted bases."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .declare import STUDY, Metric, Score
from .ranking import mean_score, rank_rows

METRICS: tuple[Metric, ...] = (
    Metric(
        name="attribution_auroc",
        family="attribution",
        definition="corrected",
        direction="higher",
        low=0.0,
        high=1.0,
        chance=0.5,
        version=1,
        source=f"{STUDY}; taken at the logit, sites that arose by chance left out",
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
        version=1,
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
        summary="As attribution_auroc, but explaining the saturating sigmoid output, unmasked.",
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
        summary="As attribution_aupr, but at the sigmoid output and by the trapezoid, unmasked.",
    ),
    Metric(
        name="attribution_prevalence",
        family="attribution",
        definition="standard",
        direction="neutral",
        low=0.0,
        high=1.0,
        chance=None,
        version=1,
        source="share of positives; the average precision of an uninformative map",
        summary="Share of scored bases that are implanted: what attribution_aupr is at chance.",
    ),
)

Floats = npt.NDArray[np.floating]

METHODS = ("saliency", "ism")


def score_attribution(
    method: str,
    maps: Floats,
    logits: Floats,
    sequences: npt.NDArray[np.uint8],
    truth: npt.ArrayLike,
    chance: npt.ArrayLike | None = None,
) -> list[Score]:
    """Score the maps of one method against the implanted bases, by both definitions.

    Parameters
    ----------
    method : {"saliency", "ism"}
        Gradient of the logit, or in-silico mutagenesis: logit(mutant) - logit(original).
    maps : (m, L, 4) float
        At the logit. For ``ism`` zero at the original letter.
    logits : (m,) float
        The logit that is explained, of each sequence.
    sequences : (m, L) uint8
        A=0 C=1 G=2 T=3.
    truth : (m, L) uint8, 0 or 1
        Implanted bases.
    chance : (m, L) bool, optional
        Bases of sites that arose by chance (`scan.chance_mask`): left out of the corrected scores.

    Returns
    -------
    list of Score
        ``attribution_auroc``, ``attribution_aupr``, ``paper_attribution_auroc``,
        ``paper_attribution_aupr``, ``attribution_prevalence``: mean and SD over the n sequences
        with both kinds of base.

    Raises
    ------
    ValueError
        If the method is unknown, shapes disagree or a value is not finite.

    Notes
    -----
    Koo & Ploenzke (2021), with the per-base scores of `base_scores`. The study explains the sigmoid
    output, `at_sigmoid` derives its maps from these. A map that is one constant in a sequence, as
    where the sigmoid saturates, scores AUROC 0.5.
    """
    maps, logits = np.asarray(maps), np.asarray(logits)
    planted = np.asarray(truth).astype(bool)
    if method not in METHODS:
        raise ValueError(f"no attribution method {method!r}; choose one of {', '.join(METHODS)}")
    if maps.ndim != 3 or maps.shape != (*sequences.shape, 4) or planted.shape != sequences.shape:
        raise ValueError(
            f"maps {maps.shape} must be (m, L, 4) for sequences {sequences.shape} and truth "
            f"{planted.shape}"
        )
    if logits.shape != maps.shape[:1]:
        raise ValueError(f"logits {logits.shape} must be ({len(maps)},), one per sequence")
    keep = None if chance is None else ~(np.asarray(chance).astype(bool) & ~planted)

    corrected = rank_rows(base_scores(method, maps, sequences), planted, keep)
    study = rank_rows(base_scores(method, at_sigmoid(method, maps, logits), sequences), planted)
    both_kinds = ~np.isnan(corrected.auroc)
    both_kinds_paper = ~np.isnan(study.auroc)
    return [
        mean_score(name, np.where(defined, values, np.nan), method=method)
        for name, values, defined in (
            ("attribution_auroc", corrected.auroc, both_kinds),
            ("attribution_aupr", corrected.average_precision, both_kinds),
            ("paper_attribution_auroc", study.auroc, both_kinds_paper),
            ("paper_attribution_aupr", study.pr_trapezoid, both_kinds_paper),
            ("attribution_prevalence", corrected.prevalence, both_kinds),
        )
    ]


def base_scores(method: str, maps: Floats, sequences: npt.NDArray[np.uint8]) -> Floats:
    """One importance per base.

    Parameters
    ----------
    method : {"saliency", "ism"}
    maps : (m, L, 4) float
    sequences : (m, L) uint8

    Returns
    -------
    (m, L) float
        Saliency: sum over letters of map x one-hot, the value at the letter that is there.
        Mutagenesis: L2 norm over letters.
    """
    if method == "ism":
        return np.asarray(np.sqrt(np.square(maps).sum(axis=2)))
    return np.take_along_axis(maps, sequences[:, :, None].astype(np.intp), axis=2)[:, :, 0]


def at_sigmoid(method: str, maps: Floats, logits: Floats) -> npt.NDArray[np.float32]:
    """Maps at the sigmoid output s(z) from maps at the logit z.

    Parameters
    ----------
    method : {"saliency", "ism"}
    maps : (m, L, 4) float
    logits : (m,) float

    Returns
    -------
    (m, L, 4) float32
        Saliency x s(z) (1 - s(z)), by the chain rule; mutagenesis s(z + change) - s(z). In single
        precision like the study's networks, where 1 - s(z) vanishes above z = 17.
    """
    change = np.asarray(maps, dtype=np.float32)
    z = np.asarray(logits, dtype=np.float32)[:, None, None]
    output = _sigmoid(z)
    if method == "ism":
        return _sigmoid(z + change) - output
    return change * (output * (np.float32(1) - output))


def _sigmoid(z: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return np.float32(1) / (np.float32(1) + np.exp(-z))
