"""Score finished results again with today's metrics, without training."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import compress, groupby
from typing import Any

from motifidelity.entries import DIVISION
from motifidelity.errors import DataError, UserError
from motifidelity.metrics.gates import GATES, SCAN_LEARNED
from motifidelity.phase.interface import Executor
from motifidelity.provenance import code
from motifidelity.registry import Registry, Result
from motifidelity.registry.counting import ORDER, which_count
from motifidelity.runs.ceilings import record_references
from motifidelity.runs.intake import InvalidOutput
from motifidelity.runs.phases import probe_kept
from motifidelity.runs.recording import (
    BY_GRADIENT,
    NO_SUPPORT,
    NOT_READ,
    READ_IN_PART,
    score_rows,
    scored_result,
    unsupported_warnings,
)
from motifidelity.runs.versions import asked_alike, take_networks
from motifidelity.scoring.discovery import PATTERN_METRICS, pattern_scores, require_modisco
from motifidelity.scoring.score import score_trials
from motifidelity.scoring.truth import Truth, fits, present_classes
from motifidelity.scratch import scratch_folder
from motifidelity.summary.runs import RUN_KEY
from motifidelity.tasks.dataset import load_dataset
from motifidelity.tasks.spec import TaskSpec, find_spec
from motifidelity.worker.arrays import UNTRAINED_SITES

# what a later result of the same job takes over unchanged
_NEW = ("result_id", "status", "message", "traceback", "seconds_score", "task_digest")
_PROBED = "its network was probed again"
# scores of what is not kept (a discovery, the network before its training): they may stand
_UNTRAINED = GATES[SCAN_LEARNED].metric
_CARRIED = (*PATTERN_METRICS, _UNTRAINED)
# warnings that a new probe says again, or no longer
_OF_PROBE = (BY_GRADIENT, NO_SUPPORT, NOT_READ, READ_IN_PART, _PROBED)
Row = Mapping[str, Any]


@dataclass
class Rescored:
    """What became of the results that were looked at.

    Attributes
    ----------
    written : list of str
        Ids of the new results.
    failed : int
        Results that could not be scored again and stay as they are.
    """

    written: list[str] = field(default_factory=list)
    failed: int = 0


@dataclass(frozen=True)
class _Kept:
    """Arrays of a result to score.

    Attributes
    ----------
    arrays : dict of str to ndarray
        As ``score_job`` takes them.
    recorded : bool
        Whether the new result keeps them itself: those of ``arrays_of`` are others.
    columns : mapping of str
        What a new probe changes of the row.
    """

    arrays: dict[str, Any]
    recorded: bool
    columns: Mapping[str, Any] = field(default_factory=dict)


def rescore(
    registry: Registry,
    executor: Executor,
    *,
    probe_again: bool = False,
    patterns: bool = False,
    version: TaskSpec | None = None,
    note: Callable[[str], None] = lambda _: None,
) -> Rescored:
    """Score every result whose arrays or network are kept, and the ceilings and floors beside them.

    The old results stay as they are. One that cannot be scored does not hinder the others.

    Parameters
    ----------
    registry : Registry
    executor : Executor
        Probes a stored network where its arrays were not kept, or are not what the task asks for
        today. A network that was trained in a container is probed in a container alone.
    probe_again : bool
        Probe the stored networks even where arrays are kept.
    patterns : bool
        Discover motifs in the maps too; without it the scores of an earlier discovery are kept.
    version : TaskSpec, optional
        Score the networks of this task's earlier versions under this one, as jobs of it that a run
        need not train. By default every result is scored under the task that it is of.
    note : callable
        Receives a line for each result that is looked at, and the reason where it stays.

    Raises
    ------
    UserError
        If no earlier version trains the same networks on the same data.
    DataError
        If the registry cannot be read or written.
    """
    registry.prepare()
    if patterns:
        require_modisco()
    tables = registry.latest("jobs", "history", "scores")
    history = tables["history"].to_pylist()
    carried = [row for row in tables["scores"].to_pylist() if row["metric"] in _CARRIED]
    truths: dict[tuple[str, str], Truth] = {}
    done = Rescored()
    rows: list[Row] = [r for r in tables["jobs"].to_pylist() if r["division"] != DIVISION]
    earlier: Mapping[str, TaskSpec] = {}
    if version is not None:
        taken = take_networks(rows, version, note)
        rows, earlier, carried = taken.rows, taken.versions, []
    for trials in _by_model(rows):
        key = (trials[0]["task"], trials[0]["profile"])
        if key not in truths:
            try:
                spec = find_spec(key[0])
                profile = spec.profile(key[1])
            except UserError as error:
                note(f"{_label(trials[0])}: {error}; its scores stay as they are")
                done.failed += len(trials)
                continue
            truths[key] = Truth(load_dataset(spec), profile)
        truth = truths[key]
        found: dict[str, tuple[Row, _Kept]] = {}
        for row in trials:
            note(_label(row))
            try:
                if row["dataset_digest"] != truth.spec.dataset_digest:
                    raise DataError(f"{key[0]}: it was trained on other data of that name")
                before = earlier.get(row["result_id"])
                stands = before is None or asked_alike(before, truth)
                kept = _kept(registry, row, truth, executor, probe_again, stands=stands)
            except DataError as error:
                note(f"  {error}; its scores stay as they are")
                done.failed += 1
                continue
            if kept is not None:
                found[row["result_id"]] = (row, kept)
            elif row["status"] == "ok":
                note(
                    "  neither its network nor arrays that fit the task are kept; its scores stay "
                    "as they are"
                )
        agreement: dict[str, list[dict[str, Any]]] = {}
        for result_id, (row, kept) in found.items():
            try:
                agreement = agreement or _agreement(truth, found)
                result = _scored(row, kept, truth, patterns=patterns)
            except Exception as error:
                why = f"scoring failed ({type(error).__name__}: {error})"
                note(f"{_label(row)}: {why}; its scores stay as they are: report this")
                done.failed += 1
                continue
            scores = [*result.scores, *agreement.get(result_id, ())]
            stand = set() if patterns else set(PATTERN_METRICS)
            if UNTRAINED_SITES not in kept.arrays:
                stand.add(_UNTRAINED)
            mine = (score for score in carried if score["result_id"] == result_id)
            scores += [score for score in mine if score["metric"] in stand]
            epochs = [epoch for epoch in history if epoch["result_id"] == result_id]
            done.written.append(registry.record(replace(result, scores=scores, history=epochs)))
    record_references(registry, truths.values(), again=version is None, note=note)
    return done


def _label(row: Row) -> str:
    return f"{row['model']} {row['params']} on {row['task']}, trial {row['trial']}"


def _agreement(
    truth: Truth, found: Mapping[str, tuple[Row, _Kept]]
) -> dict[str, list[dict[str, Any]]]:
    """Rows of the agreement between those of one model's results that will count, by result."""
    ordered = sorted(found, key=lambda name: tuple(found[name][0][column] for column in ORDER))
    trials = [(found[name][0]["trial"], found[name][0]["seed"]) for name in ordered]
    counts = which_count(trials, ["ok"] * len(trials))
    counted = [name for _, name in sorted(compress(zip(trials, ordered, strict=True), counts))]
    scored = score_trials(truth, [found[name][1].arrays for name in counted])
    return {name: score_rows(scores) for name, scores in zip(counted, scored, strict=True)}


