"""The documents that are programs run from their first line to their last."""

from __future__ import annotations

import pytest
from blocks import ROOT, name_of
from checkout import tail


@pytest.mark.parametrize("program", sorted((ROOT / "docs").glob("*.py")), ids=name_of)
def test_a_program_of_the_documents_runs(program, make_checkout):
    done = make_checkout().run(f"python {name_of(program)}")
    assert done.returncode == 0, tail(done.stdout)
