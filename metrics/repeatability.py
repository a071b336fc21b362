"""Whether a network answers a sequence alike wherever it stands in a batch.

A network may answer by the place of a sequence in its batch, from a table of labels in the order of
a public split. What it is asked twice, beside other sequences, tells.
"""

from __future__ import annotations

import numpy as np

from motifidelity.metrics.declare import Metric, Score
from motifidelity.metrics.methods import Floats

METRICS: tuple[Metric, ...] = (
    Metric(
        name="answer_shift",
        family="accuracy",
        definition="standard",
        direction="neutral",
        low=0.0,
        high=None,
        chance=None,
        version=1,
        source="our definition: root mean square of the difference of a sequence's logit when it "
        "is asked for among other sequences, in SDs of the logit",
        summary="How far a network's answer to a sequence moves with the sequences beside it.",
        own_network=True,
    ),
)


def score_answers(first: Floats, again: Floats) -> list[Score]:
    """How far answers move when they are asked for again.

    Parameters
    ----------
    first, again : (m,) float
        Of the same sequences, each time among others.

    Returns
    -------
    list of Score
        ``answer_shift``, n = m: 0 where answers are the sequences' own; nan where all are alike.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    one, other = (np.asarray(each, np.float64) for each in (first, again))
    if one.shape != other.shape or one.ndim != 1:
        raise ValueError(f"answers {one.shape} and {other.shape} must be (m,)")
    spread = one.std() if len(one) else 0.0
    value = float(np.sqrt(np.square(other - one).mean()) / spread) if spread > 0 else float("nan")
    return [Score("answer_shift", value, n=len(one))]
