"""The committed baselines, copies of them, and copies of the package with a fault in them."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from few_baselines import BASELINES, copy_few

from motifidelity.regress.golden import Golden, read_golden, write_golden
from motifidelity.regress.observe import READ
from motifidelity.regress.survey import subject_of

FOLDERS = ("tasks", "models", "metrics", "leaderboard", "containers")


@pytest.fixture(scope="session")
def committed():
    return BASELINES


@pytest.fixture(scope="session")
def few(tmp_path_factory):
    """A few of the committed networks with their record; tests only read it."""
    folder = tmp_path_factory.mktemp("few") / "baselines"
    jobs = copy_few(folder, 1, ("CNN-2", "CNN-50", "CNN-local"))
    rows = jobs[["model", "params", "task"]].itertuples(index=False)
    subjects = {subject_of(model, json.loads(params), task) for model, params, task in rows}
    golden = read_golden(folder)
    mine = {k: r for k, r in golden.records.items() if k[0] not in READ or k[1] in subjects}
    write_golden(folder, Golden(mine, golden.measured))
    return folder


@pytest.fixture
def baselines(few, tmp_path):
    """A copy of them that a test may change."""
    return Path(shutil.copytree(few, tmp_path / "baselines"))


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
