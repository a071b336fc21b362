"""The baselines that the suite ships: its own files, which the host may run."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from motifidelity.model_file import Submission, read_submission
from motifidelity.tasks.spec import latest_specs


@dataclass(frozen=True)
class Baseline:
    """A baseline, and its number of weights (trainable and not) on every task that it fits."""

    submission: Submission
    weights: Mapping[str, int]


def baseline_files() -> list[Path]:
    """Files of the baselines, by name."""
    return [path for path in shipped_files() if path.name.startswith("cnn_")]


def shipped_files() -> list[Path]:
    """Model files of the suite, baselines and floors, by name."""
    folder = Path(str(resources.files("motifidelity.models")))
    return sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")


def describe_baselines() -> Iterator[Baseline]:
    """Build every baseline on every task and count its weights."""
    from motifidelity.worker.contract import Task

    # TensorFlow looks for a GPU when it first builds something, and says what it misses
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _quiet():
        import keras  # noqa: F401 - loads TensorFlow, which writes to standard error
    for path in baseline_files():
        module = importlib.import_module(f"motifidelity.models.{path.stem}")
        weights = {}
        for spec in latest_specs().values():
            task = Task(spec.name, (spec.length, 4), len(spec.classes), spec.classes)
            # a network whose pooling outruns the sequence does not fit the task
            with contextlib.suppress(ValueError):
                weights[spec.id] = int(module.build_model(task).count_params())
        yield Baseline(read_submission(path), weights)


def activations() -> list[str]:
    """Values of the baselines' ``activation``."""
    module = importlib.import_module("motifidelity.models.cnn_deep")
    return list(module.ACTIVATIONS)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what native code writes to standard error off the screen."""
    sys.stderr.flush()
    saved = os.dup(2)
    silent = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(silent, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(silent)
