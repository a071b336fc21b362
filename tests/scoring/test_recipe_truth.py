"""What is true of a recipe's test set reaches the scores; of the study's tasks there is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from engine_specs import AFFINITY, NUMBER, RULES, engine_text

from motifidelity.metrics.rules.rule_ranking import score_rules
from motifidelity.runs.oracle_networks import oracle_network
from motifidelity.scoring.truth import Truth
from motifidelity.tasks.engine.sites import KINDS
from motifidelity.tasks.fresh import fresh_dataset
from motifidelity.tasks.spec import parse_spec


@pytest.fixture(scope="module")
def truths(spec_texts):
    def truth(engine):
        text = engine_text(spec_texts["motif-classes@2"], engine)
        dataset = fresh_dataset(parse_spec(text, draft=True), 31)
        profile = replace(dataset.spec.profile("full"), test=None, explained=20)
        return Truth(dataset, profile)

    return {engine: truth(engine) for engine in (RULES, NUMBER, AFFINITY)}


def test_rules_are_told_where_both_motifs_are(truths):
    truth = truths[RULES]
    known, implants = truth.scored.rules, truth.test.implants
    # matrices 0 and 1 are of the first rule, 2 and 3 of the second
    for row, both in enumerate(known.together):
        here = set(implants.motif[implants.sequence == row])
        assert both.tolist() == [{0, 1} <= here, {2, 3} <= here]
    oracle = oracle_network(truth).logits(np.eye(4, dtype=np.float32)[truth.test.sequences])
    *_, mean = score_rules(oracle, truth.test.labels, known.together, truth.spec.classes)
    assert mean.value > 0.95
    asked = known.instances
    rows = truth.explained[asked.sequence]
    assert known.together[rows, asked.rule].all()
    there = set(zip(implants.sequence, implants.start, implants.end, strict=True))
    assert set(zip(rows, asked.start, asked.end, strict=True)) <= there
    labels = truth.test.labels[rows, asked.rule]
    # what can be lost is lost from what is satisfied, and what is won is won from what is not
    assert (labels[asked.effect < 0] == 1).all()
    assert (labels[asked.effect > 0] == 0).all()
    assert truth.scored.function is None
    assert truth.scored.kinds is None


def test_negatives_are_of_the_kind_of_their_decoys(truths):
    truth = truths[NUMBER]
    kinds, decoys = truth.scored.kinds, truth.test.decoys
    assert truth.scored.kind_names == ("permuted", "look-alike", "mutated")
    assert ((kinds >= 0) == (truth.test.labels[:, 0] == 0)).all()
    for row, kind in zip(decoys.sequence, decoys.kind, strict=True):
        assert truth.scored.kind_names[kinds[row]] == KINDS[kind]
    assert truth.scored.rules is None


def test_the_exact_target_is_the_label_without_its_noise(truths):
    truth = truths[AFFINITY]
    known = truth.scored.function
    noise = truth.test.labels - known.exact
    # of variance .11, in 80 sequences: five standard errors
    assert noise.std() == pytest.approx(np.sqrt(0.11), rel=5 / np.sqrt(2 * len(noise)))
    row, place = truth.explained[3], 40
    for letter in range(4):
        other = truth.test.sequences[[row]].copy()
        other[0, place] = letter
        after = truth.contents.exact(truth.matrices, other)[0]
        change = after - known.exact[row, 0]
        assert known.changes[3, place, letter] == pytest.approx(change, abs=1e-9)


def test_the_study_s_tasks_have_none_of_these(motif_classes):
    truth = Truth(motif_classes, replace(motif_classes.spec.profile("quick"), test=20, explained=2))
    scored = truth.scored
    assert (scored.rules, scored.function, scored.kinds, scored.kind_names) == (None,) * 3 + ((),)
