"""Admissions: what was asked to be put on a territory's list, argued about and decided."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from gis.errors import Problem
from gridmgr import clock, sheet
from gridmgr.account.rules import Actor
from gridmgr.admission import queries, rules, service
from gridmgr.admission.model import Deed
from gridmgr.category import queries as matters
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.responsibility.model import Standing
from web import i18n
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import RowId, text
from web.render import render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("list.view"))]
Asker = Annotated[Actor, Depends(Allow("admission.ask"))]
SIZE = 20
Note = Annotated[text(10_000), Form()]
Day = Annotated[text(10), Form()]
NOTHING_YET = {
    "code": "",
    "category": "",
    "lead": "",
    "reason": "",
    "note": "",
    "begins": "",
    "ends": "",
    "id": 0,
}


@router.get("/admissions", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, state: Annotated[text(16), Query()] = "",
    before: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0, code: Annotated[text(32), Query()] = "",
    category: Annotated[text(32), Query()] = "",
) -> HTMLResponse:  # fmt: skip
    """List the requests that touch the actor's area; a new one may begin with a place and a matter."""
    return _page(request, session, actor, state, before, {"code": code, "category": category})


def _page(
    request: Request, session: Session, actor: Actor, state: str = "", before: int = 0,
    given: Mapping[str, object] | None = None, problem: Problem | None = None,
) -> HTMLResponse:  # fmt: skip
    """Return the page; `given` is what somebody has typed, `problem` what is wrong with it."""
    chosen = state if state in set(Standing) else ""
    found = queries.page(session, actor, chosen, SIZE + 1, before or None)
    done = queries.deeds(session, [each.id for each in found])
    today = clock.today()
    values = {
        "requests": [(each, done.get(each.id, []), rules.deeds(actor, each)) for each in found[:SIZE]],
        "more": found[SIZE - 1].id if len(found) > SIZE else 0, "state": chosen, "before": before,
        "counts": queries.counts(session, actor), "categories": matters.in_force(session),
        "areas": hierarchy.areas(session, actor), "today": today,
        "names": hierarchy.names(session, [each.code for each in found], today),
        "given": NOTHING_YET | dict(given or {}), "problem": i18n.say(problem) if problem else "",
    }  # fmt: skip
    return render(request, "admissions.html", values, status_of(problem) if problem else HTTPStatus.OK)


@router.post("/admissions")
def ask(
    request: Request, session: Transaction, actor: Asker, code: Annotated[text(32), Form()] = "",
    category: Annotated[text(32), Form()] = "", lead: Annotated[text(100), Form()] = "", reason: Note = "",
) -> Response:  # fmt: skip
    """Ask that a matter be admitted to the list of a unit."""
    told = reason.replace("\r\n", "\n")
    try:
        with session.begin_nested():
            found = service.ask(session, actor, code, category, told, lead)
    except Problem as problem:
        given = {"code": code, "category": category, "lead": lead, "reason": reason}
        return _page(request, session, actor, given=given, problem=problem)
    return RedirectResponse(f"/admissions#request-{found.id}", HTTPStatus.SEE_OTHER)


@router.post("/admissions/{admission_id}/{deed}")
def do(
    request: Request, session: Transaction, actor: Viewer, admission_id: RowId, deed: Deed, note: Note = "",
    begins: Day = "", ends: Day = "",
) -> Response:  # fmt: skip
    """Argue, grant, refuse, take back, end."""
    try:
        with session.begin_nested():
            span = [sheet.day(each.strip()) if each.strip() else None for each in (begins, ends)]
            service.do(session, actor, admission_id, deed, note.replace("\r\n", "\n"), *span)
    except Problem as problem:
        session.expire_all()
        given = {"id": admission_id, "note": note, "begins": begins, "ends": ends}
        return _page(request, session, actor, given=given, problem=problem)
    return RedirectResponse(f"/admissions#request-{admission_id}", HTTPStatus.SEE_OTHER)
