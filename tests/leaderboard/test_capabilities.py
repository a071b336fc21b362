"""Six figures a task: on a scale from floor to oracle, and over tasks only where all are run."""

from __future__ import annotations

import dataclasses
import math

import leaderboard_fixtures as fx
import numpy as np
import pytest
from scipy import stats

from motifidelity.entries import KMER_REGRESSION
from motifidelity.leaderboard.abilities import COLUMNS, ability_ranks
from motifidelity.leaderboard.site import gather
from motifidelity.leaderboard.standings import standings
from motifidelity.leaderboard.tables.capabilities import (
    capability_bounds,
    capability_table,
    in_order,
    over_tasks,
)
from motifidelity.leaderboard.tables.scale import Scale
from motifidelity.metrics.gates import FLAGGED, GATES
from motifidelity.metrics.headlines import Headline, shown_capabilities
from motifidelity.summary.ranks import PROVISIONAL
from motifidelity.tasks import spec as specs

HEADLINES = (
    Headline("accuracy", "auroc", "AUROC", main=True, capability="Predicts"),
    Headline("rules", "rule_auroc", "rules", main=True, capability="Rules"),
    Headline("rules", "designed_rule_auroc", "designed", capability="Rules"),
    Headline("effects", "instance_effect", "effects", main=True),
)
ENDS = {  # noise and oracle
    "auroc": (0.5, 0.9),
    "rule_auroc": (0.5, 1.0),
    "designed_rule_auroc": (0.4, 1.0),
    "filter_f1": (0.0, 1.0),
}
NET = {"auroc": 0.7, "rule_auroc": 0.75, "designed_rule_auroc": 0.6, "filter_f1": 0.5}


def result(builder, spec, model, scores, **job):
    scores = {(name, ""): value for name, value in scores.items()}
    return builder.add(model, 0, scores, task=spec.id, task_digest=spec.digest, **job)


def references(builder, spec, ends=ENDS):
    for place, model in enumerate(("Random", "Oracle")):
        result(
            builder,
            spec,
            model,
            {name: pair[place] for name, pair in ends.items()},
            division="reference",
        )


@pytest.fixture
def two(monkeypatch):
    """A task that says what shows its capabilities, and one of the suite that does not."""
    study = specs.find_spec("regulatory-code@2")
    own = dataclasses.replace(
        study, name="some-rules", version=1, digest="7" * 64, headlines=HEADLINES
    )
    every = {**specs.all_specs(), own.id: own}
    monkeypatch.setattr(specs, "all_specs", lambda: every)
    return own, study


def table_of(builder):
    material = gather(builder.tables(), fx.METRICS)
    return capability_table(material.summary.trials, material.stats)


def test_a_capability_is_of_the_scores_that_say_so_else_of_the_main_ones():
    assert {name: len(scores) for name, scores in shown_capabilities(HEADLINES).items()} == {
        "Predicts": 1,
        "Rules": 2,
    }
    study = shown_capabilities(specs.find_spec("motif-classes@2").headlines)
    assert {name: [one.metric for one in scores] for name, scores in study.items()} == {
        "Predicts": ["auroc"],
        "Filters": ["filter_f1"],
        "Maps": ["maps"],
    }
    with pytest.raises(ValueError, match="no capability Thinks"):
        shown_capabilities([Headline("accuracy", "auroc", "", capability="Thinks")])


def test_figures_are_0_at_the_floor_and_1_at_the_oracle_and_mean_their_scores(two):
    own, _ = two
    builder = fx.Builder()
    references(builder, own)
    result(builder, own, "net", NET)
    result(builder, own, "oracle-like", {name: pair[1] for name, pair in ENDS.items()})
    result(builder, own, "half", {"auroc": 0.5, "rule_auroc": 0.75})
    result(builder, own, "quick", NET, profile="quick")
    result(builder, own, KMER_REGRESSION, {"auroc": 0.9}, division="reference")
    table = in_order(table_of(builder)).set_index("model")
    assert list(table.index) == ["oracle-like", "net", "half", KMER_REGRESSION]
    assert table.loc["oracle-like", ["Predicts", "Rules"]].to_list() == [1, 1]
    expected = [(0.7 - 0.5) / 0.4, (0.25 / 0.5 + 0.2 / 0.6) / 2]
    assert table.loc["net", ["Predicts", "Rules"]].to_list() == pytest.approx(expected)
    # one of the two scores of the rules is not there
    assert (table.loc["half", "Predicts"], table["Rules"].isna()["half"]) == (0, True)
    assert table[["Filters", "Maps", "Effects", "Robust"]].isna().all().all()


