"""What a run prints at its end: the table of its scores, and where its page lies."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from motifidelity.metrics.headlines import HEADLINES
from motifidelity.registry import Registry
from motifidelity.summary.runs import TRIAL, Summary, gather_scores, mark_trials

if TYPE_CHECKING:
    from motifidelity.runs.run import Ended


def exit_status(ended: Ended, of: int) -> int:
    """Exit status of a run of so many jobs; of one that was stopped, say what is kept."""
    if ended.interrupted:
        print(
            f"bench: stopped; {ended.finished} of {of} jobs are finished and kept; "
            "run the same command again to go on",
            file=sys.stderr,
        )
        return 130
    return 1 if ended.failed else 0


def headline_scores(summary: Summary) -> pd.DataFrame:
    """Mean, SD over trials and number of trials of every run's headline scores, a row each.

    Parameters
    ----------
    summary : Summary

    Returns
    -------
    DataFrame
        ``run``, ``task``, ``family``, ``metric``, ``method``, ``label``, ``mean``, ``sd``,
        ``trials``, by task.
    """
    lines = pd.DataFrame(HEADLINES, columns=["family", "metric", "method", "label"])
    lines = lines.fillna({"method": ""}).assign(place=lines.index)
    scores = summary.scores[(summary.scores["target"] == "") & (summary.scores["n"] > 0)]
    runs = summary.trials[["run", "task"]].drop_duplicates()
    scores = scores.merge(lines, on=["metric", "method"]).merge(runs, on="run")
    scores = scores.sort_values(["task", "run", "place"]).rename(columns={"n": "trials"})
    scores["method"] = scores["method"].astype(object).where(scores["method"] != "", None)
    columns = ["run", "task", "family", "metric", "method", "label", "mean", "sd", "trials"]
    return scores[columns].reset_index(drop=True)


def print_scores(
    registry: Registry, job_ids: Collection[str], page: Path, *, as_json: bool = False
) -> None:
    """Print the scores of the trials that the given jobs are of, and where the page lies."""
    tables = {name: table.to_pandas() for name, table in registry.latest("jobs", "scores").items()}
    trials = mark_trials(tables["jobs"])
    # of such a trial another job's result may count
    mine = trials[trials["job_id"].isin(job_ids)][[*TRIAL]].drop_duplicates()
    trials = trials.merge(mine, on=[*TRIAL])
    headlines = headline_scores(Summary(trials, gather_scores(trials, tables["scores"])))
    if as_json:
        rows = json.loads(headlines.drop(columns="run").to_json(orient="records"))
        print(json.dumps({"event": "scores", "scores": rows, "page": str(page)}), flush=True)
        return
    _print_table(headlines, trials[trials["counted"]])
    print(f"Leaderboard: {page}")


def _print_table(headlines: pd.DataFrame, trials: pd.DataFrame) -> None:
    from rich.console import Console
    from rich.table import Table

    # piped output keeps its columns: a narrow default width would fold them
    console = Console(soft_wrap=True, highlight=False)
    for run, rows in headlines.groupby("run", sort=False):
        mine = trials[trials["run"] == run]
        failed = int((mine["status"] != "ok").sum())
        profile = mine["profile"].iloc[0]
        note = "" if profile == "full" else f", profile {profile}: never ranked with full results"
        missing = f", {failed} failed" if failed else ""
        table = Table(
            title=f"{mine['task'].iloc[0]}  "
            f"({len(mine)} trial{'s' if len(mine) != 1 else ''}{missing}{note})",
            title_justify="left",
        )
        table.add_column("score")
        table.add_column("mean", justify="right")
        table.add_column("SD over trials", justify="right")
        table.add_column("trials", justify="right")
        for row in rows.to_dict("records"):
            digits = 1 if row["metric"] == "motifs_found" else 3
            sd = "" if pd.isna(row["sd"]) else f"{row['sd']:.{digits}f}"
            table.add_row(row["label"], f"{row['mean']:.{digits}f}", sd, str(row["trials"]))
        console.print(table)
