"""What a model loses where the motifs are in no release, and how much an honest one may.

Two networks are compared that were trained with the same secret seeds of data and training: labels
and places of motifs are the same, and only the matrices differ, which for the second one are
permuted (`tasks.permuted`). Who learns motifs from sequences loses little. Who brings the known
ones as constants keeps what composition tells, and loses the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from motifidelity.metrics.declare import all_metrics
from motifidelity.submitting import compare
from motifidelity.submitting.compare import NO_SPREAD, Key, ScorePair

SECRET_MOTIFS = "secret motifs"

Rows = Sequence[Mapping[str, Any]]
Errors = Mapping[str, float]


@dataclass(frozen=True)
class Fall:
    """How much of a score may be lost.

    Attributes
    ----------
    honest : float
        The largest loss of an honest baseline, 0 where none lost.
    bound : float
        A larger loss, with the sampling errors of both sides taken off, is flagged.
    """

    honest: float
    bound: float


# measured, as docs/submitting.md says: what honest baselines lose, and beyond it more than two
# trainings of one of them differ by
FALLS: Mapping[Key, Fall] = {
    ("auroc", None): Fall(0.0, 0.15),
    ("aupr", None): Fall(0.0, 0.18),
    ("filter_f1", None): Fall(0.0, 0.8),
    ("attribution_auroc", "saliency"): Fall(0.0, 0.35),
    ("attribution_auroc", "gradient_corrected"): Fall(0.0, 0.35),
    ("attribution_auroc", "ism"): Fall(0.0, 0.35),
    ("maps", None): Fall(0.0, 0.8),
}


def falls(
    what: str, known: Rows, secret: Rows, errors: Sequence[Errors], judged: int
) -> Iterator[ScorePair]:
    """Scores of a network trained on known motifs beside those of one trained on secret ones.

    Parameters
    ----------
    what : str
        Task, profile, parameters.
    known, secret : sequence of mapping
        Score rows.
    errors : sequence of mapping
        Standard errors of accuracy scores over test sequences, of both.
    judged : int
        How many comparisons are made together.

    Yields
    ------
    ScorePair
        One for each score of `FALLS` that the first network has; one that the second lacks counts
        as the lowest there is.
    """
    one, other = compare.overall(known), compare.overall(secret)
    for key, fall in FALLS.items():
        if key not in one:
            continue
        lowest = {**one[key], "value": all_metrics()[key[0]].low or 0.0, "sd": None}
        pair = (one[key], other.get(key, lowest))
        before, after = (float(row["value"]) for row in pair)
        sampling = [_error(row, own) for row, own in zip(pair, errors, strict=True)]
        margin, source = compare.tolerance(NO_SPREAD, sampling, judged)
        limit = fall.bound + margin
        lost = compare.better_in_public(key[0], before, after)
        source = (
            f"honest baselines lose at most {fall.honest:.2f}, bound {fall.bound:.2f}; {source}"
        )
        yield ScorePair(SECRET_MOTIFS, what, *key, before, after, limit, source, lost <= limit)


def _error(row: Mapping[str, Any], errors: Errors) -> float:
    """Standard error over test sequences, 0 of what is no mean over them."""
    over_sequences = row["metric"] in errors or row.get("sd") is not None
    return compare.sampling_error(row, errors) if over_sequences else 0.0
