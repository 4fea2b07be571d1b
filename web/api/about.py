"""Whether the service is well, and what its API is: the OpenAPI document and a page to read it on."""

from typing import Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel

from web.api.schema import document, router
from web.deps import Open

routes = router("about", prefix="")

# The validator and the remote examples of Swagger UI would ask the internet; both are off.
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>gridmgr API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/vendor/swagger-ui-dist/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<script src="/static/vendor/swagger-ui-dist/swagger-ui-bundle.js" nonce="{nonce}"></script>
<script nonce="{nonce}">
SwaggerUIBundle({{
  url: "/api/openapi.json", dom_id: "#api", validatorUrl: null, deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis], persistAuthorization: false,
}});
</script>
</body>
</html>
"""


class Health(BaseModel):
    """The service answers."""

    status: str = "ok"


@routes.get("/healthz", dependencies=[Depends(Open("a monitor has no account"))])
async def healthz() -> Health:
    """Say that this process answers; what it stands on is asked at `/readyz`."""
    return Health()


BEGINNING = {"openapi": "3.1.0", "info": {"title": "gridmgr", "version": "0.1.0"}, "paths": {}}


@routes.get(
    "/api/openapi.json",
    responses={200: {"content": {"application/json": {"example": BEGINNING}}}},
    dependencies=[Depends(Open("it describes the interface and holds no data"))],
)
def openapi(request: Request) -> dict[str, Any]:
    """Return this description."""
    return JSONResponse(document(request.app))


@routes.get(
    "/api/docs",
    include_in_schema=False,
    dependencies=[Depends(Open("it describes the interface and holds no data"))],
)
def docs(request: Request) -> HTMLResponse:
    """Show this description as a page to read and try."""
    return HTMLResponse(PAGE.format(nonce=request.state.nonce))
