"""Older registries are read and renewed without loss; newer ones are refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from registry_rows import TABLES, one_line, result

from motifidelity.errors import DataError
from motifidelity.registry import Registry, schema
from motifidelity.registry.audit import audit
from motifidelity.registry.compact import compact, migrate
from motifidelity.registry.parquet import STAMP, decode, encode, from_rows
from motifidelity.registry.upgrades import STEPS, upgrade

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture
def version():
    """Of the registry `old`."""
    return 1


@pytest.fixture
def old(tmp_path, version):
    """A registry as a version wrote it, with the network that its result names."""
    shutil.copytree(DATA / f"registry_v{version}", tmp_path / "old")
    (tmp_path / "old" / "arrays").mkdir()
    return Registry(tmp_path / "old")


def stored(registry, table):
    """A file's rows as plain pyarrow reads them."""
    (file,) = (registry.folder / table).iterdir()
    return pq.ParquetFile(file).read()


def test_every_older_version_has_a_step_and_a_registry_that_it_wrote():
    assert sorted(STEPS) == list(range(1, schema.VERSION))
    for version in STEPS:
        files = [*(DATA / f"registry_v{version}" / "jobs").iterdir()]
        assert pq.read_table(files[0], partitioning=None)["schema_version"][0].as_py() == version


@pytest.mark.parametrize("version", STEPS)
@pytest.mark.parametrize("table", TABLES)
def test_a_file_of_an_older_version_reads_as_the_present_schema_with_its_values(table, old):
    before = stored(old, table)
    after = old.latest(table)[table]
    assert after.schema.equals(schema.TABLES[table])
    assert after.num_rows == before.num_rows > 0
    for column in set(before.column_names) - {"schema_version"}:
        assert after[column].to_pylist() == before[column].to_pylist()
    # how maps were read is known of every version
    for column in set(after.column_names) - set(before.column_names) - {"reading"}:
        assert after[column].null_count == after.num_rows


@pytest.mark.parametrize("version", [1, 2])
def test_maps_of_version_2_and_before_were_read_in_their_method_s_own_way(old):
    rows = old.latest("scores")["scores"].to_pylist()
    assert {(row["family"] == "attribution", row["reading"]) for row in rows} == {
        (True, "own"),
        (False, None),
    }
    assert any(row["method"] for row in rows if row["reading"] is None)


def test_a_file_from_the_early_days_of_version_1_has_fewer_columns_and_reads_too(old):
    late = ["arrays_of", "scored_commit", "policy", "widened", "gpus"]
    (file,) = (old.folder / "jobs").iterdir()
    pq.write_table(stored(old, "jobs").drop_columns(late), file)
    row = old.latest("jobs")["jobs"].to_pylist()[0]
    assert all(row[column] is None for column in late)
    assert row["model"] == "CNN-dist"


def test_a_step_changes_nothing_but_what_it_is_for():
    table = pa.table({"result_id": ["r"], "schema_version": pa.array([1], pa.int32()), "x": [1.5]})
    after = upgrade("jobs", table, 1)
    assert after["schema_version"].to_pylist() == [schema.VERSION]
    assert after["x"].to_pylist() == [1.5]
    assert table["schema_version"].to_pylist() == [1]
    history = pa.table({"loss": [0.5]})
    assert upgrade("history", history, 1) is history
    with pytest.raises(ValueError, match="version 0 is unknown"):
        upgrade("jobs", table, 0)


def test_a_column_that_a_file_of_this_version_lacks_is_null_where_it_may_be():
    row = {"result_id": "r", "job_id": "j", "epoch": 1, "val_aupr": 0.5, "val_pearson": 0.5}
    content = encode("history", from_rows("history", [row]))
    assert decode("history", content)["val_pearson"].to_pylist() == [0.5]
    table = pq.read_table(pa.BufferReader(content))
    sink = pa.BufferOutputStream()
    pq.write_table(table.drop_columns("val_pearson"), sink)
    found = decode("history", sink.getvalue().to_pybytes())
    assert found["val_pearson"].to_pylist() == [None]
    assert found["val_aupr"].to_pylist() == [0.5]


@pytest.mark.parametrize("table", TABLES)
def test_a_file_of_a_newer_version_is_refused_with_the_remedy(table, tmp_path):
    registry = Registry(tmp_path)
    registry.record(result())
    (file,) = (tmp_path / table).iterdir()
    found = pq.read_table(file, partitioning=None)
    newer = str(schema.VERSION + 1).encode()
    pq.write_table(found.replace_schema_metadata({STAMP: newer}).drop_columns("job_id"), file)
    with pytest.raises(DataError) as error:
        registry.tables()
    one_line(error, file, f"schema {schema.VERSION + 1}", "pip install --upgrade motifidelity")


@pytest.mark.parametrize("network", [False, True], ids=["", "with its network"])
def test_migrating_keeps_every_value_and_adds_digests(network, old):
    origin = stored(old, "jobs")["arrays_of"][0].as_py()
    if network:
        folder = old.folder / "networks" / origin
        folder.mkdir(parents=True)
        (folder / "graph.pb").write_bytes(b"graph")
        (folder / "network.json").write_bytes(b"{}")
    before = old.latest(*TABLES)
    assert audit(old.store).undigested == 1
    assert migrate(old.store) == 1
    after = old.latest(*TABLES)
    for table in TABLES:
        own = [c for c in before[table].column_names if c != "files"]
        assert after[table].select(own).equals(before[table].select(own))
        file = next((old.folder / table).iterdir())
        assert pq.read_schema(file).metadata == {STAMP: str(schema.VERSION).encode()}
    report = audit(old.store)
    assert (report.ok, report.undigested, report.results) == (True, 0, 1)
    paths = {file["path"] for file in after["jobs"]["files"][0].as_py()}
    assert len(paths) == (5 if network else 3)
    assert migrate(old.store) == 0, "a second time there is nothing to do"
    # the files can now be told apart from changed ones
    (scores,) = (old.folder / "scores").iterdir()
    scores.write_bytes(scores.read_bytes()[:-1] + b"?")
    assert [p.kind for p in audit(old.store).problems] == ["changed"]


def test_old_and_new_results_are_read_together_and_packed_together(old):
    old.record(result())
    assert len(old.jobs()) == 2
    before = {name: table.to_pylist() for name, table in old.latest(*TABLES).items()}
    compact(old.store)
    after = {name: table.to_pylist() for name, table in old.latest(*TABLES).items()}
    for name in ("scores", "filters", "history"):
        assert sorted(map(repr, after[name])) == sorted(map(repr, before[name]))
    assert [row["seed"] for row in after["jobs"]] == [row["seed"] for row in before["jobs"]]
    assert set(pd.read_parquet(old.folder / "jobs")["schema_version"]) == {schema.VERSION}


def test_bytes_that_are_no_table_are_refused_whatever_they_are():
    for content in (b"", b"PAR1", b"x" * 1000):
        with pytest.raises((ValueError, OSError, pa.ArrowException)):
            decode("jobs", content)
