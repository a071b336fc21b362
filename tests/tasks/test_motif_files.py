"""Motifs of a user's file, against Biopython's writers and memelite's reader."""

from __future__ import annotations

import numpy as np
import pytest
from memelite.io import read_meme

from motifidelity.errors import DataError, UserError
from motifidelity.tasks.lock import lock
from motifidelity.tasks.motif_files import read_motif_file
from motifidelity.tasks.motifs import load_motifs
from motifidelity.tasks.spec import parse_spec, read_spec

# of 6 to 20 columns
SOME = ("MA0151.1", "MA0079.3", "MA0083.3", "MA0137.3")
HEAD = "MEME version 4\n\nALPHABET= ACGT\n\nstrands: + -\n\n"
GOOD = "MOTIF M1 one\nletter-probability matrix: alength= 4 w= 2 nsites= 20 E= 0\n"
GOOD += " 0.7 0.1 0.1 0.1\n 0.25 0.25 0.25 0.25\n"


def meme(jaspar, background="Background letter frequencies\nA 0.25 C 0.25 G 0.25 T 0.25\n\n"):
    text = HEAD + background
    for i in SOME:
        ppm = jaspar[i].counts.normalize()
        rows = [" ".join(f"{ppm[a][n]:.6f}" for a in "ACGT") for n in range(jaspar[i].length)]
        text += f"MOTIF {i} {jaspar[i].name}\nletter-probability matrix: alength= 4 "
        text += f"w= {len(rows)} nsites= 20 E= 0\n" + "\n".join(rows) + "\n\n"
    return text


def counts(record):
    return np.array([record.counts[letter] for letter in "ACGT"])


@pytest.mark.parametrize("kind", ["jaspar", "transfac"])
def test_counts_are_those_that_biopython_wrote(kind, jaspar):
    def text(record):
        if kind == "jaspar":
            return record.format("jaspar")
        return f"AC  {record.matrix_id}\nXX\nNA  {record.name}\nXX\n" + record.format("transfac")

    found = read_motif_file("some", "".join(text(jaspar[i]) for i in SOME).encode())
    assert [(i, name) for i, name, _ in found] == [(i, jaspar[i].name) for i in SOME]
    for i, _, matrix in found:
        np.testing.assert_allclose(matrix, counts(jaspar[i]), atol=0.005)


@pytest.mark.parametrize("background", [None, ""], ids=["with a background", "without one"])
def test_probabilities_of_meme_are_those_that_memelite_reads(background, jaspar, tmp_path):
    text = meme(jaspar) if background is None else meme(jaspar, background)
    (tmp_path / "some.meme").write_text(text)
    other = read_meme(str(tmp_path / "some.meme"))
    expected = {name.split()[0]: ppm for name, ppm in other.items()}
    found = read_motif_file("some.meme", text.encode())
    assert [i for i, _, _ in found] == list(SOME)
    for i, name, matrix in found:
        assert name == jaspar[i].name
        np.testing.assert_allclose(matrix, expected[i], atol=1e-6)


def test_a_motif_of_one_column_and_one_of_sixty_are_read():
    text = HEAD
    for width in (1, 60):
        text += f"MOTIF W{width}\nletter-probability matrix: alength= 4\n" + "1 0 0 0\n" * width
    found = read_motif_file("wide", text.encode())
    assert [(i, name, matrix.shape) for i, name, matrix in found] == [
        ("W1", "W1", (4, 1)),
        ("W60", "W60", (4, 60)),
    ]


def test_no_pseudocount_is_added_but_a_column_without_counts_says_nothing():
    (_, _, matrix), *_ = read_motif_file(
        "x", b">X one\nA [ 3 0 ]\nC [ 0 0 ]\nG [ 0 0 ]\nT [ 1 0 ]\n"
    )
    assert matrix.T.tolist() == [[3, 0, 0, 1], [1, 1, 1, 1]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        (" \n\n", "it is empty"),
        ("A,C,G,T\n1,0,0,0\n", "unknown format: it begins with 'A,C,G,T'"),
        (HEAD, "the MEME file has no motif"),
        (
            HEAD + GOOD.replace("0.7", "0.5"),
            "motif M1, column 1: its probabilities sum to 0.8, not",
        ),
        (HEAD + GOOD + GOOD, "two motifs have the id M1"),
        (HEAD.replace("ACGT", "ACDEFGHIKLMNPQRSTVWY") + GOOD, "its alphabet is ACDEFGHIKLMN"),
        (HEAD.replace("ACGT", "ACGU") + GOOD, "its alphabet is ACGU, not ACGT"),
        (HEAD + GOOD.replace(" 0.25 0.25 0.25 0.25\n", ""), "motif M1 has w= 2 and 1 rows"),
        (
            HEAD + GOOD.replace("0.7 0.1 0.1 0.1", "0.8 0.1 0.1"),
            "each row of its matrix must have 4",
        ),
        (HEAD + GOOD.replace("0.7 0.1", "1.0 -0.2"), "motif M1, column 1: a number below 0"),
        (HEAD + "MOTIF M1\n", "motif M1 has no letter-probability matrix"),
        (
            ">X one\nA [ 3 0 ]\nC [ 0 x ]\nG [ 0 0 ]\nT [ 1 0 ]\n",
            "no JASPAR file: could not convert",
        ),
        (">X one\nA [ 3 0 ]\nC [ 0 ]\nG [ 0 0 ]\nT [ 1 0 ]\n", "no JASPAR file"),
        (">X\nA [ 3 ]\nC [ -1 ]\nG [ 0 ]\nT [ 1 ]\n", "motif X, column 1: a number below 0"),
        (
            "AC  T1\nXX\nP0  A  C  G  U\n01  1  2  3  4\nXX\n//\n",
            "no TRANSFAC file: A TRANSFAC matrix",
        ),
        (
            "XX\nP0      A      C      G      T\n01      1      2      3      4\nXX\n//\n",
            "neither AC nor ID",
        ),
        ("ID  T1\nXX\n//\n", "the TRANSFAC file has no motif"),
    ],
)
def test_a_file_that_is_no_good_is_refused_in_one_line(text, said):
    with pytest.raises(UserError) as error:
        read_motif_file("mine.txt", text.encode())
    assert said in str(error.value)
    assert str(error.value).startswith("motif file mine.txt: ")
    assert "\n" not in str(error.value)


