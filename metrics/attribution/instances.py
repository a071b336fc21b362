"""Instances: whether a map finds each implanted motif, at a fixed number of mistakes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.areas import mean_score
from motifidelity.metrics.declare import Metric, Score
from motifidelity.metrics.methods import Codes, Floats, base_scores, checked_maps
from motifidelity.metrics.motifs.ppm import information_content
from motifidelity.metrics.motifs.pwm import Matrix
from motifidelity.metrics.scored import MapScorer, ScoredMaps
from motifidelity.metrics.truth.bases import LOW_INFORMATION_BITS, BaseTruth
from motifidelity.metrics.truth.spans import Bools, Role, Spans

METRICS: tuple[Metric, ...] = (
    Metric(
        name="instance_recall",
        family="attribution",
        definition="corrected",
        direction="higher",
        low=0.0,
        high=1.0,
        chance=None,
        version=1,
        source=(
            "our definition, after free-response ROC analysis: Chakraborty, Med. Phys. 16, 561-568 "
            "(1989)"
        ),
        summary=(
            "Share of the implanted motifs that stand out, when one stretch of background a "
            "sequence may stand out too."
        ),
    ),
)


def score_instances(
    method: str,
    maps: Floats,
    sequences: Codes,
    truth: BaseTruth,
    spans: Spans,
    motifs: Sequence[Matrix],
    *,
    false_positives: float = 1.0,
    importance: Floats | None = None,
) -> list[Score]:
    """Recall of implanted motifs in the maps of one method.

    Parameters
    ----------
    method : str
        A name in `methods.METHODS`.
    maps : (m, L, 4) float
    sequences : (m, L) uint8
    truth : BaseTruth
        Of these m sequences.
    spans : Spans
        Of these m sequences (`Spans.of_sequences`); implants alone are looked for.
    motifs : sequence of (w, 4) float
        What `Spans.motif` counts through.
    false_positives : float
        Mean number per sequence and motif.
    importance : (m, L) float, optional
        What the maps say of each base by another reading (`readings.read_maps`); default: by the
        method's own.

    Returns
    -------
    list of Score
        ``instance_recall``: mean and SD over the sequences with an implant.
    """
    maps = checked_maps(maps, sequences)
    columns = [information_content(ppm) > LOW_INFORMATION_BITS for ppm in motifs]
    recall = instance_recall(
        base_scores(method, maps, sequences) if importance is None else importance,
        truth.background,
        spans.of(Role.IMPLANT),
        columns,
        false_positives=false_positives,
    )
    return [mean_score("instance_recall", recall, method=method)]


def instance_recall(
    scores: Floats,
    background: Bools,
    implants: Spans,
    columns: Sequence[Bools],
    *,
    false_positives: float = 1.0,
) -> npt.NDArray[np.float64]:
    """Share of the implants of each sequence that score above almost all background.

    Parameters
    ----------
    scores : (m, L) float
        Importance of each base.
    background : (m, L) bool
    implants : Spans
    columns : sequence of (w,) bool
        For each motif, the columns on its forward strand that count.
    false_positives : float
        Mean number of background calls per sequence that is let through.

    Returns
    -------
    (m,) float64, in [0, 1]
        nan for a sequence without implants.

    Notes
    -----
    An instance's score is the *mean* importance over its informative bases. Contributions add up
    over bases as log-odds do, so the mean is the site's share of the explained logit; a maximum
    would be decided by a single base, which isolated noise reaches too, and would grow with width.

    Every place in the background that has room for the motif is scored by the same columns. A call
    is a place that no overlapping one exceeds, as a motif caller would report it. The threshold
    is the smallest score with at most `false_positives` x m calls above it, for each motif and
    strand over all sequences together: an instance must exceed it. So a constant map finds nothing.
    Places that overlap an implant or a chance site are neither right nor wrong.
    """
    m = len(scores)
    allowed = int(np.floor(false_positives * m))
    found = np.zeros(len(implants.sequence), bool)
    for index, forward in enumerate(columns):
        for strand in (1, -1):
            mine = np.flatnonzero((implants.motif == index) & (implants.strand == strand))
            if not mine.size:
                continue
            means = _window_means(scores, forward if strand > 0 else forward[::-1])
            calls = _calls(means, _all_within(background, len(forward)), len(forward))
            threshold = -np.inf
            if len(calls) > allowed:
                threshold = np.partition(calls, len(calls) - 1 - allowed)[len(calls) - 1 - allowed]
            found[mine] = means[implants.sequence[mine], implants.start[mine]] > threshold
    number = np.bincount(implants.sequence, minlength=m)
    with np.errstate(invalid="ignore"):
        recall: npt.NDArray[np.float64] = (
            np.bincount(implants.sequence, weights=found, minlength=m) / number
        )
    return recall


def _window_means(scores: Floats, pattern: Bools) -> npt.NDArray[np.float64]:
    """Mean over the marked columns of the window at each start, (m, L - w + 1)."""
    number = scores.shape[1] - len(pattern) + 1
    total = np.zeros((len(scores), number))
    chosen = np.flatnonzero(pattern)
    for offset in chosen:
        total += scores[:, offset : offset + number]
    return total / max(len(chosen), 1)


def _all_within(marked: Bools, width: int) -> Bools:
    """Whether all bases of the window at each start are marked, (m, L - w + 1)."""
    running = np.cumsum(np.pad(marked, ((0, 0), (1, 0))), axis=1)
    return np.asarray(running[:, width:] - running[:, :-width] == width)


def _calls(means: npt.NDArray[np.float64], valid: Bools, width: int) -> npt.NDArray[np.float64]:
    """Scores of the valid windows that no valid window overlapping them exceeds, (calls,)."""
    values = np.where(valid, means, -np.inf)
    reach = width - 1
    padded = np.pad(values, ((0, 0), (reach, reach)), constant_values=-np.inf)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=1).max(axis=2)
    return np.asarray(values[valid & (values >= around)])


def _score(found: ScoredMaps) -> list[Score]:
    task = found.task
    if found.method.paper_maps:
        return []
    return score_instances(
        found.method.name,
        found.maps,
        task.explained_sequences,
        task.explained_bases,
        task.explained_spans,
        task.implanted,
        importance=found.importance,
    )


SCORERS = (MapScorer(_score, place=20, read=True),)
