"""The registry's page, drawn from what can be read of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from motifidelity.errors import DataError
from motifidelity.metrics.declare import all_metrics
from motifidelity.registry import Registry


def draw_leaderboard(
    registry: Registry, out: Path | None = None, tiers: Mapping[str, str] | None = None
) -> Path:
    """Draw the registry's page and return the page's path.

    By default it goes into the registry's folder, or here where the registry lies in a bucket.
    A damaged result is left out; the page and standard error name it.

    Parameters
    ----------
    registry : Registry
    out : Path, optional
        Folder of the page.
    tiers : mapping of str to str, optional
        Who vouches for a job's results, by its id.

    Raises
    ------
    DataError
        If the folder cannot be written.
    """
    from motifidelity.leaderboard import render
    from motifidelity.scoring.evidence import stored_evidence

    folder = out or (registry.folder if registry.local else Path()) / "leaderboard"
    try:
        found = registry.readable()
        for problem in found.problems:
            print(f"bench: {problem}", file=sys.stderr)
        reader = _reader_of(registry)
        return render(
            found.tables,
            folder,
            metrics=all_metrics(),
            problems=found.problems,
            tiers=tiers,
            past=found.past,
            evidence=lambda result: stored_evidence(reader(), result),
            scan_name=lambda result: reader().scan_name(result),
            layers=lambda result: reader().layers(result),
            stored=registry.stored(),
        )
    except OSError as error:
        raise DataError(
            f"leaderboard {folder}: cannot be written ({error.strerror or error}); the results are "
            "kept: draw it elsewhere with 'bench leaderboard build --out DIR'"
        ) from error


def _reader_of(registry: Registry) -> Callable[[], Registry]:
    """The registry as each process reads it: those that draw side by side share no connection."""
    if registry.local:
        return lambda: registry

    @cache
    def opened(_process: int) -> Registry:
        return Registry(registry.name)

    return lambda: opened(os.getpid())
