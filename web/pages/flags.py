"""Flags: patterns worth a look, their cases and photos, and what was found by whoever looked."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

import web.pages.dated as dated
from gridmgr.account.rules import Actor
from gridmgr.errors import Problem
from gridmgr.flag import queries, rules, service
from gridmgr.flag.model import Flag, Kind, UnknownFlag, Verdict
from gridmgr.hierarchy import queries as hierarchy
from web import i18n, words
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import BigRowId, text
from web.render import render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("flag.view"))]
Reviewer = Annotated[Actor, Depends(Allow("flag.review"))]
Typed = Annotated[text(32), Query()]
PAGE, MOST_CASES = 20, 12


@router.get("/flags", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, standing: Typed = "open", kind: Typed = "",
    area: Typed = "", after: Annotated[BigRowId | None, Query()] = None,
) -> HTMLResponse:  # fmt: skip
    """Show the flags of the areas one leads."""
    return _page(request, session, actor, standing, kind, area.strip(), after)


def _page(
    request: Request, session: Session, actor: Actor, standing: str = "open", kind: str = "", area: str = "",
    after: int | None = None, problem: Problem | None = None, given: dict[str, Any] | None = None,
) -> HTMLResponse:  # fmt: skip
    standing = standing if standing in words.FLAG_STANDINGS else "open"
    chosen = Kind(kind) if kind in set(Kind) else None
    found = queries.page(session, actor, PAGE + 1, standing=standing, kind=chosen, area=area, behind=after)
    shown = found[:PAGE]
    values = {
        "flags": shown, "cases": queries.cases(session, actor, shown), "reviews": queries.reviews(session, shown),
        "standing": standing, "standings": list(words.FLAG_STANDINGS), "kind": kind if chosen else "", "area": area,
        "areas": hierarchy.areas(session, actor), "verdicts": list(Verdict), "said": said, "meaning": rules.MEANING,
        "more": shown[-1].id if len(found) > PAGE else "", "most": MOST_CASES, "given": given or {},
        "problem": i18n.say(problem) if problem else "",
    }  # fmt: skip
    return render(request, "flags.html", values, status_of(problem) if problem else HTTPStatus.OK)


def said(flag: Flag) -> str:
    """Return in words what was seen."""
    return words.word(words.FLAG_SAYS, flag.kind).format(**flag.evidence)


@router.post("/flags/find", response_class=HTMLResponse)
def find(session: Transaction, actor: Reviewer) -> Response:
    """Look for patterns now, over a week."""
    service.find(session, days=7)
    return RedirectResponse("/flags", HTTPStatus.SEE_OTHER)


@router.post("/flags/{flag_id}/reviews", response_class=HTMLResponse)
def review(
    request: Request, session: Transaction, actor: Reviewer, flag_id: BigRowId,
    verdict: Annotated[text(16), Form()] = "", note: Annotated[text(4000), Form()] = "",
) -> Response:  # fmt: skip
    """Write down what came of a look."""
    chosen = Verdict(verdict) if verdict in set(Verdict) else Verdict.DISMISSED
    try:
        with session.begin_nested():
            service.review(session, actor, flag_id, chosen, note)
    except UnknownFlag:
        raise
    except Problem as problem:
        given = {"id": flag_id, "verdict": verdict, "note": note}
        return _page(request, session, actor, problem=problem, given=given)
    return RedirectResponse("/flags?standing=reviewed", HTTPStatus.SEE_OTHER)


dated.serve(
    router,
    dated.Terms(
        "/flags", rules.MATTER, rules.TERMS, words.N_("Terms of flags"), service.set_terms,
        view="flag.view", manage="flag.manage",
    ),
)  # fmt: skip
