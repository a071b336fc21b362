"""Exports say what the registry says, in formats that need no knowledge of it."""

from __future__ import annotations

import csv
import json

import pandas as pd
import pytest
from registry_rows import TABLES, failure, one_line, result

from motifidelity.errors import DataError
from motifidelity.registry import Registry, schema
from motifidelity.registry.export import FORMATS, export_tables


@pytest.fixture
def tables(tmp_path):
    registry = Registry(tmp_path / "registry")
    registry.record(result(warnings=['a "quoted", line\nand another', "ü"]))
    registry.record(failure("b" * 24))
    return registry.latest(*TABLES)


@pytest.fixture
def written(tables, tmp_path):
    paths = export_tables(tables, list(FORMATS), tmp_path / "out")
    assert sorted(p.name for p in paths) == sorted(f"{t}.{f}" for t in TABLES for f in FORMATS)
    return tmp_path / "out"


def test_parquet_is_the_table_itself(written, tables):
    for name in TABLES:
        back = pd.read_parquet(written / f"{name}.parquet")
        pd.testing.assert_frame_equal(back, tables[name].to_pandas())


def test_csv_has_every_row_and_column_and_lists_as_json(written, tables):
    for name in TABLES:
        with (written / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == tables[name].num_rows
        assert list(rows[0]) == schema.TABLES[name].names
        if name == "jobs":
            assert json.loads(rows[0]["warnings"]) == ['a "quoted", line\nand another', "ü"]
            assert len(json.loads(rows[0]["files"])) == 3
            assert rows[0]["started"] == "2025-03-01T12:30:15.250Z"
            assert rows[1]["authors"] == ""
    scores = pd.read_csv(written / "scores.csv")
    assert scores["value"].dropna().tolist() == [0.75]


def test_json_is_valid_everywhere_with_null_for_what_is_no_number(written, tables):
    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    for name in TABLES:
        text = (written / f"{name}.json").read_text(encoding="utf-8")
        rows = json.loads(text, parse_constant=refuse)
        assert len(rows) == tables[name].num_rows
        assert list(rows[0]) == schema.TABLES[name].names
        if name == "scores":
            assert [row["value"] for row in rows] == [0.75, None]
        if name == "filters":
            assert rows[0]["ppm"] == [0.25, 0.5]


def test_an_empty_registry_exports_empty_tables(tmp_path):
    tables = Registry(tmp_path / "none").latest(*TABLES)
    export_tables(tables, list(FORMATS), tmp_path)
    assert json.loads((tmp_path / "scores.json").read_text()) == []
    assert (tmp_path / "scores.csv").read_text().count("\n") == 1


def test_a_folder_that_cannot_be_written_is_named(tables, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError) as error:
        export_tables(tables, ["csv"], tmp_path / "file" / "out")
    one_line(error, tmp_path / "file" / "out", "--out")
