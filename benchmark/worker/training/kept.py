"""What a trial keeps after an epoch, so that one that was stopped goes on with the same bits.

Weights, the optimiser's state, random states, the counters of the rules that end the training, and
its history, as plain bytes in one file that is replaced whole. Whoever wrote the file is not
trusted: it is read in the sandbox alone, and one that does not fit is not taken.
"""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ..limits import MAX_KEPT_BYTES, MAX_KEPT_WRITTEN
from ..report import Reporter

# of Keras's rules: what changes from epoch to epoch
COUNTERS = ("wait", "best", "best_epoch", "stopped_epoch", "cooldown_counter")
# the generator of who draws from keras.random without one; made when it is first drawn from
SHARED = "shared"
# TensorFlow's operations whose random state lies in the operation, where nobody can read it
_HIDDEN_STATE = re.compile(
    r"(Random|Multinomial|TruncatedNormal|ParameterizedTruncatedNormal|Rng|Stateful(?!Partitioned))"
)


@dataclass(frozen=True)
class Keep:
    """Where a trial's state goes, and where that of a stopped one lies.

    Attributes
    ----------
    file : Path
        Replaced after an epoch.
    of : str
        What the trial is and where it runs: the state of another one is not taken.
    before : Path or None
        What a stopped trial kept.
    """

    file: Path
    of: str
    before: Path | None


@dataclass(frozen=True)
class _State:
    notes: dict[str, Any]
    arrays: dict[str, np.ndarray[Any, np.dtype[np.uint8]]]


