"""Which executor a run uses: a container, a plain process, or whichever of them is there."""

from __future__ import annotations

from collections.abc import Callable

from motifidelity.errors import UserError
from motifidelity.executors.local import executor_here
from motifidelity.phase.interface import Executor
from motifidelity.phase.wish import Wish


def choose_executor(wish: Wish, say: Callable[[str], None]) -> Executor:
    """The executor for a wish, here or on a cluster; all else as of `executor_here`."""
    if wish.executor != "ray":
        return executor_here(wish, say)
    if wish.runner == "auto":
        raise UserError(
            "--runner auto: nodes of a cluster may differ; choose --runner docker or process"
        )
    if wish.runner == "process" and wish.image is not None:
        raise UserError("--image needs a container; add --runner docker, or leave --image away")
    from motifidelity.executors.ray.cluster import open_cluster

    return open_cluster(wish, say)
