"""Bodies: who there is, found or changed one by one or by a table; and the command room of each street."""

from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, File, Form, Path, Query, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

import web.pages.tables as tables
from gis.errors import Problem
from gridmgr import clock, sheet
from gridmgr.account.rules import Actor, can
from gridmgr.category import queries as matters
from gridmgr.command_room import queries as rooms
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.module import rules as templates
from gridmgr.organisation import queries, rules, service
from gridmgr.organisation.model import Body, BodyKind, Described
from gridmgr.sheet import Format
from gridmgr.words.bodies import BODIES
from web import i18n
from web.api.search import query
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import Code, RowId, text
from web.render import render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("organisation.view"))]
Keeper = Annotated[Actor, Depends(Allow("organisation.manage"))]
PAGE = 50
TYPED = 2000
BLANK = {
    "of": None, "name": "", "kind": BodyKind.STATION.value, "aliases": "", "home": "", "territory": "", "phone": "",
    "lines": "", "active": True,
}  # fmt: skip


def typed(
    name: Annotated[text(TYPED), Form()] = "", kind: Annotated[text(32), Form()] = "",
    aliases: Annotated[text(TYPED), Form()] = "", home: Annotated[text(TYPED), Form()] = "",
    territory: Annotated[text(32), Form()] = "", phone: Annotated[text(TYPED), Form()] = "",
    lines: Annotated[text(TYPED), Form()] = "", active: Annotated[text(8), Form()] = "",
) -> dict[str, Any]:  # fmt: skip
    """Return the fields of the form of a body as they were typed."""
    return {
        "name": name.strip(), "kind": kind, "aliases": aliases, "home": home.strip(),
        "territory": territory.strip(), "phone": phone.strip(), "lines": lines, "active": bool(active),
    }  # fmt: skip


Typed = Annotated[dict[str, Any], Depends(typed)]


def _told(given: Mapping[str, Any]) -> Described:
    columns = rules.TABLE
    read = {name: columns[name].parse(given[name]) for name in ("name", "kind", "home", "phone")}
    lists = {name: rules.names_of(given[name]) for name in ("aliases", "lines")}
    return Described(**read | lists | {"territory": given["territory"], "active": given["active"]})


@router.get("/organisation", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, words: Annotated[text(64), Query()] = "",
    kind: Annotated[text(32), Query()] = "", area: Annotated[text(32), Query()] = "",
    after: Annotated[text(100), Query()] = "",
) -> HTMLResponse:  # fmt: skip
    """List the bodies, a page at a time, and the streets with their command rooms."""
    return _page(
        request,
        session,
        actor,
        asked={"words": words.strip(), "kind": kind, "area": area.strip()},
        after=after,
    )


def _page(
    request: Request, session: Session, actor: Actor, problem: Problem | None = None,
    given: Mapping[str, Any] | None = None, asked: Mapping[str, str] | None = None, after: str = "",
) -> HTMLResponse:  # fmt: skip
    asked = asked or {"words": "", "kind": "", "area": ""}
    register = queries.register(session)
    found = [each for each in register.by_id.values() if _fits(each, asked)]
    names = [each.name for each in found]
    first = names.index(after) + 1 if after in names else 0
    shown = found[first : first + PAGE]
    values = {
        "bodies": [
            (each, register.described(each), can(actor, "organisation.manage", each.territory)) for each in shown
        ],
        "number": len(found), "asked": asked, "after": after,
        "more": shown[-1].name if len(found) > first + PAGE else "",
        "people": queries.people(session), "names": _names(session, shown), "areas": hierarchy.areas(session, actor),
        "streets": streets(session, actor), "problem": i18n.say(problem) if problem else "",
        "given": BLANK | dict(given or {}), "kinds": {each.value: BODIES[each] for each in rules.KINDS},
        "all_kinds": BODIES, "known": queries.offered(session),
        "departments": sorted({each.department for each in matters.in_force(session)} - {""} - set(register.called)),
    }  # fmt: skip
    return render(request, "organisation.html", values, status_of(problem) if problem else HTTPStatus.OK)


