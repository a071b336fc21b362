"""``bench run`` in containers: its flags, its rows, and what is left when it is killed."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import docker
import numpy as np
import pytest

from motifidelity.registry import Registry
from motifidelity.runs.recording import AT_CHANCE

HOSTILE = Path(__file__).parent / "hostile"
# beyond this relative or absolute difference container and process would not agree; both train in
# single precision, with sums over threads in another order
RTOL, ATOL = 1e-3, 1e-3
SCRIPT = """
    import dataclasses, os, signal, sys
    # a shell's background job ignores interrupts, and so would its children
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.executable = os.environ.get("WARM_PYTHON", sys.executable)
    from motifidelity.cli import main
    from motifidelity.runs import run
    from motifidelity.tasks import spec as specs
    from motifidelity.tasks.spec import Profile
    # ceilings and floors take seconds and are no container's business
    run.record_references = lambda *_, **__: 0
    methods = ("saliency", "ism", "random")
    full = {"full": Profile("full", 2, 240, 100, 60, 1, 4, methods)}
    small = {n: dataclasses.replace(s, profiles=full) for n, s in specs.all_specs().items()}
    specs.all_specs = lambda: small
    main()
"""
SLOW = """
    import keras, time
    from keras import layers

    def build_model(task, *, wait=0):
        time.sleep(wait)
        inputs = keras.Input(task.input_shape)
        x = layers.GlobalMaxPooling1D()(layers.Conv1D(4, 19, padding="same")(inputs))
        return keras.Model(inputs, layers.Dense(task.num_outputs)(x))
