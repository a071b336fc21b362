"""All scores of one task and profile, as plain data for the template."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from motifidelity.leaderboard.figures.logo import Logo, draw_logo
from motifidelity.leaderboard.figures.scatter import Panel, draw_panels
from motifidelity.leaderboard.page import Material, Page
from motifidelity.leaderboard.pages.task import task_page_name
from motifidelity.leaderboard.tables.cells import Group, Heading, groups, heading
from motifidelity.leaderboard.tables.columns import Column, headline_columns, method_label
from motifidelity.leaderboard.tables.order import place_of
from motifidelity.leaderboard.tables.rows import Row, make_row, score_marks
from motifidelity.leaderboard.text import clip, shorten, slug, text_digest
from motifidelity.summary.inputs import MetricInfo
from motifidelity.summary.names import name_runs
from motifidelity.summary.ranks import ranking_score
from motifidelity.summary.runs import BOARD, Summary, first_of_each
from motifidelity.summary.stats import Stats
from motifidelity.tasks.spec import accuracy_of

# filters of a strip, and runs that have one
STRIP, STRIPS = 8, 12


@dataclass(frozen=True)
class Failure:
    """A result that did not end ``ok``."""

    name: str
    href: str
    activation: str
    trial: str
    status: str
    message: str
    replaced: bool


@dataclass(frozen=True)
class Strip:
    """The first filters of a run's first successful trial, by number, not by merit."""

    row: Row
    trial: str
    logos: tuple[tuple[int, Logo | None, str], ...]


@dataclass(frozen=True)
class Board:
    """One task's table of all headline scores, and what belongs to it."""

    task: str
    task_href: str
    task_digest: str
    dataset_digest: str
    profile: str
    ranked: bool
    ordered_by: str
    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    headings: tuple[Heading, ...]
    paper_headings: tuple[Heading, ...]
    rows: tuple[Row, ...]
    failures: tuple[Failure, ...]
    panels: tuple[Panel, ...]
    strips: tuple[Strip, ...]

    @property
    def any_ok(self) -> bool:
        """True when at least one trial has finished."""
        return any(row.num_ok for row in self.rows)


def board_pages(material: Material, frame: pd.DataFrame) -> Iterable[Page]:
    """A page for every task and profile."""
    summary = material.summary
    paths = board_paths(summary)
    ranked = frame if frame.empty else frame[frame["rank"].notna()]
    ranks = {str(run["run"]): int(run["rank"]) for _, run in ranked.iterrows()}
    for key, trials in summary.trials.groupby(BOARD, sort=True):

        def draw(trials: pd.DataFrame = trials) -> Mapping[str, object]:
            runs = set(trials["run"])
            scores = summary.scores[summary.scores["run"].isin(runs)]
            board = make_board(trials, scores, ranks, material)
            return {"board": board, "legend": legend(scores, material.metrics)}

        yield Page(paths[tuple(map(str, key))], "board.html", material.inputs(trials), draw)


def board_paths(summary: Summary) -> dict[tuple[str, ...], str]:
    """Where each task's board lies, by the values of `BOARD`."""
    found = summary.trials[BOARD].drop_duplicates().itertuples(index=False)
    keys = sorted(
        (tuple(map(str, key)) for key in found),
        key=lambda key: (key[3] != "full", place_of(key[0]), key),
    )
    return {
        key: f"boards/{slug(f'{key[0]} {key[3]}', text_digest(repr(key)))}.html" for key in keys
    }


