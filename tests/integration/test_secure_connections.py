"""TLS and SASL: every connection of ours to Kafka and ClickHouse is made as the settings say.

The broker speaks SASL_SSL alone, or SSL to known certificates alone, and the store TLS alone: a
client that was made without the settings gets nowhere.
"""

from contextlib import ExitStack

import httpx
import orjson
import pytest

from tests.support.gateway_process import wait_until
from tests.support.query_process import QueryProcess
from tests.support.secure_kafka import PASSWORD
from tests.support.secure_world import PATIENCE_SECONDS, SecureWorld, post

# A broker with TLS takes its time to start on a machine that is busy.
pytestmark = pytest.mark.timeout(900)

EVENTS = 40
MISTAKE = "sample-mistake-that-is-nowhere-else"


@pytest.fixture(scope="module")
def by_password(tmp_path_factory):
    """A broker that asks for TLS and a password, and a store that asks for TLS."""
    world = SecureWorld(tmp_path_factory.mktemp("password"), mutual=False)
    with ExitStack() as stack:
        stack.callback(world.stop)
        world.start()
        yield world


@pytest.fixture(scope="module")
def by_certificate(tmp_path_factory):
    """A broker and a store that ask for a certificate."""
    world = SecureWorld(tmp_path_factory.mktemp("certificate"), mutual=True)
    with ExitStack() as stack:
        stack.callback(world.stop)
        world.start()
        yield world


@pytest.fixture
def stack():
    """What is to be ended, whatever happened."""
    with ExitStack() as made:
        yield made


def logs_of(world):
    """Everything that our processes have logged."""
    own = [path for path in world.root.rglob("*.log") if world.kafka.data_dir not in path.parents]
    return {path: path.read_text() for path in own}


def test_the_whole_way_by_password(by_password, stack):
    """Events go from gateway to report over TLS and SCRAM, commands look on, no secret is logged.

    The worker has its password from a file, as secrets are mounted.
    """
    world = by_password
    gateway = world.gateway("gateway", world.environment)
    stack.callback(gateway.kill)
    gateway.start()
    in_file = {"USAGE_KAFKA_SASL_PASSWORD_FILE": str(world.password_file)}
    worker = world.worker("worker", world.but(USAGE_KAFKA_SASL_PASSWORD=None, **in_file))
    stack.callback(worker.kill)
    query = QueryProcess(world.front.dsn, world.root, **world.environment)
    stack.callback(query.stop)
    query.start()
    key = world.key()
    wait_until(lambda: post(gateway, key, 1).status_code != 401, seconds=PATIENCE_SECONDS)
    answer = post(gateway, key, EVENTS - 1)
    assert answer.status_code == 202, answer.text
    world.until_folded(EVENTS)
    place = {"USAGE_QUERY_URL": f"http://127.0.0.1:{query.port}", "USAGE_KEY": key}
    told = world.command("report", "--json", environment=world.environment | place)
    assert sum(row["launches"] for row in orjson.loads(told.stdout)["rows"]) == EVENTS, told
    operated = httpx.get(
        f"{place['USAGE_QUERY_URL']}/v1/ledger", headers={"X-API-Key": key}, timeout=60
    )
    assert operated.json()["lag_records"] == 0, operated.text
    assert worker.terminate() == 0
    listed = world.command("settings")
    assert "USAGE_KAFKA_SASL_PASSWORD=" in listed.stdout
    for text in (*logs_of(world).values(), listed.stdout):
        assert PASSWORD not in text


def test_the_whole_way_by_certificate(by_certificate, stack):
    """Gateway, worker and commands show their certificates, to Kafka and to ClickHouse."""
    world = by_certificate
    gateway = world.gateway("gateway", world.environment)
    stack.callback(gateway.kill)
    gateway.start()
    worker = world.worker("worker", world.environment)
    stack.callback(worker.kill)
    key = world.key()
    wait_until(lambda: post(gateway, key, 1).status_code == 202, seconds=PATIENCE_SECONDS)
    world.until_folded(1)


