"""Many people at once: a table is checked and shown, then taken whole or not at all."""

from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, Response

from gis.errors import Problem
from gridmgr import db, sheet
from gridmgr.account import queries, service
from gridmgr.account.rules import PEOPLE, Actor
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.sheet import BadSheet, Format
from gridmgr.words import ROLES
from web import i18n
from web.deps import Allow, Transaction
from web.errors import status_of
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
Admin = Annotated[Actor, Depends(Allow("account.manage"))]


@router.post("/accounts/import", response_class=HTMLResponse)
def bring(
    request: Request, session: Transaction, actor: Admin,
    file: Annotated[UploadFile, File()], do: Annotated[str, Form()] = "check",
) -> HTMLResponse:  # fmt: skip
    """Check a table of people, or take it."""
    values = {"errors": [], "problem": "", "people": [], "taken": do == "import"}
    status = HTTPStatus.OK
    try:
        with db.rehearsed(session, keep=values["taken"]):
            read = sheet.read(file.file.read(), file.filename or "", PEOPLE)
            areas = partial(hierarchy.without_units, session)
            values["people"] = service.import_people(session, actor, read, areas)
    except BadSheet as problem:
        values["errors"], status = problem.errors, status_of(problem)
    except Problem as problem:
        values["problem"], status = i18n.say(problem), status_of(problem)
    template = "fragments/people.html" if is_fragment(request) else "people.html"
    return render(request, template, values, status)


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
