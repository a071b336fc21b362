"""Whether a new task can be answered at all: what its oracle has on its test split."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from motifidelity.errors import UserError
from motifidelity.metrics.areas import rank_rows
from motifidelity.metrics.association import pearson
from motifidelity.metrics.scored import REGRESSION
from motifidelity.runs.oracle_networks import oracle_network
from motifidelity.scoring.truth import Truth
from motifidelity.tasks.dataset import Dataset
from motifidelity.tasks.spec import TaskSpec

# AUROC, of classes; a share of a regression target's variance that is no noise
LOWEST_ORACLE, LOWEST_SHARE = 0.7, 0.2
# enough for a standard error of about 0.02
SEQUENCES = 1000


def refuse_unanswerable(dataset: Dataset) -> None:
    """Refuse data of which the oracle, which knows motifs and recipe, cannot tell the labels.

    Parameters
    ----------
    dataset : Dataset
        That is about to be locked.

    Raises
    ------
    UserError
        If its AUROC is below `LOWEST_ORACLE` for a class that is in the first test sequences; of a
        regression, if the exact function has less than `LOWEST_SHARE` of the target's variance.
    """
    spec = dataset.spec
    truth = Truth(dataset, next(iter(spec.profiles.values())))
    test = dataset.splits["test"].head(SEQUENCES)
    logits = oracle_network(truth).logits(np.eye(4, dtype=np.float32)[test.sequences])
    if spec.target == REGRESSION:
        _refuse_noise(spec, logits, test.labels)
        return
    # undefined for a class that none or all of these sequences have
    for name, found in zip(spec.classes, rank_rows(logits.T, test.labels.T).auroc, strict=True):
        if found < LOWEST_ORACLE:
            raise UserError(
                f"task {spec.id}: the oracle, which knows motifs and recipe, has AUROC {found:.2f} "
                f"for {name!r}, below {LOWEST_ORACLE}: no network could answer it; take motifs of "
                "more information, or fewer that look alike"
            )


def _refuse_noise(
    spec: TaskSpec, exact: NDArray[np.floating], labels: NDArray[np.floating]
) -> None:
    share = float(pearson(exact.T, labels.T).min()) ** 2
    if share < LOWEST_SHARE:
        raise UserError(
            f"task {spec.id}: the exact function has {share:.0%} of the target's variance, below "
            f"{LOWEST_SHARE:.0%}: the rest is noise, which no network could answer; lower noise"
        )
