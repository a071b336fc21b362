"""Tables of a registry in Markdown, and documents that hold them between two comment lines.

A block of a document looks like this; the report replaces what is between its two comments::

    <!-- table: cost -->
    <!-- /table -->
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from motifidelity.errors import DataError, unknown
from motifidelity.leaderboard.scale import FLOOR_NETWORKS
from motifidelity.metrics.declare import all_metrics
from motifidelity.metrics.methods import FLOOR_METHOD
from motifidelity.metrics.oracle import OWN_NETWORK, normalise
from motifidelity.references import ORACLE, RANDOM
from motifidelity.registry import Registry

if TYPE_CHECKING:
    import pandas as pd

BLOCK = re.compile(r"(<!-- table: ([\w -]+) -->\n).*?(<!-- /table -->)", re.DOTALL)
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
# in units of the study's own SD over trials
SIGMA = 2.0


class Report:
    """Tables of one registry.

    Parameters
    ----------
    registry : Registry
        Only successful full-profile results count.
    """

    def __init__(self, registry: Registry) -> None:
        tables = registry.tables()
        jobs = tables.jobs
        jobs = jobs[(jobs["status"] == "ok") & (jobs["profile"] == "full")].copy()
        jobs["task"] = jobs["task"].str.partition("@")[0]
        jobs["activation"] = [json.loads(text).get("activation", "") for text in jobs["params"]]
        self.jobs = jobs
        scores = tables.scores[tables.scores["target"].isna()].fillna({"method": ""})
        columns = ["result_id", "task", "model", "activation", "division", "trial"]
        self.scores = scores.merge(jobs[columns], on="result_id")
        self._tables: dict[str, Callable[[], str]] = {
            "results motif-classes": lambda: self._results("motif-classes", RESULTS),
            "results regulatory-code": lambda: self._results("regulatory-code", RESULTS),
            "filters": lambda: self._results("motif-classes", FILTERS),
            "published localisation": lambda: self._published("paper_localisation_auroc"),
            "published attribution": lambda: self._published("paper_attribution_auroc"),
            "claims": self._claims,
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

    def fill(self, text: str) -> str:
        """A document with its blocks replaced."""
        return BLOCK.sub(lambda found: found[1] + self.table(found[2]) + "\n" + found[3], text)

    def _cells(self, task: str) -> pd.DataFrame:
        """Models and activations of a task, in the order of their names, references left out."""
        mine = self.jobs[(self.jobs["task"] == task) & (self.jobs["division"] == "closed")]
        return mine[["model", "activation"]].drop_duplicates().sort_values(["model", "activation"])

    def _values(
        self, task: str, model: str, activation: str, metric: str, method: str
    ) -> pd.Series:
        s = self.scores
        here = (s["task"] == task) & (s["model"] == model) & (s["activation"] == activation)
        return s[here & (s["metric"] == metric) & (s["method"] == method)]["value"]

    def _results(self, task: str, columns: Iterable[tuple[str, str, str, int]]) -> str:
        columns = list(columns)
        lines = _head([f"`{task}`", "trials", *(heading for heading, *_ in columns)])
        for cell in self._cells(task).to_dict("records"):
            key = (task, str(cell["model"]), str(cell["activation"]))
            trials = len(self._values(*key, "auroc", ""))
            values = [
                _mean(self._values(*key, metric, method), digits)
                for _, metric, method, digits in columns
            ]
            lines.append(_line([" ".join(key[1:]), str(trials), *values]))
        return "\n".join(lines)

    def _published(self, metric: str) -> str:
        table = published()
        table = table[table["metric"] == metric]
        headings = ["network", "activation", "method", "published", "measured", "trials", ""]
        lines = _head(headings)
        for row in table.to_dict("records"):
            values = self._values(
                row["task"], row["model"], row["activation"], metric, row["method"]
            )
            if row["method"] == "pwm":
                # the scan with the true PWMs is the same beside every network
                scans = self.scores[self.scores["method"] == "pwm"]
                here = (scans["task"] == row["task"]) & (scans["metric"] == metric)
                values = scans[here]["value"].head(1)
            if not len(values):
                continue
            far = row["over"] == "trials" and abs(values.mean() - row["mean"]) > SIGMA * row["sd"]
            mark = f"beyond {SIGMA:g} SD" if far else ""
            lines.append(
                _line(
                    [
                        row["model"],
                        row["activation"],
                        row["method"],
                        f"{row['mean']:.3f} ± {row['sd']:.3f}",
                        _mean(values, 3),
                        str(len(values)),
                        mark,
                    ]
                )
            )
        return "\n".join(lines)

    def _claims(self) -> str:
        """The study's claims, what is measured, and the verdicts."""
        from motifidelity.claims import CLAIMS, NETWORKS, Means

        mine = self.scores[self.scores["division"] == "closed"]
        # each network on the task that the study trains it on
        mine = mine[mine["task"] == mine["model"].map(NETWORKS)]
        means = Means(mine)
        lines = _head(
            ["claim", "what the study says", "measured, `paper`", "corrected", "trials", "verdict"]
        )
        for claim in CLAIMS:
            found = claim.test(means)
            cells = [claim.name, f"{claim.claimed}. Rule: {claim.rule}"]
            lines.append(
                _line([*cells, found.paper, found.corrected, found.trials, f"**{found.verdict}**"])
            )
        return "\n".join(lines)

    def _cost(self) -> str:
        lines = _head(
            ["network", "task", "activation", "epochs by trial", "minutes of training, mean"]
        )
        closed = self.jobs[self.jobs["division"] == "closed"]
        for key, group in closed.groupby(["model", "task", "activation"], sort=True):
            group = group.sort_values("trial")
            epochs = " / ".join(str(int(epoch)) for epoch in group["epochs"])
            minutes = f"{group['seconds_fit'].mean() / 60:.1f}"
            lines.append(_line([*map(str, key), epochs, minutes]))
        return "\n".join(lines)

    def _scale(self, task: str) -> str:
        """Floors, ceiling and the best and worst baseline of every metric, raw and scaled."""
        mine = self.scores[self.scores["task"] == task]
        closed = mine[mine["division"] == "closed"]
        metrics = all_metrics()
        floors = [name.lower() for name in (RANDOM, *FLOOR_NETWORKS)]
        lines = _head(["metric", "method", *floors, "baselines", "oracle", "baselines, scaled"])
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
                _line(
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


def published() -> pd.DataFrame:
    """The study's published means and SDs: task, model, activation, metric, method, mean, sd, over.

    ``over`` says what the SD is over: ``trials`` (ten) or ``sequences``.
    """
    import pandas as pd

    with resources.as_file(resources.files("motifidelity") / "published.csv") as path:
        return pd.read_csv(path, keep_default_na=False)


def write_report(
    registry: Registry, documents: Iterable[Path], *, check: bool = False
) -> list[Path]:
    """Replace the blocks of documents, and return those that were not up to date.

    Parameters
    ----------
    registry : Registry
    documents : iterable of Path
        Markdown files; those without a block are left alone.
    check : bool
        Write nothing.

    Raises
    ------
    DataError
        If a document cannot be read or written.
    UserError
        If a block names a table that does not exist.
    """
    report = Report(registry)
    changed = []
    for path in documents:
        try:
            text = path.read_text(encoding="utf-8")
            filled = report.fill(text)
            if filled != text:
                changed.append(path)
                if not check:
                    path.write_text(filled, encoding="utf-8")
        except OSError as error:
            raise DataError(f"{path}: {error.strerror or error}") from error
    return changed


def _metrics(family: str) -> str:
    lines = _head(["name", "range", "better", "chance", "what it says"])
    metrics = [metric for metric in all_metrics().values() if metric.family == family]
    for metric in sorted(metrics, key=lambda m: (m.definition == "paper", m.name)):
        low = "any" if metric.low is None else f"{metric.low:g}"
        high = "any" if metric.high is None else f"{metric.high:g}"
        chance = "depends" if metric.chance is None else f"{metric.chance:g}"
        lines.append(
            _line(
                [f"`{metric.name}`", f"{low} to {high}", metric.direction, chance, metric.summary]
            )
        )
    return "\n".join(lines)


def _mean(values: pd.Series, digits: int) -> str:
    values = values.dropna()
    if not len(values):
        return "–"
    spread = f" ± {values.std(ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{values.mean():.{digits}f}{spread}"


def _head(headings: list[str]) -> list[str]:
    return [_line(headings), "|" + "---|" * len(headings)]


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
