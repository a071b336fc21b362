"""Rows name the commit of the code that made them, however the package was installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BUILT = ("pyproject.toml", "setup.py", "README.md", "LICENSE")
PACKAGES = ("benchmark", "tasks", "models", "metrics", "containers", "leaderboard")
ASK = """
import sys
sys.path.insert(0, sys.argv[1])
from motifidelity import provenance
assert provenance.__file__.startswith(sys.argv[1]), provenance.__file__
found = provenance.code()
print(found.commit, found.dirty)
"""


def git(folder, *arguments):
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def source(tmp_path):
    """The project's code, alone in a folder."""
    folder = tmp_path / "source"
    folder.mkdir()
    for name in BUILT:
        shutil.copy(ROOT / name, folder)
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def said_of(tmp_path):
    """What the package that is built from a folder says of its commit."""

    def build(source):
        out = tmp_path / "wheel"
        shutil.rmtree(out, ignore_errors=True)
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
        command += ["--no-build-isolation", "--no-index", "--wheel-dir", str(out), str(source)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        [wheel] = out.iterdir()
        with zipfile.ZipFile(wheel) as content:
            content.extractall(out / "installed")
        command = [sys.executable, "-c", ASK, str(out / "installed")]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    return build


def test_a_package_that_is_not_editable_knows_the_commit_that_it_was_built_from(source, said_of):
    assert said_of(source) == ["None", "None"]
    git(source, "init", "--quiet")
    git(source, "add", ".")
    git(source, "commit", "--quiet", "--message", "one")
    assert said_of(source) == [git(source, "rev-parse", "HEAD"), "False"]
    (source / "README.md").write_text("changed\n")
    assert said_of(source) == [git(source, "rev-parse", "HEAD"), "True"]
