"""What a check of a registry found."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from motifidelity.registry.store import Entry

# younger ones may belong to a writer at work
UNFINISHED_SECONDS = 3600


@dataclass(frozen=True)
class Problem:
    """A file that is not as it should be.

    ``kind`` is ``changed``, ``damaged``, ``missing``, ``foreign``, ``newer`` or ``double``.
    """

    kind: str
    path: str
    why: str


@dataclass
class Audit:
    """What a check found.

    Attributes
    ----------
    results, packs : int
        Results, each counted once, and packs.
    files, size : int
        Files whose digest is right, and their bytes.
    undigested : int
        Results that were recorded before there were digests: their structure is checked.
    not_kept : int
        Arrays that a row states and that are not there, which is allowed.
    pending : list of str
        Whole results whose writer was killed at its last step.
    unfinished : list of Entry
        Files of writers that were killed, or are still at work: no row names them.
    superseded : list of Entry
        Files whose results lie in a pack: the packing was stopped.
    problems : list of Problem
    """

    results: int = 0
    packs: int = 0
    files: int = 0
    size: int = 0
    undigested: int = 0
    not_kept: int = 0
    pending: list[str] = field(default_factory=list)
    unfinished: list[Entry] = field(default_factory=list)
    superseded: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether the registry can be trusted as it is."""
        return not self.problems


def old(entries: Iterable[Entry]) -> list[Entry]:
    """Files that no writer is at work on any more."""
    return [e for e in entries if time.time() - e.modified > UNFINISHED_SECONDS]
