"""Each mistake of a user's own specification is one line: the thing, its value, the remedy."""

from __future__ import annotations

import re

import numpy as np
import pytest

from motifidelity.errors import DataError, UserError
from motifidelity.runs.answerable import refuse_unanswerable
from motifidelity.tasks import spec as specs
from motifidelity.tasks.dataset import load_dataset
from motifidelity.tasks.draft import templates
from motifidelity.tasks.lock import lock
from motifidelity.tasks.spec import chosen_specs, own_spec

SMALL = templates()["presence"].replace("sequences = 10000", "sequences = 400")


@pytest.fixture(autouse=True)
def own(monkeypatch):
    """No task of another test is known in this one."""
    monkeypatch.setattr(specs, "_OWN", {})


@pytest.fixture
def write(tmp_path):
    """Write the small draft with some of its text changed."""

    def write(*changes, text=SMALL):
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        path = tmp_path / "my-task.toml"
        path.write_text(text)
        return path

    return write


def refused(path, run=lock):
    with pytest.raises(UserError) as error:
        run(path)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"MA0466.2"', '"MA0466.9"', "pool core: unknown motif 'MA0466.9'; did you mean MA0466."),
        ('"MA0079.3"', '"SP1"', "pool core: unknown motif 'SP1'; did you mean MA0079."),
        ('"MA0079.3"', '"nobody"', "pool core: unknown motif 'nobody'; take an id of [motifs]"),
        (
            "length = 200",
            "length = 30",
            "3 motifs of up to 12 bases (MA0095.2) do not fit in a length of 30; take fewer",
        ),
        ("[grammar] ", "background = []\n\n[grammar] ", "pool background is empty; give it the id"),
        (
            'pools = ["core"] ',
            'pools = ["others"] ',
            "unknown pool 'others'; known: core",
        ),
        ('label = "picked"', 'label = "piked"', "unknown label 'piked'; did you mean picked?"),
        ('label = "picked"', "label = [1]", "label [1]: give one 0 or 1 for each of 4 classes"),
        ('"YY1"]', '"YY1", "MAX"]', "which has 4 and the task 5 classes; make these as many"),
        ('"SP1", "YY1"]', '"SP1", "SP1"]', "classes: name each once, and at least one"),
        ('"multi-label"', '"binary"', "a binary target has one class, not 4"),
        ("train = 0.7", "train = 0.8", "splits 0.8, 0.1, 0.2: each must be above 0, and their sum"),
        (
            "[0, 0.5, 0.25, 0.25]  # after the 0: the shares of sequences with 1, 2, 3 motifs\n"
            "count_offset = 1",
            "[0, 1]\ncount_offset = 0",
            "they give no motif to any sequence; give one a share",
        ),
        ("[0, 0.5, 0.25, 0.25]", "[1]", "count_weights: the first one must be 0; put a 0 before"),
        ("\nism = {}", "\nismm = {}", "unknown attribution method 'ismm'; did you mean ism?"),
        ('metric = "auroc"', 'metric = "aurok"', "unknown metric 'aurok'; did you mean auroc"),
        (
            "\ngradient_corrected = {}",
            "",
            "method gradient_corrected of a profile has no settings in [attribution.methods]",
        ),
    ],
)
def test_what_makes_no_task_is_refused_before_anything_is_generated(old, new, said, write):
    path = write((old, new))
    message = refused(path)
    assert message.startswith("task my-task@1: ")
    assert said in message
    assert "[digests" not in path.read_text()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([("[pools] ", "[pool] ")], "there is no pools; add it"),
        ([("learning_rate", "learning_rte")], "no specification: "),
        ([('title = "My task"', "title = My task")], "no specification: "),
        ([("[motifs]  ", "[motives]  ")], "there is no motifs; add it"),
        ([('title = "My task"', 'title = "My\\u001btask"')], "holds control characters; take"),
        ([('["GC content"', '["AT content"')], "no rival AT content; choose of"),
    ],
)
def test_a_file_that_is_no_specification_is_named(changes, said, write):
    path = write(*changes)
    message = refused(path)
    assert message.startswith(f"task {path}: ")
    assert said in message


