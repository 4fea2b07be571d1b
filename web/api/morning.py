"""A leader's morning: what got worse since work closed, what is about to be late, the scan, who is there."""

from datetime import date
from typing import Annotated, Literal

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from gridmgr.account.rules import Actor
from gridmgr.i18n import _
from gridmgr.morning import queries, rules
from gridmgr.morning.queries import Morning
from gridmgr.morning.rules import Unusual
from web.api.incident import outs
from web.api.incident_shapes import IncidentPage
from web.api.schema import router
from web.deps import Allow, Transaction
from web.fields import BigRowId, Day, Utc, text
from web.paging import Paging, paged

routes = router("morning")
Viewer = Annotated[Actor, Depends(Allow("figures.view"))]
Area = Annotated[text(32), Query(description="Code prefix; empty for all the caller sees.")]


class UnusualOut(BaseModel):
    """What was reported more than usual on the last whole day."""

    key: str = Field(description="Code of the category, or of the micro-grid.", examples=["S0505"])
    count: int
    average: float = Field(description="Of the same weekday in the weeks before.", examples=[1.25])


class SeatsOut(BaseModel):
    """The seats of one kind."""

    level: str = Field(examples=["community"])
    roles: list[str] = Field(examples=[["community_clerk"]])
    units: int
    filled: int
    empty: list[str] = Field(description="Codes of the first units without anybody.", examples=[[]])


class MorningOut(BaseModel):
    """How an area stands this morning."""

    area: str = Field(examples=["510106001"])
    since: Utc = Field(description="When work last closed on a day before today.")
    now: Utc
    counts: dict[str, int] = Field(description="By list.", examples=[{"overdue": 3, "soon": 2}])
    rules: dict[str, str] = Field(description="What each list holds.", examples=[{"overdue": "…"}])
    then: dict[str, int] = Field(
        description="Open and late cases as they were known then.", examples=[{"open": 120, "late": 9}]
    )
    present: dict[str, int] = Field(description="And now.", examples=[{"open": 124, "late": 12}])
    day: Day = Field(description="The last whole day, which is compared.")
    categories: list[UnusualOut]
    grids: list[UnusualOut]
    scanned: date | None = Field(description="The last day that was scanned.")
    alarms: list[int] = Field(description="Ids of that scan's alarms.", examples=[[1]])
    seats: list[SeatsOut]
    seated_at: Utc = Field(description="The instant the seats were looked at.")


@routes.get("/morning")
def show_morning(session: Transaction, actor: Viewer, area: Area = "") -> MorningOut:
    """Show how an area stands this morning, of what the caller may see."""
    return _out(queries.morning(session, actor, area))


@routes.get("/morning/{item}")
def list_morning(
    item: Literal[*rules.ITEMS],
    session: Transaction,
    actor: Viewer,
    paging: Annotated[Paging[int], Depends(paged("morning", BigRowId))],
    area: Area = "",
) -> IncidentPage:
    """List the cases behind a number of the morning page."""
    of = queries.stretch(session, area)
    found = queries.page(session, actor, of, item, paging.fetch, paging.after)
    return paging.page(IncidentPage, found, lambda each: each.id, lambda rows: outs(session, rows))


def _out(found: Morning) -> MorningOut:
    same = {
        name: getattr(found, name) for name in ("counts", "then", "present", "day", "scanned", "seated_at")
    }
    return MorningOut(
        **same, area=found.stretch.area, since=found.stretch.since, now=found.stretch.now,
        rules={name: _(rule) for name, rule in rules.ITEMS.items()},
        categories=_unusual(found.categories), grids=_unusual(found.grids),
        alarms=[each.cluster.id for each in found.alarms],
        seats=[
            SeatsOut(level=each.level, roles=list(each.roles), units=each.units, filled=each.filled,
                     empty=[code for code, _name in each.empty])
            for each in found.seats
        ],
    )  # fmt: skip


def _unusual(found: tuple[Unusual, ...]) -> list[UnusualOut]:
    return [UnusualOut(key=each.key, count=each.count, average=each.average) for each in found]
