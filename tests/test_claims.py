"""The verdicts on the study's claims follow from means alone, and say what was not run."""

from __future__ import annotations

import pandas as pd
import pytest

from motifidelity.claims import (
    BENT,
    CLAIMS,
    NETWORKS,
    NOT_RUN,
    PLAIN,
    SHIFTED_AND_SCALED,
    Means,
)
from motifidelity.reproduce import read_study

BY_NAME = {claim.name: claim for claim in CLAIMS}
ALL = (*PLAIN, *SHIFTED_AND_SCALED, *BENT, "log_relu")


def means(*rows):
    """Of rows (model, activation, metric, method, values of trials)."""
    return Means(
        pd.DataFrame(
            [
                (model, activation, metric, method, trial, value)
                for model, activation, metric, method, values in rows
                for trial, value in enumerate(values)
            ],
            columns=["model", "activation", "metric", "method", "trial", "value"],
        )
    )


def networks(model, **activations):
    """The accuracy of a network by activation, which says that it was trained."""
    return [
        (model, activation, metric, "", values)
        for activation, values in activations.items()
        for metric in ("auroc", "aupr")
    ]


@pytest.mark.parametrize("name", BY_NAME)
def test_nothing_is_concluded_from_nothing(name):
    assert BY_NAME[name].test(means()).verdict == NOT_RUN


def scores(model, metric, method="", **activations):
    """A score in both definitions, by activation."""
    return [
        (model, activation, prefix + metric, method, values)
        for prefix in ("paper_", "")
        for activation, values in activations.items()
    ]


@pytest.mark.parametrize("name", BY_NAME)
def test_nothing_is_concluded_from_accuracy_alone_of_one_network(name):
    assert BY_NAME[name].test(means(*networks("CNN-dist", relu=[0.9]))).verdict == NOT_RUN


@pytest.mark.parametrize("name", sorted(set(BY_NAME) - {"Accuracy"}))
def test_networks_without_the_scores_of_a_claim_decide_nothing(name):
    every = {name: [0.9] for name in ALL}
    rows = [row for model in NETWORKS for row in networks(model, **every)]
    found = BY_NAME[name].test(means(*rows))
    assert (found.verdict, found.paper, found.trials) == (NOT_RUN, "–", "0")


@pytest.mark.parametrize("name", sorted(set(BY_NAME) - {"Accuracy"}))
def test_a_score_that_is_not_a_number_decides_nothing(name):
    every = {name: [float("nan")] for name in ALL}
    rows = [row for model in NETWORKS for row in networks(model, **{name: [0.9] for name in ALL})]
    for model in NETWORKS:
        rows += scores(model, "match_fraction", **every)
        rows += scores(model, "localisation_auroc", "filter", **every)
        rows += scores(model, "attribution_auroc", "saliency", **every)
    assert BY_NAME[name].test(means(*rows)).verdict == NOT_RUN


def test_the_activations_are_those_of_the_study_s_grid():
    parts = read_study().parts
    plain = {*parts["contrast"].activations, *parts["plain"].activations}
    assert plain == set(PLAIN)
    assert set(parts["modified"].activations) == {*SHIFTED_AND_SCALED, *BENT, "log_relu"}
    tasks = {name: read_study().tasks[name.lower().replace("-", "_")] for name in NETWORKS}
    assert tasks == NETWORKS


@pytest.mark.parametrize(
    ("others", "verdict", "coverage", "shown"),
    [
        ({"relu": [0.90, 0.92]}, "holds", "2 of 35 networks", "0.010 (relu 0.910"),
        ({"relu": [0.70, 0.72]}, "does not hold", "2 of 35 networks", "0.210 (relu 0.710"),
        # one activation that falls off is enough, whatever ReLU does
        ({"relu": [0.92], "tanh": [0.88]}, "does not hold", "3 of 35 networks", "0.040 (tanh"),
    ],
)
def test_accuracy_is_compared_over_all_plain_activations(others, verdict, coverage, shown):
    found = BY_NAME["Accuracy"].test(means(*networks("CNN-2", exponential=[0.92], **others)))
    assert (found.verdict, found.coverage) == (verdict, coverage)
    assert f"CNN-2 {shown}" in found.paper


