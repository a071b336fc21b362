"""The place of a score between floor and ceiling, read off the reference entries."""

from __future__ import annotations

import dataclasses
import math

import pandas as pd
import pytest

from motifidelity.leaderboard.tables.cells import counts_things
from motifidelity.leaderboard.tables.scale import find_scale
from motifidelity.metrics.declare import all_metrics
from motifidelity.summary.stats import Stat
from motifidelity.tasks import spec as specs

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


def test_where_a_task_states_the_floor_of_maps_it_is_the_same_for_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    every = specs.all_specs()
    spec = every["regulatory-code@1"]
    scoring = dataclasses.replace(spec.scoring, maps_floor=0.6)
    stated = {spec.id: dataclasses.replace(spec, scoring=scoring)}
    monkeypatch.setattr(specs, "all_specs", lambda: stated)
    trials = TRIALS.assign(task=spec.id, task_digest=spec.digest)
    values = {"attribution_auroc": (1.0, 0.497), "maps": (0.9, 0.003), "auroc": (0.9, 0.5)}
    stats = {
        (run, metric, "", ""): stat(value)
        for metric, pair in values.items()
        for run, value in zip("ab", pair, strict=True)
    }
    scale = find_scale(trials, stats)
    assert scale.place("attribution_auroc", "", 0.8) == pytest.approx(0.5)
    assert scale.place("maps", "", 0.45) == pytest.approx(0.5)
    # noise is the floor of what is no map
    assert scale.describe("auroc", "") == "floor 0.500, ceiling 0.900"
    # nor is it of a task that the package holds under another digest
    other = find_scale(trials.assign(task_digest="another"), stats)
    assert other.place("attribution_auroc", "", 0.497) == 0


def test_only_numbers_of_things_are_shown_as_whole_numbers() -> None:
    whole = {name for name, metric in all_metrics().items() if counts_things(name, metric)}
    assert whole == {"motifs_found", "flat_filters"}
