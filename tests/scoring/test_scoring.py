"""From arrays to scores: an oracle is perfect, noise is at chance."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from motifidelity.cli.scores import headline_scores
from motifidelity.metrics.headlines import HEADLINES
from motifidelity.metrics.localisation import localise_true_motifs
from motifidelity.metrics.readings import READINGS
from motifidelity.runs.intake import InvalidOutput
from motifidelity.runs.phases import read_probe
from motifidelity.runs.recording import filter_rows, score_rows
from motifidelity.scoring.score import score_job, score_trials
from motifidelity.scoring.truth import Truth, fits, present_classes
from motifidelity.summary.inputs import REQUIRED
from motifidelity.summary.runs import Summary, gather_scores, mark_trials

TOP_SITES = 100


def truth_of(dataset, *, test=400, explained=40):
    profile = dataclasses.replace(dataset.spec.profile("full"), test=test, explained=explained)
    return Truth(dataset, profile)


@pytest.fixture(scope="module")
def binary(regulatory_code):
    return truth_of(regulatory_code)


@pytest.fixture(scope="module")
def multi(motif_classes):
    return truth_of(motif_classes, test=900)


@pytest.fixture(scope="module", params=["binary", "multi"])
def truth(request):
    return request.getfixturevalue(request.param)


def scores_of(job_scores):
    """Values by (metric, method) of the scores of a whole task."""
    return {(s.metric, s.method): s.value for s in job_scores.scores if s.target is None}


def oracle(truth):
    """What a network that knows everything would give, as the probe's arrays."""
    test, rows = truth.test, truth.explained
    codes, classes = test.sequences[rows], len(truth.spec.classes)
    planted = test.truth[rows].astype(np.float32)
    one_hot = np.eye(4, dtype=np.float32)[codes]
    per_class = np.ones(classes, np.float32)
    motifs = truth.spec.pools["core"]
    sites, above = oracle_sites(truth, motifs)
    return {
        "logits": (2.0 * test.labels - 1).astype(np.float32),
        "explained_logits": np.ones((len(rows), classes), np.float32),
        "saliency": (planted[:, :, None] * one_hot)[..., None] * per_class,
        "ism": -(planted[:, :, None] * (1 - one_hot))[..., None] * per_class,
        "filter_max": np.ones(len(motifs), np.float32),
        "scan_max": test.truth.astype(np.float32),
        "top_sites": sites,
        "above_half_max": above,
    }


def oracle_sites(truth, motifs):
    """Centres of the implants of each motif on one strand: as many filters as motifs."""
    test, implants = truth.test, truth.test.implants
    sites = np.full((len(motifs), TOP_SITES, 2), -1, np.int32)
    above = np.zeros((*test.sequences.shape, len(motifs)), bool)
    ids = [motif.id for motif in truth.dataset.implanted]
    centre = (implants.start.astype(int) + implants.end) // 2
    whole = (centre - 10 > 0) & (centre + 10 < test.sequences.shape[1])
    for number, motif in enumerate(motifs):
        mine = whole & (implants.motif == ids.index(motif)) & (implants.strand == 1)
        pairs = np.stack([implants.sequence[mine], centre[mine]], axis=1)
        above[pairs[:, 0], pairs[:, 1], number] = True
        pairs = pairs[:TOP_SITES]
        sites[number, : len(pairs)] = pairs
    return sites, np.packbits(above, axis=-1)


def noise(truth, seed=0):
    """What an untrained network would give."""
    rng = np.random.default_rng(seed)
    arrays = oracle(truth)
    for name in ("logits", "explained_logits", "saliency", "ism", "scan_max"):
        arrays[name] = rng.normal(size=arrays[name].shape).astype(np.float32)
    n, length = truth.test.sequences.shape
    shape = arrays["top_sites"].shape[:2]
    places = [rng.integers(0, n, shape), rng.integers(11, length - 10, shape)]
    arrays["top_sites"] = np.stack(places, axis=2).astype(np.int32)
    mask = rng.random((n, length, shape[0])) < 0.01
    arrays["above_half_max"] = np.packbits(mask, axis=-1)
    return arrays


