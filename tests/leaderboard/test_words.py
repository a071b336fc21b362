"""Words beside numbers and drawings: they never contradict them, and never lie on each other."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import evidence_fixtures as ev
import leaderboard_fixtures as fx
import leaderboard_pages as pages
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motifidelity.leaderboard import render
from motifidelity.leaderboard.figures.boxes import HEIGHT, Series, draw_boxes
from motifidelity.leaderboard.figures.siteboxes import lay_sites, rows_of
from motifidelity.leaderboard.pages.meanings import meanings
from motifidelity.leaderboard.text import evalue
from motifidelity.metrics.methods import METHODS
from motifidelity.metrics.motifs.hits import ATTRACTOR, MAX_EVALUE
from motifidelity.scoring.evidence import Example, Site
from motifidelity.tasks.spec import all_specs

spans = st.tuples(st.floats(0, 900), st.floats(1, 120)).map(lambda s: (s[0], s[0] + s[1]))
places = st.lists(st.tuples(st.integers(0, 180), st.booleans(), st.booleans()), max_size=25)


@given(st.lists(spans, max_size=20))
def test_what_shares_a_row_never_overlaps(given_spans: list[tuple[float, float]]) -> None:
    rows = rows_of(given_spans)
    for one, two in itertools.combinations(range(len(rows)), 2):
        if rows[one] == rows[two]:
            (a, b), (c, d) = given_spans[one], given_spans[two]
            assert b <= c or d <= a
    assert set(rows) == set(range(len(set(rows))))


@settings(max_examples=60, deadline=None)
@given(places)
def test_labels_of_sites_never_lie_on_each_other(found: list[tuple[int, bool, bool]]) -> None:
    sites = tuple(
        Site("MA0079.3", "CEBPB", start, start + 12, 1 if up else -1, 9.0, planted, core=True)
        for start, up, planted in found
    )
    base = ev.example(200)
    laid = lay_sites(Example(**{**vars(base), "sites": sites}), 1000.0)
    covered = []
    for box in laid.boxes:
        assert box.name or box.kind == "chance"
        x, long = float(box.label_x), 6 * len(box.name)
        left = {"start": x, "middle": x - long / 2, "end": x - long}[box.anchor]
        assert left + long <= 1008
        assert float(box.label_y) <= laid.height
        if box.name:
            covered.append((left, left + long, float(box.label_y)))
    for (a, b, y), (c, d, z) in itertools.combinations(covered, 2):
        assert abs(y - z) >= 11 or b <= c + 0.2 or d <= a + 0.2


@given(st.floats(1e-30, 500) | st.floats(0.0999, 0.1001))
def test_an_evalue_is_never_rounded_across_the_limit(value: float) -> None:
    text = evalue(value, MAX_EVALUE)
    shown = float(text.removeprefix("> "))
    assert shown == pytest.approx(value, rel=0.05)
    assert (shown <= MAX_EVALUE and not text.startswith(">")) == (value <= MAX_EVALUE)


@pytest.mark.parametrize(
    ("value", "text"), [(0.102, "0.102"), (0.1 + 1e-9, "> 0.1"), (0.1, "0.1"), (0.25, "0.25")]
)
def test_as_many_digits_as_it_takes(value: float, text: str) -> None:
    assert evalue(value, MAX_EVALUE) == text


def page_of(tmp_path: Path, **filters: object) -> pages.Element:
    builder = ev.held_task()
    tables = ev.with_matches(builder, **filters)
    render(tables, tmp_path, metrics=fx.METRICS, evidence=ev.evidence)
    [path] = (tmp_path / "models").glob("cnn-deep-*")
    return pages.parse(path)


def test_a_true_match_beside_a_better_one_has_its_own_evalue(tmp_path: Path) -> None:
    page = page_of(tmp_path, evalue=2e-9, true_tf="GABPA", true_evalue=0.03)
    card = page.one("ul", "cards").all("li")[0].text
    assert "✓ GABPA E = 0.03" in card
    assert "E = 2e-09, reverse complement, the better match" in card


def test_a_true_match_that_is_the_best_is_named_once(tmp_path: Path) -> None:
    page = page_of(tmp_path, evalue=2e-9, true_tf="SP1", true_evalue=2e-9)
    card = page.one("ul", "cards").all("li")[0].text
    assert card.count("E = ") == 1
    assert "better" not in card


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1004, "no hit (best E = 0.1004)"),
        (MAX_EVALUE + 1e-9, f"no hit (best E > {MAX_EVALUE:g})"),
        (0.004, f"no hit: E = 0.004, but of {ATTRACTOR} alone"),
    ],
)
def test_no_hit_is_never_told_with_a_number_of_a_hit(
    value: float, text: str, tmp_path: Path
) -> None:
    page = page_of(tmp_path, best_hit=None, true_tf=None, evalue=value)
    assert text in page.one("ul", "cards").text
    assert f"a match counts where E is at most {MAX_EVALUE:g}" in page.text


def test_machines_are_told_in_words_and_units(tmp_path: Path) -> None:
    machine = {"cores": 16, "memory": 25 * 2**30, "cpu": "EPYC", "gpu_driver": "<b>1</b>"}
    builder = ev.held_task(environment=json.dumps(machine))
    render(builder.tables(), tmp_path, metrics=fx.METRICS)
    [path] = (tmp_path / "models").glob("cnn-deep-*")
    facts = pages.parse(path).one("details", "provenance").text
    for expected in ("Processor cores 16", "25.0 GiB", "Processor EPYC", "gpu_driver <b>1</b>"):
        assert expected in facts
    assert str(25 * 2**30) not in facts


def test_a_reference_needs_no_container(tmp_path: Path) -> None:
    render(ev.held_task().tables(), tmp_path, metrics=fx.METRICS)
    [path] = (tmp_path / "models").glob("oracle-*")
    assert "none needed: the harness computes it" in pages.parse(path).text


def test_every_map_that_a_task_makes_has_a_meaning_with_its_reference() -> None:
    for spec in all_specs().values():
        chosen = spec.attribution.methods
        drawn = [n for n in chosen if n != "random" and not METHODS[n].paper_maps]
        found = meanings(drawn, chosen, "closed", "CNN")
        assert len(found) == len(drawn)
        assert all(text for _, text in found)
        told = dict(zip(drawn, (text for _, text in found), strict=True))
        assert "{" not in "".join(told.values())
        for name, text in told.items():
            kind = chosen[name].get("reference")
            assert ("dinucleotide shuffles" in text) == (kind == "dinucleotide")
            assert ("0.25 everywhere" in text) == (kind == "uniform")
            assert ("L2 norm" in text) == (METHODS[name].base == "norm")
            assert ("share of the base" in text) == METHODS[name].complete


def test_maps_of_references_are_said_to_be_no_network_s() -> None:
    methods = ["saliency", "ism", "deepshap"]
    oracle = dict(meanings(methods, {}, "reference", "Oracle"))
    assert all("evidence" in text and "logit" not in text for text in oracle.values())
    assert {text for _, text in meanings(methods, {}, "reference", "Random")} == {"noise"}


def test_the_page_tells_what_each_map_shows(tmp_path: Path) -> None:
    listed = page_of(tmp_path).one("dl", "meanings")
    assert [name.text for name in listed.all("dt")] == ["Saliency", "ISM"]
    assert "L2 norm of the three changes" in listed.text


def test_labels_of_ends_stand_clear_of_boxes_and_of_each_other() -> None:
    rng = np.random.default_rng(0)
    series = [Series("CNN", name, tuple(rng.random(5))) for name in ("relu", "elu", "tanh")]
    plot = draw_boxes("AUROC", series, [("random (floor)", 0.97), ("oracle (ceiling)", 1)], (0, 1))
    assert plot is not None
    longest = 11 * 0.6 * len("oracle (ceiling)")
    last = max(float(box.left) + float(box.width) for box in plot.boxes)
    assert last <= float(plot.width) - 3 - longest * 0.85
    heights = [float(line.label_y) for line in plot.lines]
    assert abs(heights[0] - heights[1]) >= 11
    assert all(0 <= height <= HEIGHT for height in heights)
