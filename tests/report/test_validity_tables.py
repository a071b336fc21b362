"""Tables of readings, floors, rivals, gates and bounds, held against figures worked by hand."""

from __future__ import annotations

from itertools import product
from math import pi, sqrt, tan

import pytest
import study_rows

from motifidelity.entries import GC_CONTENT, KMER_REGRESSION, ORACLE, RANDOM
from motifidelity.registry import Registry
from motifidelity.report.documents import write_report
from motifidelity.report.tables import DocumentTables
from motifidelity.summary.query import Query
from motifidelity.summary.rivals import beside_counting

TASK = "regulatory-code@2"
# of its specification
FLOOR = 0.592
METHODS = ("gradient_corrected", "ism", "deepshap")
READINGS = ("signed", "magnitude")


def views(value, metric="attribution_auroc"):
    return {(metric, *view): value for view in product(METHODS, READINGS)}


def add(registry, model, scores, activation="relu", trial=0, **job):
    return study_rows.add(registry, model, activation, trial, scores, **{"task": TASK, **job})


def add_entry(registry, model, scores):
    job = {"division": "reference", "backend": "numpy", "params": "{}"}
    add(registry, model, scores, **job)


def table(registry, name):
    """A table as mappings from heading to cell, one a row."""
    lines = DocumentTables(registry).table(name).splitlines()
    rows = [[cell.strip() for cell in text.strip("|").split("|")] for text in lines]
    return [dict(zip(rows[0], row, strict=True)) for row in rows[2:] if len(row) == len(rows[0])]


def by_first(registry, name):
    return {next(iter(row.values())): row for row in table(registry, name)}


@pytest.fixture
def registry(tmp_path):
    return Registry(tmp_path / "registry")


def test_a_table_has_the_own_reading_of_maps_alone(registry):
    view = ("attribution_auroc", "gradient_corrected")
    saliency = ("attribution_auroc", "saliency")
    paper = ("paper_attribution_auroc", "saliency", "own")
    own = {("auroc", ""): 0.9, (*view, "own"): 0.6, (*saliency, "own"): 0.7, paper: 0.8}
    others = {(*view, "signed"): 0.1, (*view, "magnitude"): 0.2, (*saliency, "signed"): 0.3}
    for task in ("regulatory-code@1", TASK):
        add(registry, "CNN-dist", {**own, **others}, task=task)
        add(registry, "CNN-dist", {**own, **others}, "softplus", task=task)
    row = by_first(registry, "results regulatory-code@1")["CNN-dist relu"]
    assert (row["trials"], row["saliency"], row["corrected gradient"]) == ("1", "0.700", "0.600")
    assert by_first(registry, "results regulatory-code")["CNN-dist relu"]["saliency"] == "0.700"
    claim = by_first(registry, "claims measured")["Accuracy is not attribution"]
    assert "0.700" in claim["corrected"]
    assert "0.300" not in claim["corrected"]


def test_the_results_of_a_task_are_its_headlines_and_saliency(registry):
    scores = {
        ("auroc", ""): 0.91,
        ("filter_f1", ""): 0.92,
        ("filter_precision", ""): 0.93,
        ("motif_recall", ""): 0.94,
        ("localisation_auroc", "filter"): 0.95,
        ("localisation_auroc", "pwm"): 0.11,
        ("maps", ""): 0.96,
        ("attribution_auroc", "saliency", "own"): 0.97,
        ("match_any", ""): 0.98,
    }
    add(registry, "CNN-dist", scores)
    assert table(registry, "results regulatory-code") == [
        {
            "`regulatory-code`": "CNN-dist relu",
            "trials": "1",
            "AUROC": "0.910",
            "F1 of the filters": "0.920",
            "filters that match an implanted motif": "0.930",
            "true motifs found": "0.940",
            "localisation AUROC of the filters": "0.950",
            "maps": "0.960",
            "saliency": "0.970",
        }
    ]
    assert table(registry, "filters regulatory-code") == [
        {
            "`regulatory-code`": "CNN-dist relu",
            "trials": "1",
            "filter_f1": "0.920",
            "filter_precision": "0.930",
            "motif_recall": "0.940",
            "match_any": "0.980",
        }
    ]
    assert table(registry, "results regulatory-code@1") == []


def test_a_network_that_a_later_version_scores_too_costs_once(registry):
    first = add(registry, "CNN-dist", {}, task="regulatory-code@1", epochs=31)
    add(registry, "CNN-dist", {}, arrays_of=first, epochs=31)
    add(registry, "CNN-dist", {}, trial=1, epochs=42)
    rows = [(row["task"], row["epochs by trial"]) for row in table(registry, "cost")]
    assert rows == [("regulatory-code@1", "31"), ("regulatory-code@2", "42")]


