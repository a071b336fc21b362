"""What only a browser can show: that the pages work, print, and keep to themselves."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import leaderboard_fixtures as fx
import pandas as pd
import pytest
from browser_fixtures import CHROMIUM, SWITCHES, require
from browser_fixtures import browser as browser

from motifidelity.leaderboard import render
from motifidelity.leaderboard.serving import open_server

VENDOR = Path(__file__).parent / "vendor"
AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
# one of each kind of page
KINDS = (
    "index.html",
    "boards/motif-classes-1-full*",
    "models/cnn-deep-relu*",
    "models/script*",
    "metrics/index.html",
    "metrics/attribution-auroc*",
    "compare.html",
    "claims.html",
    "about.html",
    "history.html",
    "changelog.html",
)


@pytest.fixture(scope="module")
def served(site: Path) -> Iterator[str]:
    with open_server(site, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """A tab; the test fails on any request off the site and on any console message.

    It takes the test's folder so that it closes before the folder is removed: the browser fetches a
    page's icon when it likes.
    """
    context = browser.new_context(accept_downloads=True)
    page = context.new_page()
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []
    here = ("file://", "http://127.0.0.1:", "blob:")
    assert [url for url in requests if not url.startswith(here)] == []


@pytest.fixture(params=["file", "http"])
def front(request: pytest.FixtureRequest, page: Any, site: Path, served: str) -> Any:
    """The front page, from disk and over HTTP."""
    page.goto((site / "index.html").as_uri() if request.param == "file" else served)
    page.wait_for_selector("#controls:not([hidden])")
    return page


@pytest.fixture
def board(page: Any, site: Path) -> Any:
    """A task's page; it counts in `window.sorts` how often a table has been sorted."""
    page.goto(next((site / "boards").glob("motif-classes-1-full*")).as_uri())
    page.evaluate(
        """() => {
            window.sorts = 0;
            document.addEventListener("sort-end", () => { window.sorts += 1; });
        }"""
    )
    return page


def wait_for_sorts(board: Any, count: int) -> None:
    """The rows move a moment after the heading says how they are sorted."""
    board.wait_for_function("count => window.sorts === count", arg=count)


def shown(page: Any) -> list[dict[str, Any]]:
    """The front page's table as a person sees it: visible rows, visible columns, raw values."""
    rows: list[dict[str, Any]] = page.evaluate(
        """() => {
            const table = document.getElementById("runs");
            const heads = [...table.tHead.rows[0].cells];
            return [...table.tBodies[0].rows].filter((r) => r.cells.length > 1).map((row) =>
                Object.fromEntries([...row.cells].flatMap((cell, i) => cell.offsetParent === null
                    ? [] : [[heads[i].dataset.field, {...cell.dataset}]])));
        }"""
    )
    return rows


def column_of(page: Any, field: str) -> list[str]:
    return [row[field]["v"] for row in shown(page)]


def address_of(page: Any) -> str:
    """The address as the page has it now: `page.url` hears of a change of it a moment later."""
    address: str = page.evaluate("location.href")
    return address


def skip_to_the_tables(page: Any) -> None:
    """Follow the skip link, and wait until the page has answered the change of its address."""
    page.evaluate(
        """() => window.addEventListener("hashchange", () => { window.skipped = true; })"""
    )
    page.focus("a.skip")
    page.keyboard.press("Enter")
    page.wait_for_function("() => window.skipped")


def head(page: Any, field: str) -> Any:
    return page.locator(f'#runs thead th[data-field="{field}"]')


def sort_by(page: Any, field: str, direction: str) -> None:
    """Click a heading of the front page's table, which sorts a moment after the click."""
    head(page, field).click()
    page.wait_for_selector(f'#runs th[data-field="{field}"][aria-sort="{direction}"]')


def choose(page: Any, field: str, value: str) -> None:
    """Leave the rows of one task, by its tab, or of one value of a menu."""
    if field == "task":
        page.locator(f'.tabs input[value="={value}"]').check()
    else:
        page.select_option(f'select[data-filter="{field}"]', f"={value}")


