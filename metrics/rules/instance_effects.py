"""Whether a network, and its maps, know what each instance does for a rule.

The same instance matters in one sequence and not in the next: a site whose partner lies where the
rule does not want it does nothing, and a repressor's does harm. So instances of one factor are
compared with each other, from sequences that hold both motifs of the rule: which factor it is, and
whether its partner is there, says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.areas import mean_score
from motifidelity.metrics.association import Floats, sign_accuracy, somers_d
from motifidelity.metrics.declare import Metric, Score
from motifidelity.metrics.scored import MapScorer, NetworkScorer, ScoredMaps, ScoredNetwork
from motifidelity.metrics.truth.asked import REMOVED

Ints = npt.NDArray[np.integer]
Values = npt.NDArray[np.float64]

EFFECT, MAP_EFFECT, MAP_SIGN = "instance_effect", "map_effect", "map_sign"
_SOMERS = "Somers, Am. Sociol. Rev. 27, 799-811 (1962), over pairs of instances of one factor "

METRICS: tuple[Metric, ...] = (
    Metric(
        name=EFFECT,
        family="effects",
        definition="standard",
        direction="higher",
        low=-1.0,
        high=1.0,
        chance=0.0,
        version=1,
        source=_SOMERS + "whose removal does unlike things to the rule",
        summary="Whether the answer changes as the rule does when an instance is replaced by "
        "background: how much more often rightly than wrongly.",
    ),
    Metric(
        name=MAP_EFFECT,
        family="attribution",
        definition="standard",
        direction="higher",
        low=-1.0,
        high=1.0,
        chance=0.0,
        version=1,
        source=_SOMERS + "whose removal does unlike things to the rule; the map's sum over each",
        summary="Whether the rule's map gives more to instances that the rule needs, and less to "
        "those that harm it.",
    ),
    Metric(
        name=MAP_SIGN,
        family="attribution",
        definition="standard",
        direction="neutral",
        low=0.0,
        high=1.0,
        chance=0.5,
        version=1,
        source="our definition: balanced share of right signs of the map's sum over an instance "
        "that the rule needs, or that harms it",
        summary="Whether the map of a rule with a repressor has the right sign; knowing which "
        "motif it is nearly suffices.",
    ),
)


def mean_changes(after: Floats, before: Floats) -> Values:
    """What the removal of instances does to a logit: the mean over draws of what stands instead.

    Parameters
    ----------
    after : (k, draws) float
        Of the instance's rule, with background letters in its place.
    before : (k,) float
        Of the sequence as it is.

    Returns
    -------
    (k,) float64
    """
    change = np.asarray(after, np.float64) - np.asarray(before)[:, None]
    return np.asarray(change.mean(axis=1))


def span_sums(importance: Floats, sequence: Ints, rule: Ints, start: Ints, end: Ints) -> Values:
    """Sum of a rule's map over an instance.

    Parameters
    ----------
    importance : (m, R, L) float
        Signed importance of each base in the map of each rule (`readings.read_maps`).
    sequence, rule, start, end : (k,) int
        Of instances; half-open spans.

    Returns
    -------
    (k,) float64
    """
    widths = np.asarray(end) - start
    total = np.zeros(len(widths))
    # spans of one width are added in one order: of a constant map they are equal to the last bit
    for width in np.unique(widths):
        mine = np.flatnonzero(widths == width)
        base = np.asarray(start)[mine, None] + np.arange(width)
        values = importance[np.asarray(sequence)[mine, None], np.asarray(rule)[mine, None], base]
        total[mine] = values.astype(np.float64).sum(axis=1)
    return total


def score_instances(
    change: Values, expected: Ints, rule: Ints, role: Ints, names: Sequence[str]
) -> list[Score]:
    """Somers' D of a network's changes by what the removal of an instance does to its rule.

    Parameters
    ----------
    change : (k,) float
        Of the rule's logit (`mean_changes`).
    expected : (k,) int
        What it does to the rule: -1, 0 or 1.
    rule, role : (k,) int
        The instance's rule, and which of its two motifs it is of.
    names : sequence of R str

    Returns
    -------
    list of Score
        ``instance_effect``: of each rule the mean over its factors (n: those with a pair of
        instances whose removal does not do the same), then the mean over rules.
    """
    return _by_rule(EFFECT, change, expected, rule, role, names)


def score_map_instances(
    method: str,
    sums: Values,
    expected: Ints,
    rule: Ints,
    role: Ints,
    names: Sequence[str],
) -> list[Score]:
    """Somers' D of a map's sums over instances by *minus* what their removal does to the rule.

    Parameters
    ----------
    method : str
        Becomes `Score.method`.
    sums : (k,) float
        Of the rule's signed map (`span_sums`).
    expected, rule, role, names
        As `score_instances` takes them.

    Returns
    -------
    list of Score
        ``map_effect``, as `score_instances` has it; and ``map_sign`` of each rule that instances
        both raise and lower: share of right signs, the mean of both kinds, then its mean over
        these rules.
    """
    helps = -np.asarray(expected)
    scores = _by_rule(MAP_EFFECT, sums, helps, rule, role, names, method)
    signs = []
    for number, name in enumerate(names):
        mine = np.asarray(rule) == number
        (value,) = sign_accuracy(sums[mine][None], helps[mine][None])
        if not np.isnan(value):
            size = int((helps[mine] != 0).sum())
            signs.append(Score(MAP_SIGN, float(value), n=size, method=method, target=name))
    if signs:
        signs.append(mean_score(MAP_SIGN, [score.value for score in signs], method=method))
    return scores + signs


def _by_rule(
    metric: str,
    found: Values,
    exact: Ints,
    rule: Ints,
    role: Ints,
    names: Sequence[str],
    method: str | None = None,
) -> list[Score]:
    each = []
    for number, name in enumerate(names):
        mine = np.asarray(rule) == number
        of_factors = [
            somers_d(found[mine & (role == one)], exact[mine & (role == one)])
            for one in np.unique(role[mine])
        ]
        each.append(mean_score(metric, of_factors, method=method, target=name))
    return [*each, mean_score(metric, [score.value for score in each], method=method)]


def _score(network: ScoredNetwork) -> list[Score]:
    task, rules = network.task, network.task.rules
    if rules is None or network.answers is None:
        return []
    asked = rules.instances
    before = network.logits[task.explained[asked.sequence], asked.rule]
    after = network.answers[REMOVED][np.arange(len(asked.rule)), :, asked.rule]
    change = mean_changes(after, before)
    return score_instances(change, asked.effect, asked.rule, asked.role, task.classes)


def _score_maps(found: ScoredMaps) -> list[Score]:
    rules = found.task.rules
    if rules is None or found.reading != "signed" or found.importance_of_outputs is None:
        return []
    importance, asked = found.importance_of_outputs, rules.instances
    sums = span_sums(importance, asked.sequence, asked.rule, asked.start, asked.end)
    return score_map_instances(
        found.method.name, sums, asked.effect, asked.rule, asked.role, found.task.classes
    )


SCORERS = (NetworkScorer(_score, place=14), MapScorer(_score_maps, place=37, read=True))
