"""What works on this machine, and what mends the rest: one line a check."""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from motifidelity.errors import UserError

if TYPE_CHECKING:
    from motifidelity.containers.engine import Engine

OK, OFF, BROKEN = "ok", "off", "broken"
PYTHON = ((3, 11), (3, 13))
FREE_BYTES = 2 << 30


@dataclass(frozen=True)
class Check:
    """One line of the screen.

    Attributes
    ----------
    name : str
    state : str
        ``ok``, ``off`` (an option that is not there) or ``broken``.
    detail : str
    mend : str
        The command that mends it; empty where it works.
    """

    name: str
    state: str
    detail: str
    mend: str = ""


def examine(registry: Path | str) -> Iterator[Check]:
    """Check everything that a run may need, cheapest first; nothing is changed."""
    yield _python()
    yield _tensorflow()
    yield _cache()
    yield _registry(registry)
    from motifidelity.containers.engine import EngineError, connect

    try:
        engine = connect()
    except EngineError as error:
        yield _no_docker(error)
        for name in ("cgroups", "image", "GPU runtime"):
            yield Check(name, OFF, "needs the Docker daemon")
        return
    yield _docker(engine)
    yield _cgroups(engine)
    yield _image(engine)
    yield _gpu(engine)


def _python() -> Check:
    found = platform.python_version()
    low, high = PYTHON
    if low <= tuple(int(n) for n in found.split(".")[:2]) <= high:
        return Check("Python", OK, found)
    return Check("Python", BROKEN, f"{found}; 3.11 to 3.13 are supported", "uv python install 3.12")


def _tensorflow() -> Check:
    """Versions, and that it loads: in a process of its own, since a broken one may crash."""
    import sys

    program = "import tensorflow as tf, keras; print(tf.__version__, keras.__version__)"
    try:
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=120
        )
    except subprocess.TimeoutExpired:
        return Check("TensorFlow", BROKEN, "does not load within two minutes", _REINSTALL)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it does not load"])[-1]
        return Check("TensorFlow", BROKEN, last[:120], _REINSTALL)
    version, keras = done.stdout.split()[-2:]
    return Check("TensorFlow", OK, f"{version}, Keras {keras}")


_CGROUPS = (
    """sudo sed -i 's/^GRUB_CMDLINE_LINUX="/&cgroup_enable=memory swapaccount=1 /' """
    "/etc/default/grub && sudo update-grub && sudo reboot"
)
_REINSTALL = "pip install --force-reinstall motifidelity"


def _cache() -> Check:
    from motifidelity.tasks.dataset import CACHE_VARIABLE, cache_folder

    folder = cache_folder()
    return _folder("cache", folder, f"export {CACHE_VARIABLE}=FOLDER")


def _registry(location: Path | str) -> Check:
    from motifidelity.registry import Registry

    try:
        registry = Registry(location)
        if registry.local and not registry.folder.exists():
            parent = registry.folder.resolve().parent
            check = _folder("registry", parent, "bench run --registry FOLDER")
            return check if check.state != OK else Check("registry", OK, f"{location} (none yet)")
        registry.prepare()
        number = len(registry.jobs())
    except UserError as error:
        return Check("registry", BROKEN, str(error), "bench run --registry FOLDER")
    return Check("registry", OK, f"{location}, {number} job{'s' if number != 1 else ''}")


def _folder(name: str, folder: Path, mend: str) -> Check:
    import os

    there = folder
    while not there.exists():
        there = there.parent
    if not os.access(there, os.W_OK):
        return Check(name, BROKEN, f"{folder}: cannot be written", mend)
    free = shutil.disk_usage(there).free
    if free < FREE_BYTES:
        return Check(name, BROKEN, f"{folder}: {free >> 20} MiB free, 2 GiB are needed", mend)
    return Check(name, OK, f"{folder}, {free >> 30} GiB free")


def _no_docker(error: UserError) -> Check:
    reason = str(error).partition(";")[0]
    if "permission" in reason:
        return Check("Docker", BROKEN, reason, "sudo usermod -aG docker $USER && newgrp docker")
    if shutil.which("dockerd") is None:
        return Check("Docker", OFF, "not installed", "sudo apt-get install docker.io")
    return Check("Docker", OFF, reason, "sudo systemctl start docker")


def _docker(engine: Engine) -> Check:
    import docker

    served = engine.client.version().get("ApiVersion", "?")
    detail = (
        f"engine {engine.info.get('ServerVersion')}, API {served}, SDK {docker.__version__}, "
        f"{engine.info.get('NCPU')} CPUs{', rootless' if engine.rootless else ''}"
    )
    return Check("Docker", OK, detail)


def _cgroups(engine: Engine) -> Check:
    version = f"version {engine.info.get('CgroupVersion', '?')}"
    if missing := engine.unenforced():
        return Check(
            "cgroups",
            BROKEN,
            f"{version}; not enforced: {', '.join(missing)}",
            _CGROUPS,
        )
    return Check("cgroups", OK, f"{version}; memory, swap, pids, CPU and system calls are limited")


def _image(engine: Engine) -> Check:
    from motifidelity.containers import images

    found = images.list_images(engine)
    current = [image for image in found if image.current and image.name != "(replaced)"]
    if current:
        return Check("image", OK, ", ".join(f"{i.name} ({i.id[7:19]})" for i in current))
    detail = f"{len(found)} of another version" if found else "none is built"
    return Check("image", OFF, detail, "bench image build")


def _gpu(engine: Engine) -> Check:
    """Ask for a GPU in earnest where an image is there; otherwise by what the engine says."""
    from dataclasses import replace

    from motifidelity.containers import gpu, images
    from motifidelity.containers.policy import Policy

    smi = _quiet(["nvidia-smi", "-L"])
    runtime = "nvidia" in (engine.info.get("Runtimes") or {}) or bool(
        engine.info.get("CDISpecDirs") and list(Path("/etc/cdi").glob("nvidia*"))
    )
    built = [i for i in images.list_images(engine) if i.accelerator == "gpu" and i.current]
    if smi is None and not runtime:
        return Check("GPU runtime", OFF, "no NVIDIA driver and no NVIDIA runtime here")
    if not runtime:
        return Check(
            "GPU runtime",
            BROKEN,
            "a driver is there, but the Docker engine has no NVIDIA runtime",
            "sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker",
        )
    if not built:
        return Check("GPU runtime", OFF, "no GPU image is built", "bench image build --gpu")
    request = gpu.GpuRequest(count=-1)
    policy = replace(Policy(), user=engine.user(), cpus=1.0)
    try:
        facts = gpu.preflight(engine, built[0], request, policy)
    except UserError as error:
        return Check("GPU runtime", BROKEN, str(error), "nvidia-smi")
    names = ", ".join(device.name for device in facts.devices)
    return Check("GPU runtime", OK, f"driver {facts.driver}, CUDA {facts.cuda}: {names}")


def _quiet(arguments: list[str]) -> str | None:
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def screen(checks: Iterator[Check], say: Callable[[str], None]) -> bool:
    """Print the checks as they come; True when nothing is broken."""
    good = True
    for check in checks:
        good &= check.state != BROKEN
        say(f"{check.state:<7} {check.name:<12} {check.detail}")
        if check.mend:
            say(f"{'':<7} {'':<12} mend it: {check.mend}")
    return good