def check_numeric(values: list[str], *, descending: bool) -> None:
    known = [float(value) for value in values if value]
    assert len(known) >= 5
    assert known == sorted(known, reverse=descending)
    assert all(values[: len(known)]), "dashes come last"


def test_the_table_sorts_by_numbers_with_dashes_last(front: Any) -> None:
    before = column_of(front, "accuracy")
    for descending in (True, False):
        sort_by(front, "accuracy", "descending" if descending else "ascending")
        check_numeric(column_of(front, "accuracy"), descending=descending)
    after = column_of(front, "accuracy")
    assert sorted(after) == sorted(before)
    assert after != before


def test_names_and_ranks_sort_from_the_start(front: Any) -> None:
    sort_by(front, "model", "ascending")
    names = column_of(front, "model")
    assert names.index("cnn-2") < names.index("cnn-50") < names.index("dense")
    sort_by(front, "rank", "ascending")
    ranks = column_of(front, "rank")
    assert ranks[0] == "1"
    assert ranks[-1] == ""


def test_search_finds_words_in_any_column_of_text(front: Any) -> None:
    front.fill("#search", "deep softplus")
    assert column_of(front, "model") == ["cnn-deep"]
    assert front.inner_text("#count").startswith("1 of ")
    front.fill("#search", "no such model")
    assert shown(front) == []
    front.fill("#search", "<script>")
    assert column_of(front, "division") == ["open"]


@pytest.mark.parametrize(
    ("field", "value", "count"),
    [
        ("task", "regulatory-code@1", 2),
        ("activation", "exponential", 4),
        ("division", "open", 1),
        ("profile", "quick", 1),
    ],
)
def test_filters_leave_the_rows_of_a_value(front: Any, field: str, value: str, count: int) -> None:
    choose(front, field, value)
    if field != "task":
        front.click(".picker summary")
        front.check(f'input[data-column="{field}"]')
    assert column_of(front, field) == [value] * count


def test_filters_and_search_act_together(front: Any) -> None:
    choose(front, "activation", "relu")
    choose(front, "task", "motif-classes@1")
    front.fill("#search", "deep")
    assert column_of(front, "model") == ["cnn-deep"]


def test_columns_are_picked(front: Any) -> None:
    assert "weights" not in shown(front)[0]
    front.click(".picker summary")
    front.check('input[data-column="weights"]')
    front.uncheck('input[data-column="cost"]')
    first = shown(front)[0]
    assert "weights" in first
    assert "cost" not in first
    assert head(front, "weights").is_visible()
    assert not head(front, "cost").is_visible()


def test_an_address_brings_the_same_view_back(front: Any) -> None:
    choose(front, "task", "motif-classes@1")
    front.fill("#search", "cnn")
    sort_by(front, "recovery", "descending")
    front.click(".picker summary")
    front.check('input[data-column="digest"]')
    front.uncheck('input[data-column="division"]')
    before = shown(front)
    assert {"q=cnn", "task=motif-classes@1", "sort=recovery.desc"} <= set(
        unquote(address_of(front)).partition("#")[2].split("&")
    )
    front.reload()
    front.wait_for_selector("#controls:not([hidden])")
    assert shown(front) == before
    assert front.input_value("#search") == "cnn"
    front.click("#reset")
    assert "#" not in address_of(front)
    assert len(shown(front)) > len(before)


def test_the_link_that_skips_to_the_tables_keeps_the_view(front: Any) -> None:
    choose(front, "task", "motif-classes@1")
    front.fill("#search", "cnn")
    sort_by(front, "recovery", "descending")
    before, address = shown(front), address_of(front)
    skip_to_the_tables(front)
    assert address_of(front) == address
    assert shown(front) == before
    assert front.input_value("#search") == "cnn"


@pytest.mark.parametrize(
    "address",
    ["#q=%3Cimg%20src=x%20onerror=alert(1)%3E&task=nonsense", "#sort=nothing.up&columns=x"],
)
def test_an_address_of_nonsense_does_no_harm(front: Any, address: str) -> None:
    front.goto(address_of(front).partition("#")[0] + address)
    front.reload()
    front.wait_for_selector("#controls:not([hidden])")
    assert head(front, "model").is_visible()
    assert front.locator("img").count() == 0


