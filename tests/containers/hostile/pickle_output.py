"""A pickle that runs code where a result is expected."""

import os
import pickle


class Bomb:
    def __reduce__(self):
        return os.system, ("touch /tmp/motifidelity-pickle-went-off",)


def build_model(task):
    for name in ("graph.pb", "network.json", "history.json"):
        with open(f"/out/{name}", "wb") as file:
            pickle.dump(Bomb(), file)
    os._exit(0)
