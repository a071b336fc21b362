"""A folder under review, changed in every way: each change is named, and nothing is run."""

from __future__ import annotations

import json
import os
import sys

import numpy as np
import pytest

from motifidelity.cli import main
from motifidelity.errors import UserError
from motifidelity.metrics.accuracy import score_accuracy
from motifidelity.model_file import read_submission
from motifidelity.runs.recording import score_rows
from motifidelity.submitting.coherence import job_of
from motifidelity.submitting.contents import read_folder
from motifidelity.submitting.findings import Finding, lines
from motifidelity.submitting.folder import LIMITS
from motifidelity.submitting.verification import write_verification
from motifidelity.submitting.verify import Wanted, verify_folder
from motifidelity.tasks.spec import find_spec


def nothing_runs(backend):
    raise AssertionError("something was about to run")


@pytest.fixture
def verify(folder):
    """Check digests and rows of the folder; returns the problems as text."""

    def verify(**wanted):
        result = verify_folder(
            folder, Wanted(digests_only=True, **wanted), nothing_runs, lambda _: None
        )
        assert result.tier == "self-reported"
        found = [f for f in result.findings if f.level == "problem"]
        for problem in found:
            text = f"{problem.where} {problem.text} {problem.remedy}"
            assert text.isprintable()
            assert problem.remedy
        assert bool(found) != result.passed
        return [f"{f.where}: {f.text}" for f in found]

    return verify


def edit(path, change):
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


def first_score(rows, metric="auroc", target=None):
    return next(r for r in rows if r["metric"] == metric and r["target"] == target)


def test_an_honest_folder_holds_and_is_only_read(verify, folder):
    before = {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.iterdir()}
    assert verify() == []
    assert {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.iterdir()} == before
    assert set(before) == {*LIMITS, "honest.py"}


def test_an_edited_score_is_found_without_running_anything(verify, folder):
    text = (folder / "scores.json").read_text()
    value = first_score(json.loads(text))["value"]
    assert text.count(repr(value)) >= 1
    (folder / "scores.json").write_text(text.replace(repr(value), "0.987"))
    (problem,) = verify()
    assert problem.startswith("scores.json: was changed")


def test_an_edited_score_is_found_even_if_the_manifest_is_made_anew(verify, folder, reseal):
    edit(folder / "scores.json", lambda rows: first_score(rows).update(value=0.987))
    reseal()
    (problem,) = verify()
    assert "auroc is 0.987" in problem
    assert "the mean over its classes" in problem


def test_a_manifest_that_was_made_anew_does_not_have_the_seal(verify, folder, reseal):
    seal = read_folder(folder).contents.seal
    assert verify(seal=seal.upper()) == []
    edit(folder / "check.json", lambda check: check.update(problems=0, more=1))
    reseal()
    (problem,) = verify(seal=seal)
    assert problem.startswith("manifest.json: the manifest's digest is")


def test_a_division_that_the_file_does_not_tell_is_found_and_an_open_row_opens_the_folder(
    verify, folder, reseal
):
    edit(folder / "jobs.json", lambda rows: rows[0].update(division="reference"))
    reseal()
    (problem,) = verify()
    assert "its division is 'reference', not closed" in problem
    # as a model's class that trains itself leaves it
    edit(folder / "jobs.json", lambda rows: rows[0].update(division="open"))
    reseal()
    (problem,) = verify()
    assert "division is 'closed', but the rows say 'open'" in problem
    edit(folder / "metadata.json", lambda metadata: metadata.update(division="open"))
    reseal()
    assert verify() == []


def test_a_swapped_model_file_is_found(verify, folder, reseal):
    with (folder / "honest.py").open("a") as file:
        file.write("\n# better\n")
    assert verify() == ["honest.py: was changed after it was submitted: its digest is another"]
    reseal()
    problems = verify()
    assert any("metadata.json: digest is" in p for p in problems)
    assert any("jobs.json:2: " in p and "of another model file" in p for p in problems)

    def change(rows):
        from motifidelity.model_file import read_submission

        for row in rows:
            row["model_digest"] = read_submission(folder / "honest.py").digest

    edit(folder / "jobs.json", change)
    edit(
        folder / "metadata.json",
        lambda m: m.update(
            digest=json.loads((folder / "jobs.json").read_text())[0]["model_digest"]
        ),
    )
    reseal()
    (problem,) = verify()
    assert "its id does not follow from model file" in problem


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"seed": 5}, "id does not follow"),
        ({"params": '{"units": 9}'}, "id does not follow"),
        ({"params": "[]"}, "params is not a JSON object"),
        ({"task": "motif-classes@1"}, "id does not follow"),
        ({"task": "nothing@1"}, "unknown task 'nothing@1'"),
        ({"task": "\x1b[2J" + "x" * 9000}, "unknown task '[2Jxxx"),
        ({"profile": "full"}, "unknown profile 'full'"),
        ({"status": "excellent"}, "unknown status"),
        ({"trial": "0"}, "field trial"),
        ({"trial": True}, "field trial"),
        ({"seed": 10**30}, "out of range"),
        ({"model": "<b>Best</b>"}, "its model is named '<b>Best</b>'"),
        ({"status": "timeout"}, "metadata.json: says 1 finished"),
    ],
)
def test_a_changed_job_is_named(change, text, verify, folder, reseal):
    edit(folder / "jobs.json", lambda rows: rows[0].update(change))
    reseal()
    assert any(text in problem for problem in verify())


