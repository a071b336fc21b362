"""The model, task and figure pages in a real browser, from disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import evidence_fixtures as ev
import leaderboard_fixtures as fx
import pytest
from browser_fixtures import browser as browser

from motifidelity.leaderboard import render

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
PAGES = ("models/cnn-deep-*", "models/oracle-*", "tasks/*", "figures.html")


@pytest.fixture(scope="module")
def pages_of(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("evidence")
    tables = ev.with_matches(ev.held_task())
    render(tables, out, metrics=fx.METRICS, evidence=ev.evidence)
    return out


def found(site: Path, pattern: str) -> str:
    [path] = site.glob(pattern)
    return path.as_uri()


@pytest.fixture
def open_page(browser: Any, pages_of: Path) -> Iterator[Any]:
    """Opens a page; the test fails on any request off the disk and on any console message."""
    opened, complaints, requests = [], [], []

    def go(pattern: str, **options: Any) -> Any:
        page = browser.new_context(**options).new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(found(pages_of, pattern))
        opened.append(page)
        return page

    yield go
    for page in opened:
        page.context.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith("file://")] == []


@pytest.mark.parametrize("pattern", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_page: Any, pattern: str, scheme: str) -> None:
    page = open_page(pattern, color_scheme=scheme, bypass_csp=True)
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    page.add_script_tag(path=str(AXE))
    report = page.evaluate("axe.run(document, {resultTypes: ['violations'], preload: false})")
    grave = {
        (found["id"], node["target"][0], node.get("failureSummary", "")[:200])
        for found in report["violations"]
        if found["impact"] in ("serious", "critical")
        for node in found["nodes"]
    }
    assert not grave


@pytest.mark.parametrize("pattern", PAGES)
def test_a_narrow_screen_scrolls_within_its_figures_alone(open_page: Any, pattern: str) -> None:
    page = open_page(pattern, viewport={"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_tracks_are_drawn_where_the_sequence_is(open_page: Any) -> None:
    page = open_page("models/cnn-deep-*")
    strip = page.locator(".example svg.tracks").first
    box = strip.bounding_box()
    band = strip.locator(".band").bounding_box()
    step = box["width"] / (1000 + 128 + 8) * 1000 / 60
    start = box["x"] + box["width"] * 128 / (1000 + 128 + 8)
    assert band["x"] == pytest.approx(start + 10 * step, abs=1.5)
    assert band["width"] == pytest.approx(11 * step, abs=1.5)
    logo = page.locator(".pair").first.bounding_box()
    assert logo["height"] > 60
    # the match is drawn through a definition: it must have ink of its own
    below = page.locator(".pair g:last-of-type use").first.bounding_box()
    assert below["width"] > 40
    assert below["height"] > 15


def test_the_command_can_be_copied(browser: Any, pages_of: Path) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(found(pages_of, "models/cnn-deep-*"))
    command = page.locator(".repeat code").inner_text()
    button = page.locator(".repeat button")
    button.click()
    # what it says stands there for seconds only: it is read where it is awaited
    answer = page.wait_for_function(
        "(said => said !== 'Copy' && said)(document.querySelector('.repeat button').textContent)"
    )
    if answer.json_value() == "Copied":
        assert page.evaluate("navigator.clipboard.readText()").strip() == command
    else:
        assert page.evaluate("getSelection().toString()").strip() == command
    context.close()


def test_without_javascript_nothing_is_offered_that_does_nothing(
    browser: Any, pages_of: Path
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(found(pages_of, "models/cnn-deep-*"))
    assert page.locator("button").count() == 0
    assert page.locator(".repeat code").inner_text().startswith("bench run --model ")
    context.close()
