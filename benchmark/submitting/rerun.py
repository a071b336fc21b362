"""Run a submitted model again: with its own seeds, and on data and motifs that nobody knows."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from motifidelity.backends import backend_of, named_on
from motifidelity.errors import UserError
from motifidelity.model_file import Submission
from motifidelity.phase.interface import Executor
from motifidelity.registry import Registry
from motifidelity.runs.intake import InvalidOutput
from motifidelity.runs.job import run_job
from motifidelity.runs.phases import probe_kept
from motifidelity.runs.plan import Job
from motifidelity.runs.recording import score_rows
from motifidelity.scoring.score import score_job
from motifidelity.scoring.truth import Truth, present_classes
from motifidelity.submitting import compare
from motifidelity.submitting.coherence import job_of
from motifidelity.submitting.compare import Key, ScorePair, Spread
from motifidelity.submitting.falls import FALLS, SECRET_MOTIFS, falls
from motifidelity.submitting.findings import Finding
from motifidelity.tasks.dataset import load_dataset
from motifidelity.tasks.fresh import fresh_dataset, secret_motifs_dataset
from motifidelity.tasks.spec import TaskSpec
from motifidelity.untrusted import clean_text

Rows = list[dict[str, Any]]
Draw = Callable[[int], int]
GROUPED = ("task", "profile", "params")
MAX_NAME = 300


@dataclass(frozen=True)
class Group:
    """Finished trials of one task, profile and parameter set: their jobs and scores."""

    jobs: Sequence[dict[str, Any]]
    scores: Sequence[Rows]

    @property
    def task(self) -> str:
        """Name and version."""
        return str(self.jobs[0]["task"])

    @property
    def backend(self) -> str:
        """What Keras ran on."""
        return backend_of(self.jobs[0])

    @property
    def name(self) -> str:
        """Task, profile, parameters and backend as people read them."""
        row = self.jobs[0]
        params = " ".join(f"{k}={v}" for k, v in sorted(json.loads(row["params"]).items()))
        # a stranger's text may hold anything
        name = clean_text(f"{row['task']} {row['profile']} {params}".strip(), MAX_NAME)
        return named_on(name, self.backend)

    def values(self, key: Key) -> list[float]:
        """A score's values over the trials."""
        found = [compare.overall(rows, self.task).get(key) for rows in self.scores]
        return [row["value"] for row in found if row is not None]


@dataclass
class Rerun:
    """What running again found.

    Attributes
    ----------
    comparisons : list of ScorePair
    findings : list of Finding
    seeds : list of dict
        Of data and training, public and secret, in the order of use.
    equal, compared : int
        Scores of second trainings that are equal bit for bit, and all of them.
    """

    comparisons: list[ScorePair] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    seeds: list[dict[str, Any]] = field(default_factory=list)
    equal: int = 0
    compared: int = 0


def groups(jobs: Rows, scores: Rows, tasks: Sequence[str] = ()) -> list[Group]:
    """Finished jobs by task, profile, parameters and backend."""
    found: dict[tuple[str, ...], list[int]] = {}
    for number, row in enumerate(jobs):
        if row["status"] == "ok" and (not tasks or row["task"] in tasks):
            key = (*(str(row[name]) for name in GROUPED), backend_of(row))
            found.setdefault(key, []).append(number)
    of_job: dict[int, Rows] = {}
    for row in scores:
        of_job.setdefault(row["job"], []).append(row)
    return [
        Group([jobs[i] for i in numbers], [of_job.get(i, []) for i in numbers])
        for numbers in found.values()
    ]


@dataclass(frozen=True)
class Ran:
    """A network's job, scores, the sampling errors of its accuracy, and its files."""

    job: Job
    division: str
    scores: Rows
    errors: Mapping[str, float]
    network: Mapping[str, Path]


