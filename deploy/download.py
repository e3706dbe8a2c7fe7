"""A file from the query service, taken for whole only when its transfer ended well.

Next: query_service.routes.exports
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import httpx

from deploy.ask import away, check, headers_of, is_here
from deploy.connection import Connection
from schemas.rejects import Unavailable

# A spreadsheet is made before its first byte is sent, and may take as long as an export may.
FIRST_BYTE_SECONDS = 3700.0


class Transfer:
    """An answer that has begun."""

    def __init__(self, answer: httpx.Response) -> None:
        self._answer = answer

    def pieces(self) -> Iterator[bytes]:
        """The bytes as they come; raises Unavailable when they break off."""
        try:
            yield from self._answer.iter_bytes()
        except httpx.TransportError as error:
            raise Unavailable(
                "the query service", f"the transfer broke off ({type(error).__name__}); try again"
            ) from error

    def describe(self) -> dict[str, Any]:
        """What the headers say of the file."""
        headers = self._answer.headers
        return {
            "rows": int(headers["X-Total-Rows"]),
            "personal_data": headers["X-Personal-Data"],
            "complete_up_to": headers["X-Complete-Up-To"],
            "schema_version": int(headers["X-Schema-Version"]),
        }


@contextmanager
def transfer(connection: Connection, path: str, parameters: dict[str, Any]) -> Iterator[Transfer]:
    """The file at `path`; raises Refused with the service's words, or Unavailable."""
    url = f"{connection.query_url.rstrip('/')}{path}"
    timeout = httpx.Timeout(10.0, read=FIRST_BYTE_SECONDS)
    with httpx.Client(timeout=timeout, trust_env=not is_here(connection.query_url)) as client:
        request = client.build_request(
            "GET", url, params=parameters, headers=headers_of(connection)
        )
        try:
            answer = client.send(request, stream=True)
            if answer.is_error:
                answer.read()
        except httpx.TransportError as error:
            raise away(connection, error) from error
        with closing(answer):
            check(answer)
            yield Transfer(answer)
