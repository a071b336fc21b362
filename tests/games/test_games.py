"""Submissions that look good and know nothing, and where each of them ends.

``found`` holds those that once passed as honest, ``made`` what else we could think of. Each is
trained for a moment on a small and easy task, probed, scored and recorded as in a run;
docs/validity.md has figures and bounds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import games
import pytest

from motifidelity.entries import OPEN, OWN_TRAINING
from motifidelity.metrics.gates import GATES
from motifidelity.tasks.fresh import fresh_dataset

HERE = Path(__file__).parent
TESTS = HERE.parent
pytestmark = [pytest.mark.only_on("tensorflow"), pytest.mark.slow]


@dataclass(frozen=True)
class Game:
    """A submission, the gates that flag it, and its parameters."""

    file: str
    gates: tuple[str, ...]
    params: dict[str, Any] = field(default_factory=dict)


HIDDEN = ("gradients_add_up", "gradients_tell_changes")
GAMES = {
    "stopped gradient": Game("found/decoy_cover", (*HIDDEN, "scan_matters")),
    "rounded letters": Game("found/decoy_round", (*HIDDEN, "scan_matters")),
    "signs of letters": Game("made/hidden", HIDDEN, {"how": "sign"}),
    "largest letter": Game("made/hidden", HIDDEN, {"how": "argmax"}),
    "scaled-up decoy": Game("made/scaled", HIDDEN),
    "term that vanishes": Game("made/vanishing", ("gradients_tell_changes",)),
    "flat output": Game(
        "made/saturated", ("gradients_tell_changes", "scan_learned"), {"steepness": 300.0}
    ),
    "dead branch": Game("made/dead_branch", ("scan_matters",)),
    # what collapses it tells how much there was in the scan: that much of the answer is left
    "output that collapses": Game("made/collapsing", ("scan_learned",)),
    "start at matrices": Game("made/at_matrices", ("scan_learned",)),
    "frozen at matrices": Game("made/at_matrices", ("scan_learned",), {"trainable": False}),
    "matrices as constants": Game("found/hardcoded", ("scan_learned",)),
    "all matrices there are": Game("made/all_matrices", ("scan_learned",)),
}
# what a branch has no gate for yet is not asked of it
ASKED = {name: {*game.gates} & {*GATES} for name, game in GAMES.items()}


@pytest.fixture(scope="module")
def dataset():
    text = (resources.files("motifidelity.tasks") / "regulatory_code_1.toml").read_text()
    return games.easy_task(text)


@pytest.fixture(scope="module")
def truth(dataset):
    return games.truth_of(dataset)


@pytest.fixture
def play(tmp_path, truth):
    """Train, probe and score a file of this folder, or of another."""

    def of(file, on=truth, **params):
        path = HERE / f"{file}.py"
        number = len(list(tmp_path.iterdir()))
        return games.play(path, tmp_path / f"registry{number}", on, **params)

    return of


@pytest.mark.parametrize("name", [name for name, gates in ASKED.items() if gates])
def test_a_game_is_flagged_by_every_gate_that_it_does_not_fulfil(name, play):
    game = GAMES[name]
    played = play(game.file, **game.params)
    assert played.row["status"] == "ok", played.row["message"]
    assert ASKED[name] <= played.flagged


@pytest.mark.parametrize("name", ["deepbind", "danq", "enformer"])
def test_no_gate_flags_a_published_architecture(name, play):
    played = play(f"../models/published/{name}")
    assert played.row["status"] == "ok", played.row["message"]
    assert played.flagged == set()
    assert {played.verdicts[gate] for gate in HIDDEN} == {"ok"}


@pytest.mark.parametrize("method", ["fit", "train_step", "compile", "compute_loss"])
def test_training_of_its_own_is_in_the_open_division_and_says_which(method, play):
    played = play("made/own_training", method=method)
    assert played.row["division"] == OPEN
    assert f"{OWN_TRAINING} {method}" in played.row["warnings"]


def test_the_found_own_training_is_in_the_open_division(play):
    played = play("found/closed_cheat")
    assert played.row["division"] == OPEN
    assert f"{OWN_TRAINING} fit" in played.row["warnings"]


def test_a_lie_about_the_gradient_is_gone_when_the_network_is_frozen(play):
    liar, honest = (play("made/lying_gradient", lie=lie) for lie in (True, False))
    assert liar.scores == honest.scores
    assert liar.flagged == set()


def test_one_perfect_filter_among_dead_ones_does_not_pay(play):
    """F1 of one of five motifs is 1/3 at most."""
    played = play("made/at_matrices", single=True)
    assert played.scores["motif_recall", None] == 0.2
    assert played.scores["filter_f1", None] <= 1 / 3


def test_a_table_in_the_order_of_the_batch_is_refused(play):
    played = play("made/by_order", labels="0011010110010110")
    assert played.row["status"] == "model_error"
    assert "predictions must not depend on the batch" in played.row["message"]


def test_a_table_that_begins_alike_is_flagged(truth, play):
    """What is tried before training does not see it; accuracy would be perfect."""
    labels = truth.test.labels[:, 0]
    played = play("made/by_order", labels="0" * 4 + "".join(map(str, labels[4:])))
    assert played.scores["auroc", None] > 0.95
    assert "answers_repeat" in played.flagged


def test_what_is_known_of_published_sequences_is_worth_nothing_on_fresh_ones(
    dataset, tmp_path, play
):
    """The first comparison with secret data that `bench verify` makes."""
    truth = games.truth_of(dataset, "saliency", "ism", "deepshap")
    sequences = truth.test.sequences[truth.explained]
    known = " ".join("".join("ACGT"[letter] for letter in row) for row in sequences)
    played = play("made/seed_zero", on=truth, known=known)
    fresh = games.truth_of(fresh_dataset(dataset.spec, 1), "saliency", "ism", "deepshap")
    elsewhere = games.scores_elsewhere(played, tmp_path / "fresh", fresh)
    key = ("attribution_auroc", "deepshap")
    assert played.scores[key] > 0.75
    assert elsewhere[key] < played.scores[key] - 0.15


def test_motifs_that_are_switched_on_late_are_not_those_of_secret_data(dataset, play):
    """No gate of a run sees it; `bench verify` trains on motifs that are in no release."""
    pytest.importorskip("motifidelity.tasks.permuted")
    from motifidelity.tasks.fresh import secret_motifs_dataset

    secret = games.truth_of(secret_motifs_dataset(dataset.spec, 1))
    public, elsewhere = play("made/counter"), play("made/counter", on=secret)
    assert public.scores["filter_f1", None] > 0.9
    assert elsewhere.scores["filter_f1", None] < 0.2
    lost = ("localisation_auroc", "filter")
    assert elsewhere.scores[lost] < public.scores[lost] - 0.1
