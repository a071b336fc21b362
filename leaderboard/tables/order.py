"""The order in which tasks stand on every page."""

from __future__ import annotations

from collections.abc import Iterable

# the study's own come first, in its order; a task that is not named follows them by its name
FIRST = ("regulatory-code", "motif-classes")


def place_of(task: str) -> tuple[int, str, float, str]:
    """What tasks are sorted by: the study's first, and of each task the newest version first."""
    name, _, version = task.rpartition("@")
    name, version = (name, version) if version.isdecimal() else (task, "0")
    place = FIRST.index(name) if name in FIRST else len(FIRST)
    return place, name, -float(version), task


def in_order(tasks: Iterable[object]) -> list[str]:
    """Distinct tasks in the order of pages."""
    return sorted({str(task) for task in tasks}, key=place_of)
