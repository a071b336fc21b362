"""GPUs without one: the request as the engine gets it, its refusal in one line, and the plumbing.

What needs a device is not shown here: that a kernel runs, and that rows name a real GPU.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from pathlib import Path

import pytest

from motifidelity.containers.gpu import Gpu, GpuPool, GpuRequest, explain, preflight, read_facts
from motifidelity.errors import UserError

UUID = "GPU-8a56a4bc-0184-a047-2620-0a4d0c1ad3b1"
OTHER = "GPU-1e0d2b3c-9c41-4f0e-8d55-77aa00bb11cc"


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("none", None),
        ("0", None),
        ("all", GpuRequest(-1)),
        ("2", GpuRequest(2)),
        (UUID, GpuRequest(uuids=(UUID,))),
        (f"{UUID}, {OTHER}", GpuRequest(uuids=(UUID, OTHER))),
    ],
)
def test_gpus_are_asked_for_by_number_or_uuid(text, request_):
    assert GpuRequest.parse(text) == request_


@pytest.mark.parametrize("text", ["", "some", "-1", "1.5", "GPU-", f"{UUID},1", "all,1"])
def test_anything_else_is_refused(text):
    with pytest.raises(UserError, match="write all, a number, or UUIDs"):
        GpuRequest.parse(text)


@pytest.mark.parametrize(
    ("request_", "count", "ids"),
    [
        (GpuRequest(-1), -1, None),
        (GpuRequest(2), 2, None),
        (GpuRequest(uuids=(UUID,)), 0, [UUID]),
    ],
)
def test_the_engine_is_told_the_request(request_, count, ids, engine, image, policy):
    from motifidelity.containers.sandbox import create_options

    options = {**create_options(policy, "fit"), **request_.options()}
    container = engine.client.containers.create(image.id, "true", **options)
    try:
        container.reload()
        [told] = container.attrs["HostConfig"]["DeviceRequests"]
    finally:
        container.remove(force=True)
    assert (told["Count"], told["DeviceIDs"] or None) == (count, ids)
    assert told["Capabilities"] == [["gpu", "compute", "utility"]]


def test_without_a_runtime_the_refusal_is_one_line_with_the_remedy(engine, image, policy):
    if "nvidia" in engine.info.get("Runtimes", {}) or shutil.which("nvidia-container-runtime-hook"):
        pytest.skip("this engine has an NVIDIA runtime")
    with pytest.raises(UserError, match="the Docker engine has no NVIDIA runtime") as refused:
        preflight(engine, image, GpuRequest(-1), policy)
    text = str(refused.value)
    assert text.startswith("--gpus all: ")
    assert "nvidia-ctk runtime configure --runtime=docker" in text
    assert "\n" not in text


def test_a_run_that_asks_for_a_gpu_never_starts_on_the_cpu(engine, image, tmp_path):
    if "nvidia" in engine.info.get("Runtimes", {}):
        pytest.skip("this engine has an NVIDIA runtime")
    model = tmp_path / "model.py"
    model.write_text("def build_model(task): ...\n")
    program = "import sys; from motifidelity.cli import main; main()"
    line = [sys.executable, "-c", program, "run", "--model", str(model), "--runner", "docker"]
    line += ["--registry", str(tmp_path / "registry"), "--cpus", "1", "--gpus", "all"]
    done = subprocess.run([*line, "--image", image.name], capture_output=True, text=True)
    assert done.returncode == 2
    refusal = [line for line in done.stderr.splitlines() if line.startswith("bench: ")]
    assert len(refusal) == 1
    assert "has no NVIDIA runtime" in refusal[0]
    assert not (tmp_path / "registry").exists()


def test_the_check_in_the_container_names_what_is_missing(engine, image, policy):
    from motifidelity.containers import gpu
    from motifidelity.containers.images import run_trusted

    with pytest.raises(UserError, match="nvidia-smi is not there"):
        run_trusted(engine, image, policy, gpu.program_for("tensorflow"))


def test_a_worker_that_sees_no_gpu_refuses_to_go_on(monkeypatch):
    from motifidelity.worker import __main__ as worker

    worker._require_gpu()
    monkeypatch.setenv(worker.NEEDS_GPU, "1")
    with pytest.raises(RuntimeError, match="a GPU was asked for, but TensorFlow sees none"):
        worker._require_gpu()


def said(*uuids, visible=None):
    found = {
        "smi": [[u, "NVIDIA A100", "550.54", "40960"] for u in uuids],
        "visible": len(uuids) if visible is None else visible,
        "cuda": "12.5",
        "cudnn": "9",
    }
    return f"some warning\nPREFLIGHT {json.dumps(found)}\n"


def test_facts_name_driver_cuda_and_devices():
    facts = read_facts(said(UUID, OTHER), GpuRequest(-1))
    assert json.loads(facts.to_json()) == {
        "driver": "550.54",
        "cuda": "12.5",
        "cudnn": "9",
        "devices": [
            {"uuid": UUID, "name": "NVIDIA A100", "memory_mib": 40960},
            {"uuid": OTHER, "name": "NVIDIA A100", "memory_mib": 40960},
        ],
    }


@pytest.mark.parametrize(
    ("text", "request_", "message"),
    [
        (said(UUID), GpuRequest(2), "--gpus 2: 1 can be used here; ask for fewer"),
        (said(UUID, visible=0), GpuRequest(-1), "--gpus all: 0 can be used here"),
        (said(OTHER), GpuRequest(uuids=(UUID,)), f"{UUID} did not answer"),
        ("nothing", GpuRequest(-1), "said nothing"),
    ],
)
def test_a_request_that_is_met_in_part_is_refused(text, request_, message):
    with pytest.raises(UserError, match=message):
        read_facts(text, request_)


def test_an_unknown_device_is_named():
    error = RuntimeError(
        "OCI runtime create failed: nvidia-container-cli: device error: GPU-0: unknown device"
    )
    assert "no such GPU; 'nvidia-smi -L' lists them" in str(explain(error, GpuRequest(-1)))


@pytest.mark.parametrize(("jobs", "size"), [(1, 2), (2, 2), (5, 5)])
def test_more_jobs_than_devices_share_them_evenly(jobs, size):
    pool = GpuPool(tuple(Gpu(uuid, "A100", 40960) for uuid in (UUID, OTHER)), jobs)
    assert pool.size == size
    with contextlib.ExitStack() as stack:
        given = [stack.enter_context(pool.borrow()).uuid for _ in range(size)]
    assert given == [UUID, OTHER, UUID, OTHER, UUID][:size]


def test_jobs_spread_over_the_devices():
    pool = GpuPool(tuple(Gpu(uuid, "A100", 40960) for uuid in (UUID, OTHER)))
    order, held = [], threading.Barrier(3, timeout=10)

    def phase():
        with pool.borrow() as device:
            order.append(device.uuid)
            held.wait()

    threads = [threading.Thread(target=phase) for _ in range(2)]
    for thread in threads:
        thread.start()
    while len(order) < 2:
        time.sleep(0.01)
    assert sorted(order) == sorted([UUID, OTHER])
    late = threading.Thread(target=lambda: order.append(pool.borrow().__enter__().uuid))
    late.start()
    time.sleep(0.2)
    assert len(order) == 2  # it waits
    held.wait()
    late.join(timeout=10)
    assert len(order) == 3


@pytest.fixture(scope="module")
def stubbed(engine, unavailable):
    """A private engine with a stub of NVIDIA's hook on its path, and a tiny image."""
    import docker

    if os.getuid() or shutil.which("dockerd") is None:
        unavailable("a private dockerd needs root and the program")
    home = Path(tempfile.mkdtemp(prefix="gpu-"))
    hook = home / "bin" / "nvidia-container-runtime-hook"
    hook.parent.mkdir()
    # the state of the container comes on standard input
    hook.write_text(f'#!/bin/sh\n{{ echo "$@"; cat; echo; }} >> {home}/calls\n')
    hook.chmod(0o755)
    log = (home / "log").open("wb")
    process = subprocess.Popen(
        [
            # a network of its own: without a bridge the engine would delete the other engine's
            *("unshare", "--net", "dockerd"),
            *("--data-root", home / "data", "--exec-root", home / "exec"),
            *("--pidfile", home / "pid", "--host", f"unix://{home}/sock"),
            *("--bridge", "none", "--iptables=false", "--ip-forward=false"),
        ],
        stdout=log,
        stderr=log,
        env={**os.environ, "PATH": f"{hook.parent}:{os.environ['PATH']}"},
    )
    client = None
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                client = docker.DockerClient(f"unix://{home}/sock")
                break
            except Exception:
                if time.monotonic() > deadline or process.poll() is not None:
                    pytest.fail(f"no private engine: {(home / 'log').read_text()[-500:]}")
                time.sleep(0.2)
        client.api.import_image_from_data(tiny_image(), repository="tiny", tag="1")
        yield client, home / "calls"
    finally:
        if client is not None:
            client.close()
        process.terminate()
        process.wait(timeout=30)
        log.close()
        shutil.rmtree(home, ignore_errors=True)