def test_what_is_no_text_is_refused():
    with pytest.raises(UserError, match="it is no text"):
        read_motif_file("mine.meme", b"\xff\xfe\x00\x01")


@pytest.fixture
def draft(spec_texts, jaspar, tmp_path):
    """A draft beside a MEME file with two of JASPAR's motifs, one of them under a new name."""
    text = spec_texts["motif-classes@1"].partition("[accepted.paper]")[0]
    start, end = text.index("[motifs]"), text.index("[grammar]")
    pools = '[motifs]\nfile = "mine.meme"  # of ours\n\n[pools]\ncore = ["mine", "MA0079.3"]\n'
    background = 'background = ["MA0058.3"]\n\n'
    text = text[:start] + pools + background + text[end:]
    text = text.replace('"motif-classes"', '"mine"').replace("sequences = 30000", "sequences = 60")
    text = text.replace(text[text.index("classes =") :].partition("\n")[0], 'classes = ["a", "b"]')
    (tmp_path / "mine.meme").write_text(meme(jaspar).replace("MOTIF MA0137.3 STAT1", "MOTIF mine"))
    (tmp_path / "mine.toml").write_text(text)
    return tmp_path / "mine.toml"


def test_locking_writes_the_digest_of_the_motifs_and_the_file_is_then_bound_to_it(draft, jaspar):
    spec = lock(draft)
    assert spec.motifs.digest
    assert f'[motifs]\ndigest = "{spec.motifs.digest}"\nfile = "mine.meme"' in draft.read_text()
    assert lock(draft) == spec == read_spec(draft)
    motifs = draft.parent / "mine.meme"
    motifs.write_text(motifs.read_text() + GOOD)
    with pytest.raises(DataError, match=r"motif file mine.meme and JASPAR2016: digest \w+ is not"):
        lock(draft)


def test_motifs_of_the_file_stand_before_jaspar_s_and_count_as_themselves(draft, jaspar):
    spec = lock(draft)
    motifs = load_motifs(spec.motifs)
    assert list(motifs)[:4] == ["MA0151.1", "MA0079.3", "MA0083.3", "mine"]
    assert motifs.keys() == jaspar.keys() | {"mine"}
    assert motifs["mine"].families == ()
    assert motifs["MA0079.3"].families == tuple(jaspar["MA0079.3"].tf_family)
    np.testing.assert_allclose(motifs["mine"].ppm, motifs["MA0137.3"].ppm, atol=1e-6)
    # probabilities, where JASPAR has counts
    assert motifs["MA0079.3"].counts.max() <= 1 < motifs["MA0137.3"].counts.max()
    own = {"mine": ("mine",), "MA0079.3": ("MA0079.3",)}
    assert spec.accepted == {"paper": own, "corrected": own}


def test_a_motif_file_that_is_missing_is_named_with_its_folder(draft):
    (draft.parent / "mine.meme").unlink()
    with pytest.raises(UserError, match=r"motif file .*/mine.meme: No such file.*folder"):
        lock(draft)


def test_a_specification_without_its_file_at_hand_is_refused(draft):
    with pytest.raises(ValueError, match=r"motif file mine\.meme is not at hand"):
        parse_spec(draft.read_text(), draft=True)


def test_an_unknown_release_of_jaspar_lists_the_near_ones(draft):
    draft.write_text(draft.read_text().replace("[pools]", 'release = "JASPAR2061"\n\n[pools]', 1))
    with pytest.raises(UserError, match="unknown release of JASPAR 'JASPAR2061'; did you mean"):
        lock(draft)
