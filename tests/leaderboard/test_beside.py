"""Published scores beside measured ones: what is drawn where, and what is called beyond."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from motifidelity.leaderboard import published_figure
from motifidelity.leaderboard.figures.beside import Beside, Mark, lay_out
from motifidelity.study.published import PublishedScore, compare, published

SVG = "{http://www.w3.org/2000/svg}"
METRICS = ["paper_attribution_auroc", "paper_localisation_auroc"]


def one(*values: float, sd: float = 0.05, over: str = "trials", **names: str) -> PublishedScore:
    return PublishedScore(
        network=names.get("network", "CNN-local"),
        activation=names.get("activation", "relu"),
        method=names.get("method", "saliency"),
        mean=0.8,
        sd=sd,
        over=over,
        values=values,
    )


def trials(table: pd.DataFrame, number: int) -> pd.DataFrame:
    """As many trials of every published score, drawn as the study says they lie."""
    rng = np.random.default_rng(0)
    rows = [
        {**row, "trial": trial, "value": rng.normal(row["mean"], row["sd"])}
        for row in table.to_dict("records")
        for trial in range(number)
    ]
    return pd.DataFrame(rows, columns=[*table.columns, "trial", "value"])


def value_at(x: str, drawing: Beside) -> float:
    """The value at a place of the first panel, from two of the axis's own ticks."""
    ticks = drawing.ticks[: len(drawing.ticks) // len(drawing.panels)]
    (x0, low), (x1, high) = ticks[0], ticks[-1]
    share = (float(x) - float(x0)) / (float(x1) - float(x0))
    return float(low) + share * (float(high) - float(low))


def draw(*scores: PublishedScore) -> tuple[Mark, Beside]:
    drawing = lay_out("Scores", scores)
    return drawing.marks[0], drawing


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ((), "unrun"),
        ((0.85,), "within"),
        ((0.91,), "beyond"),
        ((0.69,), "beyond"),
        # the mean decides, not a trial
        ((0.95, 0.80), "within"),
        ((0.95, 0.90), "beyond"),
    ],
)
def test_a_mean_beyond_two_published_sd_is_marked(values: tuple[float, ...], kind: str) -> None:
    mark, drawing = draw(one(*values))
    assert mark.kind == kind
    assert ("relu saliency" in drawing.description) == (kind == "beyond")
    assert ("not run" in mark.title) == (kind == "unrun")


def test_an_sd_over_sequences_says_nothing_about_trials() -> None:
    mark, drawing = draw(one(0.1, sd=0.2, over="sequences"))
    assert mark.kind == "within"
    assert "SD away" not in drawing.description


def test_marks_stand_where_their_values_are_on_the_axis() -> None:
    mark, drawing = draw(one(0.74, 0.80, 0.83))
    near = {"abs": 1e-3}
    assert value_at(mark.published, drawing) == pytest.approx(0.8, **near)
    assert value_at(mark.measured, drawing) == pytest.approx(0.79, **near)
    assert [value_at(x, drawing) for x in mark.trials] == pytest.approx([0.74, 0.8, 0.83], **near)
    assert value_at(mark.left, drawing) == pytest.approx(0.7, **near)
    right = str(float(mark.left) + float(mark.width))
    assert value_at(right, drawing) == pytest.approx(0.9, **near)


def test_one_trial_is_the_mean_and_no_ring_besides() -> None:
    mark, drawing = draw(one(0.77))
    assert mark.trials == ()
    assert value_at(mark.measured, drawing) == pytest.approx(0.77, abs=1e-3)
    assert "1 trial" in mark.title


def test_a_range_beyond_the_metric_s_own_ends_at_it() -> None:
    mark, drawing = draw(one(0.9, sd=0.3), one(0.9, sd=0.01, activation="elu"))
    assert float(drawing.ticks[-1][1]) == 1
    assert value_at(str(float(mark.left) + float(mark.width)), drawing) <= 1 + 1e-3


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("number", [0, 1, 3])
def test_every_published_score_has_one_mark_and_its_row(metric: str, number: int) -> None:
    table = published()
    table = table[table["metric"] == metric]
    scores = list(compare(trials(table, number), metric))
    drawing = lay_out("Scores", scores)
    assert len(drawing.marks) == len(table) == len({mark.title for mark in drawing.marks})
    places = {(mark.left, mark.y, mark.published) for mark in drawing.marks}
    assert len(places) == len(table)
    root = ET.fromstring(published_figure("Scores", scores).svg)
    told = [mark.findtext(f"{SVG}title") for mark in root.iter(f"{SVG}g")]
    assert [words for words in told if words] == [mark.title for mark in drawing.marks]
    assert root.findtext(f"{SVG}title") == drawing.description
    wide, tall = float(root.get("width", "")), float(root.get("height", ""))
    for mark in drawing.marks:
        assert 0 <= float(mark.left) <= float(mark.left) + float(mark.width) <= wide
        assert 0 < float(mark.y) < tall


def test_rows_of_modified_activations_find_their_published_cells() -> None:
    table = published()
    modified = table[table["activation"].str.startswith("shift_scale")]
    assert len(modified) == 6
    scores = list(compare(trials(modified, 1), METRICS[0]))
    run = {(one.network, one.activation) for one in scores if one.values}
    assert run == set(zip(modified["model"], modified["activation"], strict=True))


def test_the_same_scores_in_another_order_of_rows_give_the_same_bytes() -> None:
    rows = trials(published(), 3)
    drawn = {
        published_figure("Scores", list(compare(some, METRICS[0]))).svg
        for some in (rows, rows.iloc[::-1])
    }
    assert len(drawn) == 1
