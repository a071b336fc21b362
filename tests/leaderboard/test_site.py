from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import evidence_fixtures as ev
import leaderboard_fixtures as fx
import leaderboard_pages as pages
import pandas as pd
import pytest

from motifidelity.leaderboard import render
from motifidelity.leaderboard.text import safe_url

COLUMNS = {
    "Accuracy AUROC": ("auroc", ""),
    "Accuracy AUPR": ("aupr", ""),
    "Filter motifs Match any": ("match_any", ""),
    "Filter motifs Match true": ("match_fraction", ""),
    "Filter motifs Motifs found": ("motifs_found", ""),
    "Localisation AUROC": ("localisation_auroc", "filter"),
    "Localisation PWM scan": ("localisation_auroc", "pwm"),
}


def render_page(builder: fx.Builder, out: Path) -> pages.Element:
    return pages.parse(render(builder.tables(), out, metrics=fx.METRICS))


def board_page(site: Path, name: str = "motif-classes-1-full") -> pages.Element:
    """The page of all scores of a task and profile."""
    [path] = (site / "boards").glob(f"{name}-*.html")
    return pages.parse(path)


def render_board(builder: fx.Builder, out: Path) -> pages.Element:
    render_page(builder, out)
    return board_page(out, "*")


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_every_page_is_well_formed_and_every_link_leads_somewhere(site: Path) -> None:
    found = list(site.rglob("*.html"))
    models = {(job["model"], job["params"]) for job in fx.realistic().jobs.to_dict("records")}
    assert len(list((site / "models").iterdir())) == len(models)
    for path in found:
        page = pages.parse(path)
        identifiers = [e.attrs["id"] for e in page.all() if "id" in e.attrs]
        assert len(identifiers) == len(set(identifiers))
        for element in page.all():
            for link in (element.attrs.get("href"), element.attrs.get("src")):
                if link is None or link.startswith(("https://example.org/", "https://doi.org/")):
                    continue
                file, _, anchor = link.partition("#")
                target = path.parent / file if file else path
                assert target.is_file(), link
                if anchor:
                    assert f'id="{anchor}"' in target.read_text(encoding="utf-8"), link


def test_a_board_shows_the_means_of_the_registry(site: Path) -> None:
    tables = fx.realistic()
    joined = tables.scores.fillna({"method": ""}).merge(tables.jobs, on="result_id")
    table = pages.boards(board_page(site))[0]
    names = pages.headings(table)
    for activation in ("exponential", "relu"):
        mine = joined[
            (joined["model"] == "cnn-deep")
            & (joined["task"] == "motif-classes@1")
            & (joined["profile"] == "full")
            & (joined["params"].str.contains(activation))
            & joined["target"].isna()
        ]
        row = pages.find_row(table, "cnn-deep", activation)
        for name, (metric, method) in COLUMNS.items():
            values = mine[(mine["metric"] == metric) & (mine["method"] == method)]["value"]
            cell = row[names.index(name)]
            assert len(values) == 3
            assert float(cell.attrs["data-sort"]) == pytest.approx(values.mean(), rel=1e-12)
            digits = 1 if metric == "motifs_found" else 3
            assert cell.one(cls="value").text == f"{values.mean():.{digits}f}"
            if method != "pwm":
                assert cell.one(cls="spread").text == f"± {values.std(ddof=1):.{digits}f}"
                assert len(cell.all("circle")) == 3


def test_equal_accuracy_and_opposite_recovery_show_in_the_bars(site: Path) -> None:
    table = pages.boards(board_page(site))[0]
    names = pages.headings(table)

    def length(activation: str, column: str) -> float:
        cell = pages.find_row(table, "cnn-deep", activation)[names.index(column)]
        return float(cell.one("path", "fill").attrs["d"].rpartition("H")[2])

    accuracy = "Accuracy AUROC"
    assert length("exponential", accuracy) == pytest.approx(length("relu", accuracy), abs=1)
    for column in ("Filter motifs Match true", "Filter motifs Motifs found"):
        assert length("exponential", column) > 8 * length("relu", column)


def test_the_study_s_versions_are_a_second_table_that_needs_no_script(site: Path) -> None:
    page = board_page(site)
    details = page.one("details", "paper")
    table = details.one("table", "board")
    tables = fx.realistic()
    joined = tables.scores.merge(tables.jobs, on="result_id")
    values = joined[
        (joined["metric"] == "paper_match_fraction")
        & (joined["model"] == "cnn-deep")
        & (joined["profile"] == "full")
        & joined["params"].str.contains("relu")
    ]["value"]
    row = pages.find_row(table, "cnn-deep", "relu")
    cell = row[pages.headings(table).index("Filter motifs Match true")]
    assert float(cell.attrs["data-sort"]) == pytest.approx(values.mean())
    assert "Filter motifs Motif coverage" in pages.headings(table)


