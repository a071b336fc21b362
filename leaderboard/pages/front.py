"""The front page: the table over all tasks, and the same table as files."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from motifidelity.leaderboard.abilities import COLUMNS as CAPABILITY_COLUMNS
from motifidelity.leaderboard.abilities import ability_ranks
from motifidelity.leaderboard.page import Material, Page
from motifidelity.leaderboard.pages import overview as picture
from motifidelity.leaderboard.pages.advice import choices, trust
from motifidelity.leaderboard.pages.board import board_paths
from motifidelity.leaderboard.pages.capability_section import MEANT, front_capabilities
from motifidelity.leaderboard.pages.hero import heroes
from motifidelity.leaderboard.pages.metric import metric_path
from motifidelity.leaderboard.standings import SCORES, scores_of
from motifidelity.leaderboard.tables.cells import describe
from motifidelity.leaderboard.tables.columns import method_label
from motifidelity.leaderboard.tables.order import in_order
from motifidelity.leaderboard.text import DASH, clip, memory, number, percent, seconds, shorten
from motifidelity.metrics.gates import FLAGGED
from motifidelity.metrics.headlines import Capability
from motifidelity.summary.ranks import PROVISIONAL, order_by, ranking_score
from motifidelity.summary.rivals import NOT_ABOVE
from motifidelity.summary.runs import BOARD

RESULT_FILES = {
    "csv": "leaderboard.csv",
    "json": "leaderboard.json",
    "parquet": "leaderboard.parquet",
}


@dataclass(frozen=True)
class Field:
    """A column of the front page's table.

    Attributes
    ----------
    name : str
        In files and addresses.
    label : str
        Heading.
    kind : str
        ``text``, ``number`` or ``score`` (a mean with interval and trials).
    title : str
        What it is, in a sentence.
    family : str
        Decides the colour of a score.
    shown : bool
        Whether it is shown until the reader picks columns.
    up : bool
        Sorted first from the smallest.
    """

    name: str
    label: str
    kind: str
    title: str
    family: str = ""
    shown: bool = True
    up: bool = False


@dataclass(frozen=True)
class Entry:
    """A cell: text, and the raw value as text ("" for none); of a score its interval and trials."""

    text: str
    value: str
    note: str = ""
    low: str = ""
    high: str = ""
    trials: str = ""
    href: str = ""
    bar: str = ""
    span: tuple[str, str] | None = None


@dataclass(frozen=True)
class Line:
    """A row of the front page's table."""

    kind: str
    href: str
    title: str
    sub: str
    quick: bool
    failed: bool
    provisional: bool
    activation: str
    cells: tuple[Entry, ...]


# whose colour each figure has
_FAMILIES: Mapping[Capability, str] = {
    "Predicts": "accuracy",
    "Filters": "filters",
    "Maps": "attribution",
    "Effects": "effects",
    "Rules": "rules",
    "Robust": "robust",
}
_ENDS = "0 is the task's floor, 1 its oracle."
FIELDS = (
    Field("rank", "Rank", "number", "Rank within task and division by the score that the text "
          "above the table names, and the ranks that trials leave possible (95%, all models "
          "together); none below three trials", up=True),
    Field("group", "Ties", "text", "Models that share a letter are not told apart (Tukey's "
          "range over all models of task and division, 5%); prov.: provisional, fewer than three "
          "trials",
          up=True),
    Field("model", "Model", "text", "Name; leads to everything known of it", up=True),
    Field("task", "Task", "text", "Task and version; leads to all its scores", up=True),
    *(
        Field(name, capability, "score", f"{MEANT[capability]} {_ENDS}", _FAMILIES[capability])
        for name, capability in CAPABILITY_COLUMNS.items()
    ),
    Field("trials", "Trials", "number", "Trials that finished, of all that were counted"),
    Field("cost", "Cost", "number", "Mean time of training a trial on its machine, whatever else "
          "that machine did", up=True),
    Field("tier", "Tier", "text", "Who vouches for the numbers: the submitter, this project's CI, "
          "or a maintainer who ran it again", up=True),
    Field("division", "Division", "text", "closed: the task's own training recipe; open: the model "
          "brought its own; reference: no network", up=True),
    Field("activation", "Activation", "text", "Activation of the first layer", shown=False,
          up=True),
    Field("accuracy", "Accuracy", "score", "auroc", "accuracy", shown=False),
    Field("recovery", "Motif recovery", "score", "match_fraction", "filters", shown=False),
    Field("fidelity", "Attribution fidelity", "score", "attribution_auroc", "attribution",
          shown=False),
    Field("fidelity_scaled", "Fidelity, floor to ceiling", "score", "Attribution fidelity where "
          "random maps are 0 and the oracle is 1", "attribution", shown=False),
    Field("isolation", "Isolation", "text", "Whether the model's code was kept in a container; "
          "references run no code of a model", shown=False, up=True),
    Field("aupr", "AUPR", "score", "aupr", "accuracy", shown=False),
    Field("found", "Motifs found", "score", "motifs_found", "filters", shown=False),
    Field("localisation", "Localisation", "score", "localisation_auroc", "localisation",
          shown=False),
    Field("ism", "Fidelity, ISM", "score", "attribution_auroc", "attribution", shown=False),
    Field("deepshap", "Fidelity, DeepSHAP", "score", "attribution_auroc", "attribution",
          shown=False),
    Field("weights", "Weights", "number", "Trained parameters", shown=False),
    Field("memory", "Memory", "number", "Largest memory of a trial", shown=False),
    Field("profile", "Profile", "text", "full, or quick: a trial of the tooling that is never "
          "ranked", shown=False, up=True),
    Field("newest", "Newest", "text", "When its newest trial began (UTC)", shown=False),
    Field("spec", "Spec", "text", "Digest of the task's specification", shown=False, up=True),
    Field("digest", "Source", "text", "Digest of the model's source", shown=False, up=True),
)  # fmt: skip
# columns that stay away until they are picked where all networks are alike in them
FOLDED = ("tier", "division")
# what is shown where no network has any of the six figures
WITHOUT = ("accuracy", "recovery", "fidelity")
FILTERS = ("activation", "division", "tier", "profile")
_FILE_COLUMNS = (
    "task", "profile", "division", "isolation", "backend", "tier", "kind", "rank", "rank_low",
    "rank_high", "group", "model", "activation", "parameters",
    *(f"{name}{end}" for name in (*SCORES, "fidelity_scaled", *CAPABILITY_COLUMNS)
      for end in ("", "_low", "_high", "_trials")),
    "ok", "trials", "cost", "weights", "memory", "newest", "task_digest", "dataset_digest",
    "model_digest", "run",
)  # fmt: skip


