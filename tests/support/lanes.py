"""Which tests share a process, which run again on every backend, which are left to the long run.

Files are the unit that processes take (`pytest --dist loadgroup`), so that what a file makes once
is made once. What needs an engine, a cluster or a browser has one lane: two of those at a time
would measure each other.
"""

from __future__ import annotations

import os

import pytest

# fixtures of what one machine has once
ALONE = {"engine", "cluster", "browser", "make_checkout", "services"}
MARKS = (
    "backends: depends on what Keras runs on; runs again on the other backends",
    "only_on(backend): of one backend alone",
    "slow: trains, draws all baselines or starts many processes; left out of the quick run",
)


def pytest_configure(config):
    """Declare the marks."""
    for mark in MARKS:
        config.addinivalue_line("markers", mark)


# before the plugin that reads the marks of lanes
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Give each file its lane; the lane of what runs alone is the longest, and starts first."""
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    left = [item for item in items if not _fits(item, backend)]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if _fits(item, backend)]
    alone = {item.path for item in items if ALONE & set(item.fixturenames)}
    for item in items:
        lane = "alone" if item.path in alone else str(item.path)
        item.add_marker(pytest.mark.xdist_group(lane))
        if item.path in alone:
            item.add_marker(pytest.mark.slow)
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path not in alone, item.path not in slow))


def _fits(item, backend):
    only = item.get_closest_marker("only_on")
    return only is None or backend in only.args
