"""Executors of this machine: plain processes, or containers of its Docker engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec

from motifidelity import scratch
from motifidelity.backends import how_to_install
from motifidelity.errors import UserError
from motifidelity.executors.process import ProcessExecutor
from motifidelity.phase.cores import threads_for
from motifidelity.phase.interface import Executor
from motifidelity.phase.wish import Wish
from motifidelity.tasks.dataset import cache_folder


def executor_here(wish: Wish, say: Callable[[str], None]) -> Executor:
    """Executor of this machine for a wish; what a run left when it was killed is removed first.

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
    executor = _of_kind(wish, say)
    require_backend(wish.backend, executor)
    return executor


def _of_kind(wish: Wish, say: Callable[[str], None]) -> Executor:
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


def _container(engine: object, wish: Wish, say: Callable[[str], None]) -> Executor:
    from motifidelity.containers import gpu, images
    from motifidelity.containers.engine import Engine, remove_orphans
    from motifidelity.containers.policy import Policy
    from motifidelity.containers.runner import DockerExecutor

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


def require_backend(backend: str, executor: Executor) -> None:
    """Check that the place where phases run has a backend.

    Raises
    ------
    UserError
        With the command that installs it.
    """
    inside = executor.place.packages
    if inside is None:
        if find_spec(backend) is None:
            raise UserError(f"backend {backend}: not installed here; {how_to_install(backend)}")
    elif inside.get(backend, "not installed") == "not installed":
        raise UserError(
            f"backend {backend}: image {executor.image} has none; build one with 'bench image "
            f"build --backend {backend}'"
        )
