"""What networks can do, as the front page and a model's page show it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from motifidelity.leaderboard.abilities import COLUMNS
from motifidelity.leaderboard.page import Material
from motifidelity.leaderboard.pages.metric import metric_path
from motifidelity.leaderboard.tables.capabilities import MODEL, in_order, over_tasks, suite
from motifidelity.leaderboard.tables.order import in_order as tasks_in_order
from motifidelity.leaderboard.tables.rows import run_anchor
from motifidelity.leaderboard.text import DASH, clip, parse_params, percent, shorten
from motifidelity.metrics.headlines import CAPABILITIES, Capability, shown_capabilities
from motifidelity.tasks.spec import find_spec

# rows of a table of the front page; the file and the command have all
MOST_ROWS = 12
NOT_RUN = "not run"
MEANT: Mapping[Capability, str] = {
    "Predicts": "Does it tell which sequences are of a class, or how strong one is?",
    "Filters": "Do its first-layer filters hold the motifs that were implanted?",
    "Maps": "Do its attribution maps point at the sites that were implanted?",
    "Effects": "Does it know what a site does, and what a change of a letter does?",
    "Rules": "Do the rules hold in it by which sites act together, or work against each other?",
    "Robust": "Does it still tell where sequences are drawn otherwise than those of its training?",
}
"""What each figure asks."""

Row = Mapping[Any, Any]


@dataclass(frozen=True)
class Figure:
    """A cell: text, the length of its bar in percent and a sibling's place ("" for none)."""

    text: str
    bar: str = ""
    ghost: str = ""


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
    rows : tuple of CapabilityRow
    left : int
        Rows that are not shown.
    """

    rows: tuple[CapabilityRow, ...]
    left: int = 0


@dataclass(frozen=True)
class ToldTask:
    """The scores that show each capability on a task: what each is called, and its page."""

    name: str
    scores: tuple[tuple[Capability, tuple[tuple[str, str], ...]], ...]


@dataclass(frozen=True)
class Capabilities:
    """The section of the front page.

    Attributes
    ----------
    means : CapabilityTable
        Over the suite's tasks.
    told : tuple of ToldTask
        What the figures are, in every task whose specification is known.
    missing : tuple of str
        Tasks of the suite that no network has run.
    number : int
        Tasks of the suite.
    """

    means: CapabilityTable
    told: tuple[ToldTask, ...]
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
    networks = frame[frame["kind"] == "model"]
    if not networks[list(COLUMNS)].notna().any(axis=None):
        return None
    table = material.capabilities
    about = frame.set_index("run")[["model", "activation", "told", "href"]].to_dict("index")
    every = in_order(over_tasks(table))
    first = table.drop_duplicates(list(MODEL)).set_index(list(MODEL))["run"]
    known = [name for name in CAPABILITIES if every[name].notna().any()]
    rows = every[every[known].notna().any(axis=1)] if known else every.iloc[:0]
    if not (rows["kind"] == "model").any():
        rows = rows.iloc[:0]
    means = CapabilityTable(
        tuple(
            _row(row, about[first[tuple(row[name] for name in MODEL)]])
            for row in rows.head(MOST_ROWS).to_dict("records")
        ),
        max(len(rows) - MOST_ROWS, 0),
    )
    specs = suite()
    there = set(table.loc[table["kind"] == "model", "task"])
    missing = tuple(spec.id for spec in specs if spec.id not in there)
    return Capabilities(means, _told(frame), missing, len(specs))


def _told(frame: pd.DataFrame) -> tuple[ToldTask, ...]:
    """What the figures of the tasks are of which a run has any."""
    known = frame[frame[list(COLUMNS)].notna().any(axis=1)]
    return tuple(
        ToldTask(
            name,
            tuple(
                (capability, tuple((one.label.strip(), metric_path(one.metric)) for one in scores))
                for capability, scores in shown_capabilities(find_spec(name).headlines).items()
            ),
        )
        for name in tasks_in_order(known["task"])
    )


def model_capabilities(rows: Sequence[Row], beside: Mapping[str, Row]) -> CapabilityTable | None:
    """A model's figures, a row a task; None where it has none.

    Parameters
    ----------
    rows : sequence of mapping
        The model's runs of the full profile, of `standings.standings`.
    beside : mapping of str to mapping
        By run, the row of its sibling (`siblings.siblings`), whose figures are marked.
    """
    known = [row for row in rows if any(math.isfinite(row[column]) for column in COLUMNS)]
    if not known:
        return None
    found = []
    for name in tasks_in_order({spec.id for spec in suite()} | {row["task"] for row in known}):
        mine = [row for row in known if row["task"] == name]
        found += [
            CapabilityRow(
                name,
                f"#{run_anchor(row['run'])}",
                row["flagged"],
                _figures_of(row, beside.get(row["run"])),
            )
            for row in mine
        ] or [CapabilityRow(name, "", NOT_RUN, _nothing())]
    return CapabilityTable(tuple(found))


def _row(row: Row, about: Row) -> CapabilityRow:
    activation, _ = parse_params(str(row["params"]))
    told = (clip(activation or "", 40), about["told"], f"ran {row['ran']}")
    sub = ", ".join(filter(None, told))
    return CapabilityRow(
        shorten(row["model"], 40),
        about["href"],
        shorten(sub, 120),
        _figures(row),
        row["kind"] != "model",
    )


def _figures(row: Row) -> tuple[Figure, ...]:
    return tuple(_figure(float(row[name])) for name in CAPABILITIES)


def _figures_of(row: Row, other: Row | None) -> tuple[Figure, ...]:
    return tuple(
        _figure(row[column], math.nan if other is None else other[column]) for column in COLUMNS
    )


def _figure(value: float, ghost: float = math.nan) -> Figure:
    if not math.isfinite(value):
        return Figure(DASH)
    return Figure(f"{value:z.2f}", percent(value), percent(ghost))


def _nothing() -> tuple[Figure, ...]:
    return (Figure(DASH),) * len(CAPABILITIES)
