"""Maps from gradients along straight paths between references and the sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..shuffles import generator, references
from .gradients import POINTS_PER_CALL, gradients_at
from .result import CONTRIBUTION, SHARE, SHUFFLED, AttributionResult, Method, Report, Settings

if TYPE_CHECKING:
    from ...frozen.network import FrozenNetwork


def integrated_gradients(
    network: FrozenNetwork, one_hot: Any, settings: Settings, report: Report
) -> AttributionResult:
    """Integral of the gradient from a reference to the sequence, times their difference.

    Sundararajan et al. 2017 (arXiv:1703.01365), by the trapezoidal rule, mean over references.

    Parameters
    ----------
    settings : dict
        ``reference``: a kind of `references`; ``references``: how many; ``steps``: intervals of
        the path; ``seed``; ``hypothetical``: whether to keep hypothetical contributions.

    Returns
    -------
    AttributionResult
        Contribution of each base, in logits, at the letter that is there; its sum is the
        difference of logits but for the ``completeness`` error of the rule. Hypothetical
        contributions put each letter in turn in place of the one that is there.
    """
    steps = settings["steps"]
    shares = np.linspace(0.0, 1.0, steps + 1, dtype=np.float32)
    weights = np.full(steps + 1, 1.0 / steps, dtype=np.float32)
    weights[[0, -1]] /= 2

    def averaged(batch: Any, others: Any) -> Any:
        """Mean gradient along each path, (n, k, length, 4, classes)."""
        points = _between(batch[:, None, None], others[:, :, None], shares[:, None, None])
        gradients = gradients_at(network, points.reshape(-1, *batch.shape[1:]))
        gradients = gradients.reshape(*points.shape, -1)
        return np.einsum("nkslbc,s->nklbc", gradients, weights)

    return _along(averaged, network, one_hot, settings, report, steps + 1)


def expected_gradients(
    network: FrozenNetwork, one_hot: Any, settings: Settings, report: Report
) -> AttributionResult:
    """Expectation of integrated gradients over references, one random point on each path.

    Erion et al., Nat. Mach. Intell. 3, 620-631 (2021). The points on the paths are stratified:
    path j of k gives one uniform draw from [j/k, (j+1)/k).

    Parameters
    ----------
    settings : dict
        ``reference``, ``references`` (paths), ``seed``, ``hypothetical``: as
        `integrated_gradients`.

    Returns
    -------
    AttributionResult
        As `integrated_gradients`.
    """

    def sampled(batch: Any, others: Any) -> Any:
        """Gradient at one point of each path, (n, k, length, 4, classes)."""
        paths = settings["references"]
        others = np.broadcast_to(others, (len(batch), paths, *batch.shape[1:]))
        # a stream of its own: the shuffles used the sequence's
        drawn = [
            generator(row.argmax(axis=1), settings["seed"] + 2**32).random(paths) for row in batch
        ]
        shares = ((np.stack(drawn) + np.arange(paths)) / paths).astype(np.float32)
        points = _between(batch[:, None], others, shares[..., None, None])
        gradients = gradients_at(network, points.reshape(-1, *batch.shape[1:]))
        return gradients.reshape(*points.shape, -1)

    return _along(sampled, network, one_hot, settings, report, 1)


def _along(
    gradients: Any,
    network: FrozenNetwork,
    one_hot: Any,
    settings: Settings,
    report: Report,
    points: int,
) -> AttributionResult:
    """Contributions from the mean gradients that a method finds on the paths of a batch."""
    shape = (*one_hot.shape, network.classes)
    hypothetical = np.empty(shape, dtype=np.float32)
    gap = np.empty((len(one_hot), network.classes))
    per_call = max(1, POINTS_PER_CALL // (settings["references"] * points))
    for start in range(0, len(one_hot), per_call):
        batch = one_hot[start : start + per_call]
        rows = slice(start, start + len(batch))
        others = references(batch, settings["reference"], settings["references"], settings["seed"])
        hypothetical[rows] = in_place_of(gradients(batch, others), others)
        gap[rows] = logit_gap(network, batch, others)
        report("step", done=rows.stop, of=len(one_hot))
    maps = hypothetical * one_hot[..., None]
    error = maps.sum(axis=(1, 2), dtype=np.float64) - gap
    kept = hypothetical if settings["hypothetical"] else None
    return AttributionResult(maps, error.astype(np.float32), kept)


def in_place_of(multipliers: Any, others: Any) -> Any:
    """Hypothetical contributions: each letter in place of the references, mean over these.

    Parameters
    ----------
    multipliers : ndarray (n, k or 1, length, 4, classes)
    others : ndarray (n, k or 1, length, 4)
        References.

    Returns
    -------
    ndarray (n, length, 4, classes)
        ``mean_k sum_b' multiplier[b'] (e_b - reference)[b']``.
    """
    reference = np.einsum(
        "nklbc,nklb->nlc",
        multipliers,
        np.broadcast_to(others, (others.shape[0], multipliers.shape[1], *others.shape[2:])),
    )
    mean = multipliers.mean(axis=1)
    return mean - reference[:, :, None] / multipliers.shape[1]


def logit_gap(network: FrozenNetwork, batch: Any, others: Any) -> Any:
    """Logit minus the mean logit of the references, (n, classes) float64."""
    n, k = others.shape[:2]
    at_references = network.logits(others.reshape(n * k, *batch.shape[1:])).astype(np.float64)
    return network.logits(batch) - at_references.reshape(n, k, -1).mean(axis=1)


def _between(sequence: Any, reference: Any, share: Any) -> Any:
    return reference + share * (sequence - reference)


METHODS = (
    Method(
        integrated_gradients,
        name="integrated_gradients",
        label="Integrated gradients",
        summary="trapezoidal path integral, times x - reference (Sundararajan et al. 2017)",
        meaning=SHARE + "by gradients along the straight path between the two",
        base="observed",
        quantity="contribution",
        reason=CONTRIBUTION,
        complete=True,
        defaults={**SHUFFLED, "steps": 20},
        cheapest={"references": 1, "steps": 2},
    ),
    Method(
        expected_gradients,
        name="expected_gradients",
        label="Expected gradients",
        summary="gradient at one random point on each of 100 paths, times x - reference (Erion et "
        "al. 2021)",
        meaning=SHARE + "by gradients at random points of the straight paths",
        base="observed",
        quantity="contribution",
        reason=CONTRIBUTION,
        complete=True,
        defaults={**SHUFFLED, "references": 100},
        cheapest={"references": 2},
    ),
)
