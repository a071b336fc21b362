"""What a submission's text shows without running it, each finding with its line."""

from __future__ import annotations

import ast
import functools
import re
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata, resources
from pathlib import Path

from motifidelity.errors import UserError
from motifidelity.model_file import METADATA, Submission
from motifidelity.submitting.findings import Finding, problems
from motifidelity.tasks.spec import TaskSpec
from motifidelity.untrusted import quoted
from motifidelity.worker.limits import FILE_NAME, MAX_MODEL_BYTES, MAX_NAME, MAX_TEXT

_NAME_SIGNS = frozenset(" ._-+()/,:'")
# a call of these gives another number in every process, whatever the seed
_UNSEEDED = {
    "os.urandom",
    "time.time",
    "time.time_ns",
    "time.perf_counter",
    "uuid.uuid4",
    "random.SystemRandom",
    "secrets.randbits",
    "secrets.token_bytes",
}
# a file that imports one of these may build a Keras model
_KERAS = {"keras", "tensorflow", "keras_core"}
_UNSEEDED_WITHOUT_ARGUMENT = {"default_rng", "RandomState"}


def name_problem(name: str) -> str | None:
    """What is wrong with the name of a model, or None: it is shown on pages and in tables."""
    if not name or len(name) > MAX_NAME:
        return f"has {len(name)} characters; 1 to {MAX_NAME} are allowed"
    if bad := sorted({c for c in name if not (c.isalnum() or c in _NAME_SIGNS)}):
        return f"holds {''.join(bad)[:20]!a}; letters, digits and ._-+()/,:' are allowed"
    return "begins or ends with a space" if name != name.strip() else None


def text_problem(text: str) -> str | None:
    """What is wrong with authors, a licence or an address, or None."""
    if not text.strip() or len(text) > MAX_TEXT:
        return f"has {len(text)} characters; 1 to {MAX_TEXT} are allowed"
    if not text.isprintable():
        return "holds control characters"
    return "holds markup (< or >)" if "<" in text or ">" in text else None


