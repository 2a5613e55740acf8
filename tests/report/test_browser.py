"""The page as people meet it, in the machine's Chromium: on a phone, in the dark, in print, by keyboard and by screen reader.

Collected only where there is a Chromium: CHROMIUM names it, else chromium, chromium-browser or google-chrome of the PATH.
"""

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, sync_playwright

from remoteiq_etl.report.make import Written
from tests.report.conftest import DEVICE, report_of
from tests.support import chromium
from tests.support.migrating import Migration

#: WCAG 2.2 A and AA as far as a program can tell, and what axe takes for good practice; contrast is looked at apart.
ALL = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {"color-contrast": {"enabled": False}},
}
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
#: One of each kind of thing with a colour: measuring every cell of the page takes seconds, and they are made of the same.
COLOURED = ("header", "nav", "#verdict", "#before", "#search", "#quarantine", "#table-users", "#runs")
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        # As root Chromium has no sandbox; what it opens is ours.
        found = driver.chromium.launch(
            executable_path=chromium.found(), args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        yield found
        found.close()


@pytest.fixture
def opened(browser: Browser, written: Written) -> Iterator[Any]:
    """Opens the report (or another page) in a context of its own; whatever the page complains of fails the test."""
    contexts, said, asked = [], [], []

    def open_page(path: Path = written.page, anchor: str = "", **context: Any) -> Page:
        contexts.append(browser.new_context(**{"viewport": DESK, "reduced_motion": "reduce", **context}))
        page = contexts[-1].new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request))
        page.goto(path.as_uri() + anchor)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert [request.url for request in asked if not is_local(request)] == []


