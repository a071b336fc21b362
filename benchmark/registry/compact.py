"""Packing many results into few files, and rewriting those of older versions.

Nothing is lost by a stop at any moment: a pack is written like a result, its row file last, and
only then are the results' own files removed, each result's row first (see ``snapshot``).
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

import pyarrow as pa

from motifidelity.errors import DataError
from motifidelity.registry import schema
from motifidelity.registry.audit import audit
from motifidelity.registry.manifest import (
    LOOSE_TABLES,
    PACK,
    Manifest,
    Writing,
    manifest_path,
    names,
    pending_path,
    read_manifest,
    table_path,
)
from motifidelity.registry.parquet import encode
from motifidelity.registry.problems import Audit, old
from motifidelity.registry.reading import Owners, only, read_file, read_jobs, read_rows, together
from motifidelity.registry.store import Store, StoreError

RESULTS_PER_PACK = 5_000


@dataclass
class Upkeep:
    """What was done: results packed or rewritten, packs written, files removed."""

    results: int = 0
    packs: list[str] = field(default_factory=list)
    removed: int = 0


def compact(store: Store, results_per_pack: int = RESULTS_PER_PACK) -> Upkeep:
    """Pack all results that lie in files of their own, and packs that are not full.

    Results of an older version are rewritten first. Removes what killed writers left behind.

    Raises
    ------
    DataError
        If the registry is not whole (nothing is changed then) or cannot be written.
    """
    done = Upkeep()
    with said(store):
        report = sound(store)
        migrate(store, report)
        there = names(store, "jobs")
        jobs, owners = read_jobs(store, there)
        sizes = {pack: len(ids) for pack, ids in owners.packs.items()}
        sources = [pack for pack, size in sizes.items() if size < results_per_pack]
        ids = sorted(owners.loose.union(*(owners.packs[pack] for pack in sources)))
        if owners.loose or len(sources) > 1:
            for start in range(0, len(ids), results_per_pack):
                chosen = frozenset(ids[start : start + results_per_pack])
                done.packs.append(pack_results(store, store, jobs, owners, chosen))
            done.results = len(ids)
            _remove_results(store, [*sources, *sorted(owners.loose)])
        done.removed = _clean(store)
    return done


def migrate(store: Store, report: Audit | None = None) -> int:
    """Rewrite the files of older versions, with digests; returns the number of results.

    Raises
    ------
    DataError
        If the registry is not whole (nothing is changed then) or cannot be written.
    """
    with said(store):
        report = report or sound(store)
        for name in report.pending:
            with contextlib.suppress(FileNotFoundError):
                stated = store.read(pending_path(name))
                store.promote(pending_path(name), manifest_path(name), stated)
        if not report.undigested:
            return 0
        loose = [name for name in names(store, "jobs") if not name.startswith(PACK)]
        jobs = {name: read_file(store, "jobs", name) for name in sorted(loose)}
        older = [name for name, row in jobs.items() if row["files"].null_count]
        exist = set(read_jobs(store, names(store, "jobs"))[0]["result_id"].to_pylist())
        for name in older:
            with Writing(store, name, in_place=True) as writing:
                copy_older(store, name, jobs[name], writing, exist)
        return len(older)


def copy_older(
    store: Store, name: str, jobs: pa.Table, writing: Writing, exist: Iterable[str]
) -> None:
    """Write a result of an older version as the present version would have recorded it.

    Parameters
    ----------
    store : Store
        Where the result lies.
    name : str
        Its id.
    jobs : Table
        Its row, upgraded.
    writing : Writing
        Where it goes, which may be the same place.
    exist : iterable of str
        Results that have a row. The network of one that has none is named by those that use it.
    """
    origins = {name, jobs["arrays_of"][0].as_py()} - {None}
    kept = [p for one in sorted(origins - (set(exist) - {name})) for p in _large_files(store, one)]
    for path in kept:
        writing.keep(path, store.read(path))
    for table in LOOSE_TABLES:
        with contextlib.suppress(FileNotFoundError):
            content = encode(table, read_file(store, table, name))
            writing.add(table_path(table, name), content)
    place = jobs.column_names.index("files")
    files = pa.array([[asdict(file) for file in writing.files]], schema.FILES)
    writing.finish(encode("jobs", jobs.set_column(place, schema.JOBS.field("files"), files)))


def pack_results(
    source: Store, target: Store, jobs: pa.Table, owners: Owners, chosen: frozenset[str]
) -> str:
    """Write a pack of some results of a registry, read it back, and return its name.

    Parameters
    ----------
    source, target : Store
        Where the results lie, and where the pack goes.
    jobs : Table
        Rows of all results.
    owners : Owners
        Where each result is read.
    chosen : frozenset of str
        The results of the pack.

    Raises
    ------
    DataError
        If a file is not in the target as it was written.
    """
    mine = only(jobs, chosen)
    digests, stated = _stated(source, mine, owners, chosen)
    name = f"{PACK}{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(3)}"
    with Writing(target, name) as writing:
        for table in LOOSE_TABLES:
            rows = read_rows(source, table, owners, chosen, stated)
            writing.add(table_path(table, name), encode(table, rows.sort_by("result_id")))
        for file in writing.files:
            if not file.matches(target.read(file.path)):
                raise DataError(f"{target.name}/{file.path}: was not written as it should be")
        writing.finish(encode("jobs", mine), writing.files, digests)
    return name


def sound(store: Store) -> Audit:
    """The report of a registry in which nothing is wrong.

    Raises
    ------
    DataError
        Naming the first file that is not as it should be.
    """
    report = audit(store)
    if not report.ok:
        problem = report.problems[0]
        more = f" (and {len(report.problems) - 1} more)" if len(report.problems) > 1 else ""
        raise DataError(
            f"registry {store.name}: {problem.path} is {problem.kind} ({problem.why}){more}; "
            f"nothing was changed: see 'bench registry verify --registry {store.name}'"
        )
    return report


def _stated(
    store: Store, jobs: pa.Table, owners: Owners, chosen: frozenset[str]
) -> tuple[dict[str, str], dict[str, set[str]]]:
    """Digest of each result's own ``jobs`` file, and the paths that its row states."""
    digests: dict[str, str] = {}
    for pack, ids in owners.packs.items():
        wanted = ids & chosen
        if wanted:
            manifest = _manifest(store, pack)
            digests |= {name: manifest.results[name] for name in wanted}
    loose = sorted(owners.loose & chosen)
    for name, manifest in zip(
        loose, together(store, lambda name: _manifest(store, name), loose), strict=True
    ):
        digests[name] = manifest.files[0].sha256
    stated = {
        name: {file["path"] for file in files or ()}
        for name, files in zip(
            jobs["result_id"].to_pylist(), jobs["files"].to_pylist(), strict=True
        )
    }
    return digests, stated


