"""A past period as columns so few and short that a month of a district comes in one answer."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from gridmgr.account.rules import Actor
from gridmgr.category import queries as matters
from gridmgr.i18n import language
from gridmgr.life.model import State
from gridmgr.past.queries import Order
from gridmgr.timeline import queries
from gridmgr.timeline.model import Played, Step, Timeline
from web.api.schema import problems, router
from web.api.search import Narrowed
from web.deps import Allow, Transaction
from web.fields import Instant, Level

routes = router("timeline")
Viewer = Annotated[Actor, Depends(Allow("incident.view"))]
STATES = list(State)
NOWHERE = -1


class CaseColumns(BaseModel):
    """One entry a case in each column; `reported` is the step it was reported in, -1 before them all."""

    number: list[str]
    lon: list[float] = Field(examples=[[104.0531]])
    lat: list[float] = Field(examples=[[30.7012]])
    category: list[int] = Field(description="Its place in `categories`.")
    reported: list[int]
    unit: list[int] = Field(description="Its place in `units` when the history begins, -1 for none.")


class ChangeColumns(BaseModel):
    """One entry a change in each column, by step: from this step on, this case stands so."""

    case: list[int] = Field(description="Its place in the columns of `cases`.")
    step: list[int]
    how: list[int] = Field(description="Twice the place in `states`, plus one if it is late.")


class UnitNumbers(BaseModel):
    """What a unit counts at each instant."""

    reported: list[int]
    open: list[int]


class TimelineOut(BaseModel):
    """A period played again: a case is to be seen at an instant while open, or in the step it was reported in."""

    level: Level
    step: Step
    instants: list[datetime]
    editions: list[tuple[int, str]] = Field(description="From this step on, the map of this stamp.")
    total: int = Field(description="Cases that were found.")
    complete: bool = Field(description="False: too many, so `numbers` of units stand for the cases.")
    states: list[State]
    categories: list[str]
    units: list[str]
    cases: CaseColumns
    changes: ChangeColumns
    moved: list[tuple[int, int, int]] = Field(description="(case, step, unit): where a new map puts it.")
    numbers: dict[str, UnitNumbers]


@routes.get("/map/timeline", response_model=TimelineOut, responses=problems(404))
def play_timeline(
    session: Transaction,
    actor: Viewer,
    search: Narrowed,
    since: Annotated[Instant, Query(alias="from", examples=["2026-11-23T00:00"])],
    until: Annotated[Instant, Query(alias="to", examples=["2026-11-30T00:00"])],
    step: Step = Step.DAY,
    level: Level = "micro_grid",
    by: Annotated[
        Order, Query(description="As it was known then, or as it was even if written down later.")
    ] = "recorded",
) -> Response:
    """Return how the visible cases stood at each instant of a past period; conditions of the present are left out.

    A time without a zone is on the district's wall clock.
    """
    found = queries.play(session, actor, search, since, until, step, level, by)
    return JSONResponse(columns(session, found))


def columns(session: Session, found: Timeline) -> dict[str, Any]:
    """Return a time line as columns."""
    names = matters.by_id(session)
    cases = found.cases or ()
    categories = {id: n for n, id in enumerate(dict.fromkeys(each.category_id for each in cases))}
    codes = sorted({change.place for each in cases for change in each.changes if change.place})
    units = {code: n for n, code in enumerate(codes)}
    return {
        "level": found.level, "step": found.step,
        "instants": [at.isoformat(timespec="seconds") for at in found.instants],
        "editions": found.editions, "total": found.total, "complete": found.cases is not None,
        "states": STATES, "categories": [names[id].name(language.get()) for id in categories], "units": codes,
        "cases": {
            "number": [each.number for each in cases],
            "lon": [round(each.lon, 6) for each in cases],
            "lat": [round(each.lat, 6) for each in cases],
            "category": [categories[each.category_id] for each in cases],
            "reported": [each.reported for each in cases],
            "unit": [units.get(each.changes[0].place, NOWHERE) for each in cases],
        },
        "changes": _changes(cases), "moved": list(_moved(cases, units)),
        "numbers": {code: vars(each) for code, each in (found.numbers or {}).items()},
    }  # fmt: skip


def _changes(cases: tuple[Played, ...] | list[Played]) -> dict[str, list[int]]:
    rows = sorted(
        (change.step, case, 2 * STATES.index(change.state) + change.late)
        for case, each in enumerate(cases)
        for change in each.changes
    )
    step, case, how = zip(*rows, strict=True) if rows else ((), (), ())
    return {"case": list(case), "step": list(step), "how": list(how)}


def _moved(cases, units: dict[str, int]):
    for case, each in enumerate(cases):
        for before, after in zip(each.changes, each.changes[1:], strict=False):
            if after.place != before.place:
                yield case, after.step, units.get(after.place, NOWHERE)