def test_partial_coverage_is_said_and_failures_are_listed(site: Path) -> None:
    page = board_page(site)
    table = pages.boards(page)[0]
    row = pages.find_row(table, "cnn-2", "exponential")
    assert row[3].text == "2 of 3 trials ok"
    assert row[4].one(cls="note").text == "n = 2"
    assert pages.find_row(table, "cnn-50", "relu")[3].text == "0 of 1 trial ok"
    listed = page.one("div", "failures").text
    for expected in ("cnn-2", "oom", "memory limit of 4 GiB reached in epoch 3", "timeout"):
        assert expected in listed
    assert "of which 3 failed" in pages.parse(site / "index.html").text


def test_a_run_without_scores_is_last_and_has_no_rank(site: Path) -> None:
    table = pages.boards(board_page(site))[0]
    ranks = [row[0].text for row in pages.rows(table)]
    # the second and the third have fewer than three trials
    assert ranks == ["1", "–", "–", "2", "3", "4", "–", "–", "–"]
    assert [row[3].text for row in pages.rows(table)][-2:] == ["0 of 1 trial ok"] * 2


def test_quick_runs_are_apart_marked_and_never_ranked(site: Path) -> None:
    full = pages.boards(board_page(site))[0]
    [quick] = pages.boards(board_page(site, "motif-classes-1-quick"))
    [row] = pages.rows(quick)
    assert row[0].text == "–"
    assert "quick: not ranked" in quick.one("caption").text
    assert quick.within("quick-task")
    assert not full.within("quick-task")
    quick_value = row[pages.headings(quick).index("Accuracy AUROC")].attrs["data-sort"]
    assert quick_value not in [cell.attrs.get("data-sort") for cell in full.all("td")]


def test_a_missing_score_is_a_dash_with_its_reason(site: Path) -> None:
    page = board_page(site)
    table = pages.boards(page)[0]
    names = pages.headings(table)
    expected = {
        ("dense", "–", "Filter motifs Match any"): "the model has no convolution",
        ("dense", "–", "Attribution Saliency"): "this task has no attribution score",
        ("cnn-deep", "relu", "Attribution ISM"): "this task has no attribution score",
        ("cnn-50", "relu", "Accuracy AUROC"): "no trial has finished",
    }
    for (name, activation, column), reason in expected.items():
        cell = pages.find_row(table, name, activation)[names.index(column)]
        assert (cell.text, cell.attrs["data-sort"]) == ("–", "")
        assert reason in cell.attrs["title"]
        assert not cell.all("svg")


def test_open_runs_and_runs_with_no_container_are_marked(site: Path) -> None:
    table = pages.boards(board_page(site))[0]
    marks = {
        row[1].one("a").text: [mark.text for mark in row[1].all("abbr", "mark")]
        for row in pages.rows(table)
    }
    assert marks[fx.HOSTILE] == ["open", "no container"]
    assert marks["cnn-deep"] == []


def test_attribution_has_a_column_per_method(tmp_path: Path) -> None:
    builder = fx.Builder()
    for method in ("saliency", "ism", "deepshap"):
        builder.add("m", 0, {("attribution_auroc", method): 0.8})
    builder.rows["jobs"] = builder.rows["jobs"][:1]
    table = pages.boards(render_board(builder, tmp_path))[0]
    assert pages.headings(table)[-3:] == [
        "Attribution Saliency",
        "Attribution ISM",
        "Attribution DeepSHAP",
    ]


def test_headings_explain_themselves_and_the_legend_defines_every_metric(site: Path) -> None:
    page = board_page(site)
    table = pages.boards(page)[0]
    titles = [abbr.attrs["title"] for abbr in table.one("thead").all("abbr")]
    assert any("Share of true-motif filters." in t and "higher is better" in t for t in titles)
    assert any("chance 0.5" in title for title in titles)
    legend = pages.parse(site / "metrics" / "index.html").one("table", "legend").text
    for metric in set(fx.realistic().scores["metric"]):
        assert metric in legend
    assert all(table.all("caption") for table in page.all("table"))


def test_the_same_tables_give_the_same_bytes_in_any_order(tmp_path: Path, site: Path) -> None:
    render(fx.shuffled(fx.realistic()), tmp_path, metrics=fx.METRICS, evidence=ev.evidence)
    assert files(tmp_path) == files(site)


