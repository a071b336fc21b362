"""Which networks pass the gates of their task, trial by trial."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from motifidelity.entries import DIVISION
from motifidelity.errors import UserError
from motifidelity.metrics.declare import all_metrics
from motifidelity.metrics.gates import FLAGGED, GATES, Gate, Verdict
from motifidelity.summary.query import Query, Source, answer
from motifidelity.summary.stats import Stats
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
            (row["metric"], row["method"] if isinstance(row["method"], str) else ""): row["value"]
            for row in mine.to_dict("records")
        }
        rows += [
            (*key[1:], one.gate.label, one.figure, one.bound, one.verdict)
            for one in judge(str(key[1]), scores)
        ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.astype({"figure": float, "bound": float})


@dataclasses.dataclass(frozen=True)
class Judged:
    """What a trial's figure says of a gate.

    Attributes
    ----------
    gate : Gate
    figure, bound : float or None
        None where there is none.
    """

    gate: Gate
    figure: float | None
    bound: float | None

    @property
    def verdict(self) -> Verdict:
        """``ok``, ``flagged`` or ``not recorded``."""
        return self.gate.verdict(self.figure, self.bound)


def judge(task: str, scores: Mapping[tuple[str, str], float]) -> list[Judged]:
    """Every gate beside what a trial has.

    Parameters
    ----------
    task : str
        Its bounds count.
    scores : mapping of (str, str) to float
        The trial's, by metric and method, "" where it has none.
    """
    bounds = bounds_of(task)
    return [
        Judged(gate, scores.get((gate.metric, gate.method or "")), bounds.get(name))
        for name, gate in GATES.items()
    ]


def flagged(task: str, stats: Stats, run: str) -> tuple[Gate, ...]:
    """The gates of its task that a trial of a run is past.

    Parameters
    ----------
    task : str
    stats : Stats
        As `index_stats` returns them.
    run : str
    """
    keys = [(gate.metric, gate.method or "") for gate in GATES.values()]
    known = {key: stat for key in keys if (stat := stats.get((run, *key, "")))}
    figures = {key: [v for v, _, _ in stat.by_trial.values()] for key, stat in known.items()}
    return gates_past(task, figures)


def gates_past(task: str, figures: Mapping[tuple[str, str], Iterable[float]]) -> tuple[Gate, ...]:
    """The gates of a task that any of a run's figures is past.

    Parameters
    ----------
    task : str
    figures : mapping of (str, str) to iterable of float
        By metric and method, "" where it has none: the values over trials.
    """
    bounds = {GATES[name]: bound for name, bound in bounds_of(task).items()}
    return tuple(
        gate
        for gate, bound in bounds.items()
        if any(
            gate.verdict(figure, bound) == FLAGGED
            for figure in figures.get((gate.metric, gate.method or ""), ())
        )
    )


def barred(gates: Iterable[Gate], metric: str, method: str) -> bool:
    """Whether a network that is flagged by these gates is not ranked by a score."""
    declared = all_metrics().get(metric)
    return declared is not None and any(
        gate.bars_score(declared.family, method or None) for gate in gates
    )


def bounds_of(task: str) -> dict[str, float]:
    """Bounds of a task; none of one that this version does not know."""
    try:
        return dict(find_spec(task).gates)
    except UserError:
        return {}
