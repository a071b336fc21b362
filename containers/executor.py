"""Docker executor: each phase in a container of its own that is given nothing but its inputs."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import shutil
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motifidelity import worker as worker_package
from motifidelity.containers.engine import Engine, EngineError, engine_errors, labels
from motifidelity.containers.gpu import Gpu, GpuFacts, GpuPool, GpuRequest
from motifidelity.containers.images import WorkerImage
from motifidelity.containers.policy import Policy
from motifidelity.containers.watch import CgroupWatch, TextCapture
from motifidelity.executors.base import (
    OnEvent,
    Phase,
    PhaseResult,
    Place,
    ProgressTail,
    clean_text,
    read_error,
)
from motifidelity.executors.output import survey

if TYPE_CHECKING:
    from docker.models.containers import Container

POLL_SECONDS = 0.1
KILL_SECONDS = 15.0
HARNESS = "/opt/harness"
# printed by the worker before a submission's first line runs; it cannot be taken back
BEGINS = b"motifidelity: the submission begins"
WORKER = Path(worker_package.__file__ or "").parent


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
        worker: Path = WORKER,
    ) -> None:
        self._engine = engine
        self._image = image
        self._policy = policy
        self._worker = worker
        self._pool = GpuPool(gpus.devices) if gpus else None
        self._stopping = threading.Event()
        self.image: str | None = image.id
        widened = (*policy.widened(), *(f"not enforced: {x}" for x in engine.unenforced()))
        self.place = Place(
            slots=self._pool.size if self._pool else 1,
            policy=policy.to_json(),
            widened=widened,
            gpus=gpus.to_json() if gpus else None,
            packages=packages,
            warnings=tuple(f"sandbox wider than the standard: {line}" for line in widened),
        )

    def run(self, phase: Phase, on_event: OnEvent) -> PhaseResult:
        """Run one phase to its end; its container is removed in every case."""
        with self._pool.borrow() if self._pool else contextlib.nullcontext() as gpu:
            try:
                result = self._run(phase, on_event, gpu)
            except EngineError as error:
                result = PhaseResult("infra_error", f"{phase.name}: {error}; see 'bench doctor'")
            return replace(result, device=gpu.name) if gpu else result

    def stop(self) -> None:
        """End the phases that other threads run."""
        self._stopping.set()

    def _run(self, phase: Phase, on_event: OnEvent, gpu: Gpu | None) -> PhaseResult:
        mounts = _stage(phase, self._worker, self._policy.user)
        options = create_options(self._policy, phase.name)
        options["environment"] |= {"CUDA_VISIBLE_DEVICES": "-1"} if gpu is None else _GPU_VARIABLES
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
        container.start()
        waiter = _Waiter(container)
        container.reload()
        cgroup = CgroupWatch(int(container.attrs["State"].get("Pid") or 0))
        tail = ProgressTail(phase.out / "progress.jsonl", on_event)
        breach: PhaseResult | None = None
        while breach is None and not waiter.done.wait(POLL_SECONDS):
            if self._stopping.is_set():
                raise KeyboardInterrupt
            cgroup.poll()
            breach = self._breach(phase, text, cgroup, time.monotonic() - started)
            tail.poll()
        oom_kills = cgroup.oom_kills()
        if breach is not None:
            with contextlib.suppress(Exception):
                container.kill()
            waiter.done.wait(KILL_SECONDS)
        seconds = time.monotonic() - started
        tail.poll()
        if breach is not None:
            return replace(
                breach,
                traceback=_last_lines(text),
                seconds=seconds,
                peak_memory=cgroup.peak,
            )
        if waiter.error is not None:
            raise waiter.error
        container.reload()
        state = container.attrs["State"]
        ending = _Ending(
            code=int(state.get("ExitCode", -1)),
            oom=bool(state.get("OOMKilled")) or oom_kills > 0,
            begun=text.contains(BEGINS),
            memory=self._policy.memory,
        )
        status, message, traceback = ending.explain(phase, text)
        return PhaseResult(status, message, traceback, seconds, cgroup.peak)

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
    """Waits for a container's end in a thread; the host's clock runs elsewhere."""

    def __init__(self, container: Container) -> None:
        self.done = threading.Event()
        self.error: Exception | None = None
        self._container = container
        threading.Thread(target=self._wait, daemon=True).start()

    def _wait(self) -> None:
        try:
            self._container.client.api.wait(self._container.id, timeout=None)  # type: ignore[union-attr, arg-type]
        except Exception as error:
            self.error = EngineError(
                f"the Docker engine went away ({' '.join(str(error).split())[:200]})"
            )
        finally:
            self.done.set()


@dataclass(frozen=True)
class _Ending:
    """How a container ended by itself."""

    code: int
    oom: bool
    begun: bool
    memory: int

    def explain(self, phase: Phase, text: TextCapture) -> tuple[str, str, str]:
        """Status, message and traceback."""
        if self.code == 0:
            return "ok", "", ""
        if self.oom:
            return (
                "oom",
                f"{phase.name} needed more than {self.memory / (1 << 30):g} GiB of memory; raise "
                "--memory or use a smaller network",
                _last_lines(text),
            )
        if error := read_error(phase.out):
            status, message, traceback = error
            # once a stranger's code runs, nothing that the container says clears it of a fault
            if status == "infra_error" and self.begun:
                status = "model_error"
            return status, message, traceback
        how = f"signal {self.code - 128}" if self.code > 128 else f"exit status {self.code}"
        ours = not self.begun and phase.name == "fit"
        return (
            "infra_error" if ours else "model_error",
            f"{phase.name} ended with {how} and left no message; its last output is in the "
            "traceback column",
            _last_lines(text),
        )


_GPU_VARIABLES = {
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "CUDA_CACHE_PATH": "/tmp/cuda",
    "MOTIFIDELITY_NEEDS_GPU": "1",
}


def create_options(policy: Policy, phase: str) -> dict[str, Any]:
    """The policy in the engine's words, for a container of any phase."""
    from docker.types import LogConfig, Ulimit

    threads = str(max(1, round(policy.cpus)))
    processor_seconds = math.ceil(policy.timeout * math.ceil(policy.cpus)) + 60
    return {
        "network_mode": policy.network,
        "read_only": policy.read_only_root,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "init": policy.init,
        "user": policy.user,
        "mem_limit": policy.memory,
        "memswap_limit": policy.memory,
        "nano_cpus": int(policy.cpus * 1e9),
        "pids_limit": policy.pids,
        "tmpfs": {"/tmp": f"rw,noexec,nosuid,nodev,size={policy.tmp},mode=1777"},
        "shm_size": policy.shm,
        "ipc_mode": "private",
        "ulimits": [
            Ulimit(name="nofile", soft=policy.open_files, hard=policy.open_files),
            Ulimit(name="fsize", soft=policy.output_bytes, hard=policy.output_bytes),
            Ulimit(name="core", soft=0, hard=0),
            # the last resort, should bench be killed: the host's clock is the limit
            Ulimit(name="cpu", soft=processor_seconds, hard=processor_seconds),
        ],
        # a stranger's output fills no log: it is read as it comes
        "log_config": LogConfig(type=LogConfig.types.NONE),
        "healthcheck": {"test": ["NONE"]},
        "hostname": "sandbox",
        "working_dir": "/tmp",
        "stdin_open": False,
        "tty": False,
        # a proxy's address in the engine's settings may hold a password
        "use_config_proxy": False,
        "labels": labels(phase=phase),
        "environment": {
            "PYTHONPATH": HARNESS,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "HOME": "/tmp",
            "KERAS_HOME": "/tmp/keras",
            "KERAS_BACKEND": "tensorflow",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "OMP_NUM_THREADS": threads,
            "TF_NUM_INTRAOP_THREADS": threads,
            "TF_NUM_INTEROP_THREADS": threads,
        },
    }


