"""Hostile submissions, each run for real: the right end, in time, and nobody else is hurt."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import socket
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import psutil
import pytest

HOSTILE = Path(__file__).parent / "hostile"
# what a phase may take beyond its limit until it is stopped and removed
GRACE = 20.0


@dataclass
class Case:
    """What a submission must come to."""

    status: str
    message: str
    traceback: str = ""
    limits: dict = field(default_factory=dict)


# attacks on time, processor, memory and disk have nothing to do with TensorFlow, whose import takes
# longer than their limits: a worker that only calls the submission runs them
TIMEOUT = 20.0
CALLER = """
import importlib.util, json, sys
with open(sys.argv[2]) as file:
    request = json.load(file)
print("motifidelity: the submission begins", flush=True)
spec = importlib.util.spec_from_file_location("submission", request["inputs"]["model"])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
open("/out/progress.jsonl", "w").close()
module.build_model(None)
"""
LONG = {"timeout": 60.0, "cpus": 1.0}
SOON = {"timeout": TIMEOUT, "cpus": 1.0}
CASES = {
    "fork_bomb": Case("timeout", "longer than 20 s", "fork refused", {**SOON, "pids": 64}),
    "endless_loop": Case("timeout", "longer than 20 s", "looping", SOON),
    "ignore_sigterm": Case("timeout", "longer than 20 s", "deaf", SOON),
    # where the kernel forbids ptrace, the submission waits in vain and ends alike
    "kill_parent": Case("timeout", "longer than 20 s", "held", SOON),
    "memory_hog": Case("oom", "more than 1.5 GiB of memory; raise --memory", limits=LONG),
    "endless_output": Case("model_error", "printed more than 8 MiB", limits=LONG),
    "fill_disk_one_file": Case("invalid_output", "more than 64 MiB in the output", limits=LONG),
    "fill_disk_many_files": Case("invalid_output", "more than 256 files in the", limits=LONG),
    "fill_disk_unseen": Case("invalid_output", "wrote more than 128 MiB", limits=LONG),
    "folder_maze": Case("invalid_output", "'d' in the output folder is a folder", limits=LONG),
    "network_client": Case("model_error", "reached: nothing"),
    "path_reader": Case("model_error", "secrets: none"),
    "writer": Case("model_error", "written: nothing"),
    "symlink_output": Case("invalid_output", "a symbolic link"),
    "pipe_output": Case("invalid_output", "not a regular file"),
    "hostile_progress": Case("model_error", "exit status 1 and left no message"),
    "pickle_output": Case("invalid_output", "history.json: not JSON"),
    "zip_bomb_output": Case("model_error", "the frozen network cannot be read"),
    "daemonise": Case("invalid_output", "missing"),
    "forge_scores": Case("invalid_output", "unexpected files"),
    "claim_infrastructure": Case("model_error", "the disk is full"),
    "patch_worker": Case("ok", ""),
    "honest": Case("ok", ""),
}


@dataclass
class Host:
    """What the host hides, and what would show that a submission got out."""

    secret: str
    listener: socket.socket
    calls: list
    addresses: list
    tokens: set
    passwords: str

    @property
    def port(self):
        return self.listener.getsockname()[1]


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    secret = f"planted-secret-{secrets.token_hex(8)}"
    os.environ["HOST_PASSWORD"] = secret
    planted = [
        tmp_path_factory.mktemp("truth") / "labels.npy",
        Path(tempfile.gettempdir()) / f"other-{secrets.token_hex(4)}.py",
        Path.home() / f".token-{secrets.token_hex(4)}",
    ]
    for path in planted:
        path.write_text(secret)
    listener = socket.create_server(("0.0.0.0", 0))
    calls = []

    def listen():
        while True:
            try:
                calls.append(listener.accept()[1])
            except OSError:
                return

    threading.Thread(target=listen, daemon=True).start()
    addresses = [
        address.address
        for group in psutil.net_if_addrs().values()
        for address in group
        if address.family == socket.AF_INET
    ]
    yield Host(secret, listener, calls, addresses, set(planted), _passwords())
    listener.close()
    del os.environ["HOST_PASSWORD"]
    for path in planted:
        path.unlink()


def _passwords():
    return hashlib.sha256(Path("/etc/passwd").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def ran(request, run_one, host, engine, image, policy, tmp_path_factory):
    """All chosen submissions, four at a time, so that each has the others for neighbours."""
    from motifidelity.containers.runner import DockerExecutor

    chosen = [
        item.callspec.params["name"]
        for item in request.session.items
        if item.module is request.module and hasattr(item, "callspec")
    ]
    parameters = {"network_client": {"hosts": ",".join(host.addresses), "port": host.port}}

    caller = tmp_path_factory.mktemp("caller")
    (caller / "__init__.py").touch()
    (caller / "__main__.py").write_text(CALLER)

    def attack(name):
        started = time.monotonic()
        executor = None
        if limits := CASES[name].limits:
            executor = DockerExecutor(engine, image, replace(policy, **limits), worker=caller)
        done = run_one(HOSTILE / f"{name}.py", executor=executor, params=parameters.get(name))
        return done, time.monotonic() - started

    with ThreadPoolExecutor(4) as pool:
        yield {n: pool.submit(attack, n) for n in dict.fromkeys([*chosen, "honest"])}


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_submission_comes_to_the_right_end(name, ran, policy):
    done, seconds = ran[name].result()
    case = CASES[name]
    assert done.outcome.status == done.row["status"] == case.status, done.row["message"]
    assert case.message in (done.row["message"] or "")
    assert case.traceback in (done.row["traceback"] or "")
    assert seconds < 2 * (case.limits.get("timeout", policy.timeout) + GRACE)
    if case.status == "timeout":
        assert done.row["seconds_fit"] < TIMEOUT + GRACE
    for text in (done.row["message"], done.row["traceback"]):
        assert all(c.isprintable() or c in "\n\t" for c in text or "")


def test_what_a_submission_can_read_is_its_own_inputs(ran):
    message = ran["path_reader"].result()[0].row["message"]
    inputs = set(re.findall(r"'(/(?:in|out)/[^']+)'", message))
    assert inputs == {
        "/in/model/path_reader.py",
        "/in/request.json",
        "/in/x_train/x_train.npy",
        "/in/x_valid/x_valid.npy",
        "/in/y_train/y_train.npy",
        "/in/y_valid/y_valid.npy",
        "/out/progress.jsonl",
    }
    assert int(re.search(r"read (\d+)", message)[1]) > 300


def test_nobody_was_called(ran, host):
    ran["network_client"].result()
    assert host.calls == []
    # and it would have been heard
    socket.create_connection(("127.0.0.1", host.port), timeout=5).close()
    deadline = time.monotonic() + 5
    while not host.calls and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(host.calls) == 1


def test_progress_that_would_crash_or_deface_the_display_is_dropped(ran):
    for _, event in ran["hostile_progress"].result()[0].events:
        # what a phase printed has lines, and goes into its log alone
        lines = "\n\t" if event["event"] == "output" else ""
        texts = [v for v in event.values() if isinstance(v, str)]
        assert all(c.isprintable() or c in lines for text in texts for c in text)
        assert all(isinstance(v, int | float | str) for v in event.values())


def test_a_patched_worker_changes_nothing_that_is_scored(ran, run_one, tmp_path):
    from motifidelity.executors.process import ProcessExecutor
    from motifidelity.runs.phases import probe_phase, read_probe
    from motifidelity.scoring.truth import present_classes

    done = ran["patch_worker"].result()[0]
    tables = done.registry.tables()
    # the history is the submission's own word; the scores are not
    assert (tables.history["val_auroc"] == 1.0).all()
    scores = tables.scores.set_index(["metric", "method", "target"])["value"]
    assert scores.loc["auroc"].mean() < 0.75
    files = done.registry.network(done.outcome.result_id)
    phase = probe_phase(run_one.truth, files["graph"], files["network"], tmp_path)
    assert ProcessExecutor().run(phase, lambda _: None).status == "ok"
    again = present_classes(run_one.truth, read_probe(run_one.truth, phase.out).arrays)
    stored = done.registry.arrays(done.outcome.result_id)
    assert stored.keys() == again.keys()
    np.testing.assert_allclose(stored["logits"], again["logits"], rtol=1e-4, atol=1e-5)


def test_the_host_and_its_neighbours_are_unharmed(ran, run_one, host, containers, engine):
    from motifidelity.scratch import PREFIX, owner

    for name in ran:
        ran[name].result()
    assert containers(**{"motifidelity.owner": owner()}) == set()
    assert list(Path(tempfile.gettempdir()).glob(f"{PREFIX}{owner()}-*")) == []
    assert engine.client.volumes.list(filters={"dangling": True}) == []
    assert _passwords() == host.passwords
    assert all(path.read_text() == host.secret for path in host.tokens)
    assert not Path("/tmp/motifidelity-pickle-went-off").exists()
    assert "987.25" not in {part for p in psutil.process_iter() for part in _command(p)}
    alone = run_one(HOSTILE / "honest.py")
    beside = ran["honest"].result()[0]
    one, other = (r.registry.arrays(r.outcome.result_id) for r in (alone, beside))
    assert one.keys() == other.keys()
    np.testing.assert_allclose(one["logits"], other["logits"], rtol=1e-4, atol=1e-5)


def _command(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []
