"""Reference sequences that a sequence's contributions are measured against.

Shuffles are seeded by the sequence itself, so that a map does not depend on which other sequences
are explained beside it, in which order or in which batch.
"""

from __future__ import annotations

import zlib
from itertools import product
from typing import Any

import numpy as np

LETTERS = 4
KINDS = ("dinucleotide", "mononucleotide", "uniform", "zero")


def references(one_hot: Any, kind: str, count: int, seed: int) -> Any:
    """Draw references of every sequence.

    Parameters
    ----------
    one_hot : ndarray (n, length, 4) float32
    kind : {"dinucleotide", "mononucleotide", "uniform", "zero"}
        Shuffles that keep the counts of all pairs of neighbours, or of letters; 0.25 everywhere;
        zero everywhere.
    count : int
        Shuffles per sequence; there is only one uniform and one zero reference.
    seed : int

    Returns
    -------
    ndarray (n, k, length, 4) float32
        k is ``count``, or 1.
    """
    if kind in ("uniform", "zero"):
        value = 1 / LETTERS if kind == "uniform" else 0.0
        return np.full((len(one_hot), 1, *one_hot.shape[1:]), value, dtype=np.float32)
    shuffle = {"dinucleotide": dinucleotide_shuffle, "mononucleotide": mononucleotide_shuffle}
    if kind not in shuffle:
        raise ValueError(f"no reference '{kind}'; choose one of {', '.join(KINDS)}")
    codes = one_hot.argmax(axis=2).astype(np.uint8)
    return np.eye(LETTERS, dtype=np.float32)[shuffle[kind](codes, count, seed)]


def generator(codes: Any, seed: int) -> np.random.Generator:
    """Random numbers that belong to one sequence (length,) uint8 and a seed."""
    return np.random.default_rng([seed, zlib.crc32(codes.tobytes())])


def mononucleotide_shuffle(codes: Any, count: int, seed: int) -> Any:
    """Permute the letters of every sequence.

    Parameters
    ----------
    codes : ndarray (n, length) uint8
    count, seed : int

    Returns
    -------
    ndarray (n, count, length) uint8
    """
    return np.stack(
        [generator(row, seed).permuted(np.tile(row, (count, 1)), axis=1) for row in codes]
    )


def dinucleotide_shuffle(codes: Any, count: int, seed: int) -> Any:
    """Shuffle sequences and keep the count of every pair of neighbours exactly.

    A sequence is an Eulerian walk through the graph whose edges are its dinucleotides, and every
    such walk is equally likely (Altschul & Erickson, Mol. Biol. Evol. 2, 526-538, 1985): the last
    exits from the letters form a tree towards the last letter, which is drawn from all trees at
    once rather than by rejection; the other exits are permuted. First and last letter stay.

    Parameters
    ----------
    codes : ndarray (n, length) uint8
        A=0 C=1 G=2 T=3.
    count, seed : int

    Returns
    -------
    ndarray (n, count, length) uint8
    """
    n, length = codes.shape
    if length < 3:
        return np.repeat(codes[:, None], count, axis=1)
    generators = [generator(row, seed) for row in codes]
    order = np.stack([g.random((count, length - 1)) for g in generators])
    tree = np.stack([g.random(count) for g in generators])
    rows = np.repeat(codes, count, axis=0).astype(np.intp)
    order, tree = order.reshape(n * count, -1), tree.reshape(-1)
    leaving, reached = rows[:, :-1], rows[:, 1:]
    last_exit = _draw_trees(rows, tree)
    for letter in range(LETTERS):
        is_last = (leaving == letter) & (reached == last_exit[:, letter, None])
        # any copy of the edge will do: which one must only not depend on the random order
        candidate = is_last.argmax(axis=1)
        drawn = np.flatnonzero(is_last.any(axis=1) & (rows[:, -1] != letter))
        order[drawn, candidate[drawn]] = 1.0
    exits = np.take_along_axis(reached, np.argsort(leaving + order / 2, axis=1), axis=1)
    return _walk(rows[:, 0], exits, leaving).reshape(n, count, length)


def _walk(first: Any, exits: Any, leaving: Any) -> Any:
    """Follow each letter's exits (m, length - 1), grouped by letter, in their order."""
    used = np.stack([(leaving < letter).sum(axis=1) for letter in range(LETTERS)], axis=1)
    walk = np.empty((len(first), exits.shape[1] + 1), dtype=np.uint8)
    walk[:, 0] = here = first
    row = np.arange(len(first))
    # views of one dimension: an index into two costs twice as much
    exits, used = exits.ravel(), used.ravel()
    exit_start, letter_start = row * (walk.shape[1] - 1), row * LETTERS
    for position in range(1, walk.shape[1]):
        slot = letter_start + here
        here = exits[exit_start + used[slot]]
        used[slot] += 1
        walk[:, position] = here
    return walk


def _trees_towards(root: int) -> Any:
    """Last exits (trees, 4) of the letters such that all of them lead to the root."""
    trees = []
    for exits in product(range(LETTERS), repeat=LETTERS):
        if exits[root] != root:
            continue
        end = list(range(LETTERS))
        for _ in range(LETTERS):
            end = [letter if letter == root else exits[letter] for letter in end]
        if end == [root] * LETTERS:
            trees.append(exits)
    return np.array(trees)


TREES = [_trees_towards(root) for root in range(LETTERS)]


def _draw_trees(rows: Any, uniform: Any) -> Any:
    """Draw the last exit (m, 4) of every letter, each tree in proportion to its copies.

    A letter that the sequence never leaves gets an exit to the last letter, so that it hinders
    no tree.
    """
    m = len(rows)
    pairs = (np.arange(m)[:, None] * LETTERS + rows[:, :-1]) * LETTERS + rows[:, 1:]
    edges = np.bincount(pairs.ravel(), minlength=m * LETTERS * LETTERS)
    edges = edges.reshape(m, LETTERS, LETTERS).astype(np.float64)
    drawn = np.empty((m, LETTERS), dtype=np.intp)
    for root, trees in enumerate(TREES):
        chosen = np.flatnonzero(rows[:, -1] == root)
        counts = edges[chosen]
        counts[:, root] = 0
        unused = counts.sum(axis=2) == 0
        counts[..., root] += unused
        copies = counts[:, np.arange(LETTERS), trees].prod(axis=2)
        cumulative = copies.cumsum(axis=1)
        threshold = uniform[chosen, None] * cumulative[:, -1:]
        drawn[chosen] = trees[(cumulative <= threshold).sum(axis=1)]
    return drawn
