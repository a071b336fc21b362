"""The front page's table and picture, and the pages beside it."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import re
import xml.etree.ElementTree as ET
from datetime import datetime
from pathlib import Path
from typing import Any

import leaderboard_fixtures as fx
import leaderboard_pages as pages
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from motifidelity.leaderboard import render
from motifidelity.leaderboard.figures.scatter import LINE
from motifidelity.leaderboard.pages import versus
from motifidelity.leaderboard.pages.board import board_pages
from motifidelity.leaderboard.pages.changelog import changes
from motifidelity.leaderboard.pages.front import FIELDS
from motifidelity.leaderboard.pages.history import HEIGHT, WIDTH
from motifidelity.leaderboard.pages.overview import HEIGHT as HEIGHT_OF_PICTURE
from motifidelity.leaderboard.pages.overview import MARK, overview
from motifidelity.leaderboard.pages.versus import EDGE
from motifidelity.leaderboard.pages.versus import WIDTH as AXIS
from motifidelity.leaderboard.site import gather
from motifidelity.leaderboard.standings import standings
from motifidelity.metrics.headlines import Headline
from motifidelity.statistics.two_way import CAUTION
from motifidelity.tasks import spec as specs
from motifidelity.tasks.spec import all_specs, find_spec

ATOM = "{http://www.w3.org/2005/Atom}"


def frame_of(builder: fx.Builder, **given: Any) -> pd.DataFrame:
    return standings(gather(builder.tables(), fx.METRICS, **given))


def trained(builder: fx.Builder, name: str, values: list[float], **job: Any) -> None:
    for trial, value in enumerate(values):
        scores = {("auroc", ""): 0.95, ("attribution_auroc", "saliency"): value}
        builder.add(name, trial, scores, **job)


def compared(path: Path) -> list[tuple[str, str]]:
    """The pairs that the comparison page shows without its script."""
    rows = [row for table in pages.parse(path).all("table", "pairs") for row in table.all("tr")[1:]]
    names = [[" ".join(head.text.split()) for head in row.all("th")] for row in rows]
    return [(first, second) for first, second in names]


def test_scores_have_students_interval_over_trials() -> None:
    builder = fx.Builder()
    values = [0.70, 0.74, 0.81]
    trained(builder, "m", values)
    [row] = frame_of(builder).to_dict("records")
    low, high = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
    assert row["fidelity"] == pytest.approx(np.mean(values))
    assert (row["fidelity_low"], row["fidelity_high"]) == pytest.approx((low, high))
    assert row["fidelity_trials"] == row["trials"] == 3


def test_a_tasks_own_headlines_are_what_its_rows_show_and_what_ranks_them(monkeypatch) -> None:
    published = find_spec("regulatory-code@1")
    later = dataclasses.replace(
        published,
        version=9,
        digest="9" * 64,
        headlines=(
            Headline("accuracy", "auroc", "AUROC", main=True),
            Headline("filters", "motifs_found", "motifs", main=True),
            Headline("attribution", "attribution_auroc", "mutagenesis", "ism", main=True),
        ),
    )
    every = {**specs.all_specs(), later.id: later}
    monkeypatch.setattr(specs, "all_specs", lambda: every)
    builder = fx.Builder()
    by_saliency, by_mutagenesis = [0.9, 0.91, 0.89], [0.6, 0.61, 0.59]
    for task in (published.id, later.id):
        for name, own, other in (("a", 0.0, 0.3), ("b", 0.3, 0.0)):
            for trial in range(3):
                scores = {
                    ("auroc", ""): 0.95,
                    ("match_fraction", ""): 0.25,
                    ("motifs_found", ""): 4.0,
                    ("attribution_auroc", "saliency"): by_saliency[trial] - own,
                    ("attribution_auroc", "ism"): by_mutagenesis[trial] - other,
                }
                builder.add(name, trial, scores, task=task)
    material = gather(builder.tables(), fx.METRICS)
    table = standings(material)
    frame = table.set_index(["task", "model"])
    assert frame.loc[(published.id, "a"), "fidelity"] == pytest.approx(0.9)
    assert frame.loc[(later.id, "a"), "fidelity"] == pytest.approx(0.3)
    assert frame.loc[published.id]["rank"].to_dict() == {"a": 1, "b": 2}
    assert frame.loc[later.id]["rank"].to_dict() == {"b": 1, "a": 2}
    assert (frame.loc[later.id]["recovery"] == 4).all()
    assert frame.loc[later.id]["localisation"].isna().all()
    boards = [page.draw()["board"] for page in board_pages(material, table)]
    board = next(one for one in boards if one.task == later.id)
    assert [column.label for column in board.columns] == ["AUROC", "motifs", "mutagenesis"]
    assert board.ordered_by == "mutagenesis (attribution_auroc)"
    assert [panel.title for panel in board.panels] == ["motifs", "mutagenesis"]


def test_ranks_intervals_and_ties_tell_what_trials_can() -> None:
    builder = fx.Builder()
    trained(builder, "best", [0.90, 0.901, 0.902, 0.903])
    trained(builder, "alike", [0.899, 0.902, 0.901, 0.900])
    trained(builder, "worst", [0.60, 0.61, 0.59, 0.60])
    frame = frame_of(builder).set_index("model")
    assert list(frame["rank"]) == [1, 2, 3]
    assert (frame["rank_low"]["worst"], frame["rank_high"]["worst"]) == (3, 3)
    assert frame["rank_high"]["best"] == 2
    assert set(frame["group"]["best"]) & set(frame["group"]["alike"])
    assert not set(frame["group"]["best"]) & set(frame["group"]["worst"])


def test_floors_references_and_quick_runs_are_never_ranked() -> None:
    builder = fx.Builder()
    trained(builder, "m", [0.8, 0.81, 0.82])
    trained(builder, "Untrained", [0.99], division="open")
    trained(builder, "Shuffled labels", [0.98], division="open")
    trained(builder, "Oracle", [1.0], division="reference", activation=None)
    trained(builder, "Random", [0.5], division="reference", activation=None)
    trained(builder, "fast", [0.97], profile="quick")
    frame = frame_of(builder).set_index("model")
    assert list(frame.index[frame["rank"].notna()]) == ["m"]
    assert frame["rank"]["m"] == 1
    assert set(frame["kind"]) == {"model", "floor", "reference"}
    assert set(frame["isolation"][["Oracle", "Random"]]) == {""}
    assert frame["isolation"]["m"] == "container"
    assert frame["fidelity_scaled"]["m"] == pytest.approx((0.81 - 0.5) / (1.0 - 0.5))
    assert frame["fidelity_scaled"]["Random"] == 0
    assert frame["fidelity_scaled"]["Oracle"] == 1


def test_versions_of_a_task_and_divisions_are_ranked_apart() -> None:
    builder = fx.Builder()
    trained(builder, "a", [0.8, 0.81, 0.82])
    trained(builder, "b", [0.7, 0.71, 0.72], task_digest="another")
    trained(builder, "c", [0.6, 0.61, 0.62], division="open")
    assert list(frame_of(builder)["rank"]) == [1, 1, 1]


def test_a_model_of_two_trials_is_provisional_and_stands_below_by_its_score(
    tmp_path: Path,
) -> None:
    builder = fx.Builder()
    trained(builder, "ranked", [0.6, 0.61, 0.62])
    trained(builder, "a", [0.7])
    trained(builder, "b", [0.9, 0.8])
    frame = frame_of(builder)
    assert list(frame["model"]) == ["ranked", "b", "a"]
    assert list(frame["group"]) == ["a", "provisional", "provisional"]
    assert list(frame["rank"].isna()) == [False, True, True]
    front = pages.parse(render(builder.tables(), tmp_path, metrics=fx.METRICS))
    rows = front.one("table", "runs").one("tbody").all("tr")
    assert ["prov." in row.text for row in rows] == [False, True, True]
    compared = pages.parse(tmp_path / "compare.html").one("table", "pairs")
    assert "too few trials" in compared.text


def test_a_tier_is_of_all_trials_or_of_none() -> None:
    builder = fx.Builder()
    trained(builder, "whole", [0.8, 0.81])
    trained(builder, "half", [0.7, 0.71])
    jobs = pd.DataFrame(builder.rows["jobs"])
    tiers = dict.fromkeys(jobs[jobs["model"] == "whole"]["job_id"], "reproduced in CI")
    tiers[jobs[jobs["model"] == "half"]["job_id"].iloc[0]] = "reproduced in CI"
    frame = frame_of(builder, tiers=tiers).set_index("model")
    assert frame["tier"]["whole"] == "reproduced in CI"
    assert frame["tier"]["half"] == "self-reported"


Values = list[tuple[float, float]]


def pairs(
    maps: Values, filters: Values | None = None, auroc: tuple[float, float] = (0.95, 0.95),
    backend: str = "tensorflow", builder: fx.Builder | None = None, trials: int = 2,
) -> fx.Builder:  # fmt: skip
    """Networks with exponential and ReLU: the values of either, network by network."""
    builder = builder or fx.Builder()
    for number, (ups, shares) in enumerate(zip(maps, filters or maps, strict=True)):
        for place, activation in enumerate(("exponential", "relu")):
            for trial in range(trials):
                scores = {
                    ("auroc", ""): auroc[place],
                    ("match_fraction", ""): shares[place],
                    ("attribution_auroc", "saliency"): ups[place],
                }
                builder.add(f"net-{number}", trial, scores, activation=activation,
                            backend=backend, minute=len(backend))  # fmt: skip
    return builder


def finding_of(builder: fx.Builder) -> str:
    return overview(frame_of(builder), {}).headline


@pytest.mark.parametrize(
    ("values", "auroc", "expected"),
    [
        ((0.9, 0.5), (0.95, 0.95), "The exponential ones have in 3 of 3 networks better sali"),
        ((0.5, 0.9), (0.95, 0.94), "The ReLU ones have in 3 of 3 networks better saliency"),
        ((0.82, 0.8), (0.95, 0.95), None),
        ((0.9, 0.5), (0.95, 0.80), None),
    ],
)
def test_the_headline_says_what_the_numbers_say(
    values: tuple[float, float], auroc: tuple[float, float], expected: str | None
) -> None:
    found = overview(frame_of(pairs([values] * 3, auroc=auroc)), {})
    assert (expected in found.headline) if expected else found.headline == ""
    [match] = found.matches
    assert (match.networks, match.where) == (3, "")
    by_name = {contrast.name: contrast for contrast in match.contrasts}
    assert by_name["fidelity"].first == f"{values[0]:.2f}"
    assert by_name["fidelity"].second == f"{values[1]:.2f}"


@pytest.mark.parametrize(("settled", "compared", "asked"), [(3, 3, 3), (2, 3, 0)])
def test_provisional_networks_count_only_where_too_few_are_past_that(
    settled: int, compared: int, asked: int, tmp_path: Path
) -> None:
    builder = pairs([(0.9, 0.5), (0.91, 0.52), (0.92, 0.5)][:settled], trials=3)
    trained(builder, "few", [0.2], activation="exponential")
    trained(builder, "few", [0.9], activation="relu")
    [match] = overview(frame_of(builder), {}).matches
    assert (match.networks, match.trials) == (compared, asked)
    front = pages.parse(render(builder.tables(), tmp_path, metrics=fx.METRICS))
    caption = front.one("table", "contrast").one("caption").text
    assert ("networks of fewer left out" in caption) == bool(asked)


def test_only_what_leaves_zero_out_is_said_of_all_networks() -> None:
    maps = [(0.90, 0.80), (0.91, 0.83), (0.88, 0.80), (0.92, 0.81), (0.85, 0.79)]
    filters = [(0.9, 0.1), (0.9, 0.1), (0.8, 0.9), (0.4, 0.3), (0.4, 0.1)]
    gaps = {name: [a - b for a, b in values] for name, values in
            (("maps", maps), ("filters", filters))}  # fmt: skip
    low = {
        name: stats.ttest_1samp(values, 0).confidence_interval(0.95).low
        for name, values in gaps.items()
    }
    assert low["maps"] > 0 > low["filters"]
    assert finding_of(pairs(maps, filters)) == (
        "5 networks, each trained with exponential and with ReLU as first activation, are about "
        "equally accurate. The exponential ones have better saliency maps, and in 4 of 5 networks "
        "better filters."
    )
    assert finding_of(pairs(maps, maps)).endswith("better saliency maps, and better filters.")
    # larger on average, by one network alone
    lone = [(0.9, 0.1), (0.2, 0.3), (0.2, 0.3), (0.2, 0.3), (0.2, 0.3)]
    assert finding_of(pairs(maps, lone)).endswith("The exponential ones have better saliency maps.")


def test_what_other_methods_say_of_the_maps_is_said_too() -> None:
    builder = pairs([(0.90, 0.80), (0.91, 0.83), (0.88, 0.80)])
    for number, (up, down) in enumerate([(0.95, 0.94), (0.96, 0.94), (0.95, 0.95)]):
        for activation, value in (("exponential", up), ("relu", down)):
            for trial in range(2, 4):
                scores = {
                    ("auroc", ""): 0.95,
                    ("match_fraction", ""): 0.5,
                    ("attribution_auroc", "saliency"): 0.9 if value == up else 0.8,
                    ("attribution_auroc", "ism"): value,
                    ("attribution_auroc", "deepshap"): 2 * down - value,
                }
                builder.add(f"net-{number}", trial, scores, activation=activation)
    assert finding_of(builder).endswith(
        "better saliency maps. By mutagenesis and DeepSHAP their maps differ by +0.01 and −0.01."
    )


def test_evidence_that_points_both_ways_is_said_of_either() -> None:
    maps = [(0.90, 0.80), (0.91, 0.83), (0.88, 0.80)]
    filters = [(0.3, 0.9), (0.2, 0.9), (0.1, 0.7)]
    assert finding_of(pairs(maps, filters)).endswith(
        "The exponential ones have better saliency maps. The ReLU ones have better filters."
    )


def test_backends_are_never_averaged(tmp_path: Path) -> None:
    """The same networks on JAX, where it is the other way round."""
    builder = pairs([(0.9, 0.5), (0.91, 0.52), (0.92, 0.5)])
    pairs([(0.6, 0.8), (0.61, 0.82)], backend="jax", builder=builder)
    usual, on_jax = overview(frame_of(builder), {}).matches
    assert (usual.networks, usual.where) == (3, "")
    assert (on_jax.networks, on_jax.where) == (2, " on jax")
    assert [c.first for c in usual.contrasts if c.name == "fidelity"] == ["0.91"]
    assert [c.first for c in on_jax.contrasts if c.name == "fidelity"] == ["0.60"]
    front = pages.parse(render(builder.tables(), tmp_path, metrics=fx.METRICS))
    captions = [table.one("caption").text for table in front.all("table", "contrast")]
    assert [caption.split(" trained ")[0] for caption in captions] == [
        "3 networks", "2 networks on jax",
    ]  # fmt: skip
    labels = {text.text for text in front.all("text", "label")}
    assert {"net-0 exponential", "net-0 exponential on jax"} <= labels
    suggested = compared(tmp_path / "compare.html")
    one, other = (
        ("net-0 exponential", "net-0 relu"),
        ("net-0 on jax relu", "net-0 on jax exponential"),
    )
    assert one in suggested
    assert other in suggested
    assert not any(("jax" in first) != ("jax" in second) for first, second in suggested[1:])


@pytest.mark.parametrize(
    ("field", "value", "mark"), [("backend", "jax", "jax"), ("isolation", "none", "no container")]
)
def test_history_never_averages_backends_or_isolations(
    field: str, value: str, mark: str, tmp_path: Path
) -> None:
    builder = fx.Builder()
    trained(builder, "net", [0.5, 0.6])
    trained(builder, "net", [0.8, 0.9], minute=5, **{field: value})
    render(builder.tables(), tmp_path, metrics=fx.METRICS)
    usual, other = (
        pages.parse(tmp_path / "history.html").one("table", "history").one("tbody").all("tr")
    )
    assert [cell.text for cell in usual.all("td", "attribution")] == ["0.550"]
    assert [cell.text for cell in other.all("td", "attribution")] == ["0.850"]
    marks = [[sign.text for sign in row.all("abbr", "mark")] for row in (usual, other)]
    assert marks == [[], [mark]]


def test_runs_of_one_name_are_told_apart_on_every_page(tmp_path: Path) -> None:
    builder = fx.Builder()
    first, later = "a1" * 32, "b2" * 32
    trained(builder, "net", [0.80, 0.81], model_digest=first)
    trained(builder, "net", [0.70, 0.71], model_digest=later, minute=7)
    trained(builder, "net", [0.60, 0.61], model_digest=first, backend="jax", minute=3)
    trained(builder, "other", [0.50, 0.51])
    front = pages.parse(render(builder.tables(), tmp_path, metrics=fx.METRICS))
    rows = front.one("table", "runs").one("tbody").all("tr")
    told = [[sub.text for sub in row.one("th").all("span", "sub")] for row in rows]
    assert told == [
        ["@a1a1a1a1 of 2025-03-01 10:00"],
        ["@b2b2b2b2 of 2025-03-01 10:07"],
        ["@a1a1a1a1 of 2025-03-01 10:00, on jax"],
        [],
    ]
    names = {"net relu @a1a1a1a1", "net relu @b2b2b2b2", "net relu @a1a1a1a1 on jax", "other relu"}
    short = {name.replace("relu", "ReLU") for name in names}
    assert {text.text for text in front.one("figure", "picture").all("text", "label")} == short
    assert len(set(compared(tmp_path / "compare.html"))) == 6
    [path] = (tmp_path / "boards").glob("motif-classes*")
    board = pages.parse(path)
    assert {text.text for text in board.all("text", "label")} >= {"net relu @b2b2b2b2"}
    assert "b2b2b2b2… of 2025-03-01 10:07" in board.one("table", "board").text
    table = pd.read_csv(tmp_path / "leaderboard.csv")
    assert not table.duplicated(["model", "activation", "model_digest", "backend"]).any()


def test_parameters_stand_as_they_are_typed(tmp_path: Path) -> None:
    builder = fx.Builder()
    for number, heads in enumerate((4, 8)):
        params = json.dumps({"activation": "relu", "heads": heads, "sizes": [1, 2]})
        trained(builder, "net", [0.8 - number / 10] * 2, params=params, minute=number)
    front = pages.parse(render(builder.tables(), tmp_path, metrics=fx.METRICS))
    told = [
        row.one("th").one("span", "sub").text
        for row in front.one("table", "runs").one("tbody").all("tr")
    ]
    assert told == ["heads=4, sizes=[1,2]", "heads=8, sizes=[1,2]"]


def test_marks_of_one_place_stand_side_by_side_with_a_line_to_it(tmp_path: Path) -> None:
    builder = fx.Builder()
    for number in range(5):
        trained(builder, f"net-{number}", [0.8, 0.8])
    [picture] = overview(frame_of(builder), {}).pictures
    places = [(float(dot.x), float(dot.y)) for dot in picture.dots]
    assert min(math.dist(*pair) for pair in itertools.combinations(places, 2)) > MARK - 0.2
    assert [dot.moved is None for dot in picture.dots] == [True, False, False, False, False]
    assert {dot.moved for dot in picture.dots[1:]} == {(picture.dots[0].x, picture.dots[0].y)}
    assert overview(frame_of(builder), {}).pictures == (picture,)


def test_labels_of_models_stand_clear_of_what_is_said_of_the_ceiling(tmp_path: Path) -> None:
    builder = fx.Builder()
    trained(builder, "Oracle", [0.99], division="reference", activation=None)
    for number in range(5):
        trained(builder, f"net-{number}", [0.988 - number / 5000])
    [picture] = overview(frame_of(builder), {}).pictures
    [ceiling] = picture.levels
    labels = sorted(float(dot.label_y) for dot in picture.dots)
    assert labels[0] - float(ceiling.label_y) >= LINE
    assert np.diff(labels).min() >= LINE
    # else the label would stand beside its point, which is above that
    assert max(float(dot.y) for dot in picture.dots) < float(ceiling.label_y)


def test_many_activations_leave_the_studys_two_in_front(tmp_path: Path) -> None:
    """Five others on every network, and eleven on one: each with one trial."""
    builder = pairs([(0.9, 0.8), (0.91, 0.83), (0.88, 0.80)])
    plain = ["sigmoid", "tanh", "softplus", "linear", "elu"]
    rare = [f"a-{number}" for number in range(11)]
    scores = {("auroc", ""): 0.95, ("attribution_auroc", "saliency"): 0.7}
    for number in range(3):
        for activation in plain + (rare if number == 0 else []):
            builder.add(f"net-{number}", 0, scores, activation=activation)
    found = overview(frame_of(builder), {})
    assert [(match.first, match.second) for match in found.matches] == [("exponential", "ReLU")]
    assert [name for _, name in found.kinds] == [
        "exponential", "ReLU", "ELU", "linear", "sigmoid", "softplus", "tanh", "other",
    ]  # fmt: skip
    front = pages.parse(render(builder.tables(), tmp_path, metrics=fx.METRICS))
    style = Path(__file__).parents[2] / "leaderboard" / "static" / "style.css"
    drawn = {f".k{kind} {{" for kind, _ in found.kinds}
    assert all(rule in style.read_text(encoding="utf-8") for rule in drawn)
    shapes = [item.one("svg").one().attrs for item in front.one("ul", "kinds").all("li")]
    assert len({str(shape) for shape in shapes}) == len(shapes)


def test_the_picture_is_described_and_every_model_is_in_it(tmp_path: Path) -> None:
    front = pages.parse(render(pairs([(0.9, 0.5)] * 2).tables(), tmp_path, metrics=fx.METRICS))
    [figure] = front.all("figure", "picture")
    drawing = figure.one("svg")
    assert drawing.attrs["role"] == "img"
    assert "attribution fidelity from 0.500" in drawing.attrs["aria-label"]
    assert len(figure.all("g", "mark-shape")) == 4
    assert figure.all("path", "front")


def test_the_axes_of_a_picture_begin_where_nine_networks_of_ten_do(tmp_path: Path) -> None:
    builder = fx.Builder()
    trained(builder, "Random", [0.5], division="reference", activation=None)
    for number in range(19):
        trained(builder, f"net-{number}", [0.84 + number / 200])
    trained(builder, "fallen", [0.45])
    trained(builder, "Untrained", [0.5], division="open")
    [picture] = overview(frame_of(builder), {}).pictures
    assert [text for _, text in picture.axes] == ["0.9", "0.95", "1"]
    assert [text for _, text in picture.ticks] == ["0.8", "0.85", "0.9", "0.95", "1"]
    assert (picture.beyond, picture.floors, picture.levels) == (1, (), ())
    heights = {dot.title.partition(" ")[0]: float(dot.y) for dot in picture.dots}
    assert heights["fallen"] == HEIGHT_OF_PICTURE
    assert heights["net-0"] == pytest.approx(HEIGHT_OF_PICTURE * (1 - (0.84 - 0.8) / 0.2), abs=9)
    page = pages.parse(render(builder.tables(), tmp_path, metrics=fx.METRICS))
    assert "1 network lies below an axis" in page.one("figure", "picture").text


def test_a_line_joins_a_network_with_exponential_to_the_same_one_with_relu(tmp_path: Path) -> None:
    builder = pairs([(0.9, 0.5), (0.8, 0.6)])
    trained(builder, "alone", [0.7, 0.71], activation="exponential")
    [picture] = overview(frame_of(builder), {}).pictures
    at = {dot.label: (float(dot.x), float(dot.y)) for dot in picture.dots}
    ends = np.array(re.findall(r"-?[\d.]+", picture.pairs), float).reshape(-1, 2, 2)
    found = {tuple(map(tuple, line)) for line in ends.tolist()}
    assert found == {
        (at[f"net-{number} exponential"], at[f"net-{number} ReLU"]) for number in range(2)
    }


def test_the_style_can_hide_every_column() -> None:
    style = Path(__file__).parents[2] / "leaderboard" / "static" / "style.css"
    text = style.read_text(encoding="utf-8")
    for number in range(1, len(FIELDS) + 1):
        assert f".runs.x{number} tr > :nth-child({number})" in text
    for number, field in enumerate(FIELDS, 1):
        # of a card on a phone
        if field.name != "model":
            rule = f':nth-child({number})::before {{ content: "{field.label}"; }}'
            assert f".runs tbody tr > {rule}" in text


@pytest.mark.parametrize(("division", "folded"), [("closed", True), ("open", False)])
def test_a_column_that_says_the_same_of_every_network_folds_away(
    division: str, folded: bool, tmp_path: Path
) -> None:
    builder = fx.Builder()
    trained(builder, "one", [0.8])
    trained(builder, "other", [0.7], division=division)
    trained(builder, "Oracle", [1.0], division="reference", activation=None)
    front = pages.parse(render(builder.tables(), tmp_path, metrics=fx.METRICS))
    head = front.one("table", "runs").one("thead").all("th")
    [place] = [at for at, one in enumerate(head, 1) if one.attrs["data-field"] == "division"]
    assert ("more" in head[place - 1].attrs["class"].split()) == folded
    assert (f"x{place}" in front.one("table", "runs").attrs["class"].split()) == folded
    boxes = {one.attrs["data-column"]: one.attrs for one in front.all("input")
             if "data-column" in one.attrs}  # fmt: skip
    assert ("checked" in boxes["division"]) != folded


def test_differences_of_pairs_are_those_of_scipy(tmp_path: Path) -> None:
    builder = fx.Builder()
    one, two = [0.80, 0.84, 0.83, 0.85], [0.70, 0.71, 0.75, 0.70]
    trained(builder, "one", one)
    trained(builder, "two", two)
    render(builder.tables(), tmp_path, metrics=fx.METRICS)
    page = pages.parse(tmp_path / "compare.html")
    table = page.one("table", "pairs")
    [row] = table.one("tbody").all("tr")
    cell = row.all("td", "attribution")[0]
    test = stats.ttest_rel(one, two)
    assert float(cell.attrs["data-sort"]) == pytest.approx(np.mean(one) - np.mean(two))
    assert f"{np.mean(one):.3f} − {np.mean(two):.3f}" in cell.text
    low, high = test.confidence_interval(0.95)
    assert f"+{low:.3f} to +{high:.3f}" in cell.text
    own, adjusted = (float(p) for p in re.findall(r"p = ([\d.e-]+)", cell.text))
    assert own == pytest.approx(test.pvalue, rel=0.06)
    # of two models Tukey's range is the paired test, at the level that the ranks are at
    assert adjusted == pytest.approx(test.pvalue / CAUTION, rel=0.06)
    # the first's dot, the second's line, and where the first would be by the interval
    axis = AXIS - 2 * EDGE
    places = [float(cell.one("circle").attrs["cx"])]
    places += map(float, re.findall(r"[\d.]+(?= 1V|H| 6H)", cell.one("path", "second").attrs["d"]))
    places += map(float, re.findall(r"[MH]([\d.]+)", cell.one("path", "range").attrs["d"]))
    second = np.mean(two)
    shares = (np.array([np.mean(one), second, second + low, second + high]) - 0.5) / 0.5
    assert places == pytest.approx(list(EDGE + axis * np.clip(shares, 0, 1)), abs=0.06)
    assert "significant" in cell.attrs["class"]


def test_every_two_of_as_many_models_as_the_study_has_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = fx.Builder()
    for number in range(32):
        trained(builder, f"net-{number:02d}", [0.9 - number / 100])
    for most, left_out in ((None, 0), (5, 27)):
        if most:
            monkeypatch.setattr(versus, "MOST", most)
        folder = tmp_path / str(most)
        render(builder.tables(), folder, metrics=fx.METRICS)
        page = pages.parse(folder / "compare.html")
        [held] = [one for one in page.all("script") if one.attrs.get("id") == "duels"]
        [duel] = json.loads(held.text)
        assert [side[0] for side in duel["sides"]] == [
            f"net-{number:02d} relu" for number in range(most or 32)
        ]
        assert {len(pairs) for pairs in duel["pairs"]} == {math.comb(most or 32, 2)}
        assert compared(folder / "compare.html") == [("net-00 relu", "net-01 relu")]
        note = [text.text for text in page.all("p", "figure-note") if "best can" in text.text]
        assert bool(note) == bool(left_out)
        assert all(f"the 5 best can be compared here; {left_out} more" in text for text in note)


def history_of(past: fx.Builder, now: fx.Builder, folder: Path) -> pages.Element:
    """The history page's table over results of which some were replaced."""
    older, newer = past.tables(), now.tables()
    every = fx.Tables(
        *(
            pd.concat([getattr(older, name), getattr(newer, name)], ignore_index=True)
            for name in ("jobs", "scores", "filters", "history")
        )
    )
    render(newer, folder, metrics=fx.METRICS, past=every)
    [table] = pages.parse(folder / "history.html").all("table", "history")
    return table


