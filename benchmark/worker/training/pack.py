"""Many trials at once: one compiled step for the stacked weights of trials of one model.

A small network leaves most of a GPU idle. Trials whose networks compute the same thing (the same
jaxpr, whatever their weights) are trained together: `jax.vmap` over Keras's own training step, with
each trial's own order of sequences, learning rate and end. A trial gets what it would get alone.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

from ..contract import TrainingData
from ..report import Reporter, out_of_memory
from .recipe import PREDICT_BATCH, compile_model, not_finite, validation_scores, watchers

State = Any


@dataclass
class PackedTrial:
    """One network of a pack.

    Attributes
    ----------
    model : keras.Model
        Built; holds the trained weights at the end.
    from_logits : bool
    draws : tuple
        NumPy's global random state when its training begins, from which Keras draws the order of
        sequences.
    history : list of dict
        As `recipe.train` returns it.
    problem : str
        Why its training ended without a network, in one line; empty where it did not.
    together : int
        How many trials were trained with it, itself among them.
    """

    model: Any
    from_logits: bool
    draws: Any
    history: list[dict[str, float]] = field(default_factory=list)
    problem: str = ""
    together: int = 1


def train_pack(
    trials: Sequence[PackedTrial],
    data: TrainingData,
    recipe: dict[str, Any],
    source: str,
    report: Reporter,
) -> None:
    """Train trials in place, those together that compute the same thing.

    Parameters
    ----------
    trials : sequence of PackedTrial
    data : TrainingData
        The same for all of them.
    recipe : dict
        The fields of the specification's ``[fit]`` table.
    source : str
        File name of the submission, for messages.
    report : Reporter

    Raises
    ------
    MemoryError
        If not even one trial fits into memory, the device's or the machine's.
    """
    groups: dict[str, list[PackedTrial]] = {}
    for trial in trials:
        compile_model(trial.model, recipe, from_logits=trial.from_logits, target=data.target)
        groups.setdefault(_signature(trial, data.x_train), []).append(trial)
    if len(groups) > 1:
        report("step", name="networks differ: packs", done=0, of=len(groups))
    for group in groups.values():
        _train_or_halve(group, data, recipe, source, report)


def _train_or_halve(
    group: list[PackedTrial],
    data: TrainingData,
    recipe: dict[str, Any],
    source: str,
    report: Reporter,
) -> None:
    """Train a group; where memory does not hold it, its halves one after the other."""
    try:
        _Pack(group, data, recipe, source, report).train()
        for trial in group:
            trial.together = len(group)
        return
    except Exception as error:
        if out_of_memory(error) is None:
            raise
        if len(group) == 1:
            raise MemoryError("one trial alone does not fit into memory") from error
    half = (len(group) + 1) // 2
    report("step", name="out of memory: a pack halved", done=half, of=len(group))
    for part in (group[:half], group[half:]):
        for trial in part:
            trial.history.clear()
        _train_or_halve(part, data, recipe, source, report)


def _signature(trial: PackedTrial, sequences: Any) -> str:
    """Digest of what a network's training and prediction compute, its weights left open.

    The gradient is traced and not the call alone: a function may bring a derivative of its own.
    """
    model = trial.model

    def trained(weights: Any, others: Any, x: Any) -> Any:
        output, updated, penalties = model.stateless_call(
            weights, others, x, training=True, return_losses=True
        )
        return jnp.sum(output) + sum(penalties), (output, updated)

    def predicted(weights: Any, others: Any, x: Any) -> Any:
        return model.stateless_call(weights, others, x, training=False)[0]

    weights, others = ([v.value for v in vs] for vs in _variables(model)[:2])
    # the optimiser, and not the call, applies constraints
    limits = [v.constraint and _declared(v.constraint) for v in model.trainable_variables]
    digest = hashlib.sha256(f"{trial.from_logits} {limits}".encode())
    for function in (jax.grad(trained, has_aux=True), predicted):
        traced = jax.make_jaxpr(function)(weights, others, sequences[:2])
        digest.update(str(traced).encode())
        for constant in _constants(traced):
            digest.update(_bytes(constant))
    return digest.hexdigest()


def _constants(traced: Any) -> Iterator[Any]:
    """Constants of a jaxpr and of all that it calls; its text shows their types alone."""
    yield from getattr(traced, "consts", ())
    for equation in getattr(traced, "jaxpr", traced).eqns:
        yield from (atom.val for atom in equation.invars if isinstance(atom, Literal))
        for value in equation.params.values():
            for part in value if isinstance(value, (list, tuple)) else (value,):
                if isinstance(part, (ClosedJaxpr, Jaxpr)):
                    yield from _constants(part)


def _bytes(constant: Any) -> bytes:
    keys = isinstance(constant, jax.Array) and jnp.issubdtype(constant.dtype, jax.dtypes.prng_key)
    return np.asarray(jax.random.key_data(constant) if keys else constant).tobytes()


def _declared(constraint: Any) -> str:
    if isinstance(constraint, keras.constraints.Constraint):
        return f"{type(constraint).__qualname__} {constraint.get_config()}"
    # a function of the submission's own: whether two are the same cannot be seen
    return repr(constraint)


def _variables(model: Any) -> tuple[list[Any], list[Any]]:
    return model.trainable_variables, model.non_trainable_variables


class _Pack:
    """Trials that compute the same thing, their weights stacked along a first axis."""

    def __init__(
        self,
        trials: list[PackedTrial],
        data: TrainingData,
        recipe: dict[str, Any],
        source: str,
        report: Reporter,
    ) -> None:
        self._trials = trials
        self._data = data
        self._recipe = recipe
        self._source = source
        self._report = report
        self._orders = [np.random.RandomState() for _ in trials]
        for order, trial in zip(self._orders, trials, strict=True):
            order.set_state(trial.draws)
        self._callbacks = [_Watched(recipe) for _ in trials]

    def train(self) -> None:
        """Train to every trial's own end, and put its weights into its model."""
        model = self._trials[0].model
        states = [self._start(trial, n) for n, trial in enumerate(self._trials)]
        rate = next(
            i for i, v in enumerate(model.optimizer.variables) if v is model.optimizer.learning_rate
        )
        step, predict = _step(model), _predictions(model)
        x, y, x_valid = (jnp.asarray(a) for a in self._data_arrays())
        ended: dict[int, State] = {}
        rows = list(range(len(self._trials)))
        state = _stacked(states)
        for epoch in range(1, self._recipe["max_epochs"] + 1):
            started = time.perf_counter()
            state = _with(state, 3, [jnp.zeros_like(v) for v in state[3]])
            logs, state = self._epoch(step, state, rows, x, y)
            output = self._predicted(predict, state, x_valid)
            seconds = (time.perf_counter() - started) / len(rows)
            for row, n in enumerate(rows):
                if n not in ended and self._note(n, epoch, logs, row, output[row], seconds):
                    ended[n] = _row(state, row)
            self._say(epoch, len(self._trials) - len(ended), len(rows) * seconds)
            if len(ended) == len(self._trials):
                break
            rates = [self._callbacks[n].rate for n in rows]
            state = _with_rate(state, rate, rates)
            left = [row for row, n in enumerate(rows) if n not in ended]
            if len(left) <= len(rows) // 2:
                # fewer rows: compiled once more, for half the work
                state = jax.tree.map(lambda v, keep=tuple(left): v[np.asarray(keep)], state)
                rows = [rows[row] for row in left]
        for row, n in enumerate(rows):
            ended.setdefault(n, _row(state, row))
        for n, trial in enumerate(self._trials):
            for variables, values in zip(_variables(trial.model), ended[n], strict=False):
                for variable, value in zip(variables, values, strict=True):
                    variable.assign(value)

    def _data_arrays(self) -> tuple[Any, Any, Any]:
        return self._data.x_train, self._data.y_train, self._data.x_valid

    def _start(self, trial: PackedTrial, number: int) -> State:
        """A trial's state before its first step."""
        model = trial.model
        model.optimizer.build(model.trainable_variables)
        first = (self._data.x_train[:1], self._data.y_train[:1])
        model._symbolic_build(data_batch=first)
        # Keras draws an order for the pass in which it builds a model's metrics
        self._orders[number].permutation(len(self._data.x_train))
        parts = (*_variables(model), model.optimizer.variables, model.metrics_variables)
        return tuple([v.value for v in part] for part in parts)

    def _epoch(
        self, step: Callable[..., Any], state: State, rows: Sequence[int], x: Any, y: Any
    ) -> tuple[Any, State]:
        order = np.stack([self._orders[n].permutation(len(x)) for n in rows])
        logs = None
        for start in range(0, len(x), self._recipe["batch_size"]):
            batch = order[:, start : start + self._recipe["batch_size"]]
            logs, state = step(state, batch, x, y)
        assert logs is not None
        return {name: np.asarray(value) for name, value in logs.items()}, state

    @staticmethod
    def _predicted(predict: Callable[..., Any], state: State, x_valid: Any) -> Any:
        """Outputs (trials, n, classes) of the validation split."""
        parts = range(0, len(x_valid), PREDICT_BATCH)
        found = [predict(state[0], state[1], x_valid[i : i + PREDICT_BATCH]) for i in parts]
        return np.concatenate([np.asarray(part) for part in found], axis=1)

    def _note(
        self, number: int, epoch: int, logs: Any, row: int, output: Any, seconds: float
    ) -> bool:
        """Record a trial's epoch; whether it was its last."""
        trial, watched = self._trials[number], self._callbacks[number]
        if not np.isfinite(output).all():
            trial.problem = not_finite(self._source, epoch)
            return True
        scores = validation_scores(
            self._data.y_valid, output, from_logits=trial.from_logits, target=self._data.target
        )
        trial.history.append(
            {
                "epoch": epoch,
                "loss": float(logs["loss"][row]),
                **scores,
                "learning_rate": watched.rate,
                "seconds": seconds,
            }
        )
        return watched.epoch_ended(epoch, scores)

    def _say(self, epoch: int, running: int, seconds: float) -> None:
        name = f"val_{self._recipe['monitor']}"
        values = [t.history[-1][name] for t in self._trials if t.history]
        self._report(
            "epoch",
            epoch=epoch,
            of=self._recipe["max_epochs"],
            monitor=self._recipe["monitor"],
            value=float(np.mean(values)) if values else 0.0,
            seconds=seconds,
            name=f"mean of {len(values)} trials, {running} still training",
        )


