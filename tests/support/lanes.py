"""Which tests share a process, which run again on every backend, which are left to the long run.

Files are the unit that processes take, so that what a file makes once is made once. What needs a
Docker engine, a cluster of Ray or a browser has one lane: two of those at a time would measure each
other.
"""

from __future__ import annotations

import os
import tempfile

import pytest

ALONE = (
    "tests/containers/",
    "tests/executors/test_ray.py",
    "tests/leaderboard/test_browser.py",
    "tests/leaderboard/test_evidence_browser.py",
)
# they train, draw all baselines or start many processes: two thirds of the time
SLOW = (
    *ALONE,
    "tests/docs/test_commands.py",
    "tests/docs/test_mistakes.py",
    "tests/docs/test_scripts.py",
    "tests/docs/test_stranger.py",
    "tests/executors/test_slurm.py",
    "tests/leaderboard/test_builder.py",
    "tests/registry/test_faults.py",
    "tests/regress/test_own.py",
    "tests/regress/test_regress.py",
    "tests/report/test_documents.py",
    "tests/runs/test_given_weights.py",
    "tests/runs/test_run.py",
    "tests/runs/test_unfinished.py",
    "tests/scoring/test_discovery.py",
    "tests/submitting/test_check.py",
    "tests/submitting/test_rerun.py",
    "tests/worker/test_backend_spread.py",
    "tests/worker/test_backends.py",
    "tests/worker/test_deeplift.py",
    "tests/worker/test_kept.py",
    "tests/test_types.py",
)
# by JAX, for which most of a short training is its compilation; read when it is imported
COMPILED = "JAX_COMPILATION_CACHE_DIR"
MARKS = (
    "backends: depends on what Keras runs on; runs again on the other backends",
    "only_on(backend): of one backend alone",
    "slow: of a file that takes long; left out of the quick run",
)


def pytest_configure(config):
    """Declare the marks; let every process of the run find what one of them has compiled."""
    for mark in MARKS:
        config.addinivalue_line("markers", mark)
    if COMPILED not in os.environ:
        folder = tempfile.TemporaryDirectory(prefix="compiled-", ignore_cleanup_errors=True)
        config.add_cleanup(folder.cleanup)
        os.environ |= {COMPILED: folder.name, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}


def pytest_collection_modifyitems(config, items):
    """Leave out what is of another backend; begin with the long lane, and with the slow files."""
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    left = [item for item in items if not _fits(item, backend)]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if _fits(item, backend)]
    for item in items:
        if item.nodeid.startswith(SLOW):
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: [not item.nodeid.startswith(few) for few in (ALONE, SLOW)])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """The scheduler of ``--dist loadfile``, with the files of `ALONE` as one."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Lanes(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return "alone" if nodeid.startswith(ALONE) else super()._split_scope(nodeid)

    return Lanes(config, log)


def _fits(item, backend):
    only = item.get_closest_marker("only_on")
    return only is None or backend in only.args
