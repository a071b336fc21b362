"""Builds: incremental, deterministic, and never stopped by one bad file or row."""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import leaderboard_fixtures as fx
import leaderboard_pages as pages
import pandas as pd
import pytest
from click.testing import CliRunner

from motifidelity.cli.leaderboard import command
from motifidelity.errors import UserError
from motifidelity.leaderboard import book, render, site
from motifidelity.leaderboard.book import sources
from motifidelity.leaderboard.pages.claims_page import claims_page
from motifidelity.leaderboard.pages.front import front_page
from motifidelity.leaderboard.pages.overview import MOST_PANELS
from motifidelity.leaderboard.serving import open_server
from motifidelity.leaderboard.site import gather
from motifidelity.leaderboard.standings import standings
from motifidelity.registry import Registry, Result
from motifidelity.report.tables import DocumentTables

BASELINES = Path(__file__).parents[2] / "baselines"


def stamps(folder: Path) -> dict[str, int]:
    return {
        path.relative_to(folder).as_posix(): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file()
    }


def models(trials: int) -> fx.Builder:
    builder = fx.Builder()
    for name in ("a", "b"):
        for trial in range(trials if name == "a" else 1):
            builder.add(name, trial, {("auroc", ""): 0.9, ("match_fraction", ""): 0.5})
    return builder


def test_only_pages_whose_results_changed_are_drawn_again(tmp_path: Path) -> None:
    render(models(1).tables(), tmp_path, metrics=fx.METRICS)
    before = stamps(tmp_path)
    render(models(1).tables(), tmp_path, metrics=fx.METRICS)
    same = stamps(tmp_path)
    same.pop("build.json")
    assert same.items() <= before.items()
    render(models(2).tables(), tmp_path, metrics=fx.METRICS)
    after = stamps(tmp_path)
    changed = {path for path in after if before.get(path) != after[path]}
    assert "index.html" in changed
    [mine] = [path for path in after if path.startswith("models/a-")]
    [other] = [path for path in after if path.startswith("models/b-")]
    assert mine in changed
    assert other not in changed
    fresh = tmp_path / "fresh"
    render(models(2).tables(), fresh, metrics=fx.METRICS)
    for path in stamps(fresh):
        assert (fresh / path).read_bytes() == (tmp_path / path).read_bytes(), path


def test_a_changed_score_of_the_same_result_redraws_its_page(tmp_path: Path) -> None:
    tables = models(1).tables()
    render(tables, tmp_path, metrics=fx.METRICS)
    render(replace(tables, scores=tables.scores.assign(value=0.75)), tmp_path, metrics=fx.METRICS)
    [path] = (tmp_path / "models").glob("a-*")
    assert "0.750" in pages.parse(path).text


def test_an_edited_or_lost_page_is_put_right(tmp_path: Path) -> None:
    render(models(1).tables(), tmp_path, metrics=fx.METRICS)
    [first, second] = sorted((tmp_path / "models").iterdir())
    was = first.read_bytes(), second.read_bytes()
    first.write_text("edited", encoding="utf-8")
    second.unlink()
    render(models(1).tables(), tmp_path, metrics=fx.METRICS)
    assert (first.read_bytes(), second.read_bytes()) == was


def test_what_is_gone_is_removed_and_foreign_files_stay(tmp_path: Path) -> None:
    render(models(1).tables(), tmp_path, metrics=fx.METRICS)
    foreign = tmp_path / "models" / "mine.txt"
    foreign.write_text("kept", encoding="utf-8")
    builder = fx.Builder()
    builder.add("a", 0, {("auroc", ""): 0.9, ("match_fraction", ""): 0.5})
    render(builder.tables(), tmp_path, metrics=fx.METRICS)
    left = sorted(path.name[:2] for path in (tmp_path / "models").iterdir())
    assert left == ["a-", "mi"]


@pytest.mark.parametrize("record", ["", "[]", '{"x": 1}', '{"../../outside.txt": ["", "0"]}'])
def test_a_damaged_record_of_the_build_does_no_harm(tmp_path: Path, record: str) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("kept", encoding="utf-8")
    out = tmp_path / "one" / "site"
    out.mkdir(parents=True)
    (out / "build.json").write_text(record, encoding="utf-8")
    render(models(1).tables(), out, metrics=fx.METRICS)
    assert outside.exists()
    assert json.loads((out / "build.json").read_text(encoding="utf-8"))["index.html"]