"""


@pytest.fixture
def bench(tmp_path, cache_folder):
    """Start ``bench`` with small tasks in a process of its own."""
    script = tmp_path / "bench.py"
    script.write_text(textwrap.dedent(SCRIPT))
    started = []

    def start(*arguments, **variables):
        line = [sys.executable, str(script), *map(str, arguments)]
        if arguments[0] == "run":
            line += ["--registry", str(tmp_path / "registry"), "--task", "regulatory-code"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(line, env={**os.environ, **variables}, **pipes))
        return started[-1]

    def run(*arguments, **variables):
        process = start(*arguments, **variables)
        out, err = process.communicate(timeout=240)
        return process.returncode, out, err

    run.start = start
    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "slow.py"
    path.write_text(textwrap.dedent(SLOW))
    return path


def test_container_and_process_give_the_same_scores(run_one):
    from motifidelity.executors.process import ProcessExecutor

    ran = [run_one(HOSTILE / "honest.py", executor=e) for e in (None, ProcessExecutor())]
    assert [r.outcome.status for r in ran] == ["ok", "ok"]
    assert [r.row["isolation"] for r in ran] == ["container", "none"]
    one, other = (r.registry.arrays(r.outcome.result_id) for r in ran)
    assert one.keys() == other.keys()
    for name in ("logits", "scan_max", "saliency", "ism"):
        np.testing.assert_allclose(one[name], other[name], rtol=RTOL, atol=ATOL, err_msg=name)
    keys = ["metric", "method", "target"]
    one, other = (r.registry.tables().scores.set_index(keys)["value"] for r in ran)
    assert list(one.index) == list(other.index)
    continuous = [m for m in one.index if not m[0].endswith(("found", "flat_filters"))]
    difference = (one.loc[continuous] - other.loc[continuous]).abs()
    assert difference.max() <= 0.02, difference.nlargest(3)


def test_a_row_says_where_it_ran(bench, model, image, tmp_path):
    code, _, err = bench("run", "--model", model, "--trials", 1, "--runner", "docker", "--cpus", 1)
    assert code == 0, err
    row = Registry(tmp_path / "registry").jobs().iloc[0]
    assert (row["runner"], row["isolation"], row["device"]) == ("docker", "container", "cpu")
    assert row["image_digest"] == image.id
    policy = json.loads(row["policy"])
    assert (policy["network"], policy["cpus"], policy["memory"]) == ("none", 1.0, 8 << 30)
    assert list(row["widened"]) == []
    # trained on so little, a network may well be at chance
    warnings = [text for text in row["warnings"] if not text.startswith(AT_CHANCE)]
    assert warnings == []
    versions = json.loads(row["environment"])
    assert versions["packages"]["tensorflow"].startswith("2.")
    # memory is the container's own: TensorFlow alone takes more than 100 MiB
    assert 100 << 20 < row["peak_memory"] < 8 << 30
    # the image is part of what a job is: the same model in a process is another job
    code, _, err = bench("run", "--model", model, "--trials", 1)
    assert code == 0
    assert "finished before" not in err
    assert len(Registry(tmp_path / "registry").jobs()) == 2


def test_a_wider_sandbox_is_said_and_marked_on_the_row(bench, model, tmp_path):
    model.write_text("def build_model(task):\n    raise ValueError('no')\n")
    arguments = ("run", "--model", model, "--trials", 1, "--runner", "docker", "--cpus", 1)
    code, _, err = bench(*arguments, "--memory", "16g", "--timeout", 100_000)
    assert code == 1
    assert "Sandbox wider than the standard: memory 16 GiB" in err
    row = Registry(tmp_path / "registry").jobs().iloc[0]
    assert [line.split()[0] for line in row["widened"]] == ["memory", "timeout"]
    assert all(line.startswith("sandbox wider than the standard") for line in row["warnings"])
    # the model's own traceback is shown
    assert "slow.py:2: ValueError: no" in row["message"]
    assert "raise ValueError('no')" in err


def test_a_dry_run_prints_the_policy_and_runs_nothing(bench, model, image, tmp_path, containers):
    arguments = ("run", "--model", model, "--runner", "docker", "--cpus", 1, "--dry-run")
    code, out, _ = bench(*arguments, "--memory", "2g", "--timeout", 60)
    assert code == 0
    lines = dict(line.split("  ", 1) for line in out.splitlines() if not line.startswith(" "))
    shown = {name.strip(): value.strip() for name, value in lines.items()}
    assert shown["network"] == "none"
    assert shown["memory"] == "2 GiB"
    assert shown["timeout"] == "60 s a phase"
    assert shown["image"] == image.id
    assert "labels" not in shown["probe sees"].replace("without labels", "")
    assert out.count("slow wait=0 on regulatory-code") == 2
    assert not (tmp_path / "registry").exists()
    code, out, _ = bench(*arguments, "--json")
    assert json.loads(out)["policy"]["read_only_root"] is True
    code, out, _ = bench("run", "--model", model, "--dry-run")
    assert "none: the model's code has your rights" in out


@pytest.mark.parametrize("runner", ["auto", "docker"])
def test_without_a_daemon_auto_says_so_loudly_and_docker_insists(
    bench, model, tmp_path, runner, cache_folder
):
    nowhere = {"DOCKER_HOST": f"unix://{tmp_path}/nowhere.sock"}
    arguments = ("run", "--model", model, "--trials", 1, "--runner", runner)
    code, _, err = bench(*arguments, **nowhere)
    if runner == "docker":
        assert code == 1
        assert err.splitlines() == [
            "bench: no Docker daemon answers (nothing listens at its socket); start it (systemctl "
            "start docker), or run without a container with --runner process"
        ]
        return
    assert code == 0, err
    assert [line for line in err.splitlines() if "NO CONTAINER" in line] == [err.splitlines()[0]]
    row = Registry(tmp_path / "registry").jobs().iloc[0]
    assert (row["runner"], row["isolation"]) == ("process", "none")
    assert not isinstance(row["policy"], str)
    # trained on so little, a network may well be at chance
    warnings = [text for text in row["warnings"] if not text.startswith(AT_CHANCE)]
    assert warnings == ["no Docker daemon answered: run without a container"]
    code, _, err = bench(*arguments, "--gpus", "all", **nowhere)
    assert code == 1
    assert "no Docker daemon answers" in err


def test_auto_uses_a_container_where_docker_answers(bench, model, image):
    arguments = ("run", "--model", model, "--runner", "auto", "--cpus", 1, "--dry-run")
    code, out, err = bench(*arguments)
    assert (code, err) == (0, "")
    assert "isolation" in out
    assert "container" in out


def test_flags_that_cannot_be_honoured_are_refused(bench, model, image):
    for flags, message in (
        (["--memory", "2g"], "--memory needs a container; add --runner docker"),
        (["--runner", "docker", "--memory", "much"], "--memory much: not a size"),
        (["--runner", "docker", "--cpus", 4096], "CPUs, the policy gives 4096; add --cpus"),
        (["--runner", "docker", "--image", "no-such"], "image no-such: this engine has none"),
        (["--runner", "docker", "--gpus", "some"], "--gpus some: write all, a number, or UUIDs"),
    ):
        code, out, err = bench("run", "--model", model, *flags)
        assert (code, out) == (2, "")
        assert message in err
        assert len(err.splitlines()) == 1


def test_a_killed_run_leaves_no_container_and_goes_on(bench, model, tmp_path, containers, engine):
    from motifidelity.scratch import PREFIX

    before = containers()
    quick = ("run", "--model", model, "--runner", "docker", "--cpus", 1)
    slow = (*quick, "--param", "wait=3600")
    code, _, err = bench(*quick, "--trials", 1)
    assert code == 0, err
    process = bench.start(*slow)
    left = wait_until_it_runs(engine, containers, before)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert len(left) == 1
    assert engine.client.containers.get(next(iter(left))).status == "running"
    folders = list(Path(tempfile.gettempdir()).glob(f"{PREFIX}*-{process.pid}-*"))
    assert len(folders) == 1

    code, _, _ = bench(*quick)
    assert code == 0
    assert containers() - before == set()
    assert not folders[0].exists()
    jobs = Registry(tmp_path / "registry").jobs()
    # the finished trial was kept, the other one trained; of the killed job there is no trace
    assert sorted(jobs["trial"]) == [0, 1]
    assert set(jobs["status"]) == {"ok"}


def wait_until_it_runs(engine, containers, before):
    """Ids of what was started since, once it has begun to run."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        new = containers() - before
        # one that looks at the image comes and goes first
        with contextlib.suppress(docker.errors.NotFound):
            if new and all(
                engine.client.api.inspect_container(each)["State"]["Running"] for each in new
            ):
                time.sleep(1)
                return new
        time.sleep(0.1)
    raise AssertionError("no container runs")


