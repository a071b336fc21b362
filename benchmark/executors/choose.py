"""Which executor a run uses: a container, a plain process, or whichever of them is there."""

from __future__ import annotations

from collections.abc import Callable

from motifidelity import scratch
from motifidelity.errors import UserError
from motifidelity.executors.local import local_executor, require_backend
from motifidelity.phase.interface import Executor
from motifidelity.phase.wish import Wish


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
    executor = local_executor(wish, say)
    require_backend(wish.backend, executor)
    return executor


def _cluster(wish: Wish, say: Callable[[str], None]) -> Executor:
    if wish.runner == "auto":
        raise UserError(
            "--runner auto: nodes of a cluster may differ; choose --runner docker or process"
        )
    if wish.runner == "process" and wish.image is not None:
        raise UserError("--image needs a container; add --runner docker, or leave --image away")
    from motifidelity.executors.ray.cluster import open_cluster

    return open_cluster(wish, say)
