"""The DSN with certificates in it, and as people may see it."""

from urllib.parse import parse_qs, urlsplit

import pytest

from schemas.clickhouse_address import is_tls, shown, with_certificates
from schemas.tls import Certificates
from tests.support.certificates import Authority

DSN = "clickhouses://sample:secret@store:8443/usage?compress=lz4"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """All three files."""
    authority = Authority(tmp_path_factory.mktemp("authority"))
    return Certificates("USAGE_CLICKHOUSE", authority.ca_file, *authority.issue("client"))


def test_certificates_go_into_the_dsn(certificates):
    """In clickhouse-connect's words, beside what is there; a second time changes nothing."""
    dsn = with_certificates(DSN, certificates)
    assert parse_qs(urlsplit(dsn).query) == {
        "compress": ["lz4"],
        "ca_cert": [str(certificates.ca_file)],
        "client_cert": [str(certificates.cert_file)],
        "client_cert_key": [str(certificates.key_file)],
        # Both the certificate and the password are shown.
        "tls_mode": ["strict"],
    }
    assert with_certificates(dsn, certificates) == dsn


def test_a_certificate_may_stand_for_the_password(certificates):
    """Without a password in the DSN it does: that is clickhouse-connect's own way."""
    dsn = with_certificates("clickhouses://sample@store:8443/usage", certificates)
    assert "tls_mode" not in dsn


def test_certificates_without_tls_are_refused(certificates):
    """They would be of no use, and the rows would go over the wire as they are."""
    with pytest.raises(ValueError, match="USAGE_CLICKHOUSE_CA_FILE"):
        with_certificates("clickhouse://sample@store:8123/usage", certificates)


@pytest.mark.parametrize(
    ("dsn", "expected"),
    [("clickhouses://s/u", True), ("https://s/u", True), ("clickhouse://s/u", False)],
)
def test_the_scheme_says_whether_tls_is_spoken(dsn, expected):
    """One letter more is the difference."""
    assert is_tls(dsn) is expected


def test_people_see_no_password():
    """Everything else stays."""
    assert shown(DSN) == "clickhouses://sample:…@store:8443/usage?compress=lz4"
    assert shown("clickhouse://default:@store/usage") == "clickhouse://default:@store/usage"