def without_filters(arrays):
    scan = ("filter_max", "scan_max", "top_sites", "above_half_max")
    return {name: array for name, array in arrays.items() if name not in scan}


def score(truth, arrays):
    return score_job(truth, present_classes(truth, arrays))


@pytest.fixture(scope="module")
def perfect(truth):
    return score(truth, oracle(truth))


@pytest.fixture(scope="module")
def untrained(truth):
    return score(truth, noise(truth))


# what the host knows


def test_the_test_split_is_the_profile_s_head(truth):
    whole = truth.dataset.splits["test"]
    n = truth.profile.test
    np.testing.assert_array_equal(truth.test.sequences, whole.sequences[:n])
    assert len(truth_of(truth.dataset, test=None).test.sequences) == len(whole.sequences)


def test_positive_sequences_are_those_with_a_label_and_the_first_are_explained(truth):
    labels = truth.test.labels
    expected = [i for i in range(len(labels)) if sum(labels[i]) > 0]
    assert truth.positive.tolist() == expected
    assert truth.explained.tolist() == expected[:40]
    if truth.spec.target == "binary":
        assert 0.4 < len(expected) / len(labels) < 0.6
    else:
        assert len(expected) == len(labels)


def test_true_motifs_are_the_core_pool_in_its_order(binary, multi):
    names = ["SP1", "Gabpa", "CEBPB", "MAX", "YY1"]
    assert [motif.name for motif in binary.true_motifs] == names
    assert [motif.name for motif in multi.true_motifs] == list(multi.spec.classes)


def by_hand(truth, number):
    """Chance sites of the first sequences: every site of every core motif, one by one."""
    test, implants = truth.test, truth.test.implants
    ids = [motif.id for motif in truth.dataset.implanted]
    mask = np.zeros((number, test.sequences.shape[1]), bool)
    for motif in truth.true_motifs:
        ppm = motif.counts / motif.counts.sum(axis=0)
        forward = np.log2(ppm / 0.25 + 1e-10)
        strands = {1: forward, -1: forward[::-1, ::-1]}
        width = forward.shape[1]
        columns = np.arange(width)
        mine = np.flatnonzero(implants.motif == ids.index(motif.id))
        planted = {
            (int(implants.sequence[i]), int(implants.start[i]), int(implants.strand[i]))
            for i in mine
        }
        strength = [
            strands[strand][test.sequences[row, start : start + width], columns].sum()
            for row, start, strand in planted
        ]
        limit = np.percentile(strength, 10) - 1e-6
        for row in range(number):
            for start in range(mask.shape[1] - width + 1):
                letters = test.sequences[row, start : start + width]
                for strand, pwm in strands.items():
                    if (row, start, strand) in planted:
                        continue
                    if pwm[letters, columns].sum() >= limit:
                        mask[row, start : start + width] = True
    return mask & (test.truth[:number] == 0)


def test_chance_sites_are_those_found_one_by_one(truth):
    assert truth.bases.chance.shape == truth.test.sequences.shape
    assert truth.bases.chance.dtype == bool
    number = 120 if truth.spec.target == "binary" else 50
    expected = by_hand(truth, number)
    np.testing.assert_array_equal(truth.bases.chance[:number], expected)
    assert 0 < expected.mean() < 0.2


def test_implanted_bases_are_never_by_chance(truth):
    assert not (truth.bases.chance & (truth.test.truth == 1)).any()


