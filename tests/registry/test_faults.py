"""Killed at any step, at any moment, by many at once: every finished result is there once."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

import numpy as np
import pytest
from record_loop import job_id, main
from registry_rows import TABLES, result

from motifidelity.errors import DataError
from motifidelity.registry import Registry
from motifidelity.registry.audit import audit
from motifidelity.registry.compact import compact, migrate
from motifidelity.registry.manifest import names
from motifidelity.registry.merge import merge
from motifidelity.registry.stores import open_store

DATA = Path(__file__).parents[1] / "data"
LOOP = Path(__file__).parents[1] / "support" / "record_loop.py"
# what changes a file system; a hook sees each before it happens
CHANGES = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.chmod")


def in_child(action):
    """Run an action in a forked process; returns its wait status."""
    child = os.fork()
    if child == 0:
        try:
            action()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def killed_before_change(number, action):
    """Run an action in a forked process that is killed before its ``number``-th change."""

    def limited():
        left = number

        def hook(event, arguments):
            nonlocal left
            writes = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if not writes and event not in CHANGES:
                return
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

        sys.addaudithook(hook)
        action()

    status = in_child(limited)
    assert status in (0, signal.SIGKILL)
    return status == signal.SIGKILL


def at_every_change(prepare, action):
    """Registries that an action left when it was killed before its 1st, 2nd, ... last change."""
    number = 0
    while True:
        store = prepare(number)
        killed = killed_before_change(number, lambda store=store: action(store))
        yield store
        if not killed:
            assert number > 3, "no change was seen"
            return
        number += 1


def contents(store):
    """Rows of every table by result, whatever files they lie in."""
    registry = Registry(store.folder)
    tables = registry.every(*TABLES)
    own = ("files", "schema_version")
    return {
        name: sorted(
            repr({k: v for k, v in row.items() if k not in own}) for row in table.to_pylist()
        )
        for name, table in tables.items()
    }


def test_a_writer_killed_before_any_of_its_changes_leaves_its_result_whole_or_absent(tmp_path):
    files = [tmp_path / "graph.pb", tmp_path / "network.json"]
    for file in files:
        file.write_bytes(b"content")

    def prepare(number):
        registry = Registry(tmp_path / str(number))
        registry.record(result("b" * 24))
        return registry.store

    def record(store):
        whole = result(files=files, arrays={"logits": np.zeros(3)})
        Registry(store.folder).record(whole)

    absent = present = 0
    for store in at_every_change(prepare, record):
        report = audit(store)
        assert report.problems == []
        tables = Registry(store.folder).tables()
        assert len(tables.jobs) == report.results
        assert len(tables.scores) == 2 * report.results
        absent += report.results == 1
        present += report.results == 2
        # whoever comes next is not hindered
        Registry(store.folder).record(result())
        assert sorted(Registry(store.folder).jobs()["job_id"]) == ["a" * 24, "b" * 24]
        assert audit(store).ok
    assert absent > 20
    assert present > 1, "the row is not the last change"


def packed(store):
    compact(store, results_per_pack=2)


def renewed(store):
    migrate(store)


def merged(store):
    merge(store, [open_store(store.folder.parent / "source")])


@pytest.mark.parametrize("work", [packed, renewed, merged])
def test_upkeep_killed_before_any_of_its_changes_loses_nothing(work, tmp_path):
    first = Registry(tmp_path / "first")
    shutil.copytree(DATA / "registry_v1", first.folder)
    for number in range(2 if work is packed else 1):
        first.record(result(job_id(number), value=number))
    if work is packed:  # with an older pack beside it
        compact(first.store)
        first.record(result("b" * 24))
    source = Registry(tmp_path / "source")
    source.record(result(job_id(10)))
    before = contents(first.store)

    def prepare(number):
        return open_store(shutil.copytree(first.folder, tmp_path / f"r{number}"))

    for store in at_every_change(prepare, work):
        report = audit(store)
        assert report.problems == []
        after = contents(store)
        for name in TABLES:
            if work is merged:
                assert set(before[name]) <= set(after[name])
                assert len(after[name]) == len(set(after[name])) or name == "scores"
            else:
                assert after[name] == before[name]
        # done again, it ends as if it had never been stopped
        work(store)
        assert audit(store).ok
        if work is merged:
            assert len(names(store, "jobs")) == 3
        else:
            assert contents(store) == before
        shutil.rmtree(store.folder)


def killed_run(folder, first, finish, delay):
    """Record in a forked process and kill it a while after its ``finish``-th result.

    Returns the ids that it said were recorded, and seconds from its start to that result.
    """
    ours, its = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(ours)
            with os.fdopen(its, "w") as pipe, contextlib.redirect_stdout(pipe):
                main(folder, first, 1000)
        finally:
            os._exit(1)
    os.close(its)
    started = time.monotonic()
    with os.fdopen(ours) as pipe:
        lines = [pipe.readline() for _ in range(finish)]
        seconds = time.monotonic() - started
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        lines += pipe.readlines()
    return {line.strip() for line in lines if line.endswith("\n")}, seconds


def test_200_runs_killed_at_random_moments_leave_every_finished_job_once(tmp_path):
    rng = np.random.default_rng(0)
    folder = tmp_path / "registry"
    Registry(folder).record(result("f" * 24))
    finished = {"f" * 24}
    _, one = killed_run(folder, 900_000, 1, 0)
    for number in range(200):
        # from before the first change to amid the third result
        delay = rng.uniform(0, 1.2) * min(one, 0.5)
        ids, seconds = killed_run(folder, number * 1000, number % 2, delay)
        finished |= ids
        if number % 2:
            one = 0.8 * one + 0.2 * seconds
    assert len(finished) > 100
    report = audit(Registry(folder).store)
    assert report.problems == []
    jobs = Registry(folder).latest("jobs")["jobs"]["job_id"].to_pylist()
    every = Registry(folder).every("jobs")["jobs"]["job_id"].to_pylist()
    assert len(jobs) == len(set(jobs)) == len(every)
    assert finished <= set(jobs)
    # a run may be killed after its result is complete and before it says so
    assert len(set(jobs) - finished) <= 201
    tables = Registry(folder).tables()
    for name in ("scores", "filters", "history"):
        assert len(getattr(tables, name)) == 2 * len(jobs)
    assert report.unfinished, "no kill came amid a write"


def forked_writers(location, processes, each):
    """Start processes that record into a folder; returns a function that waits for them."""

    def write(first):
        with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
            main(location, first, each)

    children = []
    for number in range(processes):
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                write(number * each)
                os._exit(0)
            os._exit(1)
        children.append(child)
    return lambda: [os.waitpid(child, 0)[1] for child in children]


def spawned_writers(location, processes, each):
    """The same for a bucket: the S3 client does not survive a fork."""
    paths = [str(LOOP.parent), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    writers = [
        subprocess.Popen(
            [sys.executable, str(LOOP), location, str(number * each), str(each)],
            stdout=subprocess.DEVNULL,
            env=environment,
        )
        for number in range(processes)
    ]
    return lambda: [writer.wait() for writer in writers]


def test_8_processes_write_into_one_registry_while_it_is_read_checked_and_packed(place):
    registry = Registry(place)
    if registry.local:
        each, pause, wait = 25, 0.3, forked_writers(place, 8, 25)
    else:
        each, pause, wait = 8, 3, spawned_writers(place, 8, 8)
    stop = threading.Event()
    seen, wrong = [0], []

    def read():
        while not stop.wait(pause / 4):
            tables = registry.latest("jobs", "scores")
            jobs = tables["jobs"]["job_id"].to_pylist()
            if len(set(jobs)) != len(jobs) or tables["scores"].num_rows != 2 * len(jobs):
                wrong.append((len(jobs), tables["scores"].num_rows))
            if len(jobs) < seen[-1]:
                wrong.append("a result vanished")
            seen.append(len(jobs))

    def keep_up():
        while not stop.wait(pause):
            compact(registry.store)

    def check():
        while not stop.wait(pause):
            wrong.extend(audit(registry.store).problems)

    threads = [threading.Thread(target=guarded, args=(wrong, f)) for f in (read, keep_up, check)]
    for thread in threads:
        thread.start()
    statuses = wait()
    stop.set()
    for thread in threads:
        thread.join()
    assert statuses == [0] * 8
    assert wrong == [], "\n".join(map(str, wrong))
    expected = sorted(map(job_id, range(8 * each)))
    for _ in range(2):
        jobs = registry.every("jobs")["jobs"]["job_id"].to_pylist()
        assert sorted(jobs) == expected, "all there, none twice"
        assert registry.latest("scores")["scores"].num_rows == 2 * len(expected)
        assert audit(registry.store).problems == []
        compact(registry.store)
    assert len(names(registry.store, "jobs")) == 1


def guarded(wrong, work):
    try:
        work()
    except Exception as error:
        wrong.append(repr(error))


def test_two_writers_of_one_job_both_record_and_one_result_counts(tmp_path):
    registry = Registry(tmp_path)
    barrier = threading.Barrier(2)

    def write(value):
        barrier.wait()
        registry.record(result(value=value))

    writers = [threading.Thread(target=write, args=(value,)) for value in (0.25, 0.75)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(registry.every("jobs")["jobs"]) == 2
    tables = registry.tables()
    assert len(tables.jobs) == 1
    assert tables.scores["value"].dropna().tolist() in ([0.25], [0.75])
    assert audit(registry.store).ok


def fill(path):
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


@pytest.mark.parametrize("work", [packed, renewed, merged])
def test_upkeep_on_a_full_disk_says_so_and_loses_nothing(work, small_disk, tmp_path):
    disk = small_disk("size=1m")
    registry = Registry(disk / "registry")
    shutil.copytree(DATA / "registry_v1", registry.folder)
    registry.record(result())
    source = Registry(disk / "source")
    source.record(result("c" * 24))
    before = contents(registry.store)
    filler = disk / "filler"
    fill(filler)
    with pytest.raises(DataError) as error:
        work(registry.store)
    assert "No space left" in str(error.value)
    assert "nothing is lost" in str(error.value)
    assert "\n" not in str(error.value)
    assert contents(registry.store) == before
    filler.unlink()
    work(registry.store)
    assert audit(registry.store).ok
