"""One ranking: the page draws what ``bench results rank`` prints."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from motifidelity.leaderboard.site import gather
from motifidelity.leaderboard.standings import standings
from motifidelity.metrics.declare import all_metrics
from motifidelity.registry import Registry
from motifidelity.summary.query import Query
from motifidelity.summary.ranks import compare, rank, ranking_score

BASELINES = Path(__file__).parents[2] / "baselines"
COLUMNS = ["task", "division", "label", "rank", "rank_low", "rank_high", "group"]


@pytest.fixture(scope="module")
def baselines():
    return Registry(BASELINES)


def test_page_and_command_rank_the_committed_baselines_alike_row_by_row(baselines):
    material = gather(baselines.tables(), all_metrics())
    page = standings(material)
    page = page[page["group"] != ""]
    named = page["model"] + " activation=" + page["activation"] + " " + page["beside"]
    page = page.assign(label=named.str.strip())
    parts = []
    for (task, division), board in page.groupby(["task", "division"]):
        metric, method = ranking_score(task, material.stats, board["run"])
        asked = {"metric": (metric,), "method": (method or "none",), "division": (division,)}
        parts.append(rank(baselines, Query(task=(task,), **asked)))
    printed = pd.concat(parts, ignore_index=True)
    assert len(printed) == len(page) > 70
    assert set(printed[printed["rank"].isna()]["group"]) == {"provisional"}
    one, other = (
        frame[COLUMNS].sort_values(COLUMNS[:3]).reset_index(drop=True) for frame in (page, printed)
    )
    pd.testing.assert_frame_equal(one, other, check_dtype=False)


def test_letters_ranks_and_comparisons_of_the_committed_baselines_are_of_one_layout(baselines):
    about = Query(task=("regulatory-code@1",), metric=("attribution_auroc",), method=("saliency",))
    [_] = rank(baselines, about)["division"].unique()
    ranked = rank(baselines, about).dropna(subset="rank").set_index("label")
    pairs = compare(baselines, about)
    tested = pairs[pairs["test"] != "none"]
    assert len(tested) == math.comb(len(ranked), 2) > 30
    better = dict.fromkeys(ranked.index, 0)
    for pair in tested.to_dict("records"):
        one, other = pair["first"], pair["second"]
        shared = set(ranked["group"][one]) & set(ranked["group"][other])
        assert pair["told"] == (not shared) == (pair["low"] > 0 or pair["high"] < 0)
        if pair["told"]:
            better[other if pair["difference"] > 0 else one] += 1
    assert (ranked["rank_low"] == 1 + pd.Series(better)[ranked.index]).all()


def test_what_does_not_compete_is_compared_only_where_it_is_named(baselines):
    about = {"task": ("motif-classes@2",), "metric": ("match_fraction",)}
    assert rank(baselines, Query(division=("open", "reference"), **about)).empty
    assert compare(baselines, Query(division=("open",), **about)).empty
    found = compare(baselines, Query(model=("Untrained",), **about))
    assert found["first"].str.startswith("Untrained").all()
    assert len(found) == 1
