"""One two-way layout a board: what models differ by, blocked by seed, and how far that is known.

A score is the sum of what its model gives, what its seed gives, and a residual, fitted by least
squares. Models that share seeds are so compared seed by seed, and the spread is pooled over all
models of the board: three trials alone would leave two degrees of freedom a pair. A model that
spreads more than the others together (an F-test, `OUTLYING`) keeps its own spread in its pairs
and gives none to theirs. Differences are told simultaneously, by Tukey's studentised range with
Kramer's errors for unequal numbers of trials (Tukey 1953; Kramer, Biometrics 12, 307 (1956)).

The seeds' equations are solved once the models' are eliminated (Searle, Linear Models for
Unbalanced Data (1987), ch. 4), so that a board costs little however many models it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from motifidelity.statistics.studentised import range_quantile

Floats = NDArray[np.float64]
Values = Mapping[int, float]

LEVEL = 0.95
# fewer trials leave a model provisional: its spread is hardly known
MIN_TRIALS = 3
# a model's spread is its own where the chance of it among equal spreads is below this over the
# number of models; and of the error that a level allows, differences may use this share, which
# pays for spreads that the test does not find. Both by simulation (tests/statistics)
OUTLYING = 0.3
CAUTION = 0.7
# relative to the largest score: what rounding leaves
_ROUNDING = 1e-12
# of eigenvalues between 0 and 1, and of a graph's Laplacian
_SINGULAR = 1e-9


@dataclass(frozen=True)
class Layout:
    """Models laid out on one score; of several boards at once the first axes are theirs.

    Attributes
    ----------
    effects : ndarray (..., models) float64
        Means over trials less what their seeds give: of models with the same seeds, the means.
    error : ndarray (..., models, models) float64
        Standard error of the difference of two effects; infinite where nothing can be told: no
        residual degrees of freedom, or residuals that do not vary at all.
    freedom : ndarray (..., models, models) int64
        Degrees of freedom of `error`: the residual's, or those of a model's own spread.
    own : ndarray (..., models) bool
        Models with a spread of their own.
    blocked : ndarray (..., models, models) bool
        Pairs that are compared seed by seed. Others are laid out without seeds: those that no
        shared seed joins, not even through other models, and all of a board whose seeds take
        every degree of freedom.
    """

    effects: Floats
    error: Floats
    freedom: NDArray[np.int64]
    own: NDArray[np.bool_]
    blocked: NDArray[np.bool_]

    @property
    def differences(self) -> Floats:
        """First less second effect, ``(..., models, models)``."""
        return np.asarray(self.effects[..., :, None] - self.effects[..., None, :])

    def half_width(self, level: float = LEVEL) -> Floats:
        """Half of the simultaneous intervals of all differences, ``(..., models, models)``."""
        quantile = np.empty(self.freedom.shape)
        for freedom in np.unique(self.freedom):
            found = quantile_at(level, self.effects.shape[-1], int(freedom))
            quantile[self.freedom == freedom] = found
        with np.errstate(invalid="ignore"):
            return np.asarray(quantile / np.sqrt(2) * self.error)


def quantile_at(level: float, models: int, freedom: int) -> float:
    """The studentised range's quantile with which differences are told at a level."""
    return range_quantile(CAUTION * (1 - level), models, freedom)


def by_model(models: Mapping[str, Values], least: int = 1) -> tuple[list[str], Floats]:
    """Models that have enough trials, sorted by name, and their scores.

    Parameters
    ----------
    models : mapping of str to mapping of int to float
        For each model, the score of each trial by its seed; not finite where a trial failed.
    least : int
        Trials that a model needs.

    Returns
    -------
    names : list of str
    values : ndarray (models, seeds) float64
        nan where a model has no trial of a seed.
    """
    known = {
        name: {seed: float(v) for seed, v in models[name].items() if np.isfinite(v)}
        for name in sorted(models)
    }
    known = {name: trials for name, trials in known.items() if len(trials) >= least}
    seeds = {seed: place for place, seed in enumerate(sorted(set().union(*known.values())))}
    values = np.full((len(known), len(seeds)), np.nan)
    for row, trials in zip(values, known.values(), strict=True):
        row[[seeds[seed] for seed in trials]] = list(trials.values())
    return list(known), values


