"""History of scores over versions of specification, model and code; and the newest results."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from motifidelity.leaderboard.page import Material, Page
from motifidelity.leaderboard.standings import scores_of
from motifidelity.leaderboard.tables.columns import method_label
from motifidelity.leaderboard.tables.rows import Mark, marks, page_name
from motifidelity.leaderboard.text import (
    DASH,
    clip,
    number,
    parse_params,
    shorten,
    signed,
    trials_of,
)
from motifidelity.registry.counting import ORDER, which_count
from motifidelity.summary.runs import MODEL_KEY, key_digest, plain_text

SHOWN = ("accuracy", "recovery", "fidelity")
LABELS = {
    "accuracy": ("Accuracy", "accuracy"),
    "recovery": ("Motif recovery", "filters"),
    "fidelity": ("Attribution fidelity", "attribution"),
}
WIDTH, HEIGHT = 90.0, 22.0
MOST_ENTRIES = 50


@dataclass(frozen=True)
class Version:
    """A model's results under one version of everything that could change them.

    ``changes`` has for each score how it differs from the last earlier version with a trial in
    common, over those trials; "" where there is none.
    """

    when: str
    spec: str
    source: str
    code: str
    scored: str
    metrics: str
    trials: str
    scores: tuple[str, ...]
    changes: tuple[str, ...]


@dataclass(frozen=True)
class Series:
    """A model on a task, version after version.

    ``lines`` has a small chart for each score, which joins versions over the trials that both
    have; "" where no two have one in common.
    """

    model: str
    activation: str
    parameters: str
    marks: tuple[Mark, ...]
    task: str
    profile: str
    href: str
    versions: tuple[Version, ...]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class News:
    """A result of the feed."""

    identifier: str
    title: str
    when: str
    href: str
    summary: str


def history_page(material: Material) -> Page:
    """How scores moved: models that have a trial under several versions come first."""

    def draw() -> Mapping[str, object]:
        found = sorted(_series(material), key=_order)
        return {
            "moved": [series for series in found if any(series.lines)],
            "still": [series for series in found if not any(series.lines)],
            "labels": [LABELS[name] for name in SHOWN],
            "size": (WIDTH, HEIGHT),
        }

    return Page("history.html", "history.html", None, draw)


def _order(series: Series) -> tuple[object, ...]:
    labels = [mark.label for mark in series.marks]
    return series.model.lower(), series.activation, series.task, series.profile, labels


_WHAT = ["name", "profile", "division", "isolation", "backend", "model", "params"]
_VERSION = ["task", "task_digest", "dataset_digest", "model_digest", "code", "scored", "metrics"]

_COLUMNS = list(
    dict.fromkeys([*_WHAT, *_VERSION, "version", "model_key", *ORDER, "status", "trial", "seed"])
)


def _series(material: Material) -> Iterable[Series]:
    jobs = material.past_jobs
    jobs = jobs[jobs["status"] == "ok"] if len(jobs) else jobs
    if jobs.empty:
        return
    jobs = jobs.copy()
    jobs["name"] = jobs["task"].str.partition("@")[0]
    keys = zip(*(jobs[name].map(str) for name in MODEL_KEY), strict=True)
    jobs["model_key"] = [key_digest(key) for key in keys]
    for column in ("commit", "scored_commit", "isolation", "backend"):
        if column not in jobs:
            jobs[column] = None
        jobs[column] = jobs[column].astype(object).where(jobs[column].notna(), "").map(str)
    jobs["code"] = jobs["commit"]
    jobs["scored"] = jobs["scored_commit"].where(jobs["scored_commit"] != "", jobs["commit"])
    values = _values(jobs, material.past_scores)
    jobs = jobs.merge(values, left_on="result_id", right_index=True, how="left")
    jobs["metrics"] = jobs["metrics"].fillna("")
    jobs["version"] = jobs.groupby(_VERSION, sort=True, dropna=False).ngroup()
    jobs = plain_text(jobs[[*_COLUMNS, *SHOWN]])
    for _, rows in jobs.groupby(_WHAT, sort=True, dropna=False):
        yield _one(rows)


def _values(jobs: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """The shown scores of each result, and the versions of their metrics."""
    scores = scores[scores["result_id"].isin(set(jobs["result_id"]))] if len(scores) else scores
    table = pd.DataFrame(index=pd.Index(jobs["result_id"].unique()))
    table["metrics"] = ""
    for name in SHOWN:
        table[name] = math.nan
    if scores.empty:
        return table
    whole = scores[scores["target"].isna()].assign(method=lambda rows: rows["method"].fillna(""))
    tasks = jobs[["result_id", "task"]].drop_duplicates()
    of_task = {task: scores_of(str(task)) for task in tasks["task"].unique()}
    for name in SHOWN:
        wanted = [(task, *scores[name]) for task, scores in of_task.items() if name in scores]
        asked = tasks.merge(pd.DataFrame(wanted, columns=["task", "metric", "method"]), on="task")
        mine = whole.merge(asked, on=["result_id", "metric", "method"])
        mine = mine.drop_duplicates("result_id", keep="last").set_index("result_id")
        table[name] = mine["value"].astype(float).reindex(table.index)
        told = mine["metric"] + " " + mine["metric_version"].astype(int).astype(str)
        told = told.reindex(table.index).fillna("")
        table["metrics"] = [
            ", ".join(filter(None, pair)) for pair in zip(table["metrics"], told, strict=True)
        ]
    return table


def _one(rows: pd.DataFrame) -> Series:
    last = rows.sort_values(list(ORDER)).iloc[-1]
    found = []
    for _, version in rows.groupby("version", sort=True):
        # of a trial that was scored again under the same versions one counts
        version = version.sort_values(list(ORDER))
        trials = zip(version["trial"], version["seed"], strict=True)
        ended = version[which_count(trials, version["status"])]
        found.append((ended["result_id"].str.slice(-29, -7).max(), ended["started"].min(), ended))
    found.sort(key=lambda entry: (str(entry[1]), str(entry[0])))
    versions = [entry[2] for entry in found]
    steps = [_steps(versions, name) for name in SHOWN]
    activation, others = parse_params(str(last["params"]))
    return Series(
        model=shorten(last["model"], 40) or "unnamed",
        activation=shorten(activation, 30),
        parameters=shorten(", ".join(f"{k}={v}" for k, v in others), 60),
        marks=marks(last),
        task=clip(last["name"]),
        profile="" if last["profile"] == "full" else clip(last["profile"], 20),
        href=f"models/{page_name(last)}",
        versions=tuple(
            _version(version, [_change(own, place) for own in steps])
            for place, version in enumerate(versions)
        ),
        lines=tuple(_line(own, len(versions)) for own in steps),
    )


def _version(rows: pd.DataFrame, changes: Sequence[str]) -> Version:
    first = rows.iloc[0]
    started = rows["started"].min()
    number_of = str(first["task"]).partition("@")[2]
    return Version(
        when=DASH if pd.isna(started) else pd.Timestamp(started).strftime("%Y-%m-%d"),
        spec=f"{shorten(number_of, 10)} {shorten(first['task_digest'], 8)}",
        source=shorten(first["model_digest"], 8),
        code=shorten(first["code"], 8) or DASH,
        scored=shorten(first["scored"], 8) or DASH,
        metrics=shorten(first["metrics"], 80) or DASH,
        trials=trials_of(rows["trial"].map(int), rows["seed"].map(int)),
        scores=tuple(number(float(rows[name].mean())) for name in SHOWN),
        changes=tuple(changes),
    )


@dataclass(frozen=True)
class _Step:
    """A score under two versions, by their places: means over the trials that both have."""

    places: tuple[int, int]
    means: tuple[float, float]
    trials: str


def _steps(versions: Sequence[pd.DataFrame], name: str) -> list[_Step]:
    """For each version the step from the last earlier one that scored a trial of the same seed."""
    scored = [
        {
            int(seed): (float(value), int(trial))
            for seed, trial, value in zip(rows["seed"], rows["trial"], rows[name], strict=True)
            if math.isfinite(value)
        }
        for rows in versions
    ]
    steps = []
    for place, later in enumerate(scored):
        for before in reversed(range(place)):
            common = sorted(later.keys() & scored[before].keys())
            if common:
                first, second = (
                    math.fsum(own[seed][0] for seed in common) / len(common)
                    for own in (scored[before], later)
                )
                told = trials_of((later[seed][1] for seed in common), common)
                steps.append(_Step((before, place), (first, second), told))
                break
    return steps


def _change(steps: Sequence[_Step], place: int) -> str:
    """What a step to a version changed; "" where none leads there."""
    for step in steps:
        if step.places[1] == place:
            return f"{signed(step.means[1] - step.means[0], 3)} over {step.trials}"
    return ""


def _line(steps: Sequence[_Step], count: int) -> str:
    """Path of a score from 0 to 1 over so many versions: a stroke for each step."""
    strokes = []
    for step in steps:
        ends = [
            f"{place / (count - 1) * WIDTH:.1f} {(1 - min(max(mean, 0.0), 1.0)) * HEIGHT:.1f}"
            for place, mean in zip(step.places, step.means, strict=True)
        ]
        strokes.append(f"M{ends[0]}L{ends[1]}")
    return "".join(strokes)


def feed_page(material: Material) -> Page:
    """Atom feed of the newest results."""

    def draw() -> Mapping[str, object]:
        trials = material.summary.trials
        newest = trials[trials["started"].notna()].sort_values(["started", "result_id"])
        entries = [_news(job, material) for _, job in newest.tail(MOST_ENTRIES)[::-1].iterrows()]
        return {"entries": entries, "updated": entries[0].when if entries else ""}

    return Page("feed.xml", "feed.xml", None, draw)


def _news(job: pd.Series, material: Material) -> News:
    activation, _ = parse_params(str(job["params"]))
    name = f"{shorten(job['model'], 60) or 'unnamed'} {shorten(activation, 30)}".strip()
    parts = []
    scores = scores_of(str(job["task"]))
    for field in filter(scores.__contains__, SHOWN):
        stat = material.stats.get((str(job["run"]), *scores[field], ""))
        value = stat.by_trial.get(str(job["result_id"])) if stat else None
        if value is not None and math.isfinite(value[0]):
            method = scores[field][1]
            label = LABELS[field][0] + (f" ({method_label(method)})" if method else "")
            parts.append(f"{label} {number(value[0])}")
    ended = (
        "" if job["status"] == "ok" else f"{clip(job['status'], 30)}: {clip(job['message'], 300)}"
    )
    return News(
        identifier=f"urn:motifidelity:result:{shorten(job['result_id'], 120)}",
        title=f"{name} on {clip(job['task'])}, trial {clip(job['trial'], 12)}",
        when=pd.Timestamp(job["started"]).strftime("%Y-%m-%dT%H:%M:%SZ"),
        href=f"models/{page_name(job)}",
        summary="; ".join(parts) or ended or "no score",
    )