def _manifest(store: Store, name: str) -> Manifest:
    manifest = read_manifest(store, name)
    if manifest is None:
        raise FileNotFoundError(2, "missing", manifest_path(name))
    return manifest


def _remove_results(store: Store, results: Sequence[str]) -> None:
    """Remove files of results and packs that a later pack holds, each row first."""

    def remove(name: str) -> None:
        for path in result_files(name):
            store.delete(path)

    together(store, remove, results)


def result_files(name: str) -> list[str]:
    """Table files and manifest of a result or pack, its row first."""
    tables = [table_path(table, name) for table in ("jobs", *LOOSE_TABLES)]
    return [tables[0], manifest_path(name), pending_path(name), *tables[1:]]


def _clean(store: Store) -> int:
    report = audit(store)
    if not report.ok:
        return 0
    found = [*report.superseded, *old(report.unfinished)]
    # rows before the files that they name
    paths = sorted((e.path for e in found), key=lambda path: (not path.startswith("jobs/"), path))
    for path in paths:
        store.delete(path)
    return len(paths)


def _large_files(store: Store, name: str) -> list[str]:
    paths = [path for path in store.files(f"networks/{name}") if "/." not in path]
    arrays = f"arrays/{name}.npz"
    return [*sorted(paths), *([arrays] if store.exists(arrays) else [])]


@contextlib.contextmanager
def said(store: Store) -> Iterator[None]:
    """Turn trouble of a store into one line."""
    try:
        yield
    except StoreError as error:
        raise DataError(
            f"registry {store.name}: {error}; {error.remedy}: nothing is lost"
        ) from error
    except FileNotFoundError as error:
        raise DataError(
            f"registry {store.name}: {error.filename or error} went away meanwhile; run the same "
            "command again when nobody else packs it: nothing is lost"
        ) from error
    except OSError as error:
        raise DataError(
            f"registry {store.name}: cannot be written ({error.strerror or error}); free some "
            "space or ask for the right to write, and run the same command again: nothing is lost"
        ) from error
