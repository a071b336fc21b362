"""The registry: what is recorded is there as a whole, and every reader understands it."""

from __future__ import annotations

import errno
import importlib.util
import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
from registry_rows import STARTED, TABLES, failure, one_line, result

from motifidelity.errors import DataError, UserError
from motifidelity.files import file_digest
from motifidelity.registry import Registry, Result, schema
from motifidelity.registry.disk import LocalStore


@pytest.fixture
def registry(tmp_path):
    return Registry(tmp_path / "registry")


def test_an_empty_registry_has_every_table_and_no_row(registry):
    tables = registry.tables()
    for name in TABLES:
        assert list(getattr(tables, name).columns) == schema.TABLES[name].names
        assert len(getattr(tables, name)) == 0


def test_every_table_comes_back_as_it_was_recorded(registry):
    recorded = result()
    result_id = registry.record(recorded)
    tables = registry.tables()
    for name in TABLES:
        expected = [recorded.job] if name == "jobs" else getattr(recorded, name)
        found = getattr(tables, name).to_dict("records")
        assert len(found) == len(expected)
        for given, back in zip(expected, found, strict=True):
            assert back.pop("result_id") == result_id
            assert back.pop("job_id") == recorded.job["job_id"]
            if name == "jobs":
                assert back.pop("schema_version") == schema.VERSION
                assert len(back.pop("files")) == 3
            assert set(back) == set(given) - {"job_id"}
            for column, value in back.items():
                assert_same(value, given[column])


def test_the_layer_of_the_filters_is_read_from_the_frozen_network(registry, tmp_path):
    manifest = tmp_path / "network.json"
    manifest.write_text(json.dumps({"scan": {"after": "network/m/branch/Relu:0"}}))
    named = registry.record(Result(result().job, files=[manifest]))
    assert registry.scan_name(named) == "network/m/branch/Relu"
    manifest.write_text(json.dumps({"scan": None}))
    assert registry.scan_name(registry.record(Result(result().job, files=[manifest]))) is None
    assert registry.scan_name(registry.record(result())) is None
    for damage in ("{", "[]", '{"scan": 3}'):
        (registry.folder / "networks" / named / "network.json").write_text(damage)
        with pytest.raises(DataError, match=r"network\.json: damaged"):
            registry.scan_name(named)


def assert_same(back, given):
    if isinstance(given, list):
        assert list(back) == given
    elif given is None or given != given:
        assert pd.isna(back)
    else:
        assert back == given


def test_every_file_on_disk_has_the_explicit_schema(registry):
    registry.record(result())
    registry.record(failure("b" * 24))
    for name in TABLES:
        files = list((registry.folder / name).iterdir())
        assert len(files) == (2 if name == "jobs" else 1)
        for file in files:
            found = pq.read_schema(file)
            assert found.equals(schema.TABLES[name])
            assert [f.nullable for f in found] == [f.nullable for f in schema.TABLES[name]]
            # its version, and no hint for pandas, which would be inferred types
            assert found.metadata == {b"motifidelity_schema": str(schema.VERSION).encode()}


def test_types_do_not_depend_on_what_came_first():
    types = {name: {f.name: str(f.type) for f in schema.TABLES[name]} for name in TABLES}
    assert types["jobs"]["started"] == "timestamp[ms, tz=UTC]"
    assert types["jobs"]["seed"] == "int64"
    assert types["scores"]["value"] == "double"
    assert types["filters"]["ppm"].startswith("list<")
    for name in TABLES:
        assert types[name]["result_id"] == types[name]["job_id"] == "string"
        assert not schema.TABLES[name].field("result_id").nullable


def test_pandas_and_arrow_read_the_folders_without_this_package(registry):
    ids = {registry.record(result(letter * 24)) for letter in "abc"}
    for name in TABLES:
        folder = registry.folder / name
        assert set(pd.read_parquet(folder)["result_id"]) == ids
        table = pa.dataset.dataset(folder, format="parquet").to_table()
        assert set(table["result_id"].to_pylist()) == ids
        assert table.schema.names == schema.TABLES[name].names


