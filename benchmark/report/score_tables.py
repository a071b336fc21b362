"""Tables of a task's scores: by network, and between floor and ceiling."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from motifidelity.entries import FLOOR_NETWORKS, ORACLE, RANDOM
from motifidelity.metrics.declare import all_metrics
from motifidelity.metrics.headlines import HEADLINES
from motifidelity.metrics.methods import METHODS
from motifidelity.metrics.oracle import normalise
from motifidelity.metrics.readings import OWN, READINGS, letters_of
from motifidelity.report.markdown import NOTHING, both_ends, head, line, mean_of, number
from motifidelity.report.task_scores import OF_NO_NETWORK, Key, TaskScores

# heading, metric, method, digits
Column = tuple[str, str, str, int]
SALIENCY = ("attribution_auroc", "saliency")
# of a task that states no headlines
RESULTS: Sequence[Column] = (
    ("AUROC", "auroc", "", 3),
    ("AUPR", "aupr", "", 3),
    ("match_fraction", "match_fraction", "", 3),
    ("motifs found", "motifs_found", "", 1),
    ("localisation", "localisation_auroc", "filter", 3),
    ("saliency", *SALIENCY, 3),
    ("corrected gradient", "attribution_auroc", "gradient_corrected", 3),
    ("ISM", "attribution_auroc", "ism", 3),
    ("DeepSHAP", "attribution_auroc", "deepshap", 3),
)
FILTERS: Sequence[Column] = (
    ("paper_match_any", "paper_match_any", "", 3),
    ("paper_match_fraction", "paper_match_fraction", "", 3),
    ("match_fraction", "match_fraction", "", 3),
    ("motifs_found", "motifs_found", "", 1),
)
ANY_MOTIF: Column = ("match_any", "match_any", "", 3)


def results_table(found: TaskScores, name: str) -> str:
    """The scores of every network that its task puts first."""
    own = _own_headlines(found)
    if not own:
        return _table(found, name, RESULTS)
    beside = [] if SALIENCY in [score[1:3] for score in own] else [("saliency", *SALIENCY, 3)]
    return _table(found, name, [*own, *beside])


def filters_table(found: TaskScores, name: str) -> str:
    """What the filters of every network are."""
    metrics = all_metrics()
    own = [
        (metric, metric, method, digits)
        for _, metric, method, digits in _own_headlines(found)
        if metrics[metric].family == "filters"
    ]
    return _table(found, name, [*own, ANY_MOTIF] if own else FILTERS)


def scale_table(found: TaskScores, name: str) -> str:
    """Floors, ceiling and the best and worst network of every metric, raw and scaled.

    Of a task that has maps read in several ways each reading is a row, except one that is the
    method's own; of one that states floors they have a column.
    """
    metrics = all_metrics()
    scoring = found.spec.scoring
    several = len(found.spec.attribution.readings) > 1
    stated = any(scoring.fixed_floor(name) is not None for name in metrics)
    floors = [name.lower() for name in (RANDOM, *FLOOR_NETWORKS)]
    lines = head(
        [
            *("metric", "method"),
            *(["reading"] if several else []),
            *(["stated floor"] if stated else []),
            *(*floors, "baselines", "oracle", "baselines, scaled"),
        ]
    )
    for metric, method, reading in _scored(found):
        declared = metrics.get(metric)
        if declared is None or declared.direction == "neutral" or method in OF_NO_NETWORK:
            continue
        key = (metric, method, reading)
        means = found.means(*key).values()
        floor, ceiling = found.floor(*key), found.ceiling(*key)
        scaled = NOTHING
        if not declared.own_network and floor is not None and ceiling is not None:
            places = [normalise(value, floor, ceiling) for value in sorted(means)]
            if places and all(map(isfinite, places)):
                scaled = f"{places[0]:.2f} to {places[-1]:.2f}"
        cells = [f"`{metric}`", method or NOTHING]
        if several:
            cells.append(reading if method in METHODS else NOTHING)
        if stated:
            cells.append(number(scoring.fixed_floor(metric)))
        cells += [mean_of(found.of_entry(name, *key)) for name in (RANDOM, *FLOOR_NETWORKS)]
        lines.append(
            line([*cells, both_ends(means), mean_of(found.of_entry(ORACLE, *key)), scaled])
        )
    return "\n".join(lines)


def _own_headlines(found: TaskScores) -> list[Column]:
    """Columns of the headlines that a task states itself, what belongs to no network left out."""
    if found.spec.headlines == HEADLINES:
        return []
    return [
        (one.label.partition(",")[0].strip(), *one.score, 3)
        for one in found.spec.headlines
        if one.method not in OF_NO_NETWORK
    ]


def _table(found: TaskScores, name: str, columns: Sequence[Column]) -> str:
    lines = head([f"`{name}`", "trials", *(heading for heading, *_ in columns)])
    scores = [(found.of_networks(metric, method), d) for _, metric, method, d in columns]
    for network, trials in found.trials.items():
        values = [mean_of(mine.get(network, ()), digits) for mine, digits in scores]
        lines.append(line([network.label, str(trials), *values]))
    return "\n".join(lines)


def _scored(found: TaskScores) -> list[Key]:
    """What networks have scores of, in the order of the metrics' declaration."""
    order = {name: place for place, name in enumerate(all_metrics())}
    readings: dict[str, int] = {
        name: place for place, name in enumerate(found.spec.attribution.readings)
    }
    return sorted(
        (key for key in found.scored if not _own_again(key[1], key[2])),
        key=lambda key: (order.get(key[0], len(order)), *key[:2], readings.get(key[2], -1)),
    )


def _own_again(method: str, reading: str) -> bool:
    """Whether a reading is by definition the method's own."""
    if reading not in READINGS or reading == OWN or method not in METHODS:
        return False
    return letters_of(method, reading) == letters_of(method, OWN)
