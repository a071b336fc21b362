"""The study's figures: what a box says, and the same drawings as files."""

from __future__ import annotations

import dataclasses
import io
import itertools
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import cairosvg
import evidence_fixtures as ev
import leaderboard_fixtures as fx
import leaderboard_pages as pages
import numpy as np
import pytest
import registry_rows as rr
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import motifidelity.leaderboard
from motifidelity.errors import UserError
from motifidelity.leaderboard import draw_figures, render
from motifidelity.leaderboard.figures.alone import convert
from motifidelity.leaderboard.figures.boxes import HEIGHT, Series, draw_boxes
from motifidelity.leaderboard.pages.study import MOST_BOXES, pool
from motifidelity.registry import Registry

SVG = "{http://www.w3.org/2000/svg}"


def place(value: float, plot_ticks: tuple[tuple[str, str], ...]) -> float:
    """Height of a value, from two of the axis's own ticks."""
    (y0, low), (y1, high) = plot_ticks[0], plot_ticks[-1]
    share = (value - float(low)) / (float(high) - float(low))
    return float(y0) + share * (float(y1) - float(y0))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=3, max_size=12))
def test_a_box_spans_the_quartiles_and_whiskers_the_extremes(values: list[float]) -> None:
    plot = draw_boxes("AUROC", [Series("CNN", "relu", tuple(values))], [("floor", 0.0)], (0, 1))
    assert plot is not None
    [box] = plot.boxes
    assert box.top is not None
    assert box.height is not None
    assert box.median is not None
    low, first, median, third, high = np.percentile(values, [0, 25, 50, 75, 100])
    near = {"abs": 0.11 + 1e-9}
    assert float(box.top) == pytest.approx(place(third, plot.ticks), **near)
    assert float(box.median) == pytest.approx(place(median, plot.ticks), **near)
    assert float(box.height) >= place(first, plot.ticks) - place(third, plot.ticks) - 0.2
    ends = [float(part.split("V")[1]) for part in box.whiskers.split("M")[1:]]
    assert ends == pytest.approx([place(low, plot.ticks), place(high, plot.ticks)], **near)
    assert len(box.dots) == len(values)
    assert all(0 <= float(dot) <= HEIGHT for dot in box.dots)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-5, 50, allow_subnormal=False), min_size=1, max_size=6),
    st.sampled_from([(None, None), (0.0, None), (None, 60.0)]),
)
def test_the_axis_holds_every_value_and_has_room_for_labels(
    values: list[float], bounds: tuple[float | None, float | None]
) -> None:
    if bounds[0] is not None:
        values = [abs(value) for value in values]
    plot = draw_boxes("any", [Series("CNN", "relu", tuple(values))], (), bounds)
    assert plot is not None
    ticks = [float(text) for _, text in plot.ticks]
    assert 2 <= len(ticks) <= 8
    assert ticks == sorted(set(ticks))
    assert ticks[0] <= min(values) + 1e-4 * abs(min(values)) + 1e-9
    assert ticks[-1] >= max(values) - 1e-4 * abs(max(values)) - 1e-9


def test_two_trials_are_dots_and_a_mean_but_no_box() -> None:
    plot = draw_boxes("AUROC", [Series("CNN", "relu", (0.2, 0.6, float("nan")))], (), (0, 1))
    assert plot is not None
    [box] = plot.boxes
    assert (box.top, box.median, box.whiskers, len(box.dots)) == (None, None, "", 2)
    assert float(box.mean) == pytest.approx(place(0.4, plot.ticks), abs=0.11)


def test_nothing_to_draw_is_no_plot() -> None:
    assert draw_boxes("AUROC", []) is None
    assert draw_boxes("AUROC", [Series("CNN", "relu", (float("inf"),))]) is None


def test_the_studys_activations_come_first_and_boxes_never_overlap() -> None:
    series = [
        Series(network, activation, (0.5, 0.6, 0.7))
        for network in ("CNN-deep", "CNN-2")
        for activation in ("tanh", "relu", "elu", "exponential")
    ]
    plot = draw_boxes("AUROC", series)
    assert plot is not None
    assert [name for _, name in plot.groups] == ["exponential", "relu", "elu", "tanh"]
    edges = [(float(box.left), float(box.left) + float(box.width)) for box in plot.boxes]
    assert all(right < left for (_, right), (left, _) in itertools.pairwise(edges))
    assert edges[-1][1] <= float(plot.width)
    assert [name for _, name in plot.networks] == ["CNN-2", "CNN-deep"]