def lay_out(values: ArrayLike) -> Layout:
    """Fit the two-way layout.

    Parameters
    ----------
    values : array_like (..., models, seeds)
        Scores; nan where a model has no trial of a seed. Every model needs one.

    Returns
    -------
    Layout
    """
    given = np.asarray(values, dtype=float)
    if not given.size:
        pairs = np.zeros((*given.shape[:-1], given.shape[-2]))
        own = np.zeros(given.shape[:-1], dtype=bool)
        return Layout(own * 0.0, pairs, pairs.astype(int), own, pairs.astype(bool))
    there = np.isfinite(given)
    y = np.where(there, given, 0.0)
    found = _lay_out(y, there, True)
    if found.blocked.all():
        return found
    plain = _lay_out(y, there, False)
    some = np.asarray(found.blocked.any(axis=(-2, -1)))[..., None]
    return Layout(
        np.where(some, found.effects, plain.effects),
        np.where(found.blocked, found.error, plain.error),
        np.where(found.blocked, found.freedom, plain.freedom),
        np.where(some, found.own, plain.own),
        found.blocked,
    )


def _lay_out(y: Floats, there: NDArray[np.bool_], seeds: bool) -> Layout:
    """With or without seeds; without them the attribute `blocked` is of no pair."""
    scale = np.abs(y).max(axis=(-2, -1), initial=0.0)
    tiny = (_ROUNDING * scale) ** 2 * np.maximum(there.sum(axis=(-2, -1)), 1)
    fit = _fit(y, there, there, seeds)
    alone = _spread_alone(fit)
    own = _chance(fit, alone, tiny) < OUTLYING / y.shape[-2]
    if own.any():
        fit = _fit(y, there, there & ~own[..., None], seeds)
    pooled = fit.squares / np.maximum(fit.freedom, 1)
    variance = np.where(own, alone.variance, pooled[..., None])
    freedom = np.where(own, alone.freedom, fit.freedom[..., None])
    error = np.sqrt(_squared_errors(fit, variance))
    flat = (fit.squares <= tiny)[..., None, None] & ~(own[..., :, None] | own[..., None, :])
    both = np.minimum(freedom[..., :, None], freedom[..., None, :])
    error = np.where(flat | (both < 1), np.inf, error)
    joined = _joined(fit) & (fit.freedom > 0)[..., None, None]
    return Layout(fit.effects, error, both, own, joined & seeds)


@dataclass(frozen=True)
class _Fit:
    """A fitted layout: of which scores, and what they leave."""

    used: NDArray[np.bool_]  # scores that say what seeds give, (..., models, seeds)
    share: Floats  # of a model's trials, used or not, (..., models, seeds)
    inverse: Floats  # of the seeds' equations, (..., seeds, seeds); zeros without seeds
    apart: Floats  # projection on what these equations leave open, (..., seeds, seeds)
    effects: Floats  # of all models, (..., models)
    residuals: Floats  # (..., models, seeds)
    squares: Floats  # (...)
    freedom: NDArray[np.int64]  # (...)


def _fit(y: Floats, there: NDArray[np.bool_], used: NDArray[np.bool_], seeds: bool) -> _Fit:
    """Fit what is used, and hold the other models' means against it.

    The matrix of the seeds' equations, once the models' are eliminated, is the Laplacian of the
    graph that joins seeds which a model shares: its rank is the number of seeds less the number
    of parts that nothing joins.
    """
    share = there / np.maximum(there.sum(axis=-1, keepdims=True), 1)
    degree = used.sum(axis=-2)[..., None] * np.eye(used.shape[-1])
    values, vectors = np.linalg.eigh(degree - np.swapaxes(used, -1, -2) @ (share * used))
    solid = values > _SINGULAR
    weights = np.where(solid, 1 / np.where(solid, values, 1.0), 0.0)
    inverse = (vectors * weights[..., None, :]) @ np.swapaxes(vectors, -1, -2) * seeds
    apart = (vectors * ~solid[..., None, :]) @ np.swapaxes(vectors, -1, -2)

    means = (share * y).sum(axis=-1)
    deviations = np.where(used, y - means[..., None], 0.0)
    # they sum to zero over each part, so that effects are at the mean of its seeds
    of_seeds = (inverse @ deviations.sum(axis=-2)[..., None])[..., 0]
    given = (share @ of_seeds[..., None])[..., 0]
    residuals = np.where(used, deviations - of_seeds[..., None, :] + given[..., None], 0.0)
    squares = (residuals**2).sum(axis=(-2, -1))
    freedom = used.sum(axis=(-2, -1)) - used.any(axis=-1).sum(axis=-1) - solid.sum(axis=-1) * seeds
    return _Fit(used, share, inverse, apart, means - given, residuals, squares, freedom)


