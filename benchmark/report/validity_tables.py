"""Tables of what scores may be read as: readings, floors, rivals, gates, bounds.

Each is of one task, except the contrast of readings, whose mean is over the networks of all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isfinite
from statistics import fmean, stdev

from motifidelity.entries import FLOOR_NETWORKS, KMER_REGRESSION, ORACLE, RANDOM, RIVALS
from motifidelity.metrics.attribution import maps
from motifidelity.metrics.declare import all_metrics
from motifidelity.metrics.gates import FLAGGED, GATES, NOT_RECORDED, Gate
from motifidelity.metrics.methods import METHODS
from motifidelity.metrics.readings import OWN
from motifidelity.report.markdown import NOTHING, both_ends, head, line, mean_of, number
from motifidelity.report.task_scores import OF_NO_NETWORK, Key, Network, TaskScores
from motifidelity.statistics import trial_interval
from motifidelity.summary.rivals import HELD, Against, against_counting
from motifidelity.summary.runs import gather_scores, mark_trials
from motifidelity.summary.stats import index_stats
from motifidelity.summary.verdicts import Judged, judge

MISMATCHED = "attribution_mismatched"
# what a first layer's activation is held against
FIRST, SECOND = "exponential", "relu"
# below this a figure stands as a power of ten
TINY = 0.0005
# heading and score: six ways to make and read maps, saliency as its users read it, and their mean
VIEWS: dict[str, Key] = {
    **{
        f"{METHODS[method].label}, {reading}": (maps.OF_VIEW, method, reading)
        for method, reading in maps.VIEWS
    },
    "saliency": (maps.OF_VIEW, "saliency", OWN),
    "maps": ("maps", "", OWN),
}


def readings_table(found: TaskScores, name: str) -> str:
    """Every network's maps by all views that `maps` is the mean of."""
    lines = head([f"`{name}`", "trials", *VIEWS])
    views = [found.of_networks(*key) for key in VIEWS.values()]
    for network, trials in found.trials.items():
        values = [mean_of(view.get(network, ())) for view in views]
        lines.append(line([network.label, str(trials), *values]))
    return "\n".join(lines)


def reading_contrasts_table(tasks: Iterable[TaskScores]) -> str:
    """By how much the exponential is ahead of ReLU, network by network and view by view.

    Networks are those with trials of both and no other parameter. The last row is the mean over
    networks with Student's interval at 95 %.
    """
    lines = head(["task", "network", "trials", *VIEWS])
    columns: dict[str, list[float]] = {view: [] for view in VIEWS}
    for found in tasks:
        for model in dict.fromkeys(network.model for network in found.trials):
            first, second = (Network(model, activation, "") for activation in (FIRST, SECOND))
            if first not in found.trials or second not in found.trials:
                continue
            cells = []
            for view, key in VIEWS.items():
                means = found.means(*key)
                if first in means and second in means:
                    columns[view].append(means[first] - means[second])
                    cells.append(_signed(columns[view][-1]))
                else:
                    cells.append(NOTHING)
            trials = f"{found.trials[first]}, {found.trials[second]}"
            lines.append(line([f"`{found.spec.name}`", model, trials, *cells]))
    if max(map(len, columns.values())) > 1:
        lines.append(line(["", "mean ± 95 %", "", *map(_mean_with_interval, columns.values())]))
    return "\n".join(lines)


def floors_table(found: TaskScores, name: str) -> str:
    """What knows nothing, what counts, and what knows all, beside the networks."""
    others = (*RIVALS, *FLOOR_NETWORKS)
    named = (*RIVALS, *(name.lower() for name in FLOOR_NETWORKS))
    before = (f"`{name}`", "noise", "stated floor", "mismatched maps")
    lines = head([*before, *named, "networks", "oracle"])
    for label, key in _held(found).items():
        metric, method, reading = key
        mismatched = found.means(MISMATCHED, method, reading) if metric == maps.OF_VIEW else {}
        lines.append(
            line(
                [
                    label,
                    mean_of(found.of_entry(RANDOM, *key)),
                    number(found.spec.scoring.fixed_floor(metric)),
                    both_ends(mismatched.values()),
                    *(mean_of(found.of_entry(other, *key)) for other in others),
                    both_ends(found.means(*key).values()),
                    mean_of(found.of_entry(ORACLE, *key)),
                ]
            )
        )
    return "\n".join(lines)


def bounds_table(found: TaskScores, name: str) -> str:
    """Which networks are not between the floor and the oracle, headline by headline."""
    metrics = all_metrics()
    lines = head([f"`{name}`", "floor", "networks", "oracle", "outside"])
    for one in found.spec.headlines:
        if one.method in OF_NO_NETWORK:
            continue
        floor, ceiling = found.floor(*one.score), found.ceiling(*one.score)
        means = found.means(*one.score)
        outside = NOTHING
        if floor is not None and ceiling is not None and means:
            lower = metrics[one.metric].direction == "lower"
            outside = _outside(means, floor, ceiling, lower=lower)
        ends = (number(floor), both_ends(means.values()), number(ceiling))
        lines.append(line([one.label.strip(), *ends, outside]))
    return "\n".join(lines)


