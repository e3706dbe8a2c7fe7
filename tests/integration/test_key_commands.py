"""`usage-report keys` and `hash` against a real store, and what commands say when none answers."""

import json
import os
import subprocess
import sys

import pytest

from sinks.clickhouse import connect
from sinks.keys import hashed_user_id, matches, read_keys, split_token, tenant_secret

NOTHING = "127.0.0.1:9"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """A command of `usage-report` with these variables set."""
    return subprocess.run(
        [sys.executable, "-m", "deploy.cli", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def keys(clickhouse_dsn):
    """Runs `keys …` against the store and returns what its JSON says."""

    def ask(*arguments: str):
        done = run("keys", *arguments, "--json", CLICKHOUSE_DSN=clickhouse_dsn)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask


def test_a_key_is_made_found_and_revoked(keys, clickhouse_dsn):
    """The key that is printed works with the scopes and teams asked for, until it is revoked."""
    made = keys("create", "--tenant", "sample-keys", "--scope", "read", "--team", "sample-team-1")
    client = connect(clickhouse_dsn)
    key_id, secret = split_token(made["key"])
    [found] = [key for key in read_keys(client) if key.key_id == key_id == made["key_id"]]
    assert matches(found, secret)
    assert found.allows("read")
    assert not found.allows("ingest")
    assert not found.sees_team("sample-team-2")

    [listed] = keys("list", "--tenant", "sample-keys")
    assert (listed["scopes"], listed["revoked_at"]) == (["read"], None)
    assert secret not in json.dumps(listed)

    keys("revoke", made["key_id"])
    assert key_id not in {key.key_id for key in read_keys(client)}
    assert keys("list", "--tenant", "sample-keys")[0]["revoked_at"]


def test_an_unknown_scope_is_refused(clickhouse_dsn):
    """A wrong scope is wrong usage, and the right ones are named."""
    arguments = ("keys", "create", "--tenant", "sample-keys", "--scope", "everything")
    done = run(*arguments, CLICKHOUSE_DSN=clickhouse_dsn)
    assert done.returncode == 2
    assert "manage" in done.stderr


def test_revoking_what_is_not_there_fails(clickhouse_dsn):
    """A key id that nobody has is a failure, not a silence."""
    done = run("keys", "revoke", "0000", CLICKHOUSE_DSN=clickhouse_dsn)
    assert done.returncode == 1
    assert "keys list" in done.stderr


def test_hash_is_the_tenants_own(keys, clickhouse_dsn):
    """`hash` prints what reports show; the tenant comes from an admin's key, and from no other."""
    tenant = "sample-hash"
    admin = keys("create", "--tenant", tenant, "--scope", "admin")["key"]
    reader = keys("create", "--tenant", tenant, "--scope", "read")["key"]
    wanted = hashed_user_id(tenant_secret(connect(clickhouse_dsn), tenant), "sample-user-1")
    done = run("hash", "sample-user-1", CLICKHOUSE_DSN=clickhouse_dsn, USAGE_KEY=admin)
    assert done.stdout.strip() == wanted
    refused = run("hash", "sample-user-1", CLICKHOUSE_DSN=clickhouse_dsn, USAGE_KEY=reader)
    assert refused.returncode == 2


@pytest.mark.parametrize("command", ["lag", "ledger --all", "verify --all", "keys list", "report"])
def test_what_is_away_is_said_in_one_line(command):
    """Without a store, a log or a service each command says what to do, without a traceback."""
    away = {
        "CLICKHOUSE_DSN": f"clickhouse://sample:secret@{NOTHING}/usage",
        "KAFKA_BOOTSTRAP": NOTHING,
        "USAGE_QUERY_URL": f"http://{NOTHING}",
        "USAGE_KEY": "ur_sample_key",
    }
    done = run(*command.split(), **away)
    assert done.returncode == 1
    assert "usage-report up" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "secret" not in done.stderr
