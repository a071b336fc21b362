"""A stranger's path: the quick start, a model of one's own, and its record in one's own repository.

The pages are run as they stand there, in one folder and in their order; then the model moves to a
repository that holds nothing else, and changes.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import small_tasks
from blocks import ROOT, blocks, commands
from checkout import Shell, tail
from play import OF_A_STRANGER, play
from services import ENVIRONMENT

OWN = "## In your own tests"
LOOK = "bench regress --against golden --only files --only activations --only networks"
# what `python -m pytest` runs in the repository starts cold, with the tasks as they are
CONFTEST = f"""\
import sys

sys.path.append({str(Path(small_tasks.__file__).parent)!r})
import small_tasks

small_tasks.install()
"""
EDITED = ("layers.Activation(activation)(x)", 'layers.Activation("relu")(x)')


@pytest.fixture
def page():
    """The section of docs/regression.md on one's own tests: its commands, and its test file."""
    path = ROOT / "docs" / "regression.md"
    start = path.read_text(encoding="utf-8").splitlines().index(OWN)
    own = [block for block in blocks(path) if block.line > start]
    (tests,) = [block.text for block in own if block.tag == "python"]
    *_, wanted = [list(commands(block)) for block in own if block.tag == "sh"]
    return tests, [command.text for command in wanted]


def test_from_the_quick_start_to_a_repository_of_one_s_own(
    make_checkout, services, programs, monkeypatch, tmp_path, page
):
    checkout = make_checkout(**ENVIRONMENT)
    for name in OF_A_STRANGER:
        play(ROOT / "docs" / name, checkout, services, monkeypatch)

    mine = Shell(tmp_path / "own", "repository", programs, {})
    for name in ("my_model.py", "golden"):
        shutil.move(checkout.path / name, mine.path / name)
    tests, after_an_edit = page
    (mine.path / "test_mine.py").write_text(tests)
    (mine.path / "conftest.py").write_text(CONFTEST)

    def ends(command, status):
        done = mine.run(command)
        assert done.returncode == status, f"{command}\n{tail(done.stdout)}"
        return done.stdout

    ends("python -m pytest -q -p no:cacheprovider --update-activations -k first_layer", 0)
    said = ends("python -m pytest -q -p no:cacheprovider", 0)
    assert "2 passed" in said
    assert "NotLookedAt: Not looked at: scores of trained networks" in said

    model = mine.path / "my_model.py"
    text = model.read_text()
    assert text.count(EDITED[0]) == 1
    model.write_text(text.replace(*EDITED))
    said = ends(LOOK, 1)
    assert "DRIFTED  files " in said
    assert "DRIFTED  networks " in said
    assert "If that is intended: 'bench run --model my_model.py" in said
    assert "1 failed" in ends("python -m pytest -q -p no:cacheprovider -k our_networks", 1)
    assert "changed since" in ends("bench regress update --against golden --reason x", 1)

    for command in after_an_edit:
        ends(command, 0)
    said = ends(LOOK, 0)
    assert "1 more result of that name (another my_model.py (" in said
    assert "DRIFTED" not in said
