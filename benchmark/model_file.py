"""What can be known of a submission without running it: its file is parsed, never imported."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import math
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

from motifidelity.backends import DEFAULT_BACKEND, known_backend
from motifidelity.entries import CLOSED, FLOOR_NETWORKS, OPEN, ORACLE, RANDOM, RIVALS
from motifidelity.errors import UserError, unknown
from motifidelity.files import LFS_POINTER, LFS_REMEDY, file_digest
from motifidelity.worker.limits import MAX_WEIGHTS_BYTES

# Python 3.11 counts the depth of a tree for all threads at once, and stumbles over two at a time
_PARSING = threading.Lock()
# how files of weights are named, and of which framework they are
_WEIGHTS = {".weights.h5": "keras", ".pt": "torch", ".pth": "torch"}
_NO_WEIGHTS = {
    ".keras": "a whole model, which brings its own code",
    ".h5": "a whole model by its name (weights end in .weights.h5)",
}
# by the endings of their names: what else people give as a model, and what to do with it
OTHER_KINDS = (
    (
        (".keras", ".h5", ".hdf5", ".pt", ".pth", ".ckpt", ".safetensors", ".pkl", ".onnx", ".pb"),
        "a saved network",
        ": give that with --model, and a network that is trained already with --weights",
    ),
    ((".ipynb",), "a notebook", ": copy the cells that build the network into one"),
)
METADATA = ("name", "authors", "url", "license", "backend")


@dataclass(frozen=True)
class Weights:
    """A file of weights that were trained elsewhere; here it is bytes, loaded in the sandbox alone.

    Attributes
    ----------
    path : Path
    digest : str
        SHA-256 of the file.
    size : int
        Bytes.
    """

    path: Path
    digest: str
    size: int


@dataclass(frozen=True)
class Submission:
    """A submission's file as text.

    Attributes
    ----------
    path : Path
    digest : str
        SHA-256 of the file; with given weights that of both digests.
    name : str
        ``MODEL["name"]``, or the file's stem.
    metadata : mapping
        ``authors``, ``url`` and ``license`` where the file gives them as literals.
    defaults : mapping
        Keyword parameters of ``build_model`` with their default values, where those are literals.
    names : tuple of str
        All its parameters; a default that is an expression is the file's own affair.
    open_parameters : bool
        Whether ``build_model`` takes ``**parameters``.
    own_fit : bool
        Whether the file brings its own training (the open division).
    backend : str
        What Keras runs on: ``MODEL["backend"]``, or ``tensorflow``.
    weights : Weights, optional
        What its network holds instead of being trained.
    """

    path: Path
    digest: str
    name: str
    metadata: Mapping[str, str]
    defaults: Mapping[str, Any] = field(repr=False)
    names: tuple[str, ...] = ()
    open_parameters: bool = False
    own_fit: bool = False
    backend: str = DEFAULT_BACKEND
    weights: Weights | None = None

    @property
    def division(self) -> str:
        """``closed`` (the task's recipe) or ``open`` (its own training, or given weights).

        What the file's text tells: a model whose class brings its own training is told as it runs.
        """
        return OPEN if self.own_fit or self.weights else CLOSED

    def parameters(self, assignments: tuple[str, ...]) -> dict[str, Any]:
        """Every parameter's value, the given ``name=value`` over the literal defaults.

        Raises
        ------
        UserError
            For a malformed assignment, an unknown name or a value of the wrong type.
        """
        values = dict(self.defaults)
        for assignment in assignments:
            name, equals, text = assignment.partition("=")
            if not equals or not name:
                raise UserError(f"--param {assignment}: write it as name=value")
            if name not in self.names and not self.open_parameters:
                raise unknown(f"parameter of {self.path.name}", name, self.names)
            values[name] = _convert(self.path.name, name, text, self.defaults.get(name))
        return values


def read_submission(path: Path) -> Submission:
    """Parse a submission's file.

    Raises
    ------
    UserError
        If the file is missing, is not Python, defines no ``build_model``, or calls itself by the
        name of a ceiling, floor or rival.
    """
    refuse_other_kind(path)
    try:
        source = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"model file {path}: {error.strerror}; give the path of a Python file, for example "
            "models/cnn_deep.py"
        ) from error
    if source.startswith(LFS_POINTER):
        raise UserError(f"{path.name}: {LFS_REMEDY}")
    try:
        with _PARSING:
            tree = ast.parse(source, filename=path.name)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        # the last two: an expression nested too deeply for the parser
        line = f":{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        text = error.msg if isinstance(error, SyntaxError) else str(error) or "nested too deeply"
        raise UserError(f"{path.name}{line}: not valid Python: {text}; mend that line") from error
    bound = _bindings(tree)
    if "build_model" not in bound:
        raise UserError(
            f"{path.name}: defines no build_model; add 'def build_model(task, *, ...)' that "
            "returns a keras.Model (models/cnn_deep.py is a template)"
        )
    metadata = _metadata(tree)
    digest = hashlib.sha256(source).hexdigest()
    name = metadata.pop("name", path.stem)
    _check_name(path, name, digest)
    function = bound["build_model"]
    names, defaults, open_parameters = (
        # made by an expression: what it takes is known when it is called
        ((), {}, True) if function is None else _parameters(function, path.name)
    )
    return Submission(
        path=path.resolve(),
        digest=digest,
        name=name,
        metadata=metadata,
        defaults=defaults,
        names=names,
        open_parameters=open_parameters,
        own_fit="fit" in bound,
        backend=known_backend(metadata.pop("backend", DEFAULT_BACKEND)),
    )


def refuse_other_kind(path: Path) -> None:
    """Refuse what is no model file by its name: a saved network, a notebook.

    Raises
    ------
    UserError
        That says what to give instead.
    """
    for suffixes, kind, remedy in OTHER_KINDS:
        if path.name.lower().endswith(suffixes):
            raise UserError(
                f"{path.name}: {kind}; a submission is a .py file that defines build_model(task, "
                f"...){remedy}"
            )


def _check_name(path: Path, name: str, digest: str) -> None:
    """Refuse the name of a ceiling, floor or rival: what is called so is no model on any page."""
    taken = {own.casefold() for own in (ORACLE, RANDOM, *RIVALS, *FLOOR_NETWORKS)}
    if " ".join(name.split()).casefold() not in taken:
        return
    ours = [file for file in resources.files("motifidelity.models").iterdir() if file.is_file()]
    if digest not in {hashlib.sha256(file.read_bytes()).hexdigest() for file in ours}:
        raise UserError(
            f"{path.name}: '{name}' is the name of a ceiling, floor or rival that models are "
            'read against; give yours another in MODEL["name"]'
        )


def declared_backend(path: Path) -> str:
    """The backend that a file asks for; the default of one that cannot be read."""
    try:
        return read_submission(path).backend
    except UserError:
        return DEFAULT_BACKEND


def on_backend(submission: Submission, backend: str | None) -> Submission:
    """The same submission on another backend; None leaves it on its own."""
    return submission if backend is None else replace(submission, backend=backend)


def with_weights(submission: Submission, path: Path | None) -> Submission:
    """The same submission with weights from a file; None leaves it to be trained.

    The file is digested and never loaded: what is in it only the worker looks at.

    Raises
    ------
    UserError
        For a name that is of no file of weights, or of another framework's, a file that cannot be
        read, and one that is too large.
    """
    if path is None:
        return submission
    kind = next((kind for end, kind in _WEIGHTS.items() if path.name.endswith(end)), None)
    if kind is None:
        told = next((text for end, text in _NO_WEIGHTS.items() if path.name.endswith(end)), "")
        raise UserError(
            f"--weights {path.name}: {told or 'no file of weights by its name'}; give "
            "my.weights.h5 (model.save_weights) or my.pt (torch.save of a state_dict)"
        )
    if kind == "torch" and submission.backend != "torch":
        raise UserError(
            f"--weights {path.name}: weights of PyTorch, and {submission.path.name} runs on "
            f"{submission.backend}; add --backend torch"
        )
    try:
        size = path.stat().st_size
        if size > MAX_WEIGHTS_BYTES:
            raise UserError(
                f"--weights {path.name}: {size >> 20} MiB; at most {MAX_WEIGHTS_BYTES >> 20} are "
                "allowed: save the weights alone, without the optimiser's state"
            )
        digest = file_digest(path)
    except OSError as error:
        raise UserError(f"--weights {path}: {error.strerror}; give a file that is there") from error
    both = hashlib.sha256(f"{submission.digest} {digest}".encode()).hexdigest()
    return replace(submission, digest=both, weights=Weights(path.resolve(), digest, size))


def _bindings(tree: ast.Module) -> dict[str, ast.FunctionDef | ast.Lambda | None]:
    """Names at the top of a file, with the function that each is; None for any other value."""
    bound: dict[str, ast.FunctionDef | ast.Lambda | None] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            bound[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            value = node.value
            function = bound.get(value.id) if isinstance(value, ast.Name) else None
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    bound[target.id] = value if isinstance(value, ast.Lambda) else function
    return bound


def _parameters(
    function: ast.FunctionDef | ast.Lambda, source: str
) -> tuple[tuple[str, ...], dict[str, Any], bool]:
    """Names of the parameters, values of the literal defaults, whether any name is taken."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    if not positional and arguments.vararg is None:
        raise UserError(f"{source}: build_model takes no task; write 'def build_model(task, ...)'")
    first_optional = len(positional) - len(arguments.defaults)
    required = positional[1:first_optional]
    # the first argument is the task, even where it has a default
    pairs = list(zip(positional[first_optional:], arguments.defaults, strict=True))
    pairs = [(a, d) for a, d in pairs if a is not positional[0]]
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is None:
            required.append(argument)
        else:
            pairs.append((argument, default))
    if required:
        raise UserError(
            f"{source}: parameter '{required[0].arg}' of build_model has no default; give it one"
        )
    literals = {}
    for argument, default in pairs:
        with contextlib.suppress(ValueError):
            literals[argument.arg] = _literal(default)
    return tuple(a.arg for a, _ in pairs), literals, arguments.kwarg is not None


def _literal(node: ast.expr) -> Any:
    """Value of a literal as JSON carries it (a tuple becomes a list).

    Raises
    ------
    ValueError
        For an expression, which only the worker may evaluate.
    """
    try:
        return json.loads(json.dumps(ast.literal_eval(node), allow_nan=False))
    except (TypeError, MemoryError, RecursionError) as error:
        raise ValueError("not a literal") from error


def _metadata(tree: ast.Module) -> dict[str, str]:
    """Literal strings of ``MODEL = {...}`` or ``MODEL = dict(...)``."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            target, value = node.target, node.value
        else:
            continue
        if isinstance(target, ast.Name) and target.id == "MODEL":
            return dict(_text_items(value))
    return {}


def _text_items(value: ast.expr) -> Iterator[tuple[str, str]]:
    """Known keys of a mapping written out, with the values that are literal strings."""
    pairs: list[tuple[object, ast.expr]] = []
    if isinstance(value, ast.Call):
        pairs = [(keyword.arg, keyword.value) for keyword in value.keywords]
    elif isinstance(value, ast.Dict):
        pairs = [
            (key.value, item)
            for key, item in zip(value.keys, value.values, strict=True)
            if isinstance(key, ast.Constant)
        ]
    for key, item in pairs:
        text = item.value if isinstance(item, ast.Constant) else None
        if isinstance(key, str) and key in METADATA and isinstance(text, str) and text:
            yield key, text


# how people are told the type of a parameter's default
TYPES = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: 'a list, such as [1, "a"]',
    dict: 'a mapping, such as {"a": 1}',
}


def _convert(source: str, name: str, text: str, default: Any) -> Any:
    """Value of ``text`` in the type of the parameter's default."""
    if isinstance(default, str):
        return text
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        # a number too large for a float is read as infinite
        json.dumps(value, allow_nan=False)
    except ValueError:
        value = {"True": True, "False": False, "None": None}.get(text, text)
    if isinstance(default, float) and type(value) is int:
        value = float(value)
    named = f"{source}: parameter '{name}'"
    if default is not None and type(value) is not type(default):
        raise UserError(
            f"{named} takes {TYPES.get(type(default), type(default).__name__)} (default "
            f"{default!r}), not '{text}'"
        )
    if isinstance(value, str) and _is_no_number(value):
        raise UserError(f"{named}: '{text}' is no finite number; give one")
    return value


def _is_no_number(text: str) -> bool:
    """Whether a text stands for NaN or an infinite number."""
    try:
        return not math.isfinite(float(text))
    except ValueError:
        return False


def _refuse_constant(name: str) -> Any:
    """JSON as Python reads it knows NaN and Infinity; no row can hold them."""
    raise ValueError(name)
