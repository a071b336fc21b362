"""What the host sees of a running container: its text, its memory, what it writes."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterable
from pathlib import Path

HEAD_BYTES = 64 << 10
TAIL_BYTES = 64 << 10
CGROUPS = Path("/sys/fs/cgroup")


class TextCapture:
    """Reads a container's output to its end, keeping the first and the last of it.

    Parameters
    ----------
    stream : iterable of bytes
        As attached before the container started, so that nothing is lost.
    limit : int
        Bytes after which ``too_much`` is set; reading goes on, so that nothing blocks.
    """

    def __init__(self, stream: Iterable[bytes], limit: int) -> None:
        self.total = 0
        self._head = b""
        self._tail = b""
        self._limit = limit
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    @property
    def too_much(self) -> bool:
        """Whether more than the limit was written."""
        return self.total > self._limit

    def text(self) -> str:
        """The kept text; call it when the container has ended."""
        self._thread.join(timeout=5)
        both = self._head + self._tail
        if self.total > len(both):
            both = self._head + b"\n[...]\n" + self._tail
        return both.decode("utf-8", errors="replace")

    def contains(self, line: bytes) -> bool:
        """Whether a text is in the first that was written."""
        self._thread.join(timeout=5)
        return line in self._head

    def _read(self, stream: Iterable[bytes]) -> None:
        with contextlib.suppress(Exception):
            for chunk in stream:
                self.total += len(chunk)
                room = HEAD_BYTES - len(self._head)
                self._head += chunk[:room]
                if len(chunk) > room:
                    self._tail = (self._tail + chunk[room:])[-TAIL_BYTES:]


class CgroupWatch:
    """Memory and writes of a container by its control group, where the host can see it.

    Attributes
    ----------
    peak : int
        Highest memory in use that was seen, bytes, without file pages that could be dropped.
    oom_kills : int
        Processes that the kernel killed for want of memory.
    """

    def __init__(self, root: Path = CGROUPS, proc: Path = Path("/proc")) -> None:
        self.peak = 0
        self.oom_kills = 0
        self._root, self._proc = root, proc
        self._pid = 0
        self._v2 = False
        self._memory: Path | None = None
        self._processes: Path | None = None

    def follow(self, pid: int) -> None:
        """Note what a container uses now; ``pid`` is its first process, 0 while it is unknown."""
        if pid and not self._pid:
            self._pid = pid
            self._v2, self._memory, self._processes = _folders(pid, self._root, self._proc)
        if self._memory is None:
            return
        with contextlib.suppress(OSError, ValueError):
            used = int(
                _read(self._memory / ("memory.current" if self._v2 else "memory.usage_in_bytes"))
            )
            stat = _pairs(_read(self._memory / "memory.stat"))
            dropped = stat.get("inactive_file" if self._v2 else "total_inactive_file", 0)
            self.peak = max(self.peak, used - dropped)
            events = "memory.events" if self._v2 else "memory.oom_control"
            self.oom_kills = _pairs(_read(self._memory / events)).get("oom_kill", 0)

    def kill(self, container: str) -> None:
        """Kill the first process, and with it all others, if it still is the container's."""
        with contextlib.suppress(OSError):
            if self._pid and container in _read(self._proc / str(self._pid) / "cgroup"):
                os.kill(self._pid, signal.SIGKILL)

    def bytes_written(self) -> int:
        """Bytes that the container's processes have sent to disks, deleted files included.

        A process that hides its own counter from a host without root's rights counts as nothing.
        """
        if self._processes is None:
            return 0
        total = 0
        with contextlib.suppress(OSError, ValueError):
            for pid in _read(self._processes / "cgroup.procs").split():
                with contextlib.suppress(OSError, ValueError):
                    counters = _read(self._proc / pid / "io").replace(":", "")
                    total += _pairs(counters).get("write_bytes", 0)
        return total


def _folders(pid: int, root: Path, proc: Path) -> tuple[bool, Path | None, Path | None]:
    """Whether it is version 2, and the folders of memory and of the list of processes."""
    try:
        lines = [line.split(":", 2) for line in _read(proc / str(pid) / "cgroup").splitlines()]
    except OSError:
        return False, None, None
    unified = memory = None
    for _, controllers, path in lines:
        if "memory" in controllers.split(","):
            memory = root / "memory" / path.lstrip("/")
        elif controllers == "":
            unified = root / path.lstrip("/")
    if memory is not None and memory.is_dir():
        return False, memory, memory
    if unified is not None and (unified / "memory.current").exists():
        return True, unified, unified
    return False, None, None


def _read(path: Path) -> str:
    return path.read_text(encoding="ascii", errors="replace")


def _pairs(text: str) -> dict[str, int]:
    rows = (line.split() for line in text.splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}