def test_a_label_that_never_or_always_occurs_in_a_split_is_refused(write):
    # the quick profile takes the first 500 and 1,000; 3 of 30 sequences are too few for 4 labels
    few = refused(write(("sequences = 400", "sequences = 30")))
    assert re.search(
        r"label '\w+' (never|always) occurs in the 3 valid sequences of profile full", few
    )
    one = [('["CEBPB", "Gabpa", "SP1", "YY1"]', '["SP1"]')]
    one += [('["MA0466.2", "MA0062.2", "MA0079.3", "MA0095.2"]', '["MA0079.3"]')]
    always = refused(write(*one))
    assert "label 'SP1' always occurs in the 280 train sequences of profile full" in always


def test_labels_are_looked_at_as_each_profile_takes_them(write):
    changes = [("sequences = 400", "sequences = 4000"), ("valid = 500", "valid = 1")]
    assert "in the 1 valid sequences of profile quick" in refused(write(*changes))


def faint(write, tmp_path):
    """Motifs that say next to nothing: 1.9 of 2 bits of each column are noise."""
    rows = "0.28 0.24 0.24 0.24\n" * 8, "0.24 0.24 0.24 0.28\n" * 3 + "0.24 0.28 0.24 0.24\n" * 5
    text = "MEME version 4\n\nALPHABET= ACGT\n\n"
    for name, body in zip(("one", "two"), rows, strict=True):
        text += f"MOTIF {name}\nletter-probability matrix: alength= 4 w= 8\n{body}\n"
    (tmp_path / "faint.meme").write_text(text)
    return write(
        ('# file = "my.meme"', 'file = "faint.meme"'),
        ('["CEBPB", "Gabpa", "SP1", "YY1"]', '["one", "two"]'),
        ('["MA0466.2", "MA0062.2", "MA0079.3", "MA0095.2"]', '["one", "two"]'),
    )


def test_a_task_that_its_oracle_cannot_answer_is_refused_when_it_is_locked(write, tmp_path):
    path = faint(write, tmp_path)
    message = refused(path, lambda path: lock(path, refuse_unanswerable))
    assert re.search(r"the oracle, .*, has AUROC 0\.[3-6]\d for '(one|two)', below 0\.7", message)
    assert "digest = " not in path.read_text()
    lock(path)  # the room of the tasks knows no oracle


def test_a_task_that_its_oracle_answers_is_locked(write):
    spec = lock(write(), refuse_unanswerable)
    assert spec.digests["test"]["n"] == 80


def test_a_task_is_found_by_its_file_and_from_then_on_by_its_name(write):
    path = write()
    assert f"'bench tasks lock {path}' writes them" in refused(path, own_spec)
    locked = lock(path)
    assert chosen_specs([str(path), "motif-classes@1", str(path)]) == [
        locked,
        specs.find_spec("motif-classes@1"),
    ]
    assert specs.find_spec("my-task") == specs.find_spec("my-task@1") == locked
    assert specs.is_own(locked)
    # commands that take the suite's tasks do not take it
    assert "my-task@1" not in {spec.id for spec in chosen_specs(["all"])}


@pytest.mark.parametrize("name", ["motif-classes", "My task"])
def test_a_name_that_the_suite_has_or_none_can_have_is_refused(name, write):
    path = write(('name = "my-task"', f'name = "{name}"'))
    lock(path)
    message = refused(path, own_spec)
    assert message.startswith(f"task {path}: ")
    assert ("give yours another name" in message) == (name == "motif-classes")


def test_a_value_that_was_changed_after_the_lock_is_seen_even_if_its_data_are_cached(write):
    path = write()
    lock(path)
    load_dataset(own_spec(path))
    path.write_text(path.read_text().replace("seed = 1 ", "seed = 2 ", 1))
    with pytest.raises(DataError, match="a value of its file was changed after it was locked"):
        load_dataset(own_spec(path))
    assert "locked to other data" in refused(path)


def test_a_cached_dataset_of_a_users_task_comes_back(write, tmp_path, monkeypatch):
    monkeypatch.setenv("MOTIFIDELITY_CACHE", str(tmp_path / "cache"))
    lock(write())
    spec = own_spec(tmp_path / "my-task.toml")
    made, read = load_dataset(spec), load_dataset(spec)
    for name, split in made.splits.items():
        np.testing.assert_array_equal(split.sequences, read.splits[name].sequences)
    assert [path.name for path in (tmp_path / "cache" / "datasets").iterdir() if path.is_dir()] == [
        f"my-task@1-{spec.digest[:12]}"
    ]
