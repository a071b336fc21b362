"""Localisation: whether the scan of a sequence peaks where the motifs were implanted."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.areas import mean_score, rank_rows
from motifidelity.metrics.declare import STUDY, Metric, Score
from motifidelity.metrics.scored import NetworkScorer, ScoredNetwork, ScoredTask
from motifidelity.metrics.truth.scan import pwm_scan

METRICS: tuple[Metric, ...] = (
    Metric(
        name="paper_localisation_auroc",
        family="localisation",
        definition="paper",
        direction="higher",
        low=0.0,
        high=1.0,
        chance=None,
        version=1,
        source=STUDY,
        summary=(
            "Chance that a motif region outscores the background, with the study's region search "
            "(it counts some regions twice or as background, and its long background stretches "
            "put noise near 0.37 on motif-classes)."
        ),
    ),
    Metric(
        name="localisation_auroc",
        family="localisation",
        definition="corrected",
        direction="higher",
        low=0.0,
        high=1.0,
        chance=0.5,
        version=1,
        source=f"{STUDY}; each region once, background cut to the width of the motif regions",
        summary="Chance that the peak of a motif region is above that of background as wide.",
    ),
)

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.intp]
Regions = tuple[Ints, Ints, Ints]
"""Sequence index, start and end (not included) of each region; all (k,)."""


def score_localisation(
    scan: npt.NDArray[np.floating],
    truth: npt.ArrayLike,
    chance: npt.ArrayLike | None = None,
    buffer: int = 10,
    which: Literal["filter", "pwm"] = "filter",
) -> list[Score]:
    """AUROC of motif regions against background, per sequence, by both definitions.

    Parameters
    ----------
    scan : (n, L) float
        At each position the maximum over filters (after the activation), or over PWMs.
    truth : (n, L) uint8, 0 or 1
        Implanted bases.
    chance : (n, L) bool, optional
        Bases of sites that arose by chance (`scan.chance_mask`). The corrected score leaves them,
        extended like the truth, out of the background. The study's score does not know them.
    buffer : int
        Bases by which the truth is extended, as `extend` does: a filter's peak may lie beside its
        motif.
    which : {"filter", "pwm"}
        What made the scan; becomes `Score.method`.

    Returns
    -------
    list of Score
        ``paper_localisation_auroc`` and ``localisation_auroc``: mean and SD over the n sequences
        that have both kinds of region.

    Raises
    ------
    ValueError
        If the shapes differ, the scan is not finite or the buffer is below 1.

    Notes
    -----
    Koo & Ploenzke (2021). A region's score is its maximum, and a long stretch of noise has a higher
    maximum than a short one. Background stretches are about twice as long as motif regions, so the
    study's score is near 0.37 for noise on motif-classes. The corrected score cuts the
    background into pieces as wide as the mean motif region of the sequence, so that noise is at 0.5
    and a perfect scan at 1; a stretch too short for one piece is not used, unless all of its
    sequence's are too short: then the longest is.
    """
    scan = np.asarray(scan)
    if scan.dtype.kind != "f":
        scan = scan.astype(np.float64)
    planted = np.asarray(truth)
    if scan.ndim != 2 or planted.shape != scan.shape:
        raise ValueError(f"scan {scan.shape} and truth {planted.shape} must be equal (n, L)")
    if buffer < 1:
        raise ValueError(f"buffer must be 1 or more, not {buffer}")
    if not np.isfinite(scan).all():
        raise ValueError("scan holds nan or infinity; clip or reject it before scoring")
    masked: Bools | None = None
    if chance is not None:
        masked = np.asarray(chance).astype(bool)
        if masked.shape != scan.shape:
            raise ValueError(f"chance {masked.shape} must have the shape of the scan {scan.shape}")
    return [
        mean_score(name, auroc, method=which)
        for name, auroc in (
            ("paper_localisation_auroc", paper_auroc_per_sequence(scan, planted, buffer)),
            ("localisation_auroc", auroc_per_sequence(scan, planted, masked, buffer)),
        )
    ]


def extend(truth: npt.ArrayLike, buffer: int) -> Bools:
    """Widen marked bases as the study does.

    Parameters
    ----------
    truth : (n, L) uint8 or bool
    buffer : int
        Position p is marked if any base in p - buffer//2 up to, not including, that + buffer is.

    Returns
    -------
    (n, L) bool
    """
    marked = np.asarray(truth).astype(bool)
    length = marked.shape[1]
    left = buffer // 2
    padded = np.pad(marked, ((0, 0), (left + 1, buffer - left)))
    running = np.cumsum(padded, axis=1, dtype=np.int32)
    return (running[:, buffer : buffer + length] - running[:, :length]) > 0


def auroc_per_sequence(
    scan: npt.NDArray[np.floating], truth: npt.ArrayLike, chance: Bools | None, buffer: int
) -> npt.NDArray[np.float64]:
    """Corrected AUROC of each sequence; arguments as in `score_localisation`.

    Returns
    -------
    (n,) float64, in [0, 1]
        nan for a sequence without motif regions or without background.
    """
    n = len(scan)
    near_motif = extend(truth, buffer)
    background = ~near_motif
    if chance is not None:
        background &= ~extend(chance, buffer)
    motifs = _runs(near_motif)
    width = near_motif.sum(axis=1) // np.maximum(np.bincount(motifs[0], minlength=n), 1)
    pieces = _cut(_runs(background), np.maximum(width, 1))
    return _auroc(n, (motifs[0], _region_max(scan, motifs)), (pieces[0], _region_max(scan, pieces)))


def paper_auroc_per_sequence(
    scan: npt.NDArray[np.floating], truth: npt.ArrayLike, buffer: int
) -> npt.NDArray[np.float64]:
    """The study's AUROC of each sequence, its defective region search included.

    Returns
    -------
    (n,) float64, in [0, 1]
        nan for a sequence in which the search finds no region of one kind, or where the study's
        code would stop with an error.
    """
    near_motif = extend(truth, buffer)
    positive = _paper_regions(near_motif, tail=False)
    negative = _paper_regions(~near_motif, tail=True)
    return _auroc(
        len(scan),
        (positive[0], _region_max(scan, positive)),
        (negative[0], _region_max(scan, negative)),
    )


def _paper_regions(marked: Bools, *, tail: bool) -> Regions:
    """The regions that the study's search collects, for all sequences in step.

    Its loop goes over the regions of one sequence; here one round handles a region of every
    sequence. `start` survives the round in which no further region begins, and the end is looked
    for from index + start instead of from start: these two are the defect. Its tests on
    ``any(list(hits))`` ask for a hit beyond the first position, as the index 0 counts as false.
    With `tail` a search that finds no end takes the stretch up to the sequence's end.
    """
    n, length = marked.shape
    next_marked, next_clear = _next_true(marked), _next_true(~marked)
    rows = np.arange(n)
    index = np.zeros(n, np.intp)
    start = np.full(n, -1, np.intp)
    found: list[Regions] = []
    while rows.size:
        begins = next_marked[rows, np.minimum(index + 1, length)] < length
        start = np.where(begins, next_marked[rows, index], start)
        # No start in the first round: the study's code would raise a NameError.
        known = start >= 0
        rows, index, start, begins = rows[known], index[known], start[known], begins[known]

        base = np.minimum(index + start, length)
        ends = next_clear[rows, np.minimum(base + 1, length)] < length
        end = next_clear[rows, base]
        found.append((rows[ends], start[ends], end[ends]))
        if tail:
            rest = ~ends
            found.append((rows[rest], start[rest], np.full(int(rest.sum()), length, np.intp)))
        again = begins & ends
        rows, index, start = rows[again], end[again], start[again]
    sequence, first, last = (np.concatenate([part[i] for part in found]) for i in range(3))
    order = np.lexsort((first, sequence))
    return sequence[order], first[order], last[order]


def _next_true(marked: Bools) -> Ints:
    """Smallest marked position at or after each of 0..L; (n, L + 1), L where there is none."""
    n, length = marked.shape
    positions = np.full((n, length + 1), length, np.intp)
    np.copyto(positions[:, :length], np.arange(length), where=marked)
    reversed_minimum = np.minimum.accumulate(positions[:, ::-1], axis=1)
    return np.ascontiguousarray(reversed_minimum[:, ::-1])


def _runs(marked: Bools) -> Regions:
    """Every maximal run of marked positions, in order."""
    edges = np.diff(np.pad(marked, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    sequence, start = np.nonzero(edges == 1)
    return sequence, start, np.nonzero(edges == -1)[1]


def _cut(runs: Regions, width: Ints) -> Regions:
    """Cut pieces of its sequence's `width` (n,) out of each run, as many as fit, evenly spread.

    A run that is too short gives none; a sequence in which all are too short keeps its longest.
    """
    sequence, start, end = runs
    size = end - start
    longest = np.zeros_like(width)
    np.maximum.at(longest, sequence, size)
    piece_width = np.minimum(width, longest)[sequence]
    number = size // np.maximum(piece_width, 1)
    run = np.repeat(np.arange(len(size)), number)
    piece = np.arange(len(run)) - np.repeat(np.cumsum(number) - number, number)
    spare = (size - number * piece_width)[run]
    first = start[run] + piece * piece_width[run] + spare * (2 * piece + 1) // (2 * number[run])
    return sequence[run], first, first + piece_width[run]


def _region_max(scan: npt.NDArray[np.floating], regions: Regions) -> npt.NDArray[np.floating]:
    """Maximum of `scan` (n, L) in each region, (k,); regions are sorted by sequence."""
    sequence, start, end = regions
    if not sequence.size:
        return np.empty(0, scan.dtype)
    # reduceat takes start:end at even places; the sentinel lets the last end lie past the data.
    flat = np.append(scan.ravel(), scan.dtype.type(-np.inf))
    offset = sequence * scan.shape[1]
    bounds = np.stack([offset + start, offset + end], axis=1).ravel()
    return np.asarray(np.maximum.reduceat(flat, bounds)[::2])


def _auroc(
    n: int,
    positive: tuple[Ints, npt.NDArray[np.floating]],
    negative: tuple[Ints, npt.NDArray[np.floating]],
) -> npt.NDArray[np.float64]:
    """AUROC of each of n sequences from (sequence index, score) of its regions."""
    sequence = np.concatenate([positive[0], negative[0]])
    scores = np.concatenate([positive[1], negative[1]]).astype(np.float64)
    is_positive = np.arange(len(sequence)) < len(positive[0])
    order = np.argsort(sequence, kind="stable")
    sequence, scores, is_positive = sequence[order], scores[order], is_positive[order]
    number = np.bincount(sequence, minlength=n)
    column = np.arange(len(sequence)) - (np.cumsum(number) - number)[sequence]
    shape = (n, int(number.max(initial=0)))
    table, truth, keep = np.zeros(shape), np.zeros(shape, bool), np.zeros(shape, bool)
    table[sequence, column] = scores
    truth[sequence, column] = is_positive
    keep[sequence, column] = True
    return rank_rows(table, truth, keep).auroc


def _localise(
    task: ScoredTask, scan: npt.NDArray[np.floating], which: Literal["filter", "pwm"]
) -> list[Score]:
    """Scores of the scan of the sequences with a label."""
    rows = task.positive
    return score_localisation(scan, task.planted[rows], task.bases.chance[rows], task.buffer, which)


def localise_true_motifs(task: ScoredTask) -> list[Score]:
    """Localisation of the scan with the true PWMs, beside which a network's is read."""
    return _localise(task, pwm_scan(task.sequences[task.positive], task.true_motifs), "pwm")


def _score(network: ScoredNetwork) -> list[Score]:
    task = network.task
    if network.filters is None:
        return []
    scan = network.filters.scan_max[task.positive]
    return _localise(task, scan, "filter") + task.once(localise_true_motifs)


SCORERS = (NetworkScorer(_score, place=50),)
