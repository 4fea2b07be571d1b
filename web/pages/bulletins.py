"""Weekly and monthly reports: the list with what waits or failed, one as it was written, and the plan."""

from collections.abc import Callable
from datetime import date, timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup
from sqlalchemy.orm import Session

from gis.errors import Problem
from gridmgr import clock, sheet
from gridmgr.account.rules import Actor, can
from gridmgr.bulletin import queries, rules, service
from gridmgr.bulletin.queries import Search
from gridmgr.digest import queries as digests
from gridmgr.digest.model import Period, Subject
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.module import queries as modules
from gridmgr.organisation import queries as organisation
from gridmgr.paper import SCHEME
from web import i18n
from web.api.bulletin import answered, chosen
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import RowId, text
from web.render import render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("bulletin.view"))]
Writer = Annotated[Actor, Depends(Allow("bulletin.write"))]
BulletinId = Annotated[RowId, Path()]
Short = Annotated[text(100), Form()]
Asked = Annotated[text(32), Query()]
Language = Annotated[text(2), Query()]
SIZE = 50
NOTHING_YET = {
    "subject": "", "key": "", "period": "", "day": "", "why": "", "known_now": "", "since": "", "tell": "", "below": "",
}  # fmt: skip


@router.get("/bulletins", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, subject: Asked = "", period: Asked = "", area: Asked = "",
    before: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0, done: Asked = "",
) -> HTMLResponse:  # fmt: skip
    """List the reports somebody may read, and what is to be written."""
    search = Search(
        subject if subject in set(Subject) else "", period if period in set(Period) else "", area.strip()
    )
    return _list(request, session, actor, search, before, done=done)


def _list(
    request: Request, session: Session, actor: Actor, search: Search | None = None, before: int = 0,
    given: dict[str, str] | None = None, problem: Problem | None = None, done: str = "",
) -> HTMLResponse:  # fmt: skip
    search = search or Search()
    found = queries.page(session, actor, search, SIZE + 1, before or None)
    plans, writing = queries.plans(session, actor), bool(can(actor, "bulletin.write"))
    values = {
        "found": found[:SIZE], "more": found[SIZE - 1].id if len(found) > SIZE else 0, "before": before,
        "search": search,
        "outstanding": queries.outstanding(session, actor), "plans": plans, "writing": writing,
        "name_of": rules.subject_name, "span_of": rules.span_name, "areas": hierarchy.areas(session, actor),
        "keys": _keys(session, actor) if writing else [], "given": NOTHING_YET | (given or {}), "done": done,
        "problem": i18n.say(problem) if problem else "", "yesterday": clock.today() - timedelta(days=1),
        "names": hierarchy.names(session, {each.key for each in plans}, clock.today()),
    }  # fmt: skip
    return render(request, "bulletins.html", values, status_of(problem) if problem else HTTPStatus.OK)


def _keys(session: Session, actor: Actor) -> list[tuple[str, str]]:
    """Return (key, name) of what a report may be of in an actor's reach, which the form suggests."""
    found = list(hierarchy.areas(session, actor))
    for grouping in modules.groupings(session).values():
        if can(actor, "bulletin.write", grouping.area):
            found += [(str(each.id), each.name_zh) for each in grouping.modules]
    bodies = organisation.bodies(session).values()
    return found + [(each.name, each.name) for each in bodies if can(actor, "bulletin.write", each.territory)]


@router.post("/bulletins/want")
def want(
    request: Request, session: Transaction, actor: Writer, subject: Subject = Form(), key: Short = "",
    period: Period = Form(), day: Short = "", why: Annotated[text(500), Form()] = "", known_now: Short = "",
) -> Response:  # fmt: skip
    """Want a report: the worker writes it."""
    given = {"subject": subject, "key": key, "period": period, "day": day, "why": why, "known_now": known_now}

    def work() -> None:
        target = digests.target(session, subject, _key(subject, key))
        service.want(session, actor, target, chosen(period, _day(day)), why, known_now=bool(known_now))

    return _did(request, session, actor, work, given, "wanted")


