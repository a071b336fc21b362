"""Packing and merging keep every result, digest and byte that they should."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from registry_rows import TABLES, failure, one_line, result

from motifidelity.errors import DataError
from motifidelity.registry import Registry
from motifidelity.registry.audit import audit
from motifidelity.registry.compact import compact
from motifidelity.registry.manifest import names
from motifidelity.registry.merge import merge


def rows(registry):
    found = {name: table.to_pylist() for name, table in registry.every(*TABLES).items()}
    return {name: sorted(map(repr, table)) for name, table in found.items()}


def fill(registry, letters="abc", **options):
    return [registry.record(result(letter * 24, **options)) for letter in letters]


def test_a_packed_registry_reads_the_same_from_four_files(place):
    registry = Registry(place)
    fill(registry)
    registry.record(failure("a" * 24))
    before = rows(registry)
    latest = registry.latest("jobs")["jobs"]
    done = compact(registry.store)
    assert (done.results, len(done.packs)) == (4, 1)
    assert rows(registry) == before
    assert registry.latest("jobs")["jobs"].equals(latest)
    assert len(registry.latest("scores")["scores"]) == 4, "the failure is the latest of its job"
    assert len(registry.store.files()) == 5
    report = audit(registry.store)
    assert (report.problems, report.results, report.packs) == ([], 4, 1)
    assert compact(registry.store).packs == [], "a second time there is nothing to do"


def test_packs_that_are_not_full_are_packed_again_and_full_ones_stay(tmp_path):
    registry = Registry(tmp_path)
    fill(registry, "abc")
    assert len(compact(registry.store, 2).packs) == 2
    full = {name for name in names(registry.store, "jobs") if len(pack(tmp_path, name)) == 2}
    fill(registry, "de")
    before = rows(registry)
    compact(registry.store, 2)
    assert rows(registry) == before
    sizes = sorted(len(pack(tmp_path, name)) for name in names(registry.store, "jobs"))
    assert sizes == [1, 2, 2]
    assert full < names(registry.store, "jobs")
    assert audit(registry.store).ok


def pack(folder, name):
    return pq.read_table(folder / "jobs" / f"{name}.parquet", partitioning=None)


def test_packing_keeps_networks_arrays_and_the_digests_of_what_was_recorded(tmp_path):
    files = [tmp_path / "graph.pb", tmp_path / "network.json"]
    for file in files:
        file.write_bytes(b"content")
    registry = Registry(tmp_path / "registry")
    (name,) = fill(registry, "a", files=files, arrays={"logits": np.arange(3.0)})
    stated = json.loads((registry.folder / "manifest" / f"{name}.json").read_text())
    listed = registry.latest("jobs")["jobs"]["files"].to_pylist()
    done = compact(registry.store)
    assert set(registry.network(name)) == {"graph", "network"}
    assert registry.arrays(name)["logits"].tolist() == [0, 1, 2]
    assert registry.latest("jobs")["jobs"]["files"].to_pylist() == listed
    packed = json.loads((registry.folder / "manifest" / f"{done.packs[0]}.json").read_text())
    assert packed["results"] == {name: stated["files"][0]["sha256"]}
    assert len(packed["files"]) == 4


def test_other_readers_see_a_packed_registry_as_before(tmp_path):
    import duckdb
    import pandas as pd

    registry = Registry(tmp_path)
    fill(registry)
    compact(registry.store)
    fill(registry, "d")
    assert len(pd.read_parquet(tmp_path / "scores")) == 8
    found = duckdb.sql(f"select count(*) from '{tmp_path}/jobs/*.parquet'").fetchall()
    assert found == [(4,)]


def test_a_result_in_two_packs_counts_once_and_the_older_pack_goes(tmp_path):
    registry = Registry(tmp_path / "registry")
    fill(registry)
    compact(registry.store)
    shutil.copytree(registry.folder, tmp_path / "copy")
    fill(registry, "d")
    compact(registry.store)
    before = rows(registry)
    # as a packing leaves it that was stopped before it removed the older pack
    shutil.copytree(tmp_path / "copy", registry.folder, dirs_exist_ok=True)
    assert len(names(registry.store, "jobs")) == 2
    assert rows(registry) == before
    report = audit(registry.store)
    assert (report.ok, report.results, report.packs) == (True, 4, 1)
    assert len(report.superseded) == 5
    compact(registry.store)
    assert len(names(registry.store, "jobs")) == 1
    assert rows(registry) == before


def test_a_reader_meets_a_missing_file_with_one_line_that_names_it(tmp_path):
    registry = Registry(tmp_path)
    (name,) = fill(registry, "a")
    path = tmp_path / "scores" / f"{name}.parquet"
    path.unlink()
    with pytest.raises(DataError) as error:
        registry.tables()
    one_line(error, f"scores/{name}.parquet", "missing", "all others are kept")


@pytest.mark.parametrize("packed", ["neither", "source", "both"])
def test_merging_copies_what_is_not_there_as_it_is(packed, place, tmp_path):
    files = [tmp_path / "graph.pb", tmp_path / "network.json"]
    for file in files:
        file.write_bytes(b"content")
    target, source = Registry(place), Registry(tmp_path / "source")
    fill(target, "a")
    origin, other = fill(source, "bc", files=files, arrays={"logits": np.arange(3.0)})
    source.record(result("b" * 24, arrays_of=origin))
    source.store.delete(f"arrays/{other}.npz")
    for registry in {"neither": [], "source": [source], "both": [source, target]}[packed]:
        compact(registry.store)
    expected = {name: sorted(rows(source)[name] + rows(target)[name]) for name in TABLES}
    done = merge(target.store, [source.store])
    assert (done.copied, done.there) == (3, 0)
    assert rows(target) == expected
    assert target.arrays(origin)["logits"].tolist() == [0, 1, 2]
    assert {p.read_bytes() for p in target.network(origin).values()} == {b"content"}
    report = audit(target.store)
    assert (report.problems, report.results, report.not_kept) == ([], 4, 1)
    if packed == "neither":
        for path, content in source.store.files().items():
            assert target.store.read(path) == source.store.read(content.path)
    assert merge(target.store, [source.store]).copied == 0


def test_merging_knows_a_result_again_however_it_is_kept(tmp_path):
    one = Registry(tmp_path / "one")
    fill(one)
    two = Registry(shutil.copytree(one.folder, tmp_path / "two"))
    compact(two.store)
    for target, source in ((one, two), (two, one)):
        done = merge(target.store, [source.store])
        assert (done.copied, done.there) == (0, 3)
        assert audit(target.store).ok


@pytest.mark.parametrize("packed", [False, True])
def test_two_results_of_one_id_that_differ_are_named_and_nothing_is_merged(packed, tmp_path):
    one = Registry(tmp_path / "one")
    (name,) = fill(one, "a")
    two = Registry(tmp_path / "two")
    rewritten(one, two, name)
    fill(two, "b")
    assert audit(two.store).ok, "each is whole for itself"
    if packed:
        compact(one.store)
    before = rows(one)
    with pytest.raises(DataError) as error:
        merge(one.store, [two.store])
    one_line(error, name, one.folder, two.folder, "nothing was merged")
    assert rows(one) == before


def rewritten(one, two, name):
    """The same result with a better score, its digests made to agree."""
    from motifidelity.registry.manifest import Writing
    from motifidelity.registry.parquet import decode, encode

    with Writing(two.store, name) as writing:
        for table in TABLES[1:]:
            rows = decode(table, one.store.read(f"{table}/{name}.parquet"))
            if table == "scores":
                better = pa.array([0.99] * rows.num_rows)
                place = rows.column_names.index("value")
                rows = rows.set_column(place, rows.schema.field(place), better)
            writing.add(f"{table}/{name}.parquet", encode(table, rows))
        jobs = decode("jobs", one.store.read(f"jobs/{name}.parquet"))
        place = jobs.column_names.index("files")
        stated = pa.array([[vars(f) for f in writing.files]], jobs.schema.field(place).type)
        writing.finish(encode("jobs", jobs.set_column(place, jobs.schema.field(place), stated)))


def test_a_damaged_source_is_named_and_nothing_is_merged(tmp_path):
    one, two, three = (Registry(tmp_path / name) for name in ("one", "two", "three"))
    for registry, letter in ((one, "a"), (two, "b"), (three, "c")):
        fill(registry, letter)
    (scores,) = (three.folder / "scores").iterdir()
    scores.write_bytes(scores.read_bytes()[:-5])
    with pytest.raises(DataError) as error:
        merge(one.store, [two.store, three.store])
    one_line(error, three.folder, scores.name, "changed", "nothing was changed")
    assert len(one.jobs()) == 1


def test_a_registry_is_not_merged_into_itself(tmp_path):
    registry = Registry(tmp_path)
    fill(registry, "a")
    with pytest.raises(DataError, match="into itself"):
        merge(registry.store, [registry.store])
