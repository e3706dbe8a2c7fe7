"""Build the image by hand, and send an event through every process of it: `make image-check`.

Kafka and ClickHouse run outside of it. Root is needed: overlays and mounts of its own.

Next: tests.image.dockerfile
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

import yaml

from deploy import ports
from tests.image.dockerfile import build, chrooted, inside, mount
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.kafka_process import KafkaProcess
from tests.support.sources import ROOT

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
COMPOSE = ROOT / "deploy" / "compose.yaml"
# This machine is busy with something else, perhaps.
PATIENCE_SECONDS = 180.0
SERVICES = {"gateway-1": "ingest", "worker": "worker", "query": "query"}
EVENT = {
    "specversion": "1.0",
    "id": "sample-1",
    "source": "image-check",
    "type": "product.launched",
    "subject": "sample-user-1",
    "data": {"team_id": "sample-team-1", "product_id": "sample-product-1"},
}


def main():
    """Build and try in a mount namespace, and clear up outside of it, where nothing is mounted."""
    if sys.argv[1:]:
        check(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory(prefix="usage-image-") as scratch:
        command = [sys.executable, "-m", "tests.image", scratch]
        sys.exit(subprocess.call(["unshare", "--mount", *command], cwd=ROOT))


def check(scratch):
    """Build the image, start engines outside of it, and try everything that it runs."""
    image = build(DOCKERFILE, scratch / "stages")
    seal(image, scratch)
    size = subprocess.check_output(["du", "-sm", inside(image, "/opt/usage-report")], text=True)
    print(f"image: {size.split()[0]} MiB of packages, user {image.user}, root read-only")
    with ExitStack() as stack:
        kafka = stack.enter_context(KafkaProcess(scratch / "kafka"))
        clickhouse = ClickHouseProcess(scratch / "clickhouse").start()
        stack.callback(clickhouse.kill)
        image.environ |= {"CLICKHOUSE_DSN": clickhouse.dsn, "KAFKA_BOOTSTRAP": kafka.bootstrap}
        image.environ["HOME"] = "/var/lib/usage-report"
        try_commands(image)
        try_processes(image)
    print("image-check: every process ran, and one event became one row")


def seal(image, scratch):
    """As Docker runs it: a read-only root, a writable volume of the user's, /tmp in memory."""
    for place in image.volumes:
        kept = scratch / "volumes" / place.lstrip("/").replace("/", "-")
        kept.mkdir(parents=True)
        os.chown(kept, int(image.user), int(image.user))
        mount("--bind", kept, inside(image, place))
    mount("-o", "remount,ro", image.root)
    mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", inside(image, "/tmp"))  # noqa: S108


def try_commands(image):
    """What ends by itself, and that nothing can be written where nothing may be."""
    assert "Usage: " in said(image, "--help")
    assert "USAGE_INGEST_HOST" in said(image, "settings")
    print("migrate:", said(image, "migrate").strip())
    touched = chrooted(image, ["touch", "/opt/usage-report/x"], capture_output=True, check=False)
    assert touched.returncode != 0
    assert b"Read-only" in touched.stderr, touched


def said(image, *arguments, **environ):
    """The output of a command of the image, which succeeds."""
    command = [*image.entrypoint, *arguments]
    done = chrooted(image, command, environ=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    return done.stdout


def try_processes(image):
    """An event goes through all of them; their health checks are those of compose.yaml."""
    key = json.loads(
        said(image, *["keys", "create", "--json", "--tenant", "sample"], *_scopes("ingest", "read"))
    )["key"]
    gateway, worker, query = (ports.free() for _ in range(3))
    image.environ |= {
        "USAGE_INGEST_PORT": str(gateway),
        "USAGE_WORKER_PORT": str(worker),
        "USAGE_QUERY_PORT": str(query),
    }
    with running(image, "ingest"), running(image, "worker"), running(image, "query"):
        for service, port in zip(SERVICES, (gateway, worker, query), strict=True):
            until(lambda s=service, p=port: healthy(image, s, p), f"{service} is healthy")
        until(lambda: ask(f"http://127.0.0.1:{gateway}/health/ready", key), "gateway is ready")
        print("gateway:", ask(f"http://127.0.0.1:{gateway}/v1/events", key, EVENT))
        report = f"http://127.0.0.1:{query}/v1/report?product=sample-product-1"
        until(lambda: rows(report, key), "the event is in the report")
        print("report:", rows(report, key))
        addresses = {"USAGE_QUERY_URL": f"http://127.0.0.1:{query}", "USAGE_KEY": key}
        print("command line:", said(image, "report", "--json", **addresses)[:200])


def _scopes(*names):
    return [word for name in names for word in ("--scope", name)]


def rows(report, key):
    """The rows of a report."""
    return (ask(report, key) or {}).get("rows")


def healthy(image, service, port):
    """Whether compose's health check of this service is content."""
    services = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    kind, *command = services[service]["healthcheck"]["test"]
    assert kind == "CMD"
    usual = {"gateway-1": "8081", "worker": "8082", "query": "8080"}[service]
    command = [word.replace(usual, str(port)) for word in command]
    return chrooted(image, command, capture_output=True, check=False).returncode == 0


@contextmanager
def running(image, name):
    """A process of the image; told to end it ends with status 0, and it logged no failure."""
    with tempfile.TemporaryFile("w+") as log:
        process = chrooted(
            image, [*image.entrypoint, name], run=subprocess.Popen, stdout=log, stderr=log
        )
        try:
            yield
            process.terminate()
            status = process.wait(60)
        finally:
            process.kill()
            log.seek(0)
            lines = log.read()
            print(f"--- {name}\n{lines}", flush=True)
    assert status == 0, name
    assert '"level":"critical"' not in lines, name


def until(look, what):
    """Ask again and again, patiently."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not look():
        assert time.monotonic() < deadline, what
        time.sleep(0.5)
    print(what, flush=True)


def ask(url, key, body=None):
    """The JSON of an answer; None when there is none yet."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/cloudevents+json"}
    asked = urllib.request.Request(url, json.dumps(body).encode() if body else None, headers)  # noqa: S310
    try:
        with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310
            return json.load(answer)
    except (urllib.error.URLError, OSError):
        return None


if __name__ == "__main__":
    main()
