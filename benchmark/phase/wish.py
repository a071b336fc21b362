"""Where a run shall take place, as a user asked for it."""

from __future__ import annotations

from dataclasses import dataclass

from motifidelity.backends import DEFAULT_BACKEND


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
