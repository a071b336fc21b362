"""Designed sequences: sites set down on purpose in backgrounds that hold none.

A network answers them as it answers any sequence; what each is for never leaves here. Arrays keep
the axes of the design, letters last, so that answers of the same shape need no table beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from motifidelity.metrics.motifs import pwm
from motifidelity.tasks.engine.affinity import nats
from motifidelity.tasks.engine.backgrounds import Background
from motifidelity.tasks.engine.draws import Draws
from motifidelity.tasks.engine.motif_rules import Pairs, Rule
from motifidelity.tasks.engine.placement import place_blocks
from motifidelity.tasks.engine.sites import SiteTable

Codes = NDArray[np.uint8]
Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]
Floats = NDArray[np.float64]

BACKGROUNDS = 16
# distances below this are all asked for; of further ones every `STEP`-th, up to `LONGEST`
NEAR, STEP, LONGEST = 40, 20, 160
# a curve goes up to this distance
CURVE = 60
# backgrounds are drawn so many at a time, and so often before none is thought to be free
DRAWN, TRIES = 200, 100
# sites from which the strengths of a ladder are taken
SITES = 1000


class NoFreeBackground(ValueError):
    """Hardly any sequence is free of sites at these bounds."""


def strongest_sites(codes: Codes, ppms: Sequence[Floats]) -> Floats:
    """Log-odds (n, m) in bits of the strongest place of each matrix, on either strand.

    Parameters
    ----------
    codes : ndarray (n, L) uint8
    ppms : sequence of m ndarrays (4, width)
    """
    words = pwm.words_of(codes, 0, 0)
    best = np.empty((len(codes), len(ppms)))
    for number, ppm in enumerate(ppms):
        places = codes.shape[1] - ppm.shape[1] + 1
        strands = (ppm.T, pwm.reverse_complement(ppm.T))
        best[:, number] = np.max(
            [pwm.sum_sites(words, pwm.log_odds(one), 0, places).max(axis=1) for one in strands],
            axis=0,
        )
    return best


def site_free(
    draws: Draws,
    background: Background,
    ppms: Sequence[Floats],
    bounds: Floats,
    length: int,
    count: int = BACKGROUNDS,
) -> Codes:
    """Background sequences without a site of any motif.

    Parameters
    ----------
    draws : Draws
    background : Background
    ppms : sequence of m ndarrays (4, width)
        Of all motifs of the task.
    bounds : ndarray (m,)
        Log-odds in bits: what reaches it on either strand is a site, and its sequence is drawn
        again.
    length, count : int

    Returns
    -------
    ndarray (count, length) uint8

    Raises
    ------
    NoFreeBackground
        If there are too few of them.
    """
    found: list[Codes] = []
    missing = count
    for _ in range(TRIES):
        drawn = background.draw(draws, DRAWN, length)
        free = drawn[(strongest_sites(drawn, ppms) < bounds).all(axis=1)][:missing]
        found.append(free)
        missing -= len(free)
        if not missing:
            return np.concatenate(found)
    raise NoFreeBackground(
        f"{count - missing} of {TRIES * DRAWN} sequences of {length} bases are without a site, and "
        f"{count} are needed; raise the log-odds from which a site counts"
    )


def consensus(ppm: Floats) -> Codes:
    """The likeliest letters (width,) of a matrix (4, width)."""
    return np.asarray(ppm.argmax(axis=0), np.uint8)


@dataclass(frozen=True, eq=False)
class Configurations:
    """Ways in which the two sites of a rule lie to each other.

    Attributes
    ----------
    pairs : motif_rules.Pairs
        (p,) of them.
    satisfied : ndarray (p,) bool
    ranked : ndarray (p,) bool
        Whether it is satisfied or violated as the recipe draws it; the others are asked for to
        draw a curve.
    on_curve : ndarray (p,) bool
        Up to `CURVE` bases, with sides and strands on which some distance satisfies the rule.
    """

    pairs: Pairs
    satisfied: Bools
    ranked: Bools
    on_curve: Bools

    def take(self, rows: Bools) -> Configurations:
        """The given rows."""
        p = self.pairs
        pairs = Pairs(
            p.gap[rows], p.second_right[rows], p.first_strand[rows], p.second_strand[rows]
        )
        return Configurations(pairs, self.satisfied[rows], self.ranked[rows], self.on_curve[rows])


def configurations(rule: Rule, longest: int) -> Configurations:
    """Every configuration that a rule is asked about, with its label.

    All sides and strands, at every distance below `NEAR` that satisfies or violates the rule and
    at every `STEP`-th further one up to `LONGEST`; and whatever a curve by distance takes.

    Parameters
    ----------
    rule : Rule
    longest : int
        Bases that fit between the sites.
    """
    gaps = np.arange(longest + 1)
    # gap, side, strand of the first, of the second
    gap, right, first, second = (
        axis.ravel() for axis in np.meshgrid(gaps, (True, False), (1, -1), (1, -1), indexing="ij")
    )
    pairs = Pairs(gap, right, first.astype(np.int8), second.astype(np.int8))
    satisfied, violated = rule.satisfied(pairs), rule.violated(pairs)
    ways = len(gap) // len(gaps)
    ranked = np.zeros(len(gap), bool)
    for holds in (satisfied, violated):
        asked = _asked(np.unique(gap[holds]))
        ranked |= holds & np.isin(gap, asked)
    can = np.tile(satisfied.reshape(-1, ways).any(axis=0), len(gaps))
    on_curve = can & (gap <= CURVE)
    return Configurations(pairs, satisfied, ranked, on_curve).take(ranked | on_curve)


def _asked(gaps: Ints) -> Ints:
    """Which of a state's distances are asked for."""
    near, far = gaps[gaps < NEAR], gaps[gaps >= NEAR]
    far = far[(far - far[:1]) % STEP == 0]
    # of a rule of still longer distances the first
    return np.concatenate([near, far[:1], far[1:][far[1:] <= LONGEST]])


