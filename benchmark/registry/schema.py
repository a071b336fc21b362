"""Schema of the registry: explicit Arrow types, one integer version.

Whoever changes a table raises ``VERSION``, writes the step from the version before in
``upgrades.py``, and keeps a registry of that version under ``tests/data`` as its test. One more
column that may be null needs none of this: where a file lacks it, it is null.
"""

from __future__ import annotations

import pyarrow as pa

VERSION = 3

_KEYS = [pa.field("result_id", pa.string(), False), pa.field("job_id", pa.string(), False)]

# a file that belongs to a result, by its path in the registry
FILES = pa.list_(pa.struct([("path", pa.string()), ("size", pa.int64()), ("sha256", pa.string())]))

JOBS = pa.schema(
    [
        *_KEYS,
        pa.field("schema_version", pa.int32(), False),
        pa.field("task", pa.string(), False),
        pa.field("task_digest", pa.string(), False),
        pa.field("dataset_digest", pa.string(), False),
        pa.field("profile", pa.string(), False),
        pa.field("model", pa.string(), False),
        pa.field("model_file", pa.string(), False),
        pa.field("model_digest", pa.string(), False),
        pa.field("params", pa.string(), False),
        pa.field("trial", pa.int32(), False),
        pa.field("seed", pa.int64(), False),
        pa.field("status", pa.string(), False),
        pa.field("message", pa.string()),
        pa.field("traceback", pa.string()),
        pa.field("division", pa.string(), False),
        pa.field("runner", pa.string(), False),
        pa.field("isolation", pa.string(), False),
        pa.field("device", pa.string(), False),
        pa.field("backend", pa.string(), False),
        pa.field("started", pa.timestamp("ms", "UTC"), False),
        pa.field("seconds_fit", pa.float64()),
        pa.field("seconds_probe", pa.float64()),
        pa.field("seconds_score", pa.float64()),
        pa.field("peak_memory", pa.int64()),
        pa.field("epochs", pa.int32()),
        pa.field("best_epoch", pa.int32()),
        pa.field("num_weights", pa.int64()),
        pa.field("num_filters", pa.int32()),
        pa.field("authors", pa.string()),
        pa.field("url", pa.string()),
        pa.field("license", pa.string()),
        pa.field("environment", pa.string(), False),
        pa.field("commit", pa.string()),
        pa.field("dirty", pa.bool_()),
        pa.field("worker_digest", pa.string(), False),
        pa.field("image_digest", pa.string()),
        pa.field("warnings", pa.list_(pa.string()), False),
        # of a result that was scored again: whose arrays and network it uses, by which harness
        pa.field("arrays_of", pa.string()),
        pa.field("scored_commit", pa.string()),
        pa.field("scored_dirty", pa.bool_()),
        # of a job that ran in a container: its sandbox, what was wider than standard, its GPUs
        pa.field("policy", pa.string()),
        pa.field("widened", pa.list_(pa.string())),
        pa.field("gpus", pa.string()),
        # every other file of the result; null where it was recorded before there were digests
        pa.field("files", FILES),
    ]
)

SCORES = pa.schema(
    [
        *_KEYS,
        pa.field("family", pa.string(), False),
        pa.field("metric", pa.string(), False),
        pa.field("definition", pa.string(), False),
        pa.field("method", pa.string()),
        # how maps were read; null of a score that is of no map
        pa.field("reading", pa.string()),
        pa.field("target", pa.string()),
        pa.field("value", pa.float64(), False),
        pa.field("sd", pa.float64()),
        pa.field("n", pa.int64(), False),
        pa.field("metric_version", pa.int32(), False),
    ]
)

FILTERS = pa.schema(
    [
        *_KEYS,
        pa.field("filter", pa.int32(), False),
        pa.field("definition", pa.string(), False),
        pa.field("num_sites", pa.int64(), False),
        pa.field("ppm", pa.list_(pa.float32()), False),
        pa.field("width", pa.int32(), False),
        pa.field("information", pa.float64(), False),
        pa.field("best_hit", pa.string()),
        pa.field("best_hit_name", pa.string()),
        pa.field("evalue", pa.float64()),
        pa.field("strand", pa.string()),
        pa.field("offset", pa.int32()),
        pa.field("overlap", pa.int32()),
        pa.field("true_tf", pa.string()),
        pa.field("true_evalue", pa.float64()),
    ]
)

HISTORY = pa.schema(
    [
        *_KEYS,
        pa.field("epoch", pa.int32(), False),
        pa.field("loss", pa.float64()),
        pa.field("val_loss", pa.float64()),
        pa.field("val_auroc", pa.float64()),
        pa.field("val_aupr", pa.float64()),
        # of a regression, in place of the two
        pa.field("val_pearson", pa.float64()),
        pa.field("learning_rate", pa.float64()),
        pa.field("seconds", pa.float64()),
    ]
)

TABLES = {"jobs": JOBS, "scores": SCORES, "filters": FILTERS, "history": HISTORY}
