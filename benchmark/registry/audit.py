"""Checking a registry: every file against its digest, and no file too few or too many."""

from __future__ import annotations

import io
import re
import threading
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping

import pyarrow as pa

from motifidelity.errors import DataError
from motifidelity.files import LFS_POINTER, LFS_REMEDY
from motifidelity.registry.manifest import (
    BLOBS,
    FOLDERS,
    LOOSE_TABLES,
    NAME,
    PACK,
    File,
    Manifest,
    manifest_path,
    pending_path,
    stated_files,
    table_path,
)
from motifidelity.registry.parquet import NewerSchema
from motifidelity.registry.problems import Audit, Problem
from motifidelity.registry.reading import UPGRADE, checked, together
from motifidelity.registry.store import Entry, Store, StoreError

_BESIDE = re.compile(r"README.*|LICEN[CS]E.*|\..*", re.IGNORECASE)
LARGEST_POINTER = 1024
# what other commands keep beside the tables: the page, and the record of ``bench regress``
_OTHERS = {"leaderboard", "regression", "regression.toml", "regression-log.jsonl"}


def audit(store: Store) -> Audit:
    """Check every file of a registry; others may write to it meanwhile.

    Raises
    ------
    UnreachableError
        If the store does not answer.
    DataError
        If the folder cannot be read.
    """
    try:
        report = _Audit(store).report
        if not report.ok:
            # what a writer or a packing did in between looks like damage once, but not twice
            before, report = report.problems, _Audit(store).report
            report.problems = [problem for problem in report.problems if problem in before]
    except StoreError as error:
        raise error.unreachable(f"registry {store.name}") from error
    except OSError as error:
        raise DataError(
            f"{error.filename or store.name}: cannot be read ({error.strerror or error}); ask its "
            "owner for the right to read"
        ) from error
    return report


