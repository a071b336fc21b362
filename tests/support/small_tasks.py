"""The tasks and the long loops cut down, so that what takes hours takes seconds.

Everything runs as always, and there is less of it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np

from motifidelity.metrics.attribution import maps
from motifidelity.tasks import spec as specs
from motifidelity.tasks.spec import Profile, TaskSpec

METHODS = ("saliency", "random")
# and those that `maps` is the mean of
WITH_MAPS = tuple(dict.fromkeys([*METHODS, *(method for method, _ in maps.VIEWS)]))
SIZES = {"train": 240, "valid": 100, "test": 60, "max_epochs": 2, "explained": 4}
# every class is in so many test sequences
OF_EVERY_CLASS = 200
RESCORED = 1
# where processes of one run of the tests share what references answer; None: each computes it
SHARED: Path | None = None


def small(spec: TaskSpec, methods: tuple[str, ...] = METHODS, **given: int) -> TaskSpec:
    """A task whose profiles take seconds.

    Parameters
    ----------
    spec : TaskSpec
    methods : tuple of str
    **given
        Trials by profile (default: one each), and other sizes than `SIZES`.
    """
    sizes = {name: given.pop(name, size) for name, size in SIZES.items()}
    trials = given or dict.fromkeys(spec.profiles, 1)
    profiles = {n: Profile(n, t, methods=methods, **sizes) for n, t in trials.items()}
    attribution = dataclasses.replace(spec.attribution, tested=2, resamples=1, perturbations=3)
    return dataclasses.replace(spec, profiles=profiles, attribution=attribution)


def small_tasks(methods: tuple[str, ...] = METHODS, **given: int) -> dict[str, TaskSpec]:
    """Every task made small; parameters as of `small`."""
    return {name: small(spec, methods, **given) for name, spec in specs.all_specs().items()}


def install() -> None:
    """Cut down what this process has imported: tasks, plans, and what `bench regress` looks at."""
    from motifidelity.regress import beside_record, matrix, observe, record, trained
    from motifidelity.runs import ceilings, plan, rescore, study_jobs
    from motifidelity.submitting import trial

    every = {
        name: small(
            spec, METHODS if spec.scoring.maps_floor is None else WITH_MAPS, test=OF_EVERY_CLASS
        )
        for name, spec in specs.all_specs().items()
    }
    specs.all_specs = lambda: every
    # who names no task gets one, of a single class
    *_, one = ((name, spec) for name, spec in specs.latest_specs().items() if spec.default)
    chosen = specs.chosen_specs
    specs.chosen_specs = lambda names, profile=None: chosen(names or [one[0]], profile)
    own = specs.own_spec
    specs.own_spec = lambda path: specs.know(small(own(path)))
    trained.latest_specs = observe.all_specs = lambda: dict([one])
    whole_plan = plan.plan_jobs
    plan.plan_jobs = lambda *given: whole_plan(*given[:4], 1, *given[5:])
    trial.SLICE = dataclasses.replace(trial.SLICE, train=SIZES["train"], valid=SIZES["valid"])
    trial.PROBED = METHODS[:1]
    whole_study = study_jobs.plan_study

    def easiest(*given: object) -> list[object]:
        """One job of the study, of a task with few classes if it has any."""
        return [min(whole_study(*given), key=lambda job: len(job.task.classes))]

    study_jobs.plan_study = easiest
    first(rescore, "_by_model", RESCORED)
    whole = beside_record.survey
    named = {spec.name for spec in specs.latest_specs().values() if spec.default}

    def fewer(*given: object) -> object:
        """One network of each task that a command means by default."""
        found = whole(*given)
        few = {c.task: c for c in found.cases if c.task.partition("@")[0] in named}
        return dataclasses.replace(found, cases=tuple(few.values()))

    for module in (beside_record, record):
        module.survey = fewer
    matrix.TEST, matrix.EXPLAINED = OF_EVERY_CLASS, SIZES["explained"]
    observe.VARIANTS = observe.VARIANTS[:1]
    trained.SEEDS = 1
    if SHARED is not None:
        for name in ("oracle_arrays", "random_arrays", "rival_arrays"):
            share(ceilings, name, SHARED)


def share(module: object, name: str, folder: Path) -> None:
    """Let a function that makes a reference's arrays make them once for all processes."""
    make = getattr(module, name)

    def shared(*given: Any) -> dict[str, Any]:
        *which, truth = given
        of = (name, *which, truth.spec.id, truth.spec.digest, repr(truth.profile), truth.tested)
        path = folder / f"{hashlib.sha256(repr(of).encode()).hexdigest()}.npz"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            own = path.with_suffix(f".{os.getpid()}.npz")
            np.savez(own, **make(*given))
            own.rename(path)
        with np.load(path) as found:
            return dict(found)

    setattr(module, name, shared)


def first(module: object, name: str, number: int) -> None:
    """Let a function that returns a list return its first items alone."""
    whole = getattr(module, name)
    setattr(module, name, lambda *arguments, **named: whole(*arguments, **named)[:number])
