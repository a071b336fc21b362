"""What a run prints at its end: the table of its scores, and where its page lies."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from motifidelity.registry import Registry

if TYPE_CHECKING:
    from motifidelity.runs.run import Ended
from motifidelity.metrics.headlines import HEADLINES


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


def headline_scores(scores: pd.DataFrame, jobs: pd.DataFrame) -> pd.DataFrame:
    """Mean, SD over trials and number of trials of every headline score, a row each.

    Parameters
    ----------
    scores, jobs : DataFrame
        Tables of the registry.

    Returns
    -------
    DataFrame
        ``task``, ``family``, ``metric``, ``method``, ``label``, ``mean``, ``sd``, ``trials``.
    """
    means = scores[scores["target"].isna()].merge(jobs[["result_id", "task"]], on="result_id")
    rows = []
    for task in sorted(jobs["task"].unique()):
        mine = means[means["task"] == task]
        for family, metric, method, label in HEADLINES:
            picked = mine[mine["metric"] == metric]
            picked = picked[
                picked["method"].isna() if method is None else picked["method"] == method
            ]
            values = picked["value"].dropna()
            if len(values):
                sd = float(values.std(ddof=1)) if len(values) > 1 else None
                rows.append(
                    (task, family, metric, method, label, float(values.mean()), sd, len(values))
                )
    columns = ["task", "family", "metric", "method", "label", "mean", "sd", "trials"]
    return pd.DataFrame(rows, columns=columns)


def print_scores(
    registry: Registry, job_ids: Sequence[str], page: Path, *, as_json: bool = False
) -> None:
    """Print the scores of the given jobs and where the page lies."""
    tables = registry.tables()
    jobs = tables.jobs[tables.jobs["job_id"].isin(list(job_ids))]
    done = jobs[jobs["status"] == "ok"]
    headlines = headline_scores(
        tables.scores[tables.scores["result_id"].isin(done["result_id"])], done
    )
    if as_json:
        rows = json.loads(headlines.to_json(orient="records"))
        print(json.dumps({"event": "scores", "scores": rows, "page": str(page)}), flush=True)
        return
    if len(headlines):
        _print_table(headlines, jobs)
    print(f"Leaderboard: {page}")


def _print_table(headlines: pd.DataFrame, jobs: pd.DataFrame) -> None:
    from rich.console import Console
    from rich.table import Table

    # piped output keeps its columns: a narrow default width would fold them
    console = Console(soft_wrap=True, highlight=False)
    for task, rows in headlines.groupby("task"):
        mine = jobs[jobs["task"] == task]
        failed = int((mine["status"] != "ok").sum())
        profile = mine["profile"].iloc[0]
        note = "" if profile == "full" else f", profile {profile}: never ranked with full results"
        missing = f", {failed} failed" if failed else ""
        table = Table(
            title=f"{task}  ({len(mine)} trial{'s' if len(mine) != 1 else ''}{missing}{note})",
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
