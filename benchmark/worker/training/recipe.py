"""Training by the task's recipe: the closed division.

Source: Koo & Ploenzke (2021) and its public code: Adam, binary cross-entropy, early stopping and
a falling learning rate that watch one validation score, pooled over classes; the last weights are
kept, not the best. A regression has the squared error instead.
"""

from __future__ import annotations

import time
from typing import Any

import keras
import numpy as np
from sklearn.metrics import auc, precision_recall_curve, roc_auc_score

from ..contract import CLASSES, REGRESSION, TrainingData
from ..report import Reporter, SubmissionError
from .kept import Keep, Keeper

PREDICT_BATCH = 500


def train(
    model: Any,
    data: TrainingData,
    recipe: dict[str, Any],
    *,
    from_logits: bool,
    source: str,
    report: Reporter,
    keep: Keep | None = None,
) -> list[dict[str, float]]:
    """Train a model in place.

    Parameters
    ----------
    model : keras.Model
    data : TrainingData
    recipe : dict
        The fields of the specification's ``[fit]`` table.
    from_logits : bool
        Whether the model's output is a logit (otherwise a probability); of a regression it is the
        value.
    source : str
        File name of the submission, for messages.
    report : Reporter
    keep : Keep, optional
        Where the state after an epoch goes, and where that of a stopped trial lies: it goes on from
        there with the same bits.

    Returns
    -------
    list of dict
        One row an epoch: epoch, loss, the validation scores, learning_rate, seconds.

    Raises
    ------
    SubmissionError
        If predictions stop being finite.
    """
    validation = _Validation(data, from_logits, source, recipe, report)
    compile_model(model, recipe, from_logits=from_logits, target=data.target)
    rules, epochs = watchers(recipe), recipe["max_epochs"]
    # validation comes first: it adds the scores that the others watch
    callbacks, done = [validation, *rules], 0
    if keep is not None:
        keeper = Keeper(keep, model, rules, validation.history, epochs, report)
        if keeper.ended:
            return validation.history
        callbacks.append(keeper)
        done = keeper.epoch
    model.fit(
        data.x_train,
        data.y_train,
        batch_size=recipe["batch_size"],
        epochs=epochs,
        initial_epoch=done,
        verbose=0,
        callbacks=callbacks,
    )
    return validation.history


def compile_model(
    model: Any, recipe: dict[str, Any], *, from_logits: bool, target: str = CLASSES
) -> None:
    """Give a model the recipe's optimiser, and the loss of the task's target."""
    of_classes = keras.losses.BinaryCrossentropy(from_logits=from_logits)
    model.compile(
        optimizer=keras.optimizers.Adam(recipe["learning_rate"]),
        loss=keras.losses.MeanSquaredError() if target == REGRESSION else of_classes,
        # JAX runs operation by operation unless it compiles
        jit_compile=keras.backend.backend() == "jax",
    )


def watchers(recipe: dict[str, Any]) -> list[Any]:
    """Keras's callbacks that lower the learning rate and end the training."""
    watched = {"monitor": f"val_{recipe['monitor']}", "mode": "max"}
    return [
        keras.callbacks.ReduceLROnPlateau(
            **watched,
            factor=recipe["rate_factor"],
            patience=recipe["rate_patience"],
            min_lr=recipe["rate_floor"],
        ),
        keras.callbacks.EarlyStopping(**watched, patience=recipe["stop_patience"]),
    ]


def not_finite(source: str, epoch: int) -> str:
    """The line that a network ends with whose predictions overflowed after an epoch."""
    return (
        f"{source}: predictions are not finite (NaN or infinity) after epoch {epoch}; bound the "
        "activations or lower the scale of the first layer"
    )


class _Validation(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
    """Scores the validation split once an epoch, in one batched pass."""

    def __init__(
        self,
        data: TrainingData,
        from_logits: bool,
        source: str,
        recipe: dict[str, Any],
        report: Reporter,
    ) -> None:
        super().__init__()
        self.history: list[dict[str, float]] = []
        self._data = data
        self._from_logits = from_logits
        self._source = source
        self._recipe = recipe
        self._report = report
        self._started = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        logs = {} if logs is None else logs
        output = self.model.predict(self._data.x_valid, batch_size=PREDICT_BATCH, verbose=0)
        # half precision is not numpy's
        output = np.asarray(output, dtype=np.float32)
        if not np.isfinite(output).all():
            raise SubmissionError(not_finite(self._source, epoch + 1))
        scores = validation_scores(
            self._data.y_valid, output, from_logits=self._from_logits, target=self._data.target
        )
        row = {
            "epoch": epoch + 1,
            "loss": float(logs["loss"]),
            **scores,
            "learning_rate": float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)),
            "seconds": time.perf_counter() - self._started,
        }
        logs.update(scores)
        self.history.append(row)
        self._report(
            "epoch",
            epoch=epoch + 1,
            of=self._recipe["max_epochs"],
            monitor=self._recipe["monitor"],
            value=scores[f"val_{self._recipe['monitor']}"],
            seconds=row["seconds"],
        )


def validation_scores(
    labels: Any, output: Any, *, from_logits: bool, target: str = CLASSES
) -> dict[str, float]:
    """How well one split is answered, pooled over classes: what a recipe's ``monitor`` names.

    Parameters
    ----------
    labels : ndarray (n, classes)
    output : ndarray (n, classes)
        Logits or probabilities; of a regression the values.
    from_logits : bool
    target : str
        As `contract.Task.target`.

    Returns
    -------
    dict
        Cross-entropy ``val_loss`` (nats), ``val_auroc``, ``val_aupr`` (trapezoid); the last two are
        0.5 and the prevalence where one label is missing from the split. Of a regression the mean
        squared error ``val_loss`` and ``val_pearson``, the correlation, 0 where one side is
        constant.
    """
    output = np.asarray(output, dtype=np.float64)
    if target == REGRESSION:
        return _regression_scores(np.asarray(labels, dtype=np.float64), output)
    if from_logits:
        loss = np.logaddexp(0.0, output) - labels * output
    else:
        clipped = np.clip(output, 1e-7, 1 - 1e-7)
        loss = -(labels * np.log(clipped) + (1 - labels) * np.log1p(-clipped))
    truth, score = labels.ravel(), output.ravel()
    if truth.min() == truth.max():
        auroc, aupr = 0.5, float(truth.mean())
    else:
        precision, recall, _ = precision_recall_curve(truth, score)
        auroc, aupr = float(roc_auc_score(truth, score)), float(auc(recall, precision))
    return {"val_loss": float(loss.mean()), "val_auroc": auroc, "val_aupr": aupr}


def _regression_scores(labels: Any, output: Any) -> dict[str, float]:
    varies = np.ptp(labels) > 0 and np.ptp(output) > 0
    truth, found = (each.ravel() - each.mean() for each in (labels, output))
    spread = np.sqrt(np.square(truth).sum() * np.square(found).sum())
    pearson = float(truth @ found / spread) if varies else 0.0
    return {"val_loss": float(np.square(labels - output).mean()), "val_pearson": pearson}
