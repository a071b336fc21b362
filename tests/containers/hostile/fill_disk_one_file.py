"""One file that grows; where the kernel stops it, one more."""

import itertools


def build_model(task):
    for number in itertools.count():
        try:
            with open(f"/out/big{number}", "wb", buffering=0) as file:
                while True:
                    file.write(b"x" * (1 << 20))
        except OSError as error:
            print(error, flush=True)
