"""One window (一窗联办): applications, a new one, one with who was asked and what each says, kinds of permits."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, File, Form, Path, Query, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

import web.pages.tables as tables
from gis.errors import Problem
from gridmgr import clock, sheet
from gridmgr.account.rules import Actor, can
from gridmgr.category import queries as matters
from gridmgr.clock import TimeUnit
from gridmgr.coapproval import queries, rules, service
from gridmgr.coapproval.model import LONGEST, Application, Approval, Deed, Said, Silence, Standing
from gridmgr.coapproval.queries import Search
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.organisation import queries as organisation
from gridmgr.sheet import Format
from web import i18n
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import BigRowId, text
from web.render import render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("approval.view"))]
Asker = Annotated[Actor, Depends(Allow("approval.ask"))]
Manager = Annotated[Actor, Depends(Allow("approval.manage"))]
ApprovalId = Annotated[BigRowId, Path()]
Typed = Annotated[text(10_000), Form()]
Line = Annotated[text(300), Form()]
SIZE, DAYS = 30, 90
NOTHING_YET = {"kind": "", "applicant": "", "what": "", "code": "", "place": "", "valid_until": ""}


@router.get("/approvals", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, state: Annotated[text(16), Query()] = "",
    area: Annotated[text(32), Query()] = "", before: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
) -> HTMLResponse:  # fmt: skip
    """List the applications, and how those of the last days were settled."""
    chosen = Standing(state) if state in set(Standing) else None
    search = Search(chosen, (actor.body or "") if state == "ours" else "", area=area.strip())
    found = queries.page(session, actor, search, SIZE + 1, before or None)
    opinions = queries.opinions(session, [each.id for each in found[:SIZE]])
    now = clock.now()
    since = now - timedelta(days=DAYS)
    values = {
        "approvals": [(each, _stand(each, opinions.get(each.id, []))) for each in found[:SIZE]],
        "counts": queries.counts(session, actor), "state": state, "area": area, "before": before, "now": now,
        "areas": hierarchy.areas(session, actor), "more": found[SIZE - 1].id if len(found) > SIZE else 0,
        "days": DAYS, "figures": queries.figures(session, actor, since, now),
        "sayings": queries.sayings(session, actor, since, now),
    }  # fmt: skip
    return render(request, "approvals.html", values)


def _stand(each: Approval, opinions: list) -> dict[str, Any]:
    """Return how the asking stands: how many were asked, who objects, who is awaited."""
    late = each.due_at <= clock.now()
    return {
        "asked": len(opinions), "answered": sum(one.said not in (None, Said.SILENT) for one in opinions),
        "objecting": rules.objecting(opinions), "waiting": rules.waiting(opinions, each.silence, late), "late": late,
    }  # fmt: skip


@router.get("/approvals/new", response_class=HTMLResponse)
def ask(
    request: Request, session: Transaction, actor: Asker, code: Annotated[text(32), Query()] = ""
) -> HTMLResponse:
    """Show the form for an application."""
    return _form(request, session, actor, {"code": code})


def _form(
    request: Request, session: Session, actor: Actor, given: dict[str, str], problem: Problem | None = None
) -> HTMLResponse:
    kinds = queries.kinds(session)
    names = {each.code: each.name(i18n.language.get()) for each in matters.in_force(session)}
    asked = {
        kind.id: list(queries.touching(session, kind.prefixes, given["code"], actor.body)) for kind in kinds
    }
    values = {
        "given": NOTHING_YET | given, "kinds": kinds, "areas": hierarchy.areas(session, actor), "names": names,
        "asked": asked, "problem": i18n.say(problem) if problem else "", "longest": LONGEST,
    }  # fmt: skip
    return render(request, "approval_new.html", values, status_of(problem) if problem else HTTPStatus.OK)


@router.post("/approvals")
def open_one(
    request: Request, session: Transaction, actor: Asker, kind: Line = "", applicant: Line = "", what: Typed = "",
    code: Annotated[text(32), Form()] = "", place: Line = "", valid_until: Annotated[text(20), Form()] = "",
) -> Response:  # fmt: skip
    """Open an application and ask everybody it touches."""
    given = {
        "kind": kind, "applicant": applicant, "what": what.replace("\r\n", "\n"), "code": code.strip(), "place": place,
        "valid_until": valid_until,
    }  # fmt: skip
    try:
        with session.begin_nested():
            until = sheet.day(valid_until) if valid_until.strip() else None
            found = service.ask(session, actor, Application(**given | {"valid_until": until}))
    except Problem as problem:
        return _form(request, session, actor, given, problem)
    return RedirectResponse(f"/approvals/{found.id}", HTTPStatus.SEE_OTHER)


@router.get("/approvals/kinds", response_class=HTMLResponse)
def show_kinds(request: Request, session: Transaction, actor: Viewer) -> HTMLResponse:
    """Show the kinds of permits and whom each asks; who manages them brings a new table."""
    kinds = queries.kinds(session)
    values = {
        "kinds": kinds, "asked": {each.id: queries.touching(session, each.prefixes, "", None) for each in kinds},
        "errors": [], "problem": "", "found": None, "taken": False,
    }  # fmt: skip
    return render(request, "permit_kinds.html", values)


@router.get("/approvals/kinds.xlsx")
def take_kinds_away(session: Transaction, actor: Viewer) -> Response:
    """Return the kinds as a table that can be brought back."""
    place = 0 if i18n.language.get() == "zh" else -1
    heads = [column.headings[place] for column in rules.KINDS.values()]
    rows = (
        (each.name, each.name_en, "；".join(each.prefixes), each.amount, TimeUnit(each.unit).value,
         Silence(each.silence).value)
        for each in queries.kinds(session)
    )  # fmt: skip
    content = b"".join(sheet.stream(Format.XLSX, heads, rows))
    headers = {"Content-Disposition": 'attachment; filename="permit_kinds.xlsx"'}
    return Response(content, media_type=Format.XLSX.media, headers=headers)


@router.post("/approvals/kinds", response_class=HTMLResponse)
def bring_kinds(
    request: Request, session: Transaction, actor: Manager, file: Annotated[UploadFile, File()],
    do: Annotated[str, Form()] = "check",
) -> HTMLResponse:  # fmt: skip
    """Check a table of kinds, or take it."""

    def work() -> dict[str, Any]:
        read = sheet.read(file.file.read(), file.filename or "", rules.KINDS)
        return {"found": service.import_kinds(session, actor, read), "kinds": [], "asked": {}}

    return tables.bring(request, session, "kinds_found.html", do == "import", work)


@router.get("/approvals/{approval_id:int}", response_class=HTMLResponse)
def show_one(request: Request, session: Transaction, actor: Viewer, approval_id: ApprovalId) -> HTMLResponse:
    """Show an application: who was asked and what each says, the cases there, and what may be done now."""
    return _page(request, session, actor, approval_id)


def _page(
    request: Request, session: Session, actor: Actor, approval_id: int, problem: Problem | None = None,
    given: dict[str, str] | None = None,
) -> HTMLResponse:  # fmt: skip
    found = queries.approval(session, actor, approval_id)
    opinions = queries.opinions(session, [found.id]).get(found.id, [])
    running = found.state == Standing.OPEN
    categories = matters.by_id(session)
    codes = [code for code in (found.street_code, found.code, found.building_code) if code]
    values = {
        "found": found, "opinions": opinions, "stand": _stand(found, opinions), "now": clock.now(),
        "done": queries.deeds(session, found.id), "names": hierarchy.names(session, codes, clock.today()),
        "cases": [
            (case, categories[case.category_id], rules.touched(categories[case.category_id].code, found.prefixes))
            for case in queries.cases_there(session, actor, found)
        ],
        "people": organisation.people(session),
        "matters": {each.code: each.name(i18n.language.get()) for each in matters.in_force(session)},
        "answering": running and actor.body in {each.body for each in opinions} and bool(can(actor, "approval.answer")),
        "deciding": running and rules.decides(actor, found) is None,
        "overruling": running and bool(can(actor, "approval.overrule", found.code)),
        "problem": i18n.say(problem) if problem else "", "given": {"note": "", "law": "", "did": ""} | (given or {}),
    }  # fmt: skip
    return render(request, "approval.html", values, status_of(problem) if problem else HTTPStatus.OK)


@router.post("/approvals/{approval_id:int}/answer")
def answer(
    request: Request, session: Transaction, actor: Annotated[Actor, Depends(Allow("approval.answer"))],
    approval_id: ApprovalId, said: Annotated[Literal["agree", "conditions", "object"], Form()], note: Typed = "",
    law: Line = "",
) -> Response:  # fmt: skip
    """Say what one's body thinks of it."""
    given = {"note": note, "law": law, "did": "answer"}
    return _done(
        request, session, actor, approval_id, given,
        lambda: service.say(session, actor, approval_id, Said(said), _plain(note), law),
    )  # fmt: skip


