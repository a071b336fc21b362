"""Both phases of the worker in this process, and what the host makes of their files."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import numpy as np

from motifidelity.model_file import read_submission
from motifidelity.runs.intake import ProbeOutput, take_fit, take_probe
from motifidelity.scoring.explanations import Explanations
from motifidelity.worker import __main__ as worker

LENGTH, TESTS, EXPLAINED, TESTED = 200, 40, 4, 2
# of each kind one, and the cheapest settings
METHODS = {
    "saliency": {},
    "ism": {},
    "integrated_gradients": {"references": 1, "steps": 2},
    "deeplift": {},
}
RECIPE = {
    "max_epochs": 1,
    "batch_size": 40,
    "learning_rate": 1e-3,
    "monitor": "auroc",
    "rate_factor": 0.2,
    "rate_patience": 3,
    "rate_floor": 1e-7,
    "stop_patience": 5,
}


@dataclass
class Ended:
    """How a submission ended: an error, or the manifest, the notes and the checked arrays."""

    status: str
    message: str = ""
    traceback: str = ""
    manifest: dict = field(default_factory=dict)
    unchanged: bool = False
    own_training: tuple = ()
    probed: ProbeOutput | None = None

    @property
    def unsupported(self):
        return dict(self.probed.unsupported)

    @property
    def maps(self):
        return set(METHODS) & set(self.probed.arrays)


def run_case(
    path: Path, work: Path, *, backend: str | None = None, outputs: int = 1, fit: dict | None = None
) -> Ended:
    """Train a file for a step and probe its network; sequences and labels mean nothing.

    What the fit phase is asked for besides is given as ``fit``.
    """
    rng = np.random.default_rng(0)
    submission = read_submission(path)
    inputs = {"model": path}
    for split in ("train", "valid"):
        for name, top, shape in (("x", 4, (40, LENGTH)), ("y", 2, (40, outputs))):
            inputs[f"{name}_{split}"] = _save(work, f"{name}_{split}", rng.integers(0, top, shape))
    task = {
        "name": "regulatory-code",
        "input_shape": [LENGTH, 4],
        "num_outputs": outputs,
        "classes": [f"class {i}" for i in range(outputs)],
    }
    request = {
        "task": task,
        "params": dict(submission.defaults),
        "backend": backend or submission.backend,
        "own_fit": submission.own_fit,
        "seed": 1,
        "recipe": RECIPE,
        **(fit or {}),
    }
    if failed := _phase("fit", request, inputs, work):
        return failed
    fitted = take_fit(work / "fit")
    codes = rng.integers(0, 4, (TESTS, LENGTH))
    inputs = {
        "graph": fitted.graph,
        "network": fitted.network,
        "sequences": _save(work, "sequences", codes),
        "explained": _save(work, "explained", codes[:EXPLAINED]),
    }
    request = {
        "scan": {"window": 20, "half_max": 0.5, "top_sites": 10},
        "methods": METHODS,
        "tested": TESTED,
        "randomised": list(METHODS),
        "curves": {
            "methods": {},
            "counts": [0, LENGTH],
            "resamples": 1,
            "perturbations": 1,
            "window": 20,
        },
    }
    if failed := _phase("probe", request, inputs, work):
        return failed
    asked = Explanations(
        methods=tuple(METHODS),
        complete=("integrated_gradients", "deeplift"),
        hypothetical=(),
        curves=(),
        randomised=tuple(METHODS),
        tested=TESTED,
        counts=2,
        perturbations=1,
    )
    probed = take_probe(
        work / "probe",
        tests=TESTS,
        explained=EXPLAINED,
        length=LENGTH,
        classes=outputs,
        top_sites=10,
        explanations=asked,
    )
    manifest = json.loads(fitted.network.read_text())
    return Ended("ok", "", "", manifest, fitted.unchanged, fitted.own_training, probed)


def _phase(name: str, request: dict, inputs: dict, work: Path) -> Ended | None:
    out = work / name
    out.mkdir()
    paths = {key: str(path) for key, path in inputs.items()}
    file = work / f"{name}.json"
    file.write_text(json.dumps({**request, "inputs": paths, "out": str(out)}))
    # a file may read what its own process was started with
    with mock.patch.object(sys, "argv", [worker.__file__, name, str(file)]):
        if worker.main(sys.argv[1:]) == 0:
            return None
    error = json.loads((out / "error.json").read_text())
    return Ended(error["status"], error["message"], error["traceback"])


def _save(work: Path, name: str, array: np.ndarray) -> Path:
    np.save(work / f"{name}.npy", array.astype(np.uint8), allow_pickle=False)
    return work / f"{name}.npy"
