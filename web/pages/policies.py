"""Policies: the table in force, a new one checked and published, and what it would mean for a case."""

from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from gis.errors import Problem
from gridmgr import clock, i18n, sheet
from gridmgr.account.rules import Actor
from gridmgr.category import queries as matters
from gridmgr.clock import FIRST_DAY, LAST_DAY
from gridmgr.errors import BadInput
from gridmgr.escalation import queries
from gridmgr.escalation.model import NOBODY
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.policy import queries as policies
from gridmgr.policy import rules, service
from gridmgr.policy.model import SHARE, Rung, When, rungs
from gridmgr.sheet import Format
from gridmgr.words import ACTS, LADDER, STAGES, UNITS, WHENS
from web import words
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import text
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
Admin = Annotated[Actor, Depends(Allow("policy.manage"))]


class NoSuchUnit(BadInput):
    """There is no unit {code} on today's map."""


class NoSuchTime(BadInput):
    """This is no day or time: {value}."""


@router.get("/policies", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Admin, at: Annotated[text(10), Query()] = "",
    category: Annotated[text(32), Query()] = "", severity: Annotated[text(1), Query()] = "",
    code: Annotated[text(32), Query()] = "", since: Annotated[text(25), Query()] = "",
) -> HTMLResponse:  # fmt: skip
    """Show the table in force on a day, and the course of a case if one is asked for."""
    given = {"at": at, "category": category, "severity": severity, "code": code, "since": since}
    values = {"problem": "", "courses": [], "given": given, "lost": 0}
    status, day = HTTPStatus.OK, clock.today()
    try:
        day = instant(at).date() if at else day
        if category:
            values["courses"] = _courses(session, given)
            values["lost"] = lost(values["courses"])
    except Problem as problem:
        values["problem"], status = i18n.say(problem), status_of(problem)
    return render(request, "policies.html", values | _table(session, day), status)


def _table(session: Session, day: date) -> dict[str, Any]:
    tables = policies.policy_tables(session)
    return {
        "policies": [rules.plain(each) for each in policies.in_force(session, day)],
        "table": policies.policy_table(session, day),
        "tables": tables,
        "day": day,
        "categories": matters.in_force(session, day),
        "limit": limit,
        "rungs": rungs,
        "now": clock.local(clock.now()),
    }


def limit(amount: float | None, unit: str | None) -> str:
    """Return a limit in words; without an amount it is the category's own."""
    return i18n._("as its category says") if amount is None else words.limit(amount, unit)


def instant(value: str) -> datetime:
    """Return what a form gives as a day or a local time.

    Raises
    ------
    NoSuchTime
    """
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise NoSuchTime(value=value) from None
    if not FIRST_DAY < found.date() < LAST_DAY:
        raise NoSuchTime(value=value)
    return found if found.tzinfo else found.replace(tzinfo=clock.zone())


def lost(courses: list[queries.Course]) -> int:
    """Return how many steps would reach nobody at all."""
    return sum(each.instead == NOBODY for course in courses for each in course.rungs)


def known_unit(session: Session, code: str) -> None:
    """Refuse a code that no unit of today's map begins with; none at all is the whole district.

    Raises
    ------
    NoSuchUnit
    """
    if code and hierarchy.without_units(session, [code]):
        raise NoSuchUnit(code=code)


def _courses(session: Session, given: dict[str, str]) -> list[queries.Course]:
    at = instant(given["since"]) if given["since"] else clock.now()
    category = matters.by_code(session, given["category"], clock.local(at).date())
    known_unit(session, given["code"])
    severity = int(given["severity"]) if given["severity"] in ("1", "2", "3") else category.severity
    return queries.courses(session, category, severity, given["code"], at)


@router.post("/policies/import", response_class=HTMLResponse)
def bring(
    request: Request, session: Transaction, actor: Admin, file: Annotated[UploadFile, File()],
    do: Annotated[str, Form()] = "check", effective: Annotated[text(10), Form()] = "",
    title: Annotated[text(100), Form()] = "",
) -> HTMLResponse:  # fmt: skip
    """Check a table of policies, or publish it."""
    values: dict[str, Any] = {
        "problem": "",
        "read": None,
        "changes": [],
        "published": False,
        "limit": limit,
        "rungs": rungs,
    }
    status = HTTPStatus.OK
    try:
        day = instant(effective).date() if effective else clock.today()
        read = queries.read_policies(session, file.file.read(), file.filename or "", day)
        changes = rules.differences(map(rules.plain, policies.in_force(session, day)), read.policies)
        values |= {"read": read, "changes": changes, "effective": day}
        if read.errors:
            status = HTTPStatus.UNPROCESSABLE_ENTITY
        elif do == "publish":
            service.publish(session, title.strip() or file.filename or "", day, read)
            values["published"] = True
    except Problem as problem:
        values["problem"], status = i18n.say(problem), status_of(problem)
    if is_fragment(request):
        return render(request, "fragments/policies_found.html", values, status)
    page = {
        "courses": [],
        "lost": 0,
        "given": dict.fromkeys(("at", "category", "severity", "code", "since"), ""),
    }
    return render(request, "policies.html", page | _table(session, clock.today()) | values, status)


@router.get("/policies.xlsx")
def take_away(session: Transaction, actor: Admin, at: Annotated[text(10), Query()] = "") -> Response:
    """Return the policies in force as a table that can be brought back."""
    day = instant(at).date() if at else clock.today()
    heads = [
        each.headings[1 if i18n.language.get() == "zh" else 0] for each in rules.policy_columns().values()
    ]
    rows = [row for each in policies.in_force(session, day) for row in _rows(rules.plain(each))]
    headers = {"Content-Disposition": 'attachment; filename="policies.xlsx"'}
    content = b"".join(sheet.stream(Format.XLSX, heads, rows))
    return Response(content, media_type=Format.XLSX.media, headers=headers)


def _rows(policy: dict[str, Any]) -> list[tuple]:
    """Return a policy as the rows of its rungs, the limit on the first alone."""
    holder = i18n._(LADDER[policy["holder"]]) if policy["holder"] else None
    same = (policy["category"], policy["severity"], holder, i18n._(STAGES[policy["stage"]]))
    unit = i18n._(UNITS[policy["unit"]]) if policy["unit"] else None
    steps = [
        (f"{each.share:.0%}", i18n._(ACTS[each.act]), i18n._(LADDER[each.level]), *_more(each))
        for each in rungs(policy["ladder"])
    ] or [(None,) * 7]
    limits = [(policy["amount"], unit)] + [(None, None)] * (len(steps) - 1)
    return [(*same, *limit, *step) for limit, step in zip(limits, steps, strict=True)]


def _more(rung: Rung) -> tuple:
    """Return how often a rung is done, at what time of day, and by when its order is answered, as cells."""
    times = rung.times if rung.times > 1 else None
    when = i18n._(WHENS[rung.when]) if rung.when is not When.ANY else None
    return _length(rung.every, rung.every_unit), times, when, _length(rung.answer_amount, rung.answer_unit)


def _length(amount: float | None, unit: str | None) -> str | None:
    if amount is None:
        return None
    return f"{amount:.0%}" if unit == SHARE else f"{amount:g} {i18n._(UNITS[unit])}"
