"""The fixed matrix: committed networks, one a model and task, and arrays stored of some."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from motifidelity.errors import DataError, UserError
from motifidelity.files import atomic_path
from motifidelity.registry import Registry
from motifidelity.scoring.truth import Truth
from motifidelity.tasks.spec import TaskSpec, find_spec

ARRAYS = "regression"
# the stored arrays' share of a task's test split: small enough to commit
TEST, EXPLAINED = 240, 16


@dataclass(frozen=True)
class Case:
    """A committed network: where it lies, and the file of the suite that builds its like."""

    subject: str
    task: str
    graph: Path
    network: Path
    file: Path | None
    params: Mapping[str, Any]


def cases(folder: Path) -> list[Case]:
    """The first trial of every model on every task whose network is kept, by subject.

    Raises
    ------
    UserError
        If the folder holds no network.
    DataError
        If the registry cannot be read.
    """
    from motifidelity.regress.baselines import baseline_files

    if not folder.is_dir():
        raise UserError(f"baselines {folder}: no such folder; give one with --against")
    # a worker runs in a folder of its own: what it is given must be absolute
    registry = Registry(folder.resolve())
    files = {path.name: path for path in baseline_files()}
    found: dict[str, Case] = {}
    rows = registry.latest("jobs")["jobs"].to_pylist()
    for row in sorted(rows, key=lambda row: (row["profile"] != "full", row["trial"], row["seed"])):
        kept = registry.network(row["arrays_of"] or row["result_id"])
        params = json.loads(row["params"])
        subject = subject_of(row["model"], params, row["task"])
        if kept is None or row["status"] != "ok" or subject in found:
            continue
        file = files.get(row["model_file"])
        found[subject] = Case(subject, row["task"], kept["graph"], kept["network"], file, params)
    if not found:
        raise UserError(
            f"baselines {folder}: no frozen network is kept there; 'bench run --registry {folder}' "
            "records some"
        )
    return [found[subject] for subject in sorted(found)]


def subject_of(model: str, params: Mapping[str, Any], task: str) -> str:
    """How a report names a model on a task."""
    words = [model, *(f"{name}={value}" for name, value in sorted(params.items()))]
    return f"{' '.join(words)} on {task}"


def arrays_path(folder: Path, task: str) -> Path:
    """Stored arrays of a task's network."""
    return folder / ARRAYS / f"{task}.npz"


def small_truth(spec: TaskSpec) -> Truth:
    """The part of a task that the stored arrays are of."""
    from motifidelity.tasks.dataset import load_dataset

    profile = dataclasses.replace(spec.profile("full"), test=TEST, explained=EXPLAINED)
    return Truth(load_dataset(spec), profile)


def store_arrays(
    folder: Path, found: list[Case], say: Callable[[str], None], *, again: bool
) -> list[Path]:
    """Probe one network of each task, through the worker's own probe, and store its arrays.

    Parameters
    ----------
    folder : Path
    found : list of Case
    say : callable
        Receives a line for each network that is probed.
    again : bool
        Also where arrays are stored already.

    Raises
    ------
    DataError
        If a network cannot be probed or its arrays cannot be written.
    """
    import numpy as np

    from motifidelity.executors.process import ProcessExecutor
    from motifidelity.runs.intake import InvalidOutput
    from motifidelity.runs.phases import probe_kept
    from motifidelity.scoring.truth import present_classes
    from motifidelity.scratch import scratch_folder

    written = []
    first: dict[str, Case] = {}
    for case in found:
        first.setdefault(case.task, case)
    for task, case in first.items():
        path = arrays_path(folder, task)
        if path.exists() and not again:
            continue
        say(f"probing {case.subject}")
        truth = small_truth(find_spec(task))
        with scratch_folder() as work:
            try:
                probe = probe_kept(truth, case.graph, case.network, ProcessExecutor(), work)
            except InvalidOutput as error:
                raise DataError(f"{case.graph}: {error}") from error
        arrays = present_classes(truth, probe.arrays)
        try:
            with atomic_path(path) as temporary, temporary.open("wb") as file:
                np.savez_compressed(file, allow_pickle=False, **arrays)
        except OSError as error:
            raise DataError(f"{path}: cannot be written ({error.strerror or error})") from error
        written.append(path)
    return written
