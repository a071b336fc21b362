"""Dataset cache: generated once, written atomically, checked by digest on every load."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motifidelity.errors import DataError
from motifidelity.files import atomic_folder, atomic_path, file_digest
from motifidelity.tasks.generate import Implants, Split, generate, motif_ids
from motifidelity.tasks.motifs import Motif, load_motifs
from motifidelity.tasks.spec import SPLITS, TaskSpec

CACHE_VARIABLE = "MOTIFIDELITY_CACHE"
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
    """Where a dataset lies: equal data lie once, whichever version of a task asks for them."""
    parent, digest = cache_folder() / "datasets", spec.dataset_digest[:12]
    alike = sorted(path for path in parent.glob(f"*-{digest}") if path.is_dir())
    return alike[0] if alike else parent / f"{spec.id}-{digest}"


def check_digests(spec: TaskSpec, splits: Mapping[str, Split]) -> Iterator[DigestCheck]:
    """Compare every array of a dataset with the digests that the specification locks."""
    for split in SPLITS:
        for array, found in array_digests(splits[split]).items():
            yield DigestCheck(split, array, spec.digests[split][array], found)


def array_digests(split: Split) -> dict[str, str]:
    """SHA-256 of each array of a split, and of its table of implants."""
    digests = {
        name: hashlib.sha256(np.ascontiguousarray(getattr(split, name)).tobytes()).hexdigest()
        for name in ("sequences", "labels", "truth")
    }
    table = np.stack([getattr(split.implants, key).astype("<i4") for key in IMPLANT_KEYS], axis=1)
    digests["implants"] = hashlib.sha256(np.ascontiguousarray(table).tobytes()).hexdigest()
    return digests


def _refuse_mismatch(spec: TaskSpec, splits: Mapping[str, Split]) -> None:
    for check in check_digests(spec, splits):
        if not check.matches:
            raise DataError(
                f"{spec.id}: generated {check.split} {check.array} has digest "
                f"{check.found[:12]}, locked is {check.locked[:12]}; reinstall the pinned numpy "
                "and pyjaspar (see constraints.txt)"
            )


def _arrays(split: Split) -> dict[str, NDArray[np.generic]]:
    arrays: dict[str, NDArray[np.generic]] = {
        name: getattr(split, name) for name in ("sequences", "labels", "truth")
    }
    for field in fields(Implants):
        arrays[f"implant_{field.name}"] = getattr(split.implants, field.name)
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
        for name in SPLITS:
            path = folder / f"{name}.npz"
            if file_digest(path) != digests[path.name]:
                return None
            with np.load(path, allow_pickle=False) as stored:
                implants = Implants(
                    **{field.name: stored[f"implant_{field.name}"] for field in fields(Implants)}
                )
                splits[name] = Split(
                    stored["sequences"], stored["labels"], stored["truth"], implants
                )
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None
    if not all(check.matches for check in check_digests(spec, splits)):
        return None
    return splits
