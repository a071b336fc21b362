"""The recipes of docs/results.md: pandas, DuckDB and Polars average what counts, and no mix."""

from __future__ import annotations

import itertools
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
import registry_rows as rr
from blocks import ROOT, blocks

from motifidelity.registry import Registry, Result
from motifidelity.summary.query import results
from motifidelity.summary.runs import RUN_KEY

KEY = [*RUN_KEY, "metric", "definition", "method"]
RECIPES = [
    block.text
    for block in blocks(ROOT / "docs" / "results.md")
    if block.tag == "python" and "means =" in block.text
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Trials run again, infrastructure errors after results, versions, undefined values."""
    folder = tmp_path_factory.mktemp("recipes")
    registry = Registry(folder / "results")
    rng = np.random.default_rng(3)
    runs = itertools.product(
        ("motif-classes@1", "regulatory-code@1"),
        ("full", "quick"),
        ("a", "b"),
        ("none", "container"),
    )
    for number, (task, profile, digest, isolation) in enumerate(runs):
        for trial, hour in itertools.product(range(3), range(3)):
            status = ("ok", "ok", "infra_error")[hour] if trial else ("ok", "oom", "ok")[hour]
            job = {"task": task, "profile": profile, "isolation": isolation, "model": "M"}
            job |= {"model_digest": digest, "trial": trial, "seed": trial, "division": "closed"}
            job |= {"started": rr.STARTED + timedelta(hours=hour), "status": status}
            job_id = f"{number:08d}{trial:08d}{hour if trial == 2 else 0:08d}"
            scores = [
                rr.row(
                    "scores", full=False, metric=metric, method=method, target=target, value=value
                )
                for metric, method, target, value in (
                    ("auroc", None, None, rng.random()),
                    ("auroc", None, "MAX", 100.0),
                    ("attribution_auroc", "saliency", None, rng.random()),
                    ("attribution_auroc", "ism", None, rng.random() if trial else float("nan")),
                )
            ]
            row = {**rr.row("jobs", full=False, **job), "job_id": job_id}
            registry.record(Result(row, scores if status == "ok" else []))
    return folder


@pytest.mark.parametrize("recipe", RECIPES, ids=["pandas", "duckdb", "polars"])
def test_a_recipe_gives_the_means_of_the_library(folder, recipe, monkeypatch):
    monkeypatch.chdir(folder)
    given = {}
    exec(recipe, given)
    found = given["means"]
    found = found.to_pandas() if hasattr(found, "to_pandas") else found
    found = found.reset_index() if set(KEY) - set(found.columns) else found
    expected = results("results").dropna(subset="metric")
    assert len(expected) == 2 * 2 * 2 * 2 * 3
    columns = ["mean", "std", "count"]
    one, other = (
        frame.fillna({"method": ""}).astype(dict.fromkeys(KEY, str)).set_index(KEY)[columns]
        for frame in (found, expected.rename(columns={"sd": "std", "done": "count"}))
    )
    pd.testing.assert_frame_equal(
        one.sort_index(), other.sort_index().loc[one.sort_index().index], check_dtype=False
    )
    assert len(one) == len(other)
