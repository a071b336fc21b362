"""GPUs: asked for by number or UUID, proven before the first job, never replaced by a CPU."""

from __future__ import annotations

import json
import queue
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from motifidelity.containers.policy import Policy
from motifidelity.errors import UserError

if TYPE_CHECKING:
    from motifidelity.containers.engine import Engine
    from motifidelity.containers.images import WorkerImage

_UUID = re.compile(r"(GPU|MIG)-[0-9a-fA-F-]{8,}")
_TOOLKIT = (
    "install the NVIDIA Container Toolkit, run 'nvidia-ctk runtime configure --runtime=docker' and "
    "restart the daemon, or leave --gpus away to run on the CPU"
)
# a tiny kernel on every device, and what the driver says of them
_PREFLIGHT = """
import json, os, subprocess, sys
query = "uuid,name,driver_version,memory.total"
try:
    smi = subprocess.run(
        ["nvidia-smi", "--query-gpu=" + query, "--format=csv,noheader,nounits"],
        capture_output=True, text=True, timeout=60)
except OSError as error:
    sys.exit("nvidia-smi is not there: %s" % error.strerror)
if smi.returncode:
    sys.exit("nvidia-smi failed: " + " ".join((smi.stdout + smi.stderr).split())[:200])
BACKEND
for number, total in enumerate(totals):
    if total != 64.0 ** 3:
        sys.exit("GPU %d computes %r in place of %r" % (number, total, 64.0 ** 3))
print("PREFLIGHT " + json.dumps({
    "smi": [[part.strip() for part in line.split(",")] for line in smi.stdout.splitlines() if line],
    "visible": len(totals),
    "cuda": cuda,
    "cudnn": cudnn,
}))
"""
# each leaves the sum of a matrix product on every device, and the versions that it knows
_COMPUTED = {
    "tensorflow": """
import tensorflow as tf
if not tf.test.is_built_with_cuda():
    sys.exit("its TensorFlow is built without CUDA; run 'bench image build --gpu'")
totals = []
for number in range(len(tf.config.list_physical_devices("GPU"))):
    with tf.device("/GPU:%d" % number):
        product = tf.linalg.matmul(tf.ones((64, 64)), tf.ones((64, 64)))
        totals.append(float(tf.reduce_sum(product)))
if not totals:
    sys.exit("TensorFlow sees no GPU in the container")
build = tf.sysconfig.get_build_info()
cuda, cudnn = str(build.get("cuda_version", "")), str(build.get("cudnn_version", ""))
""",
    "jax": """
import jax
import jax.numpy as jnp
totals = []
for device in jax.devices():
    if device.platform == "gpu":
        with jax.default_device(device):
            totals.append(float((jnp.ones((64, 64)) @ jnp.ones((64, 64))).sum()))
if not totals:
    sys.exit("JAX sees no GPU in the container; run 'bench image build --gpu --backend jax'")
cuda = cudnn = ""
""",
    "torch": """
import torch
totals = []
for number in range(torch.cuda.device_count()):
    ones = torch.ones((64, 64), device="cuda:%d" % number)
    totals.append(float((ones @ ones).sum()))
if not totals:
    sys.exit("PyTorch sees no GPU in the container")
cuda, cudnn = str(torch.version.cuda or ""), str(torch.backends.cudnn.version() or "")
""",
}


@dataclass(frozen=True)
class GpuRequest:
    """What was asked for: a number (-1: all), or UUIDs."""

    count: int = 0
    uuids: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> GpuRequest | None:
        """Read ``none``, ``all``, a number, or UUIDs with commas between; None asks for none.

        Raises
        ------
        UserError
            For anything else.
        """
        text = text.strip()
        if text in ("none", "0"):
            return None
        if text == "all":
            return cls(count=-1)
        if text.isdecimal():
            return cls(count=int(text))
        uuids = tuple(part.strip() for part in text.split(","))
        if all(_UUID.fullmatch(uuid) for uuid in uuids):
            return cls(uuids=uuids)
        raise UserError(
            f"--gpus {text}: write all, a number, or UUIDs as 'nvidia-smi -L' lists them"
        )

    def options(self) -> dict[str, Any]:
        """Options of a container that asks for these GPUs."""
        from docker.types import DeviceRequest

        which = {"device_ids": list(self.uuids)} if self.uuids else {"count": self.count}
        return {
            "device_requests": [
                DeviceRequest(capabilities=[["gpu", "compute", "utility"]], **which)
            ]
        }

    def __str__(self) -> str:
        return ",".join(self.uuids) or ("all" if self.count < 0 else str(self.count))


