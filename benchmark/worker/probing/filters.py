"""Filter sites and scans of a frozen network over unlabelled sequences.

The network is read twice in batches, so memory does not grow with the number of sequences: once
for logits, maxima and the strongest sites, once (the first layer alone) for the sites above a
share of each filter's maximum, which is only known after the first pass.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import UNTRAINED_SITES
from ..contract import one_hot
from ..frozen.network import FrozenNetwork
from ..frozen.scans import Scan
from ..report import Reporter

BATCH = 500


def write_predictions(
    network: FrozenNetwork,
    sequences: Any,
    settings: dict[str, Any],
    out: Path,
    report: Reporter,
) -> None:
    """Write ``logits.npy`` and, where the network has a filter scan, the scan arrays.

    Parameters
    ----------
    network : FrozenNetwork
    sequences : ndarray (n, length) uint8
    settings : dict
        ``window`` (bases), ``half_max`` (share of the maximum), ``top_sites`` (count).
    out : Path
        Folder that receives ``logits`` (n, classes) float32, ``filter_max`` (filters,) float32,
        ``scan_max`` (n, length) float32, ``top_sites`` (filters, k, 2) int32 of (sequence, base)
        with -1 where there are fewer, and ``above_half_max`` (n, length, ceil(filters / 8)) uint8,
        bit-packed along the filters.
    report : Reporter
    """
    scan = network.manifest.scan
    batches = [slice(i, i + BATCH) for i in range(0, len(sequences), BATCH)]
    logits, scan_max = [], []
    strongest = None if scan is None else _Strongest(scan, sequences.shape[1], settings)
    maxima = []
    for number, rows in enumerate(batches):
        batch = one_hot(sequences[rows])
        logits.append(network.logits(batch))
        if scan is not None and strongest is not None:
            before, after, again = network.scan(batch)
            maxima.append(after.max(axis=(0, 1)))
            scan_max.append(_highest(after, again))
            strongest.add(before, rows.start)
        report("step", name="predictions", done=number + 1, of=len(batches))
    np.save(out / "logits.npy", np.concatenate(logits), allow_pickle=False)
    if scan is None or strongest is None:
        return
    filter_max = np.max(maxima, axis=0)
    np.save(out / "filter_max.npy", filter_max, allow_pickle=False)
    np.save(out / "scan_max.npy", np.concatenate(scan_max), allow_pickle=False)
    np.save(out / "top_sites.npy", strongest.sites(), allow_pickle=False)
    packed = np.zeros((*sequences.shape, -(-scan.filters // 8)), dtype=np.uint8)
    for number, rows in enumerate(batches):
        above = network.activations(one_hot(sequences[rows])) > settings["half_max"] * filter_max
        packed[rows] = np.packbits(above, axis=-1)
        report("step", name="filter sites", done=number + 1, of=len(batches))
    np.save(out / "above_half_max.npy", packed, allow_pickle=False)


def write_untrained_sites(
    network: FrozenNetwork,
    sequences: Any,
    settings: dict[str, Any],
    out: Path,
    report: Reporter,
) -> None:
    """Write the strongest sites of the filters that a network had before its training.

    Parameters
    ----------
    network : FrozenNetwork
        As it was frozen then; of one without a scan, or whose scan is not finite, nothing is
        written.
    sequences, settings, report
        As of `write_predictions`.
    out : Path
        Folder that receives ``untrained_top_sites`` (filters, k, 2) int32.
    """
    scan = network.manifest.scan
    if scan is None:
        return
    strongest = _Strongest(scan, sequences.shape[1], settings)
    for start in range(0, len(sequences), BATCH):
        before, after, _ = network.scan(one_hot(sequences[start : start + BATCH]))
        if not np.isfinite(after.max(axis=(0, 1))).all():
            return
        strongest.add(before, start)
        done = min(start + BATCH, len(sequences))
        report("step", name="untrained filters", done=done, of=len(sequences))
    np.save(out / f"{UNTRAINED_SITES}.npy", strongest.sites(), allow_pickle=False)


def _highest(after: Any, again: Any) -> Any:
    """Maximum (n, length) over filters and strands; bases without any get the row's minimum."""
    highest = after.max(axis=2)
    if again is not None:
        np.maximum(highest, again, out=highest)
    empty = np.isneginf(highest)
    if empty.any():
        lowest = np.where(empty, np.inf, highest).min(axis=1, keepdims=True)
        highest = np.where(empty, lowest, highest)
    return highest


class _Strongest:
    """Running list of the positions with the highest pre-activations of every filter."""

    def __init__(self, scan: Scan, length: int, settings: dict[str, Any]) -> None:
        self._k = settings["top_sites"]
        half = settings["window"] // 2
        bases = scan.bases
        # the study's rule for a window: start > 0 and end < length
        whole = (bases - half > 0) & (bases + settings["window"] - half < length)
        self._bases = bases[whole]
        self._values = np.empty((scan.filters, 0), dtype=np.float32)
        self._sites = np.empty((scan.filters, 0, 2), dtype=np.int32)

    def add(self, before: Any, first_row: int) -> None:
        """Merge a batch (n, length, filters) whose first sequence is ``first_row``."""
        inner = before[:, self._bases]
        n, positions, filters = inner.shape
        values = inner.reshape(n * positions, filters).T
        keep = min(self._k, values.shape[1])
        index = (
            np.argpartition(-values, keep - 1, axis=1)[:, :keep]
            if keep
            else np.zeros((filters, 0), int)
        )
        sites = np.stack(
            [first_row + index // max(positions, 1), self._bases[index % max(positions, 1)]], axis=2
        )
        best = np.take_along_axis(values, index, 1)
        # bases that another filter of the scan lies on, and this one does not
        sites[np.isneginf(best)] = -1
        values = np.concatenate([self._values, best], axis=1)
        sites = np.concatenate([self._sites, sites.astype(np.int32)], axis=1)
        # ties by sequence and base, so that batches and machines agree
        order = np.stack(
            [
                np.lexsort((s[:, 1], s[:, 0], -v))[: self._k]
                for v, s in zip(values, sites, strict=True)
            ]
        )
        self._values = np.take_along_axis(values, order, axis=1)
        self._sites = np.take_along_axis(sites, order[:, :, None], axis=1)

    def sites(self) -> Any:
        """Sites (filters, k, 2) int32, strongest first, padded with -1."""
        missing = self._k - self._sites.shape[1]
        return np.pad(self._sites, ((0, 0), (0, missing), (0, 0)), constant_values=-1)
