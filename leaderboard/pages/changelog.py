"""Changelog of the tasks' specifications: what each version changed, and which results it has."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from motifidelity.leaderboard.page import Material, Page
from motifidelity.leaderboard.text import clip, shorten

if TYPE_CHECKING:
    from motifidelity.tasks.spec import TaskSpec

_SKIPPED = {"digest", "training_digest", "version", "supersedes", "files"}


@dataclass(frozen=True)
class Change:
    """A setting that a version changed: its dotted name, before and after."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class SpecVersion:
    """One version of a task."""

    task: str
    title: str
    summary: str
    digest: str
    data: str
    supersedes: str
    retrains: bool
    changes: tuple[Change, ...]
    results: int


@dataclass(frozen=True)
class Foreign:
    """A specification that results name and that this version of the package does not have."""

    task: str
    digest: str
    results: int


def changelog_page(material: Material) -> Page:
    """What changed in the tasks, the newest version of each first."""

    def draw() -> Mapping[str, object]:
        from motifidelity.tasks.spec import all_specs, own_as

        trials = material.summary.trials
        counts = Counter(zip(trials["task"], trials["task_digest"], strict=True))
        own = (own_as(str(task), str(digest)) for task, digest in sorted(counts))
        specs = {**all_specs(), **{spec.id: spec for spec in own if spec}}
        known = {(spec.id, spec.digest) for spec in specs.values()}
        foreign = [
            Foreign(clip(task), shorten(digest, 16), count)
            for (task, digest), count in sorted(counts.items())
            if (task, digest) not in known
        ]
        return {"versions": list(_versions(specs, counts)), "foreign": foreign}

    return Page("changelog.html", "changelog.html", None, draw)


def _versions(
    specs: Mapping[str, TaskSpec], counts: Mapping[tuple[str, str], int]
) -> Iterator[SpecVersion]:
    for spec in sorted(specs.values(), key=lambda spec: (spec.name, -spec.version)):
        before = specs.get(spec.supersedes) if spec.supersedes else None
        yield SpecVersion(
            task=spec.id,
            title=clip(spec.title),
            summary=clip(spec.summary, 400),
            digest=spec.digest[:16],
            data=spec.dataset_digest[:16],
            supersedes=spec.supersedes or "",
            retrains=before is not None and before.training_digest != spec.training_digest,
            changes=changes(before, spec) if before else (),
            results=counts.get((spec.id, spec.digest), 0),
        )


def changes(before: TaskSpec, after: TaskSpec) -> tuple[Change, ...]:
    """Settings in which two versions differ, by name."""
    old, new = dict(_flat(before)), dict(_flat(after))
    return tuple(
        Change(name, shorten(old.get(name, "–"), 120), shorten(new.get(name, "–"), 120))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    )


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Settings of a specification by dotted name, values as JSON."""
    if dataclasses.is_dataclass(value):
        pairs = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value))
        value = {key: entry for key, entry in pairs if name or key not in _SKIPPED}
    if isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _flat(entry, f"{name}.{key}" if name else str(key))
    else:
        yield name, json.dumps(value, default=_plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    return dict(_flat(value)) if dataclasses.is_dataclass(value) else str(value)
