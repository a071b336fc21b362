"""What runs of one name are called beside each other, and what a text names."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from motifidelity.errors import UserError
from motifidelity.summary.names import find_runs, name_runs, parameters

FIRST = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def run(model="M", *, digest="a" * 64, day=0, **more):
    row = {"model": model, "model_digest": digest, "params": "{}", "division": "closed"}
    row |= {"isolation": "none", "backend": "tensorflow", "started": FIRST + timedelta(days=day)}
    row |= {"params": json.dumps(more.pop("params", {}))}
    return row | more


def labels(*rows):
    return [name.label for name in name_runs(pd.DataFrame(rows))]


def test_a_lone_run_is_called_by_its_name_and_parameters():
    assert labels(run(), run("N", params={"scale": 0.5, "activation": "relu"})) == [
        "M",
        "N activation=relu scale=0.5",
    ]


def test_versions_of_a_file_have_their_digest_and_when_each_was_first_run():
    found = name_runs(
        pd.DataFrame([run(day=2), run(day=1), run(digest="b" * 64, day=3), run("N", digest="c")])
    )
    assert [name.label for name in found] == ["M @aaaaaaaa", "M @aaaaaaaa", "M @bbbbbbbb", "N"]
    assert [name.when for name in found] == ["2026-03-02 09:30"] * 2 + ["2026-03-04 09:30", ""]
    assert found[2].marks == ("@bbbbbbbb of 2026-03-04 09:30",)
    assert found[2].in_full == "M @bbbbbbbb of 2026-03-04 09:30"


def test_backend_isolation_and_division_are_said_where_runs_of_a_name_differ():
    assert labels(run(), run(backend="jax")) == ["M", "M on jax"]
    assert labels(run(), run(isolation="container")) == ["M no container", "M container"]
    assert labels(run(), run(division="open")) == ["M closed", "M open"]
    # what other names differ in says nothing of this one
    assert labels(run(), run("N", isolation="container", digest="b")) == ["M", "N"]


def test_of_many_parameters_those_are_said_that_differ():
    many = {f"parameter_{number}": number for number in range(6)}
    assert labels(run(params=many | {"heads": 4}), run(params=many | {"heads": 8})) == [
        "M heads=4",
        "M heads=8",
    ]
    # of one set all: nothing else says how it was built
    assert labels(run(params=many))[0].count("=") == 6


def test_every_run_is_found_by_its_own_label_and_no_other():
    rows = [
        run("My net", digest=digest * 64, params=params, backend=backend, isolation=isolation)
        for digest, params, backend, isolation in itertools.product(
            "ab",
            [{"activation": "relu", "sizes": [1, 2]}, {"activation": "on", "sizes": [3]}],
            ["tensorflow", "jax", "torch"],
            ["none", "container"],
        )
    ]
    frame = pd.DataFrame([*rows, run("My net on two"), run("My")])
    names = [name.label for name in name_runs(frame)]
    assert len(set(names)) == len(frame)
    for place, label in enumerate(names):
        # a label without a backend is of the default one, and of any: it is said in full here
        text = label if " on " in label.removeprefix("My net on two") else f"{label} on tensorflow"
        assert find_runs(frame, text).to_list() == [n == place for n in range(len(frame))], label


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("M", [0, 1, 2]),
        ("M@a", [0, 1]),
        ("M @aaaa relu", [0]),
        ("M rate=1", [1]),
        ("M rate=1.0 no container", [1]),
        ("M container", [2]),
        ("M closed on jax", [2]),
        ("M deep=true", [1]),
        ("M @bbbbbbbb of 2026-03-01 09:30 on jax", [2]),
    ],
)
def test_a_text_names_the_runs_that_have_all_that_it_says(text, found):
    frame = pd.DataFrame(
        [
            run(params={"activation": "relu", "rate": 0.5}),
            run(params={"activation": "elu", "rate": 1.0, "deep": True}),
            run(digest="b" * 64, backend="jax", isolation="container"),
        ]
    )
    assert [place for place, here in enumerate(find_runs(frame, text)) if here] == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Mm", "unknown model 'Mm'; did you mean M"),
        ("M@c", "no run of M has '@c'; there are M @aaaaaaaa, M @bbbbbbbb"),
        ("M activation=relu", "no run of M has 'activation=relu'"),
        ("", "unknown model ''"),
    ],
)
def test_what_no_run_is_called_is_refused_with_what_there_is(text, said):
    frame = pd.DataFrame([run(), run(digest="b" * 64)])
    with pytest.raises(UserError) as error:
        find_runs(frame, text)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_parameters_that_are_no_object_are_kept_as_they_are():
    assert parameters("[1") == {"parameters": "[1"}
    assert parameters("") == {}
    assert parameters('{"b": [1, 2], "a": "x y"}') == {"a": "x y", "b": "[1,2]"}
