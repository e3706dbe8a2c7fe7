"""What is deployed leaves each part its address, and spreadsheets their room and their time.

Next: tests.project.test_deployment
"""

import re
from ipaddress import ip_address, ip_network

import query_service.__main__
from query_service.export_xlsx import MAX_ROWS
from query_service.store import EXPORT_CLIENTS
from tests.support.deployed import COMPOSE, DEPLOY, SERVICES, of_kind, workloads


def test_nobody_takes_the_address_of_the_proxy():
    """Those that start before it get theirs from a range that it is not in."""
    for name, network in COMPOSE["networks"].items():
        fixed = [
            ip_address(service["networks"][name]["ipv4_address"])
            for service in SERVICES.values()
            if isinstance(service["networks"], dict) and service["networks"].get(name)
        ]
        if fixed:
            (pool,) = network["ipam"]["config"]
            assert ip_network(pool["ip_range"]).subnet_of(ip_network(pool["subnet"]))
            for address in (*fixed, ip_address(pool["gateway"])):
                assert address in ip_network(pool["subnet"])
                assert address not in ip_network(pool["ip_range"])


# Measured: 1.6 kB a row before the sheet is zipped, and 0.15 ms of the processor.
_SHEET_MIB = MAX_ROWS * 1_650 >> 20
_SHEET_SECONDS = MAX_ROWS * 0.00015


def test_the_largest_spreadsheet_is_made():
    """There is room for those made at once, and whoever passes them on waits until they are."""
    (tmp,) = (
        volume["emptyDir"]["sizeLimit"]
        for each, pod, _ in workloads()
        if each["metadata"]["name"] == "usage-query"
        for volume in pod["volumes"]
        if volume["name"] == "tmp"
    )
    assert int(tmp.removesuffix("Gi")) * 1024 > EXPORT_CLIENTS * _SHEET_MIB
    assert any(volume.endswith(":/tmp") for volume in SERVICES["query"]["volumes"])
    assert not SERVICES["query"]["tmpfs"]
    (ingress,) = (each for each in of_kind("Ingress") if each["metadata"]["name"] == "usage-query")
    notes = ingress["metadata"]["annotations"]
    waits = [int(notes["nginx.ingress.kubernetes.io/proxy-read-timeout"])]
    text = (DEPLOY / "proxy" / "Caddyfile").read_text(encoding="utf-8")
    query = text[text.index("{$USAGE_QUERY_SITE") :]
    waits.append(int(re.search(r"response_header_timeout (\d+)s", query)[1]))
    assert min(waits) > 4 * _SHEET_SECONDS
    # Caddy's and nginx's own: 60 s unless the controller is told otherwise.
    kept = int(re.search(r"keepalive (\d+)s", query)[1])
    assert max(kept, 60) < query_service.__main__._KEEP_ALIVE_SECONDS
