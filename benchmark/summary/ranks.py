"""Models of a registry beside each other: who competes, ranks, ties, tests, matched accuracy.

The page draws these ranks, and ``bench results rank`` prints them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from motifidelity.entries import DIVISION, FLOOR_NETWORKS
from motifidelity.errors import UserError
from motifidelity.metrics.declare import all_metrics
from motifidelity.metrics.gates import FLAGGED, GATES, Gate
from motifidelity.metrics.headlines import main_scores
from motifidelity.statistics import (
    at_matched_accuracy,
    compare_models,
    rank_sets,
    tie_groups,
)
from motifidelity.summary.names import name_runs
from motifidelity.summary.query import SCORE, Query, Source, answer
from motifidelity.summary.runs import BOARD, RUN_KEY, key_digest
from motifidelity.summary.stats import Stats, by_seed
from motifidelity.summary.verdicts import barred, bounds_of, flagged, gates_past
from motifidelity.tasks.spec import accuracy_of, headlines_of

if TYPE_CHECKING:
    import pandas as pd

# what must be equal for models to be ranked with each other
_BOARD = (*BOARD, "division")
_SHOWN = ("task", "profile", "division", "metric", "method")
LEVEL = 0.95
# in place of letters: of a model whose trials are too few to be ranked
PROVISIONAL = "provisional"
# letters of ties say little among more models than this, and cost the square of it
MOST_COMPARED = 40


def kinds(runs: pd.DataFrame) -> NDArray[np.str_]:
    """``reference`` (no network), ``floor`` (one that cannot know the motifs) or ``model``.

    Parameters
    ----------
    runs : DataFrame (r,)
        With the columns ``model`` and ``division``.

    Returns
    -------
    ndarray (r,) of str
    """
    floors = runs["model"].isin(FLOOR_NETWORKS)
    return np.select([runs["division"] == DIVISION, floors], ["reference", "floor"], "model")


def competing(runs: pd.DataFrame) -> pd.Series[bool]:
    """Which runs compete for a rank: models, under the full profile."""
    models: pd.Series[bool] = (runs["profile"] == "full") & (kinds(runs) == "model")
    return models


@dataclass(frozen=True)
class Standing:
    """A run's rank, the ranks that the trials leave possible, and its letters of ties.

    A run of fewer than three trials has no rank, and `PROVISIONAL` as its group; one that a gate
    of its task bars has `FLAGGED`.
    """

    rank: int | None
    low: int | None
    high: int | None
    group: str


NOT_RANKED = Standing(None, None, None, FLAGGED)
"""Of a run past a gate on which the ranking score hangs."""


def rank_runs(
    values: Mapping[str, Mapping[int, float]], *, higher: bool = True, level: float = LEVEL
) -> dict[str, Standing]:
    """Rank runs that compete with each other on one score, in one layout.

    Parameters
    ----------
    values : mapping of str to mapping of int to float
        By run, the score of each trial by its seed; nan where it is undefined.
    higher : bool
        Whether a higher score is better.
    level : float
        At which the rank sets of all runs together hold the true ranks.

    Returns
    -------
    dict of str to Standing
        Of every run with a value; beyond the best `MOST_COMPARED` without letters.
    """
    ranks = rank_sets(values, higher=higher, level=level)
    ordered = sorted(ranks, key=lambda run: (ranks[run].rank, run))[:MOST_COMPARED]
    letters = tie_groups(ordered, compare_models(values, among=ordered, level=level))
    tried = [run for run, mine in values.items() if np.isfinite(list(mine.values())).any()]
    return dict.fromkeys(tried, Standing(None, None, None, PROVISIONAL)) | {
        run: Standing(r.rank, r.low, r.high, letters.get(run, "")) for run, r in ranks.items()
    }


def order_by(task: str) -> list[tuple[str, str]]:
    """Metric and method of the scores that rank a task's models: the first that any has does."""
    return [headline.score for headline in main_scores(headlines_of(task)).values()]


def ranking_score(task: str, stats: Stats, runs: Iterable[str]) -> tuple[str, str] | None:
    """Metric and method that rank the runs: the first of `order_by` that any of them has."""
    runs = list(runs)
    for metric, method in order_by(task):
        if any((stat := stats.get((run, metric, method, ""))) and stat.n for run in runs):
            return metric, method
    return None


