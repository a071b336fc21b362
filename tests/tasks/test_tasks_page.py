"""The page of the tasks says what the tasks are, and its example is what the export holds."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from motifidelity.registry import Registry
from motifidelity.tasks.dataset import load_dataset
from motifidelity.tasks.spec import SPLITS, find_spec
from motifidelity.tasks.writers import FORMATS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")
EXAMPLE = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)[-1].splitlines()


@pytest.fixture(scope="module")
def exported(cache_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    FORMATS["parquet"](load_dataset(find_spec("motif-classes")), folder)
    return folder


def test_the_example_is_what_the_export_holds(exported):
    sites = pd.read_parquet(exported / "motif-classes@2.sites.parquet")
    name = EXAMPLE[1].split()[0]
    mine = sites[sites["name"] == name].drop(columns="split")
    assert EXAMPLE[0].split() == list(mine.columns)
    shown = [line.split() for line in EXAMPLE[1:-1]]
    assert len(shown) == len(mine)
    for line, row in zip(shown, mine.itertuples(index=False), strict=True):
        assert line[:6] + line[7:] == [str(value) for value in (*row[:6], row[7])]
        assert_allclose(float(line[6]), row[6], atol=1e-5)
    made = pd.read_parquet(exported / "motif-classes@2.sequences.parquet").set_index("name")
    start, end = map(int, re.findall(r"\[(\d+):(\d+)\]", PAGE)[0])
    assert made.loc[name, "sequence"][start:end] == EXAMPLE[-1]
    assert (start, end) in set(zip(mine["start"], mine["end"], strict=True))


def test_chance_sites_are_as_many_as_the_page_says(exported):
    sites = pd.read_parquet(exported / "motif-classes@2.sites.parquet")
    test = sites[sites["split"] == "test"]
    found = re.search(r"has ([\d,]+) implants and ([\d,]+) chance sites", PAGE)
    counts = [int(number.replace(",", "")) for number in found.groups()]
    assert counts == [(test["role"] == role).sum() for role in ("implant", "chance")]


def test_negatives_that_hold_core_motifs_are_as_many_as_the_page_says(datasets):
    dataset = datasets["regulatory-code"]
    core = len(dataset.spec.pools["core"])
    shares, only_core, negatives = [], 0, 0
    for name in SPLITS:
        split = dataset.splits[name]
        rows, motifs = split.implants.sequence, split.implants.motif
        held = np.zeros((2, len(split.labels)), bool)
        held[0, rows[motifs < core]] = True
        held[1, rows[motifs >= core]] = True
        negative = split.labels[:, 0] == 0
        shares.append(f"{100 * held[0, negative].mean():.1f} %")
        only_core += int((~held[1, negative]).sum())
        negatives += int(negative.sum())
    assert f"train {shares[0]}, validation {shares[1]}, test {shares[2]}" in PAGE
    assert f"{only_core} of {negatives:,} hold nothing else" in PAGE


def test_the_look_alikes_that_the_page_names_are_in_the_background_pool(datasets):
    dataset = datasets["regulatory-code"]
    found = re.search(r"(\d+) look-alikes .*? \(([^)]*)\)", PAGE)
    names = found[2].split(", ")
    assert len(names) == int(found[1])
    assert set(names) <= {dataset.motifs[i].name for i in dataset.spec.pools["background"]}


def test_the_oracle_is_as_good_as_the_page_says():
    tables = Registry(ROOT / "baselines").tables()
    scores = tables.scores.merge(tables.jobs[["result_id", "task", "model"]])
    oracle = scores[
        (scores["model"] == "Oracle") & (scores["metric"] == "auroc") & scores["target"].isna()
    ].set_index("task")["value"]
    assert f"the oracle's AUROC is {oracle['regulatory-code@1']:.3f} and not 1" in PAGE
    assert f"AUROC on `motif-classes` is {oracle['motif-classes@1']:.3f}" in PAGE
