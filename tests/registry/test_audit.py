"""``verify`` finds every changed, missing and foreign file, and nothing else."""

from __future__ import annotations

import os
import shutil
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from registry_rows import TABLES, failure, result

from motifidelity.registry import Registry, schema
from motifidelity.registry.audit import audit
from motifidelity.registry.compact import compact
from motifidelity.registry.manifest import Manifest
from motifidelity.registry.parquet import STAMP
from motifidelity.registry.problems import UNFINISHED_SECONDS


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "made"
    folder.mkdir()
    for name in ("graph.pb", "network.json"):
        (folder / name).write_bytes(name.encode() * 10)
    return sorted(folder.iterdir())


@pytest.fixture
def filled(place, files):
    """A registry with two whole results, one of which failed before, and a later scoring."""
    return fill(Registry(place), files)


@pytest.fixture
def filled_folder(tmp_path, files):
    return fill(Registry(tmp_path / "registry"), files)


def fill(registry, files):
    registry.record(failure("a" * 24))
    origin = registry.record(result(files=files, arrays={"logits": np.arange(5.0)}))
    registry.record(result(arrays_of=origin, value=0.5))
    registry.record(result("b" * 24, files=files))
    return registry


def kinds(registry):
    return {(p.kind, p.path) for p in audit(registry.store).problems}


def own_files(registry):
    return sorted(registry.store.files())


def test_a_registry_as_it_was_written_is_accepted(filled):
    report = audit(filled.store)
    assert report.problems == []
    assert (report.results, report.packs, report.undigested, report.not_kept) == (4, 0, 0, 0)
    assert report.files == len(own_files(filled)) - 4, "all but the manifests themselves"
    assert report.unfinished == report.superseded == report.pending == []


@pytest.mark.parametrize("packed", [False, True])
def test_every_changed_file_is_found(packed, filled_folder):
    filled = filled_folder
    if packed:
        compact(filled.store)
    for path in own_files(filled):
        content = filled.store.read(path)
        for changed in (content[:-1], content + b"x", bytes([content[0] ^ 1]) + content[1:]):
            filled.store.write(path, changed)
            found = audit(filled.store).problems
            assert path in {p.path for p in found}, path
            assert {p.kind for p in found} <= {"changed", "damaged", "missing"}
        filled.store.write(path, content)
    assert audit(filled.store).ok


@pytest.mark.parametrize("packed", [False, True])
def test_every_missing_file_is_found_but_arrays_need_not_be_kept(packed, filled_folder):
    filled = filled_folder
    if packed:
        compact(filled.store)
    for path in own_files(filled):
        content = filled.store.read(path)
        filled.store.delete(path)
        report = audit(filled.store)
        if path.startswith("arrays/"):
            assert (report.ok, report.not_kept) == (True, 1)
        else:
            assert ("missing", path) in {(p.kind, p.path) for p in report.problems}, path
        filled.store.write(path, content)
    assert audit(filled.store).ok


def test_a_result_that_was_edited_and_written_anew_is_found(filled):
    path = next(p for p in own_files(filled) if p.startswith("scores/"))
    table = pq.read_table(pa.BufferReader(filled.store.read(path)))
    place = table.column_names.index("value")
    better = pa.array([0.99] * table.num_rows)
    sink = pa.BufferOutputStream()
    pq.write_table(table.set_column(place, table.schema.field(place), better), sink)
    filled.store.write(path, sink.getvalue().to_pybytes())
    assert kinds(filled) == {("changed", path)}


@pytest.mark.parametrize(
    "path",
    [
        "notes.txt",
        "jobs/notes.txt",
        "scores/foreign.parquet",
        "more/file",
        "networks/graph.pb",
        "networks/{id}/inner/graph.pb",
        "networks/{id}/virus.so",
        "arrays/{id}.npy",
        "manifest/{id}.txt",
    ],
)
def test_a_foreign_file_is_found_wherever_it_lies(path, filled):
    path = path.replace("{id}", filled.jobs()["result_id"][1])
    filled.store.write(path, b"anything")
    assert kinds(filled) == {("foreign", path)}


def test_a_foreign_table_is_found_and_so_is_a_copy_under_another_name(filled):
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"a": [1]}), sink)
    filled.store.write("jobs/other.parquet", sink.getvalue().to_pybytes())
    assert kinds(filled) == {("damaged", "jobs/other.parquet")}
    filled.store.delete("jobs/other.parquet")
    name = filled.jobs()["result_id"][0]
    copy = f"jobs/{name[:-6]}ffffff.parquet"
    filled.store.write(copy, filled.store.read(f"jobs/{name}.parquet"))
    assert kinds(filled) == {("damaged", copy)}


def test_tables_that_a_row_does_not_name_are_found(place):
    registry = Registry(place)
    registry.record(failure("a" * 24))
    (name,) = registry.jobs()["result_id"]
    other = Registry(place)
    other.record(result("b" * 24))
    (scores,) = registry.store.files("scores")
    path = f"scores/{name}.parquet"
    registry.store.write(path, registry.store.read(scores))
    assert kinds(registry) == {("foreign", path)}


def test_what_people_put_beside_a_registry_is_not_foreign(filled):
    for path in ("README.md", "LICENSE", ".gitignore", ".git/config", "leaderboard/index.html"):
        filled.store.write(path, b"text")
    report = audit(filled.store)
    assert (report.ok, report.unfinished) == (True, [])


