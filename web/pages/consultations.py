"""Consultations (征求意见): the list with its figures, a new one, one with what each says, the kinds."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Path, Query, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

import web.pages.tables as tables
from gis.errors import Problem
from gridmgr import clock, sheet
from gridmgr.account.rules import Actor, can
from gridmgr.attachment import queries as attachments
from gridmgr.consultation import queries, rules, service
from gridmgr.consultation.model import (
    LONGEST,
    LONGEST_WHAT,
    Asking,
    Consultation,
    ConsultationKind,
    Said,
    Sphere,
    Standing,
    Who,
)
from gridmgr.consultation.queries import Search
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.organisation import queries as organisation
from gridmgr.sheet import Format
from web import i18n
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import BigRowId, text
from web.pages.uploads import files_of, shown_again
from web.render import render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("consultation.view"))]
Asker = Annotated[Actor, Depends(Allow("consultation.ask"))]
Manager = Annotated[Actor, Depends(Allow("consultation.manage"))]
ConsultationId = Annotated[BigRowId, Path()]
Asked = Annotated[text(100), Query()]
Line = Annotated[text(300), Form()]
Typed = Annotated[text(10_000), Form()]
Many = Annotated[list[text(600)], Form()]
Uploads = Annotated[list[UploadFile], File()]
SIZE, DAYS = 30, 365


@router.get("/consultations", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, state: Asked = "", sphere: Asked = "", area: Asked = "",
    before: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
) -> HTMLResponse:  # fmt: skip
    """List the consultations, and how those of the last year went."""
    search = Search(
        Standing(state) if state in set(Standing) else None, "", Sphere(sphere) if sphere in set(Sphere) else None,
        area.strip(), state == "ours",
    )  # fmt: skip
    found = queries.page(session, actor, search, SIZE + 1, before or None)
    parties = queries.parties(session, [each.id for each in found[:SIZE]])
    now = clock.now()
    since = now - timedelta(days=DAYS)
    values = {
        "found": [(each, parties.get(each.id, [])) for each in found[:SIZE]], "state": state, "sphere": sphere,
        "area": area, "before": before, "more": found[SIZE - 1].id if len(found) > SIZE else 0, "now": now,
        "counts": queries.counts(session, actor), "areas": hierarchy.areas(session, actor), "days": DAYS,
        "figures": queries.figures(session, actor, since, now),
        "answerings": queries.answerings(session, actor, since, now),
    }  # fmt: skip
    return render(request, "consultations.html", values)


@router.get("/consultations/new", response_class=HTMLResponse)
def choose(
    request: Request, session: Transaction, actor: Asker, kind: Asked = "",
    again: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
) -> HTMLResponse:  # fmt: skip
    """Show the kinds to choose from, or the form of one; `again` begins with what was asked before."""
    if again:
        return _form(request, session, actor, _before(session, actor, again))
    if kind:
        return _form(request, session, actor, {"kind": kind})
    return render(request, "consultation_choose.html", {"kinds": _by_sphere(queries.kinds(session))})


def _before(session: Session, actor: Actor, consultation_id: int) -> dict[str, Any]:
    found = queries.consultation(session, actor, consultation_id)
    parties = queries.parties(session, [found.id]).get(found.id, [])
    return {
        "kind": found.kind, "title": found.title, "what": found.what, "facts": found.facts, "again_of": str(found.id),
        "asked": [each.code or each.name for each in parties],
    }  # fmt: skip


def _by_sphere(kinds: Sequence[ConsultationKind]) -> dict[str, list[ConsultationKind]]:
    found: dict[str, list[ConsultationKind]] = {}
    for each in kinds:
        found.setdefault(each.sphere, []).append(each)
    return found


def _form(
    request: Request, session: Session, actor: Actor, given: Mapping[str, Any], problem: Problem | None = None
) -> HTMLResponse:
    kind = queries.kind(session, given["kind"])
    nothing = {
        "title": "",
        "what": "",
        "facts": {},
        "again_of": "",
        "asked": [],
        "area": "",
        "sent_files": [],
    }
    values = {
        "kind": kind, "given": nothing | dict(given), "fields": rules.fields(kind.form, "asker"),
        "areas": hierarchy.areas(session, actor), "bodies": organisation.offered(session, organisation.people(session)),
        "longest": LONGEST_WHAT, "problem": i18n.say(problem) if problem else "", "by_body": Who.BODY in kind.asks,
    }  # fmt: skip
    return render(request, "consultation_new.html", values, status_of(problem) if problem else HTTPStatus.OK)


@router.post("/consultations")
def ask(
    request: Request, session: Transaction, actor: Asker, kind: Line, title: Line = "", what: Typed = "",
    asked: Many = (), area: Annotated[text(32), Form()] = "", fact_name: Many = (), fact: Many = (),
    again_of: Annotated[text(20), Form()] = "", files: Annotated[list[str], Form()] = (), upload: Uploads = (),
) -> Response:  # fmt: skip
    """Ask those a matter concerns."""
    brought, refused = files_of(session, actor, files, upload)
    facts = dict(zip(fact_name, fact, strict=False))
    given = {
        "kind": kind, "title": title, "what": what.replace("\r\n", "\n"), "asked": asked, "area": area.strip(),
        "facts": facts, "again_of": again_of,
    }  # fmt: skip
    try:
        if refused:
            raise refused
        with session.begin_nested():
            asking = Asking(
                title, given["what"], area.strip() or None, facts, tuple(brought), _id_of(again_of)
            )
            found = service.ask(session, actor, kind, "", asked, asking)
    except Problem as problem:
        session.expire_all()
        return _form(
            request, session, actor, given | {"sent_files": shown_again(session, actor, brought)}, problem
        )
    return RedirectResponse(f"/consultations/{found.id}", HTTPStatus.SEE_OTHER)


def _id_of(typed: str) -> int | None:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 19 else None


# ---- kinds ------------------------------------------------------------------------------------------------


@router.get("/consultations/kinds", response_class=HTMLResponse)
def show_kinds(request: Request, session: Transaction, actor: Viewer) -> HTMLResponse:
    """Show the kinds with their terms; who manages them brings a new table."""
    values = {
        "kinds": _by_sphere(queries.kinds(session)), "errors": [], "problem": "", "found": None, "taken": False,
        "today": clock.today(), "fields": rules.fields,
    }  # fmt: skip
    return render(request, "consultation_kinds.html", values)


@router.get("/consultations/kinds.xlsx")
def take_kinds_away(session: Transaction, actor: Viewer) -> Response:
    """Return the kinds as a table that can be brought back."""
    place = 0 if i18n.language.get() == "zh" else -1
    heads = [column.headings[place] for column in rules.KINDS.values()]
    rows = ([rules.cell(each, name) for name in rules.KINDS] for each in queries.kinds(session))
    content = b"".join(sheet.stream(Format.XLSX, heads, rows))
    headers = {"Content-Disposition": 'attachment; filename="consultation_kinds.xlsx"'}
    return Response(content, media_type=Format.XLSX.media, headers=headers)


@router.post("/consultations/kinds", response_class=HTMLResponse)
def bring_kinds(
    request: Request, session: Transaction, actor: Manager, file: Annotated[UploadFile, File()],
    effective: Annotated[text(20), Form()] = "", do: Annotated[str, Form()] = "check",
) -> HTMLResponse:  # fmt: skip
    """Check a table of kinds, or take it."""

    def work() -> dict[str, Any]:
        read = sheet.read(file.file.read(), file.filename or "", rules.KINDS)
        day = sheet.day(effective) if effective.strip() else clock.today()
        return {"found": service.import_kinds(session, actor, read, day), "effective": day.isoformat()}

    return tables.bring(request, session, "consultation_kinds_found.html", do == "import", work)


# ---- one --------------------------------------------------------------------------------------------------


@router.get("/consultations/{consultation_id:int}", response_class=HTMLResponse)
def show_one(
    request: Request, session: Transaction, actor: Viewer, consultation_id: ConsultationId
) -> HTMLResponse:
    """Show a consultation: who was asked and what each says, and what one may do now."""
    return _page(request, session, actor, consultation_id)


def _page(
    request: Request, session: Session, actor: Actor, consultation_id: int, problem: Problem | None = None,
    given: Mapping[str, Any] | None = None,
) -> HTMLResponse:  # fmt: skip
    found = queries.consultation(session, actor, consultation_id)
    parties = queries.parties(session, [found.id]).get(found.id, [])
    running, words = found.state == Standing.OPEN, queries.words(session, found.id)
    codes = {each.code for each in parties} | {found.code}
    answering = running and bool(can(actor, "consultation.answer"))
    values = {
        "found": found, "parties": parties, "words_said": words, "now": clock.now(), "longest": LONGEST,
        "names": hierarchy.names(session, codes, clock.today()), "page": rules.page_of(found.subject_ref),
        "mine": [p for p in parties if rules.speaks(actor, p.who, p.code, p.name)] if answering else [],
        "going_on": rules.goes_on(actor, found) is None, "rounds": queries.rounds(session, actor, found),
        "files": _files(session, found),
        "unheard": {each.id for each in parties if running and not queries.heard(session, [each])},
        "filled_in": rules.told, "fields": rules.fields, "part_of": rules.part_of,
        "problem": i18n.say(problem) if problem else "",
        "given": {"did": "", "party": 0, "reason": "", "said": "", "answers": {}, "sent_files": []} | dict(given or {}),
    }  # fmt: skip
    return render(request, "consultation.html", values, status_of(problem) if problem else HTTPStatus.OK)


def _files(session: Session, found: Consultation) -> dict[int, list[dict[str, str]]]:
    held = queries.files(session, found.id)
    known = attachments.known(session, {each.sha256 for files in held.values() for each in files})
    return {
        word: [
            {"sha256": each.sha256, "name": each.name, "media_type": known[each.sha256].media_type}
            for each in files
        ]
        for word, files in held.items()
    }


@router.post("/consultations/{consultation_id:int}/opinion")
def give_opinion(
    request: Request, session: Transaction, actor: Annotated[Actor, Depends(Allow("consultation.answer"))],
    consultation_id: ConsultationId, said: Annotated[Said, Form()], party: Annotated[BigRowId, Form()],
    reason: Typed = "", answer_name: Many = (), answer: Many = (), files: Annotated[list[str], Form()] = (),
    upload: Uploads = (),
) -> Response:  # fmt: skip
    """Say what a party thinks."""
    brought, refused = files_of(session, actor, files, upload)
    answers = dict(zip(answer_name, answer, strict=False))
    given = {"did": "opinion", "party": party, "reason": reason, "said": said, "answers": answers}

    def verb() -> None:
        if refused:
            raise refused
        service.say(session, actor, consultation_id, said, _plain(reason), answers, brought, party)

    return _done(request, session, actor, consultation_id, given, verb, brought)


@router.post("/consultations/{consultation_id:int}/reply")
def reply(
    request: Request, session: Transaction, actor: Asker, consultation_id: ConsultationId,
    party: Annotated[BigRowId, Form()], adopted: Annotated[bool, Form()], note: Typed = "",
) -> Response:  # fmt: skip
    """Say how an objection is taken."""
    given = {"did": "reply", "party": party, "reason": note}
    return _done(
        request, session, actor, consultation_id, given,
        lambda: service.reply(session, actor, consultation_id, party, adopted, _plain(note)),
    )  # fmt: skip


@router.post("/consultations/{consultation_id:int}/withdraw")
def withdraw(
    request: Request, session: Transaction, actor: Asker, consultation_id: ConsultationId, note: Typed = ""
) -> Response:
    """Take the question back."""
    given = {"did": "withdraw", "reason": note}
    return _done(
        request, session, actor, consultation_id, given,
        lambda: service.withdraw(session, actor, consultation_id, _plain(note)),
    )  # fmt: skip


def _plain(typed: str) -> str:
    return typed.replace("\r\n", "\n")


def _done(
    request: Request, session: Session, actor: Actor, consultation_id: int, given: dict[str, Any],
    verb: Callable[[], object], brought: Sequence[dict[str, str]] = (),
) -> Response:  # fmt: skip
    """Take the step and show how it stands then; what was typed is there again if it is refused."""
    try:
        with session.begin_nested():
            verb()
    except Problem as problem:
        session.expire_all()
        given["sent_files"] = shown_again(session, actor, brought)
        return _page(request, session, actor, consultation_id, problem, given)
    return RedirectResponse(f"/consultations/{consultation_id}", HTTPStatus.SEE_OTHER)
