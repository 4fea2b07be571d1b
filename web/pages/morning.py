"""A leader's morning on one screen, and the cases behind each of its numbers."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from gridmgr.account.rules import Actor
from gridmgr.category import queries as matters
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.morning import queries, rules
from gridmgr.morning.queries import Morning
from web import i18n
from web.deps import Allow, Transaction
from web.fields import text
from web.pages.alarms import called, place
from web.render import render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("figures.view"))]
Area = Annotated[text(32), Query()]
SIZE, UNUSUAL = 500, 3


@router.get("/morning", response_class=HTMLResponse)
def show(request: Request, session: Transaction, actor: Viewer, area: Area = "") -> HTMLResponse:
    """Show how the reader's area, or a part of it, stands this morning."""
    found = queries.morning(session, actor, area.strip())
    values = {
        "found": found, "worse": rules.WORSE, "late": rules.LATE, "usual": rules.USUAL, "fewest": rules.FEWEST,
        "weeks": rules.WEEKS, "most": UNUSUAL, "called": called, "place": place,
        "areas": hierarchy.areas(session, actor), "names": _names(session, found), "categories": _categories(session),
    }  # fmt: skip
    return render(request, "morning.html", values)


@router.get("/morning/{item}", response_class=HTMLResponse)
def cases(request: Request, session: Transaction, actor: Viewer, item: str, area: Area = "") -> HTMLResponse:
    """List the cases behind a number."""
    of = queries.stretch(session, area.strip())
    found = queries.page(session, actor, of, item, SIZE + 1)
    values = {
        "item": item, "rule": rules.ITEMS[item], "of": of, "cases": found[:SIZE], "more": len(found) > SIZE,
        "size": SIZE, "by_id": matters.by_id(session),
    }  # fmt: skip
    return render(request, "morning_cases.html", values)


def _names(session: Session, found: Morning) -> dict[str, str]:
    """Return the names of the area, of the units named on the page, and of those around them."""
    codes = {found.stretch.area, *(each.key for each in found.grids[:UNUSUAL])}
    codes |= {each.codes[0] for each in found.alarms} | {case.home for case in found.soon}
    codes |= {code[:n] for code in codes for n in range(1, len(code))}
    return hierarchy.names(session, codes, found.day)


def _categories(session: Session) -> dict[str | int, str]:
    """Return what categories are called, by code and by id."""
    language = i18n.language.get()
    by_id = {number: each.name(language) for number, each in matters.by_id(session).items()}
    return by_id | {each.code: each.name(language) for each in matters.in_force(session)}
