"""Sites of the true motifs: those that were implanted, and those that arose by chance.

The table that a dataset can carry beside its sequences: where each site lies and how strong it is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.motifs.pwm import (
    Codes,
    Matrix,
    Scan,
    checked_motifs,
    log_odds,
    reverse_complement,
    sum_sites,
    words_of,
)

_ROUNDING = 1e-6

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Role(IntEnum):
    """Why a span is in the table."""

    IMPLANT = 0
    CHANCE = 1


class SiteTable(Protocol):
    """Implanted sites as parallel arrays (k,): `tasks.generate.Implants` is one, `Spans` too."""

    @property
    def sequence(self) -> npt.NDArray[np.integer]:
        """Row of the sequence."""

    @property
    def motif(self) -> npt.NDArray[np.integer]:
        """Index of the motif."""

    @property
    def strand(self) -> npt.NDArray[np.integer]:
        """1 for the matrix as given, -1 for its reverse complement."""

    @property
    def start(self) -> npt.NDArray[np.integer]:
        """First base, from 0."""


@dataclass(frozen=True, eq=False)
class Spans:
    """Sites of true motifs, one row each, ordered by sequence, start, role, motif and strand.

    Attributes
    ----------
    sequence : (k,) int32
    motif : (k,) int16
        Index into the list of motifs.
    strand : (k,) int8
        1 for the matrix as given, -1 for its reverse complement.
    start, end : (k,) int16
        Half-open, in bases, from 0.
    log_odds : (k,) float32
        Bits, of the letters that are there.
    role : (k,) uint8
        `Role`.
    """

    sequence: npt.NDArray[np.int32]
    motif: npt.NDArray[np.int16]
    strand: npt.NDArray[np.int8]
    start: npt.NDArray[np.int16]
    end: npt.NDArray[np.int16]
    log_odds: npt.NDArray[np.float32]
    role: npt.NDArray[np.uint8]

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """The columns by name, to be stored."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def take(self, rows: npt.NDArray[np.integer] | Bools) -> Spans:
        """The given rows."""
        return Spans(**{name: column[rows] for name, column in self.arrays().items()})  # type: ignore[arg-type]

    def of(self, role: Role) -> Spans:
        """The rows of one role."""
        return self.take(self.role == role)

    def of_sequences(self, sequences: npt.ArrayLike) -> Spans:
        """The rows of the given, different sequences, renumbered to their order."""
        wanted = np.asarray(sequences, np.int64)
        size = 1 + max(int(wanted.max(initial=-1)), int(self.sequence.max(initial=-1)))
        place = np.full(size, -1)
        place[wanted] = np.arange(len(wanted))
        rows = np.flatnonzero(place[self.sequence] >= 0)
        columns = self.take(rows[np.argsort(place[self.sequence[rows]], kind="stable")]).arrays()
        columns["sequence"] = place[columns["sequence"].astype(np.int64)].astype(np.int32)
        return Spans(**columns)  # type: ignore[arg-type]


