"""A peer of the gateway: the same uvicorn, events validated by pydantic, an answer from memory.

No keys, no limits, no lines for the log: the least that an application in FastAPI does. The body
goes to pydantic's Rust core as it came, which is its fastest way.

Next: tests.bench.gateway_quiet
"""

from decimal import Decimal
from typing import Annotated, Literal

import uvicorn
from fastapi import FastAPI, Request, Response
from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter

from schemas.events import MAX_IDENTITY_CHARS, MAX_NAME_CHARS, TOKENS_MAX, TOKENS_SCALE, Access
from schemas.settings import IngestSettings

Identity = Annotated[str, Field(min_length=1, max_length=MAX_IDENTITY_CHARS)]
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME_CHARS)]
Note = Annotated[str, Field(max_length=MAX_NAME_CHARS)]
Tokens = Annotated[Decimal, Field(gt=0, le=TOKENS_MAX, decimal_places=TOKENS_SCALE)]


class Data(BaseModel):
    """What an event says."""

    team_id: Name
    product_id: Name
    access: Access | None = None
    tokens: Tokens | None = None
    product_version: Note | None = None
    session_id: Note | None = None
    feature_id: Note | None = None
    cost_center: Note | None = None


class Event(BaseModel):
    """A CloudEvent of ours."""

    specversion: Literal["1.0"]
    id: Identity
    source: Identity
    type: Literal["product.launched", "tokens.consumed"]
    subject: Identity
    time: AwareDatetime | None = None
    data: Data


_BATCH = TypeAdapter(list[Event])
_ANSWER = b'{"accepted":100,"rejected":[]}'

app = FastAPI()


@app.post("/v1/events")
async def send_events(request: Request) -> Response:
    """Validate a batch."""
    _BATCH.validate_json(await request.body())
    return Response(_ANSWER, 202, media_type="application/json")


@app.get("/health/live")
async def live() -> Response:
    """The process answers."""
    return Response()


if __name__ == "__main__":
    settings = IngestSettings()
    uvicorn.run(
        app,
        host=settings.ingest_host,
        port=settings.ingest_port,
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        server_header=False,
    )
