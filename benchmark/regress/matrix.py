"""Arrays stored of some committed networks: what metrics are computed from."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from motifidelity.errors import DataError
from motifidelity.files import atomic_path
from motifidelity.regress.survey import Case
from motifidelity.scoring.truth import Truth
from motifidelity.tasks.spec import TaskSpec, alike_specs, find_spec

ARRAYS = "regression"
# the stored arrays' share of a task's test split: small enough to commit
TEST, EXPLAINED = 240, 16


def arrays_path(folder: Path, task: str) -> Path:
    """Stored arrays of a task's network."""
    return folder / ARRAYS / f"{task}.npz"


def small_truth(spec: TaskSpec) -> Truth:
    """The part of a task that the stored arrays are of."""
    from motifidelity.tasks.dataset import load_dataset

    profile = dataclasses.replace(spec.profile("full"), test=TEST, explained=EXPLAINED)
    return Truth(load_dataset(spec), profile)


def store_arrays(
    folder: Path, found: Sequence[Case], say: Callable[[str], None], *, again: bool
) -> list[Path]:
    """Probe one network of each task, through the worker's own probe, and store its arrays.

    Later versions of the task, which train alike, ask the same network.

    Parameters
    ----------
    folder : Path
    found : sequence of Case
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
        trained = find_spec(case.task)
        for spec in alike_specs(trained):
            if spec.version >= trained.version:
                first.setdefault(spec.id, case)
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
