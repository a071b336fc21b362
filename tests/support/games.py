"""A submission from its file to its verdicts, in this process: trained for a moment, and scored.

Both phases of the worker, the checks of what they wrote, scoring and recording are those of
`bench run`; the task is the regulatory code, small and easy.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import keras

from motifidelity.metrics.gates import GATES
from motifidelity.model_file import read_submission
from motifidelity.phase.interface import OnEvent, Phase, PhaseResult, Place
from motifidelity.registry import Registry
from motifidelity.runs.job import run_job
from motifidelity.runs.phases import probe_kept
from motifidelity.runs.plan import Job
from motifidelity.scoring.score import score_job
from motifidelity.scoring.truth import Truth, present_classes
from motifidelity.tasks.dataset import Dataset
from motifidelity.tasks.generate import generate
from motifidelity.tasks.motifs import load_motifs
from motifidelity.tasks.spec import Profile, parse_spec
from motifidelity.worker import __main__ as worker

BOUNDS = {
    "gradients_add_up": 0.25,
    "gradients_tell_changes": 0.33,
    "answers_repeat": 0.01,
    "scan_matters": 0.5,
    "scan_learned": 0.2,
}
METHODS = ("saliency", "ism")
Scores = dict[tuple[str, str | None], float]


class InProcess:
    """Runs phases where the tests run."""

    name, isolation, image, place = "process", "none", None, Place()

    def run(self, phase: Phase, on_event: OnEvent) -> PhaseResult:
        """Run a phase to its end; what a submission does wrong is its own error."""
        file = phase.out.with_suffix(".json")
        inputs = {name: str(path) for name, path in phase.inputs.items()}
        file.write_text(json.dumps({**phase.settings, "inputs": inputs, "out": str(phase.out)}))
        # a submission may read what its own process was started with
        with mock.patch.object(sys, "argv", [worker.__file__, phase.name, str(file)]):
            if worker.main(sys.argv[1:]) == 0:
                return PhaseResult("ok")
        error = json.loads((phase.out / "error.json").read_text())
        return PhaseResult(error["status"], error["message"], error["traceback"])

    def stop(self) -> None:
        """Nothing runs beside the caller."""


@dataclass(frozen=True)
class Played:
    """What became of a submission.

    Attributes
    ----------
    row : dict
        Of the registry.
    scores : mapping of (metric, method) to float
        Of the whole task.
    verdicts : mapping of str to str
        By the names of gates.
    history : list of dict
        Epochs of its training.
    network : dict of Path
        Its frozen network, where there is one.
    """

    row: dict[str, Any]
    scores: Scores
    verdicts: dict[str, str]
    history: list[dict[str, Any]]
    network: dict[str, Path]

    @property
    def flagged(self) -> set[str]:
        """Gates that flag it."""
        return {name for name, verdict in self.verdicts.items() if verdict == "flagged"}


def easy_task(text: str, *, sequences: int = 300) -> Dataset:
    """The regulatory code against the background's motifs alone, of so many sequences each."""
    for old, new in (
        ("sequences = 10000", f"sequences = {sequences}"),
        ('["core", "background"]', '["background"]'),
    ):
        assert old in text
        text = text.replace(old, new)
    spec = parse_spec(text)
    small = dataclasses.replace(
        spec,
        fit=dataclasses.replace(spec.fit, learning_rate=1e-2, batch_size=30),
        profiles={"game": Profile("game", 1, None, None, None, 4, 6, METHODS)},
        gates={name: BOUNDS[name] for name in GATES},
        attribution=dataclasses.replace(
            spec.attribution, paths=3, tested=6, resamples=1, perturbations=1
        ),
    )
    motifs = load_motifs(spec.motifs)
    return Dataset(small, generate(small, motifs), motifs)


def truth_of(dataset: Dataset, *methods: str) -> Truth:
    """Truth of a dataset, explained by the usual methods or by others."""
    profile = dataset.spec.profiles["game"]
    return Truth(dataset, dataclasses.replace(profile, methods=methods or METHODS))


def play(path: Path, folder: Path, truth: Truth, **params: Any) -> Played:
    """Train, probe, score and record a file's network in a folder of its own."""
    submission = read_submission(path)
    job = Job(submission, {**submission.defaults, **params}, truth.spec, truth.profile, 0, 1)
    registry = Registry(folder)
    try:
        outcome = run_job(job, truth, InProcess(), registry, lambda *_: None)
    finally:
        keras.backend.clear_session()
    tables = registry.latest("jobs", "scores", "history")
    (row,) = tables["jobs"].to_pylist()
    scores = {
        (s["metric"], s["method"]): s["value"]
        for s in tables["scores"].to_pylist()
        if s["target"] is None
    }
    verdicts = {
        name: gate.verdict(scores.get((gate.metric, gate.method)), truth.spec.gates[name])
        for name, gate in GATES.items()
    }
    history = tables["history"].to_pylist()
    return Played(row, scores, verdicts, history, registry.network(outcome.result_id) or {})


def scores_elsewhere(played: Played, folder: Path, truth: Truth) -> Scores:
    """Scores of a trained network on other test data."""
    folder.mkdir()
    network = played.network
    probe = probe_kept(truth, network["graph"], network["network"], InProcess(), folder)
    found = score_job(truth, present_classes(truth, probe.arrays)).scores
    return {(s.metric, s.method): s.value for s in found if s.target is None}