def _joined(fit: _Fit) -> NDArray[np.bool_]:
    """Pairs whose difference does not depend on what the seeds' equations leave open."""
    open_ = fit.share @ fit.apart
    both = open_ @ np.swapaxes(open_, -1, -2)
    own = np.diagonal(both, axis1=-2, axis2=-1)
    return np.asarray(own[..., :, None] + own[..., None, :] - 2 * both < _SINGULAR)


@dataclass(frozen=True)
class _Alone:
    """What each model adds to the residuals of the others, ``(..., models)``."""

    squares: Floats
    freedom: NDArray[np.int64]
    variance: Floats  # of its deviations from what the others say its seeds give


def _spread_alone(fit: _Fit) -> _Alone:
    """Every model against the layout of the others.

    Leaving a model out lowers the squares by ``e' K⁻ e``, of its residuals ``e`` and its block
    ``K`` of the residual projection: exact, and independent of what is left where residuals are
    normal.
    """
    lead, (models, seeds) = fit.used.shape[:-2], fit.used.shape[-2:]
    most = int(fit.used.sum(axis=-1).max(initial=0))
    # of each model the seeds that it has, padded with some that it has not
    place = np.argsort(~fit.used, axis=-1, kind="stable")[..., :most].reshape(-1, models, most)
    there = np.take_along_axis(fit.used.reshape(-1, models, seeds), place, axis=-1)
    e = np.take_along_axis(fit.residuals.reshape(-1, models, seeds), place, axis=-1)
    board = np.arange(len(place))[:, None, None, None]
    joint = fit.inverse.reshape(-1, seeds, seeds)[board, place[..., None], place[..., None, :]]
    share = there / np.maximum(there.sum(axis=-1, keepdims=True), 1)
    centre = there[..., None] * (np.eye(most) - share[..., None, :])
    values, vectors = np.linalg.eigh(centre - centre @ joint @ centre)
    solid = values > _SINGULAR
    turned = (np.swapaxes(vectors, -1, -2) @ e[..., None])[..., 0]
    weights = np.where(solid, 1 / np.where(solid, values, 1.0), 0.0)
    freedom = solid.sum(axis=-1)
    squares = (weights * turned**2).sum(axis=-1)
    variance = ((weights * turned) ** 2).sum(axis=-1) / np.maximum(freedom, 1)
    shape = (*lead, models)
    return _Alone(squares.reshape(shape), freedom.reshape(shape), variance.reshape(shape))


def _chance(fit: _Fit, alone: _Alone, tiny: Floats) -> Floats:
    """P-value of each model's spread against that of the others; 1 where there is no test."""
    rest = np.maximum(fit.squares[..., None] - alone.squares, 0.0)
    freedom = fit.freedom[..., None] - alone.freedom
    testable = (alone.freedom > 0) & (freedom > 0) & (alone.squares > tiny[..., None])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (alone.squares / alone.freedom) / (rest / freedom)
    found = stats.f.sf(np.where(testable, ratio, 0.0), alone.freedom, np.maximum(freedom, 1))
    return np.where(testable, found, 1.0)


def _squared_errors(fit: _Fit, variance: Floats) -> Floats:
    """Squared standard errors of differences of effects, each model with its own variance.

    A model's mean does not covary with deviations from means, which alone say what seeds give.
    """
    mean = variance * (fit.share**2).sum(axis=-1)
    spread = variance[..., None] * fit.used
    within = spread.sum(axis=-2)[..., None] * np.eye(fit.used.shape[-1])
    within = within - np.swapaxes(spread, -1, -2) @ fit.share
    seeds = fit.share @ fit.inverse @ within @ fit.inverse @ np.swapaxes(fit.share, -1, -2)
    total = np.diagonal(seeds, axis1=-2, axis2=-1) + mean
    squared = total[..., :, None] + total[..., None, :] - 2 * seeds
    return np.asarray(np.maximum(squared, 0.0) * (1 - np.eye(mean.shape[-1])))
