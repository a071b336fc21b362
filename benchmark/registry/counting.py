"""Which of several results of one thing counts: the rule, once for whoever reads results."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import pyarrow as pa

# columns of ``jobs`` that tell the later of two results: a later scoring has its training's start
ORDER = ("started", "result_id")


def which_count(keys: Iterable[Hashable], statuses: Iterable[str]) -> list[bool]:
    """Say of every result whether it counts.

    Of several results under one key the latest counts, except that an infrastructure error, which
    says nothing of the model, never replaces another verdict.

    Parameters
    ----------
    keys : iterable of hashable
        What each result is a result of, the oldest result first (by ``ORDER``).
    statuses : iterable of str
        How each ended.

    Returns
    -------
    list of bool
        True once a key.
    """
    rows = [
        (key, (status != "infra_error", place))
        for place, (key, status) in enumerate(zip(keys, statuses, strict=True))
    ]
    best: dict[Hashable, tuple[bool, int]] = {}
    for key, row in rows:
        best[key] = max(row, best.get(key, row))
    return [best[key] == row for key, row in rows]


def counted_results(jobs: pa.Table, key: Sequence[str]) -> frozenset[str]:
    """Ids of the results that count, of rows of ``jobs`` in any order; see `which_count`.

    Parameters
    ----------
    jobs : Table
    key : sequence of str
        Columns that say what a result is a result of.
    """
    rows = jobs.select([*dict.fromkeys([*key, "status", *ORDER])])
    rows = rows.sort_by([(name, "ascending") for name in ORDER])
    keys = zip(*(rows[name].to_pylist() for name in key), strict=True)
    counts = which_count(keys, rows["status"].to_pylist())
    return frozenset(rows["result_id"].filter(pa.array(counts, pa.bool_())).to_pylist())


def of_own_training(tasks: Iterable[str], networks: Iterable[str]) -> list[bool]:
    """Say of every result whether its network was trained for the version of the task it is of.

    A network that was trained under one version may have scores under later ones too.

    Parameters
    ----------
    tasks : iterable of str
        Name and version of each result's task.
    networks : iterable of str
        Result that each result's network was trained for: ``arrays_of``, or its own.

    Returns
    -------
    list of bool
        True for results of the lowest version that a network has.
    """
    rows = [
        (int(task.rpartition("@")[2]), network)
        for task, network in zip(tasks, networks, strict=True)
    ]
    first: dict[str, int] = {}
    for version, network in sorted(rows):
        first.setdefault(network, version)
    return [first[network] == version for version, network in rows]
