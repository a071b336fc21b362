"""Progress on its way back: nodes put events into a box, the harness empties it."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections import defaultdict
from typing import Any

from motifidelity.phase.interface import Event

POLL_SECONDS = 0.5
TAKE_SECONDS = 10.0
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
    """The harness's side: whoever waits for a phase empties the box for all who wait.

    Progress is told for people: where the box's node dies, what lay in it is lost, and no more.
    """

    def __init__(self) -> None:
        import ray

        actor = ray.remote(num_cpus=0, max_restarts=-1)(Box)
        self.box = actor.remote()
        self._sorted: dict[str, list[Event]] = defaultdict(list)
        self._lock = threading.Lock()
        # held by the one who asks the box; the others go on meanwhile
        self._asking = threading.Lock()
        self._asked = -math.inf

    def events(self, key: str, last: bool = False) -> list[Event]:
        """Events of a phase since the last call; of one that has ended, its ``last`` as well."""
        if self._asking.acquire(blocking=last):
            try:
                if last or time.monotonic() - self._asked >= POLL_SECONDS:
                    self._empty()
            finally:
                self._asking.release()
        with self._lock:
            return self._sorted.pop(key, [])

    def _empty(self) -> None:
        import ray

        # its own errors, and plain ones where the box has just gone
        with contextlib.suppress(Exception):
            taken = ray.get(self.box.take.remote(), timeout=TAKE_SECONDS)
            with self._lock:
                for key, event in taken:
                    self._sorted[key].append(event)
        self._asked = time.monotonic()
