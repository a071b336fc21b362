"""What of a network's training is its own class's and not Keras's.

A model's class may bring its own ``fit`` or ``train_step``: then the recipe sets in motion what it
does not know, and the row belongs to the open division. This is read in the submission's own
process, so it tells an honest author; who wants to hide it can.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TRAINING = (
    "fit",
    "compile",
    "train_step",
    "train_on_batch",
    "make_train_function",
    "compute_loss",
    "stateless_compute_loss",
    "compute_loss_and_updates",
)
"""The methods of a model through which the recipe trains it, on any backend."""


def keras_training() -> Mapping[str, frozenset[int]]:
    """Which functions train Keras's own models; asked before a submission is loaded.

    Returns
    -------
    mapping of str to frozenset of int
        By name of a method, the identities of the functions that Keras's classes have for it.
    """
    import keras

    classes = {*keras.Sequential.__mro__, *keras.Model.__mro__}
    return {
        name: frozenset(id(vars(c)[name]) for c in classes if name in vars(c)) for name in TRAINING
    }


def own_methods(model: Any, known: Mapping[str, frozenset[int]]) -> list[str]:
    """Which methods of its training a model brings itself.

    Parameters
    ----------
    model : keras.Model
        Built.
    known : mapping
        As `keras_training` gave it: what was put into Keras's classes since then is not Keras's.

    Returns
    -------
    list of str
        Names, in the order of `TRAINING`.
    """
    return [
        name
        for name in TRAINING
        if name in vars(model) or id(_found(type(model), name)) not in known[name] | {id(None)}
    ]


def _found(kind: type, name: str) -> Any:
    """What stands under a name in a class or the first of its bases; None where nothing does."""
    return next((vars(c)[name] for c in kind.__mro__ if name in vars(c)), None)
