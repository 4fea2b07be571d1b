"""Many people at once: a table is checked and shown, then taken whole or not at all."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, Response

import web.pages.tables as tables
from gridmgr import sheet
from gridmgr.account import queries, service
from gridmgr.account.rules import PEOPLE, Actor
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.organisation import queries as organisation
from gridmgr.sheet import Format
from gridmgr.words import ROLES
from web import i18n
from web.deps import Allow, Transaction

router = APIRouter(include_in_schema=False)
Admin = Annotated[Actor, Depends(Allow("account.manage"))]


@router.post("/accounts/import", response_class=HTMLResponse)
def bring(
    request: Request, session: Transaction, actor: Admin,
    file: Annotated[UploadFile, File()], do: Annotated[str, Form()] = "check",
) -> HTMLResponse:  # fmt: skip
    """Check a table of people, or take it."""

    def work() -> dict[str, Any]:
        read = sheet.read(file.file.read(), file.filename or "", PEOPLE)
        areas = partial(hierarchy.without_units, session)
        return {"found": service.import_people(session, actor, read, areas, organisation.workplaces(session))}

    return tables.bring(request, session, "people.html", do == "import", work)


@router.get("/accounts.xlsx")
def take_away(session: Transaction, actor: Admin) -> Response:
    """Return all accounts as a table that can be brought back; passwords are not in it."""
    heads = [PEOPLE[name].headings[0 if i18n.language.get() == "zh" else -1] for name in PEOPLE]
    rows = [
        (
            each.username, each.name, "; ".join(f"{i18n._(ROLES[g.role])}:{g.code}" for g in each.grants),
            each.body, i18n._("yes") if each.active else i18n._("no"), "",
        )
        for each in queries.listing(session)
    ]  # fmt: skip
    headers = {"Content-Disposition": 'attachment; filename="accounts.xlsx"'}
    content = b"".join(sheet.stream(Format.XLSX, heads, rows))
    return Response(content, media_type=Format.XLSX.media, headers=headers)
