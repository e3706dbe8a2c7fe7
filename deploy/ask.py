"""Questions to the query service over HTTP, as any client would put them.

Next: query_service.app
"""

from typing import Any

import httpx

from deploy.connection import Connection
from schemas.rejects import Unavailable

ANSWER_SECONDS = 60.0


class Refused(Exception):  # noqa: N818 - named for what happened, as the style asks
    """The query service refuses; the text is its reason, for the person who asked."""


def ask(connection: Connection, path: str, **parameters: Any) -> dict[str, Any]:
    """The JSON answer of `path`; parameters that are None, False or empty are left out.

    Raises Refused with the service's words, or Unavailable when it does not answer.
    """
    given = {name.rstrip("_"): value for name, value in parameters.items() if value}
    try:
        answer = httpx.get(
            f"{connection.query_url.rstrip('/')}{path}",
            params=given,
            headers=headers_of(connection),
            timeout=ANSWER_SECONDS,
            # No proxy of the environment stands between this machine and itself.
            trust_env=not is_here(connection.query_url),
        )
    except httpx.TransportError as error:
        raise away(connection, error) from error
    check(answer)
    return dict(answer.json())


def headers_of(connection: Connection) -> dict[str, str]:
    """The key, in a header; raises Refused when there is none."""
    if not connection.key:
        raise Refused("no key: set USAGE_KEY, or name the directory of an `up` with --data-dir")
    return {"Authorization": f"Bearer {connection.key}"}


def away(connection: Connection, error: httpx.TransportError) -> Unavailable:
    """What to say when the service does not answer."""
    return Unavailable(
        "the query service",
        f"nothing answers at {connection.query_url} ({type(error).__name__}); "
        "start `usage-report up`, or set USAGE_QUERY_URL",
    )


def check(answer: httpx.Response) -> None:
    """Raise Unavailable or Refused, with the service's words, for an answer that is an error."""
    if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        raise Unavailable("the query service", _reason(answer))
    if answer.is_error:
        raise Refused(_reason(answer))


def is_here(url: str) -> bool:
    """Whether the address is this machine's own."""
    return httpx.URL(url).host in {"127.0.0.1", "localhost", "::1"}


def _reason(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    errors = "; ".join(map(_described, problem.get("errors", ())))
    text = errors or problem.get("detail") or problem.get("reason") or answer.text[:200]
    return f"HTTP {answer.status_code}: {text}"


def _described(error: dict[str, Any]) -> str:
    allowed = ", ".join(error.get("allowed") or ())
    text = f"{error.get('parameter')}: {error.get('detail') or error.get('reason')}"
    return f"{text} ({allowed})" if allowed else text