def test_implants_of_background_motifs_set_no_limit(binary):
    """Without them in the table the mask is the same wherever they do not protect a base."""
    implants = binary.test.implants
    assert (implants.motif >= 5).sum() > 100
    core_only = implants.take(np.flatnonzero(implants.motif < 5))
    test = dataclasses.replace(binary.test, implants=core_only)
    splits = {**binary.dataset.splits, "test": test}
    other = Truth(dataclasses.replace(binary.dataset, splits=splits), binary.profile)
    free = np.ones(binary.test.sequences.shape, dtype=bool)
    for sequence, start, end in zip(implants.sequence, implants.start, implants.end, strict=True):
        free[sequence, start:end] = False
    assert binary.bases.chance[free].any()
    np.testing.assert_array_equal(other.bases.chance[free], binary.bases.chance[free])


# oracle and noise

ONES = [
    ("auroc", None),
    ("aupr", None),
    ("match_any", None),
    ("match_fraction", None),
    ("motif_recall", None),
    ("localisation_auroc", "filter"),
    ("attribution_auroc", "saliency"),
    ("attribution_aupr", "saliency"),
    ("attribution_auroc", "ism"),
    ("attribution_aupr", "ism"),
]


@pytest.mark.parametrize("key", ONES, ids=str)
def test_an_oracle_is_perfect(key, perfect):
    assert scores_of(perfect)[key] == pytest.approx(1, abs=1e-9)


def test_an_oracle_finds_every_motif_once(perfect, truth):
    found = scores_of(perfect)
    assert found["motifs_found", None] == len(truth.true_motifs)
    assert found["redundancy", None] == 0
    assert found["flat_filters", None] == 0
    corrected = [row for row in perfect.filters if row.definition == "corrected"]
    assert [row.true_tf for row in corrected] == [motif.name for motif in truth.true_motifs]


def test_noise_is_at_chance(untrained, truth):
    found = scores_of(untrained)
    assert found["auroc", None] == pytest.approx(0.5, abs=0.05)
    assert found["aupr", None] == pytest.approx(truth.test.labels.mean(), abs=0.06)
    assert found["localisation_auroc", "filter"] == pytest.approx(0.5, abs=0.03)
    for method in ("saliency", "ism"):
        assert found["attribution_auroc", method] == pytest.approx(0.5, abs=0.03)
        prevalence = found["attribution_prevalence", method]
        assert found["attribution_aupr", method] == pytest.approx(prevalence, abs=0.04)


def test_noise_finds_no_motif(untrained, truth):
    found = scores_of(untrained)
    assert found["match_fraction", None] == 0
    assert found["motif_recall", None] == 0
    assert found["flat_filters", None] >= len(truth.true_motifs) - 1


def test_the_scan_with_the_true_motifs_is_between_noise_and_the_oracle(perfect, truth):
    found = scores_of(perfect)
    assert 0.85 < found["localisation_auroc", "pwm"] < 1
    reference = {(s.metric, s.method): s.value for s in localise_true_motifs(truth.scored)}
    assert reference == {key: value for key, value in found.items() if key[1] == "pwm"}


def test_prevalence_is_the_share_of_implanted_bases_that_are_scored(perfect, truth):
    rows = truth.explained
    planted = truth.test.truth[rows] == 1
    # sites that arose by chance, and implanted columns that say next to nothing, are not scored
    left_out = truth.bases.chance[rows] | truth.bases.low_information[rows]
    expected = np.mean([p[~out].mean() for p, out in zip(planted, left_out, strict=True)])
    found = scores_of(perfect)
    assert found["attribution_prevalence", "saliency"] == pytest.approx(expected)


def test_a_map_that_marks_chance_sites_too_is_not_punished(binary):
    arrays = without_filters(oracle(binary))
    marked = (binary.test.truth == 1) | binary.bases.chance
    one_hot = np.eye(4, dtype=np.float32)[binary.test.sequences[binary.explained]]
    maps = marked[binary.explained].astype(np.float32)[:, :, None] * one_hot
    assert (marked != (binary.test.truth == 1))[binary.explained].any()
    found = scores_of(score(binary, {**arrays, "saliency": maps[..., None]}))
    assert found["attribution_auroc", "saliency"] == 1
    assert found["paper_attribution_auroc", "saliency"] < 1


