"""What a submission, its network and its answers may be.

One list for all who ask: the worker before it trains, ``bench check``, ``bench run --dry-run`` and
the host that reads what came back.
"""

from __future__ import annotations

import re

# the file
FILE_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_. -]{0,74}[A-Za-z0-9_.-])?\.py")
MAX_MODEL_BYTES = 1 << 20
MAX_NAME = 80
MAX_TEXT = 300
# the network
MAX_FILTERS = 4096
MAX_GRAPH_BYTES = 512 << 20
# squares of logits and of maps stay finite in single precision
MAX_MAGNITUDE = 1e18
# what it may leave in the folder that it runs in, which is thrown away
SCRATCH_BYTES = 1 << 30
# what a trial keeps between epochs, at a time and in all: an output folder has room for two
MAX_KEPT_BYTES = 512 << 20
MAX_KEPT_WRITTEN = 2 << 30
KEPT = "training.npz"
# weights that were trained elsewhere; some files hold the optimiser's state too
MAX_WEIGHTS_BYTES = 1 << 30
# what the worker says of it
MAX_JSON_BYTES = 4 << 20
MAX_REASON = 200

IN_WORDS = (
    f"file: at most {MAX_MODEL_BYTES >> 20} MiB; a name of letters, digits, _ - . and spaces that "
    "ends in .py, at most 79 characters",
    f"network: at most {MAX_FILTERS:,} filters in its scan, {MAX_GRAPH_BYTES >> 20} MiB frozen",
    f"given weights: a file of at most {MAX_WEIGHTS_BYTES >> 30} GiB",
    f"logits and maps: finite, at most {MAX_MAGNITUDE:g} in size",
    f"working folder: at most {SCRATCH_BYTES >> 30} GiB, thrown away after training",
)