def _scored(row: Row, kept: _Kept, truth: Truth, *, patterns: bool) -> Result:
    """A later result of a row's job, without what comes from its old result and other trials."""
    job = {
        **{name: value for name, value in row.items() if name not in _NEW},
        **kept.columns,
        "task_digest": truth.spec.digest,
        "arrays_of": row["arrays_of"] or row["result_id"],
        "scored_commit": code().commit,
        "scored_dirty": code().dirty,
    }
    arrays = kept.arrays if kept.recorded else None
    result = scored_result(job, truth, kept.arrays, arrays=arrays)
    if not patterns:
        return result
    found = score_rows(pattern_scores(truth, kept.arrays))
    return replace(result, scores=[*result.scores, *found])


def _by_model(rows: Iterable[Row]) -> list[list[Row]]:
    """Rows that will be of one run, in the order of their trials; all get the task's digest."""

    def model(row: Row) -> tuple[Any, ...]:
        return tuple(row[name] for name in RUN_KEY if name != "task_digest")

    ordered = sorted(rows, key=lambda row: (*model(row), row["trial"]))
    return [list(trials) for _, trials in groupby(ordered, key=model)]


def _kept(
    registry: Registry,
    row: Row,
    truth: Truth,
    executor: Executor,
    probe_again: bool,
    *,
    stands: bool,
) -> _Kept | None:
    """Arrays to score, or None where nothing of use is kept.

    What was kept is of use where it ``stands``: the probe was asked what the task asks.

    Raises
    ------
    DataError
        If arrays are damaged, or the network cannot be probed.
    """
    origin = row["arrays_of"] or row["result_id"]
    network = registry.network(origin)
    holder = registry.arrays_holder(row)
    if holder is not None and not (probe_again and network):
        arrays = registry.arrays(holder)
        if stands and fits(truth, arrays):
            return _Kept(arrays, recorded=holder != origin)
    if network is None:
        return None
    if row["isolation"] == "container" and executor.isolation != "container":
        raise DataError(
            "it was trained in a container, and its network is not probed outside of one: add "
            "--runner docker"
        )
    with scratch_folder() as work:
        try:
            probe = probe_kept(truth, network["graph"], network["network"], executor, work)
        except InvalidOutput as error:
            raise DataError(f"{network['graph']}: {error}") from error
    columns = _probed_columns(row, executor, unsupported_warnings(probe))
    arrays = present_classes(truth, probe.arrays)
    if holder is not None and stands:
        # of a network that is not kept
        with contextlib.suppress(DataError):
            before = registry.arrays(holder)
            arrays |= {n: before[n] for n in (UNTRAINED_SITES,) if n in before}
    return _Kept(arrays, recorded=True, columns=columns)


def _probed_columns(row: Row, executor: Executor, unsupported: list[str]) -> dict[str, Any]:
    """Columns that a new probe changes: the rest, such as the image, is of the training."""
    stand = [text for text in row["warnings"] if not any(t in text for t in _OF_PROBE)]
    where = []
    if (executor.isolation, executor.image) != (row["isolation"], row["image_digest"]):
        where = [f"{_PROBED} {f'in image {executor.image}' if executor.image else 'elsewhere'}"]
    place = executor.place
    return {
        "worker_digest": code().worker_digest,
        "warnings": list(dict.fromkeys([*stand, *unsupported, *place.warnings, *where])),
        "widened": list(dict.fromkeys([*(row["widened"] or ()), *place.widened])),
    }
