"""Modules of a street: which template it has chosen, who leads each, which bodies work in it, what was before."""

from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

import web.pages.organisation as bodies
from gis.errors import Problem
from gridmgr.account import queries as accounts
from gridmgr.account.rules import Actor, can
from gridmgr.category import queries as matters
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.module import queries, rules, service
from gridmgr.module.model import PeopleSeated
from gridmgr.organisation import queries as organisation
from gridmgr.organisation.rules import names_of
from web import i18n
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import RowId, text
from web.render import render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("module.view"))]
Keeper = Annotated[Actor, Depends(Allow("module.manage"))]
Area = Annotated[text(32), Form()]
Typed = Annotated[text(2000), Form()]
ModuleId = Annotated[RowId, Path()]
PostId = Annotated[RowId, Path()]
NOTHING_YET = {"template": "", "picks": (), "of": 0}


@router.get("/modules", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, area: Annotated[text(32), Query()] = "-"
) -> HTMLResponse:
    """Show how the work of an area is regrouped; without one, that of the first street somebody sees."""
    streets = bodies.streets(session, actor)
    first = streets[0][0] if streets else ""
    return _page(request, session, actor, first if area == "-" else area.strip())


def _page(
    request: Request, session: Session, actor: Actor, area: str, problem: Problem | None = None,
    given: Mapping[str, Any] | None = None,
) -> HTMLResponse:  # fmt: skip
    grouping = queries.groupings(session).get(area)
    around = queries.grouping(session, area) if grouping is None else None
    ids = [each.id for each in grouping.modules] if grouping else []
    seats, within = queries.seats(session, ids), queries.bodies(session, ids)
    keeping = can(actor, "module.manage", area)
    values = {
        "area": area, "streets": bodies.streets(session, actor), "grouping": grouping, "around": around,
        "groupings": queries.groupings(session), "templates": rules.TEMPLATES,
        "chosen": rules.TEMPLATES.get(grouping.template) if grouping else None,
        "seats": seats, "within": within, "keeping": keeping, "matters": _matters(session, grouping),
        "history": queries.history(session, area), "names": dict(bodies.streets(session, actor)),
        "people": accounts.seated_around(session, area) if keeping else [],
        "known": organisation.offered(session) if keeping else [],
        "given": NOTHING_YET | dict(given or {}), "problem": i18n.say(problem) if problem else "",
        "seated": isinstance(problem, PeopleSeated),
    }  # fmt: skip
    return render(request, "modules.html", values, status_of(problem) if problem else HTTPStatus.OK)


def _matters(session: Session, grouping: queries.Grouping | None) -> dict[int, list[str]]:
    """Return the names of the matters in force that each module takes."""
    found: dict[int, list[str]] = {}
    for each in matters.in_force(session) if grouping else ():
        taking = rules.taking(grouping.modules, each.code)
        if taking is not None:
            found.setdefault(taking.id, []).append(each.name(i18n.language.get()))
    return found


@router.post("/modules")
def regroup(
    request: Request, session: Transaction, actor: Keeper, area: Area = "",
    template: Annotated[text(32), Form()] = "", picks: Annotated[list[str], Form()] = (),
    agreed: Annotated[text(8), Form()] = "",
) -> Response:  # fmt: skip
    """Let an area choose a template, or other sub-modules of the one it has."""
    wanted = [each[:32] for each in picks[:50]]

    def work() -> None:
        areas = partial(hierarchy.without_units, session)
        service.regroup(session, actor, area.strip(), template, wanted, areas, agreed=bool(agreed))

    return _done(request, session, actor, area.strip(), work, {"template": template, "picks": wanted})


@router.post("/modules/{module_id}")
def change(
    request: Request, session: Transaction, actor: Keeper, module_id: ModuleId, area: Area = "",
    zh: Typed = "", en: Typed = "", prefixes: Typed = "",
) -> Response:  # fmt: skip
    """Call a module otherwise, or let it take other matters."""

    def work() -> None:
        service.change(session, actor, module_id, zh, en, [each[:32] for each in names_of(prefixes)])

    return _done(request, session, actor, area.strip(), work, {"of": module_id})


@router.post("/modules/{module_id}/posts")
def add_post(
    request: Request,
    session: Transaction,
    actor: Keeper,
    module_id: ModuleId,
    area: Area = "",
    name: Typed = "",
) -> Response:
    """Add a post to a module."""
    work = partial(service.add_post, session, actor, module_id, name)
    return _done(request, session, actor, area.strip(), work, {"of": module_id})


@router.post("/modules/{module_id}/{verb}")
def work_in(
    request: Request, session: Transaction, actor: Keeper, module_id: ModuleId, verb: Literal["join", "leave"],
    area: Area = "", name: Typed = "",
) -> Response:  # fmt: skip
    """Let a body work in a module, or no longer."""
    act = {"join": service.join, "leave": service.leave}[verb]
    work = partial(act, session, actor, module_id, name)
    return _done(request, session, actor, area.strip(), work, {"of": module_id})


@router.post("/posts/{post_id}/{verb}")
def fill(
    request: Request, session: Transaction, actor: Keeper, post_id: PostId,
    verb: Literal["appoint", "dismiss", "end"], area: Area = "", username: Annotated[text(64), Form()] = "",
) -> Response:  # fmt: skip
    """Give somebody a post, take it away, or let the post end."""

    def work() -> None:
        if verb == "end":
            service.end_post(session, actor, post_id)
        else:
            act = {"appoint": service.appoint, "dismiss": service.dismiss}[verb]
            act(session, actor, post_id, username)

    return _done(request, session, actor, area.strip(), work, {})


def _done(
    request: Request, session: Session, actor: Actor, area: str, work: Callable[[], object],
    given: Mapping[str, Any],
) -> Response:  # fmt: skip
    try:
        with session.begin_nested():
            work()
    except Problem as problem:
        session.expire_all()
        return _page(request, session, actor, area, problem, given)
    anchor = f"#module-{given['of']}" if given.get("of") else ""
    return RedirectResponse(f"/modules?{urlencode({'area': area})}{anchor}", HTTPStatus.SEE_OTHER)
