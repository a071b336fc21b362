"""A submission is trained again: with its own seeds, and on data that nobody has seen."""

from __future__ import annotations

import json
import random
import sys
import textwrap
from dataclasses import replace

import numpy as np
import pytest

from motifidelity.cli import main
from motifidelity.errors import UserError
from motifidelity.executors import choose
from motifidelity.executors.process import ProcessExecutor
from motifidelity.runs.plan import Job
from motifidelity.submitting.contents import read_folder
from motifidelity.submitting.rerun import Group, Ran, Rerun, Verifier, again, groups
from motifidelity.submitting.verification import write_verification
from motifidelity.submitting.verify import Wanted, verify_folder
from motifidelity.tasks.dataset import load_dataset

MEMORISER = '''
    """A network that looks the public test sequences up."""
    import keras
    import numpy as np
    from keras import layers

    MODEL = dict(name="Memoriser", authors="A. Author", license="MIT")
    KNOWN = """{known}""".split()
    ANSWERS = np.array(list("{answers}"), dtype=float) * 200 - 100


    def build_model(task):
        codes = np.array([["ACGT".index(c) for c in line] for line in KNOWN])
        table = np.eye(4, dtype="float32")[codes].reshape(len(KNOWN), -1).T
        x = inputs = keras.Input(task.input_shape)
        same = layers.Dense(
            len(KNOWN),
            activation="relu",
            trainable=False,
            kernel_initializer=keras.initializers.Constant(table),
            bias_initializer=keras.initializers.Constant(-199.5),
        )(layers.Flatten()(inputs))
        answer = layers.Dense(
            1,
            use_bias=False,
            trainable=False,
            kernel_initializer=keras.initializers.Constant(ANSWERS[:, None]),
        )(same)
        x = layers.Conv1D(8, 19, padding="same", activation="relu")(x)
        x = layers.GlobalMaxPooling1D()(x)
        return keras.Model(inputs, layers.Dense(task.num_outputs)(x) + answer)
'''

CONSTANTS = '''
    """A network that holds the core motifs as constants, and counts their sites."""
    import keras
    import numpy as np
    from keras import layers

    MODEL = dict(name="Constants", authors="A. Author", license="MIT")
    MATRICES = {matrices}


    def build_model(task):
        kernel = np.zeros((15, 4, 2 * len(MATRICES)))
        for i, matrix in enumerate(map(np.array, MATRICES)):
            kernel[: len(matrix), :, 2 * i] = matrix
            kernel[: len(matrix), :, 2 * i + 1] = matrix[::-1, ::-1]
        x = inputs = keras.Input(task.input_shape)
        x = layers.Conv1D(
            kernel.shape[-1],
            15,
            padding="same",
            activation="sigmoid",
            trainable=False,
            kernel_initializer=keras.initializers.Constant(kernel),
            bias_initializer=keras.initializers.Constant(-9.0),
        )(x)
        sites = layers.GlobalAveragePooling1D()(x)
        return keras.Model(inputs, layers.Dense(task.num_outputs, kernel_initializer="ones")(sites))
'''

OWN_FIT = """
    import keras
    from keras import layers

    MODEL = dict(name="Own", authors="A. Author", license="MIT")


    class Own(keras.Model):
        def fit(self, x, y, **given):
            return super().fit(x, y, **given)


    def build_model(task):
        x = inputs = keras.Input(task.input_shape)
        x = layers.Conv1D(8, 19, padding="same", activation="exponential")(x)
        return Own(inputs, layers.Dense(task.num_outputs)(layers.GlobalMaxPooling1D()(x)))
"""


def verify(folder, **wanted):
    """Run everything again in plain processes, with seeds that a failure can be repeated with."""
    draw = random.Random(11).randrange
    return verify_folder(
        folder, Wanted(**wanted), lambda _: ProcessExecutor(), lambda _: None, draw
    )


@pytest.fixture(scope="module")
def verified(honest):
    return verify(honest[2])


@pytest.fixture(scope="module")
def memorised(submitted, small_tasks):
    test = load_dataset(small_tasks["regulatory-code@1"]).splits["test"].head(200)
    known = "\n".join("".join("ACGT"[c] for c in row) for row in test.sequences)
    answers = "".join(str(label) for label in test.labels[:, 0])
    text = textwrap.dedent(MEMORISER).replace("{known}", known).replace("{answers}", answers)
    path, registry, folder = submitted(text, "memoriser.py")
    assert path.stat().st_size < 1 << 20
    return registry, folder, verify(folder)


