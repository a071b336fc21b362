"""What a network answers when bases are replaced: the arrays that faithfulness is scored from.

A replaced base takes the letter that it has in a dinucleotide shuffle of the same sequence, so that
the network only ever sees DNA.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..arrays import CURVES, Part
from ..contract import one_hot
from .shuffles import dinucleotide_shuffle, generator

SEQUENCES_PER_CALL = 1000
# streams of their own, so that curves, replaced letters and their places are independent
CURVES_SEED, LETTERS_SEED, PLACES_SEED = 0, 1, 2


class Network(Protocol):
    """What answers: a frozen network, or a ceiling in its place."""

    classes: int

    def logits(self, one_hot: Any) -> Any:
        """Logits (n, classes) of one-hot sequences (n, length, 4) float32."""


def write_curves(
    network: Network,
    codes: Any,
    maps: Mapping[str, Any],
    settings: Mapping[str, Any],
    out: Path,
    report: Callable[..., None],
) -> None:
    """Write deletion and insertion curves of every map, and answers to replaced windows.

    Parameters
    ----------
    network : Network
    codes : ndarray (k, length) uint8
        Sequences to test.
    maps : mapping of str to ndarray (>= k, length, 4, classes)
        Maps of these sequences and of any after them, by method, and hypothetical contributions by
        their array's name.
    settings : dict
        ``methods``: how the importance of a base is read, by method (`importance`); ``readings``:
        other orders that are asked for, by method and by name: ``base`` as a method's, ``centred``
        (of entries less their mean over letters), ``hypothetical`` (of those contributions);
        ``counts``:
        numbers of bases to replace, rising from 0 to the length; ``resamples``: shuffles per
        sequence; ``perturbations``: copies with one window replaced; ``window``: bases in it.
    out : Path
        Folder that receives ``<method>_deletion`` and ``<method>_insertion`` (k, classes, counts)
        float32: the logit after the most important bases were replaced, and of the shuffle after
        they were put back, means over shuffles, and likewise ``<method>_<reading>_deletion``;
        ``perturbed`` (k, perturbations, length) uint8 and
        ``changes`` (k, perturbations, classes) float32: logit minus that of the copy.
    report : callable
    """
    shuffles = dinucleotide_shuffle(codes, settings["resamples"], CURVES_SEED)
    others = settings.get("readings", {})
    # what orders bases alike shares its curves: readings of a map, and methods that agree, as all
    # gradients do where a network is linear
    made: dict[bytes, dict[Part, Any]] = {}
    for name, kind in settings["methods"].items():
        if name not in maps:
            continue
        told = partial(report, name=name)
        for reading, order in {"": {"base": kind}, **others.get(name, {})}.items():
            ranks = _ranks(_read(maps, name, codes, order))
            key = ranks.tobytes()
            if key not in made:
                made[key] = _curves(network, codes, shuffles, ranks, settings["counts"], told)
            for part, curve in made[key].items():
                np.save(out / f"{part.of(name, reading)}.npy", curve, allow_pickle=False)
    perturbed = _perturbed(codes, settings["perturbations"], settings["window"])
    original = network.logits(one_hot(codes))
    answers = _logits(network, perturbed.reshape(-1, codes.shape[1]))
    changes = original[:, None] - answers.reshape(len(codes), -1, network.classes)
    np.save(out / "perturbed.npy", perturbed, allow_pickle=False)
    np.save(out / "changes.npy", changes.astype(np.float32), allow_pickle=False)
    report("step", name="replaced windows", done=len(codes), of=len(codes))


def _read(maps: Mapping[str, Any], name: str, codes: Any, order: Mapping[str, Any]) -> Any:
    """Importance of every base (k, length, classes), in the order that is asked for."""
    part = Part.HYPOTHETICAL if order.get("hypothetical") else Part.MAPS
    entries = maps[part.of(name)][: len(codes)]
    if order.get("centred"):
        entries = entries - entries.mean(axis=2, keepdims=True)
    return importance(entries, codes, order["base"])


def importance(maps: Any, codes: Any, kind: str) -> Any:
    """Importance of every base (k, length, classes) of maps (k, length, 4, classes).

    ``kind`` is ``"observed"``, the entry of the letter that is there, or ``"norm"``, the L2 norm
    over letters.
    """
    if kind == "norm":
        return np.sqrt(np.square(maps).sum(axis=2))
    index = codes[:, :, None, None].astype(np.intp)
    return np.take_along_axis(maps, index, axis=2)[:, :, 0]


def _ranks(scores: Any) -> Any:
    """Rank (k, classes, length) of every base, the most important one 0; ties by position."""
    order = np.argsort(-scores.transpose(0, 2, 1), axis=2, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(order.shape[2])[None, None], axis=2)
    return ranks


def _curves(
    network: Network,
    codes: Any,
    shuffles: Any,
    ranks: Any,
    counts: Sequence[int],
    report: Any,
) -> dict[Part, Any]:
    k, classes, length = ranks.shape
    curves = {part: np.empty((k, classes, len(counts)), np.float32) for part in CURVES}
    own = np.arange(classes)
    for step, count in enumerate(counts):
        chosen = (ranks < count)[:, :, None]
        intact, shuffled = codes[:, None, None], shuffles[:, None]
        for part, sequences in (
            (Part.DELETION, np.where(chosen, shuffled, intact)),
            (Part.INSERTION, np.where(chosen, intact, shuffled)),
        ):
            logits = _logits(network, sequences.reshape(-1, length))
            logits = logits.reshape(k, classes, -1, classes)[:, own, :, own]
            curves[part][..., step] = logits.mean(axis=2).T
        report("step", done=step + 1, of=len(counts), part="curves")
    return curves


def _perturbed(codes: Any, copies: int, window: int) -> Any:
    """Copies (k, copies, length) of each sequence, each with one window taken from a shuffle."""
    length = codes.shape[1]
    window = min(window, length)
    shuffles = dinucleotide_shuffle(codes, copies, LETTERS_SEED)
    starts = np.stack(
        [generator(row, PLACES_SEED).integers(0, length - window + 1, copies) for row in codes]
    )
    place = np.arange(length) - starts[..., None]
    return np.where((place >= 0) & (place < window), shuffles, codes[:, None])


def _logits(network: Network, sequences: Any) -> Any:
    """Logits (n, classes) of sequences (n, length) uint8, some at a time."""
    calls = range(0, len(sequences), SEQUENCES_PER_CALL)
    return np.concatenate(
        [network.logits(one_hot(sequences[i : i + SEQUENCES_PER_CALL])) for i in calls]
    )
