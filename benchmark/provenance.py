"""Where a result comes from: machine, versions, code."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

# what a build from a checkout leaves in the package: its commit, and whether it was changed
STAMP = "built_from.json"

PACKAGES = ("motifidelity", "tensorflow", "keras", "numpy", "scikit-learn", "memelite", "pyjaspar")

# recorded where they are there
OPTIONAL = ("jax", "torch")


@dataclass(frozen=True)
class Code:
    """The harness that ran: its commit, whether it was changed since, the worker's digest."""

    commit: str | None
    dirty: bool | None
    worker_digest: str


@cache
def environment() -> str:
    """Canonical JSON of the machine and of the versions that can move a score."""
    import psutil

    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "not installed"
    for package in OPTIONAL:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    return json.dumps(
        {
            "python": platform.python_version(),
            "packages": versions,
            "os": f"{platform.system()} {platform.release()}",
            "machine": platform.machine(),
            "cpu": _cpu_model(),
            "cores": os.cpu_count(),
            "memory": psutil.virtual_memory().total,
        },
        sort_keys=True,
    )


@cache
def code() -> Code:
    """Commit and state of the working tree that the package runs from, or was built from."""
    found = checkout()
    if found["commit"] is None:
        with contextlib.suppress(FileNotFoundError):
            stamp = Path(__file__).parent / STAMP
            found = {**found, **json.loads(stamp.read_text(encoding="utf-8"))}
    return Code(found["commit"], found["dirty"], worker_digest())


def checkout() -> dict[str, Any]:
    """Commit of the checkout that this file is in, and whether it was changed; None in none."""
    folder = Path(__file__).parent
    commit = _git(folder, "rev-parse", "HEAD")
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no") if commit else None
    return {"commit": commit, "dirty": None if changed is None else bool(changed)}


@cache
def worker_digest() -> str:
    """SHA-256 over the worker's files, by name: the code that runs beside a submission."""
    digest = hashlib.sha256()
    folder = Path(__file__).parent / "worker"
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder).as_posix()
        digest.update(f"{name}\n".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _git(folder: Path, *arguments: str) -> str | None:
    """Output of git in the package's own checkout; None where it is installed elsewhere."""
    try:
        top = subprocess.run(
            ["git", "-C", str(folder), "ls-files", "--error-unmatch", Path(__file__).name],
            capture_output=True,
            timeout=10,
        )
        if top.returncode:
            return None
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
