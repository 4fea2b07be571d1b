"""The page on which dated terms are read and set, the same for every noun that has some."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor, can
from gridmgr.errors import Problem
from gridmgr.terms import queries
from gridmgr.terms.model import NoDayOfTerms, Term
from web import i18n
from web.deps import Allow, Transaction
from web.errors import status_of
from web.render import render

Put = Callable[[Session, Actor, date, Mapping[str, object]], dict[str, float]]


async def form_of(request: Request) -> dict[str, str]:
    """Return the texts of a form, short enough to be numbers and days."""
    return {name: value[:40] for name, value in (await request.form()).items() if isinstance(value, str)}


@dataclass(frozen=True)
class Terms:
    """Where the terms of a noun are read and set, by whom, and what they are."""

    back: str  #: the address of the noun's page; the terms stand below it
    matter: str
    spec: Mapping[str, Term]
    title: str  #: to be translated
    put: Put
    view: str  #: the permissions
    manage: str


def serve(router: APIRouter, terms: Terms) -> None:
    """Add the page of a noun's terms to its pages."""
    address = f"{terms.back}/terms"

    @router.get(address, response_class=HTMLResponse)
    def show_terms(
        request: Request, session: Transaction, actor: Annotated[Actor, Depends(Allow(terms.view))]
    ) -> HTMLResponse:
        """Show the terms in force."""
        return _page(request, session, actor, terms)

    @router.post(address, response_class=HTMLResponse)
    def set_terms(
        request: Request, session: Transaction, actor: Annotated[Actor, Depends(Allow(terms.manage))],
        given: Annotated[dict[str, str], Depends(form_of)],
    ) -> Response:  # fmt: skip
        """Set the terms a form holds, from its day on; what is wrong is said on the form."""
        numbers = {name: value for name, value in given.items() if name not in ("csrf", "effective")}
        try:
            with session.begin_nested():
                terms.put(session, actor, _day(given.get("effective", "")), numbers)
        except Problem as problem:
            return _page(request, session, actor, terms, problem, given)
        return RedirectResponse(address, HTTPStatus.SEE_OTHER)


def _day(typed: str) -> date:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise NoDayOfTerms(value=typed[:20]) from None


def _page(
    request: Request, session: Session, actor: Actor, terms: Terms, problem: Problem | None = None,
    given: Mapping[str, str] | None = None,
) -> HTMLResponse:  # fmt: skip
    """Show the terms in force, and to whoever may the form that sets others."""
    numbers = {
        name: f"{value:g}" for name, value in queries.in_force(session, terms.matter, terms.spec).items()
    }
    values = {
        "spec": terms.spec, "given": numbers | {"effective": clock.today().isoformat()} | dict(given or {}),
        "title": i18n._(terms.title), "may": bool(can(actor, terms.manage)), "back": terms.back,
        "ever_set": queries.ever_set(session, terms.matter), "problem": i18n.say(problem) if problem else "",
    }  # fmt: skip
    return render(request, "terms.html", values, status_of(problem) if problem else HTTPStatus.OK)
