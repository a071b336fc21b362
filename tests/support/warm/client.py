#!{python} -IS
"""Plays ``bench`` and ``python``: asks the server for a warm process, and ends as that does.

The first one that needs the server starts it. What no warm process is needed for runs as always,
and so does what brings modules of its own (PYTHONPATH).
"""

import json
import os
import socket
import sys
import time

PYTHON, SOCKET, SERVER, OWNER = "{python}", "{socket}", "{server}", "{owner}"
MODULES = ("motifidelity.worker", "motifidelity.regress.reader")
START_SECONDS = 300


def main():
    name = os.path.basename(sys.argv[0])
    worker = sys.argv[1:2] == ["-m"] and sys.argv[2] in MODULES
    if name != "bench" and (not worker or "PYTHONPATH" in os.environ):
        os.execv(PYTHON, [PYTHON, *sys.argv[1:]])
    wanted = {
        "command": [name, *sys.argv[1:]],
        "folder": os.getcwd(),
        "environment": dict(os.environ),
        "python": os.path.join(os.path.dirname(os.path.realpath(sys.argv[0])), "python"),
    }
    with reach() as server:
        # the streams travel with the first byte
        message = json.dumps(wanted).encode() + b"\n"
        socket.send_fds(server, [message[:1]], [0, 1, 2])
        server.sendall(message[1:])
        status = server.recv(16)
    return int(status or 1)


def reach():
    """A connection to the server, started where it does not run yet."""
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        found.connect(SOCKET)
    except OSError:
        start()
        found.connect(SOCKET)
    return found


def start():
    import fcntl
    import subprocess

    with open(SOCKET + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(SOCKET):
            return
        # libraries read a number of threads when they are loaded; a fork's own comes too late
        kept = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
        mine = {
            "PYTHONPATH": os.path.dirname(os.path.dirname(SERVER)),
            "KERAS_BACKEND": "tensorflow",
            "CUDA_VISIBLE_DEVICES": "-1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        with open(SOCKET + ".log", "w") as log:
            server = subprocess.Popen(
                [PYTHON, SERVER, SOCKET, OWNER],
                env={**kept, **mine},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + START_SECONDS
        while not os.path.exists(SOCKET):
            if server.poll() is not None or time.monotonic() > until:
                sys.exit(f"the warm server did not start; see {SOCKET}.log")
            time.sleep(0.05)


# a signal's number is negative: this process ends by the same one
code = main()
if code < 0:
    os.kill(os.getpid(), -code)
sys.exit(code if code >= 0 else 128 - code)
