"""Responsibility lists: which there are, an edition with its items, drafts brought and published, two compared."""

from collections.abc import Mapping
from datetime import date
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

import web.pages.tables as tables
from gis.errors import Problem
from gridmgr import clock, sheet
from gridmgr.account.rules import Actor, can
from gridmgr.category import queries as matters
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.responsibility import queries, rules, service
from gridmgr.responsibility.model import ListKind, NotPublishable, facts
from gridmgr.responsibility.queries import Wanted
from gridmgr.responsibility.rules import Listed
from gridmgr.sheet import Format
from web import i18n
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import RowId, text
from web.render import render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("list.view"))]
Manager = Annotated[Actor, Depends(Allow("list.manage"))]
Code = Annotated[text(32), Query()]
Typed = Annotated[text(100), Query()]
SIZE = 50


@router.get("/lists", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, kind: Annotated[text(16), Query()] = "", area: Code = ""
) -> HTMLResponse:  # fmt: skip
    """List the responsibility lists."""
    return render(request, "lists.html", _overview(session, actor, kind, area.strip()))


def _overview(session: Session, actor: Actor, kind: str = "", area: str = "") -> dict[str, Any]:
    found = queries.summaries(session, actor, kind, area)
    return {
        "lists": found, "kind": kind, "area": area, "areas": hierarchy.areas(session, actor),
        "kinds": [each.value for each in ListKind], "names": _names(session, [each.list.code for each in found]),
    }  # fmt: skip


def _names(session: Session, codes: list[str]) -> dict[str, str]:
    return hierarchy.names(session, codes, clock.today())


@router.post("/lists/import", response_class=HTMLResponse)
def bring(
    request: Request, session: Transaction, actor: Manager, file: Annotated[UploadFile, File()],
    kind: Annotated[text(16), Form()] = "", area: Annotated[text(32), Form()] = "",
    name: Annotated[text(100), Form()] = "", title: Annotated[text(100), Form()] = "",
    basis: Annotated[text(500), Form()] = "", do: Annotated[str, Form()] = "check",
) -> HTMLResponse:  # fmt: skip
    """Check a list, or keep it as a draft."""

    def work() -> dict[str, Any]:
        chosen = sheet.one_of({each.value: each for each in ListKind})(kind)
        codes = [each.code for each in matters.in_force(session)]
        read = rules.read_items(file.file.read(), file.filename or "", chosen, codes)
        named = title.strip() or (file.filename or "").rpartition(".")[0]
        kept = service.draft(session, actor, chosen, area.strip(), named, read, name=name, basis=basis)
        found = queries.edition(session, actor, kept.id)
        return {
            "found": read, "edition_id": kept.id, "faults": queries.faults(session, found, clock.today()),
            "changes": _since(session, found),
        }  # fmt: skip

    return tables.bring(request, session, "list_found.html", do == "keep", work)


def _since(session: Session, found: Listed) -> list[tuple]:
    """Return what an edition changes against the one of its list in force, nothing if there is none."""
    held = next((each for each in queries.in_force(session) if each.list.id == found.list.id), None)
    return rules.compare(map(facts, held.items), map(facts, found.items)) if held else []


