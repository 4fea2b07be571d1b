"""Supervision orders: their list with how they are answered, and what is done to them on a case's page."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

import web.pages.orders as orders
from gis.errors import Problem
from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.calendar.model import BadAmount
from gridmgr.calendar.queries import MOST_AMOUNT
from gridmgr.category import queries as matters
from gridmgr.clock import TimeUnit
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.incident import queries as incidents
from gridmgr.supervision import queries, service
from gridmgr.supervision.model import Deed, Standing
from gridmgr.supervision.queries import Search
from web import i18n
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import BigRowId, text
from web.pages.incident import Number
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("supervision.view"))]
SIZE, DAYS = 50, 30
TYPED = 10_000  # characters that are given back, whatever may be kept of them
Typed = Annotated[text(TYPED), Form()]


@router.get("/supervision", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, state: Annotated[text(16), Query()] = "",
    area: Annotated[text(32), Query()] = "", before: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
) -> HTMLResponse:  # fmt: skip
    """List the orders on visible cases, and how they were answered in the last days."""
    chosen = Standing(state) if state in set(Standing) else None
    search = Search(chosen, state == "late", area.strip())
    found = queries.page(session, actor, search, SIZE + 1, before or None)
    now = clock.now()
    values = {
        "orders": [(order, case, queries.is_late(order)) for order, case in found[:SIZE]],
        "counts": queries.counts(session, actor), "state": state, "area": area, "before": before,
        "areas": hierarchy.areas(session, actor),
        "more": found[SIZE - 1][0].id if len(found) > SIZE else 0, "days": DAYS,
        "categories": matters.by_id(session),
        "answering": queries.answering(session, actor, now - timedelta(days=DAYS), now),
    }  # fmt: skip
    return render(request, "supervision.html", values)


@router.post("/incidents/{number}/supervision")
def issue(
    request: Request, session: Transaction, actor: Annotated[Actor, Depends(Allow("supervision.issue"))],
    number: Number, wanted: Typed = "", amount: Annotated[text(20), Form()] = "",
    unit: TimeUnit = Form(TimeUnit.WORKING_HOURS),
) -> Response:  # fmt: skip
    """Issue an order on a case."""
    try:
        with session.begin_nested():
            service.issue(session, actor, number, wanted.replace("\r\n", "\n"), _amount(amount), unit)
    except Problem as problem:
        given = {"wanted": wanted, "amount": amount, "unit": unit.value}
        return _section(request, session, actor, number, problem, given)
    return _section(request, session, actor, number)


def _amount(typed: str) -> float:
    try:
        found = float(typed)
    except ValueError:
        found = 0
    if not 0 < found <= MOST_AMOUNT:
        raise BadAmount(value=typed, most=MOST_AMOUNT)
    return found


@router.post("/incidents/{number}/supervision/{order_id}/{deed}")
def do(
    request: Request, session: Transaction, actor: Viewer, number: Number,
    order_id: Annotated[BigRowId, Path()], deed: Deed, note: Typed = "",
) -> Response:  # fmt: skip
    """Answer, confirm, return or withdraw an order."""
    try:
        with session.begin_nested():
            service.do(session, actor, order_id, deed, note.replace("\r\n", "\n"))
    except Problem as problem:
        return _section(request, session, actor, number, problem, {"note": note, "order": order_id})
    return _section(request, session, actor, number)


def _section(
    request: Request, session: Session, actor: Actor, number: str, problem: Problem | None = None,
    given: dict[str, Any] | None = None,
) -> Response:  # fmt: skip
    """Return the section of a case's page as it stands now; without htmx the page itself follows."""
    session.expire_all()
    case = incidents.by_number(session, actor, number)
    if not is_fragment(request) and problem is None:
        return RedirectResponse(f"/incidents/{number}#orders", HTTPStatus.SEE_OTHER)
    values = orders.values(session, actor, case) | {
        "incident": case, "order_given": orders.NOTHING_YET | (given or {}),
        "order_problem": i18n.say(problem) if problem else "",
    }  # fmt: skip
    return render(request, "fragments/orders.html", values, status_of(problem) if problem else HTTPStatus.OK)
