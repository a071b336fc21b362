"""Dataset cache: generated once, written atomically, checked by digest on every load."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motifidelity.errors import DataError
from motifidelity.files import atomic_folder, atomic_path, file_digest
from motifidelity.tasks.generate import Decoys, Implants, Split, generate, motif_ids
from motifidelity.tasks.motifs import Motif, load_motifs
from motifidelity.tasks.sound import refuse_unsound
from motifidelity.tasks.spec import TaskSpec, is_own

CACHE_VARIABLE = "MOTIFIDELITY_CACHE"
# of a stored array's name
IMPLANT, DECOY = "implant_", "decoy_"
IMPLANT_KEYS = ("sequence", "motif", "strand", "start", "end")


@dataclass(frozen=True, eq=False)
class Dataset:
    """A task's splits together with the matrices that they were made from."""

    spec: TaskSpec
    splits: Mapping[str, Split]
    motifs: Mapping[str, Motif]

    @property
    def implanted(self) -> list[Motif]:
        """Matrices that ``Implants.motif`` counts through."""
        return [self.motifs[i] for i in motif_ids(self.spec)]


@dataclass(frozen=True)
class DigestCheck:
    """One locked digest beside the one that was found."""

    split: str
    array: str
    locked: str
    found: str

    @property
    def matches(self) -> bool:
        """Whether both are equal."""
        return self.locked == self.found


def cache_folder() -> Path:
    """Folder of the cache: ``MOTIFIDELITY_CACHE``, or the user's cache folder."""
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen).expanduser()
    import platformdirs

    return platformdirs.user_cache_path("motifidelity")


def load_dataset(spec: TaskSpec) -> Dataset:
    """Dataset of a task, from the cache where it is whole, generated anew where it is not.

    Two processes that start at once generate it once: the second waits for the first.

    Raises
    ------
    DataError
        If the cache cannot be written, or if a freshly generated dataset does not match the
        locked digests.
    """
    from filelock import FileLock

    motifs = load_motifs(spec.motifs)
    folder = _folder(spec)
    splits = _read(folder, spec)
    if splits is None:
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{folder}.lock"):
                splits = _read(folder, spec)
                if splits is None:
                    if is_own(spec):
                        refuse_unsound(spec, motifs)
                    splits = generate(spec, motifs)
                    _refuse_mismatch(spec, splits)
                    _write(folder, splits)
        except OSError as error:
            raise _unwritable(folder.parent, error) from error
    return Dataset(spec, splits, motifs)


def require_cache(specs: Iterable[TaskSpec]) -> None:
    """Make sure, before anything is trained, that data are cached or can be.

    Raises
    ------
    DataError
        If a dataset is not there and none can be written.
    """
    for folder in {_folder(spec) for spec in specs}:
        if os.access(folder / "digests.json", os.R_OK):
            continue
        try:
            with atomic_path(folder.parent / ".writable") as probe:
                probe.write_bytes(b"")
            (folder.parent / ".writable").unlink(missing_ok=True)
        except OSError as error:
            raise _unwritable(folder.parent, error) from error


def _unwritable(cache: Path, error: OSError) -> DataError:
    return DataError(
        f"cache {cache}: {error.strerror or error}; free some space or set {CACHE_VARIABLE} to a "
        "folder that can be written"
    )


def _folder(spec: TaskSpec) -> Path:
    """Where a dataset lies: equal data lie once, whichever version of a task asks for them.

    Those of a user's own task lie by all values of its file, which may be changed after it was
    locked: what was cached before must not hide that.
    """
    if is_own(spec):
        return cache_folder() / "datasets" / f"{spec.id}-{spec.digest[:12]}"
    parent, digest = cache_folder() / "datasets", spec.dataset_digest[:12]
    alike = sorted(path for path in parent.glob(f"*-{digest}") if path.is_dir())
    return alike[0] if alike else parent / f"{spec.id}-{digest}"


def check_digests(spec: TaskSpec, splits: Mapping[str, Split]) -> Iterator[DigestCheck]:
    """Compare every array of a dataset with the digests that the specification locks."""
    for split in spec.sets:
        for array, found in array_digests(splits[split]).items():
            yield DigestCheck(split, array, spec.digests[split][array], found)


def array_digests(split: Split) -> dict[str, str]:
    """SHA-256 of each array of a split, and of its table of implants."""
    digests = {
        name: hashlib.sha256(np.ascontiguousarray(getattr(split, name)).tobytes()).hexdigest()
        for name in ("sequences", "labels", "truth")
    }
    digests["implants"] = _table_digest(split.implants, IMPLANT_KEYS)
    if split.decoys is not None:
        digests["decoys"] = _table_digest(split.decoys, (*IMPLANT_KEYS, "kind"))
    return digests


def _table_digest(sites: Implants, keys: Sequence[str]) -> str:
    table = np.stack([getattr(sites, key).astype("<i4") for key in keys], axis=1)
    return hashlib.sha256(np.ascontiguousarray(table).tobytes()).hexdigest()


def _refuse_mismatch(spec: TaskSpec, splits: Mapping[str, Split]) -> None:
    for check in check_digests(spec, splits):
        if not check.matches:
            remedy = "reinstall the pinned numpy and pyjaspar (see constraints.txt)"
            if is_own(spec):
                remedy = (
                    "a value of its file was changed after it was locked: change it back, or give "
                    "the file the next version, delete its [digests] and lock it anew"
                )
            raise DataError(
                f"{spec.id}: generated {check.split} {check.array} has digest "
                f"{check.found[:12]}, locked is {check.locked[:12]}; {remedy}"
            )


def _arrays(split: Split) -> dict[str, NDArray[np.generic]]:
    arrays: dict[str, NDArray[np.generic]] = {
        name: getattr(split, name) for name in ("sequences", "labels", "truth")
    }
    for prefix, sites in ((IMPLANT, split.implants), (DECOY, split.decoys)):
        if sites is not None:
            arrays |= {prefix + f.name: getattr(sites, f.name) for f in fields(sites)}
    return arrays


def _write(folder: Path, splits: Mapping[str, Split]) -> None:
    with atomic_folder(folder) as temporary:
        digests = {}
        for name, split in splits.items():
            path = temporary / f"{name}.npz"
            np.savez(path, allow_pickle=False, **_arrays(split))
            digests[path.name] = file_digest(path)
        (temporary / "digests.json").write_text(json.dumps(digests, indent=1), encoding="utf-8")


def _read(folder: Path, spec: TaskSpec) -> dict[str, Split] | None:
    """Splits from the cache, or None where a file is missing or damaged."""
    try:
        digests = json.loads((folder / "digests.json").read_text(encoding="utf-8"))
        splits = {}
        for name in spec.sets:
            path = folder / f"{name}.npz"
            if file_digest(path) != digests[path.name]:
                return None
            with np.load(path, allow_pickle=False) as stored:
                splits[name] = Split(
                    stored["sequences"],
                    stored["labels"],
                    stored["truth"],
                    Implants(**_columns(stored, IMPLANT)),
                    Decoys(**_columns(stored, DECOY)) if f"{DECOY}kind" in stored else None,
                )
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None
    if not all(check.matches for check in check_digests(spec, splits)):
        return None
    return splits


def _columns(stored: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): stored[name] for name in stored if name.startswith(prefix)}
