"""Weights that were trained elsewhere, put into the network that a submission builds.

A file of weights is data of a stranger: it is read here, in the sandbox, and never unpickled.
Keras takes a file that holds more than the network, or that lacks a layer's arrays, in silence or
with many lines; so names and shapes are compared with what the network itself would write.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..contract import own_network
from ..report import SubmissionError, said

Shapes = Mapping[str, tuple[int, ...]]
SAVE = "save them with model.save_weights('my.weights.h5')"
SAVE_TORCH = "save them with torch.save(module.state_dict(), 'my.pt')"


def take_weights(model: Any, path: Path, source: str) -> None:
    """Put the weights of a file into a network.

    Parameters
    ----------
    model : keras.Model
        As `contract.build` returns it.
    path : Path
        ``*.weights.h5`` of Keras, or a ``state_dict`` of PyTorch.
    source : str
        File name of the submission, for messages.

    Raises
    ------
    SubmissionError
        If it is no such file, or the weights of another network.
    """
    network = own_network(model)
    take = _from_keras if network is model else _from_torch
    if (path.suffix == ".h5") != (network is model):
        kind, remedy = ("Keras's", SAVE) if network is model else ("PyTorch's", SAVE_TORCH)
        raise SubmissionError(f"{path.name}: the network of {source} is {kind}; {remedy}")
    take(network, path, source)


def _from_keras(model: Any, path: Path, source: str) -> None:
    import h5py

    try:
        with h5py.File(path) as file:
            whole = "model_weights" in file or "model_config" in file.attrs
            given = _datasets(file)
    except Exception as error:
        raise SubmissionError(
            f"{path.name}: no HDF5 file, or a damaged one ({said(error)[:100]}); {SAVE}"
        ) from error
    if whole:
        raise SubmissionError(f"{path.name}: a whole model and not its weights alone; {SAVE}")
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / "own.weights.h5"
        model.save_weights(own)
        with h5py.File(own) as file:
            expected = _datasets(file)
    _compare(given, expected, path.name, source)
    try:
        model.load_weights(path)
    except Exception as error:
        raise SubmissionError(
            f"{path.name}: Keras cannot load it: {said(error)}; {SAVE}"
        ) from error


def _datasets(file: Any) -> dict[str, tuple[int, ...]]:
    """Shapes of the network's arrays by name; what is linked from other files is left out."""
    import h5py

    found: dict[str, tuple[int, ...]] = {}

    def note(name: str, item: Any) -> None:
        # a model that was compiled also saves what only training needs
        if isinstance(item, h5py.Dataset) and not name.startswith(("optimizer", "_")):
            found[name] = tuple(item.shape)

    file.visititems(note)
    return found


def _from_torch(module: Any, path: Path, source: str) -> None:
    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise SubmissionError(
            f"{path.name}: no state_dict: it is damaged, or a pickle of other things than tensors, "
            f"which is not loaded ({type(error).__name__}); {SAVE_TORCH}"
        ) from error
    tensors = isinstance(state, Mapping) and all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in state.items()
    )
    if not tensors:
        inside = f" with {', '.join(map(repr, list(state)[:3]))}" if isinstance(state, dict) else ""
        raise SubmissionError(
            f"{path.name}: no state_dict but a {type(state).__name__}{inside}; {SAVE_TORCH}"
        )
    expected = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    _compare({n: tuple(v.shape) for n, v in state.items()}, expected, path.name, source)
    try:
        module.load_state_dict(state)
    except Exception as error:
        raise SubmissionError(
            f"{path.name}: PyTorch cannot load it: {said(error)}; {SAVE_TORCH}"
        ) from error


def _compare(given: Shapes, expected: Shapes, name: str, source: str) -> None:
    """Refuse names that are missing or too many, and shapes that differ."""
    missing = [key for key in expected if key not in given]
    if missing:
        raise SubmissionError(
            f"{name}: lacks {_first(missing, len(expected))} of the network of {source}; give the "
            "weights of this network, built with the same parameters (--param)"
        )
    surplus = [key for key in given if key not in expected]
    if surplus:
        raise SubmissionError(
            f"{name}: holds {_first(surplus, len(given))} that the network of {source} does not "
            "have; give the weights of this network, built with the same parameters (--param)"
        )
    for key, shape in expected.items():
        if given[key] != shape:
            raise SubmissionError(
                f"{name}: {key} has shape {given[key]}, and {shape} in the network of {source}; "
                "build it with the parameters that it was trained with (--param)"
            )


def _first(names: list[str], of: int) -> str:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"'{names[0]}'{more} (of {of} arrays)"
