from __future__ import annotations

import itertools
import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from motifidelity.leaderboard.figures.curves import HEIGHT as CURVE_HEIGHT
from motifidelity.leaderboard.figures.curves import WIDTH, draw_history
from motifidelity.leaderboard.figures.logo import GLYPHS, HEIGHT, draw_logo, letter_heights
from motifidelity.leaderboard.figures.scatter import (
    FARTHEST,
    FLAT,
    GAP,
    LINE,
    ROOM,
    SIZE,
    label_column,
    spread_labels,
    spread_marks,
)
from motifidelity.leaderboard.text import slug
from motifidelity.untrusted import clean


def test_letters_of_a_column_worked_by_hand() -> None:
    # Certain: 2 bits. Half A, half T: 2 - 1 = 1 bit, half each. Uniform: nothing.
    ppm = np.array([[0, 0, 1, 0], [0.5, 0, 0, 0.5], [0.25] * 4])
    expected = [[0, 0, 2, 0], [0.5, 0, 0, 0.5], [0, 0, 0, 0]]
    np.testing.assert_allclose(letter_heights(ppm), expected, atol=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 12), st.integers(0, 2**32 - 1), st.floats(0.05, 5))
def test_a_stack_is_as_high_as_the_entropy_says(width: int, seed: int, spread: float) -> None:
    ppm = np.random.default_rng(seed).dirichlet(np.full(4, spread), width)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.nansum(np.where(ppm > 0, ppm * np.log2(ppm), 0), axis=1)
    np.testing.assert_allclose(letter_heights(ppm).sum(axis=1), 2 - entropy, atol=1e-9)


def test_letters_stack_from_the_baseline_smallest_first_without_gaps() -> None:
    logo = draw_logo([0.7, 0.1, 0.05, 0.15], 1)
    assert logo is not None
    assert [glyph.letter for glyph in logo.glyphs] == ["G", "C", "T", "A"]
    floor = HEIGHT
    for glyph in logo.glyphs:
        scale, top = re.fullmatch(r"matrix\(\S+ 0 0 (\S+) \S+ (\S+)\)", glyph.transform).groups()  # type: ignore[union-attr]
        assert float(top) + 100 * float(scale) == pytest.approx(floor, abs=0.02)
        floor = float(top)
    bits = 2 + sum(p * np.log2(p) for p in (0.7, 0.1, 0.05, 0.15))
    assert HEIGHT - floor == pytest.approx(bits * HEIGHT / 2, abs=0.02)


def test_outlines_fill_their_box() -> None:
    for letter, outline in GLYPHS.items():
        assert set(re.findall("[A-Za-z]", outline)) <= set("MLHVCZ"), letter
        numbers = [float(n) for n in re.findall(r"\d+(?:\.\d+)?", outline)]
        assert (min(numbers), max(numbers)) == (0, 100)


def test_consensus_reads_the_logo_aloud() -> None:
    logo = draw_logo([1, 0, 0, 0, 0.1, 0.2, 0.3, 0.4], 2)
    assert logo is not None
    assert logo.consensus == "At"


@pytest.mark.parametrize(
    ("ppm", "width"),
    [
        ([], 0),
        (None, 4),
        ([0.25] * 7, 2),
        ([float("nan")] * 4, 1),
        ([2.0, -1.0, 0.0, 0.0], 1),
        ([0.5, 0.5, 0.5, 0.5], 1),
    ],
)
def test_what_is_no_motif_is_not_drawn(ppm: object, width: int) -> None:
    assert draw_logo(ppm, width) is None


def test_a_flat_motif_has_no_letters() -> None:
    logo = draw_logo([0.25] * 80, 20)
    assert logo is not None
    assert logo.glyphs == ()


def test_history_is_drawn_inside_its_panel_and_skips_what_is_not_finite() -> None:
    history = pd.DataFrame(
        {
            "epoch": [2, 1, 3],
            "loss": [0.5, 1.0, np.inf],
            "val_loss": [np.nan, 2.0, 1.0],
            "val_auroc": [np.nan] * 3,
            "val_aupr": [np.nan] * 3,
        }
    )
    [chart] = draw_history(history, best_epoch=2)
    assert (chart.title, chart.high, chart.low, chart.epochs) == ("Loss", "2", "0", 3)
    assert chart.best == f"{WIDTH / 2:.1f}"
    training, validation = chart.lines
    assert training.path == f"M0.0 {CURVE_HEIGHT / 2:.1f}L150.0 {CURVE_HEIGHT * 0.75:.1f}"
    assert validation.path == f"M0.0 0.0L300.0 {CURVE_HEIGHT / 2:.1f}"


def test_no_history_is_no_chart() -> None:
    assert draw_history(pd.DataFrame(), None) == ()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, SIZE), min_size=1, max_size=14))
def test_labels_never_share_a_line_and_stay_in_order(wanted: list[float]) -> None:
    heights = spread_labels(wanted)
    assert heights == sorted(heights)
    assert all(b - a >= LINE - 1e-6 for a, b in itertools.pairwise(heights))
    assert heights[-1] <= SIZE
    assert heights[0] >= 0


@given(st.lists(st.tuples(st.floats(SIZE / 2, SIZE), st.floats(0, SIZE)), min_size=1))
def test_labels_end_left_of_every_point_beside_them(points: list[tuple[float, float]]) -> None:
    heights = spread_labels([y for _, y in points][:14])
    column = label_column(points, heights)
    beside = [x for x, y in points if heights[0] <= y <= heights[-1]]
    assert all(column <= x - GAP or column == ROOM for x in beside)
    assert label_column(points, []) == ROOM


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 400), st.floats(0, 300)), min_size=1, max_size=5))
def test_marks_are_apart_inside_and_no_farther_than_they_must(
    points: list[tuple[float, float]],
) -> None:
    # so few find room everywhere, in a corner too
    found = spread_marks(points, 6.0, (400.0, 300.0))
    for one, other in itertools.combinations(found, 2):
        assert math.dist(one, other) >= 6.0 - 1e-6
    assert all(0 <= x <= 400 and 0 <= y <= 300 for x, y in found)
    assert found[0] == points[0]
    for number, (before, after) in enumerate(zip(points, found, strict=True)):
        assert math.dist(before, after) <= FARTHEST + 1e-6
        assert abs(before[1] - after[1]) <= FARTHEST * FLAT + 1e-6
        if all(math.dist(before, other) >= 6.0 for other in found[:number]):
            assert after == before


@settings(deadline=None)
@given(st.text())
def test_cleaned_text_has_nothing_hidden(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode("utf-8")
    assert not set(cleaned) & set(
        "\u202a\u202b\u202d\u202e\u2066\u2067\u200f\u200e\u200b\ufeff\x00"
    )
    assert clean(cleaned) == cleaned


@settings(deadline=None)
@given(st.text())
@example("\ufffe\uffff")
@example("\ufdd0\U0001fffe\U0010ffff")
@example("".join(map(chr, range(0x20))) + "\x7f\x85\ud800\udfff")
def test_cleaned_text_is_text_of_xml(text: str) -> None:
    element = ET.Element("name")
    element.text = clean(text)
    assert ET.fromstring(ET.tostring(element, encoding="utf-8")).text == (element.text or None)
    assert not re.search("[\ufdd0-\ufdef\ufffe\uffff\U0001fffe\U0010ffff]", element.text)


def test_a_noncharacter_is_written_out() -> None:
    assert clean("a\uffffb\U0001f9ec") == "a\\uffffb\U0001f9ec"


@given(st.text())
def test_slugs_are_plain(text: str) -> None:
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?-0{12}", slug(text, "0" * 64))