class Source:
    """A submission's file as a tree, to find lines in.

    Parameters
    ----------
    submission : Submission
        Of a file that parses.
    """

    def __init__(self, submission: Submission) -> None:
        self._submission = submission
        self.name = submission.path.name
        self._tree = ast.parse(submission.path.read_bytes())

    def line_of(self, function: str, *, last_return: bool = False) -> str:
        """``file:line`` of a function, or of its last return; the file alone without it."""
        for node in self._tree.body:
            value = node.value if isinstance(node, ast.Assign) else None
            named = isinstance(node, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id == function for target in node.targets
            )
            if named and isinstance(value, ast.Name) and value.id != function:
                return self.line_of(value.id, last_return=last_return)
            if isinstance(node, ast.FunctionDef) and node.name == function:
                returns = [n.lineno for n in ast.walk(node) if isinstance(n, ast.Return)]
                line = max(returns) if last_return and returns else node.lineno
                return f"{self.name}:{line}"
        return self.name

    def in_function(self, where: str) -> bool:
        """Whether ``file:line`` stands in a function: it does not run when the file is imported."""
        line = int(where.rpartition(":")[2] or 0) if ":" in where else 0
        functions = (n for n in ast.walk(self._tree) if isinstance(n, ast.FunctionDef))
        return any(f.body[0].lineno <= line <= (f.end_lineno or 0) for f in functions)

    def line_of_assignment(self, name: str) -> str:
        """``file:line`` where a name is set at the top of the file; the file alone without it."""
        for node in self._tree.body:
            targets = node.targets if isinstance(node, ast.Assign) else []
            if isinstance(node, ast.AnnAssign):
                targets = [node.target]
            if any(isinstance(t, ast.Name) and t.id == name for t in targets):
                return f"{self.name}:{node.lineno}"
        return self.name

    def unseeded_calls(self) -> list[str]:
        """``file:line`` of calls whose result no seed decides."""
        found = []
        for node in ast.walk(self._tree):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            last = called.rpartition(".")[2]
            bare = not node.args and not node.keywords and last in _UNSEEDED_WITHOUT_ARGUMENT
            if called in _UNSEEDED or bare:
                found.append(f"{self.name}:{node.lineno}")
        return found

    def findings(self) -> Iterator[Finding]:
        """Size, name, authors, licence, parameters and imports of the file."""
        size = self._submission.path.stat().st_size
        if size > MAX_MODEL_BYTES:
            yield Finding(
                "file",
                "problem",
                f"{size:,} bytes; at most {MAX_MODEL_BYTES:,} are allowed",
                "keep weights and data out of the file: a network is trained by the suite",
                self.name,
            )
        elif not FILE_NAME.fullmatch(self.name):
            yield Finding(
                "file",
                "problem",
                f"name {quoted(self.name, 100)}",
                "rename it: letters, digits, spaces, _ - . and the ending .py, at most 79 signs",
                self.name,
            )
        else:
            yield Finding("file", "ok", f"{size:,} bytes, valid Python", where=self.name)
        yield from self._words()
        yield self._parameters()
        yield from self._imports()

    def other_input(self, spec: TaskSpec) -> Finding | None:
        """A problem where every input that the file writes out is of other sequences."""
        written: list[tuple[tuple[object, ...], int]] = []
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Call) and _last_name(node.func) in ("Input", "InputLayer"):
                shape = _written_shape(node)
                if shape is None:
                    # taken from the task, or made by something that only runs in the worker
                    return None
                written.append((shape, node.lineno))
        task = (spec.length, 4)
        others = [w for w in written if any(n not in (None, m) for n, m in zip(w[0], task))]  # noqa: B905
        if not written or len(others) < len(written):
            return None
        shape, line = others[0]
        return Finding(
            "contract",
            "problem",
            f"the network does not take sequences of shape {task}: its input is {shape}",
            "begin with keras.Input(task.input_shape)",
            f"{self.name}:{line}",
            spec.id,
        )

    def other_backend(self) -> Finding | None:
        """A problem where the file knows PyTorch alone and would run on another backend."""
        lines = dict(reversed(list(self._imported())))
        backend = self._submission.backend
        if backend == "torch" or "torch" not in lines or lines.keys() & _KERAS:
            return None
        return Finding(
            "contract",
            "problem",
            f"imports torch and no keras, and would run on {backend}",
            "add MODEL = dict(backend='torch') to the file, or --backend torch",
            f"{self.name}:{lines['torch']}",
        )

    def _words(self) -> Iterator[Finding]:
        submission, where = self._submission, self.line_of_assignment("MODEL")
        words = {"name": submission.name, **submission.metadata}
        good = True
        for key in METADATA:
            if key not in words:
                continue
            problem = name_problem(words[key]) if key == "name" else text_problem(words[key])
            if problem:
                good = False
                yield Finding(
                    "metadata", "problem", f"{key} {problem}", f"change MODEL['{key}']", where
                )
        if missing := [key for key in ("authors", "license") if key not in words]:
            good = False
            yield Finding(
                "metadata",
                "warning",
                f"no {' and no '.join(missing)}",
                "add MODEL = dict(name=..., authors=..., license=...) before 'bench submit'",
                where,
            )
        if good:
            text = f"{words['name']}, {words['authors']}, {words['license']}"
            yield Finding("metadata", "ok", text, where=where)

    def _parameters(self) -> Finding:
        submission = self._submission
        values = [
            f"{name}={submission.defaults[name]!r}" if name in submission.defaults else name
            for name in submission.names
        ]
        text = ", ".join(values) or "none"
        return Finding("parameters", "ok", text, where=self.line_of("build_model"))

    def _imports(self) -> Iterator[Finding]:
        absent = []
        for name, line in self._imported():
            if not _in_image(name, self._submission.backend):
                absent.append(name)
                yield Finding(
                    "imports",
                    "problem",
                    f"imports {name}, which the worker image does not have",
                    "use Python, keras, tensorflow, numpy, scipy or scikit-learn alone; what is "
                    "written in JAX or PyTorch needs MODEL = dict(backend='jax'), or 'torch'",
                    f"{self.name}:{line}",
                )
        if not absent:
            names = ", ".join(sorted({name for name, _ in self._imported()})) or "none"
            yield Finding("imports", "ok", names, where=self.name)

    def _imported(self) -> Iterator[tuple[str, int]]:
        optional = {
            inner
            for node in ast.walk(self._tree)
            if isinstance(node, ast.Try) and any(map(_catches_import, node.handlers))
            for statement in node.body
            for inner in ast.walk(statement)
        }
        for node in ast.walk(self._tree):
            if node in optional:
                continue
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.name.partition(".")[0], node.lineno
            elif isinstance(node, ast.ImportFrom):
                yield (node.module or "").partition(".")[0] or ".", node.lineno


