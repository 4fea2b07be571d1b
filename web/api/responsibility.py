"""The categories people report under."""

from typing import Annotated

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from gridmgr.account.rules import Actor
from gridmgr.clock import TimeUnit
from gridmgr.responsibility import queries
from gridmgr.responsibility.model import Category, CategoryKind
from web.api.schema import router
from web.deps import Allow, Transaction
from web.fields import Code, Day
from web.paging import Page, Paging, paged

routes = router("responsibility")


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
    return paging.page(CategoryPage, found, lambda row: row.code, lambda rows: map(_out, rows))


def _out(category: Category) -> CategoryOut:
    return CategoryOut.model_validate(category, from_attributes=True)