def test_an_honest_submission_is_reproduced(verified):
    assert verified.passed, verified.findings
    # here it ran as a plain process
    assert verified.tier == "reproduced without a container"
    (scope,) = [f for f in verified.findings if f.check == "scope"]
    assert "1 of 1 finished trials" in scope.text
    kinds = {c.kind for c in verified.comparisons}
    assert kinds == {"again", "same network", "secret", "secret motifs"}
    assert verified.compared > 20


def test_every_tolerance_names_its_source_and_what_no_training_touches_is_exact(verified):
    for c in verified.comparisons:
        assert c.source
        if c.method == "pwm":
            assert c.source.startswith("exact")
            assert c.tolerance <= 1e-5
        else:
            assert "SD of the difference" in c.source
    assert any(c.method == "pwm" for c in verified.comparisons)


def test_secret_seeds_are_not_the_public_ones_and_are_on_record(verified, small_tasks):
    public, secret, motifs = verified.seeds
    assert public["kind"] == "public"
    assert public["data"] == small_tasks["regulatory-code@1"].grammar.seed
    assert secret["kind"] == "secret"
    assert secret["data"] != public["data"]
    assert secret["training"] != public["training"]
    # of the same seeds, so that the motifs alone tell the two networks apart
    assert motifs == {**secret, "kind": "secret motifs"}


