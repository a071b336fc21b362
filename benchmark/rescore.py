"""Score finished results again with today's metrics, without training."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Any

from motifidelity.errors import DataError
from motifidelity.evidence import gather_evidence
from motifidelity.executors.base import Executor
from motifidelity.intake import InvalidOutput
from motifidelity.jobs import (
    NO_SUPPORT,
    SAME_MODEL,
    filter_rows,
    probe_phase,
    read_probe,
    score_rows,
    unsupported_warnings,
)
from motifidelity.patterns import PATTERN_METRICS, pattern_scores, require_modisco
from motifidelity.provenance import code
from motifidelity.references import DIVISION, record_references
from motifidelity.registry import Registry, Result
from motifidelity.scoring import Truth, fits, present_classes, score_job
from motifidelity.scratch import scratch_folder
from motifidelity.tasks.dataset import load_dataset
from motifidelity.tasks.spec import find_spec

# what a later result of the same job takes over unchanged
_NEW = ("result_id", "status", "message", "traceback", "seconds_score", "task_digest")
Row = Mapping[str, Any]


def rescore(
    registry: Registry,
    executor: Executor,
    *,
    probe_again: bool = False,
    patterns: bool = False,
    note: Callable[[str], None] = lambda _: None,
) -> list[str]:
    """Score every result whose arrays or network are kept, and the ceilings and floors beside them.

    The old results stay as they are.

    Parameters
    ----------
    registry : Registry
    executor : Executor
        Probes a stored network where its arrays were not kept, or are not what the task asks for
        today.
    probe_again : bool
        Probe the stored networks even where arrays are kept.
    patterns : bool
        Discover motifs in the maps too; without it the scores of an earlier discovery are kept.
    note : callable
        Receives a line for each result that is looked at, and the reason where it stays.

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
    if patterns:
        require_modisco()
    tables = registry.latest("jobs", "history", "scores")
    history = tables["history"].to_pylist()
    discovered = [row for row in tables["scores"].to_pylist() if row["metric"] in PATTERN_METRICS]
    truths: dict[tuple[str, str], Truth] = {}
    written = []
    rows = tables["jobs"].to_pylist()
    for trials in _by_model(row for row in rows if row["division"] != DIVISION):
        key = (trials[0]["task"], trials[0]["profile"])
        if key not in truths:
            spec = find_spec(key[0])
            truths[key] = Truth(load_dataset(spec), spec.profile(key[1]))
        truth = truths[key]
        found = {}
        for row in trials:
            label = f"{row['model']} {row['params']} on {row['task']}, trial {row['trial']}"
            note(label)
            kept = _arrays(registry, row, truth, executor, probe_again)
            if kept is not None:
                found[row["result_id"]] = (row, *kept)
            elif row["status"] == "ok":
                note(
                    "  neither its network nor arrays that fit the task are kept; its scores stay "
                    "as they are"
                )
        for result_id, (row, arrays, warnings) in found.items():
            others = [other for name, (_, other, _) in found.items() if name != result_id]
            started = time.monotonic()
            scores = score_job(truth, arrays, others)
            job = {
                **{name: value for name, value in row.items() if name not in _NEW},
                "status": "ok",
                "task_digest": truth.spec.digest,
                "seconds_score": time.monotonic() - started,
                "warnings": warnings,
                "arrays_of": row["arrays_of"] or result_id,
                "scored_commit": code().commit,
                "scored_dirty": code().dirty,
            }
            epochs = [epoch for epoch in history if epoch["result_id"] == result_id]
            rows_of_scores = score_rows(scores.scores)
            if patterns:
                rows_of_scores += score_rows(pattern_scores(truth, arrays))
            else:
                rows_of_scores += [row for row in discovered if row["result_id"] == result_id]
            result = Result(
                job,
                rows_of_scores,
                filter_rows(scores),
                epochs,
                evidence=gather_evidence(truth, arrays),
            )
            written.append(registry.record(result))
    record_references(registry, truths.values(), again=True, note=note)
    return written


def _by_model(rows: Iterable[Row]) -> list[list[Row]]:
    """Rows of the trials of one model on one task together, in the order of their trials."""

    def model(row: Row) -> tuple[Any, ...]:
        return tuple(row[name] for name in SAME_MODEL)

    ordered = sorted(rows, key=lambda row: (*model(row), row["trial"]))
    return [list(trials) for _, trials in groupby(ordered, key=model)]


def _arrays(
    registry: Registry, row: Row, truth: Truth, executor: Executor, probe_again: bool
) -> tuple[dict[str, Any], list[str]] | None:
    """Arrays to score and the warnings that stand, or None where nothing of use is kept."""
    origin = row["arrays_of"] or row["result_id"]
    network = registry.network(origin)
    if registry.has_arrays(origin) and not (probe_again and network):
        arrays = registry.arrays(origin)
        if fits(truth, arrays):
            return arrays, row["warnings"]
    if network is None:
        return None
    with scratch_folder() as work:
        phase = probe_phase(truth, network["graph"], network["network"], work)
        done = executor.run(phase, lambda _: None)
        if done.status != "ok":
            raise DataError(f"{network['graph']}: cannot be probed again: {done.message}")
        try:
            probe = read_probe(truth, work / "probe")
        except InvalidOutput as error:
            raise DataError(f"{network['graph']}: {error}") from error
    kept = [text for text in row["warnings"] if NO_SUPPORT not in text]
    return present_classes(truth, probe.arrays), kept + unsupported_warnings(probe)