def test_an_odd_row_costs_its_own_page_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from motifidelity.leaderboard import site

    drawn = site.make_page

    def make_page(trials: pd.DataFrame, *rest: object) -> object:
        if trials["model"].iloc[0] == "a":
            raise ValueError("odd <row>")
        return drawn(trials, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(site, "make_page", make_page)
    front = pages.parse(render(models(1).tables(), tmp_path, metrics=fx.METRICS))
    [bad] = (tmp_path / "models").glob("a-*")
    assert "could not be drawn" in pages.parse(bad).text
    assert "ValueError: odd <row>" in front.one("section", "problems").text
    monkeypatch.undo()
    front = pages.parse(render(models(1).tables(), tmp_path, metrics=fx.METRICS))
    assert not front.all("section", "problems")
    assert "could not be drawn" not in pages.parse(bad).text


def test_a_process_that_is_killed_ends_the_build_and_the_next_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book, "PAGES_OF_A_WORKER", 8)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    builder = fx.Builder()
    for number in range(40):
        builder.add(f"m{number}", 0, {("auroc", ""): 0.9})
    tables = builder.tables()
    out = tmp_path / "site"
    drawn = site.make_page
    mine = os.getpid()

    def killed(trials: pd.DataFrame, *rest: object) -> object:
        # all that was to be drawn before is drawn by now
        if trials["model_key"].iloc[0] == last and os.getpid() != mine:
            until = time.monotonic() + 60
            while len(list((out / "models").glob("*"))) < 39 and time.monotonic() < until:
                time.sleep(0.05)
            os.kill(os.getpid(), signal.SIGKILL)
        return drawn(trials, *rest)  # type: ignore[arg-type]

    last = max(gather(tables, fx.METRICS).summary.trials["model_key"])
    monkeypatch.setattr(site, "make_page", killed)
    with pytest.raises(UserError, match="perhaps for want of memory") as error:
        render(tables, out, metrics=fx.METRICS)
    assert "again to go on" in str(error.value)
    assert "\n" not in str(error.value)
    anew = []
    monkeypatch.setattr(site, "make_page", lambda *given: anew.append(given) or drawn(*given))  # type: ignore[func-returns-value]
    monkeypatch.setattr(book, "PAGES_OF_A_WORKER", 10**9)
    render(tables, out, metrics=fx.METRICS)
    # pages go to the processes in eights
    assert 1 <= len(anew) <= 16
    fresh = tmp_path / "fresh"
    render(tables, fresh, metrics=fx.METRICS)
    for path in stamps(fresh):
        assert (fresh / path).read_bytes() == (out / path).read_bytes(), path


def registry_of(folder: Path, count: int = 3) -> Registry:
    """A registry of results of the committed baselines, recorded anew."""
    source = Registry(BASELINES)
    tables = {name: table.to_pylist() for name, table in source.latest("jobs", "scores").items()}
    target = Registry(folder)
    for job in [row for row in tables["jobs"] if row["division"] == "closed"][:count]:
        mine = [row for row in tables["scores"] if row["result_id"] == job["result_id"]]
        target.record(Result(job={**job, "files": None, "arrays_of": None}, scores=mine))
    return target


def build(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, list(arguments), catch_exceptions=False)
    return result.exit_code, result.output


def test_evidence_that_is_put_right_redraws_its_pages_and_no_other(tmp_path: Path) -> None:
    registry = registry_of(tmp_path / "registry", 2)
    damaged = min(registry.jobs()["result_id"])
    path = tmp_path / "registry" / "evidence" / f"{damaged}.npz"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"damaged")
    site = tmp_path / "site"
    options = ["--registry", str(tmp_path / "registry"), "--out", str(site)]
    build("build", *options)
    [mine] = [page for page in (site / "models").iterdir() if "cannot be read" in text_of(page)]
    [other] = set((site / "models").iterdir()) - {mine}
    before = other.stat().st_mtime_ns
    path.write_bytes(next((BASELINES / "evidence").glob("*.npz")).read_bytes())
    build("build", *options)
    assert "cannot be read" not in text_of(mine)
    assert pages.parse(mine).all("svg", "tracks")
    assert other.stat().st_mtime_ns == before


def text_of(page: Path) -> str:
    return pages.parse(page).text


def test_the_manifest_of_a_network_is_among_what_is_stored(place: Path | str) -> None:
    registry = Registry(place)
    assert registry.stored() == {}
    registry.store.write("networks/one/graph.pb", b"not what pages show")
    assert registry.stored() == {}
    told = []
    for manifest in (b"{}", b'{"scan": null}'):
        registry.store.write("networks/one/network.json", manifest)
        told.append(registry.stored())
    assert [list(found) for found in told] == [["one"], ["one"]]
    assert told[0] != told[1]


