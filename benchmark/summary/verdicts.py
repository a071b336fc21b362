"""Which networks pass the gates of their task, trial by trial."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from motifidelity.entries import DIVISION
from motifidelity.errors import UserError
from motifidelity.metrics.gates import GATES
from motifidelity.summary.query import Query, Source, answer
from motifidelity.tasks.spec import find_spec

if TYPE_CHECKING:
    import pandas as pd

TRIAL = ("task", "profile", "model", "params", "backend", "trial")
COLUMNS = (*TRIAL, "gate", "figure", "bound", "verdict")


def gates(source: Source, query: Query) -> pd.DataFrame:
    """Every gate of every finished trial of a network.

    Parameters
    ----------
    source : Source
    query : Query
        Its filters of jobs say which trials.

    Returns
    -------
    DataFrame
        `COLUMNS`: ``figure`` and ``bound`` are nan where there is none; ``verdict`` is ``ok``,
        ``flagged`` or ``not recorded``.

    Raises
    ------
    UserError
        If the query names something unknown.
    """
    import pandas as pd

    asked = dataclasses.replace(query, per_trial=True, columns=(), sort=(), status=("ok",))
    found = answer(source, asked)
    found = found[found["division"] != DIVISION]
    rows = []
    for key, mine in found.groupby(["result_id", *TRIAL], sort=False, dropna=False):
        scores = {
            (row["metric"], row["method"] if isinstance(row["method"], str) else None): row["value"]
            for row in mine.to_dict("records")
        }
        bounds = _bounds(str(key[1]))
        for name, gate in GATES.items():
            figure, bound = scores.get((gate.metric, gate.method)), bounds.get(name)
            rows.append((*key[1:], gate.label, figure, bound, gate.verdict(figure, bound)))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.astype({"figure": float, "bound": float})


def _bounds(task: str) -> dict[str, float]:
    """Bounds of a task; none of one that this version does not know."""
    try:
        return dict(find_spec(task).gates)
    except UserError:
        return {}
