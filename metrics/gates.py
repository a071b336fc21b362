"""Figures that say whether a network's scores mean what they seem to.

A specification states a bound for each; past it the scores that hang on the figure are shown and
not ranked. Old results that have no figure are "not recorded", which is no flag.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "flagged", "not recorded"]
ANSWERS_REPEAT = "answers_repeat"


@dataclass(frozen=True)
class Gate:
    """One figure and its bad side.

    Attributes
    ----------
    label : str
        What an honest network fulfils, in words.
    metric, method : str, str or None
        The score that is the figure.
    bad : {"above", "below"}
        The side of the bound on which a network is flagged.
    """

    label: str
    metric: str
    method: str | None
    bad: Literal["above", "below"]

    def verdict(self, figure: float | None, bound: float | None) -> Verdict:
        """What a figure means; without one, or without a bound, nothing is recorded."""
        if figure is None or bound is None or math.isnan(figure):
            return "not recorded"
        past = figure > bound if self.bad == "above" else figure < bound
        return "flagged" if past else "ok"


GATES = {
    ANSWERS_REPEAT: Gate("answers repeat", "answer_shift", None, "above"),
    "gradients_add_up": Gate("gradients add up", "gradient_completeness", None, "above"),
    "gradients_tell_changes": Gate(
        "gradients tell changes", "gradient_fidelity", "saliency", "below"
    ),
}
"""By the names that a specification's table ``[gates]`` has."""
