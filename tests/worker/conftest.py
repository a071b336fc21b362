"""Networks of every kind that people submit, built once."""

from __future__ import annotations

import json
import os

import pytest

if os.environ.get("KERAS_BACKEND") != "jax":
    # trials are packed on JAX alone
    collect_ignore = ["test_pack.py"]


class Silent:
    """A reporter that keeps its events."""

    def __init__(self):
        self.events = []

    def __call__(self, event, **values):
        json.dumps(values)  # what is reported must be plain
        self.events.append((event, values))


@pytest.fixture
def report():
    return Silent()
