"""How much a model may lose where the motifs are in no release."""

from __future__ import annotations

import math

import pytest

from motifidelity.metrics.declare import all_metrics
from motifidelity.submitting.falls import FALLS, falls

NO_ERRORS = ({}, {})
ERRORS = ({"auroc": 0.03, "aupr": 0.03}, {"auroc": 0.04, "aupr": 0.04})


def rows(value, **changed):
    """Every score that is looked at; another value, or none, by its metric."""
    values = {key: changed.get(key[0], value) for key in FALLS}
    return [
        {"metric": metric, "method": method, "target": None, "value": v, "n": 1000, "sd": None}
        for (metric, method), v in values.items()
        if v is not None
    ]


def flagged(known, secret, errors=NO_ERRORS):
    found = list(falls("task quick", known, secret, errors, 20))
    assert {pair.kind for pair in found} == {"secret motifs"}
    return {(pair.metric, pair.method) for pair in found if not pair.ok}


def test_what_does_as_well_or_better_is_not_flagged():
    assert flagged(rows(0.8), rows(0.8)) == set()
    assert flagged(rows(0.1), rows(1.0)) == set()


@pytest.mark.parametrize("key", FALLS, ids=str)
def test_each_score_may_lose_its_bound_and_no_more(key):
    bound = FALLS[key].bound
    alone = [row for row in rows(1.0) if (row["metric"], row["method"]) == key]
    for lost, expected in ((bound - 1e-6, set()), (bound + 1e-6, {key})):
        assert flagged(alone, [{**alone[0], "value": 1.0 - lost}]) == expected


def test_every_bound_is_beyond_the_honest_baselines():
    metrics = all_metrics()
    for (metric, _), fall in FALLS.items():
        assert metrics[metric].direction == "higher"
        assert max(fall.honest, 0.0) < fall.bound < metrics[metric].high - metrics[metric].low


def test_few_test_sequences_widen_the_limit_of_what_is_measured_on_them():
    """Two errors of .03 and .04 are one of .05; 20 comparisons at .99 are 3.48 normal SDs."""
    limits = [
        {
            (pair.metric, pair.method): pair.tolerance
            for pair in falls("t", known, known, errors, 20)
        }
        for known in [rows(0.8)]
        for errors in (NO_ERRORS, ERRORS)
    ]
    for key, fall in FALLS.items():
        wider = 3.4808 * 0.05 if key[0] in ERRORS[0] else 0.0
        assert limits[0][key] == pytest.approx(fall.bound)
        assert limits[1][key] == pytest.approx(fall.bound + wider, abs=1e-4)


def test_a_score_that_is_gone_counts_as_lost():
    gone = flagged(rows(0.9), rows(0.9, filter_f1=None, auroc=math.nan))
    assert gone == {("filter_f1", None), ("auroc", None)}


def test_a_score_that_the_model_never_had_is_not_asked_for():
    without = rows(0.9, filter_f1=None)
    assert flagged(without, without) == set()
    assert "filter_f1" not in {p.metric for p in falls("t", without, without, NO_ERRORS, 20)}


def test_a_limit_says_what_it_is_made_of():
    (pair, *_) = falls("t", rows(0.9), rows(0.9), ERRORS, 20)
    fall = FALLS[pair.metric, pair.method]
    assert f"bound {fall.bound:.2f}" in pair.source
    assert f"honest baselines lose at most {fall.honest:.2f}" in pair.source
    assert "sampling error 0.0500" in pair.source