@dataclass
class Verifier:
    """Runs groups of a submission again.

    Parameters
    ----------
    submission : Submission
    executors : mapping of str to Executor
        By backend.
    work : Path
        Folder for networks and arrays.
    draw : callable
        ``draw(n)`` is a number from 0 to n - 1 that nobody can foresee.
    say : callable
        Receives what is being done.
    """

    submission: Submission
    executors: Mapping[str, Executor]
    work: Path
    draw: Draw
    say: Callable[[str], None]

    def run(self, chosen: Sequence[Group], trials: int) -> Rerun:
        """Run some trials of every group again, and each on secret data and on secret motifs."""
        rerun = Rerun()
        # one family of tests: the limit of each knows how many there are
        judged = sum(len(compare.judged(one.task)) * (trials + 2) + len(FALLS) for one in chosen)
        truths: dict[tuple[str, str], Truth] = {}
        for group in chosen:
            row = group.jobs[0]
            job = job_of(row, self.submission)
            key = (job.task.id, job.profile.name)
            if key not in truths:
                truths[key] = Truth(load_dataset(job.task), job.profile)
            try:
                self._group(group, truths[key], min(trials, len(group.jobs)), judged, rerun)
            except UserError as error:
                # a full disk, say: what was found before is kept
                rerun.findings.append(_failed(group.name, "infra_error", str(error)))
        return rerun

    def _group(self, group: Group, truth: Truth, trials: int, judged: int, rerun: Rerun) -> None:
        # which trials is not to be foreseen either
        left = list(range(len(group.jobs)))
        picks = sorted(left.pop(self.draw(len(left))) for _ in range(trials))
        public: Ran | None = None
        for pick in picks:
            row = group.jobs[pick]
            image = self.executors[group.backend].image
            job = job_of({**row, "image_digest": image}, self.submission)
            rerun.seeds.append(
                {
                    "what": group.name,
                    "kind": "public",
                    "data": job.task.grammar.seed,
                    "training": job.seed,
                }
            )
            ran = self._train(job, truth, f"{group.name}, trial {row['trial']} again", rerun)
            if ran is None:
                continue
            public = ran
            _count_equal(group.scores[pick], ran.scores, rerun)
            rerun.comparisons += again(group, pick, ran, judged)
            rerun.findings += _left_out(group, pick, ran)
            if ran.division != row["division"]:
                rerun.findings.append(_other_division(group, ran.division, row["division"]))
        if public is not None:
            self._secret(group, public, judged, rerun)

    def _secret(self, group: Group, public: Ran, judged: int, rerun: Rerun) -> None:
        spec = public.job.task
        data_seed = self.draw((1 << 32) - 1)
        data_seed += data_seed >= spec.grammar.seed  # never the published one
        seed = self.draw(1 << 31)
        rerun.seeds.append(
            {"what": group.name, "kind": "secret", "data": data_seed, "training": seed}
        )
        truth = Truth(fresh_dataset(spec, data_seed), public.job.profile)
        self.say(f"{group.name}: the same network on secret test data")
        try:
            moved = self._probe(public, truth)
        except InvalidOutput as error:
            rerun.findings.append(_failed(group.name, "on secret test data", str(error)))
        else:
            rerun.comparisons += _gaps("same network", group, public, moved, judged)
        job = Job(
            public.job.submission,
            public.job.params,
            truth.spec,
            public.job.profile,
            0,
            seed,
            public.job.image,
        )
        ran = self._train(job, truth, f"{group.name}, secret data and seed", rerun)
        if ran is not None:
            rerun.comparisons += _gaps("secret", group, public, ran, judged)
            self._secret_motifs(group, spec, ran, judged, rerun)

    def _secret_motifs(
        self, group: Group, spec: TaskSpec, known: Ran, judged: int, rerun: Rerun
    ) -> None:
        """Train as the network of known motifs was, on motifs that are in no release."""
        data_seed = known.job.task.grammar.seed
        rerun.seeds.append(
            {
                "what": group.name,
                "kind": SECRET_MOTIFS,
                "data": data_seed,
                "training": known.job.seed,
            }
        )
        try:
            dataset = secret_motifs_dataset(spec, data_seed)
        except UserError as error:
            text = f"{group.name}: there are no secret motifs for this task"
            rerun.findings.append(Finding(SECRET_MOTIFS, "warning", text, str(error)))
            return
        truth = Truth(dataset, known.job.profile)
        job = replace(known.job, task=truth.spec)
        ran = self._train(job, truth, f"{group.name}, secret motifs", rerun)
        if ran is not None:
            errors = (known.errors, ran.errors)
            rerun.comparisons += falls(group.name, known.scores, ran.scores, errors, judged)

    def _train(self, job: Job, truth: Truth, what: str, rerun: Rerun) -> Ran | None:
        self.say(what)
        registry = Registry(self.work / f"run-{len(rerun.seeds)}")
        executor = self.executors[job.submission.backend]
        outcome = run_job(job, truth, executor, registry, lambda *_: None)
        if outcome.status != "ok":
            rerun.findings.append(_failed(what, outcome.status, outcome.message))
            return None
        tables = registry.latest("jobs", "scores")
        (row,) = tables["jobs"].to_pylist()
        scores = tables["scores"].to_pylist()
        logits = registry.arrays(outcome.result_id)["logits"]
        network = registry.network(outcome.result_id)
        return Ran(job, row["division"], scores, _errors(logits, truth), network or {})

    def _probe(self, ran: Ran, truth: Truth) -> Ran:
        """The scores of a trained network on other test data."""
        work = Path(tempfile.mkdtemp(prefix="probe-", dir=self.work))
        executor = self.executors[ran.job.submission.backend]
        probe = probe_kept(truth, ran.network["graph"], ran.network["network"], executor, work)
        arrays = present_classes(truth, probe.arrays)
        scores = score_rows(score_job(truth, arrays).scores)
        return Ran(ran.job, ran.division, scores, _errors(arrays["logits"], truth), {})


