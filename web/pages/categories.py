"""Categories: the table in force by class, a new one checked against it, and published."""

from datetime import date
from http import HTTPStatus
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from fastapi.responses import HTMLResponse, Response
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.orm import Session

from gis.errors import Problem
from gridmgr import clock, i18n, sheet
from gridmgr.account.rules import Actor
from gridmgr.category import queries, rules, service
from gridmgr.discussion import queries as discussion
from gridmgr.errors import BadInput
from gridmgr.sheet import Format
from web import words
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import Day, text
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
Admin = Annotated[Actor, Depends(Allow("category.manage"))]
_DAY = TypeAdapter(Day)


class NoDay(BadInput):
    """This is no day: {value}."""


@router.get("/categories", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Admin, at: Annotated[text(10), Query()] = ""
) -> HTMLResponse:
    """Show the table in force on a day, by class."""
    day, values, status = clock.today(), {"problem": ""}, HTTPStatus.OK
    try:
        day = _day(at)
    except Problem as problem:
        values["problem"], status = i18n.say(problem), status_of(problem)
    return render(request, "categories.html", values | _table(session, day), status)


def _day(typed: str) -> date:
    """Return the day a form gives, today if it gives none.

    Raises
    ------
    NoDay
    """
    try:
        return _DAY.validate_python(typed) if typed else clock.today()
    except ValidationError:
        raise NoDay(value=typed) from None


def _table(session: Session, day: date) -> dict[str, Any]:
    found, spoken = queries.in_force(session, day), i18n.language.get()
    ordered = sorted(found, key=lambda each: (each.kind, each.group(spoken), each.code))
    return {
        "table": queries.own_table(session, day),
        "groups": [(key, list(each)) for key, each in groupby(ordered, lambda c: (c.kind, c.group(spoken)))],
        "count": len(found),
        "day": day,
        "today": clock.today(),
        "limit": limit,
    }


def limit(amount: float | None, unit: str | None) -> str:
    """Return a limit in words."""
    return "—" if amount is None else words.limit(amount, unit)


@router.post("/categories/import", response_class=HTMLResponse)
def bring(
    request: Request, session: Transaction, actor: Admin, file: Annotated[UploadFile, File()],
    do: Annotated[str, Form()] = "check", effective: Annotated[text(10), Form()] = "",
    title: Annotated[text(100), Form()] = "",
) -> HTMLResponse:  # fmt: skip
    """Check a table of categories, or publish it."""
    values: dict[str, Any] = {"problem": "", "read": None, "changes": [], "published": False}
    status = HTTPStatus.OK
    try:
        day = _day(effective)
        read = rules.read_categories(file.file.read(), file.filename or "")
        changes = rules.category_changes(queries.in_force(session, day), read.rows)
        values |= {"read": read, "changes": [_shown(each) for each in changes], "effective": day}
        values["orphans"] = discussion.orphans(session, read.rows, day)
        if read.errors:
            status = HTTPStatus.UNPROCESSABLE_ENTITY
        elif do == "publish":
            service.publish(session, title.strip() or file.filename or "", day, read.rows)
            values["published"] = True
    except Problem as problem:
        values |= {"problem": i18n.say(problem), "read": None}
        status = status_of(problem)
    if is_fragment(request):
        return render(request, "fragments/categories_found.html", values, status)
    return render(request, "categories.html", _table(session, clock.today()) | values, status)


def _shown(change: rules.Difference) -> tuple[str, str, str, list[tuple[str, Any, Any]]]:
    """Return what a change is as a page says it: its kind, code, name, and the columns that differ."""
    before, after = (rules.category_cells(side) if side else {} for side in (change.before, change.after))
    one = after or before
    heads = dict(zip(rules.category_columns(), _heads(), strict=True))
    cells = [(heads[name], before[name], after[name]) for name in one if before and after]
    return change.kind, one["code"], one["name_zh"], [cell for cell in cells if cell[1] != cell[2]]


def _heads() -> list[str]:
    spoken = i18n.language.get() == "zh"
    return [each.headings[spoken] for each in rules.category_columns().values()]


@router.get("/categories.xlsx")
def take_away(session: Transaction, actor: Admin, at: Annotated[text(10), Query()] = "") -> Response:
    """Return the categories in force as a table that can be brought back."""
    found = queries.in_force(session, _day(at))
    rows = [list(rules.category_cells(rules.plain_category(each)).values()) for each in found]
    headers = {"Content-Disposition": 'attachment; filename="categories.xlsx"'}
    content = b"".join(sheet.stream(Format.XLSX, _heads(), rows))
    return Response(content, media_type=Format.XLSX.media, headers=headers)
