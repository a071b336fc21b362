"""``bench verify``: is a submitted folder whole, does it follow, and does it happen again?"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motifidelity.errors import UserError
from motifidelity.submitting.contents import read_folder
from motifidelity.submitting.findings import Finding, problems
from motifidelity.submitting.folder import Contents
from motifidelity.submitting.standing import ranking
from motifidelity.submitting.verification import Verification, tier_of
from motifidelity.untrusted import clean_text

if TYPE_CHECKING:
    from motifidelity.phase.interface import Executor
    from motifidelity.submitting.compare import ScorePair
    from motifidelity.submitting.rerun import Group

MAX_FOLDER = 100


@dataclass(frozen=True)
class Wanted:
    """What a verification shall do.

    Attributes
    ----------
    digests_only : bool
        Run nothing.
    tier : str
        Who verifies: a key of `verification.TIERS`.
    trials : int
        Trials of each task and parameter set to train again, drawn by lot.
    tasks : tuple of str
        Ids of the tasks to run again; all without any.
    seal : str or None
        The manifest's digest as the submitter told it elsewhere.
    """

    digests_only: bool = False
    tier: str = "local"
    trials: int = 1
    tasks: tuple[str, ...] = ()
    seal: str | None = None


def verify_folder(
    folder: Path,
    wanted: Wanted,
    open_executor: Callable[[str], Executor],
    say: Callable[[str], None],
    draw: Callable[[int], int] = secrets.randbelow,
) -> Verification:
    """Verify a submission's folder: digests, then contradictions, then by running it again.

    Each step is made only where the one before found no problem, so nothing of a folder is used
    whose digests do not hold.

    Parameters
    ----------
    folder : Path
        It is only read.
    wanted : Wanted
    open_executor : callable
        Opens the executor that the model runs in on a backend; not called where nothing is run.
    say : callable
        Receives a line for each thing that is run.
    draw : callable
        ``draw(n)`` is a number from 0 to n - 1 that nobody can foresee; seeds come from it.

    Raises
    ------
    UserError
        If there is no such folder, or nothing of it is of the tasks that are wanted.
    """
    reading = read_folder(folder)
    name = clean_text(folder.resolve().name, MAX_FOLDER)
    result = Verification(name, list(reading.findings), contents=reading.contents)
    contents = reading.contents
    if contents is None:
        return result
    if wanted.seal is not None and wanted.seal.lower() != contents.seal:
        result.findings.append(
            Finding(
                "digests",
                "problem",
                f"the manifest's digest is {contents.seal}, not {wanted.seal[:64]}",
                "ask the submitter which of the two is theirs",
                "manifest.json",
            )
        )
        return result
    result.findings.append(
        Finding("digests", "ok", f"every file is as it was submitted, seal {contents.seal}")
    )
    from motifidelity.scratch import scratch_folder

    with scratch_folder() as work:
        # the bytes whose digest was checked, not whatever lies in the folder by now
        model = work / contents.model_name
        model.write_bytes(contents.model)
        _verify_model(model, contents, wanted, open_executor, say, draw, work, result)
    return result


def _verify_model(
    model: Path,
    contents: Contents,
    wanted: Wanted,
    open_executor: Callable[[str], Executor],
    say: Callable[[str], None],
    draw: Callable[[int], int],
    work: Path,
    result: Verification,
) -> None:
    from motifidelity.model_file import read_submission
    from motifidelity.submitting.coherence import MAX_LINE, consistency
    from motifidelity.submitting.source import Source

    try:
        submission = read_submission(model)
    except UserError as error:
        result.findings.append(
            Finding(
                "model",
                "problem",
                clean_text(str(error), MAX_LINE),
                "submit a file that 'bench check' passes",
            )
        )
        return
    result.findings += problems(Source(submission).findings())
    result.findings += consistency(contents, submission)
    if not result.passed:
        return
    result.findings.append(
        Finding("consistency", "ok", "rows follow from the model file and from each other")
    )
    result.findings += ranking(contents.tables["jobs"])
    if wanted.digests_only:
        return
    from motifidelity.submitting.rerun import Verifier, groups

    chosen = groups(contents.tables["jobs"], contents.tables["scores"], wanted.tasks)
    if not chosen:
        raise UserError(
            f"{result.folder}: no finished result of {', '.join(wanted.tasks)}; give one of "
            f"{', '.join(sorted({row['task'] for row in contents.tables['jobs']}))}"
        )
    say(f"{result.folder}: digests and rows hold; running it again")
    # all of them first: an image that is missing shall not be found out after hours
    executors = {name: open_executor(name) for name in sorted({g.backend for g in chosen})}
    result.places = [_place(backend, executor) for backend, executor in executors.items()]
    rerun = Verifier(submission, executors, work, draw, say).run(chosen, wanted.trials)
    result.comparisons, result.seeds = rerun.comparisons, rerun.seeds
    result.equal, result.compared = rerun.equal, rerun.compared
    result.findings += rerun.findings
    result.findings.append(_scope(contents, chosen, wanted.trials))
    result.findings += _verdicts(rerun.comparisons)
    if result.passed:
        result.tier = tier_of(wanted.tier, result.places)


def _place(backend: str, executor: Executor) -> dict[str, Any]:
    """Where the trials on a backend are run again."""
    return {
        "backend": backend,
        "runner": executor.name,
        "isolation": executor.isolation,
        "image_digest": executor.image,
        "policy": json.loads(executor.place.policy) if executor.place.policy else None,
        "widened": list(executor.place.widened),
    }


def _scope(contents: Contents, chosen: Sequence[Group], trials: int) -> Finding:
    """What of the submission was run again: a tier says nothing of the rest."""
    from motifidelity.submitting.rerun import groups

    tables = contents.tables
    everything = len(groups(tables["jobs"], tables["scores"]))
    done = sum(row["status"] == "ok" for row in tables["jobs"])
    again = sum(min(trials, len(group.jobs)) for group in chosen)
    text = (
        f"{again} of {done} finished trials, {len(chosen)} of {everything} pairs of task and "
        "parameters were run again"
    )
    if len(chosen) == everything:
        return Finding("scope", "ok", text)
    return Finding("scope", "warning", text, "leave --task away to cover all of them")


def _verdicts(comparisons: Sequence[ScorePair]) -> list[Finding]:
    """One finding for each kind of comparison that held, one for each score that did not."""
    from motifidelity.submitting.falls import SECRET_MOTIFS

    passed = {
        "again": "submitted scores came out again, with the same seeds",
        "same network": "the same network does as well on secret test data",
        "secret": "trained anew on secret data with a secret seed it does as well",
        SECRET_MOTIFS: "on motifs that are in no release it loses no more than an honest model may",
    }
    remedies = {
        "again": "the submitted scores are not those of this model",
        "same network": "the network knows the public test sequences: FLAGGED as memorised",
        "secret": "the model does well on the public data alone: FLAGGED as fitted to them",
        SECRET_MOTIFS: "the model does well on the known motifs alone: FLAGGED as holding them "
        "instead of learning",
    }
    findings = []
    for kind, text in passed.items():
        mine = [c for c in comparisons if c.kind == kind]
        bad = [c for c in mine if not c.ok]
        if mine and not bad:
            findings.append(Finding(kind, "ok", f"{text} ({len(mine)} scores within tolerance)"))
        for c in bad:
            method = f" ({c.method})" if c.method else ""
            findings.append(
                Finding(
                    kind,
                    "problem",
                    f"{c.what}: {c.metric}{method} {c.claimed:.4f} against {c.found:.4f}, "
                    f"tolerance {c.tolerance:.4f} ({c.source})",
                    remedies[kind],
                )
            )
    return findings
