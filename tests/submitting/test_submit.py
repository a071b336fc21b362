"""``bench submit``: what makes a folder, and what is refused."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

import pytest

from motifidelity.cli import main
from motifidelity.errors import DataError, UserError
from motifidelity.model_file import read_submission
from motifidelity.registry import Registry, Result
from motifidelity.submitting.check import CheckReport
from motifidelity.submitting.contents import read_folder
from motifidelity.submitting.findings import Finding
from motifidelity.submitting.submit import make_submission, model_results
from motifidelity.submitting.verify import Wanted, verify_folder

FINE = Finding("file", "ok", "checked elsewhere")


def report_on(path, *findings):
    return CheckReport(path, read_submission(path), findings or (FINE,))


def rows_of(folder, name):
    return json.loads((folder / name).read_text())


def test_a_folder_holds_the_registry_s_numbers_to_the_last_bit(honest):
    path, registry, folder = honest
    contents = read_folder(folder).contents
    assert contents.model == path.read_bytes()
    stored = registry.latest("scores")["scores"].to_pylist()
    assert len(stored) > 20
    mine = {(r["metric"], r["method"], r["target"]): r["value"] for r in contents.tables["scores"]}
    for row in stored:
        value = mine[row["metric"], row["method"], row["target"]]
        assert value == row["value"] or (value is None and row["value"] != row["value"])
    history = registry.latest("history")["history"].to_pylist()
    assert [r["loss"] for r in contents.tables["history"]] == [r["loss"] for r in history]


def test_who_made_it_and_where_it_ran_are_told_once(honest):
    _, _, folder = honest
    metadata = rows_of(folder, "metadata.json")
    assert metadata["name"] == "Honest"
    assert metadata["license"] == "MIT"
    assert metadata["tier"] == "self-reported"
    assert (metadata["finished"], metadata["failed"]) == (1, 0)
    (environment,) = rows_of(folder, "environment.json")["environments"]
    assert environment["environment"]["packages"]["tensorflow"]
    assert environment["isolation"] == "none"
    (job,) = rows_of(folder, "jobs.json")
    assert job["environment"] == 0
    assert "traceback" not in job


def test_a_row_is_a_line_so_that_a_change_is_seen_in_a_diff(honest):
    text = (honest[2] / "scores.json").read_text()
    assert text.count("\n") == len(json.loads(text)) + 2


def test_the_same_results_make_the_same_folder(honest, tmp_path):
    path, registry, _ = honest
    when = datetime(2026, 1, 1, tzinfo=UTC)
    results = model_results(registry, read_submission(path))
    seals = {
        make_submission(report_on(path), results, tmp_path / name, when) for name in ("a", "b")
    }
    assert len(seals) == 1


def test_a_folder_that_exists_is_left_as_it_is(honest, tmp_path):
    path, registry, _ = honest
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "mine.txt").write_text("precious")
    results = model_results(registry, read_submission(path))
    with pytest.raises(DataError, match="exists already"):
        make_submission(report_on(path), results, tmp_path / "a")
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["mine.txt"]


def test_a_full_disk_leaves_no_half_of_a_folder(honest, small_disk):
    path, registry, _ = honest
    disk = small_disk("size=16k")
    results = model_results(registry, read_submission(path))
    with pytest.raises(DataError, match="cannot be written"):
        make_submission(report_on(path), results, disk / "a")
    assert list(disk.iterdir()) == []


def test_what_check_refuses_is_refused(honest, tmp_path):
    path, registry, _ = honest
    bad = Finding("contract", "problem", "wrong shape", "mend it", "honest.py:12")
    results = model_results(registry, read_submission(path))
    with pytest.raises(UserError, match=r"honest.py:12: wrong shape; mend it"):
        make_submission(report_on(path, bad), results, tmp_path / "a")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("key", ["authors", "license"])
def test_missing_authors_or_licence_are_refused(key, honest, tmp_path):
    path, registry, _ = honest
    report = report_on(path)
    del report.submission.metadata[key]
    results = model_results(registry, read_submission(path))
    with pytest.raises(UserError, match=f"honest.py: no {key}; add MODEL"):
        make_submission(report, results, tmp_path / "a")


def test_a_model_without_a_finished_result_is_refused(honest, tmp_path):
    path, registry, _ = honest
    other = tmp_path / "other.py"
    other.write_text(path.read_text() + "\n# changed\n")
    with pytest.raises(UserError, match=r"no finished result of other\.py"):
        model_results(registry, read_submission(other))
    with pytest.raises(UserError, match="no finished result"):
        model_results(registry, read_submission(path), {"units": 99})


def test_failed_trials_are_shown_and_not_hidden(honest, tmp_path, small_tasks):
    from motifidelity.runs.plan import plan_jobs

    path, registry, _ = honest
    submission = read_submission(path)
    both = Registry(tmp_path / "registry")
    (row,) = registry.latest("jobs")["jobs"].to_pylist()
    scores = registry.latest("scores")["scores"].to_pylist()
    both.record(Result(row, scores))
    task = small_tasks["regulatory-code@1"]
    jobs = plan_jobs(submission, submission.parameters(()), [task], "quick", 2, 0)
    failed = {"job_id": jobs[1].id, "trial": 1, "seed": 1, "status": "timeout", "message": "late"}
    both.record(Result({**row, **failed}))
    results = model_results(both, submission)
    assert [job["trial"] for job in results.failed] == [1]
    make_submission(report_on(path), results, tmp_path / "a")
    assert rows_of(tmp_path / "a", "metadata.json")["failed"] == 1
    result = verify_folder(tmp_path / "a", Wanted(digests_only=True), None, lambda _: None)
    assert result.passed, result.findings
    (shown,) = [f for f in result.findings if f.check == "failures"]
    assert "trial 1: timeout: late" in shown.text


def test_the_command_checks_first_and_prints_the_seal(honest, tmp_path, capfd, monkeypatch):
    path, registry, _ = honest
    out = tmp_path / "folder"
    line = ["bench", "submit", str(path), "--registry", str(registry.folder), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", line)
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capfd.readouterr().out
    assert ended.value.code == 0
    assert "1 finished and 0 failed" in printed
    assert f"Seal: {read_folder(out).contents.seal}" in printed
    assert "none will be ranked" in printed
    checks = {c["check"] for c in rows_of(out, "check.json")["checks"]}
    assert {"contract", "determinism", "attribution"} <= checks


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["absent.py"], "absent.py"),
        (["honest.py", "--registry", "nowhere"], "nowhere: no such folder"),
    ],
)
def test_wrong_usage_is_one_line(arguments, text, honest, tmp_path, capfd, monkeypatch):
    (tmp_path / "results").mkdir()
    (tmp_path / "honest.py").write_bytes(honest[0].read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["bench", "submit", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    err = capfd.readouterr().err
    assert ended.value.code == 2
    assert err.count("\n") == 1
    assert text in err
