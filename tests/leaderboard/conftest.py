from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import evidence_fixtures as ev
import leaderboard_fixtures as fx


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The realistic registry, rendered once; tests only read it."""
    from motifidelity.leaderboard import render

    out = tmp_path_factory.mktemp("site")
    render(fx.realistic(), out, metrics=fx.METRICS, evidence=ev.evidence)
    return out
