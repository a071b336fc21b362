"""Processor cores: how many there are, and which of them a process has for itself.

A core is claimed by a lock on a file, so that every process of a user knows what is taken: jobs of
this run, of another run on the same machine, and of Ray's workers. A lock ends with its process.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from motifidelity.errors import UserError


def usable_cores() -> tuple[int, ...]:
    """Numbers of the cores that this process may run on; empty where the system does not tell."""
    import psutil

    process = psutil.Process()
    if not hasattr(process, "cpu_affinity"):
        return ()
    return tuple(process.cpu_affinity())


def count_cores() -> int:
    """Cores that this process may use at the same time: its affinity and its control group's."""
    from joblib import cpu_count

    return max(1, int(cpu_count()))


def threads_for(jobs: int) -> int:
    """Threads of each of so many jobs on this machine.

    Raises
    ------
    UserError
        If there are more jobs than cores.
    """
    cores = count_cores()
    if jobs > cores:
        raise UserError(
            f"--jobs {jobs}: this machine has {cores} core{'s' if cores > 1 else ''} to give; "
            f"use at most {cores}"
        )
    return cores // jobs


@contextlib.contextmanager
def claim_cores(count: int) -> Iterator[tuple[int, ...]]:
    """So many cores that no other job of this user has; empty where they cannot be told apart.

    In a control group that limits processor time and not cores, every group would choose the same
    ones; then, and where too few are free, nothing is claimed and the system's scheduler decides.
    """
    from filelock import FileLock, Timeout

    cores = usable_cores()
    with contextlib.ExitStack() as held:
        claimed: list[int] = []
        if count and len(cores) == count_cores():
            folder = Path(tempfile.gettempdir()) / f"motifidelity-cores-{os.getuid()}"
            with contextlib.suppress(OSError):
                folder.mkdir(mode=0o700, exist_ok=True)
                for core in cores:
                    if len(claimed) == count:
                        break
                    with contextlib.suppress(Timeout):
                        held.enter_context(FileLock(folder / f"{core}.lock", blocking=False))
                        claimed.append(core)
        if len(claimed) < count:
            held.close()
            claimed = []
        yield tuple(claimed)
