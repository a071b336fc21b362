"""Which runs are of one network with another first activation."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from motifidelity.summary.runs import BOARD

# the study's two, beside which a network with any other activation is read
KNOWN = ("exponential", "relu")
# what two runs of one network agree in
NETWORK = (*BOARD, "division", "model", "model_digest", "parameters")
# and what they were run with: where all of it is equal only the activation differs
ALIKE = (*NETWORK, "isolation", "backend")
_BESIDE = dict(zip(KNOWN, reversed(KNOWN), strict=True))

Row = Mapping[Hashable, Any]


def siblings(frame: pd.DataFrame) -> dict[str, Row]:
    """For each run the same network with the other of the study's two activations.

    Parameters
    ----------
    frame : DataFrame
        As `standings.standings` returns it.

    Returns
    -------
    dict of str to mapping
        By run, the row of its sibling: alike in all but the activation, which is ReLU beside
        exponential and beside any other, and exponential beside ReLU.
    """
    rows = frame.to_dict("records")
    known = {(*(row[name] for name in ALIKE), row["activation"]): row for row in rows}
    found: dict[str, Row] = {}
    for row in rows:
        if row["activation"]:
            wanted = _BESIDE.get(row["activation"], "relu")
            other = known.get((*(row[name] for name in ALIKE), wanted))
            if other is not None:
                found[str(row["run"])] = other
    return found
