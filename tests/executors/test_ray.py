"""Phases on a cluster of Ray: nodes that die, a harness that dies, and the same rows as here."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from displays import Silent
from ports import free_port
from ray_fixtures import STORE_BYTES

from motifidelity import scratch
from motifidelity.errors import UserError
from motifidelity.executors.process import ProcessExecutor
from motifidelity.registry import Registry, schema
from motifidelity.runs.run import run_plan

BENCH = Path(__file__).parents[1] / "support" / "small_bench.py"


@pytest.fixture
def bench(model, tmp_path):
    """Start the plan as a process on a cluster; all it says goes to a file."""

    def start(address, *options, **environment):
        command = [sys.executable, str(BENCH), "run", "--model", str(model)]
        command += ["--registry", str(tmp_path / "registry"), "--executor", "ray"]
        command += ["--address", address, "--memory", "256m", *map(str, options)]
        said = (tmp_path / "said.txt").open("a")
        return subprocess.Popen(
            command, stdout=said, stderr=said, env={**os.environ, **environment}
        )

    start.said = tmp_path / "said.txt"
    start.registry = Registry(tmp_path / "registry")
    return start


def recorded(registry):
    return len(list((registry.folder / "jobs").glob("*.parquet")))


def wait_until(true, process, seconds=120):
    until = time.monotonic() + seconds
    while not true():
        assert process.poll() is None, "the harness ended too early"
        assert time.monotonic() < until, "it takes too long"
        time.sleep(0.1)


def test_a_plan_survives_the_death_of_a_node_and_of_the_harness(
    cluster, bench, model, make_plan, diary, tmp_path
):
    plan, registry = make_plan(model, 40), bench.registry
    lost = "was lost (its node died); it runs again"
    diary.unlink(missing_ok=True)
    # what begins on this node ends with it, and not before
    doomed = cluster.add(environment={"FAKE_WORKER_SECONDS": "600"})
    first = bench(cluster.address)
    wait_until(lambda: recorded(registry) >= 6 and '"seconds": 600' in diary.read_text(), first)
    cluster.remove_node(doomed, allow_graceful=False)
    wait_until(lambda: recorded(registry) >= 14 and lost in bench.said.read_text(), first)
    first.kill()
    first.wait()
    # a file that was being written has another ending
    kept = {path.name for path in (registry.folder / "jobs").glob("*.parquet")}
    assert 14 <= len(kept) < len(plan)
    # what the dead harness had begun ends by itself
    assert_gone(diary)

    second = bench(cluster.address, "--logs", tmp_path / "logs")
    assert second.wait(120) == 0, bench.said.read_text()
    said = bench.said.read_text()
    assert f"{len(kept)} jobs finished before" in said
    assert "jobs an hour" in said
    assert "raylet" not in said
    logs = {path.stem: path.read_text() for path in (tmp_path / "logs").iterdir()}
    assert logs.keys() == {job.id for job in plan} - {name[:24] for name in kept}
    for text in logs.values():
        assert f"fit node name={platform.node()}" in text
        assert "fit printed:\nfit is done" in text
        assert text.endswith(" ok\n")
    # each job once, with its own network's results
    rows = registry.every("jobs")["jobs"].to_pylist()
    rows = [row for row in rows if row["arrays_of"] is None]
    assert sorted(row["job_id"] for row in rows) == sorted(job.id for job in plan)
    assert {row["status"] for row in rows} == {"ok"}
    assert kept <= {path.name for path in (registry.folder / "jobs").glob("*.parquet")}
    seeds = {row["job_id"]: row["seed"] for row in rows}
    losses = registry.every("history")["history"].to_pylist()
    assert {r["job_id"]: r["loss"] for r in losses if r["epoch"] == 1} == seeds
    program = "import sys; from motifidelity.cli import main; sys.argv[0] = 'bench'; main()"
    verify = [sys.executable, "-c", program, "registry", "verify"]
    done = subprocess.run([*verify, "--registry", registry.folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_interrupt_ends_what_runs_on_the_nodes(cluster, bench, diary):
    diary.unlink(missing_ok=True)
    started = bench(cluster.address)
    wait_until(lambda: recorded(bench.registry) >= 1, started)
    started.send_signal(signal.SIGINT)
    assert started.wait(60) == 130, bench.said.read_text()
    assert "run the same command again to go on" in bench.said.read_text()
    assert_gone(diary)


def assert_gone(diary):
    """Whatever a fake worker ran in has ended, or does within seconds (a minute if loaded)."""
    pids = [json.loads(line)["pid"] for line in diary.read_text().splitlines()]
    until = time.monotonic() + 60
    while any(psutil.pid_exists(pid) for pid in pids):
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.fixture
def fit_phase_in(tmp_path):
    """A fit phase of a model file with the given text, in a folder of its own."""
    from motifidelity.phase.interface import Phase

    numbers = itertools.count()

    def make(text="", **inputs):
        work = tmp_path / str(next(numbers))
        (work / "fit").mkdir(parents=True)
        (work / "model.py").write_text(text)
        return Phase("fit", {"seed": 0}, {"model": work / "model.py", **inputs}, work / "fit")

    return make


@pytest.fixture
def executor(cluster):
    """Open the cluster in this process: ``executor(**wishes)``."""
    import ray

    from motifidelity.executors.choose import choose_executor
    from motifidelity.phase.wish import Wish

    def open_it(**wishes):
        given = {"executor": "ray", "address": cluster.address, "memory": "256m", **wishes}
        return choose_executor(Wish(**given), lambda _: None)

    yield open_it
    ray.shutdown()


def test_a_job_gives_the_same_row_on_ray_as_here(executor, really_run, real_job, truth, tmp_path):
    from motifidelity.runs.job import run_job

    events = []
    registry = Registry(tmp_path / "registry")
    there = executor(timeout=600)
    outcome = run_job(real_job, truth, there, registry, lambda *event: events.append(event))
    assert outcome.status == "ok", outcome
    here, ray = (
        {name: table.to_pylist() for name, table in r.every(*schema.TABLES).items()}
        for r in (really_run[0], registry)
    )
    ours = {"result_id", "files"}
    for name in ("scores", "filters"):
        assert strip(ray[name], ours) == strip(here[name], ours)
    assert strip(ray["history"], {"result_id", "seconds"}) == strip(
        here["history"], {"result_id", "seconds"}
    )
    of_time = {"started", "seconds_fit", "seconds_probe", "seconds_score", "peak_memory"}
    [row], [other] = ray["jobs"], here["jobs"]
    assert (row["runner"], other["runner"]) == ("ray", "process")
    assert row["isolation"] == "none"
    place = {"runner", "environment", *of_time, *ours}
    assert strip([row], place) == strip([other], place)
    # the machine of the node, by a name that tells nobody its own
    found, mine = json.loads(row["environment"]), json.loads(other["environment"])
    assert found.pop("host") == scratch.machine()
    assert found == mine
    kinds = {(phase, event["event"]) for phase, event in events}
    assert {("fit", "node"), ("fit", "epoch"), ("fit", "output"), ("probe", "step")} <= kinds


def test_a_plan_gives_the_same_rows_on_ray_as_here(
    cluster, bench, fake_worker, make_plan, model, tmp_path, monkeypatch
):
    for name, value in fake_worker.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("motifidelity.runs.run.compile_in_background", lambda: None)
    plan = make_plan(model, 6)
    here = Registry(tmp_path / "here")
    assert run_plan(plan, here, ProcessExecutor(threads=1), Silent()).finished == 6
    started = bench(cluster.address, "--trials", 6)
    assert started.wait(120) == 0, bench.said.read_text()
    rows = [scores_of(registry) for registry in (here, bench.registry)]
    assert len(rows[0]) > 6 * 20
    assert rows[0] == rows[1]
    told = [registry.jobs().set_index("job_id").sort_index() for registry in (here, bench.registry)]
    same = ["task", "task_digest", "dataset_digest", "profile", "model", "model_digest", "params"]
    same += ["trial", "seed", "isolation", "device", "backend", "status", "epochs", "num_weights"]
    same += ["best_epoch", "num_filters", "commit", "worker_digest", "image_digest", "policy"]
    assert told[0][same].equals(told[1][same])


def scores_of(registry):
    """Scores as text by job."""
    names = ["job_id", "metric", "method", "target", "value", "sd", "n", "metric_version"]
    rows = registry.latest("scores")["scores"].select(names).to_pylist()
    return sorted(map(repr, rows))


def strip(rows, names):
    """Rows without some columns, as text: not-a-number is equal to itself there."""
    return [repr({k: v for k, v in row.items() if k not in names}) for row in rows]


def test_inputs_are_stored_once_by_content(executor, tmp_path):
    from motifidelity.executors.ray import cluster as module

    executor()
    inputs = module._Inputs()
    for name, text in (("a", "x" * 200_000), ("b", "x" * 200_000), ("c", "y" * 200_000)):
        (tmp_path / name).write_text(text)
    a, b, c = (inputs.put(tmp_path / name) for name in "abc")
    assert a == b != c
    inputs.forget()
    assert inputs.put(tmp_path / "a") != a


def test_data_travel_once_to_each_node(executor, fit_phase_in, tmp_path):
    import ray
    from ray.experimental import get_object_locations

    data = tmp_path / "x_train.npy"
    data.write_bytes(os.urandom(500_000))
    there = executor()
    with ThreadPoolExecutor(4) as pool:
        results = pool.map(
            lambda _: there.run(fit_phase_in(x_train=data), lambda _: None), range(6)
        )
        assert {result.status for result in results} == {"ok"}
    big = [ref for size, ref in there._inputs._kept.values() if size == 500_000]
    assert len(big) == 1
    workers = {n["NodeID"] for n in ray.nodes() if n["Alive"] and n["Resources"].get("CPU")}
    assert workers <= set(get_object_locations(big)[big[0]]["node_ids"])


def test_a_client_from_outside_gets_the_same(cluster, bench):
    started = bench(cluster.client, "--trials", 3, "--cpus", 1)
    assert started.wait(120) == 0, bench.said.read_text()
    rows = bench.registry.jobs().to_dict("records")
    assert [(row["status"], row["runner"]) for row in rows] == [("ok", "ray")] * 3


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        (
            {"cpus": 64.0},
            r"no node .* needs 64 CPUs, 0.25 GiB of memory: the nearest of 3 has 1 CPU",
        ),
        ({"memory": "900g"}, r"no node .* 900 GiB of memory"),
        ({"gpus": "1"}, r"no node .* 1 CPU, 1 GPU, 0.25 GiB"),
        ({"gpus": "1.5"}, r"--gpus 1.5: on Ray"),
        ({"gpus": "2"}, r"--gpus 2: on Ray .* no job uses two"),
        ({"gpus": "all"}, r"--gpus all: on Ray"),
        ({"runner": "auto"}, r"choose --runner docker or process"),
        ({"image": "x"}, r"--image needs a container"),
    ],
)
def test_what_no_node_can_do_is_said_at_once(wishes, message, executor):
    with pytest.raises(UserError, match=message):
        executor(**wishes)


def test_a_node_without_docker_is_named(executor, monkeypatch):
    # the nodes' processes inherited the address of an engine that cannot answer
    with pytest.raises(UserError, match=r"node \S+: no Docker daemon answers"):
        executor(runner="docker", cpus=1.0)


def test_a_job_gets_the_gpu_that_ray_gave_it(
    cluster, executor, fit_phase_in, diary, tmp_path, monkeypatch
):
    (tmp_path / "bin").mkdir()
    driver = tmp_path / "bin" / "nvidia-smi"
    driver.write_text('#!/bin/sh\necho "GPU-of-${4#--id=}, Painted GPU"\n')
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    node = cluster.add(num_gpus=1)
    try:
        result = executor(gpus="0.5").run(fit_phase_in(), lambda _: None)
    finally:
        cluster.remove_node(node)
    assert (result.status, result.device) == ("ok", "Painted GPU")
    assert json.loads(diary.read_text().splitlines()[-1])["gpu"] == "0"


@pytest.mark.parametrize("gpus", ["0", "none"])
def test_no_gpu_may_be_asked_for_by_name(gpus, executor, fit_phase_in):
    result = executor(gpus=gpus).run(fit_phase_in(), lambda _: None)
    assert (result.status, result.device) == ("ok", "cpu")


def test_who_stops_reading_is_no_lost_cluster():
    from motifidelity.executors.ray.connection import cut_off

    assert cut_off(ConnectionResetError())
    assert not cut_off(BrokenPipeError())


def test_whatever_fails_while_the_cluster_is_gone_is_a_lost_cluster(executor, monkeypatch):
    from motifidelity.executors.ray.connection import cut_off

    executor()
    # what a client's second thread met: a task that the first was sending when the head died
    half_done = AttributeError("'InProgressSentinel' object has no attribute 'id'")
    assert not cut_off(half_done)

    def lost():
        raise ConnectionError("Client is shutting down.")

    monkeypatch.setattr("ray.nodes", lost)
    assert cut_off(half_done)


def test_a_node_whose_gpu_has_no_driver_is_named(cluster, executor):
    node = cluster.add(num_gpus=1)
    try:
        with pytest.raises(UserError, match=r"node \S+: it has no NVIDIA driver"):
            executor(gpus="1")
    finally:
        cluster.remove_node(node)


def test_a_phase_whose_process_is_killed_again_and_again_ends_as_trouble_of_the_machine(
    executor, fit_phase_in
):
    from motifidelity.executors.ray.cluster import TRIES

    events = []
    result = executor().run(fit_phase_in("# KILL"), events.append)
    assert result.status == "infra_error"
    assert f"lost {TRIES} times on the cluster, last: its process on the node was killed" in (
        result.message
    )
    assert [e["done"] for e in events if e["event"] == "lost"] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:9", "nothing answers"),
        ("ray://127.0.0.1:9", "nothing answers"),
        ("nonsense", "write ray://HOST:PORT, HOST:PORT, auto or local"),
        ("http://127.0.0.1:9", "write ray://HOST:PORT"),
    ],
)
def test_an_address_that_does_not_answer_is_one_line_within_seconds(address, message, bench):
    started = bench(address)
    assert started.wait(60) == 1
    said = bench.said.read_text()
    assert message in said
    assert said.count("\n") == 1


def test_a_server_of_something_else_is_one_line(bench):
    with socket.create_server(("127.0.0.1", 0)) as server:
        started = bench(f"127.0.0.1:{server.getsockname()[1]}")
        assert started.wait(60) == 1
    assert "nothing answers" in bench.said.read_text()
    assert bench.said.read_text().count("\n") == 1


def test_a_cluster_of_another_version_is_one_line(cluster, bench, monkeypatch, tmp_path):
    # the harness believes that it is an older Ray
    (tmp_path / "older").mkdir()
    (tmp_path / "older" / "sitecustomize.py").write_text("import ray\nray.__version__ = '2.9.0'\n")
    started = bench(cluster.address, PYTHONPATH=str(tmp_path / "older"))
    assert started.wait(60) == 1
    said = bench.said.read_text()
    assert "another version of Ray or Python" in said
    assert "here are Ray 2.9.0" in said
    assert said.count("\n") == 1


@contextlib.contextmanager
def head_of_its_own(environment):
    """A cluster of one node: its process, and its addresses for nodes and for clients."""
    ports = [str(free_port()) for _ in range(2)]
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"]
        command += ["--node-ip-address", "127.0.0.1", "--port", ports[0], "--num-cpus", "1"]
        command += ["--ray-client-server-port", ports[1], "--include-dashboard", "false"]
        command += ["--temp-dir", folder, "--object-store-memory", str(STORE_BYTES)]
        environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0", **environment}
        # no other cluster of this machine is meant
        environment.pop("RAY_ADDRESS", None)
        head = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
        try:
            for port in ports:
                while True:
                    assert head.poll() is None
                    here = ("127.0.0.1", port)
                    with contextlib.suppress(OSError), socket.create_connection(here):
                        break
                    time.sleep(0.2)
            yield head, f"127.0.0.1:{ports[0]}", f"ray://127.0.0.1:{ports[1]}"
        finally:
            head.terminate()
            head.wait(60)


@pytest.fixture(scope="module")
def guarded(node_environment):
    """Addresses of a cluster that asks for the token ``right``."""
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "right" * 8}
    with head_of_its_own({**node_environment, **token}) as (_, *addresses):
        yield addresses


def test_a_client_whose_head_is_gone_says_so_and_what_to_do(node_environment, bench):
    slow = {**node_environment, "FAKE_WORKER_SECONDS": "600", "RAY_AUTH_MODE": "disabled"}
    with head_of_its_own(slow) as (head, _, address):
        # Ray's client looks half a minute for a head that will not come back
        started = bench(address, "--trials", 2, RAY_CLIENT_RECONNECT_GRACE_PERIOD="3")
        wait_until(lambda: "[1/2]" in bench.said.read_text(), started)
        time.sleep(2)
        for process in [*psutil.Process(head.pid).children(recursive=True), head]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        assert started.wait(120) == 1
    said = [line for line in bench.said.read_text().splitlines() if line.startswith("bench:")]
    assert len(said) == 1
    assert "the connection to the cluster is lost" in said[0]
    assert recorded(bench.registry) == 0


@pytest.mark.parametrize("place", [0, 1], ids=["node", "client"])
def test_a_cluster_with_a_token_takes_those_who_have_it(place, guarded, bench, tmp_path):
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("right" * 8)
    started = bench(guarded[place], "--trials", 1, HOME=str(tmp_path))
    assert started.wait(120) == 0, bench.said.read_text()
    assert list(bench.registry.jobs()["status"]) == ["ok"]


@pytest.mark.parametrize("place", [0, 1], ids=["node", "client"])
@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "the cluster asks for its token"),
        ({"RAY_AUTH_TOKEN": "wrong" * 8}, "the token here is another one"),
        (
            {"RAY_AUTH_TOKEN": "right" * 8, "RAY_AUTH_MODE": "disabled"},
            "with RAY_AUTH_MODE unset or token",
        ),
    ],
)
def test_a_cluster_with_a_token_refuses_others_in_one_line(
    environment, message, place, guarded, bench, tmp_path
):
    started = bench(guarded[place], HOME=str(tmp_path), **environment)
    assert started.wait(120) == 1
    said = bench.said.read_text()
    assert message in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("late", [1, 2, 3])
@pytest.mark.parametrize("how", [0, 1], ids=["not begun", "session lost"])
def test_a_client_whose_server_is_late_is_tried_again(late, how, monkeypatch):
    import ray

    from motifidelity.executors.ray import connection

    tried = []

    def init(*_, **__):
        tried.append(1)
        if len(tried) <= late:
            raise ConnectionAbortedError(
                f"{connection.CLIENT_SERVER_LATE[how]}:\nTraceback (most recent call last):\n"
                '  File "proxier.py", line 1, in Datapath\nRuntimeError: the server is late\n'
            )

    monkeypatch.setattr(connection, "_knock", lambda _: None)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", init)
    said = r"ray://head:10001: the cluster refused \(RuntimeError: the server is late\)$"
    with pytest.raises(UserError, match=said) if late == 3 else contextlib.nullcontext():
        connection.connect("ray://head:10001")
    assert len(tried) == min(late + 1, 3)


def test_without_ray_one_line_says_how_to_install_it(bench, tmp_path):
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "ray.py").write_text("raise ImportError('no ray')\n")
    started = bench("auto", PYTHONPATH=str(tmp_path / "none"))
    assert started.wait(60) == 1
    assert bench.said.read_text() == (
        "bench: Ray is not installed; install it with: pip install 'motifidelity[ray]'\n"
    )


def test_an_address_without_ray_is_a_mistake(model):
    from motifidelity.executors.choose import choose_executor
    from motifidelity.phase.wish import Wish

    with pytest.raises(UserError, match="add --executor ray"):
        choose_executor(Wish(address="auto"), lambda _: None)
