"""``bench verify``: is a submitted folder whole, does it follow, and does it happen again?"""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motifidelity import __version__
from motifidelity.errors import DataError, UserError
from motifidelity.provenance import code, environment
from motifidelity.storage import atomic_path
from motifidelity.submitting.findings import Finding, problems
from motifidelity.submitting.folder import Contents
from motifidelity.submitting.reading import read_folder
from motifidelity.submitting.submit import SELF_REPORTED

if TYPE_CHECKING:
    from motifidelity.executors.base import Executor
    from motifidelity.submitting.compare import Comparison

FORMAT = "motifidelity-verification"
VERSION = 1
TIERS = {
    "ci": "reproduced in CI",
    "maintainer": "reproduced by a maintainer",
}


@dataclass(frozen=True)
class Wanted:
    """What a verification shall do.

    Attributes
    ----------
    digests_only : bool
        Run nothing.
    tier : str
        Who verifies: a key of `TIERS`.
    trials : int
        Trials of each task and parameter set to train again, drawn by lot.
    tasks : tuple of str
        Ids of the tasks to run again; all without any.
    seal : str or None
        The manifest's digest as the submitter told it elsewhere.
    """

    digests_only: bool = False
    tier: str = "ci"
    trials: int = 1
    tasks: tuple[str, ...] = ()
    seal: str | None = None


@dataclass
class Verification:
    """What was found of a folder.

    Attributes
    ----------
    folder : str
    findings : list of Finding
    comparisons : list of Comparison
    contents : Contents or None
        None where a digest did not hold: nothing in it was used then.
    tier : str
        ``self-reported`` unless everything was run again and held.
    """

    folder: str
    findings: list[Finding] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    contents: Contents | None = None
    tier: str = SELF_REPORTED
    seeds: list[dict[str, Any]] = field(default_factory=list)
    equal: int = 0
    compared: int = 0
    place: dict[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether no problem was found."""
        return not problems(self.findings)

    def to_json(self) -> dict[str, Any]:
        """As ``verification.json`` holds it."""
        harness = code()
        return {
            "format": FORMAT,
            "version": VERSION,
            "folder": self.folder,
            "seal": self.contents.seal if self.contents else None,
            "passed": self.passed,
            "tier": self.tier,
            "findings": [finding.to_json() for finding in self.findings],
            "comparisons": [_finite(c.to_json()) for c in self.comparisons],
            "equal_bit_for_bit": self.equal,
            "compared": self.compared,
            "seeds": self.seeds,
            "place": self.place,
            "environment": json.loads(environment()),
            "commit": harness.commit,
            "dirty": harness.dirty,
            "worker_digest": harness.worker_digest,
            "suite": __version__,
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
        }


def verify_folder(
    folder: Path,
    wanted: Wanted,
    open_executor: Callable[[], Executor],
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
        Opens the executor that the model runs in; not called where nothing is run.
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
    result = Verification(folder.resolve().name, list(reading.findings), contents=reading.contents)
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
    open_executor: Callable[[], Executor],
    say: Callable[[str], None],
    draw: Callable[[int], int],
    work: Path,
    result: Verification,
) -> None:
    from motifidelity.submission import read_submission
    from motifidelity.submitting.consistency import consistency
    from motifidelity.submitting.source import Source

    try:
        submission = read_submission(model)
    except UserError as error:
        result.findings.append(
            Finding("model", "problem", str(error), "submit a file that 'bench check' passes")
        )
        return
    result.findings += problems(Source(submission).findings())
    result.findings += consistency(contents, submission)
    if not result.passed:
        return
    result.findings.append(
        Finding("consistency", "ok", "rows follow from the model file and from each other")
    )
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
    executor = open_executor()
    result.place = {
        "runner": executor.name,
        "isolation": executor.isolation,
        "image_digest": executor.image,
        "policy": json.loads(executor.place.policy) if executor.place.policy else None,
        "widened": list(executor.place.widened),
    }
    rerun = Verifier(submission, executor, work, draw, say).run(chosen, wanted.trials)
    result.comparisons, result.seeds = rerun.comparisons, rerun.seeds
    result.equal, result.compared = rerun.equal, rerun.compared
    result.findings += rerun.findings
    result.findings += _verdicts(rerun.comparisons)
    if result.passed:
        result.tier = TIERS[wanted.tier]


def _verdicts(comparisons: Sequence[Comparison]) -> list[Finding]:
    """One finding for each kind of comparison that held, one for each score that did not."""
    passed = {
        "again": "submitted scores came out again, with the same seeds",
        "same network": "the same network does as well on secret test data",
        "secret": "trained anew on secret data with a secret seed it does as well",
    }
    remedies = {
        "again": "the submitted scores are not those of this model",
        "same network": "the network knows the public test sequences: FLAGGED as memorised",
        "secret": "the model does well on the public data alone: FLAGGED as fitted to them",
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


def write_verification(verification: Verification, out: Path, folder: Path) -> Path:
    """Write ``verification.json`` into a folder that is not the one under review.

    Raises
    ------
    UserError
        If it is, or lies inside it.
    DataError
        If it cannot be written.
    """
    refuse_inside(out, folder)
    path = out / "verification.json"
    try:
        with atomic_path(path) as temporary:
            temporary.write_text(
                json.dumps(verification.to_json(), indent=1, allow_nan=False) + "\n",
                encoding="utf-8",
            )
    except OSError as error:
        raise DataError(
            f"{path}: cannot be written ({error.strerror or error}); choose another folder with "
            "--out"
        ) from error
    return path


def refuse_inside(out: Path, folder: Path) -> None:
    """Refuse to write into the folder under review.

    Raises
    ------
    UserError
        If ``out`` is the folder or lies inside it.
    """
    if out.resolve().is_relative_to(folder.resolve()):
        raise UserError(
            f"--out {out}: lies inside the folder under review, which is only read; choose another"
        )


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in values.items()
    }
