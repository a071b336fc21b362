"""Figures that say whether scores mean what they seem to, and their bounds."""

from __future__ import annotations

import dataclasses
import math

import pytest
from click.testing import CliRunner
from registry_rows import row

from motifidelity.cli import bench
from motifidelity.leaderboard import render
from motifidelity.leaderboard.site import gather
from motifidelity.leaderboard.standings import standings
from motifidelity.metrics.declare import all_metrics
from motifidelity.metrics.gates import GATES
from motifidelity.registry import Registry, Result
from motifidelity.summary.query import Query
from motifidelity.summary.ranks import rank
from motifidelity.summary.verdicts import COLUMNS, gates
from motifidelity.tasks import spec as specs

BOUNDS = {"gradients_add_up": 0.25, "gradients_tell_changes": 0.5, "scan_matters": 0.5}


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
        ("scan_matters", 1.0, "ok"),
        ("scan_matters", 0.02, "flagged"),
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
        [("honest", (0.05, 0.9, 1.0)), ("decoy", (0.97, 0.1, 0.02)), ("old", ())]
    ):
        scores = [score("attribution_auroc", 0.9, "saliency")]
        if figures:
            scores += [
                score("gradient_completeness", figures[0]),
                score("gradient_fidelity", figures[1], "saliency"),
                score("scan_reliance", figures[2]),
            ]
        job = row("jobs", full=False, status="ok", model=model, params="{}", division="closed")
        job |= {"task": "regulatory-code@1", "profile": "full", "job_id": f"{number}" * 24}
        registry.record(Result(job, scores))
    return registry


def test_every_gate_of_every_trial_is_told(registry):
    found = gates(registry, Query())
    assert tuple(found.columns) == COLUMNS
    assert {(row["model"], row["gate"]): row["verdict"] for row in found.to_dict("records")} == {
        ("honest", "gradients add up"): "ok",
        ("honest", "gradients tell changes"): "ok",
        ("decoy", "gradients add up"): "flagged",
        ("decoy", "gradients tell changes"): "flagged",
        ("honest", "the scan matters"): "ok",
        ("decoy", "the scan matters"): "flagged",
        **{("old", gate.label): "not recorded" for gate in GATES.values()},
        # of a gate that the task has no bound for
        **dict.fromkeys(
            [
                (model, gate)
                for model in ("honest", "decoy")
                for gate in ("answers repeat", "the scan was learned")
            ],
            "not recorded",
        ),
    }
    found = gates(registry, Query(model=("decoy",)))["figure"]
    assert found.dropna().tolist() == [0.97, 0.1, 0.02]


def test_a_flagged_network_is_shown_and_not_ranked_by_scores_that_hang_on_the_gate(
    tmp_path, registry
):
    trials = Registry(tmp_path / "trials")
    for model, lies, mean in (("honest", False, 0.8), ("other", False, 0.7), ("decoy", True, 0.99)):
        for trial in range(3):
            # one trial past a bound is enough
            figure = 0.9 if lies and trial == 1 else 0.05
            scores = [
                score("attribution_auroc", mean + trial / 1000, "saliency"),
                score("attribution_auroc", mean + trial / 1000, "ism"),
                score("attribution_auroc", mean + trial / 1000, "deepshap"),
                score("gradient_completeness", figure),
                score("gradient_fidelity", 0.9, "saliency"),
            ]
            job = row("jobs", full=False, status="ok", model=model, params="{}", division="closed")
            job |= {"task": "regulatory-code@1", "profile": "full", "trial": trial, "seed": trial}
            job["job_id"] = f"{model}{trial}".ljust(24, "0")
            trials.record(Result(job, scores))

    def places(method):
        found = rank(trials, Query(metric=("attribution_auroc",), method=(method,)))
        return {row["label"]: (row["rank"], row["group"]) for row in found.to_dict("records")}

    by_gradient, by_mutagenesis = places("saliency"), places("ism")
    assert by_gradient["decoy"][1] == "flagged"
    assert [by_gradient[name][0] for name in ("honest", "other")] == [1, 2]
    assert by_mutagenesis["decoy"][0] == 1
    # the sum of its contributions is what the network does, whatever its gradients are
    assert places("deepshap")["decoy"][0] == 1

    material = gather(trials.tables(), all_metrics())
    page = standings(material).set_index("model")
    assert page.loc["decoy", "group"] == "flagged"
    assert page["rank"].fillna(0).to_dict() == {"honest": 1, "other": 2, "decoy": 0}
    assert page.loc["decoy", "flagged"] == "gradients add up"
    render(trials.tables(), tmp_path / "site", metrics=all_metrics())
    front = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert "flagged: gradients add up" in front
    [own] = (tmp_path / "site" / "models").glob("decoy*.html")
    assert "past a bound of its task: gradients add up" in own.read_text(encoding="utf-8")


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
        ["the scan matters", "0.02", "0.5", "flagged"],
    ]
