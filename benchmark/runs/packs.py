"""Trials that are trained together in one phase, and then go on one by one as every job does."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path

from motifidelity.errors import UserError
from motifidelity.phase.interface import Executor, Host, OnEvent, Phase, PhaseResult
from motifidelity.provenance import environment
from motifidelity.runs.intake import trained_together
from motifidelity.runs.phases import fit_phase
from motifidelity.runs.plan import Job
from motifidelity.scoring.truth import Truth
from motifidelity.scratch import scratch_folder

FILES = ("graph.pb", "network.json", "history.json")


def units(jobs: Sequence[Job], size: int) -> list[list[Job]]:
    """Jobs in groups that may be trained together, at most ``size`` each.

    Groups stand in the plan's order of their first jobs. Jobs with the same parameters go together
    before others join them, because a parameter may change what a network computes.

    Raises
    ------
    UserError
        If jobs of another backend than JAX, or with a training of their own, shall be packed.
    """
    if size == 1:
        return [[job] for job in jobs]
    for job in jobs:
        submission = job.submission
        if submission.weights:
            raise UserError(
                f"--pack: the weights of {submission.path.name} are given and nothing is trained; "
                "leave --pack away"
            )
        if submission.backend != "jax":
            raise UserError(
                f"--pack: {submission.path.name} runs on {submission.backend}; trials are trained "
                "together on JAX alone: add --backend jax, or leave --pack away"
            )
        if submission.own_fit:
            raise UserError(
                f"--pack: {submission.path.name} brings its own training, which is run trial by "
                "trial; leave --pack away"
            )
    groups: dict[tuple[str, ...], dict[str, list[int]]] = {}
    for place, job in enumerate(jobs):
        key = (job.submission.digest, job.task.id, job.profile.name)
        params = json.dumps(dict(job.params), sort_keys=True)
        groups.setdefault(key, {}).setdefault(params, []).append(place)
    found: list[list[int]] = []
    for alike in groups.values():
        places = list(chain.from_iterable(alike.values()))
        found += [places[start : start + size] for start in range(0, len(places), size)]
    return [[jobs[place] for place in unit] for unit in sorted(found, key=min)]


@contextmanager
def fitted_together(
    jobs: Sequence[Job],
    truth: Truth,
    executor: Executor,
    on_event: OnEvent,
    note: Callable[[str], None],
) -> Iterator[list[Executor]]:
    """Train a unit of jobs in one phase.

    Parameters
    ----------
    jobs : sequence of Job
        One of the `units`.
    truth : Truth
    executor : Executor
    on_event : callable
        Receives the progress of the training.
    note : callable
        Receives a line about what did not go as planned.

    Yields
    ------
    list of Executor
        For each job the executor that finishes it: its fit is served from what was trained; a
        job without a network there is trained alone.
    """
    trials = [{"seed": job.seed, "params": dict(job.params)} for job in jobs]
    out = Path()
    with contextlib.ExitStack() as held:
        try:
            phase = fit_phase(jobs[0], truth, held.enter_context(scratch_folder()))
            settings, out = {**phase.settings, "trials": trials}, phase.out
            done = executor.run(replace(phase, settings=settings), on_event)
        except OSError as error:
            # no room for the phase's files: each job alone says so in its row
            done = PhaseResult("infra_error", str(error))
        if done.status != "ok":
            note(f"the pack of {len(jobs)} ended with {done.status} ({done.message}): one by one")
        yield [
            _Served(executor, done, out, number, len(jobs))
            if done.status == "ok" and (out / f"{number}.history.json").exists()
            else executor
            for number in range(len(jobs))
        ]


class _Served:
    """An executor whose fit phase was run before, with others."""

    def __init__(
        self, executor: Executor, done: PhaseResult, out: Path, number: int, size: int
    ) -> None:
        self._executor = executor
        self._done = done
        self._out = out
        self._number = number
        self._size = size
        self.name = executor.name
        self.isolation = executor.isolation
        self.image = executor.image
        self.place = executor.place

    def run(self, phase: Phase, on_event: OnEvent) -> PhaseResult:
        """Hand over what was trained; run any other phase."""
        if phase.name != "fit":
            return self._executor.run(phase, on_event)
        together = trained_together(self._out / f"{self._number}.history.json", self._size)
        for name in FILES:
            (self._out / f"{self._number}.{name}").rename(phase.out / name)
        host = self._done.host or Host(environment(), self.place)
        machine = {**json.loads(host.environment), "pack": together}
        return replace(
            self._done,
            seconds=self._done.seconds / self._size,
            host=replace(host, environment=json.dumps(machine, sort_keys=True)),
        )

    def stop(self) -> None:
        """End the phases that other threads run."""
        self._executor.stop()
