"""Views of the command map that the caller keeps."""

from typing import Annotated

from fastapi import Depends, Response
from pydantic import BaseModel, Field

from gridmgr.account.rules import Actor
from gridmgr.saved_view import queries, service
from gridmgr.saved_view.model import LONGEST_NAME, LONGEST_QUERY, SavedView
from web.api.schema import problems, router
from web.deps import Allow, Transaction
from web.fields import RowId, Utc, text
from web.paging import Page, Paging, paged

routes = router("view")
Viewer = Annotated[Actor, Depends(Allow("incident.view"))]
Key = tuple[str, RowId]
QUERY = "code=510106001&colour=count&centre=104.05,30.7,14"


class ViewIn(BaseModel):
    """A name, and the part of the map's address behind the question mark."""

    name: text(LONGEST_NAME, 1) = Field(examples=["早班"])
    query: text(LONGEST_QUERY) = Field(examples=[QUERY])


class ViewOut(BaseModel):
    """A kept view, and the address that shows it to anybody, each within their own area."""

    id: int
    name: str
    query: str = Field(examples=[QUERY])
    address: str = Field(examples=["/?" + QUERY])
    saved_at: Utc


class ViewPage(Page[ViewOut]):
    """Views, by name."""


@routes.get("/views")
def list_views(
    session: Transaction, actor: Viewer, paging: Annotated[Paging[Key], Depends(paged("views", Key))]
) -> ViewPage:  # fmt: skip
    """List the views of the command map the caller keeps."""

    def place(view: SavedView) -> tuple[str, int]:
        return view.name, view.id

    found = queries.page(session, actor, paging.fetch, paging.after)
    return paging.page(ViewPage, found, place, lambda rows: map(_out, rows))


@routes.post("/views", status_code=201, responses=problems(409))
def keep_view(view: ViewIn, session: Transaction, actor: Viewer) -> ViewOut:
    """Keep a view of the command map; the same name again takes the new one."""
    return _out(service.keep(session, actor, view.name, view.query))


@routes.delete("/views/{view_id}", status_code=204, responses=problems(404))
def remove_view(view_id: RowId, session: Transaction, actor: Viewer) -> Response:
    """Let a kept view go."""
    service.let_go(session, actor, view_id)
    return Response(status_code=204)


def _out(view: SavedView) -> ViewOut:
    return ViewOut(
        id=view.id, name=view.name, query=view.query, address=f"/?{view.query}", saved_at=view.saved_at
    )
