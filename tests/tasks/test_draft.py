"""A draft of a user's own task: it locks as it stands, and every value has a comment."""

from __future__ import annotations

import re
import tomllib

import numpy as np
import pytest

from motifidelity.errors import DataError, UserError
from motifidelity.tasks.draft import templates, write_draft
from motifidelity.tasks.engine.affinity import Affinity
from motifidelity.tasks.generate import generate
from motifidelity.tasks.lock import lock
from motifidelity.tasks.motifs import load_motifs
from motifidelity.tasks.spec import FitRecipe, Profile, Scoring, read_spec

MEME = """MEME version 4

ALPHABET= ACGT

MOTIF left Left
letter-probability matrix: alength= 4 w= 8
0.94 0.02 0.02 0.02
0.02 0.94 0.02 0.02
0.94 0.02 0.02 0.02
0.02 0.02 0.94 0.02
0.02 0.02 0.02 0.94
0.02 0.94 0.02 0.02
0.94 0.02 0.02 0.02
0.02 0.02 0.94 0.02

MOTIF right Right
letter-probability matrix: alength= 4 w= 9
0.02 0.02 0.94 0.02
0.02 0.02 0.94 0.02
0.02 0.94 0.02 0.02
0.02 0.02 0.02 0.94
0.02 0.02 0.02 0.94
0.94 0.02 0.02 0.02
0.02 0.02 0.94 0.02
0.94 0.02 0.02 0.02
0.02 0.02 0.02 0.94
"""


@pytest.fixture
def meme(tmp_path):
    (tmp_path / "mine").mkdir()
    path = tmp_path / "mine" / "two.meme"
    path.write_text(MEME)
    return path


# what its name says
PLAIN = {"version", "title", "learning_rate", "release", "collection", "tax_group", "valid", "test"}


@pytest.mark.parametrize("name", templates())
def test_every_table_and_value_of_a_template_is_said_in_a_comment(name):
    """Beside it or above it, where it stands first."""
    seen = set(PLAIN)
    above = table = ""
    for line in templates()[name].splitlines():
        said = "# " in line or above.startswith("#")
        if header := re.match(r"\[+([\w.]+)\]+", line):
            table = header[1]
            assert said or table in seen, line
            seen.add(table)
        elif value := re.match(r"(\w+) = ", line):
            key = value[1]
            # methods and gates are said as a whole
            assert said or key in seen or table in ("attribution.methods", "gates"), line
            seen |= {key} if said else set()
        above = line


def test_a_draft_locks_as_it_stands_and_names_itself(tmp_path):
    path = tmp_path / "four-factors.toml"
    write_draft(path)
    with pytest.raises(UserError, match=f"no digests; 'bench tasks lock {path}' writes them"):
        read_spec(path)
    spec = lock(path)
    assert spec.id == "four-factors@1"
    assert {name: split["n"] for name, split in spec.digests.items()} == {
        "train": 7000,
        "valid": 1000,
        "test": 2000,
    }
    # what is no value of the study's specifications has a field of its own
    raw = tomllib.loads(path.read_text())
    assert raw["fit"].keys() == FitRecipe.__dataclass_fields__.keys()
    assert raw["profile"]["quick"].keys() == Profile.__dataclass_fields__.keys() - {"name"}
    assert raw["scoring"].keys() <= Scoring.__dataclass_fields__.keys()


@pytest.mark.parametrize(
    ("name", "target", "classes"),
    [
        ("rules", "multi-label", ("order",)),
        ("decoys", "binary", ("bound",)),
        ("affinity", "regression", ("activity",)),
    ],
)
def test_a_draft_by_recipe_locks_as_it_stands(name, target, classes, tmp_path):
    path = tmp_path / "mine.toml"
    write_draft(path, name)
    spec = lock(path)
    assert (spec.target, spec.classes) == (target, classes)
    assert sum(split["n"] for split in spec.digests.values()) == 10_000


def test_what_an_exact_function_leaves_open_is_found_when_it_is_locked(tmp_path):
    path = tmp_path / "mine.toml"
    write_draft(path, "affinity")
    spec = lock(path)
    contents = tomllib.loads(path.read_text())["engine"]["affinity"]
    assert contents["offsets"].keys() == contents["weights"].keys()
    ppms = {name: load_motifs(spec.motifs)[name].ppm for name in contents["weights"]}
    function = Affinity(
        ppms, contents["offsets"], contents["weights"], [("MA0079.3", "MA0062.2", 1.2)]
    )
    # 2,000 other sequences without sites: 5 % are bound more, by four standard errors
    free = np.random.default_rng(5).integers(0, 4, (2000, spec.length)).astype(np.uint8)
    for p in function.occupancies(free).values():
        assert (p > 0.3).mean() == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 2000))
    labels = np.concatenate(
        [split.labels for split in generate(spec, load_motifs(spec.motifs)).values()]
    )
    assert labels.mean() == pytest.approx(0, abs=4 * np.sqrt(1.11 / 10_000))
    assert labels.var() == pytest.approx(1.11, rel=0.05)
    # the same file again
    assert lock(path) == spec


def test_an_exact_function_states_all_of_what_it_left_open_or_nothing(tmp_path):
    path = tmp_path / "mine.toml"
    write_draft(path, "affinity")
    path.write_text(path.read_text().replace("noise = 0.11 ", "centre = 0.0\nnoise = 0.11 "))
    with pytest.raises(UserError, match="there is no offsets; add it"):
        lock(path)


def test_motifs_of_a_file_are_not_put_where_each_has_a_part(tmp_path, meme):
    with pytest.raises(UserError, match="template rules says what each of its motifs is for"):
        write_draft(tmp_path / "mine.toml", "rules", meme)


def test_a_draft_of_a_motif_file_asks_for_every_motif_of_it(tmp_path, meme):
    path = tmp_path / "two.toml"
    write_draft(path, motifs=meme)
    spec = lock(path)
    assert spec.motifs.file == "mine/two.meme"
    assert spec.pools == {"core": ("left", "right")}
    assert spec.classes == ("Left", "Right")
    assert spec.accepted["corrected"] == {"left": ("left",), "right": ("right",)}
    assert "2 motifs" in spec.summary


def test_a_file_that_is_there_is_never_written_over(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("precious")
    with pytest.raises(UserError, match="it is there already; choose another name"):
        write_draft(path)
    assert path.read_text() == "precious"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mine", "a task is a TOML file; call it mine.toml"),
        ("My Task.toml", "'My Task' is no task's name; take at most 60 small letters"),
        ("motif-classes.toml", "the suite has a task named 'motif-classes'; give yours another"),
    ],
)
def test_a_name_that_no_task_can_have_is_refused(name, said, tmp_path):
    with pytest.raises(UserError, match=re.escape(said)):
        write_draft(tmp_path / name)


def test_an_unknown_template_lists_the_near_ones(tmp_path):
    with pytest.raises(UserError, match="unknown template 'presense'; did you mean presence"):
        write_draft(tmp_path / "mine.toml", "presense")


def test_a_motif_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(UserError, match=r"motif file .*none\.meme: No such file"):
        write_draft(tmp_path / "mine.toml", motifs=tmp_path / "none.meme")


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"mine\.toml: No such file or directory; choose another"):
        write_draft(tmp_path / "none" / "mine.toml")
