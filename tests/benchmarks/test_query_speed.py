"""A million scores: averaging them through ``results`` against plain pyarrow, side by side."""

from __future__ import annotations

import time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from side_by_side import measure_until

from motifidelity.registry import schema
from motifidelity.summary.query import results

JOBS, METRICS, CLASSES = 2000, 20, 25
KEYS = ["task", "model", "params", "metric", "method"]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Two Parquet files of 2,000 jobs and 1,000,000 scores, read anew at each question."""
    folder = tmp_path_factory.mktemp("million")
    ids = [f"{i:024x}-20260301T000000000000-{i:06x}" for i in range(JOBS)]
    empty = {"string": "", "int32": 0, "int64": 0, "timestamp[ms, tz=UTC]": 0, "bool": False}
    columns = {}
    for field in schema.JOBS:
        fill = empty.get(str(field.type)) if not field.nullable else None
        if field.name == "warnings":
            fill = []
        columns[field.name] = [fill] * JOBS
    columns |= {"result_id": ids, "job_id": [i[:24] for i in ids], "status": ["ok"] * JOBS}
    columns["model"] = [f"model {i // 10 % 50}" for i in range(JOBS)]
    columns["params"] = [f'{{"units": {i // 500}}}' for i in range(JOBS)]
    columns["task"] = ["motif-classes@1"] * JOBS
    columns["profile"] = ["full"] * JOBS
    columns["trial"] = columns["seed"] = [i % 10 for i in range(JOBS)]
    jobs = pa.table(columns, schema=schema.JOBS)
    n = JOBS * METRICS * CLASSES
    result = np.repeat(np.arange(JOBS), METRICS * CLASSES)
    metric = np.tile(np.repeat(np.arange(METRICS), CLASSES), JOBS)
    target = np.tile(np.arange(CLASSES), JOBS * METRICS)

    def named(codes, names):
        return pa.DictionaryArray.from_arrays(codes.astype(np.int32), names).cast(pa.string())

    targets = pa.array([None, *(f"class {i}" for i in range(1, CLASSES))])
    scores = pa.table(
        {
            "result_id": named(result, pa.array(ids)),
            "job_id": named(result, pa.array([i[:24] for i in ids])),
            "family": pa.repeat("accuracy", n),
            "metric": named(metric, pa.array([f"metric {i}" for i in range(METRICS)])),
            "definition": pa.repeat("standard", n),
            "method": pa.nulls(n, pa.string()),
            "target": named(target, targets),
            "value": np.random.default_rng(0).random(n),
            "sd": pa.nulls(n, pa.float64()),
            "n": pa.repeat(1, n),
            "metric_version": pa.repeat(pa.scalar(1, pa.int32()), n),
            "reading": pa.nulls(n, pa.string()),
        },
        schema=schema.SCORES,
    )
    for name, table in (("jobs", jobs), ("scores", scores)):
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
    return Files(folder)


class Files:
    """A registry's tables in one file each."""

    def __init__(self, folder):
        self.folder = folder

    def latest(self, *names):
        return {name: pq.read_table(self.folder / f"{name}.parquet") for name in names}


def test_a_million_scores_are_averaged_near_the_speed_of_plain_pyarrow(source, benchmark):
    def plain():
        tables = source.latest("jobs", "scores")
        scores = tables["scores"].filter(pc.is_valid(tables["scores"]["value"]))
        jobs = tables["jobs"].select(["result_id", "task", "model", "params"])
        joined = scores.join(jobs, "result_id", join_type="inner")
        grouped = joined.group_by([*KEYS, "target"])
        return grouped.aggregate([("value", "mean"), ("value", "stddev"), ("value", "count")])

    def query():
        return results(source, per_class=True)

    assert len(query()) == plain().num_rows == METRICS * CLASSES * JOBS // 10
    times = {query: [], plain: []}

    def side_by_side():
        for function, seconds in times.items():
            started = time.perf_counter()
            function()
            seconds.append(time.perf_counter() - started)

    # the rest is the rules for which results count, intervals and a data frame of 100,000 rows
    measure_until(benchmark, side_by_side, lambda: min(times[query]) / min(times[plain]), 2.0, 6)
