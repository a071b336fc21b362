"""Drawing a registry takes time in proportion to its results, not to their square."""

from __future__ import annotations

import time

from large_registry import TASKS, enlarge
from side_by_side import measure_until

from motifidelity.leaderboard import book, render, site
from motifidelity.leaderboard.pages import versus
from motifidelity.metrics.declare import all_metrics
from motifidelity.summary import ranks

# models of each task
FEW, MANY, TRIALS = 30, 60, 5


def test_twice_the_models_take_about_twice_the_time(tmp_path, monkeypatch, benchmark):
    # one process, so that its processor time is all of it
    monkeypatch.setattr(book, "PAGES_OF_A_WORKER", 10**9)
    # pages as a registry of more than 2,000 results has them
    monkeypatch.setattr(site, "MOST_DETAILED", 0)
    # the best models are compared whatever the others are: a constant that would hide a square
    monkeypatch.setattr(ranks, "MOST_COMPARED", 2)
    monkeypatch.setattr(versus, "MOST", 2)
    seconds = {2: [], FEW: [], MANY: []}

    def draw(models: int) -> None:
        tables, _ = enlarge(models, TRIALS)
        started = time.process_time()
        page = render(tables, tmp_path / f"{models}-{len(seconds[models])}", metrics=all_metrics())
        seconds[models].append(time.process_time() - started)
        # and the two references
        assert len(list((page.parent / "models").iterdir())) == len(TASKS) * models + 2

    draw(2)  # loads what is loaded once

    def side_by_side() -> None:
        draw(FEW)
        draw(MANY)

    measure_until(benchmark, side_by_side, lambda: min(seconds[MANY]) / min(seconds[FEW]), 2.6, 3)
    benchmark.extra_info["seconds"] = min(seconds[MANY])
