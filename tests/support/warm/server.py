"""Processes that start warm: what takes seconds to import is imported once, then forked.

``python server.py SOCKET OWNER`` listens there until the process OWNER ends. A client (`client.py`)
sends what a process shall be: working directory, environment, arguments, standard streams. The
process is a fork of the server that takes over all of them, and ends when its client does.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import random
import runpy
import select
import signal
import socket
import sys
import traceback
from pathlib import Path

# what `bench` and its worker import
PRELOADED = (
    *("keras", "pandas", "pyarrow.parquet", "duckdb", "scipy.stats", "sklearn.metrics"),
    *("memelite", "h5py", "jinja2", "docker", "rich.progress", "pyjaspar", "markdown_it"),
    *(
        "small_tasks",
        "motifidelity.runs.run",
        "motifidelity.cli.scores",
        "motifidelity.report.draw",
        "motifidelity.summary.query",
        "motifidelity.worker.probing.attribution",
    ),
)
MESSAGE_LIMIT = 1 << 20
# a process with this in its environment has small tasks
SMALL = "WARM_SMALL_TASKS"


def main(path: str, owner: int) -> None:
    """Serve; returns in the server when it ends, and in a fork when it has played its part."""
    # who starts it may be kept to one core, and who comes later is not
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    for name in PRELOADED:
        importlib.import_module(name)
    compile_templates()
    importlib.import_module("small_tasks").SHARED = Path(path).parent / "references"
    # what is there already is never looked at, and so never copied
    gc.freeze()
    ended = os.pidfd_open(owner)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # a client that sees the socket can reach it
    server.bind(f"{path}.new")
    server.listen(64)
    Path(f"{path}.new").rename(path)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while ended not in select.select([server, ended], [], [])[0]:
        connection, _ = server.accept()
        if os.fork() == 0:
            server.close()
            return attend(connection)
        connection.close()


def compile_templates() -> None:
    """Compile what pages are drawn with."""
    from motifidelity.leaderboard.site import make_environment

    templates = make_environment()
    for name in templates.list_templates():
        templates.get_template(name)


def attend(connection: socket.socket) -> None:
    """Start the process that the client asks for, tell the client its status, end it with it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    message, streams, *_ = socket.recv_fds(connection, MESSAGE_LIMIT, 3)
    while not message.endswith(b"\n"):
        message += connection.recv(MESSAGE_LIMIT)
    child = os.fork()
    if child == 0:
        connection.close()
        return become(json.loads(message), streams)
    for stream in streams:
        os.close(stream)
    ended = os.pidfd_open(child)
    if ended not in select.select([connection, ended], [], [])[0]:
        os.killpg(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    connection.sendall(str(status).encode())


def become(wanted: dict, streams: list[int]) -> None:
    """Be the process: ``bench ARGUMENTS`` or ``python -m MODULE ARGUMENTS``."""
    import numpy as np

    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(n, m, 1) for n, m in enumerate("rww"))
    os.chdir(wanted["folder"])
    os.environ.clear()
    os.environ.update(wanted["environment"])
    # of a process that is started with -m the first place to look in is its folder
    sys.path[0] = wanted["folder"]
    random.seed()
    np.random.seed()  # noqa: NPY002 - what submissions draw from
    if SMALL in os.environ:
        importlib.import_module("small_tasks").install()
    name, *arguments = wanted["command"]
    if name == "bench":
        from motifidelity.cli import main as bench

        sys.argv, sys.executable = wanted["command"], wanted["python"]
        bench()
    elif on_another_backend(arguments):
        os.execv(sys.executable, [sys.executable, *arguments])
    else:
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)


def on_another_backend(arguments: list[str]) -> bool:
    """Whether a worker needs a backend that Keras was not imported with."""
    _, module, *rest = arguments
    if module != "motifidelity.worker":
        return False
    request = json.loads(Path(rest[1]).read_text())
    return request.get("backend", "tensorflow") != "tensorflow"


def quit_at_once(code: int | str | None) -> None:
    """End this process; to take TensorFlow down would first copy all of its memory."""
    if isinstance(code, str):
        print(code, file=sys.stderr)
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    try:
        main(sys.argv[1], int(sys.argv[2]))
    except SystemExit as ended:
        quit_at_once(ended.code)
    except Exception:
        traceback.print_exc()
        quit_at_once(1)
    quit_at_once(None)
