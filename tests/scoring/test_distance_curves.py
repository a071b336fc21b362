"""The curve of a rule that hangs on the distance of its sites: kept, read again and drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from engine_specs import RULES, engine_text

from motifidelity.leaderboard.figures.distances import WIDTH, draw_distances
from motifidelity.metrics.rules.spacing_curve import spacing_curve
from motifidelity.metrics.truth.asked import pairs_part
from motifidelity.scoring.evidence import Curve, gather_evidence, read_evidence
from motifidelity.scoring.truth import Truth
from motifidelity.tasks.fresh import fresh_dataset
from motifidelity.tasks.spec import parse_spec


@pytest.fixture(scope="module")
def truth(spec_texts):
    text = engine_text(spec_texts["motif-classes@2"], RULES)
    text = text.replace("[scoring]\n", "[scoring]\nbackgrounds = 2\n", 1)
    dataset = fresh_dataset(parse_spec(text, draft=True), 31)
    return Truth(dataset, replace(dataset.spec.profile("full"), test=40, explained=4))


def test_a_rule_of_distances_has_a_curve_and_one_of_strands_has_none(truth):
    asked = truth.questions
    rng = np.random.default_rng(0)
    arrays = {"asked_logits": rng.normal(size=(len(asked.sequences), 2)).astype(np.float32)}
    (curve,) = read_evidence(gather_evidence(truth, arrays)).curves
    assert curve.name == "repressor"
    known = truth.scored.rules.pairs[0]
    logits = asked.answers(arrays["asked_logits"])[pairs_part("repressor")][..., 0]
    expected = spacing_curve(logits, known.gap, known.on_curve)[curve.distance]
    np.testing.assert_allclose(curve.logit, expected, atol=1e-4)
    # the recipe has 0 to 20 bases, in which the second silences the first, and 40 and more
    drawn = dict(zip(curve.distance.tolist(), curve.drawn.tolist(), strict=True))
    assert {drawn[gap] for gap in (0, 10, 20)} == {-1}
    assert {drawn[gap] for gap in (40, 60)} == {1}
    assert {drawn[gap] for gap in (21, 30, 39)} == {0}


def test_without_answers_there_are_no_curves(truth):
    assert read_evidence(gather_evidence(truth, {})).curves == ()


def test_a_curve_is_drawn_with_the_distances_of_training_below_it():
    distance = np.array([0, 1, 2, 3, 4])
    chart = draw_distances(
        Curve("spacing", distance, np.array([0.0, 1, 4, 2, 0]), np.array([1, 1, 0, -1, 0]))
    )
    assert (chart.low, chart.high, chart.first, chart.last) == ("0", "4", 0, 4)
    assert chart.path == "M0.0 120.0L105.0 90.0L210.0 0.0L315.0 60.0L420.0 120.0"
    step = WIDTH / 4
    assert chart.holds == (("0.0", f"{1.5 * step:.1f}"),)
    assert chart.breaks == ((f"{2.5 * step:.1f}", f"{step:.1f}"),)
    flat = draw_distances(Curve("order", distance, np.full(5, 2.0), np.zeros(5, int)))
    assert (flat.low, flat.high, flat.holds) == ("1.5", "2.5", ())
