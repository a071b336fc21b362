"""Synthetic sequences with known motifs: by a recipe of the engine, or as the reference study.

The study's generator is reproduced bit for bit (Koo & Ploenzke 2021, Methods, and the study's
public notebooks). Its random numbers come from numpy's frozen legacy generator (MT19937), one
stream dataset, in the study's own order of calls. That order is serial by nature (rejection
sampling), so composing is a loop over sequences; everything that follows, the letters, the truth
and the log-odds, is vectorised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from motifidelity.errors import UserError
from motifidelity.tasks.engine.dataset_recipe import Drawn, Matrices, Recipe
from motifidelity.tasks.engine.sites import TRUE
from motifidelity.tasks.motifs import Motif, reverse_complement_ppm
from motifidelity.tasks.spec import SPLITS, Grammar, TaskSpec

TRUTH_BITS = 0.01
BACKGROUND = 0.25


@dataclass(frozen=True, eq=False)
class Implants:
    """Where motifs were implanted, one row each, ordered by sequence and start.

    Attributes
    ----------
    sequence : ndarray (k,) int32
        Row of the sequence in its split.
    motif : ndarray (k,) int16
        Index into the task's matrices (``motif_ids``).
    strand : ndarray (k,) int8
        1 for the matrix as given, -1 for its reverse complement.
    start, end : ndarray (k,) int16
        Half-open span in bases, 0-based.
    log_odds : ndarray (k,) float32
        Log-odds in bits of the realised site against a uniform background.
    """

    sequence: NDArray[np.int32]
    motif: NDArray[np.int16]
    strand: NDArray[np.int8]
    start: NDArray[np.int16]
    end: NDArray[np.int16]
    log_odds: NDArray[np.float32]

    def take(self, rows: NDArray[np.intp]) -> Self:
        """The given rows."""
        return type(self)(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def of_sequences(self, sequences: NDArray[np.intp]) -> Self:
        """Implants of the given sequences, renumbered to their order."""
        order = np.argsort(self.sequence, kind="stable")
        bounds = np.searchsorted(self.sequence[order], np.stack([sequences, sequences + 1]))
        counts = bounds[1] - bounds[0]
        offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        rows = order[np.repeat(bounds[0], counts) + offsets]
        renumbered = np.repeat(np.arange(len(sequences)), counts).astype(np.int32)
        return replace(self.take(rows), sequence=renumbered)


@dataclass(frozen=True, eq=False)
class Decoys(Implants):
    """Sites that look like a motif's and are none, one row each, as `Implants`.

    Attributes
    ----------
    kind : ndarray (k,) int8
        Number in `engine.sites.KINDS`; the ``motif`` of a look-alike is the relative's.
    """

    kind: NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Split:
    """One split of a dataset.

    Attributes
    ----------
    sequences : ndarray (n, length) uint8
        Letters coded A=0 C=1 G=2 T=3.
    labels : ndarray (n, classes)
        uint8; float32 where the target is a regression's, in standard deviations.
    truth : ndarray (n, length) uint8
        1 where the generating column carries more than 0.01 bit (study's definition:
        ``2 + sum(p * log2(p + 1e-10))``).
    implants : Implants
    decoys : Decoys, optional
        Of a recipe that draws some.
    """

    sequences: NDArray[np.uint8]
    labels: NDArray[Any]
    truth: NDArray[np.uint8]
    implants: Implants
    decoys: Decoys | None = None

    def head(self, n: int | None) -> Split:
        """The first ``n`` sequences (all of them for ``None``)."""
        if n is None or n >= len(self.sequences):
            return self
        return self.rows(np.arange(n))

    def rows(self, rows: NDArray[np.intp]) -> Split:
        """The given sequences, in that order."""
        return Split(
            self.sequences[rows],
            self.labels[rows],
            self.truth[rows],
            self.implants.of_sequences(rows),
            self.decoys and self.decoys.of_sequences(rows),
        )


def motif_ids(spec: TaskSpec) -> tuple[str, ...]:
    """Matrices that a task implants, in the order of its pools, each once."""
    return tuple(dict.fromkeys(i for ids in spec.pools.values() for i in ids))


def implanted_matrices(spec: TaskSpec, motifs: Mapping[str, Motif]) -> Matrices:
    """The matrices of `motif_ids`, as recipes take them."""
    ids = motif_ids(spec)
    return Matrices(ids, tuple(motifs[i].ppm for i in ids))


def column_information(ppm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Information content in bits of each column of a matrix (4, width), as the study has it."""
    info: NDArray[np.float64] = 2.0 + np.sum(ppm * np.log2(ppm + 1e-10), axis=0)
    return info


