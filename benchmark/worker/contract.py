"""The contract of a submission: load its file, build its network, check what came back."""

from __future__ import annotations

import difflib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from .limits import MAX_FILTERS, MAX_GRAPH_BYTES
from .report import SubmissionError, blames_submission, line_in, said

CLASSES, REGRESSION = "multi-label", "regression"


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
    target : {"multi-label", "binary", "regression"}
        What an output is: the logit of a class, or, of a regression, the value itself.
    """

    name: str
    input_shape: tuple[int, int]
    num_outputs: int
    classes: tuple[str, ...]
    target: str = CLASSES


@dataclass(frozen=True)
class TrainingData:
    """What a submission's own ``fit`` is given.

    Attributes
    ----------
    x_train, x_valid : ndarray (n, length, 4) float32
        One-hot letters.
    y_train, y_valid : ndarray (n, classes) float32
        0 or 1; of a regression any number.
    seed : int
        Seed of the trial.
    target : str
        As `Task.target`.
    """

    x_train: Any
    y_train: Any
    x_valid: Any
    y_valid: Any
    seed: int
    target: str = CLASSES


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
        If it has no ``build_model``, or ends the process. What the file raises passes through.
    """
    spec = importlib.util.spec_from_file_location("submission", path)
    if spec is None or spec.loader is None:
        raise SubmissionError(f"{path.name}: not a Python file; name it *.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["submission"] = module
    with blames_submission(path, "at import"):
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


def own_training(
    module: ModuleType, source: str, model: Any, data: TrainingData, task: Task
) -> Any:
    """Train by a submission's own ``fit``.

    Returns
    -------
    keras.Model
        The network that ``fit`` returned, or the one that it was given.

    Raises
    ------
    SubmissionError
        If the returned network is not one of the task's shapes.
    """
    path = _path(module, source)
    with blames_submission(path, "in fit"):
        found = module.fit(own_network(model), data)
        if found is own_network(model) or not _is_network(found):
            return model
        return _checked(found, path, task, "fit")


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
    path = _path(module, source)
    with blames_submission(path, "in build_model"):
        return _checked(module.build_model(task, **params), path, task, "build_model")


def _checked(model: Any, path: Path, task: Task, by: str) -> Any:
    """A network, wrapped if it is PyTorch's, whose input and output are the task's."""
    import keras

    source = path.name
    if not isinstance(model, keras.Model):
        model = _wrapped(model, source)
    _refuse_other_input(model, source, task)
    output = _output(model, path, task)
    shape = getattr(output, "shape", None)
    if shape is None:
        raise SubmissionError(
            f"{source}: the model returns {type(output).__name__}; return one tensor of logits"
        )
    if tuple(shape) != (2, task.num_outputs):
        found = ", ".join(str(n) for n in ("None", *tuple(shape)[1:]))
        raise SubmissionError(
            f"{source}: {by} returned shape ({found}); task {task.name} needs "
            f"{task.num_outputs} output{'s' if task.num_outputs != 1 else ''}, shape "
            f"(None, {task.num_outputs})"
        )
    return model


def _path(module: ModuleType, source: str) -> Path:
    """File that a submission was loaded from."""
    return Path(getattr(module, "__file__", None) or source)


def _is_network(found: Any) -> bool:
    import keras

    torch = sys.modules.get("torch")
    return isinstance(found, keras.Model) or (
        torch is not None and isinstance(found, torch.nn.Module)
    )


def _refuse_other_input(model: Any, source: str, task: Task) -> None:
    """Refuse a length or a number of channels that is written down and is not the task's.

    Under a global pooling Keras would take other sequences without a word.
    """
    try:
        declared = list(model.inputs or ())
    except (AttributeError, ValueError):
        # a subclassed model, or one that is not built yet: it declares nothing
        return
    for tensor in declared[:1]:
        shape = tuple(tensor.shape)[1:]
        if any(n not in (None, m) for n, m in zip(shape, task.input_shape, strict=False)):
            raise SubmissionError(
                f"{source}: the network does not take sequences of shape {task.input_shape}: its "
                f"input is {shape}; begin with keras.Input(task.input_shape)"
            )


def _output(model: Any, path: Path, task: Task) -> Any:
    """What the network answers to two blank sequences.

    Raises
    ------
    SubmissionError
        If Keras refuses them. What the submission's own code raises passes through.
    """
    try:
        return model(np.zeros((2, *task.input_shape), dtype=np.float32), training=False)
    except Exception as error:
        if line_in(error, path):
            raise
        reason = said(error)
        remedy = (
            "use data_format='channels_last': not every processor has the other order"
            if "NHWC" in reason
            else "begin with keras.Input(task.input_shape)"
        )
        raise SubmissionError(
            f"{path.name}: the network does not take sequences of shape {task.input_shape}: "
            f"{reason}; {remedy}"
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


def check_frozen(frozen: Any, source: str, task: Task) -> None:
    """Refuse before training what would be refused after it, or could never learn.

    Parameters
    ----------
    frozen : Frozen
        As `frozen.freeze.freeze` returns it.
    source : str
    task : Task

    Raises
    ------
    SubmissionError
        For more filters or a larger graph than the host takes, for a softmax over one output, and
        for a sigmoid or a softmax at the end where the target is a regression's.
    """
    scan = frozen.manifest.scan
    if scan is not None and scan.filters > MAX_FILTERS:
        raise SubmissionError(
            f"{source}: its scan has {scan.filters:,} filters; at most {MAX_FILTERS:,} are scored: "
            "use fewer, or name another layer with motif_layer"
        )
    size = frozen.graph_def.ByteSize()
    if size > MAX_GRAPH_BYTES:
        raise SubmissionError(
            f"{source}: the frozen network has {size >> 20} MiB; at most {MAX_GRAPH_BYTES >> 20} "
            "MiB are allowed: use a smaller network"
        )
    nodes = {node.name: node for node in frozen.graph_def.node}
    last = nodes[frozen.manifest.logits.partition(":")[0]]
    while last.op in ("Identity", "Cast"):
        last = nodes[last.input[0].partition(":")[0]]
    bounded = "sigmoid" if frozen.manifest.has_sigmoid else last.op.lower()
    if task.target == REGRESSION and bounded in ("sigmoid", "softmax"):
        raise SubmissionError(
            f"{source}: the network ends in a {bounded}, and {task.name} asks for any number (a "
            "regression); end in a linear layer: layers.Dense(task.num_outputs)"
        )
    if last.op == "Softmax" and task.num_outputs == 1:
        raise SubmissionError(
            f"{source}: a softmax over one output is 1 for every sequence; return the logit, or "
            "end in a sigmoid"
        )


def own_network(model: Any) -> Any:
    """What the submission itself built: the module inside a wrapper, or the model."""
    return getattr(model, "submitted", model)


def named_motif_layer(module: ModuleType, source: str, model: Any) -> Any | None:
    """Layer that the submission names as its filter scan, if it names one.

    Raises
    ------
    SubmissionError
        If ``motif_layer`` returned neither a layer nor the name of one.
    """
    choose: Callable[[Any], Any] | None = getattr(module, "motif_layer", None)
    if choose is None:
        return None
    network = own_network(model)
    with blames_submission(_path(module, source), "in motif_layer"):
        layer = choose(network)
    if isinstance(layer, str):
        found = dict(reversed(list(_named_layers(network))))
        if layer in found:
            return found[layer]
        names = list(found)
        near = difflib.get_close_matches(layer, names, 3) or names[:8]
        raise SubmissionError(
            f"{source}: motif_layer returned '{layer}', and no layer has that name; name one of "
            f"the network's, such as {', '.join(near)}"
        )
    if layer is not None and not callable(layer):
        raise SubmissionError(
            f"{source}: motif_layer returned {type(layer).__name__}; return a layer, its name, "
            "or None"
        )
    return layer


def _named_layers(network: Any) -> Iterator[tuple[str, Any]]:
    """Every layer with its name, those of the network itself before those inside others."""
    import keras

    if not isinstance(network, keras.Model):
        yield from ((name, module) for name, module in network.named_modules() if name)
        return
    inner = list(network.layers)
    yield from ((layer.name, layer) for layer in inner)
    for layer in inner:
        if isinstance(layer, keras.Model):
            yield from _named_layers(layer)
