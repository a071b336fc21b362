"""Tables of what networks can do: six figures a task, and their means over tasks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from motifidelity.entries import CLOSED
from motifidelity.leaderboard.tables.capabilities import capability_table, in_order, over_tasks
from motifidelity.leaderboard.text import parse_params
from motifidelity.metrics.headlines import CAPABILITIES, shown_capabilities
from motifidelity.report.markdown import head, line, number
from motifidelity.report.task_scores import TaskScores, label_of
from motifidelity.summary.runs import gather_scores, mark_trials
from motifidelity.summary.stats import index_stats

NOTHING_YET = "*No network has run it yet.*"


def capabilities_table(found: TaskScores, name: str) -> str:
    """The figures that a task asks for, of every network; the last row is what counting gets."""
    table = in_order(_figures(found))
    if not (table["kind"] == "model").any():
        return NOTHING_YET
    asked = list(shown_capabilities(found.spec.headlines))
    lines = head([f"`{name}`", *asked])
    return "\n".join([*lines, *_lines(table, asked)])


def over_tasks_table(found: Sequence[TaskScores]) -> str:
    """The means over tasks, and which tasks a network has run, of networks that have one mean.

    What a network gets in single tasks stands in the tables of these.
    """
    specs = [one.spec for one in found]
    parts = [part for one in found if len(part := _figures(one))]
    if not parts:
        return NOTHING_YET
    table = pd.concat(parts, ignore_index=True)
    means = in_order(over_tasks(table, specs).dropna(subset=list(CAPABILITIES), how="all"))
    lines = head(["", *CAPABILITIES, "tasks run"])
    return "\n".join([*lines, *_lines(means, CAPABILITIES, "ran")])


def _figures(found: TaskScores) -> pd.DataFrame:
    trials = mark_trials(found.jobs)
    table = capability_table(trials, index_stats(gather_scores(trials, found.scores)))
    return table[(table["division"] == CLOSED) | (table["kind"] == "reference")]


def _lines(table: pd.DataFrame, names: Sequence[str], *others: str) -> Iterable[str]:
    for row in table.to_dict("records"):
        activation, parameters = parse_params(str(row["params"]))
        more = ", ".join(f"{key}={value}" for key, value in parameters)
        figures = [number(row[name]) for name in names]
        label = label_of((row["model"], activation, more))
        yield line([label, *figures, *(str(row[other]) for other in others)])
