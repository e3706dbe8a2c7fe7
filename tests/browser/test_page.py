"""The page as an administrator has it: read, filtered, sorted, changed, undone, exported."""

import re

import httpx
import pytest
from playwright.sync_api import expect

from tests.support.page_visit import PAGES, TEAMS, violations

PAGE_MAX_BYTES = 150 << 10
PAGE_MAX_REQUESTS = 6
# What elements say, also those that are folded away.
TEXTS = "all => all.map(each => each.textContent)"


def digits(text: str) -> int:
    """A whole number, however it is grouped."""
    return int(re.sub(r"\D", "", text))


def rows(page) -> int:
    """How many rows the table says there are."""
    return digits(page.locator("#rows-title .muted").inner_text().split("row")[0])


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
    assert up.ready["key"].split("_")[2] not in cookie["value"]
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


def test_unused_seats_by_keyboard_alone(signed_in):
    """Found, ticked, looked at, unassigned, exported, undone: no mouse."""
    page = signed_in.page
    signed_in.go(f"/?{TEAMS}&seat=assigned")
    assigned = rows(page)
    signed_in.go(f"/?{TEAMS}")
    page.get_by_role("link", name="Review unused seats").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**recommendation=unassign**")
    before = rows(page)
    page.locator("#seats tbody input[type=checkbox]").first.focus()
    page.keyboard.press("Space")
    expect(page.locator("[data-selected]")).to_have_text("1 user, 1 seat selected")
    expect(page.get_by_role("status")).to_have_text("1 user, 1 seat selected")
    page.get_by_role("button", name="Unassign …").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('Unassign 1 seat of 1 user?')")
    page.get_by_role("button", name="Unassign 1 seat").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/seats/done**")
    expect(page.locator("h1")).to_have_text("Unassigned: 1 seat of 1 user")
    page.get_by_role("link", name="Back to the report").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**recommendation=unassign**")
    if before > 1:
        assert rows(page) == before - 1
    else:
        expect(page.locator(".empty")).to_contain_text("Nothing matches")
    signed_in.go(f"/?{TEAMS}&seat=unassigned")
    page.locator("summary", has_text="Export").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="XLSX, a spreadsheet").focus()
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename.endswith(".xlsx")
    page.go_back()
    page.go_back()
    page.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('Undone: 1 seat of 1 user')")
    signed_in.go(f"/?{TEAMS}&seat=assigned")
    assert rows(page) == assigned


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
    assert "here" in visitor.page.locator(".trust time").get_attribute("title")


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
    """The main task with JavaScript switched off: filter, move all to flex, undo, export."""
    visitor = visit(java_script_enabled=False).sign_in(up.ready["key"])
    page = visitor.page
    visitor.go(f"/?{TEAMS}&recommendation=switch_to_flex")
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
    visitor.go(f"/?{TEAMS}&activity=inactive")
    listed = rows(page)
    page.locator("summary", has_text="Export").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV, for any program").click()
    lines = download.value.path().read_text(encoding="utf-8").splitlines()
    assert len(lines) == listed + 1


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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit, up, scheme):
    """On any page, and nothing breaks the policy of what may be loaded."""
    visitor = visit(color_scheme=scheme)
    visitor.go("/sign-in")
    found = {"sign-in": violations(visitor.page)}
    visitor.sign_in(up.ready["key"])
    for name, path in PAGES.items():
        visitor.go(path)
        found[name] = violations(visitor.page)
    visitor.go(f"/?{TEAMS}")
    visitor.page.locator("tbody [data-over]").first.click()
    visitor.page.wait_for_selector("dialog[open] h1")
    found["user"] = violations(visitor.page)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
    assert visitor.elsewhere == []
    refused = [each for each in visitor.complaints if "status of 4" not in each]
    assert refused == []


def test_a_first_load_is_light(visit, up):
    """At most 150 KB in at most 6 requests."""
    visitor = visit().sign_in(up.ready["key"])
    sizes = []
    fresh = visitor.context.new_page()
    fresh.on("response", lambda answer: sizes.append(len(answer.body())))
    fresh.goto(f"{visitor.url}/")
    assert len(sizes) <= PAGE_MAX_REQUESTS
    assert sum(sizes) <= PAGE_MAX_BYTES


@pytest.mark.parametrize("width", [390, 1920])
def test_nothing_sticks_out(visit, up, width):
    """No page is wider than its window: wide tables scroll by themselves."""
    visitor = visit(viewport={"width": width, "height": 900}).sign_in(up.ready["key"])
    wide = {}
    for name, path in PAGES.items():
        visitor.go(path)
        wide[name] = visitor.page.evaluate("document.documentElement.scrollWidth")
    assert {name: each for name, each in wide.items() if each > width} == {}


