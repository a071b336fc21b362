"""A registry of any size for measuring the leaderboard: the committed results, many times over.

Every copy has a name, scores and filters of its own, so that nothing can be drawn once for two.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from motifidelity.registry import Registry

BASELINES = Path(__file__).parents[2] / "baselines"
TRIALS = 10
REFERENCES = ("Oracle", "Random")
# two tasks, however many the committed results are of
TASKS = ("motif-classes@2", "regulatory-code@2")


@dataclass(frozen=True)
class Tables:
    jobs: pd.DataFrame
    scores: pd.DataFrame
    filters: pd.DataFrame
    history: pd.DataFrame


def enlarge(num_models: int, num_trials: int = TRIALS) -> tuple[Tables, dict[str, str]]:
    """So many models of each of ``TASKS``, as the committed ones are models of one task each.

    Parameters
    ----------
    num_models, num_trials : int
        Models of a task, trials of a model.

    Returns
    -------
    tables : Tables
        ``num_models * num_trials`` results of each task, and its references.
    sources : dict of str to str
        The committed result that each result was copied from.
    """
    latest = Registry(BASELINES).latest("jobs", "scores", "filters", "history")
    tables = {name: table.to_pandas() for name, table in latest.items()}
    jobs = tables["jobs"]
    jobs = jobs[jobs["task"].isin(TASKS)]
    kept = jobs[jobs["model"].isin(REFERENCES)]
    parts = [kept]
    for _, sources in jobs[jobs["division"] == "closed"].groupby("task", sort=True):
        picked = np.arange(num_models * num_trials)
        copies = sources.iloc[(picked // num_trials) % len(sources)].reset_index(drop=True)
        copies["source"] = copies["result_id"]
        name = pd.Series(picked // num_trials).map("{:04d}".format)
        copies["model"] = "Network " + name
        copies["model_digest"] = name + copies["model_digest"].iloc[0][4:]
        copies["params"] = '{"activation": "relu"}'
        copies["trial"] = copies["seed"] = picked % num_trials
        tail = pd.Series(picked).map("{:08x}".format)
        copies["result_id"] = tail + copies["result_id"].str[8:]
        copies["job_id"] = copies["result_id"].str[:24]
        parts.append(copies)
    large = pd.concat(parts, ignore_index=True)
    large["source"] = large["source"].fillna(large["result_id"])
    rng = np.random.default_rng(0)
    found = {name: _copied(tables[name], large) for name in ("scores", "filters", "history")}
    found["scores"]["value"] += rng.normal(0, 1e-3, len(found["scores"]))
    found["filters"]["ppm"] = _varied(found["filters"]["ppm"], rng)
    sources = dict(zip(large["result_id"], large["source"], strict=True))
    return Tables(jobs=large.drop(columns="source"), **found), sources


def _copied(table: pd.DataFrame, jobs: pd.DataFrame) -> pd.DataFrame:
    """The rows of every result's source, under the result's own id."""
    keys = jobs[["result_id", "source"]].rename(columns={"result_id": "copy"})
    joined = keys.merge(table, left_on="source", right_on="result_id")
    joined["result_id"] = joined.pop("copy")
    return joined.drop(columns="source")


def _varied(motifs: pd.Series, rng: np.random.Generator) -> list[np.ndarray]:
    """Position probability matrices, as flat arrays, each a little different."""
    flat = np.concatenate([np.asarray(motif, dtype=float) for motif in motifs]).reshape(-1, 4)
    flat = flat + rng.uniform(0, 0.02, flat.shape)
    flat = (flat / flat.sum(axis=1, keepdims=True)).astype(np.float32)
    ends = np.cumsum([len(motif) for motif in motifs])[:-1]
    return np.split(flat.ravel(), ends)
