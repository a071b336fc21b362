"""The interface of an executor, and what a finished phase says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

STATUSES = ("ok", "model_error", "timeout", "oom", "invalid_output", "infra_error")
# of a fit, in their order
STEPS = ("import", "own_fit", "build", "motif_layer", "freeze", "train")
Event = Mapping[str, Any]
OnEvent = Callable[[Event], None]
OUTPUT_LIMIT = 1 << 16


@dataclass(frozen=True)
class Phase:
    """One phase of a job: what runs, what it may read, where it writes.

    Attributes
    ----------
    name : str
        ``fit`` or ``probe``.
    settings : mapping
        The request, without paths.
    inputs : mapping of str to Path
        Files the phase may read, by the name that the worker knows them by.
    out : Path
        The one folder it may write.
    """

    name: str
    settings: Mapping[str, Any]
    inputs: Mapping[str, Path]
    out: Path


@dataclass(frozen=True)
class Place:
    """What a row records of where its job ran, beside the harness's own machine.

    Attributes
    ----------
    slots : int
        Jobs that may run at the same time.
    policy : str, optional
        Canonical JSON of the sandbox policy.
    widened : tuple of str
        Limits that are wider than the standard policy's.
    gpus : str, optional
        Canonical JSON of driver, CUDA version, and the devices' names and UUIDs.
    packages : mapping, optional
        Versions that the phases run with, where they are not this process's own.
    warnings : tuple of str
        Lines that mark every row.
    threads : int, optional
        Threads of a job that shares a machine with others; a sandbox has its policy's.
    """

    slots: int = 1
    policy: str | None = None
    widened: tuple[str, ...] = ()
    gpus: str | None = None
    packages: Mapping[str, str] | None = field(default=None, hash=False)
    warnings: tuple[str, ...] = ()
    threads: int | None = None


@dataclass(frozen=True)
class Host:
    """The machine that a phase ran on, where it is another than the harness's own.

    Attributes
    ----------
    environment : str
        Canonical JSON of the machine and of the versions on it.
    place : Place
    """

    environment: str
    place: Place


@dataclass(frozen=True)
class PhaseResult:
    """How a phase ended.

    Attributes
    ----------
    output : str
        The end of what it printed.
    step : str
        One of `STEPS`: what failed by what the worker says, a hint for the submission's author.
    """

    status: str
    message: str = ""
    traceback: str = ""
    seconds: float = 0.0
    peak_memory: int = 0
    device: str = "cpu"
    output: str = ""
    host: Host | None = None
    step: str = ""


class Executor(Protocol):
    """Runs phases somewhere; several threads may call ``run`` where ``place.slots`` allows."""

    name: str
    isolation: str
    image: str | None
    place: Place

    def run(self, phase: Phase, on_event: OnEvent) -> PhaseResult:
        """Run one phase to its end, passing its progress events on."""
        ...

    def stop(self) -> None:
        """End the phases that other threads run; each raises ``KeyboardInterrupt`` there."""
        ...


# TensorFlow and JAX take what a network needs and no more, so that several share a GPU
SHARED_GPU = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
