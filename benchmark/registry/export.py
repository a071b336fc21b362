"""The registry's tables in formats that need no knowledge of it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from motifidelity.errors import DataError
from motifidelity.files import atomic_path


def export_tables(tables: Mapping[str, pa.Table], formats: list[str], out: Path) -> list[Path]:
    """Write each table as one file of each format, ``TABLE.FORMAT``.

    Parameters
    ----------
    tables : mapping of str to Table
    formats : list of str
        Of ``FORMATS``.
    out : Path
        Folder, made when it is missing; files of these names are replaced.

    Returns
    -------
    list of Path

    Raises
    ------
    DataError
        If the folder cannot be written.
    """
    written = []
    try:
        for kind in formats:
            for name, table in tables.items():
                target = out / f"{name}.{kind}"
                with atomic_path(target) as path:
                    FORMATS[kind](table, path)
                written.append(target)
    except OSError as error:
        raise DataError(
            f"export to {out}: {error.strerror or error}; choose another folder with --out"
        ) from error
    return written


def _csv(table: pa.Table, path: Path) -> None:
    """Lists become JSON text; times are ISO 8601 in UTC; what is null is empty."""
    for number, field in enumerate(table.schema):
        if pa.types.is_list(field.type):
            text = [None if v is None else json.dumps(v) for v in table[field.name].to_pylist()]
            table = table.set_column(number, field.name, pa.array(text, pa.string()))
        elif pa.types.is_timestamp(field.type):
            text = [None if v is None else _time(v) for v in table[field.name].to_pylist()]
            table = table.set_column(number, field.name, pa.array(text, pa.string()))
    pa.csv.write_csv(table, path)


def _json(table: pa.Table, path: Path) -> None:
    """An array of objects, one a line; what is not a number is null, as JSON has none."""
    with path.open("w", encoding="utf-8") as file:
        file.write("[")
        separator = "\n"
        for batch in table.to_batches(max_chunksize=10_000):
            for row in batch.to_pylist():
                file.write(separator + json.dumps({k: _plain(v) for k, v in row.items()}))
                separator = ",\n"
        file.write("\n]\n")


def _parquet(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, compression="zstd")


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, datetime):
        return _time(value)
    return value


def _time(value: datetime) -> str:
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


FORMATS: dict[str, Callable[[pa.Table, Path], None]] = {
    "csv": _csv,
    "json": _json,
    "parquet": _parquet,
}
