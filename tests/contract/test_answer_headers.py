"""What every answer of the query service tells browsers, and what none tells anybody."""

import re

import pytest

from schemas.rate_limits import RateLimits
from schemas.security_headers import HEADERS
from tests.support.app_routes import routes_of_the_app
from tests.support.page_session import PageSession

WRONG = ("Traceback", "RuntimeError", "sample-secret", ".py", "clickhouse_connect")


def said(answer):
    """Its headers are complete, and its request has an id."""
    for name in HEADERS:
        assert answer.headers.get_list(name), (answer.url, name)
        assert len(answer.headers.get_list(name)) == 1, (answer.url, name)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] in {"no-referrer", "same-origin"}
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-Id"])
    assert "Strict-Transport-Security" not in answer.headers


@pytest.fixture
def page(new_tenant, query_server):
    """Signed in on the page, with a key that may do everything."""
    tenant, http, _ = new_tenant(scopes=["admin"])
    key = http.headers["Authorization"].removeprefix("Bearer ")
    session = PageSession(query_server.url, key, tenant)
    yield session
    session.close()


def test_every_answer_has_them(page, query_server, tmp_path):
    """Of every route, to who is signed in and to who is nobody; also of what is not there."""
    stranger = query_server.client("")
    routes = [*sorted(routes_of_the_app(tmp_path)), ("GET", "/nothing"), ("PATCH", "/v1/report")]
    for method, path in routes:
        filled = re.sub(r"\{[^}]+\}", "page.css" if "static" in path else "teams", path)
        for http in (page.http, stranger):
            if (http, path) == (page.http, "/sign-out"):
                continue
            answer = http.request(method, filled, headers={"Accept": "text/html"}, timeout=300)
            said(answer)
            kept = "public" in answer.headers["Cache-Control"]
            assert kept == (path.startswith("/static") and answer.status_code == 200), path
            assert kept or answer.headers["Cache-Control"] == "no-store", path


def test_a_body_that_is_too_large_has_them(query_server):
    """Refused before any route was looked for."""
    answer = query_server.client("").post("/v1/keys", content=b"x" * (3 << 20), timeout=300)
    assert answer.status_code == 413
    said(answer)


def test_https_is_kept_to_behind_tls(new_tenant):
    """Where a proxy that is believed says that it speaks TLS."""
    _, http, _ = new_tenant()
    answer = http.get("/v1/options", headers={"X-Forwarded-Proto": "https"})
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")


@pytest.mark.parametrize("path", ["/v1/report", "/v1/report.csv", "/", "/settings"])
def test_a_mistake_of_ours_tells_nothing_of_it(page, query_server, monkeypatch, path):
    """A problem document or a page with the request's id: no trace, no name of code or of data."""

    def fail(*_):
        raise RuntimeError("sample-secret of user-1")

    # After such an answer the server hangs up.
    key = {"X-API-Key": page.key, "Connection": "close"}
    monkeypatch.setattr(query_server.wiring.store, "ask", fail)
    for accepted in ("text/html", "application/json"):
        answer = page.http.get(path, headers={"Accept": accepted, **key}, timeout=300)
        assert answer.status_code == 500
        said(answer)
        assert not any(word in answer.text for word in WRONG), answer.text
    assert answer.json()["reason"] == "internal_error"


def test_a_tenant_over_its_rate_waits_alone(new_tenant, query_server, monkeypatch):
    """429 with Retry-After, counted; another tenant is answered, on the page as well."""
    _, greedy, _ = new_tenant("greedy")
    tenant, modest, _ = new_tenant("modest")
    visitor = PageSession(
        query_server.url, modest.headers["Authorization"].removeprefix("Bearer "), tenant
    )
    strict = RateLimits("requests", 2)
    # At a moment that stands still, for a busy machine lets more come.
    take = lambda tenant, count, _: strict.take(tenant, count, 0.0)  # noqa: E731
    monkeypatch.setattr(query_server.wiring.limits, "take", take)
    statuses = [greedy.get("/v1/options", timeout=300).status_code for _ in range(4)]
    assert statuses == [200, 200, 429, 429]
    refused = greedy.get("/v1/options")
    assert (refused.json()["reason"], refused.headers["Retry-After"]) == ("rate_limited", "1")
    said(refused)
    assert modest.get("/v1/options", timeout=300).status_code == 200
    assert [visitor.get("/tokens").status_code for _ in range(2)] == [200, 429]
    visitor.close()
    text = query_server.client("").get("/metrics").text
    assert 'usage_query_errors_total{reason="rate_limited"}' in text
