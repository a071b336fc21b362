"""What is measured starts as it does for a user."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _cold(cold):
    pass
