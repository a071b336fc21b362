"""What can be known of a submission without running it: its file is parsed, never imported."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from motifidelity.errors import UserError, unknown

METADATA = ("name", "authors", "url", "license")


@dataclass(frozen=True)
class Submission:
    """A submission's file as text.

    Attributes
    ----------
    path : Path
    digest : str
        SHA-256 of the file.
    name : str
        ``MODEL["name"]``, or the file's stem.
    metadata : mapping
        ``authors``, ``url`` and ``license`` where the file gives them as literals.
    defaults : mapping
        Keyword parameters of ``build_model`` with their default values.
    open_parameters : bool
        Whether ``build_model`` takes ``**parameters``.
    own_fit : bool
        Whether the file brings its own training (the open division).
    """

    path: Path
    digest: str
    name: str
    metadata: Mapping[str, str]
    defaults: Mapping[str, Any] = field(repr=False)
    open_parameters: bool = False
    own_fit: bool = False

    @property
    def division(self) -> str:
        """``closed`` (the task's recipe) or ``open`` (its own training)."""
        return "open" if self.own_fit else "closed"

    def parameters(self, assignments: tuple[str, ...]) -> dict[str, Any]:
        """Every parameter's value, the given ``name=value`` over the defaults.

        Raises
        ------
        UserError
            For a malformed assignment, an unknown name or a value of the wrong type.
        """
        values = dict(self.defaults)
        for assignment in assignments:
            name, equals, text = assignment.partition("=")
            if not equals:
                raise UserError(f"--param {assignment}: write it as name=value")
            if name not in self.defaults and not self.open_parameters:
                raise unknown(f"parameter of {self.path.name}", name, self.defaults)
            values[name] = _convert(self.path.name, name, text, self.defaults.get(name))
        return values


def read_submission(path: Path) -> Submission:
    """Parse a submission's file.

    Raises
    ------
    UserError
        If the file is missing, is not Python, or defines no ``build_model``.
    """
    try:
        source = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"model file {path}: {error.strerror}; give the path of a Python file, for example "
            "models/cnn_deep.py"
        ) from error
    try:
        tree = ast.parse(source, filename=path.name)
    except (SyntaxError, ValueError) as error:
        line = f":{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        text = error.msg if isinstance(error, SyntaxError) else str(error)
        raise UserError(f"{path.name}{line}: not valid Python: {text}; mend that line") from error
    functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    if "build_model" not in functions:
        raise UserError(
            f"{path.name}: defines no build_model; add 'def build_model(task, *, ...)' that "
            "returns a keras.Model (models/cnn_deep.py is a template)"
        )
    metadata = _metadata(tree)
    defaults, open_parameters = _parameters(functions["build_model"], path.name)
    return Submission(
        path=path.resolve(),
        digest=hashlib.sha256(source).hexdigest(),
        name=metadata.pop("name", path.stem),
        metadata=metadata,
        defaults=defaults,
        open_parameters=open_parameters,
        own_fit="fit" in functions,
    )


def _parameters(function: ast.FunctionDef, source: str) -> tuple[dict[str, Any], bool]:
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    if not positional and arguments.vararg is None:
        raise UserError(f"{source}: build_model takes no task; write 'def build_model(task, ...)'")
    optional = positional[len(positional) - len(arguments.defaults) :]
    pairs = list(zip(optional, arguments.defaults, strict=True))
    required = positional[1 : len(positional) - len(arguments.defaults)]
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is None:
            required.append(argument)
        else:
            pairs.append((argument, default))
    if required:
        raise UserError(
            f"{source}: parameter '{required[0].arg}' of build_model has no default; give it one"
        )
    return {a.arg: _literal(d) for a, d in pairs}, arguments.kwarg is not None


def _literal(node: ast.expr) -> Any:
    """Value of a literal; None for an expression, which only the worker may evaluate."""
    try:
        value = ast.literal_eval(node)
        json.dumps(value)
    except (ValueError, TypeError):
        return None
    return value


def _metadata(tree: ast.Module) -> dict[str, str]:
    """Literal strings of ``MODEL = {...}`` or ``MODEL = dict(...)``."""
    for node in tree.body:
        if not (isinstance(node, ast.Assign) and len(node.targets) == 1):
            continue
        target, value = node.targets[0], node.value
        if not (isinstance(target, ast.Name) and target.id == "MODEL"):
            continue
        if isinstance(value, ast.Call):
            pairs = {k.arg: _literal(k.value) for k in value.keywords if k.arg}
        elif isinstance(value, ast.Dict):
            pairs = {
                _literal(k): _literal(v) for k, v in zip(value.keys, value.values, strict=True) if k
            }
        else:
            return {}
        return {k: v for k, v in pairs.items() if k in METADATA and isinstance(v, str) and v}
    return {}


def _convert(source: str, name: str, text: str, default: Any) -> Any:
    """Value of ``text`` in the type of the parameter's default."""
    if isinstance(default, str):
        return text
    try:
        value = json.loads(text)
    except ValueError:
        value = {"True": True, "False": False, "None": None}.get(text, text)
    if isinstance(default, float) and type(value) is int:
        value = float(value)
    if default is not None and type(value) is not type(default):
        raise UserError(
            f"{source}: parameter '{name}' is a {type(default).__name__} (default {default!r}); "
            f"'{text}' is not"
        )
    return value
