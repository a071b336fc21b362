"""Networks beside counting: the lower end of an interval, over trials or over test sequences."""

from __future__ import annotations

import math

import numpy as np
import pytest
from click.testing import CliRunner
from registry_rows import row
from scipy import stats

from motifidelity.cli import bench
from motifidelity.entries import DIVISION, KMER_REGRESSION
from motifidelity.registry import Registry, Result
from motifidelity.summary.query import Query
from motifidelity.summary.rivals import COLUMNS, FIGURES, below_counting, beside_counting

COUNTING = {"auroc": 0.90, "maps": 0.50}


def score(metric, value):
    filled = {"family": "accuracy", "metric": metric, "definition": "standard", "method": None}
    return filled | {"target": None, "value": value, "sd": None, "n": 1, "metric_version": 1}


def record(registry, model, trials, **job):
    """Trials with a value of each metric."""
    for trial, values in enumerate(trials):
        filled = row("jobs", full=False, status="ok", model=model, params="{}", division="closed")
        filled |= {"task": "regulatory-code@1", "profile": "full", "trial": trial, "seed": trial}
        filled |= {"job_id": f"{model}{trial}".encode().hex()[:24].ljust(24, "0"), **job}
        registry.record(Result(filled, [score(*one) for one in values.items()]))


@pytest.fixture
def registry(tmp_path):
    registry = Registry(tmp_path / "registry")
    record(registry, KMER_REGRESSION, [COUNTING], division=DIVISION)
    spread = [{"auroc": 0.90 + step, "maps": 0.7 + step} for step in (0.0, 0.01, 0.02)]
    record(registry, "three", spread)
    sure = {"auroc": 0.95, "auroc_error": 0.02, "maps": 0.55, "maps_error": 0.04}
    record(registry, "one", [sure])
    record(registry, "two", [sure, sure | {"auroc_error": 0.04}])
    record(registry, "old", [{"auroc": 0.99}])
    return registry


def verdicts(frame):
    return {(one["model"], one["headline"]): one["verdict"] for one in frame.to_dict("records")}


def test_a_network_is_above_counting_where_the_lower_end_of_its_interval_is(registry):
    found = beside_counting(registry, Query())
    assert tuple(found.columns) == (*COLUMNS, *FIGURES)
    assert verdicts(found) == {
        # the mean is above, the interval over three trials is not
        ("three", "Predicts"): "not above",
        ("three", "Maps"): "above",
        ("one", "Predicts"): "above",
        ("one", "Maps"): "not above",
        ("two", "Predicts"): "not above",
        ("two", "Maps"): "not above",
        ("old", "Predicts"): "not recorded",
    }
    lows = {(one["model"], one["headline"]): one["low"] for one in found.to_dict("records")}
    low, _ = stats.t.interval(0.95, 2, 0.91, 0.01 / math.sqrt(3))
    assert lows["three", "Predicts"] == pytest.approx(low)
    assert lows["one", "Predicts"] == pytest.approx(0.95 - 1.959964 * 0.02)
    both = math.sqrt(np.mean([0.02**2, 0.04**2]))
    assert lows["two", "Predicts"] == pytest.approx(0.95 - 1.959964 * both)
    assert set(beside_counting(registry, Query(model=("one",)))["model"]) == {"one"}


def test_a_regression_is_held_against_counting_by_its_correlation(tmp_path):
    registry = Registry(tmp_path / "registry")
    record(registry, KMER_REGRESSION, [{"pearson": 0.75}], division=DIVISION)
    record(registry, "better", [{"pearson": 0.85, "pearson_error": 0.01}])
    record(registry, "worse", [{"pearson": 0.76, "pearson_error": 0.01}])
    found = beside_counting(registry, Query())
    assert verdicts(found) == {
        ("better", "Predicts"): "above",
        ("worse", "Predicts"): "not above",
    }
    assert set(below_counting(registry).values()) == {("Predicts",)}


def test_without_the_entry_nothing_is_held_against_it(tmp_path):
    registry = Registry(tmp_path / "registry")
    record(registry, "one", [{"auroc": 0.6, "auroc_error": 0.01}])
    assert beside_counting(registry, Query()).empty
    assert below_counting(registry) == {}
    # of another profile it says nothing
    record(registry, KMER_REGRESSION, [COUNTING], division=DIVISION, profile="quick")
    assert below_counting(registry) == {}


def test_the_commands_say_so(registry):
    line = ["--registry", str(registry.folder)]
    done = CliRunner().invoke(bench, ["results", "rivals", *line, "--format", "csv"])
    assert done.exit_code == 0, done.output
    header, *rows = done.stdout.splitlines()
    assert header == ",".join((*COLUMNS, *FIGURES))
    assert len(rows) == 7
    done = CliRunner().invoke(bench, ["results", *line, "--metric", "auroc"])
    assert done.exit_code == 0, done.output
    marked = [text for text in done.stdout.splitlines() if "does not beat" in text]
    assert sorted(text.split()[0] for text in marked) == ["three", "two"]
