"""What a submission's rank will be worth is said alike by who makes a folder and who checks it."""

from __future__ import annotations

import pytest

from motifidelity.submitting.contents import read_folder
from motifidelity.submitting.findings import lines
from motifidelity.submitting.standing import ranking
from motifidelity.submitting.verify import Wanted, verify_folder


def job(task: str, params: str = "{}", profile: str = "full", status: str = "ok") -> dict[str, str]:
    return {"task": task, "params": params, "profile": profile, "status": status}


@pytest.mark.parametrize(
    ("jobs", "said"),
    [
        ([job("a")] * 3, []),
        ([job("a", profile="quick")] * 3, ["none will be ranked"]),
        ([job("a", status="timeout")] * 2, ["none will be ranked"]),
        (
            [job("a")] * 2 + [job("a", status="timeout"), *[job("b")] * 3],
            ["there are fewer than 3"],
        ),
        ([job("a", "1"), job("a", "2"), job("b")], ["2 parameter sets have", "there are fewer"]),
        ([job("a")] * 2 + [job("a", profile="quick")], ["there are fewer than 3 finished trials"]),
    ],
)
def test_quick_results_and_few_trials_are_said(jobs: list[dict[str, str]], said: list[str]) -> None:
    found = list(ranking(jobs))
    assert [f.level for f in found] == ["warning"] * len(said)
    for finding, words in zip(found, said, strict=True):
        assert words in finding.text
        assert finding.remedy


def test_a_verification_says_it_and_holds(honest):
    folder = honest[2]
    result = verify_folder(folder, Wanted(digests_only=True), None, lambda _: None)
    assert result.passed
    expected = list(ranking(read_folder(folder).contents.tables["jobs"]))
    assert "none will be ranked" in "\n".join(lines(expected))
    assert [f for f in result.findings if f.check == "ranking"] == expected
