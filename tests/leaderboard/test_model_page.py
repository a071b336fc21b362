from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl

import leaderboard_fixtures as fx
import leaderboard_pages as pages
import numpy as np
import pytest
from memelite.io import read_meme

from motifidelity.errors import DataError
from motifidelity.leaderboard import render
from motifidelity.registry.layers import Layer
from motifidelity.tasks.spec import find_spec


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
    assert sum("open" in trial.attrs for trial in trials) == 1
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


@pytest.fixture
def pair() -> fx.Builder:
    """A network with either activation beside networks that have floors and oracles."""
    builder = fx.able_networks(("motif-classes@2",))
    given = {"task": "motif-classes@2", "task_digest": find_spec("motif-classes@2").digest}
    ends = {"saliency": (0.5, 1.0), "ism": (0.5, 0.9), "deepshap": (0.5, 0.9)}
    for row in builder.rows["jobs"]:
        if row["division"] == "reference":
            for method, both in ends.items():
                value = both[row["model"] == "Oracle"]
                builder.score(row["result_id"], "attribution_auroc", value, method)
    for activation, saliency in (("exponential", 0.95), ("relu", 0.6)):
        for trial, share in enumerate((0.9, 0.2, 0.5)):
            scores = {
                ("auroc", ""): 0.82,
                ("filter_f1", ""): 0.4,
                ("maps", ""): saliency,
                ("match_fraction", ""): share,
                ("attribution_auroc", "saliency"): saliency,
                ("attribution_auroc", "ism"): 0.88,
                ("attribution_auroc", "deepshap"): 0.78,
            }
            builder.add("net", trial, scores, activation=activation, good_filters=share, **given)
    return builder


def page_of(folder: Path, name: str) -> pages.Element:
    [path] = (folder / "models").glob(f"{name}-*")
    return pages.parse(path)


def test_numbers_are_said_in_words(pair: fx.Builder, tmp_path: Path) -> None:
    render(pair.tables(), tmp_path, metrics=fx.METRICS)
    # a map that only knows where motifs stand
    floor = find_spec("motif-classes@2").scoring.fixed_floor("attribution_auroc")
    ism, deepshap = ((value - floor) / (0.9 - floor) for value in (0.88, 0.78))
    weak, good = ((value - floor) / (1 - floor) for value in (0.6, 0.95))
    assert weak < 0 < 1 / 3 < deepshap < 2 / 3 < good < ism
    assert page_of(tmp_path, "net-relu").one("p", "verdict").text == (
        f"Predicts 0.820 (AUROC); its maps: ISM good ({ism:.2f}), DeepSHAP middling "
        f"({deepshap:.2f}), saliency weak ({weak:.2f}); 53% of its filters are motifs of the task."
    )
    assert f"its maps: saliency and ISM good ({good:.2f}, {ism:.2f}), DeepSHAP middling" in (
        page_of(tmp_path, "net-exponential").one("p", "verdict").text
    )


def test_the_same_network_with_the_other_activation_is_marked(
    pair: fx.Builder, tmp_path: Path
) -> None:
    render(pair.tables(), tmp_path, metrics=fx.METRICS)
    page = page_of(tmp_path, "net-relu")
    section = page.one("section", "capabilities")
    [row] = [one for one in section.all("tr") if "motif-classes" in one.text]
    ghosts = [[path.attrs["d"] for path in cell.all("path", "ghost")] for cell in row.all("td")]
    assert ghosts == [["M80 0V6"], ["M40 0V6"], ["M100 0V6"], [], [], []]
    other, compared = [link.attrs["href"] for link in section.one("p").all("a")]
    assert (tmp_path / "models" / other).resolve() == next(
        (tmp_path / "models").glob("net-exponential-*")
    )
    labels = dict(parse_qsl(compared.partition("#")[2]))
    known = pages.parse(tmp_path / "compare.html").one("select").all("option")
    assert set(labels.values()) <= {option.text for option in known}
    assert labels == {"first": "net relu", "second": "net exponential"}
    # a network that has none has no mark, and no words of one
    alone = page_of(tmp_path, "predicts-relu").one("section", "capabilities")
    assert not alone.all("path", "ghost")
    assert "upright mark" not in alone.text


