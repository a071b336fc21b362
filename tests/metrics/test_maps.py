"""The mean of six views of a network's maps."""

from __future__ import annotations

import numpy as np
import pytest

from motifidelity.metrics.attribution.maps import (
    METHODS,
    READINGS,
    VIEWS,
    score_maps,
    score_mean,
)
from motifidelity.metrics.methods import METHODS as ALL
from motifidelity.metrics.readings import has_reading


def value(aurocs, floor=0.6):
    (score,) = score_maps(aurocs, floor)
    assert (score.metric, score.n, score.method, score.target) == ("maps", 6, None, None)
    return score.value


def test_the_views_are_readings_that_the_methods_have():
    assert len(VIEWS) == 6
    assert set(METHODS) <= set(ALL)
    for method, reading in VIEWS:
        assert reading in READINGS
        assert has_reading(method, reading, hypothetical=True)


def test_perfect_floor_and_mixed_views_by_hand():
    assert value(dict.fromkeys(VIEWS, 1.0)) == 1.0
    assert value(dict.fromkeys(VIEWS, 0.6)) == 0.0
    mixed = dict(zip(VIEWS, (1.0, 0.8, 0.7, 0.6, 0.9, 0.65), strict=True))
    assert value(mixed) == pytest.approx((1 + 0.5 + 0.25 + 0 + 0.75 + 0.125) / 6)


def test_a_view_that_is_bad_missing_or_undefined_counts_nothing_and_dropping_it_never_pays():
    good = dict.fromkeys(VIEWS, 0.9)
    without = {view: v for view, v in good.items() if view != VIEWS[2]}
    for bad in ({VIEWS[2]: 0.1}, {VIEWS[2]: np.nan}, {}):
        assert value(without | bad) == value(without) == pytest.approx(0.75 * 5 / 6)
    assert value({}) == 0.0


def test_a_floor_of_one_is_refused():
    with pytest.raises(ValueError, match="below 1"):
        score_maps({}, 1.0)


def mean(values, chance=0.0):
    score = score_mean("map_effect", values, chance, "signed")
    assert (score.metric, score.n, score.method, score.reading) == (
        "map_effect",
        3,
        "mean",
        "signed",
    )
    return score.value


def test_a_mean_over_methods_is_that_of_the_views_and_nothing_below_chance_pays():
    assert mean(dict.fromkeys(METHODS, 0.8)) == pytest.approx(0.8)
    # a method that is no view's counts nothing
    assert mean({**dict.fromkeys(METHODS, 0.6), "saliency": 1.0}) == pytest.approx(0.6)
    two = dict.fromkeys(METHODS[:2], 0.9)
    for bad in ({METHODS[2]: -0.9}, {METHODS[2]: np.nan}, {}):
        assert mean(two | bad) == pytest.approx(0.6)
    assert mean({}, chance=0.5) == 0.5
    assert mean(dict.fromkeys(METHODS, -1.0)) == 0
