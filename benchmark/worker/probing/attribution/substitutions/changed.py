"""A frozen network on all substitutions of a sequence, computed only where one changes it.

What a substitution changes grows layer by layer: 19 of 200 positions behind a convolution 19 wide,
25 behind a second one 7 wide. Stretches of that size are followed for all mutants at once through
every operation whose reach is known (`reaches`); what is around them is the sequence's own. The
first operation of another kind gets each mutant's tensor whole, and so do all after it. The idea is
fastISM's (Nair et al., Bioinformatics 38, 2397-2403, 2022).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from ....frozen.network import FrozenNetwork
from ..multipliers.pairs import rerun
from ..multipliers.walk import ancestors, imported
from .patches import Mutants, NotLocal, Patches
from .reaches import Dealt, apply, dealt, dilated

# these hold operations that are not looked into
_CALLS = frozenset(
    """
    Enter Exit If LoopCond Merge NextIteration PartitionedCall StatefulPartitionedCall StatelessIf
    StatelessWhile Switch While
    """.split()  # noqa: SIM905
)
_WORK = frozenset({"Conv2D", "DepthwiseConv2dNative", "BatchMatMulV2", "BatchMatMulV3"})
# values of the sequences' own shape, not of their letters
_SHAPES = ("Shape", "ShapeN")


class ChangedOnly:
    """Logits of mutants by what each substitution changes.

    Parameters
    ----------
    network : FrozenNetwork
    others : int
        Letters that each position's can be replaced by.
    mutants_per_call : int
        About how many mutants of one sequence a call evaluates at most.

    Attributes
    ----------
    local : tuple of str
        The operations that are computed on stretches.
    whole : tuple of str
        Those that depend on the sequence and are not.

    Raises
    ------
    NotLocal
        If nothing would be saved.
    """

    def __init__(self, network: FrozenNetwork, others: int, mutants_per_call: int) -> None:
        if any(node.op in _CALLS for node in network.graph_def.node):
            raise NotLocal("calls of other functions")
        self._network = network
        self._length, letters = network.shape
        self._others = others
        most = max(1, mutants_per_call // others)
        self._calls = -(-self._length // most)
        self._positions = -(-self._length // self._calls)
        self.local: tuple[str, ...] = ()
        self.whole: tuple[str, ...] = ()
        self._evaluate = tf.function(
            self._trace,
            input_signature=[
                tf.TensorSpec((None, self._length, letters), tf.float32),
                tf.TensorSpec((), tf.int32),
            ],
            autograph=False,
        )
        try:
            self._evaluate.get_concrete_function()
        except (LookupError, TypeError, ValueError) as error:
            # an operation in a form that its rule does not fit: no stretches rather than wrong ones
            raise NotLocal(f"{type(error).__name__}: {error}") from error
        if not _WORK.intersection(self.local):
            raise NotLocal("no convolution is computed on stretches")

    def __call__(self, one_hot: Any) -> Any:
        """Logits (n, length, others, classes) of the mutants of sequences (n, length, 4)."""
        sequences = tf.constant(one_hot)
        parts = [
            np.asarray(self._evaluate(sequences, tf.constant(call))).reshape(
                len(one_hot), self._positions, self._others, self._network.classes
            )
            for call in range(self._calls)
        ]
        return np.concatenate(parts, axis=1)[:, : self._length]

    def _trace(self, one_hot: Any, call: Any) -> Any:
        mutants = Mutants(self._length, self._others, self._positions, call)
        manifest, graph = self._network.manifest, self._network.graph_def
        ops = imported(graph, manifest, one_hot, "sequences")
        node, index = manifest.logits.split(":")
        logits = ops[node].outputs[int(index)]
        walk = _Walk(one_hot, _substituted(one_hot, mutants))
        for step in _steps(ancestors(logits.op, one_hot.op)):
            walk.take(step)
        self.local, self.whole = tuple(walk.local), tuple(walk.whole)
        return tf.cast(walk.whole_of(logits), tf.float32)


class _Walk:
    """The values of every mutant, operation by operation."""

    def __init__(self, sequences: Any, substituted: Patches) -> None:
        self._found: dict[str, Any] = {sequences.name: substituted}
        self.local: list[str] = []
        self.whole: list[str] = []

    def take(self, step: Any) -> None:
        """Compute one operation, or a dilated convolution."""
        op = step.first if isinstance(step, Dealt) else step
        live = {i for i, t in enumerate(op.inputs) if t.name in self._found}
        if not live:
            return
        inputs = [self._found.get(t.name, t) for t in op.inputs]
        try:
            self._keep_local(step, inputs, live)
        except NotLocal:
            for each in step.between if isinstance(step, Dealt) else (step,):
                self._keep_whole(each)

    def _keep_local(self, step: Any, inputs: list[Any], live: set[int]) -> None:
        if not any(isinstance(x, Patches) for x in inputs):
            raise NotLocal
        if isinstance(step, Dealt):
            if step.convolution.inputs[1].name in self._found:
                raise NotLocal("a kernel that depends on the sequence")
            last, kind, outputs = step.last, step.convolution.type, dilated(step, inputs, live)
        else:
            last, kind = step, step.type
            outputs = self._shapes(step, inputs) or apply(step, inputs, live)
        self.local.append(kind)
        for tensor, found in zip(last.outputs, outputs, strict=True):
            if found is not tensor:
                self._found[tensor.name] = found

    def _shapes(self, op: Any, inputs: list[Any]) -> list[Any] | None:
        """Shapes of tensors of all mutants, which need no tensor."""
        if op.type not in _SHAPES or not all(isinstance(x, Patches) for x in inputs):
            return None
        kind = op.outputs[0].dtype
        return [tf.cast(tf.stack((tf.shape(x.values)[0], *x.shape)), kind) for x in inputs]

    def _keep_whole(self, op: Any) -> None:
        self.whole.append(op.type)
        again = rerun(op, [self.whole_of(t) for t in op.inputs])
        for tensor, found in zip(op.outputs, again.outputs, strict=True):
            self._found[tensor.name] = found

    def whole_of(self, tensor: Any) -> Any:
        """A tensor of all mutants; a constant as it is."""
        found = self._found.get(tensor.name, tensor)
        if isinstance(found, Patches):
            found = self._found[tensor.name] = found.whole()
        return found


def _steps(order: list[Any]) -> list[Any]:
    """Operations in running order, each dilated convolution as one."""
    chains = {op.name: chain for op in order if (chain := dealt(op)) is not None}
    inside = {op.name for chain in chains.values() for op in chain.between}
    return [chains.get(op.name, op) for op in order if op.name in chains or op.name not in inside]


def _substituted(one_hot: Any, mutants: Mutants) -> Patches:
    """The mutants' letters, each at its position."""
    positions = mutants.positions
    here = mutants.of_call(positions.astype(np.int32))
    rolled = [tf.roll(one_hot, j, axis=2) for j in range(1, mutants.others + 1)]
    letters = tf.gather(tf.stack(rolled, axis=2), here, axis=1)
    values = tf.reshape(letters, (-1, 1, int(one_hot.shape[2])))
    return Patches(mutants, one_hot, values, 1, positions, positions)
