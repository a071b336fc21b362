"""The tasks and motifs that a registry names, as this package or the registry holds them.

A registry states a task by its name, version and digest; a page draws the task's specification and
its motif database only where the package holds the very same ones, or the registry does of a
user's own task.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from motifidelity.tasks.motifs import Motif
    from motifidelity.tasks.spec import TaskSpec


@dataclass(frozen=True)
class Shelf:
    """A task as this package holds it, or the reason why it does not."""

    spec: TaskSpec | None
    motifs: Mapping[str, Motif]
    reason: str = ""


def find_task(task: str, digest: str) -> Shelf:
    """Look a task up by name, version and digest.

    Parameters
    ----------
    task : str
        Such as ``motif-classes@1``.
    digest : str
        `TaskSpec.digest` of the specification that the results were scored with.

    Returns
    -------
    Shelf
    """
    from motifidelity.errors import UserError
    from motifidelity.tasks.motifs import load_motifs
    from motifidelity.tasks.spec import all_specs, own_as

    spec = all_specs().get(task) or own_as(task, digest)
    if spec is None:
        return Shelf(None, {}, "this version of the package does not hold this task")
    if spec.digest != digest:
        return Shelf(
            None, {}, "the package holds this task under another digest: its specification changed"
        )
    try:
        return Shelf(spec, load_motifs(spec.motifs))
    except (UserError, OSError, ImportError) as error:
        return Shelf(spec, {}, f"its motif database cannot be read ({error})")
