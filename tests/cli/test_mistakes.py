"""What people type by mistake: one clear line that names the thing and the remedy, and a status."""

from __future__ import annotations

import shlex
import shutil
import textwrap
from datetime import UTC, datetime

import pytest
from registry_rows import failure, result

from motifidelity.files import file_digest
from motifidelity.registry import Registry

MODEL = """
    import keras

    MODEL = dict(name="Mine", authors="A. Author", license="MIT")

    def build_model(task, *, filters=32, scale=1.0, deep=False, widths=[1, 2], activation="relu"):
        return keras.Sequential([keras.Input(task.input_shape)])
"""
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 4096\n"
WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def record(folder, model, params='{"filters": 32}', when=WHEN, **job):
    """A finished result of a model file."""
    job |= {"model": "Mine", "model_file": model.name, "model_digest": file_digest(model)}
    job |= {"params": params, "task": "regulatory-code@1", "profile": "quick"}
    registry = Registry(folder)
    return registry.record(result(**job), when)


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A folder in which somebody works; tests only read it."""
    here = tmp_path_factory.mktemp("here")
    model = here / "my.py"
    model.write_text(textwrap.dedent(MODEL))
    shutil.copy(model, here / "my net.py")
    shutil.copy(model, here / "my+net.py")
    shutil.copy(model, here / "my.txt")
    for name in ("net.keras", "net.h5", "net.pt", "net.weights.h5"):
        (here / name).write_bytes(b"PK\x03\x04\x00\xff")
    (here / "notebook.ipynb").write_text('{"cells": []}')
    (here / "some.file").write_text("text")
    (here / "empty.py").write_text("")
    (here / "binary.py").write_bytes(b"\x00\x01\xff")
    (here / "broken.py").write_text("def build_model(task):\n    return (\n")
    (here / "needs.py").write_text("def build_model(task, filters): ...\n")
    (here / "alone.py").write_text("def build_model(): ...\n")
    (here / "markup.py").write_text("MODEL = dict(name='<b>')\ndef build_model(task): ...\n")
    (here / "backend.py").write_text(
        "MODEL = dict(backend='tensorflw')\ndef build_model(task): ...\n"
    )
    (here / "shape.py").write_text(
        "import keras\n\ndef build_model(task):\n    return keras.Input((1000, 4))\n"
    )
    (here / "torch_file.py").write_text(
        "import torch\nfrom torch import nn\n\ndef build_model(task):\n    return nn.Linear(4, 1)\n"
    )
    (here / "pointer.py").write_bytes(POINTER)
    (here / "void").mkdir()
    (here / "work").mkdir()
    (here / "work" / "notes").mkdir()
    (here / "work" / "notes" / "a.txt").write_text("mine")
    (here / "work" / "thesis.docx").write_text("mine")
    shutil.copytree(here / "work", here / "submissions" / "my")
    record(here / "results", model)
    Registry(here / "results").record(failure("c" * 24))
    edited = here / "edited" / "my.py"
    edited.parent.mkdir()
    edited.write_text(model.read_text() + "# edited\n")
    conflicted = here / "conflicted"
    name = record(conflicted, model)
    jobs = conflicted / "jobs"
    shutil.copy(jobs / f"{name}.parquet", jobs / f"{name} (conflicted copy 2026-01-02).parquet")
    name = record(here / "pointers", model)
    (here / "pointers" / "jobs" / f"{name}.parquet").write_bytes(POINTER)
    (here / "golden").mkdir()
    (here / "golden" / "regression.toml").write_bytes(POINTER)
    name = record(here / "scoreless", model)
    (here / "scoreless" / "scores" / f"{name}.parquet").write_bytes(POINTER)
    return here


@pytest.fixture
def typed(bench, here, monkeypatch):
    """Type a line there, on a machine without Docker and without a screen."""
    monkeypatch.chdir(here)
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)

    def typed(line):
        words = shlex.split(line)
        assert words[0] == "bench"
        return bench(*words[1:])

    return typed


USAGE = [
    # commands and options
    ("bench rnu", "unknown command 'rnu'; did you mean run"),
    ("bench leaderbord open", "did you mean leaderboard?"),
    ("bench frobnicate", "unknown command 'frobnicate'; known: run, check"),
    ("bench results rnak", "'rank'"),
    ("bench registry verfiy", "'verify'"),
    ("bench tasks expotr", "'export'"),
    ("bench run --proflie quick", "--profile"),
    ("bench check --taks regulatory-code my.py", "--task"),
    ("bench submit my.py --output there", "--out"),
    ("bench run my.py", "give the model file as --model my.py"),
    ("bench run 'my net.py' --profile quick", "give the model file as --model 'my net.py'"),
    ("bench run --model my.py torch_file.py", "as --model torch_file.py"),
    ("bench run", "--model"),
    ("bench check", "MODEL.PY"),
    ("bench submit", "MODEL.PY"),
    ("bench verify", "FOLDER"),
    ("bench check my.py torch_file.py", "unexpected extra argument (torch_file.py)"),
    ("bench tasks show", "NAME"),
    ("bench run --model", "--model"),
    ("bench run --model my.py --trials 0", "--trials"),
    ("bench run --model my.py --trials ten", "--trials"),
    ("bench run --model my.py --seed -1", "--seed"),
    ("bench run --model my.py --seed 99999999999 --profile quick", "the largest is 4294967295"),
    ("bench run --model my.py --runner dokcer", "'dokcer' is not one of"),
    ("bench run --model my.py --backend pytorch", "'pytorch' is not one of"),
    ("bench run --model my.py --jobs 0", "--jobs"),
    ("bench run --model my.py --pack 40", "--pack"),
    ("bench run --model my.py --timeout 0", "--timeout"),
    # model files
    ("bench run --model none.py", "none.py: No such file"),
    ("bench check none.py", "none.py: No such file"),
    ("bench submit none.py --out fresh", "none.py: No such file"),
    ("bench run --model void", "Is a directory"),
    ("bench run --model net.keras", "net.keras: a saved network; a submission is a .py file"),
    ("bench run --model net.h5 --dry-run", "trained already with --weights"),
    ("bench run --model net.weights.h5", "trained already with --weights"),
    ("bench run --model net.pt", "defines build_model(task, ...)"),
    ("bench submit net.pt --out fresh", "a saved network"),
    ("bench run --model notebook.ipynb", "notebook.ipynb: a notebook; a submission is a .py"),
    ("bench run --model my.txt", "rename it"),
    ("bench run --model my+net.py", "rename it: letters, digits"),
    ("bench run --model my+net.py --dry-run", "rename it: letters, digits"),
    ("bench run --model empty.py", "defines no build_model; add 'def build_model"),
    ("bench run --model binary.py", "not valid Python"),
    ("bench run --model broken.py", "broken.py:2: not valid Python"),
    ("bench run --model needs.py", "parameter 'filters' of build_model has no default"),
    ("bench run --model alone.py", "build_model takes no task"),
    ("bench run --model pointer.py", "pointer.py: a Git LFS pointer in place of the file"),
    ("bench run --model markup.py", "markup.py:1: name holds '<>'"),
    ("bench run --model backend.py", "did you mean tensorflow?"),
    ("bench run --model shape.py --dry-run", "its input is (1000, 4)"),
    (
        "bench run --backend tensorflow --model torch_file.py",
        "torch_file.py:1: imports torch and no keras, and would run on tensorflow; add MODEL = "
        "dict(backend='torch')",
    ),
    ("bench run --model torch_file.py --dry-run", "dict(backend='torch')"),
    # parameters, tasks, profiles
    ("bench run --model my.py --param filters=many", "'filters' takes a whole number (default 32)"),
    ("bench run --model my.py --param filters=1.5", "a whole number (default 32), not '1.5'"),
    ("bench run --model my.py --param filters=", "a whole number (default 32), not ''"),
    ("bench run --model my.py --param scale=NaN --dry-run", "'scale' takes a number (default 1.0)"),
    ("bench run --model my.py --param scale=-Infinity", "'scale' takes a number"),
    ("bench run --model my.py --param scale=1e999", "'scale' takes a number"),
    ("bench run --model my.py --param deep=yes", "'deep' takes true or false"),
    ("bench run --model my.py --param widths=3", "'widths' takes a list"),
    ("bench run --model my.py --param filter=3", "did you mean filters?"),
    ("bench run --model my.py --param filters", "write it as name=value"),
    ("bench run --model my.py --param =3", "write it as name=value"),
    ("bench check my.py --param filters=many --task regulatory-code", "takes a whole number"),
    ("bench submit my.py --param filters=many --out fresh", "takes a whole number"),
    ("bench run --model my.py --task regulatry-code", "did you mean regulatory-code?"),
    ("bench run --model my.py --task regulatory-code@9", "regulatory-code@1"),
    ("bench run --model my.py --profile quik", "did you mean quick?"),
    ("bench tasks show motif-class", "did you mean motif-classes"),
    ("bench tasks export motif-classes --format fastq", "did you mean fasta?"),
    # registries
    ("bench run --model my.py --registry some.file", "a file stands there (some.file)"),
    ("bench run --model my.py --registry some.file --dry-run", "a file stands there (some.file)"),
    ("bench run --model my.py --registry some.file/results --dry-run", "a file stands there"),
    ("bench run --model my.py --registry ''", "an empty name"),
    ("bench run --model my.py --registry http://x/y --dry-run", "give a folder or s3://bucket"),
    ("bench results --registry none", "none: no such folder"),
    ("bench results --registry some.file", "a file stands there"),
    ("bench results --registry void", "holds no result yet"),
    ("bench leaderboard open --registry none", "none: no such folder"),
    ("bench plot --registry none", "none: no such folder"),
    ("bench rescore --registry none", "none: no such folder"),
    ("bench submit my.py --registry none --out fresh", "none: no such folder"),
    ("bench results --metric aurco", "did you mean auroc"),
    ("bench results --model Mien", "did you mean Mine?"),
    ("bench results --columns modle", "did you mean model"),
    ("bench results --level 95", "not between 0 and 1"),
    ("bench results sql 'select * from job'", "SQL:"),
    ("bench results sql 'drop table jobs'", "one SELECT"),
    # containers and GPUs
    ("bench run --model my.py --gpus all", "--gpus needs a container; add --runner docker"),
    ("bench run --model my.py --memory 8g", "--memory needs a container"),
    ("bench run --model my.py --image x", "--image needs a container"),
    ("bench run --model my.py --nodes 2", "--executor ray"),
    # submitting
    (
        "bench submit my.py --param filters=12 --out fresh",
        "with these parameters; there are results with filters=32",
    ),
    ("bench submit edited/my.py --out fresh", "1 of another my.py, which was edited since"),
    ("bench submit torch_file.py --out fresh", "none of this file at all"),
    ("bench verify some.file --out some.file/x --digests-only", "some.file"),
    # regression
    ("bench regress --only activation", "did you mean activations?"),
    ("bench regress update --against results", "--reason"),
]
FAILED = [
    ("bench submit my.py", "submissions/my: exists already; choose another folder with --out"),
    ("bench verify none", "none: No such file or directory; give the folder that 'bench submit'"),
    ("bench run --model my.py --runner docker", "start it (systemctl start docker)"),
    ("bench run --model my.py --runner docker --gpus all", "no Docker daemon answers"),
    ("bench run --model my.py --runner auto --gpus all", "no Docker daemon answers"),
    ("bench results --registry conflicted", "(conflicted copy 2026-01-02).parquet"),
    ("bench results --registry conflicted", "move this copy, such as sync programs make, away"),
    ("bench results --registry pointers", "a Git LFS pointer in place of the file; run 'git lfs"),
    ("bench results --registry scoreless", "scores/"),
    ("bench results --registry scoreless", "run 'git lfs pull'"),
    ("bench regress --against results", "regression.toml: no such file; 'bench regress update"),
    ("bench regress --against golden", "regression.toml: a Git LFS pointer in place of the file"),
    ("bench regress --against none", "no such file; 'bench regress update"),
]


@pytest.mark.parametrize(
    ("line", "says", "status"),
    [*((*case, 2) for case in USAGE), *((*case, 1) for case in FAILED)],
)
def test_a_mistake_is_one_line_and_its_status(typed, here, line, says, status):
    before = sorted(here.rglob("*"))
    code, out, err = typed(line)
    assert (code, out, err.count("\n")) == (status, "", 1), err
    assert err.startswith("bench: ")
    assert says.lower() in err.lower()
    assert "Traceback" not in err
    assert sorted(here.rglob("*")) == before, "nothing is written and nothing lost"


@pytest.mark.parametrize("group", ["models", "tasks", "image", "registry", "cluster"])
def test_a_command_of_commands_alone_prints_its_help(typed, group):
    code, out, err = typed(f"bench {group}")
    assert (code, err) == (2, "")
    # begun with the name of the program, which a test has none of
    assert f"bench {group} [OPTIONS] COMMAND" in out.splitlines()[0]
    assert "Commands:" in out


@pytest.mark.parametrize("line", ["bench check my+net.py", "bench check net.keras"])
def test_check_refuses_what_run_refuses(typed, line):
    code, out, _ = typed(f"{line} --task regulatory-code")
    assert code == 1
    assert out.splitlines()[0].split()[:2] == ["file", "problem"]
    assert out.endswith("1 problem\n")


def test_a_folder_that_is_no_submission_is_not_judged(typed):
    code, out, err = typed("bench verify work --digests-only")
    assert (code, err) == (1, "")
    assert "manifest.json: missing: no submission, or its manifest was removed" in out
    assert "-> give the folder that 'bench submit' made" in out
    # the folder is somebody's work
    assert "remove it" not in out
    assert "thesis" not in out


@pytest.mark.parametrize(
    ("place", "asked", "says"),
    [
        ("nowhere", {}, "registry nowhere: no such folder"),
        ("nowhere", {"metric": "auroc"}, "registry nowhere: no such folder"),
        ("void", {"metric": "auroc"}, "holds no result yet"),
        ("results", {"metrik": "auroc"}, "did you mean metric"),
    ],
)
def test_from_python_too_a_missing_folder_is_told(here, monkeypatch, place, asked, says):
    import motifidelity
    from motifidelity.errors import UserError

    monkeypatch.chdir(here)
    with pytest.raises(UserError, match=says):
        motifidelity.results(place, **asked)


def test_without_a_screen_the_page_is_named_and_no_browser_tried(typed, tmp_path):
    code, out, err = typed(f"bench leaderboard open --out {tmp_path / 'page'}")
    assert code == 0
    assert out == f"{tmp_path / 'page' / 'index.html'}\n"
    assert "no browser opened; open the file yourself" in err


def test_verify_of_a_registry_with_pointers_says_what_fetches_them(typed):
    code, out, _ = typed("bench registry verify --registry scoreless")
    assert code == 1
    assert "run 'git lfs pull'" in out


def test_a_network_that_is_a_pointer_is_told_before_anything_reads_it(here, tmp_path):
    from motifidelity.errors import DataError

    files = []
    for name, content in (("graph.pb", POINTER), ("network.json", b"{}")):
        files.append(tmp_path / name)
        files[-1].write_bytes(content)
    registry = Registry(tmp_path / "registry")
    name = registry.record(result(files=files))
    with pytest.raises(DataError, match="a Git LFS pointer in place of the file; run"):
        registry.network(name)


def test_a_cache_that_cannot_be_written_is_told_before_the_first_job(
    typed, here, monkeypatch, tmp_path
):
    (tmp_path / "cache").write_text("")
    monkeypatch.setenv("MOTIFIDELITY_CACHE", str(tmp_path / "cache" / "below"))
    code, out, err = typed(
        f"bench run --model my.py --task regulatory-code --trials 1 --registry {tmp_path / 'new'}"
    )
    assert (code, out) == (1, "")
    last = err.splitlines()[-1]
    assert last.startswith(f"bench: cache {tmp_path / 'cache' / 'below' / 'datasets'}: ")
    assert "MOTIFIDELITY_CACHE" in last
    # no job has begun
    assert "[1/1]" not in err


def test_the_tier_says_who_verified_and_that_a_container_was_round_it():
    from motifidelity.submitting.verification import tier_of

    boxed, bare = {"isolation": "container"}, {"isolation": "none"}
    assert tier_of("ci", [boxed]) == "reproduced in CI"
    assert tier_of("local", [boxed]) == "reproduced on the verifier's own machine"
    for who in ("local", "ci", "maintainer"):
        assert tier_of(who, [boxed, bare]) == "reproduced without a container"