def _errors(logits: Any, truth: Truth) -> dict[str, float]:
    known = truth.test.labels if truth.function is None else truth.function.exact
    return compare.accuracy_errors(logits, known, truth.spec.classes, truth.spec.target)


def _failed(what: str, status: str, message: str) -> Finding:
    ours = status == "infra_error"
    remedy = "see 'bench doctor', then verify again" if ours else "mend the model"
    return Finding("rerun", "problem", f"{what}: {status}: {message}", remedy)


def _count_equal(claimed: Rows, found: Rows, rerun: Rerun) -> None:
    mine = {_full_key(row): row["value"] for row in found}
    for row in claimed:
        key = _full_key(row)
        if key in mine and row["value"] is not None:
            rerun.compared += 1
            rerun.equal += row["value"] == mine[key]


def _full_key(row: Mapping[str, Any]) -> tuple[str | None, ...]:
    return (row["metric"], row["method"], row.get("reading"), row["target"])


def again(group: Group, pick: int, ran: Ran, judged: int) -> Iterator[ScorePair]:
    """Submitted scores beside those of a second training with the same seed."""
    from motifidelity.metrics.declare import all_metrics

    claimed, found = (
        compare.overall(rows, group.task) for rows in (group.scores[pick], ran.scores)
    )
    what = f"{group.name}, trial {group.jobs[pick]['trial']}"
    for key in claimed.keys() & found.keys():
        one, other = claimed[key]["value"], found[key]["value"]
        if compare.is_exact(key):
            limit, source = compare.EXACT * max(1.0, abs(other)), "exact: no training touches it"
        elif key in compare.judged(group.task):
            metric = all_metrics()[key[0]]
            spread = Spread.of(group.values(key), metric, int(found[key]["n"]))
            error = compare.sampling_error(found[key], ran.errors)
            limit, source = compare.tolerance(spread, [error], judged)
        else:
            continue
        yield ScorePair("again", what, *key, one, other, limit, source, abs(one - other) <= limit)
    for key in compare.judged(group.task):
        if key in claimed.keys() - found.keys() and key[0] in all_metrics():
            one = claimed[key]["value"]
            yield ScorePair("again", what, *key, one, float("nan"), 0.0, "never found", False)


def _left_out(group: Group, pick: int, ran: Ran) -> Iterator[Finding]:
    """Scores that the second training has and the submission does not show."""
    found, claimed = (
        compare.overall(rows, group.task) for rows in (ran.scores, group.scores[pick])
    )
    for metric, method in compare.judged(group.task):
        if (metric, method) in found.keys() - claimed.keys():
            yield Finding(
                "rerun",
                "problem",
                f"{group.name}: {metric}{f' ({method})' if method else ''} is "
                f"{found[metric, method]['value']:.4f} here and is not in the submission",
                "run 'bench rescore' and make the folder anew",
            )


def _other_division(group: Group, found: str, claimed: str) -> Finding:
    return Finding(
        "rerun",
        "problem",
        f"{group.name}: it was trained in the {found} division here, and the submission says "
        f"{clean_text(claimed, 40)}",
        "run it again with this version and make the folder anew",
    )


def _gaps(kind: str, group: Group, public: Ran, secret: Ran, judged: int) -> Iterator[ScorePair]:
    """Public scores beside secret ones; only a public score that is better counts."""
    from motifidelity.metrics.declare import all_metrics

    one, other = (compare.overall(ran.scores, group.task) for ran in (public, secret))
    for key in compare.judged(group.task):
        if key not in one or key not in other:
            continue
        a, b = one[key], other[key]
        errors = [
            compare.sampling_error(a, public.errors),
            compare.sampling_error(b, secret.errors),
        ]
        spread = (
            compare.NO_SPREAD
            if kind == "same network"
            else Spread.of(group.values(key), all_metrics()[key[0]], int(a["n"]))
        )
        limit, source = compare.tolerance(spread, errors, judged)
        gap = compare.better_in_public(key[0], a["value"], b["value"])
        yield ScorePair(kind, group.name, *key, a["value"], b["value"], limit, source, gap <= limit)