def test_a_mean_over_tasks_is_of_a_network_that_has_run_all_of_them(two):
    own, _ = two
    builder = fx.Builder()
    for spec in two:
        references(builder, spec)
        result(builder, spec, "everywhere", NET)
    result(builder, own, "here", NET)
    table = table_of(builder)
    means = over_tasks(table, two).set_index("model")
    assert means.loc["everywhere", "Predicts"] == pytest.approx(0.5)
    assert means.loc["everywhere", "ran"] == "all 2"
    # the rules are asked about by one task alone, and predictions by both
    assert math.isnan(means.loc["here", "Predicts"])
    assert means.loc["here", "Rules"] == means.loc["everywhere", "Rules"]
    assert means.loc["here", "ran"] == "1 of 2: some-rules"
    assert over_tasks(table.iloc[:0], two).empty


def test_of_other_specifications_and_of_the_study_s_own_board_there_are_no_figures(two):
    own, _ = two
    first = specs.find_spec("regulatory-code@1")
    builder = fx.Builder()
    result(builder, own, "net", NET, minute=1)
    builder.rows["jobs"][-1]["task_digest"] = "0" * 64
    result(builder, first, "net", NET)
    assert table_of(builder).empty


def test_columns_of_the_runs_are_the_same_figures_with_students_interval_and_ranks():
    builder = fx.able_networks()
    material = gather(builder.tables(), fx.METRICS)
    frame = standings(material).set_index("run")
    table = capability_table(material.summary.trials, material.stats).set_index("run")
    assert len(table) == 6
    for column, name in COLUMNS.items():
        known = frame.loc[table.index, column]
        np.testing.assert_array_equal(known, table[name])
    mine = frame[(frame["model"] == "maps") & (frame["task"] == "motif-classes@2")].iloc[0]
    places = np.array([0.896, 0.9, 0.904]) / 0.95  # its floor is stated to be 0
    low, high = stats.t.interval(0.95, 2, places.mean(), stats.sem(places))
    ends = (mine["maps_low"], mine["maps"], mine["maps_high"])
    assert ends == pytest.approx((low, 0.9 / 0.95, high))
    assert mine["maps_trials"] == 3
    # the AUROC ends at 1, which is beyond the oracle
    few = frame[frame["model"] == "few"].iloc[0]
    assert (few["predicts"], few["predicts_trials"]) == (pytest.approx(0.49), 1)
    assert math.isnan(few["predicts_low"])
    found = ability_ranks(frame.reset_index(), material)
    assert set(found) == {"predicts", "filters", "maps"}
    names = frame["model"].to_dict()
    by = {
        column: {names[run]: (one.rank, one.group) for run, one in ranks.items()}
        for column, ranks in found.items()
    }
    assert by["maps"] == {"maps": (1, "a"), "predicts": (2, "b"), "few": (None, PROVISIONAL)}
    assert by["filters"] == by["maps"]
    assert by["predicts"] == {"predicts": (1, "a"), "maps": (2, "b"), "few": (None, PROVISIONAL)}


def test_an_interval_ends_where_the_scores_of_its_figure_do(two):
    own, _ = two
    scale = Scale(
        {("auroc", ""): 0.5, ("rule_auroc", ""): 0.5, ("designed_rule_auroc", ""): 0.4},
        {("auroc", ""): 0.9, ("rule_auroc", ""): 1.0, ("designed_rule_auroc", ""): 1.0},
    )
    metric = fx.Metric("rule_auroc", "rules", "standard")
    bounds = capability_bounds(own, scale, {**fx.METRICS, "rule_auroc": metric})
    assert bounds["Predicts"] == pytest.approx((-1.25, 1.25))
    assert bounds["Rules"] == (-math.inf, math.inf)  # nothing is known of the designed ones
    both = {**fx.METRICS, **dict.fromkeys(("rule_auroc", "designed_rule_auroc"), metric)}
    assert capability_bounds(own, scale, both)["Rules"] == pytest.approx((-5 / 6, 1.0))


def test_a_network_past_a_gate_is_not_ranked_by_what_hangs_on_it():
    builder = fx.able_networks(("motif-classes@2",))
    result = next(row["result_id"] for row in builder.rows["jobs"] if row["model"] == "maps")
    gate = GATES["gradients_tell_changes"]
    builder.score(result, gate.metric, -1.0, gate.method)
    material = gather(builder.tables(), fx.METRICS)
    frame = standings(material)
    names = dict(zip(frame["run"], frame["model"], strict=True))
    found = {
        column: {names[run]: one.group for run, one in ranks.items()}
        for column, ranks in ability_ranks(frame, material).items()
    }
    assert found["predicts"]["maps"] != FLAGGED
    assert found["maps"]["maps"] == FLAGGED
