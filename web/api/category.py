"""The categories people report under."""

from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import Depends, File, Form, Query, UploadFile
from pydantic import BaseModel, Field

from gridmgr import clock, db
from gridmgr.account.rules import Actor
from gridmgr.category import queries, rules, service
from gridmgr.category.model import Category, CategoryKind
from gridmgr.clock import TimeUnit
from gridmgr.discussion import queries as discussion
from gridmgr.sheet import BadSheet
from web.api.schema import problems, router
from web.deps import Allow, Transaction
from web.fields import Code, Day, text
from web.paging import Page, Paging, paged

routes = router("category")


class FurtherLimit(BaseModel):
    """A limit that runs beside that of the case."""

    key: str = Field(examples=["stop_work"])
    zh: str = Field(examples=["停工"])
    en: str = Field(examples=["Stop work"])
    amount: float = Field(examples=[4])
    unit: TimeUnit


class CategoryOut(BaseModel):
    """A matter: what it is called, who handles it, how long that may take, when it is filed and closed."""

    code: str = Field(examples=["0201"])
    kind: CategoryKind
    group_zh: str
    group_en: str
    name_zh: str = Field(examples=["暴露垃圾"])
    name_en: str = Field(examples=["Exposed rubbish"])
    department: str
    severity: int = Field(description="1 ordinary, 2 serious, 3 urgent.", examples=[1])
    limit_amount: float | None = Field(examples=[4])
    limit_unit: TimeUnit | None
    filing_condition: str
    closing_condition: str
    filing_needs: list[str] = Field(description="What a case must have to be accepted.", examples=[["photo"]])
    closing_needs: list[str] = Field(description="What it must have to be closed.", examples=[["photo"]])
    simple: bool = Field(description="A grid member may settle it on the spot.")
    further_limits: list[FurtherLimit]


class CategoryPage(Page[CategoryOut]):
    """Categories by code."""


@routes.get("/categories")
def list_categories(
    session: Transaction,
    actor: Annotated[Actor, Depends(Allow("incident.view"))],
    paging: Annotated[Paging[str], Depends(paged("categories", Code))],
    at: Annotated[Day | None, Query(description="The day whose table is meant; today if not given.")] = None,
) -> CategoryPage:
    """List the categories in force on a day by code, page by page."""
    found = paging.behind(queries.in_force(session, at), lambda row: row.code)
    return paging.page(CategoryPage, found, lambda row: row.code, lambda rows: map(category_out, rows))


class CategoryChange(BaseModel):
    """How a category of the new table differs from the one in force."""

    kind: Literal["added", "changed", "removed"]
    code: str = Field(examples=["0201"])
    before: CategoryOut | None
    after: CategoryOut | None


class OrphanOut(BaseModel):
    """How many policies or phrases name the beginning of a code that goes away."""

    kind: Literal["policy", "phrase"]
    category: str = Field(examples=["0201"])
    count: int


class CategoriesImported(BaseModel):
    """What a table changes, or would change."""

    categories: int = Field(examples=[79])
    effective: Day
    written: bool
    changes: list[CategoryChange]
    orphans: list[OrphanOut] = Field(
        description="Policies and phrases for categories the table no longer has."
    )


@routes.post("/categories/import", responses=problems(409, 413))
def import_categories(
    session: Transaction,
    actor: Annotated[Actor, Depends(Allow("category.manage"))],
    file: Annotated[UploadFile, File(description="CSV or XLSX with one category a row.")],
    title: Annotated[text(100), Form(description="Whose table it is; the file's name if empty.")] = "",
    effective: Annotated[Day | None, Form(description="First day in force; today if not given.")] = None,
    dry_run: Annotated[bool, Form(description="Only say what would change.")] = False,
) -> CategoriesImported:
    """Publish a table of categories, all of it or nothing; cases filed before keep their old rows."""
    day, name = effective or clock.today(), file.filename or ""
    read = rules.read_categories(file.file.read(), name)
    if read.errors:
        raise BadSheet(read.errors)
    changes = rules.category_changes(queries.in_force(session, day), read.rows)
    left = [OrphanOut(**asdict(each)) for each in discussion.orphans(session, read.rows, day)]
    with db.rehearsed(session, keep=not dry_run):
        service.publish(session, title or name, day, read.rows)
    told = [
        CategoryChange(
            kind=each.kind, code=(each.after or each.before)["code"],
            before=CategoryOut(**each.before) if each.before else None,
            after=CategoryOut(**each.after) if each.after else None,
        )
        for each in changes
    ]  # fmt: skip
    return CategoriesImported(
        categories=len(read.rows), effective=day, written=not dry_run, changes=told, orphans=left
    )


def category_out(category: Category) -> CategoryOut:
    """Return a category as the API says it."""
    return CategoryOut.model_validate(category, from_attributes=True)
