"""What one site of rising strength does, kept beside the exact function, read again and drawn."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from engine_specs import AFFINITY, engine_text

from motifidelity.leaderboard.figures.responses import SIZE, draw_response
from motifidelity.scoring.evidence import Response, gather_evidence, read_evidence
from motifidelity.scoring.truth import Truth
from motifidelity.tasks.fresh import fresh_dataset
from motifidelity.tasks.spec import parse_spec


@pytest.fixture(scope="module")
def truth(spec_texts):
    text = engine_text(spec_texts["motif-classes@2"], AFFINITY)
    text = text.replace("[scoring]\n", "[scoring]\nbackgrounds = 2\n", 1)
    dataset = fresh_dataset(parse_spec(text, draft=True), 31)
    return Truth(dataset, replace(dataset.spec.profile("full"), test=40, explained=4))


@pytest.fixture(scope="module")
def arrays(truth):
    answers = network(truth, truth.questions.sequences)
    return {"asked_logits": answers[:, None].astype(np.float32)}


def exact(truth, sequences):
    return truth.contents.exact(truth.matrices, sequences)


def network(truth, sequences):
    """Half of the function, and the share of A."""
    return exact(truth, sequences) / 2 + (sequences == 0).mean(axis=-1)


def test_each_factor_has_the_mean_changes_of_the_network_and_of_the_function(truth, arrays):
    found = read_evidence(gather_evidence(truth, arrays))
    assert found.curves == ()
    assert [one.name for one in found.responses] == ["SP1", "Gabpa", "YY1"]
    parts = truth.questions.parts
    ids = ("MA0079.3", "MA0062.2", "MA0095.2")
    for one, motif in zip(found.responses, ids, strict=True):
        for values, answer in ((one.exact, exact), (one.found, network)):
            before = answer(truth, parts["neither"])
            expected = [np.mean(answer(truth, sites) - before) for sites in parts[f"one {motif}"]]
            assert len(expected) == 20
            np.testing.assert_allclose(values, expected, atol=1e-4)
    sp1, _, yy1 = found.responses
    assert sp1.exact[-1] > sp1.exact[0], "of weights above 0 the stronger site does more"
    assert yy1.exact[-1] < yy1.exact[0] < 0


def test_without_answers_nothing_is_kept_that_older_records_do_not_have(truth, arrays):
    content = gather_evidence(truth, {})
    assert read_evidence(content).responses == ()
    assert "responses" not in _about(content)
    assert "curves" not in _about(gather_evidence(truth, arrays))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"found": [1.0]}, "strengths without a value"),
        ({"exact": [], "found": []}, "strengths without a value"),
        ({"found": [0.0, float("nan")]}, "nan or infinity"),
    ],
)
def test_a_damaged_response_is_refused(truth, changes, expected, monkeypatch):
    damaged = {"name": "SP1", "exact": [0.0, 1.0], "found": [0.0, 1.0], **changes}
    monkeypatch.setattr("motifidelity.scoring.evidence._responses", lambda *_: [damaged])
    content = gather_evidence(truth, {})
    with pytest.raises(ValueError, match=expected):
        read_evidence(content)


def test_a_response_is_drawn_on_axes_of_the_same_ends():
    chart = draw_response(Response("SP1", np.array([0.0, 1.0, 2.0]), np.array([-2.0, 1.0, 0.0])))
    assert (chart.low, chart.high) == ("-2", "2")
    half, quarter = SIZE / 2, SIZE / 4
    # of no change at all, of the exact change, and of none where there should be one
    assert chart.points == (
        (f"{half:.1f}", f"{SIZE:.1f}"),
        (f"{3 * quarter:.1f}", f"{quarter:.1f}"),
        (f"{SIZE:.1f}", f"{half:.1f}"),
    )
    assert chart.path == "M" + "L".join(" ".join(point) for point in chart.points)
    none = draw_response(Response("YY1", np.zeros(2), np.zeros(2)))
    assert (none.low, none.high) == ("-0.5", "0.5")


def _about(content):
    with np.load(io.BytesIO(content)) as stored:
        return json.loads(stored["about"].tobytes())
