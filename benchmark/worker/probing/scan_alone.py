"""What a network still tells where its filter scan alone sees a sequence.

The tensors that filters are read from keep the values that a sequence gives them, and every other
use of the input gets another sequence. A network whose logits come from its filters answers as it
did; one that looks at the sequence beside them, behind a scan for show, loses what it knew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from ..arrays import SCAN_LOGITS
from ..contract import one_hot
from ..frozen.scan_search import every_first_layer_placed
from ..limits import MAX_MAGNITUDE
from .filters import BATCH

if TYPE_CHECKING:
    from ..frozen.network import FrozenNetwork

SEED = 4
# what sees how many sequences there are, and how long they are, and none of their letters
_SHAPES = frozenset({"Shape", "ShapeN", "Size", "Rank"})


def write_scan_logits(network: FrozenNetwork, sequences: Any, out: Path, report: Any) -> None:
    """Write the logits of sequences that the filter scan alone sees.

    Nothing is written of a network without a scan, of one with a first convolution that could not
    be read (it would count as another use of the input), and for a single sequence.

    Parameters
    ----------
    network : FrozenNetwork
    sequences : ndarray (n, length) uint8
    out : Path
        Holds ``logits``; receives ``scan_logits`` (n, classes) float32. What is not finite there
        is 0, and what is larger than a logit may be has that size: a network that breaks down
        when it is looked at tells nothing.
    report : callable
    """
    known = network.manifest.scan is not None and every_first_layer_placed(network.manifest.notes)
    if not known or len(sequences) < 2:
        return
    if not has_other_uses(network):
        # nothing is left to exchange
        found = np.load(out / "logits.npy", allow_pickle=False)
    else:
        mixed, other = mixed_logits(network), sequences[derangement(len(sequences))]
        batches = [slice(i, i + BATCH) for i in range(0, len(sequences), BATCH)]
        answers = []
        for number, rows in enumerate(batches):
            answers.append(mixed(one_hot(sequences[rows]), one_hot(other[rows])))
            report("step", name="scan alone", done=number + 1, of=len(batches))
        finite = np.nan_to_num(np.concatenate(answers), nan=0.0, posinf=0.0, neginf=0.0)
        found = np.clip(finite, -MAX_MAGNITUDE, MAX_MAGNITUDE)
    np.save(out / f"{SCAN_LOGITS}.npy", found, allow_pickle=False)


def derangement(number: int) -> Any:
    """Another place (number,) for each of so many, at least 2, always the same: one cycle."""
    order = np.random.default_rng(SEED).permutation(number)
    others = np.empty(number, np.intp)
    others[order] = np.roll(order, 1)
    return others


def mixed_logits(network: FrozenNetwork) -> Callable[[Any, Any], Any]:
    """A function of what the scan sees and what all else sees, both (n, length, 4) float32.

    Returns
    -------
    callable
        Gives logits (n, classes) float32.
    """
    manifest, read = network.manifest, _scan_tensors(network)
    spec = tf.TensorSpec((None, *network.shape), tf.float32)

    def mixed(kept: Any, other: Any) -> Any:
        def answers(names: Iterable[str], given: Mapping[str, Any]) -> Any:
            return tf.graph_util.import_graph_def(
                network.graph_def, input_map=given, return_elements=list(names)
            )

        seen, unseen = (answers(read, {manifest.input: each}) for each in (kept, other))
        scan = {
            name: one.mixed(mine, its)
            for (name, one), mine, its in zip(read.items(), seen, unseen, strict=True)
        }
        (logits,) = answers([manifest.logits], {manifest.input: other, **scan})
        return tf.cast(logits, tf.float32)

    traced = tf.compat.v1.wrap_function(mixed, [spec, spec])
    return lambda kept, other: np.asarray(traced(tf.constant(kept), tf.constant(other)))


def has_other_uses(network: FrozenNetwork) -> bool:
    """Whether the logits depend on the input in any way but through the scan."""
    nodes = {node.name: node for node in network.graph_def.node}
    whole = {name for name, one in _scan_tensors(network).items() if one.whole}
    source = _node_of(network.manifest.input)
    seen: set[str] = set()
    left = [network.manifest.logits]
    while left:
        tensor = left.pop()
        name = _node_of(tensor)
        if tensor in whole or name in seen:
            continue
        if name == source:
            return True
        seen.add(name)
        if nodes[name].op not in _SHAPES:
            left += [_tensor(given) for given in nodes[name].input]
    return False


@dataclass(frozen=True)
class _Read:
    """What filters are read from in a tensor: channels along an axis of so many (None: unknown)."""

    axis: int
    channels: frozenset[int]
    extent: int | None

    @property
    def whole(self) -> bool:
        return self.extent is not None and self.channels >= set(range(self.extent))

    def mixed(self, kept: Any, other: Any) -> Any:
        """The tensor with the channels that are read of one value, the rest of another."""
        if self.whole:
            return kept
        every = tf.range(tf.shape(kept)[self.axis])
        read = tf.reduce_any(every[:, None] == tf.constant(sorted(self.channels), tf.int32), 1)
        shape = [1] * kept.shape.rank
        shape[self.axis] = -1
        return tf.where(tf.reshape(read, shape), kept, other)


def _scan_tensors(network: FrozenNetwork) -> dict[str, _Read]:
    """The tensors that filters are read from, before and after their activations, by name."""
    scan = network.manifest.scan
    assert scan is not None
    with tf.Graph().as_default() as graph:
        tf.graph_util.import_graph_def(network.graph_def, name="")
    found: dict[str, _Read] = {}
    for part in scan.parts:
        for name in (part.before, part.after):
            axis = part.axes[1]
            before = found[name].channels if name in found else frozenset()
            extent = graph.get_tensor_by_name(name).shape[axis]
            found[name] = _Read(axis, before | frozenset(part.channels), extent)
    return found


def _tensor(given: str) -> str:
    """A tensor's full name, from an input of a node."""
    return given if ":" in given else f"{given}:0"


def _node_of(tensor: str) -> str:
    return tensor.partition(":")[0].removeprefix("^")
