"""A submission to a regression: checked, submitted, and verified by its correlation."""

from __future__ import annotations

import random

import pytest

from motifidelity.executors.process import ProcessExecutor
from motifidelity.submitting.check import check_submission
from motifidelity.submitting.contents import read_folder
from motifidelity.submitting.findings import lines
from motifidelity.submitting.rerun import Group, Ran, again, groups
from motifidelity.submitting.verify import Wanted, verify_folder
from motifidelity.tasks.spec import Profile

MODEL = """\
MODEL = dict(name="Mine", authors="A. Author", license="MIT")
import keras
from keras import layers


def build_model(task):
    x = inputs = keras.Input(task.input_shape)
    x = layers.Conv1D(4, 19, padding="same", activation="relu")(x)
    x = layers.GlobalMaxPooling1D()(x)
    return keras.Model(inputs, {end}(x))
"""
SLICE = Profile("check", 1, 200, 60, 8, 2, 2)


@pytest.fixture
def check(tmp_path, regression):
    def check(end):
        path = tmp_path / "mine.py"
        path.write_text(MODEL.format(end=end))
        executor = ProcessExecutor()
        return check_submission(
            path, (), [regression], executor, lambda _: None, SLICE, ("saliency",)
        )

    return check


@pytest.fixture(scope="module")
def folder(submitted, regression):
    return submitted(task=regression)[2]


@pytest.fixture(scope="module")
def verified(folder):
    draw = random.Random(11).randrange
    return verify_folder(folder, Wanted(), lambda _: ProcessExecutor(), lambda _: None, draw)


def test_a_sigmoid_at_the_end_is_one_problem_with_its_place_and_remedy(check):
    (problem,) = check("layers.Dense(task.num_outputs, 'sigmoid')").problems
    line, remedy = lines([problem])
    assert line.endswith(
        "mine.py:10: the network ends in a sigmoid, and few-affinities asks for any number "
        "(a regression)"
    )
    assert remedy.strip() == "-> end in a linear layer: layers.Dense(task.num_outputs)"


def test_a_linear_end_is_ready(check):
    report = check("layers.Dense(task.num_outputs)")
    assert {f.level for f in report.findings} == {"ok"}, report.findings
    assert {"training", "filters", "attribution", "determinism"} < {
        f.check for f in report.findings
    }


def test_a_submission_is_reproduced_by_its_correlation_its_effects_and_its_maps(verified):
    assert verified.passed, verified.findings
    of_network = {("pearson", None), ("variant_effect_r", None), ("map_variant_r", "mean")}
    for kind in ("again", "same network", "secret"):
        found = {(c.metric, c.method) for c in verified.comparisons if c.kind == kind}
        assert of_network < found
        assert not any("auroc" in metric and method is None for metric, method in found)
    assert verified.equal == verified.compared > 20


def test_it_is_trained_on_secret_motifs_and_its_maps_of_sites_are_held_against_them(verified):
    secret = {(c.metric, c.method) for c in verified.comparisons if c.kind == "secret motifs"}
    assert {("filter_f1", None), ("attribution_auroc", "gradient_corrected")} < secret
    public, anew, motifs = verified.seeds
    assert public["data"] == 42
    assert motifs == {**anew, "kind": "secret motifs"}


def test_a_correlation_that_does_not_come_out_again_is_named(folder):
    contents = read_folder(folder).contents
    (group,) = groups(contents.tables["jobs"], contents.tables["scores"])
    ran = Ran(None, "closed", group.scores[0], {"pearson": 0.05}, {})
    assert all(c.ok for c in again(group, 0, ran, 16))
    forged = [
        {**row, "value": 0.999} if row["metric"] == "pearson" else row for row in group.scores[0]
    ]
    (bad,) = [c for c in again(Group(group.jobs, [forged]), 0, ran, 16) if not c.ok]
    assert (bad.metric, bad.claimed) == ("pearson", 0.999)