class Keeper(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
    """Keeps a trial's state after an epoch, and goes on from what was kept.

    It stands last among the callbacks, so that the others have seen the epoch.

    Parameters
    ----------
    keep : Keep
    model : keras.Model
        Compiled.
    rules : sequence of Callback
        Keras's, whose counters are kept.
    history : list of dict
        The trial's; filled with the rows of the epochs before.
    epochs : int
        Epochs that the recipe allows.
    report : Reporter
        Is told after which epoch the trial goes on, or why it starts over.

    Attributes
    ----------
    epoch : int
        Epochs that the trial has behind it.
    ended : bool
        Whether its training was over: the weights are in the model.
    """

    def __init__(
        self,
        keep: Keep,
        model: Any,
        rules: Sequence[Any],
        history: list[dict[str, float]],
        epochs: int,
        report: Reporter,
    ) -> None:
        super().__init__()
        self._keep = keep
        self._rules = rules
        self._history = history
        self._epochs = epochs
        self._report = report
        self._every: int | None = None
        self._before: _State | None = None
        self.epoch = 0
        self.ended = False
        if keep.before is None:
            return
        # its state is as large as it will be
        model.optimizer.build(model.trainable_variables)
        try:
            state = _read(keep.before)
            notes = state.notes
            if notes["of"] != keep.of:
                report("over", reason="what was kept is of another machine, version or setting")
                return
            _check(state, model)
            self.epoch, self.ended = int(notes["epoch"]), bool(notes["ended"])
            history += notes["history"]
        except Exception:
            # whatever a stranger or a broken disk made of it
            self.epoch, self.ended = 0, False
            report("over", reason="what was kept is damaged")
            return
        self._before = state
        report("resumed", epoch=self.epoch, of=epochs, seconds=float(sum(_seconds(history))))
        if self.ended:
            self._put(model)

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Put the kept state in place, once Keras has built and reset all that it builds."""
        if self._before is not None:
            self._put(self.model)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Keep the state, unless the network is so large that not every epoch's is written."""
        done = epoch + 1
        ended = bool(self.model.stop_training) or done == self._epochs
        if self._every == 0 or (self._every and done % self._every and not ended):
            return
        arrays = _arrays(self.model)
        size = sum(len(array) for array in arrays.values())
        if size > MAX_KEPT_BYTES:
            self._every = 0
            self._report(
                "unkept",
                reason=f"its training has a state of {size >> 20} MiB; at most "
                f"{MAX_KEPT_BYTES >> 20} MiB are kept",
            )
            return
        self._every = max(1, math.ceil(size * self._epochs / MAX_KEPT_WRITTEN))
        notes = {
            "of": self._keep.of,
            "epoch": done,
            "ended": ended,
            "history": self._history,
            "rules": [
                {name: _plain(getattr(rule, name)) for name in COUNTERS if hasattr(rule, name)}
                for rule in self._rules
            ],
            "python": random.getstate(),
            "numpy": np.random.get_state(legacy=False),  # noqa: NPY002  # Keras draws from it
        }
        arrays["notes"] = _bytes(json.dumps(notes, default=_plain).encode())
        part = self._keep.file.with_suffix(".part")
        with part.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # no array is named allow_pickle
        part.replace(self._keep.file)
        self._report("kept", epoch=done)

    def _put(self, model: Any) -> None:
        assert self._before is not None
        notes, arrays = self._before.notes, self._before.arrays
        self._before = None
        for name, variable in _variables(model).items():
            variable.assign(_shaped(arrays[name], keras.ops.convert_to_numpy(variable)))
        if SHARED in arrays:
            from keras.src.random.seed_generator import global_seed_generator

            state = global_seed_generator().state
            state.assign(_shaped(arrays[SHARED], keras.ops.convert_to_numpy(state)))
        for rule, counters in zip(self._rules, notes["rules"], strict=True):
            for name, value in counters.items():
                setattr(rule, name, value)
        version, numbers, gauss = notes["python"]
        random.setstate((version, tuple(numbers), gauss))
        given = notes["numpy"]
        key = np.asarray(given["state"]["key"], dtype=np.uint32)
        np.random.set_state({**given, "state": {**given["state"], "key": key}})  # noqa: NPY002
        if keras.backend.backend() == "torch":
            _put_torch(model, arrays)


def hidden_draws(model: Any, shape: tuple[int, ...], source: Path) -> str:
    """Why a trial cannot go on with the same bits, or "": random state that nobody can read.

    Parameters
    ----------
    model : keras.Model
    shape : tuple of int
        Of one sequence.
    source : Path
        The submission's file; one that does not name TensorFlow uses Keras's own states alone.
    """
    if keras.backend.backend() != "tensorflow" or b"tensorflow" not in source.read_bytes():
        return ""
    import tensorflow as tf

    try:
        traced = tf.function(lambda x: model(x, training=True)).get_concrete_function(
            tf.TensorSpec((None, *shape), tf.float32)
        )
    except Exception:
        return "whether it draws random numbers of TensorFlow's own cannot be seen"
    graph = traced.graph.as_graph_def()
    nodes = chain(graph.node, *(function.node_def for function in graph.library.function))
    found = sorted({node.op for node in nodes if _HIDDEN_STATE.match(node.op)})
    if not found:
        return ""
    return f"{found[0]} has a random state that cannot be kept; draw from keras.random"


def _variables(model: Any) -> dict[str, Any]:
    """Weights, states of the layers' random generators, and the optimiser's variables."""
    found = [*model.trainable_variables, *model.non_trainable_variables]
    found += model.optimizer.variables
    return {f"variable.{number}": variable for number, variable in enumerate(found)}


def _arrays(model: Any) -> dict[str, np.ndarray[Any, np.dtype[np.uint8]]]:
    """All of a trial's state that is arrays, as their bytes."""
    found = {
        name: _bytes(keras.ops.convert_to_numpy(variable).tobytes())
        for name, variable in _variables(model).items()
    }
    from keras.src.backend.common.global_state import get_global_attribute

    # not asked for by its function, which would make one and draw a seed for it
    if shared := get_global_attribute("global_seed_generator"):
        found[SHARED] = _bytes(keras.ops.convert_to_numpy(shared.state).tobytes())
    if keras.backend.backend() == "torch":
        states = {**_torch_states(), **_buffers(model)}
        found |= {k: _bytes(v.detach().cpu().numpy().tobytes()) for k, v in states.items()}
    return found


def _check(state: _State, model: Any) -> None:
    """Refuse a state that is not this network's.

    Raises
    ------
    ValueError
    """
    mine, kept = (
        {name: len(array) for name, array in arrays.items() if name != SHARED}
        for arrays in (_arrays(model), state.arrays)
    )
    if mine != kept:
        raise ValueError("arrays of another network")


def _read(path: Path) -> _State:
    """Read a kept state; every array's checksum is compared by the archive."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    return _State(json.loads(arrays.pop("notes").tobytes()), arrays)


def _torch_states() -> dict[str, Any]:
    import torch

    states = [torch.get_rng_state()]
    if torch.cuda.is_available():
        states += torch.cuda.get_rng_state_all()
    return {f"torch.{number}": state for number, state in enumerate(states)}


def _buffers(model: Any) -> dict[str, Any]:
    """Tensors of PyTorch modules that are no weights, such as running means."""
    return {f"buffer.{name}": buffer for name, buffer in model.named_buffers()}


def _put_torch(model: Any, arrays: dict[str, Any]) -> None:
    import torch

    for name, buffer in _buffers(model).items():
        values = _shaped(arrays[name], buffer.detach().cpu().numpy())
        with torch.no_grad():
            buffer.copy_(torch.from_numpy(values.copy()))
    states = [torch.from_numpy(arrays[name].copy()) for name in _torch_states()]
    torch.set_rng_state(states[0])
    if states[1:]:
        torch.cuda.set_rng_state_all(states[1:])


def _bytes(content: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.frombuffer(content, np.uint8)


def _shaped(content: Any, like: Any) -> Any:
    return np.frombuffer(content.tobytes(), like.dtype).reshape(like.shape)


def _plain(value: Any) -> Any:
    """A number as JSON has it; every bit of a float comes back."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _seconds(history: Sequence[dict[str, float]]) -> list[float]:
    return [float(row["seconds"]) for row in history]
