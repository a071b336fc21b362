"""Steps from each version of the registry's schema to the next: pure functions of Arrow tables.

A step sees one table of one file, whatever columns that file has, and gives what the next version
would have written. What a file of that version could not know becomes null.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from motifidelity.registry import schema

Step = Callable[[str, pa.Table], pa.Table]


def upgrade(name: str, table: pa.Table, version: int) -> pa.Table:
    """A table of an older version as the present version has it.

    Parameters
    ----------
    name : str
        Which table of the registry.
    table : Table
    version : int
        The version that its file states; 1 where it states none.

    Raises
    ------
    ValueError
        If there is no step from that version.
    """
    while version < schema.VERSION:
        if version not in STEPS:
            raise ValueError(f"schema version {version} is unknown")
        table = STEPS[version](name, table)
        version += 1
    return table


def _to_2(name: str, table: pa.Table) -> pa.Table:
    """Version 2 states the digest of every file; version 1 gained columns while it was current."""
    if name != "jobs":
        return table
    gained = {
        "arrays_of": pa.string(),
        "scored_commit": pa.string(),
        "policy": pa.string(),
        "widened": pa.list_(pa.string()),
        "gpus": pa.string(),
        "scored_dirty": pa.bool_(),
        "files": pa.list_(
            pa.struct([("path", pa.string()), ("size", pa.int64()), ("sha256", pa.string())])
        ),
    }
    for column, kind in gained.items():
        if column not in table.column_names:
            table = table.append_column(column, pa.nulls(table.num_rows, kind))
    return _stated(table, 2)


def _to_3(name: str, table: pa.Table) -> pa.Table:
    """Version 3 names how maps were read: until then in their method's own way alone."""
    if name == "jobs":
        return _stated(table, 3)
    if name != "scores":
        return table
    maps = pc.and_(pc.equal(table["family"], "attribution"), pc.is_valid(table["method"]))
    own = pc.if_else(maps, pa.scalar("own"), pa.scalar(None, pa.string()))
    return table.append_column("reading", own)


def _stated(table: pa.Table, version: int) -> pa.Table:
    stated = pa.array([version] * table.num_rows, pa.int32())
    place = table.column_names.index("schema_version")
    return table.set_column(place, pa.field("schema_version", pa.int32(), False), stated)


STEPS: dict[int, Step] = {1: _to_2, 2: _to_3}
