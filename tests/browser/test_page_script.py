"""What the page does with script: numbers, addresses of dialogs, focus; and what it then says."""

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import expect

from query_service.page import words
from tests.support.page_visit import TEAMS, Visit, violations

SEATS = "/?seat=assigned&assignment=direct&access=subscription&sort=days_used"
# No other test takes back seats of this team: they are recommended what the sample says.
CALM = "team=sample-team-5"
FREQUENT, OCCASIONAL = "[data-advice='']", "[data-advice=switch_to_flex]"
# Whether what has the focus is to be seen, and not behind what sticks to an edge.
IN_SIGHT = """box => {
  box.focus();
  const { x, y, width, height } = box.getBoundingClientRect();
  return [y + 1, y + height - 1].every(at => document.elementFromPoint(x + width / 2, at) === box);
}"""


@pytest.fixture
def german(visit, up) -> Visit:
    """A reader in Tokyo who writes 1.125,5."""
    return visit(locale="de-DE", timezone_id="Asia/Tokyo").sign_in(up.ready["key"])


def test_every_number_is_written_the_same_way(german):
    """A decimal looks like no thousands, wherever it stands; a version stays as it is."""
    page = german.page
    german.go("/?access=flex&sort=-tokens_used&measure=users&interval=month&group_by=team")
    listed = page.locator(".rows tbody td.number").all_inner_texts()
    assert any(re.fullmatch(r"\d{1,3}(\.\d{3})+,\d+", text) for text in listed), listed
    german.go(f"/?{TEAMS}&user=sample-user-000902&measure=users&interval=month")
    axis = page.locator(".chart text.up").all_text_contents()
    assert axis == ["0", "0,25", "0,5", "0,75", "1"]
    german.go(f"/users/sample-user-000935?{CALM}&selected=sample-product-cad")
    facts = page.locator("dl.facts").first
    names, values = facts.locator("dt").all_inner_texts(), facts.locator("dd").all_inner_texts()
    told = dict(zip(names, values, strict=True))
    assert re.fullmatch(r"\d+,\d", told["Monthly average"])
    assert re.fullmatch(r"\d{4}\.\d", told["Version"])
    assert re.search(r"are \d,\d\d a month", page.locator(".advice-list").inner_text())


def test_moments_are_told_in_the_reader_s_time_too(german):
    """As text, which everybody can read; in the dialog as well."""
    german.go(f"/?{TEAMS}")
    expect(german.page.locator("main .trust")).to_contain_text(re.compile(r"UTC \(.* here\)"))
    german.page.locator("tbody [data-over]").first.click()
    for told in german.page.locator("dialog[open] time").all():
        expect(told).to_contain_text(re.compile(r"UTC \(.* here\)"))


def test_a_dialog_has_an_address(signed_in):
    """Back closes it, forward opens it, and loaded anew it is a page from which Back goes too."""
    page, dialog = signed_in.page, signed_in.page.locator("dialog[open]")
    signed_in.go(f"/?{TEAMS}&sort=-days_used#rows")
    listed = page.url
    link = page.locator("tbody [data-over]").first
    name = link.inner_text()
    link.click()
    expect(dialog.locator("h1")).to_have_text(name)
    assert "/users/" in page.url
    page.go_back()
    expect(dialog).to_have_count(0)
    expect(link).to_be_focused()
    assert page.url == listed
    page.go_forward()
    expect(dialog.locator("h1")).to_have_text(name)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.wait_for_url(listed)
    expect(link).to_be_focused()
    link.click()
    expect(dialog).to_be_visible()
    page.reload()
    expect(page.locator("main h1")).to_have_text(name)
    page.go_back()
    expect(page.locator("main h1")).to_have_text("Usage report")
    assert page.url == listed


def test_who_is_not_signed_in_any_more_signs_in_and_goes_on(signed_in, up):
    """Not in the dialog; an export leads there too, and back to its list."""
    page = signed_in.page
    listed = f"/?{TEAMS}&access=subscription"
    signed_in.go(listed)
    signed_in.context.clear_cookies()
    page.locator("tbody [data-over]").first.click()
    page.wait_for_url("**/sign-in?next=%2Fusers%2F**")
    page.fill("#key", up.ready["key"])
    page.press("#key", "Enter")
    expect(page.locator("main #detail h1")).to_contain_text("Sample User")
    signed_in.go(listed)
    signed_in.context.clear_cookies()
    page.locator("summary", has_text="Export").click()
    page.get_by_role("link", name="CSV, for any program").click()
    page.wait_for_url("**/sign-in?next=**")
    page.fill("#key", up.ready["key"])
    page.press("#key", "Enter")
    page.wait_for_url(f"**{listed}")


def test_an_unknown_user_is_told_by_a_page(signed_in):
    """No dialog without a name."""
    page = signed_in.page
    signed_in.go(f"/?{TEAMS}")
    link = page.locator("tbody [data-over]").first
    link.evaluate("a => { a.href = '/users/nobody'; }")
    link.click()
    page.wait_for_url("**/users/nobody")
    expect(page.locator("main").get_by_role("alert")).to_contain_text("no such user")