def test_readings_are_means_of_every_view(registry):
    for trial, value in enumerate((0.7, 0.8)):
        scores = {**views(value), ("attribution_auroc", "ism", "signed"): value - 0.2}
        scores |= {("maps", ""): value / 2, ("attribution_auroc", "saliency", "own"): 0.5}
        add(registry, "CNN-dist", scores, trial=trial)
    [row] = table(registry, "readings regulatory-code")
    # SD of two values is their distance over the root of 2
    assert f"{0.1 / sqrt(2):.3f}" == "0.071"
    assert row["trials"] == "2"
    assert row["ISM, signed"] == "0.550 ± 0.071"
    assert row["DeepSHAP, magnitude"] == row["Corrected gradient, signed"] == "0.750 ± 0.071"
    assert (row["saliency"], row["maps"]) == ("0.500 ± 0.000", "0.375 ± 0.035")


def test_the_contrast_of_readings_is_of_networks_with_both_activations(registry):
    ahead = {"CNN-dist": 0.05, "CNN-local": 0.15}
    for model, more in ahead.items():
        add(registry, model, views(0.7))
        for trial, noise in enumerate((-0.01, 0.01)):
            add(registry, model, views(0.7 + more + noise), "exponential", trial)
    add(registry, "CNN-deep", views(0.9), "exponential", task="motif-classes@2")
    *rows, mean = table(registry, "reading contrasts")
    assert [(row["network"], row["trials"], row["ISM, signed"]) for row in rows] == [
        ("CNN-dist", "2, 1", "+0.050"),
        ("CNN-local", "2, 1", "+0.150"),
    ]
    # Student's t with one degree of freedom is Cauchy's; the standard error is half the distance
    reach = tan(pi * 0.475) * 0.05
    assert mean["ISM, signed"] == f"+0.100 ± {reach:.3f}"
    assert {row["maps"] for row in (*rows, mean)} == {"–"}


def test_floors_stand_beside_the_networks_and_the_oracle(registry):
    for activation, value in (("relu", 0.51), ("exponential", 0.55)):
        scores = {**views(value, "attribution_mismatched"), **views(value + 0.3)}
        add(registry, "CNN-dist", {**scores, ("auroc", ""): 0.9}, activation)
    for model, value in ((RANDOM, 0.5), (GC_CONTENT, 0.7), (KMER_REGRESSION, 0.8), (ORACLE, 0.99)):
        add_entry(registry, model, {("auroc", ""): value, **views(value)})
    for trial, value in enumerate((0.4, 0.6)):
        add(registry, "Untrained", {("auroc", ""): value}, trial=trial, division="open")
    rows = by_first(registry, "floors regulatory-code")
    assert list(rows["AUROC"].values()) == [
        *("AUROC", "0.500", "–", "–", "0.700", "0.800", "0.500 ± 0.141", "–"),
        *("0.900 to 0.900", "0.990"),
    ]
    view = rows["ISM, magnitude"]
    assert (view["noise"], view["stated floor"]) == ("0.500", f"{FLOOR:.3f}")
    assert (view["mismatched maps"], view["networks"]) == ("0.510 to 0.550", "0.810 to 0.850")
    # maps are scaled from that floor already
    assert rows["maps, mean of six views"]["stated floor"] == "0.000"


def test_a_network_outside_of_floor_and_oracle_is_named_with_its_value(registry):
    for activation, auroc, maps in (
        ("relu", 0.52, 0.0),
        ("tanh", 0.48, 0.3),
        ("exponential", 0.98, 0.97),
    ):
        add(registry, "CNN-dist", {("auroc", ""): auroc, ("maps", ""): maps}, activation)
    add_entry(registry, RANDOM, {("auroc", ""): 0.5, ("maps", ""): 0.2})
    add_entry(registry, ORACLE, {("auroc", ""): 0.98, ("maps", ""): 0.95})
    rows = by_first(registry, "bounds regulatory-code")
    assert list(rows["AUROC"].values()) == [
        *("AUROC", "0.500", "0.480 to 0.980", "0.980"),
        "worse than the floor: CNN-dist tanh 0.480",
    ]
    # the stated floor is that of maps, not noise
    assert list(rows["maps, mean of six views"].values())[1:] == [
        *("0.000", "0.000 to 0.970", "0.950"),
        "better than the oracle: CNN-dist exponential 0.970",
    ]
    assert rows["F1 of the filters"]["outside"] == "–"


