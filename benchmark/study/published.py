"""The reference study's published scores, and what a registry measures in their place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# in units of the study's own SD over trials
SIGMA = 2.0
SCAN = "pwm"


@dataclass(frozen=True)
class PublishedScore:
    """A published score and the trials that measure the same.

    Attributes
    ----------
    network, activation, method : str
    mean, sd : float
        As published.
    over : str
        What the SD is over: ``trials`` (ten) or ``sequences``.
    values : tuple of float
        Ours, one a trial; empty where none was run.
    """

    network: str
    activation: str
    method: str
    mean: float
    sd: float
    over: str
    values: tuple[float, ...]

    @property
    def measured(self) -> float:
        """Mean of the trials; nan where there is none."""
        return sum(self.values) / len(self.values) if self.values else float("nan")

    @property
    def beyond(self) -> bool:
        """Whether our mean lies more than `SIGMA` SD over trials from the published mean."""
        return self.over == "trials" and abs(self.measured - self.mean) > SIGMA * self.sd


def published() -> pd.DataFrame:
    """The study's published means and SDs: task, model, activation, metric, method, mean, sd, over.

    ``over`` says what the SD is over: ``trials`` (ten) or ``sequences``.
    """
    import pandas as pd

    with resources.as_file(resources.files("motifidelity.study") / "published.csv") as path:
        return pd.read_csv(path, keep_default_na=False)


def compare(scores: pd.DataFrame, metric: str) -> Iterator[PublishedScore]:
    """Every published score of a metric, beside its trials.

    Parameters
    ----------
    scores : DataFrame
        ``task``, ``model``, ``activation``, ``metric``, ``method``, ``trial``, ``value``.
    metric : str

    Yields
    ------
    PublishedScore
        In the order of publication.
    """
    table = published()
    keys = ["task", "model", "activation", "method"]
    mine = scores[scores["metric"] == metric].dropna(subset=["value"])
    mine = mine.sort_values(["model", "activation", "trial"])
    by_cell = mine.groupby(keys)["value"].agg(tuple).to_dict()
    # the scan with the true PWMs is the same beside every network
    scans = mine[mine["method"] == SCAN].groupby("task")["value"].first().to_dict()
    for row in table[table["metric"] == metric].to_dict("records"):
        if row["method"] == SCAN:
            values = (scans[row["task"]],) if row["task"] in scans else ()
        else:
            values = by_cell.get(tuple(row[key] for key in keys), ())
        yield PublishedScore(
            network=row["model"],
            activation=row["activation"],
            method=row["method"],
            mean=row["mean"],
            sd=row["sd"],
            over=row["over"],
            values=values,
        )
