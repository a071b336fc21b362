from __future__ import annotations

import leaderboard_fixtures as fx
import numpy as np
import pandas as pd
import pytest

from motifidelity.summary.runs import summarise


def only(table: pd.DataFrame, **wanted: object) -> pd.Series:
    for column, value in wanted.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_means_and_spreads_equal_pandas_own() -> None:
    tables = fx.realistic()
    joined = tables.scores.merge(tables.jobs, on="result_id")
    expected = joined.fillna({"method": "", "target": ""}).groupby(
        ["task", "profile", "model", "params", "metric", "method", "target"]
    )["value"]
    summary = summarise(tables)
    runs = summary.trials.drop_duplicates("run").set_index("run")
    got = summary.scores.join(runs[["task", "profile", "model", "params"]], on="run").set_index(
        ["task", "profile", "model", "params", "metric", "method", "target"]
    )
    assert len(got) == expected.ngroups
    for column, values in (("mean", expected.mean()), ("sd", expected.std(ddof=1))):
        np.testing.assert_allclose(
            got[column].astype(float), values.reindex(got.index), rtol=1e-12, equal_nan=True
        )
    assert (got["n"] == expected.count().reindex(got.index)).all()


def test_a_failed_trial_stays_in_the_denominator() -> None:
    builder = fx.Builder()
    builder.add("m", 0, {("auroc", ""): 0.8})
    builder.add("m", 1, status="oom")
    builder.add("m", 2, {("auroc", ""): 0.9})
    row = summarise(builder.tables()).scores.iloc[0]
    assert (row["mean"], row["n"], row["num_trials"]) == (pytest.approx(0.85), 2, 3)


def test_an_undefined_value_is_left_out_of_mean_and_n() -> None:
    builder = fx.Builder()
    for trial, value in enumerate((0.8, float("nan"), float("inf"))):
        builder.add("m", trial, {("auroc", ""): value})
    row = summarise(builder.tables()).scores.iloc[0]
    assert (row["mean"], row["n"], row["num_trials"]) == (0.8, 1, 3)
    assert np.isnan(row["sd"])


def test_the_later_of_two_results_of_one_trial_counts() -> None:
    builder = fx.Builder()
    builder.add("m", 0, {("auroc", ""): 0.9}, minute=5)
    builder.add("m", 0, {("auroc", ""): 0.6}, minute=1)
    summary = summarise(builder.tables())
    assert summary.scores["mean"].tolist() == [0.9]
    assert summary.trials["counted"].tolist() == [False, True]


@pytest.mark.parametrize("minute", [1, 9])
def test_an_infrastructure_error_never_replaces_a_verdict(minute: int) -> None:
    builder = fx.Builder()
    builder.add("m", 0, {("auroc", ""): 0.9}, minute=5)
    builder.add("m", 0, status="infra_error", minute=minute)
    summary = summarise(builder.tables())
    assert only(summary.trials, counted=True)["status"] == "ok"
    assert summary.scores["n"].tolist() == [1]


def test_a_later_model_error_replaces_an_earlier_success() -> None:
    builder = fx.Builder()
    builder.add("m", 0, {("auroc", ""): 0.9}, minute=1)
    builder.add("m", 0, status="model_error", minute=5)
    assert summarise(builder.tables()).scores.empty


def test_a_rescored_metric_counts_once_in_its_newest_version() -> None:
    builder = fx.Builder()
    result = builder.add("m", 0, {("auroc", ""): 0.5})
    builder.score(result, "auroc", 0.7, None)
    builder.rows["scores"][-1]["metric_version"] = np.int32(2)
    scores = summarise(fx.shuffled(builder.tables())).scores
    assert (scores["mean"].tolist(), scores["n"].tolist()) == ([0.7], [1])


@pytest.mark.parametrize(
    "change",
    [
        {"profile": "quick"},
        {"task_digest": "another"},
        {"dataset_digest": "another"},
        {"isolation": "none"},
        {"division": "open"},
        {"model_digest": "another"},
    ],
)
def test_unlike_results_are_never_averaged(change: dict[str, object]) -> None:
    builder = fx.Builder()
    builder.add("m", 0, {("auroc", ""): 0.9})
    builder.add("m", 1, {("auroc", ""): 0.5}, **change)
    assert sorted(summarise(builder.tables()).scores["mean"]) == [0.5, 0.9]


def test_tables_are_not_changed() -> None:
    tables = fx.realistic()
    before = {name: getattr(tables, name).copy(deep=True) for name in ("jobs", "scores")}
    summarise(tables)
    for name, frame in before.items():
        pd.testing.assert_frame_equal(getattr(tables, name), frame)


def test_a_missing_column_is_named() -> None:
    tables = fx.realistic()
    broken = fx.replace(tables, jobs=tables.jobs.drop(columns="seed"))
    with pytest.raises(ValueError, match=r"'jobs' has no column seed"):
        summarise(broken)
