"""Reading a registry while others write and pack it: every result once, or an error.

A result lies in files of its own or in a pack, and for a moment in both. The row that counts is
the one in the last pack that holds the result, else its own. Packing removes a result's row before
its other files, so a reader whose rows are all still there at the end has missed nothing; else it
reads again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from motifidelity.errors import DataError
from motifidelity.files import LFS_POINTER, LFS_REMEDY
from motifidelity.registry import schema
from motifidelity.registry.counting import counted_results
from motifidelity.registry.manifest import NAME, PACK, manifest_path, names, table_path
from motifidelity.registry.parquet import NewerSchema, decode
from motifidelity.registry.store import Store, StoreError

ATTEMPTS = 8
UPGRADE = "run 'pip install --upgrade motifidelity'"


class DamagedFile(DataError):
    """A file of a table cannot be read.

    Attributes
    ----------
    name : str
        The result or pack that it belongs to.
    """

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.name = name


Pick = Callable[[pa.Table], frozenset[str]]
Of = TypeVar("Of")
To = TypeVar("To")


@dataclass(frozen=True)
class Owners:
    """Which results are read from which pack, and which from their own files.

    ``whole`` are packs of which every result is read from them.
    """

    packs: Mapping[str, frozenset[str]]
    loose: frozenset[str]
    whole: frozenset[str] = frozenset()


def read_tables(store: Store, tables: Iterable[str], pick: Pick | None) -> dict[str, pa.Table]:
    """The named tables.

    Parameters
    ----------
    store : Store
    tables : iterable of str
    pick : callable or None
        Gives, of the rows of all results, the ids of those to read; None: all.

    Returns
    -------
    dict of str to Table
        In the present schema; ``jobs`` in the order of job and time.

    Raises
    ------
    DataError
        Naming a file that is damaged, missing or of a later version.
    """
    tables = list(tables)
    return consistent(store, lambda there: _read(store, there, tables, pick))


def read_readable(store: Store, tables: Iterable[str]) -> tuple[dict[str, pa.Table], list[str]]:
    """The named tables with all results but the damaged ones.

    Parameters
    ----------
    store : Store
    tables : iterable of str

    Returns
    -------
    dict of str to Table
        As `read_tables`, without any row of a result of which a file is damaged or missing; a
        damaged pack leaves out all of its results.
    list of str
        What is wrong with each of them, with the remedy.

    Raises
    ------
    UnreachableError
        If the store does not answer.
    """
    tables = list(tables)
    bad: dict[str, str] = {}

    def read(there: set[str]) -> dict[str, pa.Table]:
        while True:
            try:
                return _read(store, there - bad.keys(), tables, None)
            except DamagedFile as error:
                bad[error.name] = str(error)
            except FileNotFoundError as error:
                path = str(error.filename)
                name = path.rpartition("/")[2].removesuffix(".parquet")
                if name not in names(store, "jobs"):
                    raise
                bad[name] = f"{store.name}/{path}: missing; {_put_right(store, path)}"

    found = consistent(store, read)
    return found, [bad[name] for name in sorted(bad)]


def consistent(store: Store, read: Callable[[set[str]], To]) -> To:
    """What a function reads of the results that it is given, none of which vanished meanwhile.

    Raises
    ------
    DataError
        If a file is missing though nothing is being packed.
    UnreachableError
        If the store does not answer.
    """
    try:
        for _ in range(ATTEMPTS):
            there = names(store, "jobs")
            missing = None
            try:
                found = read(there)
            except FileNotFoundError as error:
                missing = str(error.filename or error)
            if there <= names(store, "jobs"):
                if missing is None:
                    return found
                raise DataError(
                    f"registry {store.name}: {missing} is missing though a row names it; "
                    f"{_put_right(store, missing)}"
                )
    except StoreError as error:
        raise error.unreachable(f"registry {store.name}") from error
    except OSError as error:
        raise DataError(
            f"{error.filename or store.name}: cannot be read ({error.strerror or error}); mend the "
            "disk or ask its owner for the right to read"
        ) from error
    raise DataError(f"registry {store.name}: it is being packed all the time; try again later")


def together(store: Store, read: Callable[[Of], To], items: Iterable[Of]) -> list[To]:
    """Results of a function that reads files, several at once, in the order of the items."""
    items = list(items)
    if len(items) < 2:
        return [read(item) for item in items]
    with ThreadPoolExecutor(store.readers) as pool:
        return list(pool.map(read, items))


def read_file(store: Store, table: str, name: str) -> pa.Table:
    """One file of a table.

    Raises
    ------
    DamagedFile
        If it is damaged, foreign, or of a later version.
    FileNotFoundError
        If it is not there.
    """
    path = table_path(table, name)
    try:
        content = store.read(path)
    except FileNotFoundError as error:
        raise FileNotFoundError(2, "missing", path) from error
    if content.startswith(LFS_POINTER):
        raise DamagedFile(f"{store.name}/{path}: {LFS_REMEDY}", name)
    try:
        return checked(table, name, content)
    except NewerSchema as error:
        raise DamagedFile(f"{store.name}/{path}: it has {error}; {UPGRADE}", name) from error
    except (pa.ArrowException, OSError, ValueError) as error:
        why = " ".join(str(error).split())[:80]
        raise DamagedFile(
            f"{store.name}/{path}: damaged or not of this registry ({why}); "
            f"{_put_right(store, path)}",
            name,
        ) from error


def checked(table: str, name: str, content: bytes) -> pa.Table:
    """A file's table; of a single result, its rows must be that result's.

    Raises
    ------
    NewerSchema, ValueError, ArrowException, OSError
        If it is not what it should be.
    """
    found = decode(table, content)
    if not name.startswith(PACK):
        ids = pc.unique(found["result_id"]).to_pylist()
        if ids != [name] or (table == "jobs" and found.num_rows != 1):
            raise ValueError(f"its rows are of {', '.join(ids[:2]) or 'no result'}")
    return found


def read_jobs(store: Store, there: Iterable[str]) -> tuple[pa.Table, Owners]:
    """The rows of all results, each once, by job and time; and where each was read."""
    order = sorted(there)
    read = together(store, lambda name: read_file(store, "jobs", name), order)
    parts = dict(zip(order, read, strict=True))
    seen: set[str] = set()
    packs: dict[str, frozenset[str]] = {}
    whole: set[str] = set()
    kept: list[pa.Table] = []
    for name in sorted((n for n in parts if n.startswith(PACK)), reverse=True):
        ids = frozenset(parts[name]["result_id"].to_pylist())
        packs[name] = ids - seen
        if not ids & seen:
            whole.add(name)
        kept.append(only(parts[name], packs[name], ids))
        seen |= ids
    loose = frozenset(n for n in parts if not n.startswith(PACK)) - seen
    kept += [parts[name] for name in sorted(loose)]
    jobs = pa.concat_tables(kept) if kept else schema.JOBS.empty_table()
    return jobs.sort_by("result_id"), Owners(packs, loose, frozenset(whole))


def read_rows(
    store: Store, table: str, owners: Owners, wanted: frozenset[str], stated: Mapping[str, set[str]]
) -> pa.Table:
    """Rows of a table that belong to the wanted results.

    Parameters
    ----------
    stated : mapping of str to set of str
        Paths that the rows of ``jobs`` state, by result; none of a result without digests.
    """
    there = names(store, table)
    loose = sorted(owners.loose & wanted)
    for name in loose:
        if name not in there and table_path(table, name) in stated.get(name, ()):
            raise FileNotFoundError(2, "missing", table_path(table, name))
    packs = [name for name in sorted(owners.packs) if owners.packs[name] & wanted]
    parts = [read_file(store, table, name) for name in packs]
    kept = []
    for name, part in zip(packs, parts, strict=True):
        ids = owners.packs[name]
        kept.append(part if name in owners.whole and ids <= wanted else only(part, ids & wanted))
    files = [name for name in loose if name in there]
    kept += together(store, lambda name: read_file(store, table, name), files)
    return pa.concat_tables(kept) if kept else schema.TABLES[table].empty_table()


def only(table: pa.Table, ids: frozenset[str], among: frozenset[str] | None = None) -> pa.Table:
    """Rows of the given results; ``among`` are the table's results where they are known."""
    if among is not None and among <= ids:
        return table
    found = pc.is_in(table["result_id"], pa.array(sorted(ids), pa.string()))
    return table if pc.all(found).as_py() is not False else table.filter(found)