def test_accuracy_needs_no_exponential_and_ignores_what_is_not_plain():
    rows = networks("CNN-2", relu=[0.9], elu=[0.9], log_relu=[0.2])
    assert BY_NAME["Accuracy"].test(means(*rows)).verdict == "holds"


def test_trials_are_those_of_the_networks_that_were_trained():
    rows = networks("CNN-2", exponential=[0.9] * 3, relu=[0.9] * 3, elu=[0.9])
    assert BY_NAME["Accuracy"].test(means(*rows)).trials == "1 to 3"


def test_a_claim_may_hold_for_some_networks():
    rows = []
    for model, relu in (("CNN-2", 0.1), ("CNN-deep", 0.85)):
        rows += networks(model, exponential=[0.9], relu=[0.9])
        rows += scores(model, "match_fraction", exponential=[0.9], relu=[relu])
    found = BY_NAME["Filter motifs"].test(means(*rows))
    assert (found.verdict, found.coverage) == ("holds in 1 of 2", "4 of 14 networks")
    assert found.paper == "CNN-2 0.90 / 0.10 relu; CNN-deep 0.90 / 0.85 relu"


@pytest.mark.parametrize(("tanh", "verdict"), [(0.5, "holds"), (0.8, "does not hold")])
def test_filters_of_the_exponential_are_held_against_the_best_of_all_others(tanh, verdict):
    every = {**{name: [0.1] for name in PLAIN}, "exponential": [0.9], "tanh": [tanh]}
    rows = []
    for model in ("CNN-2", "CNN-deep"):
        rows += networks(model, **every, scale_relu=[0.9])
        # a modified activation is none of the others
        rows += scores(model, "match_fraction", **every, scale_relu=[0.95])
    # CNN-50, where every activation does it, stands beside and does not count
    rows += networks("CNN-50", **every)
    rows += scores("CNN-50", "match_fraction", **{name: [0.9] for name in PLAIN})
    found = BY_NAME["Filter motifs"].test(means(*rows))
    assert (found.verdict, found.coverage) == (verdict, "")
    assert f"CNN-2 0.90 / {tanh:.2f} tanh" in found.paper
    assert "CNN-50 0.90 / 0.90" in found.corrected


@pytest.mark.parametrize(
    ("elu", "verdict"), [(0.7, "holds"), (0.85, "holds in 1 of 2"), (0.95, "does not hold")]
)
def test_maps_of_the_exponential_are_held_against_the_best_of_all_others(elu, verdict):
    rows = []
    for model, own in (("CNN-local", 0.9), ("CNN-dist", 0.8)):
        values = {"exponential": [own], "relu": [0.6], "elu": [elu]}
        rows += networks(model, **values)
        rows += scores(model, "attribution_auroc", "saliency", **values)
    found = BY_NAME["Attribution"].test(means(*rows))
    assert found.verdict == verdict
    assert f"CNN-local saliency {0.9 - elu:+.3f} elu" in found.paper


def test_the_study_s_definition_decides_and_the_corrected_one_stands_beside():
    rows = networks("CNN-local", exponential=[0.9], relu=[0.9])
    rows += [
        ("CNN-local", "exponential", "paper_attribution_auroc", "ism", [0.9]),
        ("CNN-local", "relu", "paper_attribution_auroc", "ism", [0.8]),
        ("CNN-local", "exponential", "attribution_auroc", "ism", [0.7]),
        ("CNN-local", "relu", "attribution_auroc", "ism", [0.8]),
    ]
    found = BY_NAME["Attribution"].test(means(*rows))
    assert found.verdict == "holds"
    assert (found.paper, found.corrected) == (
        "CNN-local ism +0.100 relu",
        "CNN-local ism -0.100 relu",
    )


@pytest.mark.parametrize(("pwm", "verdict"), [(0.884, "holds"), (0.7, "holds in 2 of 3")])
def test_localisation_is_held_against_the_published_means(pwm, verdict):
    rows = networks("CNN-deep", exponential=[0.9], relu=[0.9])
    for metric in ("paper_localisation_auroc", "localisation_auroc"):
        rows += [
            ("CNN-deep", "exponential", metric, "filter", [0.86]),
            ("CNN-deep", "relu", metric, "filter", [0.42]),
            ("CNN-deep", "exponential", metric, "pwm", [pwm]),
        ]
    assert BY_NAME["Localisation"].test(means(*rows)).verdict == verdict