def test_history_shows_a_score_under_every_version(tmp_path: Path) -> None:
    past, now = fx.Builder(), fx.Builder()
    trained(past, "m", [0.7], commit="aaaaaaaaaa", job_id="one")
    trained(now, "m", [0.9], commit="bbbbbbbbbb", job_id="two", minute=9)
    table = history_of(past, now, tmp_path)
    assert "same trial under several versions" in table.text
    words = ["aaaaaaaa", "0.700", "bbbbbbbb", "0.900", "+0.200 over trial 0"]
    places = [table.text.index(word) for word in words]
    assert places == sorted(places)


def test_history_compares_versions_over_the_trials_that_both_have(tmp_path: Path) -> None:
    past, now = fx.Builder(), fx.Builder()
    trained(past, "m", [0.5, 0.6, 0.7], commit="aaaaaaaaaa", job_id="one")
    # trials 1 to 4 again: the two in common gain 0.1, the mean of all 0.15
    for trial, value in {1: 0.7, 2: 0.8, 3: 0.9, 4: 0.6}.items():
        now.add("m", trial, {("attribution_auroc", "saliency"): value}, minute=9,
                commit="bbbbbbbbbb", job_id="two")  # fmt: skip
    before, after, lines = history_of(past, now, tmp_path).one("tbody").all("tr")
    assert "trials 0–2" in before.text
    assert "trials 1–4" in after.text
    assert [row.one("td", "attribution").one("span", "value").text for row in (before, after)] == [
        "0.600", "0.750",
    ]  # fmt: skip
    assert after.one("td", "attribution").one("span", "sub").text == (
        "+0.100 over trials 1–2, seeds 1001–1002"
    )
    drawn = lines.one("td", "attribution").one("path").attrs["d"]
    assert drawn == f"M0.0 {0.35 * HEIGHT:.1f}L{WIDTH:.1f} {0.25 * HEIGHT:.1f}"