def make_board(
    trials: pd.DataFrame, scored: pd.DataFrame, ranks: Mapping[str, int], material: Material
) -> Board:
    """Arrange one task's board.

    Parameters
    ----------
    trials : DataFrame
        The board's rows of `Summary.trials`.
    scored : DataFrame
        The board's rows of `Summary.scores`.
    ranks : Mapping of str to int
        The ranks that runs have on the front page, each within its division.
    material : Material

    Returns
    -------
    Board
    """
    stats, metrics = material.stats, material.metrics
    first = trials.iloc[0]
    runs = set(trials["run"])
    attribution = scored[scored["metric"].isin(["attribution_auroc", "paper_attribution_auroc"])]
    task = str(first["task"])
    columns = headline_columns(task, (str(method) for method in attribution["method"]))
    families = {
        column.family
        for column in columns
        if scored["metric"].isin([column.metric, column.paper]).any()
    }
    order = ranking_score(task, stats, sorted(runs))
    accuracy = accuracy_of(task).metric
    groups_of = [(str(run), group) for run, group in trials.groupby("run", sort=True)]
    names = name_runs(first_of_each(trials))
    said = score_marks(trials, stats)
    rows = [
        make_row(run, group, columns, families, stats, metrics, name, said.get(run, ()))
        for (run, group), name in zip(groups_of, names, strict=True)
    ]
    rows.sort(key=lambda row: _rank_key(row, stats, order, accuracy))
    ranked = first["profile"] == "full"
    if ranked:
        rows = [replace(row, rank=str(ranks.get(row.run, ""))) for row in rows]
    label, metric = _order_label(order, columns)
    return Board(
        task=clip(first["task"]),
        task_href=f"../tasks/{task_page_name(first)}",
        task_digest=shorten(first["task_digest"], 12),
        dataset_digest=shorten(first["dataset_digest"], 12),
        profile=clip(first["profile"], 20),
        ranked=ranked,
        ordered_by=f"{label} ({metric})" if label else "",
        columns=columns,
        groups=tuple(groups(columns)),
        headings=tuple(heading(column, metrics) for column in columns),
        paper_headings=tuple(heading(column, metrics, paper=True) for column in columns),
        rows=tuple(rows),
        failures=_failures(trials, rows),
        panels=draw_panels(task, stats, [(row.run, row.label) for row in rows]) if ranked else (),
        strips=_strips(trials, rows, material.filters) if ranked else (),
    )


def _order_label(order: tuple[str, str] | None, columns: Sequence[Column]) -> tuple[str, str]:
    for column in columns:
        if order == (column.metric, column.method):
            return column.label, column.metric
    return ("", "") if order is None else (method_label(order[1]), order[0])


def _rank_value(row: Row, stats: Stats, order: tuple[str, str] | None) -> float | None:
    stat = stats.get((row.run, *order, "")) if order else None
    return stat.mean if stat is not None and stat.n else None


def _rank_key(
    row: Row, stats: Stats, order: tuple[str, str] | None, metric: str
) -> tuple[object, ...]:
    value = _rank_value(row, stats, order)
    accuracy = stats.get((row.run, metric, "", ""))
    return (
        row.num_ok == 0,
        value is None,
        -(value or 0.0),
        -(accuracy.mean if accuracy is not None and accuracy.n else 0.0),
        row.name,
        row.activation,
        row.parameters,
        row.run,
    )


def _failures(trials: pd.DataFrame, rows: Sequence[Row]) -> tuple[Failure, ...]:
    by_run = {row.run: row for row in rows}
    failed = trials[trials["status"] != "ok"]
    return tuple(
        Failure(
            name=by_run[str(job["run"])].name,
            href=by_run[str(job["run"])].href,
            activation=by_run[str(job["run"])].activation,
            trial=clip(job["trial"]),
            status=clip(job["status"]),
            message=clip(job["message"], 1500) or "no message",
            replaced=not job["counted"],
        )
        for _, job in failed.iterrows()
    )


def _strips(trials: pd.DataFrame, rows: Sequence[Row], filters: pd.DataFrame) -> tuple[Strip, ...]:
    strips: list[Strip] = []
    for row in rows:
        if len(strips) == STRIPS:
            break
        ok = trials[(trials["run"] == row.run) & trials["counted"] & (trials["status"] == "ok")]
        if ok.empty or filters.empty:
            continue
        first = ok.iloc[0]
        mine = filters[
            (filters["result_id"] == first["result_id"]) & (filters["definition"] == "corrected")
        ]
        mine = mine.sort_values("filter", kind="stable").head(STRIP)
        if mine.empty:
            continue
        logos = tuple(
            (
                int(record["filter"]),
                draw_logo(record["ppm"], int(record["width"])),
                shorten(record["true_tf"], 14),
            )
            for record in mine.to_dict("records")
        )
        strips.append(Strip(row, clip(first["trial"]), logos))
    return tuple(strips)


def legend(scores: pd.DataFrame, metrics: Mapping[str, MetricInfo]) -> tuple[MetricInfo, ...]:
    """The declared metrics that occur among the scores, in the mapping's order."""
    present = set(scores["metric"])
    return tuple(metric for name, metric in metrics.items() if name in present)
