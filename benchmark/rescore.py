"""Score finished results again with today's metrics, without training."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from motifidelity.errors import DataError
from motifidelity.executors.base import Executor
from motifidelity.intake import InvalidOutput
from motifidelity.jobs import filter_rows, probe_phase, read_probe, score_rows
from motifidelity.provenance import code
from motifidelity.registry import Registry, Result
from motifidelity.scoring import Truth, present_classes, score_job
from motifidelity.tasks.dataset import load_dataset
from motifidelity.tasks.spec import find_spec

# what a later result of the same job takes over unchanged
_NEW = ("result_id", "status", "message", "traceback", "seconds_score", "task_digest")


def rescore(registry: Registry, executor: Executor, *, probe_again: bool = False) -> list[str]:
    """Score every result whose arrays or network are kept; the old results stay as they are.

    Parameters
    ----------
    registry : Registry
    executor : Executor
        Probes a stored network where its arrays were not kept.
    probe_again : bool
        Probe the stored networks even where arrays are kept.

    Returns
    -------
    list of str
        Ids of the new results.

    Raises
    ------
    DataError
        If a kept network cannot be probed, or the registry cannot be written.
    """
    registry.prepare()
    tables = registry.latest("jobs", "history")
    history = tables["history"].to_pylist()
    truths: dict[tuple[str, str], Truth] = {}
    written = []
    for row in tables["jobs"].to_pylist():
        origin = row["arrays_of"] or row["result_id"]
        network = registry.network(origin)
        kept = registry.has_arrays(origin)
        if not kept and network is None:
            continue
        key = (row["task"], row["profile"])
        if key not in truths:
            spec = find_spec(row["task"])
            truths[key] = Truth(load_dataset(spec), spec.profile(row["profile"]))
        truth = truths[key]
        if network is not None and (probe_again or not kept):
            arrays = _probe(truth, network, executor)
        else:
            arrays = registry.arrays(origin)
        started = time.monotonic()
        scores = score_job(truth, arrays)
        job = {
            **{name: value for name, value in row.items() if name not in _NEW},
            "status": "ok",
            "task_digest": truth.spec.digest,
            "seconds_score": time.monotonic() - started,
            "arrays_of": origin,
            "scored_commit": code().commit,
        }
        epochs = [epoch for epoch in history if epoch["result_id"] == row["result_id"]]
        result = Result(job, score_rows(scores), filter_rows(scores), epochs)
        written.append(registry.record(result))
    return written


def _probe(truth: Truth, network: dict[str, Path], executor: Executor) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="motifidelity-") as name:
        work = Path(name)
        phase = probe_phase(truth, network["graph"], network["network"], work)
        done = executor.run(phase, lambda _: None)
        if done.status != "ok":
            raise DataError(f"{network['graph']}: cannot be probed again: {done.message}")
        try:
            return present_classes(truth, read_probe(truth, work / "probe").arrays)
        except InvalidOutput as error:
            raise DataError(f"{network['graph']}: {error}") from error
