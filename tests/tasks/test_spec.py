import re
import tomllib
from dataclasses import replace

import pytest

from motifidelity.errors import UserError
from motifidelity.metrics.gates import GATES
from motifidelity.metrics.readings import READINGS
from motifidelity.tasks.spec import all_specs, chosen_specs, find_spec, latest_specs, parse_spec

# from the reference study, typed in again here
CLASSES = {
    "Arid3a": "MA0151.1",
    "CEBPB": "MA0466.2",
    "FOSL1": "MA0477.1",
    "Gabpa": "MA0062.2",
    "MAFK": "MA0496.1",
    "MAX": "MA0058.3",
    "MEF2A": "MA0052.3",
    "NFYB": "MA0502.1",
    "SP1": "MA0079.3",
    "SRF": "MA0083.3",
    "STAT1": "MA0137.3",
    "YY1": "MA0095.2",
}
CORE = ["MA0079.3", "MA0062.2", "MA0466.2", "MA0058.3", "MA0095.2"]
ACCEPTED = {
    "Arid3a": {"MA0151.1", "MA0601.1"},
    "CEBPB": {"MA0466.1", "MA0466.2"},
    "FOSL1": {"MA0477.1"},
    "Gabpa": {"MA0062.1", "MA0062.2"},
    "MAFK": {"MA0496.1", "MA0496.2"},
    "MAX": {"MA0058.1", "MA0058.2", "MA0058.3"},
    "MEF2A": {"MA0052.1", "MA0052.2", "MA0052.3"},
    "NFYB": {"MA0502.1", "MA0060.1", "MA0060.2"},
    "SP1": {"MA0079.1", "MA0079.2", "MA0079.3"},
    "SRF": {"MA0083.1", "MA0083.2", "MA0083.3"},
    "STAT1": {"MA0137.1", "MA0137.2", "MA0137.3", "MA0660.1", "MA0773.1"},
    "YY1": {"MA0095.1", "MA0095.2"},
}
NAMES = ("motif-classes", "regulatory-code")
VERSIONS = tuple(f"{name}@{version}" for name in NAMES for version in (1, 2))
RECIPES = ("hard-negatives@1", "motif-grammar@1", "site-affinity@1")
# keys of the file on which a trained network depends; the rest is scoring, sizes of runs or words
TRAINING_KEYS = {"name", "target", "length", "classes"}
TRAINING_SECTIONS = {"fit", "digests.train", "digests.valid"}
FREE_SECTIONS = {"scoring", "accepted.paper", "accepted.corrected", "digests.test"}
# of the second version on
LATER = {"supersedes", "headline", "gates"}
# one of a few words each: any other is refused
CHOICES = {"rivals", "readings", "explain"}
FREE_KEYS = {"version", "title", "summary", "source"}
VALUE = re.compile(r'"[^"]*"|(?<![\w.-])\d+(?:\.\d+)?(?:e-?\d+)?')


def values(text):
    """Every value of a TOML text: its section, its key, and the text with that value changed."""
    section, key, offset = "", "", 0
    for line in text.splitlines(keepends=True):
        body = line.split("#")[0]
        if found := re.match(r"\[+([\w.]+)\]+", body):
            section = found[1]
        else:
            first = 0
            if found := re.match(r"(\w+) = ", body):
                key, first = found[1], found.end()
            for value in () if key in CHOICES else VALUE.finditer(body, first):
                old = value[0]
                new = f'"{old[1:-1]}x"' if old[0] == '"' else f"{old}1" if "e" in old else f"1{old}"
                here = offset + value.start()
                yield section, key, text[:here] + new + text[here + len(old) :]
        offset += len(line)


def test_five_tasks_are_there_in_a_fixed_order_and_a_first_run_takes_the_study_s_two():
    assert tuple(all_specs()) == tuple(sorted(VERSIONS + RECIPES))
    assert list(latest_specs()) == sorted([*NAMES, *(each.partition("@")[0] for each in RECIPES)])
    assert [spec.name for spec in latest_specs().values() if spec.default] == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_version_2_has_the_data_and_the_recipe_of_version_1_and_says_so(name):
    first, second = find_spec(f"{name}@1"), find_spec(f"{name}@2")
    assert second.supersedes == first.id
    assert second.training_digest == first.training_digest
    assert second.dataset_digest == first.dataset_digest
    for value in ("motifs", "pools", "grammar", "splits", "fit", "accepted"):
        assert getattr(second, value) == getattr(first, value)
    assert second.digest != first.digest