def test_of_the_other_activations_those_of_most_networks_come_first() -> None:
    series = [Series(network, "tanh", (0.5,)) for network in ("CNN-2", "CNN-deep")]
    series += [Series("CNN-2", name, (0.5,)) for name in ("elu", "relu")]
    plot = draw_boxes("AUROC", series)
    assert plot is not None
    assert [name for _, name in plot.groups] == ["relu", "tanh", "elu"]


def test_a_network_on_another_backend_is_another_network(tmp_path: Path) -> None:
    builder = fx.Builder()
    for minute, (backend, value) in enumerate((("tensorflow", 0.9), ("jax", 0.8))):
        for trial in range(3):
            builder.add("CNN", trial, {("auroc", ""): value, ("match_fraction", ""): value},
                        backend=backend, minute=minute)  # fmt: skip
    drawn = draw_figures(builder.tables(), ["figures.html"], metrics=fx.METRICS)
    by_name = {figure.name: figure.svg for figure in drawn}
    boxes = by_name["motif-classes-1-auroc"]
    assert "CNN relu: mean 0.900" in boxes
    assert "CNN on jax relu: mean 0.800" in boxes
    [panel] = [svg for name, svg in by_name.items() if "accuracy-and" in name]
    assert ">CNN relu<" in panel
    assert ">CNN relu on jax<" in panel


def test_too_many_networks_become_a_box_of_means_for_every_activation() -> None:
    series = [
        Series(f"net-{number}", activation, (number / 50, number / 50 + 0.01, float("nan")))
        for number in range(40)
        for activation in ("relu", "tanh")
    ]
    assert len(pool(series[:MOST_BOXES])) == MOST_BOXES
    relu, tanh = pool(series)
    assert {relu.activation, tanh.activation} == {"relu", "tanh"}
    assert relu.values == pytest.approx([number / 50 + 0.005 for number in range(40)])
    many = [Series("net", f"activation-{number}", (0.5,)) for number in range(500)]
    assert len(pool(many)) == MOST_BOXES


def test_the_page_of_figures_shows_every_trial_of_the_registry(site: Path) -> None:
    page = pages.parse(site / "figures.html")
    tables = fx.realistic()
    counted = tables.scores.merge(tables.jobs, on="result_id", suffixes=("", "_job"))
    mine = counted[
        (counted["metric"] == "match_fraction")
        & (counted["task"] == "motif-classes@1")
        & (counted["profile"] == "full")
        & counted["target"].isna()
    ]
    [plot] = [
        svg
        for svg in page.all("svg")
        if svg.attrs.get("data-name") == "motif-classes-1-match_fraction"
    ]
    assert len(plot.all("circle")) == len(mine)
    titles = " ".join(title.text for title in plot.all("title"))
    expected = mine[mine["params"].str.contains("relu") & (mine["model"] == "cnn-deep")]["value"]
    assert f"cnn-deep relu: mean {expected.mean():.3f}" in titles


def test_oracle_and_noise_are_lines_and_not_boxes(tmp_path: Path) -> None:
    render(ev.held_task().tables(), tmp_path, metrics=fx.METRICS)
    page = pages.parse(tmp_path / "figures.html")
    [plot] = [s for s in page.all("svg") if s.attrs.get("data-name") == "motif-classes-1-auroc"]
    assert len(plot.all("circle")) == 1
    assert [text.text for text in plot.all("text", "level-label")] == [
        "oracle (ceiling)",
        "random (floor)",
    ]


@pytest.fixture(scope="module")
def cuttings() -> dict[str, str]:
    tables = ev.with_matches(ev.held_task())
    drawn = draw_figures(
        tables, ["figures.html", "index.html", "models/cnn*", "tasks/*"], metrics=fx.METRICS,
        evidence=ev.evidence, each=True,
    )  # fmt: skip
    found = list(drawn)
    assert len({figure.name for figure in found}) == len(found)
    return {figure.name: figure.svg for figure in found}


def test_every_figure_of_a_page_stands_alone(cuttings: dict[str, str]) -> None:
    assert any("test-sequence-7" in name for name in cuttings)
    assert any("filter-0" in name for name in cuttings)
    for name, text in cuttings.items():
        root = ET.fromstring(text)
        assert root.tag == f"{SVG}svg", name
        assert root[0].tag == f"{SVG}title"
        assert root[0].text
        ids = {element.get("id") for element in root.iter()}
        for use in root.iter(f"{SVG}use"):
            assert use.get("href", "")[1:] in ids, name
        style = root.find(f"{SVG}style")
        assert style is not None
        assert style.text
        assert "var(" not in style.text


def names_of(builder: fx.Builder, pattern: str, **given: bool) -> list[str]:
    tables = ev.with_matches(builder)
    return [figure.name for figure in draw_figures(tables, [pattern], metrics=fx.METRICS, **given)]