@pytest.mark.skipif(not importlib.util.find_spec("duckdb"), reason="duckdb is not installed")
def test_duckdb_joins_scores_with_jobs(registry):
    import duckdb

    registry.record(result(value=0.75))
    found = duckdb.sql(
        f"select job.status, score.value from '{registry.folder}/scores/*.parquet' score "
        f"join '{registry.folder}/jobs/*.parquet' job using (result_id) where metric = 'auroc'"
    )
    assert found.fetchall() == [("ok", 0.75)]


@pytest.mark.skipif(not importlib.util.find_spec("polars"), reason="polars is not installed")
def test_polars_reads_every_table(registry):
    import polars

    result_id = registry.record(result())
    for name in TABLES:
        table = polars.read_parquet(registry.folder / name / "*.parquet")
        assert table["result_id"].unique().to_list() == [result_id]


def test_a_failure_is_a_row_with_its_message(registry):
    registry.record(failure("b" * 24))
    (found,) = registry.jobs().to_dict("records")
    assert (found["status"], found["message"]) == ("model_error", "CNN: it failed")
    assert found["traceback"] == "line\nline"
    assert len(registry.tables().scores) == 0


@pytest.mark.parametrize("latest_first", [False, True])
def test_the_latest_result_of_a_job_counts(latest_first, registry):
    times = [STARTED, STARTED + timedelta(microseconds=1), STARTED + timedelta(days=400)]
    values = [0.1, 0.2, 0.3]
    pairs = list(zip(times, values, strict=True))
    for when, value in pairs[::-1] if latest_first else pairs:
        registry.record(result(value=value), when=when)
    registry.record(result("b" * 24, value=0.9), when=STARTED)
    tables = registry.tables()
    assert sorted(tables.jobs["job_id"]) == ["a" * 24, "b" * 24]
    auroc = tables.scores[tables.scores["metric"] == "auroc"].set_index("job_id")["value"]
    assert auroc.to_dict() == {"a" * 24: 0.3, "b" * 24: 0.9}
    for name in ("scores", "filters", "history"):
        assert set(getattr(tables, name)["result_id"]) == set(tables.jobs["result_id"])
    assert len(list((registry.folder / "jobs").iterdir())) == 4, "nothing is ever removed"


def test_a_success_after_a_failure_counts(registry):
    registry.record(failure("a" * 24, "infra_error"), when=STARTED)
    registry.record(result(), when=STARTED + timedelta(seconds=1))
    assert registry.jobs()["status"].tolist() == ["ok"]


@pytest.mark.parametrize("read", [lambda r: r.jobs(), lambda r: r.readable().tables.jobs])
def test_an_infrastructure_error_never_hides_another_verdict_of_the_same_job(registry, read):
    later = STARTED + timedelta(seconds=1)
    registry.record(result(), when=STARTED)
    registry.record(failure("b" * 24, "timeout"), when=STARTED)
    registry.record(failure("c" * 24, "infra_error"), when=STARTED)
    for name in ("a", "b", "c"):
        registry.record(failure(name * 24, "infra_error"), when=later)
    rows = read(registry).set_index("job_id")
    assert rows["status"].to_dict() == {
        "a" * 24: "ok",
        "b" * 24: "timeout",
        "c" * 24: "infra_error",
    }


def test_two_results_of_one_instant_do_not_collide(registry):
    ids = {registry.record(result(), when=STARTED) for _ in range(20)}
    assert len(ids) == 20
    assert len(registry.jobs()) == 1


def files_of(registry):
    if not registry.folder.exists():
        return []
    return [p for p in registry.folder.rglob("*") if p.is_file() and p.suffix != ".tmp"]


