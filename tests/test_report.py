"""Tables in documents: they say what the registry holds, and the committed ones are up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from motifidelity.errors import UserError
from motifidelity.metrics.declare import all_metrics
from motifidelity.registry import Registry
from motifidelity.report import Report, published, write_report

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = "Before.\n\n<!-- table: {} -->\n{}<!-- /table -->\n\nAfter.\n"


@pytest.fixture(scope="module")
def baselines():
    return Registry(ROOT / "baselines")


@pytest.fixture(scope="module")
def report(baselines):
    return Report(baselines)


def rows_of(table):
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]
    ]


def test_the_committed_documents_are_up_to_date(baselines):
    assert write_report(baselines, DOCUMENTS, check=True) == []


def test_a_block_is_replaced_and_nothing_else(baselines, report, tmp_path):
    document = tmp_path / "page.md"
    document.write_text(BLOCK.format("cost", "| old |\n") + "| cost |\n")
    assert write_report(baselines, [document], check=True) == [document]
    assert "| old |" in document.read_text()
    assert write_report(baselines, [document]) == [document]
    expected = BLOCK.format("cost", report.table("cost") + "\n") + "| cost |\n"
    assert document.read_text() == expected
    assert write_report(baselines, [document]) == []


def test_a_table_that_does_not_exist_is_named_with_the_near_one(baselines, tmp_path):
    document = tmp_path / "page.md"
    document.write_text(BLOCK.format("costs", ""))
    with pytest.raises(UserError, match="cost"):
        write_report(baselines, [document])


def test_means_are_those_of_the_registry(baselines, report):
    tables = baselines.tables()
    scores = tables.scores.merge(tables.jobs[["result_id", "task", "model", "params", "profile"]])
    for row in rows_of(report.table("results motif-classes")):
        model, activation = row[0].split()
        mine = scores[
            (scores["model"] == model)
            & scores["params"].str.contains(f'"{activation}"')
            & (scores["task"] == "motif-classes@1")
            & (scores["profile"] == "full")
            & (scores["metric"] == "aupr")
            & scores["target"].isna()
        ]["value"]
        assert row[1] == str(len(mine))
        assert row[3].split()[0] == f"{mine.mean():.3f}"


def test_every_published_cell_that_was_run_is_compared(baselines, report):
    jobs = baselines.jobs()
    run = {
        (row.model, activation)
        for row in jobs.itertuples()
        for activation in published()["activation"].unique()
        if f'"{activation}"' in row.params and row.status == "ok" and row.profile == "full"
    }
    table = published()
    table = table[table["metric"] == "paper_attribution_auroc"]
    assert len(table) == 64
    shown = {tuple(row[:3]) for row in rows_of(report.table("published attribution"))}
    expected = {
        (row.model, row.activation, row.method)
        for row in table.itertuples()
        if (row.model, row.activation) in run
    }
    assert shown == expected


def test_every_metric_is_in_a_table_with_its_range(report):
    families = {metric.family for metric in all_metrics().values()}
    names = [
        row[0].strip("`")
        for family in families
        for row in rows_of(report.table(f"metrics {family}"))
    ]
    assert sorted(names) == sorted(all_metrics())
