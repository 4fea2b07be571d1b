"""The weekly work report: what people and streets did in a week, from the records."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Depends, Query
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.weekly import queries, rules
from gridmgr.weekly.model import Work
from web.api.schema import router
from web.deps import Allow, Transaction
from web.fields import Day, text
from web.paging import Page, Paging, paged

routes = router("weekly")
Viewer = Annotated[Actor, Depends(Allow("weekly.view"))]
By = Literal["person", "street"]


class WorkOut(BaseModel):
    """The week of a person or a street."""

    key: str = Field(description="The user name, or the code of the street.", examples=["wang"])
    name: str = Field(examples=["王芳"])
    body: str = Field(description="The department worked for.", examples=[""])
    reports: int = Field(description=rules.FORMULAS["reports"])
    steps: int = Field(description=rules.FORMULAS["steps"])
    pieces: int = Field(description=rules.FORMULAS["pieces"])
    met: int = Field(description=rules.FORMULAS["met"])
    missed: int
    rate: float | None = Field(description=rules.FORMULAS["rate"], examples=[0.95])
    monday: Day
    kept: bool = Field(description="The hours are kept for ever; else they follow the rosters as they stand.")
    hours: float = Field(description=rules.FORMULAS["hours"], examples=[40.0])


class WorkPage(Page[WorkOut]):
    """Weeks: of people, who has done most first; of streets, by code."""


@routes.get("/weekly")
def show_week(
    session: Transaction,
    actor: Viewer,
    paging: Annotated[Paging[str], Depends(paged("weekly", text(64)))],
    day: Annotated[Day | None, Query(description="Any day of the week; today if not given.")] = None,
    by: By = "person",
    area: Annotated[text(32), Query(description="Code prefix; empty for all the caller leads.")] = "",
) -> WorkPage:
    """Show the caller's own week, and those of the people, or of the streets, the caller leads."""
    monday = rules.monday_of(day or clock.today())
    found = paging.behind(listed(session, actor, monday, by, area), lambda each: each.key)
    more = {"monday": monday, "kept": queries.is_kept(session, monday)}
    return paging.page(
        WorkPage, found, lambda each: each.key, lambda rows: [_out(each, more) for each in rows]
    )


def listed(session: Session, actor: Actor, monday: date, by: str, area: str) -> list[Work]:
    """Return the weeks asked for: of people, or of streets."""
    return (queries.streets if by == "street" else queries.people)(session, actor, monday, area)


def _out(each: Work, more: dict[str, Any]) -> WorkOut:
    same = {name: getattr(each, name) for name in WorkOut.model_fields if name not in more}
    return WorkOut(**same | more)