def headline_ranks(
    runs: pd.DataFrame, stats: Stats, seeds: Mapping[str, int]
) -> dict[str, Standing]:
    """Rank the runs that compete, on every board by its `ranking_score`.

    Parameters
    ----------
    runs : DataFrame
        A row each: ``run``, ``model``, ``division`` and the columns of `BOARD`.
    stats : Stats
    seeds : mapping of str to int
        Seed of every result.

    Returns
    -------
    dict of str to Standing
        By run.
    """
    found: dict[str, Standing] = {}
    for _, board in runs[competing(runs)].groupby(list(_BOARD), sort=True):
        task = str(board["task"].iloc[0])
        score = ranking_score(task, stats, board["run"])
        if score is None:
            continue
        past = {run for run in board["run"] if barred(flagged(task, stats, run), *score)}
        values = {run: by_seed(stats, seeds, run, *score) for run in board["run"]}
        found |= rank_runs({run: mine for run, mine in values.items() if run not in past})
        found |= dict.fromkeys(past, NOT_RANKED)
    return found


@dataclass(frozen=True)
class _Board:
    """Runs that compete, on one score."""

    about: dict[str, Any]
    values: dict[str, dict[int, float]]  # by run and seed
    averaged: pd.DataFrame
    higher: bool


def rank(source: Source, query: Query) -> pd.DataFrame:
    """Competing models in order, with rank intervals, tie groups and scores at matched accuracy.

    Parameters
    ----------
    source : Source
    query : Query
        Its filters say which models and scores; each task, profile, division, metric and method
        is ranked by itself. Metrics without a direction are left out.

    Returns
    -------
    DataFrame
        ``rank``, ``rank_low``, ``rank_high``, ``group`` (models that share a letter are not told
        apart), ``mean``, ``sd``, ``low``, ``high``, ``coverage``, ``accuracy`` (mean of the
        score that stands for it, `accuracy_of`), ``pareto`` (no model is as good in both and better
        in one) and ``adjusted`` (the score less what accuracy explains). A model of fewer
        than three trials with a value has no rank and stands below the ranked ones, `PROVISIONAL`
        in place of letters; so does one that a gate of its task bars, with `FLAGGED`.

    Raises
    ------
    UserError
        If the query names something unknown.
    DataError
        If the registry cannot be read.
    """
    import pandas as pd

    accuracy = _accuracy(source, query)
    boards = list(_boards(source, query))
    gated = any(bounds_of(str(board.about["task"])) for board in boards)
    past = _flagged(source, query) if gated else {}
    frames = []
    for board in boards:
        score = (str(board.about["metric"]), _text(board.about["method"]))
        out = {run for run in board.values if barred(past.get(run, ()), *score)}
        values = {run: mine for run, mine in board.values.items() if run not in out}
        found = rank_runs(values, higher=board.higher, level=query.level)
        found |= dict.fromkeys(out, NOT_RANKED)
        frame = board.averaged.copy()
        frame["accuracy"] = frame["run"].map(accuracy).astype(float)
        matched = at_matched_accuracy(frame["accuracy"], frame["mean"], higher=board.higher)
        frame["pareto"], frame["adjusted"] = matched.front, matched.adjusted
        for column, field in (("rank", "rank"), ("rank_low", "low"), ("rank_high", "high")):
            places = [getattr(found[run], field) if run in found else None for run in frame["run"]]
            frame[column] = pd.array(places, dtype="Int64")
        frame["group"] = [found[run].group if run in found else "" for run in frame["run"]]
        mean = frame["mean"].astype(float)
        frame["worse"] = -mean if board.higher else mean
        frames.append(frame.sort_values(["rank", "worse", "label"], na_position="last"))
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
        As in `rank`; models that it names take part even if they do not compete, such as floors.
        The models of each task, profile, division, metric and method are compared together.
    kind : {"t", "rank"}
        One layout of all of them, or pair by pair tests of ranks.

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

    rows = []
    for board in _boards(source, query, named=query.model):
        labels = dict(zip(board.averaged["run"], board.averaged["label"], strict=True))
        for pair in compare_models(board.values, kind, level=query.level):
            first, second = labels[pair.first], labels[pair.second]
            pair = dataclasses.replace(pair, first=first, second=second)
            rows.append({**board.about, **dataclasses.asdict(pair)})
    names = [*_SHOWN, *(field.name for field in dataclasses.fields(Comparison))]
    return pd.DataFrame(rows, columns=names)


