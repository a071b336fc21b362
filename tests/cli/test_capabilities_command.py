"""The command and the table of a document give the figures that the pages give."""

from __future__ import annotations

import math

import pytest
from query_rows import job, score

from motifidelity.cli.capabilities import ALL, capability_answer
from motifidelity.registry import Registry, Result
from motifidelity.report.capability_tables import over_tasks_table
from motifidelity.report.tables import DocumentTables
from motifidelity.summary.query import Query
from motifidelity.tasks.spec import find_spec, latest_specs

SPEC = find_spec("regulatory-code@2")
ENTRIES = {
    "Oracle": {"auroc": 0.9, "filter_f1": 1.0, "maps": 0.8},
    "Random": {"auroc": 0.5, "filter_f1": 0.0, "maps": 0.01},
    "6-mer regression": {"auroc": 0.8, "maps": 0.5},
}


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    found = Registry(tmp_path_factory.mktemp("registry"))
    task = {"task": SPEC.id, "task_digest": SPEC.digest}
    for model, values in ENTRIES.items():
        row = job(model, 0, division="reference", backend="numpy", **task)
        found.record(Result(row, [score(name, value) for name, value in values.items()]))
    for trial in range(2):
        values = {"auroc": 0.7 + trial / 10, "filter_f1": 0.25, "maps": 0.4}
        row = job("net", trial, backend="tensorflow", **task)
        found.record(Result(row, [score(name, value) for name, value in values.items()]))
    return found


def test_the_command_has_figures_by_task_and_says_what_was_not_run(registry):
    frame = capability_answer(registry, Query())
    assert list(frame["task"]) == [SPEC.id, SPEC.id, ALL, ALL]
    assert list(frame["model"]) == ["net", "6-mer regression"] * 2
    net, counting, every, _ = frame.to_dict("records")
    # the task states a floor of 0 for maps
    assert (net["Predicts"], net["Filters"], net["Maps"]) == pytest.approx((0.625, 0.25, 0.5))
    assert (counting["Predicts"], counting["Maps"]) == pytest.approx((0.75, 0.625))
    assert math.isnan(counting["Filters"])
    assert every["ran"] == f"1 of {len(latest_specs())}: regulatory-code"
    assert math.isnan(every["Predicts"])
    chosen = capability_answer(registry, Query(model=("net",)))
    assert set(chosen["model"]) == {"net"}


def test_a_document_has_the_same(registry):
    tables = DocumentTables(registry)
    lines = tables.table("capabilities regulatory-code").splitlines()
    assert lines[0] == "| `regulatory-code` | Predicts | Filters | Maps |"
    assert lines[2:] == [
        "| net | 0.625 | 0.250 | 0.500 |",
        "| 6-mer regression | 0.750 | – | 0.625 |",
    ]
    # no mean without all tasks that ask for the figure; of one task, all were run
    assert tables.table("capabilities").splitlines()[2:] == []
    one = over_tasks_table([tables._task_scores(SPEC)])
    assert one.splitlines()[2:] == [
        "| net | 0.625 | 0.250 | 0.500 | – | – | – | all 1 |",
        "| 6-mer regression | 0.750 | – | 0.625 | – | – | – | all 1 |",
    ]
    assert tables.table("capabilities motif-classes") == "*No network has run it yet.*"
