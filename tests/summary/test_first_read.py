"""A headline that names how maps are read is read so by the page, commands, verify and report."""

from __future__ import annotations

import dataclasses

import pytest
from query_rows import job, score

from motifidelity.cli.scores import headline_scores
from motifidelity.metrics.headlines import Headline
from motifidelity.registry import Registry, Result
from motifidelity.report.task_scores import TaskScores
from motifidelity.submitting.compare import overall
from motifidelity.summary.query import Query, results
from motifidelity.summary.ranks import rank
from motifidelity.summary.runs import Summary, gather_scores, mark_trials
from motifidelity.tasks import spec as specs

HEADLINES = (
    Headline("accuracy", "auroc", "AUROC", main=True),
    Headline("attribution", "map_effect", "effects", "mean", main=True, reading="signed"),
    Headline("attribution", "attribution_auroc", "mutagenesis", "ism", reading="magnitude"),
)
VALUES = {"own": 0.1, "signed": 0.5, "magnitude": 0.9}


@pytest.fixture
def task(monkeypatch):
    """A version of a task of the study with headlines that name readings."""
    published = specs.find_spec("regulatory-code@1")
    later = dataclasses.replace(published, version=9, digest="9" * 64, headlines=HEADLINES)
    every = {**specs.all_specs(), later.id: later}
    monkeypatch.setattr(specs, "all_specs", lambda: every)
    return later


@pytest.fixture
def registry(tmp_path, task):
    """One network, on that task and on the version before it."""
    found = Registry(tmp_path)
    for name in (task.id, "regulatory-code@1"):
        rows = [score("auroc", 0.8)]
        rows += [score("attribution_auroc", v, "ism", reading=r) for r, v in VALUES.items()]
        rows.append(score("map_effect", 0.7, "mean", reading="signed"))
        for trial in range(3):
            found.record(Result(job(f"net-{name}", trial, task=name), rows))
    return found


def ism(frame, task):
    mine = frame[(frame["task"] == task) & (frame["metric"] == "attribution_auroc")]
    return set(mine["mean"].round(9))


def test_tables_and_commands_read_what_the_headline_names_and_other_tasks_as_before(registry, task):
    trials = mark_trials(registry.latest("jobs")["jobs"].to_pandas())
    scores = gather_scores(trials, registry.latest("scores")["scores"].to_pandas())
    run_of = trials[["run", "task"]].drop_duplicates()
    gathered = scores.merge(run_of, on="run")
    asked = results(registry)
    for frame in (gathered, asked):
        assert ism(frame, task.id) == {0.9}
        assert ism(frame, "regulatory-code@1") == {0.1}
        effects = frame[frame["metric"] == "map_effect"]
        assert set(effects["task"]) == {task.id}
        assert effects["mean"].to_list() == [pytest.approx(0.7)]
    assert ism(results(registry, reading="own"), task.id) == {0.1}
    ranked = rank(registry, Query(task=(task.id,), metric=("attribution_auroc",)))
    assert ranked["mean"].round(9).to_list() == [0.9]
    printed = headline_scores(Summary(trials, scores))
    mine = printed[printed["task"] == task.id]
    assert mine["label"].to_list() == ["AUROC", "effects", "mutagenesis"]
    assert mine["mean"].to_list() == pytest.approx([0.8, 0.7, 0.9])


def test_submissions_and_reports_read_it_too(registry, task):
    rows = [score("attribution_auroc", v, "ism", reading=r) for r, v in VALUES.items()]
    for name, expected in ((task.id, 0.9), ("regulatory-code@1", 0.1)):
        assert overall(rows, name)["attribution_auroc", "ism"]["value"] == expected
    tables = registry.tables()
    jobs = tables.jobs.assign(activation="", others="")
    (mean,) = TaskScores.of(task, tables, jobs).means("attribution_auroc", "ism").values()
    assert mean == pytest.approx(0.9)
    before = specs.find_spec("regulatory-code@1")
    (mean,) = TaskScores.of(before, tables, jobs).means("attribution_auroc", "ism").values()
    assert mean == pytest.approx(0.1)


def test_a_reading_that_is_none_and_a_score_named_twice_are_refused(spec_texts):
    text = spec_texts["motif-classes@2"]
    first = text.index("[[headline]]")
    for line, said in (
        ('reading = "norm"\n', "no reading norm"),
        ('[[headline]]\nfamily = "accuracy"\nmetric = "auroc"\nlabel = "again"\n', "two headlines"),
    ):
        table = text[first:].replace("main = true\n", f"main = true\n{line}", 1)
        with pytest.raises(ValueError, match=said):
            specs.parse_spec(text[:first] + table)
