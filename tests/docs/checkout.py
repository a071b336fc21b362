"""A folder that looks like a fresh checkout, and a shell in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

from blocks import ROOT, Command
from played import PROGRAMS
from warm_fixtures import PYTHON

FILES = ("README.md", "constraints.txt", "constraints-tools.txt")
FOLDERS = ("containers", "docs", "models")
OUTPUTS = ("--out", "--junit", "--markdown", "--logs", ">")
SECONDS = 900
TAIL = 40
STATE = ".environment"
AT_THE_END = f"trap 'export -p > {STATE}' EXIT"
RAY = '#!/bin/sh\nexec python -m ray.scripts.scripts "$@"\n'


class Shell:
    """A shell in an empty folder, with programs of its own first on PATH.

    Parameters
    ----------
    folder : Path
        New; holds the folder that one works in, and ``bin``.
    name : str
        Of the folder that one works in.
    programs : Path
        ``bench`` and ``python`` that start warm.
    environment : mapping of str to str
        More of the shell's environment.
    """

    def __init__(
        self, folder: Path, name: str, programs: Path, environment: Mapping[str, str]
    ) -> None:
        self.path = folder / name
        self.path.mkdir(parents=True)
        played = folder / "bin"
        played.mkdir()
        for name, program in PROGRAMS.items():
            if not name.startswith("."):
                script(played / name, f"#!/bin/bash\n{program.script}\n")
        script(played / "ray", RAY)
        found = (played, programs, Path(PYTHON).parent, os.environ["PATH"])
        # Ray keeps a token at home, which would be asked for from then on
        home = folder / "home"
        home.mkdir()
        self._environment = {
            **os.environ,
            "HOME": str(home),
            "BROWSER": "true",
            "PATH": os.pathsep.join(map(str, found)),
            "DOCKER_HOST": "unix:///nowhere/docker.sock",
            "WARM_SMALL_TASKS": "1",
            **environment,
        }

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command as the next one of a shell that stops at an error.

        What it exports is there for the next one.
        """
        state = self.path / STATE
        before = f". ./{STATE}\n" if state.exists() else ""
        return subprocess.run(
            ["bash", "-o", "pipefail", "-ec", f"{before}{AT_THE_END}\n{command}\n"],
            cwd=self.path,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=SECONDS,
        )

    def missing(self, command: Command) -> list[str]:
        """Outputs that a command names and that are not there."""
        named = []
        for program in command.programs:
            named += [value for option, value in pairwise(program) if option in OUTPUTS]
            named += [word.partition("=")[2] for word in program if word.split("=")[0] in OUTPUTS]
        return [name for name in named if name and not (self.path / name).exists()]


class Checkout(Shell):
    """A folder that looks like a fresh checkout.

    Parameters
    ----------
    baselines : Path
        What lies there as ``baselines``.
    folder, programs, environment
        As of `Shell`.
    """

    def __init__(
        self, folder: Path, programs: Path, baselines: Path, environment: Mapping[str, str]
    ) -> None:
        super().__init__(folder, "checkout", programs, environment)
        for name in FILES:
            shutil.copy(ROOT / name, self.path)
        for name in FOLDERS:
            shutil.copytree(ROOT / name, self.path / name)
        shutil.copytree(baselines, self.path / "baselines")
        for file in (ROOT / ".ci").rglob("*"):
            if file.is_file():
                script(self.path / file.relative_to(ROOT), "#!/bin/sh\n")


def script(path: Path, text: str) -> None:
    """Write a program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def tail(text: str) -> str:
    """The end of an output, without what terminals are told."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    return "\n".join(plain.splitlines()[-TAIL:])
