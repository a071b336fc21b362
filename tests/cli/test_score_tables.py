"""What a run prints: scores between floor and ceiling, and which of them mean little."""

from __future__ import annotations

import json

import pytest
import registry_rows as rr

from motifidelity.cli.scores import AT_CHANCE, print_scores
from motifidelity.entries import KMER_REGRESSION
from motifidelity.registry import Registry, Result
from motifidelity.tasks.spec import find_spec

SCORES = {
    ("auroc", None): (0.5, 1.0),
    ("aupr", None): (0.25, 0.95),
    ("match_fraction", None): (0.0, 1.0),
    ("motifs_found", None): (0.0, 12.0),
    ("localisation_auroc", "filter"): (0.5, 0.99),
    ("attribution_auroc", "saliency"): (0.5, 0.95),
    ("attribution_auroc", "ism"): (0.5, 0.95),
}
# of tasks of version 2
MAPS = {("maps", None): (0.0, 0.9), ("maps_error", None): (0.05, 0.05)}


def record(registry, model, trial, values, **job):
    job_id = f"{model}-{trial}-{job.get('task', '')}".encode().hex()[:24].ljust(24, "0")
    stated = {"task": "motif-classes@1", "profile": "full", "model": model, "params": "{}"}
    stated |= {"model_digest": model, "trial": trial, "seed": trial, "division": "closed", **job}
    scores = [
        rr.row("scores", full=False, metric=metric, method=method, value=value, sd=0.2, n=16)
        for (metric, method), value in values.items()
    ]
    registry.record(
        Result({**rr.row("jobs", full=False, status="ok", **stated), "job_id": job_id}, scores)
    )
    return job_id


def registry_of(folder, place, *, profile="full", trials=3, spread=0.0, **more):
    """A model so far on the way from floor to ceiling in every score, and the two ends."""
    registry = Registry(folder)
    for name, end in (("Random", 0), ("Oracle", 1)):
        ends = {key: pair[end] for key, pair in {**SCORES, **MAPS}.items()}
        record(registry, name, 0, ends, division="reference", profile=profile, **more)
    jobs = []
    for trial in range(trials):
        here = place + spread * (trial - (trials - 1) / 2)
        pairs = {**SCORES, **MAPS}.items()
        values = {key: low + here * (high - low) for key, (low, high) in pairs}
        jobs.append(record(registry, "A model", trial, values, profile=profile, **more))
    return registry, jobs


def printed(registry, jobs, capsys, **given):
    print_scores(registry, jobs, registry.folder / "index.html", **given)
    return capsys.readouterr().out


def test_every_score_stands_between_its_floor_and_its_ceiling_in_80_columns(tmp_path, capsys):
    registry, jobs = registry_of(tmp_path, 0.8, spread=0.01)
    out = printed(registry, jobs, capsys)
    lines = out.splitlines()
    assert lines[0] == "motif-classes@1, profile full (3 trials)"
    assert lines[1].split() == ["score", "mean", "SD", "floor", "ceiling"]
    assert lines[2].split() == ["AUROC", "0.900", "0.005", "0.500", "1.000"]
    assert next(line for line in lines if "motifs found" in line).split()[3:] == [
        *("9.6", "0.1", "0.0", "12.0"),
    ]
    assert max(map(len, lines[:-1])) <= 80
    assert "chance" not in out
    assert "means little" not in out


@pytest.mark.parametrize(
    ("place", "spread", "note"),
    [
        (AT_CHANCE * 0.9, 0.0, "at chance"),
        (AT_CHANCE * 1.1, 0.0, ""),
        (-0.2, 0.0, "at chance"),
        # Student's interval of three trials reaches 2.48 SD to either side
        (0.2, 0.1, "may be chance"),
        (0.3, 0.1, ""),
    ],
)
def test_what_is_not_told_from_chance_is_said(tmp_path, capsys, place, spread, note):
    registry, jobs = registry_of(tmp_path, place, spread=spread)
    out = printed(registry, jobs, capsys, as_json=True)
    rows = {(row["metric"], row["method"]): row for row in json.loads(out)["scores"]}
    assert {row["note"] for row in rows.values()} == {note}
    assert rows["aupr", None]["floor"] == 0.25
    assert rows["aupr", None]["ceiling"] == 0.95
    out = printed(registry, jobs, capsys)
    assert out.count(note) >= len(SCORES) if note else "chance" not in out
    assert ("the network has learned nothing" in out) == (note == "at chance")


def test_a_score_that_does_not_beat_counting_says_so_below_the_table(tmp_path, capsys):
    registry, jobs = registry_of(tmp_path, 0.8, spread=0.01)
    counts = {("auroc", None): 0.89, ("aupr", None): 0.99}
    record(registry, KMER_REGRESSION, 0, counts, division="reference")
    # Student's interval of three trials: 0.900 less 2.48 SD of 0.005
    out = printed(registry, jobs, capsys)
    assert "AUROC: does not beat counting: the lower end of the 95% interval" in out
    assert out.count("does not beat counting") == 1
    assert max(map(len, out.splitlines()[:-1])) <= 80
    found = json.loads(printed(registry, jobs, capsys, as_json=True))["scores"]
    assert [row["metric"] for row in found if row["note"]] == ["auroc"]


@pytest.mark.parametrize("task", ["motif-classes@1", "regulatory-code@1", "regulatory-code@2"])
def test_a_quick_run_says_which_scores_mean_little_and_why(tmp_path, capsys, task):
    spec = find_spec(task)
    registry, jobs = registry_of(tmp_path, 0.8, profile="quick", trials=1, task=spec.id)
    out = printed(registry, jobs, capsys)
    assert max(map(len, out.splitlines()[:-1])) <= 80
    said = " ".join(out.split())
    quick, full = spec.profiles["quick"], spec.profiles["full"]
    assert "Profile quick: never ranked. What means little here, and why:" in said
    assert f"at most {quick.max_epochs} of {full.max_epochs} epochs on {quick.train:,} of" in said
    # the items of each score: an SD of 0.2 over 16
    assert (
        f"maps of {quick.explained} test sequences instead of {full.explained}, a standard error "
        "of 0.050" in said
    )
    assert f"1 trial instead of {full.trials}" in said


def test_without_ceilings_and_floors_there_are_no_columns_of_them(tmp_path, capsys):
    registry = Registry(tmp_path)
    jobs = [record(registry, "A model", 0, {("auroc", None): 0.9})]
    lines = printed(registry, jobs, capsys).splitlines()
    assert lines[1].split() == ["score", "mean"]


def test_failed_trials_are_counted_and_a_score_says_how_many_it_covers(tmp_path, capsys):
    registry, jobs = registry_of(tmp_path, 0.8, trials=2)
    job = {"task": "motif-classes@1", "profile": "full", "model": "A model", "params": "{}"}
    job |= {"model_digest": "A model", "trial": 2, "seed": 2, "division": "closed"}
    failed = {**rr.row("jobs", full=False, status="oom", **job), "job_id": "f" * 24}
    registry.record(Result(failed))
    lines = printed(registry, [*jobs, "f" * 24], capsys).splitlines()
    assert lines[0] == "motif-classes@1, profile full (3 trials, 1 failed)"
    assert lines[1].split() == ["score", "mean", "SD", "floor", "ceiling", "trials"]
    assert lines[2].split()[-1] == "2"
