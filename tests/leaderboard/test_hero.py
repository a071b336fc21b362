"""The first screen: networks with either of two activations, and the answers to two questions."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path
from typing import Any

import evidence_fixtures as ev
import leaderboard_fixtures as fx
import leaderboard_pages as pages
import numpy as np
import pytest
from scipy import stats

from motifidelity.leaderboard import render
from motifidelity.leaderboard.figures.dumbbells import EDGE, WIDTH, grid, lay_out
from motifidelity.leaderboard.figures.tracks import VIEW, draw_views
from motifidelity.leaderboard.pages.advice import choices, trust
from motifidelity.leaderboard.site import gather
from motifidelity.leaderboard.standings import standings
from motifidelity.leaderboard.tables.order import in_order
from motifidelity.leaderboard.text import number, signed
from motifidelity.scoring.evidence import Site

PAIR = ("exponential", "relu")


def trained(
    builder: fx.Builder, name: str, activation: str | None, trials: list[float], **job: object
) -> None:
    """Trials whose saliency maps and filters get a value each, and mutagenesis a little more."""
    for trial, value in enumerate(trials):
        scores = {
            ("auroc", ""): 0.95,
            ("match_fraction", ""): value - 0.1,
            ("attribution_auroc", "saliency"): value,
            ("attribution_auroc", "ism"): value + 0.05,
        }
        builder.add(name, trial, scores, activation=activation, good_filters=0.5, **job)


def three_pairs(**job: object) -> fx.Builder:
    """Networks whose maps differ by .3, .1 and .2."""
    builder = fx.Builder()
    for name, gap in (("net-0", 0.3), ("net-1", 0.1), ("net-2", 0.2)):
        for activation, value in zip(PAIR, (0.8, 0.8 - gap), strict=True):
            trained(builder, name, activation, [value, value + 0.01, value - 0.01], **job)
    return builder


def test_a_dumbbell_has_its_places_between_chance_and_1() -> None:
    inside = WIDTH - 2 * EDGE
    drawn = lay_out(0.5, 0.75, 0.4, 1.0)
    assert float(drawn.first or "") == pytest.approx(EDGE + inside / 2)
    assert float(drawn.second or "") == pytest.approx(EDGE)
    assert float(drawn.ceiling or "") == pytest.approx(WIDTH - EDGE)
    # as it is, where its mark cannot be
    assert drawn.told == ("0.75", "0.40")
    nothing = lay_out(0.0, float("nan"), 0.5, float("nan"))
    assert (nothing.first, nothing.ceiling, nothing.told) == (None, None, ("none", "0.50"))
    assert grid(2) == f"M{EDGE:g} 0V16M{WIDTH / 2:g} 0V16M{WIDTH - EDGE:g} 0V16"


def test_a_number_that_rounds_to_nothing_has_no_sign() -> None:
    assert (number(-0.0001), number(-0.04, whole=True)) == ("0.000", "0.0")
    assert (signed(-0.001), signed(0.001), signed(0.01)) == ("0.00", "0.00", "+0.01")
    assert signed(-0.01) == "\N{MINUS SIGN}0.01"


def test_the_study_s_tasks_come_first_and_newer_versions_before_older_ones() -> None:
    tasks = ("mine", "motif-classes@1", "site-affinity@1", "motif-classes@10", "regulatory-code@1")
    for order in itertools.permutations(tasks):
        assert in_order(order) == [
            "regulatory-code@1", "motif-classes@10", "motif-classes@1", "mine", "site-affinity@1",
        ]  # fmt: skip
    assert in_order(["motif-classes@9", "motif-classes@10"])[0] == "motif-classes@10"


def test_a_view_is_the_part_of_a_sequence_that_holds_most_implanted_bases() -> None:
    whole = ev.example(200)
    sites = (
        Site("a", "SRF", 20, 30, 1, 9.0, implanted=True, core=True),
        Site("b", "SP1", 130, 142, 1, 9.0, implanted=True, core=True),
        Site("c", "MAX", 150, 158, 1, 9.0, implanted=True, core=True),
        Site("d", "YY1", 60, 75, 1, 9.0, implanted=False, core=True),
        Site("e", "YY1", 70, 100, 1, 9.0, implanted=True, core=False),
    )
    whole = dataclasses.replace(whole, sites=sites)
    strip = draw_views({"one": whole, "other": whole}, ("saliency", "ism"), 40)
    assert strip is not None
    shown = {
        box.name.strip("\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} ") for box in strip.bands
    }
    assert shown == {"SP1", "MAX"}
    assert [track.label for track in strip.tracks] == [
        "one, saliency", "one, ISM", "other, saliency", "other, ISM",
    ]  # fmt: skip
    tops = [float(track.top) for track in strip.tracks]
    assert (np.diff(tops) > 0).all()
    assert tops[-1] < float(strip.height)
    places = [float(t.split()[4]) for g in strip.tracks[1].letters for t in g.transforms]
    assert 0 <= min(places) < max(places) < VIEW
    assert len(places) <= 40


def test_there_is_no_view_of_two_sequences_or_of_a_map_that_one_lacks() -> None:
    one, other = ev.example(60), ev.example(60, sequence=8)
    assert draw_views({"a": one, "b": other}, ("saliency",), 40) is None
    bare = dataclasses.replace(one, maps={"ism": one.maps["ism"]})
    assert draw_views({"a": one, "b": bare}, ("saliency",), 40) is None
    assert draw_views({"a": one, "b": bare}, ("ism",), 40) is not None


def test_the_first_screen_shows_each_network_with_both_and_the_median_one_s_sequence(
    tmp_path: Path,
) -> None:
    builder = three_pairs()
    trained(builder, "Oracle", None, [1.0], division="reference")
    front = pages.parse(
        render(ev.with_matches(builder), tmp_path, metrics=fx.METRICS, evidence=ev.evidence)
    )
    table = front.one("table", "contrast")
    rows = table.one("tbody").all("tr")
    assert [row.one("bdi").text for row in rows] == ["net-0", "net-1", "net-2"]
    # values of the page's own table, beside marks at their places
    heads = [head.text for head in table.one("thead").all("th")]
    saliency = next(at for at, text in enumerate(heads) if text.startswith("Saliency maps"))
    cell = rows[1].all("td")[saliency - 1]
    assert cell.one("span", "told").text == "0.80 / 0.70"
    low, high = lay_out(0.5, 0.8, 0.7, 1.0), cell.one("svg")
    marks = [group.attrs["transform"] for group in high.all("g")]
    assert marks == [f"translate({low.second} 8) scale(.9)", f"translate({low.first} 8) scale(.9)"]
    assert high.one("path", "ceiling").attrs["d"] == f"M{low.ceiling} 1v14"
    foot = table.one("tfoot").all("td")[saliency - 1]
    assert foot.one("span", "value").text == "+0.20"
    found = stats.ttest_1samp([0.3, 0.1, 0.2], 0).confidence_interval(0.95)
    assert foot.one("span", "sub").text == f"{signed(found.low)} to {signed(found.high)}"
    view = front.one("figure", "view")
    assert "One test sequence as net-2 sees it" in view.one("figcaption").text
    assert [few.one("span").text for few in view.all("p", "few")] == [
        "exponential, first 4 filters", "ReLU, first 4 filters",
    ]  # fmt: skip


@pytest.mark.parametrize("evidence", [ev.damaged, ev.unanswered, lambda _: None])
def test_without_evidence_there_is_no_view_and_all_else(tmp_path: Path, evidence: Any) -> None:
    tables = three_pairs().tables()
    front = pages.parse(render(tables, tmp_path, metrics=fx.METRICS, evidence=evidence))
    assert len(front.one("table", "contrast").one("tbody").all("tr")) == 3
    assert not front.all("figure", "view")


def test_what_to_use_is_the_best_that_is_ranked_with_its_interval_and_its_ties() -> None:
    builder = fx.Builder()
    trained(builder, "best", "relu", [0.90, 0.92, 0.94])
    trained(builder, "alike", "relu", [0.91, 0.93, 0.89])
    trained(builder, "worse", "relu", [0.60, 0.61, 0.62])
    trained(builder, "lucky", "relu", [0.99])
    trained(builder, "alone", "relu", [0.8], task="regulatory-code@1")
    material = gather(builder.tables(), fx.METRICS)
    none, found = choices(standings(material), material)
    assert (none.task, none.best) == ("regulatory-code@1", None)
    assert found.best is not None
    assert (found.best.name, found.score, found.trials) == ("best", "0.920", 3)
    low, high = stats.t.interval(0.95, 2, 0.92, stats.sem([0.90, 0.92, 0.94]))
    assert found.interval == f"{low:.3f} to {high:.3f}"
    assert [tie.name for tie in found.ties] == ["alike"]
    assert (found.predicts, found.cost) == ("0.950", "10 min 02 s")


def test_maps_are_trusted_by_their_place_between_noise_and_the_oracle() -> None:
    builder = fx.Builder()
    trained(builder, "net", "relu", [0.70, 0.71, 0.72])
    trained(builder, "few", "relu", [0.9, 0.9])
    for name, value in (("Random", 0.5), ("Oracle", 0.91)):
        ends = {("attribution_auroc", method): value for method in ("saliency", "ism")}
        builder.add(name, 0, ends, activation=None, division="reference")
    material = gather(builder.tables(), fx.METRICS)
    found = trust(standings(material), material)
    assert found is not None
    [(task, [(named, shades)])] = found.tasks
    assert (task, named.name, found.methods) == ("motif-classes@1", "net", ("Saliency", "ISM"))
    shares = ((0.71 - 0.5) / 0.41, (0.76 - 0.5) / 0.41)
    assert [shade.text for shade in shades] == [f"{share:.2f}" for share in shares]
    assert [shade.shade for shade in shades] == [round(10 * share) for share in shares]
    assert found.said == "ISM maps are the highest in 1 of 1 networks."


def test_a_registry_of_one_trial_has_no_answers_and_says_so(tmp_path: Path) -> None:
    builder = fx.Builder()
    trained(builder, "net", "relu", [0.7])
    front = pages.parse(render(builder.tables(), tmp_path, metrics=fx.METRICS))
    assert "no network with three trials yet" in front.one("table", "choices").text
    assert not front.all("table", "trust")
