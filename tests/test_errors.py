import subprocess
import sys

import pytest

from motifidelity.errors import unknown


def test_names_are_listed_as_given():
    assert str(unknown("task", "zzz", ["b", "a"])) == "unknown task 'zzz'; known: b, a"
    assert str(unknown("task", "zzz", [])) == "unknown task 'zzz'; known: none"
    assert str(unknown("task", "aaa", ["aab", "zz"])).endswith("did you mean aab?")


@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_a_set_of_names_is_listed_alike_in_every_process(seed):
    program = (
        "from motifidelity.errors import unknown\n"
        "print(unknown('task', 'zzz', {'regulatory-code', 'motif-classes', 'hard-negatives'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    known = "known: hard-negatives, motif-classes, regulatory-code"
    assert done.stdout == f"unknown task 'zzz'; {known}\n"
