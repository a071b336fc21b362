"""The front page's table: one row a run over all tasks, in plain columns."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from motifidelity.entries import DIVISION
from motifidelity.leaderboard.abilities import with_abilities
from motifidelity.leaderboard.page import Material
from motifidelity.leaderboard.tables.order import in_order
from motifidelity.leaderboard.tables.rows import page_name
from motifidelity.leaderboard.tables.scale import find_scale
from motifidelity.leaderboard.text import parse_params
from motifidelity.metrics.declare import Family
from motifidelity.metrics.headlines import main_scores
from motifidelity.summary.names import name_runs
from motifidelity.summary.ranks import LEVEL, headline_ranks, kinds
from motifidelity.summary.rivals import not_above_counting
from motifidelity.summary.runs import BOARD
from motifidelity.summary.stats import mean_intervals, seeds_of
from motifidelity.summary.verdicts import flagged
from motifidelity.tasks.spec import headlines_of
from motifidelity.untrusted import clean

# columns of the scores that stand for a family, in every task its own
MAIN: Mapping[str, Family] = {
    "accuracy": "accuracy",
    "recovery": "filters",
    "fidelity": "attribution",
    "localisation": "localisation",
}
# the same in every task: column, metric and method
OTHERS: Mapping[str, tuple[str, str]] = {
    "aupr": ("aupr", ""),
    "found": ("motifs_found", ""),
    "ism": ("attribution_auroc", "ism"),
    "deepshap": ("attribution_auroc", "deepshap"),
}
SCORES = (*MAIN, *OTHERS)
SELF_REPORTED = "self-reported"


def scores_of(task: str) -> dict[str, tuple[str, str]]:
    """What is read off a run on a task: by column, the metric and the method."""
    main = main_scores(headlines_of(task))
    mine = {column: main[family].score for column, family in MAIN.items() if family in main}
    return {**mine, **OTHERS}


def standings(material: Material) -> pd.DataFrame:
    """Every run with its ranks, scores, cost and standing.

    Parameters
    ----------
    material : Material

    Returns
    -------
    DataFrame
        One row a run, by task, full profile first, then rank. ``kind`` is ``model``, ``floor`` (a
        network that cannot know the motifs) or ``reference`` (no network); only models of the
        full profile with three trials or more have ``rank``, ``rank_low``, ``rank_high`` (95%) and
        letters as ``group``, within their task and division; the others are ``provisional`` and
        follow by their scores. Of every score: mean, ``_sd``, ``_low`` and ``_high`` (95% interval
        over trials) and ``_trials``. ``fidelity_scaled`` is 0 at the random floor and 1 at the
        oracle, and so are the columns of `abilities.COLUMNS`. ``cost`` is the mean of the seconds
        of training, ``tier`` who says so. ``below`` names the headlines in which a network does
        not beat counting, ``flagged`` the gates of its task that one of its trials is past.
    """
    frame = _runs(material)
    if frame.empty:
        return frame
    frame = _with_scores(frame, material)
    frame = _with_scale(frame, material)
    frame = with_abilities(frame, material)
    frame = _with_ranks(frame, material)
    places = {task: place for place, task in enumerate(in_order(frame["task"]))}
    frame["_profile"] = frame["profile"] != "full"
    frame["_task"] = frame["task"].map(places)
    frame["_kind"] = frame["kind"].map({"model": 0, "floor": 2, "reference": 3})
    frame["_fidelity"], frame["_accuracy"] = -frame["fidelity"], -frame["accuracy"]
    own = ["_profile", "_task", "_kind", "_fidelity", "_accuracy"]
    order = [
        "_profile",
        "_task",
        "_kind",
        "division",
        "rank",
        *own[3:],
        "model",
        "activation",
        "run",
    ]
    frame = frame.sort_values(order, kind="stable", na_position="last")
    return frame.drop(columns=own).reset_index(drop=True)


def _runs(material: Material) -> pd.DataFrame:
    """What a run is, from its counted trials."""
    trials = material.summary.trials
    counted = trials[trials["counted"]]
    if counted.empty:
        return pd.DataFrame()
    grouped = counted.groupby("run", sort=True)
    last = counted.drop_duplicates("run", keep="last").set_index("run").sort_index()
    frame = last[
        [*BOARD, "division", "isolation", "backend", "model", "model_digest", "params"]
    ].copy()
    frame.insert(0, "run", frame.index)
    ok = counted["status"] == "ok"
    finished = counted[ok].groupby("run")
    frame["ok"] = ok.groupby(counted["run"]).sum().astype(int)
    frame["trials"] = grouped.size()
    frame["cost"] = finished["seconds_fit"].mean().astype(float)
    frame["memory"] = finished["peak_memory"].max().astype(float)
    frame["weights"] = finished["num_weights"].max().astype(float)
    frame["newest"] = pd.to_datetime(grouped["started"].max(), utc=True)
    parsed = [parse_params(str(params)) for params in frame["params"]]
    frame["activation"] = [clean(activation or "") for activation, _ in parsed]
    frame["parameters"] = [clean(", ".join(f"{k}={v}" for k, v in rest)) for _, rest in parsed]
    frame["started"] = pd.to_datetime(grouped["started"].min(), utc=True)
    names = name_runs(frame)
    # what tells runs of one name apart: with their times for a table, in short for a figure
    frame["told"] = [", ".join((*n.parameters_but("activation"), *n.marks)) for n in names]
    frame["beside"] = [" ".join(n.beside) for n in names]
    below = not_above_counting(trials, material.stats)
    frame["below"] = [" and ".join(below.get(run, ())) for run in frame["run"]]
    frame["flagged"] = [
        ", ".join(gate.label for gate in flagged(str(task), material.stats, run))
        for run, task in zip(frame["run"], frame["task"], strict=True)
    ]
    frame["href"] = [f"models/{page_name(job)}" for _, job in last.iterrows()]
    frame["kind"] = kinds(frame)
    tiers = counted["job_id"].map(lambda name: material.tiers.get(name, SELF_REPORTED))
    frame["tier"] = tiers.groupby(counted["run"]).agg(_weakest)
    # nobody vouches for what the harness computes itself, and no code of a model runs for it
    frame.loc[frame["kind"] == "reference", ["tier", "isolation"]] = ""
    return frame.reset_index(drop=True)


def _weakest(tiers: pd.Series) -> str:
    """The tier that all results of a run have."""
    return str(tiers.iloc[0]) if tiers.nunique() == 1 else SELF_REPORTED


def _with_scores(frame: pd.DataFrame, material: Material) -> pd.DataFrame:
    scores = material.summary.scores
    whole = scores[scores["target"] == ""]
    of_task = {task: scores_of(str(task)) for task in frame["task"].unique()}
    for name in SCORES:
        wanted = [of_task[task].get(name, ("", "")) for task in frame["task"]]
        names = [metric for metric, _ in wanted]
        asked = pd.DataFrame(wanted, columns=["metric", "method"]).assign(run=list(frame["run"]))
        mine = asked.merge(whole, on=["run", "metric", "method"]).drop_duplicates("run")
        mine = mine.set_index("run").reindex(frame["run"])
        mean, sd, n = (mine[column].to_numpy(float) for column in ("mean", "sd", "n"))
        n = np.nan_to_num(n)
        ends = mean_intervals(names, mean, sd, n, material.metrics, LEVEL)
        frame[name], frame[f"{name}_sd"] = mean, sd
        frame[f"{name}_low"], frame[f"{name}_high"] = ends
        frame[f"{name}_trials"] = n.astype(int)
    return frame


def _with_scale(frame: pd.DataFrame, material: Material) -> pd.DataFrame:
    """Fidelity between the random floor (0) and the oracle (1) of its task."""
    references = material.summary.trials[material.summary.trials["division"] == DIVISION]
    runs = set(references["run"])
    stats = {key: stat for key, stat in material.stats.items() if key[0] in runs}
    scaled = {end: np.full(len(frame), np.nan) for end in ("", "_low", "_high")}
    for index in frame.groupby(BOARD, sort=False).groups.values():
        first = frame.loc[index[0]]
        same = (references[BOARD] == first[BOARD]).all(axis=1)
        scale = find_scale(references[same], stats)
        fidelity = scores_of(first["task"]).get("fidelity", ("", ""))
        for end, column in scaled.items():
            values = frame.loc[index, f"fidelity{end}"]
            column[index] = [scale.place(*fidelity, value) for value in values]
    for end, column in scaled.items():
        frame[f"fidelity_scaled{end}"] = column
    frame["fidelity_scaled_trials"] = frame["fidelity_trials"]
    return frame


def _with_ranks(frame: pd.DataFrame, material: Material) -> pd.DataFrame:
    found = headline_ranks(frame, material.stats, seeds_of(material.summary.trials))
    for column, name in (("rank", "rank"), ("rank_low", "low"), ("rank_high", "high")):
        values = {run: getattr(standing, name) for run, standing in found.items()}
        frame[column] = frame["run"].map(values).astype("Int64")
    frame["group"] = [found[run].group if run in found else "" for run in frame["run"]]
    return frame