def tiny_image():
    """A shell and the libraries it needs, from this machine, as a tar archive."""
    shell = Path("/bin/sh").resolve()
    listed = subprocess.run(["ldd", shell], capture_output=True, text=True).stdout
    files = {"/bin/sh": shell}
    for word in listed.split():
        if word.startswith("/"):
            files[word] = Path(word).resolve()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for folder in ("tmp", "proc", "sys", "dev", "etc"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        for name, path in files.items():
            content = path.read_bytes()
            entry = tarfile.TarInfo(name.lstrip("/"))
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("request_", "visible"),
    [(GpuRequest(-1), "all"), (GpuRequest(uuids=(UUID, OTHER)), f"{UUID},{OTHER}")],
)
def test_the_runtime_is_called_and_the_container_sees_its_devices(
    request_, visible, stubbed, policy
):
    from motifidelity.containers.sandbox import create_options

    client, calls = stubbed
    calls.unlink(missing_ok=True)
    options = {**create_options(policy, "fit"), **request_.options()}
    options.pop("log_config")
    options["entrypoint"] = ["/bin/sh", "-c"]
    say = 'echo "$NVIDIA_VISIBLE_DEVICES $NVIDIA_DRIVER_CAPABILITIES"'
    container = client.containers.create("tiny:1", [say], **options)
    try:
        container.start()
        assert container.wait(timeout=60)["StatusCode"] == 0
        seen, capabilities = container.logs().decode().split()
    finally:
        container.remove(force=True)
    assert seen == visible
    assert set(capabilities.split(",")) == {"compute", "utility"}
    hooked = calls.read_text()
    assert hooked.startswith("prestart\n")
    assert container.id in hooked
