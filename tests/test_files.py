"""Files that are complete or absent."""

from __future__ import annotations

import hashlib
import signal
import stat
import subprocess
import sys

import pytest

from motifidelity.files import atomic_folder, atomic_path, file_digest


class Stop(Exception):
    """What goes wrong inside a block."""


def test_a_digest_is_sha256_of_the_bytes(tmp_path):
    path = tmp_path / "file"
    for content in (b"", b"a", bytes(range(256)) * 5000):
        path.write_bytes(content)
        assert file_digest(path) == hashlib.sha256(content).hexdigest()


def test_a_file_appears_whole_in_a_new_folder(tmp_path):
    target = tmp_path / "new" / "deep" / "file.txt"
    with atomic_path(target) as path:
        path.write_text("content")
        assert not target.exists()
        assert path.parent == target.parent
    assert target.read_text() == "content"
    assert list(target.parent.iterdir()) == [target]
    assert stat.S_IMODE(target.stat().st_mode) == 0o644


def test_a_file_is_replaced_at_once(tmp_path):
    target = tmp_path / "file"
    target.write_text("old")
    with atomic_path(target) as path:
        path.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"


@pytest.mark.parametrize("error", [Stop, KeyboardInterrupt])
def test_a_failure_keeps_the_old_file_and_leaves_nothing_else(error, tmp_path):
    target = tmp_path / "file"
    target.write_text("old")

    def write():
        with atomic_path(target) as path:
            path.write_text("half")
            raise error

    with pytest.raises(error):
        write()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_keeps_the_old_file(small_disk):
    disk = small_disk("size=64k")
    target = disk / "file"
    target.write_bytes(b"old")

    def write():
        with atomic_path(target) as path:
            path.write_bytes(bytes(1 << 20))

    with pytest.raises(OSError, match="No space left"):
        write()
    assert target.read_bytes() == b"old"
    assert list(disk.iterdir()) == [target]


def test_a_folder_appears_whole_and_replaces_the_old_one(tmp_path):
    target = tmp_path / "folder"
    for name in ("one", "two"):
        with atomic_folder(target) as folder:
            (folder / name).write_text(name)
            assert not (target / name).exists()
        assert [path.name for path in target.iterdir()] == [name]
        assert list(tmp_path.iterdir()) == [target]
    assert stat.S_IMODE(target.stat().st_mode) == 0o755


def test_a_failure_keeps_the_old_folder_and_leaves_nothing_else(tmp_path):
    target = tmp_path / "folder"
    with atomic_folder(target) as folder:
        (folder / "old").write_text("old")

    def write():
        with atomic_folder(target) as folder:
            (folder / "half").write_text("half")
            raise Stop

    with pytest.raises(Stop):
        write()
    assert [path.name for path in target.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_may_take_the_place_of_a_file(tmp_path):
    target = tmp_path / "folder"
    target.write_text("a file")
    with atomic_folder(target) as folder:
        (folder / "new").write_text("new")
    assert (target / "new").read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("kind", ["path", "folder"])
def test_a_process_killed_inside_a_block_leaves_the_old_content(kind, tmp_path):
    target = tmp_path / "target"
    if kind == "folder":
        target.mkdir()
        (target / "inner").write_text("old")
    else:
        target.write_text("old")
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        f"from motifidelity.files import atomic_{kind}\n"
        f"with atomic_{kind}(Path(sys.argv[1])) as path:\n"
        "    (path / 'inner' if path.is_dir() else path).write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(target)])
    assert done.returncode == -signal.SIGKILL
    assert (target / "inner" if kind == "folder" else target).read_text() == "old"
    # what is left has a hidden name, which no reader of the registry opens
    assert all(p.name.startswith(".") for p in tmp_path.iterdir() if p != target)
