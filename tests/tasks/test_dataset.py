"""Digests of the datasets, and a cache that is whole or made anew."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from motifidelity.errors import DataError
from motifidelity.tasks import dataset as module
from motifidelity.tasks.dataset import CACHE_VARIABLE, cache_folder, check_digests, load_dataset
from motifidelity.tasks.spec import find_spec

PUBLISHED = json.loads(
    (Path(__file__).parent.parent / "data" / "dataset_digests.json").read_text(encoding="utf-8")
)
SPLITS = ("train", "valid", "test")
FILES = ("train.npz", "valid.npz", "test.npz", "digests.json")


@pytest.mark.parametrize("name", ["motif-classes", "regulatory-code"])
@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("array", ["sequences", "labels", "truth"])
def test_the_dataset_has_the_published_digest(name, split, array, datasets):
    values = getattr(datasets[name].splits[split], array)
    published = PUBLISHED[name][split]
    assert len(values) == published["n"]
    assert hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest() == published[array]


@pytest.mark.parametrize("name", ["motif-classes", "regulatory-code"])
def test_the_specification_locks_the_published_digests(name):
    locked = find_spec(name).digests
    for split in SPLITS:
        assert {key: locked[split][key] for key in PUBLISHED[name][split]} == PUBLISHED[name][split]


def test_every_array_is_checked_and_one_changed_letter_is_seen(regulatory_code):
    checks = list(check_digests(regulatory_code.spec, regulatory_code.splits))
    assert len(checks) == 12
    assert all(check.matches for check in checks)

    changed = regulatory_code.splits["valid"].rows(np.arange(2000))
    changed.truth[3, 5] ^= 1
    changed.implants.strand[9] *= -1
    splits = {**regulatory_code.splits, "valid": changed}
    failed = [c for c in check_digests(regulatory_code.spec, splits) if not c.matches]
    assert [(c.split, c.array) for c in failed] == [("valid", "truth"), ("valid", "implants")]


def folder_of(spec):
    (folder,) = kept(cache_folder(), spec)
    return folder


def kept(cache, spec):
    """Folders of a task in a cache."""
    return [path for path in (cache / "datasets").glob(f"{spec.id}-*") if path.is_dir()]


def same(one, other):
    for split in SPLITS:
        a, b = one.splits[split], other.splits[split]
        arrays = [(getattr(a, n), getattr(b, n)) for n in ("sequences", "labels", "truth")]
        arrays += [(value, getattr(b.implants, n)) for n, value in vars(a.implants).items()]
        for x, y in arrays:
            np.testing.assert_array_equal(x, y, strict=True)
    return True


@pytest.fixture
def counted(monkeypatch):
    """How often a dataset was generated."""
    calls = []
    real = module.generate
    monkeypatch.setattr(module, "generate", lambda *args: calls.append(1) or real(*args))
    return calls


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv(CACHE_VARIABLE, str(folder))
    return folder


def test_a_dataset_is_generated_once_and_read_back_alike(tiny_spec, empty_cache, counted):
    made, read = load_dataset(tiny_spec), load_dataset(tiny_spec)
    assert len(counted) == 1
    assert same(made, read)
    assert sorted(path.name for path in folder_of(tiny_spec).iterdir()) == sorted(FILES)


def test_the_environment_variable_moves_the_cache(tiny_spec, tmp_path, monkeypatch, counted):
    for number, name in enumerate(("one", "two"), start=1):
        monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / name))
        load_dataset(tiny_spec)
        assert len(counted) == number
        assert folder_of(tiny_spec).is_relative_to(tmp_path / name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(CACHE_VARIABLE, "~/two")
    load_dataset(tiny_spec)
    assert len(counted) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep caches elsewhere")
def test_without_the_variable_the_cache_is_the_user_s_cache_folder(tmp_path, monkeypatch):
    monkeypatch.delenv(CACHE_VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "motifidelity"


def test_tasks_with_other_data_do_not_share_a_folder(tiny_spec, datasets, empty_cache):
    load_dataset(tiny_spec)
    assert tiny_spec.dataset_digest[:12] in folder_of(tiny_spec).name


def truncated(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def bit_flipped(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def emptied(path):
    path.write_bytes(b"")


def not_text(path):
    path.write_bytes(b"\xff\xfe\x00" * 30)


def other_json(path):
    path.write_text("null", encoding="utf-8")


def missing(path):
    path.unlink()


def a_folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [truncated, bit_flipped, emptied, not_text, missing, a_folder])
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_makes_the_dataset_anew(name, damage, tiny_spec, empty_cache, counted):
    made = load_dataset(tiny_spec)
    damage(folder_of(tiny_spec) / name)
    assert same(load_dataset(tiny_spec), made)
    assert len(counted) == 2
    assert same(load_dataset(tiny_spec), made)
    assert len(counted) == 2


def test_digests_that_are_not_a_table_make_the_dataset_anew(tiny_spec, empty_cache, counted):
    made = load_dataset(tiny_spec)
    other_json(folder_of(tiny_spec) / "digests.json")
    assert same(load_dataset(tiny_spec), made)
    assert len(counted) == 2


def test_a_file_in_place_of_the_dataset_s_folder_is_replaced(tiny_spec, empty_cache, counted):
    load_dataset(tiny_spec)
    folder = folder_of(tiny_spec)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    folder.write_bytes(b"x")
    load_dataset(tiny_spec)
    assert len(counted) == 2
    assert folder.is_dir()


@pytest.mark.parametrize("array", ["sequences", "labels", "truth", "implant_start"])
def test_a_whole_file_with_other_values_is_not_believed(array, tiny_spec, empty_cache, counted):
    made = load_dataset(tiny_spec)
    folder = folder_of(tiny_spec)
    with np.load(folder / "test.npz") as stored:
        arrays = dict(stored)
    arrays[array] = arrays[array] ^ 1
    np.savez(folder / "test.npz", **arrays)
    digests = json.loads((folder / "digests.json").read_text())
    digests["test.npz"] = hashlib.sha256((folder / "test.npz").read_bytes()).hexdigest()
    (folder / "digests.json").write_text(json.dumps(digests))
    assert same(load_dataset(tiny_spec), made)
    assert len(counted) == 2


def test_a_generator_that_gives_other_letters_is_refused_and_nothing_is_kept(
    tiny_spec, empty_cache, monkeypatch
):
    real = module.generate

    def wrong(*args):
        splits = real(*args)
        splits["valid"].sequences[0, 0] ^= 1
        return splits

    monkeypatch.setattr(module, "generate", wrong)
    with pytest.raises(DataError, match="generated valid sequences has digest") as error:
        load_dataset(tiny_spec)
    assert tiny_spec.digests["valid"]["sequences"][:12] in str(error.value)
    assert "\n" not in str(error.value)
    assert not [p for p in (empty_cache / "datasets").iterdir() if p.suffix != ".lock"]


def test_a_failure_while_writing_leaves_no_part_of_a_dataset(tiny_spec, empty_cache, monkeypatch):
    real, calls = np.savez, []

    def failing(*args, **kwargs):
        calls.append(1)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(*args, **kwargs)

    monkeypatch.setattr(np, "savez", failing)
    with pytest.raises(DataError) as error:
        load_dataset(tiny_spec)
    assert not [p for p in (empty_cache / "datasets").iterdir() if p.suffix != ".lock"]
    expect_remedy(error, empty_cache)
    assert "No space left on device" in str(error.value)
    assert len(load_dataset(tiny_spec).splits) == 3


def expect_remedy(error, folder):
    message = str(error.value)
    assert str(folder) in message
    assert CACHE_VARIABLE in message
    assert "\n" not in message
    assert error.value.exit_code == 1


def test_a_file_in_place_of_the_cache_gives_one_line(tiny_spec, empty_cache):
    empty_cache.write_bytes(b"")
    with pytest.raises(DataError) as error:
        load_dataset(tiny_spec)
    expect_remedy(error, empty_cache)


def test_a_full_disk_gives_one_line_and_a_retry_with_space_succeeds(
    tiny_spec, small_disk, monkeypatch
):
    disk = small_disk("size=256k")
    monkeypatch.setenv(CACHE_VARIABLE, str(disk))
    filler = disk / "filler"
    filler.write_bytes(bytes(220 << 10))
    with pytest.raises(DataError) as error:
        load_dataset(tiny_spec)
    expect_remedy(error, disk)
    assert "No space left" in str(error.value)
    filler.unlink()
    load_dataset(tiny_spec)
    assert folder_of(tiny_spec).is_dir()


def test_a_cache_that_cannot_be_written_gives_one_line_but_can_be_read(
    tiny_spec, small_disk, monkeypatch, counted
):
    disk = small_disk("size=1m")
    monkeypatch.setenv(CACHE_VARIABLE, str(disk))
    made = load_dataset(tiny_spec)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert same(load_dataset(tiny_spec), made)
    assert len(counted) == 1

    empty = small_disk("size=1m,ro")
    monkeypatch.setenv(CACHE_VARIABLE, str(empty))
    with pytest.raises(DataError) as error:
        load_dataset(tiny_spec)
    expect_remedy(error, empty)
    assert "Read-only" in str(error.value)


# loads the pickled specification; counts generations as lines of a file
CHILD = """
import os, pickle, sys, time
from pathlib import Path
import motifidelity.tasks.dataset as module

