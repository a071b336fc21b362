"""Exports, read back with the tools that they are for."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from Bio import SeqIO
from engine_specs import AFFINITY, engine_text

from motifidelity.tasks.dataset import Dataset
from motifidelity.tasks.generate import generate
from motifidelity.tasks.motifs import load_motifs
from motifidelity.tasks.spec import SPLITS, parse_spec
from motifidelity.tasks.writers import FORMATS, STUDY_FILES

PUBLISHED = json.loads(
    (Path(__file__).parent.parent / "data" / "dataset_digests.json").read_text(encoding="utf-8")
)
NAMES = ("motif-classes", "regulatory-code")


def heads(dataset, **sizes):
    """The dataset with its splits cut to the given sizes, 10 where none is given."""
    splits = {name: dataset.splits[name].head(sizes.get(name, 10)) for name in SPLITS}
    return dataclasses.replace(dataset, splits=splits)


@pytest.fixture(scope="module", params=NAMES)
def small(request, datasets):
    return heads(datasets[request.param], train=120, valid=40, test=60)


def export(dataset, kind, folder):
    paths = FORMATS[kind](dataset, folder)
    assert paths
    assert sorted(folder.iterdir()) == sorted(paths)
    return paths


def texts(split):
    return ["".join("ACGT"[code] for code in row) for row in split.sequences]


def fasta_records(dataset, folder):
    paths = export(dataset, "fasta", folder)
    assert [path.name for path in paths] == [f"{dataset.spec.id}.{s}.fasta" for s in SPLITS]
    return {
        split: list(SeqIO.parse(path, "fasta")) for split, path in zip(SPLITS, paths, strict=True)
    }


def test_fasta_holds_every_sequence_once_with_its_classes(small, tmp_path):
    records = fasta_records(small, tmp_path)
    for name, split in small.splits.items():
        assert [str(record.seq) for record in records[name]] == texts(split)
        for record, labels in zip(records[name], split.labels, strict=True):
            classes = [c for c, label in zip(small.spec.classes, labels, strict=True) if label]
            assert record.description == f"{record.id} classes={','.join(classes) or 'none'}"
    ids = [record.id for found in records.values() for record in found]
    assert len(set(ids)) == len(ids) == 220


def test_bed_spans_hold_the_site_of_their_matrix_on_their_strand(small, tmp_path, jaspar):
    (tmp_path / "fasta").mkdir()
    (tmp_path / "bed").mkdir()
    sequences = {
        record.id: record.seq
        for found in fasta_records(small, tmp_path / "fasta").values()
        for record in found
    }
    paths = export(small, "bed", tmp_path / "bed")
    strands = set()
    for split, path in zip(SPLITS, paths, strict=True):
        rows = [line.split("\t") for line in path.read_text().splitlines()]
        assert len(rows) == len(small.splits[split].implants.start)
        for chrom, start, end, matrix, score, strand, bits, factor in rows:
            assert chrom.startswith(split)
            motif = jaspar[matrix]
            assert factor == motif.name
            site = sequences[chrom][int(start) : int(end)]
            site = site if strand == "+" else site.reverse_complement()
            assert len(site) == motif.length
            pssm = motif.counts.normalize().log_odds()
            expected = sum(pssm[letter][column] for column, letter in enumerate(site))
            assert float(bits) == pytest.approx(expected, abs=2e-4)
            assert 0 <= int(score) <= 1000
            assert int(score) == pytest.approx(max(10 * expected, 0), abs=0.51)
            strands.add(strand)
    assert strands == {"+", "-"}


def load_as_the_study_does(path):
    """Its loader, word for word in what it reads: (x, y) of the three splits, and the models."""
    with h5py.File(path, "r") as dataset:
        data = {}
        for split in SPLITS:
            x = np.array(dataset[f"X_{split}"]).astype(np.float32).transpose([0, 2, 1])
            y = np.array(dataset[f"Y_{split}"]).astype(np.float32)
            data[split] = x, y, np.array(dataset[f"model_{split}"]).astype(np.float32)
    return data


@pytest.mark.parametrize("name", NAMES)
def test_h5_read_by_the_study_s_loader_gives_the_published_digests(name, datasets, tmp_path):
    dataset = heads(datasets[name], valid=None)
    (path,) = export(dataset, "h5", tmp_path)
    data = load_as_the_study_does(path)
    x, y, model = data["valid"]
    n = PUBLISHED[name]["valid"]["n"]
    assert x.shape == (n, 200, 4)
    assert model.shape == (n, 4, 200)
    np.testing.assert_array_equal(x.sum(axis=2), 1)
    np.testing.assert_array_equal(np.unique(x), [0, 1])
    np.testing.assert_allclose(model.sum(axis=1), 1, atol=1e-6)
    information = np.log2(4) + np.sum(model * np.log2(model + 1e-10), axis=1)
    found = {
        "n": n,
        "sequences": digest(x.argmax(axis=2)),
        "labels": digest(y),
        "truth": digest(information > 0.01),
    }
    assert found == PUBLISHED[name]["valid"]
    for split in ("train", "test"):
        np.testing.assert_array_equal(
            data[split][0].argmax(axis=2), dataset.splits[split].sequences
        )
        np.testing.assert_array_equal(data[split][1], dataset.splits[split].labels)


def digest(array):
    return hashlib.sha256(array.astype(np.uint8).tobytes()).hexdigest()


def test_h5_model_columns_could_have_drawn_their_letters_and_hold_the_matrices(
    regulatory_code, tmp_path, jaspar
):
    dataset = heads(regulatory_code)
    (path,) = export(dataset, "h5", tmp_path)
    with h5py.File(path, "r") as file:
        model = file["model_test"][...]
    split = dataset.splits["test"]
    drawn = np.take_along_axis(model, split.sequences[:, None, :].astype(int), axis=1)
    assert (drawn > 0).all()
    implants = split.implants
    free = np.ones(split.sequences.shape, bool)
    for i in range(len(implants.start)):
        row, start, end = implants.sequence[i], implants.start[i], implants.end[i]
        motif = jaspar[dataset.implanted[implants.motif[i]].id]
        counts = motif.counts if implants.strand[i] == 1 else motif.counts.reverse_complement()
        expected = [counts.normalize()[letter] for letter in "ACGT"]
        np.testing.assert_allclose(model[row, :, start:end], expected, rtol=1e-12)
        free[row, start:end] = False
    np.testing.assert_array_equal(model.transpose(0, 2, 1)[free], 0.25)


def test_h5_files_have_the_names_that_the_study_s_scripts_open():
    assert STUDY_FILES == {
        "motif-classes": "synthetic_dataset.h5",
        "regulatory-code": "synthetic_code_dataset.h5",
    }


def test_h5_of_more_sequences_than_one_block_is_whole(regulatory_code, tmp_path):
    dataset = heads(regulatory_code, test=1003)
    (path,) = export(dataset, "h5", tmp_path)
    x, _, model = load_as_the_study_does(path)["test"]
    np.testing.assert_array_equal(x.argmax(axis=2), dataset.splits["test"].sequences)
    truth = 2 + np.sum(model * np.log2(model + 1e-10), axis=1) > 0.01
    np.testing.assert_array_equal(truth, dataset.splits["test"].truth)


def test_parquet_holds_sequences_truth_and_classes(small, tmp_path):
    path, _, _ = export(small, "parquet", tmp_path)
    table = pd.read_parquet(path)
    assert len(table) == 220
    for name, split in small.splits.items():
        rows = table[table["split"] == name]
        assert rows["sequence"].tolist() == texts(split)
        truth = np.array([[int(c) for c in text] for text in rows["truth"]])
        np.testing.assert_array_equal(truth, split.truth)
        classes = rows[[f"class_{c}" for c in small.spec.classes]].to_numpy()
        np.testing.assert_array_equal(classes, split.labels)
    assert table["name"].is_unique


def test_parquet_implants_point_into_their_sequences(small, tmp_path, jaspar):
    sequences, implants, _ = (pd.read_parquet(p) for p in export(small, "parquet", tmp_path))
    text = sequences.set_index("name")["sequence"]
    assert set(implants["name"]) == set(text.index)
    assert len(implants) == sum(len(split.implants.start) for split in small.splits.values())
    for row in implants.itertuples():
        motif = jaspar[row.matrix]
        counts = motif.counts if row.strand == "+" else motif.counts.reverse_complement()
        pssm = counts.normalize().log_odds()
        site = text[row.name][row.start : row.end]
        assert row.factor == motif.name
        assert row.log_odds == pytest.approx(
            sum(pssm[letter][column] for column, letter in enumerate(site)), abs=1e-4
        )
        assert row.name.startswith(row.split)


def test_parquet_needs_no_pandas_to_be_typed(small, tmp_path):
    path, implants, sites = export(small, "parquet", tmp_path)
    assert [field.name for field in pq.read_schema(sites)][-1] == "role"
    assert pq.read_schema(path).metadata is None
    types = {field.name: str(field.type) for field in pq.read_schema(implants)}
    assert types["start"] == types["end"] == "int16"
    assert types["log_odds"] == "float"
    assert types["name"] == types["matrix"] == types["strand"] == "string"


def test_parquet_sites_are_the_implants_and_what_arose_by_chance(small, tmp_path):
    texts_of, implants, sites = (pd.read_parquet(p) for p in export(small, "parquet", tmp_path))
    planted = sites[sites["role"] == "implant"].drop(columns="role")
    keys = list(implants.columns)
    pd.testing.assert_frame_equal(
        planted.sort_values(keys[1:6]).reset_index(drop=True),
        implants.sort_values(keys[1:6]).reset_index(drop=True),
        check_exact=False,
        rtol=1e-4,
    )
    chance = sites[sites["role"] == "chance"]
    assert 0 < len(chance) < 0.2 * len(implants) * len(small.spec.pools["core"])
    core = [small.motifs[name] for name in small.spec.pools["core"]]
    assert set(chance["matrix"]) <= {motif.id for motif in core}
    weakest = {}
    for (split, matrix), group in planted.groupby(["split", "matrix"]):
        weakest[split, matrix] = np.percentile(group["log_odds"], 10)
    for row in chance.itertuples():
        assert row.log_odds >= weakest[row.split, row.matrix] - 1e-3
        assert row.end <= len(texts_of["sequence"].iloc[0])


def test_the_values_of_a_regression_are_written_as_such(spec_texts, tmp_path):
    spec = parse_spec(engine_text(spec_texts["motif-classes@2"], AFFINITY), draft=True)
    motifs = load_motifs(spec.motifs)
    dataset = Dataset(spec, generate(spec, motifs), motifs)
    values = dataset.splits["test"].labels[:, 0]
    (tmp_path / "fasta").mkdir()
    *_, test = FORMATS["fasta"](dataset, tmp_path / "fasta")
    told = [record.description.partition(" activity=")[2] for record in SeqIO.parse(test, "fasta")]
    np.testing.assert_allclose([float(text) for text in told], values, rtol=1e-5)
    (tmp_path / "parquet").mkdir()
    paths = FORMATS["parquet"](dataset, tmp_path / "parquet")
    (rows,) = (pq.read_table(path).to_pandas() for path in paths if "sequences" in path.name)
    np.testing.assert_array_equal(rows[rows["split"] == "test"]["value_activity"], values)
