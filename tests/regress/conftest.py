"""The committed baselines, copies of them, and copies of the package with a fault in them."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BASELINES = Path(__file__).parents[2] / "baselines"
FOLDERS = ("tasks", "models", "metrics", "leaderboard", "containers")


@pytest.fixture(scope="session")
def committed():
    return BASELINES


@pytest.fixture
def baselines(tmp_path):
    """A copy of the committed baselines that a test may change."""
    return Path(shutil.copytree(BASELINES, tmp_path / "baselines"))


@pytest.fixture
def package_with(tmp_path):
    """Copy the package, change one line of a file in it, and run ``bench`` from the copy."""

    def change(file, old, new):
        package = tmp_path / "changed" / "motifidelity"
        ignore = shutil.ignore_patterns("__pycache__")
        for name in ("", *FOLDERS):
            module = importlib.import_module(f"motifidelity.{name}".rstrip("."))
            shutil.copytree(
                Path(module.__file__).parent, package / name, dirs_exist_ok=True, ignore=ignore
            )
        text = (package / file).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{file} holds {old!r} {text.count(old)} times"
        (package / file).write_text(text.replace(old, new), encoding="utf-8")

        def bench(*arguments):
            return subprocess.run(
                [
                    *(sys.executable, "-c", "from motifidelity.cli import main; main()"),
                    *map(str, arguments),
                ],
                env={**os.environ, "PYTHONPATH": str(package.parent)},
                capture_output=True,
                text=True,
            )

        return bench

    return change