def find_spans(
    sequences: Codes,
    implants: SiteTable,
    motifs: Sequence[Matrix],
    *,
    sought: Collection[int] | None = None,
    percentile: float = 10.0,
) -> Spans:
    """Implanted sites, and the unplanned ones that are as strong.

    Parameters
    ----------
    sequences : (n, L) uint8
        A=0 C=1 G=2 T=3.
    implants : SiteTable
    motifs : sequence of (w, 4) float
        PPMs on their forward strand, of every implanted motif.
    sought : collection of int, optional
        Motifs whose chance sites are looked for: the true ones. Default: all.
    percentile : float
        A site counts when its log-odds reach this percentile of its motif's implanted log-odds.

    Returns
    -------
    Spans
        A chance site may overlap an implant: the other strand of a palindrome does.

    Raises
    ------
    ValueError
        If an implant names a motif, sequence, strand or span that does not exist.
    """
    matrices = checked_motifs(motifs) if len(motifs) else []
    widths = np.array([len(ppm) for ppm in matrices], np.int64)
    words = words_of(sequences, 0, 0)
    table = [implants.sequence, implants.motif, implants.start, implants.strand]
    planted = np.stack([np.asarray(column, np.int64) for column in table], axis=1)
    _refuse_misfits(planted, sequences.shape, widths)
    rows: list[Ints] = [planted[:0]]
    strengths: list[Scan] = [np.empty(0)]
    roles: list[Ints] = [np.empty(0, np.int64)]
    for index, ppm in enumerate(matrices):
        mine = planted[planted[:, 1] == index]
        if not len(mine):
            continue
        number = sequences.shape[1] - len(ppm) + 1
        strands = (ppm, reverse_complement(ppm))
        sites = np.stack([sum_sites(words, log_odds(strand), 0, number) for strand in strands])
        where = ((mine[:, 3] < 0).astype(np.int64), mine[:, 0], mine[:, 2])
        rows.append(mine)
        strengths.append(sites[where])
        roles.append(np.full(len(mine), int(Role.IMPLANT)))
        if sought is not None and index not in sought:
            continue
        # Both strands sum the same columns, in opposite orders: equal sites differ by rounding.
        hits = sites >= np.percentile(sites[where], percentile) - _ROUNDING
        hits[where] = False
        strand, sequence, start = np.nonzero(hits)
        rows.append(np.stack([sequence, np.full(len(start), index), start, 1 - 2 * strand], axis=1))
        strengths.append(sites[hits])
        roles.append(np.full(len(start), int(Role.CHANCE)))
    sequence, motif, start, strand = np.concatenate(rows).T
    role = np.concatenate(roles)
    order = np.lexsort((-strand, motif, role, start, sequence))
    return Spans(
        sequence[order].astype(np.int32),
        motif[order].astype(np.int16),
        strand[order].astype(np.int8),
        start[order].astype(np.int16),
        (start + widths[motif])[order].astype(np.int16),
        np.concatenate(strengths)[order].astype(np.float32),
        role[order].astype(np.uint8),
    )


def cover(shape: tuple[int, ...], spans: Spans, columns: Sequence[Bools] | None = None) -> Bools:
    """Bases of the spans.

    Parameters
    ----------
    shape : (n, L)
        Of the sequences.
    spans : Spans
    columns : sequence of (w,) bool, optional
        For each motif the columns, on its forward strand, that count. Default: all.

    Returns
    -------
    (n, L) bool
    """
    site, offset = unroll(spans)
    motif, base = spans.motif[site], spans.start[site] + offset
    marked = np.zeros(shape, bool)
    if columns is None:
        marked[spans.sequence[site], base] = True
        return marked
    first = np.cumsum([0, *(len(column) for column in columns)])
    flat = np.concatenate([np.zeros(0, bool), *columns])
    width = spans.end[site] - spans.start[site]
    column = np.where(spans.strand[site] > 0, offset, width - 1 - offset)
    chosen = flat[first[motif] + column]
    marked[spans.sequence[site][chosen], base[chosen]] = True
    return marked


def unroll(spans: Spans) -> tuple[Ints, Ints]:
    """Row of `spans` and offset from its start of every base of every span, both (bases,)."""
    widths = spans.end.astype(np.int64) - spans.start
    site = np.repeat(np.arange(len(widths)), widths)
    return site, np.arange(len(site)) - np.repeat(np.cumsum(widths) - widths, widths)


def _refuse_misfits(planted: Ints, shape: tuple[int, ...], widths: Ints) -> None:
    sequence, motif, start, strand = planted.T
    good = (sequence >= 0) & (sequence < shape[0]) & (start >= 0) & (np.abs(strand) == 1)
    good &= (motif >= 0) & (motif < len(widths))
    good[good] = start[good] + widths[motif[good]] <= shape[1]
    if not good.all():
        bad = planted[~good][0].tolist()
        raise ValueError(
            f"implant {bad} (sequence, motif, start, strand 1 or -1) does not fit {len(widths)} "
            f"motifs and sequences {tuple(shape)}"
        )
