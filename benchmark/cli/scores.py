"""What a run prints at its end: the table of its scores, and where its page lies."""

from __future__ import annotations

import json
import math
import sys
import textwrap
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from motifidelity.entries import DIVISION
from motifidelity.leaderboard.tables.scale import find_scale
from motifidelity.metrics.declare import all_metrics
from motifidelity.registry import Registry
from motifidelity.summary.formats import text_table
from motifidelity.summary.ranks import LEVEL
from motifidelity.summary.rivals import HELD, NOT_ABOVE, not_above_counting
from motifidelity.summary.runs import TRIAL, Summary, gather_scores, mark_trials
from motifidelity.summary.stats import Stat, Stats, index_stats, mean_intervals
from motifidelity.tasks.spec import Profile, TaskSpec, accuracy_of, headlines_of, known_specs

if TYPE_CHECKING:
    from motifidelity.runs.run import Ended

FULL = "full"
# share of the way from floor to ceiling below which a score is at chance
AT_CHANCE = 0.05
# the standard error over test sequences of scores that are no means over them
ERRORS = dict(one for held in HELD.values() for one in held)
# columns of numbers, by their headings
NUMBERS = {"mean": "mean", "sd": "SD", "floor": "floor", "ceiling": "ceiling"}


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
        With the ceilings and floors of the same tasks, which have no rows of their own.

    Returns
    -------
    DataFrame
        ``run``, ``task``, ``family``, ``metric``, ``method``, ``label``, ``mean``, ``sd``,
        ``trials``, ``floor``, ``ceiling``, ``note`` and ``error`` (standard error of single
        trials over their sequences or classes), by task. The note is ``at chance`` below
        `AT_CHANCE` of the way from floor to ceiling, ``may be chance`` where the interval over
        trials reaches the floor, `NOT_ABOVE` where it is not above a regression on 6-mer counts,
        else "".
    """
    about = ["run", "task", "task_digest", "profile", "division"]
    runs = summary.trials[about].drop_duplicates()
    lines = _lines(runs["task"].unique())
    scores = summary.scores[(summary.scores["target"] == "") & (summary.scores["n"] > 0)]
    scores = scores.merge(runs[runs["division"] != DIVISION], on="run")
    scores = scores.merge(lines, on=["task", "metric", "method"])
    scores = scores.sort_values(["task", "run", "place"]).rename(columns={"n": "trials"})
    stats = index_stats(summary.scores)
    scores = _with_ends(scores.reset_index(drop=True), summary, stats)
    scores["error"] = [
        _error(stats.get((str(run), ERRORS.get(metric, ""), "", "")), trials)
        for run, metric, trials in scores[["run", "metric", "by_trial"]].itertuples(index=False)
    ]
    scores["method"] = scores["method"].astype(object).where(scores["method"] != "", None)
    columns = ["run", "task", "family", "metric", "method", "label", "mean", "sd", "trials"]
    return scores[[*columns, "floor", "ceiling", "note", "error"]].reset_index(drop=True)


def _lines(tasks: Iterable[str]) -> pd.DataFrame:
    """The headlines of every task in their order."""
    rows = [
        (task, one.family, *one.score, one.label, place)
        for task in tasks
        for place, one in enumerate(headlines_of(task))
    ]
    return pd.DataFrame(rows, columns=["task", "family", "metric", "method", "label", "place"])


def _with_ends(scores: pd.DataFrame, summary: Summary, stats: Stats) -> pd.DataFrame:
    """Floor, ceiling, and whether a score is told from chance."""
    metrics = all_metrics()
    mean, sd, n = (scores[name].to_numpy(float) for name in ("mean", "sd", "trials"))
    lows, highs = mean_intervals(list(scores["metric"]), mean, sd, n, metrics, LEVEL)
    same = ["task", "task_digest", "profile"]
    scales = {
        key: find_scale(rows, stats) for key, rows in summary.trials.groupby(same, dropna=False)
    }
    below = not_above_counting(summary.trials, stats)
    floors, ceilings, notes = [], [], []
    for row, low, high in zip(scores.to_dict("records"), lows, highs, strict=True):
        scale = scales[tuple(row[name] for name in same)]
        metric, method = row["metric"], row["method"]
        place = scale.place(metric, method, row["mean"])
        known = math.isfinite(place)
        floors.append(scale.floors[metric, method] if known else math.nan)
        ceilings.append(scale.ceilings[metric, method] if known else math.nan)
        reach = min(scale.place(metric, method, end) for end in (low, high))
        note = "at chance" if place < AT_CHANCE else "may be chance" if reach <= 0 else ""
        mine = {metric for name in below.get(row["run"], ()) for metric, _ in HELD[name]}
        notes.append(note or (NOT_ABOVE if metric in mine else ""))
    return scores.assign(floor=floors, ceiling=ceilings, note=notes)


def _error(stated: Stat | None, by_trial: Mapping[str, tuple[float, float | None, int]]) -> float:
    """The standard error that trials state, else the root mean square of those of their means."""
    if stated is not None and stated.n:
        return stated.mean
    squares = [sd**2 / n for _, sd, n in by_trial.values() if sd is not None and n > 1]
    return math.sqrt(sum(squares) / len(squares)) if squares else math.nan


def print_scores(
    registry: Registry, job_ids: Collection[str], page: Path, *, as_json: bool = False
) -> None:
    """Print the scores of the trials that the given jobs are of, and where the page lies."""
    tables = {name: table.to_pandas() for name, table in registry.latest("jobs", "scores").items()}
    trials = mark_trials(tables["jobs"])
    # of such a trial another job's result may count
    mine = trials[trials["job_id"].isin(job_ids)][[*TRIAL]].drop_duplicates()
    references = trials[trials["division"] == DIVISION]
    trials = trials.merge(mine, on=[*TRIAL])
    trials = pd.concat([trials, references]).drop_duplicates("result_id")
    headlines = headline_scores(Summary(trials, gather_scores(trials, tables["scores"])))
    if as_json:
        rows = json.loads(headlines.drop(columns=["run", "error"]).to_json(orient="records"))
        print(json.dumps({"event": "scores", "scores": rows, "page": str(page)}), flush=True)
        return
    print(score_tables(headlines, trials[trials["counted"]]), end="")
    print(f"Leaderboard: {page}")


def score_tables(headlines: pd.DataFrame, trials: pd.DataFrame) -> str:
    """The scores of every run, and what of them means little; each followed by an empty line.

    Parameters
    ----------
    headlines : DataFrame
        As `headline_scores` returns them.
    trials : DataFrame
        Counted rows of `Summary.trials`.
    """
    parts = []
    for run, rows in headlines.groupby("run", sort=False):
        mine = trials[trials["run"] == run]
        failed = int((mine["status"] != "ok").sum())
        covered = f"{len(mine)} trial{'s' if len(mine) != 1 else ''}"
        covered += f", {failed} failed" if failed else ""
        first = mine.iloc[0]
        lines = [
            f"{first['task']}, profile {first['profile']} ({covered})",
            _table(rows, len(mine)),
            *_little_meant(rows, str(first["task"]), str(first["profile"])),
        ]
        parts.append("\n".join(lines) + "\n\n")
    return "".join(parts)


def _table(rows: pd.DataFrame, trials: int) -> str:
    columns: dict[str, list[str]] = {"score": list(rows["label"])}
    digits = [1 if metric == "motifs_found" else 3 for metric in rows["metric"]]
    for name, heading in NUMBERS.items():
        values = [
            "" if pd.isna(value) else f"{value:.{places}f}"
            for value, places in zip(rows[name], digits, strict=True)
        ]
        if any(values):
            columns[heading] = values
    if (rows["trials"] != trials).any():
        columns["trials"] = list(rows["trials"].map(str))
    # what does not beat counting is said below the table
    noted = rows["note"].where(rows["note"] != NOT_ABOVE, "")
    if noted.any():
        columns[""] = list(noted)
    numbers = [name not in ("score", "") for name in columns]
    return text_table(list(columns), list(zip(*columns.values(), strict=True)), numbers)


def _little_meant(rows: pd.DataFrame, task: str, profile: str) -> Iterator[str]:
    """What of a run's scores says little of its architecture, and why, a line each."""
    notes: list[tuple[str, str]] = []
    accuracy = rows[rows["metric"] == accuracy_of(task).metric]
    if (accuracy["note"] == "at chance").any():
        notes.append(
            ("all scores", "accuracy is at chance: the network has learned nothing that its "
             "filters or maps could show")
        )  # fmt: skip
    notes += [
        (label, f"{NOT_ABOVE}: the lower end of the 95% interval is not above what a regression on "
         "6-mer counts has")
        for label in rows[rows["note"] == NOT_ABOVE]["label"]
    ]  # fmt: skip
    spec = known_specs().get(task)
    if spec and profile in spec.profiles and profile != FULL:
        notes += _of_profile(rows, spec, spec.profiles[profile], spec.profiles.get(FULL))
    if notes:
        yield (
            f"Profile {profile}: never ranked. What means little here, and why:"
            if (profile != FULL)
            else "What means little here, and why:"
        )
    for what, why in notes:
        text = f"{what}: {why}"
        yield from textwrap.wrap(text, 78, initial_indent="  ", subsequent_indent="    ")


def _of_profile(
    rows: pd.DataFrame, spec: TaskSpec, profile: Profile, full: Profile | None
) -> Iterator[tuple[str, str]]:
    """Families whose scores a smaller profile leaves with little meaning, and why."""
    families = set(rows["family"])
    trained, taken = spec.digests["train"]["n"], spec.size(profile, "train")
    if profile.train and full and families & {"filters", "localisation"}:
        yield (
            "filters, localisation",
            f"at most {profile.max_epochs} of {full.max_epochs} epochs on {taken:,} of "
            f"{trained:,} sequences: filters are still forming, and a network that forms them "
            "late looks as if it never did",
        )
    maps = rows[rows["family"] == "attribution"]
    if full and len(maps) and profile.explained < full.explained:
        error = maps["error"].max()
        spread = f", a standard error of {error:.3f}" if math.isfinite(error) else ""
        yield (
            "attribution",
            f"maps of {profile.explained} test sequences instead of {full.explained}{spread}",
        )
    if full and profile.trials < full.trials:
        yield (
            "all differences",
            f"{profile.trials} trial{'s' if profile.trials != 1 else ''} instead of "
            f"{full.trials}: what another seed would give is not known",
        )
