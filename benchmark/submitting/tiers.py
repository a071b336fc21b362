"""Who vouches for results: what verifications say of the submissions that they were made of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from motifidelity.errors import UserError
from motifidelity.submitting.contents import read_folder
from motifidelity.submitting.folder import MANIFEST
from motifidelity.submitting.rerun import groups
from motifidelity.submitting.verification import FORMAT, TIERS


def read_tiers(submissions: Path, verifications: Path) -> tuple[dict[str, str], list[str]]:
    """Tiers of the jobs that were run again, and held.

    Parameters
    ----------
    submissions : Path
        Folder of submitted folders.
    verifications : Path
        Folder below which every ``verification.json`` is read: the project's own, as
        ``bench verify`` wrote it, never one that came with a submission.

    Returns
    -------
    dict of str to str
        Tier by job id, of those pairs of task and parameters that were run again.
    list of str
        Verifications that cannot be used, and why.

    Raises
    ------
    UserError
        If a folder is not there.
    """
    for folder in (submissions, verifications):
        if not folder.is_dir():
            raise UserError(f"{folder}: no such folder; name the one that is there")
    sealed = {_seal(path): path.parent for path in sorted(submissions.glob(f"*/{MANIFEST}"))}
    tiers: dict[str, str] = {}
    problems = []
    order = [TIERS["ci"], TIERS["maintainer"]]
    for path in sorted(verifications.rglob("verification.json")):
        try:
            found = _verification(path)
        except ValueError as error:
            problems.append(f"{path}: no verification ({error}); run 'bench verify' again")
            continue
        if not found["passed"] or found["tier"] not in order:
            continue
        submitted = sealed.get(found["seal"])
        if submitted is None:
            problems.append(f"{path}: no submission of seal {str(found['seal'])[:12]} is there")
            continue
        for job in _covered(submitted, found):
            tiers[job] = max(tiers.get(job, found["tier"]), found["tier"], key=order.index)
    return tiers, problems


def _seal(manifest: Path) -> str:
    return hashlib.sha256(manifest.read_bytes()).hexdigest()


def _verification(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT}")
    for name in ("passed", "tier", "seal", "comparisons"):
        if name not in found:
            raise ValueError(f"it has no {name!r}")
    return found


def _covered(folder: Path, verification: dict[str, Any]) -> Iterator[str]:
    """Jobs of the pairs of task and parameters that the comparisons name."""
    contents = read_folder(folder).contents
    if contents is None:
        return
    named = [str(comparison["what"]) for comparison in verification["comparisons"]]
    for group in groups(contents.tables["jobs"], contents.tables["scores"]):
        if any(what == group.name or what.startswith(f"{group.name},") for what in named):
            yield from (str(row["job_id"]) for row in group.jobs)