def test_localisation_without_the_scan_is_judged_by_what_is_there():
    rows = networks("CNN-deep", exponential=[0.9])
    rows += scores("CNN-deep", "localisation_auroc", "filter", exponential=[0.86])
    found = BY_NAME["Localisation"].test(means(*rows))
    assert (found.verdict, found.coverage) == ("holds", "1 of 2 networks")
    assert found.paper == "0.860 / – / –"


@pytest.mark.parametrize(
    ("soft", "verdict"), [(0.8, "holds"), (0.71, "does not hold"), (0.5, "does not hold")]
)
def test_a_clearly_better_explained_and_less_accurate_network_shows_the_claim(soft, verdict):
    accuracy = {"relu": 0.96, "softplus": 0.95, "linear": 0.97, "exponential": 0.98}
    maps = {"relu": 0.7, "softplus": soft, "linear": 0.75, "exponential": 0.9}
    rows = networks("CNN-dist", **{a: [v] for a, v in accuracy.items()})
    rows += scores("CNN-dist", "attribution_auroc", "saliency", **{a: [v] for a, v in maps.items()})
    found = BY_NAME["Accuracy is not attribution"].test(means(*rows))
    assert (found.verdict, found.coverage) == (verdict, "4 of 7 networks")
    # of six pairs the one without softplus and linear is left out
    assert f"{2 if soft == 0.8 else 0} of 5 pairs" in found.paper


def test_pairs_without_softplus_and_linear_say_nothing_about_the_claim():
    rows = networks("CNN-dist", relu=[0.97], exponential=[0.96])
    rows += scores("CNN-dist", "attribution_auroc", "saliency", relu=[0.7], exponential=[0.9])
    assert BY_NAME["Accuracy is not attribution"].test(means(*rows)).verdict == NOT_RUN


@pytest.mark.parametrize(("fraction", "verdict"), [(0.2, "holds"), (0.9, "does not hold")])
def test_log_relu_is_held_against_relu(fraction, verdict):
    rows = networks("CNN-deep", relu=[0.9], log_relu=[0.9])
    rows += scores("CNN-deep", "match_fraction", relu=[0.1], log_relu=[fraction])
    found = BY_NAME["Log-ReLU"].test(means(*rows))
    assert (found.verdict, found.paper) == (verdict, f"relu 0.10, log_relu {fraction:.2f}")


@pytest.mark.parametrize(
    ("fraction", "saliency", "verdict"),
    [
        (0.9, 0.8, "holds"),
        (0.9, 0.6, "holds in 3 of 6"),
        (0.2, 0.8, "holds in 3 of 6"),
        (0.2, 0.6, "does not hold"),
    ],
)
def test_shifted_and_scaled_activations_are_held_against_relu(fraction, saliency, verdict):
    both = {name: [0.9] for name in SHIFTED_AND_SCALED}
    rows = networks("CNN-deep", relu=[0.9], **both) + networks("CNN-dist", relu=[0.9], **both)
    # one that is only scaled, and does nothing, is told and does not count
    others = {name: [fraction] for name in SHIFTED_AND_SCALED}
    rows += scores("CNN-deep", "match_fraction", relu=[0.1], scale_tanh=[0.0], **others)
    others = {name: [saliency] for name in SHIFTED_AND_SCALED}
    rows += scores("CNN-dist", "attribution_auroc", "saliency", relu=[0.7], **others)
    found = BY_NAME["Modified activations"].test(means(*rows))
    assert (found.verdict, found.coverage) == (verdict, "")
    assert "scale_tanh 0.00" in found.paper


def test_modified_activations_without_relu_are_held_against_nothing():
    rows = networks("CNN-deep", shift_scale_relu=[0.9])
    rows += scores("CNN-deep", "match_fraction", shift_scale_relu=[0.9])
    assert BY_NAME["Modified activations"].test(means(*rows)).verdict == NOT_RUN
