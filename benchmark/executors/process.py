"""Local executor: each phase is a process of its own, with no isolation beyond that."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from motifidelity.executors import tether
from motifidelity.phase.cores import claim_cores
from motifidelity.phase.interface import (
    OUTPUT_LIMIT,
    SHARED_GPU,
    OnEvent,
    Phase,
    PhaseResult,
    Place,
)
from motifidelity.phase.outputs import ProgressTail, folder_bytes, last_lines, read_error
from motifidelity.untrusted import clean_text
from motifidelity.worker.limits import SCRATCH_BYTES

POLL_SECONDS = 0.1
SCRATCH_SECONDS = 1.0
LOG_TAIL_BYTES = 4000
# read by TensorFlow, by OpenMP and by the libraries of linear algebra
THREAD_VARIABLES = (
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
)
GPU_VARIABLES = {**SHARED_GPU, "MOTIFIDELITY_NEEDS_GPU": "1"}


class ProcessExecutor:
    """Runs a phase as ``python -m motifidelity.worker`` on this machine.

    Parameters
    ----------
    timeout : float, optional
        Seconds after which a phase is stopped.
    warnings : tuple of str
        Lines that mark every row, such as why a job runs here and not in a container.
    jobs : int
        Phases that may run side by side.
    threads : int, optional
        Threads of a phase, which is kept on as many cores of its own; without, the system decides.
    gpu : bool
        Whether a phase gets the GPU that this process was given; without, it sees none.
    """

    name = "process"
    isolation = "none"
    image: str | None = None

    def __init__(
        self,
        timeout: float | None = None,
        warnings: tuple[str, ...] = (),
        *,
        jobs: int = 1,
        threads: int | None = None,
        gpu: bool = False,
    ) -> None:
        self._timeout = timeout
        self._threads = threads
        self._gpu = gpu
        self._stopping = threading.Event()
        self.place = Place(slots=jobs, warnings=warnings, threads=threads)

    def run(self, phase: Phase, on_event: OnEvent) -> PhaseResult:
        """Run one phase to its end; an interrupt stops the worker before it passes on."""
        if self._threads is None:
            return self._run(phase, on_event, ())
        with claim_cores(self._threads) as cores:
            return self._run(phase, on_event, cores)

    def stop(self) -> None:
        """End the phases that other threads run."""
        self._stopping.set()

    def _run(self, phase: Phase, on_event: OnEvent, cores: Sequence[int]) -> PhaseResult:
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
        # what a submission writes beside its results, such as checkpoints, is thrown away
        scratch = phase.out.parent / f"{phase.name}.scratch"
        scratch.mkdir(exist_ok=True)
        started = time.monotonic()
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", tether.__file__, str(os.getpid())),
                    *(sys.executable, "-m", "motifidelity.worker", phase.name, str(request)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=_environment(self._threads, self._gpu),
                cwd=scratch,
                start_new_session=True,
            )
            try:
                stopped, peak = self._watch(process, phase, scratch, on_event, started, cores)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
        ended = stopped or _ending(process.returncode, phase, log)
        return replace(
            ended,
            seconds=time.monotonic() - started,
            peak_memory=peak,
            output=clean_text(_tail(log, OUTPUT_LIMIT), OUTPUT_LIMIT, lines=True),
        )

    def _watch(
        self,
        process: subprocess.Popen[bytes],
        phase: Phase,
        scratch: Path,
        on_event: OnEvent,
        started: float,
        cores: Sequence[int],
    ) -> tuple[PhaseResult | None, int]:
        import psutil

        tail = ProgressTail(phase.out / "progress.jsonl", on_event)
        peak = 0
        measured = started
        try:
            watched = psutil.Process(process.pid)
            if cores:
                # threads inherit it: none has started yet
                watched.cpu_affinity(list(cores))
            while process.poll() is None:
                if self._stopping.is_set():
                    raise KeyboardInterrupt
                with contextlib.suppress(psutil.Error):
                    peak = max(peak, watched.memory_info().rss)
                tail.poll()
                now = time.monotonic()
                if self._timeout and now - started > self._timeout:
                    text = f"took longer than {self._timeout:g} s; raise --timeout or use a "
                    return PhaseResult("timeout", f"{phase.name} {text}smaller network"), peak
                if now - measured > SCRATCH_SECONDS:
                    measured = now
                    if folder_bytes(scratch) > SCRATCH_BYTES:
                        text = (
                            f"{phase.name} wrote more than {SCRATCH_BYTES >> 20} MiB into its "
                            "working folder; keep fewer checkpoints"
                        )
                        return PhaseResult("model_error", text), peak
                time.sleep(POLL_SECONDS)
            tail.poll()
        except psutil.NoSuchProcess:
            process.wait()
        finally:
            # the whole session: also what the submission may have started
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return None, peak


def _environment(threads: int | None, gpu: bool) -> dict[str, str]:
    """The caller's environment, quiet and without a GPU that nobody asked for."""
    return {
        **os.environ,
        **({} if threads is None else dict.fromkeys(THREAD_VARIABLES, str(threads))),
        **(GPU_VARIABLES if gpu else {"CUDA_VISIBLE_DEVICES": "-1"}),
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
    }


def _ending(code: int, phase: Phase, log: Path) -> PhaseResult:
    """How a process ended by itself."""
    if code == 0:
        return PhaseResult("ok")
    if error := read_error(phase.out):
        return error
    tail = last_lines(_tail(log, LOG_TAIL_BYTES))
    if code == -signal.SIGKILL:
        why = f"{phase.name}: the worker was killed, most likely for want of memory"
        return PhaseResult("oom", why, tail)
    how = f"signal {_signal_name(-code)}" if code < 0 else f"exit status {code}"
    return PhaseResult(
        "model_error" if phase.name == "fit" else "infra_error",
        f"{phase.name}: the worker ended with {how} and left no message; its last output is in "
        "the traceback column",
        tail,
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        # most of the real-time signals have none
        return str(number)


def _tail(path: Path, limit: int) -> str:
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - limit))
        return file.read().decode("utf-8", errors="replace")
