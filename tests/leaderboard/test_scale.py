"""The place of a score between floor and ceiling, read off the reference entries."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from motifidelity.leaderboard.tables.cells import counts_things
from motifidelity.leaderboard.tables.scale import find_scale
from motifidelity.metrics.declare import all_metrics
from motifidelity.summary.stats import Stat

TRIALS = pd.DataFrame(
    {
        "run": ["a", "b", "c", "d"],
        "model": ["Oracle", "Random", "CNN", "Oracle"],
        "division": ["reference", "reference", "closed", "open"],
        "status": ["ok"] * 4,
    }
)


def stat(mean: float) -> Stat:
    return Stat(mean, math.nan, 1, 1, {}, "corrected")


STATS = {
    ("a", "auroc", "", ""): stat(0.9),
    ("a", "infidelity", "ism", ""): stat(0.3),
    ("a", "match_any", "", ""): stat(1.0),
    ("b", "auroc", "", ""): stat(0.5),
    ("b", "infidelity", "ism", ""): stat(1.0),
    ("b", "auroc", "", "SP1"): stat(0.7),
    ("c", "auroc", "", ""): stat(0.8),
    ("d", "auroc", "", ""): stat(2.0),
}


def test_noise_is_at_zero_and_the_oracle_at_one() -> None:
    scale = find_scale(TRIALS, STATS)
    assert scale.place("auroc", "", 0.5) == 0
    assert scale.place("auroc", "", 0.9) == 1
    assert scale.place("auroc", "", 0.8) == pytest.approx(0.75)
    # not cut off: a network may be worse than noise
    assert scale.place("auroc", "", 0.4) == pytest.approx(-0.25)
    assert scale.describe("auroc", "") == "floor 0.500, ceiling 0.900"


def test_there_is_no_place_without_both_ends_or_for_a_network_s_answer_about_itself() -> None:
    scale = find_scale(TRIALS, STATS)
    for metric, method in (("match_any", ""), ("aupr", ""), ("infidelity", "ism")):
        assert math.isnan(scale.place(metric, method, 0.5))
        assert scale.describe(metric, method) == ""
    assert math.isnan(find_scale(TRIALS.iloc[2:], STATS).place("auroc", "", 0.5))


def test_only_numbers_of_things_are_shown_as_whole_numbers() -> None:
    whole = {name for name, metric in all_metrics().items() if counts_things(name, metric)}
    assert whole == {"motifs_found", "flat_filters"}
