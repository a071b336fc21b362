"""The registry: an append-only record of results in Parquet.

Layout of a registry, in a folder or below ``s3://bucket/prefix``:

- ``jobs/RESULT.parquet``: one row; a result without it does not exist
- ``scores/``, ``filters/``, ``history/``: the result's rows of that table
- ``networks/RESULT/``: the frozen network, from which a result can be probed again
- ``arrays/RESULT.npz``: predictions, filter scans and maps, from which it can be scored again
- ``evidence/RESULT.npz``: what its network sees in a few sequences (see ``evidence``); optional
- ``tasks/ID-DIGEST/``: a user's own task, of all results that are of it (see ``own_tasks``)
- ``manifest/RESULT.json``: digest of its file in ``jobs/``, whose row states those of the others

``bench registry compact`` packs many results into one file a table, ``TABLE/pack-*.parquet``. A
file is never changed once it is there (``manifest`` tells the order in which they are written).

A job may have several results, of a failure and a later try, or of a later scoring, which names
the result whose network and arrays it used; the latest counts.
"""

from __future__ import annotations

import hashlib
import io
import json
import secrets
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from motifidelity.errors import DataError, UserError
from motifidelity.files import LFS_POINTER, LFS_REMEDY
from motifidelity.registry import schema
from motifidelity.registry.disk import LocalStore
from motifidelity.registry.layers import Layer, layers_of
from motifidelity.registry.manifest import (
    LOOSE_TABLES,
    File,
    Writing,
    evidence_path,
    stated_files,
    table_path,
)
from motifidelity.registry.own_tasks import learn_tasks, task_files
from motifidelity.registry.parquet import encode, from_rows
from motifidelity.registry.reading import (
    Pick,
    latest_results,
    only,
    read_file,
    read_readable,
    read_tables,
)
from motifidelity.registry.store import Entry, Store, StoreError
from motifidelity.registry.stores import open_store

if TYPE_CHECKING:
    import pandas as pd


Rows = Sequence[Mapping[str, Any]]
T = TypeVar("T")


@dataclass(frozen=True)
class Tables:
    """The registry's tables, the latest result of every job only."""

    jobs: pd.DataFrame
    scores: pd.DataFrame
    filters: pd.DataFrame
    history: pd.DataFrame


@dataclass(frozen=True)
class Readable:
    """What can be read of a registry.

    Attributes
    ----------
    tables : Tables
        Without the results of which a file is damaged.
    problems : tuple of str
        What is wrong with those, with the remedy.
    past : Tables or None
        The same of all results, superseded ones too; None where there are none of these.
    """

    tables: Tables
    problems: tuple[str, ...]
    past: Tables | None


@dataclass(frozen=True)
class Result:
    """One finished job, ready to be recorded.

    ``files`` are copied into the result's network folder; ``arrays`` are stored compressed;
    ``evidence`` is the record that ``gather_evidence`` made.
    """

    job: Mapping[str, Any]
    scores: Rows = ()
    filters: Rows = ()
    history: Rows = ()
    files: Sequence[Path] = ()
    arrays: Mapping[str, Any] | None = None
    evidence: bytes = b""


