"""One Parquet file of the registry: its bytes, and the table that they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from motifidelity.registry import schema
from motifidelity.registry.upgrades import upgrade

STAMP = b"motifidelity_schema"
_BIG = 1 << 20


class NewerSchema(ValueError):
    """A file that a later version of this package wrote."""


def from_rows(name: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows as a table of the present schema; columns that a row lacks are null."""
    return pa.Table.from_pylist(list(rows), schema=schema.TABLES[name])


def encode(name: str, table: pa.Table) -> bytes:
    """A table as the bytes of a file that states its version and checksums its pages."""
    stamped = schema.TABLES[name].with_metadata({STAMP: str(schema.VERSION)})
    sink = pa.BufferOutputStream()
    pq.write_table(
        pa.Table.from_batches(table.to_batches(), stamped),
        sink,
        compression="zstd",
        write_page_checksum=True,
    )
    content: bytes = sink.getvalue().to_pybytes()
    return content


def decode(name: str, content: bytes) -> pa.Table:
    """The table that a file holds, upgraded to the present schema.

    Raises
    ------
    NewerSchema
        If a later version wrote it.
    ValueError, ArrowException, OSError
        If it is damaged, or no file of this table.
    """
    file = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
    version = stated_version(file.schema_arrow)
    if version > schema.VERSION:
        raise NewerSchema(f"schema {version}; this version reads up to {schema.VERSION}")
    expected = schema.TABLES[name]
    found = file.schema_arrow
    exact = version == schema.VERSION and found.equals(expected)
    if not exact:
        for column in expected:
            if not column.nullable and column.name not in found.names:
                raise ValueError(f"it has no column {column.name}")
    table = file.read(use_threads=len(content) > _BIG).replace_schema_metadata(None)
    if exact:
        return table
    return _conform(upgrade(name, table, version), expected)


def stated_version(found: pa.Schema) -> int:
    """The version that a file states; the first one stated none.

    Raises
    ------
    ValueError
        If it states no number.
    """
    return int((found.metadata or {}).get(STAMP, b"1"))


def _conform(table: pa.Table, expected: pa.Schema) -> pa.Table:
    for column in expected:
        if column.name not in table.column_names:
            if not column.nullable:
                raise ValueError(f"it has no column {column.name}")
            table = table.append_column(column, pa.nulls(table.num_rows, column.type))
        elif not column.nullable and table[column.name].null_count:
            raise ValueError(f"column {column.name} has empty cells")
    table = table.select(expected.names)
    return table if table.schema.equals(expected) else table.cast(expected)