def test_a_job_that_stands_twice_is_named(verify, folder, reseal):
    edit(folder / "jobs.json", lambda rows: rows.append(rows[0]))
    edit(folder / "metadata.json", lambda m: m.update(finished=2))
    reseal()
    assert any("the same job stands twice" in problem for problem in verify())


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"value": 1.5}, "it lies between"),
        ({"metric": "best"}, "unknown metric 'best'"),
        ({"family": "filters"}, "is of family accuracy"),
        ({"job": 7}, "a score of job 7, which has none"),
        ({"value": "0.9"}, "field value"),
        ({"target": "regulatory"}, "stands twice"),
        ({"reading": ["own"]}, "has a reading that is none of own, signed, magnitude"),
    ],
)
def test_a_changed_score_is_named(change, text, verify, folder, reseal):
    edit(folder / "scores.json", lambda rows: first_score(rows).update(change))
    reseal()
    assert any(text in problem for problem in verify())


def test_a_map_is_scored_once_a_reading(verify, folder, reseal):
    def again(reading):
        def change(rows):
            row = first_score(rows, "attribution_auroc")
            rows.append({**row, "reading": reading})

        edit(folder / "scores.json", change)
        reseal()
        return verify()

    assert again("signed") == []
    (problem,) = again("signed")
    assert "attribution_auroc stands twice for one job" in problem


def test_scores_left_out_are_named(verify, folder, reseal):
    edit(folder / "scores.json", lambda rows: rows.clear())
    reseal()
    assert any("no score" in problem for problem in verify())


@pytest.fixture
def more(folder, reseal):
    """Add a job that follows from the model file, with given or with the first job's scores."""

    def more(trial, scores=None, **values):
        jobs = json.loads((folder / "jobs.json").read_text())
        rows = json.loads((folder / "scores.json").read_text())
        row = {**jobs[0], "trial": trial, "seed": trial, **values}
        row["job_id"] = job_of(row, read_submission(folder / "honest.py")).id
        mine = [r for r in rows if r["job"] == 0] if scores is None else scores
        rows += [{**r, "job": len(jobs)} for r in mine]
        jobs.append(row)
        (folder / "jobs.json").write_text(json.dumps(jobs))
        (folder / "scores.json").write_text(json.dumps(rows))
        done = sum(job["status"] == "ok" for job in jobs)
        counts = {"finished": done, "failed": len(jobs) - done}
        edit(folder / "metadata.json", lambda m: m.update(counts))
        reseal()

    return more


def accuracy_rows(classes, undefined=()):
    """Rows of a job by the suite's own scoring, as a folder holds them."""
    rng = np.random.default_rng(0)
    labels = np.tile(rng.integers(0, 2, (40, 1)), len(classes))
    labels[:, [classes.index(name) for name in undefined]] = 1
    scores = score_accuracy(rng.normal(size=labels.shape), labels, classes)
    rows = score_rows(scores)
    return [{**r, "value": r["value"] if np.isfinite(r["value"]) else None} for r in rows]


def test_a_folder_with_several_trials_classes_and_failures_holds(verify, folder, more):
    classes = find_spec("motif-classes").classes
    more(1)
    more(2, scores=[], status="oom", message="too large")
    more(0, accuracy_rows(classes, undefined=classes[:2]), task="motif-classes@1")
    assert verify() == []
    assert warnings(folder, "trials") == []


def test_a_gap_in_the_trials_is_a_warning(verify, folder, more):
    more(1)
    more(4)
    assert verify() == []
    (finding,) = warnings(folder, "trials")
    assert finding.text == "trial 2 is in no row, though trial 4 is (2 left out)"


def warnings(folder, check):
    result = verify_folder(folder, Wanted(digests_only=True), nothing_runs, lambda _: None)
    return [f for f in result.findings if f.level == "warning" and f.check == check]


