"""The verdicts on the study's claims follow from means alone, and say what was not run."""

from __future__ import annotations

import pandas as pd
import pytest

from motifidelity.claims import CLAIMS, NOT_RUN, Means

BY_NAME = {claim.name: claim for claim in CLAIMS}


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


@pytest.mark.parametrize(
    ("relu", "verdict"), [([0.90, 0.92], "holds"), ([0.70, 0.72], "does not hold")]
)
def test_accuracy_is_compared_by_means_over_trials(relu, verdict):
    found = BY_NAME["Accuracy"].test(means(*networks("CNN-2", exponential=[0.92], relu=relu)))
    assert found.verdict == verdict
    assert found.trials == "1 to 2"
    assert f"CNN-2 {0.92 - sum(relu) / 2:+.3f}" in found.paper


def test_a_claim_may_hold_for_some_networks():
    rows = []
    for model, relu in (("CNN-2", 0.1), ("CNN-deep", 0.85)):
        rows += networks(model, exponential=[0.9], relu=[0.9])
        for metric in ("paper_match_fraction", "match_fraction"):
            rows += [(model, "exponential", metric, "", [0.9]), (model, "relu", metric, "", [relu])]
    found = BY_NAME["Filter motifs"].test(means(*rows))
    assert found.verdict == "holds in 1 of 2"
    assert found.paper == "CNN-2 0.90 / 0.10, CNN-deep 0.90 / 0.85"


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


@pytest.mark.parametrize(("soft", "verdict"), [(0.8, "holds"), (0.5, "does not hold")])
def test_one_pair_in_the_other_order_shows_that_accuracy_is_not_attribution(soft, verdict):
    accuracy = {"relu": 0.96, "softplus": 0.95, "linear": 0.97, "exponential": 0.98}
    maps = {"relu": 0.7, "softplus": soft, "linear": 0.75, "exponential": 0.9}
    rows = networks("CNN-dist", **{a: [v] for a, v in accuracy.items()})
    for metric in ("paper_attribution_auroc", "attribution_auroc"):
        rows += [("CNN-dist", a, metric, "saliency", [v]) for a, v in maps.items()]
    assert BY_NAME["Accuracy is not attribution"].test(means(*rows)).verdict == verdict


@pytest.mark.parametrize(
    ("name", "activation", "value", "verdict"),
    [
        ("Modified activations", "scale_relu", 0.9, "holds"),
        ("Modified activations", "scale_relu", 0.2, "does not hold"),
        ("Log-ReLU", "log_relu", 0.2, "holds"),
        ("Log-ReLU", "log_relu", 0.9, "does not hold"),
    ],
)
def test_other_activations_are_held_against_relu(name, activation, value, verdict):
    rows = networks("CNN-deep", relu=[0.9], **{activation: [0.9]})
    for metric in ("paper_match_fraction", "match_fraction"):
        rows += [
            ("CNN-deep", "relu", metric, "", [0.1]),
            ("CNN-deep", activation, metric, "", [value]),
        ]
    assert BY_NAME[name].test(means(*rows)).verdict == verdict
