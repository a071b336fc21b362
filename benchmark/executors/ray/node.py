"""What runs on a node of the cluster: one phase, as the node's own process or container.

Only the inputs of the phase reach a node. What it leaves goes back as bytes and is checked where
the truth is.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motifidelity.errors import UserError
from motifidelity.executors.local import require_backend
from motifidelity.phase.interface import Event, Executor, Host, Phase, PhaseResult
from motifidelity.phase.outputs import OutputLimits, read_plain, survey
from motifidelity.provenance import environment, worker_digest
from motifidelity.scratch import machine, scratch_folder, sweep

if TYPE_CHECKING:
    from motifidelity.phase.wish import Wish


@dataclass(frozen=True)
class Parcel:
    """A phase as it travels.

    Attributes
    ----------
    name : str
    settings : mapping
    files : mapping of str to str
        The file name of every input.
    worker : str
        Digest of the worker's code on the sending side.
    """

    name: str
    settings: Mapping[str, Any]
    files: Mapping[str, str]
    worker: str


@dataclass(frozen=True)
class Answer:
    """How a phase ended on a node, and the files that it left by name."""

    result: PhaseResult
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class Facts:
    """What a node says of itself before the first job.

    Attributes
    ----------
    name : str
    worker : str
        Digest of the worker's code there.
    isolation : str
    image : str, optional
    host : Host
    """

    name: str
    worker: str
    isolation: str
    image: str | None
    host: Host


def examine(wish: Wish) -> Facts:
    """Open this node's executor and say what it is.

    Raises
    ------
    UserError
        If the node lacks what the wish needs: Docker, the image, a GPU.
    """
    executor = _executor(wish, _gpu().uuid if wish.gpus else None)
    return Facts(
        platform.node(), worker_digest(), executor.isolation, executor.image, _host(executor)
    )


def run_parcel(
    parcel: Parcel,
    fetch: Callable[[str], bytes],
    wish: Wish,
    on_event: Callable[[Event], None],
) -> Answer:
    """Run a phase here.

    Parameters
    ----------
    parcel : Parcel
    fetch : callable
        Content of the input with the given name.
    wish : Wish
        The runner and the limits.
    on_event : callable
    """
    here = platform.node()
    on_event({"event": "node", "name": here})
    if parcel.worker != worker_digest():
        return _refused(f"node {here} has another version of motifidelity; install the same one")
    try:
        gpu = _gpu() if wish.gpus else None
        executor = _executor(wish, gpu.uuid if gpu else None)
    except UserError as error:
        return _refused(f"node {here}: {error}")
    with scratch_folder() as work:
        inputs = {}
        for name, filename in parcel.files.items():
            # a folder each: two inputs may have one name
            inputs[name] = work / f"input-{name}" / filename
            inputs[name].parent.mkdir()
            inputs[name].write_bytes(fetch(name))
        out = work / parcel.name
        out.mkdir()
        result = executor.run(Phase(parcel.name, parcel.settings, inputs, out), on_event)
        if gpu is not None:
            result = replace(result, device=gpu.name)
        return _answer(replace(result, host=_host(executor)), out)


def _answer(result: PhaseResult, out: Path) -> Answer:
    if result.status != "ok":
        return Answer(result, {})
    if problem := survey(out, OutputLimits()):
        message = f"{problem}; write nothing beside the results"
        return Answer(replace(result, status="invalid_output", message=message), {})
    limit = OutputLimits.total_bytes
    found = {path.name: read_plain(path, limit) for path in sorted(out.iterdir())}
    return Answer(result, {name: data for name, data in found.items() if data is not None})


def _refused(message: str) -> Answer:
    return Answer(PhaseResult("infra_error", message), {})


def _host(executor: Executor) -> Host:
    import json

    # the name of a machine may say more than its owner wants to publish
    found = {**json.loads(environment()), "host": machine()}
    return Host(json.dumps(found, sort_keys=True), executor.place)


@cache
def _executor(wish: Wish, gpu: str | None) -> Executor:
    """One executor serves every phase that a process of Ray runs."""
    from motifidelity.executors.local import executor_here
    from motifidelity.executors.process import ProcessExecutor

    if wish.runner == "docker":
        here = replace(wish, executor="local", address=None, nodes=None, jobs=None, gpus=gpu)
        return executor_here(here, lambda _: None)
    sweep()
    threads = max(1, int(wish.cpus or 1))
    executor = ProcessExecutor(wish.timeout, threads=threads, gpu=gpu is not None)
    require_backend(wish.backend, executor)
    return executor


@dataclass(frozen=True)
class _Gpu:
    uuid: str
    name: str


def _gpu() -> _Gpu:
    """The GPU that Ray gave this task, as its driver names it."""
    import ray

    given = [str(number) for number in ray.get_gpu_ids()]
    if not given:
        raise UserError("Ray gave the job no GPU")
    return _named(given[0])


@cache
def _named(number: str) -> _Gpu:
    if shutil.which("nvidia-smi") is None:
        raise UserError("it has no NVIDIA driver (no nvidia-smi); install it, or leave --gpus away")
    query = ["nvidia-smi", "--query-gpu=uuid,name", "--format=csv,noheader", f"--id={number}"]
    done = subprocess.run(query, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise UserError(f"nvidia-smi failed: {' '.join((done.stdout + done.stderr).split())[:200]}")
    uuid, _, name = done.stdout.strip().partition(", ")
    return _Gpu(uuid, name)