@pytest.mark.parametrize("name", NAMES)
def test_version_2_ranks_four_scores_and_asks_for_every_gate_and_reading(name):
    spec = find_spec(f"{name}@2")
    assert [one.score for one in spec.headlines if one.main] == [
        ("auroc", ""),
        ("filter_f1", ""),
        ("localisation_auroc", "filter"),
        ("maps", ""),
    ]
    assert set(spec.gates) == set(GATES)
    assert set(spec.attribution.readings) == set(READINGS)
    assert find_spec(f"{name}@1").gates == {}


@pytest.mark.parametrize("version", [1, 2])
def test_motif_classes_implants_and_asks_for_the_12_factors_of_the_study(version):
    spec = find_spec(f"motif-classes@{version}")
    assert (spec.target, spec.length) == ("multi-label", 200)
    assert dict(zip(spec.classes, spec.pools["core"], strict=True)) == CLASSES
    assert list(spec.pools) == ["core"]


@pytest.mark.parametrize("version", [1, 2])
def test_regulatory_code_mixes_5_core_and_50_background_motifs(version):
    spec = find_spec(f"regulatory-code@{version}")
    assert (spec.target, spec.length, spec.classes) == ("binary", 200, ("regulatory",))
    assert list(spec.pools["core"]) == CORE
    assert len(set(spec.pools["background"])) == len(spec.pools["background"]) == 50
    assert not set(spec.pools["background"]) & set(CORE)
    assert [p.label for p in spec.grammar.populations] == [(1,), (0,)]


@pytest.mark.parametrize(
    ("name", "monitor", "explained"),
    # the study explains 500 sequences of the regulatory code, and none of the motif classes
    [
        ("motif-classes@1", "aupr", 200),
        ("motif-classes@2", "aupr", 200),
        ("regulatory-code@1", "auroc", 500),
        ("regulatory-code@2", "auroc", 200),
    ],
)
def test_the_training_recipe_is_the_study_s(name, monitor, explained):
    spec = find_spec(name)
    fit = spec.fit
    assert (fit.learning_rate, fit.batch_size, fit.max_epochs) == (1e-3, 100, 100)
    assert (fit.stop_patience, fit.rate_patience, fit.rate_factor) == (20, 5, 0.2)
    assert (fit.rate_floor, fit.monitor) == (1e-7, monitor)
    full = spec.profile("full")
    assert (full.trials, full.max_epochs, full.explained) == (10, 100, explained)
    assert (full.train, full.valid, full.test) == (None, None, None)


@pytest.mark.parametrize("name", VERSIONS)
def test_paper_scores_accept_the_study_s_matrices_and_corrected_ones_drop_mef2b_and_mef2d(name):
    spec = find_spec(name)
    five = ("SP1", "Gabpa", "CEBPB", "MAX", "YY1")
    classes = spec.classes if spec.name == "motif-classes" else five
    paper = {tf: set(ids) for tf, ids in spec.accepted["paper"].items()}
    corrected = {tf: set(ids) for tf, ids in spec.accepted["corrected"].items()}
    assert paper == {tf: ACCEPTED[tf] for tf in classes}
    assert corrected == {tf: ACCEPTED[tf] - {"MA0660.1", "MA0773.1"} for tf in classes}


@pytest.mark.parametrize("name", [name for name in VERSIONS if name != "motif-classes@2"])
def test_a_quick_profile_is_smaller_in_every_way_and_one_trial(name):
    spec = find_spec(name)
    quick, full = spec.profile("quick"), spec.profile("full")
    assert quick.trials == 1
    assert quick.max_epochs < full.max_epochs
    assert quick.explained < full.explained
    for split in ("train", "valid", "test"):
        assert 0 < getattr(quick, split) < spec.digests[split]["n"]


def test_without_names_a_profile_leaves_out_the_task_that_lacks_it():
    assert [s.id for s in chosen_specs([], "quick")] == ["regulatory-code@2"]
    assert [s.id for s in chosen_specs([], "full")] == ["motif-classes@2", "regulatory-code@2"]
    assert [s.id for s in chosen_specs(["motif-classes@1"], "quick")] == ["motif-classes@1"]
    with pytest.raises(UserError, match="task motif-classes@2: unknown profile 'quick'; known: f"):
        find_spec("motif-classes").profile("quick")
    with pytest.raises(UserError, match="unknown profile 'quik'; did you mean quick"):
        chosen_specs([], "quik")


