"""A small registry that looks like a real one: built from seeds, no stored output."""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from motifidelity.tasks.spec import find_spec

HOSTILE = '<script>alert("x")</script>'
RTL = "evil\u202egnp.exe"
LONG = "n" * 10_000
TFS = [
    "Arid3a",
    "CEBPB",
    "FOSL1",
    "Gabpa",
    "MAFK",
    "MAX",
    "MEF2A",
    "NFYB",
    "SP1",
    "SRF",
    "STAT1",
    "YY1",
]
CONSENSUS = {
    "Arid3a": "ATYAAA",
    "CEBPB": "TTRCRYAAY",
    "FOSL1": "VTGACTCAB",
    "Gabpa": "CCGGAAGTR",
    "MAFK": "TGCTGASTCAGCA",
    "MAX": "CACGTG",
    "MEF2A": "CTAWWWATA",
    "NFYB": "CCAATCAG",
    "SP1": "CCCCGCCCC",
    "SRF": "CCWTATAAGG",
    "STAT1": "TTCCRGGAA",
    "YY1": "CAARATGGCGGC",
}
IUPAC = {
    "A": "A", "C": "C", "G": "G", "T": "T", "R": "AG", "Y": "CT", "W": "AT", "S": "CG",
    "V": "ACG", "B": "CGT",
}  # fmt: skip


@dataclass(frozen=True)
class Tables:
    jobs: pd.DataFrame
    scores: pd.DataFrame
    filters: pd.DataFrame
    history: pd.DataFrame


@dataclass(frozen=True)
class Metric:
    name: str
    family: str
    definition: str
    direction: str = "higher"
    low: float | None = 0.0
    high: float | None = 1.0
    chance: float | None = None
    summary: str = "One sentence on what this says."
    source: str = "Koo & Ploenzke 2021"


def _metrics() -> dict[str, Metric]:
    found = [
        Metric("auroc", "accuracy", "standard", chance=0.5),
        Metric("aupr", "accuracy", "corrected"),
        Metric("paper_aupr", "accuracy", "paper"),
        Metric("match_any", "filters", "corrected"),
        Metric("paper_match_any", "filters", "paper"),
        Metric("match_fraction", "filters", "corrected", summary="Share of true-motif filters."),
        Metric("paper_match_fraction", "filters", "paper"),
        Metric("motifs_found", "filters", "corrected", high=None),
        Metric("motif_recall", "filters", "corrected"),
        Metric("redundancy", "filters", "corrected", direction="lower"),
        Metric("paper_motif_coverage", "filters", "paper"),
        Metric("localisation_auroc", "localisation", "corrected", chance=0.5),
        Metric("paper_localisation_auroc", "localisation", "paper"),
        Metric("attribution_auroc", "attribution", "corrected", chance=0.5),
        Metric("paper_attribution_auroc", "attribution", "paper", chance=0.5),
        Metric("attribution_prevalence", "attribution", "standard", direction="neutral"),
    ]
    return {metric.name: metric for metric in found}


METRICS = _metrics()


def digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()


def motif(consensus: str, rng: np.random.Generator, sharp: float = 0.88) -> np.ndarray:
    rows = []
    for code in f"NN{consensus}NN":
        letters = IUPAC.get(code, "ACGT")
        row = np.full(4, (1 - sharp) / 4)
        row[["ACGT".index(letter) for letter in letters]] += sharp / len(letters)
        rows.append(row + rng.uniform(0, 0.04, 4))
    matrix = np.array(rows)
    return matrix / matrix.sum(axis=1, keepdims=True)