def assert_nothing_counts(registry):
    tables = registry.tables()
    for name in TABLES:
        assert len(getattr(tables, name)) == 0
    for name in TABLES:
        folder = registry.folder / name
        if folder.is_dir() and list(folder.glob("*.parquet")):
            pd.read_parquet(folder)
            pa.dataset.dataset(folder, format="parquet").to_table()


# every file of a result with a network, arrays and all tables, in the order of writing
STEPS = ("networks/", "arrays/", "scores/", "filters/", "history/", "manifest/.", "jobs/")


@pytest.fixture
def whole(tmp_path):
    """A result with every kind of file."""
    files = [tmp_path / "graph.pb", tmp_path / "network.json"]
    for file in files:
        file.write_bytes(b"content")
    return result(files=files, arrays={"logits": np.zeros(3)})


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
@pytest.mark.parametrize("step", STEPS)
def test_an_error_at_any_step_leaves_no_job_and_no_file(
    step, error, late, registry, whole, monkeypatch
):
    real = LocalStore.write

    def write(self, path, content):
        if late or not path.startswith(step):
            real(self, path, content)
        if path.startswith(step):
            raise error

    monkeypatch.setattr(LocalStore, "write", write)
    with pytest.raises((DataError, KeyboardInterrupt)) as told:
        registry.record(whole)
    if isinstance(error, OSError):
        one_line(told, registry.folder, "No space left", "finished jobs are kept")
    assert_nothing_counts(registry)
    assert not [p for p in registry.folder.rglob("*") if p.is_file()]
    monkeypatch.undo()
    registry.record(result())
    assert len(registry.jobs()) == 1


def test_an_error_after_the_row_is_written_keeps_the_result(registry, whole, monkeypatch):
    def promote(self, source, target, content):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(LocalStore, "promote", promote)
    result_id = registry.record(whole)
    assert registry.jobs()["result_id"].tolist() == [result_id]
    assert len(registry.tables().scores) == 2


def truncated(path):
    path.write_bytes(path.read_bytes()[:-20])


def emptied(path):
    path.write_bytes(b"")


def garbled(path):
    path.write_bytes(b"not Parquet\n" * 50)


def foreign(path):
    pq.write_table(pa.table({"a": [1], "b": ["x"]}), path)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("damage", [truncated, emptied, garbled, foreign])
def test_a_damaged_file_is_named_in_one_line(damage, table, registry):
    registry.record(result("a" * 24))
    (file,) = (registry.folder / table).iterdir()
    registry.record(result("b" * 24))
    damage(file)
    with pytest.raises(DataError) as error:
        registry.tables()
    one_line(error, file)


@pytest.mark.parametrize("table", TABLES)
def test_moving_away_what_the_line_names_makes_its_job_run_anew_and_keeps_the_rest(
    table, registry, tmp_path
):
    registry.record(result("a" * 24))
    (file,) = (registry.folder / table).iterdir()
    registry.record(result("b" * 24))
    truncated(file)
    with pytest.raises(DataError) as error:
        registry.tables()
    named = re.findall(rf"{re.escape(str(registry.folder))}\S*?\.parquet", str(error.value))
    for number, path in enumerate(dict.fromkeys(named)):
        Path(path).rename(tmp_path / f"away{number}")
    tables = registry.tables()
    # a job that is still listed as ok is never run again
    assert tables.jobs["job_id"].tolist() == ["b" * 24]
    assert set(tables.scores["job_id"]) == {"b" * 24}


def test_a_folder_in_place_of_a_table_file_is_no_result(registry):
    registry.record(result())
    inner = registry.folder / "jobs" / "folder.parquet" / "inner.parquet"
    inner.parent.mkdir()
    inner.write_bytes(b"")
    assert len(registry.tables().jobs) == 1


