"""Reading a submission's folder that a stranger made.

Nothing is run and nothing is trusted: names and sizes are looked at before a file is opened, no
link is followed, and every file is read once, so that what was checked is what is used.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from motifidelity.errors import DataError
from motifidelity.files import LFS_POINTER, LFS_REMEDY
from motifidelity.phase.outputs import read_plain
from motifidelity.submitting.findings import Finding
from motifidelity.submitting.folder import FORMAT, LIMITS, MANIFEST, TABLES, VERSION, Contents
from motifidelity.untrusted import quoted
from motifidelity.worker.limits import FILE_NAME, MAX_MODEL_BYTES

MAX_ENTRIES = 64
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass
class Reading:
    """A folder as it was found: its contents where they are whole, and every problem."""

    contents: Contents | None = None
    findings: list[Finding] = field(default_factory=list)

    def problem(self, where: str, text: str, remedy: str = "") -> None:
        """Note a problem."""
        remedy = remedy or "make the folder anew with 'bench submit'"
        self.findings.append(Finding("digests", "problem", text, remedy, where))


def read_folder(folder: Path) -> Reading:
    """Read a folder and check every digest; each problem is named, and nothing is run.

    Raises
    ------
    DataError
        If there is no such folder.
    """
    reading = Reading()
    if folder.is_symlink():
        reading.problem(quoted(folder.name), "is a symbolic link, which is never followed")
        return reading
    sizes = _survey(folder, reading)
    if MANIFEST not in sizes:
        if not any(f.where == quoted(MANIFEST) for f in reading.findings):
            # of a folder that is something else nothing is judged, or advised to be removed
            reading.findings.clear()
            reading.problem(
                MANIFEST,
                "missing: no submission, or its manifest was removed",
                "give the folder that 'bench submit' made",
            )
        return reading
    manifest = _bytes(folder / MANIFEST, LIMITS[MANIFEST], reading)
    listed = _listed(manifest, reading) if manifest is not None else None
    if manifest is None or listed is None:
        return reading
    for name in sorted(sizes.keys() - listed.keys() - {MANIFEST}):
        reading.problem(
            quoted(name), "is not in the manifest", "remove it, or make the folder anew"
        )
    content: dict[str, bytes] = {}
    for name, (size, digest) in listed.items():
        if name not in sizes:
            reading.problem(name, "is in the manifest but missing or refused")
            continue
        found = _bytes(folder / name, LIMITS.get(name, MAX_MODEL_BYTES), reading)
        if found is None:
            continue
        if len(found) != size or hashlib.sha256(found).hexdigest() != digest:
            reading.problem(name, "was changed after it was submitted: its digest is another")
        content[name] = found
    if reading.findings:
        return reading
    reading.contents = _contents(hashlib.sha256(manifest).hexdigest(), content, reading)
    return reading


def _survey(folder: Path, reading: Reading) -> dict[str, int]:
    """Sizes of the files that may be opened, by name; everything else is a problem."""
    sizes: dict[str, int] = {}
    try:
        with os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if number >= MAX_ENTRIES:
                    reading.problem(folder.name, f"holds more than {MAX_ENTRIES} entries")
                    break
                if problem := _entry_problem(entry):
                    reading.problem(quoted(entry.name), problem, "remove it")
                else:
                    sizes[entry.name] = entry.stat(follow_symlinks=False).st_size
    except OSError as error:
        raise DataError(
            f"{folder}: {error.strerror or error}; give the folder that 'bench submit' made"
        ) from error
    return sizes


def _entry_problem(entry: os.DirEntry[str]) -> str | None:
    status = entry.stat(follow_symlinks=False)
    if stat.S_ISLNK(status.st_mode):
        return "is a symbolic link, which is never followed"
    if stat.S_ISDIR(status.st_mode):
        return "is a folder; a submission is flat"
    if not stat.S_ISREG(status.st_mode):
        return "is not a regular file"
    if status.st_nlink != 1:
        return "is a hard link"
    if entry.name not in LIMITS and not FILE_NAME.fullmatch(entry.name):
        return "is no file of a submission"
    limit = LIMITS.get(entry.name, MAX_MODEL_BYTES)
    if status.st_size > limit:
        return f"has {status.st_size:,} bytes, at most {limit:,} are allowed; it was not read"
    return None


def _bytes(path: Path, limit: int, reading: Reading) -> bytes | None:
    content = read_plain(path, limit + 1)
    if content is None or len(content) > limit:
        reading.problem(path.name, "cannot be read, or grew while it was read")
        return None
    if content.startswith(LFS_POINTER):
        text, remedy = LFS_REMEDY.split("; ")
        reading.problem(path.name, f"is {text}", remedy)
        return None
    return content


def _listed(manifest: bytes, reading: Reading) -> dict[str, tuple[int, str]] | None:
    """Size and digest of every file in the manifest; None where it is no manifest."""
    raw = _parse(MANIFEST, manifest, reading)
    if raw is None:
        return None
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        reading.problem(MANIFEST, f"is not a manifest of format {FORMAT}")
        return None
    version = raw.get("version")
    if type(version) is not int or version < 1:
        reading.problem(MANIFEST, f"has no valid version ({quoted(version, 40)})")
        return None
    if version > VERSION:
        reading.problem(
            MANIFEST,
            f"is of format version {version}, newer than {VERSION}, which this version reads",
            "upgrade the package: pip install --upgrade motifidelity",
        )
        return None
    files = raw.get("files")
    if not isinstance(files, dict):
        reading.problem(MANIFEST, "lists no files")
        return None
    listed = {}
    for name, entry in files.items():
        if problem := _listed_problem(name, entry):
            reading.problem(MANIFEST, f"{quoted(name)} {problem}")
        else:
            listed[name] = (entry["bytes"], entry["sha256"])
    models = [name for name in listed if name not in LIMITS]
    if len(models) != 1:
        reading.problem(MANIFEST, f"lists {len(models)} model files; one is expected")
    for name in LIMITS:
        if name != MANIFEST and name not in files:
            reading.problem(MANIFEST, f"does not list {name}")
    return listed


def _listed_problem(name: str, entry: Any) -> str | None:
    if "/" in name or "\\" in name or name in (".", "..") or Path(name).is_absolute():
        return "points outside the folder, or into another"
    if name == MANIFEST or (name not in LIMITS and not FILE_NAME.fullmatch(name)):
        return "is no file of a submission"
    if not isinstance(entry, dict) or type(entry.get("bytes")) is not int:
        return "has no size"
    if not isinstance(entry.get("sha256"), str) or not _DIGEST.fullmatch(entry["sha256"]):
        return "has no valid digest"
    return None


def _contents(seal: str, content: Mapping[str, bytes], reading: Reading) -> Contents | None:
    parsed = {name: _parse(name, text, reading) for name, text in content.items() if name in LIMITS}
    objects = {}
    for name in ("metadata", "environment"):
        objects[name] = parsed[f"{name}.json"]
        if not isinstance(objects[name], dict) and not reading.findings:
            reading.problem(f"{name}.json", "is not a JSON object")
    tables = {}
    for name in TABLES:
        rows = parsed[f"{name}.json"]
        if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
            tables[name] = rows
        elif not reading.findings:
            reading.problem(f"{name}.json", "is not a list of rows")
    if reading.findings:
        return None
    (model_name,) = (name for name in content if name not in LIMITS)
    return Contents(
        seal, model_name, content[model_name], objects["metadata"], objects["environment"], tables
    )


def _parse(name: str, content: bytes, reading: Reading) -> Any:
    """JSON of a file; None, and a problem, where it is not: no repeated key, no NaN."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a key stands twice")
        return found

    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is not JSON")

    try:
        return json.loads(content, object_pairs_hook=once, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        text = " ".join(str(error).split())[:80]
        reading.problem(name, f"is not JSON ({ascii(text)[1:-1]})")
        return None