def write_pairs(
    draws: Draws, backgrounds: Codes, ppms: tuple[Floats, Floats], pairs: Pairs
) -> Codes:
    """Consensus sites of two motifs in each background, as pairs say, at any place.

    Parameters
    ----------
    draws : Draws
    backgrounds : ndarray (b, L) uint8
    ppms : two ndarrays (4, width)
    pairs : motif_rules.Pairs
        (p,) of them, which fit.

    Returns
    -------
    ndarray (p, b, L) uint8
    """
    count, length = backgrounds.shape
    codes = np.repeat(backgrounds[None], len(pairs.gap), axis=0)
    widths = np.array([ppm.shape[1] for ppm in ppms])
    room = length - widths.sum() - pairs.gap
    start = draws.integers(0, room[:, None] + 1, len(pairs.gap), count)
    for role, strand in enumerate((pairs.first_strand, pairs.second_strand)):
        right = pairs.second_right if role else ~pairs.second_right
        offset = np.where(right, widths[1 - role] + pairs.gap, 0)
        site = consensus(ppms[role])
        letters = np.where(strand[:, None] == 1, site, 3 - site[::-1])
        _set_down(codes, start + offset[:, None], letters[:, None])
    return codes


def ladder(draws: Draws, ppm: Floats, temperature: tuple[float, float], levels: int = 20) -> Codes:
    """Sites of rising strength, as often as strengths are drawn.

    Parameters
    ----------
    draws : Draws
    ppm : ndarray (4, width)
    temperature : (float, float)
        Of each drawn site uniformly between the two.
    levels : int

    Returns
    -------
    ndarray (levels, width) uint8
        The sites at even shares of `SITES` drawn ones, by their log-odds in nats.
    """
    low, high = temperature
    drawn = SiteTable([ppm]).draw(
        draws, np.zeros(SITES, np.intp), low + draws.uniform(SITES) * (high - low)
    )
    sites = drawn.codes.reshape(SITES, -1)
    strength = nats(ppm)[sites, np.arange(ppm.shape[1])].sum(axis=1)
    order = np.argsort(strength, kind="stable")
    return sites[order[((np.arange(levels) + 0.5) / levels * SITES).astype(np.intp)]]


def write_singles(draws: Draws, backgrounds: Codes, sites: Codes) -> Codes:
    """One site in each background, each in turn at one place and strand of the background.

    Parameters
    ----------
    draws : Draws
    backgrounds : ndarray (b, L) uint8
    sites : ndarray (s, width) uint8

    Returns
    -------
    ndarray (s, b, L) uint8
    """
    count, length = backgrounds.shape
    start = draws.integers(0, length - sites.shape[1] + 1, count)
    return _each_alone(backgrounds, sites, start, draws.coins(count))


class Crossed(NamedTuple):
    """Sequences with sites of two factors, every strength of one with every one of the other.

    Attributes
    ----------
    both : ndarray (s, t, b, L) uint8
    first : ndarray (s, b, L) uint8
        With the first factor's site alone, at the place and strand that it has in ``both``.
    second : ndarray (t, b, L) uint8
    """

    both: Codes
    first: Codes
    second: Codes


def write_crossed(draws: Draws, backgrounds: Codes, first: Codes, second: Codes) -> Crossed:
    """Sites of two factors in each background, at two places that do not overlap.

    Parameters
    ----------
    draws : Draws
    backgrounds : ndarray (b, L) uint8
    first : ndarray (s, width) uint8
        Sites of the first factor.
    second : ndarray (t, width) uint8
    """
    count, length = backgrounds.shape
    widths = np.array([first.shape[1], second.shape[1]])
    start = place_blocks(draws, np.repeat(np.arange(count), 2), np.tile(widths, count), length)
    places = start.reshape(count, 2).T
    forward = draws.coins(2, count)
    alone = [
        _each_alone(backgrounds, sites, places[role], forward[role])
        for role, sites in enumerate((first, second))
    ]
    both = np.repeat(alone[0][:, None], len(second), axis=1)
    _set_down(both, places[1], _on_strands(second, forward[1]))
    return Crossed(both, *alone)


def _each_alone(backgrounds: Codes, sites: Codes, start: Ints, forward: Bools) -> Codes:
    codes = np.repeat(backgrounds[None], len(sites), axis=0)
    _set_down(codes, start, _on_strands(sites, forward))
    return codes


def _on_strands(sites: Codes, forward: Bools) -> Codes:
    """Sites (s, width) on the strand of each background (b,): (s, b, width)."""
    return np.where(forward[:, None], sites[:, None], 3 - sites[:, None, ::-1])


def _set_down(codes: Codes, start: Ints, letters: Codes) -> None:
    """Write letters (..., width) into codes (..., L) from start (...) on; both broadcast."""
    base = np.broadcast_to(start, codes.shape[:-1])[..., None] + np.arange(letters.shape[-1])
    np.put_along_axis(codes, base, np.broadcast_to(letters, base.shape), axis=-1)
