"""Rows and results of every shape that the registry's schema allows, with real values."""

from __future__ import annotations

from datetime import UTC, datetime

from motifidelity.registry import Result, schema

STARTED = datetime(2025, 3, 1, 12, 30, 15, 250000, tzinfo=UTC)
TABLES = ("jobs", "scores", "filters", "history")
# what the registry itself fills in
KEYS = ("result_id", "job_id", "schema_version", "files")
# a value of each type, so that a row can be made for any schema
FILLED = {
    "string": "text",
    "int32": 3,
    "int64": 1 << 40,
    "double": 0.1,
    "float": 0.5,
    "bool": True,
    "timestamp[ms, tz=UTC]": STARTED,
    "list<item: string>": ["one", "two"],
    "list<item: float>": [0.25, 0.5],
}


def row(table, *, full=True, **values):
    """A row of a table: every column filled, or only those that may not be empty."""
    fields = [f for f in schema.TABLES[table] if f.name not in KEYS]
    filled = {
        f.name: FILLED[str(f.type).replace("element:", "item:")]
        for f in fields
        if (full and f.name != "arrays_of") or not f.nullable
    }
    if "reading" in filled:
        filled["reading"] = "own"
    return {**{f.name: None for f in fields}, **filled, **values}


def result(job_id="a" * 24, *, status="ok", value=0.75, files=(), arrays=None, **job):
    return Result(
        {**row("jobs", status=status), "job_id": job_id, **job},
        scores=[
            row("scores", metric="auroc", value=value),
            row("scores", full=False, metric="aupr", value=float("nan")),
        ],
        filters=[row("filters", filter=0), row("filters", full=False, filter=1)],
        history=[row("history", epoch=1), row("history", full=False, epoch=2)],
        files=files,
        arrays=arrays,
    )


def failure(job_id, status="model_error"):
    job = row("jobs", full=False, status=status, message="CNN: it failed", traceback="line\nline")
    return Result({**job, "job_id": job_id})


def one_line(error, *parts):
    message = str(error.value)
    assert "\n" not in message
    for part in parts:
        assert str(part) in message
    assert error.value.exit_code == 1