@dataclass(frozen=True)
class Gpu:
    """One device as its driver names it."""

    uuid: str
    name: str
    memory_mib: int


@dataclass(frozen=True)
class GpuFacts:
    """What the preflight found, as rows record it."""

    driver: str
    cuda: str
    cudnn: str
    devices: tuple[Gpu, ...]

    def to_json(self) -> str:
        """Canonical JSON."""
        return json.dumps(asdict(self), sort_keys=True)


class GpuPool:
    """GPUs of a run; each phase borrows one, so that jobs spread over them.

    Parameters
    ----------
    devices : tuple of Gpu
    jobs : int
        Phases that run side by side; where they are more than the devices, these are shared.
    """

    def __init__(self, devices: tuple[Gpu, ...], jobs: int = 1) -> None:
        self.size = max(len(devices), jobs)
        self._free: queue.SimpleQueue[Gpu] = queue.SimpleQueue()
        for number in range(self.size):
            self._free.put(devices[number % len(devices)])

    @contextmanager
    def borrow(self) -> Iterator[Gpu]:
        """A GPU that no other phase uses, or its share of one; waits for it."""
        device = self._free.get()
        try:
            yield device
        finally:
            self._free.put(device)


def preflight(engine: Engine, image: WorkerImage, request: GpuRequest, policy: Policy) -> GpuFacts:
    """Prove that a request can be met: ``nvidia-smi`` and a tiny kernel inside the image.

    Raises
    ------
    UserError
        In one line, if it cannot; nothing falls back to the CPU.
    """
    from motifidelity.containers.images import run_trusted

    try:
        backend = image.accelerator.partition("-")[2] or "tensorflow"
        said = run_trusted(engine, image, policy, program_for(backend), **request.options())
    except UserError as error:
        raise explain(error, request) from error
    return read_facts(said, request)


def program_for(backend: str) -> str:
    """The preflight's program for an image of a backend."""
    return _PREFLIGHT.replace("BACKEND", _COMPUTED[backend])


def explain(error: Exception, request: GpuRequest) -> UserError:
    """The engine's or the preflight's error as one line that says what mends it."""
    text = str(error)
    if "could not select device driver" in text:
        return UserError(f"--gpus {request}: the Docker engine has no NVIDIA runtime; {_TOOLKIT}")
    if "nvidia-container-cli" in text or "nvidia-container-runtime-hook" in text:
        cause = "unknown device" in text.lower() and "no such GPU; 'nvidia-smi -L' lists them"
        return UserError(
            f"--gpus {request}: {cause or 'the NVIDIA runtime failed'} "
            f"({' '.join(text.split())[-200:]})"
        )
    return UserError(f"--gpus {request}: {text}")


def read_facts(said: str, request: GpuRequest) -> GpuFacts:
    """Read what the preflight printed and hold it against the request.

    Raises
    ------
    UserError
        If fewer devices answered than were asked for, or others.
    """
    line = next((x for x in said.splitlines() if x.startswith("PREFLIGHT ")), None)
    if line is None:
        raise UserError(f"--gpus {request}: the check in the container said nothing")
    found = json.loads(line.removeprefix("PREFLIGHT "))
    rows = [row for row in found["smi"] if len(row) == 4]
    devices = tuple(Gpu(uuid, name, int(float(memory))) for uuid, name, _, memory in rows)
    wanted = len(request.uuids) or request.count
    if len(devices) < max(1, wanted) or found["visible"] < max(1, wanted):
        raise UserError(
            f"--gpus {request}: {min(len(devices), found['visible'])} can be used here; ask for "
            "fewer"
        )
    answered = {device.uuid for device in devices}
    # a MIG slice is listed under the device that it is a part of
    for uuid in request.uuids:
        if uuid not in answered and not uuid.startswith("MIG"):
            raise UserError(f"--gpus {request}: {uuid} did not answer")
    return GpuFacts(rows[0][2], found["cuda"], found["cudnn"], devices)
