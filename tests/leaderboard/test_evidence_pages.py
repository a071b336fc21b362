"""Model pages: scans and maps with the true sites, filters above their matches, the command."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path

import evidence_fixtures as ev
import leaderboard_fixtures as fx
import leaderboard_pages as pages
import numpy as np
import pytest

from motifidelity.leaderboard import render
from motifidelity.leaderboard.figures.logo import COLUMN, HEIGHT, draw_logo
from motifidelity.leaderboard.figures.match import Motifs, align
from motifidelity.leaderboard.figures.responses import SIZE
from motifidelity.leaderboard.figures.tracks import LETTER, SCAN, WIDTH, draw_example
from motifidelity.scoring.evidence import Evidence, Response
from motifidelity.tasks.motifs import load_motifs


def model_page(tables: fx.Tables, out: Path, evidence: object = ev.evidence) -> pages.Element:
    render(tables, out, metrics=fx.METRICS, evidence=evidence)  # type: ignore[arg-type]
    [path] = (out / "models").glob("cnn-deep-*")
    return pages.parse(path)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> pages.Element:
    tables = ev.with_matches(ev.held_task())
    return model_page(tables, tmp_path_factory.mktemp("site"))


def test_a_factor_s_response_is_drawn_with_the_line_of_equality(tmp_path: Path) -> None:
    exact = np.linspace(0, 1, 20)
    responses = (Response("SP1", exact, exact / 2), Response("YY1", -exact, -exact))

    def evidence(_: str) -> Evidence:
        return replace(ev.evidence(), responses=responses)

    charts = model_page(ev.held_task().tables(), tmp_path, evidence).all("figure", "square")
    assert [chart.one("text", "title").text for chart in charts] == ["SP1", "YY1"]
    for chart in charts:
        assert len(chart.all("circle", "strength")) == 20
        assert chart.one("path", "best").attrs["d"] == f"M0 {SIZE}L{SIZE} 0"


def matrix(transform: str) -> list[float]:
    numbers = re.fullmatch(r"matrix\((.*)\)", transform)
    assert numbers
    return [float(number) for number in numbers[1].split()]


def test_letters_stand_at_their_bases_as_high_as_their_importance() -> None:
    example = ev.example()
    strip = draw_example(example)
    track = next(track for track in strip.tracks if track.label == "Saliency")
    step = WIDTH / len(example.codes)
    saliency = example.maps["saliency"]
    scale = LETTER / (saliency.max() - saliency.min())
    placed = {
        round(matrix(place)[4] / step - 0.03): (group.letter, matrix(place)[3] * 100)
        for group in track.letters
        for place in group.transforms
    }
    assert set(placed) == set(range(len(example.codes)))
    for index, (letter, height) in placed.items():
        assert letter == "ACGT"[example.codes[index]]
        assert height == pytest.approx(saliency[index] * scale, abs=0.2)


def test_a_scan_is_drawn_from_zero_to_its_maximum() -> None:
    example = ev.example()
    strip = draw_example(example)
    scan = strip.tracks[0]
    assert scan.label == "Filter scan"
    heights = [float(y) for y in re.findall(r"V([\d.]+)", scan.path)]
    assert min(heights) == pytest.approx(float(scan.top), abs=0.1)
    assert max(heights) <= float(scan.top) + SCAN
    assert example.scan is not None
    best = int(example.scan.argmax())
    peak = re.search(rf"H([\d.]+)V{float(scan.top):.1f}", scan.path)
    assert peak is not None
    assert float(peak[1]) == pytest.approx(best * WIDTH / len(example.codes), abs=0.2)


def test_true_sites_are_boxes_over_their_bases_and_in_words() -> None:
    strip = draw_example(ev.example(start=100))
    implant, chance = strip.boxes
    step = WIDTH / 60
    assert (implant.kind, chance.kind) == ("implant", "chance")
    assert float(implant.x) == pytest.approx(10 * step, abs=0.1)
    assert float(implant.width) == pytest.approx(11 * step, abs=0.1)
    assert [band.x for band in strip.bands] == [implant.x]
    assert "SP1 at 111 to 121" in strip.description
    assert "5 of these 5 in implanted sites" in strip.description
    assert "bases 101–160 of 160" in strip.title


def test_a_chance_site_on_an_implant_is_not_drawn_twice() -> None:
    example = ev.example()
    there = example.sites[0]
    twin = type(there)(**{**vars(there), "strand": -1, "implanted": False})
    both = type(example)(**{**vars(example), "sites": (there, twin)})
    assert [box.kind for box in draw_example(both).boxes] == ["implant"]


def test_a_map_of_zeros_is_an_empty_track() -> None:
    example = ev.example()
    nothing = {"saliency": np.zeros(len(example.codes))}
    flat = type(example)(**{**vars(example), "maps": nothing, "scan": None})
    labels = [track.label for track in draw_example(flat).tracks]
    assert labels == ["PWM scan", "Saliency"]
    assert draw_example(flat).tracks[1].letters == ()


def test_the_page_shows_every_track_of_every_example(page: pages.Element) -> None:
    strips = [svg for svg in page.all("svg", "tracks") if svg.attrs.get("role") == "img"]
    assert len(strips) == 2
    for strip in strips:
        names = [text.text for text in strip.all("text", "name")]
        assert names == ["Sites", "Filter scan", "PWM scan", "Saliency", "ISM"]
        assert strip.all("rect", "band")
        assert "Implanted: SP1 at 11 to 21" in strip.attrs["aria-label"]


def test_a_filter_stands_above_its_match_as_tomtom_aligned_them(page: pages.Element) -> None:
    motif = load_motifs(ev.SPEC.motifs)["MA0079.3"]
    drawings = page.all("svg", "pair")
    assert drawings
    [drawn] = [g for g in page.all("g", "logo") if g.attrs.get("id")]
    reverse = draw_logo(motif.ppm.T[::-1, ::-1], motif.width)
    assert reverse is not None
    assert [use.attrs["class"] for use in drawn.all("use")] == [g.letter for g in reverse.glyphs]
    for drawing in drawings:
        above, below = (g.attrs["transform"] for g in drawing.all("g"))
        assert above == f"translate({2 * COLUMN:g} 0)"
        assert below.startswith("translate(0 ")
        assert float(drawing.attrs["height"]) > 2 * HEIGHT
        shade = drawing.one("rect", "facing")
        assert float(shade.attrs["x"]) == 2 * COLUMN
        assert "above its best match SP1" in drawing.attrs["aria-label"]


@pytest.mark.parametrize("offset", [-3, 0, 4])
def test_columns_that_face_each_other_share_a_place(offset: int) -> None:
    motifs = load_motifs(ev.SPEC.motifs)
    row = {"best_hit": "MA0079.3", "offset": offset, "strand": "+", "width": 9}
    pair = align(row, motifs, Motifs())
    assert pair is not None
    # column 0 of the filter stands above column `offset` of the match
    assert float(pair.filter_x) == float(pair.match_x) + offset * COLUMN
    facing = min(9, motifs["MA0079.3"].width - offset) - max(0, -offset)
    assert float(pair.shade_width) == facing * COLUMN


@pytest.mark.parametrize(
    "change",
    [{"best_hit": "<b>MA1</b>"}, {"offset": None}, {"offset": 99}, {"strand": None}],
)
def test_a_match_that_cannot_be_aligned_leaves_the_filter_alone(
    change: dict[str, object], tmp_path: Path
) -> None:
    page = model_page(ev.with_matches(ev.held_task(), **change), tmp_path)
    assert not page.all("svg", "pair")
    assert page.one("ul", "cards").all("svg", "logo")


def test_a_task_that_the_package_does_not_hold_leaves_matches_undrawn(tmp_path: Path) -> None:
    builder = fx.Builder()
    builder.add("cnn-deep", 0, {("auroc", ""): 0.9}, activation="relu", good_filters=0.9)
    text = model_page(builder.tables(), tmp_path).text
    assert "named but not drawn: the package holds this task under another digest" in text


def test_a_registry_without_evidence_says_how_to_add_it(tmp_path: Path) -> None:
    page = model_page(ev.held_task().tables(), tmp_path, None)
    assert "bench rescore --probe" in page.one("p", "missing").text
    assert page.one("table", "scores")


def test_a_damaged_record_costs_its_own_figures_alone(tmp_path: Path) -> None:
    page = model_page(ev.held_task().tables(), tmp_path, ev.damaged)
    assert "it cannot be read" in page.one("p", "missing").text
    assert page.one("table", "scores")
    [task] = (tmp_path / "tasks").iterdir()
    assert "it cannot be read" in pages.parse(task).text


@pytest.mark.parametrize("what", ["evidence", "scan_name"])
def test_a_store_that_did_not_answer_costs_its_pages_until_the_next_build(
    tmp_path: Path, what: str
) -> None:
    files = [{"path": "networks/old-1/network.json", "size": 9, "sha256": "ab" * 32}]
    tables = ev.held_task(files=files).tables()
    good = {"evidence": ev.evidence, "scan_name": {"old-1": "network/conv"}.get}

    def drawn(out: Path, **given: object) -> dict[str, bytes]:
        given = {**good, "stored": {"old-1": "same"}, **given}
        render(tables, out, metrics=fx.METRICS, **given)  # type: ignore[arg-type]
        found = {
            path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*.html")
        }
        return found

    site = tmp_path / "site"
    first = drawn(site, **{what: ev.unanswered})
    bad = {path for path, content in first.items() if b"could not be drawn</h1>" in content}
    assert {path.split("-")[0] for path in bad} >= {"models/cnn"}
    assert any(path.startswith("tasks/") for path in bad) == (what == "evidence")
    named = pages.parse(site / "index.html").one("section", "problems").text
    for path in bad:
        assert f"{path} could not be drawn (registry/evidence/" in named
        text = pages.parse(site / path).text
        assert "bucket 'b' did not answer; try again" in text
        assert "The next build draws it again" in text
        assert "A row of the registry" not in text
    second = drawn(site)
    assert second == drawn(tmp_path / "fresh")


def test_hostile_names_in_evidence_stay_text(tmp_path: Path) -> None:
    name = f'{fx.HOSTILE}" onload="x{fx.RTL}'
    example = ev.example(name=name)
    page = model_page(ev.held_task().tables(), tmp_path, lambda _: ev.Evidence((example,)))
    assert "<script>alert" in page.one("figure", "example").text
    for element in page.all():
        assert not [key for key in element.attrs if key.startswith("on")]
    for path in tmp_path.rglob("*.html"):
        assert "\u202e" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("seeds", "ends"),
    [
        ([0, 1, 2], ["--trials 3 --seed 0"]),
        ([4, 9], ["--trials 1 --seed 4", "--trials 1 --seed 9"]),
    ],
)
def test_the_command_repeats_exactly_the_runs_seeds(
    seeds: list[int], ends: list[str], tmp_path: Path
) -> None:
    builder = fx.Builder()
    for trial, seed in enumerate(seeds):
        builder.add("cnn-deep", trial, {("auroc", ""): 0.9}, activation="relu", seed=seed)
    lines = model_page(builder.tables(), tmp_path).one("div", "repeat").one("code").text.split("\n")
    start = (
        "bench run --model models/cnn.py --param activation=relu --task motif-classes@1 "
        "--profile full --runner docker "
    )
    assert [line.removeprefix(start) for line in lines] == ends


def test_the_command_names_every_commit_that_trained_or_scored(tmp_path: Path) -> None:
    builder = fx.Builder()
    for trial, commit in enumerate(["a" * 40, "b" * 40, "a" * 40]):
        builder.add("cnn-deep", trial, {("auroc", ""): 0.9}, seed=trial, commit=commit,
                    scored_commit="c" * 40 if trial else commit)  # fmt: skip
    note = model_page(builder.tables(), tmp_path).one("div", "repeat").one("p").text
    a, b, c = ("a" * 12, "b" * 12, "c" * 12)
    assert f" at commits {a}… (trials 0, 2), {b}… (trial 1); " in note
    assert f"; scored at commit {c}… (trials 1–2). On another machine" in note


def test_the_command_names_one_commit_shortly(tmp_path: Path) -> None:
    builder = fx.Builder()
    for trial in range(2):
        builder.add("cnn-deep", trial, {("auroc", ""): 0.9}, seed=trial, dirty=True,
                    scored_commit="0123abc")  # fmt: skip
    note = model_page(builder.tables(), tmp_path).one("div", "repeat").one("p").text
    assert " this package at commit 0123abc (modified). On another machine" in note


def test_the_command_names_another_backend(tmp_path: Path) -> None:
    builder = fx.Builder()
    builder.add("cnn-deep", 0, {("auroc", ""): 0.9}, backend="jax")
    text = model_page(builder.tables(), tmp_path).one("div", "repeat").one("code").text
    assert " --runner docker --backend jax --trials 1 " in text


def test_a_command_is_quoted_for_the_shell(tmp_path: Path) -> None:
    builder = fx.Builder()
    evil = "x.py; rm -rf ~ $(id) `id`\n'"
    builder.add("cnn-deep", 0, {("auroc", ""): 0.9}, activation=evil, model_file=evil)
    words = shlex.split(
        model_page(builder.tables(), tmp_path).one("div", "repeat").one("code").text
    )
    assert words[:4] == ["bench", "run", "--model", evil]
    assert words[5] == f"activation={evil}"


def test_a_reference_has_no_command(tmp_path: Path) -> None:
    render(ev.held_task().tables(), tmp_path, metrics=fx.METRICS, evidence=ev.evidence)
    [path] = (tmp_path / "models").glob("oracle-*")
    block = pages.parse(path).one("div", "repeat")
    assert not block.all("code")
    assert "No network" in block.text


def test_digests_of_the_frozen_network_are_shown(tmp_path: Path) -> None:
    files = [
        {"path": "networks/r/graph.pb", "size": 1_500_000, "sha256": "ab" * 32},
        {"path": "scores/r.parquet", "size": 10, "sha256": "cd" * 32},
    ]
    text = model_page(ev.held_task(files=files).tables(), tmp_path).text
    assert "graph.pb, 1.50 MB, SHA-256 abababababab" in text
    assert "cdcdcd" not in text


def test_a_large_registry_draws_the_filters_of_first_trials_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("motifidelity.leaderboard.site.MOST_DETAILED", 3)
    builder = ev.held_task()
    for trial in (1, 2):
        builder.add("cnn-deep", trial, {("auroc", ""): 0.9}, activation="exponential",
                    good_filters=0.9, task_digest=ev.SPEC.digest,
                    dataset_digest=ev.SPEC.dataset_digest)  # fmt: skip
    page = model_page(builder.tables(), tmp_path)
    trials = page.all("details", "trial-details")
    assert [bool(trial.all("ul", "cards")) for trial in trials] == [True, False, False]
    assert "16 filters of this trial are not drawn" in trials[1].text


def test_the_layer_that_was_measured_is_named(tmp_path: Path) -> None:
    files = [{"path": "networks/old-1/network.json", "size": 9, "sha256": "ab" * 32}]
    tables = ev.held_task(files=files).tables()

    def drawn(scan_name: object, out: str) -> str:
        render(tables, tmp_path / out, metrics=fx.METRICS, scan_name=scan_name)  # type: ignore[arg-type]
        [path] = (tmp_path / out / "models").glob("cnn-deep-*")
        return pages.parse(path).text

    names = {"old-1": "network/functional/<i>branch/Relu"}
    assert "read at its output: functional/<i>branch/Relu" in drawn(names.get, "a")
    assert "Measured as the first layer" not in drawn(None, "b")
    assert "cannot be read (registry/evidence/old-1.npz" in drawn(ev.damaged, "c")
