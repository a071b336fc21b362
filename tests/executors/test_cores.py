"""Jobs side by side on one machine: cores of their own, threads to match, and no left-overs."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from motifidelity.errors import UserError
from motifidelity.executors.choose import choose_executor
from motifidelity.executors.process import ProcessExecutor
from motifidelity.phase import cores
from motifidelity.phase.interface import Phase
from motifidelity.phase.wish import Wish

CLAIM = """
import sys, time
from motifidelity.phase.cores import claim_cores
with claim_cores(int(sys.argv[1])) as mine:
    print(*mine, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def four_cores(monkeypatch, tmp_path):
    monkeypatch.setattr(cores, "usable_cores", lambda: (0, 1, 2, 3))
    monkeypatch.setattr(cores, "count_cores", lambda: 4)
    monkeypatch.setattr(cores.tempfile, "gettempdir", lambda: str(tmp_path))


def test_no_core_is_given_twice(four_cores):
    with cores.claim_cores(1) as a, cores.claim_cores(2) as b:
        assert (a, b) == ((0,), (1, 2))
        # one is left: a job of two threads is not crammed onto it
        with cores.claim_cores(2) as c, cores.claim_cores(1) as d:
            assert (c, d) == ((), (3,))
    with cores.claim_cores(4) as again:
        assert again == (0, 1, 2, 3)


def test_other_processes_know_and_a_killed_one_gives_its_cores_back(tmp_path):
    count = cores.count_cores()
    with subprocess.Popen(
        [sys.executable, "-c", CLAIM, str(count)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as other:
        theirs = other.stdout.readline().split()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cores.tempfile, "gettempdir", lambda: str(tmp_path))
            assert len(theirs) == count
            with cores.claim_cores(1) as mine:
                assert mine == ()
            other.kill()
            other.wait()
            with cores.claim_cores(1) as mine:
                assert len(mine) == 1


@pytest.mark.skipif(os.getuid() != 0, reason="needs the right to be another user")
def test_a_user_without_a_name_claims_cores_too(four_cores, monkeypatch):
    import filelock  # noqa: F401 - the other user may not read where it is installed

    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    # in no folder that is one user's own
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o777)
        monkeypatch.setattr(cores.tempfile, "gettempdir", lambda: folder)
        child = os.fork()
        if child == 0:
            os.setuid(54321)
            with contextlib.suppress(Exception), cores.claim_cores(1) as mine:
                os._exit(0 if mine == (0,) else 2)
            os._exit(1)
        assert os.waitpid(child, 0)[1] == 0


def test_nothing_is_claimed_where_time_is_limited_and_not_cores(four_cores, monkeypatch):
    monkeypatch.setattr(cores, "count_cores", lambda: 2)
    with cores.claim_cores(1) as mine:
        assert mine == ()


def test_threads_are_the_share_of_a_job(four_cores, monkeypatch):
    assert [cores.threads_for(jobs) for jobs in (1, 2, 3, 4)] == [4, 2, 1, 1]
    with pytest.raises(UserError, match=r"--jobs 5: this machine has 4 cores .* at most 4"):
        cores.threads_for(5)
    monkeypatch.setattr("motifidelity.executors.local.threads_for", cores.threads_for)
    executor = choose_executor(Wish(jobs=2), lambda _: None)
    assert executor.place.slots == 2


def test_a_phase_runs_on_its_own_cores_with_as_many_threads(
    fake_worker, diary, tmp_path, monkeypatch
):
    for name, value in {**fake_worker, "FAKE_WORKER_SECONDS": "1"}.items():
        monkeypatch.setenv(name, value)
    diary.unlink(missing_ok=True)
    (tmp_path / "model.py").write_text("")
    jobs = cores.count_cores()
    executor = ProcessExecutor(jobs=jobs, threads=1)

    def run(number):
        out = tmp_path / str(number) / "fit"
        out.mkdir(parents=True)
        return executor.run(
            Phase("fit", {"seed": 0}, {"model": tmp_path / "model.py"}, out), lambda _: None
        )

    with ThreadPoolExecutor(jobs) as pool:
        results = list(pool.map(run, range(jobs)))
    assert {result.status for result in results} == {"ok"}
    assert {result.output for result in results} == {"fit is done\n"}
    notes = [json.loads(line) for line in diary.read_text().splitlines()]
    assert sorted(core for note in notes for core in note["cores"]) == list(cores.usable_cores())
    assert {(note["threads"], note["gpu"]) for note in notes} == {("1", "-1")}


def test_stop_ends_the_phases_of_other_threads(fake_worker, tmp_path, monkeypatch):
    for name, value in {**fake_worker, "FAKE_WORKER_SECONDS": "60"}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "model.py").write_text("")
    (tmp_path / "fit").mkdir()
    executor, ended = ProcessExecutor(jobs=2, threads=1), []
    phase = Phase("fit", {"seed": 0}, {"model": tmp_path / "model.py"}, tmp_path / "fit")

    def run():
        try:
            executor.run(phase, begun.append)
        except KeyboardInterrupt:
            ended.append("interrupted")

    begun = []
    thread = threading.Thread(target=run)
    thread.start()
    while not begun:
        time.sleep(0.05)
    executor.stop()
    thread.join(50)
    assert ended == ["interrupted"]


def test_a_worker_ends_with_a_harness_that_is_killed(fake_worker, diary, tmp_path):
    diary.unlink(missing_ok=True)
    (tmp_path / "model.py").write_text("")
    (tmp_path / "fit").mkdir()
    program = textwrap.dedent("""
        import sys
        from pathlib import Path
        from motifidelity.phase.interface import Phase
        from motifidelity.executors.process import ProcessExecutor
        here = Path(sys.argv[1])
        phase = Phase("fit", {"seed": 0}, {"model": here / "model.py"}, here / "fit")
        ProcessExecutor().run(phase, lambda _: None)
    """)
    environment = {**os.environ, **fake_worker, "FAKE_WORKER_SECONDS": "60"}
    harness = subprocess.Popen([sys.executable, "-c", program, tmp_path], env=environment)
    while not diary.exists() or not diary.read_text().endswith("\n"):
        time.sleep(0.05)
    worker = psutil.Process(json.loads(diary.read_text())["pid"])
    harness.send_signal(signal.SIGKILL)
    harness.wait()
    worker.wait(50)
