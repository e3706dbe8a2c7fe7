"""The page of what can be asked: all of it is there, and nothing comes from elsewhere."""

import re

import httpx
import pytest

from ingest.app import create_app as create_gateway
from query_service.app import create_app
from query_service.page.docs_page import kind, parts
from query_service.page.rendering import HEADERS
from schemas.settings import IngestSettings, QuerySettings

NOWHERE = {
    "CLICKHOUSE_DSN": "clickhouse://default:@127.0.0.1:1/usage",
    "KAFKA_BOOTSTRAP": "127.0.0.1:1",
}


@pytest.fixture
def app(tmp_path):
    """The query service, not started: what can be asked is told without anything behind it."""
    return create_app(QuerySettings(**NOWHERE, state_dir=tmp_path))


async def ask(app, path):
    """The answer to a GET."""
    transport = httpx.ASGITransport(app, root_path="/usage")
    async with httpx.AsyncClient(transport=transport, base_url="http://here.invalid") as client:
        return await client.get(path)


async def test_every_address_is_told(app):
    """With its parameters, their values, and its answers."""
    answer = await ask(app, "/docs")
    assert answer.status_code == 200
    document = app.openapi()
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            assert f"<code>{method.upper()} {path}</code>" in answer.text
            for parameter in said.get("parameters", ()):
                assert f"<code>{parameter['name']}</code>" in answer.text
    assert "30d, 3m, 6m, 9m, 12m" in answer.text
    assert "expected_users" in answer.text
    assert 'href="/usage/openapi.json"' in answer.text


async def test_nothing_comes_from_elsewhere(app):
    """No other host, nothing inline, and the policy that would refuse both."""
    answer = await ask(app, "/docs")
    loaded = re.findall(r'(?:src|href)="([^"]*)"', answer.text)
    assert loaded
    assert [each for each in loaded if not each.startswith(("/usage/", "#"))] == []
    assert re.findall(r"<script(?![^>]* src=)|<style| style=| on\w+=", answer.text) == []
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize("path", ["/redoc", "/docs/oauth2-redirect"])
async def test_there_are_no_other_docs(app, path):
    """FastAPI's own load scripts from another host."""
    assert (await ask(app, path)).status_code == 404


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/docs/oauth2-redirect"])
async def test_the_gateway_tells_programs_alone(tmp_path, path):
    """Its openapi.json is all that it says of itself."""
    gateway = create_gateway(IngestSettings(**NOWHERE, state_dir=tmp_path))
    assert (await ask(gateway, path)).status_code == 404
    assert "/v1/events" in (await ask(gateway, "/openapi.json")).json()["paths"]


def test_values_are_told_in_words():
    """Types, the values there are, limits, and schemas under a name."""
    document = {"components": {"schemas": {"Seat": {"type": "object"}}}}
    few = {"type": "array", "items": {"$ref": "#/components/schemas/Seat"}, "maxItems": 9}
    assert kind(document, few) == "list of object (at most 9 of them)"
    assert kind(document, {"enum": ["a", "b"]}) == "a, b"
    text = {"type": "string", "minLength": 1, "maxLength": 128}
    assert kind(document, {"anyOf": [text, {"type": "null"}]}) == (
        "string (at most 128 long) or null"
    )
    assert kind(document, {}) == "any value"


def test_an_operation_without_a_part_or_words():
    """It is told all the same."""
    document = {"paths": {"/x": {"get": {"responses": {"204": {"description": "Done."}}}}}}
    (operation,) = parts(document)["others"]
    assert (operation.method, operation.path, operation.inputs) == ("GET", "/x", ())
