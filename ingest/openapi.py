"""The OpenAPI document of the gateway, which reads its bodies itself.

Next: ingest.gateway
"""

from typing import Any

from schemas.events import MAX_IDENTITY_CHARS, MAX_NAME_CHARS, TYPES, Access
from schemas.rejects import Reason

_IDENTITY = {"type": "string", "minLength": 1, "maxLength": MAX_IDENTITY_CHARS}
_NAME = {"type": "string", "minLength": 1, "maxLength": MAX_NAME_CHARS}
_OPTIONAL_NAME = {"type": "string", "maxLength": MAX_NAME_CHARS}

_DATA = {
    "type": "object",
    "required": ["team_id", "product_id"],
    "properties": {
        "team_id": _NAME,
        "product_id": _NAME,
        "product_version": _OPTIONAL_NAME,
        "session_id": _OPTIONAL_NAME,
        "feature_id": _OPTIONAL_NAME,
        "cost_center": _OPTIONAL_NAME,
        "access": {"type": "string", "enum": [str(access) for access in Access]},
        "tokens": {
            "oneOf": [{"type": "number"}, {"type": "string"}],
            "description": "tokens.consumed only: above 0, at most 4 decimals, at most 1000000.",
        },
    },
}
_EVENT: dict[str, Any] = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "subject", "data"],
    "properties": {
        "specversion": {"type": "string", "enum": ["1.0"]},
        "id": _IDENTITY,
        "source": _IDENTITY,
        "type": {"type": "string", "enum": list(TYPES)},
        "subject": {**_IDENTITY, "description": "The user's opaque id."},
        "time": {"type": "string", "format": "date-time"},
        "data": _DATA,
    },
}
_EVENTS = {"oneOf": [{"type": "array", "items": _EVENT}, _EVENT]}

_REJECT = {
    "type": "object",
    "properties": {
        "index": {"type": "integer"},
        "id": {"type": ["string", "null"]},
        "reason": {"type": "string", "enum": [str(reason) for reason in Reason]},
        "field": {"type": ["string", "null"]},
        "detail": {"type": "string"},
    },
}
_VERDICTS = {
    "application/json": {
        "schema": {
            "type": "object",
            "required": ["accepted", "rejected"],
            "properties": {
                "accepted": {"type": "integer"},
                "rejected": {"type": "array", "items": _REJECT},
            },
        }
    }
}
_PROBLEM = {
    "application/problem+json": {
        "schema": {
            "type": "object",
            "properties": {
                "type": {"type": "string"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "reason": {"type": ["string", "null"]},
                "detail": {"type": "string"},
            },
        }
    }
}
_REFUSALS: dict[str, Any] = {
    "400": {"description": "No event was accepted.", "content": _VERDICTS},
    "401": {"description": "The key is missing or unknown.", "content": _PROBLEM},
    "403": {"description": "The key may not send this.", "content": _PROBLEM},
    "408": {"description": "The body did not arrive in time.", "content": _PROBLEM},
    "413": {"description": "The body or the batch is too large.", "content": _PROBLEM},
    "415": {"description": "The content type or encoding is unknown.", "content": _PROBLEM},
    "429": {"description": "The tenant is over its rate.", "content": _PROBLEM},
    "503": {"description": "The broker is away, or the buffer full.", "content": _PROBLEM},
}
_REQUEST: dict[str, Any] = {
    "security": [{"key": []}],
    "requestBody": {
        "required": True,
        "content": {
            "application/cloudevents+json": {"schema": _EVENT},
            "application/cloudevents-batch+json": {"schema": _EVENTS},
            "application/json": {"schema": _EVENTS},
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    },
}
_ACCEPTED = {"description": "At least one event was accepted.", "content": _VERDICTS}
_ALL_ACCEPTED = {"description": "All events were accepted."}


def _told(
    summary: str, description: str, response: str, content: str, **others: Any
) -> dict[str, Any]:
    """A question without parameters, and its `others` among the responses."""
    answer = {"description": response, "content": {content: {}}}
    return {
        "operationId": summary.lower(),
        "summary": summary,
        "description": description,
        "responses": {"200": answer, **others},
    }


DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {
        "title": "Usage Report: gateway",
        "description": "Takes product-launch and token events as CloudEvents 1.0.",
        "version": "1",
    },
    "paths": {
        "/v1/events": {
            "post": {
                "operationId": "send_events",
                "summary": "Send Events",
                "description": "Send events: 202 when at least one was accepted, and the broker"
                " has them all.",
                **_REQUEST,
                "responses": {"202": _ACCEPTED, **_REFUSALS},
            }
        },
        "/api/v1/events": {
            "post": {
                "operationId": "send_events_as_openmeter_does",
                "summary": "Send Events As Openmeter Does",
                "description": "For clients of OpenMeter: 204 when all events were accepted,"
                " else 400.",
                **_REQUEST,
                "responses": {"204": _ALL_ACCEPTED, **_REFUSALS},
            }
        },
        "/health/live": {
            "get": _told("Live", "The process answers; asks nothing.", "Live.", "application/json")
        },
        "/health/ready": {
            "get": _told(
                "Ready",
                "The broker answers and keys are known.",
                "Ready.",
                "application/json",
                **{"503": {"description": "Not ready.", "content": _PROBLEM}},
            )
        },
        "/metrics": {
            "get": _told("Metrics", "Prometheus metrics.", "Prometheus metrics.", "text/plain")
        },
    },
    "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
}
