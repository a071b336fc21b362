import numpy as np
import pytest

from motifidelity.metrics.motifs.tomtom import compare


def random_motifs(rng, number, low, high):
    return [rng.dirichlet([0.3] * 4, size=rng.integers(low, high)) for _ in range(number)]


def pvalue_by_enumeration(query, targets):
    """Tomtom's p-values from every possible draw of target columns, without bins or recursion.

    The score of a column pair is minus the Euclidean distance, less its median over all target
    columns; a column that hangs over scores 0. An alignment's null is one independent draw of a
    target column per aligned query column, and alignments are independent (Gupta et al. 2007).
    """
    targets = targets + [target[::-1, ::-1] for target in targets]
    columns = np.concatenate(targets)
    width = len(query)
    scores = -np.linalg.norm(query[:, None] - columns[None], axis=2)
    medians = np.median(scores, axis=1)
    nulls = {}
    for first in range(width):
        sums = np.zeros(1)
        for last in range(first, width):
            sums = np.add.outer(sums, scores[last] - medians[last]).ravel()
            nulls[first, last] = np.sort(sums)
    pvalues = []
    for target in targets:
        pairs = -np.linalg.norm(query[:, None] - target[None], axis=2) - medians[:, None]
        best, spans = -np.inf, []
        for offset in range(1 - width, len(target)):
            rows = [q for q in range(width) if 0 <= q + offset < len(target)]
            best = max(best, sum(pairs[q, q + offset] for q in rows))
            spans.append((rows[0], rows[-1]))
        below = 1.0
        for span in spans:
            below *= np.searchsorted(nulls[span], best - 1e-9) / len(nulls[span])
        pvalues.append(1 - below)
    strands = np.minimum(pvalues[: len(targets) // 2], pvalues[len(targets) // 2 :])
    return 1 - (1 - strands) ** 2


def test_evalues_equal_an_enumeration_of_all_draws_up_to_binning():
    rng = np.random.default_rng(0)
    targets = random_motifs(rng, 25, 3, 5)
    queries = [*random_motifs(rng, 4, 3, 4), targets[0][:3], targets[1][::-1, ::-1][:3]]
    got = compare(queries, targets).evalues
    expected = np.array([pvalue_by_enumeration(query, targets) for query in queries]) * 25
    # memelite has 100 score bins, so p-values agree to some percent on average; the rarest, which
    # is one draw of millions, may share its bin with another draw.
    error = np.abs(np.log10(got / expected))
    assert error.mean() < 0.02
    assert error[expected > 1e-3].max() < 0.12
    assert error.max() < 0.31
    assert expected.min() < 1e-4


def test_a_motif_and_its_reverse_complement_find_themselves():
    rng = np.random.default_rng(1)
    targets = random_motifs(rng, 30, 6, 13)
    widths = [len(target) for target in targets]
    forward = compare(targets, targets)
    reverse = compare([target[::-1, ::-1] for target in targets], targets)
    own = (np.arange(30), np.arange(30))
    for result, strand in ((forward, "+"), (reverse, "-")):
        assert result.evalues.shape == (30, 30)
        np.testing.assert_array_equal(result.evalues.argmin(axis=1), np.arange(30))
        assert (result.evalues[own] < 1e-6).all()
        assert (result.strands[own] == strand).all()
        assert (result.offsets[own] == 0).all()
        np.testing.assert_array_equal(result.overlaps[own], widths)


def test_offset_is_the_target_column_under_the_query_s_first():
    rng = np.random.default_rng(2)
    targets = random_motifs(rng, 30, 12, 13)
    cut = targets[3][4:]
    longer = np.concatenate([rng.dirichlet([0.3] * 4, size=2), targets[5]])
    result = compare([cut, longer, cut[::-1, ::-1]], targets)
    assert (result.offsets[0, 3], result.overlaps[0, 3], result.strands[0, 3]) == (4, 8, "+")
    assert (result.offsets[1, 5], result.overlaps[1, 5], result.strands[1, 5]) == (-2, 12, "+")
    assert (result.offsets[2, 3], result.overlaps[2, 3], result.strands[2, 3]) == (0, 8, "-")


def test_unrelated_motifs_have_as_many_hits_as_the_evalue_says():
    rng = np.random.default_rng(3)
    # One column distribution for all, as the null supposes.
    result = compare(random_motifs(rng, 200, 8, 9), random_motifs(rng, 100, 8, 9))
    for evalue in (1.0, 10.0):
        assert (result.evalues <= evalue).sum(axis=1).mean() == pytest.approx(evalue, rel=0.3)


def test_no_query_gives_an_empty_result_and_no_target_is_refused():
    motif = np.full((5, 4), 0.25)
    assert compare([], [motif]).evalues.shape == (0, 1)
    with pytest.raises(ValueError, match="database is empty"):
        compare([motif], [])
    with pytest.raises(ValueError, match=r"target 0 has shape \(4, 5\)"):
        compare([motif], [motif.T])
