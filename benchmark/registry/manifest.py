"""The digest of every file, and the order in which the files of a result are written.

A result's row in ``jobs/`` states the digest of each of its other files; ``manifest/RESULT.json``
states the digest of the file that holds that row. Results share no file but those of a user's own
task, which lie below its digest, so writers never wait for each other. The files are written in
this order, each as a whole or not at all:

1. a user's own task, network, arrays, evidence, and the tables ``scores``, ``filters``, ``history``
2. ``manifest/.RESULT.json``, hidden: the result is pending
3. ``jobs/RESULT.parquet``: from here on the result exists
4. the manifest gets its final name

Whoever is killed before step 3 leaves files that no row names: unfinished, ignored by every reader,
removed by ``bench registry compact`` when they are older than an hour. Whoever is killed between 3
and 4 leaves a whole result with a pending manifest. So a row without any manifest, or a final
manifest without its row, is never a writer's trace: a file was removed. An error, unlike a kill,
removes what was written before step 3, the row first.

A pack (see ``upkeep``) is written in the same order; its manifest states the digests of its four
table files, and of the ``jobs`` file that each of its results had when it was recorded.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath
from types import TracebackType
from typing import Any

from motifidelity.registry.store import Store

FORMAT = 1
PACK = "pack-"
# of a result or a pack: a job's id, time and random part
NAME = re.compile(r"[^/.][^/]*-\d{8}T\d{12}-[0-9a-f]{6}")
LOOSE_TABLES = ("scores", "filters", "history")
# files of a result that no table holds, and that a pack leaves where they are
BLOBS = ("networks/", "arrays/", "evidence/", "tasks/")
# of all results of a user's own task, so that no writer removes them
SHARED = "tasks/"
FOLDERS = ("jobs", *LOOSE_TABLES, "networks", "arrays", "evidence", "tasks", "manifest")


@dataclass(frozen=True)
class File:
    """A file as a manifest states it: path in the registry, size, SHA-256."""

    path: str
    size: int
    sha256: str

    def __post_init__(self) -> None:
        parts = self.path.split("/")
        if len(parts) < 2 or parts[0] not in FOLDERS or not all(p.strip(".") for p in parts):
            raise ValueError(f"the path {self.path!r} is not one of a registry's")

    @classmethod
    def of(cls, path: str, content: bytes) -> File:
        """The statement of a file of this content."""
        return cls(path, len(content), hashlib.sha256(content).hexdigest())

    def matches(self, content: bytes) -> bool:
        """Whether a content is the stated one."""
        return self == File.of(self.path, content)


@dataclass(frozen=True)
class Manifest:
    """What ``manifest/NAME.json`` states.

    ``results`` is of a pack alone: the digest of each result's own ``jobs`` file.
    """

    name: str
    files: Sequence[File]
    results: Mapping[str, str] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The JSON of its file."""
        stated = {"manifest": FORMAT, "name": self.name, "files": [asdict(f) for f in self.files]}
        if self.results:
            stated["results"] = dict(sorted(self.results.items()))
        return (json.dumps(stated, indent=1) + "\n").encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Manifest:
        """Read a manifest.

        Raises
        ------
        ValueError
            If it is damaged, or of a later format.
        """
        try:
            stated = json.loads(content)
            if stated["manifest"] > FORMAT:
                raise ValueError("a newer version wrote it: run 'pip install -U motifidelity'")
            files = [
                File(str(f["path"]), int(f["size"]), str(f["sha256"])) for f in stated["files"]
            ]
            results = {str(k): str(v) for k, v in stated.get("results", {}).items()}
            manifest = cls(str(stated["name"]), files, results)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("it is no manifest") from error
        if manifest.to_bytes() != content:
            raise ValueError("it is not as it was written")
        return manifest


def table_path(table: str, name: str) -> str:
    """Path of a result's or pack's file of a table."""
    return f"{table}/{name}.parquet"


def evidence_path(name: str) -> str:
    """Path of a result's evidence."""
    return f"evidence/{name}.npz"


def manifest_path(name: str) -> str:
    """Path of a manifest under its final name."""
    return f"manifest/{name}.json"


def pending_path(name: str) -> str:
    """Path of a manifest whose result may not exist yet."""
    return f"manifest/.{name}.json"


def stated_files(value: Any) -> list[File] | None:
    """What a row's ``files`` states; None where it was recorded before there were digests.

    Raises
    ------
    ValueError
        If a path leads out of the registry.
    """
    return None if value is None else [File(**one) for one in value]


def read_manifest(store: Store, name: str) -> Manifest | None:
    """The manifest of a result or pack, final or pending; None where there is none.

    Raises
    ------
    ValueError
        If it is damaged.
    """
    # the final name is asked for twice: it may appear while the pending one vanishes
    for path in (manifest_path(name), pending_path(name), manifest_path(name)):
        with contextlib.suppress(FileNotFoundError):
            return Manifest.from_bytes(store.read(path))
    return None


def names(store: Store, table: str) -> set[str]:
    """Results and packs that have a file in a table."""
    paths = map(PurePosixPath, store.files(table))
    return {
        path.stem
        for path in paths
        if path.suffix == ".parquet" and len(path.parts) == 2 and not path.name.startswith(".")
    }


class Writing:
    """The files of one result or pack while they are written, in the order told above.

    Parameters
    ----------
    store : Store
    name : str
        The result's id or the pack's name.
    in_place : bool
        Older files of the same names are being replaced: an error removes nothing.
    """

    def __init__(self, store: Store, name: str, *, in_place: bool = False) -> None:
        self.files: list[File] = []
        self.store = store
        self._written: list[str] = []
        self._name = name
        self._in_place = in_place
        self._recorded = False

    def __enter__(self) -> Writing:
        return self

    def add(self, path: str, content: bytes) -> None:
        """Write a file that the row or the manifest will state."""
        self.files.append(File.of(path, content))
        self._written.append(path)
        self.store.write(path, content)

    def keep(self, path: str, content: bytes) -> None:
        """State a file that may be there already, for another result."""
        if self.store.exists(path):
            self.files.append(File.of(path, content))
        else:
            self.add(path, content)

    def finish(
        self,
        jobs: bytes,
        files: Iterable[File] = (),
        results: Mapping[str, str] | None = None,
    ) -> None:
        """Write manifest and row.

        Parameters
        ----------
        jobs : bytes
            Content of the file in ``jobs/``.
        files : iterable of File
            What the manifest states beside it.
        results : mapping of str to str, optional
            Of a pack: digests of its results' own ``jobs`` files.
        """
        path = table_path("jobs", self._name)
        stated = Manifest(self._name, [File.of(path, jobs), *files], results or {}).to_bytes()
        self.store.write(pending_path(self._name), stated)
        self.store.write(path, jobs)
        self._recorded = True
        # it exists: a manifest that stays pending does no harm, and compact finishes it
        with contextlib.suppress(OSError):
            self.store.promote(pending_path(self._name), manifest_path(self._name), stated)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if error is None or self._recorded or self._in_place:
            return
        # the row first: the upload that failed may have arrived all the same
        paths = [table_path("jobs", self._name), pending_path(self._name)]
        paths += [path for path in self._written if not path.startswith(SHARED)]
        with contextlib.suppress(OSError):
            for path in paths:
                self.store.delete(path)