spec_file, log, ready, go = map(Path, sys.argv[1:5])
spec = pickle.loads(spec_file.read_bytes())
real = module.generate

def counted(*args):
    with log.open("a") as file:
        file.write("generated\\n")
    time.sleep(0.5)
    return real(*args)

module.generate = counted
ready.touch()
while not go.exists():
    time.sleep(0.005)
print(module.load_dataset(spec).splits["test"].sequences.sum())
"""


def child(tmp_path, spec, number=0, code=CHILD):
    spec_file = tmp_path / "spec.pickle"
    spec_file.write_bytes(pickle.dumps(spec))
    ready = tmp_path / f"ready{number}"
    paths = [str(path) for path in (spec_file, tmp_path / "log", ready, tmp_path / "go")]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *paths],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ},
    )
    return process, ready


def test_two_processes_at_once_on_an_empty_cache_generate_it_once(tiny_spec, empty_cache, tmp_path):
    started = [child(tmp_path, tiny_spec, number) for number in (1, 2)]
    try:
        limit = time.monotonic() + 120
        while not all(ready.exists() for _, ready in started) and time.monotonic() < limit:
            time.sleep(0.01)
        (tmp_path / "go").touch()
        answers = [process.communicate(timeout=120) for process, _ in started]
    finally:
        for process, _ in started:
            process.kill()
    assert [process.returncode for process, _ in started] == [0, 0], answers
    assert answers[0] == answers[1]
    expected = load_dataset(tiny_spec).splits["test"].sequences.sum()
    assert answers[0][0].strip() == str(expected)
    assert (tmp_path / "log").read_text() == "generated\n"


def test_a_process_killed_while_writing_blocks_nobody(tiny_spec, empty_cache, tmp_path, counted):
    kill = """
import numpy, os, signal
real_savez = numpy.savez
def savez(file, **arrays):
    real_savez(file, **arrays)
    if "valid" in str(file):
        os.kill(os.getpid(), signal.SIGKILL)
numpy.savez = savez
"""
    (tmp_path / "go").touch()
    process, _ = child(tmp_path, tiny_spec, code=kill + CHILD)
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
    assert not kept(empty_cache, tiny_spec)
    load_dataset(tiny_spec)
    assert len(counted) == 1
    load_dataset(tiny_spec)
    assert len(counted) == 1
