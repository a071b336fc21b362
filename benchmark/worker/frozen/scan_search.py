"""Find the filter scan of a traced network, and the bases that its values lie on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from .convolutions import (
    GraphView,
    Head,
    filters_of,
    first_convolutions,
    first_heads,
    named_head,
)
from .places import Places, Unplaced, find_places
from .scans import Part, Scan

_COMPLEMENT = [3, 2, 1, 0]
_UNPLACED = "cannot be placed"


@dataclass(frozen=True)
class FoundScan:
    """A network's filter scan.

    Attributes
    ----------
    scan : Scan or None
        None for a network without a convolution, or of which nothing can be placed.
    notes : tuple of str
        What was not read, and why.
    """

    scan: Scan | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Block:
    """Filters of one convolution in a head, and the key that its other calls share."""

    key: Any
    size: int


def find_scan(graph_def: Any, sequences: Any, named: Any = None) -> FoundScan:
    """Find the filter scan: the first convolutions, their affine tails, their activations.

    Parameters
    ----------
    graph_def : GraphDef
    sequences : tensor (n, length, 4)
        The network's input.
    named : tensor, optional
        The scan after its activation where the submission names it.

    Raises
    ------
    Unplaced
        If the bases of a named scan cannot be told.
    """
    graph = GraphView(sequences.graph, sequences)
    notes: list[str] = []
    if named is not None:
        heads = [named_head(graph, named)]
        # filters of one convolution lie alike; others may each lie elsewhere
        own = heads[0].convolutions
        blocks: list[list[_Block] | None] = [_blocks(heads[0], {own[0]: 0}) if own else None]
    else:
        convolutions, notes = _worth_reading(first_convolutions(graph))
        heads = first_heads(graph, convolutions)
        keys = _keys(graph_def, convolutions)
        blocks = [_blocks(head, keys) for head in heads]
    if not heads:
        return FoundScan(None, tuple(notes))
    before = [head.before for head in heads]
    sizes = [None if found is None else [b.size for b in found] for found in blocks]
    kernels = graph.kernels_before(before)
    placed: list[tuple[Head, list[_Block] | None, Places]] = []
    lost = []
    for head, found, places in zip(
        heads, blocks, find_places(graph_def, sequences, before, kernels, sizes), strict=True
    ):
        if isinstance(places, Unplaced):
            lost.append((head, places))
        else:
            placed.append((head, found, places))
    if named is not None and lost:
        raise lost[0][1]
    if lost:
        number = sum(len(head.convolutions) for head, _ in lost)
        every = sum(len(head.convolutions) for head in heads)
        which = "the first convolution" if every == 1 else f"{number} of {every} first convolutions"
        notes.append(f"{which} {_UNPLACED}: {lost[0][1]}")
    return FoundScan(_assembled(placed) if placed else None, tuple(notes))


def every_first_layer_placed(notes: Sequence[str]) -> bool:
    """Whether every first convolution that can hold a motif is read, by the notes of a search."""
    return not any(_UNPLACED in note for note in notes)


def _worth_reading(convolutions: Sequence[Any]) -> tuple[list[Any], list[str]]:
    """Convolutions that can hold a motif: none of one column beside wider ones."""
    wide = [op for op in convolutions if max(op.inputs[1].shape[:2]) > 1]
    if not wide or len(wide) == len(convolutions):
        return list(convolutions), []
    number = len(convolutions)
    return wide, [f"{len(wide)} of {number} first convolutions are read, those wider than a base"]


def _keys(graph_def: Any, convolutions: Sequence[Any]) -> dict[Any, Any]:
    """What tells convolutions apart: their kernels' values."""
    if len(convolutions) < 2:
        return dict.fromkeys(convolutions, 0)
    names = [op.inputs[1].name for op in convolutions]
    with tf.device("/CPU:0"):
        imported = tf.compat.v1.wrap_function(
            lambda: tf.graph_util.import_graph_def(graph_def, name=""), []
        )
        values = imported.prune([], [imported.graph.get_tensor_by_name(n) for n in names])()
    kernels = [np.asarray(value) for value in values]
    return {
        op: (value.shape, value.tobytes()) for op, value in zip(convolutions, kernels, strict=True)
    }