def rivals_table(found: TaskScores, name: str) -> str:
    """Which networks do not beat counting, as `against_counting` has it, and how many."""
    held = _beside_counting(found)
    if not held:
        return "*No network stands beside a 6-mer regression yet.*"
    columns = [column for one in HELD for column in (one, f"{one}, low")]
    lines = head([f"`{name}`", "trials", *columns, "does not beat counting in"])
    counting = [cell for one in HELD for cell in (_counting(found, one), NOTHING)]
    lines.append(line([KMER_REGRESSION, NOTHING, *counting, NOTHING]))
    for network, mine in held.items():
        if below := [one for one, against in mine.items() if against.verdict == "not above"]:
            cells = [cell for one in HELD for cell in _against(mine.get(one))]
            lines.append(
                line([network.label, str(found.trials[network]), *cells, ", ".join(below)])
            )
    counts = []
    for one in HELD:
        verdicts = Counter(mine[one].verdict for mine in held.values() if one in mine)
        unknown = verdicts["not recorded"]
        more = f" ({unknown} not recorded)" if unknown else ""
        counts.append(f"{verdicts['not above']} of {verdicts.total()} in {one}{more}")
    return "\n".join([*lines, "", f"Networks that do not beat counting: {', '.join(counts)}."])


def gates_table(found: TaskScores, name: str) -> str:
    """Every gate: its bound, the networks' figures, and who is past it."""
    counts = ("trials", "flagged trials", "not recorded", "which")
    lines = head([f"`{name}`", "figure", "flagged", "networks", *counts])
    by_gate: dict[Gate, list[tuple[str, Judged]]] = {gate: [] for gate in GATES.values()}
    for label, scores in _by_trial(found):
        for one in judge(found.spec.id, scores):
            by_gate[one.gate].append((label, one))
    for key, gate in GATES.items():
        bound = found.spec.gates.get(key)
        judged = by_gate[gate]
        past = [
            f"{label}: {_figure(one.figure)}" for label, one in judged if one.verdict == FLAGGED
        ]
        unknown = sum(one.verdict == NOT_RECORDED for _, one in judged)
        lines.append(
            line(
                [
                    gate.label,
                    f"`{gate.metric}`",
                    NOTHING if bound is None else f"{gate.bad} {bound:g}",
                    _figures(one.figure for _, one in judged if one.figure is not None),
                    str(len(judged)),
                    str(len(past)),
                    str(unknown),
                    "; ".join(past),
                ]
            )
        )
    return "\n".join(lines)


def _held(found: TaskScores) -> dict[str, Key]:
    """The headlines of a task, and the views that `maps` is of where it is one."""
    headlines = [one for one in found.spec.headlines if one.method not in OF_NO_NETWORK]
    held: dict[str, Key] = {one.label.strip(): one.read_score for one in headlines}
    if any(one.metric == "maps" for one in headlines):
        held |= {view: key for view, key in VIEWS.items() if key[1:] in maps.VIEWS}
    return held


def _outside(means: Mapping[Network, float], floor: float, ceiling: float, *, lower: bool) -> str:
    """The networks that are below the floor, and those above the oracle."""
    sign = -1 if lower else 1
    parts = {
        "worse than the floor": [n for n, value in means.items() if sign * (value - floor) < 0],
        "better than the oracle": [n for n, value in means.items() if sign * (value - ceiling) > 0],
    }
    said = [
        f"{what}: {', '.join(f'{one.label} {number(means[one])}' for one in networks)}"
        for what, networks in parts.items()
        if networks
    ]
    return "; ".join(said) or "none"


def _beside_counting(found: TaskScores) -> dict[Network, Mapping[str, Against]]:
    """Every network beside the 6-mer regression, in the order of their names."""
    trials = mark_trials(found.jobs)
    against = against_counting(trials, index_stats(gather_scores(trials, found.scores)))
    networks = found.network_of_result
    runs = zip(trials["result_id"], trials["run"], strict=True)
    run_of = {networks[result]: run for result, run in runs if result in networks}
    return {one: against[run_of[one]] for one in found.trials if run_of[one] in against}


def _counting(found: TaskScores, name: str) -> str:
    cells = (mean_of(found.of_entry(KMER_REGRESSION, metric)) for metric, _ in HELD[name])
    return next((cell for cell in cells if cell != NOTHING), NOTHING)


def _against(one: Against | None) -> tuple[str, str]:
    return (NOTHING, NOTHING) if one is None else (number(one.mean), number(one.low))


def _by_trial(found: TaskScores) -> Iterator[tuple[str, dict[tuple[str, str], float]]]:
    """The name of every network's trial, and the figures of gates that it has."""
    wanted = [gate.metric for gate in GATES.values()]
    figures: dict[str, dict[tuple[str, str], float]] = {}
    mine = found.scores[found.scores["metric"].isin(wanted) & (found.scores["reading"] == OWN)]
    columns = ("result_id", "metric", "method", "value")
    for result, metric, method, value in zip(*(mine[name] for name in columns), strict=True):
        figures.setdefault(result, {})[metric, method] = float(value)
    for result, network in found.network_of_result.items():
        trial = int(found.trial_of_result[result])
        yield f"{network.label}, trial {trial}", figures.get(result, {})


def _figures(values: Iterable[float]) -> str:
    """The lowest and the highest of figures, of which some are far below others."""
    known = sorted(value for value in values if isfinite(value))
    return " to ".join(_figure(value) for value in (known[0], known[-1])) if known else NOTHING


def _figure(value: float | None) -> str:
    tiny = value is not None and 0 < abs(value) < TINY
    return f"{value:.0e}" if tiny else number(value)


def _signed(value: float) -> str:
    return f"{value:+.3f}"


def _mean_with_interval(values: Sequence[float]) -> str:
    if len(values) < 2:
        return NOTHING
    _, high = trial_interval(fmean(values), stdev(values), len(values))
    return f"{_signed(fmean(values))} ± {float(high) - fmean(values):.3f}"
