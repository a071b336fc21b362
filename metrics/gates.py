"""Figures that say whether a network's scores mean what they seem to.

A specification states a bound for each; past it the scores that hang on the figure are shown and
not ranked. Old results that have no figure are "not recorded", which is no flag.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from motifidelity.metrics.declare import Family

Verdict = Literal["ok", "flagged", "not recorded"]
FLAGGED: Verdict = "flagged"
NOT_RECORDED: Verdict = "not recorded"
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
    bars : tuple of str
        Families whose scores mean little then, and rank nobody.
    spared : tuple of str
        Methods whose scores do not hang on it.
    """

    label: str
    metric: str
    method: str | None
    bad: Literal["above", "below"]
    bars: tuple[Family, ...]
    spared: tuple[str, ...] = ()

    def bars_score(self, family: str, method: str | None) -> bool:
        """Whether a score of a flagged network ranks nobody; one without a method is of all."""
        return family in self.bars and method not in self.spared

    def verdict(self, figure: float | None, bound: float | None) -> Verdict:
        """What a figure means; without one, or without a bound, nothing is recorded."""
        if figure is None or bound is None or math.isnan(figure):
            return NOT_RECORDED
        past = figure > bound if self.bad == "above" else figure < bound
        return FLAGGED if past else "ok"


SCAN_MATTERS, SCAN_LEARNED = "scan_matters", "scan_learned"

NO_GRADIENT = ("ism", "paper_ism", "random")
# of differences between two sequences, which a gradient at one of them does not decide
CONTRIBUTIONS = ("deeplift", "deepshap", "paper_deepshap")
_SCAN: tuple[Family, ...] = ("filters", "localisation")

GATES = {
    ANSWERS_REPEAT: Gate(
        "answers repeat",
        "answer_shift",
        None,
        "above",
        bars=get_args(Family),
    ),
    "gradients_add_up": Gate(
        "gradients add up",
        "gradient_completeness",
        None,
        "above",
        bars=("attribution",),
        spared=(*NO_GRADIENT, *CONTRIBUTIONS),
    ),
    "gradients_tell_changes": Gate(
        "gradients tell changes",
        "gradient_fidelity",
        "saliency",
        "below",
        bars=("attribution",),
        spared=NO_GRADIENT,
    ),
    SCAN_MATTERS: Gate("the scan matters", "scan_reliance", None, "below", bars=_SCAN),
    SCAN_LEARNED: Gate("the scan was learned", "untrained_filter_f1", None, "above", bars=_SCAN),
}
"""By the names that a specification's table ``[gates]`` has."""
