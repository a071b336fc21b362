"""The command that repeats a run."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass

import pandas as pd

from .scale import DIVISION
from .text import clean, is_missing, shorten

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
    lines = [f"{line} --trials {count} --seed {first}" for first, count in _stretches(counted)]
    commit = "" if is_missing(job["commit"]) else f" at commit {shorten(job['commit'], 12)}"
    return Command(
        clean("\n".join(lines)),
        f"With the model's source (digest {shorten(job['model_digest'], 12)}) and this package"
        f"{commit}. On another machine the numbers agree within the spread over trials.",
    )


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _stretches(counted: pd.DataFrame) -> list[tuple[int, int]]:
    """Seeds as (first, count) of consecutive ones."""
    found: list[tuple[int, int]] = []
    for seed in sorted({int(seed) for seed in counted["seed"]}):
        if found and seed == found[-1][0] + found[-1][1]:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((seed, 1))
    return found
