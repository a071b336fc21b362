"""Copying results of other registries into one, as they are, with their digests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from motifidelity.errors import DataError
from motifidelity.registry.compact import copy_older, pack_results, said, sound
from motifidelity.registry.manifest import (
    BLOBS,
    LOOSE_TABLES,
    File,
    Writing,
    names,
    read_manifest,
    stated_files,
    table_path,
)
from motifidelity.registry.parquet import decode
from motifidelity.registry.reading import Owners, only, read_jobs, read_rows, stated_paths
from motifidelity.registry.store import Store

# what differs between two recordings of one result that say the same
_OWN = ("schema_version", "files")


@dataclass
class Merged:
    """What was done: results copied, and results that were there already."""

    copied: int = 0
    there: int = 0


def merge(target: Store, sources: Sequence[Store]) -> Merged:
    """Copy every result that the target lacks, by its id.

    All registries are checked first: nothing is copied from any if one is not whole, or if two
    hold different results of one id.

    Raises
    ------
    DataError
        Naming a file that is not as it should be, or the two places of a conflict.
    """
    done = Merged()
    with said(target):
        held = [_Side(target)]
    for source in sources:
        if source.name == target.name:
            raise DataError(f"registry {source.name}: it cannot be merged into itself")
        with said(source):
            held.append(_Side(source))
    known: dict[str, _Side] = {}
    for side in held:
        for name in sorted(side.ids):
            if name not in known:
                known[name] = side
                continue
            with said(side.store):
                same = _same(known[name], side, name)
            if not same:
                raise DataError(
                    f"result {name}: {known[name].where(name)} and {side.where(name)} differ; find "
                    "out which of them was changed ('bench registry verify'): nothing was merged"
                )
            done.there += 1
    for side in held[1:]:
        mine = frozenset(name for name in side.ids if known[name] is side)
        with said(target):
            _copy(side, target, mine)
        done.copied += len(mine)
    return done


class _Side:
    """One registry: its rows, where they lie, and their identity."""

    def __init__(self, store: Store) -> None:
        sound(store)
        self.store = store
        self.jobs, self.owners = read_jobs(store, names(store, "jobs"))
        ids, files = self.jobs["result_id"].to_pylist(), self.jobs["files"].to_pylist()
        self.files = {n: stated_files(f) for n, f in zip(ids, files, strict=True)}
        self.ids = frozenset(ids)
        self._packed: dict[str, dict[str, str]] = {}

    def pack_of(self, name: str) -> str | None:
        return next((pack for pack, ids in self.owners.packs.items() if name in ids), None)

    def where(self, name: str) -> str:
        return f"{self.store.name}/{table_path('jobs', self.pack_of(name) or name)}"

    def digest(self, name: str) -> str | None:
        """Digest of the result's own ``jobs`` file, which states all others; None if unknown."""
        pack = self.pack_of(name)
        if pack is None:
            manifest = read_manifest(self.store, name) if self.files[name] is not None else None
            return manifest.files[0].sha256 if manifest else None
        if pack not in self._packed:
            manifest = read_manifest(self.store, pack)
            self._packed[pack] = dict(manifest.results) if manifest else {}
        return self._packed[pack].get(name)

    def content(self, name: str) -> str:
        """All that the tables say of a result, in a form that can be compared."""
        one = frozenset([name])
        jobs = only(self.jobs, one)
        rows = {"jobs": jobs.drop_columns(_OWN)} | {
            table: read_rows(self.store, table, self.owners, one, stated_paths(jobs))
            for table in LOOSE_TABLES
        }
        return json.dumps({table: _canonical(part) for table, part in rows.items()})


def _canonical(table: pa.Table) -> list[Any]:
    rows = (json.dumps(row, sort_keys=True, default=str) for row in table.to_pylist())
    return sorted(rows)


def _same(one: _Side, other: _Side, name: str) -> bool:
    digests = one.digest(name), other.digest(name)
    if None not in digests and digests[0] == digests[1]:
        return True
    # rewritten from an older version, each by itself: the rows decide
    return one.content(name) == other.content(name)


def _copy(side: _Side, target: Store, chosen: frozenset[str]) -> None:
    """Copy results: single ones file by file, packed ones as a pack."""
    for name in sorted(side.owners.loose & chosen):
        files = side.files[name]
        with Writing(target, name) as writing:
            if files is None:
                jobs = only(side.jobs, frozenset([name]))
                copy_older(side.store, name, jobs, writing, side.ids)
            else:
                _copy_files(side.store, files, writing)
                jobs_file = side.store.read(table_path("jobs", name))
                decode("jobs", jobs_file)
                writing.finish(jobs_file)
    packed = chosen - side.owners.loose
    if packed:
        for name in sorted(packed):
            _copy_large(side.store, side.files[name] or [], target)
        for pack, ids in side.owners.packs.items():
            wanted = ids & packed
            if wanted:
                alone = Owners({pack: wanted}, frozenset())
                pack_results(side.store, target, side.jobs, alone, wanted)


def _copy_files(source: Store, files: Sequence[File], writing: Writing) -> None:
    for file in files:
        content = _verified(source, file)
        if content is not None:
            writing.keep(file.path, content)


def _copy_large(source: Store, files: Sequence[File], target: Store) -> None:
    """What no table holds of packed results, which goes before the pack."""
    for file in files:
        if file.path.startswith(BLOBS) and not target.exists(file.path):
            content = _verified(source, file)
            if content is not None:
                target.write(file.path, content)


def _verified(source: Store, file: File) -> bytes | None:
    """A file's content; None of arrays that were not kept."""
    if file.path.startswith("arrays/") and not source.exists(file.path):
        return None
    content = source.read(file.path)
    if not file.matches(content):
        raise DataError(f"{source.name}/{file.path}: changed; see 'bench registry verify'")
    return content
