"""What is known of a submission without running it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from motifidelity.entries import FLOOR_NETWORKS
from motifidelity.errors import UserError
from motifidelity.model_file import read_submission

BUILD = (
    "def build_model(task, *, activation='exponential', width=19, rate=0.1, deep=False):\n    ...\n"
)


@pytest.fixture
def write(tmp_path):
    """Write a model file."""

    def write(text, name="my_model.py"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def refusal(path):
    """The one line with which a file is refused."""
    with pytest.raises(UserError) as error:
        read_submission(path)
    message = str(error.value)
    assert "\n" not in message
    assert Path(path).name in message
    assert error.value.exit_code == 2
    return message


def test_a_file_is_read_with_its_digest_and_its_parameters(write):
    path = write(BUILD)
    submission = read_submission(path)
    assert submission.path == path.resolve()
    assert submission.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert submission.name == "my_model"
    assert submission.parameters(()) == {
        "activation": "exponential",
        "width": 19,
        "rate": 0.1,
        "deep": False,
    }
    assert submission.division == "closed"


def test_nothing_of_the_file_is_executed(write, tmp_path):
    marker = tmp_path / "executed"
    touch = f"__import__('pathlib').Path({str(marker)!r}).touch()"
    path = write(
        f"{touch}\n"
        f"MODEL = dict(name={touch}, authors='me', url={touch})\n"
        f"@({touch})\n"
        f"def build_model(task, *, width={touch}, **more):\n    {touch}\n"
    )
    submission = read_submission(path)
    submission.parameters(("width=3",))
    assert not marker.exists()
    assert submission.metadata == {"authors": "me"}
    exec(compile(touch, "touch", "exec"))
    assert marker.exists(), "the marker works"


def test_a_missing_file_is_named(tmp_path):
    assert "No such file" in refusal(tmp_path / "nowhere.py")


def test_a_folder_is_not_a_model_file(tmp_path):
    assert "directory" in refusal(tmp_path)


def test_a_syntax_error_is_named_with_its_line(write):
    assert "broken.py:3: " in refusal(write("a = 1\nb = 2\ndef build_model(task:\n", "broken.py"))


@pytest.mark.parametrize(
    "content",
    [
        b"x = 1\0\n",
        b"\xff\xfe\x00",
        b"x = '\xe9'\n",
        b"x = " + b"(" * 500,
        b"x = " + b"-" * 200_000,
    ],
    ids=["null byte", "not text", "not UTF-8", "nested brackets", "nested signs"],
)
def test_a_file_that_cannot_be_parsed_gives_one_line(content, tmp_path):
    path = tmp_path / "strange.py"
    path.write_bytes(content)
    assert "not valid Python" in refusal(path)


@pytest.mark.parametrize(
    "text",
    ["", "x = 1\n", "def build(task): ...\n", "class A:\n    def build_model(self, task): ...\n"],
    ids=["empty", "no function", "other name", "a method"],
)
def test_a_file_without_build_model_is_refused(text, write):
    message = refusal(write(text))
    assert "build_model" in message
    assert "keras.Model" in message


@pytest.mark.parametrize(
    ("signature", "name"),
    [("task, *, width", "width"), ("task, width", "width"), ("task, *, a=1, b, **c", "b")],
)
def test_a_parameter_without_default_is_named(signature, name, write):
    assert f"parameter '{name}'" in refusal(write(f"def build_model({signature}): ...\n"))


def test_build_model_without_a_task_is_refused(write):
    assert "task" in refusal(write("def build_model(): ...\n"))
    assert "task" in refusal(write("def build_model(*, width=1): ...\n"))


def test_parameters_may_be_positional(write):
    submission = read_submission(write("def build_model(task, width=19, *, rate=0.5): ...\n"))
    assert submission.parameters(("width=7",)) == {"width": 7, "rate": 0.5}


def test_the_task_is_no_parameter_even_with_a_default(write):
    submission = read_submission(write("def build_model(task=None, *, width=19): ...\n"))
    assert submission.parameters(()) == {"width": 19}
    with pytest.raises(UserError, match="unknown parameter"):
        submission.parameters(("task=1",))


def test_a_default_that_is_an_expression_stays_the_file_s_own(write):
    text = "WIDTH = 19\ndef build_model(task, *, width=WIDTH, filters=2 * 16, rate=0.1): ...\n"
    submission = read_submission(write(text))
    assert submission.parameters(()) == {"rate": 0.1}
    assert submission.parameters(("width=7",)) == {"width": 7, "rate": 0.1}
    with pytest.raises(UserError, match="did you mean filters"):
        submission.parameters(("filter=7",))


def test_an_unknown_parameter_lists_the_near_ones(write):
    submission = read_submission(write(BUILD))
    with pytest.raises(UserError) as error:
        submission.parameters(("activatoin=relu",))
    assert "unknown parameter of my_model.py 'activatoin'" in str(error.value)
    assert "did you mean activation?" in str(error.value)
    with pytest.raises(UserError, match="known: activation, width, rate, deep"):
        submission.parameters(("zzz=1",))


def test_a_file_that_takes_any_parameter_gets_any(write):
    submission = read_submission(write("def build_model(task, *, a=1, **more): ...\n"))
    assert submission.open_parameters
    assert submission.parameters(("b=text", "c=2.5")) == {"a": 1, "b": "text", "c": 2.5}


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("activation=relu", "relu"),
        ("activation=3", "3"),
        ("activation=a=b", "a=b"),
        ("activation=", ""),
        ("width=7", 7),
        ("width=-7", -7),
        ("rate=0.25", 0.25),
        ("rate=1", 1.0),
        ("rate=1e-3", 1e-3),
        ("deep=true", True),
        ("deep=True", True),
        ("deep=False", False),
    ],
)
def test_a_value_takes_the_type_of_the_default(assignment, expected, write):
    name = assignment.partition("=")[0]
    value = read_submission(write(BUILD)).parameters((assignment,))[name]
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    "assignment",
    [
        "width=wide",
        "width=7.5",
        "width=true",
        "width=",
        "rate=high",
        "rate=[1]",
        "rate=NaN",
        "rate=-Infinity",
        "rate=1e999",
        "deep=1",
        "deep=no",
    ],
)
def test_a_value_of_another_type_is_refused(assignment, write):
    name, _, text = assignment.partition("=")
    with pytest.raises(UserError) as error:
        read_submission(write(BUILD)).parameters((assignment,))
    message = str(error.value)
    assert f"parameter '{name}'" in message
    assert message.endswith(f", not '{text}'")
    assert "\n" not in message


def test_an_assignment_without_an_equals_sign_is_refused(write):
    with pytest.raises(UserError, match="--param width: write it as name=value"):
        read_submission(write(BUILD)).parameters(("width",))


def test_a_default_of_none_takes_anything(write):
    submission = read_submission(write("def build_model(task, *, seed=None): ...\n"))
    assert submission.parameters(()) == {"seed": None}
    assert submission.parameters(("seed=3",)) == {"seed": 3}
    assert submission.parameters(("seed=None",)) == {"seed": None}
    # but for what no row can hold
    with pytest.raises(UserError, match="'NaN' is no finite number"):
        submission.parameters(("seed=NaN",))


@pytest.mark.parametrize("default", ["[3, 5]", "(3, 5)"])
def test_a_sequence_can_be_set_as_a_json_list(default, write):
    submission = read_submission(write(f"def build_model(task, *, widths={default}): ...\n"))
    assert list(submission.parameters(("widths=[7, 9]",))["widths"]) == [7, 9]


def test_the_last_assignment_counts(write):
    assert read_submission(write(BUILD)).parameters(("width=1", "width=2"))["width"] == 2


@pytest.mark.parametrize(
    "model",
    [
        "MODEL = {'name': 'Mine', 'authors': 'A. B.', 'url': 'https://a.b', 'license': 'MIT'}",
        "MODEL = dict(name='Mine', authors='A. B.', url='https://a.b', license='MIT')",
        "MODEL: dict = {'name': 'Mine', 'authors': 'A. B.', 'url': 'https://a.b', "
        "'license': 'MIT'}",
    ],
    ids=["literal", "call", "annotated"],
)
def test_the_file_s_own_words_are_read(model, write):
    submission = read_submission(write(f"{model}\n{BUILD}"))
    assert submission.name == "Mine"
    assert submission.metadata == {"authors": "A. B.", "url": "https://a.b", "license": "MIT"}


@pytest.mark.parametrize(
    "model",
    [
        "MODEL = {}",
        "MODEL = make()",
        "MODEL = 'Mine'",
        "MODEL = {'name': 3, 'authors': ['A'], 'url': None, 'license': ''}",
        "MODEL = {**other, 'rank': 'first', name: 'x'}",
        "MODEL = {[1]: 'x', {}: 'y'}",
        "other.MODEL = {'name': 'Mine'}",
    ],
)
def test_words_that_are_no_plain_text_are_left_out(model, write):
    submission = read_submission(write(f"{model}\n{BUILD}"))
    assert (submission.name, submission.metadata) == ("my_model", {})


def test_a_file_with_its_own_training_is_in_the_open_division(write):
    submission = read_submission(write(f"{BUILD}def fit(model, data): ...\n"))
    assert submission.own_fit
    assert submission.division == "open"
    assert read_submission(write(f"{BUILD}def refit(model, data): ...\n")).division == "closed"


def test_a_change_of_one_letter_changes_the_digest(write):
    one = read_submission(write(BUILD)).digest
    assert read_submission(write(BUILD + "\n")).digest != one
    assert read_submission(write(BUILD)).digest == one


@pytest.mark.parametrize(
    "name", ["Untrained", "shuffled  LABELS", "Oracle", "Random", "6-mer regression"]
)
def test_the_name_of_a_ceiling_floor_or_rival_is_refused(name, write):
    message = refusal(write(f"{BUILD}MODEL = {{'name': {name!r}}}\n"))
    assert f"'{name}' is the name of a ceiling, floor or rival" in message
    assert 'MODEL["name"]' in message


@pytest.mark.parametrize("file", ["untrained.py", "shuffled_labels.py", "shuffled_values.py"])
def test_the_floors_themselves_keep_their_names_wherever_their_files_lie(file, write):
    text = (Path(__file__).parents[1] / "models" / file).read_text(encoding="utf-8")
    submission = read_submission(write(text, "copy.py"))
    assert submission.name in FLOOR_NETWORKS
    # any edit makes another network, which is no floor
    assert "is the name of a ceiling, floor or rival" in refusal(
        write(f"{text}# mine\n", "copy.py")
    )
