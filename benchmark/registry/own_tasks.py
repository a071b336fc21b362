"""Users' own tasks, kept beside their results: what they were read from, once each.

Results name a task by id and digest. Those of the suite are in the package; another is in the
folder ``tasks/ID-DIGEST/`` of every registry that has results of it, so that any machine can draw,
score and check these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from motifidelity.errors import UserError
from motifidelity.registry.store import Store, StoreError
from motifidelity.tasks.bounds import MOTIF_BYTES, TEXT_BYTES
from motifidelity.tasks.spec import TEXT, kept_spec, know, own_as

FOLDER = "tasks"
SHOWN = 12


def task_files(job: Mapping[str, Any]) -> dict[str, bytes]:
    """Files of the task of a job's row by their path; none of a task of the suite."""
    spec = own_as(str(job.get("task")), str(job.get("task_digest")))
    if spec is None:
        return {}
    folder = f"{FOLDER}/{spec.id}-{spec.digest[:SHOWN]}"
    return {f"{folder}/{name}": content for name, content in spec.files.items()}


def learn_tasks(store: Store) -> None:
    """Make the tasks that a registry keeps known to this process.

    One that cannot be read stays unknown: its results are shown without recipe, as those of a task
    of a later version are, and ``bench registry verify`` tells what is damaged.

    Raises
    ------
    StoreError
        If the store does not answer.
    """
    kept: dict[str, dict[str, str]] = {}
    try:
        found = sorted(store.files(FOLDER).items())
    except StoreError:
        raise
    except OSError:  # reading the results will say what the disk has
        return
    for path, entry in found:
        folder, _, name = path.rpartition("/")
        # what no specification can have is not read at all, and its task lacks it
        oversized = entry.size > (TEXT_BYTES if name == TEXT else MOTIF_BYTES)
        if not name.startswith(".") and not oversized:
            kept.setdefault(folder, {})[name] = path
    for folder, files in kept.items():
        try:
            spec = kept_spec({name: store.read(path) for name, path in files.items()})
        except StoreError:
            raise
        except (OSError, UserError, ValueError, KeyError, TypeError, AttributeError):
            continue
        if folder == f"{FOLDER}/{spec.id}-{spec.digest[:SHOWN]}":
            know(spec)