def test_the_command_opens_the_image_of_the_submissions_backend(on_jax, monkeypatch, capfd):
    wishes = []

    def refuse(wish, say):
        wishes.append(wish)
        raise UserError("nothing is run here")

    monkeypatch.setattr(choose, "choose_executor", refuse)
    monkeypatch.setattr(sys, "argv", ["bench", "verify", str(on_jax), "--runner", "docker"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capfd.readouterr().err.endswith("nothing is run here\n")
    assert [(wish.runner, wish.backend) for wish in wishes] == [("docker", "jax")]


def test_parameters_of_a_stranger_cannot_deface_a_terminal():
    params = json.dumps({"label": "\x1b[2J\nTier: reproduced\n::notice::ok" + "x" * 9000})
    row = {"task": "motif-classes@1", "profile": "quick", "params": params, "backend": "jax"}
    name = Group([row], [[]]).name
    assert name.isprintable()
    assert len(name) < 400
    assert name.endswith(" on jax")


def test_a_verification_is_written_beside_and_not_into_the_folder(verified, honest, tmp_path):
    path = write_verification(verified, tmp_path / "out", honest[2])
    written = json.loads(path.read_text())
    assert written["tier"] == "reproduced without a container"
    places = [(place["backend"], place["isolation"]) for place in written["places"]]
    assert places == [("tensorflow", "none")]
    assert len(written["comparisons"]) == len(verified.comparisons)
    assert not (honest[2] / "verification.json").exists()


def test_a_model_that_memorised_the_public_test_set_is_flagged(memorised):
    registry, _, result = memorised
    scores = registry.latest("scores")["scores"].to_pylist()
    claimed = next(r for r in scores if r["metric"] == "auroc" and r["target"] is None)
    assert claimed["value"] == 1.0, "it looks perfect"
    assert not result.passed
    assert result.tier == "self-reported"
    flagged = [f for f in result.findings if f.level == "problem"]
    assert {f.check for f in flagged} >= {"same network"}
    assert any("FLAGGED as memorised" in f.remedy and "auroc" in f.text for f in flagged)


def test_a_memoriser_s_claim_itself_does_come_out_again(memorised):
    """So running it again with public seeds alone would not find it."""
    again = [c for c in memorised[2].comparisons if c.kind == "again"]
    assert again
    assert all(c.ok for c in again)


def test_a_network_that_holds_the_known_motifs_as_constants_is_flagged(submitted, small_tasks):
    """It does as well on secret data of the known motifs, so these alone would not find it."""
    motifs = load_dataset(small_tasks["regulatory-code@1"]).implanted[:5]
    matrices = [np.log2(m.ppm.T / 0.25 + 0.01).round(2).tolist() for m in motifs]
    result = verify(submitted(CONSTANTS.replace("{matrices}", str(matrices)), "constants.py")[2])
    assert not result.passed
    assert all(c.ok for c in result.comparisons if c.kind in ("same network", "secret"))
    flagged = [f for f in result.findings if f.level == "problem"]
    assert {f.check for f in flagged} == {"secret motifs"}
    assert any("auroc" in f.text for f in flagged)
    assert all("FLAGGED as holding them" in f.remedy for f in flagged)
    fell = next(c for c in result.comparisons if c.kind == "secret motifs" and c.metric == "auroc")
    assert fell.claimed > 0.9


def test_a_task_whose_motifs_have_no_secret_order_is_told_and_nothing_is_trained(
    honest, small_tasks, tmp_path, monkeypatch
):
    monkeypatch.setattr("motifidelity.tasks.permuted.MAX_DRAWS", 0)
    contents = read_folder(honest[2]).contents
    (group,) = groups(contents.tables["jobs"], contents.tables["scores"])
    spec, found = small_tasks["regulatory-code@1"], Rerun()
    fresh = replace(spec, grammar=replace(spec.grammar, seed=4321))
    job = Job(None, {}, fresh, spec.profile("quick"), 0, 5)
    verifier = Verifier(None, {}, tmp_path, lambda n: 0, print)
    verifier._secret_motifs(group, spec, Ran(job, "closed", [], {}, {}), 16, found)
    (warning,) = found.findings
    assert (warning.check, warning.level) == ("secret motifs", "warning")
    assert "no secret motifs for this task" in warning.text
    assert "motif MA0079.3: its columns match a known motif" in warning.remedy
    assert found.comparisons == []


def test_a_class_that_trains_itself_and_claims_the_closed_division_is_found(
    submitted, seal, monkeypatch
):
    """Rows can be edited alike; the training with the public seed tells, before any secret one."""
    monkeypatch.setattr(Verifier, "_secret", lambda *_: None)
    folder = submitted(OWN_FIT, "own.py")[2]
    for name in ("jobs.json", "metadata.json"):
        value = json.loads((folder / name).read_text())
        for row in value if isinstance(value, list) else [value]:
            assert row["division"] == "open"
            row["division"] = "closed"
        (folder / name).write_text(json.dumps(value))
    seal(folder)
    result = verify(folder)
    assert not result.passed
    (found,) = [f for f in result.findings if "division" in f.text]
    assert (found.check, found.level) == ("rerun", "problem")
    assert "it was trained in the open division here, and the submission says closed" in found.text


def test_a_score_that_does_not_come_out_again_is_named(honest):
    """A forger who makes everything consistent is found by training alone."""
    contents = read_folder(honest[2]).contents
    (group,) = groups(contents.tables["jobs"], contents.tables["scores"])
    true = [dict(row) for row in group.scores[0]]
    ran = Ran(None, "closed", true, {"auroc": 0.04, "aupr": 0.04}, {})
    assert all(c.ok for c in again(group, 0, ran, 16))
    forged = [
        {**row, "value": 0.999} if row["family"] == "accuracy" else row for row in group.scores[0]
    ]
    bad = [c for c in again(Group(group.jobs, [forged]), 0, ran, 16) if not c.ok]
    assert {c.metric for c in bad} == {"auroc", "aupr"}
    # of what no training touches, the smallest change is found
    moved = [
        {**row, "value": row["value"] + 1e-4} if row["method"] == "pwm" else row
        for row in group.scores[0]
    ]
    bad = [c for c in again(Group(group.jobs, [moved]), 0, ran, 16) if not c.ok]
    assert {c.method for c in bad} == {"pwm"}
    assert all(c.source.startswith("exact") for c in bad)


def test_a_score_that_is_claimed_and_never_found_is_named(honest):
    contents = read_folder(honest[2]).contents
    (group,) = groups(contents.tables["jobs"], contents.tables["scores"])
    rest = [row for row in group.scores[0] if row["family"] != "attribution"]
    bad = [c for c in again(group, 0, Ran(None, "closed", rest, {}, {}), 16) if not c.ok]
    assert {c.metric for c in bad} == {"attribution_auroc"}
