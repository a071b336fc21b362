"""What a verification found, and the file that it is written to."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motifidelity import __version__
from motifidelity.errors import DataError, UserError
from motifidelity.files import atomic_path
from motifidelity.provenance import code, environment
from motifidelity.submitting.findings import Finding, problems
from motifidelity.submitting.folder import Contents
from motifidelity.submitting.submit import SELF_REPORTED

if TYPE_CHECKING:
    from motifidelity.submitting.compare import ScorePair

FORMAT = "motifidelity-verification"
VERSION = 2
UNCONTAINED = "reproduced without a container"
# by who verifies; only those of the project are shown on pages
TIERS = {
    "local": "reproduced on the verifier's own machine",
    "ci": "reproduced in CI",
    "maintainer": "reproduced by a maintainer",
}


@dataclass
class Verification:
    """What was found of a folder.

    Attributes
    ----------
    folder : str
    findings : list of Finding
    comparisons : list of ScorePair
    contents : Contents or None
        None where a digest did not hold: nothing in it was used then.
    tier : str
        ``self-reported`` unless everything was run again and held.
    places : list of dict
        Where it was run again, one for each backend of the submission.
    """

    folder: str
    findings: list[Finding] = field(default_factory=list)
    comparisons: list[ScorePair] = field(default_factory=list)
    contents: Contents | None = None
    tier: str = SELF_REPORTED
    seeds: list[dict[str, Any]] = field(default_factory=list)
    equal: int = 0
    compared: int = 0
    places: list[dict[str, Any]] = field(default_factory=list)

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
            "places": self.places,
            "environment": json.loads(environment()),
            "commit": harness.commit,
            "dirty": harness.dirty,
            "worker_digest": harness.worker_digest,
            "suite": __version__,
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
        }


def tier_of(who: str, places: Iterable[Mapping[str, Any]]) -> str:
    """The tier of what was run again at these places, and held: without a container it is none's.

    Parameters
    ----------
    who : str
        A key of `TIERS`.
    places : iterable of mapping
        As of `Verification.places`.
    """
    contained = all(place["isolation"] == "container" for place in places)
    return TIERS[who] if contained else UNCONTAINED


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
