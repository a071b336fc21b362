"""What every test may use: a cache folder, the real datasets, a small task, a small disk."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import os
import subprocess
import sys
from importlib import resources

import numpy as np
import pytest

pytest_plugins = ["lanes", "warm_fixtures"]
CACHE_VARIABLE = "MOTIFIDELITY_CACHE"
IMPLANT_KEYS = ("sequence", "motif", "strand", "start", "end")


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory):
    """Keep datasets out of the user's own cache; a set variable lets runs share one."""
    if os.environ.get(CACHE_VARIABLE):
        yield
        return
    os.environ[CACHE_VARIABLE] = str(tmp_path_factory.mktemp("cache"))
    yield
    del os.environ[CACHE_VARIABLE]


@pytest.fixture(scope="module", autouse=True)
def own_tasks_of_a_file():
    """A user's own task that a file's tests met is not known to the next file's."""
    from motifidelity.tasks import spec

    met = dict(spec._OWN)
    yield
    spec._OWN.clear()
    spec._OWN.update(met)


@pytest.fixture(scope="session")
def motif_classes(cache_folder):
    """The study's own, with the scores of version 1; version 2 has the same data."""
    return _dataset("motif-classes@1")


@pytest.fixture(scope="session")
def regulatory_code(cache_folder):
    return _dataset("regulatory-code@1")


@pytest.fixture(scope="session")
def datasets(motif_classes, regulatory_code):
    return {"motif-classes": motif_classes, "regulatory-code": regulatory_code}


def _dataset(name):
    from motifidelity.tasks.dataset import load_dataset
    from motifidelity.tasks.spec import find_spec

    return load_dataset(find_spec(name))


@pytest.fixture(scope="session")
def jaspar():
    """Biopython motifs of JASPAR 2016 by id, straight from the database."""
    from pyjaspar import jaspardb

    records = jaspardb(release="JASPAR2016").fetch_motifs(
        collection="CORE", tax_group=["vertebrates"]
    )
    return {record.matrix_id: record for record in records}


@pytest.fixture(scope="session")
def spec_texts():
    """TOML text of every version of every task, by name and version."""
    from motifidelity.tasks.spec import parse_spec

    files = [f for f in resources.files("motifidelity.tasks").iterdir() if f.name.endswith(".toml")]
    texts = [f.read_text(encoding="utf-8") for f in files]
    return {parse_spec(text).id: text for text in texts}


@pytest.fixture(scope="session")
def tiny_spec(spec_texts):
    """The first regulatory code with 60 sequences instead of 20,000, its digests locked alike."""
    from motifidelity.tasks.generate import generate
    from motifidelity.tasks.motifs import load_motifs
    from motifidelity.tasks.spec import parse_spec

    text = spec_texts["regulatory-code@1"].replace("sequences = 10000", "sequences = 30")
    spec = parse_spec(text.replace('name = "regulatory-code"', 'name = "tiny"'))
    digests = {
        name: {"n": len(split.sequences), **_sha256(split)}
        for name, split in generate(spec, load_motifs(spec.motifs)).items()
    }
    return dataclasses.replace(spec, digests=digests)


def _sha256(split):
    arrays = {name: getattr(split, name) for name in ("sequences", "labels", "truth")}
    columns = [getattr(split.implants, key).astype("<i4") for key in IMPLANT_KEYS]
    arrays["implants"] = np.ascontiguousarray(np.stack(columns, axis=1))
    return {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in arrays.items()}


@pytest.fixture
def bench(monkeypatch, capfd, tmp_path_factory):
    """Run a command line in this process; returns status, standard output, standard error.

    What is kept of a stopped training is a test's own: the same job of another test, stopped or at
    work in another process, would be gone on with.
    """
    from motifidelity.cli import main
    from motifidelity.runs import unfinished

    own = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr(unfinished, "cache_folder", lambda: own)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["bench", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        return ended.value.code, out, err

    return run


@pytest.fixture
def small_disk(tmp_path):
    """Mount a file system of its own with the given options; skipped where that is not allowed."""
    mounted = []

    def mount(options):
        folder = tmp_path / f"disk{len(mounted)}"
        folder.mkdir()
        try:
            done = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True
            )
        except OSError:
            pytest.skip("no mount command")
        if done.returncode:
            pytest.skip("mounting a file system is not allowed here")
        mounted.append(folder)
        return folder

    try:
        yield mount
    finally:
        for folder in mounted:
            subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture(scope="session")
def s3_url():
    """Address of a real S3 API on loopback, with one bucket."""
    if importlib.util.find_spec("moto") is None:
        if os.environ.get("CI"):
            pytest.fail("CI must test S3: moto[server] is not installed")
        pytest.skip("moto[server] is not installed")
    from s3_server import s3_api

    with s3_api() as url:
        yield url


@pytest.fixture
def s3(s3_url, monkeypatch, request):
    """A prefix of its own in a bucket: the location of an empty registry."""
    from s3_server import BUCKET, KEYS

    for name, value in {**KEYS, "AWS_ENDPOINT_URL": s3_url}.items():
        monkeypatch.setenv(name, value)
    prefix = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:16]
    return f"s3://{BUCKET}/{prefix}/registry"


@pytest.fixture(params=["folder", "s3"])
def place(request, tmp_path):
    """The location of an empty registry, of either kind."""
    return tmp_path / "registry" if request.param == "folder" else request.getfixturevalue("s3")