@pytest.mark.parametrize("renamed", [False, True])
def test_classes_of_an_accuracy_are_all_there_and_no_others(renamed, verify, folder, more):
    rows = accuracy_rows(find_spec("motif-classes").classes)
    whole = [r for r in rows if r["metric"] == "auroc" and r["target"]]
    rows.remove(whole[-1])
    if renamed:
        rows.append({**whole[-1], "target": "another"})
    else:
        values = [r["value"] for r in whole[:-1]]
        first_score(rows).update(value=sum(values) / len(values))
    more(0, rows, task="motif-classes@1")
    problems = verify()
    assert any(f"auroc ({whole[-1]['target']}) is left out" in p for p in problems)
    assert any("no such class" in p for p in problems) == renamed


def test_a_mean_without_its_classes_is_named(verify, folder, reseal):
    def change(rows):
        first_score(rows).update(value=0.987)
        rows.remove(first_score(rows, target="regulatory"))

    edit(folder / "scores.json", change)
    reseal()
    assert any("auroc (regulatory) is left out" in problem for problem in verify())


def test_classes_without_a_value_have_no_mean(verify, folder, reseal):
    def change(rows):
        first_score(rows).update(value=0.987)
        first_score(rows, target="regulatory").update(value=None)

    edit(folder / "scores.json", change)
    reseal()
    (problem,) = verify()
    assert "auroc is 0.987000, but the mean over its classes is nan" in problem


def test_a_figure_of_the_whole_network_needs_no_classes(verify, folder, reseal):
    def change(rows):
        rows[:] = [row for row in rows if row["metric"] not in ("auroc_error", "answer_shift")]
        for metric in ("auroc_error", "answer_shift"):
            rows.append({**first_score(rows), "metric": metric, "value": 0.04})

    edit(folder / "scores.json", change)
    reseal()
    assert verify() == []


