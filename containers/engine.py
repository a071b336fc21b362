"""The connection to a Docker engine: what it can enforce, and its errors in one line."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from motifidelity.errors import UserError
from motifidelity.scratch import is_orphan, owner

if TYPE_CHECKING:
    import docker

LABEL = "motifidelity"
OWNER = "motifidelity.owner"
NO_DAEMON = (
    "no Docker daemon answers ({reason}); start it (systemctl start docker), or run without a "
    "container with --runner process"
)


class EngineError(UserError):
    """The engine is not there, or refused; one line."""

    exit_code = 1


@dataclass(frozen=True)
class Engine:
    """A Docker engine that answers.

    Attributes
    ----------
    client : docker.DockerClient
    info : dict
        What the engine says of itself.
    """

    client: docker.DockerClient
    info: dict[str, Any]

    @property
    def rootless(self) -> bool:
        """Whether root in a container is the caller outside."""
        return any("rootless" in option for option in self.info.get("SecurityOptions") or ())

    def user(self) -> str:
        """Who a phase runs as: the caller, or nobody where the caller is root."""
        if self.rootless:
            return "0:0"
        uid, gid = os.getuid(), os.getgid()
        return f"{uid}:{gid}" if uid else "65534:65534"

    def unenforced(self) -> list[str]:
        """Parts of the policy that this engine cannot enforce."""
        missing = [
            what
            for key, what in (
                ("MemoryLimit", "memory limit"),
                ("PidsLimit", "pids limit"),
                ("CpuCfsQuota", "cpu limit"),
                ("SwapLimit", "swap limit"),
            )
            if not self.info.get(key, True)
        ]
        if not any("seccomp" in option for option in self.info.get("SecurityOptions") or ()):
            missing.append("seccomp filter")
        return missing


def connect() -> Engine:
    """Connect to the engine that the environment names.

    Raises
    ------
    EngineError
        If none answers.
    """
    import docker

    try:
        client = docker.from_env(timeout=120)
        client.ping()
        return Engine(client, client.info())
    except Exception as error:
        # the SDK lets errors of its transports through as they are
        raise EngineError(NO_DAEMON.format(reason=_reason(error))) from error


@contextlib.contextmanager
def engine_errors(doing: str) -> Iterator[None]:
    """Turn whatever the SDK raises into an ``EngineError`` that says what was being done."""
    import docker
    import requests

    try:
        yield
    except (docker.errors.DockerException, requests.RequestException, OSError) as error:
        raise EngineError(f"{doing}: {_reason(error)}") from error


def remove_orphans(engine: Engine) -> int:
    """Remove containers whose ``bench`` is gone, and return how many there were."""
    import docker

    removed = 0
    with engine_errors("removing containers of a run that was killed"):
        for container in engine.client.containers.list(
            all=True, filters={"label": LABEL}, ignore_removed=True
        ):
            if is_orphan(container.labels.get(OWNER, "")):
                with contextlib.suppress(docker.errors.NotFound):
                    container.remove(force=True, v=True)
                    removed += 1
    return removed


def labels(**more: str) -> dict[str, str]:
    """Labels of a container of this process."""
    return {LABEL: "job", OWNER: owner(), **{f"{LABEL}.{k}": v for k, v in more.items()}}


def _reason(error: BaseException) -> str:
    text = getattr(error, "explanation", None) or str(error)
    if "Connection refused" in text or "FileNotFoundError" in text or "No such file" in text:
        return "nothing listens at its socket"
    if "Permission" in text:
        return "permission denied: your user must be in the group docker"
    return " ".join(str(text).split())[:300]