def read_csv(content: bytes) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


def read_json(content: bytes) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(content)
    return rows


def read_parquet(content: bytes) -> list[dict[str, Any]]:
    frame = pd.read_parquet(io.BytesIO(content)).astype(object)
    return frame.where(frame.notna(), None).to_dict("records")


@pytest.mark.parametrize(
    ("name", "read"), [("csv", read_csv), ("json", read_json), ("parquet", read_parquet)]
)
def test_a_download_is_exactly_the_table_that_is_shown(
    front: Any, name: str, read: Callable[[bytes], list[dict[str, Any]]]
) -> None:
    choose(front, "task", "motif-classes@1")
    sort_by(front, "recovery", "descending")
    front.click(".picker summary")
    front.uncheck('input[data-column="tier"]')
    front.check('input[data-column="found"]')
    expected = shown(front)
    front.click(".picker summary")
    with front.expect_download() as waiting:
        front.click(f'button[data-download="{name}"]')
    assert waiting.value.suggested_filename == f"motifidelity.{name}"
    rows = read(Path(waiting.value.path()).read_bytes())
    assert len(rows) == len(expected) > 5
    for row, cells in zip(rows, expected, strict=True):
        own = {key for key in row if not key.endswith(("_low", "_high", "_trials"))}
        # which stands in the cell of the name
        assert own == set(cells) | {"activation"}
        for field, cell in cells.items():
            said, found = cell["v"], row[field]
            if field in ("accuracy", "recovery", "found", "rank", "cost", "trials"):
                assert (found in ("", None)) == (said == "")
                assert said == "" or float(found) == float(said)
            else:
                assert (found or "") == said
        if "low" in cells["accuracy"]:
            assert float(row["accuracy_low"]) == float(cells["accuracy"]["low"])
            assert float(row["accuracy_trials"]) == float(cells["accuracy"]["n"])
    assert expected[0]["accuracy"]["v"] != ""


def test_the_whole_table_lies_beside_the_page(site: Path) -> None:
    frames = [
        pd.read_csv(site / "leaderboard.csv", keep_default_na=False, na_values=[""]),
        pd.read_json(site / "leaderboard.json", precise_float=True),
        pd.read_parquet(site / "leaderboard.parquet"),
    ]
    for frame in frames:
        assert list(frame["run"]) == list(frames[0]["run"])
        assert frame["accuracy"].to_numpy(float) == pytest.approx(
            frames[0]["accuracy"].to_numpy(float), nan_ok=True
        )
    assert len(frames[0]) == 12


def test_everything_is_reached_and_worked_with_the_keyboard(front: Any) -> None:
    reached = []
    for _ in range(60):
        front.keyboard.press("Tab")
        reached.append(
            front.evaluate(
                """() => {
                    const e = document.activeElement;
                    const box = e.getBoundingClientRect();
                    return [e.id || e.dataset.filter || e.name || e.dataset.download || e.tagName
                        + (e.closest("th")?.dataset.field ?? ""), box.width > 0];
                }"""
            )
        )
    names = [name for name, _ in reached]
    assert all(visible for _, visible in reached)
    for expected in ("search", "task", "activation", "SUMMARY", "reset", "csv", "parquet"):
        assert expected in names
    assert any(name.endswith("accuracy") for name in names)
    front.focus("#search")
    front.keyboard.type("softplus")
    assert [row["model"]["v"] for row in shown(front)] == ["cnn-deep"]
    front.fill("#search", "")
    front.focus(".picker summary")
    front.keyboard.press("Enter")
    front.focus('input[data-column="weights"]')
    front.keyboard.press("Space")
    assert "weights" in shown(front)[0]
    front.keyboard.press("Escape")
    assert not front.locator(".picker .menu").is_visible()
    assert front.evaluate("document.activeElement.tagName") == "SUMMARY"
    control = (
        head(front, "accuracy")
        .locator("[tabindex='0'], button")
        .or_(front.locator('#runs th[data-field="accuracy"][tabindex="0"]'))
    )
    control.first.focus()
    front.keyboard.press("Enter")
    front.wait_for_selector('#runs th[data-field="accuracy"][aria-sort="descending"]')