def _blocks(head: Head, keys: dict[Any, Any]) -> list[_Block]:
    """A head's filters by convolution; calls of one that are joined along positions are one."""
    found = [_Block(keys[op], filters_of(op)) for op in head.convolutions]
    held = [n for n in head.before.shape.as_list()[1:] if n is not None]
    alike = len(found) > 1 and len({block.key for block in found}) == 1
    if alike and sum(block.size for block in found) not in held:
        return found[:1]
    return found


@dataclass(frozen=True, eq=False)
class _Piece:
    """Filters of one convolution in one row of a head.

    Attributes
    ----------
    head : Head
    places : Places
    row : int
    channels : tuple of int
        Along the head's axis of filters.
    bases : tuple of int
    step : int
        Bases from one column of the kernel to the next.
    letters : ndarray (4, filters)
        What each letter answers, less the first one.
    """

    head: Head
    places: Places
    row: int
    channels: tuple[int, ...]
    bases: tuple[int, ...]
    step: int
    letters: Any

    def same_view(self, other: _Piece) -> bool:
        """Whether both read one strand: in one direction, and by the same letters."""
        if (self.step < 0) != (other.step < 0):
            return False
        scale = 1e-3 * max(np.abs(p.letters).max(initial=0) for p in (self, other))
        if np.allclose(self.letters, other.letters, atol=scale):
            return True
        mirrored = self.letters[_COMPLEMENT] - self.letters[_COMPLEMENT[0]]
        return not np.allclose(mirrored, other.letters, atol=scale)


def _assembled(placed: Sequence[tuple[Head, list[_Block] | None, Places]]) -> Scan:
    """One scan of everything that was placed.

    Calls of one convolution are the same filters, on other bases or on the other strand.
    """
    calls: dict[Any, list[_Piece]] = {}
    for number, (head, found, places) in enumerate(placed):
        blocks = found or [_Block((number, i), 1) for i in range(len(places.bases))]
        channel = 0
        for index, block in enumerate(blocks):
            channels = tuple(range(channel, channel + block.size))
            channel += block.size
            for row in range(places.rows):
                step = int(places.steps[index, row])
                letters = places.letters[row][:, channels]
                bases = tuple(places.bases[index, row].tolist())
                piece = _Piece(head, places, row, channels, bases, step, letters - letters[0])
                _add(calls, (block.key, abs(step)), piece)
    filters = 0
    rows: dict[Any, list[tuple[_Piece, bool]]] = {}
    for pieces in calls.values():
        primary = next((p for p in pieces if p.step >= 0), pieces[0])
        size = len(primary.channels)
        for piece in pieces:
            block_key = (piece.head, piece.channels, range(filters, filters + size))
            rows.setdefault(block_key, []).append((piece, not piece.same_view(primary)))
        filters += size
    return Scan(filters, _parts(rows))


def _add(calls: dict[Any, list[_Piece]], key: Any, piece: _Piece) -> None:
    """Note a call of a convolution; what reads the same again is a filter of its own."""
    copy = 0
    while any(p.bases == piece.bases and p.same_view(piece) for p in calls.get((key, copy), ())):
        copy += 1
    calls.setdefault((key, copy), []).append(piece)


def _parts(rows: dict[Any, list[tuple[_Piece, bool]]]) -> tuple[Part, ...]:
    """Blocks of filters joined that lie alike in one tensor."""
    joined: dict[Any, tuple[list[int], list[int], list[tuple[_Piece, bool]]]] = {}
    for (head, channels, filters), pieces in rows.items():
        like = (head, tuple((piece.row, piece.bases, again) for piece, again in pieces))
        together = joined.setdefault(like, ([], [], pieces))
        together[0].extend(channels)
        together[1].extend(filters)
    parts = []
    for (head, _), (channels, filters, pieces) in joined.items():
        places = pieces[0][0].places
        bases = np.full((places.rows, places.bases.shape[2]), -1)
        for piece, _ in pieces:
            bases[piece.row] = piece.bases
        parts.append(
            Part(
                head.before.name,
                head.after.name,
                places.axes,
                tuple(channels),
                tuple(filters),
                tuple(bases.ravel().tolist()),
                places.rows,
                places.dealt,
                tuple(piece.row for piece, again in pieces if again),
            )
        )
    return tuple(parts)
