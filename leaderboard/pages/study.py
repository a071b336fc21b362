"""The page of the study's figures: scores by activation and network, accuracy against the rest."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from motifidelity.backends import named_on
from motifidelity.entries import DIVISION, FLOOR_NETWORKS, ORACLE, RANDOM
from motifidelity.leaderboard.figures.alone import page_stem
from motifidelity.leaderboard.figures.boxes import BoxPlot, Series, draw_boxes
from motifidelity.leaderboard.figures.scatter import PANELS, Panel, draw_panels
from motifidelity.leaderboard.page import Material, Page
from motifidelity.leaderboard.pages.task import task_page_name
from motifidelity.leaderboard.tables.columns import FRONT_METHODS, Column, headline_columns
from motifidelity.leaderboard.tables.scale import find_scale
from motifidelity.leaderboard.text import clip, parse_params, shorten, slug, text_digest
from motifidelity.summary.names import name_runs
from motifidelity.summary.runs import BOARD, first_of_each
from motifidelity.summary.stats import Stats, split_stats

PATH = "figures.html"
POOLED = "means of networks"
MOST_BOXES = 48
_FAMILIES = {
    "accuracy": "Accuracy, ",
    "filters": "Filters: ",
    "localisation": "Localisation of filter scans, ",
    "attribution": "Attribution AUROC, ",
}


@dataclass(frozen=True)
class Figure:
    """A box plot with the name of its files, and which family colours it."""

    name: str
    family: str
    plot: BoxPlot


@dataclass(frozen=True)
class Trained:
    """A run as the figures name it."""

    model: str
    activation: str
    backend: str

    @property
    def network(self) -> str:
        """What is trained with several activations."""
        return named_on(self.model, self.backend)

    @property
    def label(self) -> str:
        """Name, activation and backend."""
        return named_on(f"{self.model} {self.activation}".strip(), self.backend)


@dataclass(frozen=True)
class Chapter:
    """The figures of one task."""

    anchor: str
    task: str
    task_href: str
    profile: str
    figures: tuple[Figure, ...]
    panels: tuple[tuple[str, Panel], ...]
    few: bool
    pooled: bool


def study_pages(material: Material, frame: pd.DataFrame) -> Iterable[Page]:
    """The one page of figures; none where nothing was trained in full."""
    full = material.summary.trials[material.summary.trials["profile"] == "full"]

    def draw() -> Mapping[str, object]:
        return {"chapters": chapters(material)}

    yield Page(PATH, "figures_page.html", material.inputs(full), draw)


def chapters(material: Material) -> tuple[Chapter, ...]:
    """Figures of every task that has results of the full profile.

    Parameters
    ----------
    material : Material

    Returns
    -------
    tuple of Chapter
        By task; floors that are networks are left out of the boxes, the oracle and the random
        entry are lines.
    """
    trials = material.summary.trials
    full = trials[trials["profile"] == "full"]
    by_run = split_stats({key: stat for key, stat in material.stats.items() if key[3] == ""})
    found = []
    for key, mine in full.groupby(BOARD, sort=True):
        stats = {k: stat for run in set(mine["run"]) for k, stat in by_run.get(run, {}).items()}
        chapter = _chapter(str(key), mine, stats, material)
        if chapter.figures:
            found.append(chapter)
    return tuple(found)


def figure_names(task: str) -> list[str]:
    """Names of all figures that a task's results can have on the page."""
    stem = page_stem(task)
    columns = [column for column in headline_columns(task, FRONT_METHODS) if not column.muted]
    return [
        *(_box_name(stem, column) for column in columns),
        *(_panel_name(stem, family) for family in PANELS),
    ]


def _box_name(stem: str, column: Column) -> str:
    return "-".join(filter(None, (stem, column.metric, column.method)))


def _panel_name(stem: str, family: str) -> str:
    return f"{stem}-accuracy-and-{family}"


def _chapter(key: str, trials: pd.DataFrame, stats: Stats, material: Material) -> Chapter:
    first = trials.iloc[0]
    stem = page_stem(str(first["task"]))
    methods = {method for _, metric, method, _ in stats if metric == "attribution_auroc"}
    scale = find_scale(trials, stats)
    networks = _networks(trials)
    figures, pooled = [], False
    for column in headline_columns(str(first["task"]), methods):
        if column.muted:
            continue
        metric = material.metrics.get(column.metric)
        pair = (column.metric, column.method)
        ends = [
            (f"{name.lower()} {what}", levels[pair])
            for name, what, levels in (
                (ORACLE, "(ceiling)", scale.ceilings),
                (RANDOM, "(floor)", scale.floors),
            )
            if pair in levels
        ]
        series = [
            Series(trained.network, trained.activation, _values(stats, run, column))
            for run, trained in networks.items()
        ]
        bounds = (metric.low, metric.high) if metric else (None, None)
        shown = pool(series)
        pooled = pooled or any(one.network == POOLED for one in shown)
        plot = draw_boxes(_title(column), shown, ends, bounds)
        if plot is not None:
            figures.append(Figure(_box_name(stem, column), column.family, plot))
    panels = draw_panels(
        str(first["task"]), stats, [(run, trained.label) for run, trained in networks.items()]
    )
    return Chapter(
        anchor=slug(stem, text_digest(key)),
        task=clip(first["task"]),
        task_href=f"tasks/{task_page_name(first)}",
        profile=clip(first["profile"], 20),
        figures=tuple(figures),
        panels=tuple((_panel_name(stem, panel.family), panel) for panel in panels),
        pooled=pooled,
        few=any(box.median is None for figure in figures for box in figure.plot.boxes),
    )


def _networks(trials: pd.DataFrame) -> dict[str, Trained]:
    """Name, activation and backend of every run but floors and references.

    Two runs of one name, which are never averaged, are told apart by what differs.
    """
    runs = first_of_each(trials[trials["division"] != DIVISION])
    runs = runs[~runs["model"].isin(FLOOR_NETWORKS)]
    named: dict[str, Trained] = {}
    for run, job, name in zip(runs["run"], runs.to_dict("records"), name_runs(runs), strict=True):
        activation, _ = parse_params(str(job["params"]))
        backend = str(job["backend"])
        told = " ".join(one for one in name.beside if one != named_on("", backend).strip())
        model = f"{shorten(job['model'], 24)} {shorten(told, 32)}".strip()
        named[str(run)] = Trained(model, shorten(activation, 20), backend)
    return named


def pool(series: Sequence[Series]) -> list[Series]:
    """The series, or where they are too many to be told apart, one of means an activation.

    Parameters
    ----------
    series : sequence of Series

    Returns
    -------
    list of Series
        At most `MOST_BOXES`; of more activations the commonest are kept.
    """
    known = [one for one in series if any(map(math.isfinite, one.values))]
    if len(known) <= MOST_BOXES:
        return known
    means: dict[str, list[float]] = {}
    for one in known:
        values = [value for value in one.values if math.isfinite(value)]
        means.setdefault(one.activation, []).append(sum(values) / len(values))
    commonest = sorted(means, key=lambda name: (-len(means[name]), name))[:MOST_BOXES]
    return [Series(POOLED, name, tuple(means[name])) for name in commonest]


def _values(stats: Stats, run: str, column: Column) -> tuple[float, ...]:
    stat = stats.get((run, column.metric, column.method, ""))
    return () if stat is None else tuple(value for value, _, _ in stat.by_trial.values())


def _title(column: Column) -> str:
    return f"{_FAMILIES.get(column.family, '')}{column.label}"
