"""Documents hold a registry's tables and figures, and the committed ones are up to date."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import study_rows
from click.testing import CliRunner

from motifidelity.cli.report import command
from motifidelity.errors import DataError, UserError
from motifidelity.leaderboard import draw_figures
from motifidelity.metrics.declare import all_metrics
from motifidelity.registry import Registry
from motifidelity.report.documents import BLOCK, write_report
from motifidelity.report.figures import PAGES, ReportFigures
from motifidelity.report.tables import DocumentTables

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
HOLDER = "Before.\n\n<!-- {0}: {1} -->\n{2}<!-- /{0} -->\n\nAfter.\n"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def report():
    return DocumentTables(Registry(ROOT / "baselines"))


@pytest.fixture
def document(tmp_path):
    return tmp_path / "page.md"


@pytest.fixture
def one_result(tmp_path):
    registry = Registry(tmp_path / "registry")
    scores = {("auroc", ""): 0.9, ("aupr", ""): 0.9, ("match_fraction", ""): 0.5}
    study_rows.add(registry, "CNN-deep", "relu", 0, scores)
    return DocumentTables(registry)


def test_the_committed_documents_and_figures_are_up_to_date(report):
    assert write_report(report, DOCUMENTS, check=True) == []


def test_every_committed_figure_is_shown_by_a_page_with_words_for_those_who_cannot_see_it():
    shown = {}
    for path in DOCUMENTS:
        for words, target in re.findall(r"!\[([^\]]*)\]\(([^)]*\.svg)\)", path.read_text()):
            shown[(path.parent / target).resolve()] = words
    assert set(shown) == set((ROOT / "docs" / "figures").iterdir())
    assert all(len(words) > 40 for words in shown.values())


def test_a_block_is_replaced_and_nothing_else(report, document):
    document.write_text(HOLDER.format("table", "cost", "| old |\n") + "| cost |\n")
    assert write_report(report, [document], check=True) == [document]
    assert "| old |" in document.read_text()
    assert write_report(report, [document]) == [document]
    table = report.table("cost") + "\n"
    assert document.read_text() == HOLDER.format("table", "cost", table) + "| cost |\n"
    assert write_report(report, [document]) == []


@pytest.mark.parametrize("end", ["", "<!-- /tabel -->\n", "<!-- /figure -->\n"])
@pytest.mark.parametrize("after", ["", HOLDER.format("table", "tasks", "| old |\n")])
def test_a_block_without_an_end_is_told_by_its_line_and_nothing_is_lost(
    report, tmp_path, end, after
):
    good, bad = tmp_path / "good.md", tmp_path / "bad.md"
    good.write_text(HOLDER.format("table", "cost", ""))
    bad.write_text(f"Before.\n\n<!-- table: cost -->\n| old |\n{end}By hand.\n{after}")
    before = good.read_bytes(), bad.read_bytes()
    with pytest.raises(UserError, match=r"bad\.md:3: .*<!-- /table -->"):
        write_report(report, [good, bad])
    assert (good.read_bytes(), bad.read_bytes()) == before


def test_a_figure_is_a_file_beside_the_document(report, document):
    document.write_text(HOLDER.format("figure", "published-localisation", ""))
    figure = document.parent / "figures" / "published-localisation.svg"
    assert set(write_report(report, [document], check=True)) == {document, figure}
    assert not figure.exists()
    assert set(write_report(report, [document])) == {document, figure}
    first = figure.read_bytes()
    assert "](figures/published-localisation.svg)" in document.read_text()
    assert write_report(report, [document]) == []
    figure.write_text("<svg/>")
    assert write_report(report, [document], check=True) == [figure]
    write_report(DocumentTables(Registry(ROOT / "baselines")), [document])
    assert figure.read_bytes() == first


def test_figures_stand_alone_on_a_light_ground(report):
    for path in (ROOT / "docs" / "figures").iterdir():
        root = ET.parse(path).getroot()
        ground = root.find(f"{SVG}rect")
        assert ground is not None, path
        assert ground.get("fill") == "#fdfdfb"
        box = [float(number) for number in root.get("viewBox").split()]
        size = [ground.get("width"), ground.get("height")]
        assert size == ["100%", "100%"] or [float(number) for number in size] == box[2:]
        assert root.find(f"{SVG}title").text
        assert "var(" not in path.read_text()
        # nothing is loaded from elsewhere
        assert re.findall(r"(?:href|src|url)\b", path.read_text()) == []


@pytest.mark.parametrize(
    ("kind", "name", "near"),
    [
        ("table", "costs", "cost"),
        ("figure", "published-atribution", "published-attribution"),
        ("figure", "motif-classes-1-aurpc", "motif-classes-1-aupr"),
    ],
)
def test_a_name_that_does_not_exist_is_told_with_the_near_one(report, tmp_path, kind, name, near):
    good, bad = tmp_path / "good.md", tmp_path / "bad.md"
    good.write_text(HOLDER.format("table", "cost", ""))
    bad.write_text(HOLDER.format(kind, name, ""))
    before = good.read_bytes()
    with pytest.raises(UserError, match=near):
        write_report(report, [good, bad])
    assert good.read_bytes() == before
    assert not (tmp_path / "figures").exists()


def test_every_figure_of_the_pages_has_a_name_that_is_known_without_results(report, one_result):
    little = ReportFigures(one_result)
    for figure in draw_figures(report.tables, PAGES, metrics=all_metrics()):
        little.figure(figure.name)


def test_a_figure_of_a_task_without_results_says_so(one_result, document):
    document.write_text(HOLDER.format("figure", "regulatory-code-1-aupr", "![old](old.svg)\n"))
    write_report(one_result, [document])
    assert document.read_text() == HOLDER.format(
        "figure", "regulatory-code-1-aupr", "*No result to draw yet.*\n"
    )
    assert not (document.parent / "figures").exists()


def test_one_trial_fills_every_block_that_can_be_filled(one_result, document):
    blocks = BLOCK.findall((ROOT / "docs" / "reproduction.md").read_text())
    document.write_text("".join(HOLDER.format(kind, name, "") for _, kind, name, _ in blocks))
    write_report(one_result, [document])
    text = document.read_text()
    assert "](figures/motif-classes-1-match_fraction.svg)" in text
    assert "](figures/motif-classes-1-localisation_auroc-filter.svg)" not in text
    assert "0 of 64 published scores were run" in text
    assert "nan" not in text


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), (b"\xff\xfe", "UTF-8")])
def test_a_document_that_cannot_be_read_is_named(report, document, content, said):
    if content is not None:
        document.write_bytes(content)
    with pytest.raises(DataError, match=f"page.md: .*{said}"):
        write_report(report, [document])


def test_the_command_says_what_it_wrote_and_which_backends_it_left_out(tmp_path, document):
    registry = Registry(tmp_path / "registry")
    for backend in ("tensorflow", "jax"):
        study_rows.add(registry, "CNN-deep", "relu", 0, {("auroc", ""): 0.9}, backend=backend)
    document.write_text(HOLDER.format("table", "cost", ""))
    options = [str(document), "--registry", str(tmp_path / "registry")]
    run = CliRunner().invoke(command, [*options, "--check"], standalone_mode=False)
    assert run.return_value == 1
    assert "page.md: out of date" in run.output
    run = CliRunner().invoke(command, options, standalone_mode=False)
    assert run.return_value == 0
    assert "page.md: written" in run.output
    assert "1 result of jax left out; --backend jax" in run.output


def test_the_command_says_which_unlike_results_it_left_out(tmp_path, document):
    registry = Registry(tmp_path / "registry")
    for trial, isolation in ((0, "none"), (1, "none"), (0, "container")):
        study_rows.add(registry, "CNN-deep", "relu", trial, {}, isolation=isolation)
    document.write_text(HOLDER.format("table", "cost", ""))
    options = [str(document), "--registry", str(tmp_path / "registry")]
    run = CliRunner().invoke(command, options, standalone_mode=False)
    assert "1 result of CNN-deep on motif-classes@1 (isolation container) left out" in run.output
    assert "| 10 / 10 |" in document.read_text()
