"""What is in a sequence: sites by rules, by chance, or decoys in their place.

What a sequence holds is drawn once; only places are drawn again where they do not fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from motifidelity.tasks.engine.backgrounds import Background
from motifidelity.tasks.engine.draws import Draws
from motifidelity.tasks.engine.motif_rules import Pairs, Repressor, Rule
from motifidelity.tasks.engine.placement import place_blocks
from motifidelity.tasks.engine.sites import LOOK_ALIKE, TRUE, SiteTable

Ints = NDArray[np.intp]
# places of a sequence that are drawn before it is given up
TRIES = 1000


@dataclass(frozen=True, eq=False)
class Sites:
    """Sites of sequences, one row each.

    Attributes
    ----------
    owner : ndarray (s,) intp
        Sequence.
    motif : ndarray (s,) intp
        Number of the matrix.
    strand : ndarray (s,) int8
    start, end : ndarray (s,) intp
        Half-open span in bases.
    kind : ndarray (s,) intp
        `sites.TRUE`, or what decoy it is.
    rule, role : ndarray (s,) intp
        Number of the rule that it is of, and whether it is its first (0) or second motif (1); -1
        without rules.
    bits : ndarray (s,) float64
        Log-odds of the letters by its matrix.
    """

    owner: Ints
    motif: Ints
    strand: NDArray[np.int8]
    start: Ints
    end: Ints
    kind: Ints
    rule: Ints
    role: Ints
    bits: NDArray[np.float64]


@dataclass(eq=False)
class Composition:
    """Blocks of sites that are to be placed: sites of a block keep their distances.

    Attributes
    ----------
    count : int
        Sequences.
    owner, width : list of ndarray
        Of blocks, in parts.
    sites : list of dict of str to ndarray
        Of sites, in parts: ``block``, ``offset``, ``motif``, ``strand``, ``temperature``, ``kind``,
        ``rule`` and ``role``.
    """

    count: int
    owner: list[Ints] = field(default_factory=list)
    width: list[Ints] = field(default_factory=list)
    sites: list[dict[str, NDArray[np.generic]]] = field(default_factory=list)
    blocks: int = 0

    def add_blocks(self, owner: Ints, width: Ints) -> Ints:
        """Add blocks (b,) and give their numbers."""
        numbers = self.blocks + np.arange(len(owner))
        self.owner.append(owner)
        self.width.append(width)
        self.blocks += len(owner)
        return numbers

    def add_sites(self, **columns: NDArray[np.generic] | int | float) -> None:
        """Add sites; what is one number holds for all of them."""
        count = len(np.asarray(columns["block"]))
        self.sites.append({name: np.broadcast_to(v, count) for name, v in columns.items()})

    def column(self, name: str) -> NDArray[np.generic]:
        """A column of all sites."""
        return np.concatenate([part[name] for part in self.sites])


def by_rules(
    draws: Draws,
    count: int,
    rules: Sequence[Rule],
    shares: Sequence[float],
    numbers: Mapping[str, int],
    widths: Ints,
    temperature: tuple[float, float],
) -> tuple[Composition, NDArray[np.uint8]]:
    """Compositions by rules, each rule independently of the others, and their labels.

    Parameters
    ----------
    draws : Draws
    count : int
        Sequences.
    rules : sequence of Rule
    shares : sequence of float
        Of sequences by `motif_rules.State`: satisfied, violated, one motif, none.
    numbers : mapping of str to int
        Number of each matrix by its id.
    widths : ndarray of intp
        Of matrices by number.
    temperature : (float, float)
        Of each site uniformly between the two.

    Returns
    -------
    Composition, ndarray (count, rules) uint8
    """
    found = Composition(count)
    labels = np.empty((count, len(rules)), np.uint8)
    for number, rule in enumerate(rules):
        drawn = rule.draw(draws, draws.choice(shares, count))
        labels[:, number] = rule.label(drawn)
        pairs, motifs = drawn.pairs, (numbers[rule.first], numbers[rule.second])
        lone = ~drawn.together
        for role, (there, motif, strand) in enumerate(
            (
                (drawn.first & lone, motifs[0], pairs.first_strand),
                (drawn.second & lone, motifs[1], pairs.second_strand),
            )
        ):
            rows = np.flatnonzero(there)
            blocks = found.add_blocks(rows, np.full(len(rows), widths[motif]))
            found.add_sites(
                block=blocks,
                offset=0,
                motif=motif,
                strand=strand[rows],
                temperature=_between(draws, temperature, len(rows)),
                kind=TRUE,
                rule=number,
                role=role,
            )
        rows = np.flatnonzero(drawn.together)
        both = widths[list(motifs)]
        blocks = found.add_blocks(rows, both.sum() + pairs.gap[rows])
        right = pairs.second_right[rows]
        for role, (motif, strand) in enumerate(
            ((motifs[0], pairs.first_strand), (motifs[1], pairs.second_strand))
        ):
            to_the_right = right if role else ~right
            found.add_sites(
                block=blocks,
                offset=np.where(to_the_right, both[1 - role] + pairs.gap[rows], 0),
                motif=motif,
                strand=strand[rows],
                temperature=_between(draws, temperature, len(rows)),
                kind=TRUE,
                rule=number,
                role=role,
            )
    return found, labels


def by_chance(
    draws: Draws,
    count: int,
    motifs: Ints,
    probability: float,
    widths: Ints,
    temperature: tuple[float, float],
) -> Composition:
    """Compositions with at most one site of each motif, each there with one probability."""
    found = Composition(count)
    for motif in motifs:
        rows = np.flatnonzero(draws.uniform(count) < probability)
        _add_alone(found, draws, rows, np.full(len(rows), motif), widths, temperature, TRUE)
    return found


def by_number(
    draws: Draws,
    count: int,
    owner: Ints,
    kind: Ints,
    motifs: Ints,
    instead: Ints,
    widths: Ints,
    temperature: tuple[float, float],
) -> Composition:
    """Compositions of sites of any of the motifs, each with a place of its own.

    Parameters
    ----------
    draws : Draws
    count : int
        Sequences.
    owner : ndarray (s,) intp
        Sequence of each site.
    kind : ndarray (s,) intp
        Number of each site's kind in `sites.KINDS`.
    motifs : ndarray (m,) intp
        Numbers of the matrices.
    instead : ndarray (m,) intp
        Numbers of their relatives, which look-alikes are drawn from.
    widths, temperature
        As of `by_rules`.
    """
    found = Composition(count)
    picked = draws.integers(0, len(motifs), len(owner))
    motif = motifs[picked]
    if (like := kind == LOOK_ALIKE).any():
        motif = np.where(like, instead[picked], motif)
    _add_alone(found, draws, owner, motif, widths, temperature, kind)
    return found


def _add_alone(
    found: Composition,
    draws: Draws,
    owner: Ints,
    motif: Ints,
    widths: Ints,
    temperature: tuple[float, float],
    kind: Ints | int,
) -> None:
    """Add sites that are of no rule, each a block by itself on either strand."""
    found.add_sites(
        block=found.add_blocks(owner, widths[motif]),
        offset=0,
        motif=motif,
        strand=np.where(draws.coins(len(owner)), 1, -1).astype(np.int8),
        temperature=_between(draws, temperature, len(owner)),
        kind=kind,
        rule=-1,
        role=-1,
    )


def place(draws: Draws, composition: Composition, length: int, rules: Sequence[Rule] = ()) -> Ints:
    """Starts of a composition's sites (s,); pairs that a rule wants apart are.

    Raises
    ------
    ValueError
        If the sites of a sequence do not fit, or never lie as far apart as a rule wants them.
    """
    owner, width = np.concatenate(composition.owner), np.concatenate(composition.width)
    block = composition.column("block").astype(np.intp)
    offset = composition.column("offset").astype(np.intp)
    starts = place_blocks(draws, owner, width, length)
    for _ in range(TRIES):
        close = _too_close(composition, starts[block] + offset, owner[block], width[block], rules)
        if not len(close):
            return starts[block] + offset
        again = np.isin(owner, close)
        starts[again] = place_blocks(draws, owner[again], width[again], length)
    raise ValueError(
        f"sites do not come to lie as far apart as a rule wants them in sequences of {length} "
        "bases; take a smaller far, or longer sequences"
    )


def place_at_ends(draws: Draws, composition: Composition, length: int, within: int) -> Ints:
    """Starts of a composition's sites, two a sequence: one within so many bases of either end.

    Raises
    ------
    ValueError
        If a site is wider than that.
    """
    owner, width = np.concatenate(composition.owner), np.concatenate(composition.width)
    if width.max() > within:
        raise ValueError(f"a site of {width.max()} bases does not fit into {within} at an end")
    last = np.r_[np.diff(owner) > 0, True]
    in_end = draws.integers(0, within - width + 1, len(owner))
    start: Ints = np.where(last, length - within + in_end, in_end)
    return start[composition.column("block").astype(np.intp)]


def _too_close(
    composition: Composition, start: Ints, owner: Ints, width: Ints, rules: Sequence[Rule]
) -> Ints:
    """Sequences in which the two sites of a repressor have places of their own too near."""
    found = []
    rule, role = (composition.column(name) for name in ("rule", "role"))
    block = composition.column("block")
    alone = np.bincount(block.astype(np.intp))[block.astype(np.intp)] == 1
    for number, one in enumerate(rules):
        if not isinstance(one, Repressor):
            continue
        sides = []
        for which in (0, 1):
            rows = np.flatnonzero((rule == number) & (role == which) & alone)
            sides.append(rows[np.argsort(owner[rows])])
        both, first, second = np.intersect1d(
            owner[sides[0]], owner[sides[1]], assume_unique=True, return_indices=True
        )
        a, b = sides[0][first], sides[1][second]
        gap = np.maximum(start[b] - start[a] - width[a], start[a] - start[b] - width[b])
        pairs = Pairs(gap, start[b] > start[a], np.ones(len(a), np.int8), np.ones(len(a), np.int8))
        found.append(both[~one.satisfied(pairs)])
    return np.concatenate(found) if found else np.zeros(0, np.intp)


def write(
    draws: Draws,
    composition: Composition,
    start: Ints,
    table: SiteTable,
    background: Background,
    length: int,
) -> tuple[NDArray[np.uint8], Sites]:
    """Letters of sequences (n, length) uint8, and their sites, ordered by sequence and start."""
    codes = background.draw(draws, composition.count, length)
    columns = {name: composition.column(name) for name in composition.sites[0]}
    motif, kind = (columns[name].astype(np.intp) for name in ("motif", "kind"))
    letters = table.draw(draws, motif, columns["temperature"].astype(float))
    letters = table.as_decoys(draws, motif, letters, kind)
    owner = np.concatenate(composition.owner)[columns["block"].astype(np.intp)]
    strand, width = columns["strand"].astype(np.int8), table.widths[motif]
    site = letters.site
    forward = strand[site] == 1
    place = np.where(forward, letters.offset, width[site] - 1 - letters.offset)
    codes[owner[site], start[site] + place] = np.where(forward, letters.codes, 3 - letters.codes)
    order = np.lexsort((start, owner))
    bits = table.bits(motif, letters)
    return codes, Sites(
        owner[order],
        motif[order],
        strand[order],
        start[order],
        (start + width)[order],
        kind[order],
        columns["rule"].astype(np.intp)[order],
        columns["role"].astype(np.intp)[order],
        bits[order],
    )


def _between(draws: Draws, bounds: tuple[float, float], count: int) -> NDArray[np.float64]:
    return bounds[0] + draws.uniform(count) * (bounds[1] - bounds[0])