def test_the_paper_s_attribution_is_scored_where_there_is_one_output(perfect, truth):
    paper = {s.metric for s in perfect.scores if s.metric.startswith("paper_attribution_")}
    if truth.spec.target == "binary":
        assert paper == {"paper_attribution_auroc", "paper_attribution_aupr"}
    else:
        assert paper == set()
    methods = {s.method for s in perfect.scores if s.metric == "attribution_auroc"}
    assert methods == {"saliency", "ism"}


def test_accuracy_is_given_per_class_and_as_their_mean(untrained, truth):
    for metric in ("auroc", "aupr", "paper_aupr"):
        per_class = {s.target: s.value for s in untrained.scores if s.metric == metric and s.target}
        assert list(per_class) == list(truth.spec.classes)
        mean = scores_of(untrained)[metric, None]
        assert mean == pytest.approx(np.mean(list(per_class.values())))


def test_a_network_without_filters_has_no_filter_or_localisation_score(binary):
    found = score(binary, without_filters(oracle(binary)))
    families = {row["family"] for row in score_rows(found.scores)}
    assert families == {"accuracy", "attribution"}
    assert found.filters == []


def test_maps_that_are_zero_everywhere_have_no_score_and_agree_with_none(binary):
    arrays = noise(binary)
    arrays["saliency_randomised"] = arrays["saliency"][: binary.tested]
    arrays["ism_randomised"] = np.zeros_like(arrays["ism"][: binary.tested])
    scored = scores_of(score(binary, arrays))
    assert scored["randomisation_similarity", "saliency"] == pytest.approx(1)
    # 0 would read as the best there is
    assert ("randomisation_similarity", "ism") not in scored
    silent = {**arrays, "ism": np.zeros_like(arrays["ism"])}
    # nor is a gradient held against changes that are not there
    left = {
        key: value
        for key, value in scored.items()
        if key[1] != "ism" and key[0] != "gradient_fidelity"
    }
    assert {("paper_attribution_aupr", "ism"), ("gradient_fidelity", "saliency")} <= set(scored)
    assert scores_of(score(binary, silent)) == pytest.approx(left, nan_ok=True)
    trials = [present_classes(binary, found) for found in (arrays, silent, noise(binary, 1))]
    for found, with_others in zip(score_trials(binary, trials), (1, 0, 1), strict=True):
        assert {s.n for s in found if s.method == "saliency"} == {2}
        assert [s.n for s in found if s.method == "ism"] == [1, 1] * with_others


def test_every_score_is_one_row_that_the_registry_can_hold(perfect, tmp_path):
    from motifidelity.registry import schema

    rows = score_rows(perfect.scores)
    assert {row["family"] for row in rows} == {
        "accuracy",
        "filters",
        "localisation",
        "attribution",
    }
    keys = [(row["metric"], row["method"], row["target"]) for row in rows]
    assert len(set(keys)) == len(keys)
    assert set(rows[0]) == set(schema.SCORES.names) - {"result_id", "job_id"}
    for row in filter_rows(perfect):
        assert set(row) == set(schema.FILTERS.names) - {"result_id", "job_id"}
        assert len(row["ppm"]) == 4 * row["width"]


# maps of several classes


def test_only_the_classes_that_a_sequence_holds_are_explained(multi):
    rng = np.random.default_rng(3)
    arrays = oracle(multi)
    for name in ("saliency", "ism", "explained_logits"):
        arrays[name] = rng.normal(size=arrays[name].shape).astype(np.float32)
    reduced = present_classes(multi, arrays)
    several = 0
    for row, sequence in enumerate(multi.explained):
        held = [c for c in range(12) if multi.test.labels[sequence, c]]
        several += len(held) > 1
        for name in ("saliency", "ism", "explained_logits"):
            expected = sum(arrays[name][row, ..., c] for c in held)
            np.testing.assert_allclose(reduced[name][row], expected, rtol=1e-5, atol=1e-5)
    assert several > 5
    assert reduced["logits"] is arrays["logits"]
    assert arrays["saliency"].ndim == 4, "what was given is left as it is"