def test_dates_and_what_was_chosen_go_along(signed_in):
    """A preset, then dates of one's own; both are in the link of an export."""
    page = signed_in.page
    signed_in.go(f"/?{TEAMS}")
    page.locator("summary", has_text="Dates:").click()
    page.get_by_label("Last 30 days").check()
    page.locator("details.dates").get_by_role("button", name="Apply").click()
    page.wait_for_url("**preset=30d**")
    page.locator("summary", has_text="Dates: Last 30 days").click()
    page.get_by_label("These dates (UTC)").check()
    page.get_by_label("From", exact=True).fill("2020-01-01")
    page.get_by_label("To", exact=True).fill("2020-01-31")
    page.locator("details.dates").get_by_role("button", name="Apply").click()
    page.wait_for_url("**from=2020-01-01**")
    assert "preset" not in page.url
    expect(page.locator(".chips")).to_contain_text("1 Jan 2020 to 31 Jan 2020")
    export = page.locator("a[data-export]").first.get_attribute("href")
    for part in ("from=2020-01-01", "to=2020-01-31", "team=sample-team-2"):
        assert part in export


@pytest.mark.parametrize("path", ["/?group_by=product&interval=month", "/tokens"])
def test_a_chart_has_words_and_a_table(signed_in, path):
    """What it shows is told to whoever does not see it, and stands behind it as numbers."""
    signed_in.go(path)
    chart = signed_in.page.locator("figure.chart").first
    told = chart.locator("desc").text_content()
    assert re.search(r"\d", told)
    expect(chart.locator("figcaption")).to_be_visible()
    signed_in.page.locator("summary", has_text="The numbers as a table").first.click()
    cells = signed_in.page.locator("details.numbers").first.locator("tbody td.number")
    assert sum(map(digits, cells.evaluate_all(TEXTS))) > 0


def test_a_chart_s_numbers_are_the_report_s(signed_in, up):
    """The launches of all its bars together are the launches of all rows."""
    signed_in.go(f"/?{TEAMS}&group_by=access&interval=week")
    signed_in.page.locator("summary", has_text="The numbers as a table").click()
    table = signed_in.page.locator("details.numbers").first.locator("tbody tr")
    launches = [digits(row.locator("td").nth(2).inner_text()) for row in table.all()]
    headers = {"Authorization": f"Bearer {up.ready['key']}"}
    address = f"{up.ready['query_url']}/v1/report?{TEAMS}"
    totals = httpx.get(address, headers=headers, timeout=60).json()["totals"]
    assert sum(launches) == totals["launches"]


def test_focus_stays_in_the_dialog(signed_in):
    """However often one goes on with the tabulator; Close gives it back as Escape does."""
    page = signed_in.page
    signed_in.go(f"/?{TEAMS}")
    link = page.locator("tbody [data-over]").first
    link.click()
    page.wait_for_selector("dialog[open] h1")
    stops = page.locator("dialog").locator("a, button, summary, [tabindex='0']").count()
    for _ in range(stops + 3):
        page.keyboard.press("Tab")
        inside = "document.activeElement === document.body || over.contains(document.activeElement)"
        assert page.evaluate(inside)
    page.get_by_role("button", name="Close").click()
    expect(link).to_be_focused()


def test_a_user_is_a_page_without_script(visit, up):
    """With why each team, what else is assigned, and the way back to the same list."""
    visitor = visit(java_script_enabled=False).sign_in(up.ready["key"])
    page = visitor.page
    visitor.go(f"/?{TEAMS}&recommendation=switch_to_subscription&sort=-days_used")
    listed = page.url
    page.locator("tbody [data-over]").first.click()
    expect(page.locator("h1")).to_contain_text("Sample User")
    expect(page.locator(".advice-list")).to_contain_text("days a month")
    teams = page.locator("section", has=page.get_by_role("heading", name="Teams"))
    expect(teams.locator("li").first).to_contain_text("(")
    others = page.locator("section[aria-labelledby=others-title]")
    if others.locator("details").count():
        others.locator("summary").first.click()
        expect(others.locator("dl").first).to_contain_text("Activity")
    page.get_by_role("link", name="Back to the report").click()
    assert page.url == listed


