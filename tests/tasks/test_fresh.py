"""The same task from other random numbers."""

from __future__ import annotations

import hashlib
import os

import numpy as np
import pytest

from motifidelity.errors import UserError
from motifidelity.tasks.dataset import load_dataset
from motifidelity.tasks.fresh import fresh_dataset


@pytest.fixture
def fresh(tiny_spec):
    return fresh_dataset(tiny_spec, 12345)


def test_no_sequence_of_it_is_a_public_one(tiny_spec, fresh):
    public = load_dataset(tiny_spec)
    known = {row.tobytes() for split in public.splits.values() for row in split.sequences}
    assert len(known) == 60
    for split in fresh.splits.values():
        assert not known & {row.tobytes() for row in split.sequences}


def test_it_is_the_same_task(tiny_spec, fresh):
    public = load_dataset(tiny_spec)
    for name, split in fresh.splits.items():
        assert split.sequences.shape == public.splits[name].sequences.shape
        assert split.labels.dtype == np.uint8
    labels = np.concatenate([split.labels for split in fresh.splits.values()])
    assert labels.sum() == 30  # the two populations are of 30 sequences each, whatever the seed
    assert fresh.spec.name == tiny_spec.name
    assert fresh.spec.classes == tiny_spec.classes
    assert fresh.implanted == public.implanted


def test_its_motifs_stand_where_it_says(fresh):
    """An independent look: realised sites score above the background by their own matrix."""
    split = fresh.splits["train"]
    assert split.implants.log_odds.mean() > 5
    for i in range(20):
        ppm = fresh.implanted[split.implants.motif[i]].ppm
        if split.implants.strand[i] < 0:
            ppm = ppm[::-1, ::-1]
        row, start, end = (getattr(split.implants, k)[i] for k in ("sequence", "start", "end"))
        letters = split.sequences[row, start:end]
        score = np.log2(ppm[letters, np.arange(end - start)] / 0.25).sum()
        assert score == pytest.approx(float(split.implants.log_odds[i]), abs=1e-3)


def test_a_seed_gives_the_same_data_and_another_seed_others(tiny_spec, fresh):
    again = fresh_dataset(tiny_spec, 12345)
    other = fresh_dataset(tiny_spec, 54321)
    assert np.array_equal(fresh.splits["test"].sequences, again.splits["test"].sequences)
    assert fresh.spec.digest == again.spec.digest
    assert not np.array_equal(fresh.splits["test"].sequences, other.splits["test"].sequences)
    ids = {fresh.spec.training_digest, other.spec.training_digest, tiny_spec.training_digest}
    assert len(ids) == 3
    digests = {fresh.spec.digest, other.spec.digest, tiny_spec.digest}
    assert len(digests) == 3


def test_its_digests_are_those_of_its_arrays(fresh):
    found = hashlib.sha256(fresh.splits["test"].sequences.tobytes()).hexdigest()
    assert fresh.spec.digests["test"]["sequences"] == found
    assert fresh.spec.digests["test"]["n"] == 12


def test_nothing_of_it_is_cached(tiny_spec, tmp_path, monkeypatch):
    monkeypatch.setenv("MOTIFIDELITY_CACHE", str(tmp_path))
    fresh_dataset(tiny_spec, 7)
    assert not [name for name in os.listdir(tmp_path) if "datasets" in name]  # noqa: PTH208


@pytest.mark.parametrize("seed", [-1, 1 << 32])
def test_a_seed_out_of_range_is_refused(tiny_spec, seed):
    with pytest.raises(UserError, match="choose one from 0"):
        fresh_dataset(tiny_spec, seed)


def test_the_published_seed_is_refused(tiny_spec):
    with pytest.raises(UserError, match="published one"):
        fresh_dataset(tiny_spec, tiny_spec.grammar.seed)