def test_maps_of_classes_that_a_sequence_does_not_hold_change_nothing(multi):
    arrays = without_filters(oracle(multi))
    absent = multi.test.labels[multi.explained][:, None, None, :] == 0
    loud = np.where(absent, 1e6, arrays["saliency"]).astype(np.float32)
    found = scores_of(score(multi, {**arrays, "saliency": loud}))
    assert found["attribution_auroc", "saliency"] == 1


# what intake lets through


@pytest.mark.parametrize("site", [(0, 0), (5, 3), (7, 199), (-1, 50), (3, -1)])
def test_a_strange_site_is_refused_or_scored_and_never_an_error(site, binary, tmp_path):
    arrays = oracle(binary)
    arrays["top_sites"][0, 0] = site
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array, allow_pickle=False)
    try:
        taken = read_probe(binary, tmp_path)
    except InvalidOutput:
        return
    found = scores_of(score(binary, taken.arrays))
    assert found["match_fraction", None] > 0.5


# what a run shows at its end


def headlines_of(jobs, scores):
    jobs = pd.DataFrame(jobs).assign(trial=range(len(jobs)), seed=0, status="ok")
    columns = {name: "" for name in REQUIRED["jobs"] if name not in jobs}
    trials = mark_trials(jobs.assign(**columns))
    filled = pd.DataFrame(scores).assign(definition="standard", sd=np.nan, n=1, metric_version=1)
    return headline_scores(Summary(trials, gather_scores(trials, filled)))


def test_headline_scores_are_means_and_spreads_over_trials():
    rng = np.random.default_rng(0)
    jobs, scores = [], []
    for task in ("motif-classes@1", "regulatory-code@1"):
        for trial in range(4):
            result = f"{task} {trial}"
            jobs.append({"result_id": result, "task": task})
            for one in HEADLINES:
                value = np.nan if (one.metric, trial) == ("match_any", 2) else rng.random()
                common = {"result_id": result, "family": one.family, "metric": one.metric}
                common["method"] = one.method
                scores.append({**common, "target": None, "value": value})
                scores.append({**common, "target": "SP1", "value": 100.0})
            other = {"result_id": result, "metric": "auroc", "family": "accuracy", "target": None}
            scores.append({**other, "method": "another", "value": 100.0})
    scores = pd.DataFrame(scores).sample(frac=1, random_state=0)
    found = headlines_of(jobs, scores)
    assert len(found) == 2 * len(HEADLINES)

    means = scores[scores["target"].isna()].copy()
    means["task"] = means["result_id"].str.split(" ").str[0]
    grouped = means.groupby(["task", "metric", "method"], dropna=False)["value"]
    for row in found.itertuples():
        key = (row.task, row.metric, row.method if isinstance(row.method, str) else np.nan)
        values = next(v for k, v in grouped if k[:2] == key[:2] and str(k[2]) == str(key[2]))
        assert row.mean == pytest.approx(values.mean())
        assert row.sd == pytest.approx(values.std())
        assert row.trials == values.count() == (3 if row.metric == "match_any" else 4)


def test_one_trial_has_no_spread_and_a_score_that_nobody_has_is_left_out():
    jobs = [{"result_id": "r", "task": "regulatory-code@1"}]
    row = {"result_id": "r", "family": "accuracy", "method": None, "target": None}
    scores = [{**row, "metric": "auroc", "value": 0.9}, {**row, "metric": "aupr", "value": np.nan}]
    found = headlines_of(jobs, scores)
    assert found["metric"].tolist() == ["auroc"]
    assert found["mean"].tolist() == [0.9]
    assert found["trials"].tolist() == [1]
    assert found["sd"].isna().all()


