"""Grades of micro-grids with their reasons and suggested patrols; the weeks kept; the terms."""

from datetime import date
from typing import Annotated

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.grading import queries, rules, service
from gridmgr.grading.model import Grade, GridGrade
from gridmgr.hierarchy import queries as hierarchy
from web.api.schema import router
from web.api.terms import TermsIn, TermsOut, meant
from web.deps import Allow, Transaction
from web.fields import Day, text
from web.paging import Page, Paging, paged

routes = router("grading")
Viewer = Annotated[Actor, Depends(Allow("grading.view"))]
Area = Annotated[text(32), Query(description="Code prefix; empty for all the caller sees.")]
Key = tuple[date, float, text(32)]  # Monday, points, code


class ReasonOut(BaseModel):
    """Why points were given."""

    sign: str = Field(examples=["overdue"])
    number: float = Field(description="What was counted.")
    points: float


class GradeOut(BaseModel):
    """The grade of a micro-grid, the weightiest reason first."""

    code: str
    name: str | None
    grade: Grade
    points: float
    patrols: float = Field(description="Suggested, a week.")
    before: Grade | None = Field(description="Of the last week kept.")
    reasons: list[ReasonOut]


class GradePage(Page[GradeOut]):
    """Grades, the worst first."""


class KeptGradeOut(BaseModel):
    """The grade a micro-grid had in a week."""

    monday: date
    code: str
    grade: Grade
    points: float
    patrols: float
    reasons: list[ReasonOut]


class KeptGradePage(Page[KeptGradeOut]):
    """Grades kept, the latest week first."""


@routes.get("/grades")
def list_grades(
    session: Transaction, actor: Viewer, paging: Annotated[Paging[str], Depends(paged("grades", text(32)))],
    area: Area = "", grade: Grade | None = None,
) -> GradePage:  # fmt: skip
    """List the grades of the caller's micro-grids as they stand now."""
    found = [each for each in queries.graded(session, actor, area) if grade is None or each.grade == grade]
    rows = paging.behind(found, lambda each: each.code)
    names = hierarchy.names(session, [each.code for each in rows], clock.today())

    def outs(some) -> list[GradeOut]:
        return [
            GradeOut(**vars(each) | {"name": names.get(each.code), "reasons": list(map(vars, each.reasons))})
            for each in some
        ]

    return paging.page(GradePage, rows, lambda each: each.code, outs)


@routes.get("/grades/kept")
def list_kept_grades(
    session: Transaction, actor: Viewer,
    paging: Annotated[Paging[Key], Depends(paged("kept-grades", Key))],
    area: Area = "", monday: Day | None = None,
) -> KeptGradePage:  # fmt: skip
    """List the grades kept week by week, to compare them."""
    found = queries.kept(session, actor, area, monday, size=paging.fetch, after=paging.after)
    return paging.page(KeptGradePage, found, _key, lambda rows: map(_kept, rows))


def _key(row: GridGrade) -> tuple[date, float, str]:
    return row.monday, row.points, row.code


def _kept(row: GridGrade) -> KeptGradeOut:
    return KeptGradeOut(
        monday=row.monday, code=row.code, grade=Grade(row.grade), points=row.points, patrols=row.patrols,
        reasons=[ReasonOut(**vars(each)) for each in queries.reasons(row)],
    )  # fmt: skip


@routes.get("/grades/terms")
def show_grading_terms(session: Transaction, actor: Viewer) -> TermsOut:
    """Show the terms of grading in force."""
    return meant(queries.terms(session), rules.TERMS)


@routes.post("/grades/terms", status_code=201)
def set_grading_terms(
    told: TermsIn, session: Transaction, actor: Annotated[Actor, Depends(Allow("grading.manage"))]
) -> TermsOut:
    """Set the terms of grading from a day on; grades kept before stay as they are."""
    return meant(service.set_terms(session, actor, told.effective, told.terms), rules.TERMS)