@router.get("/lists/{edition_id}", response_class=HTMLResponse)
def show_edition(
    request: Request, session: Transaction, actor: Viewer, edition_id: RowId, words: Typed = "",
    category: Code = "", lead: Typed = "", page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> HTMLResponse:  # fmt: skip
    """Show an edition and those of its items that are looked for."""
    given = {"words": words.strip(), "category": category.strip(), "lead": lead.strip()}
    return _edition(request, session, actor, edition_id, given, page)


def _edition(
    request: Request, session: Session, actor: Actor, edition_id: int, given: Mapping[str, str] | None = None,
    page: int = 1, problem: Problem | None = None, effective: str = "",
) -> HTMLResponse:  # fmt: skip
    """Return the page of an edition; `problem` is why it was not published or retired."""
    found, given = queries.edition(session, actor, edition_id), given or vars(Wanted())
    _, editions = queries.editions(session, actor, found.list.id)
    wanted = Wanted(**given)
    items = [item for item in found.items if wanted.fits(item)]
    draft, manages = found.edition.published_at is None, bool(can(actor, "list.manage", found.list.code))
    today = clock.today()
    held = {each.edition.id for each in queries.in_force(session)}
    if isinstance(problem, NotPublishable):
        faults = problem.faults
    else:
        watched = draft or (edition_id in held and found.nature.complete and manages)
        faults = queries.faults(session, found, today) if watched else []
    values = {
        "found": found, "edition": found.edition, "items": items[(page - 1) * SIZE : page * SIZE],
        "total": len(items), "page": page, "pages": -(-len(items) // SIZE), "given": given,
        "leads": sorted({item.lead for item in found.items}), "editions": editions, "draft": draft,
        "manages": manages, "held": held, "today": today, "faults": faults, "steps": rules.steps,
        "effective": effective or today, "names": _names(session, [found.list.code]),
        "matters": {each.code: each for each in matters.in_force(session)},
        "problem": i18n.say(problem) if problem else "",
    }  # fmt: skip
    return render(request, "list_edition.html", values, status_of(problem) if problem else HTTPStatus.OK)


@router.get("/lists/{edition_id}/items.xlsx")
def take_away(session: Transaction, actor: Viewer, edition_id: RowId) -> Response:
    """Return the items of an edition as a table that can be brought back."""
    found = queries.edition(session, actor, edition_id)
    spoken = i18n.language.get() == "zh"
    heads = [each.headings[spoken] for each in rules.columns().values()]
    rows = [list(rules.cells(facts(item)).values()) for item in found.items]
    headers = {"Content-Disposition": f'attachment; filename="list-{edition_id}.xlsx"'}
    content = b"".join(sheet.stream(Format.XLSX, heads, rows))
    return Response(content, media_type=Format.XLSX.media, headers=headers)


@router.get("/lists/{edition_id}/compare", response_class=HTMLResponse)
def compare(
    request: Request, session: Transaction, actor: Viewer, edition_id: RowId, since: Annotated[RowId, Query()]
) -> HTMLResponse:
    """Show what an edition adds, removes and changes against another one, field by field."""
    found = queries.edition(session, actor, edition_id)
    before = queries.edition(session, actor, since)
    changes = queries.changes(session, actor, since, edition_id)
    counts = {kind: sum(each[0] == kind for each in changes) for kind in ("added", "changed", "removed")}
    spoken = i18n.language.get() == "zh"
    heads = {name: each.headings[spoken] for name, each in rules.columns().items()}
    values = {"found": found, "before": before, "changes": changes, "counts": counts, "heads": heads}
    return render(request, "list_compare.html", values)


@router.post("/lists/{edition_id}/publish")
def publish(
    request: Request, session: Transaction, actor: Manager, edition_id: RowId,
    effective: Annotated[text(10), Form()] = "",
) -> Response:  # fmt: skip
    """Put a draft in force, or show all that stands in the way."""
    try:
        with session.begin_nested():
            service.publish(session, actor, edition_id, _day(effective))
    except Problem as problem:
        session.expire_all()
        return _edition(request, session, actor, edition_id, problem=problem, effective=effective)
    return RedirectResponse(f"/lists/{edition_id}", HTTPStatus.SEE_OTHER)


@router.post("/lists/{edition_id}/retire")
def retire(
    request: Request, session: Transaction, actor: Manager, edition_id: RowId,
    day: Annotated[text(10), Form()] = "", why: Annotated[text(500), Form()] = "",
) -> Response:  # fmt: skip
    """Let an edition no longer hold."""
    try:
        with session.begin_nested():
            service.retire(session, actor, edition_id, _day(day), why)
    except Problem as problem:
        session.expire_all()
        return _edition(request, session, actor, edition_id, problem=problem)
    return RedirectResponse(f"/lists/{edition_id}", HTTPStatus.SEE_OTHER)


@router.post("/lists/{edition_id}/discard")
def discard(session: Transaction, actor: Manager, edition_id: RowId) -> Response:
    """Throw a draft away."""
    service.discard(session, actor, edition_id)
    return RedirectResponse("/lists", HTTPStatus.SEE_OTHER)


def _day(typed: str) -> date:
    return sheet.day(typed.strip()) if typed.strip() else clock.today()
