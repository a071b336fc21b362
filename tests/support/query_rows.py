"""Rows of jobs and scores with what a question hangs on, all else filled in."""

from __future__ import annotations

from datetime import UTC, datetime

from motifidelity.registry import schema

STARTED = datetime(2026, 3, 1, tzinfo=UTC)
FILLED = {"string": "", "int32": 1, "int64": 1, "double": 0.0, "timestamp[ms, tz=UTC]": STARTED}


def job(model, trial, **values):
    row = {}
    for field in schema.JOBS:
        if not field.nullable and field.name not in ("result_id", "schema_version"):
            row[field.name] = FILLED.get(str(field.type), [])
    row |= {"task": "motif-classes@1", "profile": "full", "model": model, "params": "{}"}
    row |= {"trial": trial, "seed": trial, "status": "ok", "division": "closed"}
    row |= {"isolation": "none", "model_digest": model * 4, "started": STARTED}
    row |= {"job_id": f"{model}-{trial}-{len(values)}"}
    return row | values


def score(metric, value, method=None, target=None, **values):
    family = "accuracy" if metric in ("auroc", "aupr") else "attribution"
    row = {"family": family, "metric": metric, "definition": "standard", "method": method}
    row |= {"target": target, "value": value, "sd": None, "n": 1, "metric_version": 1}
    return row | values
