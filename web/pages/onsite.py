"""Checks on site on a case's page: one is taken, or handed on to somebody else."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

import web.pages.sent as sent
from gis.errors import Problem
from gridmgr.account.rules import Actor
from gridmgr.incident import queries as incidents
from gridmgr.incident.model import Incident
from gridmgr.onsite import service
from web import i18n
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import text
from web.pages.incident import Number
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("incident.view"))]


@router.post("/incidents/{number}/check/take")
def take(request: Request, session: Transaction, actor: Viewer, number: Number) -> Response:
    """Take a check one is sent for."""
    try:
        with session.begin_nested():
            service.take(session, actor, number)
    except Problem as problem:
        return _section(request, session, actor, number, problem)
    return _section(request, session, actor, number)


@router.post("/incidents/{number}/check/give-back")
def give_back(
    request: Request, session: Transaction, actor: Viewer, number: Number,
    note: Annotated[text(2000), Form()] = "",
) -> Response:  # fmt: skip
    """Hand a check on to the next person, with a reason."""
    try:
        with session.begin_nested():
            service.give_back(session, actor, number, note.replace("\r\n", "\n"))
    except Problem as problem:
        return _section(request, session, actor, number, problem, note)
    return _section(request, session, actor, number)


def _section(
    request: Request, session: Session, actor: Actor, number: str, problem: Problem | None = None,
    note: str = "",
) -> Response:  # fmt: skip
    """Return the section as it stands now; whoever no longer sees the case finds the own desk."""
    session.expire_all()
    case = incidents.by_ids(session, actor, _ids(session, actor, number)).values()
    if not is_fragment(request) and problem is None:
        return RedirectResponse(f"/incidents/{number}#check" if case else "/desk", HTTPStatus.SEE_OTHER)
    if not case:
        return Response(status_code=HTTPStatus.OK, headers={"HX-Redirect": "/desk"})
    (shown,) = case
    told = sent.values(session, actor, shown) | {
        "incident": shown, "check_problem": i18n.say(problem) if problem else "", "check_note": note,
    }  # fmt: skip
    return render(request, "fragments/onsite.html", told, status_of(problem) if problem else HTTPStatus.OK)


def _ids(session: Session, actor: Actor, number: str) -> list[int]:
    asked = incidents.visible(actor).with_only_columns(Incident.id).where(Incident.number == number)
    return list(session.scalars(asked))