def is_refused(world, stack, name, wrong, *, because):
    """Gateway, worker and a command say that Kafka refuses them, and why."""
    gateway = world.gateway(f"gateway-{name}", wrong)
    stack.callback(gateway.kill)
    gateway.start(until="/health/live")
    worker = world.worker(f"worker-{name}", wrong)
    stack.callback(worker.kill)
    key = world.key()
    told = world.command("lag", environment=wrong)
    assert told.returncode == 1, told
    assert because in told.stderr, told.stderr
    assert worker.exit_status() == 1
    [line] = worker.entries("not_started")
    assert because in line["error"], line
    wait_until(lambda: because in gateway.log(), seconds=PATIENCE_SECONDS)
    ready = httpx.get(f"{gateway.url}/health/ready", timeout=60)
    assert ready.status_code == 503
    assert because in ready.text, ready.text
    wait_until(lambda: post(gateway, key, 1).status_code != 401, seconds=PATIENCE_SECONDS)
    assert post(gateway, key, 1).status_code == 503
    assert '"event":"kafka_refuses"' in gateway.log()


def test_a_wrong_password_is_said_aloud(by_password, stack):
    """503 and not ready with the reason; the worker ends with it; neither logs the password."""
    wrong = by_password.but(USAGE_KAFKA_SASL_PASSWORD=MISTAKE)
    is_refused(by_password, stack, "password", wrong, because="invalid credentials")
    assert not [path for path, text in logs_of(by_password).items() if MISTAKE in text]


def test_a_broker_that_nobody_we_trust_vouches_for(by_password, stack):
    """With another authority's certificate in the settings, no word is said to the broker."""
    wrong = by_password.but(USAGE_KAFKA_CA_FILE=str(by_password.stranger.ca_file))
    is_refused(by_password, stack, "authority", wrong, because="certificate verify failed")


def test_a_missing_certificate_of_ours_is_said_aloud(by_certificate, stack):
    """A broker that asks for a certificate refuses who shows none, and that is what is logged."""
    wrong = by_certificate.but(USAGE_KAFKA_CERT_FILE=None, USAGE_KAFKA_KEY_FILE=None)
    is_refused(by_certificate, stack, "nobody", wrong, because="certificate")


def test_a_password_that_is_put_right_is_read_again(by_password, stack):
    """A gateway with a stale file of its password gets through as soon as the file is replaced."""
    stale = by_password.root / "stale-password"
    stale.write_text(MISTAKE)
    environment = by_password.but(
        USAGE_KAFKA_SASL_PASSWORD=None, USAGE_KAFKA_SASL_PASSWORD_FILE=str(stale)
    )
    gateway = by_password.gateway("gateway-stale", environment)
    stack.callback(gateway.kill)
    gateway.start(until="/health/live")
    wait_until(lambda: "kafka_refuses" in gateway.log(), seconds=PATIENCE_SECONDS)
    by_password.password_file.replace(stale)
    by_password.password_file.write_text(PASSWORD)
    wait_until(lambda: gateway.answers("/health/ready"), seconds=PATIENCE_SECONDS)


def test_a_store_that_nobody_we_trust_vouches_for(by_certificate, stack):
    """The worker waits, and both it and a command say that it is a matter of certificates."""
    world = by_certificate
    wrong = world.but(USAGE_CLICKHOUSE_CA_FILE=str(world.stranger.ca_file))
    worker = world.worker("worker-store-authority", wrong)
    stack.callback(worker.kill)
    told = world.command("verify", "--all", environment=wrong)
    assert told.returncode == 1
    assert "certificate verify failed" in told.stderr, told.stderr
    wait_until(lambda: worker.entries("waiting"), seconds=PATIENCE_SECONDS)
    assert "certificate verify failed" in worker.entries("waiting")[0]["error"]
    assert worker.process.poll() is None


def test_a_store_that_asks_for_a_certificate(by_certificate):
    """Who shows none is not let in."""
    nobody = {"USAGE_CLICKHOUSE_CERT_FILE": None, "USAGE_CLICKHOUSE_KEY_FILE": None}
    told = by_certificate.command("verify", "--all", environment=by_certificate.but(**nobody))
    assert told.returncode == 1
    assert "ClickHouse" in told.stderr


@pytest.mark.parametrize(
    ("variable", "command"),
    [("KAFKA_BOOTSTRAP", ["lag"]), ("CLICKHOUSE_DSN", ["keys", "list"])],
)
def test_host_names_are_checked(by_password, variable, command):
    """The certificates are for 127.0.0.1: by any other name it may be somebody else."""
    elsewhere = by_password.environment[variable].replace("127.0.0.1", "localhost")
    wrong = by_password.but(**{variable: elsewhere})
    told = by_password.command(*command, environment=wrong)
    assert told.returncode == 1
    assert "Hostname mismatch" in told.stderr, told.stderr