def test_tables_read_from_parquet_give_the_same_bytes(tmp_path: Path, site: Path) -> None:
    frames = {}
    for name in ("jobs", "scores", "filters", "history"):
        getattr(fx.realistic(), name).to_parquet(tmp_path / f"{name}.parquet")
        frames[name] = pd.read_parquet(tmp_path / f"{name}.parquet")
    out = tmp_path / "site"
    render(fx.Tables(**frames), out, metrics=fx.METRICS, evidence=ev.evidence)
    assert files(out) == files(site)


def test_a_failed_row_may_lack_everything_that_a_finished_one_has(tmp_path: Path) -> None:
    builder = fx.Builder()
    builder.add("m", 0, {("auroc", ""): 0.9}, num_filters=0)
    optional = dict.fromkeys(
        [
            "started",
            "seconds_fit",
            "seconds_probe",
            "seconds_score",
            "peak_memory",
            "epochs",
            "best_epoch",
            "num_weights",
            "authors",
            "url",
            "license",
            "environment",
            "commit",
            "dirty",
            "worker_digest",
            "device",
            "warnings",
            "model_file",
        ]
    )
    builder.add("m", 1, status="infra_error", **optional)
    builder.rows["jobs"][-1]["num_filters"] = None
    [row] = pages.rows(pages.boards(render_board(builder, tmp_path))[0])
    assert row[3].text == "1 of 2 trials ok"
    assert "no convolution" in row[6].attrs["title"]


def test_hostile_text_stays_text(site: Path) -> None:
    for path in site.rglob("*.html"):
        page = pages.parse(path)
        scripts = page.all("script")
        assert scripts
        data = [one for one in scripts if one.attrs.get("type") == "application/json"]
        # the comparison's numbers, which are no code and hold no markup
        assert [path.name for _ in data] == ["compare.html"] * len(data)
        for one in data:
            assert "<" not in one.text
            assert json.loads(one.text)
        code = [one for one in scripts if one not in data]
        assert not any(script.children for script in code)
        ours = {(path.parent / script.attrs["src"]).resolve() for script in code}
        assert all(file.is_relative_to(site / "static") for file in ours)
        assert not page.all("img")
        assert not page.all("b")
        assert not page.all("style")
        source = path.read_text(encoding="utf-8")
        assert "\u202e" not in source
        for element in page.all():
            assert not [name for name in element.attrs if name.startswith("on") or name == "style"]
            assert not element.attrs.get("href", "").lower().startswith("javascript:")
    front = (site / "index.html").read_text(encoding="utf-8")
    assert re.search("n{200}", board_page(site).one("table", "board").text) is None
    assert "&lt;script&gt;" in front


def test_a_direction_mark_is_shown_as_what_it_is(site: Path) -> None:
    [path] = (site / "models").glob("script-alert*")
    page = pages.parse(path)
    assert "evil\\u202egnp.exe" in page.text
    assert "<b>mine</b>" in page.text


@pytest.mark.parametrize(
    ("url", "linked"),
    [
        ("https://example.org/paper", True),
        ("http://example.org", True),
        ("javascript:alert(1)", False),
        (" JaVaScRiPt:alert(1)", False),
        ("data:text/html,x", False),
        ("//example.org", False),
        ("https://user@example.org", False),
        ('https://example.org/"onmouseover="x', False),
        ("https://example.org/\u202egpj", False),
        ("https://[bad", False),
        (None, False),
    ],
)
def test_only_ordinary_web_addresses_are_links(url: str | None, linked: bool) -> None:
    assert safe_url(url) == (url if linked else None)


def test_a_model_page_links_to_its_address_and_to_nothing_unsafe(site: Path) -> None:
    for name, expected in (("cnn-local-relu", ["https://example.org/model"]), ("script", [])):
        [path] = (site / "models").glob(f"{name}*")
        links = [a.attrs["href"] for a in pages.parse(path).all("a")]
        assert [link for link in links if not link.startswith(("#", ".."))] == expected


@pytest.mark.parametrize(
    "name", ["", "../../etc/passwd", "CON", "a" * 10_000, "é\u0301" * 50, "a/b", "\x00"]
)
def test_any_name_gives_a_safe_file_name(name: str, tmp_path: Path) -> None:
    builder = fx.Builder()
    builder.add(name, 0, {("auroc", ""): 0.5})
    render_page(builder, tmp_path)
    [path] = (tmp_path / "models").iterdir()
    assert re.fullmatch(r"[a-z0-9-]{1,75}-[0-9a-f]{12}\.html", path.name)
    assert {p.name for p in tmp_path.iterdir() if p.is_dir()} == {
        "boards",
        "metrics",
        "models",
        "static",
        "tasks",
    }


