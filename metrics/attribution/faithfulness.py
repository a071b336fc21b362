"""Faithfulness: whether changing what a map calls important changes the network's answer.

Letters are replaced by dinucleotide-resampled ones, never by zeros, so that the network only sees
DNA. The network is not run here: its logits come as arrays.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.areas import mean_score
from motifidelity.metrics.declare import Direction, Metric, Score
from motifidelity.metrics.methods import (
    Codes,
    Floats,
    base_scores,
    checked_maps,
    letter_maps,
    observed,
)
from motifidelity.metrics.readings import OWN
from motifidelity.metrics.scored import MapScorer, ScoredMaps


def _curve(name: str, summary: str) -> Metric:
    source = (
        "Petsiuk et al., BMVC (2018); Samek et al., IEEE TNNLS 28, 2660-2673 (2017); letters "
        "resampled by dinucleotides"
    )
    return _metric(name, "higher", (None, None), None, source, summary)


def _metric(
    name: str,
    direction: Direction,
    bounds: tuple[float | None, float | None],
    chance: float | None,
    source: str,
    summary: str,
) -> Metric:
    return Metric(
        *(name, "attribution", "corrected", direction, *bounds, chance, 1, source, summary),
        own_network=True,
    )


METRICS: tuple[Metric, ...] = (
    _curve(
        "deletion_area",
        "How early the logit falls when the most important bases are resampled first, as a share "
        "of the whole fall.",
    ),
    _curve(
        "insertion_area",
        "How early the logit returns when the most important bases are put back first, as a share "
        "of the whole rise.",
    ),
    _metric(
        "infidelity",
        "lower",
        (0.0, 1.0),
        1.0,
        "Yeh et al., NeurIPS (2019), with the optimal scaling, as a share of the squared changes",
        "Share of the changes of the logit under resampled letters that the map does not foresee.",
    ),
)


def score_curves(
    method: str,
    deletion: Floats,
    insertion: Floats,
    replaced: npt.ArrayLike,
    labels: npt.ArrayLike | None = None,
) -> list[Score]:
    """Areas of the deletion and insertion curves of one method.

    Parameters
    ----------
    method : str
        Becomes `Score.method`.
    deletion : (m, S) or (m, C, S) float
        Logit after the `replaced[j]` most important bases were resampled, mean over resamplings.
    insertion : same shape
        Logit of the resampled sequence after the `replaced[j]` most important bases were put back.
    replaced : (S,) int
        Rising from 0 to the sequence length.
    labels : (m, C) 0/1, needed with C
        The classes of a sequence: a sequence's area is the mean over them.

    Returns
    -------
    list of Score
        ``deletion_area`` and ``insertion_area``: mean and SD over sequences.

    Raises
    ------
    ValueError
        If shapes disagree, a logit is not finite, or `replaced` does not rise from 0.

    Notes
    -----
    See `curve_areas` for the unit. A map that orders bases at random has an area too (about a half
    where bases act independently): read the score against that of random maps.
    """
    held = None if labels is None else np.asarray(labels).astype(bool)
    areas = curve_areas(deletion, insertion, replaced, held)
    if areas[0].ndim != (1 if held is None else 2):
        raise ValueError("curves of several classes need the labels (m, C)")
    down, up = areas if held is None else (_row_means(area) for area in areas)
    return [
        mean_score("deletion_area", down, method=method),
        mean_score("insertion_area", up, method=method),
    ]


def curve_areas(
    deletion: Floats,
    insertion: Floats,
    replaced: npt.ArrayLike,
    held: npt.NDArray[np.bool_] | None = None,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Area over the deletion curve and under the insertion curve, in units of the whole change.

    Parameters
    ----------
    deletion, insertion : (m, ..., S) float
    replaced : (S,) int
    held : (m, ...) bool, optional
        Which curves count. Default: all.

    Returns
    -------
    two (m, ...) float64
        mean over the share of bases, by the trapezoid, of f(x) - deletion and of insertion -
        insertion[0], over the mean over sequences of |f(x) - f(all resampled)|. One scale per
        network and class: a ratio of each sequence's own would be noise where its change is small.
        nan for a curve that does not count, and where nothing changes in any sequence.
    """
    steps = np.asarray(replaced, np.float64)
    curves = [np.asarray(curve, np.float64) for curve in (deletion, insertion)]
    if steps.ndim != 1 or len(steps) < 2 or steps[0] != 0 or (np.diff(steps) <= 0).any():
        raise ValueError("replaced must rise from 0 to the sequence length")
    for name, curve in zip(("deletion", "insertion"), curves, strict=True):
        if curve.shape != curves[0].shape or curve.ndim < 2 or curve.shape[-1] != len(steps):
            raise ValueError(f"{name} {curve.shape} must be (m, ..., {len(steps)})")
        if not np.isfinite(curve).all():
            raise ValueError(f"{name} holds nan or infinity; reject it before scoring")
    down, up = curves
    counts = np.ones(down.shape[:-1], bool) if held is None else held
    if counts.shape != down.shape[:-1]:
        raise ValueError(f"labels {counts.shape} must be {down.shape[:-1]}")
    fall, rise = down[..., :1] - down, up - up[..., :1]
    change = np.where(counts, np.abs(fall[..., -1]), 0.0)
    with np.errstate(invalid="ignore"):
        scale = change.sum(axis=0) / counts.sum(axis=0)
    unit = np.where(counts & (scale > 0), scale, np.nan)
    areas = [
        (np.diff(steps) * (curve[..., 1:] + curve[..., :-1]) / 2).sum(axis=-1) / steps[-1] / unit
        for curve in (fall, rise)
    ]
    return areas[0], areas[1]