class _Watched:
    """Keras's own rules for the learning rate and the end, applied to one trial of a pack."""

    def __init__(self, recipe: dict[str, Any]) -> None:
        optimizer = SimpleNamespace(learning_rate=np.float32(recipe["learning_rate"]))
        self._model = SimpleNamespace(optimizer=optimizer, stop_training=False)
        self._callbacks = watchers(recipe)
        for callback in self._callbacks:
            callback.set_model(self._model)
            callback.on_train_begin()

    @property
    def rate(self) -> float:
        """Learning rate of the next epoch."""
        return float(keras.ops.convert_to_numpy(self._model.optimizer.learning_rate))

    def epoch_ended(self, epoch: int, scores: dict[str, float]) -> bool:
        """Note an epoch's scores; whether the training ends with it."""
        for callback in self._callbacks:
            callback.on_epoch_end(epoch - 1, dict(scores))
        return bool(self._model.stop_training)


def _step(model: Any) -> Callable[..., Any]:
    """One training step of every trial, on the sequences that its row of indices names."""

    def one(state: State, batch: Any, x: Any, y: Any) -> Any:
        return model.train_step(state, (x[batch], y[batch]))

    return jax.jit(jax.vmap(one, in_axes=(0, 0, None, None)), donate_argnums=0)


def _predictions(model: Any) -> Callable[..., Any]:
    def one(weights: Any, others: Any, x: Any) -> Any:
        return model.stateless_call(weights, others, x, training=False)[0]

    return jax.jit(jax.vmap(one, in_axes=(0, 0, None)))


def _stacked(states: Sequence[State]) -> State:
    return jax.tree.map(lambda *values: jnp.stack(values), *states)


def _row(state: State, row: int) -> State:
    """One trial's state, on the host."""
    return jax.tree.map(lambda v: np.asarray(v[row]), state)


def _with(state: State, part: int, values: list[Any]) -> State:
    return (*state[:part], values, *state[part + 1 :])


def _with_rate(state: State, place: int, rates: Sequence[float]) -> State:
    values = list(state[2])
    values[place] = jnp.asarray(rates, values[place].dtype)
    return _with(state, 2, values)