def test_a_task_that_is_no_default_is_taken_by_its_name_and_by_all(spec_texts, monkeypatch):
    text = spec_texts["motif-classes@1"].replace('name = "motif-classes"', 'name = "later"')
    later = parse_spec("default = false\n" + text)
    every = {name: all_specs()[name] for name in VERSIONS} | {later.id: later}
    monkeypatch.setattr("motifidelity.tasks.spec.all_specs", lambda: every)
    two = ["motif-classes@2", "regulatory-code@2"]
    assert [s.id for s in chosen_specs([])] == two
    assert [s.id for s in chosen_specs([], "quick")] == ["regulatory-code@2"]
    assert [s.id for s in chosen_specs(["later"], "quick")] == ["later@1"]
    assert [s.id for s in chosen_specs(["all"])] == [*two, "later@1"]
    assert [s.id for s in chosen_specs(["all"], "quick")] == ["regulatory-code@2", "later@1"]
    assert [s.id for s in chosen_specs(["later", "all"])] == ["later@1", *two]


@pytest.fixture
def unbounded(monkeypatch):
    """Values beyond what a task may ask for are read too."""
    monkeypatch.setattr("motifidelity.tasks.spec.refuse_oversized", lambda raw: None)


@pytest.mark.usefixtures("unbounded")
@pytest.mark.parametrize("name", VERSIONS)
def test_changing_any_value_of_the_file_changes_the_digest(name, spec_texts):
    text = spec_texts[name]
    digests = [parse_spec(changed).digest for _, _, changed in values(text)]
    assert len(digests) > 90
    assert len({parse_spec(text).digest, *digests}) == len(digests) + 1


@pytest.mark.parametrize("name", VERSIONS)
def test_changing_a_comment_or_the_order_of_tables_does_not_change_the_digest(name, spec_texts):
    text = spec_texts[name]
    top, *tables = re.split(r"(?m)^(?=\[scoring\]|\[fit\])", text)
    assert len(tables) == 2
    fit, scoring = tables
    bare = re.sub(r"\s*#.*", "", fit)
    assert bare != fit
    swapped = parse_spec(top + scoring + bare)
    assert swapped.digest == parse_spec(text).digest
    assert swapped == parse_spec(text)


@pytest.mark.usefixtures("unbounded")
@pytest.mark.parametrize("name", VERSIONS)
def test_training_digest_follows_the_data_and_the_recipe_and_never_the_scoring(name, spec_texts):
    text = spec_texts[name]
    spec = parse_spec(text)
    before = spec.training_digest
    free = FREE_SECTIONS | FREE_KEYS | (LATER if spec.version > 1 else set())
    moved, kept = set(), set()
    for section, key, changed in values(text):
        changes = parse_spec(changed).training_digest != before
        if section in TRAINING_SECTIONS or (not section and key in TRAINING_KEYS):
            assert changes, (section, key)
            moved.add(section or key)
        elif (section or key) in free:
            assert not changes, (section, key)
            kept.add(section or key)
    assert moved == TRAINING_SECTIONS | TRAINING_KEYS
    assert kept == free


def test_two_tasks_on_the_same_data_share_its_digest(spec_texts):
    text = spec_texts["regulatory-code@1"]
    other = parse_spec(text.replace("buffer = 10", "buffer = 12"))
    assert other.digest != parse_spec(text).digest
    assert other.dataset_digest == parse_spec(text).dataset_digest
    flipped = tomllib.loads(text)["digests"]["test"]["truth"]
    changed = parse_spec(text.replace(flipped, flipped[::-1]))
    assert changed.dataset_digest != parse_spec(text).dataset_digest


