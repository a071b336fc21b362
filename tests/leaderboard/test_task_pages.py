"""Task pages: what the package's specification says, and what the registry can show of it."""

from __future__ import annotations

from pathlib import Path

import evidence_fixtures as ev
import leaderboard_fixtures as fx
import leaderboard_pages as pages
import pytest

from motifidelity.entries import FLOOR_NETWORKS
from motifidelity.leaderboard import render


def task_page(tables: fx.Tables, out: Path, evidence: object = ev.evidence) -> pages.Element:
    render(tables, out, metrics=fx.METRICS, evidence=evidence)  # type: ignore[arg-type]
    [path] = (out / "tasks").iterdir()
    return pages.parse(path)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> pages.Element:
    return task_page(ev.held_task().tables(), tmp_path_factory.mktemp("site"))


def test_the_recipe_and_digests_are_the_specifications(page: pages.Element) -> None:
    text = page.text
    for expected in (
        ev.SPEC.summary,
        ev.SPEC.digest,
        ev.SPEC.dataset_digest,
        "30,000 sequences",
        "1 in 50%, 2 in 25%, 3 in 17%, 4 in 5%, 5 in 3%",
        "JASPAR2016 CORE vertebrates",
    ):
        assert expected in text
    shown = {code.text for code in page.one("table", "digests").all("code")}
    assert shown == {
        value for arrays in ev.SPEC.digests.values() for key, value in arrays.items() if key != "n"
    }


def test_every_motif_of_the_pool_is_drawn(page: pages.Element) -> None:
    cards = page.one("ul", "motif-grid").all("li")
    assert [card.one("code").text for card in cards] == list(ev.SPEC.pools["core"])
    assert all(card.one("svg", "logo").all("use") for card in cards)


def test_example_sequences_show_all_letters_and_their_sites(page: pages.Element) -> None:
    strips = page.all("svg", "tracks")
    assert len(strips) == 2
    for strip in strips:
        letters = [use for use in strip.all("use") if use.attrs["href"].startswith("#g")]
        assert len(letters) == len(ev.example().codes)
        assert strip.one("g", "implant")


def test_floor_and_ceiling_are_the_reference_entries(page: pages.Element) -> None:
    row = next(r for r in page.one("table", "ends").one("tbody").all("tr") if "auroc" in r.text)
    _, floor, best, ceiling = (cell.text for cell in row.all("td"))
    assert (floor, ceiling) == ("0.500", "1.000")
    assert 0.9 < float(best) < 1


def test_a_network_that_is_a_floor_is_no_best_run(tmp_path: Path) -> None:
    builder = ev.held_task()
    place = {"task_digest": ev.SPEC.digest, "dataset_digest": ev.SPEC.dataset_digest}
    for name in FLOOR_NETWORKS:
        builder.add(name, 0, {("auroc", ""): 0.999}, **place)
    page = task_page(builder.tables(), tmp_path)
    row = next(r for r in page.one("table", "ends").one("tbody").all("tr") if "auroc" in r.text)
    assert 0.9 < float(row.all("td")[2].text) < 0.99


def test_every_run_is_linked_to_its_place_on_its_models_page(tmp_path: Path) -> None:
    page = task_page(ev.held_task().tables(), tmp_path)
    links = [a.attrs["href"] for row in page.all("tbody") for a in row.all("a")]
    assert len(links) == 3
    for link in links:
        file, _, anchor = link.partition("#")
        target = tmp_path / "tasks" / file
        assert f'id="{anchor}"' in target.read_text(encoding="utf-8")


def test_runs_stand_by_their_names(tmp_path: Path) -> None:
    builder = fx.Builder()
    for name in ("Zeta", "alpha", "Beta"):
        for activation in ("relu", "exponential"):
            builder.add(name, 0, {("auroc", ""): 0.9}, activation=activation)
    page = task_page(builder.tables(), tmp_path)
    [table] = [
        one for one in page.all("table", "sortable") if "Every run" in one.one("caption").text
    ]
    found = [(row[0].text, row[1].text) for row in pages.rows(table)]
    assert found == [
        (name, activation)
        for name in ("alpha", "Beta", "Zeta")
        for activation in ("exponential", "relu")
    ]


@pytest.mark.parametrize(
    ("task", "digest", "why"),
    [
        ("motif-classes@9", "ab" * 32, "does not hold this task"),
        ("motif-classes@1", "ab" * 32, "under another digest"),
        (fx.HOSTILE, fx.RTL, "does not hold this task"),
        (fx.LONG, "../../etc", "does not hold this task"),
    ],
)
def test_a_task_that_the_package_does_not_hold_says_so(
    task: str, digest: str, why: str, tmp_path: Path
) -> None:
    builder = fx.Builder()
    builder.add("m", 0, {("auroc", ""): 0.9}, task=task, task_digest=digest)
    page = task_page(builder.tables(), tmp_path, None)
    assert why in page.one("p", "missing").text
    assert "No result of this task has evidence" in page.text
    assert "no Oracle and Random entries" in page.text
    assert not page.all("script", None)[0].children


def test_two_versions_of_a_task_have_two_pages(tmp_path: Path) -> None:
    builder = ev.held_task()
    builder.add("m", 0, {("auroc", ""): 0.9}, task="motif-classes@1", task_digest="ab" * 32)
    render(builder.tables(), tmp_path, metrics=fx.METRICS)
    assert len(list((tmp_path / "tasks").iterdir())) == 2
