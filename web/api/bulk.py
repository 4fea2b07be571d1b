"""Many steps at once: each taken or refused by itself."""

from typing import Annotated

from fastapi import Depends
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from gis.errors import Problem
from gridmgr.account.rules import Actor
from gridmgr.incident import queries, service
from gridmgr.incident.model import Move, UnknownIncident
from gridmgr.life.model import Action
from web.api.incident_shapes import NUMBER, MoveIn
from web.api.schema import router
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import Code
from web.i18n import say

routes = router("incident")
MOST = 500


class BulkMove(MoveIn):
    """One step, of which incident."""

    number: Code = Field(examples=[NUMBER])


class BulkIn(BaseModel):
    """Steps, taken in this order."""

    moves: list[BulkMove] = Field(min_length=1, max_length=MOST)


class BulkOutcome(BaseModel):
    """What became of one step: 200 if it was taken, else the status it would have had alone, and why."""

    number: str = Field(examples=[NUMBER])
    status: int
    detail: str | None = Field(None, description="Why it was refused, in the caller's language.")


class BulkOut(BaseModel):
    """The outcomes, in the order of the steps."""

    taken: int
    refused: int
    outcomes: list[BulkOutcome]


@routes.post("/incidents/moves")
def move_incidents(
    bulk: BulkIn, session: Transaction, actor: Annotated[Actor, Depends(Allow("incident.view"))]
) -> BulkOut:
    """Take many steps: each needs its own permission; one refused writes nothing and stops no other."""
    moves = [
        Move(
            actor, one.number, Action(one.action), one.payload.model_dump(exclude_none=True, mode="json"),
            expected_seq=one.expected_seq,
        )
        for one in bulk.moves
    ]  # fmt: skip
    refused = taken(session, actor, moves)
    outcomes = [
        BulkOutcome(
            number=move.number,
            status=status_of(problem) if problem else 200,
            detail=say(problem) if problem else None,
        )
        for move, problem in zip(moves, refused, strict=True)
    ]
    failed = sum(problem is not None for problem in refused)
    return BulkOut(taken=len(moves) - failed, refused=failed, outcomes=outcomes)


def taken(session: Session, actor: Actor, moves: list[Move]) -> list[Problem | None]:
    """Take steps of incidents; one that the actor may not see is unknown, not forbidden."""
    seen = queries.seen(session, actor, {move.number for move in moves})
    known = [move for move in moves if move.number in seen]
    refused = iter(service.move_many(session, known))
    return [next(refused) if move.number in seen else UnknownIncident(number=move.number) for move in moves]
