"""The page on which dated terms are read and set, the same for every noun that has some."""

from collections.abc import Callable, Mapping
from datetime import date
from http import HTTPStatus

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.errors import Problem
from gridmgr.terms import queries
from gridmgr.terms.model import NoDayOfTerms, Term
from web import i18n
from web.errors import status_of
from web.render import render

Put = Callable[[Session, Actor, date, Mapping[str, object]], dict[str, float]]


def page(
    request: Request, session: Session, matter: str, spec: Mapping[str, Term], title: str, *, may: bool,
    back: str, problem: Problem | None = None, given: Mapping[str, str] | None = None,
) -> HTMLResponse:  # fmt: skip
    """Show the terms in force, and to whoever may the form that sets others."""
    numbers = {name: f"{value:g}" for name, value in queries.in_force(session, matter, spec).items()}
    values = {
        "spec": spec, "given": numbers | {"effective": clock.today().isoformat()} | dict(given or {}),
        "title": title, "may": may, "back": back, "ever_set": queries.ever_set(session, matter),
        "problem": i18n.say(problem) if problem else "",
    }  # fmt: skip
    return render(request, "terms.html", values, status_of(problem) if problem else HTTPStatus.OK)


def take(
    session: Session, actor: Actor, given: Mapping[str, str], put: Put, back: str,
    again: Callable[[Problem, Mapping[str, str]], HTMLResponse],
) -> Response:  # fmt: skip
    """Set the terms a form holds; what is wrong is said on the form."""
    numbers = {name: value for name, value in given.items() if name not in ("csrf", "effective")}
    try:
        try:
            day = date.fromisoformat(given.get("effective", ""))
        except ValueError:
            raise NoDayOfTerms(value=given.get("effective", "")[:20]) from None
        with session.begin_nested():
            put(session, actor, day, numbers)
    except Problem as problem:
        return again(problem, given)
    return RedirectResponse(f"{back}/terms", HTTPStatus.SEE_OTHER)


async def form_of(request: Request) -> dict[str, str]:
    """Return the texts of a form, short enough to be numbers and days."""
    return {name: value[:40] for name, value in (await request.form()).items() if isinstance(value, str)}
