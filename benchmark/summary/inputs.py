"""What the leaderboard asks of its inputs: four tables and a mapping of declared metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pandas as pd


class Tables(Protocol):
    """The registry as four pandas tables in long format; each may be empty.

    Attributes
    ----------
    jobs : DataFrame
        One row per result: what was run, how it ended, where and for how long.
    scores : DataFrame
        One row per (result, metric, method, target).
    filters : DataFrame
        One row per (result, filter, definition), with its motif as a flat list in ``ppm``.
    history : DataFrame
        One row per (result, epoch).
    """

    @property
    def jobs(self) -> pd.DataFrame:
        """One row per result."""
        ...

    @property
    def scores(self) -> pd.DataFrame:
        """One row per score."""
        ...

    @property
    def filters(self) -> pd.DataFrame:
        """One row per filter and definition."""
        ...

    @property
    def history(self) -> pd.DataFrame:
        """One row per epoch."""
        ...


class MetricInfo(Protocol):
    """A declared metric, as `motifidelity.metrics.declare.Metric` has it."""

    @property
    def name(self) -> str:
        """Unique name."""
        ...

    @property
    def family(self) -> str:
        """Group that it is shown in."""
        ...

    @property
    def definition(self) -> str:
        """``standard``, ``corrected`` or ``paper``."""
        ...

    @property
    def direction(self) -> str:
        """``higher``, ``lower`` or ``neutral``."""
        ...

    @property
    def low(self) -> float | None:
        """Smallest possible value, None where unbounded."""
        ...

    @property
    def high(self) -> float | None:
        """Largest possible value, None where unbounded or set by the task."""
        ...

    @property
    def chance(self) -> float | None:
        """Expected value of an uninformative input."""
        ...

    @property
    def summary(self) -> str:
        """One sentence for people."""
        ...

    @property
    def source(self) -> str:
        """Publication of the definition."""
        ...


REQUIRED: dict[str, tuple[str, ...]] = {
    "jobs": (
        "result_id",
        "job_id",
        "task",
        "task_digest",
        "dataset_digest",
        "profile",
        "model",
        "model_file",
        "model_digest",
        "params",
        "trial",
        "seed",
        "status",
        "message",
        "division",
        "runner",
        "isolation",
        "device",
        "backend",
        "started",
        "seconds_fit",
        "seconds_probe",
        "seconds_score",
        "peak_memory",
        "epochs",
        "best_epoch",
        "num_weights",
        "num_filters",
        "authors",
        "url",
        "license",
        "environment",
        "commit",
        "dirty",
        "scored_commit",
        "worker_digest",
        "image_digest",
        "warnings",
        "files",
    ),
    "scores": (
        "result_id",
        "metric",
        "definition",
        "method",
        "target",
        "value",
        "sd",
        "n",
        "metric_version",
    ),
    "filters": (
        "result_id",
        "filter",
        "definition",
        "num_sites",
        "ppm",
        "width",
        "information",
        "best_hit",
        "best_hit_name",
        "evalue",
        "strand",
        "offset",
        "true_tf",
        "true_evalue",
    ),
    "history": (
        "result_id",
        "epoch",
        "loss",
        "val_loss",
        "val_auroc",
        "val_aupr",
    ),
}


def check_columns(tables: Tables) -> None:
    """Raise ValueError naming the first table that lacks a column; an empty table may lack all."""
    for name, required in REQUIRED.items():
        frame: pd.DataFrame = getattr(tables, name)
        missing = [column for column in required if column not in frame.columns]
        if missing and len(frame):
            raise ValueError(f"registry table {name!r} has no column {', '.join(missing)}")