def test_a_task_is_found_by_name_and_by_name_with_version():
    assert find_spec("motif-classes") is find_spec("motif-classes@2")
    assert find_spec("regulatory-code").id == "regulatory-code@2"
    assert find_spec("motif-classes@1").version == 1
    assert [s.id for s in chosen_specs(["motif-classes", "motif-classes@2"])] == ["motif-classes@2"]
    assert chosen_specs([]) == [find_spec(name) for name in NAMES]
    assert chosen_specs(["all"]) == list(latest_specs().values())


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("motif-clases", "did you mean motif-classes or motif-grammar?"),
        ("regulatory", "did you mean regulatory-code?"),
        ("motif-classes@9", "motif-classes@1"),
        ("zzz", "known: hard-negatives, motif-classes, motif-grammar, regulatory-code, s"),
    ],
)
def test_an_unknown_task_lists_the_near_ones(name, shown):
    with pytest.raises(UserError) as error:
        find_spec(name)
    assert f"unknown task '{name}'" in str(error.value)
    assert shown in str(error.value)
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 2


def test_an_unknown_profile_lists_the_near_ones():
    with pytest.raises(UserError, match="unknown profile 'quik'; did you mean quick"):
        find_spec("regulatory-code").profile("quik")


@pytest.mark.parametrize("name", VERSIONS)
def test_every_method_of_a_task_is_known_and_takes_its_settings(name):
    from motifidelity.worker.probing.attribution import METHODS

    spec = find_spec(name)
    for method, settings in spec.attribution.methods.items():
        assert set(settings) <= set(METHODS[method].defaults)
        # what the task says is all there is: a default may not decide a score, but for what was
        # always so and a later version may ask otherwise
        assert set(METHODS[method].defaults) - set(settings) <= {"hypothetical", "without_rule"}
    for profile in spec.profiles.values():
        assert set(spec.methods(profile)) <= set(spec.attribution.methods)
        assert "random" in spec.methods(profile)
    counts = spec.attribution.curve_counts(spec.length)
    assert (counts[0], counts[-1]) == (0, spec.length)
    assert list(counts) == sorted(set(counts))


def test_what_a_task_may_ask_of_its_scores_is_off_unless_it_does(spec_texts):
    text = spec_texts["regulatory-code@1"]
    plain = parse_spec(text).scoring
    assert (plain.maps_floor, plain.rivals, plain.mismatched) == (None, (), False)
    asked = 'maps_floor = 0.592\nrivals = ["GC content", "6-mer regression"]\nmismatched = true\n'
    spec = parse_spec(text.replace("[scoring]", "[scoring]\n" + asked, 1))
    assert spec.scoring.rivals == ("GC content", "6-mer regression")
    assert spec.scoring.mismatched
    assert spec.scoring.fixed_floor("attribution_auroc") == 0.592
    assert spec.scoring.fixed_floor("maps") == 0
    assert spec.scoring.fixed_floor("auroc") is plain.fixed_floor("attribution_auroc") is None
    # a trained network does not depend on it
    assert spec.training_digest == parse_spec(text).training_digest
    with pytest.raises(ValueError, match="no rival 7-mers; choose of GC content, 6-mer"):
        parse_spec(text.replace("[scoring]", '[scoring]\nrivals = ["7-mers"]', 1))


def test_what_a_later_version_may_ask_of_maps_is_off_where_it_is_not_asked(spec_texts):
    text = spec_texts["regulatory-code@1"]
    plain = parse_spec(text).attribution
    assert (plain.by_class, plain.explain, plain.readings) == (False, "positives", ("own",))
    more = 'by_class = true\nexplain = "all"\nreadings = ["own", "signed"]'
    asked = parse_spec(text.replace("[attribution]", f"[attribution]\n{more}", 1)).attribution
    assert (asked.by_class, asked.explain, asked.readings) == (True, "all", ("own", "signed"))
    for wrong, told in (
        ('explain = "some"', "no explain 'some'; choose one of positives, all"),
        ('readings = ["loud"]', "no reading loud; choose of own, signed, magnitude"),
    ):
        with pytest.raises(ValueError, match=told):
            parse_spec(text.replace("[attribution]", f"[attribution]\n{wrong}", 1))


def test_a_profile_takes_no_more_sequences_than_there_are(tiny_spec):
    profile = next(iter(tiny_spec.profiles.values()))
    more = replace(profile, train=10**6, valid=5, test=None)
    there = {name: tiny_spec.digests[name]["n"] for name in ("train", "valid", "test")}
    sizes = {name: tiny_spec.size(more, name) for name in there}
    assert sizes == {**there, "valid": 5}
    assert there["valid"] > 5
