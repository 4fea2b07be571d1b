"""What a wall asks every few seconds: whether the server is there, and how the work stands."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Response
from pydantic import BaseModel, Field

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.casebook import queries as casebook
from gridmgr.casebook.queries import Search
from gridmgr.whistle import queries as whistles
from gridmgr.whistle.model import OPEN
from web import render
from web.api.schema import router
from web.deps import Allow, Transaction

routes = router("statistics")
Viewer = Annotated[Actor, Depends(Allow("incident.view"))]


class PulseOut(BaseModel):
    """The present of all the caller sees."""

    at: datetime
    reported_today: int = Field(examples=[42])
    open: int = Field(examples=[310])
    late: int = Field(examples=[12])
    whistles: int = Field(examples=[3], description="Whistles that are under way.")
    version: str = Field(
        examples=["a1b2c3d4e5"], description="Of the browser's files: another one, and a page is old."
    )


@routes.get("/pulse")
def show_pulse(response: Response, session: Transaction, actor: Viewer) -> PulseOut:
    """Show how the work stands at this moment; for screens that are left open."""
    response.headers["Cache-Control"] = "no-store"
    going = {"open": Search(open=True), "late": Search(open=True, overdue=True)}
    today = {"reported_today": Search(since=clock.today())}
    numbers = casebook.counted(session, actor, going) | casebook.counted(session, actor, today)
    blown = whistles.counts(session, actor)
    return PulseOut(
        at=clock.now(), version=render.environment.globals["version"],
        whistles=sum(blown.get(state, 0) for state in OPEN), **numbers,
    )  # fmt: skip