def test_history_takes_other_seeds_for_no_change_of_versions(tmp_path: Path) -> None:
    past, now = fx.Builder(), fx.Builder()
    trained(past, "m", [0.6], commit="aaaaaaaaaa", job_id="one")
    # trial 0 of a run with another first seed is another network
    for trial, (seed, value) in enumerate({7: 0.5, 8: 0.1}.items()):
        now.add("m", trial, {("attribution_auroc", "saliency"): value}, seed=seed, minute=9,
                commit="bbbbbbbbbb", job_id="two")  # fmt: skip
    table = history_of(past, now, tmp_path)
    assert "each trial under one version" in table.one("caption").text
    assert [row.one("td", "attribution").text for row in table.one("tbody").all("tr")] == [
        "0.600", "0.300",
    ]  # fmt: skip
    assert not table.all("svg")
    assert "trials 0–1, seeds 7–8" in table.text


def test_the_changelog_names_what_a_version_changed() -> None:
    spec = all_specs()["motif-classes@1"]
    later = dataclasses.replace(
        spec,
        version=2,
        digest="other",
        length=300,
        grammar=dataclasses.replace(spec.grammar, gap_scale=2.0),
    )
    assert [(c.name, c.before, c.after) for c in changes(spec, later)] == [
        ("grammar.gap_scale", str(spec.grammar.gap_scale), "2.0"),
        ("length", str(spec.length), "300"),
    ]