@router.post("/bulletins/plan")
def plan(
    request: Request, session: Transaction, actor: Writer, subject: Subject = Form(), key: Short = "",
    period: Period = Form(), since: Short = "", tell: Annotated[text(2000), Form()] = "", below: Short = "",
) -> Response:  # fmt: skip
    """Plan reports."""
    given = {"subject": subject, "key": key, "period": period, "since": since, "tell": tell, "below": below}

    def work() -> None:
        target = digests.target(session, subject, _key(subject, key))
        names = [each for each in tell.replace("，", " ").replace(",", " ").split() if each]
        service.plan(session, actor, target, period, _day(since), names, below=bool(below))

    return _did(request, session, actor, work, given, "planned")


def _key(subject: Subject, typed: str) -> str:
    """Return what a report is of; the form's field may still hold what was there before the district was chosen."""
    return "" if subject is Subject.DISTRICT else typed


def _day(typed: str) -> date | None:
    return sheet.day(typed) if typed.strip() else None


@router.post("/bulletins/plan/{plan_id}/end")
def end_plan(
    request: Request, session: Transaction, actor: Writer, plan_id: Annotated[RowId, Path()]
) -> Response:
    """End a plan."""
    return _did(request, session, actor, lambda: service.end_plan(session, actor, plan_id), {}, "ended")


@router.post("/bulletins/due/{due_id}/retry")
def retry(
    request: Request, session: Transaction, actor: Writer, due_id: Annotated[RowId, Path()]
) -> Response:
    """Try a report that failed again."""
    return _did(request, session, actor, lambda: service.retry(session, actor, due_id), {}, "wanted")


def _did(
    request: Request, session: Session, actor: Actor, work: Callable[[], object], given: dict[str, str], done: str
) -> Response:  # fmt: skip
    try:
        with session.begin_nested():
            work()
    except Problem as problem:
        session.expire_all()
        return _list(request, session, actor, given=given, problem=problem)
    return RedirectResponse(f"/bulletins?done={done}", HTTPStatus.SEE_OTHER)


@router.get("/bulletins/{bulletin_id:int}.pdf")
def as_pdf(
    request: Request, session: Transaction, actor: Viewer, bulletin_id: BulletinId, language: Language = ""
) -> Response:
    """Return a report as a PDF, in the language asked for or that of its reader."""
    name = f"{language or i18n.language.get()}.pdf"
    _found, media, content = service.file(session, actor, bulletin_id, name)
    return answered(request, media, content, bulletin_id, name, show=True)


@router.get("/bulletins/{bulletin_id:int}.html")
def as_map(request: Request, session: Transaction, actor: Viewer, bulletin_id: BulletinId) -> Response:
    """Return the map of a report as one file, to be saved."""
    _found, media, content = service.file(session, actor, bulletin_id, rules.MAP)
    return answered(request, media, content, bulletin_id, rules.MAP)


@router.get("/bulletins/{bulletin_id:int}/{picture}.png")
def picture(
    request: Request, session: Transaction, actor: Viewer, bulletin_id: BulletinId, picture: Annotated[text(20), Path()]
) -> Response:  # fmt: skip
    """Return a picture of a report."""
    name = f"{picture}.png"
    _found, media, content = service.file(session, actor, bulletin_id, name)
    return answered(request, media, content, bulletin_id, name)


@router.get("/bulletins/{bulletin_id:int}", response_class=HTMLResponse)
def read(request: Request, session: Transaction, actor: Viewer, bulletin_id: BulletinId) -> HTMLResponse:
    """Show a report as it was written, in the language of its reader."""
    found, _media, content = service.file(session, actor, bulletin_id, f"{i18n.language.get()}.html")
    files = queries.files(session, found.id)
    # What is kept was escaped when it was set; only the addresses of its pictures are put in here.
    article = content.decode().replace(f'src="{SCHEME}', f'src="/bulletins/{found.id}/')
    values = {
        "found": found, "article": Markup(article), "files": files, "issues": queries.issues(session, found),
        "title": rules.title(found.subject, found.name, found.period), "has_map": rules.MAP in files,
        "span": rules.span_name(found.period, found.first, found.last),
        "writing": bool(can(actor, "bulletin.write", found.area)),
    }  # fmt: skip
    return render(request, "bulletin.html", values)
