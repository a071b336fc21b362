"""How far two scores may lie apart."""

from __future__ import annotations

import math

import numpy as np
import pytest

from motifidelity.metrics.declare import all_metrics
from motifidelity.submitting import compare
from motifidelity.submitting.compare import NO_SPREAD, Spread
from motifidelity.tasks.spec import all_specs

METRICS = all_metrics()


def row(metric, value, n, sd=None, method=None):
    found = {"metric": metric, "value": value, "n": n, "sd": sd}
    return {**found, "method": method, "target": None}


def test_the_error_of_an_auroc_is_that_of_hanley_and_mcneil():
    """An independent formula: Radiology 143, 29-36 (1982), for two exponential scores."""
    rng = np.random.default_rng(1)
    n = 2000
    labels = (np.arange(n) % 2).astype(np.uint8)[:, None]
    logits = np.where(labels, rng.exponential(3.0, (n, 1)), rng.exponential(1.0, (n, 1)))
    area = 0.75
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    m = n / 2
    variance = area * (1 - area) + (m - 1) * (q1 - area**2) + (m - 1) * (q2 - area**2)
    found = compare.accuracy_errors(logits, labels, ["a"])["auroc"]
    assert found == pytest.approx(math.sqrt(variance) / m, rel=0.25)


def test_the_error_of_a_mean_and_of_a_share():
    mean = row("attribution_auroc", 0.8, 400, sd=0.2, method="saliency")
    assert compare.sampling_error(mean, {}) == pytest.approx(0.01)
    share = compare.sampling_error(row("match_fraction", 0.5, 96), {})
    assert share == pytest.approx(0.05)
    # nothing found of few is not certain
    assert compare.sampling_error(row("match_fraction", 0.0, 8), {}) > 0.05
    # nor are four rules that are all perfect; many sequences that are all alike are
    perfect = compare.sampling_error(row("rule_auroc", 1.0, 4, sd=0.0), {})
    assert perfect == pytest.approx(math.sqrt(0.75 * 0.25 / 8))
    assert compare.sampling_error(row("variant_effect_r", 0.8, 200, sd=0.0), {}) == 0
    # a count of twelve
    assert compare.sampling_error(row("motifs_found", 6.0, 12), {}) == pytest.approx(1.5)


def test_one_network_on_two_samples_differs_by_their_errors_alone():
    limit, source = compare.tolerance(NO_SPREAD, [0.03, 0.04], 1)
    assert limit == pytest.approx(2.5758 * 0.05, rel=1e-4)
    assert "sampling error 0.0500" in source


def test_more_comparisons_widen_the_limit():
    limits = [compare.tolerance(NO_SPREAD, [0.01], n)[0] for n in (1, 10, 100)]
    assert limits == sorted(limits)
    assert limits[2] < 2 * limits[0]


def test_enough_trials_give_their_own_spread_and_few_do_not():
    metric = METRICS["auroc"]
    values = [0.90, 0.92, 0.91, 0.93, 0.89]
    own = Spread.of(values, metric, 1)
    assert own.sd == pytest.approx(np.std(values, ddof=1))
    assert own.freedom == 4
    assert "5 trials" in own.source
    few = Spread.of(values[:4], metric, 1)
    assert few.sd == compare.ASSUMED_SPREAD["accuracy"]
    assert "assumed" in few.source
    count = Spread.of([3.0], METRICS["motifs_found"], 12)
    assert count.sd == pytest.approx(12 * compare.ASSUMED_SPREAD["filters"])


def test_the_limit_holds_for_equal_models_as_often_as_it_says():
    """Two trials of one model, 8 scores, 10 submitted trials: false alarms are rare."""
    rng = np.random.default_rng(3)
    alarms = 0
    for _ in range(300):
        trials = rng.normal(0.9, 0.02, (12, 8))
        alarm = False
        for score in range(8):
            spread = Spread.of(trials[:10, score].tolist(), METRICS["auroc"], 1)
            limit, _ = compare.tolerance(spread, [], 8)
            alarm |= abs(trials[10, score] - trials[11, score]) > limit
        alarms += alarm
    assert alarms / 300 < 0.03


def test_a_gap_counts_in_the_direction_of_the_metric():
    assert compare.better_in_public("auroc", 0.9, 0.7) == pytest.approx(0.2)
    assert compare.better_in_public("auroc", 0.7, 0.9) == pytest.approx(-0.2)
    lower = next(name for name, m in METRICS.items() if m.direction == "lower")
    assert compare.better_in_public(lower, 0.1, 0.4) == pytest.approx(0.3)


def test_every_judged_score_has_an_assumed_spread_the_widest_where_none_was_measured():
    every = [key for task in all_specs() for key in compare.judged(task)]
    families = {METRICS[metric].family for metric, _ in every}
    assert families > set(compare.ASSUMED_SPREAD)
    # of a correlation, whose range is 2
    wide = Spread.of([0.5], METRICS["variant_effect_r"], 200)
    assert wide.sd == pytest.approx(2 * max(compare.ASSUMED_SPREAD.values()))
    assert Spread.of([0.5], METRICS["pearson"], 200).sd == pytest.approx(2 * 0.04)
    assert all(method != "pwm" for _, method in every)
