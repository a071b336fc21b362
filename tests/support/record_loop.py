"""Records tiny results one after the other: ``record_loop.py LOCATION FIRST COUNT``.

Prints the id of each job once its result is recorded, and nothing that is not.
"""

from __future__ import annotations

import sys

from registry_rows import result

from motifidelity.registry import Registry


def job_id(number):
    return f"{number:024x}"


def main(location, first, count):
    registry = Registry(location)
    for number in range(first, first + count):
        registry.record(result(job_id(number), value=number / 1e4))
        print(job_id(number), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
