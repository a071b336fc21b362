"""Networks of a task's earlier versions, taken as those of a later one that trains alike."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from motifidelity.errors import UserError
from motifidelity.runs.phases import probe_settings
from motifidelity.runs.plan import is_settled, job_id
from motifidelity.scoring.truth import Truth
from motifidelity.tasks.spec import Profile, TaskSpec, earlier_specs

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Taken:
    """Rows of earlier versions as rows of a later one.

    Attributes
    ----------
    rows : list of mapping
        With the later version's task and job id; all else is the result's own.
    versions : mapping of str to TaskSpec
        The version that each result is of, by its id.
    """

    rows: list[Row]
    versions: Mapping[str, TaskSpec]


def take_networks(rows: Iterable[Row], later: TaskSpec, note: Callable[[str], None]) -> Taken:
    """The latest results of earlier versions that are also what a run of the later one trains.

    Parameters
    ----------
    rows : iterable of mapping
        Latest rows of the registry's ``jobs``. Of several versions' the newest is taken; a job that
        the later version has a settled result of is left out.
    later : TaskSpec
    note : callable
        Receives a line about results that are left out.

    Raises
    ------
    UserError
        If no earlier version trains the same networks on the same data.
    """
    rows = list(rows)
    earlier = {spec.id: spec for spec in _that_train_alike(later)}
    done = {row["job_id"] for row in rows if row["task"] == later.id and is_settled(row["status"])}
    before = len(done)
    taken: list[Row] = []
    mine = [row for row in rows if row["task"] in earlier]
    found = 0
    for row in sorted(mine, key=lambda row: earlier[row["task"]].version, reverse=True):
        profile = _same_training(row["profile"], earlier[row["task"]], later)
        if profile is None:
            note(
                f"{row['model']} {row['params']} on {row['task']}, trial {row['trial']}: profile "
                f"{row['profile']} of {later.id} trains otherwise; 'bench run' trains it"
            )
            continue
        job = job_id(
            row["model_digest"],
            json.loads(row["params"]),
            later,
            profile,
            seed=row["seed"],
            image=row["image_digest"],
            backend=row["backend"],
        )
        found += 1
        if job not in done:
            done.add(job)
            taken.append({**row, "job_id": job, "task": later.id, "task_digest": later.digest})
    if before and found > len(taken):
        note(
            f"{found - len(taken)} of {found} have a result under {later.id}; they stay as they are"
        )
    return Taken(taken, {row["result_id"]: earlier[row["task"]] for row in mine})


def asked_alike(earlier: TaskSpec, truth: Truth) -> bool:
    """Whether a probe under an earlier version is asked what one under a truth's own task is."""
    before = Truth(
        dataclasses.replace(truth.dataset, spec=earlier), earlier.profile(truth.profile.name)
    )
    same_sequences = len(before.test.sequences) == len(truth.test.sequences)
    same_explained = len(before.asked) == len(truth.asked)
    return same_sequences and same_explained and probe_settings(before) == probe_settings(truth)


def _that_train_alike(later: TaskSpec) -> list[TaskSpec]:
    earlier = earlier_specs(later)
    remedy = f"'bench run --task {later.id}' trains its networks"
    if not earlier:
        raise UserError(f"--as {later.id}: there is no earlier version of the task; {remedy}")
    same_data = [spec for spec in earlier if spec.dataset_digest == later.dataset_digest]
    if not same_data:
        raise UserError(
            f"--as {later.id}: its data are not those of {earlier[-1].id}, whose networks are "
            f"another task's; {remedy}"
        )
    alike = [spec for spec in same_data if spec.training_digest == later.training_digest]
    if not alike:
        raise UserError(
            f"--as {later.id}: it trains otherwise than {same_data[-1].id} (classes, recipe); "
            f"{remedy}"
        )
    return alike


def _same_training(name: str, earlier: TaskSpec, later: TaskSpec) -> Profile | None:
    """The later version's profile of a name, where it trains as the earlier one's."""
    before, now = (spec.profiles.get(name) for spec in (earlier, later))
    return now if before and now and before.training == now.training else None
