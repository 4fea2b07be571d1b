"""Flags: patterns worth a look, their cases, and the reviews of whoever looked."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Depends, Path, Query
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from gridmgr.account.rules import Actor
from gridmgr.flag import queries, rules, service
from gridmgr.flag.model import Flag, Kind, Verdict
from web.api.schema import problems, router
from web.api.terms import TermsIn, TermsOut, meant
from web.deps import Allow, Transaction
from web.fields import BigRowId, text
from web.paging import Page, Paging, paged

routes = router("flag")
Viewer = Annotated[Actor, Depends(Allow("flag.view"))]
Reviewer = Annotated[Actor, Depends(Allow("flag.review"))]
FlagId = Annotated[BigRowId, Path()]


class ReviewOut(BaseModel):
    """What somebody found when they looked."""

    seq: int
    verdict: Verdict
    note: str
    by: str
    at: datetime


class FlagOut(BaseModel):
    """A pattern in somebody's records; it proves nothing. `verdict` is of the last review."""

    id: int
    kind: Kind
    name: str = Field(description="Whose records.")
    begins: datetime
    ends: datetime
    found_at: datetime
    evidence: dict[str, Any] = Field(description="What was counted.", examples=[{"n": 4, "minutes": 5}])
    verdict: Verdict | None
    cases: list[str] = Field(description="Numbers of the cases the caller may see.")
    reviews: list[ReviewOut]


class FlagPage(Page[FlagOut]):
    """Flags, the last found first."""


class ReviewIn(BaseModel):
    """What came of a look."""

    verdict: Verdict
    note: text(rules.NOTE_LIMIT, 1)


class Looked(BaseModel):
    """How many patterns were newly flagged."""

    flagged: int


@routes.get("/flags")
def list_flags(
    session: Transaction, actor: Viewer, paging: Annotated[Paging[int], Depends(paged("flags", BigRowId))],
    standing: Literal["open", "reviewed", "all"] = "open", kind: Kind | None = None,
    area: Annotated[text(32), Query(description="Code prefix; empty for all the caller leads.")] = "",
) -> FlagPage:  # fmt: skip
    """List the flags of the areas the caller leads, but for those that concern the caller."""
    found = queries.page(
        session, actor, paging.fetch, standing=standing, kind=kind, area=area, behind=paging.after
    )
    return paging.page(FlagPage, found, lambda each: each.id, lambda rows: _outs(session, actor, rows))


@routes.post("/flags/find")
def find_flags(
    session: Transaction, actor: Reviewer, days: Annotated[int, Query(ge=1, le=rules.MOST_DAYS)] = 7
) -> Looked:
    """Look for patterns in the last days now; the worker does so each night."""
    return Looked(flagged=service.find(session, days))


@routes.get("/flags/terms")
def show_flag_terms(session: Transaction, actor: Viewer) -> TermsOut:
    """Show the terms of flags in force."""
    return meant(queries.terms(session), rules.TERMS)


@routes.post("/flags/terms", status_code=201)
def set_flag_terms(
    told: TermsIn, session: Transaction, actor: Annotated[Actor, Depends(Allow("flag.manage"))]
) -> TermsOut:
    """Set the terms of flags from a day on; flags found before stay as they are."""
    return meant(service.set_terms(session, actor, told.effective, told.terms), rules.TERMS)


@routes.get("/flags/{flag_id}", responses=problems(404))
def show_flag(flag_id: FlagId, session: Transaction, actor: Viewer) -> FlagOut:
    """Show one flag with its cases and reviews."""
    return next(iter(_outs(session, actor, [queries.flag(session, actor, flag_id)])))


@routes.post("/flags/{flag_id}/reviews", status_code=201, responses=problems(404))
def review_flag(flag_id: FlagId, told: ReviewIn, session: Transaction, actor: Reviewer) -> FlagOut:
    """Write down what came of a look; never by the person concerned."""
    service.review(session, actor, flag_id, told.verdict, told.note)
    return show_flag(flag_id, session, actor)


def _outs(session: Session, actor: Actor, flags: list[Flag]) -> list[FlagOut]:
    cases, reviews = queries.cases(session, actor, flags), queries.reviews(session, flags)
    return [
        FlagOut(
            id=each.id, kind=Kind(each.kind), name=each.name, begins=each.begins, ends=each.ends,
            found_at=each.found_at, evidence=dict(each.evidence), verdict=each.verdict,
            cases=[case.number for case in cases[each.id]],
            reviews=[
                ReviewOut(seq=row.seq, verdict=Verdict(row.verdict), note=row.note, by=row.actor_name, at=row.at)
                for row in reviews[each.id]
            ],
        )
        for each in flags
    ]  # fmt: skip