def test_the_changelog_lists_foreign_specifications(site: Path) -> None:
    text = pages.parse(site / "changelog.html").text
    assert "motif-classes@1" in text
    assert "Other specifications in the registry" in text


def test_the_feed_is_valid_atom_with_the_newest_first(site: Path) -> None:
    feed = ET.fromstring((site / "feed.xml").read_bytes())
    assert feed.tag == f"{ATOM}feed"
    for name in ("id", "title", "updated", "author"):
        assert feed.find(f"{ATOM}{name}") is not None
    entries = feed.findall(f"{ATOM}entry")
    tables = fx.realistic()
    assert len(entries) == len(tables.jobs)
    times = []
    for entry in entries:
        times.append(datetime.fromisoformat(entry.findtext(f"{ATOM}updated", "")))
        link = entry.find(f"{ATOM}link")
        assert link is not None
        assert (site / link.attrib["href"]).is_file()
        assert entry.findtext(f"{ATOM}summary")
    assert times == sorted(times, reverse=True)
    identifiers = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(set(identifiers)) == len(identifiers)


def test_a_name_of_what_xml_forbids_leaves_the_feed_well_formed(tmp_path: Path) -> None:
    builder = fx.Builder()
    name = "a\ufffe\uffff\x00\x0b\U0001ffffz"
    builder.add(name, 0, {("auroc", ""): 0.9}, activation=name)
    builder.add(name, 1, activation=name, status="model_error", message=name)
    render(builder.tables(), tmp_path, metrics=fx.METRICS)
    feed = ET.fromstring((tmp_path / "feed.xml").read_bytes())
    for entry in feed.findall(f"{ATOM}entry"):
        shown = r"a\ufffe\uffff\u0000\u000b\u1ffffz"
        assert entry.findtext(f"{ATOM}title", "").startswith(f"{shown} {shown} on ")


