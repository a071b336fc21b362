"""Tables of a registry in Markdown: results, cost, the study's claims and published scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, get_args

from motifidelity.entries import CLOSED, DIVISION
from motifidelity.errors import unknown
from motifidelity.leaderboard.text import parse_params, shorten
from motifidelity.metrics.declare import Family, all_metrics
from motifidelity.metrics.readings import OWN
from motifidelity.registry import Registry, Tables
from motifidelity.registry.counting import of_own_training
from motifidelity.report.capability_tables import capabilities_table, over_tasks_table
from motifidelity.report.markdown import head, line, mean_of
from motifidelity.report.part_tables import parts_table
from motifidelity.report.score_tables import filters_table, results_table, scale_table
from motifidelity.report.task_scores import CELL, TaskScores, label_of, whole_task
from motifidelity.report.task_tables import method_table, profile_table, recipe_table
from motifidelity.report.trial_tables import equivalence_table, told_table
from motifidelity.report.validity_tables import (
    bounds_table,
    floors_table,
    gates_table,
    reading_contrasts_table,
    readings_table,
    rivals_table,
)
from motifidelity.study.published import SIGMA, PublishedScore, compare
from motifidelity.summary.runs import mark_trials
from motifidelity.tasks.spec import TaskSpec, all_specs, find_spec, latest_specs

if TYPE_CHECKING:
    import pandas as pd

    from motifidelity.study.claims import Answer, Claim

# what the study ran on
BACKEND = "tensorflow"
# what all results of a row have in common, and what it is called; no mean is over two of them
SETTING = {
    "model_digest": "source",
    "isolation": "isolation",
    "task_digest": "specification",
    "dataset_digest": "data",
}
# tables of one task, by what stands before its name
OF_TASK: Mapping[str, Callable[[TaskScores, str], str]] = {
    "results": results_table,
    "filters": filters_table,
    "scale": scale_table,
    "readings": readings_table,
    "floors": floors_table,
    "bounds": bounds_table,
    "rivals": rivals_table,
    "gates": gates_table,
    "parts": parts_table,
    "capabilities": capabilities_table,
}


class DocumentTables:
    """Tables of one registry, of what was run on one backend of Keras.

    Backends train the same network to different weights, so no mean is over two of them; nor is one
    over two sources of a model, two isolations, or two states of a task. Of several the one with
    the most results is reported, and of equals the newest. Of several results of one trial and seed
    the one counts that the leaderboard counts.

    Parameters
    ----------
    registry : Registry
        Only successful full-profile results count.
    backend : str

    Attributes
    ----------
    tables : Tables
        The registry's, without what is left out; references, which no backend ran, stay.
    left_out : mapping of str to int
        Number of results of every other backend.
    unlike : mapping of str to int
        Number of results that differ from most of their model's, by what they are.
    """

    def __init__(self, registry: Registry, backend: str = BACKEND) -> None:
        tables = registry.tables()
        jobs = tables.jobs
        jobs = jobs[jobs["result_id"].isin(_counted(jobs))]
        jobs = jobs[(jobs["status"] == "ok") & (jobs["profile"] == "full")]
        ours = (jobs["backend"] == backend) | (jobs["division"] == DIVISION)
        self.left_out = dict(Counter(str(other) for other in jobs[~ours]["backend"]))
        jobs, self.unlike = _alike(jobs[ours].copy())
        self.tables = _only(tables, jobs)
        params = [parse_params(str(text)) for text in jobs["params"]]
        jobs["activation"] = [activation or "" for activation, _ in params]
        jobs["others"] = [", ".join(f"{k}={v}" for k, v in others) for _, others in params]
        self.jobs = jobs
        self._by_task: dict[str, TaskScores] = {}
        closed = jobs[jobs["division"] == CLOSED]
        # the study reads maps in each method's own way; its networks have an activation and no
        # other parameter
        scores = whole_task(self.tables.scores)
        scores = scores[scores["reading"] == OWN]
        columns = ["result_id", "task", *CELL, "trial", "seed"]
        self._study = scores.merge(closed[closed["others"] == ""][columns], on="result_id")
        self._tables: dict[str, Callable[[], str]] = {
            "published localisation": lambda: self._published("paper_localisation_auroc"),
            "published attribution": lambda: self._published("paper_attribution_auroc"),
            "tasks": partial(recipe_table, by_study=True),
            "tasks by recipe": partial(recipe_table, by_study=False),
            "capabilities": self._capabilities,
            "profiles": profile_table,
            "claims": self._claims,
            "claims measured": self._claims_measured,
            "cost": self._cost,
            "methods": method_table,
            "told": told_table,
            "equivalence": equivalence_table,
            "reading contrasts": self._reading_contrasts,
            # a name is the latest version's, as everywhere
            **{
                f"{kind} {name}": partial(self._of_task, table, name)
                for name in (*latest_specs(), *all_specs())
                for kind, table in OF_TASK.items()
            },
            **{
                f"metrics {family}": lambda family=family: _metrics(family)  # type: ignore[misc]
                for family in get_args(Family)
            },
        }

    def table(self, name: str) -> str:
        """A table by its name, Markdown, without a line break at its end.

        Raises
        ------
        UserError
            If there is none of that name.
        """
        if name not in self._tables:
            raise unknown("table", name, self._tables)
        return self._tables[name]().rstrip()

    def compared(self, metric: str) -> list[PublishedScore]:
        """Every published score of a metric beside its trials in the closed division."""
        return list(compare(self._study, metric))

    def _of_task(self, table: Callable[[TaskScores, str], str], name: str) -> str:
        return table(self._task_scores(find_spec(name)), name)

    def _reading_contrasts(self) -> str:
        return reading_contrasts_table(self._every_task())

    def _capabilities(self) -> str:
        return over_tasks_table(self._every_task())

    def _every_task(self) -> list[TaskScores]:
        return [self._task_scores(spec) for spec in latest_specs().values()]

    def _task_scores(self, spec: TaskSpec) -> TaskScores:
        if spec.id not in self._by_task:
            self._by_task[spec.id] = TaskScores.of(spec, self.tables, self.jobs)
        return self._by_task[spec.id]

    def _published(self, metric: str) -> str:
        headings = ["network", "activation", "method", "published", "measured", "trials", ""]
        lines = head(headings)
        for one in self.compared(metric):
            if not one.values:
                continue
            lines.append(
                line(
                    [
                        one.network,
                        one.activation,
                        one.method,
                        f"{one.mean:.3f} ± {one.sd:.3f}",
                        mean_of(one.values),
                        str(len(one.values)),
                        f"beyond {SIGMA:g} SD" if one.beyond else "",
                    ]
                )
            )
        return "\n".join(lines)

    def _claims(self) -> str:
        """The study's claims, the rules that test them, and the verdicts."""
        lines = head(["claim", "what the study says", "rule", "verdict"])
        for claim, found in self._findings():
            notes = [note for note in (found.coverage, found.tells) if note]
            verdict = ", ".join([f"**{found.verdict}**", *notes])
            lines.append(line([claim.name, claim.claimed, claim.rule, verdict]))
        return "\n".join(lines)

    def _claims_measured(self) -> str:
        """What is measured of every claim, part by part."""
        lines = head(["claim", "measured, `paper`", "corrected", "trials"])
        for claim, found in self._findings():
            parts = [text.replace("; ", "<br>") for text in (found.paper, found.corrected)]
            lines.append(line([claim.name, *parts, found.trials]))
        return "\n".join(lines)

    def _findings(self) -> list[tuple[Claim, Answer]]:
        from motifidelity.study.claims import CLAIMS, NETWORKS, Trials

        # each network on the task that the study trains it on
        mine = self._study
        trials = Trials(mine[mine["task"] == mine["model"].map(NETWORKS)])
        return [(claim, claim.test(trials)) for claim in CLAIMS]

    def _cost(self) -> str:
        """What training took; a network that later versions score too was trained for the first."""
        lines = head(
            ["network", "task", "activation", "epochs by trial", "minutes of training, mean"]
        )
        closed = self.jobs[self.jobs["division"] == CLOSED]
        networks = closed["arrays_of"].fillna(closed["result_id"])
        trained = closed[of_own_training(closed["task"], networks)]
        for (model, task, *params), group in trained.groupby(
            ["model", "task", "activation", "others"], sort=True
        ):
            group = group.sort_values("trial")
            epochs = " / ".join(str(int(epoch)) for epoch in group["epochs"])
            minutes = f"{group['seconds_fit'].mean() / 60:.1f}"
            lines.append(line([label_of([model]), str(task), label_of(params), epochs, minutes]))
        return "\n".join(lines)


