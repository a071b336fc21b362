"""Two chosen runs beside each other, whatever they are: other versions, parameters, backends."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

from motifidelity.errors import UserError
from motifidelity.statistics import Comparison, compare_pair
from motifidelity.summary.names import NAMED_BY, find_runs, name_runs
from motifidelity.summary.query import SCORE, Query, Source, answer
from motifidelity.summary.runs import BOARD, RUN_KEY

if TYPE_CHECKING:
    import pandas as pd

MOST_LISTED = 8
SHOWN = ("task", "profile", "metric", "method", "target")


def compare_two(
    source: Source, query: Query, first: str, second: str, kind: Literal["t", "rank"] = "t"
) -> pd.DataFrame:
    """Compare two runs on every task and score that both have.

    Parameters
    ----------
    source : Source
    query : Query
        Its filters say which tasks and scores.
    first, second : str
        As `names.find_runs` reads them; on each task and profile one run each.
    kind : {"t", "rank"}
        Tests of means, or of ranks.

    Returns
    -------
    DataFrame
        The fields of `motifidelity.statistics.Comparison` behind task, profile, metric, method and
        target. P-values are of that one pair: none is adjusted for the number of scores.

    Raises
    ------
    UserError
        If a text names no run, or several of one task and profile; if both name the same run, or
        the query something unknown.
    """
    import pandas as pd

    trials = answer(source, dataclasses.replace(query, per_trial=True, columns=(), sort=()))
    runs = _runs(source, query)
    sides = [_one_each(runs, text) for text in (first, second)]
    boards = sides[0].merge(sides[1], on=[*BOARD], suffixes=("", "_other"))
    if (same := boards[boards["label"] == boards["label_other"]]).size:
        raise UserError(
            f"'{first}' and '{second}' are the same run of {same['task'].iloc[0]}: "
            f"{same['label'].iloc[0]}"
        )
    # failed trials have none
    scored = trials[trials["metric"].notna()].merge(runs[[*RUN_KEY, "label"]], on=[*RUN_KEY])
    # a missing value is equal to none, so that it could not be looked up
    scored = scored.astype(dict.fromkeys(SCORE, object)).fillna(dict.fromkeys(SCORE, ""))
    by_score = dict(list(scored.groupby([*BOARD, "label", *SCORE])))
    rows: list[dict[str, Any]] = []
    for board in boards.to_dict("records"):
        for key, mine in by_score.items():
            about = dict(zip([*BOARD, "label", *SCORE], key, strict=True))
            if any(about[name] != board[name] for name in (*BOARD, "label")):
                continue
            other = by_score.get((*key[: len(BOARD)], board["label_other"], *key[len(BOARD) + 1 :]))
            if other is None:
                continue
            pair = compare_pair(
                board["label"], _by_seed(mine), board["label_other"], _by_seed(other), kind
            )
            shown = {name: about[name] or None for name in SHOWN}
            rows.append({**shown, **dataclasses.asdict(pair)})
    fields = [field.name for field in dataclasses.fields(Comparison)]
    return pd.DataFrame(rows, columns=[*SHOWN, *fields])


def _runs(source: Source, query: Query) -> pd.DataFrame:
    """All runs that the query leaves, whatever scores they have, with their labels."""
    columns = [*dict.fromkeys([*RUN_KEY, *NAMED_BY, "started"])]
    runs = source.latest("jobs")["jobs"].select(columns).to_pandas()
    runs = runs.sort_values("started").drop_duplicates([*RUN_KEY])
    for name in ("profile", "division", "isolation", "backend"):
        if asked := getattr(query, name):
            runs = runs[runs[name].isin(asked)]
    if query.task:
        plain = runs["task"].str.partition("@")[0]
        runs = runs[runs["task"].isin(query.task) | plain.isin(query.task)]
    labelled: pd.DataFrame = runs.assign(label=[name.label for name in name_runs(runs)])
    return labelled


def _one_each(runs: pd.DataFrame, text: str) -> pd.DataFrame:
    """The runs that a text names, one a task and profile."""
    found = runs[find_runs(runs, text)]
    for _, mine in found.groupby([*BOARD], sort=True):
        if len(mine) > 1:
            listed = ", ".join(f"'{label}'" for label in mine["label"][:MOST_LISTED])
            listed += ", ..." if len(mine) > MOST_LISTED else ""
            raise UserError(
                f"'{text}' is {len(mine)} runs of {mine['task'].iloc[0]}, profile "
                f"{mine['profile'].iloc[0]}; name one: {listed}"
            )
    return found[[*BOARD, "label"]]


def _by_seed(trials: pd.DataFrame) -> dict[int, float]:
    return {
        int(seed): float(value) for seed, value in zip(trials["seed"], trials["value"], strict=True)
    }
