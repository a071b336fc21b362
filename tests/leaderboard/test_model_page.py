from __future__ import annotations

from pathlib import Path

import leaderboard_fixtures as fx
import leaderboard_pages as pages
import pytest

from motifidelity.leaderboard import render


@pytest.fixture(scope="module")
def page(site: Path) -> pages.Element:
    [path] = (site / "models").glob("cnn-deep-exponential-*")
    return pages.parse(path)


def mine() -> list[dict[str, object]]:
    jobs = fx.realistic().jobs
    chosen = jobs[
        (jobs["model"] == "cnn-deep")
        & (jobs["profile"] == "full")
        & jobs["params"].str.contains("exponential")
    ]
    return chosen.to_dict("records")


def test_corrected_and_study_scores_stand_side_by_side_for_every_trial(page: pages.Element) -> None:
    scores = fx.realistic().scores
    row = next(r for r in page.one("table", "scores").all("tr") if "match_fraction" in r.text)
    cells = [cell.text for cell in row.all("td")]
    for metric in ("match_fraction", "paper_match_fraction"):
        by_result = scores[scores["metric"] == metric].set_index("result_id")["value"]
        values = [float(by_result[job["result_id"]]) for job in mine()]
        start = 1 if metric == "match_fraction" else 7
        assert cells[start].startswith(f"{sum(values) / 3:.3f}")
        assert "n = 3" in cells[start]
        assert cells[start + 2 : start + 5] == [f"{value:.3f}" for value in values]
    assert "paper_match_fraction" in cells[6]


def test_every_filter_of_every_trial_has_a_card(page: pages.Element) -> None:
    filters = fx.realistic().filters
    section = page.one("section", "task")
    trials = section.all("details", "trial-details")
    assert [("open" in trial.attrs) for trial in trials] == [True, False, False]
    for job, trial in zip(mine(), trials, strict=True):
        stored = filters[filters["result_id"] == job["result_id"]]
        for definition, part in zip(
            ("corrected", "paper"), trial.all("details", "filter-set"), strict=True
        ):
            expected = stored[stored["definition"] == definition]
            cards = part.all("li")
            assert sorted(int(card.one(cls="number").text) for card in cards) == sorted(
                expected["filter"]
            )
            marked = {int(c.one(cls="number").text) for c in cards if c.all(cls="match")}
            assert marked == set(expected[expected["true_tf"].notna()]["filter"])


def test_a_card_names_the_best_hit_with_its_evalue_and_sites(page: pages.Element) -> None:
    card = page.one("ul", "cards").all("li")[0]
    for expected in ("MA0000.1", "E = 3.2e-06", "100 sites", "✓"):
        assert expected in card.text


def test_provenance_and_training_are_shown(page: pages.Element) -> None:
    text = page.text
    for expected in (
        "2025-03-01 10:00 UTC",
        "keras",
        "3.15.1",
        "2.0 GiB",
        "0123abc",
        "10 min 02 s",
    ):
        assert expected in text
    assert len(page.one("details", "trial-details").all("figure", "chart")) == 2


def test_classes_have_a_table_of_their_own(page: pages.Element) -> None:
    table = page.one("table", "classes")
    assert [row[0].text for row in pages.rows(table)] == sorted(fx.TFS)


def test_the_quick_run_is_on_the_page_and_marked(page: pages.Element) -> None:
    full, quick = page.all("section", "task")
    assert "quick: not ranked" not in full.text
    assert "quick: not ranked" in quick.text


def test_a_model_without_convolution_says_so(site: Path) -> None:
    [path] = (site / "models").glob("dense-*")
    assert "has no convolution" in pages.parse(path).text


def test_a_replaced_result_is_still_shown(tmp_path: Path) -> None:
    builder = fx.Builder()
    builder.add("m", 0, status="infra_error", message="the daemon went away", minute=1)
    builder.add("m", 0, {("auroc", ""): 0.9}, minute=5)
    render(builder.tables(), tmp_path, metrics=fx.METRICS)
    [board] = (tmp_path / "boards").iterdir()
    assert "replaced by a later result" in pages.parse(board).one("div", "failures").text
    [path] = (tmp_path / "models").iterdir()
    text = pages.parse(path).text
    assert "the daemon went away" in text
    assert "not counted" in text


def test_a_dirty_commit_is_said(tmp_path: Path) -> None:
    builder = fx.Builder()
    builder.add("m", 0, {("auroc", ""): 0.9}, dirty=True, warnings=["CPU <only>"])
    render(builder.tables(), tmp_path, metrics=fx.METRICS)
    [path] = (tmp_path / "models").iterdir()
    text = pages.parse(path).text
    assert "0123abc (modified)" in text
    assert "CPU <only>" in text


@pytest.mark.parametrize("environment", [None, "not json", "[" * 100_000, '{"a": "\\ud800"}'])
def test_an_unreadable_environment_does_no_harm(environment: str | None, tmp_path: Path) -> None:
    builder = fx.Builder()
    builder.add("m", 0, {("auroc", ""): 0.9}, environment=environment, params='{"x": "\\ud800"}')
    render(builder.tables(), tmp_path, metrics=fx.METRICS)
