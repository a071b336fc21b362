"""What networks can do, as the front page and a model's page show it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from motifidelity.leaderboard.page import Material
from motifidelity.leaderboard.tables.capabilities import (
    MODEL,
    in_order,
    over_tasks,
    suite,
)
from motifidelity.leaderboard.tables.order import in_order as tasks_in_order
from motifidelity.leaderboard.text import DASH, clip, parse_params, shorten
from motifidelity.metrics.headlines import CAPABILITIES, shown_capabilities
from motifidelity.tasks.spec import TaskSpec, known_specs

# rows of a table of the front page; the file and the command have all
MOST_ROWS = 12
NOT_RUN = "not run"

Row = Mapping[Any, Any]


@dataclass(frozen=True)
class Figure:
    """A cell: text, and the length of its bar in percent ("" for none)."""

    text: str
    bar: str = ""


@dataclass(frozen=True)
class CapabilityRow:
    """A model, or a task, with its figures."""

    name: str
    href: str
    sub: str
    figures: tuple[Figure, ...]
    counts: bool = False


@dataclass(frozen=True)
class CapabilityTable:
    """A table of figures.

    Attributes
    ----------
    name : str
        Of the task; "" over all tasks.
    told : str
        What each figure is there.
    headings : tuple of str
        Capabilities.
    rows : tuple of CapabilityRow
    left : int
        Rows that are not shown.
    """

    name: str
    told: str
    headings: tuple[str, ...]
    rows: tuple[CapabilityRow, ...]
    left: int = 0


@dataclass(frozen=True)
class Capabilities:
    """The section of the front page.

    Attributes
    ----------
    means : CapabilityTable
        Over the suite's tasks.
    tasks : tuple of CapabilityTable
        Of every task with a result.
    missing : tuple of str
        Tasks of the suite that no network has run.
    number : int
        Tasks of the suite.
    """

    means: CapabilityTable
    tasks: tuple[CapabilityTable, ...]
    missing: tuple[str, ...]
    number: int


def front_capabilities(material: Material, frame: pd.DataFrame) -> Capabilities | None:
    """The front page's tables; None where no task has such figures.

    Parameters
    ----------
    material : Material
    frame : DataFrame
        As `standings.standings` returns it.
    """
    table = material.capabilities
    if not (table["kind"] == "model").any():
        return None
    about = frame.set_index("run")[["model", "activation", "told", "href"]].to_dict("index")
    networks = in_order(over_tasks(table))
    first = table.drop_duplicates(list(MODEL)).set_index(list(MODEL))["run"]
    known = [name for name in CAPABILITIES if networks[name].notna().any()]
    rows = networks[networks[known].notna().any(axis=1)] if known else networks.iloc[:0]
    if not (rows["kind"] == "model").any():
        rows = rows.iloc[:0]
    means = CapabilityTable(
        "",
        "",
        CAPABILITIES,
        tuple(
            _row(
                row,
                about[first[tuple(row[name] for name in MODEL)]],
                CAPABILITIES,
                f"ran {row['ran']}",
            )
            for row in rows.head(MOST_ROWS).to_dict("records")
        ),
        max(len(rows) - MOST_ROWS, 0),
    )
    specs = suite()
    there = set(table.loc[table["kind"] == "model", "task"])
    tasks = tuple(
        _of_task(known_specs()[name], in_order(table[table["task"] == name]), about)
        for name in tasks_in_order(there)
    )
    missing = tuple(spec.id for spec in specs if spec.id not in there)
    return Capabilities(means, tasks, missing, len(specs))


def model_capabilities(trials: pd.DataFrame, material: Material) -> CapabilityTable | None:
    """A model's figures, a row a task; None where it has none.

    Parameters
    ----------
    trials : DataFrame
        The model's rows of `Summary.trials`.
    material : Material
    """
    table = material.capabilities
    table = table[table["run"].isin(trials["run"])]
    if table.empty:
        return None
    of_suite, ran = {spec.id for spec in suite()}, set(table["task"])
    rows = []
    for name in tasks_in_order(of_suite | ran):
        mine = table[table["task"] == name].to_dict("records")
        rows += [
            CapabilityRow(name, "", row["flagged"], _figures(row, CAPABILITIES)) for row in mine
        ] or [CapabilityRow(name, "", NOT_RUN, _nothing())]
    if of_suite & ran:
        for row in over_tasks(table).to_dict("records"):
            figures = _figures(row, CAPABILITIES)
            rows.append(CapabilityRow("all tasks", "", f"ran {row['ran']}", figures))
    return CapabilityTable("", "", CAPABILITIES, tuple(rows))


def _of_task(
    spec: TaskSpec, table: pd.DataFrame, about: Mapping[Any, Mapping[Any, Any]]
) -> CapabilityTable:
    asked = shown_capabilities(spec.headlines)
    told = "; ".join(
        f"{name}: {' and '.join(one.label.strip() for one in scores)}"
        for name, scores in asked.items()
    )
    networks = table[table["kind"] == "model"]
    shown = pd.concat([networks.head(MOST_ROWS), table[table["kind"] != "model"]])
    return CapabilityTable(
        spec.id,
        told,
        tuple(asked),
        tuple(
            _row(row, about[row["run"]], tuple(asked), row["flagged"])
            for row in shown.to_dict("records")
        ),
        max(len(networks) - MOST_ROWS, 0),
    )


def _row(row: Row, about: Row, names: Sequence[str], said: str) -> CapabilityRow:
    activation, _ = parse_params(str(row["params"]))
    sub = ", ".join(filter(None, (clip(activation or "", 40), about["told"], said)))
    return CapabilityRow(
        shorten(row["model"], 40),
        about["href"],
        shorten(sub, 120),
        _figures(row, names),
        row["kind"] != "model",
    )


def _figures(row: Row, names: Iterable[str]) -> tuple[Figure, ...]:
    return tuple(_figure(float(row[name])) for name in names)


def _figure(value: float) -> Figure:
    if not math.isfinite(value):
        return Figure(DASH)
    return Figure(f"{value:z.2f}", f"{100 * min(max(value, 0.0), 1.0):.0f}")


def _nothing() -> tuple[Figure, ...]:
    return (Figure(DASH),) * len(CAPABILITIES)