def _fits(body: Body, asked: Mapping[str, str]) -> bool:
    said = [body.name, *body.aliases, *body.lines]
    return (
        (not asked["kind"] or body.kind == asked["kind"])
        and body.territory.startswith(asked["area"])
        and (not asked["words"] or any(asked["words"].casefold() in each.casefold() for each in said))
    )


def _names(session: Session, bodies: list[Body]) -> dict[str, str]:
    return hierarchy.names(session, {each.territory for each in bodies if each.territory}, clock.today())


def streets(session: Session, actor: Actor) -> list[tuple[str, str]]:
    """Return (code, name) of the streets somebody sees, wholly or in part."""
    return [
        (code, name)
        for code, name in hierarchy.streets(session).items()
        if any(code.startswith(each) or each.startswith(code) for each in actor.scope)
    ]


@router.post("/organisation")
def found(request: Request, session: Transaction, actor: Keeper, given: Typed) -> Response:
    """Found a body."""

    def work() -> None:
        service.found(session, actor, _told(given), partial(hierarchy.without_units, session))

    return _done(request, session, actor, work, given | {"of": 0})


@router.post("/organisation/bodies/{body_id}")
def change(
    request: Request, session: Transaction, actor: Keeper, body_id: Annotated[RowId, Path()], given: Typed
) -> Response:
    """Change a body."""

    def work() -> None:
        known = queries.by_id(session, body_id)
        areas = partial(hierarchy.without_units, session)
        service.change(session, actor, known.name, _told(given), areas)

    return _done(request, session, actor, work, given | {"of": body_id})


def _done(
    request: Request, session: Session, actor: Actor, work: Callable[[], None], given: Mapping[str, Any]
) -> Response:
    try:
        with session.begin_nested():
            work()
    except Problem as problem:
        session.expire_all()
        known = queries.register(session).by_id.get(given["of"])
        asked = {"words": known.name if known else "", "kind": "", "area": ""}
        return _page(request, session, actor, problem, given, asked)
    return RedirectResponse(f"/organisation?{urlencode({'words': given['name']})}", HTTPStatus.SEE_OTHER)


@router.post("/organisation/import", response_class=HTMLResponse)
def bring(
    request: Request, session: Transaction, actor: Keeper, file: Annotated[UploadFile, File()],
    do: Annotated[str, Form()] = "check",
) -> HTMLResponse:  # fmt: skip
    """Check a table of bodies, or take it."""

    def work() -> dict[str, Any]:
        read = sheet.read(file.file.read(), file.filename or "", rules.TABLE)
        areas = partial(hierarchy.without_units, session)
        return {"found": service.import_bodies(session, actor, read, areas)}

    return tables.bring(request, session, "bodies.html", do == "import", work)


@router.get("/organisation.xlsx")
def take_away(session: Transaction, actor: Viewer) -> Response:
    """Return all bodies as a table that can be brought back; task forces are not in it."""
    heads = [rules.TABLE[name].headings[0 if i18n.language.get() == "zh" else -1] for name in rules.TABLE]
    register = queries.register(session)
    told = (register.described(each) for each in register.by_id.values() if each.kind != BodyKind.TASK_FORCE)
    rows = [
        (
            each.name, i18n._(BODIES[each.kind]), "、".join(each.aliases), each.home, each.territory, each.phone,
            "、".join(each.lines), i18n._("yes") if each.active else i18n._("no"),
        )
        for each in told
    ]  # fmt: skip
    headers = {"Content-Disposition": 'attachment; filename="bodies.xlsx"'}
    content = b"".join(sheet.stream(Format.XLSX, heads, rows))
    return Response(content, media_type=Format.XLSX.media, headers=headers)


@router.get("/rooms/{code}", response_class=HTMLResponse)
def show_room(request: Request, session: Transaction, actor: Viewer, code: Code) -> HTMLResponse:
    """Show what the command room of a street sees; each number leads to its cases."""
    unit = hierarchy.unit(session, actor, code, hierarchy.edition_at(session).effective)
    seen = rooms.room(session, actor, code)
    values = {
        "unit": unit, "room": seen, "query": query, "today": clock.today(),
        "template": templates.TEMPLATES.get(seen.grouping.template) if seen.grouping else None,
        "desk": queries.room(session, code),
    }  # fmt: skip
    return render(request, "room.html", values)
