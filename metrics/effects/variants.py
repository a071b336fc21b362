"""Variant effects: what every substitution of a letter does, against the exact function."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.areas import mean_score
from motifidelity.metrics.association import Floats, pearson, sign_accuracy, spearman
from motifidelity.metrics.declare import Direction, Family, Metric, Score
from motifidelity.metrics.methods import Codes, letter_maps, observed
from motifidelity.metrics.scored import MapScorer, ScoredMaps

Values = npt.NDArray[np.float64]


def _metric(
    name: str,
    how: str,
    summary: str,
    family: Family = "effects",
    low: float = -1.0,
    chance: float = 0.0,
    direction: Direction = "higher",
) -> Metric:
    return Metric(
        name=name,
        family=family,
        definition="standard",
        direction=direction,
        low=low,
        high=1.0,
        chance=chance,
        version=1,
        source=f"our definition: {how}, over all substitutions of a sequence, mean over sequences",
        summary=summary,
    )


METRICS: tuple[Metric, ...] = (
    _metric(
        "variant_effect_r",
        "Pearson correlation of the network's changes with those of the exact function",
        "How well a network knows what every substitution of a letter does.",
    ),
    _metric(
        "variant_effect_rho",
        "Spearman correlation of the network's changes with those of the exact function",
        "How well it knows the order of what substitutions do.",
    ),
    _metric(
        "variant_sign",
        "balanced share of right signs, of exact changes beyond 0.1 SD of the target",
        "Whether it knows what raises and what lowers the target; counting words nearly suffices.",
        low=0.0,
        chance=0.5,
        direction="neutral",
    ),
    _metric(
        "map_variant_r",
        "Pearson correlation of map(letter) - map(letter there) with the exact changes",
        "How well a map foretells what every substitution of a letter does.",
        family="attribution",
    ),
)

# mutagenesis: its maps are the network's changes
CHANGES = "ism"
LEAST = 0.1
"""Exact changes up to this, in SDs of the target, have no sign that is asked for."""


def substitutions(entries: Floats, sequences: Codes) -> Values:
    """The entries of every letter that is not there, less that of the letter there.

    Parameters
    ----------
    entries : (m, L, 4) float
    sequences : (m, L) uint8

    Returns
    -------
    (m, 3 L) float64

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    values = np.asarray(entries, np.float64)
    if values.shape != (*sequences.shape, 4):
        raise ValueError(f"entries {values.shape} must be (m, L, 4) for {sequences.shape}")
    change = values - observed(values, sequences)[:, :, None]
    other = np.arange(4) != sequences[:, :, None]
    return np.asarray(change[other].reshape(len(sequences), 3 * sequences.shape[1]))


def score_variants(
    changes: Floats, exact: Floats, sequences: Codes, least: float = LEAST
) -> list[Score]:
    """A network's changes under all substitutions against those of the exact function.

    Parameters
    ----------
    changes, exact : (m, L, 4) float
        By each letter in place of the one that is there; exact ones in SDs of the target.
    sequences : (m, L) uint8
    least : float

    Returns
    -------
    list of Score
        ``variant_effect_r`` (Pearson), ``variant_effect_rho`` (Spearman) and ``variant_sign``
        (balanced, of exact changes beyond ``least``): mean and SD over sequences. A sequence whose
        exact changes are one constant, or whose changes beyond ``least`` have one sign, is left
        out, and n says so.
    """
    found, truth = (substitutions(each, sequences) for each in (changes, exact))
    return [
        mean_score("variant_effect_r", pearson(found, truth)),
        mean_score("variant_effect_rho", spearman(found, truth)),
        mean_score("variant_sign", sign_accuracy(found, truth, least)),
    ]


def score_map_variants(
    method: str, letters: Floats, exact: Floats, sequences: Codes
) -> list[Score]:
    """What maps foretell of all substitutions against the exact changes.

    Parameters
    ----------
    method : str
        Becomes `Score.method`.
    letters : (m, L, 4) float
        Maps that speak of all four letters (`methods.letter_maps`).
    exact, sequences
        As `score_variants` takes them.

    Returns
    -------
    list of Score
        ``map_variant_r``: Pearson correlation of map(letter) - map(letter there) with the exact
        change, mean and SD over sequences.
    """
    found, truth = (substitutions(each, sequences) for each in (letters, exact))
    return [mean_score("map_variant_r", pearson(found, truth), method=method)]


def _score(found: ScoredMaps) -> list[Score]:
    function, sequences = found.task.function, found.task.explained_sequences
    if function is None or found.method.paper_maps:
        return []
    scores = []
    if found.method.name == CHANGES:
        scores += score_variants(found.maps, function.changes, sequences)
    letters = letter_maps(found.method.name, found.maps, sequences, found.hypothetical)
    if letters is not None:
        scores += score_map_variants(found.method.name, letters, function.changes, sequences)
    return scores


SCORERS = (MapScorer(_score, place=38),)