def test_rivals_are_those_of_the_command(registry):
    add_entry(registry, KMER_REGRESSION, {("auroc", ""): 0.9, ("maps", ""): 0.5})
    # below three trials the interval is 1.96 standard errors over sequences wide
    for activation, auroc, maps in (
        ("relu", 0.91, 0.4),
        ("tanh", 0.93, 0.6),
        ("elu", 0.80, 0.6),
        ("linear", 0.80, 0.3),
    ):
        scores = {("auroc", ""): auroc, ("auroc_error", ""): 0.01}
        scores |= {("maps", ""): maps, ("maps_error", ""): 0.01}
        add(registry, "CNN-dist", scores, activation)
    rows = by_first(registry, "rivals regulatory-code")
    counting = rows.pop("6-mer regression")
    assert (counting["Predicts"], counting["Maps"]) == ("0.900", "0.500")
    assert {name: row["does not beat counting in"] for name, row in rows.items()} == {
        "CNN-dist elu": "Predicts",
        "CNN-dist linear": "Predicts, Maps",
        "CNN-dist relu": "Predicts, Maps",
    }
    relu = rows["CNN-dist relu"]
    assert (relu["Predicts"], relu["Maps"]) == ("0.910", "0.400")
    assert relu["Predicts, low"] == f"{0.91 - 1.959964 * 0.01:.3f}"
    assert relu["Maps, low"] == f"{0.4 - 1.959964 * 0.01:.3f}"
    text = DocumentTables(registry).table("rivals regulatory-code")
    assert text.endswith("do not beat counting: 3 of 4 in Predicts, 2 of 4 in Maps.")
    told = beside_counting(registry, Query())
    below = told[told["verdict"] == "not above"]
    assert dict(below["headline"].value_counts()) == {"Predicts": 3, "Maps": 2}


def test_without_a_rival_nothing_is_said_of_networks(registry):
    add(registry, "CNN-dist", {("auroc", ""): 0.9})
    assert "yet" in DocumentTables(registry).table("rivals regulatory-code")


def test_gates_count_trials_and_name_those_that_are_past_a_bound(registry):
    fidelity = ("gradient_fidelity", "saliency", "own")
    for trial, value in enumerate((0.9, 0.3)):
        add(registry, "CNN-dist", {fidelity: value, ("answer_shift", ""): 3e-8}, trial=trial)
    # another reading, and another method, are no figure of a gate
    other = {(*fidelity[:2], "signed"): 0.1, ("gradient_fidelity", "ism", "own"): 0.1}
    add(registry, "CNN-dist", {**other, ("gradient_completeness", ""): 0.3}, trial=2)
    rows = by_first(registry, "gates regulatory-code")
    assert list(rows["gradients tell changes"].values())[1:] == [
        *("`gradient_fidelity`", "below 0.33", "0.300 to 0.900", "3", "1", "1"),
        "CNN-dist relu, trial 1: 0.300",
    ]
    assert list(rows["answers repeat"].values())[2:] == [
        *("above 0.01", "3e-08 to 3e-08", "3", "0", "1", ""),
    ]
    assert rows["gradients add up"]["which"] == "CNN-dist relu, trial 2: 0.300"
    assert list(rows["the scan matters"].values())[3:] == ["–", "3", "0", "3", ""]


def test_a_scale_is_from_the_floor_that_the_task_states(registry):
    add(registry, "CNN-dist", {**views((1 + FLOOR) / 2), ("auroc", ""): 0.75})
    add_entry(registry, RANDOM, {**views(0.5), ("auroc", ""): 0.5})
    add_entry(registry, ORACLE, {**views(1.0), ("auroc", ""): 1.0})
    rows = table(registry, "scale regulatory-code")
    accuracy, *maps = rows
    assert (accuracy["metric"], accuracy["reading"]) == ("`auroc`", "–")
    assert (accuracy["stated floor"], accuracy["baselines, scaled"]) == ("–", "0.50 to 0.50")
    # a contribution's signed reading is its own
    assert [(row["method"], row["reading"]) for row in maps] == [
        ("deepshap", "magnitude"),
        *product(("gradient_corrected", "ism"), READINGS),
    ]
    assert {(row["random"], row["stated floor"]) for row in maps} == {("0.500", f"{FLOOR:.3f}")}
    assert {row["baselines, scaled"] for row in maps} == {"0.50 to 0.50"}
    assert "reading" not in DocumentTables(registry).table("scale regulatory-code@1")


def test_a_mark_names_a_version(registry, tmp_path):
    add(registry, "CNN-dist", {("auroc", ""): 0.9}, task="regulatory-code@1")
    path = tmp_path / "page.md"
    path.write_text("<!-- table: results regulatory-code@1 -->\n<!-- /table -->\n")
    assert write_report(DocumentTables(registry), [path]) == [path]
    assert "| CNN-dist relu | 1 | 0.900 |" in path.read_text()
