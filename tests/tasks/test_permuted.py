"""Secret motifs: alike in width and information, and unlike every known one."""

from __future__ import annotations

import numpy as np
import pytest
from engine_specs import AFFINITY, NUMBER, RULES, engine_text
from sklearn.metrics import roc_auc_score

from motifidelity.errors import UserError
from motifidelity.metrics.motifs.tomtom import compare
from motifidelity.runs.oracle_networks import oracle_network
from motifidelity.scoring.truth import Truth
from motifidelity.tasks.dataset import load_dataset
from motifidelity.tasks.fresh import fresh_dataset, secret_motifs_dataset
from motifidelity.tasks.generate import motif_ids
from motifidelity.tasks.motifs import Motif, load_motifs
from motifidelity.tasks.permuted import permuted_motifs
from motifidelity.tasks.spec import parse_spec

SEED = 12345


@pytest.fixture(scope="module")
def known(tiny_spec):
    return load_motifs(tiny_spec.motifs)


@pytest.mark.parametrize("seed", range(3))
def test_even_a_motif_of_two_letters_is_drawn(seed, known):
    """Few orders of SP1, GCCCCGCCCC, are unlike every zinc finger."""
    (found,) = permuted_motifs(["MA0079.3"], known, np.random.default_rng(seed)).values()
    assert compare([found.ppm.T], [m.ppm.T for m in known.values()]).evalues.min() > 0.1


@pytest.fixture(scope="module")
def secret(tiny_spec):
    return secret_motifs_dataset(tiny_spec, SEED)


def columns(motif):
    return sorted(map(tuple, motif.counts.T))


def test_every_implanted_matrix_has_its_origin_s_columns_in_another_order(tiny_spec, known, secret):
    origins = [known[i] for i in motif_ids(tiny_spec)]
    assert len(secret.implanted) == len(origins) == 55
    for mine, origin in zip(secret.implanted, origins, strict=True):
        assert mine.id not in known
        assert columns(mine) == columns(origin)
        assert not np.array_equal(mine.counts, origin.counts)


def test_none_of_them_matches_a_known_motif_or_another_of_them(known, secret):
    mine = [motif.ppm.T for motif in secret.implanted]
    evalues = compare(mine, [*(m.ppm.T for m in known.values()), *mine]).evalues
    assert evalues[:, : len(known)].min() > 0.1
    among = evalues[:, len(known) :]
    assert among[np.tril_indices(len(mine), -1)].min() > 0.1
    # Tomtom does find what matches: most of them themselves
    assert np.median(np.diag(among)) < 1e-3


class FirstInOrder:
    """A generator whose first permutations change nothing."""

    def __init__(self, times):
        self.times, self.rng = times, np.random.default_rng(3)

    def permutation(self, n):
        self.times -= 1
        return np.arange(n) if self.times >= 0 else self.rng.permutation(n)


def test_what_still_matches_is_drawn_again(known):
    rng = FirstInOrder(8)
    found = permuted_motifs(["MA0058.3", "MA0095.2"], known, rng)
    assert list(found) == ["MA0058.3", "MA0095.2"]
    assert rng.times < -1
    for motif_id, motif in found.items():
        assert not np.array_equal(motif.counts, known[motif_id].counts)


def test_a_matrix_that_is_the_same_in_every_order_is_named(known, monkeypatch):
    monkeypatch.setattr("motifidelity.tasks.permuted.MAX_DRAWS", 16)
    same = Motif("MA9999.1", "poly-A", np.tile([[97.0], [1.0], [1.0], [1.0]], 10))
    with pytest.raises(UserError, match=r"motif MA9999\.1: .* in each of 16 orders"):
        permuted_motifs(["MA0058.3", same.id], {**known, same.id: same}, np.random.default_rng(0))


def test_labels_and_places_are_those_of_the_known_motifs_with_this_seed(tiny_spec, secret):
    fresh = fresh_dataset(tiny_spec, SEED)
    for name, split in secret.splits.items():
        other = fresh.splits[name]
        assert np.array_equal(split.labels, other.labels)
        for key in ("sequence", "motif", "strand", "start", "end"):
            assert np.array_equal(getattr(split.implants, key), getattr(other.implants, key))
        assert not np.array_equal(split.sequences, other.sequences)
        # an informative column stands elsewhere in the same site
        assert split.truth.sum() == other.truth.sum()


def test_its_letters_are_drawn_from_the_permuted_matrices(secret):
    split = secret.splits["train"]
    for i in range(20):
        ppm = secret.implanted[split.implants.motif[i]].ppm
        if split.implants.strand[i] < 0:
            ppm = ppm[::-1, ::-1]
        row, start, end = (getattr(split.implants, k)[i] for k in ("sequence", "start", "end"))
        letters = split.sequences[row, start:end]
        assert np.log2(ppm[letters, np.arange(end - start)] / 0.25).sum() == pytest.approx(
            float(split.implants.log_odds[i]), abs=1e-3
        )
    assert split.implants.log_odds.mean() > 5


def test_filters_are_compared_with_known_and_secret_motifs_and_these_alone_are_true(
    tiny_spec, known, secret
):
    assert set(secret.motifs) == {*known, *(motif.id for motif in secret.implanted)}
    core = secret.spec.pools["core"]
    for definition in ("paper", "corrected"):
        table = secret.spec.accepted[definition]
        assert list(table) == list(tiny_spec.accepted[definition])
        assert sorted(i for ids in table.values() for i in ids) == sorted(core)


def test_a_seed_gives_the_same_motifs_and_no_result_passes_for_one_of_the_task(tiny_spec, secret):
    again, other = secret_motifs_dataset(tiny_spec, SEED), secret_motifs_dataset(tiny_spec, 54321)
    fresh = fresh_dataset(tiny_spec, SEED)
    for name in ("digest", "training_digest"):
        digests = [getattr(data.spec, name) for data in (secret, other, fresh)]
        assert len({getattr(tiny_spec, name), *digests}) == 4
        assert getattr(again.spec, name) == digests[0]
    for mine, its in zip(secret.implanted, again.implanted, strict=True):
        assert np.array_equal(mine.counts, its.counts)
    assert load_dataset(tiny_spec).spec.pools == tiny_spec.pools


@pytest.mark.parametrize("engine", [RULES, NUMBER, AFFINITY], ids=("rules", "number", "affinity"))
def test_a_task_by_recipe_has_its_labels_and_places_with_secret_motifs(engine, spec_texts):
    spec = parse_spec(engine_text(spec_texts["motif-classes@2"], engine), draft=True)
    fresh, secret = fresh_dataset(spec, SEED), secret_motifs_dataset(spec, SEED)
    one, other = fresh.splits["test"], secret.splits["test"]
    for name in ("sequence", "motif", "strand", "start", "end"):
        np.testing.assert_array_equal(getattr(one.implants, name), getattr(other.implants, name))
    assert not np.array_equal(one.sequences, other.sequences)
    truth = Truth(secret, spec.profile("full"))
    oracle = oracle_network(truth).logits(np.eye(4, dtype=np.float32)[other.sequences])
    if engine == AFFINITY:
        # noise of variance .11 is all that a label has beside it
        assert (other.labels - oracle).std() == pytest.approx(np.sqrt(0.11), rel=0.4)
    else:
        np.testing.assert_array_equal(one.labels, other.labels)
        assert roc_auc_score(other.labels[:, 0], oracle[:, 0]) > 0.85
