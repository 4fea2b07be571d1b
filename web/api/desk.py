"""My work: how much lies on each worklist of the caller's desks, and the filters that list it."""

from typing import Annotated

from fastapi import Depends
from pydantic import BaseModel, Field

from gridmgr.account.rules import Actor, Role
from gridmgr.desk import queries
from web.api.schema import router
from web.api.search import query
from web.deps import Allow, Transaction
from web.i18n import _

routes = router("incident")


class WorklistOut(BaseModel):
    """One worklist: its name, how many cases it holds now, and where they are listed page by page."""

    role: Role
    name: str = Field(examples=["late"])
    title: str = Field(examples=["Late"])
    count: int
    incidents: str = Field(examples=["/api/incidents?open=true&overdue=true&sort=due"])


class DeskOut(BaseModel):
    """What is to be done, desk by desk."""

    worklists: list[WorklistOut]


@routes.get("/desk")
def show_desk(session: Transaction, actor: Annotated[Actor, Depends(Allow("incident.view"))]) -> DeskOut:
    """Count what lies on the caller's desks; each worklist names the filters it is."""
    piles = queries.piles(session, actor, top=0)
    return DeskOut(
        worklists=[
            WorklistOut(
                role=pile.role, name=pile.worklist.name, title=_(pile.worklist.title), count=pile.count,
                incidents="/api/incidents" + query(pile.search),
            )
            for pile in piles
        ]
    )  # fmt: skip