def wait_until(page: Page, expression: str, seconds: float = 30.0) -> None:
    """Asked again and again from outside: the page forbids what evaluates text, and so what waits within it."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(50)


def is_local(request: Request) -> bool:
    return request.url.startswith(("file:", "data:"))


def violations(page: Page, rules: dict[str, Any], *sections: str) -> list[tuple[str, str]]:
    """What axe finds on the page, or in these sections of it."""
    context = {"include": [[section] for section in sections]} if sections else None
    found = Axe().run(page, context=context, options=rules).response["violations"]
    return [(one["id"], node["html"]) for one in found for node in one["nodes"]]


def test_it_has_no_fault_that_a_program_can_find(opened: Any) -> None:
    """Names, landmarks, headings, tables, focus: with one of each kind of details open, because axe looks at each cell."""
    page = opened(viewport=PHONE)
    page.locator("#table-users summary").click()
    page.locator("#quarantine summary").first.click()
    page.fill("#query", "c5")
    assert violations(page, ALL) == []


@pytest.mark.parametrize(("viewport", "scheme"), [(PHONE, "light"), (DESK, "dark")], ids=["light", "dark"])
def test_every_text_stands_out_from_its_ground(opened: Any, viewport: dict[str, int], scheme: str) -> None:
    page = opened(viewport=viewport, color_scheme=scheme)
    page.locator("#table-users summary").click()
    page.locator("#quarantine summary").first.click()
    assert violations(page, CONTRAST, *COLOURED) == []


def test_nothing_is_wider_than_a_phone(opened: Any) -> None:
    page = opened(viewport=PHONE)
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    cells = "[...document.querySelectorAll('tbody th, tbody td, caption:not(.hidden)')]"
    narrow = f"{cells}.filter((one) => one.offsetWidth && one.offsetWidth < 24).length"
    assert page.evaluate(narrow) == 0, "letters below each other"


def test_the_dark_page_is_dark_and_the_light_one_light(opened: Any) -> None:
    grounds = {
        scheme: opened(color_scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    }
    brightness = {
        scheme: sum(map(int, re.findall(r"\d+", verification_context)))
        for scheme, verification_context in grounds.items()
    }
    assert brightness["light"] > 700
    assert brightness["dark"] < 100


def test_the_verdict_stands_on_top_and_in_the_title(opened: Any) -> None:
    page = opened()
    assert page.title().startswith("Not verified yet")
    assert page.locator("main h2").first.text_content() == "Verdict"
    assert page.locator(".verdict .word").inner_text().endswith("Not verified yet")


def test_the_keyboard_reaches_the_content_the_search_and_a_table(opened: Any) -> None:
    page = opened()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.locator("#tables a", has_text="ticket_tags").first.focus()
    page.keyboard.press("Enter")
    wait_until(page, "document.getElementById('table-ticket_tags').open")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    outline = page.evaluate(
        "getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).outlineWidth"
    )
    assert outline == "solid3px"


def test_a_key_is_found_as_it_is_typed(opened: Any) -> None:
    page = opened()
    page.get_by_label("Legacy key, new key").press_sequentially("c5000000-0000-4000-8000-000000000002")
    assert page.locator("#found").inner_text() == "3 found."
    first = page.locator("#results tbody tr").first
    assert "quarantined" in first.inner_text()
    assert {row.split("\t")[0] for row in page.locator("#results tbody").inner_text().splitlines()} == {
        "users c5000000-0000-4000-8000-000000000002"
    }
    page.fill("#query", "no such key")
    assert page.locator("#found").inner_text() == "No key like this is in this page."


def test_many_hits_are_cut_and_an_exact_one_comes_first(opened: Any) -> None:
    page = opened()
    page.fill("#query", "1")
    assert re.fullmatch(r"\d+ found, the first 50 are shown\.", page.locator("#found").inner_text())
    assert page.locator("#results tbody tr").count() == 50
    assert page.locator("#results tbody th").first.inner_text().split()[-1] == "1"


def test_a_link_to_the_record_opens_on_it(opened: Any) -> None:
    page = opened(anchor="#record")
    assert page.locator("#record h2").inner_text() == f"Record devices {DEVICE}"
    wait_until(page, "document.getElementById('record').getBoundingClientRect().top < 100")
    assert f"became devices {DEVICE}" in page.locator("#record").inner_text()


def test_print_has_the_details_of_every_table_and_cuts_none(opened: Any) -> None:
    page = opened(viewport={"width": 700, "height": 1000})
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.querySelectorAll('details.table:not([open])').length") == 0
    assert not page.locator("nav").is_visible()
    cut = "[...document.querySelectorAll('main table')].filter((one) => one.offsetWidth > document.body.clientWidth).length"
    assert page.evaluate(cut) == 0
    assert page.evaluate("getComputedStyle(document.querySelector('tr')).breakInside") == "avoid"
    assert page.pdf(format="A4", prefer_css_page_size=True).startswith(b"%PDF")


def test_without_scripts_everything_but_the_search_is_there(opened: Any, written: Written) -> None:
    page = opened(java_script_enabled=False)
    assert page.locator("noscript").is_visible()
    page.locator("#table-users summary").click()
    assert page.locator("#table-users").get_by_text("16 migrated, 8 quarantined").is_visible()
    assert page.locator("#tables tbody").first.locator("tr").count() == len(written.report.tables)


def test_rows_cannot_bring_markup_of_their_own(opened: Any, again: Migration, tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"
    for change in (
        "quarantine SET detail = %s",
        "quarantine SET \"row\" = jsonb_build_object('name', %s::text)",
        "words SET word = %s || word",
        "runs SET error = %s",
        "held SET legacy_key = %s || legacy_key",
    ):
        with again.target.connect() as connection:
            connection.execute(f"UPDATE remoteiq_etl.{change}".encode(), [evil])
    page = opened(report_of(again, tmp_path).page)
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2
    page.fill("#query", "<img")
    assert evil in page.locator("#results tbody th").first.inner_text()
    assert page.locator("img").count() == 0


def test_thousands_of_quarantined_rows_stay_below_two_megabytes(opened: Any, again: Migration, tmp_path: Path) -> None:
    again.target.execute(
        """
        INSERT INTO remoteiq_etl.quarantine
            (source_id, legacy_table, legacy_key, table_name, rule, columns, detail, "row", first_run, last_run)
        SELECT 1, 'check_runs', gen_random_uuid()::text, 'check_runs', 'unknown_word', '{status}', 'not in the value map',
            jsonb_build_object('note', repeat('long ', 100)), 1, 1
        FROM generate_series(1, 30000)
        """
    )
    made = report_of(again, tmp_path)
    assert made.page.stat().st_size < 2_000_000
    assert not made.report.index.complete
    page = opened(made.page)
    assert "of more than" in page.locator("#search p").first.inner_text()
    page.fill("#query", "abc")
    assert page.locator("#results tbody tr").count() > 1
