"""A page for every metric: what it says, how it is computed, and how models do by it."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from motifidelity.leaderboard.page import Material, Page
from motifidelity.leaderboard.tables.cells import counts_things
from motifidelity.leaderboard.tables.columns import FAMILIES, method_label
from motifidelity.leaderboard.text import clip, number, shorten, slug, text_digest
from motifidelity.summary.inputs import MetricInfo
from motifidelity.summary.runs import BOARD
from motifidelity.summary.stats import Stat

# a page is not the registry: the best of each task and method
MOST = 15


@dataclass(frozen=True)
class Score:
    """A run's value."""

    model: str
    activation: str
    href: str
    kind: str
    text: str
    spread: str
    trials: str
    sort: str


@dataclass(frozen=True)
class Ranking:
    """A metric's values on one task by one method, the best first."""

    task: str
    method: str
    scores: tuple[Score, ...]
    left_out: int


def metric_pages(material: Material, frame: pd.DataFrame) -> Iterable[Page]:
    """The list of all metrics, and a page for each."""
    present = sorted({key[1] for key in material.stats})
    paths = {name: metric_path(name) for name in [*material.metrics, *present]}
    listed = [material.metrics[name] for name in material.metrics]
    undeclared = [name for name in present if name not in material.metrics]
    yield Page(
        "metrics/index.html",
        "metrics.html",
        (paths, present),
        lambda: {
            "metrics": listed,
            "undeclared": [shorten(name, 60) for name in undeclared],
            "paths": paths,
            "present": set(present),
        },
    )
    values = _by_metric(material)
    groups = frame.groupby(BOARD, sort=True) if len(frame) else ()
    # once for all metrics: a board has a hundred columns
    boards = [{row["run"]: row for row in board[_USED].to_dict("records")} for _, board in groups]
    for name, metric in material.metrics.items():
        rankings = [
            ranking
            for rows in boards
            for ranking in _rankings(rows, values.get(name, {}), name, metric)
        ]

        def draw(
            metric: MetricInfo = metric, rankings: Sequence[Ranking] = rankings
        ) -> Mapping[str, object]:
            return {
                "metric": metric,
                "version": getattr(metric, "version", None),
                "family": FAMILIES.get(metric.family, metric.family),
                "documentation": family_documentation(FAMILIES.get(metric.family, "")),
                "rankings": rankings,
            }

        yield Page(paths[name], "metric.html", rankings, draw)


def metric_path(name: str) -> str:
    """Where a metric's page lies."""
    return f"metrics/{slug(name, text_digest(name)[:6])}.html"


@functools.cache
def family_documentation(title: str) -> Markup:
    """The section of the metrics' documentation that has this title, as HTML; "" if none."""
    from markdown_it import MarkdownIt

    # a link to docs/metrics.md, so that it is part of the installed package
    text = (Path(__file__).parents[1] / "templates" / "metrics.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if not title or found is None:
        return Markup("")
    # the tables of all metrics are on the list of metrics, and links lead to other documents
    section = re.sub(r"<!-- table: (?!methods).*?<!-- /table -->\n", "", found[1], flags=re.DOTALL)
    section = re.sub(r"<!-- .*? -->\n", "", section)
    section = re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]*\)", r"\1", section)
    section = re.sub(r"^###", "##", section, flags=re.MULTILINE)
    html = MarkdownIt("commonmark", {"html": False}).enable("table").render(section)
    return Markup(html)


_Values = dict[tuple[str, str], Stat]
# of a board, by run
_Rows = Mapping[str, Mapping[Hashable, Any]]
_USED = ["run", "task", "profile", "model", "beside", "activation", "href", "kind"]


def _by_metric(material: Material) -> dict[str, _Values]:
    """Values for whole tasks, by metric, then by run and method."""
    found: dict[str, _Values] = {}
    for (run, metric, method, target), stat in material.stats.items():
        if target == "" and stat.n and math.isfinite(stat.mean):
            found.setdefault(metric, {})[run, method] = stat
    return found


def _rankings(rows: _Rows, values: _Values, name: str, metric: MetricInfo) -> Iterable[Ranking]:
    first = next(iter(rows.values()))
    methods = sorted({method for run, method in values if run in rows})
    whole = counts_things(name, metric)
    sign = 1.0 if metric.direction == "lower" else -1.0
    for method in methods:
        runs = [run for run in rows if (run, method) in values]
        runs.sort(key=lambda run: (sign * values[run, method].mean, run))
        yield Ranking(
            task=clip(f"{first['task']}, profile {first['profile']}", 80),
            method=shorten(method_label(method), 40),
            scores=tuple(
                _score(rows[run], values[run, method], whole=whole) for run in runs[:MOST]
            ),
            left_out=max(len(runs) - MOST, 0),
        )


def _score(row: Mapping[Hashable, Any], stat: Stat, *, whole: bool) -> Score:
    return Score(
        model=f"{shorten(row['model'], 40) or 'unnamed'} {shorten(row['beside'], 40)}".strip(),
        activation=shorten(row["activation"], 30),
        href=str(row["href"]),
        kind=str(row["kind"]),
        text=number(stat.mean, whole=whole),
        spread=number(stat.sd, whole=whole) if math.isfinite(stat.sd) else "",
        trials=str(stat.n) if stat.n == stat.num_trials else f"{stat.n} of {stat.num_trials}",
        sort=repr(stat.mean),
    )
