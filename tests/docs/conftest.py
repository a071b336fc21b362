"""A warm ``bench`` with small tasks, a registry of its results, and a folder for each page."""

from __future__ import annotations

import fcntl
import os
import shutil

import pytest
from blocks import PAGES, blocks, file_of
from checkout import Checkout
from few_baselines import copy_few
from services import Services

# what there is of the committed baselines: to draw and to read all of them takes minutes
TRIALS, TASKS = 1, ("motif-classes", "regulatory-code")
# of README's model and of two baselines: what the pages take for granted
RESULTS = (
    "bench run --model models/cnn_2.py --param activation=relu --task motif-classes@1 --trials 1"
    " --profile quick --registry results",
    "bench run --model models/cnn_local.py --task regulatory-code --trials 1"
    " --profile quick --registry results",
    # what `bench regress` looks for
    "bench run --model models/cnn_local.py --task regulatory-code@1 --trials 1"
    " --profile quick --registry results",
    "bench run --model my_model.py --task regulatory-code --profile quick --registry other/results",
    "bench submit my_model.py --registry other/results --out submissions/first",
    "bench verify submissions/first --digests-only --out verifications/first",
    "bench regress update --train --probe --anonymous --reason 'of small tasks'",
)
PREPARED = ("results", "other", "submissions", "verifications", "baselines", "my_model.py")


@pytest.fixture(scope="session")
def few_baselines(tmp_path_factory):
    """What a checkout has as the committed baselines."""
    target = tmp_path_factory.mktemp("few") / "baselines"
    copy_few(target, TRIALS, tasks=TASKS)
    return target


@pytest.fixture(scope="session")
def prepared(programs, few_baselines, tmp_path_factory):
    """A checkout in which README's model and results of it are there.

    The processes of a run of the tests share it: who comes first makes it, and others wait.
    """
    own = tmp_path_factory.getbasetemp()
    shared = (own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own) / "prepared"
    with shared.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not shared.exists():
            checkout = Checkout(own / "prepared-here", programs, few_baselines, {})
            prepare(checkout)
            checkout.path.rename(shared)
    return shared


def prepare(checkout):
    """Write README's model, and run it."""
    (model,) = (b for b in blocks(PAGES[0]) if b.tag == "python" and file_of(b) == "my_model.py")
    (checkout.path / "my_model.py").write_text(model.text)
    for command in RESULTS:
        done = checkout.run(command)
        assert done.returncode == 0, f"{command}\n{done.stdout}"


@pytest.fixture
def make_checkout(programs, few_baselines, prepared, tmp_path):
    """Make a checkout whose shell has more in its environment."""

    def make(**environment):
        checkout = Checkout(tmp_path, programs, few_baselines, environment)
        for name in PREPARED:
            source, target = prepared / name, checkout.path / name
            if source.is_dir():
                shutil.rmtree(target, ignore_errors=True)
                shutil.copytree(source, target)
            else:
                shutil.copy(source, target)
        return checkout

    return make


@pytest.fixture
def services(request):
    """What commands reach over the network."""
    services = Services(lambda: request.getfixturevalue("s3_url"))
    yield services
    services.end()