def board_column(page: Any, index: int) -> list[str]:
    """Raw values of a column of the first board, from the top."""
    cells = page.locator("table.board").first.locator(f"tbody tr > *:nth-child({index + 1})")
    values: list[str] = cells.evaluate_all("cells => cells.map(c => c.dataset.sort)")
    return values


@pytest.mark.parametrize("how", ["click", "Enter", "Space"])
def test_a_board_sorts_by_its_headings(board: Any, how: str) -> None:
    table = board.locator("table.board").first
    button = table.locator("thead tr:last-child > :nth-child(5) button")
    for count, direction in enumerate(("descending", "ascending"), 1):
        if how == "click":
            button.click()
        else:
            button.focus()
            board.keyboard.press(how)
        wait_for_sorts(board, count)
        assert board.locator(f'table.board thead th[aria-sort="{direction}"]').count() == 1
        check_numeric(board_column(board, 4), descending=direction == "descending")
    assert board.evaluate("document.activeElement.tagName") == "BUTTON"


def test_counts_sort_by_size_and_not_by_their_digits(board: Any) -> None:
    board.locator("table.board").first.locator("thead tr:last-child > :nth-child(9) button").click()
    wait_for_sorts(board, 1)
    values = board_column(board, 8)
    check_numeric(values, descending=True)
    assert float(values[0]) > 9 > float(values[2])


def pairs_of(page: Any) -> list[list[str]]:
    """The rows of pairs that a person sees: names, and the text of every score's cell."""
    rows: list[list[str]] = page.evaluate(
        """() => [...document.querySelectorAll("table.pairs tbody tr")]
            .filter((row) => row.offsetParent !== null)
            .map((row) => [...row.cells].map((cell) =>
                [...cell.querySelectorAll("bdi, .value, td .sub")].map((part) =>
                    part.textContent).join(" ")))"""
    )
    return rows


def test_two_models_are_compared_in_the_order_that_is_chosen(page: Any, site: Path) -> None:
    page.goto((site / "compare.html").as_uri())
    suggested = pairs_of(page)
    one, other = "cnn-deep exponential", "cnn-deep relu"
    [there] = [row for row in suggested if row[:2] == [one, other]]
    page.select_option("#first", one)
    # against each other
    assert len({tuple(row[:2]) for row in pairs_of(page)}) == len(pairs_of(page)) > 1
    assert {row[0] for row in pairs_of(page)} == {one}
    page.select_option("#second", other)
    # as the page had it without its script, to the letter
    assert pairs_of(page) == [there]
    assert "p = " in there[2]
    address = address_of(page)
    assert "#" in address
    page.click("#swap")
    [swapped] = pairs_of(page)
    assert swapped[:2] == [other, one]
    gaps = [[cell.split()[3] for cell in row[2:] if " p = " in cell] for row in (there, swapped)]
    turned = {"+": "\u2212", "\u2212": "+"}
    assert gaps[1] == [turned.get(gap[0], "") + gap.lstrip("+\u2212") for gap in gaps[0]]
    page.goto((site / "index.html").as_uri())
    page.goto(address)
    assert pairs_of(page) == [there]
    skip_to_the_tables(page)
    assert address_of(page) == address
    assert pairs_of(page) == [there]
    page.click("button[type=reset]")
    assert pairs_of(page) == suggested


def test_models_of_different_tasks_are_no_pair_and_the_page_says_so(page: Any, site: Path) -> None:
    page.goto((site / "compare.html").as_uri())
    page.select_option("#first", "cnn-deep relu")
    page.select_option("#second", "cnn-local relu")
    assert pairs_of(page) == []
    assert "no pair: these two have run no task in one" in page.locator("#count").inner_text()
    # who chooses the second alone means it against each other
    page.click("button[type=reset]")
    page.select_option("#second", "cnn-local relu")
    assert {row[0] for row in pairs_of(page)} == {"cnn-local relu"}