class _ColumnTable:
    """Every column that can generate a letter, so that a sequence is a row of column numbers.

    Column 0 is the background; then each matrix forward and reverse complemented, in the order
    of ``ids``.
    """

    def __init__(self, ids: Sequence[str], motifs: Mapping[str, Motif]) -> None:
        strands: list[NDArray[np.float64]] = []
        for motif_id in ids:
            ppm = motifs[motif_id].ppm
            strands += [ppm, reverse_complement_ppm(ppm)]
        self.widths = np.array([ppm.shape[1] for ppm in strands])
        self.first = 1 + np.cumsum(self.widths) - self.widths
        columns = np.hstack([np.full((4, 1), BACKGROUND), *strands])
        self.cumulative = np.ascontiguousarray(np.cumsum(columns, axis=0).T)
        self.truth = (column_information(columns) > TRUTH_BITS).astype(np.uint8)
        with np.errstate(divide="ignore"):
            self.log_odds = np.ascontiguousarray(np.log2(columns / BACKGROUND).T)


def _compose(
    grammar: Grammar, table: _ColumnTable, pools: Sequence[NDArray[np.intp]], length: int
) -> tuple[
    NDArray[np.float64], list[NDArray[np.intp]], list[NDArray[np.intp]], np.random.RandomState
]:
    """Draw every sequence's motifs, starts and uniform numbers in the study's order of calls.

    Returns ``(uniforms (n, length), picks per sequence, starts per sequence, generator)``; picks
    are strand numbers of the column table.
    """
    rng = np.random.RandomState(grammar.seed)
    if grammar.discard_permutation:
        rng.permutation(grammar.discard_permutation)
    cumulative = np.cumsum(grammar.count_weights)
    total = sum(p.sequences for p in grammar.populations)
    uniforms = np.empty((total, length))
    all_picks: list[NDArray[np.intp]] = []
    all_starts: list[NDArray[np.intp]] = []
    row = 0
    for population, pool in zip(grammar.populations, pools, strict=True):
        pool_widths = table.widths[pool]
        for _ in range(population.sequences):
            while True:
                # "the last index where u > cum": cum need not be sorted past 1, so no searchsorted
                count = np.flatnonzero(rng.rand() > cumulative)[-1] + grammar.count_offset
                picks = rng.randint(len(pool), size=count)
                widths = pool_widths[picks]
                width = widths.sum()
                if 0 < width < length:
                    break
            while True:
                gaps = rng.uniform(0, grammar.gap_scale, size=count + 1)
                gaps = np.round(gaps / gaps.sum() * (length - width)).astype(np.intp)
                if gaps.sum() == length - width:
                    break
            uniforms[row] = rng.uniform(0, 1, length)
            all_picks.append(pool[picks])
            all_starts.append(np.cumsum(gaps[:-1] + widths) - widths)
            row += 1
    return uniforms, all_picks, all_starts, rng


def generate(spec: TaskSpec, motifs: Mapping[str, Motif]) -> dict[str, Split]:
    """Generate the dataset of a task.

    Parameters
    ----------
    spec : TaskSpec
    motifs : mapping of matrix id to Motif

    Returns
    -------
    dict of str to Split
        ``train``, ``valid`` and ``test``, then the recipe's extra sets.

    Raises
    ------
    UserError
        If what belongs into a sequence does not fit.
    """
    if isinstance(spec.grammar, Recipe):
        return _by_recipe(spec, spec.grammar, motifs)
    return _as_the_study(spec, spec.grammar, motifs)


def _by_recipe(spec: TaskSpec, recipe: Recipe, motifs: Mapping[str, Motif]) -> dict[str, Split]:
    matrices = implanted_matrices(spec, motifs)
    cuts = _cuts(spec, recipe.sequences)
    parts = {name: slice(cuts[i], cuts[i + 1]) for i, name in enumerate(SPLITS)}
    try:
        drawn = recipe.draw(matrices, spec.length, parts)
    except ValueError as error:
        raise UserError(f"task {spec.id}: {error}") from error
    return {name: _split(part, matrices) for name, part in drawn.items()}


