"""Ray executor: each phase is a task on whichever node of a cluster has room for it."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motifidelity.errors import UserError
from motifidelity.executors.ray.connection import (
    CONNECTION_LOST,
    ClusterError,
    brief,
    cut_off,
)
from motifidelity.executors.ray.mailbox import Mailbox
from motifidelity.executors.ray.need import Need, room
from motifidelity.executors.ray.node import Answer, Facts, Parcel, run_parcel
from motifidelity.phase.interface import Event, OnEvent, Phase, PhaseResult
from motifidelity.provenance import worker_digest

if TYPE_CHECKING:
    import ray

    from motifidelity.phase.wish import Wish

POLL_SECONDS = 0.5
# how often a phase that waits for a node looks whether one is left
LOOK_SECONDS = 5.0
POST_SECONDS = 5.0
TRIES = 4
NODES_SECONDS = 600.0
# inputs that stay in the cluster for the next job: a task's data, a few megabytes each
KEPT_BYTES = 512 << 20


class RayExecutor:
    """Runs phases on a cluster that this process is connected to.

    A phase that is lost with its node, or with its process there, runs again on another, at most
    ``TRIES`` times in all.

    Parameters
    ----------
    wish : Wish
        Runner and limits on the node.
    need : Need
        What a phase declares.
    facts : Facts
        What the nodes say of themselves; they are alike.
    slots : int
        Jobs that run at the same time.
    """

    name = "ray"

    def __init__(self, wish: Wish, need: Need, facts: Facts, slots: int) -> None:
        import ray

        self._wish = wish
        self._need = need
        self._inputs = _Inputs()
        self._mailbox = Mailbox()
        self._stopping = threading.Event()
        self._task = ray.remote(_task).options(
            num_cpus=need.cpus, num_gpus=need.gpus, memory=need.memory, max_retries=0
        )
        self.isolation = facts.isolation
        self.image = facts.image
        self.place = replace(facts.host.place, slots=slots)

    def run(self, phase: Phase, on_event: OnEvent) -> PhaseResult:
        """Run one phase to its end, on another node if one is lost."""
        import ray

        lost = ""
        for number in range(1, TRIES + 1):
            try:
                return self._run(phase, on_event)
            except UserError as error:
                return PhaseResult("infra_error", f"{phase.name}: {error}")
            except ray.exceptions.TaskCancelledError as error:
                raise KeyboardInterrupt from error
            except ray.exceptions.RayError as error:
                lost = brief(error)
                # what was stored on the lost node is sent again
                self._inputs.forget()
                on_event({"event": "lost", "done": number, "of": TRIES, "name": lost})
                # the cluster notices a dead node after a while
                self._stopping.wait(number)
            except Exception as error:
                if cut_off(error):
                    raise ClusterError(CONNECTION_LOST) from error
                raise
        return PhaseResult(
            "infra_error",
            f"{phase.name} was lost {TRIES} times on the cluster, last: {lost}; run the same "
            "command again, with more --memory if nodes ran out of it",
        )

    def stop(self) -> None:
        """End the phases that other threads run."""
        self._stopping.set()

    def _run(self, phase: Phase, on_event: OnEvent) -> PhaseResult:
        import ray

        room(self._need, ray.nodes())
        key = uuid.uuid4().hex
        files = {name: path.name for name, path in phase.inputs.items()}
        refs = {name: self._inputs.put(path) for name, path in phase.inputs.items()}
        parcel = Parcel(phase.name, phase.settings, files, worker_digest())
        task = self._task.remote(key, parcel, refs, self._wish, self._mailbox.box)
        try:
            answer = self._wait(task, key, on_event)
        except BaseException:
            ray.cancel(task)
            raise
        for name, content in answer.files.items():
            (phase.out / Path(name).name).write_bytes(content)
        return answer.result

    def _wait(self, task: Any, key: str, on_event: OnEvent) -> Answer:
        import ray

        placed, looked = False, time.monotonic()
        while True:
            done, _ = ray.wait([task], timeout=POLL_SECONDS)
            for event in self._mailbox.events(key, last=bool(done)):
                placed = placed or event["event"] == "node"
                on_event(event)
            if done:
                answer: Answer = ray.get(task)
                return answer
            if self._stopping.is_set():
                raise KeyboardInterrupt
            if not placed and time.monotonic() - looked > LOOK_SECONDS:
                looked = time.monotonic()
                room(self._need, ray.nodes())


class _Inputs:
    """Inputs in the cluster's object store: each content once, and from there once to a node."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[int, ray.ObjectRef[bytes]]] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, path: Path) -> ray.ObjectRef[bytes]:
        """The stored content of a file."""
        import ray

        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        with self._lock:
            if digest not in self._kept:
                self._kept[digest] = (len(content), ray.put(content))
            self._kept.move_to_end(digest)
            found = self._kept[digest][1]
            while len(self._kept) > 1 and sum(n for n, _ in self._kept.values()) > KEPT_BYTES:
                self._kept.popitem(last=False)
        return found

    def forget(self) -> None:
        """Store everything anew from now on."""
        with self._lock:
            self._kept.clear()


def _task(
    key: str, parcel: Parcel, refs: Mapping[str, Any], wish: Wish, box: Any
) -> Answer:  # pragma: no cover - runs in a process of Ray
    import ray

    def fetch(name: str) -> bytes:
        content: bytes = ray.get(refs[name])
        return content

    posted: list[Any] = []

    def post(event: Event) -> None:
        posted[:] = [box.put.remote(key, dict(event))]

    answer = run_parcel(parcel, fetch, wish, post)
    # the last event is there before the answer is
    with contextlib.suppress(ray.exceptions.RayError):
        ray.get(posted, timeout=POST_SECONDS)
    return answer


def open_cluster(wish: Wish, say: Callable[[str], None]) -> RayExecutor:
    """Connect to the cluster that a wish names and make sure that it can do the work.

    Parameters
    ----------
    wish : Wish
    say : callable
        Receives what the user must know.

    Raises
    ------
    UserError
        If it does not answer, no node has room for a job, or a node lacks what a job needs.
    """
    import math

    from motifidelity.executors.ray.connection import connect, examine_nodes

    need = Need.of(wish)
    if not need.gpus:
        # a node takes whatever is named for a GPU
        wish = replace(wish, gpus=None)
    connect(wish.address or "auto")
    import ray

    if wish.nodes:
        _await_nodes(wish.nodes, need, say)
    room(need, ray.nodes())
    facts, together = examine_nodes(need, wish)
    # a few wait in the cluster's own queue, so that no node idles while the harness scores
    slots = together + max(1, math.ceil(together / 4))
    return RayExecutor(wish, need, facts, min(slots, wish.jobs or slots))


def _await_nodes(number: int, need: Need, say: Callable[[str], None]) -> None:
    """Wait while nodes of an allocation join, one after the other."""
    import ray

    until = time.monotonic() + NODES_SECONDS
    told = -1
    while True:
        there = sum(1 for n in ray.nodes() if n["Alive"] and need.fits(n["Resources"]))
        if there >= number:
            return
        if time.monotonic() > until:
            raise UserError(
                f"--nodes {number}: only {there} with room for {need} joined within "
                f"{NODES_SECONDS:g} s; ask for fewer, or see 'ray status'"
            )
        if there != told:
            say(f"Waiting for nodes: {there} of {number} are there.")
            told = there
        time.sleep(1)
