"""Which networks of a folder are looked at, the files that they came from, and what is left out."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Any

from motifidelity.backends import DEFAULT_BACKEND
from motifidelity.entries import DIVISION, FLOOR_NETWORKS, GIVEN
from motifidelity.errors import UserError
from motifidelity.files import file_digest
from motifidelity.model_file import read_submission
from motifidelity.registry import Registry
from motifidelity.registry.counting import of_own_training
from motifidelity.regress.baselines import shipped_files

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """A committed network: where it lies, what trained it, and the file that builds its like.

    Attributes
    ----------
    subject : str
        The model on its task, as reports name it.
    task : str
    graph, network : Path
        The frozen network and its manifest.
    file : Path or None
        The model's file as it is today; None where none is found.
    params : mapping
    model : str
    file_name : str
        What the model's file was called.
    digest : str
        SHA-256 of the file that the network was trained from.
    backend, profile : str
    own : bool
        Whether the file is none of the suite's.
    built : bool
        Whether the network that the file builds is looked at too; of floors it is not.
    weights : tuple of (str, str), optional
        Name and SHA-256 of the file of weights that the network was given in place of training.
    """

    subject: str
    task: str
    graph: Path
    network: Path
    file: Path | None
    params: Mapping[str, Any]
    model: str = ""
    file_name: str = ""
    digest: str = ""
    backend: str = DEFAULT_BACKEND
    profile: str = "full"
    own: bool = False
    built: bool = True
    weights: tuple[str, str] | None = None

    @property
    def today(self) -> str | None:
        """What `digest` would be of the file as it is today; None where there is none."""
        return None if self.file is None else _digest(self.file, self.weights)

    @property
    def changed(self) -> bool:
        """Whether the file is there and another than the one that the network was trained from."""
        return self.today not in (None, self.digest)

    def rerun(self, folder: Path) -> str:
        """The command that trains the network again from the file as it is today."""
        params = "".join(f" --param {name}={value}" for name, value in self.params.items())
        given = f" --weights {shlex.quote(self.weights[0])}" if self.weights else ""
        return (
            f"bench run --model {_shown(self.file or Path(self.file_name))}{given}{params} --task "
            f"{self.task} --profile {self.profile} --registry {folder}"
        )


@dataclass(frozen=True)
class Survey:
    """Networks of a folder to look at, by subject, and in words what else is there."""

    cases: tuple[Case, ...]
    unseen: tuple[str, ...]


def survey(
    folder: Path, models: Sequence[Path] = (), recorded: Mapping[str, str] | None = None
) -> Survey:
    """Of every model, parameter set and task the first trial whose network is kept.

    Where results of one name are of several files, backends or profiles, those of the file that
    is there come first, then the latest. A network that was scored under later versions of its task
    too is one of the task that it was trained for.

    Parameters
    ----------
    folder : Path
    models : sequence of Path
        Model files, or folders of them, to look in first.
    recorded : mapping of str to str, optional
        As of `Golden.files`.

    Raises
    ------
    UserError
        If the folder is missing, or one of ``models`` is.
    DataError
        If the registry cannot be read.
    """
    if not folder.is_dir():
        raise UserError(f"baselines {folder}: no such folder; give one with --against")
    # a worker runs in a folder of its own: what it is given must be absolute
    registry = Registry(folder.resolve())
    find = Finder(folder, models, recorded or {})
    subjects: dict[str, list[dict[str, Any]]] = {}
    every = registry.latest("jobs")["jobs"].to_pylist()
    own_training = of_own_training(
        (row["task"] for row in every), (row["arrays_of"] or row["result_id"] for row in every)
    )
    for row in compress(every, own_training):
        if row["division"] != DIVISION:
            subject = subject_of(row["model"], json.loads(row["params"]), row["task"])
            subjects.setdefault(subject, []).append(row)
    found, unseen, trials = [], [], 0
    for subject, rows in sorted(subjects.items()):
        kept = {
            row["result_id"]: network
            for row in rows
            if row["status"] == "ok"
            and (network := registry.network(row["arrays_of"] or row["result_id"]))
        }
        with_network = [row for row in rows if row["result_id"] in kept]
        if not with_network:
            unseen.append(f"{subject} (no finished trial whose network is kept)")
            continue
        file, own = find(with_network)
        alike = _preferred(with_network, file)
        first = min(alike, key=lambda row: (row["trial"], row["seed"]))
        found.append(_case(subject, first, kept[first["result_id"]], file, own=own))
        trials += len(alike) - 1
        unseen += _others(subject, first, rows)
        if file is None:
            unseen.append(
                f"{subject}: {first['model_file']} (neither here nor beside the record: give its "
                "folder with --models)"
            )
    if trials:
        unseen.append(f"{trials} further trial{'s' * (trials > 1)} (of each network one is)")
    return Survey(tuple(found), tuple(unseen))


def require_networks(folder: Path, found: Survey) -> None:
    """Refuse to look at networks where there are none.

    Raises
    ------
    UserError
    """
    if not found.cases:
        raise UserError(
            f"baselines {folder}: no frozen network is kept there; 'bench run --registry {folder}' "
            "records some"
        )


def _preferred(rows: Sequence[Row], file: Path | None) -> list[Row]:
    """Of results of one name those to look at, which are of one kind."""

    def order(row: Row) -> tuple[bool, bool, Any]:
        same = file is not None and row["model_digest"] == _digest(file, _weights(row))
        return same, row["profile"] == "full", row["started"]

    last = max(rows, key=order)
    return [row for row in rows if _kind_of(row) == _kind_of(last)]


def _case(
    subject: str, row: Row, network: Mapping[str, Path], file: Path | None, *, own: bool
) -> Case:
    return Case(
        subject,
        row["task"],
        network["graph"],
        network["network"],
        file,
        json.loads(row["params"]),
        row["model"],
        row["model_file"],
        row["model_digest"],
        row["backend"] or DEFAULT_BACKEND,
        row["profile"],
        own,
        row["model"] not in FLOOR_NETWORKS,
        _weights(row),
    )


def _weights(row: Row) -> tuple[str, str] | None:
    """Name and digest of the weights that a row's network was given, as a warning of it says."""
    pattern = rf"{re.escape(GIVEN)}: (.*), sha256 ([0-9a-f]{{64}})"
    found = (re.fullmatch(pattern, text) for text in row["warnings"] or ())
    return next(((match[1], match[2]) for match in found if match), None)


