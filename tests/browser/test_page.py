"""The page as an administrator has it: read, filtered, sorted, changed, undone, exported."""

import re

import httpx
import pytest
from playwright.sync_api import expect

from tests.support.page_visit import TEAMS, digits, rows


def test_who_is_not_signed_in_comes_back_to_where_he_was_going(visit, up):
    """The key is not in the cookie, which scripts can't read."""
    visitor = visit()
    visitor.go("/?access=flex")
    assert "/sign-in?next=" in visitor.page.url
    visitor.page.fill("#key", "ur_wrong_key")
    visitor.page.press("#key", "Enter")
    expect(visitor.page.get_by_role("alert")).to_have_text("This key is not valid.")
    visitor.page.fill("#key", up.ready["key"])
    visitor.page.press("#key", "Enter")
    visitor.page.wait_for_url("**/?access=flex")
    (cookie,) = visitor.context.cookies()
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    secret = up.ready["key"].split("_", 2)[2]
    assert len(secret) > 20
    assert secret not in cookie["value"]
    visitor.page.get_by_role("button", name="Sign out").click()
    visitor.page.wait_for_url("**/sign-in")
    visitor.go("/")
    assert "/sign-in" in visitor.page.url


def test_numbers_are_those_of_the_api(signed_in, up):
    """Snapshot and totals, as JSON has them."""
    headers, base = {"Authorization": f"Bearer {up.ready['key']}"}, up.ready["query_url"]
    signed_in.go(f"/?{TEAMS}")
    found = httpx.get(f"{base}/v1/snapshot?{TEAMS}", headers=headers, timeout=60).json()
    card = signed_in.page.locator("dl.card").first
    names, values = card.locator("dt").all_inner_texts(), card.locator("dd").all_inner_texts()
    told = dict(zip(names, values, strict=True))
    assert digits(told["Seats"]) == found["seats"]["total"]
    assert digits(told["Seats free"]) == found["seats"]["free"]
    totals = httpx.get(f"{base}/v1/report?{TEAMS}", headers=headers, timeout=60).json()["totals"]
    assert rows(signed_in.page) == totals["rows"]
    expect(signed_in.page.locator(".trust")).to_contain_text("Complete up to")


def test_filters_stay_while_sorting_and_paging(signed_in):
    """Chips take them away one by one; the address says it all."""
    page = signed_in.page
    signed_in.go("/?access=subscription")
    page.locator("summary", has_text="Activity").click()
    page.get_by_label("Active", exact=True).check()
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**activity=active**")
    assert "access=subscription" in page.url
    assert "q=" not in page.url
    everything = rows(page)
    page.get_by_role("link", name="Product", exact=True).click()
    page.wait_for_url("**sort=product**")
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Product")
    page.get_by_role("link", name="Next page").click()
    page.wait_for_url("**cursor=**")
    assert rows(page) == everything
    assert "activity=active" in page.url
    page.get_by_role("link", name="Remove filter Activity: Active").click()
    page.wait_for_url(lambda url: "activity" not in url)
    assert rows(page) > everything


@pytest.mark.parametrize(
    ("grain", "column"), [("user", "Products"), ("product", "Seats free"), ("team", "Users")]
)
def test_a_row_may_stand_for_more(signed_in, grain, column):
    """The switch of the grain keeps the filters."""
    signed_in.go("/?access=subscription")
    text = {"user": "Users", "product": "Products", "team": "Teams"}[grain]
    signed_in.page.locator(".switch").get_by_role("link", name=text, exact=True).click()
    signed_in.page.wait_for_url(f"**by={grain}**")
    assert "access=subscription" in signed_in.page.url
    expect(signed_in.page.locator(".rows thead")).to_contain_text(column)


def test_columns_are_remembered_by_this_browser(signed_in):
    """Chosen once, shown at every visit."""
    page = signed_in.page
    page.locator("summary", has_text="Columns").click()
    page.locator("details.menu").get_by_label("Version", exact=True).check()
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".rows thead")).to_contain_text("Version")
    signed_in.go("/")
    expect(page.locator(".rows thead")).to_contain_text("Version")


def test_a_user_opens_over_the_list(signed_in):
    """Focus goes into the dialog, Escape closes it, and the focus is back."""
    page = signed_in.page
    signed_in.go(f"/?{TEAMS}")
    link = page.locator("tbody [data-over]").first
    name = link.inner_text()
    link.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("h1")).to_contain_text(name)
    expect(dialog.locator("h1")).to_be_focused()
    expect(dialog).to_contain_text("Days used by month")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(link).to_be_focused()


def test_a_long_export_tells_how_far_it_is(signed_in):
    """It can be cancelled, and made again; at its end the file is there, whole."""
    page = signed_in.page
    listed = rows(page)
    # The sample is not long: the page is told that it is.
    page.locator("a[data-export]").evaluate_all("all => all.forEach(a => a.dataset.export = 1e6)")
    held = []

    def hold(route):
        held.append(route)

    page.route("**/v1/report.csv**", hold)
    page.locator("summary", has_text="Export").click()
    page.get_by_role("link", name="CSV, for any program").click()
    expect(page.locator("#exporting")).to_contain_text("being made")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#exporting")).to_contain_text("cancelled")
    page.unroute("**/v1/report.csv**")
    page.locator("summary", has_text="Export").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV, for any program").click()
    expect(page.locator("#exporting")).to_contain_text("done")
    assert download.value.suggested_filename.endswith(".csv")
    lines = download.value.path().read_text(encoding="utf-8").splitlines()
    assert len(lines) == listed + 1


