"""``bench check``: everything that can be known of a submission in about a minute.

The file's text is read here; its code runs in the worker alone, by the executor of a real run, on
the first sequences of a real task.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from motifidelity.entries import OWN_TRAINING
from motifidelity.errors import UserError
from motifidelity.model_file import Submission, on_backend, read_submission
from motifidelity.submitting.findings import Finding, problems
from motifidelity.submitting.source import Source, file_line, parse_problem

if TYPE_CHECKING:
    from motifidelity.phase.interface import Executor, PhaseResult
    from motifidelity.runs.plan import Job
    from motifidelity.submitting.trial import TriedOut
    from motifidelity.tasks.spec import Profile, TaskSpec

# float32 arithmetic in another order moves logits of this few steps by far less
SAME_LOGITS = 1e-3


@dataclass(frozen=True)
class CheckReport:
    """All findings on one file; ``submission`` is None where it cannot be parsed."""

    path: Path
    submission: Submission | None
    findings: tuple[Finding, ...]

    @property
    def problems(self) -> list[Finding]:
        """What must be mended."""
        return problems(self.findings)

    def to_json(self) -> dict[str, Any]:
        """As ``--json`` prints it."""
        return {
            "file": self.path.name,
            "digest": self.submission.digest if self.submission else None,
            "problems": len(self.problems),
            "checks": [finding.to_json() for finding in self.findings],
        }


def check_submission(
    path: Path,
    params: tuple[str, ...] | Mapping[str, Any],
    specs: Sequence[TaskSpec],
    executor: Executor,
    say: Callable[[str], None],
    profile: Profile | None = None,
    methods: Sequence[str] | None = None,
    *,
    backend: str | None = None,
    debug: bool = False,
) -> CheckReport:
    """Check a model file.

    Parameters
    ----------
    path : Path
    params : tuple of ``name=value``, or mapping
        Parameters of ``build_model``.
    specs : sequence of TaskSpec
        Tasks to try it on; the first one also twice, with the same seed.
    executor : Executor
        Runs the submission's code.
    say : callable
        Receives a line when a task begins.
    profile : Profile, optional
        The slice of each task; by default 1,000 training sequences, 2 epochs.
    methods : sequence of str, optional
        Attribution methods to try; by default every one.
    backend : str, optional
        What Keras runs on; by default as the file says.
    debug : bool
        Also say all that a failed phase printed, whole stacks among it.

    Returns
    -------
    CheckReport

    Raises
    ------
    UserError
        For a parameter that the file does not have, or a backend that there is none of.
    """
    from motifidelity.runs.plan import Job
    from motifidelity.submitting.trial import PROBED, SLICE

    try:
        submission = on_backend(read_submission(path), backend)
    except UserError as error:
        if not path.is_file():
            raise
        return CheckReport(path, None, (parse_problem(path, str(error)),))
    values = submission.parameters(params) if isinstance(params, tuple) else dict(params)
    source = Source(submission)
    findings = list(source.findings())
    if not problems(findings):
        for number, spec in enumerate(specs):
            say(f"trying {submission.name} on {spec.id}")
            findings += _on_task(
                Job(submission, values, spec, profile or SLICE, 0, 0, executor.image),
                executor,
                source,
                PROBED if methods is None else methods,
                again=number == 0,
                show=say if debug else None,
            )
    return CheckReport(path, submission, tuple(findings))


def _on_task(
    job: Job,
    executor: Executor,
    source: Source,
    methods: Sequence[str],
    *,
    again: bool,
    show: Callable[[str], None] | None,
) -> Iterator[Finding]:
    from motifidelity.scoring.truth import Truth
    from motifidelity.scratch import scratch_folder
    from motifidelity.submitting.trial import fit_trial, probe_trial, same_history
    from motifidelity.tasks.dataset import load_dataset

    truth = Truth(load_dataset(job.task), job.profile)
    with scratch_folder() as work:
        first = work / "1"
        first.mkdir()
        trial = fit_trial(job, truth, executor, first)
        probe_trial(trial, truth, executor, first, methods)
        for done in (trial.fitted, trial.probed):
            if show and done is not None and done.status != "ok":
                show(done.output)
        good = True
        for finding in _of_trial(trial, source):
            good &= finding.level != "problem"
            yield finding
        if good and again:
            second = work / "2"
            second.mkdir()
            other = fit_trial(job, truth, executor, second)
            same = trial.fit and other.fit and same_history(trial.fit, other.fit)
            if not same:
                # histories differ or there are none: how far apart are the networks?
                probe_trial(other, truth, executor, second, ())
            yield _determinism(trial, other, source, same=bool(same))


def _of_trial(trial: TriedOut, source: Source) -> Iterator[Finding]:
    from motifidelity.submitting.cost import cost_findings

    name = trial.job.task.id
    if trial.fitted.status != "ok":
        yield from _failed_fit(trial, source)
        return
    shape = (trial.job.task.length, 4)
    outputs = len(trial.job.task.classes)
    yield Finding(
        "contract", "ok", f"{shape} in, {outputs} logit{'s' * (outputs > 1)} out", task=name
    )
    if trial.fit is None:
        yield Finding("freezing", "problem", trial.invalid, "write nothing yourself", task=name)
        return
    yield Finding("freezing", "ok", f"{trial.graph_bytes:,} bytes of plain operations", task=name)
    yield _training(trial, source)
    if trial.probed is not None and trial.probed.status in _BY_MACHINE:
        yield _by_machine(trial.probed, name)
        return
    if trial.probed is None or trial.probed.status != "ok" or trial.logits is None:
        message = trial.invalid or (trial.probed.message if trial.probed else "no output")
        text, _, remedy = message.partition("; ")
        yield Finding(
            "probing",
            "problem",
            text,
            remedy or "mend what it names; 'bench --debug check' shows the whole stack",
            source.line_of("build_model"),
            name,
        )
        return
    yield from _of_probe(trial, source)
    yield from cost_findings(trial)


def _failed_fit(trial: TriedOut, source: Source) -> Iterator[Finding]:
    """The one step that failed, and the steps before it that did not."""
    done, name = trial.fitted, trial.job.task.id
    if done.status in _BY_MACHINE:
        yield _by_machine(done, name)
        return
    step, anchor = _failed_step(trial)
    text, _, remedy = done.message.partition("; ")
    line = file_line(done.message, source.name, done.traceback)
    if step == "contract" and source.in_function(line) and not remedy:
        remedy = _of_line(text, trial.job.task)
    if trial.begun:
        for passed in ("contract", "freezing"):
            yield Finding(passed, "ok", "as it should be", task=name)
    elif step == "freezing":
        yield Finding("contract", "ok", "as it should be", task=name)
    where = line or source.line_of(anchor, last_return=anchor == "build_model")
    # the place stands before the text already
    text = text.removeprefix(f"{where}: ").removeprefix(f"{source.name}: ")
    yield Finding(step, "problem", text, remedy or _REMEDIES[step], where, name)


def _of_line(text: str, task: TaskSpec) -> str:
    """What to do about an exception that a line of `build_model` ended in."""
    if _OUTRUN.search(text):
        return (
            f"{task.id} has {task.length} bases, and layers before that line leave too few of "
            "them: pool less, or pad with padding='same'"
        )
    return _REMEDIES["freezing"] if "numpy" in text.lower() else "mend that line"


# of Keras and TensorFlow: a window is wider than what it is put on
_OUTRUN = re.compile(r"output size would be zero or negative|[Nn]egative dimension size")
_REMEDIES = {
    "import": "mend that line: the file itself fails before build_model is called",
    "contract": "return a keras.Model with the task's input_shape and num_outputs",
    "freezing": "use keras.ops in call(), not numpy",
    "training": "mend that line, or bound the activations",
    "machine": "see 'bench doctor'",
}


# of a worker's step: the check that it belongs to, and the function to look at without a line
_STEPS = {
    "": ("import", ""),
    "import": ("import", ""),
    "own_fit": ("training", "fit"),
    "build": ("contract", "build_model"),
    "motif_layer": ("contract", "motif_layer"),
    "freeze": ("freezing", "build_model"),
    "train": ("training", "build_model"),
}


# a limit of this machine, or a trouble of it, and nothing that a file's line mends
_BY_MACHINE = {"timeout": "time", "oom": "memory", "infra_error": "machine"}


def _by_machine(done: PhaseResult, task: str) -> Finding:
    """A phase that the machine ended."""
    from motifidelity.submitting.cost import load

    text, _, remedy = done.message.partition("; ")
    if done.status == "timeout":
        text += f" ({load()})"
        remedy = remedy.replace("use a smaller", "wait until the machine is idle, or use a smaller")
    return Finding(
        _BY_MACHINE[done.status], "problem", text, remedy or _REMEDIES["machine"], task=task
    )


def _failed_step(trial: TriedOut) -> tuple[str, str]:
    """Which step failed, and the function to look at where no line is known."""
    if trial.begun:
        return "training", "fit" if trial.job.submission.own_fit else "build_model"
    return _STEPS[trial.fitted.step]


def _training(trial: TriedOut, source: Source) -> Finding:
    assert trial.fit is not None
    name = trial.job.task.id
    history = trial.fit.history
    if trial.fit.unchanged:
        return Finding(
            "training",
            "warning",
            "its own training changed no weight",
            "train the network that fit is given, or return the one that you trained",
            source.line_of("fit"),
            name,
        )
    if trial.job.submission.own_fit:
        return Finding(
            "training", "ok", f"own fit, open division, {trial.fitted.seconds:.1f} s", task=name
        )
    if own := trial.fit.own_training:
        return Finding(
            "training",
            "warning",
            f"{OWN_TRAINING} {', '.join(own)}: its rows stand in the open division",
            "leave it out to be trained by the task's recipe, in the closed one",
            source.line_of("build_model"),
            name,
        )
    losses = [row.get("loss", float("nan")) for row in history]
    text = f"{len(history)} epochs of the recipe, loss " + " -> ".join(f"{x:.3f}" for x in losses)
    return Finding("training", "ok", text, task=name)


def _of_probe(trial: TriedOut, source: Source) -> Iterator[Finding]:
    from motifidelity.metrics.scored import REGRESSION
    from motifidelity.runs.recording import BY_GRADIENT

    name = trial.job.task.id
    assert trial.logits is not None
    if len(trial.logits) > 1 and not np.ptp(trial.logits, axis=0).any():
        yield Finding(
            "outputs",
            "problem",
            "every sequence gets the same answer",
            "connect the output to the input, and let it be trained",
            source.line_of("build_model", last_return=True),
            name,
        )
    elif trial.job.task.target != REGRESSION and ((trial.logits >= 0) & (trial.logits <= 1)).all():
        yield Finding(
            "outputs",
            "warning",
            "every output lies between 0 and 1, as probabilities do",
            "return logits, or end in a sigmoid activation; if you do, all is well: a network "
            "that is hardly trained has small logits",
            source.line_of("build_model", last_return=True),
            name,
        )
    if trial.has_filters:
        named = source.line_of("motif_layer") != source.name
        scan = "what motif_layer names" if named else "the activation after the first convolution"
        yield Finding("filters", "ok", f"the scan is {scan}", task=name)
    if trial.filters:
        part = trial.has_filters
        yield Finding(
            "filters",
            "warning",
            f"the scan was {'read in part' if part else 'not read'}: {trial.filters}",
            "the scores are of the filters that were read"
            if part
            else "the row has no motif score and no localisation; the other scores it has",
            source.line_of("build_model"),
            name,
        )
    elif not trial.has_filters:
        yield Finding(
            "filters",
            "warning",
            "no first-layer scan was found: no motif score and no localisation",
            "begin with a Conv1D, or add motif_layer(model)",
            source.line_of("build_model"),
            name,
        )
    supported = [method for method, reason in trial.attribution.items() if reason is None]
    yield Finding(
        "attribution", "ok", f"{len(supported)} methods: {', '.join(supported)}", task=name
    )
    for method, reason in trial.attribution.items():
        if reason is None:
            continue
        yield Finding(
            "attribution",
            "warning",
            f"{method} is not supported: {reason}",
            "the row has no score for it; the other methods have",
            source.line_of("build_model"),
            name,
        )

    for method, operations in trial.by_gradient.items():
        yield Finding(
            "attribution",
            "warning",
            f"{method} {BY_GRADIENT}: {operations}",
            "its map is a gradient's there; the row says so too",
            source.line_of("build_model"),
            name,
        )


def _determinism(one: TriedOut, other: TriedOut, source: Source, *, same: bool) -> Finding:
    from motifidelity.submitting.trial import difference

    name = one.job.task.id
    if same:
        text = "the same seed twice: the same losses and scores, bit for bit"
        return Finding("determinism", "ok", text, task=name)
    stopped = [
        done
        for done in (other.fitted, other.probed)
        if done is not None and done.status in _BY_MACHINE
    ]
    if stopped:
        found = _by_machine(stopped[0], name)
        return replace(found, level="warning", text=f"the second training: {found.text}")
    if one.logits is None or other.logits is None:
        message = other.invalid or other.fitted.message or "the second training failed"
        return Finding(
            "determinism",
            "problem",
            f"the same seed again ended otherwise: {message}",
            "let nothing but the seed decide",
            source.line_of("build_model"),
            name,
        )
    gap = difference(one.logits, other.logits)
    if gap <= SAME_LOGITS:
        text = f"the same seed twice: logits within {gap:.1g} of their size (float arithmetic)"
        if not gap:
            text = "the same seed twice: the same logits, bit for bit"
        return Finding("determinism", "ok", text, task=name)
    places = source.unseeded_calls()
    return Finding(
        "determinism",
        "problem",
        f"the same seed twice: logits differ by {gap:.2g} of their size",
        "draw random numbers from keras.random or numpy's global generator, which are seeded"
        + (f"; see {', '.join(places)}" if places else ""),
        places[0] if places else source.line_of("build_model"),
        name,
    )
