"""One grid: the members of each micro-grid with the lines they serve, and the lists of single lines merged."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from fastapi.responses import HTMLResponse

import web.pages.tables as tables
from gridmgr import clock, sheet
from gridmgr.account.rules import Actor
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.one_grid import queries, rules, service
from web.deps import Allow, Transaction
from web.fields import text
from web.render import render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("organisation.view"))]
Admin = Annotated[Actor, Depends(Allow("account.manage"))]
PAGE, MOST_FILES = 50, 20


@router.get("/one-grid", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, area: Annotated[text(32), Query()] = "",
    after: Annotated[text(32), Query()] = "",
) -> HTMLResponse:  # fmt: skip
    """Show the one list of each micro-grid."""
    found = queries.page(session, actor, area.strip(), PAGE + 1, after)
    shown = dict(list(found.items())[:PAGE])
    values = {
        "grids": shown, "area": area, "after": after, "areas": hierarchy.areas(session, actor),
        "more": list(shown)[-1] if len(found) > PAGE else "",
        "names": hierarchy.names(session, shown, clock.today()),
    }  # fmt: skip
    return render(request, "one_grid.html", values)


@router.post("/one-grid", response_class=HTMLResponse)
def merge(
    request: Request, session: Transaction, actor: Admin, file: Annotated[list[UploadFile], File()],
    do: Annotated[str, Form()] = "check",
) -> HTMLResponse:  # fmt: skip
    """Check the lists of single lines together, or merge them."""

    def work() -> dict[str, Any]:
        read = {
            each.filename or str(n): sheet.read(each.file.read(), each.filename or "", rules.TABLE)
            for n, each in enumerate(file[:MOST_FILES])
        }
        found = service.merge(session, actor, read)
        return {"found": found, "names": hierarchy.names(session, found.grids, clock.today())}

    return tables.bring(request, session, "lines.html", do == "import", work)
