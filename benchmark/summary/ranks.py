"""Models of a registry beside each other: ranks, ties, pairwise tests, matched accuracy."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from motifidelity.backends import named_on
from motifidelity.errors import UserError
from motifidelity.statistics import (
    at_matched_accuracy,
    compare_models,
    rank_intervals,
    tie_groups,
)
from motifidelity.summary.query import RUN, SCORE, Query, Source, answer

if TYPE_CHECKING:
    import pandas as pd

ACCURACY = "auroc"
# what must be equal for models to be comparable
_BOARD = ("task", "task_digest", "dataset_digest", "profile", "division")
_SHOWN = ("task", "profile", "division", "metric", "method")


@dataclass(frozen=True)
class _Board:
    """Models on one score of one task, under one profile and division."""

    about: dict[str, Any]
    models: dict[str, dict[int, float]]
    averaged: pd.DataFrame
    higher: bool


def rank(source: Source, query: Query) -> pd.DataFrame:
    """Models in their order, with rank intervals, tie groups and scores at matched accuracy.

    Parameters
    ----------
    source : Source
    query : Query
        Its filters say which models and scores; each task, profile, division, metric and method
        is ranked by itself. Metrics without a direction are left out.

    Returns
    -------
    DataFrame
        ``rank``, ``rank_low``, ``rank_high``, ``group`` (models that share a letter do not differ
        significantly), ``mean``, ``sd``, ``low``, ``high``, ``coverage``, ``accuracy`` (mean
        AUROC), ``pareto`` (no model is as good in both and better in one) and ``adjusted`` (the
        score less what accuracy explains). A model of which no trial has a value has no rank and
        stands last.

    Raises
    ------
    UserError
        If the query names something unknown.
    DataError
        If the registry cannot be read.
    """
    import numpy as np
    import pandas as pd

    accuracy = _accuracy(source, query)
    frames = []
    for board in _boards(source, query):
        ranks = rank_intervals(board.models, higher=board.higher, level=query.level)
        ordered = sorted(ranks, key=lambda name: ranks[name].rank)
        groups = tie_groups(ordered, compare_models(board.models))
        frame = board.averaged.copy()
        frame["accuracy"] = frame["run"].map(accuracy).astype(float)
        matched = at_matched_accuracy(frame["accuracy"], frame["mean"], higher=board.higher)
        frame["pareto"], frame["adjusted"] = matched.front, matched.adjusted
        for column, field in (("rank", "rank"), ("rank_low", "low"), ("rank_high", "high")):
            values = [getattr(ranks[n], field) if n in ranks else None for n in frame["label"]]
            frame[column] = pd.array(values, dtype="Int64")
        frame["group"] = [groups.get(name, "") for name in frame["label"]]
        frames.append(frame.sort_values(["rank", "label"], na_position="last"))
    names = [
        *_SHOWN,
        *("rank", "rank_low", "rank_high", "group", "label", "mean", "sd", "low", "high"),
        *("coverage", "accuracy", "pareto", "adjusted"),
    ]
    if not frames:
        return pd.DataFrame({name: np.array([], dtype=object) for name in names})
    return pd.concat(frames, ignore_index=True)[names]


def compare(source: Source, query: Query, kind: Literal["t", "rank"] = "t") -> pd.DataFrame:
    """Every pair of models on every score that the query's filters leave.

    Parameters
    ----------
    source : Source
    query : Query
        As in `rank`; p-values are adjusted within each task, profile, division, metric, method.
    kind : {"t", "rank"}
        Tests of means, or of ranks.

    Returns
    -------
    DataFrame
        The fields of `motifidelity.statistics.Comparison` behind task, profile, division, metric
        and method.

    Raises
    ------
    UserError
        If the query names something unknown.
    DataError
        If the registry cannot be read.
    """
    import pandas as pd

    from motifidelity.statistics import Comparison

    rows = [
        {**board.about, **dataclasses.asdict(comparison)}
        for board in _boards(source, query)
        for comparison in compare_models(board.models, kind)
    ]
    names = [*_SHOWN, *(field.name for field in dataclasses.fields(Comparison))]
    return pd.DataFrame(rows, columns=names)


def _boards(source: Source, query: Query) -> Iterator[_Board]:
    import pandas as pd

    from motifidelity.metrics.declare import all_metrics

    if query.columns or query.sort:
        raise UserError("columns and sort belong to results; ranks have their own")
    directions = {name: metric.direction for name, metric in all_metrics().items()}
    plain = dataclasses.replace(query, per_trial=False)
    averaged = _labelled(answer(source, plain))
    trials = _labelled(answer(source, dataclasses.replace(query, per_trial=True)))
    unscored = averaged[averaged["metric"].isna()]
    averaged = averaged[averaged["metric"].notna()]
    key = [*_BOARD, *SCORE]
    by_board = dict(list(trials.groupby(key, dropna=False)))
    for found, mine in averaged.groupby(key, dropna=False):
        about = dict(zip(key, found, strict=True))
        direction = directions.get(str(about["metric"]), "higher")
        if direction == "neutral":
            continue
        values = by_board[found]
        models = {
            str(label): {int(s): float(v) for s, v in zip(rows["seed"], rows["value"], strict=True)}
            for label, rows in values.groupby("label", sort=False)
        }
        shown = {name: about[name] for name in _SHOWN}
        same = (unscored[list(_BOARD)] == [about[name] for name in _BOARD]).all(axis=1)
        named: dict[str, Any] = {name: about[name] for name in SCORE}
        parts: list[Any] = [mine, unscored[same].assign(**named)]
        mine = pd.concat(parts) if same.any() else mine
        yield _Board(shown, models, mine, direction == "higher")


def _accuracy(source: Source, query: Query) -> dict[str, float]:
    """Mean accuracy of every run, whatever score is asked for."""
    asked = Query(
        task=query.task,
        model=query.model,
        profile=query.profile,
        division=query.division,
        isolation=query.isolation,
        backend=query.backend,
    )
    frame = _labelled(answer(source, asked))
    frame = frame[frame["metric"] == ACCURACY]
    return dict(zip(frame["run"], frame["mean"], strict=True))


def _labelled(frame: pd.DataFrame) -> pd.DataFrame:
    """Add ``run``, a key of its run, and ``label``, the shortest name that tells runs apart."""
    if frame.empty:
        return frame.assign(run="", label="")
    runs = [json.dumps([str(value) for value in row]) for row in frame[list(RUN)].to_numpy()]
    short = [
        " ".join([str(model), *_parameters(str(params))])
        for model, params in zip(frame["model"], frame["params"], strict=True)
    ]
    frame = frame.assign(run=runs, label=short)
    # a comparison of networks of several backends says so at every name
    frame["label"] = list(map(named_on, frame["label"], frame["backend"]))
    board = frame[list(_BOARD)].astype(str).agg("|".join, axis=1)
    different = frame["run"].groupby([board, frame["label"]]).transform("nunique") > 1
    marks = frame["model_digest"].str[:8] + " " + frame["isolation"]
    frame.loc[different, "label"] = frame["label"] + " (" + marks + ")"
    return frame


def _parameters(text: str) -> list[str]:
    try:
        found = json.loads(text)
        return [f"{name}={value}" for name, value in sorted(found.items())]
    except (ValueError, AttributeError):
        return [text]
