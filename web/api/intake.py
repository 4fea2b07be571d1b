"""Intake beside the single report: many reports at once, and a matter settled on the spot."""

from typing import Annotated

from fastapi import Depends, Response
from pydantic import BaseModel, Field

from gis.errors import Problem
from gridmgr.account.rules import Actor
from gridmgr.category import queries as matters
from gridmgr.category.model import UnknownCategory
from gridmgr.incident.model import Report
from gridmgr.intake import service
from gridmgr.life.model import State
from web.api.headers import made
from web.api.incident_shapes import NEXT, NUMBER, FileIn, ReportIn
from web.api.schema import problems, router
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import text
from web.i18n import say

routes = router("incident")
BATCH = 1000


class BatchIn(BaseModel):
    """Reports in any order; each should carry its own `source_id`, so that a batch can be sent again."""

    reports: list[ReportIn] = Field(min_length=1, max_length=BATCH)


class Outcome(BaseModel):
    """What became of one report: its incident's number, or why it was refused."""

    number: str | None = Field(examples=[NUMBER])
    status: int = Field(
        description="201 if it is filed, else the status it would have had alone.", examples=[201]
    )
    detail: str | None = Field(None, description="Why it was refused, in the caller's language.")


class BatchOut(BaseModel):
    """The outcomes, in the order of the reports."""

    filed: int = Field(examples=[1])
    refused: int
    outcomes: list[Outcome]


class SettleIn(ReportIn):
    """A report that is settled already: what was done, and the photos that show it."""

    note: text(2000, 1) = Field(examples=["已劝离占道摊贩"])
    result: list[FileIn] = Field(min_length=1, max_length=20)


class Settled(BaseModel):
    """The incident that was filed and closed in one step."""

    number: str = Field(examples=[NUMBER])
    state: State


@routes.post("/incidents/batch", responses=problems(409))
def report_batch(
    batch: BatchIn, session: Transaction, actor: Annotated[Actor, Depends(Allow("incident.report"))]
) -> BatchOut:
    """File many reports at once: what can be filed is filed, each refused one says why and stops no other.

    A report that is known already by its `origin` and `source_id` is answered with its incident.
    """
    categories = {each.code: each for each in matters.in_force(session)}
    known = [n for n, one in enumerate(batch.reports) if one.category in categories]
    reports = [_report(batch.reports[n], categories[batch.reports[n].category]) for n in known]
    found = dict(zip(known, service.report_batch(session, actor, reports), strict=True))
    unknown = {n: UnknownCategory(code=one.category) for n, one in enumerate(batch.reports) if n not in found}
    outcomes = [_outcome((found | unknown)[n]) for n in range(len(batch.reports))]
    filed = sum(each.number is not None for each in outcomes)
    return BatchOut(filed=filed, refused=len(outcomes) - filed, outcomes=outcomes)


@routes.post(
    "/incidents/settle", status_code=201, responses=made("number", "number", *NEXT) | problems(404, 409)
)
def settle_incident(
    told: SettleIn,
    session: Transaction,
    response: Response,
    actor: Annotated[Actor, Depends(Allow("incident.settle"))],
) -> Settled:
    """File a report and settle it in the same step, on the spot, shown by a photo: for simple categories."""
    report = _report(told, matters.by_code(session, told.category))
    files = [each.model_dump() for each in told.result]
    incident = service.settle(session, actor, report, told.note, files)
    response.headers["Location"] = f"/api/incidents/{incident.number}"
    return Settled(number=incident.number, state=State(incident.state))


def _report(told: ReportIn, category) -> Report:
    values = told.model_dump(exclude={"category", "note", "result"})
    return Report(category_id=category.id, **values | {"severity": told.severity or category.severity})


def _outcome(found: str | Problem) -> Outcome:
    if isinstance(found, Problem):
        return Outcome(number=None, status=status_of(found), detail=say(found))
    return Outcome(number=found, status=201)