def test_a_metric_page_ranks_models_and_explains_itself(site: Path) -> None:
    [path] = (site / "metrics").glob("match-fraction-*")
    page = pages.parse(path)
    assert "Tomtom" in page.one("section", "documentation").text
    values = [
        float(row.one("span", "value").text)
        for row in page.all("table", "ranking")[0].one("tbody").all("tr")
    ]
    assert len(values) > 3
    assert values == sorted(values, reverse=True)


def test_markup_in_the_front_table_stays_text(site: Path) -> None:
    table = pages.parse(site / "index.html").one("table", "runs")
    names = [row.one("th").attrs["data-v"] for row in table.one("tbody").all("tr")]
    assert fx.HOSTILE in names
    assert max(map(len, names)) < 60


def test_the_site_s_navigation_says_where_one_is(site: Path) -> None:
    named = {}
    for path in site.rglob("*.html"):
        links = pages.parse(path).one("nav", "site").all("a")
        here = [link.attrs["href"] for link in links if "aria-current" in link.attrs]
        named[path.relative_to(site).as_posix()] = [
            (path.parent / href).resolve().relative_to(site.resolve()).as_posix() for href in here
        ]
    own = {"index.html", "compare.html", "figures.html", "claims.html", "history.html",
           "metrics/index.html", "changelog.html", "about.html"}  # fmt: skip
    assert {path: [path] for path in own}.items() <= named.items()
    assert not any(here for path, here in named.items() if path not in own)