def test_pages_are_drawn_anew_where_any_code_or_data_that_makes_them_has_changed() -> None:
    files = {path.as_posix().rpartition("motifidelity/")[2] for path in sources()}
    made_of = ("statistics/comparison.py", "metrics/declare.py")
    made_of += ("leaderboard/templates/compare.html",)
    assert {*made_of, "tasks/motif_classes_1.toml", "leaderboard/pages/versus.py"} <= files


@pytest.mark.parametrize("table", ["jobs", "scores"])
def test_a_damaged_file_costs_its_own_result_and_is_named(tmp_path: Path, table: str) -> None:
    registry_of(tmp_path / "registry")
    [bad, *_] = sorted((tmp_path / "registry" / table).glob("*.parquet"))
    bad.write_bytes(b"PAR1 damaged")
    out = tmp_path / "site"
    code, said = build("build", "--registry", str(tmp_path / "registry"), "--out", str(out))
    assert code == 0
    assert bad.name in said
    front = pages.parse(out / "index.html")
    problem = front.one("section", "problems").text
    assert bad.name in problem
    assert "damaged" in problem
    assert "2 results in the registry" in front.text


def test_a_missing_file_costs_its_own_result(tmp_path: Path) -> None:
    registry_of(tmp_path / "registry")
    [lost, *_] = sorted((tmp_path / "registry" / "scores").glob("*.parquet"))
    lost.unlink()
    found = Registry(tmp_path / "registry").readable()
    assert len(found.tables.jobs) == 2
    assert len(found.problems) == 1
    assert "missing" in found.problems[0]


def test_a_sound_registry_reads_as_before() -> None:
    registry = Registry(BASELINES)
    found = registry.readable()
    assert found.problems == ()
    pd.testing.assert_frame_equal(found.tables.scores, registry.tables().scores)
    assert len(found.tables.jobs) == len(registry.jobs())


@pytest.mark.parametrize(
    "arguments", [[], ["build"], ["build", "--out", "{out}"], ["--out", "{out}", "build"]]
)
def test_the_command_builds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    registry = tmp_path / "registry"
    registry_of(registry, 1)
    out = tmp_path / "site"
    named = [argument.format(out=out) for argument in arguments]
    code, said = build(*named, *(["--registry", str(registry)]))
    page = (out if "{out}" in arguments else registry / "leaderboard") / "index.html"
    assert (code, said.strip()) == (0, str(page))
    assert page.is_file()


def test_submissions_and_verifications_belong_together(tmp_path: Path) -> None:
    registry_of(tmp_path / "registry", 1)
    with pytest.raises(UserError, match="give both"):
        build("build", "--registry", str(tmp_path / "registry"), "--submissions", str(tmp_path))


def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    with (
        open_server(tmp_path, "127.0.0.1", 0) as server,
        pytest.raises(UserError, match="choose another with --port"),
    ):
        open_server(tmp_path, "127.0.0.1", server.server_port)


def test_the_committed_baselines_say_the_study_s_message(tmp_path: Path) -> None:
    from motifidelity.metrics.declare import all_metrics

    registry = Registry(BASELINES)
    material = gather(registry.readable().tables, all_metrics())
    # two pages of a hundred: those of all networks take minutes, and docs/ has some of them built
    environment = site.make_environment()
    for page in (front_page(material, standings(material)), claims_page(material)):
        text = environment.get_template(page.template).render(root=page.root, **page.draw())
        (tmp_path / page.path).write_text(text, encoding="utf-8")
    front = pages.parse(tmp_path / "index.html")
    finding = front.one("p", "finding").text
    assert "trained with exponential and with ReLU as first activation, are about equa" in finding
    assert "have in 5 of 5 networks better maps, and in 4 of 5 networks better filters" in finding
    # the README's picture of the page is described in its words
    readme = (BASELINES.parent / "README.md").read_text(encoding="utf-8")
    assert f"![The leaderboard: {finding}](docs/leaderboard.png)" in readme
    assert len(front.all("figure", "picture")) == MOST_PANELS
    # the documents' table of the same claims
    lines = DocumentTables(registry).table("claims").splitlines()[2:]
    rows = pages.rows(pages.parse(tmp_path / "claims.html").one("table", "claims"))
    shown = [row[1].one("strong").text for row in rows]
    assert len(shown) == len(lines) > 5
    for verdict, line in zip(shown, lines, strict=True):
        assert line.split(" | ")[3].startswith(f"**{verdict}**"), line
