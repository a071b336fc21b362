"""A submission's folder: its format, and the writing of one.

A folder is flat. Beside the model file it holds ``metadata.json`` (name, authors, licence),
``environment.json``, ``check.json`` (what ``bench check`` found), the tables ``jobs.json``,
``scores.json``, ``filters.json`` and ``history.json``, and ``manifest.json`` with size and SHA-256
of every other file. Tables are JSON, a row a line, so that a reviewer reads a change in a diff.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from motifidelity.errors import DataError
from motifidelity.files import atomic_folder
from motifidelity.worker.limits import MAX_MODEL_BYTES

FORMAT = "motifidelity-submission"
VERSION = 1
MANIFEST = "manifest.json"
TABLES = ("jobs", "scores", "filters", "history")
MIB = 1 << 20
LIMITS = {
    MANIFEST: MIB // 16,
    "metadata.json": MIB // 16,
    "environment.json": MIB,
    "check.json": MIB,
    "jobs.json": 16 * MIB,
    "scores.json": 64 * MIB,
    "filters.json": 64 * MIB,
    "history.json": 16 * MIB,
}


@dataclass(frozen=True)
class Contents:
    """What a folder holds, each file checked against the manifest.

    Attributes
    ----------
    seal : str
        SHA-256 of the manifest, and so of everything.
    model_name : str
    model : bytes
    metadata, environment : mapping
    tables : mapping of str to list of dict
        Rows by table; ``job`` of the others is a row's number in ``jobs``.
    """

    seal: str
    model_name: str
    model: bytes
    metadata: Mapping[str, Any]
    environment: Mapping[str, Any]
    tables: Mapping[str, list[dict[str, Any]]]


def write_folder(
    target: Path,
    model: Path,
    metadata: Mapping[str, Any],
    environment: Mapping[str, Any],
    check: Mapping[str, Any],
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
) -> str:
    """Write a submission's folder, as a whole or not at all.

    Returns
    -------
    str
        The seal: SHA-256 of its manifest.

    Raises
    ------
    DataError
        If the target exists already or cannot be written.
    """
    files = {
        model.name: model.read_bytes(),
        "metadata.json": _pretty(metadata),
        "environment.json": _pretty(environment),
        "check.json": _pretty(check),
        **{f"{name}.json": _table(tables.get(name, ())) for name in TABLES},
    }
    for name, content in files.items():
        limit = LIMITS.get(name, MAX_MODEL_BYTES)
        if len(content) > limit:
            raise DataError(
                f"{name} would have {len(content):,} bytes, at most {limit:,} are allowed; submit "
                "fewer parameter sets in one folder, with --param"
            )
    manifest = _pretty(
        {
            "format": FORMAT,
            "version": VERSION,
            "files": {
                name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
                for name, content in sorted(files.items())
            },
        }
    )
    refuse_existing(target)
    try:
        with atomic_folder(target) as folder:
            for name, content in {**files, MANIFEST: manifest}.items():
                (folder / name).write_bytes(content)
    except OSError as error:
        raise DataError(
            f"{target}: cannot be written ({error.strerror or error}); choose another folder with "
            "--out"
        ) from error
    return hashlib.sha256(manifest).hexdigest()


def refuse_existing(target: Path) -> None:
    """Refuse to write a submission over something that is there.

    Raises
    ------
    DataError
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise DataError(f"{target}: exists already; choose another folder with --out")


def _pretty(value: Mapping[str, Any]) -> bytes:
    text = json.dumps(value, indent=1, sort_keys=True, default=_plain, ensure_ascii=True)
    return (text + "\n").encode()


def _table(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows as a JSON list, one a line; what is not a number (nan) is null."""
    lines = [json.dumps(_finite(row), default=_plain, ensure_ascii=True) for row in rows]
    return ("[\n" + ",\n".join(lines) + "\n]\n").encode()


def _finite(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in row.items()
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a submission")
