"""What a job needs of a node, held against what the nodes of a cluster have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from motifidelity.errors import UserError

if TYPE_CHECKING:
    from motifidelity.phase.wish import Wish

GIB = 1 << 30
# one network of the study, as `bench run` records its peak, with room
PROCESS_MEMORY = 2 * GIB


@dataclass(frozen=True)
class Need:
    """Resources that a phase declares.

    Attributes
    ----------
    cpus, gpus : float
        A part of a GPU lets several jobs share it.
    memory : int
        Bytes.
    """

    cpus: float = 1.0
    gpus: float = 0.0
    memory: int = PROCESS_MEMORY

    @classmethod
    def of(cls, wish: Wish) -> Need:
        """What a wish asks of a node; a container is counted with the whole of its limits.

        Raises
        ------
        UserError
            If a limit is none.
        """
        from motifidelity.containers.policy import Policy, parse_size

        standard = Policy() if wish.runner == "docker" else None
        cpus = wish.cpus or (standard.cpus if standard else cls.cpus)
        memory = (
            parse_size(wish.memory)
            if wish.memory
            else (standard.memory if standard else cls.memory)
        )
        return cls(cpus, _gpus(wish.gpus), memory)

    def fits(self, resources: Mapping[str, float]) -> int:
        """How many such jobs a node with these resources has room for."""
        rooms = [
            resources.get(name, 0.0) / wanted
            for name, wanted in (("CPU", self.cpus), ("GPU", self.gpus), ("memory", self.memory))
            if wanted
        ]
        # 0.1 + 0.2 is no reason to refuse
        return int(min(rooms) + 1e-6)

    def __str__(self) -> str:
        parts = [f"{self.cpus:g} CPU{'s' if self.cpus != 1 else ''}"]
        if self.gpus:
            parts.append(f"{self.gpus:g} GPU{'s' if self.gpus != 1 else ''}")
        return ", ".join([*parts, f"{self.memory / GIB:.3g} GiB of memory"])


def _gpus(text: str | None) -> float:
    if text in (None, "none"):
        return 0.0
    try:
        gpus = float(text or 0)
    except ValueError:
        gpus = -1.0
    if not 0 <= gpus <= 1:
        raise UserError(
            f"--gpus {text}: on Ray this is what one job gets of a GPU: 1, or a part such as 0.25 "
            "that lets several jobs share one; no job uses two"
        )
    return gpus


def room(need: Need, nodes: Sequence[Mapping[str, Any]]) -> int:
    """How many jobs fit on the living nodes of ``ray.nodes()`` at the same time.

    Raises
    ------
    UserError
        If not even one does, naming the nearest node.
    """
    alive = [node for node in nodes if node["Alive"]]
    found = sum(need.fits(node["Resources"]) for node in alive)
    if found:
        return found
    largest = max(alive, key=lambda node: _likeness(need, node["Resources"]), default=None)
    has = "the cluster has no living node"
    if largest is not None:
        given = largest["Resources"]
        best = Need(given.get("CPU", 0.0), given.get("GPU", 0.0), int(given.get("memory", 0)))
        has = f"the nearest of {len(alive)} has {best}"
    raise UserError(
        f"no node of the cluster can run a job that needs {need}: {has}; ask for less with "
        "--cpus, --memory or --gpus, or add a larger node"
    )


def _likeness(need: Need, resources: Mapping[str, float]) -> tuple[float, float]:
    gpus = min(1.0, resources.get("GPU", 0.0) / need.gpus) if need.gpus else 1.0
    cpus = min(1.0, resources.get("CPU", 0.0) / need.cpus)
    return gpus + cpus, resources.get("memory", 0.0)
