"""Networks that do not beat counting are marked wherever they stand; counting has no rank."""

from __future__ import annotations

from pathlib import Path

import leaderboard_fixtures as fx
import leaderboard_pages as pages
import pytest

from motifidelity.entries import DIVISION, KMER_REGRESSION
from motifidelity.leaderboard import render

MARK = "does not beat counting"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two networks of three trials, one of them above counting, and counting."""
    builder = fx.Builder()
    for trial in range(3):
        builder.add("strong", trial, {("auroc", ""): 0.96 + trial / 1000})
        # above by its mean, and by its interval not
        builder.add("weak", trial, {("auroc", ""): 0.9 + trial / 50})
    builder.add(KMER_REGRESSION, 0, {("auroc", ""): 0.91}, division=DIVISION, num_filters=0)
    folder = tmp_path_factory.mktemp("site")
    render(builder.tables(), folder, metrics=fx.METRICS)
    return folder


@pytest.mark.parametrize("place", ["index.html", "boards", "tasks"])
def test_a_table_marks_the_one_that_is_not_above(site: Path, place: str) -> None:
    [path] = [site / place] if place.endswith("html") else (site / place).glob("*.html")
    rows = [row.text for row in pages.parse(path).all("tr") if "weak" in row.text]
    others = [
        row.text
        for row in pages.parse(path).all("tr")
        if "strong" in row.text or KMER_REGRESSION in row.text
    ]
    assert any(MARK in text for text in rows)
    assert others
    assert not any(MARK in text for text in others)


def test_its_own_page_says_in_what(site: Path) -> None:
    [path] = (site / "models").glob("weak*.html")
    [mark] = [one for one in pages.parse(path).all("abbr", "mark") if one.text == MARK]
    assert mark.attrs["title"].startswith("Predicts: the lower end of the 95% interval")
    [path] = (site / "models").glob("strong*.html")
    assert MARK not in pages.parse(path).text
    [path] = (site / "models").glob("6-mer*.html")
    assert "rival" in pages.parse(path).text