def front_page(material: Material, frame: pd.DataFrame) -> Page:
    """The page that people come to; ``frame`` is the table of `standings.standings`."""
    summary = material.summary

    def draw() -> Mapping[str, Any]:
        lines = [_line(row, paths) for row in frame.to_dict("records")]
        message = picture.overview(frame, _trials(frame, material))
        fields = _fields(frame, material, lines)
        return {
            "fields": fields,
            "hidden": [place for place, (field, *_) in enumerate(fields, 1) if not field.shown],
            "tabs": in_order(frame["task"]) if len(frame) else [],
            "rankings": _rankings(frame, material),
            "filters": _choices(lines),
            "lines": lines,
            "ranked_by": _ranked_by(frame, material),
            "measured": _measured(fields, frame, material),
            "capabilities": front_capabilities(material, frame) if len(frame) else None,
            "overview": message,
            "heroes": heroes(message.matches, frame, material),
            "choices": choices(frame, material),
            "trust": trust(frame, material),
            "facts": _facts(frame, material),
            "activations": message.numbers,
            "size": (picture.WIDTH, picture.HEIGHT),
            "num_results": len(summary.trials),
            "num_failed": int((summary.trials["status"] != "ok").sum()),
            "boards": paths,
            "problems": [clip(problem, 600) for problem in material.problems],
            "files": RESULT_FILES if len(frame) else {},
        }

    paths = board_paths(summary)
    return Page("index.html", "index.html", None, draw)