def test_flex_is_first_as_long_as_all_are_occasional(signed_in):
    """And no longer: what is offered first follows every tick."""
    page = signed_in.page
    signed_in.go(f"{SEATS}&{CALM}")
    frequent, occasional = page.locator(FREQUENT).first, page.locator(OCCASIONAL).first
    buttons = page.locator("#actions button")

    def offered() -> list[tuple[str, bool]]:
        return [(b.inner_text(), "quiet" in b.get_attribute("class")) for b in buttons.all()]

    flex_first = [("Move to flex …", False), ("Unassign …", True)]
    seat_first = [("Unassign …", False), ("Move to flex …", True)]
    occasional.check()
    assert offered() == flex_first
    page.get_by_label("that match").check()
    assert offered() == seat_first
    page.get_by_label("that match").uncheck()
    frequent.check()
    assert offered() == seat_first
    frequent.uncheck()
    assert offered() == flex_first


def test_who_moves_more_than_the_occasional_ones_is_told(signed_in):
    """The note speaks of some, the button of all."""
    page = signed_in.page
    signed_in.go(f"{SEATS}&{CALM}")
    page.locator(FREQUENT).first.check()
    page.locator(OCCASIONAL).first.check()
    page.get_by_role("button", name="Unassign …").click()
    expect(page.locator(".note")).to_contain_text("1 of these seats is used now and then")
    expect(page.locator(".note")).to_contain_text("The others would be moved along")
    assert violations(page) == []
    page.get_by_role("button", name="Move all 2 seats to flex instead …").click()
    expect(page.locator("h1")).to_have_text("Move 2 seats of 2 users to flex?")


def test_why_a_row_has_no_box_is_read_by_keyboard(signed_in):
    """It opens as text: nobody needs a mouse to hover with."""
    page = signed_in.page
    signed_in.go(f"/?{TEAMS}&access=subscription&assignment=group")
    why = page.locator("details.why").first
    expect(why.get_by_text("Assigned by the group")).to_be_hidden()
    why.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(why.get_by_text("Assigned by the group")).to_be_visible()
    assert violations(page) == []


def test_focus_is_kept_when_what_holds_it_goes(signed_in):
    """The menu of exports closes, then the bar that tells how far one is."""
    page = signed_in.page
    menu = page.locator("summary", has_text="Export")
    menu.focus()
    page.keyboard.press("Enter")
    with page.expect_download():
        page.get_by_role("link", name="CSV, for any program").press("Enter")
    expect(menu).to_be_focused()
    page.locator("#exporting").get_by_role("button", name="Close").press("Enter")
    expect(page.locator("#exporting")).to_be_hidden()
    expect(menu).to_be_focused()


@pytest.mark.parametrize("width", [390, 1280])
def test_what_has_the_focus_is_in_sight(visit, up, width):
    """Neither the head of the table nor the bar of actions lies over it; the head stays."""
    visitor = visit(viewport={"width": width, "height": 700}).sign_in(up.ready["key"])
    visitor.go(f"{SEATS}&{TEAMS}")
    boxes = visitor.page.locator("#seats tbody input").all()
    assert len(boxes) > 20
    covered = [at for at, box in enumerate([*boxes, *boxes[::-1]]) if not box.evaluate(IN_SIGHT)]
    assert covered == []
    boxes[-1].focus()
    table, head = visitor.page.locator(".wide.table"), visitor.page.locator(".rows thead th").first
    assert table.evaluate("a => a.scrollTop") > 0
    assert head.bounding_box()["y"] == pytest.approx(table.bounding_box()["y"], abs=2)


@pytest.mark.parametrize("width", [390, 1280])
def test_a_form_in_a_table_is_whole(visit, up, width):
    """However few rows there are, and however narrow the window is: the table makes room for it."""
    visitor = visit(viewport={"width": width, "height": 900}).sign_in(up.ready["key"])
    visitor.go("/settings/token_packs")
    visitor.page.locator("tbody summary").last.click()
    form = visitor.page.locator("tbody form").last
    expect(form).to_be_visible()
    hidden = visitor.page.locator(".wide").evaluate("a => a.scrollHeight - a.clientHeight")
    assert hidden <= 1
    assert form.bounding_box()["x"] + form.bounding_box()["width"] <= width


def test_without_the_user_a_row_begins_with_a_word(signed_in):
    """The first cell is written as the others are, and leads to the same dialog."""
    page = signed_in.page
    for column, text in (("version", words.NONE), ("access", "Flex")):
        signed_in.go(f"/?{CALM}&recommendation=unassign&columns={column}")
        expect(page.locator(".rows tbody th").first).to_have_text(text)
    page.locator(".rows tbody th a").first.click()
    expect(page.locator("dialog[open] h1")).to_contain_text("Sample User")


def test_two_numbers_have_two_names(signed_in):
    """Tokens taken from packs are not those used in the range; why a team is one, in words."""
    signed_in.go("/tokens")
    expect(signed_in.page.locator("dl.card").first).to_contain_text("Taken from active packs")
    assert "Tokens used" not in signed_in.page.locator("main").inner_text()
    signed_in.go(f"/users/sample-user-000902?{TEAMS}")
    teams = signed_in.page.locator("section[aria-labelledby=teams-title] li")
    expect(teams.first).to_contain_text("a product used")


def test_no_advice_does_not_deny_unused_seats(signed_in):
    """Those that a group assigns are there, and inactive; it says why none is proposed."""
    as_of = (datetime.now(UTC) - timedelta(days=170)).isoformat(timespec="seconds")
    address = httpx.URL(
        "/", params={"team": "sample-team-4", "assignment": "group", "as_of": as_of}
    )
    signed_in.go(str(address))
    told = signed_in.page.locator(".card.advice")
    expect(told).to_contain_text("There is nothing to take back here, and tokens are not low.")
    expect(told).to_contain_text("held for less than 30 days, is not proposed")
