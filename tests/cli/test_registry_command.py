"""``bench registry``: what it prints, what it returns, and that an error is one line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from registry_rows import failure, result
from s3_server import KEYS, Denying, misbehaving

from motifidelity.registry import Registry

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture
def bench(bench, monkeypatch, tmp_path):
    """Run a command line in an empty folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return bench


@pytest.fixture
def registry(tmp_path):
    registry = Registry(tmp_path / "registry")
    registry.record(result())
    registry.record(failure("b" * 24))
    return registry


def test_verify_says_what_it_checked_and_accepts_a_whole_registry(bench, registry):
    status, out, err = bench("registry", "verify", "--registry", registry.folder)
    assert (status, err) == (0, "")
    assert f"{registry.folder}: 2 results, 0 packs; 5 files" in out
    assert out.endswith("nothing is wrong\n")


def test_verify_names_what_is_wrong_and_returns_1(bench, registry):
    (scores,) = (registry.folder / "scores").iterdir()
    scores.write_bytes(scores.read_bytes()[:-1] + b"x")
    (registry.folder / "notes.txt").write_text("foreign")
    status, out, _ = bench("registry", "verify", "--registry", registry.folder)
    assert status == 1
    assert f"changed  scores/{scores.name}: " in out
    assert "foreign  notes.txt: " in out
    assert out.endswith("2 problems\n")
    status, out, _ = bench("registry", "verify", "--registry", registry.folder, "--json")
    found = json.loads(out)
    assert (status, found["ok"], len(found["problems"])) == (1, False, 2)


def test_verify_counts_old_results_and_migrate_gives_them_digests(bench, tmp_path):
    old = shutil.copytree(DATA / "registry_v1", tmp_path / "old")
    status, out, _ = bench("registry", "verify", "--registry", old)
    assert status == 0
    assert "1 result recorded before there were digests" in out
    assert bench("registry", "migrate", "--registry", old)[1] == "1 result rewritten\n"
    assert bench("registry", "migrate", "--registry", old)[1] == "nothing to rewrite\n"
    status, out, _ = bench("registry", "verify", "--registry", old)
    assert (status, "before there were digests" in out) == (0, False)


def test_compact_and_merge_say_what_they_did(bench, registry, tmp_path):
    status, out, _ = bench("registry", "compact", "--registry", registry.folder)
    assert (status, out) == (0, "2 results packed into 1 pack; 0 leftover files removed\n")
    for expected in ("2 results copied to new; 0 there before", "0 results copied to new; 2"):
        status, out, _ = bench("registry", "merge", registry.folder, "--registry", "new")
        assert status == 0
        assert expected in out
    assert bench("registry", "verify", "--registry", "new")[0] == 0


def test_export_writes_the_latest_results_or_all_of_them(bench, registry):
    registry.record(result(value=0.5))
    line = ("registry", "export", "--registry", registry.folder, "--format", "csv,json")
    status, out, _ = bench(*line, "--out", "out")
    assert status == 0
    assert len(out.splitlines()) == 8
    assert len(json.loads(Path("out/jobs.json").read_text())) == 2
    bench(*line, "--out", "out", "--all")
    assert len(json.loads(Path("out/jobs.json").read_text())) == 3


@pytest.mark.parametrize(
    ("arguments", "message", "status"),
    [
        (["verify", "--registry", "none"], "registry none: no such folder", 2),
        (["compact", "--registry", "gs://x/y"], "give a folder or s3://bucket/prefix", 2),
        (["merge", "--registry", "new"], "SRC", 2),
        (["merge", "none", "--registry", "new"], "registry none: no such folder", 2),
        (["export", "--format", "cvs"], "unknown format 'cvs'; did you mean csv?", 2),
        (["nothing"], "nothing", 2),
    ],
)
def test_wrong_usage_is_one_line(arguments, message, status, bench):
    found, out, err = bench("registry", *arguments)
    assert (found, out, err.count("\n")) == (status, "", 1)
    assert message in err
    assert not Path("new").exists()


def test_the_commands_work_on_a_bucket_and_its_page_is_drawn_here(bench, registry, s3):
    assert bench("registry", "merge", registry.folder, "--registry", s3)[0] == 0
    assert bench("registry", "compact", "--registry", s3)[0] == 0
    status, out, _ = bench("registry", "verify", "--registry", s3)
    assert status == 0
    assert f"{s3}: 2 results, 1 pack" in out
    status, out, err = bench("leaderboard", "--registry", s3)
    assert (status, out) == (0, "leaderboard/index.html\n")
    assert "drawn into ./leaderboard" in err
    assert Path("leaderboard/index.html").exists()
    assert bench("registry", "export", "--registry", s3, "--out", "out")[0] == 0
    assert Path("out/scores.csv").read_text().count("\n") == 3


@pytest.mark.parametrize(
    "arguments",
    [["registry", "verify"], ["registry", "compact"], ["leaderboard"], ["rescore"]],
)
def test_a_bucket_that_denies_is_one_line_and_status_1(arguments, bench, monkeypatch):
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with misbehaving(Denying) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        status, out, err = bench(*arguments, "--registry", "s3://results/prefix")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "s3://results/prefix" in err
    assert "AWS_ACCESS_KEY_ID" in err
