"""``bench`` and ``python`` that start warm: forks of a process that has TensorFlow loaded."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

WARM = Path(__file__).parent / "warm"
PYTHON = sys.executable
VARIABLE = "WARM_PYTHON"


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    """Folder of ``bench`` and ``python``; the workers of one run of the tests share a server."""
    own = os.getppid() if os.environ.get("PYTEST_XDIST_WORKER") else os.getpid()
    # the path of a socket must be short
    socket = Path(tempfile.gettempdir()) / f"warm-{own}" / "s"
    socket.parent.mkdir(exist_ok=True)
    values = {
        "{python}": PYTHON,
        "{socket}": str(socket),
        "{server}": str(WARM / "server.py"),
        "{owner}": str(own),
    }
    text = (WARM / "client.py").read_text(encoding="utf-8")
    for key, value in values.items():
        text = text.replace(key, value)
    folder = tmp_path_factory.mktemp("programs")
    for name in ("bench", "python"):
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture(scope="session", autouse=True)
def _warm(programs):
    """Let phases that this process starts be forks; any other Python starts as always."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", str(programs / "python"))
        # for a harness in a process of its own
        patch.setenv(VARIABLE, sys.executable)
        yield


@pytest.fixture
def cold(monkeypatch):
    """Let phases start as they do for a user."""
    monkeypatch.setattr(sys, "executable", PYTHON)
    monkeypatch.delenv(VARIABLE)
