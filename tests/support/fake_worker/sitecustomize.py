"""A worker that trains nothing, for tests of where phases run: put this folder on PYTHONPATH.

Every Python that starts imports this. One that starts as the worker answers a phase within
``FAKE_WORKER_SECONDS`` with files from ``FAKE_WORKER_TEMPLATE``, which a real worker wrote. With
``FAKE_WORKER_BUSY`` these are seconds of processor time. The job's seed goes into what it writes,
so that mixed-up answers would show, and a line about each phase into ``FAKE_WORKER_DIARY``. A model
file that says REALLY gets the real worker; one that says KILL ends the process that started it.
"""

import os
import sys

WORKER = ["-m", "motifidelity.worker"]
NETWORK = b"a network of seed "
SECONDS = float(os.environ.get("FAKE_WORKER_SECONDS", "0.2"))


def main(phase, request_file):
    import json
    import shutil
    import signal
    from pathlib import Path

    import numpy as np

    request = json.loads(Path(request_file).read_text())
    out, inputs = Path(request["out"]), request["inputs"]
    text = Path(inputs["model" if phase == "fit" else "graph"]).read_bytes()
    if b"REALLY" in text or (phase == "probe" and not text.startswith(NETWORK)):
        return
    if b"KILL" in text:
        os.kill(os.getppid(), signal.SIGKILL)
    if diary := os.environ.get("FAKE_WORKER_DIARY"):
        line = json.dumps(
            {
                "phase": phase,
                "pid": os.getpid(),
                "cores": sorted(os.sched_getaffinity(0)),
                "threads": os.environ.get("OMP_NUM_THREADS"),
                "seconds": SECONDS,
                "gpu": os.environ.get("CUDA_VISIBLE_DEVICES"),
            }
        )
        with Path(diary).open("a") as file:
            file.write(line + "\n")
    shutil.copytree(Path(os.environ["FAKE_WORKER_TEMPLATE"]) / phase, out, dirs_exist_ok=True)
    with (out / "progress.jsonl").open("w", buffering=1) as report:
        for epoch in (1, 2):
            event = {"event": "epoch", "epoch": epoch, "of": 2, "seconds": SECONDS / 2}
            report.write(json.dumps(event) + "\n")
            spend(SECONDS / 2)
    print(f"{phase} is done", flush=True)
    if phase == "fit":
        seed = request["seed"]
        (out / "graph.pb").write_bytes(NETWORK + str(seed).encode())
        summary = json.loads((out / "history.json").read_text())
        summary["history"][0]["loss"] = float(seed)
        (out / "history.json").write_text(json.dumps(summary))
    else:
        seed = int(text.removeprefix(NETWORK))
        logits = np.load(out / "logits.npy")
        moved = logits + np.random.default_rng(seed).normal(0, 0.1, logits.shape).astype("<f4")
        np.save(out / "logits.npy", moved)
    sys.stdout.flush()
    os._exit(0)


def spend(seconds):
    import time

    if not os.environ.get("FAKE_WORKER_BUSY"):
        time.sleep(seconds)
        return
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


if sys.orig_argv[1:3] == WORKER:
    main(*sys.orig_argv[3:5])