@pytest.mark.parametrize(
    ("metric", "method", "named"),
    [
        ("motifs_found", None, "motifs_found"),
        ("attribution_auroc", "saliency", "attribution_auroc (saliency)"),
    ],
)
def test_a_score_that_one_trial_alone_lacks_is_named(metric, method, named, verify, folder, more):
    rows = json.loads((folder / "scores.json").read_text())
    more(1, [r for r in rows if (r["metric"], r["method"]) != (metric, method)])
    (problem,) = verify()
    assert problem.endswith(f"trial 1: {named} is left out")


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", "a\x1b[2Jb", "x" * 5000, "[x](http://y)", "a\u202eb", "", 7],
)
def test_a_name_with_markup_control_characters_or_no_end_is_named(name, verify, folder, reseal):
    edit(folder / "metadata.json", lambda m: m.update(name=name))
    reseal()
    problems = verify()
    assert any("metadata.json: name " in problem for problem in problems)
    assert max(map(len, problems)) < 400


@pytest.mark.parametrize(
    "name",
    ["../outside.py", "/etc/passwd", "sub/x.py", "..\\x.py", "..", "~/x.py", "C:\\x.py", "a\x00b"],
)
def test_a_path_that_points_outside_is_named(name, verify, folder):
    def change(manifest):
        manifest["files"][name] = manifest["files"].pop("honest.py")

    edit(folder / "manifest.json", change)
    problems = verify()
    assert any(p.startswith("manifest.json: '") for p in problems), problems
    assert any("'honest.py': is not in the manifest" in p for p in problems)


def test_a_link_is_never_followed(verify, folder, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes((folder / "honest.py").read_bytes())
    (folder / "honest.py").unlink()
    (folder / "honest.py").symlink_to(secret)
    assert any("symbolic link" in problem for problem in verify())


def test_a_folder_that_is_a_link_is_not_followed(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    (problem,) = read_folder(tmp_path / "link").findings
    assert "symbolic link" in problem.text


def test_a_hard_link_a_folder_and_a_pipe_are_refused(verify, folder, tmp_path):
    os.link(folder / "check.json", tmp_path / "other")
    (folder / "more").mkdir()
    os.mkfifo(folder / "pipe.py")
    text = "\n".join(verify())
    for expected in ("'check.json': is a hard link", "'more': is a folder", "'pipe.py': is not a"):
        assert expected in text


def test_a_file_of_2_gb_is_refused_without_being_read(verify, folder):
    before = json.loads((folder / "manifest.json").read_text())
    with (folder / "scores.json").open("r+b") as file:
        file.truncate(2 << 30)
    problems = verify()
    assert any("2,147,483,648 bytes" in p and "it was not read" in p for p in problems)
    # everything else was looked at all the same, and nothing was lost
    assert len(problems) == 2
    assert json.loads((folder / "manifest.json").read_text()) == before


def test_a_pointer_of_git_lfs_is_no_changed_file(verify, folder):
    (folder / "scores.json").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid x\n")
    assert verify() == ["scores.json: is a Git LFS pointer in place of the file"]


def test_foreign_and_missing_files_are_named_all_at_once(verify, folder):
    (folder / "notes.txt").write_text("hello")
    (folder / "other.py").write_text("x = 1")
    (folder / "history.json").unlink()
    text = "\n".join(verify())
    assert "'notes.txt': is no file of a submission" in text
    assert "'other.py': is not in the manifest" in text
    assert "history.json: is in the manifest but missing" in text


def test_more_files_than_anybody_needs_are_not_read(verify, folder):
    for i in range(100):
        (folder / f"m{i}.py").touch()
    assert any("holds more than 64 entries" in problem for problem in verify())


@pytest.mark.parametrize(
    "content",
    [b"", b"not json", b"[]", b"\xff\xfe", b"[" * 60_000, b'{"format": NaN}', b'{"a": 1, "a": 2}'],
)
def test_a_manifest_that_is_none_is_named(content, verify, folder):
    (folder / "manifest.json").write_bytes(content)
    (problem,) = verify()
    assert problem.startswith("manifest.json: ")


@pytest.mark.parametrize("name", ["jobs.json", "metadata.json", "scores.json", "environment.json"])
@pytest.mark.parametrize("content", [b"not json", b'"text"', b"[1]", b"[" * 100_000])
def test_a_file_that_is_not_what_it_should_be_is_named(name, content, verify, folder, reseal):
    (folder / name).write_bytes(content)
    reseal()
    assert any(problem.startswith(f"{name}: ") for problem in verify())


@pytest.mark.parametrize("model", ["x = 1\n", "def build_model(:\n", "\x00"])
def test_a_model_file_that_is_none_is_named_and_never_imported(model, verify, folder, reseal):
    (folder / "honest.py").write_text(f"open('ran', 'w')\n{model}")
    reseal()
    assert any("honest.py" in problem for problem in verify())
    assert not os.path.exists("ran")  # noqa: PTH110


def test_what_a_model_file_says_of_itself_cannot_deface_a_terminal(verify, folder, reseal):
    forged = 'MODEL = dict(backend="x\\x1b[2J\\n::error::forged", '
    text = (folder / "honest.py").read_text()
    (folder / "honest.py").write_text(text.replace("MODEL = dict(", forged))
    reseal()
    (problem,) = verify()  # every text of which is printable
    assert "unknown backend" in problem


def test_no_text_of_a_finding_moves_a_cursor_or_begins_a_line():
    forged = "x\x1b[2J\n::error::forged\r\u202e"
    printed = lines([Finding(forged, "problem", forged, forged, forged, forged)])
    assert len(printed) == 2
    assert all(line.isprintable() for line in printed)


def test_a_newer_format_says_to_upgrade(verify, folder):
    edit(folder / "manifest.json", lambda m: m.update(version=2))
    (problem,) = verify()
    assert "format version 2, newer than 1" in problem


@pytest.mark.parametrize("version", [0, "1", None, True])
def test_no_version_is_named(version, verify, folder):
    edit(folder / "manifest.json", lambda m: m.update(version=version))
    (problem,) = verify()
    assert "version" in problem


def test_a_missing_manifest_is_named(verify, folder):
    (folder / "manifest.json").unlink()
    assert verify() == ["manifest.json: missing: no submission, or its manifest was removed"]


def test_the_command_finds_an_edited_number_and_exits_1(folder, tmp_path, capfd, monkeypatch):
    edit(folder / "scores.json", lambda rows: first_score(rows).update(value=0.987))
    out = tmp_path / "out"
    line = ["bench", "verify", str(folder), "--digests-only", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", line)
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capfd.readouterr()
    assert ended.value.code == 1
    assert "scores.json: was changed" in printed.out
    written = json.loads((out / "verification.json").read_text())
    assert written["passed"] is False
    assert written["tier"] == "self-reported"


def test_a_missing_folder_is_one_line(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["bench", "verify", str(tmp_path / "absent")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    err = capfd.readouterr().err
    assert err.count("\n") == 1
    assert "bench submit" in err


@pytest.mark.parametrize("inside", [".", "sub", "../review/sub"])
def test_nothing_is_written_into_the_folder_under_review(inside, folder):
    result = verify_folder(folder, Wanted(digests_only=True), nothing_runs, lambda _: None)
    with pytest.raises(UserError, match="only read"):
        write_verification(result, folder / inside, folder)
    assert not (folder / "verification.json").exists()
