"""The study's claims, each with its rule and what the registry's networks say to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from motifidelity.backends import DEFAULT_BACKEND
from motifidelity.entries import CLOSED
from motifidelity.leaderboard.page import Material, Page
from motifidelity.leaderboard.text import parse_params
from motifidelity.summary.stats import seeds_of, split_stats

if TYPE_CHECKING:
    from motifidelity.study.claims import Answer, Claim

PATH = "claims.html"


@dataclass(frozen=True)
class Finding:
    """A claim beside its answer."""

    claim: Claim
    answer: Answer

    @property
    def kind(self) -> str:
        """Class of its verdict: ``holds``, ``fails`` or ``open``."""
        from motifidelity.study.claims import FAILS, HOLDS

        kinds = {HOLDS: "holds", FAILS: "fails"}
        return next((kind for word, kind in kinds.items() if self.answer.verdict == word), "open")


def claims_page(material: Material) -> Page:
    """The page of the claims; a claim of which nothing was run says so."""
    trials = study_trials(material.summary.trials)

    def draw() -> Mapping[str, object]:
        from motifidelity.study.claims import CLAIMS, Trials

        measured = Trials(_scores(trials, material))
        return {"findings": [Finding(claim, claim.test(measured)) for claim in CLAIMS]}

    return Page(PATH, "claims.html", material.inputs(trials), draw)


def study_trials(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials that the claims are held against.

    Parameters
    ----------
    trials : DataFrame
        As `Summary.trials`.

    Returns
    -------
    DataFrame
        Of the study's networks on the task that it trains each on, with an activation and no other
        parameter, in full, by the task's own recipe, on the default backend; of several runs of a
        network with one activation that with the most trials, and of equals the newest.
    """
    from motifidelity.study.claims import NETWORKS

    mine = trials[
        (trials["task"] == trials["model"].map(NETWORKS))
        & trials["counted"]
        & (trials["status"] == "ok")
        & (trials["profile"] == "full")
        & (trials["division"] == CLOSED)
        & (trials["backend"] == DEFAULT_BACKEND)
    ]
    parsed = [parse_params(str(params)) for params in mine["params"]]
    plain = np.array([bool(activation) and not others for activation, others in parsed], bool)
    mine = mine.assign(activation=[activation or "" for activation, _ in parsed])[plain]
    runs = mine.groupby(["model", "activation", "run"], as_index=False).agg(
        number=("result_id", "size"), newest=("started", "max")
    )
    best = runs.sort_values(["number", "newest", "run"]).drop_duplicates(
        ["model", "activation"], keep="last"
    )
    return mine[mine["run"].isin(best["run"])]


def _scores(trials: pd.DataFrame, material: Material) -> pd.DataFrame:
    """A row a score and trial, as `motifidelity.study.claims.Trials` takes them."""
    seeds = seeds_of(material.summary.trials)
    stats = split_stats(material.stats)
    rows = [
        (model, activation, metric, method, seeds[result], value)
        for run, model, activation in trials[["run", "model", "activation"]]
        .drop_duplicates()
        .itertuples(index=False)
        for (_, metric, method, target), stat in stats.get(run, {}).items()
        if target == ""
        for result, (value, _, _) in stat.by_trial.items()
    ]
    columns = ["model", "activation", "metric", "method", "seed", "value"]
    return pd.DataFrame(rows, columns=columns)
