"""What a report has of one task: scores by network, in every reading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from statistics import fmean
from typing import TYPE_CHECKING

from motifidelity.entries import CLOSED, ORACLE, RANDOM
from motifidelity.metrics.headlines import readings_of
from motifidelity.metrics.methods import FLOOR_METHOD
from motifidelity.metrics.readings import OWN, Reading
from motifidelity.registry import Tables
from motifidelity.tasks.spec import TaskSpec
from motifidelity.untrusted import clean

if TYPE_CHECKING:
    import pandas as pd

CELL = ["model", "activation", "others"]
# what maps or scans of these get is no network's
OF_NO_NETWORK = (FLOOR_METHOD, "pwm")

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Network:
    """A model with its parameters, in the closed division.

    Attributes
    ----------
    model, activation, others : str
        ``others`` are its parameters but the activation; either is "" where there is none.
    """

    model: str
    activation: str
    others: str

    @property
    def label(self) -> str:
        """As a table names it."""
        return label_of((self.model, self.activation, self.others))


@dataclass(frozen=True)
class TaskScores:
    """Full-profile scores of one task.

    Attributes
    ----------
    spec : TaskSpec
    jobs : DataFrame
        A row each result, with the columns of `CELL`.
    scores : DataFrame
        Scores of these results for the whole task, in every reading; ``method`` is "" where there
        is none and ``reading`` is ``own`` where no map was read.
    parts : DataFrame
        The same of its parts: a row each output, rule, kind or factor, named by ``target``.
    """

    spec: TaskSpec
    jobs: pd.DataFrame
    scores: pd.DataFrame
    parts: pd.DataFrame

    @classmethod
    def of(cls, spec: TaskSpec, tables: Tables, jobs: pd.DataFrame) -> TaskScores:
        """Those of a specification.

        Parameters
        ----------
        spec : TaskSpec
        tables : Tables
        jobs : DataFrame
            Rows of ``tables.jobs``, of any task, with the columns of `CELL`.
        """
        mine = jobs[jobs["task"] == spec.id]
        named = mine[["result_id", *CELL, "division", "trial", "seed"]]
        scores = tables.scores[tables.scores["result_id"].isin(mine["result_id"])]
        parts = _filled(scores[scores["target"].notna()])
        whole = whole_task(scores)
        return cls(spec, mine, *(rows.merge(named, on="result_id") for rows in (whole, parts)))

    @cached_property
    def trials(self) -> Mapping[Network, int]:
        """The networks and how many trials each has, in the order of their names."""
        return Counter(self.network_of_result.values())

    @cached_property
    def network_of_result(self) -> Mapping[str, Network]:
        """The network that each result is a trial of, in the order of networks and trials."""
        closed = self.jobs[self.jobs["division"] == CLOSED].sort_values([*CELL, "trial", "seed"])
        rows = closed[["result_id", *CELL]].itertuples(index=False, name=None)
        return {str(result): Network(*map(str, cell)) for result, *cell in rows}

    @property
    def results_of_network(self) -> Mapping[Network, list[str]]:
        """The results of every network, in the order of `trials`."""
        found: dict[Network, list[str]] = {network: [] for network in self.trials}
        for result, network in self.network_of_result.items():
            found[network].append(result)
        return found

    @cached_property
    def trial_of_result(self) -> Mapping[str, int]:
        """The number of the trial that each result is of."""
        return dict(zip(self.jobs["result_id"], self.jobs["trial"].map(int), strict=True))

    @property
    def scored(self) -> Collection[Key]:
        """Metric, method and reading of every score that networks have."""
        return self._of_networks.keys()

    def of_networks(
        self, metric: str, method: str = "", reading: str | None = None
    ) -> Mapping[Network, list[float]]:
        """A score of every network that has it, by trial, in the order of `trials`.

        Without a reading it is the one that the task reads first.
        """
        found = self._of_networks.get(self._key(metric, method, reading), {})
        return {network: found[network] for network in self.trials if network in found}

    def means(
        self, metric: str, method: str = "", reading: str | None = None
    ) -> Mapping[Network, float]:
        """Mean over trials of every network that has a value."""
        found = self.of_networks(metric, method, reading)
        every = {network: mean(values) for network, values in found.items()}
        return {network: value for network, value in every.items() if value is not None}

    def of_entry(
        self, model: str, metric: str, method: str = "", reading: str | None = None
    ) -> list[float]:
        """A score of an entry that is not among the networks, by trial."""
        return self._of_entries.get(self._key(metric, method, reading), {}).get(model, [])

    def floor(self, metric: str, method: str = "", reading: str | None = None) -> float | None:
        """The floor that the task states, or else what noise gets; None where neither is known."""
        stated = self.spec.scoring.fixed_floor(metric)
        return mean(self.of_entry(RANDOM, metric, method, reading)) if stated is None else stated

    def ceiling(self, metric: str, method: str = "", reading: str | None = None) -> float | None:
        """What the oracle gets; None where that is not known."""
        return mean(self.of_entry(ORACLE, metric, method, reading))

    def _key(self, metric: str, method: str, reading: str | None) -> Key:
        return metric, method, reading or self._first_read.get((metric, method), OWN)

    @cached_property
    def _first_read(self) -> Mapping[tuple[str, str], Reading]:
        return readings_of(self.spec.headlines)

    @cached_property
    def _of_networks(self) -> Mapping[Key, Mapping[Network, list[float]]]:
        closed = self.scores[self.scores["division"] == CLOSED]
        found: dict[Key, dict[Network, list[float]]] = {}
        for cell, rows in closed.groupby(CELL, sort=False):
            for key, values in _by_score(rows).items():
                found.setdefault(key, {})[Network(*map(str, cell))] = values
        return found

    @cached_property
    def _of_entries(self) -> Mapping[Key, Mapping[str, list[float]]]:
        others = self.scores[self.scores["division"] != CLOSED]
        found: dict[Key, dict[str, list[float]]] = {}
        for model, rows in others.groupby("model", sort=False):
            for key, values in _by_score(rows).items():
                found.setdefault(key, {})[str(model)] = values
        return found


def whole_task(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores of no single class, with ``method`` and ``reading`` filled in."""
    return _filled(scores[scores["target"].isna()])


def _filled(scores: pd.DataFrame) -> pd.DataFrame:
    return scores.fillna({"method": "", "reading": OWN})


def label_of(parts: Iterable[object]) -> str:
    """A network's name: model, activation, and whatever other parameters it has."""
    text = clean(" ".join(str(part) for part in parts if part)).replace("|", r"\|")
    return " ".join(text.split())


def _by_score(rows: pd.DataFrame) -> dict[Key, list[float]]:
    rows = rows.sort_values("trial", kind="stable")
    grouped = rows.groupby(["metric", "method", "reading"], sort=False)["value"]
    return {key: list(values) for key, values in grouped}  # type: ignore[misc]


def mean(values: Iterable[float]) -> float | None:
    """Mean of what is known; None where nothing is."""
    known = [value for value in values if isfinite(value)]
    return fmean(known) if known else None
