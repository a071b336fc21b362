"""Trials that were stopped in training and go on from their last epoch.

What a trial keeps is written and read in the sandbox alone. Here it is bytes: copied from the
fit's output folder after an epoch, bounded, one a job, and handed back to the same job as one more
input. It lies in the job's own folder of the cache until the job has a result.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from motifidelity.files import atomic_path
from motifidelity.phase.cores import count_cores
from motifidelity.phase.interface import Event, Executor, Host, OnEvent, Phase, PhaseResult
from motifidelity.phase.outputs import read_plain
from motifidelity.provenance import environment, worker_digest
from motifidelity.runs.plan import Job
from motifidelity.scratch import remove_tree
from motifidelity.tasks.dataset import cache_folder
from motifidelity.tasks.spec import canonical_digest
from motifidelity.worker.limits import KEPT, MAX_KEPT_BYTES, MAX_KEPT_WRITTEN

# a job that nobody has gone on with for so long is forgotten
OLD_SECONDS = 30 * 86400.0
# with the archive's own headers and the history
_LARGEST = MAX_KEPT_BYTES + (4 << 20)
# of a machine, what does not decide a bit of a training
_NOT_BITS = ("os", "memory")


def open_unfinished(note: Callable[[str], None]) -> Path | None:
    """Where the folders of unfinished jobs lie; None, with a note, where that cannot be written.

    Folders of jobs that nobody has gone on with for a month are removed.
    """
    folder = cache_folder() / "unfinished"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            if time.time() - path.stat().st_mtime > OLD_SECONDS:
                remove_tree(path)
    except OSError as error:
        note(
            f"{folder} cannot be written ({error.strerror}): a trial that is stopped in training "
            "will start over; MOTIFIDELITY_CACHE names another folder"
        )
        return None
    return folder


def begin(job: Job, folder: Path, note: Callable[[str], None]) -> None:
    """Mark that a job has begun; say so where it was stopped before and nothing was kept."""
    own = folder / job.id
    if own.is_dir() and not (own / KEPT).is_file():
        note(f"{job.label} was stopped before and starts over: {_why(job)}")
    with contextlib.suppress(OSError):
        own.mkdir(parents=True, exist_ok=True)
        os.utime(own)


def _why(job: Job) -> str:
    if job.submission.weights:
        return "its weights are given"
    if job.submission.own_fit:
        return "nothing is kept of a file's own training"
    return "no epoch had ended, or its trials were trained together"


class Unfinished:
    """An executor whose fit of one job goes on where it was stopped.

    Parameters
    ----------
    executor : Executor
        Runs the phases.
    job : Job
    folder : Path
        Of all unfinished jobs; the job's own is named by its id.
    note : callable
        Receives a line for a person.
    """

    def __init__(
        self, executor: Executor, job: Job, folder: Path, note: Callable[[str], None]
    ) -> None:
        self._executor = executor
        self._job = job
        self._folder = folder / job.id
        self._note = note
        self._left = MAX_KEPT_WRITTEN
        self._offered = False
        self._after = 0
        self._seconds = 0.0
        self.name = executor.name
        self.isolation = executor.isolation
        self.image = executor.image
        self.place = executor.place

    def run(self, phase: Phase, on_event: OnEvent) -> PhaseResult:
        """Run a phase; a fit is given what was kept, and what it keeps is copied."""
        if phase.name != "fit":
            return self._executor.run(phase, on_event)
        settings, inputs = {**phase.settings, "keep": _circumstances(self._executor)}, phase.inputs
        self._offered = (self._folder / KEPT).is_file()
        if self._offered:
            kept = phase.out.parent / KEPT
            shutil.copyfile(self._folder / KEPT, kept)
            inputs = {**inputs, "kept": kept}

        def listen(event: Event) -> None:
            if not self._take(phase.out, event):
                on_event(event)

        done = self._executor.run(replace(phase, settings=settings, inputs=inputs), listen)
        if not self._after:
            return done
        # what the sessions before took, and where the last one began
        host = done.host or Host(environment(), self.place)
        machine = {**json.loads(host.environment), "resumed": self._after}
        return replace(
            done,
            seconds=done.seconds + self._seconds,
            host=replace(host, environment=json.dumps(machine, sort_keys=True)),
        )

    def stop(self) -> None:
        """End the phases that other threads run."""
        self._executor.stop()

    def end(self, status: str) -> None:
        """Forget what was kept, unless the machine failed and the job will run again."""
        if status != "infra_error":
            remove_tree(self._folder)

    def _take(self, out: Path, event: Event) -> bool:
        """Do what an event about kept training asks for; whether it was one."""
        kind, reason = event["event"], event.get("reason")
        if kind == "kept":
            self._copy(out / KEPT)
        elif kind == "unkept":
            self._give_up(str(reason))
        elif kind in ("resumed", "over") and self._offered:
            # once: a stranger may claim any event
            self._offered = False
            if kind == "over":
                self._note(f"{self._job.label} starts over: {reason}")
            else:
                self._after = int(event.get("epoch", 0))
                self._seconds = max(0.0, float(event.get("seconds", 0.0)))
                self._note(f"{self._job.label} goes on after epoch {self._after}")
        return kind in ("kept", "unkept", "resumed", "over")

    def _give_up(self, reason: str) -> None:
        if self._left:
            self._left = 0
            self._note(f"{self._job.label} starts over if it is stopped in training: {reason}")

    def _copy(self, source: Path) -> None:
        """Copy a file that a stranger may have written, as bytes and within bounds."""
        content = read_plain(source, _LARGEST + 1)
        if content is None or len(content) > min(self._left, _LARGEST):
            return
        self._left -= len(content)
        try:
            with atomic_path(self._folder / KEPT) as path:
                path.write_bytes(content)
        except OSError as error:
            self._give_up(f"{self._folder} cannot be written ({error.strerror})")


def _circumstances(executor: Executor) -> str:
    """Digest of what can move a bit of a training beside the job itself."""
    machine = {k: v for k, v in json.loads(environment()).items() if k not in _NOT_BITS}
    policy = json.loads(executor.place.policy or "{}")
    return canonical_digest(
        {
            "worker": worker_digest(),
            "machine": machine,
            "packages": dict(executor.place.packages or {}),
            "runner": executor.name,
            "image": executor.image,
            "threads": executor.place.threads or count_cores(),
            "policy": {name: policy.get(name) for name in ("cpus", "gpus")},
        }
    )