def test_a_file_that_may_not_be_read_is_named(registry, monkeypatch):
    result_id = registry.record(result())
    path = registry.folder / "jobs" / f"{result_id}.parquet"

    def read(self, path):
        raise PermissionError(errno.EACCES, "Permission denied", str(self.folder / path))

    monkeypatch.setattr(LocalStore, "read", read)
    with pytest.raises(DataError) as error:
        registry.jobs()
    one_line(error, path, "Permission denied", "right to read")


def test_an_id_that_leads_outside_is_refused(registry):
    registry.record(result())
    for result_id in ("../outside", "..", "a/b", ""):
        for method in (registry.arrays, registry.network, registry.has_arrays):
            with pytest.raises(DataError, match="not a result's id"):
                method(result_id)
    with pytest.raises(DataError, match="not a result's id"):
        registry.record(result("b" * 24, arrays_of="../outside"))
    assert len(registry.jobs()) == 1


def test_a_later_scoring_states_the_files_that_it_used(registry, tmp_path):
    graph = tmp_path / "graph.pb"
    graph.write_bytes(b"graph")
    origin = registry.record(result(files=[graph], arrays=ARRAYS))
    used = {f"networks/{origin}/graph.pb", f"arrays/{origin}.npz"}
    for remove in (False, True):
        if remove:  # the digests outlive the row that first stated them
            (registry.folder / "jobs" / f"{origin}.parquet").unlink()
        name = registry.record(result(arrays_of=origin))
        files = registry.latest("jobs")["jobs"]["files"].to_pylist()[0]
        stated = {f["path"]: f["sha256"] for f in files if name not in f["path"]}
        assert stated == {path: file_digest(registry.folder / path) for path in used}


def test_a_file_in_place_of_the_registry_gives_one_line_before_anything_is_trained(tmp_path):
    registry = Registry(tmp_path / "registry")
    (tmp_path / "registry").write_bytes(b"")
    with pytest.raises(UserError, match="a file stands there"):
        Registry(tmp_path / "registry" / "below")
    with pytest.raises(DataError) as error:
        registry.prepare()
    one_line(error, registry.folder, "cannot be written", "--registry")
    with pytest.raises(DataError) as error:
        registry.record(result())
    one_line(error, registry.folder)


def test_a_registry_that_cannot_be_written_can_still_be_read(small_disk):
    disk = small_disk("size=4m")
    registry = Registry(disk / "registry")
    registry.record(result())
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(DataError) as error:
        registry.prepare()
    one_line(error, registry.folder, "Read-only", "--registry")
    with pytest.raises(DataError) as error:
        registry.record(result("b" * 24))
    one_line(error, registry.folder, "Read-only")
    assert len(registry.tables().scores) == 2


def test_prepare_makes_the_folder_and_leaves_nothing_in_it(registry):
    registry.prepare()
    assert list(registry.folder.iterdir()) == []
    registry.record(result())
    registry.prepare()
    assert len(registry.jobs()) == 1


def test_a_full_disk_keeps_earlier_results_and_a_retry_with_space_succeeds(small_disk):
    disk = small_disk("size=512k")
    registry = Registry(disk / "registry")
    registry.record(result("a" * 24))
    before = sorted(files_of(registry))
    noise = np.random.default_rng(0).random(200_000)
    with pytest.raises(DataError) as error:
        registry.record(result("b" * 24, arrays={"maps": noise}))
    one_line(error, registry.folder, "No space left", "free some space")
    assert registry.jobs()["job_id"].tolist() == ["a" * 24]
    assert sorted(files_of(registry)) == before
    registry.record(result("b" * 24, arrays={"maps": noise[:100]}))
    assert sorted(registry.jobs()["job_id"]) == ["a" * 24, "b" * 24]
    assert len(registry.tables().scores) == 4


ARRAYS = {
    "logits": np.linspace(-1, 1, 12, dtype="<f4").reshape(4, 3),
    "top_sites": np.arange(-1, 29, dtype="<i4").reshape(3, 5, 2),
    "above_half_max": np.arange(16, dtype="u1").reshape(2, 8, 1),
    "none": np.zeros((0, 4), "<f8"),
}


