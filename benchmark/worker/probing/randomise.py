"""The same network with random weights: maps that do not change with it show nothing it learned.

Adebayo et al., NeurIPS 2018 (arXiv:1810.03292): the test of independent parameters.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ..arrays import Part
from ..frozen.network import FrozenNetwork
from ..limits import MAX_REASON
from ..report import Reporter, out_of_memory, said
from .attribution import METHODS, NotSupported, Settings

SEED = 0


def permute_weights(graph_def: Any) -> None:
    """Permute the values of every weight array of a graph, in place.

    Each array keeps its own distribution, so that activations stay in the range that the layers
    were made for; single numbers (constants of an activation) stay as they are.
    """
    rng = np.random.default_rng(SEED)
    for nodes in (graph_def.node, *(f.node_def for f in graph_def.library.function)):
        for node in nodes:
            # an attribute that is only asked for would be added to the node
            if node.op != "Const":
                continue
            tensor = node.attr["value"].tensor
            kind = tf.as_dtype(tensor.dtype)
            if not kind.is_floating:
                continue
            values = tf.make_ndarray(tensor)
            if values.size > 1:
                # as bits: the generator does not know every floating type
                bits = values.ravel().view(f"u{values.itemsize}")
                permuted = rng.permuted(bits).view(values.dtype).reshape(values.shape)
                tensor.CopyFrom(tf.make_tensor_proto(permuted, kind))


def write_randomised(
    graph: Path,
    manifest: Path,
    one_hot: Any,
    methods: Mapping[str, Settings],
    out: Path,
    report: Reporter,
    hypothetical: Collection[str] = (),
) -> None:
    """Write maps of the network with permuted weights.

    Parameters
    ----------
    graph, manifest : Path
    one_hot : ndarray (k, length, 4) float32
    methods : mapping of str to dict
        Names in `METHODS` with their settings.
    out : Path
        Folder that receives ``<method>_randomised.npy`` (k, length, 4, classes) float32, each map
        divided by its largest entry, because only ranks are compared; zero where a map overflows.
        A method that fails on the network, or whose maps are zero everywhere in every sequence,
        leaves none: nothing would be compared, and no likeness read as the best one.
    report : Reporter
    hypothetical : collection of str
        Methods whose hypothetical contributions are written likewise, as
        ``<method>_randomised_hypothetical.npy``.
    """
    network = FrozenNetwork(graph, manifest, edit=permute_weights)
    for name, settings in methods.items():
        try:
            found = METHODS[name](
                network, one_hot, settings, partial(report, name=name, part="random weights")
            )
        except NotSupported:
            continue
        except Exception as error:
            if out_of_memory(error):
                raise
            report("unsupported", name=f"{name}, random weights", reason=said(error)[:MAX_REASON])
            continue
        written = {Part.RANDOMISED: found.maps}
        if name in hypothetical and found.hypothetical is not None:
            written[Part.RANDOMISED_HYPOTHETICAL] = found.hypothetical
        for part, maps in written.items():
            with np.errstate(all="ignore"):
                largest = np.abs(maps).max(axis=(1, 2), keepdims=True)
                scaled = np.where((largest > 0) & np.isfinite(largest), maps / largest, 0.0)
            if scaled.any():
                path = out / f"{part.of(name)}.npy"
                np.save(path, scaled.astype(np.float32), allow_pickle=False)
