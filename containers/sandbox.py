"""The sandbox in the engine's words: a container's options, and the files that it is given."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
from pathlib import Path
from typing import Any

from motifidelity import worker as worker_package
from motifidelity.containers.engine import labels
from motifidelity.containers.policy import Policy
from motifidelity.phase.interface import SHARED_GPU, Phase

HARNESS = "/opt/harness"
WORKER = Path(worker_package.__file__ or "").parent
GPU_VARIABLES = {
    **SHARED_GPU,
    "CUDA_CACHE_PATH": "/tmp/cuda",
    "MOTIFIDELITY_NEEDS_GPU": "1",
}


def create_options(policy: Policy, phase: str) -> dict[str, Any]:
    """The policy in the engine's words, for a container of any phase."""
    from docker.types import LogConfig, Ulimit

    threads = str(max(1, round(policy.cpus)))
    processor_seconds = math.ceil(policy.timeout * math.ceil(policy.cpus)) + 60
    return {
        "network_mode": policy.network,
        "read_only": policy.read_only_root,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "init": policy.init,
        "user": policy.user,
        "mem_limit": policy.memory,
        "memswap_limit": policy.memory,
        "nano_cpus": int(policy.cpus * 1e9),
        "pids_limit": policy.pids,
        "tmpfs": {"/tmp": f"rw,noexec,nosuid,nodev,size={policy.tmp},mode=1777"},
        "shm_size": policy.shm,
        "ipc_mode": "private",
        "ulimits": [
            Ulimit(name="nofile", soft=policy.open_files, hard=policy.open_files),
            Ulimit(name="fsize", soft=policy.output_bytes, hard=policy.output_bytes),
            Ulimit(name="core", soft=0, hard=0),
            # the last resort, should bench be killed: the host's clock is the limit
            Ulimit(name="cpu", soft=processor_seconds, hard=processor_seconds),
        ],
        # a stranger's output fills no log: it is read as it comes
        "log_config": LogConfig(type=LogConfig.types.NONE),
        "healthcheck": {"test": ["NONE"]},
        "hostname": "sandbox",
        "working_dir": "/tmp",
        "stdin_open": False,
        "tty": False,
        # a proxy's address in the engine's settings may hold a password
        "use_config_proxy": False,
        "labels": labels(phase=phase),
        "environment": {
            "PYTHONPATH": HARNESS,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "HOME": "/tmp",
            "KERAS_HOME": "/tmp/keras",
            "KERAS_BACKEND": "tensorflow",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "OMP_NUM_THREADS": threads,
            "TF_NUM_INTRAOP_THREADS": threads,
            "TF_NUM_INTEROP_THREADS": threads,
        },
    }


def stage(phase: Phase, worker: Path, user: str) -> list[Any]:
    """Lay out what a phase may see, and return its mounts: inputs one by one, and the output."""
    from docker.types import Mount

    work = phase.out.parent
    staged = work / f"{phase.name}-stage"
    staged.mkdir()
    shutil.copytree(worker, staged / "worker", ignore=shutil.ignore_patterns("__pycache__"))
    seen, sources = {}, {}
    for name, path in phase.inputs.items():
        source = path
        if work not in path.parents:
            source = staged / name
            shutil.copyfile(path, source)
        source.chmod(0o444)
        seen[name] = f"/in/{name}/{_safe(path.name)}"
        sources[seen[name]] = source
    request = staged / "request.json"
    request.write_text(json.dumps({**phase.settings, "inputs": seen, "out": "/out"}))
    sources["/in/request.json"] = request
    sources[f"{HARNESS}/motifidelity/worker"] = staged / "worker"
    for path in (staged / "worker", *(staged / "worker").rglob("*"), request):
        path.chmod(0o755 if path.is_dir() else 0o444)
    uid, _, gid = user.partition(":")
    if os.getuid() == 0 and int(uid):
        os.chown(phase.out, int(uid), int(gid))
    mounts = [
        Mount(target, str(source), type="bind", read_only=True)
        for target, source in sources.items()
    ]
    return [*mounts, Mount("/out", str(phase.out), type="bind")]


def _safe(name: str) -> str:
    """File name that any shell, log and mount can carry."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name) or "file"