def test_claims_are_held_against_the_run_with_most_trials(tmp_path: Path) -> None:
    builder = fx.Builder()
    task = "regulatory-code@1"
    for activation, maps in (("exponential", 0.9), ("relu", 0.6)):
        for trial in range(3):
            scores = {
                ("auroc", ""): 0.95 + trial / 1000,
                ("paper_attribution_auroc", "saliency"): maps + trial / 1000,
                ("attribution_auroc", "saliency"): maps + trial / 1000,
            }
            builder.add("CNN-local", trial, scores, activation=activation, task=task)
    # of another source, on another backend and with weights of its own: none of them counts
    odd = {("auroc", ""): 0.2, ("paper_attribution_auroc", "saliency"): 0.2}
    more = {"activation": "exponential", "task": task}
    builder.add("CNN-local", 0, odd, model_digest="9" * 64, minute=90, **more)
    builder.add("CNN-local", 0, odd, backend="jax", minute=91, **more)
    builder.add("CNN-local", 0, odd, division="open", minute=92, **more)
    render(builder.tables(), tmp_path, metrics=fx.METRICS)
    rows = pages.rows(pages.parse(tmp_path / "claims.html").one("table", "claims"))
    by_name = {row[0].text: row for row in rows}
    [maps] = [row for name, row in by_name.items() if name.startswith("Attribution")]
    assert "CNN-local" in maps[3].text
    assert "+0.300" in maps[3].text
    assert maps[5].text == "3"
    assert "not run" in {row[1].one("strong").text for row in rows}


def test_a_registry_without_the_study_s_networks_has_its_claims_not_run(tmp_path: Path) -> None:
    builder = fx.Builder()
    trained(builder, "m", [0.8])
    render(builder.tables(), tmp_path, metrics=fx.METRICS)
    rows = pages.rows(pages.parse(tmp_path / "claims.html").one("table", "claims"))
    assert {row[1].one("strong").text for row in rows} == {"not run"}
