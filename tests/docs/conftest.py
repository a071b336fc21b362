"""A warm ``bench`` with small tasks, a registry of its results, and a folder for each page."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from blocks import PAGES, blocks, file_of
from checkout import Checkout, script
from services import Services

HERE = Path(__file__).parent
START_SECONDS = 120
# of README's model and of two baselines: what the pages take for granted
RESULTS = (
    "bench run --model models/cnn_2.py --param activation=relu --task motif-classes --trials 1"
    " --profile quick --registry results",
    "bench run --model models/cnn_local.py --task regulatory-code --trials 1"
    " --profile quick --registry results",
    "bench run --model my_model.py --task regulatory-code --profile quick --registry other/results",
    "bench submit my_model.py --registry other/results --out submissions/first",
    "bench verify submissions/first --digests-only --out verifications/first",
    "bench regress update --train --probe --anonymous --reason 'of small tasks'",
)
PREPARED = ("results", "other", "submissions", "verifications", "baselines", "my_model.py")


@pytest.fixture(scope="session")
def programs(cache_folder, tmp_path_factory):
    """Folder of ``bench`` and ``python``, whose processes are forks of one that has TensorFlow."""
    folder = tmp_path_factory.mktemp("warm")
    address = folder / "s"
    text = (HERE / "warm" / "client.py").read_text()
    for name in ("bench", "python"):
        values = {"{python}": sys.executable, "{socket}": str(address)}
        for key, value in values.items():
            text = text.replace(key, value)
        script(folder / "bin" / name, text)
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, HERE / "warm" / "server.py", address],
            env={
                **os.environ,
                "PYTHONPATH": str(HERE),
                "KERAS_BACKEND": "tensorflow",
                "CUDA_VISIBLE_DEVICES": "-1",
                "TF_CPP_MIN_LOG_LEVEL": "3",
            },
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
    try:
        until = time.monotonic() + START_SECONDS
        while not address.exists():
            assert server.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < until, "the warm server did not start"
            time.sleep(0.1)
        yield folder / "bin"
    finally:
        server.kill()
        server.wait()


@pytest.fixture(scope="session")
def prepared(programs, tmp_path_factory):
    """A checkout in which README's model and results of it are there."""
    checkout = Checkout(tmp_path_factory.mktemp("prepared"), programs, {})
    (model,) = (b for b in blocks(PAGES[0]) if b.tag == "python" and file_of(b) == "my_model.py")
    (checkout.path / "my_model.py").write_text(model.text)
    for command in RESULTS:
        done = checkout.run(command)
        assert done.returncode == 0, f"{command}\n{done.stdout}"
    return checkout.path


@pytest.fixture
def make_checkout(programs, prepared, tmp_path):
    """Make a checkout whose shell has more in its environment."""

    def make(**environment):
        checkout = Checkout(tmp_path, programs, environment)
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
