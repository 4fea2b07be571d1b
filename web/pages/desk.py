"""My work: the worklists of whoever is logged in, each with what lies on top."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor, Role
from gridmgr.admission import queries as admissions
from gridmgr.category import queries as matters
from gridmgr.claim import queries as claims
from gridmgr.coapproval import queries as coapproval
from gridmgr.consultation import queries as consultations
from gridmgr.desk import queries, rules
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import NoEdition
from gridmgr.onsite import queries as onsite
from gridmgr.whistle import queries as whistles
from web import i18n
from web.api.search import query
from web.deps import Allow, Transaction
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
OVERSEERS = frozenset({Role.COMMAND_CENTRE, Role.ADMIN})  # who see how the streets stand
ON_FOOT = frozenset({Role.GRID_MEMBER, Role.GRID_LEADER})


@router.get("/desk", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Annotated[Actor, Depends(Allow("incident.view"))]
) -> Response:
    """Show what is to be done; whoever has no desk finds the map instead."""
    piles = queries.piles(session, actor)
    if not piles:
        return RedirectResponse("/", 303)
    roles = {grant.role for grant in actor.grants}
    areas = queries.areas(session, actor) if roles & OVERSEERS else []
    cases = [case for pile in piles for case in pile.top]
    values = {
        "piles": piles,
        "links": {id(pile): "/incidents" + query(pile.search) for pile in piles},
        "several": len(rules.desks(actor)) > 1,
        "areas": areas,
        "names": _names(session, {case.micro_grid_code for case in cases} | {area.code for area in areas}),
        "categories": {each.id: each.name(i18n.language.get()) for each in matters.by_id(session).values()},
        "now": clock.now(),
        "checks": onsite.open_of(session, [case.id for case in cases]),
        "me": actor.id,
        "whistles": whistles.waiting_for(session, actor),
        "joint": _joint(session, actor),
        "on_foot": bool(roles & ON_FOOT),
    }
    return render(request, "fragments/desk.html" if is_fragment(request) else "desk.html", values)


def _joint(session: Session, actor: Actor) -> list[tuple[int, str, str]]:
    """Return what waits beside the cases, as (how many, what, where): pieces of work, and opinions on permits."""
    pieces, asked = claims.counts(session, actor), coapproval.counts(session, actor)
    argue, decide = admissions.waiting(session, actor)
    found = [
        (argue, i18n._("Admissions to argue"), "/admissions?state=asked"),
        (decide, i18n._("Admissions to decide"), "/admissions?state=asked"),
        (pieces["free"], i18n._("Pieces to take"), "/claims"),
        (pieces["mine"], i18n._("Pieces in my hands"), "/claims?tab=mine"),
        (pieces["reported"], i18n._("Pieces to accept"), "/claims?tab=cut"),
        (asked.get("ours", 0), i18n._("Permits to answer"), "/approvals?state=ours"),
        (consultations.waiting(session, actor), i18n._("Opinions to give"), "/consultations?state=ours"),
    ]
    return [each for each in found if each[0]]


def _names(session: Session, codes: set[str | None]) -> dict[str, str]:
    try:
        return hierarchy.names(session, codes, hierarchy.edition_at(session).effective)
    except NoEdition:
        return {}
