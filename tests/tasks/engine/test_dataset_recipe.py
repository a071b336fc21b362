"""A specification's table [engine]: what it draws, and what is wrong with one."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from engine_specs import AFFINITY, NUMBER, POOLS, RULES, engine_text

from motifidelity.errors import UserError
from motifidelity.runs.answerable import refuse_unanswerable
from motifidelity.tasks import dataset as datasets_module
from motifidelity.tasks.dataset import array_digests, load_dataset
from motifidelity.tasks.engine.dataset_recipe import Matrices, read_recipe
from motifidelity.tasks.engine.sites import KINDS
from motifidelity.tasks.fresh import fresh_dataset
from motifidelity.tasks.generate import column_information, generate, motif_ids
from motifidelity.tasks.lock import lock
from motifidelity.tasks.motifs import load_motifs
from motifidelity.tasks.spec import parse_spec, read_spec

ALL = (RULES, NUMBER, AFFINITY)


@pytest.fixture(scope="module")
def specs(spec_texts):
    return {
        engine: parse_spec(engine_text(spec_texts["motif-classes@2"], engine), draft=True)
        for engine in ALL
    }


@pytest.fixture(scope="module")
def motifs(specs):
    return load_motifs(specs[RULES].motifs)


@pytest.fixture(scope="module")
def drawn(specs, motifs):
    return {engine: generate(spec, motifs) for engine, spec in specs.items()}


def recipe_of(engine, change=lambda table: None):
    table = tomllib.loads(engine)["engine"]
    change(table)
    return read_recipe(table, POOLS[engine])


@pytest.mark.parametrize("engine", ALL, ids=("rules", "number", "affinity"))
def test_splits_have_their_shares_and_extra_sets_follow(engine, specs, drawn):
    sizes = {name: len(split.sequences) for name, split in drawn[engine].items()}
    extras = {"gc-65": 60, "outer-sites": 60, "decoys": 20} if engine == NUMBER else {}
    assert sizes == {"train": 280, "valid": 40, "test": 80, **extras}
    assert specs[engine].sets == tuple(sizes)


@pytest.mark.parametrize("engine", ALL, ids=("rules", "number", "affinity"))
def test_a_seed_gives_the_same_data_again_and_another_gives_others(engine, specs, motifs, drawn):
    again = generate(specs[engine], motifs)
    assert {n: array_digests(s) for n, s in again.items()} == {
        n: array_digests(s) for n, s in drawn[engine].items()
    }
    other = fresh_dataset(specs[engine], 99).splits
    for name, split in other.items():
        assert (split.sequences != drawn[engine][name].sequences).mean() > 0.6


@pytest.mark.parametrize("engine", ALL, ids=("rules", "number", "affinity"))
def test_truth_is_where_a_true_site_s_column_says_something(engine, specs, motifs, drawn):
    ids = motif_ids(specs[engine])
    for split in drawn[engine].values():
        truth = np.zeros_like(split.truth)
        sites = split.implants
        for row, motif, strand, start, end in zip(
            sites.sequence, sites.motif, sites.strand, sites.start, sites.end, strict=True
        ):
            told = column_information(motifs[ids[motif]].ppm) > 0.01
            truth[row, start:end] |= told[::strand].astype(np.uint8)
        assert (split.truth == truth).all()


def test_negatives_have_decoys_of_one_kind_and_no_site(drawn):
    for name in ("train", "gc-65", "outer-sites"):
        split = drawn[NUMBER][name]
        positive = split.labels[:, 0] == 1
        assert positive.mean() == pytest.approx(0.5, abs=0.15)
        assert set(split.implants.sequence) == set(np.flatnonzero(positive))
        assert set(split.decoys.sequence) == set(np.flatnonzero(~positive))
        for row in np.flatnonzero(~positive):
            kinds = set(split.decoys.kind[split.decoys.sequence == row])
            assert len(kinds) == 1
        relative = split.decoys.motif >= len(POOLS[NUMBER]["core"])
        assert (relative == (split.decoys.kind == KINDS.index("look-alike"))).all()


def test_extra_sets_are_what_they_are_named_for(drawn):
    strong = {
        name: ((split.sequences == 1) | (split.sequences == 2)).mean()
        for name, split in drawn[NUMBER].items()
    }
    assert strong["gc-65"] - strong["test"] > 0.1
    outer = drawn[NUMBER]["outer-sites"]
    for sites in (outer.implants, outer.decoys):
        assert ((sites.end <= 20) | (sites.start >= 180)).all()
        assert (np.bincount(sites.sequence, minlength=60)[np.unique(sites.sequence)] == 2).all()
    mixed = drawn[NUMBER]["decoys"]
    assert (mixed.labels == 1).all()
    assert (np.bincount(mixed.implants.sequence) == 2).all()
    for row in range(20):
        assert sorted(mixed.decoys.kind[mixed.decoys.sequence == row]) == [1, 2, 3]


def test_a_regression_s_labels_are_the_exact_function_and_noise(specs, motifs, drawn):
    spec = specs[AFFINITY]
    ids = motif_ids(spec)
    matrices = Matrices(ids, tuple(motifs[name].ppm for name in ids))
    contents = spec.grammar.contents
    split = drawn[AFFINITY]["train"]
    assert split.labels.dtype == np.float32
    exact = contents.exact(matrices, split.sequences)
    by_hand = (contents.function(matrices)(split.sequences) - 0.9) / 0.6
    assert exact == pytest.approx(by_hand)
    noise = split.labels[:, 0] - exact
    # 280 numbers: three standard errors
    assert noise.mean() == pytest.approx(0, abs=3 * np.sqrt(0.11 / 280))
    assert noise.var() == pytest.approx(0.11, rel=3 * np.sqrt(2 / 280))
    assert abs(np.corrcoef(noise, exact)[0, 1]) < 3 / np.sqrt(280)


def test_data_are_locked_cached_and_read_again(tmp_path, monkeypatch, spec_texts, drawn):
    path = tmp_path / "own.toml"
    path.write_text(engine_text(spec_texts["motif-classes@2"], NUMBER), encoding="utf-8")
    locked = lock(path)
    assert set(locked.digests) == {"train", "valid", "test", "gc-65", "outer-sites", "decoys"}
    assert read_spec(path) == locked
    monkeypatch.setenv(datasets_module.CACHE_VARIABLE, str(tmp_path / "cache"))
    made = load_dataset(locked).splits
    monkeypatch.setattr(datasets_module, "generate", None)  # from the cache from here on
    kept = load_dataset(locked).splits
    for name, split in drawn[NUMBER].items():
        for found in (made[name], kept[name]):
            assert array_digests(found) == array_digests(split)
            assert (found.decoys.log_odds == split.decoys.log_odds).all()


def test_a_changed_decoy_is_no_longer_what_is_locked(drawn):
    split = drawn[NUMBER]["decoys"]
    before = array_digests(split)
    changed = split.rows(np.arange(20))
    changed.decoys.kind[3] = 0
    assert [k for k, v in array_digests(changed).items() if v != before[k]] == ["decoys"]


def test_rows_keep_their_decoys(drawn):
    split = drawn[NUMBER]["test"]
    taken = split.rows(np.array([7, 3, 5]))
    for row, source in enumerate((7, 3, 5)):
        for found, whole in ((taken.implants, split.implants), (taken.decoys, split.decoys)):
            mine = whole.start[whole.sequence == source]
            assert (found.start[found.sequence == row] == mine).all()


def drop(*keys):
    def change(table):
        *path, last = keys
        for key in path:
            table = table[key]
        del table[last]

    return change


def put(value, *keys):
    def change(table):
        *path, last = keys
        for key in path:
            table = table[key]
        table[last] = value

    return change


@pytest.mark.parametrize(
    ("engine", "change", "said"),
    [
        (RULES, drop("rules"), "[engine] needs one of the tables rules, number, affinity"),
        (RULES, put(1, "sede"), "[engine] has no value 'sede'; it takes seed, sequences"),
        (RULES, put("mirror", "rules", "rule", 0, "kind"), "no kind of rule 'mirror'; choose of"),
        (RULES, drop("rules", "rule", 1, "second"), "rule 'orientation' has no second motif"),
        (RULES, put("MA0001.1", "rules", "rule", 0, "first"), "MA0001.1, which is in no pool"),
        (RULES, put("MA0079.3", "rules", "rule", 0, "first"), "MA0079.3 is of two rules"),
        (RULES, put(3, "rules", "rule", 0, "gapp"), "rule 'repressor' has no value 'gapp'"),
        (RULES, put(0.6, "rules", "satisfied"), "must sum to 1"),
        (RULES, put([1.0, 0.5], "temperature"), "[1.0, 0.5] must be two rising numbers"),
        (NUMBER, put([0, 2], "number", "sites"), "number [0, 2] must be two rising counts"),
        (NUMBER, put(1.0, "number", "positives"), "positives 1.0 must lie between 0 and 1"),
        (NUMBER, put(["shuffled"], "number", "negatives"), "no kind 'shuffled'; choose of true"),
        (NUMBER, put([], "number", "negatives"), "negatives must be some of permuted"),
        (NUMBER, put("test", "extra", 0, "name"), "extra set 'test': name it by small letters"),
        (NUMBER, put("gc-65", "extra", 1, "name"), "two extra test sets are named 'gc-65'"),
        (NUMBER, drop("background", "counts", "AC"), "no count of 'AC' nor of its reverse"),
        (AFFINITY, drop("affinity", "offsets", "MA0079.3"), "MA0079.3 has a weight and no offset"),
        (AFFINITY, put(0.0, "affinity", "scale"), "scale 0.0 must be above 0"),
        (AFFINITY, put(-1.0, "affinity", "noise"), "noise -1.0 must not be negative"),
        (
            AFFINITY,
            put("MA0502.1", "affinity", "cooperation", 0, "first"),
            "MA0502.1 cooperates and has no weight",
        ),
    ],
)
def test_what_is_wrong_with_a_recipe_is_named(engine, change, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        recipe_of(engine, change)


def test_the_documented_recipe_draws_what_it_says():
    text = (Path(__file__).parents[3] / "docs" / "own-task.md").read_text(encoding="utf-8")
    table = tomllib.loads(re.search(r"```toml\n(.*?)```", text, re.DOTALL)[1])["engine"]
    recipe = read_recipe(table, {"core": ["MA0062.2", "MA0095.2"]})
    rng = np.random.default_rng(1)
    matrices = Matrices(
        ("MA0062.2", "MA0095.2"), tuple(rng.dirichlet([0.1] * 4, 9).T for _ in "ab")
    )
    drawn = replace(recipe, sequences=2000).draw(matrices, 100, {"all": slice(0, 2000)})["all"]
    assert drawn.labels.mean() == pytest.approx(0.5, abs=0.04)
    both = np.bincount(drawn.sites.owner, minlength=2000) == 2
    assert both.mean() == pytest.approx(0.75, abs=0.04)


@pytest.mark.parametrize(
    ("engine", "old", "new", "said"),
    [
        (
            AFFINITY,
            '"regression"',
            '"sums"',
            "target 'sums': choose one of multi-label, bin",
        ),
        (
            AFFINITY,
            '"regression"',
            '"binary"',
            "target 'binary': its [engine] makes a 'regr",
        ),
        (NUMBER, '"binary"', '"regression"', "target 'regression': its [engine] makes no 'regr"),
        (AFFINITY, '["activity"]', '["a", "b"]', "a regression target has one class, not 2"),
        (AFFINITY, '"pearson"', '"aupr"', "monitor 'aupr' is no validation score of a regression"),
        (RULES, 'monitor = "a', 'monitor = "pearson" # "a', "monitor 'pearson' is no validation"),
        (NUMBER, 'target = "binary"', 'target = "multi-label"', "[engine.number] makes a 'binary'"),
        (RULES, '"repressor", "orient', '"orientation", "orient', "name each once"),
        (RULES, '"repressor", "orientation"', '"a", "b"', "name the rules, in their order: rep"),
    ],
)
def test_a_target_that_the_recipe_does_not_make_is_refused(
    tmp_path, spec_texts, engine, old, new, said
):
    path = tmp_path / "own.toml"
    text = engine_text(spec_texts["motif-classes@2"], engine)
    assert old in text
    path.write_text(text.replace(old, new) if old else text, encoding="utf-8")
    with pytest.raises(UserError, match=re.escape(said)):
        lock(path)


def test_a_regression_that_nothing_could_answer_is_refused(tmp_path, spec_texts):
    text = engine_text(spec_texts["motif-classes@2"], AFFINITY)
    path = tmp_path / "own.toml"
    path.write_text(text.replace("noise = 0.11", "noise = 99.0"), encoding="utf-8")
    with pytest.raises(UserError, match=r"has \d% of the target's variance, below 20%: the"):
        lock(path, refuse_unanswerable)
    still = re.sub(r'(?m)^("MA\d+\.\d" =) [-01.89]+$', r"\1 0.0", text).replace("0.11", "0")
    path.write_text(still.replace("weight = 0.5", "weight = 0.0"), encoding="utf-8")
    with pytest.raises(UserError, match="target is the same in all 280 train sequences of profile"):
        lock(path, refuse_unanswerable)


def test_a_regression_is_locked(tmp_path, spec_texts):
    path = tmp_path / "own.toml"
    path.write_text(engine_text(spec_texts["motif-classes@2"], AFFINITY), encoding="utf-8")
    assert lock(path, refuse_unanswerable).digests["train"]["n"] == 280


def test_a_missing_value_is_named_by_its_file(tmp_path, spec_texts):
    text = engine_text(spec_texts["motif-classes@2"], RULES)
    path = tmp_path / "own.toml"
    path.write_text(text.replace("seed = 5\n", ""), encoding="utf-8")
    with pytest.raises(UserError, match=r"own\.toml: there is no seed; add it"):
        read_spec(path, draft=True)


def test_sites_that_do_not_fit_are_named_by_their_task(spec_texts, motifs):
    text = engine_text(spec_texts["motif-classes@2"], RULES)
    short = parse_spec(text.replace("length = 200", "length = 60"), draft=True)
    with pytest.raises(UserError, match="task some-rules@1: the sites and gaps of a sequence"):
        generate(short, motifs)


def test_what_a_reader_is_told_has_every_choice():
    rules = recipe_of(RULES).facts()
    assert rules["sequences"] == "400"
    assert "satisfied in 50%" in rules["a rule is"]
    assert "at least 40 bases from MA0466.2, against 0 to 20" in rules["rule repressor"]
    number = recipe_of(NUMBER).facts()
    assert number["background"] == "a Markov chain of order 1 with 42% to 52% G and C"
    assert number["sites in a sequence"] == "2 to 4"
    assert number["more test sets"] == "gc-65 (60), outer-sites (60), decoys (20)"
    affinity = recipe_of(AFFINITY).facts()
    assert affinity["temperature of sites"] == "0.5 to 1.25"
    assert affinity["weights of their products"] == "MA0079.3 with MA0062.2 0.5"
