"""Docker executor: each phase in a container of its own that is given nothing but its inputs."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from motifidelity.containers.engine import Engine, EngineError, engine_errors
from motifidelity.containers.gpu import Gpu, GpuFacts, GpuPool, GpuRequest
from motifidelity.containers.images import WorkerImage
from motifidelity.containers.policy import Policy
from motifidelity.containers.sandbox import GPU_VARIABLES, WORKER, create_options, stage
from motifidelity.containers.watch import CgroupWatch, TextCapture
from motifidelity.phase.cores import claim_cores
from motifidelity.phase.interface import OUTPUT_LIMIT, OnEvent, Phase, PhaseResult, Place
from motifidelity.phase.outputs import ProgressTail, last_lines, read_error, survey
from motifidelity.untrusted import clean_text

if TYPE_CHECKING:
    from docker.models.containers import Container

POLL_SECONDS = 0.1
KILL_SECONDS = 15.0
KILL_TRIES = 15
# printed by the worker before a submission's first line runs; it cannot be taken back
BEGINS = b"motifidelity: the submission begins"


class DockerExecutor:
    """Runs phases in containers of one image under one policy.

    Parameters
    ----------
    engine : Engine
    image : WorkerImage
    policy : Policy
    packages : mapping, optional
        Versions inside the image.
    gpus : GpuFacts, optional
        Devices that passed the preflight.
    jobs : int
        Phases that may run side by side: on the CPU each has cores of its own, on GPUs more jobs
        than devices share them.
    worker : Path
        Folder of the code that runs beside a submission.
    """

    name = "docker"
    isolation = "container"

    def __init__(
        self,
        engine: Engine,
        image: WorkerImage,
        policy: Policy,
        *,
        packages: Mapping[str, str] | None = None,
        gpus: GpuFacts | None = None,
        jobs: int = 1,
        worker: Path = WORKER,
    ) -> None:
        self._engine = engine
        self._image = image
        self._policy = policy
        self._worker = worker
        self._pool = GpuPool(gpus.devices, jobs) if gpus else None
        self._own_cores = math.ceil(policy.cpus) if jobs > 1 else 0
        self._stopping = threading.Event()
        self.image: str | None = image.id
        widened = (*policy.widened(), *(f"not enforced: {x}" for x in engine.unenforced()))
        self.place = Place(
            slots=self._pool.size if self._pool else jobs,
            policy=policy.to_json(),
            widened=widened,
            gpus=gpus.to_json() if gpus else None,
            packages=packages,
            warnings=tuple(f"sandbox wider than the standard: {line}" for line in widened),
        )

    def run(self, phase: Phase, on_event: OnEvent) -> PhaseResult:
        """Run one phase to its end; its container is removed in every case."""
        with (
            self._pool.borrow() if self._pool else contextlib.nullcontext() as gpu,
            claim_cores(self._own_cores) as cores,
        ):
            try:
                result = self._run(phase, on_event, gpu, cores)
            except EngineError as error:
                result = PhaseResult("infra_error", f"{phase.name}: {error}; see 'bench doctor'")
            return replace(result, device=gpu.name) if gpu else result

    def stop(self) -> None:
        """End the phases that other threads run."""
        self._stopping.set()

    def _run(
        self, phase: Phase, on_event: OnEvent, gpu: Gpu | None, cores: Sequence[int]
    ) -> PhaseResult:
        mounts = stage(phase, self._worker, self._policy.user)
        options = create_options(self._policy, phase.name)
        options["environment"] |= {"CUDA_VISIBLE_DEVICES": "-1"} if gpu is None else GPU_VARIABLES
        if cores:
            options["cpuset_cpus"] = ",".join(map(str, cores))
        if gpu is not None:
            options |= GpuRequest(uuids=(gpu.uuid,)).options()
        with engine_errors("the Docker engine failed"):
            container = self._engine.client.containers.create(
                self._image.id,
                entrypoint=["python", "-P", "-m", "motifidelity.worker"],
                command=[phase.name, "/in/request.json"],
                mounts=mounts,
                **options,
            )
            try:
                return self._watch(container, phase, on_event)
            finally:
                with contextlib.suppress(Exception):
                    container.remove(force=True, v=True)

    def _watch(self, container: Container, phase: Phase, on_event: OnEvent) -> PhaseResult:
        stream = container.attach(stream=True, stdout=True, stderr=True)
        started = time.monotonic()
        text = TextCapture(stream, self._policy.text_bytes)
        # watched from before it starts: the engine's answer may come long after the first write
        waiter = _Waiter(container)
        cgroup = CgroupWatch()
        tail = ProgressTail(phase.out / "progress.jsonl", on_event)
        breach: PhaseResult | None = None
        while breach is None and not waiter.done.wait(POLL_SECONDS):
            if self._stopping.is_set():
                raise KeyboardInterrupt
            cgroup.follow(waiter.pid)
            breach = self._breach(phase, text, cgroup, time.monotonic() - started)
            tail.poll()
        if breach is not None:
            self._kill(container, waiter, cgroup)
        seconds = time.monotonic() - started
        tail.poll()
        output = clean_text(text.text()[-OUTPUT_LIMIT:], OUTPUT_LIMIT, lines=True)
        if breach is not None:
            return replace(
                breach,
                traceback=_last_lines(text),
                seconds=seconds,
                peak_memory=cgroup.peak,
                output=output,
            )
        if waiter.error is not None:
            raise waiter.error
        container.reload()
        state = container.attrs["State"]
        ending = _Ending(
            code=int(state.get("ExitCode", -1)),
            oom=bool(state.get("OOMKilled")) or cgroup.oom_kills > 0,
            begun=text.contains(BEGINS),
            memory=self._policy.memory,
        )
        ended = ending.explain(phase, text)
        return replace(ended, seconds=seconds, peak_memory=cgroup.peak, output=output)

    def _kill(self, container: Container, waiter: _Waiter, cgroup: CgroupWatch) -> None:
        """Kill a container; it may not have started in the engine's eyes yet."""
        for _ in range(KILL_TRIES):
            # at once by the kernel where that is allowed, then by the engine, which is slower
            cgroup.follow(waiter.pid)
            cgroup.kill(waiter.id)
            with contextlib.suppress(Exception):
                container.kill()
            if waiter.done.wait(KILL_SECONDS / KILL_TRIES):
                return

    def _breach(
        self, phase: Phase, text: TextCapture, cgroup: CgroupWatch, seconds: float
    ) -> PhaseResult | None:
        """The limit that a running phase has broken, as the result that it ends with."""
        policy = self._policy
        if seconds > policy.timeout:
            return PhaseResult(
                "timeout",
                f"{phase.name} took longer than {policy.timeout:g} s and was stopped; raise "
                "--timeout or use a smaller network",
            )
        if problem := survey(phase.out, policy.limits()):
            return PhaseResult("invalid_output", f"{phase.name} was stopped: {problem}")
        # files that are deleted while they are open cannot be seen, but their bytes are counted
        if cgroup.bytes_written() > 2 * policy.output_bytes:
            return PhaseResult(
                "invalid_output",
                f"{phase.name} was stopped: it wrote more than {2 * policy.output_bytes >> 20} MiB",
            )
        if text.too_much:
            return PhaseResult(
                "model_error",
                f"{phase.name} was stopped: it printed more than {policy.text_bytes >> 20} MiB; "
                "print less",
            )
        return None