def test_like_named_models_have_pages_of_their_own(tmp_path: Path) -> None:
    builder = fx.Builder()
    builder.add("A b", 0, {("auroc", ""): 0.5}, model_digest="one")
    builder.add("a-B", 0, {("auroc", ""): 0.6}, model_digest="two")
    render_page(builder, tmp_path)
    assert len(list((tmp_path / "models").iterdir())) == 2


def test_the_policy_forbids_inline_script_and_anything_remote(site: Path) -> None:
    for path in site.rglob("*.html"):
        [policy] = [
            meta.attrs["content"]
            for meta in pages.parse(path).all("meta")
            if meta.attrs.get("http-equiv") == "Content-Security-Policy"
        ]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert "*" not in policy


def test_an_empty_registry_says_so(tmp_path: Path) -> None:
    page = pages.parse(render(fx.empty(), tmp_path, metrics=fx.METRICS))
    assert "The registry holds no results yet" in page.text
    assert not page.all("table")
    assert "nothing to compare" in pages.parse(tmp_path / "compare.html").text
    assert "no finished result yet" in pages.parse(tmp_path / "history.html").text


def test_a_registry_of_failures_says_so_and_lists_them(tmp_path: Path) -> None:
    builder = fx.Builder()
    builder.add("m", 0, status="invalid_output", message="logits hold nan")
    page = render_board(builder, tmp_path)
    assert "No trial of this task has finished" in page.text
    assert "logits hold nan" in page.one("div", "failures").text
    [path] = (tmp_path / "models").iterdir()
    assert "No trial has finished" in pages.parse(path).text


def test_one_row_of_one_trial_renders_without_spread(tmp_path: Path) -> None:
    builder = fx.Builder()
    builder.add("m", 0, {("auroc", ""): 0.75})
    page = render_board(builder, tmp_path)
    [row] = pages.rows(pages.boards(page)[0])
    # one trial is provisional: no rank
    assert (row[0].text, row[3].text, row[4].text) == ("–", "1", "0.750")


def test_equal_scores_share_a_rank(tmp_path: Path) -> None:
    builder = fx.Builder()
    for name, value in (("a", 0.9), ("b", 0.9), ("c", 0.5)):
        for trial in range(3):
            builder.add(name, trial, {("match_fraction", ""): value})
    table = pages.boards(render_board(builder, tmp_path))[0]
    assert [row[0].text for row in pages.rows(table)] == ["1", "1", "3"]


def test_ranks_are_within_a_division_and_floors_have_none(tmp_path: Path) -> None:
    builder = fx.Builder()
    for name, value, division in (
        ("first", 0.9, "open"),
        ("second", 0.8, "closed"),
        ("third", 0.7, "closed"),
        ("fourth", 0.6, "open"),
    ):
        for trial in range(3):
            builder.add(name, trial, {("match_fraction", ""): value}, division=division)
    builder.add("Untrained", 0, {("match_fraction", ""): 0.95}, division="open")
    table = pages.boards(render_board(builder, tmp_path))[0]
    ranks = {row[1].one("a").text: row[0].text for row in pages.rows(table)}
    expected = {"first": "1", "second": "1", "third": "2", "fourth": "2", "Untrained": "–"}
    assert ranks == expected


def test_a_score_of_an_undeclared_metric_is_shown_under_its_name(tmp_path: Path) -> None:
    builder = fx.Builder()
    builder.add("m", 0, {("auroc", ""): 0.75, ("novel<i>", ""): 0.25})
    render_page(builder, tmp_path)
    [path] = (tmp_path / "models").iterdir()
    row = next(r for r in pages.parse(path).all("tr") if "novel<i>" in r.text)
    assert "0.250" in row.text


def test_vendored_files_are_those_that_are_named(site: Path) -> None:
    vendored = site / "static" / "vendor"
    listed = (vendored / "VENDORED.md").read_text(encoding="utf-8")
    scripts = sorted(vendored.glob("*.js"))
    assert len(scripts) == 3
    for path in scripts:
        line = next(line for line in listed.splitlines() if line.startswith(f"| `{path.name}`"))
        assert hashlib.sha256(path.read_bytes()).hexdigest() in line
        [licence] = re.findall(r"`([\w-]+-LICENSE\.txt)`", line)
        assert (vendored / licence).is_file()


def test_importing_the_package_is_light() -> None:
    code = (
        "import sys, motifidelity.leaderboard as l;"
        "bad = {'pandas', 'jinja2', 'numpy'} & set(sys.modules);"
        "sys.exit(str(bad) if bad else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