def test_a_trial_is_a_sheet_and_its_drawings_are_files_only_where_they_are_asked_for() -> None:
    def build() -> fx.Builder:
        builder = fx.Builder()
        for trial in range(2):
            builder.add("CNN-deep", trial, {("auroc", ""): 0.9}, activation="exponential",
                        good_filters=1.0, num_filters=8)  # fmt: skip
        return builder

    stem = "cnn-deep-exponential-trial"
    sheets = [f"{stem}-0", f"{stem}-0-paper", f"{stem}-1", f"{stem}-1-paper"]
    assert sorted(names_of(build(), "models/*")) == sheets
    every = names_of(build(), "models/*", each=True)
    filters = [f"{stem}-{trial}{kind}-filter-{number:02d}"
               for trial in range(2) for kind in ("", "-paper") for number in range(8)]  # fmt: skip
    assert set(filters) < set(every)
    rest = set(every) - set(filters) - set(sheets)
    # beside them the curves of training
    assert rest
    assert all(re.fullmatch(rf"{stem}-[01]-[a-z-]+", name) for name in rest)
    # another run of the model, and another version of its file, leave no name twice
    builder = build()
    builder.add("CNN-deep", 0, {("auroc", ""): 0.9}, activation="exponential", good_filters=1.0,
                task="regulatory-code@1", num_filters=8)  # fmt: skip
    builder.add("CNN-deep", 0, {("auroc", ""): 0.9}, activation="exponential", good_filters=1.0,
                model_digest="new", minute=1, num_filters=8)  # fmt: skip
    every = names_of(builder, "models/*", each=True)
    assert len(set(every)) == len(every)
    told = [name for name in every if "regulatory-code-1-trial-0-filter-07" in name]
    assert [re.sub("[0-9a-f]{6}$", "", name) for name in told] == [
        "cnn-deep-exponential-regulatory-code-1-trial-0-filter-07-"
    ]


def test_a_sheet_shows_every_filter_with_its_number_inside_its_borders() -> None:
    builder = fx.Builder()
    builder.add("net", 0, {("auroc", ""): 0.9}, good_filters=1.0, num_filters=24)
    tables = ev.with_matches(builder)
    drawn = {figure.name: figure for figure in draw_figures(tables, ["models/*"],
                                                            metrics=fx.METRICS)}  # fmt: skip
    root = ET.fromstring(drawn["net-relu-trial-0"].svg)
    under = [text.text or "" for text in root.findall(f"{SVG}text")][1:]
    assert sorted(text[:2] for text in under) == [f"{number:02d}" for number in range(24)]
    assert all("E = " in text for text in under)
    left, top, wide, tall = map(float, root.get("viewBox", "").split())
    for group in root.findall(f"{SVG}g"):
        x, y = map(float, re.findall(r"[-\d.]+", group.get("transform", "")))
        assert left <= x < left + wide
        assert top <= y < top + tall


def test_the_front_pages_picture_has_its_key_in_the_file() -> None:
    builder = fx.Builder()
    for number, activation in enumerate(("exponential", "relu", "tanh")):
        for trial in range(2):
            scores = {("auroc", ""): 0.9, ("attribution_auroc", "saliency"): 0.7 + number / 10}
            builder.add("net", trial, scores, activation=activation)
    [figure] = draw_figures(builder.tables(), ["index.html"], metrics=fx.METRICS)
    root = ET.fromstring(figure.svg)
    said = [text.text for text in root.iter(f"{SVG}text")]
    key = ["exponential", "ReLU", "tanh", "a trial", "floor networks", "Pareto front"]
    assert [text for text in said if text in key] == key
    top = float(root.get("viewBox", "").split()[1])
    [title] = [text for text in root.findall(f"{SVG}text") if text.get("class") == "title"]
    assert float(title.get("y", "0")) > top


def test_a_figure_has_the_pages_colours(cuttings: dict[str, str]) -> None:
    [name] = [name for name in cuttings if name.endswith("test-sequence-7-sp1") and "cnn" in name]
    pixels = png(convert(cuttings[name], "png", 4.0))
    for colour in ((0x10, 0x86, 0x3F), (0xE0, 0x8A, 0x00), (0x00, 0x68, 0x4C)):
        assert (abs(pixels[..., :3].astype(int) - colour).max(axis=2) <= 2).any(), colour


def test_png_and_pdf_are_the_same_drawing_at_the_size_that_was_asked_for(
    cuttings: dict[str, str],
) -> None:
    text = cuttings["motif-classes-1-auroc"]
    root = ET.fromstring(text)
    wide, tall = float(root.get("width", "0")), float(root.get("height", "0"))
    pixels = png(convert(text, "png", 2.0))
    assert pixels.shape[:2] == pytest.approx((2 * tall, 2 * wide), abs=2)
    assert (pixels[0, 0, :3] == 255).all()
    pdf = convert(text, "pdf")
    assert pdf.startswith(b"%PDF-")
    assert convert(text, "svg") == text.encode()


