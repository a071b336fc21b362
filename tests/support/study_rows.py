"""Results of the study's networks with scores that a test chooses."""

from __future__ import annotations

import hashlib
import json

import registry_rows as rr

from motifidelity.registry import Result
from motifidelity.study.claims import NETWORKS


def add(registry, model, activation, trial, scores, **job):
    """Add a result and return its id.

    `scores` are values by (metric, method) or (metric, method, reading), `job` overrides what it
    says.
    """
    stated = {
        "task": NETWORKS.get(model),
        "model": model,
        "params": json.dumps({"activation": activation}),
        "trial": trial,
        "seed": trial,
        "profile": "full",
        "division": "closed",
        "status": "ok",
        "backend": "tensorflow",
        "epochs": 10,
        "seconds_fit": 60.0,
        **job,
    }
    text = json.dumps([stated[key] for key in sorted(stated)], default=str)
    return registry.record(
        Result(
            {
                **rr.row("jobs", full=False, **stated),
                "job_id": hashlib.sha256(text.encode()).hexdigest()[:24],
            },
            scores=[
                rr.row(
                    "scores",
                    full=False,
                    metric=metric,
                    method=method or None,
                    reading=reading[0] if reading else None,
                    value=value,
                )
                for (metric, method, *reading), value in scores.items()
            ],
        )
    )