@pytest.mark.parametrize(("locale", "group"), [("de-DE", "."), ("en-US", ",")])
def test_numbers_are_written_as_the_reader_writes_them(visit, up, locale, group):
    """Digits are grouped as the browser does; days stay those of UTC."""
    visitor = visit(locale=locale, timezone_id="Asia/Tokyo").sign_in(up.ready["key"])
    told = visitor.page.locator("dl.card").nth(1).locator("dd").all_inner_texts()
    assert any(re.search(rf"\d{re.escape(group)}\d\d\d", text) for text in told), told
    expect(visitor.page.locator(".trust time")).to_contain_text("UTC")


def test_occasional_use_is_offered_flex(signed_in):
    """Who would unassign a seat that is used now and then is told."""
    page = signed_in.page
    signed_in.go(f"/?{TEAMS}&recommendation=switch_to_flex")
    page.locator("#seats tbody input[type=checkbox]").first.check()
    page.get_by_role("button", name="Unassign …").click()
    expect(page.locator(".note")).to_contain_text("tokens would cost less than a seat")
    page.get_by_role("button", name="Move to flex instead …").click()
    expect(page.locator("h1")).to_have_text("Move 1 seat of 1 user to flex?")


def test_all_that_match_without_script(visit, up):
    """JavaScript switched off: filter, move all to flex, undo."""
    visitor = visit(java_script_enabled=False).sign_in(up.ready["key"])
    page = visitor.page
    # Of a team of its own: what is undone here is not recommended again for a month.
    visitor.go("/?team=sample-team-4&recommendation=switch_to_flex")
    matching = rows(page)
    assert matching > 1
    page.get_by_label("that match").check()
    expect(page.locator("#actions button").first).to_have_text("Move to flex …")
    page.get_by_role("button", name="Move to flex …").click()
    expect(page.locator("h1")).to_contain_text(f"Move {matching} seats")
    page.get_by_role("button", name=f"Move {matching} seats to flex").click()
    expect(page.locator("h1")).to_contain_text(f"Moved to flex: {matching} seats")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("h1")).to_contain_text("Undone")


def test_a_reader_changes_nothing(visit, new_key, up):
    """Neither boxes nor settings for a key of scope read; and a form of its own is refused."""
    visitor = visit().sign_in(new_key("read"))
    expect(visitor.page.locator("#actions")).to_have_count(0)
    expect(visitor.page.get_by_role("link", name="Settings")).to_have_count(0)
    visitor.go("/settings")
    expect(visitor.page.get_by_role("alert")).to_contain_text("does not hold the scope manage")
    cookie = {each["name"]: each["value"] for each in visitor.context.cookies()}
    answer = httpx.post(f"{up.ready['query_url']}/seats", cookies=cookie, timeout=30)
    assert answer.status_code == 403


def test_a_form_of_another_site_is_refused(signed_in, up):
    """Without the session's token, or from elsewhere."""
    cookie = {each["name"]: each["value"] for each in signed_in.context.cookies()}
    address = f"{up.ready['query_url']}/seats"
    bare = httpx.post(address, cookies=cookie, data={"kind": "unassign"}, timeout=30)
    assert (bare.status_code, "another session" in bare.text) == (403, True)
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    forged = httpx.post(address, cookies=cookie, headers=elsewhere, data={"a": "b"}, timeout=30)
    assert (forged.status_code, "another site" in forged.text) == (403, True)
    # Nor does the cookie stand for a key where something changes.
    changed = httpx.post(
        f"{up.ready['query_url']}/v1/unassign", cookies=cookie, json={}, timeout=30
    )
    assert changed.status_code == 401


def test_personal_data_is_switched_off_after_a_look(signed_in):
    """What will be hidden is said first; the names are gone from the next page on."""
    page = signed_in.page
    signed_in.go("/settings/teams")
    page.get_by_role("row", name="sample-team-1 ").locator("summary").click()
    page.get_by_role("row", name="sample-team-1 ").get_by_label("Personal data").uncheck()
    page.get_by_role("row", name="sample-team-1 ").get_by_role("button", name="Review").click()
    expect(page.locator(".note")).to_contain_text("will be hidden in every view with this team")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("Saved: sample-team-1")
    signed_in.go("/?team=sample-team-1")
    expect(page.locator("[role=note]")).to_contain_text("Names are hidden")
    expect(page.locator("[role=note]")).to_contain_text("sample-team-1")
    expect(page.get_by_label("Name or e-mail")).to_have_count(0)
    signed_in.go("/settings/teams")
    page.get_by_role("row", name="sample-team-1 ").locator("summary").click()
    page.get_by_role("row", name="sample-team-1 ").get_by_label("Personal data").check()
    page.get_by_role("row", name="sample-team-1 ").get_by_role("button", name="Review").click()
    page.get_by_role("button", name="Save").click()
    signed_in.go("/?team=sample-team-1")
    expect(page.locator("[role=note]")).to_have_count(0)


def test_what_can_not_be_is_told_as_a_page(signed_in):
    """A wrong filter, an unknown user, nothing that matches."""
    signed_in.go("/?access=steam")
    expect(signed_in.page.get_by_role("alert")).to_contain_text("access")
    signed_in.go("/users/nobody")
    expect(signed_in.page.get_by_role("alert")).to_contain_text("no such user")
    signed_in.go("/?product=nothing")
    expect(signed_in.page.locator(".empty")).to_contain_text("Nothing matches")