def test_every_reading_that_a_specification_names_is_scored_beside_the_method_s_own(binary):
    asked = dataclasses.replace(binary.spec.attribution, readings=READINGS)
    spec = dataclasses.replace(binary.spec, attribution=asked)
    read = Truth(dataclasses.replace(binary.dataset, spec=spec), binary.profile)
    arrays = present_classes(read, oracle(read))
    # curves of each reading: one falls at once, one with the last base
    counts, shape = read.curve_counts, (read.tested, 1, len(read.curve_counts))
    late, soon = np.zeros(shape, np.float32), np.ones(shape, np.float32)
    late[..., -1], soon[..., 0] = 1, 0
    for named, curve in (("ism", late), ("ism_magnitude", soon)):
        arrays |= {f"{named}_deletion": -curve, f"{named}_insertion": curve}
    scores = [s for s in score_job(read, arrays).scores if s.method in ("saliency", "ism")]
    by_reading = {
        reading: {(s.metric, s.method): s.value for s in scores if s.reading == reading}
        for reading in READINGS
    }
    own = {s.metric: s.value for s in score_job(binary, arrays).scores if s.method == "ism"}
    assert {m: v for (m, name), v in by_reading["own"].items() if name == "ism"} == own
    for reading in READINGS[1:]:
        # saliency has its own alone, and the study's scores are of that
        assert {name for _, name in by_reading[reading]} == {"ism"}
        assert not any(metric.startswith("paper_") for metric, _ in by_reading[reading])
        assert by_reading[reading]["attribution_auroc", "ism"] == 1.0
        assert by_reading[reading]["instance_recall", "ism"] == own["instance_recall"]
    area = (counts[-1] - counts[-2]) / 2 / counts[-1]
    assert by_reading["own"]["deletion_area", "ism"] == pytest.approx(area)
    area = 1 - counts[1] / 2 / counts[-1]
    assert by_reading["magnitude"]["insertion_area", "ism"] == pytest.approx(area)
    assert ("deletion_area", "ism") not in by_reading["signed"]
    rows = score_rows(scores)
    assert {row["reading"] for row in rows} == set(READINGS)


def test_trials_are_compared_in_every_reading_that_a_specification_names(binary):
    read = asked_for(binary, readings=READINGS)
    trials = [present_classes(read, noise(read, seed)) for seed in range(2)]
    keys = [(s.metric, s.method, s.reading) for s in score_trials(read, trials)[0]]
    assert [key for key in keys if key[1] == "saliency"] == [
        ("trial_agreement", "saliency", "own"),
        ("trial_cosine", "saliency", "own"),
    ]
    assert [key[2] for key in keys if key[:2] == ("trial_agreement", "ism")] == list(READINGS)
    assert {s.reading for s in score_trials(binary, trials)[0]} == {"own"}


def test_maps_are_scored_where_a_task_has_a_floor_and_a_profile_has_their_methods(binary):
    scoring = dataclasses.replace(binary.spec.scoring, maps_floor=0.6)
    asked = dataclasses.replace(binary.spec.attribution, readings=READINGS)
    spec = dataclasses.replace(binary.spec, scoring=scoring, attribution=asked)
    methods = ("gradient_corrected", "ism", "deepshap")

    def of(profile, arrays):
        read = Truth(dataclasses.replace(binary.dataset, spec=spec), profile)
        found = score_job(read, present_classes(read, arrays)).scores
        return [score.value for score in found if score.metric == "maps"]

    arrays = oracle(binary)
    profile = dataclasses.replace(binary.profile, methods=methods)
    # mutagenesis knows all, both ways; the others are not there
    assert of(profile, arrays) == [pytest.approx(2 / 6)]
    arrays |= {"gradient_corrected": arrays["saliency"], "deepshap": arrays["saliency"]}
    arrays |= {"deepshap_hypothetical": arrays["saliency"]}
    assert of(profile, arrays) == [pytest.approx(1.0)]
    assert of(dataclasses.replace(profile, methods=methods[:2]), arrays) == []
    plain = Truth(binary.dataset, profile)
    names = {score.metric for score in score_job(plain, present_classes(plain, arrays)).scores}
    assert "maps" not in names