class _Waiter:
    """Starts a container and waits for its end in a thread; the host's clock runs elsewhere.

    Attributes
    ----------
    pid : int
        The container's first process in the host's numbers, 0 until it is known.
    done : Event
        Set when the container has ended, or with ``error`` when the engine failed.
    """

    def __init__(self, container: Container) -> None:
        self.pid = 0
        self.done = threading.Event()
        self.error: Exception | None = None
        self.id = str(container.id)
        self._api = container.client.api  # type: ignore[union-attr]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            self._api.start(self.id)
            self.pid = int(self._api.inspect_container(self.id)["State"].get("Pid") or 0)
            self._api.wait(self.id, timeout=None)
        except Exception as error:
            self.error = error
        finally:
            self.done.set()


@dataclass(frozen=True)
class _Ending:
    """How a container ended by itself."""

    code: int
    oom: bool
    begun: bool
    memory: int

    def explain(self, phase: Phase, text: TextCapture) -> PhaseResult:
        """The result without its costs."""
        if self.code == 0:
            return PhaseResult("ok")
        if self.oom:
            return PhaseResult(
                "oom",
                f"{phase.name} needed more than {self.memory / (1 << 30):g} GiB of memory; raise "
                "--memory or use a smaller network",
                _last_lines(text),
            )
        if error := read_error(phase.out):
            # once a stranger's code runs, nothing that the container says clears it of a fault
            ours = error.status == "infra_error" and self.begun
            return replace(error, status="model_error") if ours else error
        how = f"signal {self.code - 128}" if self.code > 128 else f"exit status {self.code}"
        ours = not self.begun and phase.name == "fit"
        return PhaseResult(
            "infra_error" if ours else "model_error",
            f"{phase.name} ended with {how} and left no message; its last output is in the "
            "traceback column",
            _last_lines(text),
        )


def _last_lines(text: TextCapture) -> str:
    return last_lines(text.text())