class _Audit:
    """One pass over the registry."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.report = Audit()
        self._there = store.files()
        self._seen: set[str] = set()
        self._lock = threading.Lock()
        names = {
            path.rpartition("/")[2].removesuffix(".parquet")
            for path in self._there
            if re.fullmatch(r"jobs/[^./][^/]*\.parquet", path)
        }
        packs = sorted((n for n in names if n.startswith(PACK)), reverse=True)
        self._rows: dict[str, dict[str, object]] = {}
        self._packed: set[str] = set()
        for pack in packs:
            self._pack(pack)
        loose = sorted(names - set(packs))
        single = [name for name in loose if name not in self._packed]
        read = dict(zip(single, together(store, self._loose, single), strict=True))
        self._rows |= {name: row for name, row in read.items() if row is not None}
        self._unreadable = {name for name, row in read.items() if row is None}
        self._exist = set(single) | self._packed
        self._network_files()
        self._rest()
        self.report.results = len(self._exist)
        self.report.problems.sort(key=lambda problem: (problem.path, problem.kind))

    def _pack(self, pack: str) -> None:
        """A pack: its files by its manifest, its rows; one whose results all lie in later packs."""
        manifest = self._manifest(pack)
        if manifest is None:
            return
        tables = {}
        for table in ("jobs", *LOOSE_TABLES):
            path = table_path(table, pack)
            content = self._content(path, _stated(manifest.files, path), needed=True)
            if content is not None:
                tables[table] = self._table(table, pack, content)
        jobs = tables.get("jobs")
        if jobs is None:
            return
        ids = jobs["result_id"].to_pylist()
        twice = [name for name, times in Counter(ids).items() if times > 1]
        if twice or set(ids) != set(manifest.results):
            named = twice or sorted(set(ids) ^ set(manifest.results))
            self._problem("double" if twice else "changed", table_path("jobs", pack), named[0])
        if set(ids) <= self._packed:
            self.report.superseded += [self._there[p] for p in self._of(pack) if p in self._there]
        else:
            self.report.packs += 1
        for table in LOOSE_TABLES:
            rows = tables.get(table)
            if rows is not None and not set(rows["result_id"].to_pylist()) <= set(ids):
                self._problem("foreign", table_path(table, pack), "rows of no result of the pack")
        for row in jobs.select(["result_id", "arrays_of", "files"]).to_pylist():
            self._rows.setdefault(row["result_id"], row)
        self._packed |= set(ids)

    def _loose(self, name: str) -> dict[str, object] | None:
        """A result with files of its own; its row, where it can be read."""
        path = table_path("jobs", name)
        row_file = self._content(path, None, needed=True)
        jobs = None if row_file is None else self._table("jobs", name, row_file)
        if jobs is None:
            return None
        (row,) = jobs.select(["result_id", "status", "arrays_of", "files"]).to_pylist()
        if row["files"] is None:
            with self._lock:
                self.report.undigested += 1
            for table in LOOSE_TABLES:
                needed = table == "scores" and row["status"] == "ok"
                old_content = self._content(table_path(table, name), None, needed=needed)
                if old_content is not None:
                    self._table(table, name, old_content)
            return dict(row)
        manifest = self._manifest(name)
        if manifest is not None:
            self._content(path, _stated(manifest.files, path), needed=True)
        for file in self._files(row):
            table = file.path.partition("/")[0]
            if table in LOOSE_TABLES:
                rows = self._content(file.path, file, needed=True)
                if rows is not None:
                    self._table(table, name, rows)
        return dict(row)

    def _network_files(self) -> None:
        """Networks, arrays, evidence and tasks, each once however many results use it."""
        stated: dict[str, File] = {}
        origins = set()
        for row in self._rows.values():
            origins.add(row["arrays_of"])
            if row["files"] is None:
                origins.add(row["result_id"])
            for file in self._files(row):
                large = file.path.startswith(BLOBS)
                if large and stated.setdefault(file.path, file) != file:
                    self._problem("changed", file.path, "two rows state different digests")
        together(
            self._store,
            lambda file: self._content(file.path, file, needed=not file.path.startswith("arrays/")),
            stated.values(),
        )
        self.report.not_kept += sum(
            path.startswith("arrays/") and path not in self._there for path in stated
        )
        for path in self._there:
            if path in self._seen or not path.startswith(BLOBS):
                continue
            owner = path.split("/")[1].removesuffix(".npz")
            # of results that were recorded before there were digests
            if owner in origins and not stated.get(path):
                content = self._content(path, None, needed=False)
                if content is not None and path.endswith(".npz") and not _whole(content):
                    self._problem("damaged", path, "it is no whole archive")

    def _rest(self) -> None:
        """Files that nothing names: left by a killed writer or a stopped packing, or foreign."""
        for path, entry in sorted(self._there.items()):
            if path in self._seen:
                continue
            top, _, rest = path.partition("/")
            if _BESIDE.fullmatch(top if top.startswith(".") else path) or top in _OTHERS:
                continue
            name = _owner(top, rest)
            hidden = path.rpartition("/")[2].startswith(".")
            if top in FOLDERS and hidden and entry.plain:
                self._hidden(entry, name)
            elif top == "tasks" and rest.count("/") == 1 and entry.plain:
                self.report.unfinished.append(entry)
            elif name is None or not entry.plain:
                self._problem("foreign", path, "no file of a registry")
            elif name in self._packed and top in ("jobs", "manifest", *LOOSE_TABLES):
                self.report.superseded.append(entry)
            elif name in self._unreadable:
                continue
            elif name in self._exist:
                self._problem("foreign", path, "the row of its result does not name it")
            elif top == "manifest":
                self._problem("missing", table_path("jobs", name), f"{path} names it")
            elif top != "jobs":
                self.report.unfinished.append(entry)

    def _hidden(self, entry: Entry, name: str | None) -> None:
        """A temporary file, or a pending manifest of a result that is being rewritten."""
        if name in self._exist and entry.path == pending_path(name or ""):
            return
        self.report.unfinished.append(entry)

    def _manifest(self, name: str) -> Manifest | None:
        final, pending = manifest_path(name), pending_path(name)
        path = final if final in self._there else pending
        self._seen |= {final, pending} & self._there.keys()
        if {final, pending} <= self._there.keys():
            self.report.superseded.append(self._there[pending])
        if path not in self._there:
            self._problem("missing", final, f"{table_path('jobs', name)} is there")
            return None
        if path == pending:
            self.report.pending.append(name)
        try:
            manifest = Manifest.from_bytes(self._store.read(path))
            if manifest.name != name:
                raise ValueError(f"it is of {manifest.name}")
        except FileNotFoundError:
            self._problem("missing", path, "it was listed")
        except ValueError as error:
            self._problem("damaged", path, str(error))
        else:
            return manifest
        return None

    def _content(self, path: str, stated: File | None, *, needed: bool) -> bytes | None:
        """A file's content, compared with what is stated of it; None where it is not there."""
        self._seen.add(path)
        if path not in self._there:
            if needed:
                self._problem("missing", path, "a row or a manifest names it")
            return None
        if not self._plain(path):
            return None
        size = self._there[path].size
        if stated is not None and stated.size != size:  # however large, it is not read
            self._problem("changed", path, self._other_size(path, stated.size))
            return None
        try:
            content = self._store.read(path)
        except FileNotFoundError:
            self._problem("missing", path, "it was listed")
            return None
        if stated is None:
            return content
        if not stated.matches(content):
            self._problem("changed", path, "its bytes are not those of its digest")
            return None
        with self._lock:
            self.report.files += 1
            self.report.size += len(content)
        return content

    def _other_size(self, path: str, stated: int) -> str:
        size = self._there[path].size
        if size < LARGEST_POINTER and self._store.read(path).startswith(LFS_POINTER):
            return LFS_REMEDY
        return f"it has {size} bytes, not {stated}"

    def _plain(self, path: str) -> bool:
        if self._there[path].plain:
            return True
        self._problem("foreign", path, "a link or a device, not a plain file")
        return False

    def _table(self, table: str, name: str, content: bytes) -> pa.Table | None:
        path = table_path(table, name)
        try:
            return checked(table, name, content)
        except NewerSchema as error:
            self._problem("newer", path, f"{error}: {UPGRADE}")
        except (pa.ArrowException, OSError, ValueError) as error:
            self._problem("damaged", path, " ".join(str(error).split())[:100])
        return None

    def _files(self, row: Mapping[str, object]) -> list[File]:
        try:
            return stated_files(row["files"]) or []
        except ValueError as error:
            path = table_path("jobs", str(row["result_id"]))
            self._problem("changed", path, str(error))
            return []

    def _of(self, name: str) -> list[str]:
        tables = [table_path(table, name) for table in ("jobs", *LOOSE_TABLES)]
        return [*tables, manifest_path(name), pending_path(name)]

    def _problem(self, kind: str, path: str, why: str) -> None:
        problem = Problem(kind, path, why)
        if problem not in self.report.problems:
            self.report.problems.append(problem)


def _stated(files: Iterable[File], path: str) -> File:
    """What a manifest states of a path; something that nothing matches where it does not."""
    return next((file for file in files if file.path == path), File(path, -1, ""))


def _owner(top: str, rest: str) -> str | None:
    """The result or pack whose file a path is by its name; None if it is none of a registry's."""
    if top in ("jobs", *LOOSE_TABLES):
        name, suffix = rest.removesuffix(".parquet"), ".parquet"
    elif top == "manifest":
        name, suffix = rest.removesuffix(".json").removeprefix("."), ".json"
    elif top in ("arrays", "evidence"):
        name, suffix = rest.removesuffix(".npz"), ".npz"
    elif top == "networks":
        name, _, file = rest.partition("/")
        suffix = "" if file and "/" not in file else "?"
    else:
        return None
    return name if rest.endswith(suffix) and NAME.fullmatch(name) else None


def _whole(content: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return archive.testzip() is None
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False
