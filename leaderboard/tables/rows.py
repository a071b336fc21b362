"""A row of a board: one run, with its badges, its coverage and its cells."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from motifidelity.entries import DIVISION, FLOOR_NETWORKS, OPEN, RIVALS
from motifidelity.leaderboard.tables.cells import Cell, make_cell
from motifidelity.leaderboard.tables.columns import Column
from motifidelity.leaderboard.text import clip, parse_params, shorten, slug
from motifidelity.metrics.gates import FLAGGED
from motifidelity.summary.inputs import MetricInfo
from motifidelity.summary.names import RunName
from motifidelity.summary.rivals import NOT_ABOVE, not_above_counting
from motifidelity.summary.stats import Stats
from motifidelity.summary.verdicts import flagged

_COUNTING = "a regression on 6-mer counts"


@dataclass(frozen=True)
class Mark:
    """A badge on a row, with its meaning."""

    label: str
    title: str


@dataclass(frozen=True)
class RunLink:
    """A run as it is called, and its page."""

    name: str
    activation: str
    href: str

    @property
    def label(self) -> str:
        """Name and activation."""
        return f"{self.name} {self.activation}".strip()


def run_link(row: Mapping[Hashable, Any], *, beside: int = 40, activation: int = 30) -> RunLink:
    """A row of `standings.standings`, with what tells like-named runs apart in its name.

    What is longer than ``beside`` and ``activation`` letters is cut.
    """
    return RunLink(
        name=f"{shorten(row['model'], 30)} {shorten(row['beside'], beside)}".strip(),
        activation=shorten(row["activation"], activation),
        href=str(row["href"]),
    )


@dataclass(frozen=True)
class Row:
    """One run. `sort` fields are raw values for the sorter, "" for none."""

    run: str
    rank: str
    name: str
    title: str
    href: str
    digest: str
    activation: str
    parameters: str
    when: str
    beside: str
    coverage: str
    num_ok: int
    num_trials: int
    reference: bool
    marks: tuple[Mark, ...]
    cells: tuple[Cell, ...]
    paper_cells: tuple[Cell, ...]

    @property
    def label(self) -> str:
        """Name, activation and what tells it from others in short, for figures."""
        parts = (shorten(self.name, 16), shorten(self.activation, 16), shorten(self.beside, 24))
        return " ".join(filter(None, parts))


def make_row(
    run: str,
    trials: pd.DataFrame,
    columns: tuple[Column, ...],
    families: set[str],
    stats: Stats,
    metrics: Mapping[str, MetricInfo],
    name: RunName,
    more: Sequence[Mark] = (),
) -> Row:
    """The row of one run.

    Parameters
    ----------
    run : str
        Its key.
    trials : DataFrame
        Its rows of `Summary.trials`.
    columns : tuple of Column
        The board's columns.
    families : set of str
        Families of which the board has any score at all.
    stats : Stats
        As `index_stats` returns them.
    metrics : Mapping of str to MetricInfo
        The declared metrics.
    name : RunName
        What it is called beside the board's other runs.
    more : sequence of Mark
        Of the run's scores (`score_marks`).

    Returns
    -------
    Row
        With no rank yet.
    """
    counted = trials[trials["counted"]]
    last = counted.iloc[-1]
    num_ok, num_trials = int((counted["status"] == "ok").sum()), len(counted)
    activation, _ = parse_params(str(last["params"]))
    finished = counted[counted["status"] == "ok"]
    no_filters = num_ok > 0 and bool((finished["num_filters"].fillna(-1) == 0).all())

    def cells(paper: bool) -> tuple[Cell, ...]:
        return tuple(
            make_cell(
                stats,
                run,
                column,
                metrics,
                absent=_absent(column, num_ok, no_filters, families),
                paper=paper,
            )
            for column in columns
        )

    return Row(
        run=run,
        rank="",
        name=shorten(last["model"]) or "unnamed",
        title=clip(last["model"], 300),
        href=f"models/{page_name(last)}",
        digest=shorten(last["model_digest"], 8),
        activation=shorten(activation, 30),
        parameters=shorten(", ".join(name.parameters_but("activation")), 80),
        when=name.when,
        beside=" ".join(name.beside),
        coverage=coverage(num_ok, num_trials),
        num_ok=num_ok,
        num_trials=num_trials,
        reference=last["division"] == DIVISION or last["model"] in FLOOR_NETWORKS,
        marks=marks(last, more),
        cells=cells(paper=False),
        paper_cells=cells(paper=True),
    )


def _absent(column: Column, num_ok: int, no_filters: bool, families: set[str]) -> str:
    """Why a cell has no score."""
    if not num_ok:
        return "no trial has finished"
    if no_filters and column.family in {"filters", "localisation"} and not column.muted:
        return "not applicable: the model has no convolution"
    if column.family not in families:
        return f"this task has no {column.family} score"
    return "not scored"


def coverage(num_ok: int, num_trials: int) -> str:
    """How many trials a mean covers: a bare number when none has failed."""
    if num_ok == num_trials:
        return str(num_trials)
    return f"{num_ok} of {num_trials} {'trial' if num_trials == 1 else 'trials'} ok"


def score_marks(trials: pd.DataFrame, stats: Stats) -> Mapping[str, tuple[Mark, ...]]:
    """What is said of runs by their scores: gates that they are past, what does not beat counting.

    Parameters
    ----------
    trials : DataFrame
        As `Summary.trials`.
    stats : Stats

    Returns
    -------
    mapping of str to tuple of Mark
        By run.
    """
    below = not_above_counting(trials, stats)
    found = {}
    for run, task in trials[["run", "task"]].drop_duplicates().itertuples(index=False):
        mine = []
        if past := flagged(str(task), stats, str(run)):
            title = "; ".join(f"past a bound of its task: {gate.label}" for gate in past)
            mine.append(Mark(FLAGGED, f"{title}; scores that hang on it are not ranked"))
        if names := below.get(run):
            title = f"{' and '.join(names)}: the lower end of the 95% interval is not above "
            mine.append(Mark(NOT_ABOVE, title + _COUNTING))
        found[str(run)] = tuple(mine)
    return found


def marks(job: pd.Series, more: Sequence[Mark] = ()) -> tuple[Mark, ...]:
    """The badges of a run, from any of its jobs, and those of its scores."""
    found = []
    if job["division"] == DIVISION and job["model"] in RIVALS:
        return (Mark("rival", "no network: what counting letters of the training data does"),)
    if job["division"] == DIVISION:
        return (Mark("reference", "no network: a ceiling or a floor to read the others against"),)
    if job["model"] in FLOOR_NETWORKS:
        found.append(Mark("floor", "a network that cannot know the motifs: never ranked"))
    if job["division"] == OPEN:
        found.append(Mark("open", "open division: not, or not only, trained by the task's recipe"))
    if job["isolation"] != "container":
        found.append(Mark("no container", "run with no container: isolation was not enforced"))
    if job["backend"] != "tensorflow":
        found.append(Mark(clip(job["backend"], 20), "the network ran on this backend of Keras"))
    return (*found, *more)


def run_anchor(run: str) -> str:
    """Where a model's page tells of one of its runs."""
    return f"run-{run[:12]}"


def page_name(job: pd.Series) -> str:
    """File name of the page of a job's model and parameters."""
    activation, _ = parse_params(str(job["params"]))
    return slug(f"{job['model']} {activation or ''}", str(job["model_key"])) + ".html"
