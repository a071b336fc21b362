"""Figures that say whether scores mean what they seem to, and their bounds."""

from __future__ import annotations

import dataclasses
import math

import pytest
from click.testing import CliRunner
from registry_rows import row

from motifidelity.cli import bench
from motifidelity.metrics.declare import all_metrics
from motifidelity.metrics.gates import GATES
from motifidelity.registry import Registry, Result
from motifidelity.summary.gates import COLUMNS, gates
from motifidelity.summary.query import Query
from motifidelity.tasks import spec as specs

BOUNDS = {"gradients_add_up": 0.25, "gradients_tell_changes": 0.5}


def test_gates_are_of_declared_metrics_that_rank_nobody():
    for gate in GATES.values():
        assert all_metrics()[gate.metric].direction == "neutral"


@pytest.mark.parametrize(
    ("name", "figure", "verdict"),
    [
        ("gradients_add_up", 0.07, "ok"),
        ("gradients_add_up", 0.25, "ok"),
        ("gradients_add_up", 0.26, "flagged"),
        ("gradients_tell_changes", 0.885, "ok"),
        ("gradients_tell_changes", 0.432, "flagged"),
        ("gradients_tell_changes", math.nan, "not recorded"),
        ("gradients_tell_changes", None, "not recorded"),
    ],
)
def test_a_figure_past_its_bound_is_flagged(name, figure, verdict):
    assert GATES[name].verdict(figure, BOUNDS[name]) == verdict
    assert GATES[name].verdict(figure, None) == "not recorded"


def score(metric, value, method=None):
    row = {"family": "attribution", "metric": metric, "definition": "standard", "method": method}
    return row | {"target": None, "value": value, "sd": None, "n": 1, "metric_version": 1}


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """An honest network, one whose gradients lie, and one from before there were gates."""
    every = {
        name: dataclasses.replace(task, gates=BOUNDS) for name, task in specs.all_specs().items()
    }
    monkeypatch.setattr(specs, "all_specs", lambda: every)
    registry = Registry(tmp_path / "registry")
    for number, (model, figures) in enumerate(
        [("honest", (0.05, 0.9)), ("decoy", (0.97, 0.1)), ("old", ())]
    ):
        scores = [score("attribution_auroc", 0.9, "saliency")]
        if figures:
            scores += [
                score("gradient_completeness", figures[0]),
                score("gradient_fidelity", figures[1], "saliency"),
            ]
        job = row("jobs", full=False, status="ok", model=model, params="{}", division="closed")
        job |= {"task": "regulatory-code@1", "profile": "full", "job_id": f"{number}" * 24}
        registry.record(Result(job, scores))
    return registry


def test_every_gate_of_every_trial_is_told(registry):
    found = gates(registry, Query())
    assert tuple(found.columns) == COLUMNS
    bounded = {GATES[name].label for name in BOUNDS}
    told = [row for row in found.to_dict("records") if row["gate"] in bounded]
    assert {(row["model"], row["gate"]): row["verdict"] for row in told} == {
        ("honest", "gradients add up"): "ok",
        ("honest", "gradients tell changes"): "ok",
        ("decoy", "gradients add up"): "flagged",
        ("decoy", "gradients tell changes"): "flagged",
        ("old", "gradients add up"): "not recorded",
        ("old", "gradients tell changes"): "not recorded",
    }
    assert set(gates(registry, Query(model=("decoy",)))["figure"].dropna()) == {0.97, 0.1}


def test_the_command_lists_them(registry):
    line = ["results", "gates", "--registry", str(registry.folder), "--format", "csv"]
    done = CliRunner().invoke(bench, [*line, "--model", "decoy"])
    assert done.exit_code == 0, done.output
    header, *rows = done.stdout.splitlines()
    assert header == ",".join(COLUMNS)
    cells = [row.rsplit(",", 4)[1:] for row in rows]
    assert [row for row in cells if row[-1] != "not recorded"] == [
        ["gradients add up", "0.97", "0.25", "flagged"],
        ["gradients tell changes", "0.1", "0.5", "flagged"],
    ]