@router.post("/approvals/{approval_id:int}/overrule")
def overrule(
    request: Request, session: Transaction, actor: Annotated[Actor, Depends(Allow("approval.overrule"))],
    approval_id: ApprovalId, body: Line = "", note: Typed = "",
) -> Response:  # fmt: skip
    """Set an objection aside."""
    given = {"note": note, "did": "overrule"}
    return _done(
        request, session, actor, approval_id, given,
        lambda: service.overrule(session, actor, approval_id, body, _plain(note)),
    )  # fmt: skip


@router.post("/approvals/{approval_id:int}/decision")
def decide(
    request: Request, session: Transaction, actor: Annotated[Actor, Depends(Allow("approval.decide"))],
    approval_id: ApprovalId, deed: Annotated[Literal["grant", "refuse", "withdraw"], Form()], note: Typed = "",
) -> Response:  # fmt: skip
    """Grant, refuse or withdraw it."""
    given = {"note": note, "did": deed}
    return _done(
        request, session, actor, approval_id, given,
        lambda: service.decide(session, actor, approval_id, Deed(deed), _plain(note)),
    )  # fmt: skip


def _plain(typed: str) -> str:
    return typed.replace("\r\n", "\n")


def _done(
    request: Request, session: Session, actor: Actor, approval_id: int, given: dict[str, str], verb
) -> Response:
    """Take the step and show the application as it stands then; what was typed is there again if it is refused."""
    try:
        with session.begin_nested():
            verb()
    except Problem as problem:
        session.expire_all()
        return _page(request, session, actor, approval_id, problem, given)
    return RedirectResponse(f"/approvals/{approval_id}", HTTPStatus.SEE_OTHER)
