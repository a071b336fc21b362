"""What a metric and a score are, and where all declared metrics are found.

This module imports only the standard library. Each family module (`accuracy.py`, ...) declares its
own `METRICS` and scores them by its `SCORERS` (`scored.py`); both are found by a walk through the
package, so that adding a metric never means editing a list.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from dataclasses import dataclass
from types import ModuleType
from typing import Literal

Family = Literal["accuracy", "filters", "localisation", "attribution", "rules", "effects", "robust"]
Definition = Literal["standard", "paper", "corrected"]
Direction = Literal["higher", "lower", "neutral"]

STUDY = "Koo & Ploenzke, Nat. Mach. Intell. 3, 258-266 (2021), doi:10.1038/s42256-020-00291-x"


@dataclass(frozen=True)
class Metric:
    """A declared metric: what a leaderboard needs to show and rank it.

    Attributes
    ----------
    name : str
        Unique; the study's own version of a metric has the prefix ``paper_``.
    family : {"accuracy", "filters", "localisation", "attribution", "rules", "effects", "robust"}
        The group that it is shown in.
    definition : {"standard", "paper", "corrected"}
        ``paper`` reproduces the study, known defects included; ``corrected`` mends them;
        ``standard`` has nothing to mend.
    direction : {"higher", "lower", "neutral"}
        Which way is better; ``neutral`` is context and is never ranked.
    low, high : float or None
        Smallest and largest possible value; None where there is no bound, or where it depends on
        the task.
    chance : float or None
        Expected value for an uninformative input; None where it depends on the task.
    version : int
        Rises when a value could change for the same arrays.
    source : str
        The publication that the definition is from.
    summary : str
        One sentence for people, free of jargon as far as possible.
    own_network : bool
        It asks a network about its own maps, so that another network's answer bounds nothing:
        it has neither floor nor ceiling.
    """

    name: str
    family: Family
    definition: Definition
    direction: Direction
    low: float | None
    high: float | None
    chance: float | None
    version: int
    source: str
    summary: str
    own_network: bool = False


@dataclass(frozen=True)
class Score:
    """One value of one metric.

    Attributes
    ----------
    metric : str
        Name of a declared `Metric`.
    value : float
        nan only where the metric is undefined (for example AUROC with one label only).
    sd : float or None
        Population standard deviation (``ddof=0``, as in the study) over the items averaged; None
        for a value that is not a mean, or a mean of fewer than two items.
    n : int
        Number of items averaged: classes, filters, sequences.
    method : str or None
        The attribution method, or what was scanned with ("filter", "pwm").
    target : str or None
        The class that the score belongs to; None for the whole task.
    reading : str or None
        How the maps were read (`readings.READINGS`); None where no map was.
    """

    metric: str
    value: float
    sd: float | None = None
    n: int = 1
    method: str | None = None
    target: str | None = None
    reading: str | None = None


@functools.cache
def modules() -> tuple[ModuleType, ...]:
    """Every module of the package `metrics`, in the order of their own names."""
    package = importlib.import_module(__name__.rpartition(".")[0])
    found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    names = sorted((info.name for info in found), key=lambda name: name.rpartition(".")[2])
    return tuple(importlib.import_module(name) for name in names)


def _declared() -> tuple[Metric, ...]:
    return tuple(one for module in modules() for one in getattr(module, "METRICS", ()))


def all_metrics() -> dict[str, Metric]:
    """Every declared metric by name, in the order of the module names.

    Returns
    -------
    dict of str to Metric
        A new dict at each call.

    Raises
    ------
    ValueError
        If two modules declare the same name.
    """
    metrics: dict[str, Metric] = {}
    for metric in _declared():
        if metric.name in metrics:
            raise ValueError(f"metric {metric.name!r} is declared twice; rename one of them")
        metrics[metric.name] = metric
    return metrics


def is_of_own_network(name: str) -> bool:
    """Whether a metric asks a network about its own maps; False for one that is not declared."""
    metric = all_metrics().get(name)
    return metric is not None and metric.own_network
