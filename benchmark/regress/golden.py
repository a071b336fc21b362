"""The committed record: every value with its tolerance, in one TOML file that people can review."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from motifidelity.errors import DataError
from motifidelity.files import LFS_POINTER, LFS_REMEDY, atomic_path
from motifidelity.regress.fingerprint import Observed

FILE = "regression.toml"
VERSION = 1
# a tolerance is this many times the range over repeated runs, and at least this share of the scale
FACTOR = 10.0
FLOOR = 1e-5
# kind, subject, name
Key = tuple[str, str, str]
Observations = Mapping[Key, Observed]


@dataclass(frozen=True)
class Recorded:
    """A recorded value; ``tolerance`` and ``spread`` (range over repeated runs) for numbers."""

    value: float | str
    tolerance: float = 0.0
    spread: float = 0.0


@dataclass(frozen=True)
class Golden:
    """The record: values by kind, subject and name, and how each kind was measured.

    ``files`` tells where the files of models that are not the suite's were: by name, a path from
    the record's folder.
    """

    records: Mapping[Key, Recorded] = field(default_factory=dict)
    measured: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


def measure(
    runs: Sequence[Observations], *, factor: float = FACTOR, floor: float = FLOOR
) -> dict[Key, Recorded]:
    """Values of the first run with tolerances measured over all of them.

    Parameters
    ----------
    runs : sequence of mappings
        The same observations of repeated runs; those that are not in all runs are left out.
    factor : float
        Multiple of the range over the runs that is tolerated.
    floor : float
        Share of an observation's scale that is tolerated at least.

    Returns
    -------
    dict

    Raises
    ------
    DataError
        If a text differs between runs: it cannot be recorded.
    """
    found = {}
    for key, first in runs[0].items():
        if not all(key in run for run in runs):
            continue
        values = [run[key].value for run in runs]
        if isinstance(first.value, str):
            if len(set(values)) > 1:
                raise DataError(
                    f"{' / '.join(key)} differs between repeated runs ({values[0]!r} and "
                    f"{next(v for v in values if v != values[0])!r}): it cannot be recorded"
                )
            found[key] = Recorded(first.value)
            continue
        numbers = [float(value) for value in values]
        spread = max(numbers) - min(numbers) if all(map(math.isfinite, numbers)) else 0.0
        tolerance = _round_up(max(factor * spread, floor * first.scale))
        found[key] = Recorded(float(first.value), tolerance, _round_up(spread))
    return found


def read_golden(folder: Path) -> Golden:
    """Read the record of a folder of baselines.

    Raises
    ------
    DataError
        If it is missing, damaged or newer than this version.
    """
    path = folder / FILE
    try:
        content = path.read_bytes()
        if content.startswith(LFS_POINTER):
            raise DataError(f"{path}: {LFS_REMEDY}")
        raw = tomllib.loads(content.decode("utf-8"))
        if raw["version"] > VERSION:
            raise DataError(f"{path}: written by a newer version; upgrade motifidelity")
        records = {
            (kind, subject, name): _recorded(value)
            for kind, subjects in raw["record"].items()
            for subject, values in subjects.items()
            for name, value in values.items()
        }
        files = {str(name): str(place) for name, place in raw.get("files", {}).items()}
        return Golden(records, dict(raw["measured"]), files)
    except FileNotFoundError as error:
        raise DataError(
            f"{path}: no such file; 'bench regress update --reason ... --against {folder}' "
            "records one"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        text = " ".join(str(error).split())[:120]
        raise DataError(f"{path}: damaged ({text}); take it from version control again") from error


def write_golden(folder: Path, golden: Golden) -> Path:
    """Write the record, sorted, so that a change of one value is a change of one line.

    Raises
    ------
    DataError
        If the folder cannot be written.
    """
    lines = [
        "# Written by 'bench regress update'; do not edit by hand.",
        "# name = text that must stay equal, or [value, tolerance, range over repeated runs]",
        f"version = {VERSION}",
        "",
        "[measured]",
        *(f"{_key(kind)} = {_key(how)}" for kind, how in sorted(golden.measured.items())),
    ]
    if golden.files:
        places = sorted(golden.files.items())
        lines += ["", "[files]", *(f"{_key(name)} = {_key(place)}" for name, place in places)]
    if not golden.records:
        lines += ["", "[record]"]
    last = None
    for (kind, subject, name), record in sorted(golden.records.items()):
        if (kind, subject) != last:
            lines += ["", f"[record.{_key(kind)}.{_key(subject)}]"]
            last = kind, subject
        lines.append(f"{_key(name)} = {_value(record)}")
    path = folder / FILE
    try:
        with atomic_path(path) as temporary:
            temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror or error})") from error
    return path


def _recorded(value: object) -> Recorded:
    if isinstance(value, str):
        return Recorded(value)
    if isinstance(value, list) and len(value) == 3:
        return Recorded(float(value[0]), float(value[1]), float(value[2]))
    raise ValueError(f"{value!r} is neither text nor [value, tolerance, range]")


def _value(record: Recorded) -> str:
    if isinstance(record.value, str):
        return _key(record.value)
    numbers = (record.value, record.tolerance, record.spread)
    return "[" + ", ".join(repr(float(number)) for number in numbers) + "]"


def _key(text: str) -> str:
    """A TOML string: JSON's escapes are TOML's, save for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _round_up(value: float) -> float:
    """Two significant digits, not smaller than the value but for rounding."""
    if value <= 0 or not math.isfinite(value):
        return 0.0
    digits = 1 - math.floor(math.log10(value))
    return math.ceil(value * 10**digits - 1e-9) / 10**digits if digits < 300 else value
