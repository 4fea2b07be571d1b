"""Task forces: those at work and those that were; each with members, cases and record on a page of its own."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from gis.errors import Problem
from gridmgr import clock, sheet
from gridmgr.account import queries as accounts
from gridmgr.account.rules import Actor, can
from gridmgr.category import queries as matters
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.organisation import queries as organisation
from gridmgr.organisation.rules import names_of
from gridmgr.task_force import queries, rules, service
from gridmgr.task_force.model import PlaceWrong, Raised, Standing
from web import i18n
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import RowId, text
from web.render import render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("task_force.view"))]
Keeper = Annotated[Actor, Depends(Allow("task_force.manage"))]
Dispatcher = Annotated[Actor, Depends(Allow("incident.dispatch"))]
ForceId = Annotated[RowId, Path()]
Typed = Annotated[text(5000), Form()]
Short = Annotated[text(100), Form()]
SIZE, CASES, MOST_PUT = 50, 100, 200
NOTHING_YET = {
    "name": "", "purpose": "", "area": "", "ends_on": "", "members": "", "lead": "", "place": "", "lon": "", "lat": "",
}  # fmt: skip


@router.get("/task-forces", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, standing: Annotated[text(16), Query()] = "",
    area: Annotated[text(32), Query()] = "", before: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    occasion: Annotated[text(16), Query()] = "",
) -> HTMLResponse:  # fmt: skip
    """List the task forces somebody sees; an occasion fills the form to raise one."""
    given = None
    if occasion in rules.OCCASIONS:
        usual = rules.OCCASIONS[occasion]
        given = {
            "name": i18n._(usual.name), "purpose": i18n._(usual.purpose), "area": area or _own(actor),
            "ends_on": (clock.today() + timedelta(days=usual.days)).isoformat(),
        }  # fmt: skip
    return _list(request, session, actor, standing, area.strip(), before, given)


def _own(actor: Actor) -> str:
    return next((grant.code for grant in actor.grants if grant.code), "")


def _list(
    request: Request, session: Session, actor: Actor, standing: str = "", area: str = "", before: int = 0,
    given: Mapping[str, str] | None = None, problem: Problem | None = None,
) -> HTMLResponse:  # fmt: skip
    chosen = Standing(standing) if standing in set(Standing) else None
    found = queries.page(session, actor, queries.Search(chosen, area), SIZE + 1, before or None)
    shown = found[:SIZE]
    members = queries.members(session, [force.id for force, _ in shown])
    names = hierarchy.names(session, {force.area for force, _ in shown}, clock.today())
    values = {
        "forces": [(force, body, rules.standing(force, clock.today()), members[force.id]) for force, body in shown],
        "open": queries.open_cases(session, [body.name for _, body in shown]),
        "counts": queries.counts(session, actor), "standing": standing, "area": area, "before": before,
        "more": shown[-1][0].id if len(found) > SIZE else 0, "names": names, "occasions": rules.OCCASIONS,
        "given": NOTHING_YET | dict(given or {}), "filled": given is not None, "today": clock.today(),
        "areas": hierarchy.areas(session, actor), "problem": i18n.say(problem) if problem else "",
        "people": accounts.seated_around(session, _own(actor)) if can(actor, "task_force.manage") else [],
    }  # fmt: skip
    return render(request, "task_forces.html", values, status_of(problem) if problem else HTTPStatus.OK)


@router.post("/task-forces")
def raise_force(
    request: Request, session: Transaction, actor: Keeper, name: Typed = "", purpose: Typed = "",
    area: Short = "", ends_on: Short = "", members: Typed = "", lead: Short = "",
    place: Annotated[text(200), Form()] = "", lon: Short = "", lat: Short = "",
) -> Response:  # fmt: skip
    """Raise a task force."""
    given = {
        "name": name, "purpose": purpose, "area": area, "ends_on": ends_on, "members": members, "lead": lead,
        "place": place, "lon": lon, "lat": lat,
    }  # fmt: skip
    try:
        with session.begin_nested():
            usernames = names_of(members)
            told = Raised(
                name, purpose.replace("\r\n", "\n"), area.strip()[:32], sheet.day(ends_on), usernames,
                lead.strip() or next(iter(usernames), ""), place, _degrees(lon, 180), _degrees(lat, 90),
            )  # fmt: skip
            made = service.raise_force(session, actor, told, partial(hierarchy.without_units, session)).id
    except Problem as problem:
        session.expire_all()
        return _list(request, session, actor, given=given, problem=problem)
    return RedirectResponse(f"/task-forces/{made}", HTTPStatus.SEE_OTHER)


def _degrees(typed: str, most: float) -> float | None:
    if not typed.strip():
        return None
    try:
        found = float(typed)
    except ValueError:
        raise PlaceWrong from None
    if not abs(found) <= most:
        raise PlaceWrong
    return found


@router.get("/task-forces/{force_id}", response_class=HTMLResponse)
def show_one(request: Request, session: Transaction, actor: Viewer, force_id: ForceId) -> HTMLResponse:
    """Show a task force: what for, who, its open cases, its record."""
    return _one(request, session, actor, force_id)


def _one(
    request: Request, session: Session, actor: Actor, force_id: int, problem: Problem | None = None,
    given: Mapping[str, str] | None = None, put: list[tuple[str, Problem | None]] | None = None,
) -> HTMLResponse:  # fmt: skip
    force, body = queries.force(session, actor, force_id)
    standing = rules.standing(force, clock.today())
    refusal = rules.refusal(actor, force, queries.lead_id(session, force.id))
    changing = standing is not Standing.DISBANDED and refusal is None
    waiting = queries.open_cases(session, [body.name]).get(body.name, 0)
    raising = can(actor, "task_force.manage", force.area)
    values = {
        "force": force, "body": body, "standing": standing, "waiting": waiting, "changing": changing,
        "raising": bool(raising) and standing is not Standing.DISBANDED, "today": clock.today(),
        "putting": can(actor, "incident.dispatch") and standing is not Standing.DISBANDED,
        "members": queries.members(session, [force.id], past=True)[force.id],
        "deeds": queries.deeds(session, force.id), "finished": queries.finished(session, body.name),
        "cases": queries.cases(session, actor, body.name, CASES), "now": clock.now(),
        "categories": {each.id: each.name(i18n.language.get()) for each in matters.by_id(session).values()},
        "names": hierarchy.names(session, {force.area}, clock.today()), "areas": hierarchy.areas(session, actor),
        "people": accounts.seated_around(session, force.area) if changing else [],
        "bodies": [each for each in organisation.offered(session) if each != body.name] if raising else [],
        "given": {"owner": "", "unit": "", "note": "", "numbers": ""} | dict(given or {}), "put": put or [],
        "problem": i18n.say(problem) if problem else "",
    }  # fmt: skip
    return render(request, "task_force.html", values, status_of(problem) if problem else HTTPStatus.OK)


@router.post("/task-forces/{force_id}/cases", response_class=HTMLResponse)
def put(
    request: Request, session: Transaction, actor: Dispatcher, force_id: ForceId, numbers: Typed = "",
    note: Annotated[text(500), Form()] = "",
) -> HTMLResponse:  # fmt: skip
    """Put cases under a task force, and say of each what became of it."""
    try:
        with session.begin_nested():
            wanted = numbers.replace("，", " ").replace(",", " ").split()[:MOST_PUT]
            found = service.put(session, actor, force_id, [each[:32] for each in wanted], note)
    except Problem as problem:
        session.expire_all()
        return _one(request, session, actor, force_id, problem, {"numbers": numbers, "note": note})
    return _one(request, session, actor, force_id, put=found)


@router.post("/task-forces/{force_id}/disband")
def disband(
    request: Request, session: Transaction, actor: Keeper, force_id: ForceId, owner: Short = "",
    unit: Short = "", note: Annotated[text(500), Form()] = "",
) -> Response:  # fmt: skip
    """Disband a task force; its open cases go to somebody named."""
    work = partial(service.disband, session, actor, force_id, owner, unit, note)
    return _done(request, session, actor, force_id, work, {"owner": owner, "unit": unit, "note": note})


@router.post("/task-forces/{force_id}/{verb}")
def change(
    request: Request, session: Transaction, actor: Viewer, force_id: ForceId,
    verb: Literal["join", "leave", "lead", "end"], username: Annotated[text(64), Form()] = "",
    ends_on: Annotated[text(30), Form()] = "",
) -> Response:  # fmt: skip
    """Let somebody join, leave or lead, or change the last day."""

    def work() -> None:
        if verb == "end":
            service.prolong(session, actor, force_id, sheet.day(ends_on))
        else:
            act = {"join": service.join, "leave": service.leave, "lead": service.set_lead}[verb]
            act(session, actor, force_id, username)

    return _done(request, session, actor, force_id, work)


def _done(
    request: Request, session: Session, actor: Actor, force_id: int, work: Callable[[], object],
    given: Mapping[str, str] | None = None,
) -> Response:  # fmt: skip
    try:
        with session.begin_nested():
            work()
    except Problem as problem:
        session.expire_all()
        return _one(request, session, actor, force_id, problem, given)
    return RedirectResponse(f"/task-forces/{force_id}", HTTPStatus.SEE_OTHER)
