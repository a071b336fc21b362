"""What drifted, by how much, against which tolerance; in text, Markdown and JUnit XML."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from motifidelity.regress.drift import as_junit, as_markdown, as_text, compare
from motifidelity.regress.fingerprint import Observed
from motifidelity.regress.golden import Golden, Recorded

A, M = "activations", "metrics"
GOLDEN = Golden(
    {
        (A, "CNN | 2", "mean"): Recorded(1.0, 0.1, 0.01),
        (A, "CNN | 2", "operation"): Recorded("Exp"),
        (A, "CNN-50", "mean"): Recorded(2.0, 0.1, 0.01),
        (M, "arrays", "auroc"): Recorded(float("nan"), 0.0, 0.0),
    }
)
SAME = {
    (A, "CNN | 2", "mean"): Observed(1.05),
    (A, "CNN | 2", "operation"): Observed("Exp"),
    (A, "CNN-50", "mean"): Observed(1.95),
    (M, "arrays", "auroc"): Observed(float("nan")),
}


def states(observed, kinds=(A, M)):
    return {f.key: f.state for f in compare(GOLDEN, observed, kinds)}


def test_within_its_tolerance_everything_is_ok():
    findings = compare(GOLDEN, SAME, (A, M))
    assert {f.state for f in findings} == {"ok"}
    assert not any(f.bad for f in findings)


@pytest.mark.parametrize(
    ("name", "value", "state"),
    [
        ((A, "CNN | 2", "mean"), 1.2, "drifted"),
        ((A, "CNN | 2", "mean"), float("nan"), "drifted"),
        ((A, "CNN | 2", "mean"), float("inf"), "drifted"),
        ((A, "CNN | 2", "mean"), "text", "drifted"),
        ((A, "CNN | 2", "operation"), "Relu", "drifted"),
        ((M, "arrays", "auroc"), 0.5, "drifted"),
        ((A, "CNN | 2", "new one"), 3.0, "new"),
    ],
)
def test_each_way_to_differ_is_told_apart(name, value, state):
    assert states({**SAME, name: Observed(value)})[name] == state


def test_what_is_missing_is_gone_unless_its_kind_was_not_looked_at():
    fewer = {key: value for key, value in SAME.items() if key[0] == M}
    assert states(fewer)[A, "CNN-50", "mean"] == "gone"
    assert set(states(fewer, (M,))) == {(M, "arrays", "auroc")}


def test_a_subject_that_fails_is_one_finding_and_its_other_values_are_not_gone():
    rest = {key: value for key, value in SAME.items() if key[1] != "CNN-50"}
    found = states({**rest, (A, "CNN-50", "error"): Observed("ValueError: no")})
    assert found[A, "CNN-50", "error"] == "failed"
    assert (A, "CNN-50", "mean") not in found


def test_new_values_alone_are_no_failure():
    findings = compare(GOLDEN, {**SAME, (A, "CNN-3", "mean"): Observed(1.0)}, (A, M))
    assert not any(f.bad for f in findings)
    assert "1 not recorded yet" in as_text(findings)


@pytest.fixture
def drifted():
    changed = {
        **SAME,
        (A, "CNN | 2", "mean"): Observed(1.5),
        (A, "CNN | 2", "operation"): Observed("Relu"),
    }
    return compare(GOLDEN, changed, (A, M))


def test_text_says_what_drifted_by_how_much_against_which_tolerance(drifted):
    text = as_text(drifted)
    assert "DRIFTED  activations  activations of the committed networks changed" in text
    assert "2 of 3 values" in text
    assert "mean is 1.5, recorded 1; off by 0.5, tolerance 0.1" in text
    assert "operation is Relu, recorded Exp" in text
    assert "ok       metrics" in text
    assert "CNN-50" not in text


def test_long_lists_are_cut_unless_asked_for():
    golden = Golden({(A, "n", str(i)): Recorded(0.0, 0.1, 0.0) for i in range(30)})
    findings = compare(golden, {key: Observed(float(key[2]) + 1) for key in golden.records}, (A,))
    text = as_text(findings)
    # the worst come first
    assert text.splitlines()[2].strip().startswith("29 is 30")
    assert "and 24 more" in text
    assert len(as_text(findings, every=True).splitlines()) == 32


def test_markdown_has_a_row_a_check_and_a_row_a_drift(drifted):
    text = as_markdown(drifted)
    assert text.startswith("### Regression: 2 values drifted")
    assert "| metrics | ok | 1 | 0 | 0 |" in text
    assert "| activations | CNN \\| 2 | mean is 1.5" in text
    assert as_markdown(compare(GOLDEN, SAME, (A, M))).startswith("### Regression: everything is")


def test_junit_has_a_suite_a_check_and_a_case_a_subject(drifted):
    root = ET.fromstring(as_junit(drifted))
    suites = {suite.get("name"): suite for suite in root}
    assert (suites[A].get("tests"), suites[A].get("failures")) == ("2", "1")
    assert (suites[M].get("tests"), suites[M].get("failures")) == ("1", "0")
    failed = [case for case in suites[A] if case.find("failure") is not None]
    assert [case.get("name") for case in failed] == ["CNN | 2"]
    failure = failed[0].find("failure")
    assert "activations of the committed networks changed" in failure.get("message")
    assert "tolerance 0.1" in failure.text


def test_junit_stays_xml_whatever_a_message_holds():
    findings = compare(GOLDEN, {(A, "x\x00<&>", "error"): Observed("\x1b[0m ]]> \ud800")}, (A,))
    ET.fromstring(as_junit(findings).encode("utf-8", errors="replace"))