def test_a_sibling_s_new_score_draws_the_page_again(pair: fx.Builder, tmp_path: Path) -> None:
    render(pair.tables(), tmp_path, metrics=fx.METRICS)
    [own] = (tmp_path / "models").glob("net-relu-*")
    [other] = (tmp_path / "models").glob("predicts-relu-*")
    before = own.read_bytes(), other.stat().st_mtime_ns
    spec = find_spec("motif-classes@2")
    pair.add("net", 3, {("auroc", ""): 0.6}, activation="exponential",
             task=spec.id, task_digest=spec.digest)  # fmt: skip
    render(pair.tables(), tmp_path, metrics=fx.METRICS)
    assert own.read_bytes() != before[0]
    assert other.stat().st_mtime_ns == before[1]


def test_the_trial_in_the_middle_is_open_and_the_numbers_of_all_are_said(
    pair: fx.Builder, tmp_path: Path
) -> None:
    tables = pair.tables()
    render(tables, tmp_path, metrics=fx.METRICS)
    page = page_of(tmp_path, "net-relu")
    corrected = tables.filters[tables.filters["definition"] == "corrected"]
    counts = corrected.groupby("result_id")["true_tf"].count()
    jobs = tables.jobs[(tables.jobs["model"] == "net") & tables.jobs["params"].str.contains("relu")]
    expected = [int(counts[result]) for result in jobs["result_id"]]
    assert f"trial by trial: {', '.join(map(str, expected))}" in page.text
    opened = ["open" in trial.attrs for trial in page.all("details", "trial-details")]
    assert opened == [count == sorted(expected)[1] for count in expected]


def test_filters_are_motifs_that_others_read(pair: fx.Builder, tmp_path: Path) -> None:
    tables = pair.tables()
    render(tables, tmp_path, metrics=fx.METRICS)
    page = page_of(tmp_path, "net-relu")
    [link] = [one for one in page.all("a") if one.attrs["href"].endswith(".meme")]
    found = read_meme(tmp_path / "models" / link.attrs["href"])
    opened = next(one for one in page.all("details", "trial-details") if "open" in one.attrs)
    trial = int(opened.one("summary").text.split()[1].strip(","))
    jobs = tables.jobs[(tables.jobs["model"] == "net") & tables.jobs["params"].str.contains("relu")]
    result = jobs[jobs["trial"] == trial]["result_id"].item()
    rows = tables.filters[
        (tables.filters["result_id"] == result) & (tables.filters["definition"] == "corrected")
    ]
    assert len(found) == len(rows) == 16
    for (name, matrix), row in zip(found.items(), rows.to_dict("records"), strict=True):
        assert name.split()[0] == f"filter_{row['filter']:02d}"
        given = np.array(row["ppm"]).reshape(-1, 4)
        np.testing.assert_allclose(np.asarray(matrix).T, given, atol=1e-6)


def test_layers_are_drawn_where_the_network_is_kept(tmp_path: Path) -> None:
    builder = fx.Builder()
    files = [{"path": "networks/abc/graph.pb", "size": 1, "sha256": "0"}]
    builder.add("kept", 0, {("auroc", ""): 0.9}, files=files)
    builder.add("not", 0, {("auroc", ""): 0.9})
    held = (
        Layer("convolution", "19 wide, 32 filters", ("normalised", "ReLU")),
        Layer("dense", "12 units", (), 2),
    )

    def layers(result: str) -> tuple[Layer, ...]:
        assert result == "abc"
        return held

    render(builder.tables(), tmp_path, metrics=fx.METRICS, layers=layers)
    drawn = page_of(tmp_path, "kept-relu").one("ol", "layers").all("li")
    assert [one.text for one in drawn] == [
        "convolution 19 wide, 32 filters normalised, ReLU",
        "dense 12 units × 2",
    ]
    assert not page_of(tmp_path, "not-relu").all("ol", "layers")

    def damaged(result: str) -> tuple[Layer, ...]:
        raise DataError(f"networks/{result}: damaged")

    render(builder.tables(), tmp_path / "damaged", metrics=fx.METRICS, layers=damaged)
    assert not page_of(tmp_path / "damaged", "kept-relu").all("ol", "layers")


def test_names_of_scores_lead_to_what_is_said_of_them(page: pages.Element, site: Path) -> None:
    links = page.one("table", "scores").all("a")
    assert len(links) > 10
    assert all((site / "models" / link.attrs["href"]).is_file() for link in links)
