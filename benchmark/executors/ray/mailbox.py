"""Progress on its way back: nodes put events into a box, the harness empties it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict
from typing import Any

from motifidelity.executors.base import Event

POLL_SECONDS = 0.5
BOX_LIMIT = 100_000


class Box:
    """Runs as an actor: keeps the events of all phases until they are taken."""

    def __init__(self) -> None:
        self._events: list[tuple[str, dict[str, Any]]] = []

    def put(self, key: str, event: dict[str, Any]) -> None:
        """Keep an event of a phase; more than anyone takes are dropped."""
        if len(self._events) < BOX_LIMIT:
            self._events.append((key, event))

    def take(self) -> list[tuple[str, dict[str, Any]]]:
        """All events since the last call."""
        taken, self._events = self._events, []
        return taken


class Mailbox:
    """The harness's side: one thread empties the box and sorts events by phase.

    Progress is told for people: where the box's node dies, what lay in it is lost, and no more.
    """

    def __init__(self) -> None:
        import ray

        actor = ray.remote(num_cpus=0, max_restarts=-1)(Box)
        self.box = actor.remote()
        self._sorted: dict[str, list[Event]] = defaultdict(list)
        self._lock = threading.Lock()
        threading.Thread(target=self._empty, daemon=True).start()

    def events(self, key: str) -> list[Event]:
        """Events of a phase since the last call."""
        with self._lock:
            return self._sorted.pop(key, [])

    def collect(self) -> None:
        """Empty the box now."""
        import ray

        # its own errors, and plain ones where the box has just gone
        with self._lock, contextlib.suppress(Exception):
            for key, event in ray.get(self.box.take.remote(), timeout=10):
                self._sorted[key].append(event)

    def _empty(self) -> None:
        import ray

        # a call of Ray's would start a cluster where the connection is closed
        while ray.is_initialized():
            self.collect()
            time.sleep(POLL_SECONDS)
