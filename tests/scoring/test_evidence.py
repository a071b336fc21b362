"""Evidence is small, says what the arrays say, and is a file of the registry like any other."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import registry_rows as rr

from motifidelity.errors import DataError
from motifidelity.metrics.methods import base_scores
from motifidelity.metrics.truth.scan import pwm_scan
from motifidelity.registry import Registry
from motifidelity.registry.compact import compact, sound
from motifidelity.registry.merge import merge
from motifidelity.scoring.evidence import (
    EXAMPLES,
    MAX_BYTES,
    WINDOW,
    choose_examples,
    gather_evidence,
    read_evidence,
    stored_evidence,
)
from motifidelity.scoring.truth import Truth


@pytest.fixture(scope="module", params=["motif-classes", "regulatory-code"])
def truth(request, datasets):
    dataset = datasets[request.param]
    profile = dataclasses.replace(dataset.spec.profile("full"), test=300, explained=60)
    return Truth(dataset, profile)


@pytest.fixture(scope="module")
def arrays(truth):
    rng = np.random.default_rng(0)
    shape = (len(truth.explained), truth.spec.length, 4)
    maps = {name: rng.standard_normal(shape).astype(np.float32) for name in truth.methods}
    scan = rng.standard_exponential((len(truth.test.sequences), truth.spec.length))
    return {**maps, "scan_max": scan.astype(np.float32)}


def test_a_record_says_what_the_arrays_say(truth, arrays):
    content = gather_evidence(truth, arrays)
    assert len(content) < MAX_BYTES / 2
    examples = read_evidence(content).examples
    places = choose_examples(truth)
    assert len(examples) == len(places) == EXAMPLES
    for example, place in zip(examples, places, strict=True):
        row = truth.explained[place]
        codes = truth.test.sequences[row]
        np.testing.assert_array_equal(example.codes, codes)
        np.testing.assert_array_equal(example.scan, arrays["scan_max"][row])
        expected = pwm_scan(codes[None], [motif.ppm.T for motif in truth.true_motifs])[0]
        np.testing.assert_allclose(example.pwm, expected, rtol=1e-6)
        assert "random" not in example.maps
        for method, values in example.maps.items():
            read = base_scores(method, arrays[method][place : place + 1], codes[None])[0]
            np.testing.assert_allclose(values, read, atol=np.abs(read).max() / 30_000)
        implants = truth.test.implants
        mine = implants.sequence == row
        named = [truth.dataset.implanted[m].id for m in implants.motif[mine]]
        planted = [site for site in example.sites if site.implanted]
        assert sorted((s.motif, s.start, s.end, s.strand) for s in planted) == sorted(
            zip(
                named,
                *(getattr(implants, k)[mine] for k in ("start", "end", "strand")),
                strict=True,
            )
        )


def test_examples_are_the_tasks_and_show_every_motif_that_they_can(truth, arrays):
    other = {name: -value for name, value in arrays.items()}
    chosen = [
        [example.sequence for example in read_evidence(gather_evidence(truth, each)).examples]
        for each in (arrays, other)
    ]
    assert chosen[0] == chosen[1]
    shown = {
        site.motif
        for example in read_evidence(gather_evidence(truth, arrays)).examples
        for site in example.sites
        if site.implanted and site.core
    }
    assert len(shown) >= min(len(truth.true_motifs), 10)


def test_a_long_sequence_is_kept_as_a_window_with_sites_in_it(truth, arrays, monkeypatch):
    monkeypatch.setattr("motifidelity.scoring.evidence.WINDOW", 60)
    for example in read_evidence(gather_evidence(truth, arrays)).examples:
        assert example.codes.shape == (60,)
        row = truth.test.sequences[example.sequence]
        np.testing.assert_array_equal(example.codes, row[example.start : example.start + 60])
        assert example.sites
        for site in example.sites:
            assert site.end > example.start
            assert site.start < example.start + 60


def test_the_largest_record_stays_within_its_bound(truth, arrays):
    # all methods that there are, windows of full width, values that do not compress
    rng = np.random.default_rng(1)
    long = {
        "codes": rng.integers(0, 4, (EXAMPLES, WINDOW)).astype(np.uint8),
        "pwm": rng.standard_normal((EXAMPLES, WINDOW)).astype(np.float32),
        "scan": rng.standard_normal((EXAMPLES, WINDOW)).astype(np.float32),
        "maps": rng.integers(-32767, 32767, (16, EXAMPLES, WINDOW)).astype(np.int16),
    }
    sink = io.BytesIO()
    np.savez_compressed(sink, **long)
    assert len(sink.getvalue()) < MAX_BYTES - 5_000


def test_a_network_without_filters_has_no_scan(truth, arrays):
    without = {name: value for name, value in arrays.items() if name != "scan_max"}
    assert all(e.scan is None for e in read_evidence(gather_evidence(truth, without)).examples)


def remade(content, change):
    with np.load(io.BytesIO(content)) as stored:
        arrays = {name: stored[name] for name in stored.files}
    about = json.loads(arrays["about"].tobytes())
    change(about, arrays)
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    sink = io.BytesIO()
    np.savez_compressed(sink, **arrays)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda about, arrays: about.update(format=9), "newer version"),
        (lambda about, arrays: about.pop("examples"), "cannot be read"),
        (lambda about, arrays: about["examples"][0].update(start=900), "begins at 900"),
        (lambda about, arrays: about["examples"][0]["sites"][0].update(end=999), "outside"),
        (lambda about, arrays: arrays.pop("pwm"), "cannot be read"),
        (lambda about, arrays: arrays.update(codes=arrays["codes"] + 9), "letter"),
        (lambda about, arrays: arrays.update(maps=arrays["maps"][:, :1]), "shape"),
        (lambda about, arrays: arrays.update(peaks=arrays["peaks"] * np.nan), "nan"),
    ],
)
def test_a_record_that_is_none_is_refused_with_its_reason(truth, arrays, change, why):
    with pytest.raises(ValueError, match=why):
        read_evidence(remade(gather_evidence(truth, arrays), change))


def test_no_damage_gets_through_and_no_bomb_is_unpacked(truth, arrays):
    content = gather_evidence(truth, arrays)
    for cut in (0, 1, 100, len(content) // 2, len(content) - 1):
        with pytest.raises(ValueError, match="cannot be read"):
            read_evidence(content[:cut])
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("codes.npy", bytes(20 << 20))
    with pytest.raises(ValueError, match="unpacks to more"):
        read_evidence(sink.getvalue())
    with pytest.raises(ValueError, match="at most"):
        read_evidence(bytes(MAX_BYTES + 1))


@pytest.fixture
def record(truth, arrays):
    return gather_evidence(truth, arrays)


def recorded(folder: Path, record: bytes, job: str = "a" * 24) -> tuple[Registry, str]:
    registry = Registry(folder)
    return registry, registry.record(dataclasses.replace(rr.result(job), evidence=record))


def test_a_registry_keeps_packs_and_merges_evidence(tmp_path, record):
    registry, name = recorded(tmp_path / "one", record)
    _, bare = Registry(tmp_path / "one"), registry.record(rr.result("b" * 24))
    assert registry.evidence(name) is not None
    assert registry.evidence(bare) is None
    assert sound(registry.store).ok
    target = Registry(tmp_path / "two")
    merge(target.store, [registry.store])
    compact(registry.store)
    packed = Registry(tmp_path / "three")
    merge(packed.store, [registry.store])
    for each in (registry, target, packed):
        assert sound(each.store).ok
        found = stored_evidence(each, name)
        assert found is not None
        np.testing.assert_array_equal(
            found.examples[0].codes, read_evidence(record).examples[0].codes
        )


def test_evidence_that_was_changed_or_lost_is_found(tmp_path, record):
    registry, name = recorded(tmp_path / "one", record)
    path = tmp_path / "one" / "evidence" / f"{name}.npz"
    path.write_bytes(record[:-1] + b"x")
    with pytest.raises(DataError, match="changed"):
        sound(registry.store)
    path.write_bytes(record[:200])
    with pytest.raises(DataError, match="rescore --probe"):
        stored_evidence(registry, name)
    path.unlink()
    with pytest.raises(DataError, match="missing"):
        sound(registry.store)
    (tmp_path / "one" / "evidence" / f"{'c' * 24}.npz").write_bytes(record)
    with pytest.raises(DataError):
        sound(registry.store)
