"""Tables of a report say what the registry holds, cell by cell and backend by backend."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
import registry_rows as rr
import study_rows

from motifidelity.metrics.declare import all_metrics
from motifidelity.registry import Registry
from motifidelity.report.tables import DocumentTables
from motifidelity.study.claims import CLAIMS, NOT_RUN
from motifidelity.study.published import published

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def baselines():
    return Registry(ROOT / "baselines")


@pytest.fixture(scope="module")
def report(baselines):
    return DocumentTables(baselines)


def rows_of(table):
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]
    ]


def test_means_are_those_of_the_registry(baselines, report):
    tables = baselines.tables()
    columns = ["result_id", "task", "model", "params", "profile", "backend"]
    scores = tables.scores.merge(tables.jobs[columns])
    for row in rows_of(report.table("results motif-classes@1")):
        model, activation = row[0].split()
        mine = scores[
            (scores["model"] == model)
            & scores["params"].str.contains(f'"{activation}"')
            & (scores["task"] == "motif-classes@1")
            & (scores["profile"] == "full")
            & (scores["backend"] == "tensorflow")
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
        if f'"{activation}"' in row.params
        and (row.status, row.profile, row.backend) == ("ok", "full", "tensorflow")
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


@pytest.fixture
def two_backends(tmp_path):
    registry = Registry(tmp_path / "registry")
    for backend, value in (("tensorflow", 0.6), ("jax", 0.9)):
        for trial in range(2):
            scores = {
                ("auroc", ""): value,
                ("aupr", ""): value,
                ("paper_attribution_auroc", "saliency"): value,
            }
            study_rows.add(registry, "CNN-local", "relu", trial, scores, backend=backend)
    return registry


@pytest.mark.parametrize(
    ("backend", "value", "other"), [("tensorflow", "0.600", "jax"), ("jax", "0.900", "tensorflow")]
)
def test_no_mean_is_over_two_backends(two_backends, backend, value, other):
    report = DocumentTables(two_backends, backend)
    assert report.left_out == {other: 2}
    [row] = rows_of(report.table("results regulatory-code@1"))
    assert row[:3] == ["CNN-local relu", "2", f"{value} ± 0.000"]
    [row] = rows_of(report.table("published attribution"))
    assert row[4:6] == [f"{value} ± 0.000", "2"]
    [row] = rows_of(report.table("cost"))
    assert row[3].count("/") == 1


def test_only_results_that_a_table_could_show_are_told_as_left_out(two_backends):
    job = {"backend": "torch"}
    study_rows.add(two_backends, "CNN-local", "relu", 0, {}, **job, status="model_error")
    study_rows.add(two_backends, "CNN-local", "relu", 1, {}, **job, profile="quick")
    assert DocumentTables(two_backends).left_out == {"jax": 2}


def test_another_version_of_a_task_and_the_open_division_are_other_results(two_backends):
    scores = {("auroc", ""): 0.1, ("paper_attribution_auroc", "saliency"): 0.1}
    for job in ({"task": "regulatory-code@2"}, {"division": "open"}):
        study_rows.add(two_backends, "CNN-local", "relu", 5, scores, **job)
    report = DocumentTables(two_backends)
    [row] = rows_of(report.table("published attribution"))
    assert row[4:6] == ["0.600 ± 0.000", "2"]
    assert "0.100" not in report.table("results regulatory-code@1")


def test_every_claim_has_a_verdict_and_what_was_measured(report):
    verdicts = {row[0]: row[3] for row in rows_of(report.table("claims"))}
    measured = {row[0]: row[1:] for row in rows_of(report.table("claims measured"))}
    assert list(verdicts) == list(measured) == [claim.name for claim in CLAIMS]
    for name, (paper, corrected, trials) in measured.items():
        missing = verdicts[name] == f"**{NOT_RUN}**"
        assert missing == (paper == corrected == "–") == (trials == "0")
    assert measured["Filter motifs"][0].count("<br>") == 2


def test_a_claim_is_about_the_study_s_task_of_each_network(tmp_path):
    registry = Registry(tmp_path)
    scores = {("auroc", ""): 0.9, ("aupr", ""): 0.9}
    for activation in ("exponential", "relu"):
        for task in ("motif-classes@1", "regulatory-code@1"):
            study_rows.add(registry, "CNN-local", activation, 0, scores, task=task)
    rows = rows_of(DocumentTables(registry).table("claims measured"))
    assert [row[3] for row in rows if row[0] == "Accuracy"] == ["1"]


def test_no_mean_is_over_two_isolations_or_two_sources(tmp_path):
    registry = Registry(tmp_path)
    kinds = {
        "first": ({}, 0.6, 3),
        "contained": ({"isolation": "container"}, 0.9, 2),
        "edited": ({"model_digest": "e" * 64}, 0.8, 1),
    }
    for others, value, trials in kinds.values():
        job = {"isolation": "none", "model_digest": "a" * 64, **others}
        for activation in ("relu", "exponential"):
            for trial in range(trials):
                scores = {("auroc", ""): value, ("aupr", ""): value}
                study_rows.add(registry, "CNN-local", activation, trial, scores, **job)
    report = DocumentTables(registry)
    assert report.unlike == {
        "CNN-local on regulatory-code@1 (isolation container)": 4,
        f"CNN-local on regulatory-code@1 (source {'e' * 24}…)": 2,
    }
    rows = rows_of(report.table("results regulatory-code@1"))
    assert [row[:3] for row in rows] == [
        ["CNN-local exponential", "3", "0.600 ± 0.000"],
        ["CNN-local relu", "3", "0.600 ± 0.000"],
    ]
    measured = {row[0]: row for row in rows_of(report.table("claims measured"))}
    assert measured["Accuracy"][3] == "3"


def test_the_later_of_two_results_of_one_trial_counts(tmp_path):
    registry = Registry(tmp_path)
    for hour, value in ((2, 0.9), (1, 0.6)):
        scores = {("auroc", ""): value, ("paper_attribution_auroc", "saliency"): value}
        started = rr.STARTED + timedelta(hours=hour)
        study_rows.add(registry, "CNN-local", "relu", 0, scores, started=started)
    report = DocumentTables(registry)
    [row] = rows_of(report.table("results regulatory-code@1"))
    assert row[1:3] == ["1", "0.900"]
    [row] = rows_of(report.table("published attribution"))
    assert row[4:6] == ["0.900", "1"]
    assert report.unlike == {}


def test_other_parameters_have_their_own_rows_and_no_place_beside_the_study(tmp_path):
    registry = Registry(tmp_path)
    for number in range(3):
        scores = {("auroc", ""): number / 10, ("paper_attribution_auroc", "saliency"): 0.5}
        params = json.dumps({"activation": "relu", "stddev": number})
        study_rows.add(registry, "CNN-local", "relu", 0, scores, params=params)
    report = DocumentTables(registry)
    rows = rows_of(report.table("results regulatory-code@1"))
    assert [row[:3] for row in rows] == [
        [f"CNN-local relu stddev={number}", "1", f"0.{number}00"] for number in range(3)
    ]
    assert [row[2] for row in rows_of(report.table("cost"))] == [
        f"relu stddev={number}" for number in range(3)
    ]
    assert rows_of(report.table("published attribution")) == []
    assert {row[3] for row in rows_of(report.table("claims"))} == {f"**{NOT_RUN}**"}
