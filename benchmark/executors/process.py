"""Local executor: each phase is a process of its own, with no isolation beyond that."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from motifidelity.executors.base import (
    OnEvent,
    Phase,
    PhaseResult,
    Place,
    ProgressTail,
    clean_text,
    read_error,
)

POLL_SECONDS = 0.1
LOG_TAIL_BYTES = 4000


class ProcessExecutor:
    """Runs a phase as ``python -m motifidelity.worker`` on this machine.

    Parameters
    ----------
    timeout : float, optional
        Seconds after which a phase is stopped.
    warnings : tuple of str
        Lines that mark every row, such as why a job runs here and not in a container.
    """

    name = "process"
    isolation = "none"
    image: str | None = None

    def __init__(self, timeout: float | None = None, warnings: tuple[str, ...] = ()) -> None:
        self._timeout = timeout
        self.place = Place(warnings=warnings)

    def run(self, phase: Phase, on_event: OnEvent) -> PhaseResult:
        """Run one phase to its end; an interrupt stops the worker before it passes on."""
        request = phase.out.parent / f"{phase.name}.json"
        request.write_text(
            json.dumps(
                {
                    **phase.settings,
                    "inputs": {name: str(path) for name, path in phase.inputs.items()},
                    "out": str(phase.out),
                }
            ),
            encoding="utf-8",
        )
        log = phase.out.parent / f"{phase.name}.log"
        started = time.monotonic()
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "motifidelity.worker", phase.name, str(request)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=_environment(),
                cwd=phase.out,
                start_new_session=True,
            )
            timed_out, peak = self._watch(process, phase, on_event, started)
        seconds = time.monotonic() - started
        if timed_out:
            return PhaseResult(
                "timeout",
                f"{phase.name} took longer than {self._timeout:g} s; raise --timeout or use a "
                "smaller network",
                seconds=seconds,
                peak_memory=peak,
            )
        status, message, traceback = _ending(process.returncode, phase, log)
        return PhaseResult(status, message, traceback, seconds, peak)

    def stop(self) -> None:
        """Nothing to do: phases run one at a time, in the thread that is interrupted."""

    def _watch(
        self, process: subprocess.Popen[bytes], phase: Phase, on_event: OnEvent, started: float
    ) -> tuple[bool, int]:
        import psutil

        tail = ProgressTail(phase.out / "progress.jsonl", on_event)
        peak = 0
        try:
            watched = psutil.Process(process.pid)
            while process.poll() is None:
                with contextlib.suppress(psutil.Error):
                    peak = max(peak, watched.memory_info().rss)
                tail.poll()
                if self._timeout and time.monotonic() - started > self._timeout:
                    return True, peak
                time.sleep(POLL_SECONDS)
            tail.poll()
        except psutil.NoSuchProcess:
            process.wait()
        finally:
            # the whole session: also what the submission may have started
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return False, peak


def _environment() -> dict[str, str]:
    """The caller's environment, quiet and without a GPU that nobody asked for."""
    return {
        **os.environ,
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
    }


def _ending(code: int, phase: Phase, log: Path) -> tuple[str, str, str]:
    """Status, message and traceback of a process that ended by itself."""
    if code == 0:
        return "ok", "", ""
    if error := read_error(phase.out):
        return error
    tail = clean_text(_tail(log), 2000, lines=True)
    if code == -signal.SIGKILL:
        return "oom", f"{phase.name}: the worker was killed, most likely for want of memory", tail
    how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
    return (
        "model_error" if phase.name == "fit" else "infra_error",
        f"{phase.name}: the worker ended with {how} and left no message; its last output is in "
        "the traceback column",
        tail,
    )


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - LOG_TAIL_BYTES))
        return file.read().decode("utf-8", errors="replace")
