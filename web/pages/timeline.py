"""A past period as a table: what was reported, open and late at each instant, to read and to take away."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from gis.errors import Problem
from gridmgr import clock, sheet
from gridmgr.account.rules import Actor
from gridmgr.casebook.queries import Search
from gridmgr.hierarchy.model import NoEdition
from gridmgr.life.rules import OPEN
from gridmgr.past.queries import CLOCKS, Order
from gridmgr.sheet import Format
from gridmgr.timeline import queries, rules
from gridmgr.timeline.model import Step, Total
from gridmgr.words import N_
from web import i18n, words
from web.api.search import query
from web.deps import Allow, Transaction
from web.fields import text
from web.i18n import _
from web.pages.filters import OfAreas
from web.render import render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("incident.view"))]
Typed = Annotated[text(32), Query()]
From, To = (Annotated[text(32), Query(alias=name)] for name in ("from", "to"))
COLUMNS = (N_("Instant"), N_("Reported in this step"), N_("Unfinished then"), N_("Overdue then"))
GOING = [state for state in words.STATES if state in OPEN]


def wall_time(typed: str) -> datetime | None:
    """Return the instant a text tells on the district's wall clock, None if it tells none."""
    try:
        found = datetime.fromisoformat(typed)
    except ValueError:
        return None
    if not 1900 < found.year < 2999:
        return None
    return clock.local(found) if found.tzinfo else found.replace(tzinfo=clock.zone())


def period(since: str, until: str) -> tuple[datetime, datetime]:
    """Return the period of two texts; what is missing makes it the last seven days."""
    end = wall_time(until) or clock.local(clock.now())
    begin = wall_time(since) or clock.midnight(clock.local(end).date(), days=-6)
    return begin, end


@router.get("/timeline", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, search: OfAreas, since: From = "", until: To = "",
    step: Typed = "", by: Typed = "",
) -> HTMLResponse:  # fmt: skip
    """Show a period instant by instant."""
    begin, end = period(since, until)
    step = Step(step) if step in set(Step) else Step.DAY
    order = _order(by)
    given = {"from": _typed(begin), "to": _typed(end), "step": step.value, "by": order}
    values = {"given": given, "steps": words.STEPS, "rows": [], "going": GOING, "problem": "", "played": None}
    values |= {"search": search, "query": query(search, **given), "address": _address(search, given)}
    try:
        values["played"] = queries.play(session, actor, search, begin, end, step, "street", order)
        values["rows"] = rules.totals(values["played"])
    except NoEdition:
        return render(request, "timeline.html", values | {"no_edition": True})
    except Problem as problem:
        values["problem"] = i18n.say(problem)
    return render(request, "timeline.html", values | {"no_edition": False})


def _typed(at: datetime) -> str:
    return clock.local(at).strftime("%Y-%m-%dT%H:%M")


def _order(typed: str) -> Order:
    return typed if typed in CLOCKS else "recorded"


def _address(search: Search, given: dict[str, str]) -> Callable[[datetime], str]:
    """Return what makes the address of the map at an instant of the period."""
    return lambda at: "/" + query(search, then=_typed(at), **given)


@router.get("/timeline.csv")
def download(
    session: Transaction, actor: Viewer, search: OfAreas, since: From = "", until: To = "", step: Typed = "",
    by: Typed = "",
) -> Response:  # fmt: skip
    """Send the same table as a file."""
    begin, end = period(since, until)
    chosen = Step(step) if step in set(Step) else Step.DAY
    played = queries.play(session, actor, search, begin, end, chosen, "street", _order(by))
    titles = [*map(_, COLUMNS), *(words.word(words.STATES, state) for state in GOING)]
    body = b"".join(sheet.stream(Format.CSV, titles, (_row(each) for each in rules.totals(played))))
    headers = {"Content-Disposition": 'attachment; filename="timeline.csv"'}
    return Response(body, media_type="text/csv; charset=utf-8", headers=headers)


def _row(total: Total) -> list[object]:
    states = total.states or {}
    numbers = [states.get(state, 0) if total.states is not None else None for state in GOING]
    return [_typed(total.at), total.reported, total.open, total.late, *numbers]
