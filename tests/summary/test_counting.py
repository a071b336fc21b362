"""Which result of a trial counts is one rule, whoever reads the registry."""

from __future__ import annotations

import itertools
import json
import re
from datetime import timedelta

import numpy as np
import pytest
import registry_rows as rr

from motifidelity.cli.scores import print_scores
from motifidelity.leaderboard.site import gather
from motifidelity.leaderboard.standings import standings
from motifidelity.metrics.declare import all_metrics
from motifidelity.registry import Registry, Result
from motifidelity.registry.counting import of_own_training, which_count
from motifidelity.report.tables import DocumentTables
from motifidelity.summary.query import Query, results, run_sql
from motifidelity.summary.ranks import compare, rank

ORIGIN = {"task": "motif-classes@1", "profile": "full", "division": "closed", "isolation": "none"}
ORIGIN |= {"model": "CNN", "backend": "tensorflow", "params": '{"activation": "relu"}'}
ORIGIN |= {"trial": 0, "seed": 0, "epochs": 1, "seconds_fit": 60.0}


def record(registry, minute, status, value, job_id, **columns):
    started = rr.STARTED + timedelta(minutes=minute)
    job = rr.row("jobs", full=False, status=status, started=started, **ORIGIN | columns)
    scores = [rr.row("scores", full=False, metric="auroc", value=value)] if value else []
    registry.record(Result({**job, "job_id": job_id}, scores), when=started)


def by_page(registry, capfd):
    tables = registry.readable().tables
    frame = standings(gather(tables, all_metrics()))
    [value] = frame[frame["model"] == "CNN"]["accuracy"]
    return value


def by_results(registry, capfd):
    [value] = results(registry, model="CNN")["mean"]
    return value


def by_trial(registry, capfd):
    found = results(registry, model="CNN", per_trial=True)
    [value] = found["value"]
    return value


def by_rank(registry, capfd):
    found = rank(registry, Query())
    [value] = found[found["label"] == "CNN activation=relu"]["mean"]
    return value


def by_compare(registry, capfd):
    [row] = compare(registry, Query()).to_dict("records")
    sign = 1 if row["first"] == "CNN activation=relu" else -1
    return 0.5 + sign * row["difference"]


def by_sql(registry, capfd):
    text = "select value from jobs left join scores using (result_id) where model = 'CNN'"
    [value] = run_sql(registry, text)["value"].to_pylist()
    return value


def by_report(registry, capfd):
    lines = DocumentTables(registry).table("results motif-classes@1").splitlines()
    [cells] = [re.split(r"\s*\|\s*", line) for line in lines if line.startswith("| CNN ")]
    assert cells[2] == "1"
    return float(cells[3])


def by_run(registry, capfd):
    capfd.readouterr()
    print_scores(registry, [registry.jobs()["job_id"].iloc[0]], registry.folder, as_json=True)
    [row] = json.loads(capfd.readouterr().out)["scores"]
    return row["mean"]


READERS = (by_page, by_results, by_trial, by_rank, by_compare, by_sql, by_report, by_run)
HISTORIES = {
    "ok then infra_error": ([("ok", 0.9), ("infra_error", None)], 0.9),
    "infra_error then ok": ([("infra_error", None), ("ok", 0.9)], 0.9),
    "two oks": ([("ok", 0.8), ("ok", 0.9)], 0.9),
    "ok, infra_error, ok": ([("ok", 0.8), ("infra_error", None), ("ok", 0.9)], 0.9),
}


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("alike", [True, False], ids=["one job", "a job each"])
@pytest.mark.parametrize("name", HISTORIES)
def test_the_latest_result_counts_and_an_infrastructure_error_never_replaces_one(
    tmp_path, capfd, name, alike, read
):
    """A job each: of other images, the ids of which do not sort by time."""
    registry = Registry(tmp_path)
    history, expected = HISTORIES[name]
    for minute, (status, value) in enumerate(history):
        record(registry, minute, status, value, ("a" if alike else "cba"[minute]) * 24)
    record(registry, 0, "ok", 0.5, "f" * 24, model="other", model_digest="other")
    assert read(registry, capfd) == pytest.approx(expected)


@pytest.mark.parametrize("read", READERS)
def test_a_later_scoring_of_an_old_training_does_not_replace_a_later_training(
    tmp_path, capfd, read
):
    registry = Registry(tmp_path)
    record(registry, 5, "ok", 0.9, "a" * 24)
    record(registry, 1, "ok", 0.8, "b" * 24)
    record(registry, 0, "ok", 0.5, "f" * 24, model="other", model_digest="other")
    assert read(registry, capfd) == pytest.approx(0.9)


def test_the_rule_itself():
    statuses = ["ok", "infra_error", "model_error"]
    for length in (1, 2, 3):
        for ended in itertools.product(statuses, repeat=length):
            verdicts = [i for i, status in enumerate(ended) if status != "infra_error"]
            last = (verdicts or range(length))[-1]
            assert np.flatnonzero(which_count([0] * length, ended)).tolist() == [last]
    assert which_count("abab", ["ok"] * 4) == [False, False, True, True]
    assert which_count([], []) == []


def test_a_run_that_was_stopped_before_its_first_result_prints_no_scores(tmp_path, capsys):
    print_scores(Registry(tmp_path), ["0" * 24], tmp_path / "index.html")
    assert capsys.readouterr().out == f"Leaderboard: {tmp_path / 'index.html'}\n"


def test_a_network_is_of_the_first_version_that_it_has_a_result_of():
    tasks = ["t@1", "t@2", "t@10", "t@2", "u@2"]
    networks = ["one", "one", "one", "two", "three"]
    assert of_own_training(tasks, networks) == [True, False, False, True, True]
    assert of_own_training(tasks[::-1], networks[::-1]) == [True, True, False, False, True]
