"""What a submission's text shows without running it."""

from __future__ import annotations

import textwrap

import pytest

from motifidelity.model_file import read_submission
from motifidelity.submitting.source import Source, file_line, name_problem, text_problem

MODEL = """\
MODEL = dict(name="Mine", authors="A. Author", license="MIT")
import keras


def build_model(task, *, width=19, rate=0.1 * 2):
    if width:
        return 1
    return 2
"""


@pytest.fixture
def findings(tmp_path):
    def findings(text=MODEL, name="mine.py"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return {f.check: f for f in Source(read_submission(path)).findings()}

    return findings


def test_a_good_file_has_no_problem(findings):
    found = findings()
    assert {f.level for f in found.values()} == {"ok"}
    assert found["parameters"].text == "width=19, rate"
    assert found["parameters"].where == "mine.py:5"


@pytest.mark.parametrize("name", ["CNN-deep", "Ünet 2.0 (wide)", "a" * 80, "R+D, v1"])
def test_a_plain_name_is_allowed(name):
    assert name_problem(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a" * 81,
        "<b>x</b>",
        "a\nb",
        "a\x1b[31mb",
        "a\u202eb",
        "`rm`",
        "[x](http://y)",
        " a",
        "{{x}}",
        "a|b",
    ],
)
def test_markup_control_characters_and_length_are_refused(name, findings):
    assert name_problem(name)
    if name:
        finding = findings(MODEL.replace('"Mine"', repr(name)))["metadata"]
        assert finding.level == "problem"
        assert finding.where == "mine.py:1"
        assert finding.text.isprintable()
        assert len(finding.text) < 120


@pytest.mark.parametrize("text", ["", " ", "a" * 301, "a\x00", "<script>"])
def test_other_words_are_bounded_text_without_markup(text):
    assert text_problem(text)


def test_an_address_and_a_name_with_accents_are_text():
    assert text_problem("https://doi.org/10.1038/s42256?x=1&y=2") is None
    assert text_problem("Zoë Ångström & Co.") is None


def test_missing_words_are_a_warning_that_names_the_remedy(findings):
    finding = findings(MODEL.replace(', license="MIT"', ""))["metadata"]
    assert finding.level == "warning"
    assert "no license" in finding.text
    assert "license=" in finding.remedy


def test_a_package_that_the_image_lacks_is_named_with_its_line(findings):
    finding = findings(MODEL + "import torch.nn\n")["imports"]
    assert (finding.level, finding.where) == ("problem", "mine.py:9")
    assert "torch" in finding.text


@pytest.mark.parametrize("line", ["import tensorflow as tf", "from numpy import pi", "import json"])
def test_packages_of_the_image_and_of_python_are_fine(line, findings):
    assert findings(MODEL + line + "\n")["imports"].level == "ok"


def test_a_large_file_is_refused(findings):
    finding = findings(MODEL + "X = '" + "a" * (1 << 20) + "'\n")["file"]
    assert finding.level == "problem"
    assert "1,048,576" in finding.text


@pytest.mark.parametrize("name", ["-x.py", "a" * 90 + ".py", "x.txt"])
def test_a_file_name_that_cannot_travel_is_refused(name, findings):
    assert findings(name=name)["file"].level == "problem"


def test_a_file_name_with_a_space_travels(findings):
    assert findings(name="my model.py")["file"].level == "ok"


def test_places_where_no_seed_reaches_are_found(tmp_path):
    path = tmp_path / "m.py"
    path.write_text(
        "import os, numpy as np\n"
        "def build_model(task):\n"
        "    a = np.random.default_rng()\n"
        "    b = np.random.default_rng(3)\n"
        "    return os.urandom(3)\n"
    )
    assert Source(read_submission(path)).unseeded_calls() == ["m.py:3", "m.py:5"]


def test_the_line_of_a_function_and_of_its_last_return(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(MODEL)
    source = Source(read_submission(path))
    assert source.line_of("build_model") == "mine.py:5"
    assert source.line_of("build_model", last_return=True) == "mine.py:8"
    assert source.line_of("nothing") == "mine.py"


def test_a_line_is_read_from_a_message_or_from_a_traceback():
    assert file_line("m.py:12: ValueError: x", "m.py") == "m.py:12"
    traceback = '  File "/in/m.py", line 3, in f\n  File "/in/m.py", line 9, in g\n  File "x.py"'
    assert file_line("m.py: cannot be frozen", "m.py", traceback) == "m.py:9"
    assert file_line("nothing", "m.py", "") == ""
    # a name with signs of a regular expression is a name
    assert file_line("mxpy:12: x", "m.py") == ""
