"""Signing in and out: by forms of this page alone, with a cookie as safe as the way it came."""

import httpx
import pytest

COOKIE = "usage_session"


@pytest.fixture
def sign_in(visitor, query_server):
    """Sends the form with these headers."""

    def send(path="/sign-in", **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        address = f"{query_server.url}{path}"
        return httpx.post(address, data={"key": visitor.key}, headers=names, timeout=60)

    return send


def test_a_form_of_another_site_signs_nobody_in(sign_in, query_server):
    """Whatever a browser says of where it comes from: the fetch's site, or the origin alone."""
    here = query_server.url
    refused = [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site", "Origin": here},
        {"Origin": "http://elsewhere.invalid"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": f"{here}.elsewhere.invalid"},
        {"Origin": "http://127.0.0.1:1"},
    ]
    for headers in refused:
        answer = sign_in(**headers)
        assert (answer.status_code, "another site" in answer.text) == (403, True), headers
        assert COOKIE not in answer.cookies
    taken = [
        {},
        {"Origin": here},
        {"Sec_Fetch_Site": "same-origin", "Origin": here},
        # A proxy that tells the service another host than browsers know says which they know.
        {"Origin": "https://Usage.sample.example", "X_Forwarded_Host": "usage.sample.example"},
        {"Origin": "https://usage.sample.example", "Sec_Fetch_Site": "same-origin"},
    ]
    for headers in taken:
        assert sign_in(**headers).status_code == 303, headers


def test_signing_out_takes_a_form_of_the_session(visitor):
    """Nobody else signs a visitor out."""
    forged = visitor.http.post("/sign-out")
    assert (forged.status_code, "set-cookie" in forged.headers) == (403, False)
    assert "another session" in forged.text
    elsewhere = {"Origin": "http://elsewhere.invalid"}
    token = {"csrf": visitor.csrf}
    assert visitor.http.post("/sign-out", data=token, headers=elsewhere).status_code == 403
    assert visitor.get("/settings").status_code == 200
    done = visitor.send("/sign-out")
    assert (done.status_code, done.headers["location"]) == (303, "/sign-in")
    assert visitor.get("/settings").status_code == 303


def test_a_session_that_is_over_is_forgotten(visitor):
    """Without a token: there is nothing left to guard."""
    visitor.http.cookies.set(COOKIE, "0a1b.nonsense")
    answer = visitor.http.post("/sign-out")
    assert (answer.status_code, COOKIE in answer.headers["set-cookie"]) == (303, True)


def test_the_cookie_is_as_safe_as_the_way(sign_in):
    """Never for scripts or forms of others; behind TLS for TLS alone."""
    plain = sign_in().headers["set-cookie"].lower()
    assert "httponly" in plain
    assert "samesite=lax" in plain
    assert "secure" not in plain
    assert "; secure" in sign_in(X_Forwarded_Proto="https").headers["set-cookie"].lower()


@pytest.mark.parametrize("wanted", ["/../other", "/%2e%2e/other", "//elsewhere.invalid"])
def test_the_way_on_stays_here(sign_in, wanted):
    """Beside the page there may be another application."""
    assert sign_in(f"/sign-in?next={wanted.replace('%', '%25')}").headers["location"] == "/"
    assert sign_in("/sign-in?next=/tokens").headers["location"] == "/tokens"
