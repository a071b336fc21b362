"""What only a browser can show: that sorting sorts, and that the page keeps to itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = Path("/usr/bin/chromium")
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not CHROMIUM.exists():
        message = f"{CHROMIUM} is absent; install the package chromium"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    sync_api = pytest.importorskip("playwright.sync_api") if not os.environ.get("CI") else None
    if sync_api is None:
        from playwright import sync_api
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=SWITCHES)
        yield opened
        opened.close()


@pytest.fixture
def front(browser: Any, site: Path) -> Iterator[Any]:
    """The front page; the test fails on any request off the disk and on any console message."""
    page = browser.new_page()
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto((site / "index.html").as_uri())
    yield page
    page.goto(next((site / "models").glob("cnn-2-*")).as_uri())
    page.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith("file://")] == []


def column(page: Any, index: int) -> list[str]:
    """Raw values of a column of the first table, from the top."""
    cells = page.locator("table.board").first.locator(f"tbody tr > *:nth-child({index + 1})")
    values: list[str] = cells.evaluate_all("cells => cells.map(c => c.dataset.sort)")
    return values


def heading(page: Any, index: int) -> Any:
    table = page.locator("table.board").first
    return table.locator(f"thead tr:last-child > :nth-child({index + 1}) button")


def wait_sorted(page: Any, index: int, direction: str) -> None:
    page.wait_for_function(
        """([index, direction]) => {
            const table = document.querySelector("table.board");
            const heading = table.tHead.rows[1].cells[index];
            if (heading.getAttribute("aria-sort") !== direction) return false;
            const values = [...table.tBodies[0].rows].map((r) => r.cells[index].dataset.sort);
            const known = values.filter((v) => v !== "").map(Number);
            const sign = direction === "descending" ? -1 : 1;
            return known.every((v, i) => i === 0 || sign * (v - known[i - 1]) >= 0);
        }""",
        arg=[index, direction],
        timeout=3000,
    )


def check_numeric(values: list[str], *, descending: bool) -> None:
    known = [float(value) for value in values if value]
    assert len(known) >= 5
    assert known == sorted(known, reverse=descending)
    assert all(values[: len(known)]), "dashes come last"


@pytest.mark.parametrize("how", ["click", "Enter", "Space"])
def test_sorting_reorders_numerically_with_dashes_last(front: Any, how: str) -> None:
    auroc = 4
    before = column(front, auroc)
    for direction in ("descending", "ascending"):
        button = heading(front, auroc)
        if how == "click":
            button.click()
        else:
            button.focus()
            front.keyboard.press(how)
        wait_sorted(front, auroc, direction)
        check_numeric(column(front, auroc), descending=direction == "descending")
    after = column(front, auroc)
    assert after != before
    assert sorted(after) == sorted(before)
    assert front.evaluate("document.activeElement.tagName") == "BUTTON"


def test_counts_sort_by_size_and_not_by_their_digits(front: Any) -> None:
    found = 8
    heading(front, found).click()
    wait_sorted(front, found, "descending")
    values = column(front, found)
    check_numeric(values, descending=True)
    assert float(values[0]) > 9 > float(values[2])


def test_headings_are_reached_with_the_tab_key(front: Any) -> None:
    heading(front, 3).focus()
    front.keyboard.press("Tab")
    assert front.evaluate("document.activeElement.closest('th').cellIndex") == 4


def test_names_sort_from_the_start_of_the_alphabet_first(front: Any) -> None:
    heading(front, 1).click()
    front.wait_for_function(
        "document.querySelector('table.board').tHead.rows[1].cells[1].ariaSort === 'ascending'"
    )
    names = column(front, 1)
    assert names.index("cnn-2") < names.index("cnn-50") < names.index("dense")


def test_the_front_page_and_its_links_work_without_script(browser: Any, site: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "index.html").as_uri())
    assert page.locator("thead button").count() == 0
    page.locator("summary", has_text="own definitions").first.click()
    assert page.locator("details.paper table").first.is_visible()
    page.locator("table.board tbody a").first.click()
    assert page.locator("h1").inner_text() == "cnn-deep exponential"
    assert page.locator("svg.logo").first.bounding_box()["height"] == pytest.approx(48)
    context.close()


def test_no_width_makes_the_page_itself_scroll_sideways(browser: Any, site: Path) -> None:
    for width in (360, 1440):
        page = browser.new_page(viewport={"width": width, "height": 800})
        models = [
            next((site / "models").glob(f"{name}*")) for name in ("cnn-local", "nnn", "script")
        ]
        for path in (site / "index.html", *models):
            page.goto(path.as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path.name
        page.close()


def test_a_wide_window_shows_every_column_at_once(browser: Any, site: Path) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 800})
    page.goto((site / "index.html").as_uri())
    for region in page.locator(".scroll:has(> table.board):visible").all():
        assert region.evaluate("e => e.scrollWidth <= e.clientWidth")
    page.close()
