"""What networks can do, in six figures a task: 0 is the task's floor, 1 its oracle."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from motifidelity.entries import DIVISION, KMER_REGRESSION
from motifidelity.leaderboard.tables.order import place_of
from motifidelity.leaderboard.tables.scale import Scale, find_scale
from motifidelity.metrics.headlines import (
    CAPABILITIES,
    HEADLINES,
    Capability,
    Headline,
    shown_capabilities,
)
from motifidelity.summary.inputs import MetricInfo
from motifidelity.summary.ranks import kinds
from motifidelity.summary.stats import Stats
from motifidelity.summary.verdicts import flagged
from motifidelity.tasks.spec import TaskSpec, known_specs, latest_specs

FULL = "full"
# runs that agree in these are of one model, whatever the task
MODEL = ("model", "model_digest", "params", "backend", "division")
COLUMNS = ("run", "task", *MODEL, "kind", *CAPABILITIES, "flagged")
OVER_TASKS = (*MODEL, "kind", *CAPABILITIES, "ran")


def suite() -> tuple[TaskSpec, ...]:
    """The tasks that a figure over several is of: the suite's latest versions."""
    return tuple(sorted(latest_specs().values(), key=lambda spec: place_of(spec.id)))


def capability_table(trials: pd.DataFrame, stats: Stats) -> pd.DataFrame:
    """The six figures of every run of a network, and of the 6-mer regression.

    Parameters
    ----------
    trials : DataFrame
        As `Summary.trials`.
    stats : Stats

    Returns
    -------
    DataFrame
        `COLUMNS`, a row a run of the full profile on a task that states headlines, as its
        specification is now. A figure is the mean of the scores that show it, each from the
        task's floor (0) to its oracle (1), not cut off; nan where one of them is not there.
        ``flagged`` names the gates of its task that one of its trials is past.
    """
    rows: list[tuple[object, ...]] = []
    counted = trials[trials["counted"] & (trials["profile"] == FULL)]
    for (task, digest), mine in counted.groupby(["task", "task_digest"], sort=True):
        spec = spec_as_known(str(task), str(digest))
        if spec is None or spec.headlines == HEADLINES:
            continue
        beside = set(mine.loc[mine["division"] == DIVISION, "run"])
        scale = find_scale(mine, {key: stat for key, stat in stats.items() if key[0] in beside})
        runs = mine.drop_duplicates("run")
        for job, kind in zip(runs.to_dict("records"), kinds(runs), strict=True):
            if kind != "model" and job["model"] != KMER_REGRESSION:
                continue
            run = str(job["run"])
            past = ", ".join(gate.label for gate in flagged(spec.id, stats, run))
            figures = _figures(spec, stats, scale, run)
            rows.append((run, spec.id, *(job[name] for name in MODEL), kind, *figures, past))
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(CAPABILITIES, float))


def over_tasks(table: pd.DataFrame, specs: Sequence[TaskSpec] | None = None) -> pd.DataFrame:
    """The mean of each figure over tasks, of networks that have run all of them.

    Parameters
    ----------
    table : DataFrame
        As `capability_table` returns it.
    specs : sequence of TaskSpec, optional
        The tasks; default: the suite's.

    Returns
    -------
    DataFrame
        `OVER_TASKS`, a row a model: a figure is there only where the model has it in every one of
        these tasks that asks for it. ``ran`` names the tasks that it has run.
    """
    specs = suite() if specs is None else specs
    asks = {
        name: [spec.id for spec in specs if name in shown_capabilities(spec.headlines)]
        for name in CAPABILITIES
    }
    rows = []
    for model, mine in table.groupby(list(MODEL), sort=False, dropna=False):
        by_task = mine.drop_duplicates("task").set_index("task")
        figures = [
            float(by_task.reindex(asks[name])[name].mean(skipna=False)) if asks[name] else math.nan
            for name in CAPABILITIES
        ]
        ran = [spec.name for spec in specs if spec.id in by_task.index]
        if ran:
            every = len(ran) == len(specs)
            said = f"all {len(specs)}" if every else f"{len(ran)} of {len(specs)}: {', '.join(ran)}"
            rows.append((*model, mine["kind"].iloc[0], *figures, said))
    return pd.DataFrame(rows, columns=list(OVER_TASKS)).astype(dict.fromkeys(CAPABILITIES, float))


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """The rows with most figures first, then by their mean, the best first; counting last."""
    known = table[list(CAPABILITIES)].to_numpy(float)
    there = np.isfinite(known)
    mean = np.where(there, known, 0).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    order = {"_counts": table["kind"] != "model", "_there": -there.sum(axis=1), "_mean": -mean}
    ordered = table.assign(**order).sort_values([*order, "model", "params"], kind="stable")
    return ordered.drop(columns=[*order]).reset_index(drop=True)


def spec_as_known(task: str, digest: str) -> TaskSpec | None:
    """A task's specification, None where it is not known or is another one by now."""
    spec = known_specs().get(task)
    return spec if spec is not None and spec.digest == digest else None


def capability_values(
    spec: TaskSpec, stats: Stats, scale: Scale, run: str
) -> dict[Capability, dict[str, float]]:
    """What a run's trials show of each capability that its task asks for.

    Parameters
    ----------
    spec : TaskSpec
    stats : Stats
    scale : Scale
        Of the task.
    run : str

    Returns
    -------
    dict of str to dict of str to float
        By capability and result: the mean of the scores that show it, each from floor (0) to
        oracle (1), not cut off. A trial that lacks one of them is left out.
    """
    found = {}
    for name, asked in shown_capabilities(spec.headlines).items():
        places = [_places(one, stats, scale, run) for one in asked]
        common = [result for result in places[0] if all(result in one for one in places)]
        means = {r: sum(one[r] for one in places) / len(places) for r in common}
        found[name] = {result: mean for result, mean in means.items() if math.isfinite(mean)}
    return found


def capability_bounds(
    spec: TaskSpec, scale: Scale, metrics: Mapping[str, MetricInfo]
) -> dict[Capability, tuple[float, float]]:
    """The least and the largest possible figure of each capability; infinite where it has none."""
    found = {}
    for name, asked in shown_capabilities(spec.headlines).items():
        ends = np.array([_ends(one, scale, metrics) for one in asked])
        low, high = ends.mean(axis=0)
        found[name] = (float(low), float(high))
    return found


def _ends(one: Headline, scale: Scale, metrics: Mapping[str, MetricInfo]) -> tuple[float, float]:
    info = metrics.get(one.metric)
    bounds = (None, None) if info is None else (info.low, info.high)
    places = [math.nan if end is None else scale.place(*one.score, end) for end in bounds]
    low, high = reversed(places) if places[0] > places[1] else places
    return (low if math.isfinite(low) else -math.inf, high if math.isfinite(high) else math.inf)


def _figures(spec: TaskSpec, stats: Stats, scale: Scale, run: str) -> list[float]:
    found = capability_values(spec, stats, scale, run)
    trials = [list(found.get(name, {}).values()) for name in CAPABILITIES]
    return [float(np.mean(values)) if values else math.nan for values in trials]


def _places(one: Headline, stats: Stats, scale: Scale, run: str) -> dict[str, float]:
    stat = stats.get((run, *one.score, ""))
    trials = stat.by_trial if stat is not None else {}
    return {result: scale.place(*one.score, value) for result, (value, _, _) in trials.items()}
