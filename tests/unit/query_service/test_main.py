"""The entry point: what the server is told of the settings."""

import uvicorn

from query_service import __main__


def test_proxies_are_believed_as_set(monkeypatch, tmp_path):
    """Those alone that are named may say that a request came over TLS."""
    told = {}
    monkeypatch.setattr(uvicorn, "run", lambda _, **more: told.update(more))
    monkeypatch.setattr(__main__, "configure_logging", lambda **_: None)
    monkeypatch.setenv("USAGE_STATE_DIR", str(tmp_path))
    __main__.main()
    assert told["forwarded_allow_ips"] == "127.0.0.1,::1"
    monkeypatch.setenv("USAGE_TRUSTED_PROXIES", "10.0.0.0/8")
    __main__.main()
    assert told["forwarded_allow_ips"] == "10.0.0.0/8"
