#!{python} -IS
"""Plays ``bench`` and ``python``: asks the server for a warm process, and ends as that does.

What no warm process is needed for runs as always.
"""

import json
import os
import socket
import sys

PYTHON, SOCKET = "{python}", "{socket}"
MODULES = ("motifidelity.worker", "motifidelity.regress.reader")


def main():
    name = os.path.basename(sys.argv[0])
    if name != "bench" and not (sys.argv[1:2] == ["-m"] and sys.argv[2] in MODULES):
        os.execv(PYTHON, [PYTHON, *sys.argv[1:]])
    wanted = {
        "command": [name, *sys.argv[1:]],
        "folder": os.getcwd(),
        "environment": dict(os.environ),
        "python": os.path.join(os.path.dirname(os.path.realpath(sys.argv[0])), "python"),
    }
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.connect(SOCKET)
        # the streams travel with the first byte
        message = json.dumps(wanted).encode() + b"\n"
        socket.send_fds(server, [message[:1]], [0, 1, 2])
        server.sendall(message[1:])
        status = server.recv(16)
    return int(status or 1)


# a signal's number is negative: shells say 128 more than it
code = main()
sys.exit(code if code >= 0 else 128 - code)
