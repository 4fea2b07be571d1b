"""The terms of figures: what a district leaves out of what is due, its measures, and when each was set."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from gis.errors import Problem
from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.tally import queries, rules, service
from gridmgr.tally.model import BadFigureTerms
from web import i18n
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import text
from web.pages.filters import day_of
from web.render import render

router = APIRouter(include_in_schema=False)
Manager = Annotated[Actor, Depends(Allow("figures.manage"))]
Typed = Annotated[text(20), Form()]
Names = Annotated[list[text(20)], Form()]


@router.get("/figures/terms", response_class=HTMLResponse)
def show(request: Request, session: Transaction, actor: Manager) -> HTMLResponse:
    """Show the terms in force, and all that were ever set."""
    return _page(request, session)


@router.post("/figures/terms", response_class=HTMLResponse)
def set_terms(
    request: Request, session: Transaction, actor: Manager,
    effective: Typed = "", satisfied_from: Typed = "", response_hours: Typed = "", response_rate: Typed = "",
    resolution_rate: Typed = "", satisfaction_rate: Typed = "", without: Names = (),
) -> Response:  # fmt: skip
    """Set the terms from a day on."""
    typed = {
        "effective": effective, "satisfied_from": satisfied_from, "response_hours": response_hours,
        "response_rate": response_rate, "resolution_rate": resolution_rate, "satisfaction_rate": satisfaction_rate,
    }  # fmt: skip
    try:
        day = day_of(effective)
        if day is None:
            raise BadFigureTerms(field="effective", value=effective, expected="2026-01-31")
        told = {
            "without": list(without), "satisfied_from": _number("satisfied_from", satisfied_from),
            "response_hours": _number("response_hours", response_hours),
            "weights": {name: _number(name, typed[name]) / 100 for name in rules.WEIGHTED},
        }  # fmt: skip
        with session.begin_nested():
            service.set_terms(session, actor, day, told)
    except Problem as problem:
        return _page(request, session, problem, typed | {"without": list(without)})
    return RedirectResponse("/figures/terms", HTTPStatus.SEE_OTHER)


def _number(field: str, typed: str) -> float:
    try:
        return float(typed)
    except ValueError:
        raise BadFigureTerms(field=field, value=typed, expected="1, 2.5, …") from None


def _page(
    request: Request, session: Session, problem: Problem | None = None, given: dict[str, object] | None = None
) -> HTMLResponse:
    terms = queries.terms(session)
    usual = {
        "satisfied_from": terms.satisfied_from, "response_hours": f"{terms.response_hours:g}",
        "without": terms.without, "effective": clock.today().isoformat(),
    } | {name: f"{100 * weight:g}" for name, weight in terms.weights.items()}  # fmt: skip
    values = {
        "given": usual | (given or {}), "exclusions": rules.EXCLUSIONS, "weighted": rules.WEIGHTED,
        "terms_set": queries.terms_set(session), "problem": i18n.say(problem) if problem else "",
    }  # fmt: skip
    return render(request, "figure_terms.html", values, status_of(problem) if problem else HTTPStatus.OK)
