"""One grid: members of micro-grids with the lines they serve, and the lists of single lines merged."""

from typing import Annotated

from fastapi import Depends, File, Form, Query, UploadFile
from pydantic import BaseModel, Field

from gridmgr import db, sheet
from gridmgr.account.rules import Actor
from gridmgr.one_grid import queries, rules, service
from gridmgr.one_grid.model import Member
from web.api.schema import problems, router
from web.deps import Allow, Transaction
from web.fields import text
from web.paging import Page, Paging, paged

routes = router("one_grid")
Viewer = Annotated[Actor, Depends(Allow("organisation.view"))]
Admin = Annotated[Actor, Depends(Allow("account.manage"))]
MOST_FILES = 20


class GridMemberOut(BaseModel):
    """A member of a micro-grid, with the lines served there."""

    username: str = Field(examples=["wg13900000001"])
    name: str = Field(examples=["王芳"])
    lines: list[str] = Field(examples=[["党建", "综治"]])


class GridListOut(BaseModel):
    """The one list of a micro-grid."""

    code: str = Field(examples=["510106001001001"])
    members: list[GridMemberOut]


class GridListPage(Page[GridListOut]):
    """Micro-grids by code."""


class HintOut(BaseModel):
    """What somebody should look at."""

    kind: str = Field(description="uncovered, several or many_grids.", examples=["uncovered"])
    code: str
    what: str = Field(examples=["流动人口"])


class OpenedOut(BaseModel):
    """An account the merge has opened."""

    username: str = Field(examples=["wg13900000001"])
    name: str = Field(examples=["王芳"])
    password: str | None = Field(description="Told this once; null in a dry run.", examples=[None])


class MergedOut(BaseModel):
    """What the lists come to."""

    written: bool
    rows: int
    grids: int
    ended: int = Field(description="Lines served before that are in no list now.")
    hints: list[HintOut]
    opened: list[OpenedOut]


@routes.get("/grid-members")
def list_grid_members(
    session: Transaction,
    actor: Viewer,
    paging: Annotated[Paging[str], Depends(paged("grid_members", text(32)))],
    area: Annotated[text(32), Query(description="Code prefix.")] = "",
) -> GridListPage:
    """List the micro-grids of the caller's areas, each with its members and the lines they serve."""
    found = queries.page(session, actor, area, paging.fetch, paging.after or "")
    return paging.page(
        GridListPage, list(found.items()), lambda row: row[0], lambda rows: [_grid(*row) for row in rows]
    )


def _grid(code: str, members: tuple[Member, ...]) -> GridListOut:
    shown = [GridMemberOut(username=e.username, name=e.name, lines=list(e.lines)) for e in members]
    return GridListOut(code=code, members=shown)


@routes.post("/grid-members", responses=problems(413))
def merge_lists(
    file: Annotated[list[UploadFile], File(max_length=MOST_FILES)],
    session: Transaction,
    actor: Admin,
    dry_run: Annotated[bool, Form()] = False,
) -> MergedOut:
    """Merge the lists of single lines into the one list of each micro-grid, all or nothing.

    With `dry_run` nothing is written.
    """
    read = {
        each.filename or str(n): sheet.read(each.file.read(), each.filename or "", rules.TABLE)
        for n, each in enumerate(file)
    }
    with db.rehearsed(session, keep=not dry_run):
        found = service.merge(session, actor, read)
    return MergedOut(
        written=not dry_run, rows=found.rows, grids=len(found.grids), ended=found.ended,
        hints=[HintOut(kind=each.kind, code=each.code, what=each.what) for each in found.hints],
        opened=[
            OpenedOut(username=e.username, name=e.name, password=None if dry_run else e.password)
            for e in found.opened
        ],
    )  # fmt: skip
