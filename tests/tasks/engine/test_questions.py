"""From a recipe to scores: what is asked, answered by what knows all, and by what knows little."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from motifidelity.metrics.methods import METHODS
from motifidelity.metrics.scored import (
    MapScorer,
    NetworkScorer,
    ScoredMaps,
    ScoredNetwork,
    ScoredTask,
    scorers,
)
from motifidelity.metrics.truth.asked import (
    NEITHER,
    REMOVED,
    FunctionTruth,
    Questions,
    RuleTruth,
    crossed_parts,
    single_part,
)
from motifidelity.tasks.engine.affinity import Affinity, calibrated_offsets
from motifidelity.tasks.engine.backgrounds import Background
from motifidelity.tasks.engine.compose import by_rules, place, write
from motifidelity.tasks.engine.draws import Draws
from motifidelity.tasks.engine.motif_rules import RULES
from motifidelity.tasks.engine.questions import ask_function, ask_rules, crossed_pairs
from motifidelity.tasks.engine.removals import removals, rule_of, together
from motifidelity.tasks.engine.rule_likelihoods import bayes_logit, state_likelihoods
from motifidelity.tasks.engine.sites import SiteTable
from motifidelity.tasks.generate import Implants

LENGTH, COUNT, EXPLAINED = 120, 300, 60
SHARES = (0.5, 0.25, 0.2, 0.05)
NAMES = ("repressor", "orientation", "spacing")
# of the families whose scores follow from what is asked here; accuracy is scored apart
NEW = ("rules", "effects", "robust")


def scored_task(**known):
    """A task of which the rest is never looked at."""
    nothing = {field.name: None for field in fields(ScoredTask)}
    return ScoredTask(**(nothing | {"kind_names": ()} | known))


def new_scores(network):
    modules = {one.score.__module__ for one in scorers(NetworkScorer)}
    wanted = [one for one in modules if one.split(".")[2] in NEW or one.endswith("regression")]
    return {
        (score.metric, score.target): score.value
        for one in scorers(NetworkScorer)
        if one.score.__module__ in wanted
        for score in one.score(network)
    }


@pytest.fixture(scope="module")
def ruled():
    """A small task by rules: questions, truth, and the sequences of the test set."""
    rng = np.random.default_rng(12)
    ppms = {f"M{i}": rng.dirichlet(np.full(4, 0.06), 9).T for i in range(2 * len(NAMES))}
    rules = [RULES[name](name, f"M{2 * i}", f"M{2 * i + 1}") for i, name in enumerate(NAMES)]
    number = {name: i for i, name in enumerate(ppms)}
    draws, table = Draws(1), SiteTable(list(ppms.values()))
    composition, labels = by_rules(draws, COUNT, rules, SHARES, number, table.widths, (1.0, 1.0))
    start = place(draws, composition, LENGTH, rules)
    codes, sites = write(draws, composition, start, table, Background(), LENGTH)
    implants = Implants(sites.owner, sites.motif, sites.strand, sites.start, sites.end, sites.bits)
    both = together(implants.sequence, *rule_of(implants.motif, rules, number), *labels.shape)
    explained = np.flatnonzero(labels.any(axis=1))[:EXPLAINED]
    asked = removals(rules, number, labels[explained], implants.of_sequences(explained))
    bounds = dict.fromkeys(ppms, 11.0)
    questions, pairs = ask_rules(
        Draws(2), rules, ppms, bounds, Background(), codes[explained], asked, 3
    )
    task = scored_task(
        classes=NAMES,
        sequences=codes,
        labels=labels,
        explained=explained,
        rules=RuleTruth(both, asked, pairs),
    )
    return task, questions, rules, ppms


def knows(rules, ppms):
    return lambda codes: np.stack([bayes_logit(r, codes, ppms, SHARES) for r in rules], axis=1)


def counts(rules, ppms):
    """Presence of both motifs, perfectly known: their single likelihoods."""

    def answer(codes):
        of = [state_likelihoods(rule, codes, ppms) for rule in rules]
        return np.stack([np.log(one["first"]) - np.log(one["second"]) for one in of], axis=1)

    return answer


def network(task, questions, answer, **more):
    answers = questions.answers(answer(questions.sequences))
    return ScoredNetwork(task, answer(task.sequences), None, answers=answers, **more)


def test_questions_come_back_in_the_shape_of_their_part():
    parts = {"a": np.zeros((2, 3, 5), np.uint8), "b": np.ones((4, 5), np.uint8)}
    asked = Questions(parts)
    assert asked.sequences.shape == (10, 5)
    outputs = np.arange(20.0).reshape(10, 2)
    found = asked.answers(outputs)
    assert found["a"].shape == (2, 3, 2)
    assert found["a"][1, 2].tolist() == [10, 11]
    assert found["b"].tolist() == outputs[6:].tolist()
    with pytest.raises(ValueError, match="9 outputs of 10 sequences"):
        asked.answers(outputs[1:])


def test_the_oracle_knows_the_rules(ruled):
    task, questions, rules, ppms = ruled
    scores = new_scores(network(task, questions, knows(rules, ppms)))
    for name in (*NAMES, None):
        assert scores["rule_auroc", name] > 0.99
        assert scores["designed_rule_auroc", name] > 0.999
        assert scores["instance_effect", name] > 0.85
    # where the distance decides
    assert scores["spacing_agreement", "spacing"] > 0.9
    assert scores["spacing_agreement", "repressor"] > 0.7
    assert ("spacing_agreement", "orientation") not in scores


def test_presence_of_the_motifs_knows_no_rule(ruled):
    task, questions, rules, ppms = ruled
    scores = new_scores(network(task, questions, counts(rules, ppms)))
    # three standard errors of 200 sequences; one draw of background is as good as another
    assert scores["rule_auroc", None] == pytest.approx(0.5, abs=0.07)
    assert scores["designed_rule_auroc", None] == pytest.approx(0.5, abs=0.02)
    assert scores["instance_effect", None] == pytest.approx(0.0, abs=0.25)


def test_an_answer_that_never_changes_gets_nothing(ruled):
    task, questions, *_ = ruled
    same = network(task, questions, lambda codes: np.full((len(codes), len(NAMES)), 0.1))
    same = replace(same, reverse_logits=same.logits)
    scores = new_scores(same)
    expected = {"rule_auroc": 0.5, "designed_rule_auroc": 0.5, "instance_effect": 0}
    expected |= {"spacing_agreement": 0, "strand_consistency": 0}
    assert {metric for metric, _ in scores} == set(expected)
    for (metric, _), value in scores.items():
        assert value == expected[metric]


def test_maps_are_held_against_what_instances_do(ruled):
    task, *_ = ruled
    asked = task.rules.instances
    truth = np.zeros((EXPLAINED, len(NAMES), LENGTH, 4))
    for row, rule, start, end, effect in zip(
        asked.sequence, asked.rule, asked.start, asked.end, asked.effect, strict=True
    ):
        truth[row, rule, start:end] = -effect
    shown = np.eye(4)[task.explained_sequences][:, None]
    scorer = next(
        one for one in scorers(MapScorer) if one.score.__module__.endswith("instance_effects")
    )

    def scores(maps, reading="signed"):
        found = ScoredMaps(
            task, METHODS["deepshap"], maps[:, 0], np.zeros(0), reading=reading, of_outputs=maps
        )
        return {(s.metric, s.target): s.value for s in scorer.score(found)}

    assert set(scores(truth * shown).values()) == {1}
    flipped = scores(-truth * shown)
    assert flipped["map_effect", None] == -1
    assert flipped["map_sign", "repressor"] == 0
    nothing = scores(np.zeros_like(truth))
    assert (nothing["map_effect", None], nothing["map_sign", None]) == (0, 0.5)
    # rules whose instances never do harm have no sign
    assert {target for metric, target in nothing if metric == "map_sign"} == {"repressor", None}
    assert scores(truth * shown, "own") == {}


@pytest.fixture(scope="module")
def affine():
    """A small task by an exact function of four factors, of which two cooperate."""
    rng = np.random.default_rng(13)
    ppms = {name: rng.dirichlet(np.full(4, 0.3), 9).T for name in "ABCD"}
    background = Background().draw(Draws(3), 800, LENGTH)
    offsets = calibrated_offsets(background, ppms, percentile=95, share=0.3)
    weights = {"A": 1.0, "B": -0.8, "C": 0.2, "D": 0.1}
    function = Affinity(ppms, offsets, weights, [("C", "D", 1.8)])
    codes = background[:40]
    codes[::2, 20:29] = ppms["A"].argmax(axis=0)
    bounds = dict.fromkeys(ppms, 9.0)
    questions, crossed = ask_function(
        Draws(4), function, bounds, Background(), (0.5, 1.25), LENGTH, 6
    )
    return function, codes, questions, crossed


def column(function):
    return lambda codes: function(codes)[:, None]


def function_task(function, codes, questions, crossed):
    truth = FunctionTruth(
        column(function)(codes),
        function.substitutions(codes[:6]),
        questions.answers(column(function)(questions.sequences)),
        tuple(function.ppms),
        crossed,
    )
    return scored_task(
        classes=("activity",), sequences=codes, explained=np.arange(6), function=truth
    )


def test_what_is_asked_about_a_function(affine):
    function, _, questions, crossed = affine
    assert crossed == (("C", "D"), ("A", "B")) == crossed_pairs(function)
    assert questions.parts[NEITHER].shape == (6, LENGTH)
    assert questions.parts[single_part("B")].shape == (20, 6, LENGTH)
    assert questions.parts[crossed_parts("C", "D")[0]].shape == (5, 5, 6, LENGTH)
    assert REMOVED not in questions.parts
    # of one factor alone there is no other pair
    lonely = Affinity(function.ppms, function.offsets, {"A": 1.0}, [])
    assert crossed_pairs(lonely) == ()


def test_the_function_itself_knows_all_its_effects(affine):
    function, codes, questions, crossed = affine
    task = function_task(function, codes, questions, crossed)
    scores = new_scores(network(task, questions, column(function)))
    ones = {"pearson", "spearman", "r2", "calibration_slope"}
    ones |= {"affinity_response", "affinity_slope", "epistasis"}
    assert {metric for metric, _ in scores} == ones
    for value in scores.values():
        assert value == pytest.approx(1)


def test_a_function_without_cooperation_has_no_epistasis_and_a_convex_one_less(affine):
    function, codes, questions, crossed = affine
    task = function_task(function, codes, questions, crossed)
    additive = Affinity(function.ppms, function.offsets, function.weights, [])
    scores = new_scores(network(task, questions, column(additive)))
    assert scores["affinity_response", "A"] == pytest.approx(1, abs=0.001)
    # saturation of single factors aside, nothing is left of the interaction
    assert scores["epistasis", None] < 0.1
    convex = new_scores(network(task, questions, lambda codes: np.exp(column(additive)(codes))))
    assert convex["epistasis", None] < 0.5


def test_maps_of_the_function_s_own_changes_foretell_all_variants(affine):
    function, codes, questions, crossed = affine
    task = function_task(function, codes, questions, crossed)
    changes = task.function.changes
    scorer = next(one for one in scorers(MapScorer) if one.score.__module__.endswith("variants"))

    def scores(maps, method="ism", **more):
        found = ScoredMaps(task, METHODS[method], maps, np.zeros(6), **more)
        return {s.metric: (s.value, s.n) for s in scorer.score(found)}

    known = scores(changes)
    assert [known[name][0] for name in known] == pytest.approx([1, 1, 1, 1])
    assert set(known) == {"variant_effect_r", "variant_effect_rho", "variant_sign", "map_variant_r"}
    assert known["variant_effect_r"][1] == 6
    assert scores(-changes)["map_variant_r"][0] == pytest.approx(-1)
    # contributions speak of letters that are not there by their hypothetical ones alone
    assert scores(changes, "deepshap") == {}
    shares = scores(changes * 0, "deepshap", hypothetical=changes + 3)
    assert shares["map_variant_r"][0] == pytest.approx(1)


def test_kinds_of_negatives_are_scored_where_the_task_has_some():
    labels = np.array([[1], [1], [0], [0], [0]])
    task = scored_task(
        classes=("bound",),
        labels=labels,
        kinds=np.array([0, 0, 0, 1, 1]),
        kind_names=("permuted", "mutated"),
    )
    logits = np.array([[2.0], [1.0], [0.0], [1.5], [0.5]])
    assert new_scores(ScoredNetwork(task, logits, None)) == {
        ("kind_auroc", "permuted"): 1.0,
        ("kind_auroc", "mutated"): 0.75,
        ("auroc_worst", None): 0.75,
    }


def test_a_task_without_rules_or_function_has_none_of_these_scores():
    task = scored_task(classes=("a",), labels=np.ones((3, 1)), explained=np.arange(3))
    assert new_scores(ScoredNetwork(task, np.zeros((3, 1)), None)) == {}
