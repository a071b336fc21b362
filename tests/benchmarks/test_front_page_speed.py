"""The front page in a browser: what a filter costs does not grow as the rows do."""

from __future__ import annotations

import pytest
from browser_fixtures import browser as browser
from large_registry import REFERENCES, TASKS, enlarge
from side_by_side import measure_until

from motifidelity.leaderboard import render, site
from motifidelity.metrics.declare import all_metrics

# models of each task, one trial each
FEW, MANY = 50, 500
MOST = 10

# milliseconds from a control's change until the page can answer again, what it shows drawn
CHANGE = """([selector, event, value]) => new Promise(done => {
    const control = document.querySelector(selector);
    const started = performance.now();
    const tab = [...control.querySelectorAll("input")].find((one) => one.value === value);
    if (tab) tab.checked = true;
    else control.value = value;
    control.dispatchEvent(new Event(event, {bubbles: true}));
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - started)));
})"""
FILTER = ('fieldset[data-filter="task"]', "change")
SEARCH = ("#search", "input")
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def rows(models: int) -> int:
    """Rows of the page: every task's models and references."""
    return len(TASKS) * (models + len(REFERENCES))


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
        assert page.inner_text("#count") == f"{rows(models)} runs"
    seconds = {(control, models): [] for control in (FILTER, SEARCH) for models in fronts}

    def side_by_side():
        for (control, models), measured in seconds.items():
            page, total = opened[models], rows(models)
            narrow, wide = (f"={TASKS[0]}", "*") if control == FILTER else ("motif-classes", "")
            for value, shown in (
                (narrow, f"{total // len(TASKS)} of {total} runs"),
                (wide, f"{total} runs"),
            ):
                measured.append(page.evaluate(CHANGE, [*control, value]) / 1000)
                assert page.inner_text("#count") == shown

    def ratio():
        return min(seconds[FILTER, MANY]) / min(seconds[FILTER, FEW])

    # a page shows fifty rows of however many: one that drew all of them would come near ten
    measure_until(benchmark, side_by_side, ratio, 5, MOST)
    for models in fronts:
        benchmark.extra_info[f"seconds, {rows(models)} rows"] = {
            "first paint": painted[models],
            "until it can be filtered": usable[models],
            "filters": sorted(seconds[FILTER, models]),
            "searches": sorted(seconds[SEARCH, models]),
        }
