"""Questions to a registry: against pandas on the same tables, and what is refused."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from query_rows import STARTED, job, score
from scipy import stats

import motifidelity
from motifidelity.errors import UserError
from motifidelity.registry import Registry, Result, schema
from motifidelity.summary.query import Query, columns, results, run_sql
from motifidelity.summary.ranks import compare, rank
from motifidelity.summary.runs import summarise


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """Two models with spread, one that failed in part, one that failed always."""
    registry = Registry(tmp_path_factory.mktemp("registry"))
    rng = np.random.default_rng(0)
    for model, level in (("good", 0.9), ("poor", 0.6)):
        for trial in range(4):
            scores = [score("auroc", rng.normal(level, 0.01)), score("auroc", 0.5, target="MAX")]
            scores += [score("attribution_auroc", rng.normal(level, 0.02), m) for m in ("ism", "s")]
            registry.record(Result(job(model, trial), scores))
    for trial in range(3):
        status = "oom" if trial == 1 else "ok"
        scores = [score("auroc", 0.7 + trial / 10)] if status == "ok" else []
        registry.record(Result(job("shaky", trial, status=status), scores))
    registry.record(Result(job("dead", 0, status="model_error", message="it | failed")))
    registry.record(Result(job("good", 0, task="regulatory-code@1"), [score("auroc", 0.8)]))
    return registry


# averages


def test_means_spreads_and_intervals_equal_pandas_and_scipy_on_the_same_tables(registry):
    found = results(registry, task="motif-classes").dropna(subset="metric")
    tables = registry.tables()
    joined = tables.scores[tables.scores["target"].isna()].merge(
        tables.jobs[tables.jobs["task"] == "motif-classes@1"], on="result_id"
    )
    expected = joined.fillna({"method": "-"}).groupby(["model", "metric", "method"])["value"]
    assert len(found) == expected.ngroups
    for row in found.fillna({"method": "-"}).to_dict("records"):
        values = expected.get_group((row["model"], row["metric"], row["method"]))
        assert row["mean"] == pytest.approx(values.mean())
        assert row["sd"] == pytest.approx(values.std())
        interval = stats.ttest_1samp(values, 0).confidence_interval(0.95)
        assert row["low"] == pytest.approx(max(interval.low, 0))
        assert row["high"] == pytest.approx(min(interval.high, 1))


def test_maps_are_read_in_their_own_way_unless_another_is_asked_for(tmp_path):
    registry = Registry(tmp_path)
    scores = [score("auroc", 0.9)]
    for reading, value in (("own", 0.8), ("signed", 0.7), ("magnitude", 0.6)):
        scores.append(score("attribution_auroc", value, "ism", reading=reading))
    registry.record(Result(job("one", 0), scores))
    found = results(registry)
    assert sorted(zip(found["metric"], found["mean"], strict=True)) == [
        ("attribution_auroc", 0.8),
        ("auroc", 0.9),
    ]
    found = results(registry, reading=["signed", "magnitude"])
    columns = ["metric", "reading", "mean"]
    assert sorted(results(registry, reading="signed", columns=columns).values.tolist()) == [
        ["attribution_auroc", "signed", 0.7]
    ]
    assert sorted(found["mean"]) == [0.6, 0.7]
    with pytest.raises(UserError, match="reading 'sign'"):
        results(registry, reading="sign")
    tables = registry.readable().tables
    (mine,) = [m for m in summarise(tables).scores.to_dict("records") if m["method"] == "ism"]
    assert mine["mean"] == 0.8


def test_a_mean_shows_failed_and_missing_trials(registry):
    row = results(registry, model="shaky").iloc[0]
    assert row["mean"] == pytest.approx((0.7 + 0.9) / 2)
    # the task's full profile has ten trials, three were run, one failed
    assert row["coverage"] == "2/10"
    assert (row["done"], row["failed"], row["missing"], row["expected"]) == (2, 1, 7, 10)


@pytest.mark.parametrize("metric", [(), "auroc"])
def test_a_model_that_always_failed_is_a_row_without_a_score(registry, metric):
    (row,) = results(registry, model="dead", metric=metric).to_dict("records")
    assert pd.isna(row["metric"])
    assert pd.isna(row["mean"])
    assert (row["coverage"], row["failed"]) == ("0/10", 1)


def test_rows_that_nobody_submits_are_expected_once_each(tmp_path):
    registry = Registry(tmp_path)
    registry.record(Result(job("true motifs", 0, division="reference"), [score("auroc", 1.0)]))
    assert results(registry)["coverage"].tolist() == ["1/1"]


def test_an_undefined_value_is_not_counted(tmp_path):
    registry = Registry(tmp_path)
    for trial, value in enumerate((0.5, float("nan"), float("inf"), 0.7)):
        registry.record(Result(job("m", trial), [score("auroc", value)]))
    row = results(registry).iloc[0]
    assert (row["mean"], row["done"]) == (pytest.approx(0.6), 2)


def test_the_later_result_of_a_trial_counts_but_an_infrastructure_error_never_replaces_it(tmp_path):
    registry = Registry(tmp_path)
    for minute, (status, value) in enumerate([("ok", 0.1), ("ok", 0.9), ("infra_error", None)]):
        row = job("m", 0, status=status, started=STARTED + timedelta(minutes=minute))
        row["job_id"] = f"on image {minute}"
        registry.record(Result(row, [score("auroc", value)] if value else []))
    (row,) = results(registry).to_dict("records")
    assert (row["mean"], row["done"], row["failed"]) == (0.9, 1, 0)


def test_mixed_versions_of_a_metric_are_shown(tmp_path):
    registry = Registry(tmp_path)
    for trial in range(2):
        scores = [score("auroc", 0.5, metric_version=trial + 1)]
        registry.record(Result(job("m", trial), scores))
    assert results(registry)["metric_version"].tolist() == ["1-2"]


# filters, columns, order


def test_filters_leave_what_they_name(registry):
    def found(column, **asked):
        return sorted(set(results(registry, **asked)[column].dropna()))

    assert found("model", model=["good", "poor"]) == ["good", "poor"]
    assert found("task", task="regulatory-code") == ["regulatory-code@1"]
    assert found("task", task="motif-classes@1") == ["motif-classes@1"]
    assert found("metric", family="accuracy") == ["auroc"]
    assert found("method", method="ism") == ["ism"]
    assert found("method", method="none") == []
    assert found("model", status="oom") == ["shaky"]
    assert found("target") == []
    assert found("target", per_class=True) == ["MAX"]


def test_parameters_are_filters(tmp_path):
    registry = Registry(tmp_path)
    for number, params in enumerate(
        ({"activation": "relu", "rate": 1.0}, {"activation": "relu", "rate": 0.5}, {"heads": 4})
    ):
        row = job("m", 0, params=json.dumps(params))
        registry.record(Result({**row, "job_id": str(number)}, [score("auroc", number / 10)]))

    def found(*asked, **more):
        return results(registry, param=asked, **more)["mean"].tolist()

    assert sorted(found("activation=relu")) == [0.0, 0.1]
    assert found("activation=relu", "rate=1") == [0.0]
    assert sorted(found("rate=1", "rate=0.5")) == [0.0, 0.1]
    assert found("heads=4", "activation=relu") == []
    for asked, message in (
        ("head=4", "unknown parameter 'head'; did you mean heads?"),
        ("activation=rellu", "unknown value of parameter activation 'rellu'; did you mean relu?"),
        ("heads", "param heads: write it as name=value"),
    ):
        with pytest.raises(UserError, match=re.escape(message)):
            found(asked)


def test_a_run_started_with_the_first_of_its_trials(tmp_path):
    registry = Registry(tmp_path)
    for trial, hour in ((0, 5), (1, 2), (2, 9)):
        row = job("m", trial, started=STARTED + timedelta(hours=hour))
        registry.record(Result(row, [score("auroc", 0.5)]))
    (started,) = results(registry, columns="started")["started"]
    assert started == pd.Timestamp(STARTED + timedelta(hours=2))


def test_trials_are_rows_and_a_failed_one_is_a_row_without_a_score(registry):
    found = results(registry, model="shaky", per_trial=True)
    assert found["trial"].tolist() == [0, 1, 2]
    assert found["status"].tolist() == ["ok", "oom", "ok"]
    assert found["value"].isna().tolist() == [False, True, False]
    failed = results(registry, per_trial=True, status=["oom", "model_error"])
    assert failed["model"].tolist() == ["dead", "shaky"]


def test_columns_and_order_are_as_asked(registry):
    found = results(
        registry, metric="auroc", columns=("mean", "model"), sort=("task", "-mean")
    ).dropna()
    assert list(found.columns) == ["mean", "model"]
    assert found["model"].tolist() == ["good", "shaky", "poor", "good"]


@pytest.mark.parametrize("per_trial", [False, True])
def test_every_listed_column_can_be_asked_for(registry, per_trial):
    names = columns(per_trial)
    assert len(set(names)) == len(names)
    assert tuple(results(registry, columns=names, per_trial=per_trial).columns) == names


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"metric": "aurok"}, "unknown metric 'aurok'; did you mean auroc"),
        ({"model": "god"}, "unknown model 'god'; did you mean good"),
        ({"task": "motif-clases"}, "did you mean motif-classes"),
        ({"columns": "men"}, "unknown column 'men'; did you mean mean"),
        ({"sort": "-men"}, "unknown column 'men'; did you mean mean"),
        ({"modle": "good"}, "unknown filter 'modle'; did you mean model"),
        ({"level": 95}, "level 95 is not between 0 and 1"),
    ],
)
def test_what_is_not_known_is_refused_with_the_near_names(registry, asked, message):
    with pytest.raises(UserError) as error:
        results(registry, **asked)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_value_with_quotes_is_a_value_and_not_sql(registry):
    with pytest.raises(UserError, match="unknown model"):
        results(registry, model="x' or '1'='1")


def test_an_empty_registry_gives_an_empty_table(tmp_path):
    (tmp_path / "nothing").mkdir()
    found = motifidelity.results(tmp_path / "nothing")
    assert len(found) == 0
    assert tuple(found.columns) == columns(False)


def test_the_python_call_is_loaded_only_when_it_is_used():
    code = (
        "import sys, motifidelity\n"
        "assert not {'duckdb', 'pandas', 'pyarrow', 'scipy'} & set(sys.modules)\n"
        "motifidelity.results\n"
        "assert 'duckdb' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# SQL


def test_sql_sees_the_latest_results_alone(tmp_path):
    registry = Registry(tmp_path)
    for value in (0.1, 0.9):
        registry.record(Result(job("m", 0), [score("auroc", value)]))
    found = run_sql(registry, "select value from scores join jobs using (result_id)")
    assert found.to_pydict() == {"value": [0.9]}
    for name in schema.TABLES:
        assert run_sql(registry, f"from {name.upper()}").schema.names == schema.TABLES[name].names


@pytest.mark.parametrize(
    "statement",
    [
        "select * from read_csv('{file}')",
        "select * from read_text('{file}')",
        "select * from glob('{folder}/*')",
        "select * from '{file}'",
        "select * from secret",
        "copy jobs to '{folder}/new.csv'",
        "attach '{folder}/new.db'",
        "create table t as select 1",
        "delete from jobs",
        "set enable_external_access = true",
        "select 1; select 2",
        "install httpfs",
        "selec 1",
        "select nothing_of_that_name from jobs",
        "",
    ],
)
def test_sql_can_only_read_the_views(registry, tmp_path, statement):
    secret = pd.DataFrame({"a": [1]})  # noqa: F841 - a variable that SQL must not see
    file = tmp_path / "file.csv"
    file.write_text("a,b\n1,2\n")
    with pytest.raises(UserError) as error:
        run_sql(registry, statement.format(file=file, folder=tmp_path))
    assert str(error.value).startswith("SQL: ")
    assert "\n" not in str(error.value)
    assert [p.name for p in tmp_path.iterdir()] == ["file.csv"]


# ranks and comparisons


def test_models_are_ranked_with_groups_and_the_failed_one_stands_last(registry):
    found = rank(registry, Query(task=("motif-classes",), metric=("auroc",)))
    assert found["label"].tolist() == ["good", "poor", "shaky", "dead"]
    assert found["rank"].tolist()[:2] == [1, 2]
    assert found["rank"].isna().tolist() == [False, False, True, True]
    assert found["coverage"].tolist() == ["4/10", "4/10", "2/10", "0/10"]
    assert found["group"].tolist() == ["a", "b", "provisional", ""]


def test_matched_accuracy_stands_beside_the_score(registry):
    found = rank(
        registry, Query(task=("motif-classes",), metric=("attribution_auroc",), method=("ism",))
    ).set_index("label")
    auroc = results(registry, task="motif-classes", metric="auroc").set_index("model")["mean"]
    for name in ("good", "poor"):
        assert found.loc[name, "accuracy"] == pytest.approx(auroc[name])
    assert found["pareto"].to_dict() == {"good": True, "poor": False, "dead": False}


def test_the_accuracy_of_a_regression_is_its_correlation_and_tables_say_so(bench, tmp_path):
    registry = Registry(tmp_path)
    for model, r in (("good", 0.8), ("poor", 0.6)):
        for trial in range(3):
            scores = [score("pearson", r, family="accuracy"), score("filter_f1", r / 2)]
            registry.record(Result(job(model, trial, task="site-affinity@1"), scores))
    [good, poor] = rank(registry, Query(metric=("filter_f1",))).to_dict("records")
    assert (good["label"], good["accuracy"]) == ("good", pytest.approx(0.8))
    assert (poor["label"], poor["accuracy"]) == ("poor", pytest.approx(0.6))
    status, out, err = bench("results", "rank", "--registry", tmp_path)
    assert status == 0, err
    heading = out.splitlines()[1]
    assert heading.split() == ["rank", "possible", "run", "mean", "r", "ties", "trials"]


def test_pairs_are_compared_on_equal_seeds(registry):
    found = compare(registry, Query(task=("motif-classes",), metric=("auroc",)))
    trials = results(registry, task="motif-classes", metric="auroc", per_trial=True)
    good, poor = (
        trials[trials["model"] == m].sort_values("seed")["value"] for m in ("good", "poor")
    )
    row = found[(found["first"] == "good") & (found["second"] == "poor")].iloc[0]
    # of two models with three trials or more the layout is the paired test
    assert row["test"] == "range, by seed"
    assert row["p"] == pytest.approx(stats.ttest_rel(good, poor).pvalue)
    assert row["p_adjusted"] >= row["p"]
    assert row["told"]
    shaky = found[(found[["first", "second"]] == "shaky").any(axis=1)]
    assert shaky["test"].tolist() == ["none"] * 2
    assert not shaky["told"].any()


def test_runs_of_one_name_are_told_apart(tmp_path):
    registry = Registry(tmp_path)
    for digest in ("aaaa", "bbbb"):
        row = job("m", 0, model_digest=digest * 8)
        registry.record(Result({**row, "job_id": digest}, [score("auroc", 0.5)]))
    labels = rank(registry, Query())["label"].tolist()
    assert labels == ["m @aaaaaaaa", "m @bbbbbbbb"]


def test_runs_of_another_backend_stand_apart_and_say_so(tmp_path):
    registry = Registry(tmp_path)
    for backend in ("tensorflow", "jax"):
        row = job("m", 0, backend=backend)
        registry.record(Result({**row, "job_id": backend}, [score("auroc", 0.5)]))
    assert rank(registry, Query())["label"].tolist() == ["m", "m on jax"]
    assert rank(registry, Query(backend=("jax",)))["label"].tolist() == ["m on jax"]


# the command


def test_machine_readable_forms_hold_what_the_call_returns(bench, registry):
    line = ("results", "--registry", registry.folder, "--metric", "auroc", "--columns", "all")
    expected = results(registry, metric="auroc")
    status, out, _ = bench(*line, "--format", "json")
    assert status == 0
    rows = json.loads(out)
    assert [row["mean"] for row in rows] == [
        None if pd.isna(v) else pytest.approx(v, rel=1e-14) for v in expected["mean"]
    ]
    _, out, _ = bench(*line, "--format", "csv")
    from io import StringIO

    read = pd.read_csv(StringIO(out))
    np.testing.assert_allclose(read["mean"], expected["mean"].astype(float))
    assert read["coverage"].tolist() == expected["coverage"].tolist()


def test_people_get_a_table_or_markdown_with_every_row(bench, registry):
    line = ("results", "--registry", registry.folder, "--per-trial", "--model", "dead")
    status, out, _ = bench(*line, "--columns", "model,message", "--format", "markdown")
    assert status == 0
    assert out.splitlines()[2] == "| dead | it \\| failed |"
    _, out, _ = bench("results", "--registry", registry.folder, "--sort", "-mean")
    # a heading and a line of names for each of the two tasks, with an empty line between
    assert len(out.splitlines()) == len(results(registry)) + 5
    assert max(map(len, out.splitlines())) <= 80


@pytest.fixture(scope="module")
def edited(tmp_path_factory):
    """A model before and after an edit of its file, on two backends, and a long name."""
    registry = Registry(tmp_path_factory.mktemp("edited"))
    rng = np.random.default_rng(1)
    runs = (
        ("M", {"model_digest": "3f2a91c7" * 8, "started": STARTED}),
        ("M", {"model_digest": "91c70000" * 8, "started": STARTED + timedelta(hours=3)}),
        (
            "M",
            {
                "model_digest": "91c70000" * 8,
                "backend": "jax",
                "started": STARTED + timedelta(hours=4),
            },
        ),
        ("A name of a good many words, as labs like them", {"params": '{"activation": "relu"}'}),
    )
    for number, (model, told) in enumerate(runs):
        for trial in range(3):
            scores = [score("auroc", rng.normal(0.9 - number / 20, 0.01))]
            scores += [score("attribution_auroc", rng.normal(0.8, 0.02), "saliency")]
            scores += [score("match_fraction", 0.5), score("aupr", rng.random())]
            row = job(model, trial, **{"backend": "tensorflow", **told})
            row |= {"job_id": f"{number}-{trial}"}
            registry.record(Result(row, scores))
    registry.record(
        Result(
            job("Oracle", 0, division="reference"),
            [score("auroc", 1.0), score("attribution_auroc", 0.99, "saliency")],
        )
    )
    return registry


def test_runs_of_one_name_are_told_apart_in_every_table(bench, edited):
    about = ("--registry", edited.folder)
    for line in (("--metric", "auroc"), ("rank",), ("--metric", "auroc", "--per-trial")):
        status, out, err = bench("results", *line, *about)
        assert status == 0, err
        assert max(map(len, out.splitlines())) <= 80
    _, out, _ = bench("results", "--metric", "auroc", *about)
    mine = [line for line in out.splitlines() if line.startswith("M ")]
    assert sorted(" ".join(line.split()[:5]) for line in mine) == [
        "M @3f2a91c7 of 2026-03-01 00:00",
        *["M @91c70000 of 2026-03-01 03:00"] * 2,
    ]
    assert out.count("jax") == 1
    # programs get the same columns whatever there is
    _, out, _ = bench("results", *about, "--format", "csv", "--metric", "auroc")
    assert {"model_digest", "backend", "isolation", "division", "started"} <= set(
        out.splitlines()[0].split(",")
    )


def test_two_versions_are_compared_as_they_are_called(bench, edited):
    line = ("--registry", edited.folder, "--metric", "auroc", "--format", "json")
    status, out, err = bench("results", "compare", "M@91c7 on tensorflow", "M@3f2a", *line)
    assert status == 0, err
    (row,) = json.loads(out)
    trials = results(edited, metric="auroc", model="M", per_trial=True)
    after, before = (
        trials[(trials["model_digest"] == digest * 8) & (trials["backend"] == "tensorflow")]
        for digest in ("91c70000", "3f2a91c7")
    )
    expected = stats.ttest_rel(
        after.sort_values("seed")["value"], before.sort_values("seed")["value"]
    )
    assert (row["first"], row["second"]) == ("M @91c70000", "M @3f2a91c7")
    assert row["difference"] == pytest.approx(after["value"].mean() - before["value"].mean())
    assert row["p_adjusted"] == row["p"] == pytest.approx(expected.pvalue)
    # without a score: the headlines, and nothing else
    _, out, _ = bench("results", "compare", "M@91c7 on jax", "M@3f2a", *line[:2])
    scores = [line.split("  ")[0] for line in out.splitlines()[2:]]
    assert sorted(scores) == ["attribution_auroc, saliency", "aupr", "auroc", "match_fraction"]
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        (
            ("M", "M@3f2a"),
            "'M' is 3 runs of motif-classes@1, profile full; name one: 'M @3f2a91c7'",
        ),
        (("M@3f2a", "M @3f2a91"), "are the same run of motif-classes@1: M @3f2a91c7"),
        (("M@3f2a", "M@ffff"), "no run of M has '@ffff'; there are M @3f2a91c7"),
        (("M@3f2a",), "compare takes two runs, or none"),
    ],
)
def test_what_names_no_single_run_is_one_line(bench, edited, runs, message):
    status, out, err = bench("results", "compare", *runs, "--registry", edited.folder)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_ranks_are_by_the_score_that_ranks_with_references_where_they_are_asked_for(bench, edited):
    line = ("results", "rank", "--registry", edited.folder)
    _, out, _ = bench(*line)
    assert out.startswith("motif-classes@1, profile full, closed, attribution_auroc, saliency\n")
    assert "Oracle" not in out
    _, out, _ = bench(*line, "--references", "--format", "json")
    rows = json.loads(out)
    assert [row["rank"] for row in rows] == [1, 2, 3, 4, None]
    assert (rows[-1]["label"], rows[-1]["mean"], rows[-1]["accuracy"]) == ("Oracle", 0.99, 1.0)
    _, out, _ = bench(*line, "--metric", "auroc", "--format", "json")
    assert {row["metric"] for row in json.loads(out)} == {"auroc"}


def test_a_table_of_many_columns_is_written_row_below_row(bench, edited):
    line = ("results", "--registry", edited.folder, "--metric", "auroc", "--columns", "all")
    _, out, _ = bench(*line)
    assert max(map(len, out.splitlines())) <= 80
    assert len(re.findall(r"^mean ", out, re.M)) == len(results(edited, metric="auroc"))
    assert "activation=relu" in out


def test_names_cannot_steer_the_terminal(bench, tmp_path):
    registry = Registry(tmp_path)
    registry.record(Result(job("\x1b[31mred\nline", 0), [score("auroc", 0.5)]))
    for form in ("table", "markdown"):
        _, out, _ = bench("results", "--registry", tmp_path, "--format", form)
        out = re.sub(r"\s+", " ", out)
        assert "\x1b" not in out
        assert "red line" in out


def test_subcommands_print_in_every_form(bench, registry):
    for arguments in (
        ("sql", "select model from jobs"),
        ("rank", "--metric", "auroc"),
        ("compare", "--test", "rank"),
    ):
        for form in ("table", "csv", "json", "markdown"):
            status, out, err = bench(
                "results", *arguments, "--registry", registry.folder, "--format", form
            )
            assert status == 0, err
            assert "good" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("results", "--metric", "aurok"), "did you mean auroc"),
        (("results", "--columns", "men"), "did you mean mean"),
        (("results", "--format", "xml"), "xml"),
        (("results", "sql", "selec"), "syntax error"),
        (("results", "--model", "good", "rank"), "must stand behind 'rank'"),
        (("results", "rank", "--model", "god"), "did you mean good"),
        (
            ("results", "sql", "select 1 as model, * from jobs", "--format", "json"),
            "column 'model' stands more than once",
        ),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(bench, registry, arguments, message, monkeypatch):
    monkeypatch.chdir(registry.folder.parent)
    (Path("results")).is_symlink() or Path("results").symlink_to(registry.folder)
    status, out, err = bench(*arguments)
    assert status == 2
    assert message in err
    assert err.count("\n") == 1
    assert out == ""


def test_a_missing_or_empty_registry_is_said_and_no_match_is_no_error(bench, registry, tmp_path):
    assert bench("results", "--registry", tmp_path / "none")[2].endswith(
        "give one with --registry\n"
    )
    status, _, err = bench("results", "--registry", tmp_path)
    assert (status, err.count("\n")) == (2, 1)
    assert "holds no result yet" in err
    line = ("--registry", registry.folder, "--model", "shaky", "--metric", "attribution_auroc")
    for command in ((), ("rank",), ("compare",)):
        status, _, err = bench("results", *command, *line)
        assert (status, err) == (0, "no result matches\n")
    # both are there, and never together
    nothing = ("--registry", registry.folder, "--metric", "auroc", "--method", "ism")
    for command in ("rank", "compare"):
        status, _, err = bench("results", command, *nothing)
        assert (status, err) == (0, "no result matches\n")


def test_json_holds_what_it_has_no_form_for_as_text(bench, registry):
    statement = "select interval '3' month as a, 1.5::decimal(4, 2) as b, model from jobs limit 1"
    line = ("results", "sql", statement, "--registry", registry.folder, "--format", "json")
    status, out, err = bench(*line)
    assert status == 0, err
    (row,) = json.loads(out)
    assert "months=3" in row["a"]
    assert row["b"] == "1.50"