def _split(drawn: Drawn, matrices: Matrices) -> Split:
    sites, true = drawn.sites, drawn.sites.kind == TRUE
    told = [(column_information(ppm) > TRUTH_BITS).astype(np.uint8) for ppm in matrices.ppms]
    truth = np.zeros(drawn.codes.shape, np.uint8)
    for motif, columns in enumerate(told):
        for strand in (1, -1):
            mine = true & (sites.motif == motif) & (sites.strand == strand)
            places = sites.start[mine][:, None] + np.arange(len(columns))
            truth[sites.owner[mine][:, None], places] = columns[::strand]
    rows = Decoys(
        sites.owner.astype(np.int32),
        sites.motif.astype(np.int16),
        sites.strand.astype(np.int8),
        sites.start.astype(np.int16),
        sites.end.astype(np.int16),
        sites.bits.astype(np.float32),
        sites.kind.astype(np.int8),
    )
    mine = rows.take(np.flatnonzero(true))
    implants = Implants(**{f.name: getattr(mine, f.name) for f in fields(Implants)})
    decoys = None if true.all() else rows.take(np.flatnonzero(~true))
    return Split(drawn.codes, drawn.labels, truth, implants, decoys)


def _cuts(spec: TaskSpec, total: int) -> NDArray[np.intp]:
    """Where the splits of so many sequences begin, and the end of the last."""
    # the study multiplies share by n before it sums, so that 0.7 + 0.1 does not round down
    return np.cumsum([0.0, *(share * total for share in spec.splits)]).astype(np.intp)


def _as_the_study(
    spec: TaskSpec, grammar: Grammar, motifs: Mapping[str, Motif]
) -> dict[str, Split]:
    length, ids = spec.length, motif_ids(spec)
    number = {motif_id: i for i, motif_id in enumerate(ids)}
    table = _ColumnTable(ids, motifs)
    pools = [
        np.array(
            [
                2 * number[i] + strand
                for name in p.pools
                for i in spec.pools[name]
                for strand in (0, 1)
            ]
        )
        for p in grammar.populations
    ]
    uniforms, picks, starts, rng = _compose(grammar, table, pools, length)
    total = len(uniforms)

    owner = np.repeat(np.arange(total), [len(p) for p in picks])
    strand_number = np.concatenate(picks)
    start = np.concatenate(starts)
    widths = table.widths[strand_number]
    site = np.repeat(np.arange(len(owner)), widths)
    offset = np.arange(widths.sum()) - np.repeat(np.cumsum(widths) - widths, widths)

    columns = np.zeros((total, length), dtype=np.intp)
    columns[owner[site], start[site] + offset] = table.first[strand_number[site]] + offset
    sequences = _letters(uniforms, columns, table.cumulative)
    truth = table.truth[columns]
    letter = sequences[owner[site], start[site] + offset]
    site_log_odds = np.bincount(
        site,
        weights=table.log_odds[table.first[strand_number[site]] + offset, letter],
        minlength=len(owner),
    )
    implants = Implants(
        owner.astype(np.int32),
        (strand_number // 2).astype(np.int16),
        np.where(strand_number % 2, -1, 1).astype(np.int8),
        start.astype(np.int16),
        (start + widths).astype(np.int16),
        site_log_odds.astype(np.float32),
    )
    labels = _labels(grammar, len(spec.classes), owner, strand_number // 2)
    whole = Split(sequences, labels, truth, implants)
    order = rng.permutation(total)
    cuts = _cuts(spec, total)
    return {name: whole.rows(order[cuts[i] : cuts[i + 1]]) for i, name in enumerate(SPLITS)}


def _letters(
    uniforms: NDArray[np.float64], columns: NDArray[np.intp], cumulative: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """First letter whose cumulative probability exceeds the uniform number.

    Counting the letters that it does not exceed is the same: a cumulative sum never falls.
    """
    letters = np.zeros(uniforms.shape, dtype=np.uint8)
    for row in range(3):
        letters += uniforms >= cumulative[:, row][columns]
    return letters


def _labels(
    grammar: Grammar, classes: int, owner: NDArray[np.intp], motif: NDArray[np.intp]
) -> NDArray[np.uint8]:
    """Class bits (n, classes): fixed by population, or one per core motif that was picked."""
    sizes = [p.sequences for p in grammar.populations]
    labels = np.zeros((sum(sizes), classes), dtype=np.uint8)
    first = 0
    for population, size in zip(grammar.populations, sizes, strict=True):
        if isinstance(population.label, str):
            mine = (owner >= first) & (owner < first + size)
            labels[owner[mine], motif[mine]] = 1
        else:
            labels[first : first + size] = population.label
        first += size
    return labels