def test_arrays_come_back_alike_and_hold_no_pickle(registry):
    result_id = registry.record(result(arrays=ARRAYS))
    assert registry.has_arrays(result_id)
    found = registry.arrays(result_id)
    assert set(found) == set(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array, strict=True)
    with np.load(registry.folder / "arrays" / f"{result_id}.npz", allow_pickle=False) as stored:
        assert set(stored.files) == set(ARRAYS)


def test_objects_are_never_pickled_into_the_registry(registry):
    with pytest.raises((ValueError, DataError)):
        registry.record(result(arrays={"objects": np.array([{"a": 1}], dtype=object)}))
    assert not files_of(registry)


def test_a_pickle_in_place_of_arrays_is_never_opened(registry, tmp_path):
    marker = tmp_path / "executed"

    class Payload:
        def __reduce__(self):
            return Path.touch, (marker,)

    result_id = registry.record(result(arrays=ARRAYS))
    np.savez(registry.folder / "arrays" / f"{result_id}.npz", logits=np.array([Payload()]))
    with pytest.raises(DataError) as error:
        registry.arrays(result_id)
    one_line(error, f"{result_id}.npz")
    assert not marker.exists()


def test_arrays_that_were_not_kept_are_named(registry):
    result_id = registry.record(result())
    assert not registry.has_arrays(result_id)
    with pytest.raises(DataError) as error:
        registry.arrays(result_id)
    one_line(error, f"{result_id}.npz", "--force")


def test_a_flipped_bit_in_arrays_is_seen_wherever_it_is(registry):
    values = np.random.default_rng(1).integers(0, 9, 300, dtype="<i4")
    result_id = registry.record(result(arrays={"values": values}))
    path = registry.folder / "arrays" / f"{result_id}.npz"
    content = path.read_bytes()
    refused = 0
    for place in range(0, len(content), 3):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        try:
            found = registry.arrays(result_id)
        except DataError:
            refused += 1
        else:
            # dates and the like may change; values never
            for array in found.values():
                np.testing.assert_array_equal(array, values)
    assert refused > len(content) / 3 / 2


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9])
def test_truncated_arrays_are_named(keep, registry):
    result_id = registry.record(result(arrays=ARRAYS))
    path = registry.folder / "arrays" / f"{result_id}.npz"
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    with pytest.raises(DataError) as error:
        registry.arrays(result_id)
    one_line(error, path, "--force")


def test_files_of_the_network_are_copied_and_found_by_name(registry, tmp_path):
    files = [tmp_path / "graph.pb", tmp_path / "network.json"]
    for file in files:
        file.write_bytes(file.name.encode())
    result_id = registry.record(result(files=files))
    for file in files:
        file.unlink()
    network = registry.network(result_id)
    assert {name: path.read_bytes() for name, path in network.items()} == {
        "graph": b"graph.pb",
        "network": b"network.json",
    }
    assert registry.network("unknown") is None


def test_a_network_without_its_graph_is_not_one(registry, tmp_path):
    (tmp_path / "network.json").write_bytes(b"{}")
    result_id = registry.record(result(files=[tmp_path / "network.json"]))
    assert registry.network(result_id) is None


def test_parameters_are_stored_as_json_text(registry):
    params = {"activation": "relu", "width": 19}
    recorded = result()
    job = {**recorded.job, "params": json.dumps(params)}
    registry.record(Result(job, recorded.scores))
    assert json.loads(registry.jobs()["params"][0]) == params


def test_a_reader_in_a_fresh_process_needs_nothing_imported_before(registry):
    registry.record(result())
    code = (
        "import sys; from pathlib import Path\n"
        "from motifidelity.registry import Registry\n"
        "print(len(Registry(Path(sys.argv[1])).tables().scores))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(registry.folder)], capture_output=True, text=True
    )
    assert done.stdout == "2\n", done.stderr