def table_files(frame: pd.DataFrame) -> Iterable[tuple[str, bytes]]:
    """The whole table as CSV, JSON and Parquet, by path."""
    if frame.empty:
        return
    table = frame[list(_FILE_COLUMNS)].copy()
    table["newest"] = table["newest"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    text = str(table.to_csv(index=False, lineterminator="\n"))
    yield RESULT_FILES["csv"], text.encode("utf-8", "backslashreplace")
    rows = json.loads(table.to_json(orient="records", double_precision=15, force_ascii=True))
    yield RESULT_FILES["json"], (json.dumps(rows, indent=1) + "\n").encode("ascii")
    sink = io.BytesIO()
    for column in table:
        if not pd.api.types.is_numeric_dtype(table[column]):
            table[column] = table[column].map(_encodable)
    table.to_parquet(sink, index=False)
    yield RESULT_FILES["parquet"], sink.getvalue()


def _encodable(value: object) -> object:
    """Text without lone surrogates, which no UTF-8 file can hold."""
    if not isinstance(value, str):
        return value
    return value.encode("utf-8", "backslashreplace").decode("utf-8")


def _fields(
    frame: pd.DataFrame, material: Material, lines: Sequence[Line]
) -> list[tuple[Field, str, str]]:
    """Columns with their tooltips, and the metrics that a score is, in one task or another.

    Shown are those that are by default and tell networks apart.
    """
    networks = [line for line in lines if line.kind == "model"]
    values = [{line.cells[place].value for line in networks} for place in range(len(FIELDS))]
    told = {field.name: len(mine - {""}) for field, mine in zip(FIELDS, values, strict=True)}
    known = any(told[name] for name in CAPABILITY_COLUMNS)
    found = []
    for field, mine in zip(FIELDS, values, strict=True):
        shown = field.shown
        if field.name in FOLDED:
            shown = len(mine) > 1
        elif field.name in CAPABILITY_COLUMNS:
            shown = told[field.name] > 0
        elif field.name in WITHOUT:
            shown = not known
        scores = [score for score in _scores(frame, field.name) if score[0] in material.metrics]
        metrics = list(dict.fromkeys(metric for metric, _ in scores))
        title = "; ".join(describe(metric, material.metrics[metric]) for metric in metrics)
        named = "; ".join(", ".join(filter(None, score)) for score in scores)
        found.append((replace(field, shown=shown), title or field.title, named))
    return found


def _rankings(frame: pd.DataFrame, material: Material) -> Mapping[str, Sequence[object]]:
    """Of each of the six figures by which runs are ranked: every line's rank, its ends and ties.

    None stands for a line that is not ranked by it.
    """
    if frame.empty:
        return {}
    return {
        column: [
            None if one is None else (one.rank, one.low, one.high, one.group)
            for one in map(ranks.get, frame["run"])
        ]
        for column, ranks in ability_ranks(frame, material).items()
    }


def _scores(frame: pd.DataFrame, name: str) -> list[tuple[str, str]]:
    """Metric and method of a column, those of every task that has it."""
    tasks = frame["task"].unique() if len(frame) else [""]
    found = (scores_of(str(task)).get(name) for task in tasks)
    return list(dict.fromkeys(score for score in found if score))


def _measured(
    fields: Sequence[tuple[Field, str, str]], frame: pd.DataFrame, material: Material
) -> list[tuple[Field, str, str, str]]:
    """Of the scores that are shown: column, metric, its page, and the method in words."""
    return [
        (field, metric, metric_path(metric), method and method_label(method).lower())
        for field, *_ in fields
        if field.shown and field.name in SCORES
        for metric, method in _scores(frame, field.name)
        if metric in material.metrics
    ]


def _choices(lines: Sequence[Line]) -> list[tuple[Field, list[str]]]:
    """What can be filtered by, where there is a choice."""
    found = []
    for place, field in enumerate(FIELDS):
        if field.name in FILTERS:
            values = sorted({line.cells[place].value for line in lines})
            if len(values) > 1:
                found.append((field, values))
    order = {name: place for place, name in enumerate(FILTERS)}
    return sorted(found, key=lambda pair: order[pair[0].name])


def _ranked_by(frame: pd.DataFrame, material: Material) -> str:
    """The scores that rank, in words."""
    if frame.empty:
        return ""
    ranked = frame[frame["rank"].notna() | (frame["group"] == PROVISIONAL)]
    boards = ranked.groupby(["task", "task_digest", "division"], sort=True)
    found = {
        (str(task), ranking_score(str(task), material.stats, list(board["run"])))
        for (task, *_), board in boards
    }
    words = [
        f"{metric}, {method_label(method)}" if method else metric
        for task in sorted({task for task, _ in found})
        for metric, method in order_by(task)
        if (task, (metric, method)) in found
    ]
    return "; where a task has none, by ".join(dict.fromkeys(words))


def _trials(frame: pd.DataFrame, material: Material) -> dict[str, list[tuple[float, float]]]:
    """Accuracy and fidelity of every trial, for the picture."""
    found: dict[str, list[tuple[float, float]]] = {}
    for run, task in zip(frame["run"], frame["task"], strict=True) if len(frame) else ():
        scores = scores_of(str(task))
        across, up = (
            material.stats.get((run, *scores.get(name, ("", "")), ""))
            for name in ("accuracy", "fidelity")
        )
        if across is None or up is None or up.n < 2:
            continue
        found[run] = [
            (across.by_trial[result][0], value)
            for result, (value, _, _) in sorted(up.by_trial.items())
            if result in across.by_trial
            and math.isfinite(value)
            and math.isfinite(across.by_trial[result][0])
        ]
    return found


def _facts(frame: pd.DataFrame, material: Material) -> Mapping[str, str]:
    """Facts of the registry in a line; empty where it has no result."""
    trials = material.summary.trials
    if frame.empty:
        return {}
    last = trials.sort_values(["started", "result_id"]).iloc[-1]
    networks = frame[frame["kind"] == "model"]
    return {
        "tasks": str(frame["task"].str.partition("@")[0].nunique()),
        "runs": f"{len(networks):,}",
        "results": f"{len(trials):,}",
        "last": pd.Timestamp(last["started"]).strftime("%Y-%m-%d"),
        "code": shorten(last["scored_commit"] or last["commit"], 8),
    }


Row = Mapping[Any, Any]


def _line(row: Row, paths: Mapping[tuple[str, ...], str]) -> Line:
    board = paths[tuple(str(row[name]) for name in BOARD)]
    return Line(
        kind=row["kind"],
        href=row["href"],
        title=clip(row["model"], 300),
        sub=shorten(", ".join(filter(None, (row["told"], _flagged(row), _below(row)))), 120),
        quick=row["profile"] != "full",
        failed=row["ok"] == 0,
        provisional=row["group"] == PROVISIONAL,
        activation=shorten(row["activation"], 30),
        cells=tuple(
            replace(entry, href=board) if field.name == "task" else entry
            for field in FIELDS
            for entry in [_CELLS.get(field.name, _score)(row, field)]
        ),
    )


def _flagged(row: Row) -> str:
    return f"{FLAGGED}: {row['flagged']}" if row["flagged"] else ""


def _below(row: Row) -> str:
    return f"{NOT_ABOVE}: {row['below']}" if row["below"] else ""


def _score(row: Row, field: Field) -> Entry:
    value = float(row[field.name])
    n = int(row[f"{field.name}_trials"])
    if not math.isfinite(value):
        return Entry(DASH, "", trials="")
    low, high = float(row[f"{field.name}_low"]), float(row[f"{field.name}_high"])
    known = math.isfinite(low) and math.isfinite(high)
    whole = field.name == "found"
    bounded = not whole
    # as many decimals as the mean has, which the interval would seem to leave out else
    ends = f"{number(low, whole=whole)} to {number(high, whole=whole)}" if known else ""
    count = "" if n == int(row["ok"]) else f"n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{n}"
    return Entry(
        text=number(value, whole=whole),
        value=repr(value),
        note=", ".join(filter(None, (ends, count))),
        low=repr(low) if known else "",
        high=repr(high) if known else "",
        trials=str(n),
        bar=percent(value) if bounded else "",
        span=(percent(low), percent(high)) if bounded and known else None,
    )


def _rank(row: Row, field: Field) -> Entry:
    if pd.isna(row["rank"]):
        return Entry(DASH, "")
    low, high = int(row["rank_low"]), int(row["rank_high"])
    text = str(int(row["rank"]))
    note = f"{low} to {high}" if low != high else f"{low}"
    return Entry(text, text, note=note, low=str(low), high=str(high))


def _text(limit: int, key: str | None = None) -> Callable[[Row, Field], Entry]:
    def make(row: Row, field: Field) -> Entry:
        value = row[key or field.name]
        text = shorten(value, limit)
        return Entry(text or DASH, text)

    return make


def _ties(row: Row, field: Field) -> Entry:
    # the word is wider than any letters
    text = "prov." if row["group"] == PROVISIONAL else shorten(row["group"], 60)
    return Entry(text or DASH, row["group"])


def _trials_cell(row: Row, field: Field) -> Entry:
    ok, of = int(row["ok"]), int(row["trials"])
    return Entry(str(ok) if ok == of else f"{ok} of {of}", str(ok))


def _cost(row: Row, field: Field) -> Entry:
    value = row["cost"]
    return Entry(DASH, "") if pd.isna(value) else Entry(seconds(value), repr(float(value)))


def _weights(row: Row, field: Field) -> Entry:
    value = row["weights"]
    return Entry(DASH, "") if pd.isna(value) else Entry(f"{int(value):,}", str(int(value)))


def _memory(row: Row, field: Field) -> Entry:
    value = row["memory"]
    return Entry(DASH, "") if pd.isna(value) else Entry(memory(value), str(int(value)))


def _newest(row: Row, field: Field) -> Entry:
    value = row["newest"]
    text: str = "" if pd.isna(value) else value.strftime("%Y-%m-%d %H:%M")
    return Entry(text or DASH, text)


_CELLS: Mapping[str, Callable[[Row, Field], Entry]] = {
    "rank": _rank,
    "group": _ties,
    "model": _text(40),
    "activation": _text(30),
    "task": _text(60),
    "trials": _trials_cell,
    "cost": _cost,
    "tier": _text(40),
    "division": _text(20),
    "isolation": _text(20),
    "weights": _weights,
    "memory": _memory,
    "profile": _text(20),
    "newest": _newest,
    "spec": _text(12, "task_digest"),
    "digest": _text(12, "model_digest"),
}