def score_infidelity(
    method: str,
    maps: Floats,
    sequences: Codes,
    perturbed: Codes,
    changes: Floats,
    hypothetical: Floats | None = None,
) -> list[Score]:
    """Infidelity of the maps of one method.

    Parameters
    ----------
    method : str
        A name in `methods.METHODS`.
    maps : (m, L, 4) float
    sequences : (m, L) uint8
    perturbed : (m, R, L) uint8
        R perturbed copies of each sequence.
    changes : (m, R) float
        Explained logit of the sequence less that of the perturbed one.
    hypothetical : (m, L, 4) float, optional
        Hypothetical contributions, of methods that have them.

    Returns
    -------
    list of Score
        ``infidelity``: mean and SD over sequences.

    Raises
    ------
    ValueError
        If shapes disagree or a value is not finite.
    """
    maps = checked_maps(maps, sequences)
    m, length = sequences.shape
    actual = np.asarray(changes, np.float64)
    if perturbed.ndim != 3 or perturbed.shape[::2] != (m, length):
        raise ValueError(f"perturbed {perturbed.shape} must be (m, R, L) for {sequences.shape}")
    if actual.shape != perturbed.shape[:2] or not np.isfinite(actual).all():
        raise ValueError(f"changes {actual.shape} must be finite and {perturbed.shape[:2]}")
    foreseen = foreseen_changes(method, maps, sequences, perturbed, hypothetical)
    return [mean_score("infidelity", infidelity(foreseen, actual), method=method)]


def foreseen_changes(
    method: str,
    maps: Floats,
    sequences: Codes,
    perturbed: Codes,
    hypothetical: Floats | None = None,
) -> npt.NDArray[np.float64]:
    """What a map says that a perturbation takes from the logit, (m, R).

    The sum over changed bases of the entry of the old letter less that of the new one; where there
    is nothing about other letters, the sum of the importance of the changed bases.
    """
    foreseen = np.empty(perturbed.shape[:2])
    letters = letter_maps(method, maps, sequences, hypothetical)
    if letters is None:
        importance = base_scores(method, maps, sequences)
    else:
        importance = observed(letters, sequences)
    for copy in range(perturbed.shape[1]):
        new = perturbed[:, copy]
        if letters is None:
            taken = np.where(new != sequences, importance, 0)
        else:
            taken = importance - observed(letters, new)
        foreseen[:, copy] = taken.sum(axis=1, dtype=np.float64)
    return foreseen


def infidelity(foreseen: Floats, actual: Floats) -> npt.NDArray[np.float64]:
    """Share of the squared changes that is not foreseen, at the best scale of the map.

    Parameters
    ----------
    foreseen, actual : (m, R) float

    Returns
    -------
    (m,) float64, in [0, 1]
        min over b >= 0 of sum (b foreseen - actual)^2 / sum actual^2: 0 for a map that is
        proportional to the changes, 1 for one that says nothing of them or the opposite. nan where
        no perturbation changes the logit.

    Notes
    -----
    Yeh et al. (2019) with their optimal scaling, so that maps of gradients and of contributions
    compare; the scale must not be negative, because a map with the wrong sign is wrong.
    """
    product = np.maximum((foreseen * actual).sum(axis=1), 0.0)
    size, total = np.square(foreseen).sum(axis=1), np.square(actual).sum(axis=1)
    explained = np.divide(product**2, size, out=np.zeros_like(size), where=size > 0)
    share = np.divide(explained, total, out=np.full_like(total, np.nan), where=total > 0)
    return np.asarray(1.0 - np.minimum(share, 1.0))


def _row_means(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Mean over axis 1 of what is not nan, nan where nothing is."""
    defined = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(defined, values, 0.0).sum(axis=1) / defined.sum(axis=1))


def _score(found: ScoredMaps) -> list[Score]:
    task, tested = found.task, slice(found.task.tested)
    if found.deletion is None or found.insertion is None:
        return []
    labels = task.labels[task.explained[tested]]
    name = found.method.name
    scores = score_curves(name, found.deletion, found.insertion, task.replaced, labels)
    # infidelity asks what the map says of other letters, however the bases are read
    if found.reading != OWN or found.perturbed is None or found.changes is None:
        return scores
    return scores + score_infidelity(
        name,
        found.maps[tested],
        task.explained_sequences[tested],
        found.perturbed,
        found.changes,
        None if found.hypothetical is None else found.hypothetical[tested],
    )


SCORERS = (MapScorer(_score, place=50, read=True),)
