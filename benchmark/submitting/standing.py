"""Whether the results of a submission will be ranked, and what a rank of them can say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from motifidelity.statistics import MIN_TRIALS
from motifidelity.submitting.findings import Finding

_CHECK = "ranking"


def ranking(jobs: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    """What to know of a submission's rank before it is looked up; each finding is a warning.

    Parameters
    ----------
    jobs : iterable of mapping
        Rows of the table ``jobs``, failures included.

    Yields
    ------
    Finding
        Only quick results, which have no rank, or fewer than three finished trials of a task and
        parameter set, which leave it provisional.
    """
    trials = Counter(
        (row["task"], row["params"])
        for row in jobs
        if row["status"] == "ok" and row["profile"] == "full"
    )
    if not trials:
        yield Finding(
            _CHECK,
            "warning",
            "no result is of the profile full: none will be ranked",
            "run it with --profile full",
        )
    few = Counter(task for (task, _), count in trials.items() if count < MIN_TRIALS)
    for task, count in sorted(few.items()):
        of = f"{count} parameter sets have" if count > 1 else "there are"
        yield Finding(
            _CHECK,
            "warning",
            f"{of} fewer than {MIN_TRIALS} finished trials: provisional, without a rank",
            "run more with --trials",
            task=task,
        )
