"""Who may import whom: the contracts stand in pyproject.toml."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("benchmark", "tasks", "models", "metrics", "containers", "leaderboard")
# named for what it holds a file of: a command each
NAMED_FOR_COMMANDS = ROOT / "benchmark" / "cli"


def test_a_room_imports_only_what_stands_below_it_and_files_no_circle():
    # a process of its own: it writes to the terminal that it found when it was imported
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT / "pyproject.toml"), "--no-cache"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 kept, 0 broken" in done.stdout


def test_files_of_two_folders_have_names_that_tell_them_apart():
    found = defaultdict(list)
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            if path.parent != NAMED_FOR_COMMANDS and not path.stem.startswith("__"):
                found[path.name].append(path.relative_to(ROOT).as_posix())
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}


def test_a_public_function_and_the_registry_keep_their_names():
    assert callable(import_module("motifidelity").results)
    assert import_module("motifidelity.registry").Registry.__name__ == "Registry"
