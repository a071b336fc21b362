"""Small files without end, to use up the inodes."""

import itertools


def build_model(task):
    for number in itertools.count():
        with open(f"/out/{number}", "wb") as file:
            file.write(b"x")