def _digest(file: Path, weights: tuple[str, str] | None) -> str:
    """A row's digest of its model: of the file, with given weights of both digests."""
    of_file = file_digest(file)
    if weights is None:
        return of_file
    return hashlib.sha256(f"{of_file} {weights[1]}".encode()).hexdigest()


class Finder:
    """Finds the file that a model's results are of, as it is today.

    Looked at in this order: where the record says, ``models``, the folder that one is in, the
    record's own and the one that it lies in, and the suite's own files.
    """

    def __init__(self, folder: Path, models: Sequence[Path], recorded: Mapping[str, str]) -> None:
        for path in models:
            if not path.exists():
                raise UserError(f"--models {path}: no such file or folder")
        self._folder = folder
        self._models = models
        self._recorded = recorded
        self._shipped = {path.name: path for path in shipped_files()}

    def __call__(self, rows: Sequence[Row]) -> tuple[Path | None, bool]:
        """The file and whether it is none of the suite's; a recorded one may be gone by now."""
        row = max(rows, key=lambda row: row["started"])
        name = row["model_file"]
        if Path(name).name != name:
            return None, True  # a path out of here is no name of a file
        given = [path if path.is_file() else path / name for path in self._models]
        given = [path for path in given if path.name == name]
        near = [Path(name), self._folder / name, self._folder.resolve().parent / name]
        shipped = self._shipped.get(name)
        for path in (*given, *self._where_recorded(name), *near):
            if name and path.is_file():
                own = shipped is None or file_digest(shipped) != file_digest(path)
                return path.resolve(), own
        if shipped is not None and read_submission(shipped).name == row["model"]:
            return shipped, False
        return None, True

    def _where_recorded(self, name: str) -> list[Path]:
        return [self._folder / self._recorded[name]] if name in self._recorded else []


def _shown(path: Path) -> str:
    """A path as one types it here."""
    here = Path.cwd()
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))


def _kind_of(row: Row) -> tuple[object, ...]:
    """What tells rows of one name apart: file, backend, profile, isolation, image."""
    keys = ("model_digest", "backend", "profile", "isolation", "image_digest")
    return tuple(row[key] for key in keys)


def _others(subject: str, chosen: Row, rows: Sequence[Row]) -> list[str]:
    """In words, results of the same name that are of something else than the chosen ones."""
    others = [row for row in rows if _kind_of(row) != _kind_of(chosen)]
    if not others:
        return []
    told = [_in_words(row, chosen) for row in {_kind_of(row): row for row in others}.values()]
    number = len(others)
    return [
        f"{subject}: {number} more result{'s' * (number > 1)} of that name ({' and '.join(told)}, "
        f"beside the one looked at, of {_when(chosen)})"
    ]


def _in_words(row: Row, chosen: Row) -> str:
    """What of a result is another than of the chosen one."""
    words = [
        str(row[key]) for key in ("backend", "profile", "isolation") if row[key] != chosen[key]
    ]
    if row["model_digest"] != chosen["model_digest"]:
        words.insert(0, f"another {row['model_file']} ({row['model_digest'][:8]})")
    return f"{' '.join(words) or 'another image'} of {_when(row)}"


def _when(row: Row) -> str:
    return f"{row['started']:%Y-%m-%d %H:%M}"


def subject_of(model: str, params: Mapping[str, Any], task: str) -> str:
    """How a report names a model on a task."""
    words = [model, *(f"{name}={value}" for name, value in sorted(params.items()))]
    return f"{' '.join(words)} on {task}"