def latest_results(jobs: pa.Table) -> frozenset[str]:
    """The result of every job that counts."""
    return counted_results(jobs, ["job_id"])


def stated_paths(jobs: pa.Table) -> dict[str, set[str]]:
    """Paths that each result's row states; none of a result without digests."""
    ids, files = jobs["result_id"].to_pylist(), jobs["files"].to_pylist()
    return {
        name: {one["path"] for one in stated}
        for name, stated in zip(ids, files, strict=True)
        if stated is not None
    }


def _read(
    store: Store, there: set[str], tables: list[str], pick: Pick | None
) -> dict[str, pa.Table]:
    jobs, owners = read_jobs(store, there)
    if pick is not None:
        jobs = only(jobs, pick(jobs))
    wanted = frozenset(jobs["result_id"].to_pylist())
    stated = stated_paths(jobs) if set(tables) - {"jobs"} else {}
    return {
        name: jobs if name == "jobs" else read_rows(store, name, owners, wanted, stated)
        for name in tables
    }


def _put_right(store: Store, path: str) -> str:
    """How a registry with one bad file is put right, so that its other results are read again."""
    name = path.rpartition("/")[2].removesuffix(".parquet")
    if not NAME.fullmatch(name):
        return "no result is called so: move this copy, such as sync programs make, away"
    if name.startswith(PACK):
        return (
            "bring it back from a copy of the registry, or move away every file of "
            f"{name} and run their jobs again: all others are kept"
        )
    # without its row in jobs/ a result does not exist, and its job is run anew
    row = table_path("jobs", name)
    both = [f"{store.name}/{p}" for p in (row, manifest_path(name)) if p != path]
    return (
        f"move it away together with {' and '.join(both)} and run the same command again: "
        "its job is run anew, all others are kept"
    )
