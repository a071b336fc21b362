import dataclasses

import numpy as np
import pytest
from Bio.motifs.matrix import FrequencyPositionMatrix

from motifidelity.errors import DataError
from motifidelity.tasks.motifs import load_motifs, motifs_digest, reverse_complement_ppm
from motifidelity.tasks.spec import find_spec

SOURCE = find_spec("motif-classes").motifs


@pytest.fixture
def fresh_motifs():
    """The database is read once a process: read it anew in this test, and after it."""
    load_motifs.cache_clear()
    yield
    load_motifs.cache_clear()


def test_the_database_is_jaspar_2016_core_vertebrates(jaspar):
    motifs = load_motifs(SOURCE)
    assert len(motifs) == 519
    assert list(motifs) == list(jaspar)
    for motif_id, motif in motifs.items():
        assert (motif.id, motif.name) == (motif_id, jaspar[motif_id].name)
        assert motif.width == jaspar[motif_id].length
        expected = [jaspar[motif_id].counts[letter] for letter in "ACGT"]
        np.testing.assert_array_equal(motif.counts, expected)


def test_probabilities_are_counts_over_column_sums(jaspar):
    for motif_id, motif in load_motifs(SOURCE).items():
        expected = jaspar[motif_id].counts.normalize()
        np.testing.assert_allclose(motif.ppm, [expected[letter] for letter in "ACGT"], rtol=1e-12)
        np.testing.assert_allclose(motif.ppm.sum(axis=0), 1, rtol=1e-12)
        assert motif.ppm.shape == (4, motif.width)


def test_probabilities_cannot_be_changed_by_whoever_reads_them():
    with pytest.raises(ValueError, match="read-only"):
        load_motifs(SOURCE)["MA0151.1"].ppm[0, 0] = 1


def test_the_reverse_complement_is_biopython_s():
    for motif in list(load_motifs(SOURCE).values())[::40]:
        counts = FrequencyPositionMatrix("ACGT", dict(zip("ACGT", motif.counts, strict=True)))
        other = counts.reverse_complement().normalize()
        np.testing.assert_allclose(
            reverse_complement_ppm(motif.ppm), [other[letter] for letter in "ACGT"], rtol=1e-12
        )


def test_the_digest_sees_id_name_width_and_every_count():
    motifs = load_motifs(SOURCE)
    few = {motif_id: motifs[motif_id] for motif_id in ("MA0151.1", "MA0058.3")}
    first = few["MA0151.1"]
    counts = first.counts.copy()
    counts[2, 1] += 1
    changes = [
        dataclasses.replace(first, counts=counts),
        dataclasses.replace(first, counts=first.counts[:, :-1]),
        dataclasses.replace(first, name="Arid3b"),
        dataclasses.replace(first, id="MA0151.2"),
    ]
    digests = {motifs_digest({**few, "MA0151.1": changed}) for changed in changes}
    assert len(digests | {motifs_digest(few)}) == 5
    assert motifs_digest(dict(reversed(few.items()))) == motifs_digest(few)


def test_a_database_with_one_changed_count_is_refused(monkeypatch, fresh_motifs):
    import pyjaspar

    class Changed(pyjaspar.jaspardb):
        def fetch_motifs(self, **conditions):
            records = list(super().fetch_motifs(**conditions))
            records[100].counts["G"][2] += 1
            return records

    monkeypatch.setattr(pyjaspar, "jaspardb", Changed)
    with pytest.raises(DataError) as error:
        load_motifs(SOURCE)
    message = str(error.value)
    assert "JASPAR2016" in message
    assert SOURCE.digest[:12] in message
    assert "pyjaspar" in message
    assert "\n" not in message


def test_a_task_locked_to_other_matrices_is_refused():
    with pytest.raises(DataError, match="is not the locked 000000000000"):
        load_motifs(dataclasses.replace(SOURCE, digest="0" * 64))
