"""The contract of a submission: load its file, build its network, check what came back."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from .report import SubmissionError, line_in


@dataclass(frozen=True)
class Task:
    """What a submission is told about its task.

    Attributes
    ----------
    name : str
        ``motif-classes``, for example.
    input_shape : tuple of int
        ``(length, 4)``: one-hot letters A C G T.
    num_outputs : int
        Logits that ``build_model`` returns.
    classes : tuple of str
        Names of the outputs.
    """

    name: str
    input_shape: tuple[int, int]
    num_outputs: int
    classes: tuple[str, ...]


@dataclass(frozen=True)
class TrainingData:
    """What a submission's own ``fit`` is given.

    Attributes
    ----------
    x_train, x_valid : ndarray (n, length, 4) float32
        One-hot letters.
    y_train, y_valid : ndarray (n, classes) float32
    seed : int
        Seed of the trial.
    """

    x_train: Any
    y_train: Any
    x_valid: Any
    y_valid: Any
    seed: int


def one_hot(
    sequences: np.ndarray[Any, np.dtype[np.uint8]],
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """One-hot letters (n, length, 4) float32 of codes (n, length) uint8, A=0 C=1 G=2 T=3."""
    letters: np.ndarray[Any, np.dtype[np.float32]] = np.eye(4, dtype=np.float32)[sequences]
    return letters


def load_submission(path: Path) -> ModuleType:
    """Run a submission's file and return its module.

    Raises
    ------
    SubmissionError
        If it has no ``build_model``. Whatever the file itself raises passes through.
    """
    spec = importlib.util.spec_from_file_location("submission", path)
    if spec is None or spec.loader is None:
        raise SubmissionError(f"{path.name}: not a Python file; name it *.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["submission"] = module
    spec.loader.exec_module(module)
    if not callable(getattr(module, "build_model", None)):
        raise SubmissionError(
            f"{path.name}: defines no build_model; add 'def build_model(task, *, ...)' "
            "that returns a keras.Model"
        )
    return module


def check_training(module: ModuleType, source: str, *, own_fit: bool) -> None:
    """Make sure that a submission trains as its file says to who only reads it.

    Parameters
    ----------
    module : module
    source : str
        File name of the submission, for messages.
    own_fit : bool
        Whether a function ``fit`` was read in the file: its row then stands in the open division.

    Raises
    ------
    SubmissionError
        If the module has a ``fit`` that nobody could read there, or none that was.
    """
    found = getattr(module, "fit", None)
    if found is not None and not own_fit:
        raise SubmissionError(
            f"{source}: the name 'fit' is there and no function of the file; write your own "
            "training as 'def fit(model, data):' at the top level, or call what it is otherwise"
        )
    if own_fit and not callable(found):
        raise SubmissionError(f"{source}: 'def fit' is there and its name is something else")


def build(module: ModuleType, source: str, task: Task, params: dict[str, Any]) -> Any:
    """Build the network and check its input and output.

    A PyTorch module is wrapped, so that it is trained like every other network.

    Returns
    -------
    keras.Model
        Built, with weights.

    Raises
    ------
    SubmissionError
        If what came back is not a Keras model of the task's shapes.
    """
    import keras

    model = module.build_model(task, **params)
    if not isinstance(model, keras.Model):
        model = _wrapped(model, source)
    output = _output(model, source, task)
    shape = getattr(output, "shape", None)
    if shape is None:
        raise SubmissionError(
            f"{source}: the model returns {type(output).__name__}; return one tensor of logits"
        )
    if tuple(shape) != (2, task.num_outputs):
        found = ", ".join(str(n) for n in ("None", *tuple(shape)[1:]))
        raise SubmissionError(
            f"{source}: build_model returned shape ({found}); task {task.name} needs "
            f"{task.num_outputs} output{'s' if task.num_outputs != 1 else ''}, shape "
            f"(None, {task.num_outputs})"
        )
    return model


def _output(model: Any, source: str, task: Task) -> Any:
    """What the network answers to two blank sequences.

    Raises
    ------
    SubmissionError
        If Keras refuses them. What the submission's own code raises passes through.
    """
    try:
        return model(np.zeros((2, *task.input_shape), dtype=np.float32), training=False)
    except Exception as error:
        if line_in(error, source):
            raise
        reason = " ".join(str(error).split())[:500]
        raise SubmissionError(
            f"{source}: the network does not take sequences of shape {task.input_shape}: {reason}; "
            "begin with keras.Input(task.input_shape)"
        ) from error


def _wrapped(model: Any, source: str) -> Any:
    """A PyTorch module as a Keras model.

    Raises
    ------
    SubmissionError
        If it is no module, or Keras runs on another backend.
    """
    import keras

    torch = sys.modules.get("torch")
    if torch is None or not isinstance(model, torch.nn.Module):
        raise SubmissionError(
            f"{source}: build_model returned {type(model).__name__}; return a keras.Model, or a "
            "torch.nn.Module with --backend torch"
        )
    if keras.backend.backend() != "torch":
        raise SubmissionError(
            f"{source}: build_model returned a torch.nn.Module, and Keras runs on "
            f"{keras.backend.backend()}; add --backend torch, or MODEL = dict(backend='torch')"
        )
    from .frozen.backends.module import ModuleModel

    return ModuleModel(model)


def own_network(model: Any) -> Any:
    """What the submission itself built: the module inside a wrapper, or the model."""
    return getattr(model, "submitted", model)


def named_motif_layer(module: ModuleType, source: str, model: Any) -> Any | None:
    """Layer that the submission names as its filter scan, if it names one."""
    choose: Callable[[Any], Any] | None = getattr(module, "motif_layer", None)
    if choose is None:
        return None
    network = own_network(model)
    layer = choose(network)
    if isinstance(layer, str):
        find = getattr(network, "get_layer", None) or network.get_submodule
        return find(layer)
    if layer is not None and not callable(layer):
        raise SubmissionError(
            f"{source}: motif_layer returned {type(layer).__name__}; return a layer, its name, "
            "or None"
        )
    return layer