def test_links_and_paths_that_lead_outside_are_refused(tmp_path, files):
    registry = Registry(tmp_path / "registry")
    result_id = registry.record(result(files=files))
    graph = registry.folder / "networks" / result_id / "graph.pb"
    content = graph.read_bytes()
    (tmp_path / "outside").write_bytes(content)
    graph.unlink()
    graph.symlink_to(tmp_path / "outside")
    assert ("foreign", f"networks/{result_id}/graph.pb") in kinds(registry)
    graph.unlink()
    graph.write_bytes(content)
    path = registry.folder / "jobs" / f"{result_id}.parquet"
    table = pq.read_table(path, partitioning=None)
    for outside in ("networks/../../outside", "/etc/passwd", "../outside", "outside"):
        listed = [[{"path": outside, "size": 1, "sha256": ""}]]
        files_column = pa.array(listed, schema.FILES)
        place = table.column_names.index("files")
        pq.write_table(table.set_column(place, schema.JOBS.field("files"), files_column), path)
        problems = audit(registry.store).problems
        assert any(outside in p.why for p in problems)


def test_a_newer_file_is_named_with_the_remedy(filled):
    path = next(p for p in own_files(filled) if p.startswith("history/"))
    table = pq.read_table(pa.BufferReader(filled.store.read(path)))
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata({STAMP: b"99"}), sink)
    content = sink.getvalue().to_pybytes()
    filled.store.write(path, content)
    # so that only its version is odd
    name = path.split("/")[1].removesuffix(".parquet")
    row = pq.read_table(pa.BufferReader(filled.store.read(f"jobs/{name}.parquet")))
    restate(filled, name, row, path, content)
    (problem,) = audit(filled.store).problems
    assert (problem.kind, problem.path) == ("newer", path)
    assert "pip install --upgrade" in problem.why


def restate(registry, name, row, path, content):
    """Make a result's row and manifest agree with a file, as a forger would."""
    from dataclasses import asdict

    from motifidelity.registry.manifest import File
    from motifidelity.registry.parquet import encode

    (listed,) = row["files"].to_pylist()
    listed = [asdict(File.of(path, content)) if f["path"] == path else f for f in listed]
    place = row.column_names.index("files")
    column = pa.array([listed], schema.FILES)
    jobs = encode("jobs", row.set_column(place, schema.JOBS.field("files"), column))
    registry.store.write(f"jobs/{name}.parquet", jobs)
    manifest = Manifest(name, [File.of(f"jobs/{name}.parquet", jobs)])
    registry.store.write(f"manifest/{name}.json", manifest.to_bytes())


def test_leftovers_of_a_killed_writer_are_ignored_and_removed_after_an_hour(tmp_path):
    registry = Registry(tmp_path)
    registry.record(result())
    whole = {p: registry.store.read(p) for p in own_files(registry)}
    other = Registry(tmp_path / "other")
    other.record(result("b" * 24, arrays={"logits": np.zeros(3)}))
    left = [p for p in own_files(other) if not p.startswith(("jobs/", "manifest/"))]
    for path in left:
        registry.store.write(path, other.store.read(path))
    registry.store.write("jobs/.x.parquet.abc.tmp", b"half")
    shutil.rmtree(tmp_path / "other")
    report = audit(registry.store)
    assert report.ok
    assert {e.path for e in report.unfinished} == {*left, "jobs/.x.parquet.abc.tmp"}
    registry.record(result("c" * 24))
    compact(registry.store)
    assert set(left) <= set(own_files(registry)), "a writer may still be at work"
    before = time.time() - UNFINISHED_SECONDS - 60
    for path in (*left, "jobs/.x.parquet.abc.tmp"):
        os.utime(tmp_path / path, (before, before))
    assert compact(registry.store).removed == len(left) + 1
    report = audit(registry.store)
    assert (report.ok, report.unfinished, report.results) == (True, [], 2)
    assert len(registry.tables().scores) == 4
    assert not set(left) & set(own_files(registry))
    assert whole


@pytest.mark.parametrize("table", TABLES)
def test_nothing_is_removed_from_a_registry_that_is_not_whole(table, tmp_path):
    from motifidelity.errors import DataError

    registry = Registry(tmp_path)
    registry.record(result(arrays={"logits": np.zeros(3)}))
    registry.record(result("b" * 24))
    name = registry.jobs()["result_id"][0]
    (tmp_path / table / f"{name}.parquet").unlink()
    old = time.time() - 2 * UNFINISHED_SECONDS
    for path in own_files(registry):
        os.utime(tmp_path / path, (old, old))
    before = own_files(registry)
    with pytest.raises(DataError, match="nothing was changed") as error:
        compact(registry.store)
    assert f"{table}/{name}.parquet" in str(error.value)
    assert own_files(registry) == before


def test_a_manifest_states_what_it_is_given_and_refuses_what_is_none():
    import json

    given = Manifest("pack-1", [], {"r": "d"})
    assert Manifest.from_bytes(given.to_bytes()) == given
    for content in (b"", b"[]", b"{}", b'{"manifest": 1}', b"\xff"):
        with pytest.raises(ValueError, match=r".+"):
            Manifest.from_bytes(content)
    stated = json.loads(given.to_bytes())
    with pytest.raises(ValueError, match="newer version"):
        Manifest.from_bytes(json.dumps({**stated, "manifest": 2}).encode())
