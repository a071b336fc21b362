"""The batch script at work: SLURM and Apptainer are played by three small scripts, Ray is real."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import psutil
import pytest
from warm_fixtures import PYTHON

from motifidelity.machine.clusters import Allocation, slurm
from motifidelity.registry import Registry

BENCH = Path(__file__).parents[1] / "support" / "small_bench.py"
# what comes before the command is for the scheduler and for the container
SCRIPTS = {
    # it still writes when a reader of one line has gone
    "scontrol": "echo {ip}; sleep 1; echo other-node",
    "srun": 'while [[ $1 == --* ]]; do shift; done; exec "$@"',
    "apptainer": "for name in ${{!APPTAINERENV_@}}; do "
    'export "${{name#APPTAINERENV_}}=${{!name}}"; done; '
    'while [[ $1 != *.sif ]]; do shift; done; shift; exec "$@"',
    "bench": 'exec {python} {bench} "$@"',
}


@pytest.fixture
def machine(tmp_path, fake_worker):
    """Environment in which the scripts are found; Ray's own command comes from this Python."""
    ray = pytest.importorskip("ray") if not os.environ.get("CI") else __import__("ray")
    values = {
        "ip": ray.util.get_node_ip_address(),
        "python": PYTHON,
        "bench": BENCH,
    }
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in SCRIPTS.items():
        (folder / name).write_text(f"#!/bin/bash\n{text.format(**values)}\n")
        (folder / name).chmod(0o755)
    return {
        **os.environ,
        **fake_worker,
        "PATH": f"{folder}:{Path(PYTHON).parent}:{os.environ['PATH']}",
        "SLURM_JOB_ID": str(free_port() - 20_000),
        "SLURM_JOB_NODELIST": "node[1-2]",
        "RAY_USAGE_STATS_ENABLED": "0",
    }


def free_port():
    """A port in the range that the script takes one from."""
    for port in range(31_000, 32_000):
        with socket.socket() as attempt:
            try:
                attempt.bind(("", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")


def test_the_batch_script_brings_ray_up_runs_the_plan_and_leaves_nothing(machine, model, tmp_path):
    line = ("run", "--model", str(model), "--trials", "3", "--registry", "results")
    line += ("--memory", "256m")
    script = slurm(line, Allocation(2, 1, memory="3g"), image="motifidelity.sif")
    (tmp_path / "job.sh").write_text(script)
    done = subprocess.run(
        ["bash", "job.sh"], cwd=tmp_path, env=machine, capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 0, done.stdout + done.stderr
    jobs = Registry(tmp_path / "results").jobs()
    assert list(jobs["status"]) == ["ok"] * 3
    assert set(jobs["runner"]) == {"ray"}
    port = f":{20_000 + int(machine['SLURM_JOB_ID'])}"
    left = [p for p in psutil.process_iter(["cmdline"]) if ours(p.info["cmdline"], port)]
    # what Ray was told to end may take a moment; a node that stays would stay for good
    assert psutil.wait_procs(left, timeout=30)[1] == []


def ours(command, port):
    return any(word.endswith(port) for word in command or ())