class Builder:
    """Collects rows; `tables()` gives the registry."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, object]]] = {
            "jobs": [], "scores": [], "filters": [], "history": [],
        }  # fmt: skip

    def add(
        self,
        model: str,
        trial: int,
        scores: dict[tuple[str, str], float] | None = None,
        *,
        activation: str | None = "relu",
        task: str = "motif-classes@1",
        status: str = "ok",
        good_filters: float | None = None,
        num_filters: int = 16,
        minute: int = 0,
        **job: object,
    ) -> str:
        params = {} if activation is None else {"activation": activation}
        key = (model, activation, task, job.get("profile", "full"), trial)
        result = digest("result", *key, status, minute)
        self.rows["jobs"].append(
            {
                "result_id": result,
                "job_id": digest("job", *key),
                "task": task,
                "task_digest": digest("task", task),
                "dataset_digest": digest("data", task),
                "profile": "full",
                "model": model,
                "model_file": "models/cnn.py",
                "model_digest": digest("source", model),
                "params": json.dumps(params),
                "trial": np.int32(trial),
                "seed": 1000 + trial,
                "status": status,
                "message": None if status == "ok" else "cnn.py: ran out of luck",
                "division": "closed",
                "runner": "docker",
                "isolation": "container",
                "device": "cpu",
                "backend": "tensorflow",
                "started": pd.Timestamp("2025-03-01T10:00:00Z")
                + pd.Timedelta(minutes=20 * trial + minute),
                "seconds_fit": 601.5 + trial,
                "seconds_probe": 21.0,
                "seconds_score": 4.0,
                "peak_memory": 2 * 2**30,
                "epochs": np.int32(40),
                "best_epoch": np.int32(28),
                "num_weights": 1_234_567,
                "num_filters": np.int32(num_filters),
                "authors": "A. Author",
                "url": "https://example.org/model",
                "license": "MIT",
                "environment": json.dumps(
                    {"python": "3.12.4", "packages": {"keras": "3.15.1", "numpy": "2.1"}}
                ),
                "commit": "0123abc",
                "dirty": False,
                "scored_commit": None,
                "worker_digest": digest("worker"),
                "image_digest": None,
                "warnings": [],
                "files": None,
                **job,
            }
        )
        for (metric, method), value in (scores or {}).items():
            self.score(result, metric, value, method or None)
        if good_filters is not None:
            self._filters(result, good_filters, num_filters)
            self._history(result)
        return result

    def score(
        self, result: str, metric: str, value: float, method: str | None, target: str | None = None
    ) -> None:
        declared = METRICS.get(metric)
        self.rows["scores"].append(
            {
                "result_id": result,
                "job_id": "job",
                "family": declared.family if declared else "unknown",
                "metric": metric,
                "definition": declared.definition if declared else "standard",
                "method": method,
                "target": target,
                "value": value,
                "sd": 0.2,
                "n": 12,
                "metric_version": np.int32(1),
            }
        )

    def _filters(self, result: str, good: float, count: int) -> None:
        rng = np.random.default_rng(int(result[:8], 16))
        for number in range(count):
            for definition in ("corrected", "paper"):
                is_true = rng.uniform() < good
                tf = TFS[int(rng.integers(len(TFS)))]
                flat = not is_true and rng.uniform() < 0.15
                if is_true:
                    ppm = motif(CONSENSUS[tf], rng)
                elif flat:
                    ppm = np.full((20, 4), 0.25)
                else:
                    ppm = rng.dirichlet(np.full(4, 1.1), 14)
                other = not is_true and not flat and rng.uniform() < 0.3
                self.rows["filters"].append(
                    {
                        "result_id": result,
                        "job_id": "job",
                        "filter": np.int32(number),
                        "definition": definition,
                        "num_sites": 100,
                        "ppm": ppm.astype(np.float32).ravel().tolist(),
                        "width": np.int32(len(ppm)),
                        "information": 8.0,
                        "best_hit": "MA0000.1" if is_true or other else None,
                        "best_hit_name": tf if is_true else "FOXP2" if other else None,
                        "evalue": 3.2e-6 if is_true else 0.04 if other else 2.4,
                        "strand": "+",
                        "offset": np.int32(0),
                        "overlap": np.int32(9),
                        "true_tf": tf if is_true else None,
                        "true_evalue": 3.2e-6 if is_true else None,
                    }
                )

    def _history(self, result: str) -> None:
        for epoch in range(1, 41):
            fall = float(np.exp(-epoch / 9))
            self.rows["history"].append(
                {
                    "result_id": result,
                    "job_id": "job",
                    "epoch": np.int32(epoch),
                    "loss": 0.12 + 0.5 * fall,
                    "val_loss": 0.16 + 0.45 * fall + 0.001 * epoch,
                    "val_auroc": 0.97 - 0.4 * fall,
                    "val_aupr": 0.9 - 0.7 * fall,
                    "learning_rate": 1e-3,
                    "seconds": 10.0,
                }
            )

    def tables(self) -> Tables:
        return Tables(**{name: pd.DataFrame(rows) for name, rows in self.rows.items()})


def cnn_scores(
    rng: np.random.Generator,
    auroc: float,
    match: float,
    local: float,
    *,
    found: int,
    total: int = 12,
) -> dict[tuple[str, str], float]:
    def near(value: float, spread: float = 0.01) -> float:
        return float(np.clip(value + rng.normal(0, spread), 0, 1))

    count = max(0, found - int(rng.integers(0, 2)))
    return {
        ("auroc", ""): near(auroc, 0.002),
        ("aupr", ""): near(auroc - 0.07, 0.004),
        ("paper_aupr", ""): near(auroc - 0.072, 0.004),
        ("match_any", ""): near(min(match + 0.08, 1.0), 0.02),
        ("paper_match_any", ""): near(min(match + 0.1, 1.0), 0.02),
        ("match_fraction", ""): near(match, 0.03),
        ("paper_match_fraction", ""): near(match, 0.03),
        ("motifs_found", ""): float(count),
        ("motif_recall", ""): count / total,
        ("redundancy", ""): near(0.4, 0.05),
        ("paper_motif_coverage", ""): max(count - 1, 11) / 12,
        ("localisation_auroc", "filter"): near(local, 0.012),
        ("localisation_auroc", "pwm"): 0.968,
        ("paper_localisation_auroc", "filter"): near(local - 0.06, 0.012),
        ("paper_localisation_auroc", "pwm"): 0.884,
    }


def attribution_scores(
    rng: np.random.Generator, saliency: float, ism: float
) -> dict[tuple[str, str], float]:
    values = {}
    for method, value in (("saliency", saliency), ("ism", ism)):
        values["attribution_auroc", method] = float(value + rng.normal(0, 0.02))
        values["paper_attribution_auroc", method] = float(value - 0.01 + rng.normal(0, 0.02))
    return values


# of the study's tasks, version 2: what noise and what the oracle get
ENDS = {
    ("auroc", ""): (0.5, 0.9),
    ("filter_f1", ""): (0.0, 1.0),
    ("maps", ""): (0.0, 0.95),
}


def able_networks(tasks: tuple[str, ...] = ("motif-classes@2", "regulatory-code@2")) -> Builder:
    """Networks on tasks as they are published: one predicts best, one has the best maps."""
    builder = Builder()
    for task in tasks:
        spec = find_spec(task)
        given = {"task": task, "task_digest": spec.digest}
        for place, model in enumerate(("Random", "Oracle")):
            scores = {key: ends[place] for key, ends in ENDS.items()}
            builder.add(model, 0, scores, activation=None, division="reference", **given)
        for model, steps, own in (
            ("predicts", (1, -1, 0), (0.88, 0.4, 0.70)),
            ("maps", (-1, 0, 1), (0.80, 0.6, 0.90)),
            ("few", (-1,), (0.70, 0.1, 0.60)),
        ):
            for trial, step in enumerate(steps):
                scores = {key: value + 0.004 * step for key, value in zip(ENDS, own, strict=True)}
                builder.add(model, trial, scores, **given)
    return builder


@functools.cache
def realistic() -> Tables:
    """Two tasks, several activations, failures, an open row, a quick row, hostile names."""
    rng = np.random.default_rng(7)
    builder = Builder()
    for activation, auroc, match, local, found in (
        ("exponential", 0.974, 0.9, 0.945, 12),
        ("relu", 0.974, 0.06, 0.46, 1),
        ("softplus", 0.972, 0.22, 0.55, 4),
        ("tanh", 0.958, 0.12, 0.5, 2),
    ):
        for trial in range(3):
            scores = cnn_scores(rng, auroc, match, local, found=found)
            result = builder.add(
                "cnn-deep", trial, scores, activation=activation, good_filters=match
            )
            for tf in TFS:
                builder.score(result, "auroc", float(rng.uniform(0.95, 0.99)), None, tf)
                builder.score(result, "aupr", float(rng.uniform(0.85, 0.95)), None, tf)
    for trial in range(3):
        if trial == 1:
            builder.add(
                "cnn-2", trial, activation="exponential", status="oom",
                message="killed: memory limit of 4 GiB reached in epoch 3",
            )  # fmt: skip
        else:
            scores = cnn_scores(rng, 0.965, 0.8, 0.9, found=11)
            builder.add("cnn-2", trial, scores, activation="exponential", good_filters=0.8)
    builder.add("cnn-50", 0, activation="relu", status="timeout", message="stopped after 2 h")
    dense = {key: value for key, value in cnn_scores(rng, 0.81, 0, 0, found=0).items()
             if key[0] in {"auroc", "aupr", "paper_aupr"}}  # fmt: skip
    builder.add("dense", 0, dense, activation=None, num_filters=0)
    builder.add(
        HOSTILE, 0, cnn_scores(rng, 0.9, 0.3, 0.6, found=4), activation="relu", good_filters=0.3,
        division="open", isolation="none", runner="process", url="javascript:alert(1)",
        authors=RTL, license="<b>mine</b>",
    )  # fmt: skip
    builder.add(
        LONG, 0, activation='"><img src=x onerror=alert(1)>', status="model_error", message=LONG
    )
    builder.add(
        "cnn-deep", 0, cnn_scores(rng, 0.7, 0.99, 0.99, found=12),
        activation="exponential", profile="quick", good_filters=0.5,
    )  # fmt: skip
    for activation, auroc, match, local, saliency, ism in (
        ("exponential", 0.958, 0.8, 0.9, 0.824, 0.861),
        ("relu", 0.95, 0.1, 0.5, 0.757, 0.788),
    ):
        for trial in range(3):
            scores = cnn_scores(rng, auroc, match, local, found=int(5 * match) + 1, total=5)
            scores |= attribution_scores(rng, saliency, ism)
            builder.add(
                "cnn-local", trial, scores, activation=activation, task="regulatory-code@1",
                good_filters=match,
            )  # fmt: skip
    return builder.tables()


def shuffled(tables: Tables, seed: int = 0) -> Tables:
    """The same registry with the rows of every table in another order."""
    return replace(
        tables,
        **{
            name: getattr(tables, name).sample(frac=1, random_state=seed)
            for name in ("jobs", "scores", "filters", "history")
        },
    )


def empty() -> Tables:
    return Tables(pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), pd.DataFrame())
