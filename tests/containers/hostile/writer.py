"""Write where nothing may be written."""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def wrote(path):
    with open(path, "w") as file:
        file.write("-1000")  # a lower number is what a process may not give itself


def call(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), "refused")


def attempts(model):
    places = ["/", "/etc", "/usr", "/opt", "/opt/harness/motifidelity/worker", "/root", "/var/tmp"]
    places += ["/in", "/in/model", "/dev", "/sys", "/sys/fs/cgroup", "/proc", "/run", "/home"]
    for place in places:
        yield place, lambda p=place: wrote(os.path.join(p, "planted"))
    for path in (
        "/etc/passwd",
        "/proc/sys/kernel/hostname",
        "/proc/sys/kernel/core_pattern",
        "/proc/sysrq-trigger",
        "/proc/1/mem",
        "/proc/1/oom_score_adj",
        "/sys/kernel/profiling",
        "/opt/harness/motifidelity/worker/__main__.py",
        "/in/request.json",
        model,
    ):
        yield path, lambda p=path: wrote(p)
    yield "chmod", lambda: os.chmod(model, 0o777)
    yield "unlink", lambda: os.unlink(model)
    yield "rename", lambda: os.rename(model, "/tmp/mine")
    yield "setuid", lambda: os.setuid(0)
    yield "chroot", lambda: os.chroot("/tmp")
    yield "mknod", lambda: os.mknod("/tmp/disk", 0o60666, os.makedev(8, 0))
    yield "mount", lambda: call(libc.mount(b"none", b"/tmp", b"tmpfs", 0, None))
    yield "remount", lambda: call(libc.mount(b"none", b"/in/request.json", b"", 4128, None))
    yield "unshare", lambda: call(libc.unshare(0x10000000))
    yield "execute", lambda: execute("/tmp/tool")


def execute(path):
    with open(path, "w") as file:
        file.write("#!/bin/sh\nexit 0\n")
    os.chmod(path, 0o755)
    os.posix_spawn(path, [path], {})


def build_model(task):
    done = []
    for name, attempt in attempts(__file__):
        try:
            attempt()
        except OSError:
            continue
        done.append(name)
    raise RuntimeError(f"written: {done or 'nothing'}")
