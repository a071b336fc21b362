"""Tables of a registry in Markdown: results, cost, the study's claims and published scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from motifidelity.entries import CLOSED, DIVISION, FLOOR_NETWORKS, ORACLE, RANDOM
from motifidelity.errors import unknown
from motifidelity.leaderboard.text import parse_params, shorten
from motifidelity.metrics.declare import all_metrics
from motifidelity.metrics.methods import FLOOR_METHOD
from motifidelity.metrics.oracle import normalise
from motifidelity.registry import Registry, Tables
from motifidelity.report.markdown import head, line
from motifidelity.report.task_tables import method_table, profile_table, recipe_table
from motifidelity.report.trial_tables import equivalence_table, told_table
from motifidelity.study.published import SIGMA, PublishedScore, compare
from motifidelity.summary.runs import mark_trials
from motifidelity.tasks.spec import all_specs, find_spec, latest_specs
from motifidelity.untrusted import clean

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
CELL = ["model", "activation", "others"]
# the two headline tables: heading, metric, method, digits
RESULTS = (
    ("AUROC", "auroc", "", 3),
    ("AUPR", "aupr", "", 3),
    ("match_fraction", "match_fraction", "", 3),
    ("motifs found", "motifs_found", "", 1),
    ("localisation", "localisation_auroc", "filter", 3),
    ("saliency", "attribution_auroc", "saliency", 3),
    ("corrected gradient", "attribution_auroc", "gradient_corrected", 3),
    ("ISM", "attribution_auroc", "ism", 3),
    ("DeepSHAP", "attribution_auroc", "deepshap", 3),
)
FILTERS = (
    ("paper_match_any", "paper_match_any", "", 3),
    ("paper_match_fraction", "paper_match_fraction", "", 3),
    ("match_fraction", "match_fraction", "", 3),
    ("motifs_found", "motifs_found", "", 1),
)


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
        scores = tables.scores[tables.scores["target"].isna()].fillna({"method": ""})
        columns = ["result_id", "task", *CELL, "division", "trial", "seed"]
        self.scores = scores.merge(jobs[columns], on="result_id")
        self._closed = self.scores[self.scores["division"] == CLOSED]
        # the study's networks have an activation and no other parameter
        self._study = self._closed[self._closed["others"] == ""]
        self._tables: dict[str, Callable[[], str]] = {
            "published localisation": lambda: self._published("paper_localisation_auroc"),
            "published attribution": lambda: self._published("paper_attribution_auroc"),
            "tasks": recipe_table,
            "profiles": profile_table,
            "claims": self._claims,
            "claims measured": self._claims_measured,
            "cost": self._cost,
            "methods": method_table,
            "told": told_table,
            "equivalence": equivalence_table,
            # a name is the latest version's, as everywhere
            **{
                f"{kind} {name}": partial(table, name)
                for name in (*latest_specs(), *all_specs())
                for kind, table in (
                    ("results", partial(self._results, RESULTS)),
                    ("filters", partial(self._results, FILTERS)),
                    ("scale", self._scale),
                )
            },
            **{
                f"metrics {family}": lambda family=family: _metrics(family)  # type: ignore[misc]
                for family in ("accuracy", "filters", "localisation", "attribution")
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

    def _cells(self, task: str) -> pd.DataFrame:
        """Models and parameters of a task, in the order of their names, references left out."""
        mine = self.jobs[(self.jobs["task"] == task) & (self.jobs["division"] == CLOSED)]
        return mine[CELL].drop_duplicates().sort_values(CELL)

    def _values(self, task: str, cell: Sequence[str], metric: str, method: str) -> pd.Series:
        s = self._closed
        here = (s["task"] == task) & (s[CELL] == list(cell)).all(axis=1)
        return s[here & (s["metric"] == metric) & (s["method"] == method)]["value"]

    def _results(self, columns: Iterable[tuple[str, str, str, int]], name: str) -> str:
        columns = list(columns)
        task = find_spec(name).id
        lines = head([f"`{name}`", "trials", *(heading for heading, *_ in columns)])
        for cell in self._cells(task).itertuples(index=False, name=None):
            trials = len(self._values(task, cell, "auroc", ""))
            values = [
                _mean(self._values(task, cell, metric, method), digits)
                for _, metric, method, digits in columns
            ]
            lines.append(line([_label(cell), str(trials), *values]))
        return "\n".join(lines)

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
                        _mean(one.values, 3),
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
        lines = head(
            ["network", "task", "activation", "epochs by trial", "minutes of training, mean"]
        )
        closed = self.jobs[self.jobs["division"] == CLOSED]
        for (model, task, *params), group in closed.groupby(
            ["model", "task", "activation", "others"], sort=True
        ):
            group = group.sort_values("trial")
            epochs = " / ".join(str(int(epoch)) for epoch in group["epochs"])
            minutes = f"{group['seconds_fit'].mean() / 60:.1f}"
            task = str(task).removesuffix("@1")
            lines.append(line([_label([model]), task, _label(params), epochs, minutes]))
        return "\n".join(lines)

    def _scale(self, name: str) -> str:
        """Floors, ceiling and the best and worst baseline of every metric, raw and scaled."""
        spec = find_spec(name)
        mine = self.scores[self.scores["task"] == spec.id]
        closed = mine[mine["division"] == CLOSED]
        metrics = all_metrics()
        floors = [name.lower() for name in (RANDOM, *FLOOR_NETWORKS)]
        lines = head(["metric", "method", *floors, "baselines", "oracle", "baselines, scaled"])
        order = {name: number for number, name in enumerate(metrics)}
        pairs = sorted(
            {(m, method) for m, method in zip(closed["metric"], closed["method"], strict=True)},
            key=lambda pair: (order.get(pair[0], len(order)), pair),
        )
        for metric, method in pairs:
            declared = metrics.get(metric)
            if declared is None or declared.direction == "neutral":
                continue
            if method in (FLOOR_METHOD, "pwm"):  # what belongs to no network
                continue
            here = mine[(mine["metric"] == metric) & (mine["method"] == method)]
            ends = {
                name: here[here["model"] == name]["value"]
                for name in (RANDOM, *FLOOR_NETWORKS, ORACLE)
            }
            networks = here[here["division"] == CLOSED].groupby(CELL)
            means = networks["value"].mean()
            spread = f"{means.min():.3f} to {means.max():.3f}"
            scaled = "–"
            if not declared.own_network and len(ends[RANDOM]) and len(ends[ORACLE]):
                stated = spec.scoring.fixed_floor(metric)
                floor = ends[RANDOM].mean() if stated is None else stated
                ceiling = ends[ORACLE].mean()
                places = [normalise(value, floor, ceiling) for value in sorted(means)]
                if all(place == place for place in places):
                    scaled = f"{places[0]:.2f} to {places[-1]:.2f}"
            lines.append(
                line(
                    [
                        f"`{metric}`",
                        method or "–",
                        *(_mean(ends[name], 3) for name in (RANDOM, *FLOOR_NETWORKS)),
                        spread,
                        _mean(ends[ORACLE], 3),
                        scaled,
                    ]
                )
            )
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


def _label(parts: Iterable[object]) -> str:
    """A cell's name: model, activation, and whatever other parameters it has."""
    text = clean(" ".join(str(part) for part in parts if part)).replace("|", r"\|")
    return " ".join(text.split())


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


def _mean(scores: Iterable[float], digits: int) -> str:
    import pandas as pd

    values = pd.Series(scores, dtype=float).dropna()
    if not len(values):
        return "–"
    spread = f" ± {values.std(ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{values.mean():.{digits}f}{spread}"