def test_a_model_whose_name_has_two_spaces_is_compared(page: Any, tmp_path: Path) -> None:
    builder = fx.Builder()
    for name, value in (("my  model", 0.9), ("other", 0.8), ("third", 0.7)):
        for trial in range(2):
            builder.add(name, trial, {("auroc", ""): value})
    render(builder.tables(), tmp_path, metrics=fx.METRICS)
    page.goto((tmp_path / "compare.html").as_uri())
    page.select_option("#first", "my  model relu")
    assert len(pairs_of(page)) == 2


def test_pages_read_without_script(browser: Any, site: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "index.html").as_uri())
    assert not page.locator("#controls").is_visible()
    assert page.locator("#runs tbody tr").count() == 12
    assert page.locator("#runs tbody tr").first.is_visible()
    assert page.locator("figure.picture svg").first.is_visible()
    page.locator("#runs td.task a").first.click()
    assert page.locator("thead button").count() == 0
    page.locator("summary", has_text="own definitions").first.click()
    assert page.locator("details.paper table").first.is_visible()
    page.locator("table.board tbody a").first.click()
    assert page.locator("h1").inner_text() == "cnn-local exponential"
    page.goto((site / "compare.html").as_uri())
    assert page.locator("table.pairs tbody tr:visible").count() > 1
    context.close()


