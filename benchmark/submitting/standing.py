"""Whether the results of a submission will be ranked, and what a rank of them can say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

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
        Only quick results, which have no rank, or one finished trial alone of a task and
        parameter set, whose rank has no interval of its own.
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
    lone = Counter(task for (task, _), count in trials.items() if count == 1)
    for task, count in sorted(lone.items()):
        of = f"{count} parameter sets have" if count > 1 else "there is"
        yield Finding(
            _CHECK,
            "warning",
            f"{of} one finished trial alone: a score without an interval, and a rank that could "
            "be any",
            "run more with --trials",
            task=task,
        )
