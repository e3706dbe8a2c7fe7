"""The stand-in of a user is the same in SQL and in Python, whatever the id."""

from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from query_service.store import question
from sinks.clickhouse import connect
from sinks.keys import create_key, hashed_user_id, tenant_secret
from tests.support.query_server import NOW

SQL = (
    f"SELECT {question('hashed_user_id')} FROM (SELECT arrayJoin({{ids:Array(String)}}) AS user_id)"
)
IDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)


def test_the_hash_is_that_of_the_definition(clickhouse_dsn):
    """HMAC-SHA256 with the tenant's secret, its first 40 digits: also of long ids, and of none."""
    with closing(connect(clickhouse_dsn)) as client:
        create_key(client, tenant="sample-hashed", scopes=["read"], teams=[], now=NOW)
        secret = tenant_secret(client, "sample-hashed")

        @given(ids=st.lists(IDS, min_size=1))
        def same(ids):
            given_ = {"tenant": "sample-hashed", "ids": ids}
            found = [row for (row,) in client.query(SQL, parameters=given_).result_rows]
            assert found == [hashed_user_id(secret, each) for each in ids]

        same()
