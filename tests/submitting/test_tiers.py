"""Who vouches for a result: verifications beside the submissions that they are of."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from motifidelity.errors import UserError
from motifidelity.submitting import tiers
from motifidelity.submitting.folder import Contents
from motifidelity.submitting.tiers import read_tiers
from motifidelity.submitting.verification import FORMAT, TIERS

JOBS = [
    {"job_id": f"{task}-{trial}", "task": task, "profile": "full", "params": "{}", "status": "ok"}
    for task in ("one@1", "two@1")
    for trial in range(2)
]


@pytest.fixture
def submissions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one submission of two tasks; its contents are known without reading it."""
    folder = tmp_path / "submissions" / "mine"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}", encoding="utf-8")

    class Reading:
        contents = Contents("", "m.py", b"", {}, {}, {"jobs": JOBS, "scores": []})

    monkeypatch.setattr(tiers, "read_folder", lambda found: Reading)
    return folder.parent


def verify(folder: Path, **changed: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    found = {
        "format": FORMAT,
        "passed": True,
        "tier": TIERS["ci"],
        "seal": hashlib.sha256(b"{}").hexdigest(),
        "comparisons": [{"what": "one@1 full, trial 0"}],
        **changed,
    }
    (folder / "verification.json").write_text(json.dumps(found), encoding="utf-8")


def test_only_what_was_run_again_has_the_tier(tmp_path: Path, submissions: Path) -> None:
    verify(tmp_path / "seen" / "a")
    assert read_tiers(submissions, tmp_path / "seen") == (
        {"one@1-0": TIERS["ci"], "one@1-1": TIERS["ci"]},
        [],
    )


def test_the_higher_of_two_verifications_counts(tmp_path: Path, submissions: Path) -> None:
    verify(tmp_path / "seen" / "a", tier=TIERS["maintainer"])
    verify(tmp_path / "seen" / "b")
    found, _ = read_tiers(submissions, tmp_path / "seen")
    assert set(found.values()) == {TIERS["maintainer"]}


@pytest.mark.parametrize("changed", [{"passed": False}, {"tier": "self-reported"}])
def test_what_did_not_hold_gives_no_tier(
    tmp_path: Path, submissions: Path, changed: dict[str, Any]
) -> None:
    verify(tmp_path / "seen", **changed)
    assert read_tiers(submissions, tmp_path / "seen") == ({}, [])


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"seal": "0" * 64}, "no submission of seal"), ({"format": "other"}, "no verification")],
)
def test_a_foreign_verification_is_named_and_gives_nothing(
    tmp_path: Path, submissions: Path, changed: dict[str, Any], said: str
) -> None:
    verify(tmp_path / "seen", **changed)
    found, problems = read_tiers(submissions, tmp_path / "seen")
    assert found == {}
    assert said in problems[0]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        read_tiers(tmp_path / "none", tmp_path)