@pytest.mark.parametrize("width", [360, 1440])
def test_no_width_makes_a_page_itself_scroll_sideways(browser: Any, site: Path, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    for kind in (*KINDS, "models/nnn*"):
        path = next(site.glob(kind))
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path.name
    page.close()


def test_the_first_screen_has_the_comparison_and_a_phone_has_its_parts_below_one_another(
    browser: Any, site: Path
) -> None:
    parts = ("h1", ".hero table.contrast", ".hero figure.view", ".answers", "#runs")

    def boxes(width: int, height: int) -> list[dict[str, float]]:
        page = browser.new_page(viewport={"width": width, "height": height})
        page.goto((site / "index.html").as_uri())
        found = [page.locator(part).first.bounding_box() for part in parts]
        page.close()
        return found

    title, contrast, view, answers, runs = boxes(1440, 900)
    assert max(box["y"] + box["height"] for box in (title, contrast, view)) <= 900
    assert view["x"] >= contrast["x"] + contrast["width"]
    assert view["y"] < contrast["y"] + contrast["height"]
    assert max(contrast["y"], view["y"]) < answers["y"] < runs["y"]
    tops = [box["y"] for box in boxes(390, 844)]
    assert tops == sorted(tops)
    for box in boxes(390, 844)[:3]:
        assert 0 <= box["x"] <= box["x"] + box["width"] <= 390


@pytest.fixture(scope="module")
def long_front(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A front page of three pages of runs."""
    builder = fx.Builder()
    for number in range(120):
        builder.add(f"net-{number:03d}", 0, {("auroc", ""): 0.9 - number / 1000})
    return render(builder.tables(), tmp_path_factory.mktemp("long"), metrics=fx.METRICS).as_uri()


def test_pages_of_the_table_have_one_pager_outside_its_scroll_and_an_address(
    page: Any, long_front: str
) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(long_front)
    page.wait_for_selector("#controls:not([hidden])")
    assert page.locator(".dt-paging").count() == 1
    assert page.locator(".scroll .dt-paging").count() == 0
    scrolled = 'document.querySelector("#runs").closest(".scroll").scrollTop'
    page.evaluate(f"{scrolled} = 500")
    assert page.evaluate(scrolled) > 0
    page.locator(".dt-paging button", has_text="3").click()
    assert column_of(page, "model")[0] == "net-100"
    assert page.evaluate(scrolled) == 0
    assert "page=3" in address_of(page)
    page.reload()
    page.wait_for_selector("#controls:not([hidden])")
    assert column_of(page, "model")[0] == "net-100"
    # paper has all rows, and the page is there again after it
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert len(shown(page)) == 120
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert column_of(page, "model")[0] == "net-100"
    page.evaluate(f"{scrolled} = 500")
    sort_by(page, "accuracy", "descending")
    assert column_of(page, "model")[0] == "net-000"
    assert page.evaluate(scrolled) == 0
    assert "page=" not in address_of(page)
    page.goto(f"{long_front}#page=9")
    page.reload()
    page.wait_for_selector("#controls:not([hidden])")
    assert column_of(page, "model")[0] == "net-000"


@pytest.fixture(scope="module")
def able_front(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A front page of two tasks that have floors and oracles, and so the six figures."""
    builder = fx.able_networks()
    return render(builder.tables(), tmp_path_factory.mktemp("able"), metrics=fx.METRICS).as_uri()


def test_a_task_has_a_tab_and_what_ranks_is_chosen(page: Any, able_front: str) -> None:
    page.set_viewport_size({"width": 1262, "height": 800})
    page.goto(able_front)
    page.wait_for_selector("#controls:not([hidden])")
    visible = [one for one in ("predicts", "filters", "maps", "effects", "accuracy", "activation")
               if head(page, one).is_visible()]  # fmt: skip
    assert visible == ["predicts", "filters", "maps"]
    page.locator(".tabs label", has_text="motif-classes@2").click()
    models = column_of(page, "model")
    assert models == ["maps", "predicts", "few", "Oracle", "Random"]
    before = [(row["rank"], row["group"]) for row in shown(page)]
    assert [rank["v"] for rank, _ in before] == ["1", "2", "", "", ""]
    assert [row["predicts"]["v"] for row in shown(page)][3:] == ["1.0", "0.0"]
    page.select_option("#ranks", "predicts")
    assert column_of(page, "model")[:2] == ["predicts", "maps"]
    assert column_of(page, "rank")[:3] == ["1", "2", ""]
    assert column_of(page, "group")[2] == "provisional"
    assert {"ranks=predicts", "task=motif-classes@2"} <= set(
        unquote(address_of(page)).partition("#")[2].split("&")
    )
    page.reload()
    page.wait_for_selector("#controls:not([hidden])")
    assert column_of(page, "model")[:2] == ["predicts", "maps"]
    page.select_option("#ranks", "")
    assert column_of(page, "model") == models
    assert [(row["rank"], row["group"]) for row in shown(page)] == before
    # a heading sorts as ever, by the ranks that are there
    page.select_option("#ranks", "predicts")
    sort_by(page, "maps", "descending")
    assert "sort=maps.desc" in address_of(page)
    page.click("#reset")
    assert "#" not in address_of(page)
    assert column_of(page, "rank").count("1") == 2
    region = page.locator(".scroll:has(#runs)")
    assert region.evaluate("e => e.scrollWidth <= e.clientWidth")


def test_on_a_phone_every_run_is_a_card_with_its_scores(browser: Any, site: Path) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto((site / "index.html").as_uri())
    page.wait_for_selector("#controls:not([hidden])")
    row = page.locator("#runs tbody tr").first
    card = row.bounding_box()
    assert 300 < card["width"] <= 390
    accuracy = row.locator("td.score.accuracy:visible").first
    label = accuracy.evaluate("cell => getComputedStyle(cell, '::before').content")
    assert label == '"Accuracy"'
    for cell in row.locator("th, td").all():
        if cell.is_visible():
            box = cell.bounding_box()
            assert card["x"] <= box["x"] <= box["x"] + box["width"] <= card["x"] + card["width"]
    assert row.locator("th").bounding_box()["y"] < accuracy.bounding_box()["y"]
    # what sorts is there too
    sort_by(page, "accuracy", "descending")
    check_numeric(column_of(page, "accuracy"), descending=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()


def test_a_wide_window_shows_the_columns_of_a_run_at_once(browser: Any, site: Path) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 800})
    for kind in KINDS[:2]:
        page.goto(next(site.glob(kind)).as_uri())
        for region in page.locator(".scroll:has(table.board):visible, .scroll:has(#runs)").all():
            assert region.evaluate("e => e.scrollWidth <= e.clientWidth")
    page.close()


def test_a_usual_window_shows_every_default_column_of_the_front_page(
    browser: Any, site: Path
) -> None:
    # 1280 less a scroll bar
    page = browser.new_page(viewport={"width": 1262, "height": 800})
    page.goto((site / "index.html").as_uri())
    page.wait_for_selector("#controls:not([hidden])")
    region = page.locator(".scroll:has(#runs)")
    # one that is folded away here, where all networks are alike in it
    assert not head(page, "tier").is_visible()
    page.locator('input[data-column="tier"]').evaluate("box => box.click()")
    assert head(page, "tier").is_visible()
    assert region.evaluate("e => e.scrollWidth <= e.clientWidth")
    line = page.locator("td.tier", has_text="self-reported").first
    assert line.evaluate("e => e.querySelector('bdi').getClientRects().length") == 1
    for name in ("fidelity_scaled", "isolation", "weights", "memory", "newest", "spec"):
        page.locator(f'input[data-column="{name}"]').evaluate("box => box.click()")
    assert region.evaluate("e => e.scrollWidth > e.clientWidth")
    assert region.evaluate("e => e.offsetHeight <= innerHeight")
    region.evaluate("e => e.scrollTo(200, e.scrollHeight)")
    top = region.evaluate("e => e.getBoundingClientRect().top")
    assert head(page, "accuracy").bounding_box()["y"] == pytest.approx(top, abs=1)
    page.close()


def test_a_machine_with_one_wide_font_shows_them_too(
    browser: Any, site: Path, tmp_path: Path
) -> None:
    fonts = Path("/usr/share/fonts/truetype/dejavu")
    require(fonts, "fonts-dejavu-core")
    fontconfig = f"<fontconfig><dir>{fonts}</dir><cachedir>{tmp_path}</cachedir></fontconfig>"
    (tmp_path / "fonts.conf").write_text(fontconfig)
    launched = browser.browser_type.launch(
        executable_path=str(CHROMIUM),
        args=SWITCHES,
        env={**os.environ, "FONTCONFIG_FILE": str(tmp_path / "fonts.conf")},
    )
    page = launched.new_page(viewport={"width": 1262, "height": 800})
    page.goto((site / "index.html").as_uri())
    page.wait_for_selector("#controls:not([hidden])")
    region = page.locator(".scroll:has(#runs)")
    assert region.evaluate("e => e.scrollWidth <= e.clientWidth")
    launched.close()


def luminance(colour: str) -> float:
    parts = [float(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def test_dark_mode_is_dark_and_paper_is_white(browser: Any, site: Path) -> None:
    page = browser.new_page(color_scheme="dark")
    page.goto((site / "index.html").as_uri())
    back = "getComputedStyle(document.body).backgroundColor"
    ink = "getComputedStyle(document.body).color"
    assert luminance(page.evaluate(back)) < 0.1 < 0.7 < luminance(page.evaluate(ink))
    page.emulate_media(media="print")
    assert luminance(page.evaluate(back)) == pytest.approx(1)
    assert luminance(page.evaluate(ink)) == 0
    page.close()


def test_print_shows_all_rows_and_no_controls(browser: Any, site: Path) -> None:
    page = browser.new_page()
    page.goto((site / "index.html").as_uri())
    page.emulate_media(media="print")
    assert not page.locator("#controls").is_visible()
    assert not page.locator("nav.site").is_visible()
    width = page.evaluate("document.querySelector('#runs').scrollWidth")
    assert width <= page.viewport_size["width"]
    assert page.locator("#runs tbody tr:visible").count() == 12
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_no_serious_problem(browser: Any, site: Path, kind: str, scheme: str) -> None:
    script = (VENDOR / "axe.min.js").read_text(encoding="utf-8")
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(next(site.glob(kind)).as_uri())
    page.evaluate(script)
    if kind == "index.html":
        page.click(".picker summary")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    serious = [
        (rule["id"], [node["html"][:200] for node in rule["nodes"][:3]])
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical") or rule["id"] == "landmark-unique"
    ]
    context.close()
    assert serious == []


def test_axe_is_the_one_that_is_named() -> None:
    assert hashlib.sha256((VENDOR / "axe.min.js").read_bytes()).hexdigest() == AXE_SHA256
    assert (VENDOR / "LICENSE").is_file()


@pytest.mark.parametrize("kind", KINDS)
def test_pages_ask_for_nothing_and_complain_of_nothing(page: Any, site: Path, kind: str) -> None:
    page.goto(next(site.glob(kind)).as_uri())
    page.wait_for_load_state("load")
    assert page.locator("h1").is_visible()
