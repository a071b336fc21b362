"""The two phases of a job: what each is given, and what is read of its answer."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from motifidelity.metrics.gates import SCAN_LEARNED, SCAN_MATTERS
from motifidelity.metrics.methods import METHODS
from motifidelity.metrics.readings import letters_of
from motifidelity.phase.interface import Executor, Phase
from motifidelity.runs.intake import InvalidOutput, ProbeOutput, take_probe
from motifidelity.runs.plan import Job
from motifidelity.scoring.truth import Truth
from motifidelity.worker.arrays import ASKED, EXTRA, UNTRAINED

# intervals of a path along which gradients are integrated
PATH_STEPS = 50


def fit_phase(job: Job, truth: Truth, work: Path) -> Phase:
    """Training and validation data alone, or weights: no test sequence or truth is written here."""
    spec, profile = job.task, job.profile
    train = truth.dataset.splits["train"].head(profile.train)
    valid = truth.dataset.splits["valid"].head(profile.valid)
    inputs = {"model": job.submission.path}
    arrays = {
        "x_train": train.sequences,
        "y_train": train.labels,
        "x_valid": valid.sequences,
        "y_valid": valid.labels,
    }
    if weights := job.submission.weights:
        # nothing is trained
        inputs["weights"], arrays = weights.path, {}
    inputs |= {name: _save(work / f"{name}.npy", array) for name, array in arrays.items()}
    settings = {
        "task": {
            "name": spec.name,
            "input_shape": [spec.length, 4],
            "num_outputs": len(spec.classes),
            "classes": list(spec.classes),
            "target": spec.target,
        },
        "params": dict(job.params),
        "backend": job.submission.backend,
        "own_fit": job.submission.own_fit,
        "seed": job.seed,
        "recipe": {**asdict(spec.fit), "max_epochs": profile.max_epochs},
        **({UNTRAINED: True} if SCAN_LEARNED in spec.gates else {}),
    }
    return Phase("fit", settings, inputs, _folder(work / "fit"))


def probe_phase(
    truth: Truth,
    graph: Path,
    network: Path,
    work: Path,
    *,
    untrained: tuple[Path, Path] | None = None,
) -> Phase:
    """The frozen network and unlabelled sequences; none of the submission's Python.

    Parameters
    ----------
    truth : Truth
    graph, network : Path
    work : Path
    untrained : tuple of Path, optional
        Graph and manifest of the network before its training; its filters are read where the
        specification asks for them.
    """
    inputs = {
        # the worker runs in a folder of its own
        "graph": graph.resolve(),
        "network": network.resolve(),
        "sequences": _save(work / "sequences.npy", truth.test.sequences),
        "explained": _save(work / "explained.npy", truth.test.sequences[truth.asked]),
    }
    if questions := truth.questions:
        inputs[ASKED] = _save(work / f"{ASKED}.npy", questions.sequences)
    if truth.extra is not None:
        inputs[EXTRA] = _save(work / f"{EXTRA}.npy", truth.extra.explained)
    if untrained and SCAN_LEARNED in truth.spec.gates:
        for name, path in zip(("graph", "network"), untrained, strict=True):
            inputs[f"{UNTRAINED}_{name}"] = path.resolve()
    return Phase("probe", probe_settings(truth), inputs, _folder(work / "probe"))


def probe_settings(truth: Truth) -> dict[str, Any]:
    """What a network is asked about the sequences; equal ones get equal answers."""
    scoring, along = truth.spec.scoring, truth.explanations.along_paths
    paths = {"sequences": along, "paths": truth.explanations.paths, "steps": PATH_STEPS}
    read = truth.explanations.randomised_hypothetical
    return {
        "scan": {
            "window": scoring.window,
            "half_max": scoring.half_max,
            "top_sites": scoring.top_sites,
        },
        "methods": {name: dict(given) for name, given in truth.methods.items()},
        "tested": truth.tested,
        "randomised": list(truth.explanations.randomised),
        "curves": curve_settings(truth),
        **({"randomised_hypothetical": list(read)} if read else {}),
        **({"paths": paths} if along else {}),
        **({"scan_alone": True} if SCAN_MATTERS in truth.spec.gates else {}),
        **({ASKED: len(truth.questions.sequences)} if truth.questions else {}),
        **({EXTRA: list(truth.explanations.extra)} if truth.extra is not None else {}),
    }


def curve_settings(truth: Truth) -> dict[str, Any]:
    """How maps are tested on the network, as the worker's `faithfulness` takes it."""
    readings: dict[str, dict[str, Any]] = {}
    for name, reading in truth.explanations.read_curves:
        letters = letters_of(name, reading)
        if letters is not None:
            readings.setdefault(name, {})[reading] = asdict(letters)
    return {
        "methods": {name: METHODS[name].base for name in truth.explanations.curves},
        **({"readings": readings} if readings else {}),
        "counts": list(truth.curve_counts),
        "resamples": truth.spec.attribution.resamples,
        "perturbations": truth.spec.attribution.perturbations,
        "window": truth.spec.scoring.window,
    }


def read_probe(truth: Truth, out: Path) -> ProbeOutput:
    """Check and read what a probe phase wrote.

    Raises
    ------
    InvalidOutput
        Naming the array and what is wrong with it.
    """
    spec = truth.spec
    return take_probe(
        out,
        tests=len(truth.test.sequences),
        explained=len(truth.asked),
        length=spec.length,
        classes=len(spec.classes),
        top_sites=spec.scoring.top_sites,
        window=spec.scoring.window,
        explanations=truth.explanations,
        gates=spec.gates,
        asked=len(truth.questions.sequences) if truth.questions else 0,
    )


def probe_kept(
    truth: Truth, graph: Path, network: Path, executor: Executor, work: Path
) -> ProbeOutput:
    """Probe a network that was kept, and read what came of it.

    Raises
    ------
    InvalidOutput
        If it cannot be probed, or naming the array and what is wrong with it.
    """
    done = executor.run(probe_phase(truth, graph, network, work), lambda _: None)
    if done.status != "ok":
        raise InvalidOutput(f"cannot be probed again: {done.message}")
    return read_probe(truth, work / "probe")


def _save(path: Path, array: Any) -> Path:
    np.save(path, array, allow_pickle=False)
    return path


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
