"""What can be asked, as a page of our own: nothing of it is loaded from elsewhere.

Next: query_service.page.docs_page
"""

from fastapi import APIRouter, Request
from starlette.responses import Response

from query_service.page import docs_page
from query_service.page.rendering import PageRoute, page

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/docs")
def get_docs(request: Request) -> Response:
    """Every address with its parameters and answers; it asks nobody, so it says the same to all."""
    parts = docs_page.parts(request.app.openapi())
    return page(request, "docs.html", parts=parts)
