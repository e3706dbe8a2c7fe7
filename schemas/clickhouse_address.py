"""ClickHouse's DSN: whether it speaks TLS, with which certificates, and how it is shown to people.

Everything is in the one string that is passed down; `sinks.clickhouse.connect` takes it apart.

Next: sinks.clickhouse
"""

from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from schemas.tls import Certificates

TLS_SCHEMES = ("clickhouses", "https")


def is_tls(dsn: str) -> bool:
    """Whether a DSN asks for TLS."""
    return urlsplit(dsn).scheme in TLS_SCHEMES


def with_certificates(dsn: str, certificates: Certificates) -> str:
    """The DSN with these certificates, in the words of clickhouse-connect.

    Raises ValueError for certificates that are no good, or that the DSN has no use for.
    """
    if not certificates.given:
        return dsn
    if not is_tls(dsn):
        names = ", ".join(certificates.given)
        raise ValueError(f"{names}: for a CLICKHOUSE_DSN that begins with clickhouses:// alone")
    certificates.context()
    parts = urlsplit(dsn)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    files = {
        "ca_cert": certificates.ca_file,
        "client_cert": certificates.cert_file,
        "client_cert_key": certificates.key_file,
    }
    query |= {name: str(file) for name, file in files.items() if file}
    if certificates.cert_file and parts.password:
        # Else clickhouse-connect takes the certificate for the password, and sends none.
        query.setdefault("tls_mode", "strict")
    return urlunsplit(parts._replace(query=urlencode(query)))


def shown(dsn: str) -> str:
    """The DSN as people may see it: without its password."""
    parts = urlsplit(dsn)
    if not parts.password:
        return dsn
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:…@{host}"))
