"""The front page in a browser: what a filter costs does not grow as the rows do."""

from __future__ import annotations

import pytest
from browser_fixtures import browser as browser
from large_registry import enlarge

from motifidelity.leaderboard import render, site
from motifidelity.metrics.declare import all_metrics

# models of each of two tasks, one trial each
FEW, MANY = 50, 500
REFERENCES = 4
ROUNDS = 5

# milliseconds from a filter's change until the page can answer again, what it shows drawn
FILTER = """value => new Promise(done => {
    const filter = document.querySelector('select[data-filter="task"]');
    const started = performance.now();
    filter.value = value;
    filter.dispatchEvent(new Event("change", {bubbles: true}));
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - started)));
})"""
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


@pytest.fixture(scope="module")
def fronts(tmp_path_factory):
    """The front page of either size; the other pages play no part here and are not drawn."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site, "MAKERS", ())
        for models in (FEW, MANY):
            tables, _ = enlarge(models, 1)
            folder = tmp_path_factory.mktemp(f"front-{models}")
            found[models] = render(tables, folder, metrics=all_metrics())
    return found


def test_filtering_ten_times_the_rows_takes_far_less_than_ten_times_as_long(
    fronts, browser, benchmark
):
    opened, painted, usable = {}, {}, {}
    for models, front in fronts.items():
        page = opened[models] = browser.new_page()
        page.goto(front.as_uri())
        page.wait_for_selector("#controls:not([hidden])")
        usable[models] = page.evaluate("performance.now()") / 1000
        painted[models] = page.evaluate(PAINTED) / 1000
        total = 2 * models + REFERENCES
        assert page.inner_text("#count") == f"{total} runs"
    seconds = {FEW: [], MANY: []}

    def side_by_side():
        for models, page in opened.items():
            total = 2 * models + REFERENCES
            for value, shown in (
                ("=motif-classes@1", f"{total // 2} of {total} runs"),
                ("*", f"{total} runs"),
            ):
                seconds[models].append(page.evaluate(FILTER, value) / 1000)
                assert page.inner_text("#count") == shown

    benchmark.pedantic(side_by_side, rounds=ROUNDS, iterations=1)
    # each at its best: what else the machine does only ever adds
    ratio = min(seconds[MANY]) / min(seconds[FEW])
    benchmark.extra_info["ratio"] = ratio
    for models, measured in seconds.items():
        rows = 2 * models + REFERENCES
        benchmark.extra_info |= {
            f"filter seconds, {rows} rows": [min(measured), max(measured)],
            f"first paint seconds, {rows} rows": painted[models],
            f"filterable after seconds, {rows} rows": usable[models],
        }
    # a page shows fifty rows of however many: one that drew all of them would come near ten
    assert ratio <= 5