def _stage(phase: Phase, worker: Path, user: str) -> list[Any]:
    """Lay out what a phase may see, and return its mounts: inputs one by one, and the output."""
    from docker.types import Mount

    work = phase.out.parent
    stage = work / f"{phase.name}-stage"
    stage.mkdir()
    shutil.copytree(worker, stage / "worker", ignore=shutil.ignore_patterns("__pycache__"))
    seen, sources = {}, {}
    for name, path in phase.inputs.items():
        source = path
        if work not in path.parents:
            source = stage / name
            shutil.copyfile(path, source)
        source.chmod(0o444)
        seen[name] = f"/in/{name}/{_safe(path.name)}"
        sources[seen[name]] = source
    request = stage / "request.json"
    request.write_text(json.dumps({**phase.settings, "inputs": seen, "out": "/out"}))
    sources["/in/request.json"] = request
    sources[f"{HARNESS}/motifidelity/worker"] = stage / "worker"
    for path in (stage / "worker", *(stage / "worker").rglob("*"), request):
        path.chmod(0o755 if path.is_dir() else 0o444)
    uid, _, gid = user.partition(":")
    if os.getuid() == 0 and int(uid):
        os.chown(phase.out, int(uid), int(gid))
    mounts = [
        Mount(target, str(source), type="bind", read_only=True)
        for target, source in sources.items()
    ]
    return [*mounts, Mount("/out", str(phase.out), type="bind")]


def _safe(name: str) -> str:
    """File name that any shell, log and mount can carry."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name) or "file"


def _last_lines(text: TextCapture, lines: int = 20) -> str:
    return clean_text("\n".join(text.text().splitlines()[-lines:]), 4000, lines=True)
