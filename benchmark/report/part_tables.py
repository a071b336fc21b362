"""Scores of one task part by part: by rule, by kind of negative, by factor."""

from __future__ import annotations

from motifidelity.entries import CLOSED, KMER_REGRESSION, ORACLE
from motifidelity.metrics.declare import all_metrics
from motifidelity.metrics.readings import OWN
from motifidelity.report.markdown import head, line, mean_of
from motifidelity.report.task_scores import TaskScores

# what stands beside the networks: what knows all, and what counts
BESIDE = (ORACLE, KMER_REGRESSION)
# of these a part says how they are for one thing that was asked; of the others for one output
FAMILIES = ("rules", "effects", "robust")


def parts_table(found: TaskScores, name: str) -> str:
    """Every score of rules, effects and robustness by its parts, the oracle and counting first.

    A score that is one number for the whole task has no parts and is not there.
    """
    metrics = all_metrics()
    asked = found.parts["metric"].map(lambda metric: metrics[metric].family in FAMILIES)
    rows = found.parts[asked]
    if rows.empty:
        return "*No network has been asked yet.*"
    parts = list(dict.fromkeys(rows["target"]))
    lines = head([f"`{name}`", "score", *parts])
    named = [(entry, rows[rows["model"] == entry]) for entry in BESIDE]
    closed = rows[rows["division"] == CLOSED]
    named += [
        (network.label, closed[closed["result_id"].isin(results)])
        for network, results in found.results_of_network.items()
    ]
    for label, mine in named:
        for key, group in mine.groupby(["metric", "method", "reading"], sort=False):
            metric, *read = map(str, key)
            values = [list(group[group["target"] == part]["value"]) for part in parts]
            said = " ".join(word for word in read if word not in ("", OWN))
            score = f"`{metric}`" + (f" of {said}" if said else "")
            lines.append(line([label, score, *(mean_of(value) for value in values)]))
    return "\n".join(lines)