def refuse_unfit(submission: Submission, specs: Iterable[TaskSpec]) -> None:
    """Refuse before a run what ``bench check`` would, as far as the file's text shows it.

    Imports are left out: another machine's packages are not the image's.

    Raises
    ------
    UserError
        For the first problem of name, size, metadata, backend or input.
    """
    source = Source(submission)
    found = [finding for finding in source.findings() if finding.check != "imports"]
    found += [finding] if (finding := source.other_backend()) else []
    inputs = [finding for spec in specs if (finding := source.other_input(spec))]
    for problem in (*problems(found), *inputs):
        task = f" ({problem.task})" if problem.task else ""
        raise UserError(f"{problem.where}: {problem.text}{task}; {problem.remedy}")


def _last_name(function: ast.expr) -> str:
    return ast.unparse(function).rpartition(".")[2]


def _written_shape(call: ast.Call) -> tuple[object, ...] | None:
    """The literal shape of one sequence that a call names, or None."""
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    for name, first in (("shape", 0), ("input_shape", 0), ("batch_shape", 1)):
        node = given.get(name) or (call.args[0] if call.args and not first else None)
        if node is None:
            continue
        try:
            shape = ast.literal_eval(node)
        except (ValueError, TypeError, MemoryError, RecursionError):
            return None
        if isinstance(shape, tuple | list) and len(shape) > first + 1:
            return tuple(shape[first:])
    return None


def _catches_import(handler: ast.ExceptHandler) -> bool:
    """Whether a handler goes on where a package is missing."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
    return any(kind is None or _last_name(kind) in names for kind in kinds)


# the requirements of the image that a backend runs in
LOCKS = {
    "tensorflow": "requirements-cpu.lock",
    "jax": "requirements-cpu-jax.lock",
    "torch": "requirements-gpu-torch.lock",
}


def _in_image(module: str, backend: str) -> bool:
    """Whether a module comes with Python or is of a package that the image's lock file names."""
    if module in sys.stdlib_module_names:
        return True
    lock = resources.files("motifidelity.containers") / LOCKS[backend]
    locked = {
        _plain(line.partition("==")[0])
        for line in lock.read_text(encoding="utf-8").splitlines()
        if "==" in line and not line.startswith((" ", "#"))
    }
    # the locked CPU build of TensorFlow is another distribution than the one installed here
    locked |= {name.removesuffix("-cpu") for name in locked}
    owners = _distributions().get(module, [module])
    return any(_plain(owner) in locked for owner in owners)


# it reads the files of every installed package
_distributions = functools.cache(metadata.packages_distributions)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def file_line(message: str, name: str, traceback: str = "") -> str:
    """``file:line`` that a worker's message or traceback names, or an empty text.

    Parameters
    ----------
    message, traceback : str
    name : str
        File name of the submission.
    """
    if match := re.match(rf"{re.escape(name)}:(\d+)", message):
        return f"{name}:{match[1]}"
    pattern = rf'File "[^"\n]*{re.escape(name)}", line (\d+)'
    found = re.findall(pattern, traceback)
    return f"{name}:{found[-1]}" if found else ""


def parse_problem(path: Path, message: str) -> Finding:
    """The finding of a file that cannot even be read or parsed."""
    text, _, remedy = message.rpartition("; ")
    return Finding("file", "problem", text or message, remedy, file_line(message, path.name))
