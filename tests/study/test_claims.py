"""Verdicts on the study's claims: what trials tell, what they do not, and what was not run."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from motifidelity.statistics import quantile_at
from motifidelity.study.claims import (
    BENT,
    CLAIMS,
    NETWORKS,
    NOT_RUN,
    PLAIN,
    SAME_ACCURACY,
    SHIFTED_AND_SCALED,
    Trials,
)
from motifidelity.study.grid import read_study
from motifidelity.study.published import published

BY_NAME = {claim.name: claim for claim in CLAIMS}
ALL = (*PLAIN, *SHIFTED_AND_SCALED, *BENT, "log_relu")


def measured(*rows):
    """Of rows (model, activation, metric, method, values of trials by seed).

    A number stands for three trials around it that hardly differ.
    """
    rng = np.random.default_rng(0)
    return Trials(
        pd.DataFrame(
            [
                (model, activation, metric, method, seed, value)
                for model, activation, metric, method, values in rows
                for seed, value in enumerate(some(values, rng))
            ],
            columns=["model", "activation", "metric", "method", "seed", "value"],
        )
    )


def some(values, rng):
    if isinstance(values, list):
        return values
    near = rng.normal(0, 1e-4, 3)
    return values + near - near.mean()


def bare(text):
    """Without half-widths."""
    return re.sub(r" ± [\d.]+", "", text)


def networks(model, **activations):
    """The accuracy of a network by activation, which says that it was trained."""
    return [
        (model, activation, metric, "", values)
        for activation, values in activations.items()
        for metric in ("auroc", "aupr")
    ]


@pytest.mark.parametrize("name", BY_NAME)
def test_nothing_is_concluded_from_nothing(name):
    assert BY_NAME[name].test(measured()).verdict == NOT_RUN


def scores(model, metric, method="", **activations):
    """A score in both definitions, by activation."""
    return [
        (model, activation, prefix + metric, method, values)
        for prefix in ("paper_", "")
        for activation, values in activations.items()
    ]


@pytest.mark.parametrize("name", BY_NAME)
def test_nothing_is_concluded_from_accuracy_alone_of_one_network(name):
    assert BY_NAME[name].test(measured(*networks("CNN-dist", relu=0.9))).verdict == NOT_RUN


@pytest.mark.parametrize("name", sorted(set(BY_NAME) - {"Accuracy"}))
def test_networks_without_the_scores_of_a_claim_decide_nothing(name):
    every = dict.fromkeys(ALL, 0.9)
    rows = [row for model in NETWORKS for row in networks(model, **every)]
    found = BY_NAME[name].test(measured(*rows))
    assert (found.verdict, found.paper, found.trials) == (NOT_RUN, "–", "0")


@pytest.mark.parametrize("name", sorted(set(BY_NAME) - {"Accuracy"}))
def test_a_score_that_is_not_a_number_decides_nothing(name):
    every = {name: [float("nan")] for name in ALL}
    rows = [row for model in NETWORKS for row in networks(model, **dict.fromkeys(ALL, 0.9))]
    for model in NETWORKS:
        rows += scores(model, "match_fraction", **every)
        rows += scores(model, "localisation_auroc", "filter", **every)
        rows += scores(model, "attribution_auroc", "saliency", **every)
    assert BY_NAME[name].test(measured(*rows)).verdict == NOT_RUN


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
        ({"relu": 0.91}, "holds", "2 of 35 networks", "0.010 (relu 0.910"),
        # near by its mean, which three trials that vary do not show
        ({"relu": [0.89, 0.91, 0.93]}, "not told apart", "2 of 35 networks", "0.010 (relu 0.910"),
        ({"relu": 0.71}, "does not hold", "2 of 35 networks", "0.210 (relu 0.710"),
        # one activation that falls off is enough, whatever ReLU does
        ({"relu": 0.92, "tanh": 0.88}, "does not hold", "3 of 35 networks", "0.040 (tanh"),
    ],
)
def test_accuracy_is_compared_over_all_plain_activations(others, verdict, coverage, shown):
    found = BY_NAME["Accuracy"].test(measured(*networks("CNN-2", exponential=0.92, **others)))
    assert (found.verdict, found.coverage) == (verdict, coverage)
    assert f"CNN-2 {shown}" in bare(found.paper)


def test_accuracy_needs_no_exponential_and_ignores_what_is_not_plain():
    rows = networks("CNN-2", relu=0.9, elu=0.9, log_relu=0.2)
    assert BY_NAME["Accuracy"].test(measured(*rows)).verdict == "holds"


def test_trials_are_those_of_the_networks_that_were_trained():
    rows = networks("CNN-2", exponential=0.9, relu=0.9, elu=[0.9])
    assert BY_NAME["Accuracy"].test(measured(*rows)).trials == "1 to 3"


def test_accuracy_of_equal_networks_is_seldom_called_equal_where_it_is_a_tolerance_apart():
    rng = np.random.default_rng(3)
    shown = 0
    for _ in range(200):
        seeds = rng.normal(0, 0.01, 3)
        every = dict.fromkeys(PLAIN, 0.9) | {"tanh": 0.9 - SAME_ACCURACY}
        rows = [
            row
            for activation, mean in every.items()
            for row in networks(
                "CNN-2", **{activation: list(mean + seeds + rng.normal(0, 0.003, 3))}
            )
        ]
        shown += BY_NAME["Accuracy"].test(measured(*rows)).verdict == "holds"
    assert shown <= 0.05 * 200 + 3 * np.sqrt(200 * 0.05 * 0.95)


def test_a_claim_may_hold_for_some_networks():
    rows = []
    for model, relu in (("CNN-2", 0.1), ("CNN-deep", 0.85)):
        rows += networks(model, exponential=0.9, relu=0.9)
        rows += scores(model, "match_fraction", exponential=0.9, relu=relu)
    found = BY_NAME["Filter motifs"].test(measured(*rows))
    assert (found.verdict, found.coverage) == ("holds in 1 of 2", "4 of 14 networks")
    assert bare(found.paper) == ("CNN-2 0.90 / 0.10 relu: +0.80; CNN-deep 0.90 / 0.85 relu: +0.05")


@pytest.mark.parametrize(("tanh", "verdict"), [(0.5, "holds"), (0.8, "does not hold")])
def test_filters_of_the_exponential_are_held_against_the_best_of_all_others(tanh, verdict):
    every = {**dict.fromkeys(PLAIN, 0.1), "exponential": 0.9, "tanh": tanh}
    rows = []
    for model in ("CNN-2", "CNN-deep"):
        rows += networks(model, **every, scale_relu=0.9)
        # a modified activation is none of the others
        rows += scores(model, "match_fraction", **every, scale_relu=0.95)
    # CNN-50, where every activation does it, stands beside and does not count
    rows += networks("CNN-50", **every)
    rows += scores("CNN-50", "match_fraction", **dict.fromkeys(PLAIN, 0.9))
    found = BY_NAME["Filter motifs"].test(measured(*rows))
    assert (found.verdict, found.coverage) == (verdict, "")
    assert f"CNN-2 0.90 / {tanh:.2f} tanh" in bare(found.paper)
    assert "CNN-50 0.90 / 0.90" in bare(found.corrected)


@pytest.mark.parametrize(
    ("elu", "verdict"), [(0.7, "holds"), (0.85, "holds in 1 of 2"), (0.95, "does not hold")]
)
def test_maps_of_the_exponential_are_held_against_the_best_of_all_others(elu, verdict):
    rows = []
    for model, own in (("CNN-local", 0.9), ("CNN-dist", 0.8)):
        values = {"exponential": own, "relu": 0.6, "elu": elu}
        rows += networks(model, **values)
        rows += scores(model, "attribution_auroc", "saliency", **values)
    found = BY_NAME["Attribution"].test(measured(*rows))
    assert found.verdict == verdict
    assert f"CNN-local saliency {0.9 - elu:+.3f} elu" in bare(found.paper)


def test_the_study_s_definition_decides_and_the_corrected_one_stands_beside():
    rows = networks("CNN-local", exponential=0.9, relu=0.9)
    rows += [
        ("CNN-local", "exponential", "paper_attribution_auroc", "ism", 0.9),
        ("CNN-local", "relu", "paper_attribution_auroc", "ism", 0.8),
        ("CNN-local", "exponential", "attribution_auroc", "ism", 0.7),
        ("CNN-local", "relu", "attribution_auroc", "ism", 0.8),
    ]
    found = BY_NAME["Attribution"].test(measured(*rows))
    assert found.verdict == "holds"
    assert (bare(found.paper), bare(found.corrected)) == (
        "CNN-local ism +0.100 relu",
        "CNN-local ism -0.100 relu",
    )


@pytest.mark.parametrize(("pwm", "verdict"), [(0.884, "holds"), (0.7, "holds in 2 of 3")])
def test_localisation_is_held_against_the_published_measured(pwm, verdict):
    rows = networks("CNN-deep", exponential=0.9, relu=0.9)
    for metric in ("paper_localisation_auroc", "localisation_auroc"):
        rows += [
            ("CNN-deep", "exponential", metric, "filter", 0.86),
            ("CNN-deep", "relu", metric, "filter", 0.42),
            ("CNN-deep", "exponential", metric, "pwm", pwm),
        ]
    assert BY_NAME["Localisation"].test(measured(*rows)).verdict == verdict


def test_localisation_without_the_scan_is_judged_by_what_is_there():
    rows = networks("CNN-deep", exponential=0.9)
    rows += scores("CNN-deep", "localisation_auroc", "filter", exponential=0.86)
    found = BY_NAME["Localisation"].test(measured(*rows))
    assert (found.verdict, found.coverage) == ("holds", "1 of 2 networks")
    assert bare(found.paper) == "0.860 / – / –"


@pytest.mark.parametrize(
    ("soft", "verdict"), [(0.8, "holds"), (0.71, "does not hold"), (0.5, "does not hold")]
)
def test_a_clearly_better_explained_and_less_accurate_network_shows_the_claim(soft, verdict):
    accuracy = {"relu": 0.96, "softplus": 0.95, "linear": 0.97, "exponential": 0.98}
    maps = {"relu": 0.7, "softplus": soft, "linear": 0.75, "exponential": 0.9}
    rows = networks("CNN-dist", **accuracy)
    rows += scores("CNN-dist", "attribution_auroc", "saliency", **maps)
    found = BY_NAME["Accuracy is not attribution"].test(measured(*rows))
    assert (found.verdict, found.coverage) == (verdict, "4 of 7 networks")
    # of six pairs the one without softplus and linear is left out
    assert f"{2 if soft == 0.8 else 0} of 5 pairs" in bare(found.paper)


def test_one_pair_that_is_told_does_not_refute_what_another_may_show():
    rows = networks("CNN-dist", exponential=0.98, softplus=0.95, linear=0.94)
    maps = {"softplus": [0.5, 0.7, 0.9], "linear": [0.0, 0.1, 0.05], "exponential": [0.6, 0.7, 0.8]}
    rows += scores("CNN-dist", "attribution_auroc", "saliency", **maps)
    found = BY_NAME["Accuracy is not attribution"].test(measured(*rows))
    assert found.verdict == "not told apart"


def test_pairs_without_softplus_and_linear_say_nothing_about_the_claim():
    rows = networks("CNN-dist", relu=0.97, exponential=0.96)
    rows += scores("CNN-dist", "attribution_auroc", "saliency", relu=0.7, exponential=0.9)
    assert BY_NAME["Accuracy is not attribution"].test(measured(*rows)).verdict == NOT_RUN


@pytest.mark.parametrize(("fraction", "verdict"), [(0.2, "holds"), (0.9, "does not hold")])
def test_log_relu_is_held_against_relu(fraction, verdict):
    rows = networks("CNN-deep", relu=0.9, log_relu=0.9)
    rows += scores("CNN-deep", "match_fraction", relu=0.1, log_relu=fraction)
    found = BY_NAME["Log-ReLU"].test(measured(*rows))
    assert (found.verdict, bare(found.paper)) == (verdict, f"relu 0.10, log_relu {fraction:.2f}")


@pytest.mark.parametrize(
    ("fraction", "verdict"), [(0.2, "holds of these networks"), (0.9, "does not hold of these")]
)
def test_one_log_relu_network_is_spoken_of_alone(fraction, verdict):
    rows = networks("CNN-deep", relu=0.9, log_relu=[0.9])
    rows += scores("CNN-deep", "match_fraction", relu=0.1, log_relu=[fraction])
    found = BY_NAME["Log-ReLU"].test(measured(*rows))
    assert found.verdict.startswith(verdict)
    assert (found.trials, found.tells) == ("1 to 3", "")


def test_log_relu_of_trials_that_vary_is_not_called_no_better():
    rows = networks("CNN-deep", relu=0.9, log_relu=0.9)
    varied = [0.0, 0.1, 0.3]
    rows += scores("CNN-deep", "match_fraction", relu=[0.2, 0.0, 0.1], log_relu=varied)
    found = BY_NAME["Log-ReLU"].test(measured(*rows))
    assert found.verdict == "not told apart"
    assert re.match(r"equal ones would be shown to be within 0\.\d+$", found.tells)


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
    both = dict.fromkeys(SHIFTED_AND_SCALED, 0.9)
    rows = networks("CNN-deep", relu=0.9, **both) + networks("CNN-dist", relu=0.9, **both)
    # one that is only scaled, and does nothing, is told and does not count
    others = dict.fromkeys(SHIFTED_AND_SCALED, fraction)
    rows += scores("CNN-deep", "match_fraction", relu=0.1, scale_tanh=0.05, **others)
    others = dict.fromkeys(SHIFTED_AND_SCALED, saliency)
    rows += scores("CNN-dist", "attribution_auroc", "saliency", relu=0.7, **others)
    found = BY_NAME["Modified activations"].test(measured(*rows))
    assert (found.verdict, found.coverage) == (verdict, "")
    assert "scale_tanh 0.05" in bare(found.paper)


def test_modified_activations_without_relu_are_held_against_nothing():
    rows = networks("CNN-deep", shift_scale_relu=0.9)
    rows += scores("CNN-deep", "match_fraction", shift_scale_relu=0.9)
    assert BY_NAME["Modified activations"].test(measured(*rows)).verdict == NOT_RUN


def test_half_widths_are_those_of_scipy_s_tests():
    rng = np.random.default_rng(0)
    values = {name: rng.normal(mean, 0.1, 4) for name, mean in (("a", 0.5), ("b", 0.9))}
    rows = [("CNN-2", a, "aupr", "", list(v)) for a, v in values.items()]
    score = measured(*rows).score("CNN-2", "aupr")
    interval = stats.ttest_rel(values["b"], values["a"]).confidence_interval(0.95)
    more = score.more("b", "a")
    assert more.value - more.half_width() == pytest.approx(interval.low)
    assert more.value + more.half_width() == pytest.approx(interval.high)
    # of a mean, whose seeds are drawn too, and whose spread both give
    sd = np.sqrt(np.mean([v.var(ddof=1) for v in values.values()]))
    half = stats.t.ppf(0.975, 6) * sd / 2
    assert score.mean("a").half_width() == pytest.approx(half)
    # largest less smallest: Tukey's range in the two-way layout
    rows.append(("CNN-2", "c", "aupr", "", list(rng.normal(0.7, 0.1, 4))))
    found = measured(*rows).score("CNN-2", "aupr").range()
    table = np.array([values for *_, values in rows])
    residuals = table - table.mean(1, keepdims=True) - table.mean(0) + table.mean()
    quantile = quantile_at(0.95, 3, 6)
    expected = quantile * np.sqrt((residuals**2).sum() / 6 / 4)
    assert found.half_width(found.between) == pytest.approx(expected)
    assert (found.best, found.least) == ("b", "a")


def test_what_is_not_told_says_which_difference_would_be():
    rng = np.random.default_rng(4)
    drawn = {"exponential": 0.75, "softplus": 0.7, "relu": 0.72}
    drawn = {name: list(mean + rng.normal(0, 0.08, 3)) for name, mean in drawn.items()}
    accuracy = {"exponential": 0.98, "softplus": 0.95, "relu": 0.96}
    rows = networks("CNN-dist", **accuracy)
    rows += scores("CNN-dist", "attribution_auroc", "saliency", **drawn)
    claim = BY_NAME["Accuracy is not attribution"]
    found = claim.test(measured(*rows))
    assert found.verdict == "not told apart"
    least = float(re.fullmatch(r"told from a measured difference of ([\d.]+) on", found.tells)[1])
    # the same trials with that difference between their means, and with a little less
    for more, verdict in ((least + 0.006, "holds"), (least - 0.006, "not told apart")):
        least_of = min(np.mean(drawn["exponential"]), np.mean(drawn["relu"]))
        gap = least_of - np.mean(drawn["softplus"]) + more
        moved = {**drawn, "softplus": [value + gap for value in drawn["softplus"]]}
        again = networks("CNN-dist", **accuracy)
        again += scores("CNN-dist", "attribution_auroc", "saliency", **moved)
        assert claim.test(measured(*again)).verdict == verdict


@pytest.mark.parametrize("name", sorted(set(BY_NAME) - {"Accuracy", "Localisation", "Log-ReLU"}))
def test_single_trials_tell_nothing_apart(name):
    rng = np.random.default_rng(1)
    rows = []
    for model in NETWORKS:
        every = {a: [rng.uniform()] for a in ALL}
        rows += networks(model, **every)
        rows += scores(model, "match_fraction", **{a: [rng.uniform()] for a in ALL})
        rows += scores(model, "attribution_auroc", "saliency", **{a: [rng.uniform()] for a in ALL})
    assert BY_NAME[name].test(measured(*rows)).verdict == "not told apart"


@pytest.mark.parametrize("name", ["Accuracy is not attribution", "Attribution"])
def test_networks_that_do_not_differ_show_no_claim_more_often_than_chance_allows(name):
    # the published SDs, method by method, and as many trials as the committed registry has
    cells = published()
    sds = cells[cells["activation"].isin(PLAIN) & (cells["over"] == "trials")]
    rng = np.random.default_rng(2)
    shown = 0
    registries = 200
    for _ in range(registries):
        rows = []
        for model in ("CNN-local", "CNN-dist"):
            rows += networks(model, **{a: [0.96 + rng.normal(0, 0.01)] for a in PLAIN})
        for (model, method), plain in sds.groupby(["model", "method"]):
            single = ("sigmoid", "tanh", "linear", "elu") if model == "CNN-dist" else ()
            drawn = {
                a: list(rng.normal(0.7, sd, 1 if a in single else 3))
                for a, sd in zip(plain["activation"], plain["sd"], strict=True)
            }
            rows += scores(model, "attribution_auroc", method, **drawn)
        # in part, as in "holds in 1 of 8", is shown too
        shown += bool(re.match("holds( in [1-9]|$)", BY_NAME[name].test(measured(*rows)).verdict))
    assert shown <= 0.05 * registries


@pytest.mark.parametrize(
    ("relu", "verdict"),
    [([0.81, 0.80, 0.82], "holds"), ([0.6, 0.8, 1.0], "not told apart")],
)
def test_the_same_difference_is_told_or_not_by_the_spread_of_trials(relu, verdict):
    rows = networks("CNN-local", exponential=0.9, relu=0.9)
    own = [0.90, 0.91, 0.92]
    rows += scores("CNN-local", "attribution_auroc", "ism", exponential=own, relu=relu)
    assert BY_NAME["Attribution"].test(measured(*rows)).verdict == verdict


def test_one_activation_that_is_not_told_leaves_the_claim_open():
    rng = np.random.default_rng(5)
    values = {"a": 0.9, "b": 0.1, "c": 0.85}
    rows = [("m", a, "s", "", list(v + rng.normal(0, 0.05, 3))) for a, v in values.items()]
    score = measured(*rows).score("m", "s")
    assert score.exceeds("a", "b").told is True
    assert score.exceeds("a", "c").told is None
    assert score.better_than_all("a").told is None
    assert score.exceeds("b", "a").told is False
    assert score.better_than_all("b").told is False
