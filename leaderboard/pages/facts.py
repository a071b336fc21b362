"""Where results come from: identity of the model, hardware, versions, time and memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from motifidelity.entries import DIVISION
from motifidelity.leaderboard.text import DASH, clip, flatten, is_missing, memory, seconds, shorten

# what `motifidelity.provenance.environment` records
_MACHINE = {
    "cores": "Processor cores",
    "cpu": "Processor",
    "machine": "Architecture",
    "memory": "Memory of the machine",
    "os": "Operating system",
    "python": "Python",
    "threads": "Threads of the job",
}


@dataclass(frozen=True)
class Fact:
    """A name and its value, ready to show."""

    label: str
    value: str


@dataclass(frozen=True)
class FactRow:
    """A fact that differs between trials: one value for each."""

    label: str
    values: tuple[str, ...]


def identity(job: pd.Series) -> tuple[Fact, ...]:
    """Who and what the model is, from any of its jobs; the address is shown apart as a link."""
    wanted = (
        ("File", "model_file"),
        ("Source digest", "model_digest"),
        ("Authors", "authors"),
        ("Licence", "license"),
    )
    facts = [Fact(label, clip(job[column], 300) or DASH) for label, column in wanted]
    facts.append(Fact("Weights", _count(job["num_weights"])))
    facts.append(Fact("First-layer filters", _count(job["num_filters"])))
    return tuple(facts)


def run_facts(trials: pd.DataFrame) -> tuple[tuple[Fact, ...], tuple[FactRow, ...]]:
    """Provenance of a run's results.

    Parameters
    ----------
    trials : DataFrame
        The run's rows of `Summary.trials`, replaced results included.

    Returns
    -------
    shared : tuple of Fact
        What all results have in common.
    varying : tuple of FactRow
        What differs, one value per result in the order of the rows.
    """
    listed = [_job_facts(job) for _, job in trials.iterrows()]
    labels = list(dict.fromkeys(label for facts in listed for label in facts))
    shared: list[Fact] = []
    varying: list[FactRow] = []
    for label in labels:
        values = tuple(facts.get(label, DASH) for facts in listed)
        if len(set(values)) == 1:
            if values[0] != DASH:
                shared.append(Fact(label, values[0]))
        else:
            varying.append(FactRow(label, values))
    return tuple(shared), tuple(varying)


def _job_facts(job: pd.Series) -> dict[str, str]:
    facts = {
        "Status": clip(job["status"]),
        "Seed": clip(job["seed"]),
        "Started": _moment(job["started"]),
        "Training": seconds(job["seconds_fit"]),
        "Probe": seconds(job["seconds_probe"]),
        "Scoring": seconds(job["seconds_score"]),
        "Peak memory": memory(job["peak_memory"]),
        "Epochs": _count(job["epochs"]),
        "Best epoch": _count(job["best_epoch"]),
        "Device": clip(job["device"], 120) or DASH,
        "Backend": clip(job["backend"], 120) or DASH,
        "Runner": clip(job["runner"]) or DASH,
        "Isolation": _isolation(job),
        "Division": clip(job["division"]) or DASH,
        "Commit": _commit(job),
        "Scored at commit": clip(job["scored_commit"], 60) or DASH,
        "Task digest": clip(job["task_digest"], 80) or DASH,
        "Dataset digest": clip(job["dataset_digest"], 80) or DASH,
        "Worker digest": clip(job["worker_digest"], 80) or DASH,
        "Image digest": clip(job["image_digest"], 80) or DASH,
        "Job": clip(job["job_id"], 80) or DASH,
        "Result": clip(job["result_id"], 80) or DASH,
        "Frozen network": _network(job["files"]),
        "Warnings": _warnings(job["warnings"]),
    }
    for label, value in _machine(job["environment"]):
        facts.setdefault(label, value)
    return facts


def _machine(environment: object) -> Iterator[tuple[str, str]]:
    """Machine and versions in words; what this version does not know stands under its own key."""
    for key, value in flatten(environment):
        label = _MACHINE.get(key) or key.removeprefix("packages.")
        yield clip(label, 60), _gib(value) if key == "memory" else clip(value, 200)


def _gib(value: str) -> str:
    """A number of bytes as people read it; anything else as it stands."""
    return memory(value) if value.isascii() and value.isdigit() else clip(value, 200)


def _isolation(job: pd.Series) -> str:
    if job["division"] == DIVISION:
        return "none needed: the harness computes it, and no code of a model runs"
    return clip(job["isolation"]) or DASH


def _commit(job: pd.Series) -> str:
    commit = clip(job["commit"], 60)
    if not commit:
        return DASH
    return commit if is_missing(job["dirty"]) or not job["dirty"] else f"{commit} (modified)"


def _warnings(value: object) -> str:
    if isinstance(value, str):
        return clip(value, 300)
    if isinstance(value, Iterable):
        return "; ".join(clip(item, 300) for item in list(value)[:20]) or DASH
    return DASH


def network_origin(files: object) -> str:
    """The result that a result's frozen network was kept with; "" where none is stated."""
    paths = [str(file["path"]).split("/") for file in _network_files(files)]
    return paths[0][1] if paths else ""


def _network_files(files: object) -> list[Mapping[str, object]]:
    if files is None or isinstance(files, str | float) or not isinstance(files, Iterable):
        return []
    return [file for file in files if str(file["path"]).startswith("networks/")]


def _network(files: object) -> str:
    """Digests of the frozen network's files, from which anyone can probe it again."""
    found = [
        f"{shorten(str(file['path']).rpartition('/')[2], 40)}, {_size(int(str(file['size'])))}, "
        f"SHA-256 {shorten(file['sha256'], 12)}"
        for file in _network_files(files)
    ]
    return "; ".join(found[:4]) or DASH


def _size(size: int) -> str:
    return f"{size / 1e6:.2f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def _moment(value: object) -> str:
    if is_missing(value):
        return DASH
    return pd.Timestamp(str(value)).strftime("%Y-%m-%d %H:%M UTC")


def _count(value: object) -> str:
    return DASH if is_missing(value) else f"{int(float(str(value))):,}"