def _counted(jobs: pd.DataFrame) -> list[str]:
    """Results that no later one of the same trial and seed replaces."""
    trials = mark_trials(jobs)
    return list(trials[trials["counted"]]["result_id"])


def _alike(jobs: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Of every model on a task the results of its usual setting, and how many others there are."""
    jobs = jobs.sort_values("started", kind="stable", na_position="first")
    settings = jobs[list(SETTING)].astype(object).fillna("").astype(str)
    owners = list(jobs[["model", "task", "division"]].itertuples(index=False, name=None))
    found = list(zip(owners, settings.itertuples(index=False, name=None), strict=True))
    counts = Counter(found)
    last = {one: place for place, one in enumerate(found)}
    # of an owner's settings the last in this order stays
    usual = dict(sorted(counts, key=lambda one: (counts[one], last[one])))
    unlike = {
        f"{_cut(owner[0])} on {_cut(owner[1])} ({_difference(setting, usual[owner])})": number
        for (owner, setting), number in sorted(counts.items())
        if setting != usual[owner]
    }
    kept = [place for place, (owner, setting) in enumerate(found) if setting == usual[owner]]
    return jobs.iloc[kept].sort_index(), unlike


def _difference(setting: Sequence[str], usual: Sequence[str]) -> str:
    """In what a setting is not the usual one."""
    values = zip(SETTING.values(), setting, usual, strict=True)
    return ", ".join(f"{name} {_cut(value)}" for name, value, other in values if value != other)


def _cut(text: str) -> str:
    return " ".join(shorten(text, 24).split())


def _only(tables: Tables, jobs: pd.DataFrame) -> Tables:
    """The tables, limited to some of their jobs."""
    kept = {
        name: table[table["result_id"].isin(jobs["result_id"])]
        for name in ("scores", "filters", "history")
        for table in [getattr(tables, name)]
    }
    return replace(tables, jobs=jobs, **kept)


def _metrics(family: str) -> str:
    lines = head(["name", "range", "better", "chance", "what it says"])
    metrics = [metric for metric in all_metrics().values() if metric.family == family]
    for metric in sorted(metrics, key=lambda m: (m.definition == "paper", m.name)):
        low = "any" if metric.low is None else f"{metric.low:g}"
        high = "any" if metric.high is None else f"{metric.high:g}"
        chance = "depends" if metric.chance is None else f"{metric.chance:g}"
        lines.append(
            line([f"`{metric.name}`", f"{low} to {high}", metric.direction, chance, metric.summary])
        )
    return "\n".join(lines)