def asked_for(truth, **attribution):
    asked = dataclasses.replace(truth.spec.attribution, **attribution)
    spec = dataclasses.replace(truth.spec, attribution=asked)
    return Truth(dataclasses.replace(truth.dataset, spec=spec), truth.profile)


def test_the_map_of_each_class_is_scored_where_a_specification_asks_for_it(multi):
    """The maps point at all motifs in sum, and one class at a time at its own, or at any."""
    truth = asked_for(multi, by_class=True, readings=READINGS)
    codes = truth.test.sequences[truth.explained]
    own = np.zeros((*codes.shape, 12), np.float32)
    implants = truth.test.implants
    for row, motif, start, end in zip(
        implants.sequence, implants.motif, implants.start, implants.end, strict=True
    ):
        place = np.flatnonzero(truth.explained == row)
        own[place, start:end, motif] = 1
    one_hot = np.eye(4, dtype=np.float32)[codes]
    any_of_them = np.repeat(own.max(axis=-1, keepdims=True), 12, axis=-1)
    arrays = oracle(truth)
    for maps, told in ((own, 1.0), (any_of_them, 0.5)):
        # what each letter would do, so that mutagenesis has every reading
        arrays["ism"] = -(1 - one_hot)[..., None] * maps[:, :, None]
        reduced = present_classes(truth, arrays)
        assert len(reduced["ism_by_class"]) == truth.test.labels[truth.explained].sum()
        found = score_job(truth, reduced).scores
        of_ism = [s for s in found if s.method == "ism" and s.metric == "specificity_auroc"]
        assert {s.reading for s in of_ism} == set(READINGS)
        assert {s.target for s in of_ism} == {None, *truth.spec.classes}
        assert {s.value for s in of_ism if s.n} == {told}
        other = {s.value for s in found if s.method == "ism" and s.metric == "other_classes_auroc"}
        assert other == {1.5 - told}
        assert ("attribution_auroc", "ism") in scores_of(score_job(multi, reduced))
    assert not any("specificity" in s.metric for s in score(multi, arrays).scores)
    assert fits(truth, reduced) == fits(multi, reduced)
    without = {name: array for name, array in reduced.items() if name != "ism_by_class"}
    few = dataclasses.replace(truth.profile, methods=("ism",))
    assert fits(Truth(truth.dataset, few), reduced)
    assert not fits(Truth(truth.dataset, few), without)


def test_classes_that_name_no_motif_have_no_specificity(binary):
    truth = asked_for(binary, by_class=True)
    assert not any("specificity" in s.metric for s in score(truth, oracle(truth)).scores)


def test_negatives_are_explained_where_a_specification_says_so(binary):
    truth = asked_for(binary, explain="all")
    count = len(truth.explained)
    assert not truth.test.labels[truth.negatives].any()
    without = np.flatnonzero(truth.test.labels[:, 0] == 0)
    assert truth.negatives.tolist() == without[:40].tolist()
    assert truth.asked.tolist() == [*truth.explained, *truth.negatives]
    assert len(binary.negatives) == 0
    arrays = oracle(binary)
    more = dict(arrays)
    for name in ("saliency", "ism", "explained_logits"):
        more[name] = np.concatenate([arrays[name], np.zeros_like(arrays[name])])
    # loud at background in every negative, by the one scale of all sequences
    more["ism"][count:] = 2.0
    found = score(truth, more)
    plain = scores_of(score(binary, arrays))
    scored = scores_of(found)
    assert {k: v for k, v in scored.items() if k[0] != "negative_auroc"} == pytest.approx(
        plain, nan_ok=True
    )
    assert scored["negative_auroc", "saliency"] == 1.0
    assert scored["negative_auroc", "ism"] == 0.0
