"""The command that repeats a run."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from motifidelity.entries import DIVISION, GIVEN
from motifidelity.leaderboard.text import is_missing, shorten, stretches, trials_of
from motifidelity.untrusted import clean

_MODEL = "MODEL.py"


@dataclass(frozen=True)
class Command:
    """What to type, and what to look at before; `text` is "" where there is no such command."""

    text: str
    note: str


def repeat(trials: pd.DataFrame) -> Command:
    """The command that trains and scores a run's counted trials again.

    Parameters
    ----------
    trials : DataFrame
        The run's rows of `Summary.trials`.

    Returns
    -------
    Command
        Quoted for a POSIX shell, one line.
    """
    counted = trials[trials["counted"]]
    job = counted.iloc[-1]
    if job["division"] == DIVISION:
        return Command(
            "", "No network: 'bench run' and 'bench rescore' record this entry beside the models."
        )
    if GIVEN in str(job.get("warnings", "")):
        return Command(
            "", "Its weights were given: 'bench run --weights' scores them again, where they are."
        )
    try:
        params = json.loads(str(job["params"]) or "{}")
        pairs = [f"{key}={_value(value)}" for key, value in sorted(params.items())]
    except (ValueError, AttributeError, RecursionError):
        return Command("", "The parameters cannot be read, so there is no command to repeat it.")
    file = str(job["model_file"] or "") or _MODEL
    words = ["bench", "run", "--model", file]
    for pair in pairs:
        words += ["--param", pair]
    words += ["--task", str(job["task"]), "--profile", str(job["profile"])]
    runner = "docker" if job["isolation"] == "container" else "process"
    words += ["--runner", runner]
    if job["backend"] in ("jax", "torch"):
        words += ["--backend", str(job["backend"])]
    line = " ".join(shlex.quote(word) for word in words)
    seeds = stretches(counted["seed"].map(int))
    lines = [f"{line} --trials {count} --seed {first}" for first, count in seeds]
    scored = _at(counted, _scored)
    return Command(
        clean("\n".join(lines)),
        f"With the model's source (digest {shorten(job['model_digest'], 12)}) and this package"
        f"{_at(counted, _trained)}{scored and f'; scored{scored}'}. On another machine the numbers"
        " agree within the spread over trials.",
    )


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _trained(job: Mapping[Hashable, Any]) -> str:
    """Commit that trained a trial, "" where it is not known."""
    commit = shorten(job["commit"], 12)
    changed = commit and not is_missing(job["dirty"]) and job["dirty"]
    return f"{commit} (modified)" if changed else commit


def _scored(job: Mapping[Hashable, Any]) -> str:
    """Commit that scored a trial, "" where it is the one that trained it."""
    return "" if job["scored_commit"] == job["commit"] else shorten(job["scored_commit"], 12)


def _at(counted: pd.DataFrame, commit: Callable[[Mapping[Hashable, Any]], str]) -> str:
    """The distinct commits of trials, each with its trials where those are not all."""
    commits = [commit(job) for job in counted.to_dict("records")]
    told = []
    for name in dict.fromkeys(filter(None, commits)):
        own = counted[[other == name for other in commits]]
        of = trials_of(own["trial"].map(int), own["seed"].map(int))
        told.append(name if len(own) == len(counted) else f"{name} ({of})")
    return f" at {'commit' if len(told) == 1 else 'commits'} {', '.join(told)}" if told else ""