def test_a_sheets_letters_are_drawn_as_its_svg_says() -> None:
    builder = fx.Builder()
    builder.add("net", 0, {("auroc", ""): 0.9}, good_filters=1.0, num_filters=4)
    drawn = draw_figures(ev.with_matches(builder), ["models/*"], metrics=fx.METRICS)
    [sheet] = [figure.svg for figure in drawn if figure.name == "net-relu-trial-0"]
    assert sheet.count("<use ") > 40
    # which draws each use by itself, and takes ten times as long for a sheet of a real network
    plain = cairosvg.svg2png(bytestring=sheet.encode(), scale=2.0, background_color="white")
    assert (png(convert(sheet, "png", 2.0)) == png(plain)).all()


def png(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))


def test_hostile_text_is_no_markup_in_a_figure() -> None:
    builder = ev.held_task()
    tables = builder.tables()
    example = ev.example(name='</svg><script>x</script>"&amp;')
    drawn = draw_figures(
        tables, ["models/*"], metrics=fx.METRICS, evidence=lambda _: ev.Evidence((example,))
    )
    for figure in drawn:
        root = ET.fromstring(figure.svg)
        assert not list(root.iter(f"{SVG}script"))
        assert "/" not in figure.name


def test_files_are_painted_as_the_site_paints_its_pages(cuttings: dict[str, str]) -> None:
    static = Path(motifidelity.leaderboard.__file__).parent / "static"
    text = "".join((static / name).read_text() for name in ("style.css", "dossier.css"))
    text = re.sub(r"/\*.*?\*/|@\S+ [^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", text, flags=re.DOTALL)
    paint = dict(re.findall(r"(--[\w-]+): ([^;]+);", text.partition("}")[0]))
    site: dict[str, str] = {}
    for selectors, declared in re.findall(r"([^{}]+)\{([^{}]*)\}", text):
        for selector in map(str.strip, selectors.split(",")):
            site[selector] = site.get(selector, "") + re.sub(
                r"var\((--[\w-]+)\)", lambda name: paint.get(name[1], name[0]), declared
            )
    found = {
        rule
        for svg in cuttings.values()
        for rule in svg.split("<style>")[1].split("</style>")[0].splitlines()
    }
    # a file's fonts are those of every system, and its caption is no element of the page's drawing
    own = {rule for rule in found if rule.startswith((".title", "svg text"))}
    assert len(found) > 40
    for rule in found - own:
        selector, _, declared = rule.rstrip(" }").partition(" { ")
        kind = (
            site.get(re.findall(r"\.k\d|$", selector)[0], "").partition("--kind: ")[2].rstrip("; ")
        )
        theirs = site[re.sub(r"\.k\d ", "", selector)].replace("var(--kind)", kind)
        assert set(declared.split("; ")) <= {one.strip() for one in theirs.split(";")}, rule


def test_without_cairo_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cairosvg", None)
    with pytest.raises(UserError, match=r"motifidelity\[plot\].*--format svg"):
        convert("<svg/>", "pdf")


def bench(*words: object) -> subprocess.CompletedProcess[str]:
    code = "from motifidelity.cli import main; main()"
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_bench_plot_writes_the_studys_figures(tmp_path: Path) -> None:
    scores = [rr.row("scores", full=False, metric="auroc", value=0.9)]
    job = {"task": "motif-classes@1", "profile": "full", "params": '{"activation": "relu"}'}
    registry = Registry(tmp_path / "reg")
    registry.record(dataclasses.replace(rr.result(**job), scores=scores, filters=()))
    out = tmp_path / "out"
    done = bench("plot", "--registry", tmp_path / "reg", "--out", out, "--format", "svg",
                 "--format", "pdf")  # fmt: skip
    assert done.returncode == 0, done.stderr
    written = sorted(path.name for path in out.iterdir())
    assert written == ["motif-classes-1-auroc.pdf", "motif-classes-1-auroc.svg"]
    assert sorted(Path(line).name for line in done.stdout.split()) == written
    assert done.stderr == f"bench: 2 files into {out}\n"


@pytest.mark.parametrize("more", [[], ["--page", "nowhere/*"]])
def test_nothing_to_plot_is_one_line(more: list[str], tmp_path: Path) -> None:
    Registry(tmp_path / "reg").record(rr.failure("a" * 24))
    done = bench("plot", "--registry", tmp_path / "reg", "--out", tmp_path / "out", *more)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "nothing to draw" in done.stderr
    assert not (tmp_path / "out").exists()
