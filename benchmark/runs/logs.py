"""One text file for each job: what happened when, on which machine, and what the model printed."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path

from motifidelity.errors import DataError
from motifidelity.phase.interface import Event
from motifidelity.runs.plan import Job


class JobLogs:
    """Writes ``JOB.log`` into a folder; a job that runs again goes on in the same file.

    Parameters
    ----------
    folder : Path
        Made if it is not there.

    Raises
    ------
    DataError
        If the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(
                f"logs {folder}: cannot be written ({error.strerror}); choose another folder with "
                "--logs"
            ) from error

    def begin(self, job: Job) -> None:
        """Name the job."""
        self._write(job, job.label)

    def event(self, job: Job, phase: str, event: Event) -> None:
        """Note a progress event, or the end of what a phase printed."""
        # a worker may claim any event, but never one with a text
        if event["event"] == "output" and "text" in event:
            self._write(job, f"{phase} printed:\n{str(event['text']).rstrip()}")
            return
        rest = " ".join(f"{name}={value}" for name, value in event.items() if name != "event")
        self._write(job, f"{phase} {event['event']} {rest}".rstrip())

    def end(self, job: Job, status: str, message: str) -> None:
        """Say how the job ended."""
        self._write(job, f"{status}: {message}" if message else status)

    def _write(self, job: Job, text: str) -> None:
        # a full disk must not end a run whose results go elsewhere
        with contextlib.suppress(OSError), (self._folder / f"{job.id}.log").open("a") as file:
            file.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {text}\n")
