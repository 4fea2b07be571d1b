"""Comments on a case's page, and the page of ready-made notes."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Path, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from gis.errors import Problem
from gridmgr import db, sheet
from gridmgr.account.rules import Actor
from gridmgr.discussion import queries, service
from gridmgr.discussion.rules import PHRASES
from gridmgr.incident import queries as incidents
from gridmgr.sheet import BadSheet
from web import i18n
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import RowId, text
from web.pages.incident import Number
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
Admin = Annotated[Actor, Depends(Allow("account.manage"))]
BLANK = {"action": "feed_back", "category": "", "zh": "", "en": ""}
TYPED = 10_000  # characters that are given back, whatever may be kept of them


@router.post("/incidents/{number}/comments")
def comment(
    request: Request, session: Transaction, actor: Annotated[Actor, Depends(Allow("incident.comment"))],
    number: Number, said: Annotated[str, Form(alias="text")] = "",
) -> Response:  # fmt: skip
    """Say something of a case."""
    problem = ""
    try:
        service.comment(session, actor, number, said.replace("\0", ""))
    except Problem as refused:
        problem = i18n.say(refused)
        incident = incidents.by_number(session, actor, number)
    else:
        if not is_fragment(request):
            return RedirectResponse(f"/incidents/{number}#talk", 303)
        incident = incidents.by_number(session, actor, number)
    values = {
        "incident": incident, "comments": queries.marked(session, queries.comments(session, incident.id)),
        "said": said if problem else "", "unsaid": problem,
    }  # fmt: skip
    return render(request, "fragments/comments.html", values, 422 if problem else 200)


@router.get("/phrases", response_class=HTMLResponse)
def show(request: Request, session: Transaction, actor: Admin) -> HTMLResponse:
    """List the ready-made notes."""
    return _page(request, session)


@router.post("/phrases")
def add(
    request: Request, session: Transaction, actor: Admin, action: Annotated[text(16), Form()] = "",
    category: Annotated[text(32), Form()] = "", zh: Annotated[text(TYPED), Form()] = "",
    en: Annotated[text(TYPED), Form()] = "",
) -> Response:  # fmt: skip
    """Keep one more; what is refused stands in the form again."""
    zh, en = (each.replace("\r\n", "\n") for each in (zh, en))  # a browser counts the end of a line once
    given = {"action": action, "category": category, "zh": zh, "en": en}
    try:
        service.set_phrase(session, **given)
    except Problem as problem:
        return _page(request, session, problem, given=given)
    return RedirectResponse("/phrases", 303)


@router.post("/phrases/import")
def bring(
    request: Request, session: Transaction, actor: Admin, file: Annotated[UploadFile, File()],
    do: Annotated[str, Form()] = "check",
) -> Response:  # fmt: skip
    """Check those of a table, or add them, all or none."""
    try:
        with db.rehearsed(session, keep=do == "import"):
            count = service.import_phrases(
                session, sheet.read(file.file.read(), file.filename or "", PHRASES)
            )
    except Problem as problem:
        return _page(request, session, problem)
    if do != "import":
        return _page(request, session, would=count)
    return RedirectResponse("/phrases", 303)


@router.post("/phrases/{phrase_id}/remove")
def remove(session: Transaction, actor: Admin, phrase_id: Annotated[RowId, Path()]) -> Response:
    """Remove one."""
    service.drop_phrase(session, phrase_id)
    return RedirectResponse("/phrases", 303)


def _page(
    request: Request, session: Session, problem: Problem | None = None, would: int | None = None,
    given: Mapping[str, str] = BLANK,
) -> HTMLResponse:  # fmt: skip
    errors = problem.errors if isinstance(problem, BadSheet) else []
    values = {
        "phrases": queries.phrases(session), "errors": errors, "would": would,
        "given": given,
        "problem": i18n.say(problem) if problem and not errors else "",
    }  # fmt: skip
    return render(request, "phrases.html", values, status_of(problem) if problem else 200)
