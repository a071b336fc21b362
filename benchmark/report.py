"""Tables of a registry in Markdown: results, cost, the study's claims and published scores."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from motifidelity.errors import unknown
from motifidelity.leaderboard.scale import FLOOR_NETWORKS
from motifidelity.markdown import head, line
from motifidelity.metrics.declare import all_metrics
from motifidelity.metrics.methods import FLOOR_METHOD
from motifidelity.metrics.oracle import OWN_NETWORK, normalise
from motifidelity.published import SIGMA, Comparison, compare
from motifidelity.references import DIVISION, ORACLE, RANDOM
from motifidelity.registry import Registry, Tables
from motifidelity.tasks.spec import find_spec
from motifidelity.tasktables import profile_table, recipe_table

if TYPE_CHECKING:
    import pandas as pd

    from motifidelity.claims import Claim, Finding

# what the study ran on
BACKEND = "tensorflow"
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


class Report:
    """Tables of one registry, of what was run on one backend of Keras.

    Backends train the same network to different weights, so no mean is over two of them.

    Parameters
    ----------
    registry : Registry
        Only successful full-profile results count.
    backend : str

    Attributes
    ----------
    tables : Tables
        The registry's, without the other backends; references, which no backend ran, stay.
    left_out : mapping of str to int
        Number of results of every other backend.
    """

    def __init__(self, registry: Registry, backend: str = BACKEND) -> None:
        tables = registry.tables()
        jobs = tables.jobs
        jobs = jobs[(jobs["status"] == "ok") & (jobs["profile"] == "full")]
        ours = (jobs["backend"] == backend) | (jobs["division"] == DIVISION)
        self.left_out = dict(Counter(str(other) for other in jobs[~ours]["backend"]))
        jobs = jobs[ours].copy()
        self.tables = _only(tables, jobs)
        jobs["activation"] = [json.loads(text).get("activation", "") for text in jobs["params"]]
        self.jobs = jobs
        scores = tables.scores[tables.scores["target"].isna()].fillna({"method": ""})
        columns = ["result_id", "task", "model", "activation", "division", "trial"]
        self.scores = scores.merge(jobs[columns], on="result_id")
        self._closed = self.scores[self.scores["division"] == "closed"]
        self._tables: dict[str, Callable[[], str]] = {
            "results motif-classes": lambda: self._results("motif-classes", RESULTS),
            "results regulatory-code": lambda: self._results("regulatory-code", RESULTS),
            "filters": lambda: self._results("motif-classes", FILTERS),
            "published localisation": lambda: self._published("paper_localisation_auroc"),
            "published attribution": lambda: self._published("paper_attribution_auroc"),
            "tasks": recipe_table,
            "profiles": profile_table,
            "claims": self._claims,
            "claims measured": self._claims_measured,
            "cost": self._cost,
            "scale motif-classes": lambda: self._scale("motif-classes"),
            "scale regulatory-code": lambda: self._scale("regulatory-code"),
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

    def compared(self, metric: str) -> list[Comparison]:
        """Every published score of a metric beside its trials in the closed division."""
        return list(compare(self._closed, metric))

    def _cells(self, task: str) -> pd.DataFrame:
        """Models and activations of a task, in the order of their names, references left out."""
        mine = self.jobs[(self.jobs["task"] == task) & (self.jobs["division"] == "closed")]
        return mine[["model", "activation"]].drop_duplicates().sort_values(["model", "activation"])

    def _values(
        self, task: str, model: str, activation: str, metric: str, method: str
    ) -> pd.Series:
        s = self._closed
        here = (s["task"] == task) & (s["model"] == model) & (s["activation"] == activation)
        return s[here & (s["metric"] == metric) & (s["method"] == method)]["value"]

    def _results(self, name: str, columns: Iterable[tuple[str, str, str, int]]) -> str:
        columns = list(columns)
        task = find_spec(name).id
        lines = head([f"`{name}`", "trials", *(heading for heading, *_ in columns)])
        for cell in self._cells(task).to_dict("records"):
            key = (task, str(cell["model"]), str(cell["activation"]))
            trials = len(self._values(*key, "auroc", ""))
            values = [
                _mean(self._values(*key, metric, method), digits)
                for _, metric, method, digits in columns
            ]
            lines.append(line([" ".join(key[1:]), str(trials), *values]))
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
            verdict = f"**{found.verdict}**" + (f", {found.coverage}" if found.coverage else "")
            lines.append(line([claim.name, claim.claimed, claim.rule, verdict]))
        return "\n".join(lines)

    def _claims_measured(self) -> str:
        """What is measured of every claim, part by part."""
        lines = head(["claim", "measured, `paper`", "corrected", "trials"])
        for claim, found in self._findings():
            parts = [text.replace("; ", "<br>") for text in (found.paper, found.corrected)]
            lines.append(line([claim.name, *parts, found.trials]))
        return "\n".join(lines)

    def _findings(self) -> list[tuple[Claim, Finding]]:
        from motifidelity.claims import CLAIMS, NETWORKS, Trials

        # each network on the task that the study trains it on
        mine = self._closed
        trials = Trials(mine[mine["task"] == mine["model"].map(NETWORKS)])
        return [(claim, claim.test(trials)) for claim in CLAIMS]

    def _cost(self) -> str:
        lines = head(
            ["network", "task", "activation", "epochs by trial", "minutes of training, mean"]
        )
        closed = self.jobs[self.jobs["division"] == "closed"]
        for (model, task, activation), group in closed.groupby(
            ["model", "task", "activation"], sort=True
        ):
            group = group.sort_values("trial")
            epochs = " / ".join(str(int(epoch)) for epoch in group["epochs"])
            minutes = f"{group['seconds_fit'].mean() / 60:.1f}"
            task = str(task).partition("@")[0]
            lines.append(line([str(model), task, str(activation), epochs, minutes]))
        return "\n".join(lines)

    def _scale(self, name: str) -> str:
        """Floors, ceiling and the best and worst baseline of every metric, raw and scaled."""
        mine = self.scores[self.scores["task"] == find_spec(name).id]
        closed = mine[mine["division"] == "closed"]
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
            networks = here[here["division"] == "closed"].groupby(["model", "activation"])
            means = networks["value"].mean()
            spread = f"{means.min():.3f} to {means.max():.3f}"
            scaled = "–"
            if metric not in OWN_NETWORK and len(ends[RANDOM]) and len(ends[ORACLE]):
                floor, ceiling = ends[RANDOM].mean(), ends[ORACLE].mean()
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
