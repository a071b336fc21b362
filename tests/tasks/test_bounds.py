"""A specification may be a stranger's: what it may ask for has bounds, said in one line."""

from __future__ import annotations

import re
import tracemalloc

import pytest

from motifidelity.errors import UserError
from motifidelity.tasks import bounds
from motifidelity.tasks.draft import write_draft
from motifidelity.tasks.motif_files import read_motif_file
from motifidelity.tasks.spec import all_specs, parse_spec, read_spec

SUITE = sorted(all_specs())


def _changed(text, path, value):
    """The text with another value; ``path`` is its line's first words, in the first such table."""
    table, _, key = path.rpartition(".")
    start = text.index(f"[{table}]") if table else 0
    found = re.compile(rf"^{re.escape(key)} = .*$", re.M).search(text, start)
    return f"{text[: found.start()]}{key} = {value}{text[found.end() :]}"


@pytest.mark.parametrize(
    ("task", "path", "value", "said"),
    [
        ("motif-grammar@1", "length", "1000000000", "length is 1,000,000,000; take a whole number"),
        ("motif-grammar@1", "length", "-5", "length is -5; take a whole number from 1 to 20,000"),
        ("motif-grammar@1", "length", "250.0", "length is 250.0; take a whole number"),
        ("motif-grammar@1", "length", '"250"', "length is '250'; take a whole number"),
        ("motif-grammar@1", "length", "true", "length is True; take a whole number"),
        ("motif-grammar@1", "engine.sequences", "1" + "0" * 12, "engine.sequences is 1,000,000,00"),
        ("motif-grammar@1", "engine.temperature", "[nan, 1.0]", "entry 1 is nan; take a number"),
        ("motif-grammar@1", "engine.temperature", "[0.5, inf]", "entry 2 is inf; take a number"),
        ("site-affinity@1", "engine.affinity.noise", "-1.0", "noise is -1.0; take a number from 0"),
        ("motif-grammar@1", "scoring.backgrounds", "1000000", "scoring.backgrounds is 1,000,000; "),
        ("motif-grammar@1", "attribution.curve_shares", "[0.0, 0.5]", "does not rise from 0 to 1"),
        ("motif-grammar@1", "attribution.curve_shares", "[0, 0.5, 0.5, 1]", "does not rise from 0"),
        ("motif-grammar@1", "fit.max_epochs", "10000000", "fit.max_epochs is 10,000,000; take"),
        ("motif-grammar@1", "classes", str([f"c{n}" for n in range(1001)]), "has 1,001 entries"),
        ("motif-grammar@1", "classes", f'["{"c" * 101}"]', "take a text of at most 100 letters"),
        # each within its bound, and too much together
        ("motif-grammar@1", "engine.sequences", "1000000", "1,000,000 sequences of 250 bases are"),
        ("motif-grammar@1", "scoring.backgrounds", "1000", "1,000 backgrounds of 250 bases are"),
        ("motif-grammar@1", "profile.full.explained", "10000", "10,000 explained sequences of 250"),
    ],
)
def test_a_value_beyond_its_bounds_is_one_line(spec_texts, task, path, value, said):
    with pytest.raises(ValueError, match=re.escape(said)) as refused:
        parse_spec(_changed(spec_texts[task], path, value))
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (".".join("a" * 5000) + " = 1", "it has a key of more than 200 parts; take fewer"),
        ("a = " + "[" * 5000 + "]" * 5000, "nested too deep"),
        ("[" + ".".join("abcdefghij") + "]\nk = 1", "deep; take fewer"),
        (f"{'k' * 500} = 1", "has a key of 500 letters; take at most 100"),
    ],
)
def test_what_takes_memory_to_read_is_refused_before(text, said):
    tracemalloc.start()
    with pytest.raises(ValueError, match=said):
        parse_spec(text)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20e6


def test_a_file_is_read_no_further_than_its_bound(tmp_path):
    path = tmp_path / "large.toml"
    with path.open("wb") as file:
        file.truncate(10**9)
    tracemalloc.start()
    with pytest.raises(UserError, match=r"it has more than 1,000,000 bytes"):
        read_spec(path)
    with pytest.raises(UserError, match=r"it has more than 20,000,000 bytes"):
        write_draft(tmp_path / "mine.toml", motifs=path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 100e6


def test_a_motif_file_has_so_many_matrices_and_columns():
    wide = "A [ " + "1 " * 1001 + "]\n"
    jaspar = ">M1 one\n" + "".join(wide.replace("A", base, 1) for base in "ACGT")
    with pytest.raises(UserError, match=r"motif M1 has 1,001 columns; take at most 1,000"):
        read_motif_file("mine.jaspar", jaspar.encode())
    one = "".join(f"{base} [ 1 1 ]\n" for base in "ACGT")
    many = "".join(f">M{number} one\n{one}" for number in range(bounds.MATRICES + 1))
    with pytest.raises(UserError, match=r"it has 5,001 motifs; take at most 5,000"):
        read_motif_file("mine.jaspar", many.encode())


@pytest.mark.parametrize("task", SUITE)
def test_the_suite_is_far_within_the_bounds(spec_texts, task):
    """Ten times as many sequences would still do."""
    text = re.sub(r"^sequences = (\d+)", r"sequences = \g<1>0", spec_texts[task], flags=re.M)
    assert parse_spec(text).name == all_specs()[task].name


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("far = [14, 39]", "far = [8, 39]", "near [4, 9] and far [8, 39] overlap; let no distance"),
        ("far = 40", "far = 20", "near [0, 20] and far 20 overlap; let no distance be both"),
        ("near = [4, 9]", "near = [9, 4]", "near [9, 4] must be two rising numbers"),
    ],
)
def test_a_rule_of_distances_that_are_both_is_refused(spec_texts, old, new, said):
    text = spec_texts["motif-grammar@1"]
    assert old in text
    with pytest.raises(ValueError, match=re.escape(said)):
        parse_spec(text.replace(old, new))
