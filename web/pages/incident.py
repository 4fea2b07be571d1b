"""One incident: what, where, its history in words, and the steps that can be taken now."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Path, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

import web.pages.case as case
from gis.errors import Problem
from gridmgr.account.rules import Actor
from gridmgr.attachment.model import StoredFile
from gridmgr.incident import queries, service
from gridmgr.incident.model import Incident
from gridmgr.life.model import Action, BadField
from web import i18n
from web.deps import Allow, Transaction
from web.errors import status_of
from web.pages.uploads import files_of, shown_again
from web.render import render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("incident.view"))]
LIMITS = {"handler": 100, "body": 100, "note": 2000, "into": 32, "limit": 32}
Number = Annotated[str, Path(max_length=32, pattern=r"^[^\x00]*$")]


@router.get("/incidents/{number}", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, number: Number, new: bool = False
) -> HTMLResponse:
    """Show an incident."""
    return _page(request, session, actor, queries.by_number(session, actor, number), new=new)


def typed(
    note: Annotated[str, Form()] = "", checked: Annotated[str, Form()] = "",
    found: Annotated[str, Form()] = "", handler: Annotated[str, Form()] = "",
    other_handler: Annotated[str, Form()] = "", into: Annotated[str, Form()] = "",
    satisfaction: Annotated[str, Form()] = "", way: Annotated[str, Form()] = "",
    amount: Annotated[str, Form()] = "", unit: Annotated[str, Form()] = "",
    until: Annotated[str, Form()] = "", level: Annotated[str, Form()] = "",
    body: Annotated[str, Form()] = "", task: Annotated[str, Form()] = "", limit: Annotated[str, Form()] = "",
) -> dict[str, str]:  # fmt: skip
    """Return what was typed, without what cannot be stored; an error shows it again."""
    return {name: value.replace("\0", "").replace("\r\n", "\n").strip() for name, value in locals().items()}


@router.post("/incidents/{number}/{action}")
def move(
    request: Request, session: Transaction, actor: Viewer, number: Number, action: Action,
    seq: Annotated[int, Form()], given: Annotated[dict[str, str], Depends(typed)],
    files: Annotated[list[str], Form()] = (), upload: Annotated[list[UploadFile], File()] = (),
) -> Response:  # fmt: skip
    """Take one step; if somebody else was faster, say so and show how it stands now."""
    brought, refused = files_of(session, actor, files, upload)
    try:
        if refused:
            raise refused
        with session.begin_nested():
            payload = payload_of(given) | ({"files": brought} if brought else {})
            service.move(session, actor, number, action, payload, expected_seq=seq)
    except Problem as problem:
        session.expire_all()
        incident = queries.by_number(session, actor, number)
        again = shown_again(session, actor, brought)
        return _page(
            request, session, actor, incident, problem=problem, failed=action, given=given, sent_files=again
        )
    return RedirectResponse(f"/incidents/{number}", 303)


BLANK = typed()


def payload_of(given: dict[str, str]) -> dict[str, Any]:
    """Return what a step is given, from the texts of a form; empty fields are left out.

    Raises
    ------
    BadField
        A text is no number or day, or too long.
    """
    for field, most in LIMITS.items():
        if len(given[field]) > most:
            raise BadField(field=field, value="…", expected=f"≤ {most}")
    unit = given["handler"].startswith("unit:")
    code, _, name = given["handler"].removeprefix("unit:").partition(":") if unit else ("", "", "")
    payload: dict[str, Any] = {
        **{name: given[name] for name in ("note", "into", "way", "unit", "level", "body", "limit", "until")},
        "handler": name or given["handler"] or given["other_handler"],
        "handler_code": code[:32],
        "checked": given["checked"] == "yes",
        "satisfaction": _number(given, "satisfaction"),
        "amount": _number(given, "amount"),
        "task": _number(given, "task"),
    }
    if given["found"]:
        payload["found"] = given["found"] == "yes"
    if given["until"]:
        payload["until"] = _day(given["until"])
    if not payload["amount"]:
        payload.pop("unit")
    return {
        name: value for name, value in payload.items() if value not in ("", None) and value is not False
    } | ({"found": payload["found"]} if "found" in payload else {})


def _number(given: dict[str, str], field: str) -> float | int | None:
    if not given[field]:
        return None
    try:
        value = float(given[field])
    except ValueError:
        raise BadField(field=field, value=given[field][:20], expected="1, 2, …") from None
    return int(value) if value == int(value) else value


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise BadField(field="until", value=text[:20], expected="2026-01-31") from None


def _page(
    request: Request, session: Session, actor: Actor, incident: Incident, *, new: bool = False,
    problem: Problem | None = None, failed: Action | None = None, given: dict[str, str] | None = None,
    sent_files: Sequence[tuple[StoredFile, str]] = (),
) -> HTMLResponse:  # fmt: skip
    values = case.values(session, actor, incident) | {
        "new": new, "problem": i18n.say(problem) if problem else "", "failed": failed,
        "given": given or BLANK, "blank": BLANK, "sent_files": sent_files,
    }  # fmt: skip
    return render(request, "incident.html", values, status_of(problem) if problem else 200)
