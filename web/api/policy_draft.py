"""The draft of the next table of policies: as it is typed, with what is wrong, and published from there."""

from typing import Annotated

from fastapi import Depends, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.escalation import queries
from gridmgr.policy import queries as policies
from gridmgr.policy import rules, service
from web.api.escalation import PublishedOut
from web.api.schema import problems, router
from web.deps import Allow, Transaction
from web.fields import Day, Utc, text
from web.i18n import say

routes = router("escalation")
Planner = Annotated[Actor, Depends(Allow("policy.manage"))]
Version = Annotated[int, Field(ge=0, le=2**31 - 2)]
Cell = text(rules.MOST_CELL)


class RungCells(BaseModel):
    """A step as it is typed."""

    share: Cell = Field("", examples=["80%"])
    act: Cell = Field("", examples=["tell"])
    level: Cell = Field("", examples=["street"])
    every: Cell = Field("", examples=["4 working_hours"])
    times: Cell = Field("", examples=["3"])
    when: Cell = Field("", examples=["worked"])
    answer: Cell = Field("", examples=[""])


class PolicyCells(BaseModel):
    """A policy as it is typed."""

    category: Cell = Field("", examples=["02"])
    severity: Cell = ""
    holder: Cell = ""
    stage: Cell = Field("", examples=["handle"])
    amount: Cell = ""
    unit: Cell = ""
    rungs: list[RungCells] = Field([], max_length=rules.MOST_RUNGS)


class DraftFault(BaseModel):
    """What is wrong with a cell, counted from 0; without a rung it is one of the policy's own."""

    policy: int
    rung: int | None
    column: str
    reason: str


class DraftOut(BaseModel):
    """The draft: version 0 is the table in force, which nobody has changed yet."""

    version: int
    based_on: str
    saved_by: str
    saved_at: Utc | None
    policies: list[PolicyCells]
    errors: list[DraftFault]


class DraftIn(BaseModel):
    """The whole draft, and the version it was changed from."""

    version: Version
    policies: list[PolicyCells] = Field(max_length=rules.MOST_POLICIES)


class DraftPublish(BaseModel):
    """Under which title, and from which day, the draft is to be in force."""

    version: Version
    title: text(100, 1)
    effective: Day | None = None


@routes.get("/policies/draft")
def show_policy_draft(session: Transaction, actor: Planner) -> DraftOut:
    """Show the draft of the next table, with what is wrong in it."""
    return _out(session)


@routes.put("/policies/draft", responses=problems(404, 409))
def save_policy_draft(draft: DraftIn, session: Transaction, actor: Planner) -> DraftOut:
    """Keep the draft, faults and all; one that somebody else has saved meanwhile is not overwritten."""
    service.save_draft(session, actor, [each.model_dump() for each in draft.policies], draft.version)
    return _out(session)


@routes.delete("/policies/draft", status_code=204, responses=problems(404, 409))
def discard_policy_draft(
    session: Transaction, actor: Planner, version: Annotated[int, Query(ge=0, le=2**31 - 2)]
) -> Response:
    """Begin again from the table in force."""
    service.discard_draft(session, version)
    return Response(status_code=204)


@routes.post("/policies/draft/publish", status_code=201, responses=problems(404, 409))
def publish_policy_draft(
    wanted: DraftPublish, response: Response, session: Transaction, actor: Planner
) -> PublishedOut:
    """Publish the draft; clocks that run keep their own copy."""
    day = wanted.effective or clock.today()
    read = queries.read_draft(session, policies.draft(session).cells, day)
    table = service.publish_draft(session, wanted.title, day, wanted.version, read)
    response.headers["Location"] = f"/api/policies?at={day}"
    return PublishedOut(id=table.id, title=table.title, effective=day, policies=len(read.read.policies))


def _out(session: Session) -> DraftOut:
    found = policies.draft(session)
    read = queries.read_draft(session, found.cells, clock.today())
    return DraftOut(
        version=found.version, based_on=found.based_on, policies=found.cells, errors=_faults(read.faults),
        saved_by=found.saved_by, saved_at=found.saved_at,
    )  # fmt: skip


def _faults(found: dict) -> list[DraftFault]:
    return [
        DraftFault(policy=n, rung=m, column=column, reason=say(reason))
        for (n, m, column), reason in sorted(
            found.items(), key=lambda each: (each[0][0], -1 if each[0][1] is None else each[0][1])
        )
    ]


def _order(found: tuple) -> tuple[int, int]:
    (n, m, _), _ = found
    return n, -1 if m is None else m