def test_an_interrupt_removes_the_container(bench, model, containers, engine):
    before = containers()
    arguments = ("run", "--model", model, "--runner", "docker", "--cpus", 1, "--param", "wait=3600")
    process = bench.start(*arguments)
    wait_until_it_runs(engine, containers, before)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "stopped; 0 of 2 jobs are finished" in err
    assert containers() == before


def test_containers_of_a_living_run_are_not_orphans(engine, image, policy, containers):
    from motifidelity.containers.engine import OWNER, remove_orphans
    from motifidelity.containers.sandbox import create_options
    from motifidelity.scratch import machine, owner

    made = {}
    for name, mark in (
        ("mine", owner()),
        ("another machine's", "0badcafe-1-1"),
        ("nobody's", ""),
        ("dead", f"{machine()}-{2**22 - 1}-1"),
        ("reused number", f"{machine()}-{os.getpid()}-1"),
    ):
        options = create_options(policy, "fit")
        options["labels"] = {**options["labels"], OWNER: mark}
        made[name] = engine.client.containers.create(image.id, "true", **options).id
    try:
        remove_orphans(engine)
        left = {name for name, id_ in made.items() if id_ in containers()}
        assert left == {"mine", "another machine's", "nobody's"}
    finally:
        for id_ in set(made.values()) & containers():
            engine.client.containers.get(id_).remove(force=True)


def test_an_engine_that_goes_away_is_an_infrastructure_error(run_one, engine, image, policy):
    from motifidelity.containers.runner import DockerExecutor

    gone = dataclasses.replace(image, id="sha256:" + "0" * 64)
    ran = run_one(HOSTILE / "honest.py", executor=DockerExecutor(engine, gone, policy))
    assert ran.outcome.status == "infra_error"
    assert "No such image" in ran.row["message"]
    assert "bench doctor" in ran.row["message"]


def test_jobs_run_side_by_side_where_there_is_room(run_one, motif_classes, monkeypatch, tmp_path):
    import threading

    from motifidelity.model_file import read_submission
    from motifidelity.phase.interface import PhaseResult, Place
    from motifidelity.runs import run as runs
    from motifidelity.runs.display import PlainDisplay
    from motifidelity.runs.plan import plan_jobs
    from motifidelity.tasks.spec import Profile

    together = threading.Barrier(3, timeout=20)

    class Wide:
        name, isolation, image, place = "wide", "container", None, Place(slots=3)

        def run(self, phase, on_event):
            together.wait()
            return PhaseResult("model_error", "no")

        def stop(self):
            pass

    spec = dataclasses.replace(
        motif_classes.spec, profiles={"full": Profile("full", 6, 20, 20, 20, 1, 2)}
    )
    monkeypatch.setattr(runs, "load_dataset", lambda _: motif_classes)
    jobs = plan_jobs(read_submission(HOSTILE / "honest.py"), {}, [spec], "full", None, 0)
    registry = Registry(tmp_path / "registry")
    ended = runs.run_plan(jobs, registry, Wide(), PlainDisplay())
    assert (ended.finished, ended.failed) == (0, 6)
    assert sorted(registry.jobs()["trial"]) == list(range(6))