def _boards(source: Source, query: Query, named: Sequence[str] = ()) -> Iterator[_Board]:
    """Every board on every score; models that are ``named`` take part whatever they are."""
    import pandas as pd

    if query.columns or query.sort:
        raise UserError("columns and sort belong to results; ranks have their own")
    directions = {name: metric.direction for name, metric in all_metrics().items()}
    averaged, trials = (
        _labelled(frame[competing(frame) | frame["model"].isin(named)])
        for per_trial in (False, True)
        for frame in [answer(source, dataclasses.replace(query, per_trial=per_trial))]
    )
    unscored = averaged[averaged["metric"].isna()]
    averaged = averaged[averaged["metric"].notna()]
    key = [*_BOARD, *SCORE]
    by_board = dict(list(trials.groupby(key, dropna=False)))
    for found, mine in averaged.groupby(key, dropna=False):
        about = dict(zip(key, found, strict=True))
        direction = directions.get(str(about["metric"]), "higher")
        if direction == "neutral":
            continue
        values = {
            str(run): {int(s): float(v) for s, v in zip(rows["seed"], rows["value"], strict=True)}
            for run, rows in by_board[found].groupby("run", sort=False)
        }
        shown = {name: about[name] for name in _SHOWN}
        same = (unscored[list(_BOARD)] == [about[name] for name in _BOARD]).all(axis=1)
        if same.any():
            scored: dict[str, Any] = {name: about[name] for name in SCORE}
            parts: list[Any] = [mine, unscored[same].assign(**scored)]
            mine = pd.concat(parts)
        yield _Board(shown, values, mine, direction == "higher")


def _jobs_of(query: Query) -> Query:
    """The same runs, whatever score is asked for."""
    return Query(
        task=query.task,
        model=query.model,
        profile=query.profile,
        division=query.division,
        isolation=query.isolation,
        backend=query.backend,
    )


def _flagged(source: Source, query: Query) -> dict[str, tuple[Gate, ...]]:
    """The gates that each run is past."""
    frame = _labelled(answer(source, dataclasses.replace(_jobs_of(query), per_trial=True)))
    frame = frame[frame["metric"].isin([gate.metric for gate in GATES.values()])]
    frame = frame.assign(method=frame["method"].map(_text), value=frame["value"].astype(float))
    found = {}
    for (run, task), mine in frame.groupby(["run", "task"], sort=False):
        by_score = mine.groupby(["metric", "method"])["value"]
        figures: dict[Any, list[float]] = by_score.apply(list).to_dict()
        found[str(run)] = gates_past(str(task), figures)
    return found


def of_accuracy(scores: pd.DataFrame) -> pd.Series[bool]:
    """Which rows, with columns ``task`` and ``metric``, are of what stands for accuracy."""
    metric = {task: accuracy_of(str(task)).metric for task in scores["task"].unique()}
    same: pd.Series[bool] = scores["metric"] == scores["task"].map(metric)
    return same


def _text(method: object) -> str:
    return method if isinstance(method, str) else ""


def _accuracy(source: Source, query: Query) -> dict[str, float]:
    """Mean accuracy of every run, whatever score is asked for."""
    frame = _labelled(answer(source, _jobs_of(query)))
    frame = frame[of_accuracy(frame)]
    return dict(zip(frame["run"], frame["mean"], strict=True))


def _labelled(frame: pd.DataFrame) -> pd.DataFrame:
    """Add ``run``, a key of its run, and ``label``, what it is called beside the others."""
    if frame.empty:
        return frame.assign(run="", label="")
    runs = [key_digest(row) for row in frame[list(RUN_KEY)].itertuples(index=False)]
    return frame.assign(run=runs, label=[name.label for name in name_runs(frame)])