def test_a_number_is_explained_by_its_days_and_events(signed_in):
    """The days behind a product's launches; behind a day, its events."""
    page = signed_in.page
    signed_in.go("/?access=subscription&sort=-launches")
    link = page.locator("tbody [data-over]").first.get_attribute("href")
    signed_in.go(link)
    used = page.locator("section[aria-labelledby=products-title] dl.facts div", has_text="Launches")
    page.locator("summary", has_text="Why this number?").click()
    days = page.locator("#why tbody tr td.number:nth-of-type(1)").all_inner_texts()
    launches = [digits(text) for text in used.locator("dd").evaluate_all(TEXTS)]
    assert sum(map(digits, days)) == sum(launches) > 0
    page.get_by_role("link", name="The events of the day").first.click()
    assert page.locator("tbody tr", has_text="launch").count() >= digits(days[0])
    expect(page.locator(".trust")).to_contain_text("Complete up to")


def test_a_row_without_a_box_says_why(signed_in):
    """Each row can be ticked, or tells what to do instead."""
    page = signed_in.page
    signed_in.go(f"/?{TEAMS}&access=subscription")
    lines = page.locator("#seats tbody tr").count()
    reasons = page.locator("#seats .why").evaluate_all("all => all.map(a => a.ariaLabel)")
    assert page.locator("#seats tbody input[type=checkbox]").count() + len(reasons) == lines
    assert any("group" in reason for reason in reasons), reasons
    assert any("default" in reason for reason in reasons), reasons


def test_what_is_skipped_is_told_before_and_after(signed_in):
    """All that match, among them seats of groups: how many of what, and why."""
    page = signed_in.page
    signed_in.go("/?team=sample-team-4&seat=assigned")
    page.get_by_label("that match").check()
    page.get_by_role("button", name="Unassign …").click()
    expect(page.locator(".verdicts")).to_contain_text("Skipped: assigned by a group")
    expect(page.locator("tbody")).to_contain_text("Skipped: assigned by a group (")
    told = page.locator(".verdicts").inner_text()
    page.locator("form[action$='/seats/change'] button").click()
    expect(page.locator("h1")).to_contain_text("Unassigned:")
    assert page.locator(".verdicts").inner_text() == told
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("h1")).to_contain_text("Undone:")


def test_a_key_is_made_and_revoked(signed_in, up):
    """It is shown once, it opens the report, and is refused soon after it was revoked."""
    page = signed_in.page
    signed_in.go("/settings/keys")
    page.locator("summary", has_text="Make a key").click()
    page.get_by_label("read", exact=True).check()
    page.get_by_role("button", name="Make the key").click()
    key = page.locator("code.secret").inner_text()
    headers, address = {"Authorization": f"Bearer {key}"}, f"{up.ready['query_url']}/v1/options"
    assert httpx.get(address, headers=headers, timeout=60).status_code == 200
    signed_in.go("/settings/keys")
    expect(page.locator("code.secret")).to_have_count(0)
    page.get_by_role("button", name=f"Revoke key {key.split('_')[1]}").click()
    expect(page.locator(".note")).to_contain_text("refused within seconds")
    page.get_by_role("button", name="Revoke", exact=True).click()
    page.wait_for_timeout(3000)
    assert httpx.get(address, headers=headers, timeout=60).status_code == 401


def test_seats_are_set_after_a_look(signed_in):
    """What is now, what will be; what is wrong is told; a change back is one as well."""
    page = signed_in.page

    def change(seats: str) -> str:
        signed_in.go("/settings/subscriptions")
        row = page.locator("tbody tr").first
        before = row.locator("td.number").first.inner_text()
        row.locator("summary").click()
        row.get_by_label("Seats", exact=True).fill(seats)
        row.get_by_role("button", name="Review change …").click()
        return before

    before = change("4321")
    expect(page.locator("tbody tr", has_text="Seats")).to_contain_text(before)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("Saved")
    assert digits(change(before)) == 4321
    page.get_by_role("button", name="Save").click()
    signed_in.go("/settings/prices")
    row = page.locator("tbody tr").first
    row.locator("summary").click()
    row.get_by_label("A token", exact=True).fill("cheap")
    row.get_by_role("button", name="Review change …").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("token_price")


def test_the_table_keeps_its_head_and_paper_has_no_buttons(signed_in):
    """The head stays while rows scroll; printed is what is to be read."""
    page = signed_in.page
    signed_in.go(f"/?{TEAMS}")
    assert (
        page.locator(".rows thead th").nth(1).evaluate("a => getComputedStyle(a).position")
        == "sticky"
    )
    assert (
        page.locator(".rows td.number").first.evaluate("a => getComputedStyle(a).textAlign")
        == "right"
    )
    page.emulate_media(media="print")
    for gone in (".filters", "#actions", "header nav"):
        expect(page.locator(gone).first).to_be_hidden()
    expect(page.locator(".rows")).to_be_visible()
    page.emulate_media(media="screen", reduced_motion="reduce")
    assert (
        page.locator("#actions button").first.evaluate(
            "a => getComputedStyle(a).transitionDuration"
        )
        == "0s"
    )
