"""Run a command that ends when the process that started it does, even if that one is killed.

``python -I -S tether.py PARENT COMMAND...`` replaces itself by the command. It is run as a file, so
that it starts in a few milliseconds.
"""

import os
import sys

PR_SET_PDEATHSIG = 1
SIGKILL = 9


def main(parent: int, command: list[str]) -> None:
    """Ask the kernel for the signal, make sure that the parent still lives, and go on."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, SIGKILL)
        if os.getppid() != parent:
            sys.exit(1)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
