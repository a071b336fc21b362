"""How high Filters' F1 gets by chance: of first layers as they are drawn, before any training.

``python untrained_filters.py [DRAWS] [FILTERS ...]`` prints the figures that the bound of the gate
"the scan was learned" stands on, for every task; 200 draws take minutes. An initialiser's scale
moves no site, so He's, Glorot's and any other normal one draw alike.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from motifidelity.metrics.filters.filter_f1 import score_f1
from motifidelity.metrics.filters.filter_matches import TOP_SITES
from motifidelity.scoring.truth import Truth

# of the first layer of every baseline
WIDTH = 19


def drawn_f1(truth: Truth, draws: int, filters: int, width: int = WIDTH) -> Iterator[float]:
    """``filter_f1`` of so many first layers, one by one.

    Parameters
    ----------
    truth : Truth
    draws : int
    filters, width : int
        Of a layer; the width is odd.
    """
    task = truth.scored
    half = task.window // 2
    # bases with a whole window, as a probe has them
    bases = np.arange(half + 1, task.sequences.shape[1] - task.window + half)
    for seed in range(draws):
        kernels = _truncated(np.random.default_rng(seed), (width * 4, filters))
        sites = strongest(task.sequences, kernels, bases, width)
        scores = score_f1(
            task.sequences, sites, task.database, task.accepted, task.accepted_implanted
        )
        yield next(s.value for s in scores if s.metric == "filter_f1")


def strongest(sequences, kernels, bases, width):
    """Strongest sites (filters, 100, 2) of kernels (width x 4, filters), strongest first."""
    one_hot = np.eye(4, dtype=np.float32)[sequences]
    found = []
    for rows in np.array_split(np.arange(len(one_hot)), -(-len(one_hot) // 500)):
        windows = sliding_window_view(one_hot[rows], width, axis=1)[:, bases - width // 2]
        flat = np.ascontiguousarray(windows.swapaxes(2, 3)).reshape(-1, width * 4)
        found.append((flat @ kernels).astype(np.float32))
    values = np.concatenate(found)
    best = np.argpartition(-values, TOP_SITES, axis=0)[:TOP_SITES]
    order = np.argsort(-np.take_along_axis(values, best, 0), axis=0)
    best = np.take_along_axis(best, order, 0).T
    return np.stack([best // len(bases), bases[best % len(bases)]], axis=2)


def _truncated(rng, shape):
    """Normal values within two standard deviations, as Keras's He initialiser has them."""
    values = rng.standard_normal(shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = rng.standard_normal(outside.sum())
    return values.astype(np.float32)


def main(draws: int = 200, *filters: int) -> None:
    """Print mean, 99th percentile and largest value, by task and number of filters."""
    from motifidelity.tasks.dataset import load_dataset
    from motifidelity.tasks.spec import latest_specs

    for spec in latest_specs().values():
        truth = Truth(load_dataset(spec), spec.profile("full"))
        for number in filters or (24, 32):
            found = np.array(list(drawn_f1(truth, draws, number)))
            print(
                f"{spec.id}, {number} filters, {draws} draws: mean {found.mean():.3f}, 99th "
                f"percentile {np.percentile(found, 99):.3f}, largest {found.max():.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
