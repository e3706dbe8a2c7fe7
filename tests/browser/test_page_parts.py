"""The page part by part, as it is seen, heard, printed and weighed; and what is set on it."""

import re

import httpx
import pytest
from playwright.sync_api import expect

from tests.support.page_visit import PAGES, TEAMS, digits, violations

PAGE_MAX_BYTES = 150 << 10
PAGE_MAX_REQUESTS = 6
# What elements say, also those that are folded away.
TEXTS = "all => all.map(each => each.textContent)"


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


def test_a_chart_is_drawn_when_it_is_asked_for(signed_in):
    """The page opens without it, with the way to it."""
    signed_in.go(f"/?{TEAMS}&sort=-days_used")
    expect(signed_in.page.locator("figure.chart")).to_have_count(0)
    signed_in.page.get_by_role("link", name="Show usage over time").click()
    expect(signed_in.page.locator("figure.chart")).to_be_visible()
    expect(signed_in.page.locator("th[aria-sort=descending]")).to_have_text("Days used")


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
    days = page.locator("#why tbody tr td:nth-of-type(4)").all_inner_texts()
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
    reasons = page.locator("#seats .why").evaluate_all(TEXTS)
    assert page.locator("#seats tbody input[type=checkbox]").count() + len(reasons) == lines
    assert any("group" in reason for reason in reasons), reasons
    assert any("default" in reason for reason in reasons), reasons


def test_what_is_skipped_is_told_before_and_after(signed_in):
    """All that match, among them seats of groups: how many of what, and why."""
    page = signed_in.page
    signed_in.go("/?team=sample-team-4&seat=assigned")
    page.get_by_label("that match").check()
    page.get_by_role("button", name="Unassign …").click()
    expect(page.locator(".trust")).to_contain_text("Complete up to")
    expect(page.locator(".verdicts")).to_contain_text("Skipped: assigned by a group")
    expect(page.locator("tbody")).to_contain_text("Skipped: assigned by a group (")
    told = page.locator(".verdicts").inner_text()
    page.locator("form[action$='/seats/change'] button").click()
    expect(page.locator("h1")).to_contain_text("Unassigned:")
    expect(page.locator(".trust")).to_contain_text("Complete up to")
    assert page.locator(".verdicts").inner_text() == told
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("h1")).to_contain_text("Undone:")


def test_hidden_users_are_unassigned_as_hashes(signed_in):
    """In a list that one team hides, also seats of teams that show names; nowhere a name."""
    page = signed_in.page
    signed_in.go("/?recommendation=unassign")
    page.locator("#seats tbody input[type=checkbox]").first.check()
    page.get_by_role("button", name="Unassign …").click()
    expect(page.locator("h1")).to_have_text("Unassign 1 seat of 1 user?")
    expect(page.locator("main")).not_to_contain_text("Sample User")
    page.get_by_role("button", name="Unassign 1 seat").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("h1")).to_have_text("Undone: 1 seat of 1 user")
    expect(page.locator("main")).not_to_contain_text("Sample User")


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
    expect(page.get_by_role("alert")).to_contain_text("A token: ")


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
