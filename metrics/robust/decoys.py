"""Decoys: whether a map tells true instances from what looks like one, in the same sequence."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.areas import mean_score
from motifidelity.metrics.association import Floats, auroc
from motifidelity.metrics.declare import Metric, Score
from motifidelity.metrics.scored import MapScorer, ScoredMaps

Ints = npt.NDArray[np.integer]
Values = npt.NDArray[np.float64]
DECOYS = "decoy_auroc"
_DECIMALS = 12

METRICS: tuple[Metric, ...] = (
    Metric(
        name=DECOYS,
        family="attribution",
        definition="standard",
        direction="higher",
        low=0.0,
        high=1.0,
        chance=0.5,
        version=1,
        source="our definition: area under the ROC curve of true instances against decoys in the "
        "same sequence, by the map's mean per base",
        summary="Chance that a map gives more to a true instance than to a decoy in the same "
        "sequence.",
    ),
)


def span_means(importance: Floats, sequence: Ints, start: Ints, end: Ints) -> Values:
    """Mean importance per base of a span; a sum would tell the widths of motifs.

    Parameters
    ----------
    importance : (m, L) float
    sequence, start, end : (k,) int
        Half-open spans of at least one base.

    Returns
    -------
    (k,) float64
    """
    rows = np.asarray(importance, np.float64)
    widths = np.asarray(end) - start
    offset = np.arange(int(widths.max(initial=0)))
    inside = offset < widths[:, None]
    base = np.where(inside, np.asarray(start)[:, None] + offset, 0)
    values = np.where(inside, rows[np.asarray(sequence)[:, None], base], 0.0)
    return np.asarray(values.sum(axis=1) / widths)


def score_decoys(
    method: str, importance: Floats, sequence: Ints, start: Ints, end: Ints, true: npt.ArrayLike
) -> list[Score]:
    """AUROC of true instances against decoys, within a sequence.

    Parameters
    ----------
    method : str
        Becomes `Score.method`.
    importance : (m, L) float
        Signed (`readings.read_maps`).
    sequence, start, end : (k,) int
        Of instances and decoys; half-open spans.
    true : (k,) bool
        Whether it is an instance.

    Returns
    -------
    list of Score
        ``decoy_auroc`` of the mean importance per base: mean and SD over sequences. One without an
        instance or without a decoy is left out, and n says so.
    """
    owner = np.asarray(sequence)
    order = np.argsort(owner, kind="stable")
    counts = np.bincount(owner, minlength=len(importance))
    keep = np.arange(int(counts.max(initial=0))) < counts[:, None]
    values, truth = np.zeros(keep.shape), np.zeros(keep.shape, bool)
    values[keep] = span_means(importance, sequence, start, end)[order]
    # one importance everywhere has one mean, whatever widths do to its last bits
    largest = np.abs(values).max(axis=1, keepdims=True, initial=0.0)
    values = np.round(np.divide(values, largest, out=values, where=largest > 0), _DECIMALS)
    truth[keep] = np.asarray(true, bool)[order]
    return [mean_score(DECOYS, auroc(values, truth, keep), method=method)]


def _score(found: ScoredMaps) -> list[Score]:
    extra = found.task.extra
    if extra is None or extra.decoys is None or found.reading != "signed":
        return []
    if found.importance_of_extra is None:
        return []
    sites = extra.decoys
    return score_decoys(
        found.method.name,
        found.importance_of_extra,
        sites.sequence,
        sites.start,
        sites.end,
        sites.true,
    )


SCORERS = (MapScorer(_score, place=38, read=True),)
