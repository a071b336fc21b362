"""All that a task asks beyond its test set: sequences for the network, and their meaning here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from motifidelity.metrics.truth.asked import (
    NEITHER,
    REMOVED,
    Instances,
    PairTruth,
    Questions,
    crossed_parts,
    pairs_part,
    single_part,
)
from motifidelity.tasks.engine.affinity import Affinity
from motifidelity.tasks.engine.backgrounds import Background
from motifidelity.tasks.engine.designs import (
    BACKGROUNDS,
    configurations,
    ladder,
    site_free,
    write_crossed,
    write_pairs,
    write_singles,
)
from motifidelity.tasks.engine.draws import Draws
from motifidelity.tasks.engine.motif_rules import Rule
from motifidelity.tasks.engine.removals import replaced

Floats = NDArray[np.float64]
Codes = NDArray[np.uint8]

# strengths of one site, and of each of two
SINGLE, CROSSED = 20, 5


def ask_rules(
    draws: Draws,
    rules: Sequence[Rule],
    ppms: Mapping[str, Floats],
    bounds: Mapping[str, float],
    background: Background,
    codes: Codes,
    instances: Instances,
    backgrounds: int = BACKGROUNDS,
) -> tuple[Questions, tuple[PairTruth, ...]]:
    """What is asked about rules: sequences without an instance, and designed pairs.

    Parameters
    ----------
    draws : Draws
    rules : sequence of Rule
        Of different names.
    ppms : mapping of str to ndarray (4, width)
        Of all motifs of the task, by their ids.
    bounds : mapping of str to float
        Log-odds in bits from which each has a site (`designs.site_free`).
    background : Background
    codes : ndarray (m, L) uint8
        The explained sequences.
    instances : Instances
        Of these (`removals.removals`).
    backgrounds : int
        That each design is written into.

    Returns
    -------
    Questions, tuple of PairTruth
        Its parts are `asked.REMOVED` (k, draws) and, of each rule, `asked.pairs_part`
        (p, backgrounds), whose truth follows.
    """
    length = codes.shape[1]
    parts = {REMOVED: replaced(draws, background, codes, instances)}
    truth = []
    ground = _ground(draws, background, ppms, bounds, length, backgrounds)
    for rule in rules:
        pair = ppms[rule.first], ppms[rule.second]
        ways = configurations(rule, length - sum(ppm.shape[1] for ppm in pair))
        parts[pairs_part(rule.name)] = write_pairs(draws, ground, pair, ways.pairs)
        truth.append(PairTruth(ways.pairs.gap, ways.satisfied, ways.ranked, ways.on_curve))
    return Questions(parts), tuple(truth)


def ask_function(
    draws: Draws,
    function: Affinity,
    bounds: Mapping[str, float],
    background: Background,
    temperature: tuple[float, float],
    length: int,
    backgrounds: int = BACKGROUNDS,
) -> tuple[Questions, tuple[tuple[str, str], ...]]:
    """What is asked about an exact function: sites of known strength, alone and two together.

    Parameters
    ----------
    draws : Draws
    function : Affinity
    bounds, background
        As of `ask_rules`.
    temperature : (float, float)
        That sites are drawn at.
    length, backgrounds : int

    Returns
    -------
    Questions, tuple of (str, str)
        Its parts are `asked.NEITHER` (backgrounds,), of each factor `asked.single_part`
        (strengths, backgrounds), and of each of the pairs that follow `asked.crossed_parts`.
    """
    ppms = function.ppms
    ground = _ground(draws, background, ppms, bounds, length, backgrounds)
    parts = {NEITHER: ground}
    for name, ppm in ppms.items():
        sites = ladder(draws, ppm, temperature, SINGLE)
        parts[single_part(name)] = write_singles(draws, ground, sites)
    pairs = crossed_pairs(function)
    for pair in pairs:
        first, second = (ladder(draws, ppms[name], temperature, CROSSED) for name in pair)
        crossed = write_crossed(draws, ground, first, second)
        parts |= zip(crossed_parts(*pair), crossed, strict=True)
    return Questions(parts), pairs


def crossed_pairs(function: Affinity) -> tuple[tuple[str, str], ...]:
    """Every pair of factors that cooperates, and one that does not.

    Of those that cooperate with none the two of the largest weights: what a network makes of these
    two beyond their sum is none of the function's.
    """
    pairs = [(a, b) for a, b, weight in function.cooperation if weight]
    alone = set(function.weights) - {name for pair in pairs for name in pair}
    largest = sorted(alone, key=lambda name: (-abs(function.weights[name]), name))[:2]
    if len(largest) == 2:
        pairs.append((largest[0], largest[1]))
    return tuple(pairs)


def _ground(
    draws: Draws,
    background: Background,
    ppms: Mapping[str, Floats],
    bounds: Mapping[str, float],
    length: int,
    count: int,
) -> Codes:
    limits = np.array([bounds[name] for name in ppms])
    return site_free(draws, background, list(ppms.values()), limits, length, count)