class Registry:
    """A registry in a local folder or in a bucket.

    Parameters
    ----------
    location : Path or str
        A folder, created when a result is first recorded, or ``s3://bucket/prefix``.

    Raises
    ------
    UserError
        If the location is an address of something else.
    """

    def __init__(self, location: Path | str) -> None:
        self.store: Store = open_store(location)
        self._fetched: tempfile.TemporaryDirectory[str] | None = None
        self._learned = False

    @property
    def name(self) -> str:
        """How messages name the registry."""
        return self.store.name

    @property
    def local(self) -> bool:
        """Whether the registry is a folder of this machine."""
        return isinstance(self.store, LocalStore)

    @property
    def folder(self) -> Path:
        """The registry's folder.

        Raises
        ------
        UserError
            If it lies in a bucket.
        """
        if not isinstance(self.store, LocalStore):
            raise UserError(f"registry {self.name}: it is not a folder of this machine")
        return self.store.folder

    def prepare(self) -> None:
        """Make sure that results can be recorded, before anything is trained.

        Raises
        ------
        DataError
            If the registry cannot be written.
        """
        try:
            self.store.prepare()
        except OSError as error:
            cause, remedy = told(error, "choose another folder with --registry")
            raise DataError(
                f"registry {self.name}: cannot be written ({cause}); {remedy}"
            ) from error

    def record(self, result: Result, when: datetime | None = None) -> str:
        """Record a result; it is there as a whole or not at all.

        Returns
        -------
        str
            The result's id: job id, time and a random part, so that two writers never collide.

        Raises
        ------
        DataError
            If the disk is full or the registry cannot be written; nothing of it counts then.
        """
        when = when or datetime.now(UTC)
        job_id = result.job["job_id"]
        result_id = f"{job_id}-{when:%Y%m%dT%H%M%S%f}-{secrets.token_hex(3)}"
        keys = {"result_id": result_id, "job_id": job_id}
        try:
            with Writing(self.store, result_id) as writing:
                for path, content in task_files(result.job).items():
                    writing.keep(path, content)
                for file in result.files:
                    writing.add(f"networks/{result_id}/{file.name}", file.read_bytes())
                if result.arrays:
                    writing.add(f"arrays/{result_id}.npz", _pack_arrays(result.arrays))
                if result.evidence:
                    writing.add(evidence_path(result_id), result.evidence)
                for name in LOOSE_TABLES:
                    rows = [{**row, **keys} for row in getattr(result, name)]
                    if rows:
                        content = encode(name, from_rows(name, rows))
                        writing.add(table_path(name, result_id), content)
                files = [*writing.files, *self._files_of(result.job.get("arrays_of"))]
                stated = {"schema_version": schema.VERSION, "files": [asdict(f) for f in files]}
                row = {**result.job, **keys, **stated}
                writing.finish(encode("jobs", from_rows("jobs", [row])))
        except OSError as error:
            cause, remedy = told(error, "free some space and run the same command again")
            raise DataError(
                f"registry {self.name}: result of job {job_id} cannot be written ({cause}); "
                f"{remedy}: finished jobs are kept"
            ) from error
        return result_id

    def jobs(self) -> pd.DataFrame:
        """The latest result of every job, one row each.

        Raises
        ------
        DataError
            Naming a file that is damaged.
        """
        frame: pd.DataFrame = self.latest("jobs")["jobs"].to_pandas()
        return frame

    def tables(self) -> Tables:
        """All tables, limited to the latest result of every job.

        Raises
        ------
        DataError
            Naming a file that is damaged.
        """
        return Tables(**{k: t.to_pandas() for k, t in self.latest(*schema.TABLES).items()})

    def readable(self) -> Readable:
        """All tables without the results of which a file is damaged, and what is wrong with those.

        Raises
        ------
        UnreachableError
            If the registry does not answer.
        """
        self.learn()
        found, problems = read_readable(self.store, schema.TABLES)
        ids = latest_results(found["jobs"])
        latest = {name: only(table, ids) for name, table in found.items()}
        past = None
        if latest["jobs"].num_rows < found["jobs"].num_rows:
            past = Tables(**{k: t.to_pandas() for k, t in found.items()})
        tables = Tables(**{k: t.to_pandas() for k, t in latest.items()})
        return Readable(tables, tuple(problems), past)

    def latest(self, *names: str, pick: Pick | None = None) -> dict[str, pa.Table]:
        """The named tables, limited to the latest result of every job, by job and time.

        Parameters
        ----------
        *names : str
        pick : callable, optional
            Gives, of the rows of the latest results, the ids of those that are wanted; files of
            others are not read.

        Raises
        ------
        DataError
            Naming a file that is damaged, missing, or of a later version of this package.
        """

        def wanted(jobs: pa.Table) -> frozenset[str]:
            ids = latest_results(jobs)
            return ids if pick is None else ids & pick(only(jobs, ids))

        self.learn()
        return read_tables(self.store, names, wanted)

    def learn(self) -> None:
        """Make users' own tasks that are kept here known, before their results are read.

        Raises
        ------
        UnreachableError
            If the registry does not answer.
        """
        if self._learned:
            return
        try:
            learn_tasks(self.store)
        except StoreError as error:
            raise error.unreachable(f"registry {self.name}") from error
        self._learned = True

    def every(self, *names: str) -> dict[str, pa.Table]:
        """The named tables with all results, superseded ones too.

        Raises
        ------
        DataError
            Naming a file that is damaged, missing, or of a later version of this package.
        """
        self.learn()
        return read_tables(self.store, names, None)

    def arrays(self, result_id: str, names: Collection[str] | None = None) -> dict[str, Any]:
        """Stored arrays of a result, or those of the given names that it has.

        Raises
        ------
        DataError
            If they are missing or damaged.
        """
        import numpy as np

        path = f"arrays/{_plain(result_id)}.npz"
        try:
            with np.load(io.BytesIO(self._whole(path)), allow_pickle=False) as stored:
                wanted = stored.files if names is None else [n for n in stored.files if n in names]
                return {name: stored[name] for name in wanted}
        except StoreError as error:
            raise error.unreachable(f"{self.name}/{path}") from error
        except DataError:
            raise
        except Exception as error:  # a damaged archive raises errors of half a dozen libraries
            raise DataError(
                f"{self.name}/{path}: missing or damaged ({type(error).__name__}); run the job "
                "again with --force"
            ) from error

    def has_arrays(self, result_id: str) -> bool:
        """Whether a result's arrays were kept.

        Raises
        ------
        UnreachableError
            If the registry does not answer.
        """
        try:
            return self.store.exists(f"arrays/{_plain(result_id)}.npz")
        except StoreError as error:
            raise error.unreachable(f"registry {self.name}") from error

    def arrays_holder(self, row: Mapping[str, Any]) -> str | None:
        """Id of the result with which the arrays of a row's scores are kept; None if they are not.

        Those are its own where it has any: it was trained, or its network was probed again. Else
        they are those of ``arrays_of``.

        Raises
        ------
        UnreachableError
            If the registry does not answer.
        """
        name: str = row["result_id"]
        own = any(file["path"] == f"arrays/{name}.npz" for file in row["files"] or ())
        holder = name if own else row["arrays_of"] or name
        return holder if self.has_arrays(holder) else None

    def evidence(self, result_id: str) -> bytes | None:
        """The record of what a result's network sees in a few sequences; None where there is none.

        Raises
        ------
        DataError
            If it cannot be read.
        UnreachableError
            If the registry does not answer.
        """
        path = evidence_path(_plain(result_id))
        try:
            return self._whole(path)
        except FileNotFoundError:
            return None
        except StoreError as error:
            raise error.unreachable(f"{self.name}/{path}") from error
        except OSError as error:
            raise DataError(
                f"{self.name}/{path}: {error.strerror}; make it anew with 'bench rescore --probe'"
            ) from error

    def network(self, result_id: str) -> dict[str, Path] | None:
        """Files of a result's frozen network by stem, or None where it was not kept.

        Files in a bucket are fetched into a temporary folder, which lives as long as this object.

        Raises
        ------
        UnreachableError
            If the registry does not answer.
        DataError
            If a file is a pointer of Git LFS.
        """
        try:
            found = sorted(self.store.files(f"networks/{_plain(result_id)}"))
            stems = {Path(path).stem for path in found}
            if not {"graph", "network"} <= stems:
                return None
            files = {Path(path).stem: self._at_hand(path) for path in found}
        except StoreError as error:
            raise error.unreachable(f"registry {self.name}") from error
        for file in files.values():
            with file.open("rb") as opened:
                _refuse_pointer(str(file), opened.read(len(LFS_POINTER)))
        return files

    def scan_name(self, result_id: str) -> str | None:
        """Name, in its frozen network, of the layer whose filters a result's scores are of.

        Parameters
        ----------
        result_id : str
            The result that the network was kept with.

        Returns
        -------
        str or None
            None where the network was not kept or has no filters.

        Raises
        ------
        DataError
            If the network's manifest is damaged.
        UnreachableError
            If the registry does not answer.
        """
        path = f"networks/{_plain(result_id)}/network.json"

        def read() -> str | None:
            scan = json.loads(self._whole(path))["scan"]
            return str(scan["after"]).partition(":")[0] if scan else None

        return self._of_network(path, read)

    def layers(self, result_id: str) -> tuple[Layer, ...] | None:
        """The layers of a frozen network (`layers_of`), or None where it was not kept.

        Parameters
        ----------
        result_id : str
            The result that the network was kept with.

        Raises
        ------
        DataError
            If a file of the network is damaged.
        UnreachableError
            If the registry does not answer.
        """
        folder = f"networks/{_plain(result_id)}"

        def read() -> tuple[Layer, ...]:
            logits = str(json.loads(self._whole(f"{folder}/network.json"))["logits"])
            return layers_of(self._whole(f"{folder}/graph.pb"), logits)

        return self._of_network(folder, read)

    def stored(self) -> dict[str, str]:
        """What is stored of results beside the tables, as a text that changes with it.

        Returns
        -------
        dict of str to str
            By result id, of the evidence and of the manifest of the network that was kept with it:
            in a folder the digests of the files, in a bucket their sizes and times.

        Raises
        ------
        UnreachableError
            If the registry does not answer.
        """
        try:
            entries = {**self.store.files("evidence"), **self.store.files("networks")}
        except StoreError as error:
            raise error.unreachable(f"registry {self.name}") from error
        found: dict[str, str] = {}
        for path, entry in sorted(entries.items()):
            folder, name, *rest = path.split("/")
            if folder == "evidence" or rest == ["network.json"]:
                result = name.removesuffix(".npz")
                found[result] = f"{found.get(result, '')}{folder} {self._state(entry)}\n"
        return found

    def _of_network(self, path: str, read: Callable[[], T]) -> T | None:
        """What is read of a kept network, None where there is none; `path` is named in errors."""
        try:
            return read()
        except FileNotFoundError:
            return None
        except StoreError as error:
            raise error.unreachable(f"{self.name}/{path}") from error
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise DataError(
                f"{self.name}/{path}: damaged ({type(error).__name__}); take it from a copy of the "
                "registry, or run the job again with --force"
            ) from error

    def _whole(self, path: str) -> bytes:
        """A file's content, which is no pointer of Git LFS."""
        content = self.store.read(path)
        _refuse_pointer(f"{self.name}/{path}", content)
        return content

    def _state(self, entry: Entry) -> str:
        if not self.local:
            return f"{entry.size} {entry.modified}"
        try:
            return hashlib.sha256(self.store.read(entry.path)).hexdigest()
        except OSError as error:
            return str(error.strerror)

    def _at_hand(self, path: str) -> Path:
        if isinstance(self.store, LocalStore):
            return self.store.folder / path
        if self._fetched is None:
            self._fetched = tempfile.TemporaryDirectory(prefix="motifidelity-")
        target = Path(self._fetched.name) / path
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self.store.read(path))
        return target

    def _files_of(self, origin: str | None) -> list[File]:
        """Network and arrays of the result that a later scoring used, as that one states them.

        They are read where its row is not at hand, so that the digests outlive the row.
        """
        if origin is None:
            return []
        _plain(origin)
        try:
            (stated,) = read_file(self.store, "jobs", origin)["files"].to_pylist()
        except (FileNotFoundError, DataError):
            stated = None
        files = stated_files(stated)
        if files is None:
            paths = [f"arrays/{origin}.npz", *self.store.files(f"networks/{origin}")]
            return [File.of(p, self.store.read(p)) for p in paths if self.store.exists(p)]
        return [file for file in files if file.path.startswith(("networks/", "arrays/"))]


def existing_registry(location: Path | str) -> Registry:
    """A registry that is there to be read.

    Raises
    ------
    UserError
        If there is no such folder or bucket.
    UnreachableError
        If the bucket does not answer.
    """
    registry = Registry(location)
    try:
        registry.store.check()
    except StoreError as error:
        raise error.unreachable(f"registry {registry.name}") from error
    registry.learn()
    return registry


def _plain(result_id: str) -> str:
    """An id that a row states, which must not lead out of the registry."""
    if "/" in result_id or "\\" in result_id or not result_id.strip("."):
        raise DataError(f"result {result_id!r}: it is not a result's id; the row was changed")
    return result_id


def _refuse_pointer(path: str, content: bytes) -> None:
    if content.startswith(LFS_POINTER):
        raise DataError(f"{path}: {LFS_REMEDY}")


def told(error: OSError, remedy: str) -> tuple[str, str]:
    """Cause and remedy of a failed write."""
    if isinstance(error, StoreError):
        return str(error), error.remedy
    return error.strerror or str(error), remedy


def _pack_arrays(arrays: Mapping[str, Any]) -> bytes:
    import numpy as np

    sink = io.BytesIO()
    np.savez_compressed(sink, allow_pickle=False, **arrays)
    return sink.getvalue()
