"""The main task: find the unused seats of a product, unassign them, and export what is left.

By keyboard alone, and with JavaScript switched off.
"""

import csv
import io

import httpx
import openpyxl
import pytest
from playwright.sync_api import Page, expect

from tests.support.page_visit import TEAMS, Visit, rows

MOST_STOPS = 200
# What the element with the focus is called.
NAME = """() => {
  const on = document.activeElement;
  return on.ariaLabel || on.labels?.[0]?.textContent || on.textContent || "";
}"""


@pytest.fixture
def unused(up) -> dict[str, str]:
    """A row of the report whose seat should be taken back."""
    answer = httpx.get(
        f"{up.ready['query_url']}/v1/report?{TEAMS}&recommendation=unassign&access=subscription",
        headers={"Authorization": f"Bearer {up.ready['key']}"},
        timeout=60,
    )
    return answer.json()["rows"][0]


def tab_to(page: Page, name: str) -> None:
    """Go on with the tabulator until the focus is on what is called so."""
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        if name in page.evaluate(NAME):
            return
    raise AssertionError(f"the tabulator does not come to {name!r}")


def press(page: Page, name: str, key: str = "Enter") -> None:
    """Go there and press a key."""
    tab_to(page, name)
    page.keyboard.press(key)


def undo(visitor: Visit, done: str) -> None:
    """Give the seat back to whoever comes after."""
    visitor.page.goto(done)
    visitor.page.get_by_role("button", name="Undo").click()
    expect(visitor.page.locator("h1")).to_have_text("Undone: 1 seat of 1 user")


def test_by_keyboard_alone(signed_in, unused):
    """With the tabulator, Enter and the space bar, from the first page on."""
    page = signed_in.page
    signed_in.go(f"/?{TEAMS}")
    press(page, "Product")
    press(page, unused["product"], "Space")
    press(page, "Apply")
    page.wait_for_url("**product=**")
    press(page, "Review unused seats")
    page.wait_for_url("**recommendation=unassign**")
    before = rows(page)
    press(page, "Select the seat of", "Space")
    expect(page.locator("[data-selected]")).to_have_text("1 user, 1 seat selected")
    expect(page.get_by_role("status")).to_have_text("1 user, 1 seat selected")
    press(page, "Unassign …")
    page.wait_for_selector("h1:has-text('Unassign 1 seat of 1 user?')")
    press(page, "Unassign 1 seat")
    page.wait_for_url("**/seats/done**")
    done = page.url
    expect(page.locator("h1")).to_have_text("Unassigned: 1 seat of 1 user")
    press(page, "Back to the report")
    page.wait_for_url("**recommendation=unassign**")
    if before > 1:
        assert rows(page) == before - 1
    else:
        expect(page.locator(".empty")).to_contain_text("Nothing matches")
    press(page, "Remove filter Recommendation")
    page.wait_for_url(lambda address: "recommendation" not in address)
    listed = rows(page)
    press(page, "Export")
    tab_to(page, "XLSX, a spreadsheet")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    sheet = openpyxl.load_workbook(io.BytesIO(download.value.path().read_bytes())).active
    held = [[str(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
    assert len(held) == listed + 1
    assert [row for row in held if unused["user_id"] in row and "Unassigned" in row]
    undo(signed_in, done)


def test_without_script(visit, up, unused):
    """JavaScript switched off: filters, box, review, deed, export and undo are forms and links."""
    visitor = visit(java_script_enabled=False).sign_in(up.ready["key"])
    page = visitor.page
    visitor.go(f"/?{TEAMS}")
    page.locator("summary", has_text="Product").first.click()
    page.get_by_label(unused["product"], exact=True).check()
    page.get_by_role("button", name="Apply").locator("visible=true").click()
    page.get_by_role("link", name="Review unused seats").click()
    page.locator("#seats tbody input[type=checkbox]").first.check()
    page.get_by_role("button", name="Unassign …").click()
    expect(page.locator("h1")).to_have_text("Unassign 1 seat of 1 user?")
    page.get_by_role("button", name="Unassign 1 seat").click()
    expect(page.locator("h1")).to_have_text("Unassigned: 1 seat of 1 user")
    done = page.url
    page.get_by_role("link", name="Back to the report").click()
    page.get_by_role("link", name="Remove filter Recommendation").click()
    listed = rows(page)
    page.locator("summary", has_text="Export").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV, for any program").click()
    text = download.value.path().read_text(encoding="utf-8")
    held = list(csv.DictReader(io.StringIO(text)))
    assert len(held) == listed
    (mine,) = (row for row in held if row["user_id"] == unused["user_id"])
    assert (mine["product_id"], mine["seat"]) == (unused["product_id"], "unassigned")
    undo(visitor, done)
