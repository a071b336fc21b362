"""Which executor a run uses: a container, a plain process, or whichever of them is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from motifidelity import scratch
from motifidelity.backends import DEFAULT_BACKEND, require_backend
from motifidelity.errors import UserError
from motifidelity.executors.base import Executor
from motifidelity.executors.cores import threads_for
from motifidelity.executors.process import ProcessExecutor
from motifidelity.tasks.dataset import cache_folder

if TYPE_CHECKING:
    from motifidelity.containers.policy import Policy

FIT_SEES = "the model file; training and validation sequences with labels"
PROBE_SEES = "the frozen network; test sequences without labels"


@dataclass(frozen=True)
class Wish:
    """Where a run shall take place and within which limits; None is the standard."""

    runner: str = "process"
    image: str | None = None
    memory: str | None = None
    cpus: float | None = None
    timeout: float | None = None
    gpus: str | None = None
    executor: str = "local"
    address: str | None = None
    jobs: int | None = None
    nodes: int | None = None
    backend: str = DEFAULT_BACKEND

    @property
    def only_in_containers(self) -> list[str]:
        """Flags that a plain process cannot honour."""
        return [
            f"--{name}"
            for name in ("image", "memory", "cpus", "gpus")
            if getattr(self, name) is not None
        ]


def choose_executor(wish: Wish, say: Callable[[str], None]) -> Executor:
    """The executor for a wish; what an earlier run left when it was killed is removed first.

    Parameters
    ----------
    wish : Wish
    say : callable
        Receives what the user must know.

    Raises
    ------
    UserError
        If the wish cannot be met: no daemon, no image, no such GPU, a flag that needs a container,
        a backend that is not there.
    """
    scratch.sweep()
    if wish.executor == "ray":
        return _cluster(wish, say)
    executor = _local(wish, say)
    require_backend(wish.backend, executor)
    return executor


def _local(wish: Wish, say: Callable[[str], None]) -> Executor:
    for flag in ("address", "nodes"):
        if getattr(wish, flag) is not None:
            raise UserError(f"--{flag} is of a Ray cluster; add --executor ray")
    if wish.runner == "process":
        if flags := wish.only_in_containers:
            raise UserError(
                f"{flags[0]} needs a container; add --runner docker, or leave {flags[0]} away"
            )
        return _processes(wish)
    from motifidelity.containers.engine import EngineError, connect

    try:
        engine = connect()
    except EngineError as error:
        if wish.runner == "docker" or wish.gpus not in (None, "none", "0"):
            raise
        say(
            f"WARNING: NO CONTAINER. {str(error).partition(';')[0]}: the model's code runs as a "
            "plain process with your rights, its limits are not enforced, and its rows are marked "
            "so. Start Docker, or use --runner docker to insist."
        )
        return _processes(wish, "no Docker daemon answered: run without a container")
    return _container(engine, wish, say)


def _processes(wish: Wish, *warnings: str) -> Executor:
    jobs = wish.jobs or 1
    # one job alone has all cores, as a user's own script would
    threads = threads_for(jobs) if jobs > 1 else None
    return ProcessExecutor(wish.timeout, warnings, jobs=jobs, threads=threads)


def _cluster(wish: Wish, say: Callable[[str], None]) -> Executor:
    if wish.runner == "auto":
        raise UserError(
            "--runner auto: nodes of a cluster may differ; choose --runner docker or process"
        )
    if wish.runner == "process" and wish.image is not None:
        raise UserError("--image needs a container; add --runner docker, or leave --image away")
    from motifidelity.executors.ray.executor import open_cluster

    return open_cluster(wish, say)


def _container(engine: object, wish: Wish, say: Callable[[str], None]) -> Executor:
    from motifidelity.containers import gpu, images
    from motifidelity.containers.engine import Engine, remove_orphans
    from motifidelity.containers.executor import DockerExecutor
    from motifidelity.containers.policy import Policy

    assert isinstance(engine, Engine)
    if removed := remove_orphans(engine):
        say(f"Removed {removed} container{'s' if removed > 1 else ''} of a run that was killed.")
    policy = replace(Policy(), user=engine.user()).with_limits(
        memory=wish.memory, cpus=wish.cpus, timeout=wish.timeout, gpus=wish.gpus
    )
    request = gpu.GpuRequest.parse(policy.gpus)
    cores = int(engine.info.get("NCPU") or 0)
    if cores and policy.cpus > cores:
        raise UserError(
            f"the engine has {cores} CPU{'s' if cores > 1 else ''}, the policy gives "
            f"{policy.cpus:g}; add --cpus {cores}"
        )
    if cores and (wish.jobs or 1) * policy.cpus > cores:
        raise UserError(
            f"--jobs {wish.jobs}: {policy.cpus:g} CPUs each are more than the engine's {cores}; "
            "ask for fewer jobs, or lower --cpus"
        )
    name = wish.image or images.default_name(
        images.accelerator_of(wish.backend, gpu=request is not None)
    )
    image = images.find(engine, name)
    if image.accelerator in images.ACCELERATORS and not image.current:
        say(
            f"Image {image.name} was built for another version of the package; 'bench image "
            "build' brings it up to date."
        )
    facts = gpu.preflight(engine, image, request, policy) if request else None
    versions = images.packages(engine, image, cache_folder())
    executor = DockerExecutor(
        engine, image, policy, packages=versions, gpus=facts, jobs=wish.jobs or 1
    )
    if executor.place.widened:
        say(f"Sandbox wider than the standard: {'; '.join(executor.place.widened)}.")
    return executor


def describe(executor: Executor) -> list[tuple[str, str]]:
    """What ``--dry-run`` prints of an executor: name and value of everything that is enforced."""
    rows = [("runner", executor.name), ("isolation", executor.isolation)]
    if executor.place.slots > 1:
        rows.append(("jobs at once", f"at most {executor.place.slots}"))
    if executor.place.policy is None:
        return [*rows, ("sandbox", "none: the model's code has your rights")]
    rows += [("image", str(executor.image)), *policy_of(executor).lines()]
    rows += [("fit sees", FIT_SEES), ("probe sees", PROBE_SEES)]
    rows += [("both see", "the worker's code, read-only; one output folder, writable")]
    rows += [("wider than the standard", line) for line in executor.place.widened]
    if executor.place.gpus:
        rows.append(("devices", executor.place.gpus))
    return rows


def policy_of(executor: Executor) -> Policy:
    """The policy that an executor's rows record."""
    import json

    from motifidelity.containers.policy import Policy

    return Policy(**json.loads(executor.place.policy or "{}"))
