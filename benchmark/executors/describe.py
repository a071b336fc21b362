"""What is told of an executor before it runs anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from motifidelity.phase.interface import Executor

if TYPE_CHECKING:
    from motifidelity.containers.policy import Policy


FIT_SEES = (
    "the model file; training and validation sequences with labels; what its own training kept, if "
    "it was stopped"
)
FIT_SEES_WEIGHTS = "the model file; the given weights"


PROBE_SEES = "the frozen network; test sequences without labels"


def describe(executor: Executor) -> list[tuple[str, str]]:
    """What ``--dry-run`` prints of an executor: name and value of everything that is enforced."""
    rows = [("runner", executor.name), ("isolation", executor.isolation)]
    if executor.place.slots > 1:
        rows.append(("jobs at once", f"at most {executor.place.slots}"))
    if executor.place.policy is None:
        return [*rows, ("sandbox", "none: the model's code has your rights")]
    rows += [("image", str(executor.image)), *policy_of(executor).lines()]
    rows += [("fit sees", FIT_SEES), ("probe sees", PROBE_SEES)]
    rows += [("both see", "the worker's code, read-only; one output folder, writable")]
    rows += [("wider than the standard", line) for line in executor.place.widened]
    if executor.place.gpus:
        rows.append(("devices", executor.place.gpus))
    return rows


def policy_of(executor: Executor) -> Policy:
    """The policy that an executor's rows record."""
    import json

    from motifidelity.containers.policy import Policy

    return Policy(**json.loads(executor.place.policy or "{}"))
