"""Bodies: departments, stations, teams and command rooms; who enforces what where; a street's command room."""

from functools import partial
from typing import Annotated

from fastapi import Depends, File, Form, Path, Query, UploadFile
from pydantic import BaseModel, Field

from gridmgr import db, sheet
from gridmgr.account.rules import Actor
from gridmgr.command_room import queries as rooms
from gridmgr.command_room.queries import Pile, Post
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.organisation import queries, rules, service
from gridmgr.organisation.model import Body, BodyKind, Described
from web.api.schema import problems, router
from web.api.search import query
from web.deps import Allow, Transaction
from web.fields import Code, RowId, text
from web.paging import Page, Paging, paged

routes = router("organisation")
Viewer = Annotated[Actor, Depends(Allow("organisation.view"))]
Keeper = Annotated[Actor, Depends(Allow("organisation.manage"))]
BodyId = Annotated[RowId, Path(description="Id of the body.")]
Name = text(100)


class BodyOut(BaseModel):
    """A body by its one name."""

    id: int
    name: str = Field(examples=["市场监管所"])
    kind: BodyKind
    aliases: list[str] = Field(description="Short and former names.", examples=[["市监所"]])
    home: str | None = Field(description="Whom it belongs to.", examples=["市场监管局"])
    territory: str = Field(description="Code prefix of where it is there for.", examples=["510106001"])
    phone: str = Field(examples=["028-87654321"])
    lines: list[str] = Field(description="Of a team: departments whose matters it takes.", examples=[[]])
    active: bool


class BodyPage(Page[BodyOut]):
    """Bodies in the order of their ids."""


class BodyIn(BaseModel):
    """A body as it is to be."""

    name: text(100, 1) = Field(examples=["荷花池街道市场监管所"])
    kind: BodyKind = Field(examples=[BodyKind.STATION])
    aliases: list[Name] = Field([], max_length=50, examples=[["荷花池市监所"]])
    home: Name = Field("", examples=["市场监管局"])
    territory: text(32) = Field("", examples=["510106001"])
    phone: text(32) = Field("", examples=["028-87654321"])
    lines: list[Name] = Field([], max_length=200, examples=[[]])
    active: bool = True

    def told(self) -> Described:
        """Return it as the register takes it."""
        lists = {name: tuple(getattr(self, name)) for name in ("aliases", "lines")}
        return Described(**self.model_dump() | lists | {"name": self.name.strip()})


class FateOut(BaseModel):
    """What a row of a table did, or would do."""

    row: int = Field(examples=[2])
    name: str = Field(examples=["市场监管所"])
    fate: str = Field(examples=["added"])


class BodiesBrought(BaseModel):
    """What a table of bodies comes to."""

    written: bool
    rows: list[FateOut]


class EnforcementOut(BaseModel):
    """Who enforces: the place's one team, and the competent station beside it; null where no team takes it."""

    team: str | None = Field(examples=["荷花池街道综合执法队"])
    station: str | None = Field(examples=["荷花池街道市场监管所"])


class PileOut(BaseModel):
    """Open cases, and where they are listed."""

    open: int
    late: int
    cases: str = Field(examples=["/api/incidents?open=true&code=510106001"])


class LineOut(BaseModel):
    """A module of the street."""

    code: str = Field(examples=["zhili"])
    name_zh: str = Field(examples=["大治理"])
    name_en: str = Field(examples=["Governance"])
    under: str | None
    lead: str | None = Field(examples=["周涛"])
    deputy: str | None = Field(examples=["陈静"])
    bodies: list[str] = Field(examples=[["荷花池街道派出所"]])
    pile: PileOut


class PostOut(BaseModel):
    """A body with who of it is on duty in the street now, and its open cases there."""

    name: str = Field(examples=["荷花池街道派出所"])
    kind: BodyKind | None
    present: list[str] = Field(examples=[["王芳"]])
    pile: PileOut


class RoomOut(BaseModel):
    """What the command room of a street sees."""

    area: str = Field(examples=["510106001"])
    template: str | None = Field(examples=["six"])
    modules: list[LineOut]
    stationed: list[PostOut]
    others: list[PostOut] = Field(description="Departments and units with open cases there.")
    task_forces: list[PostOut]
    whole: PileOut
    waiting: PileOut = Field(description="Nobody is at work on them yet.")


@routes.get("/bodies")
def list_bodies(
    session: Transaction,
    actor: Viewer,
    paging: Annotated[Paging[int], Depends(paged("bodies", RowId))],
    kind: BodyKind | None = None,
    area: Annotated[text(32), Query(description="Beginning of the territory's code.")] = "",
    closed: Annotated[bool, Query(description="Closed ones, too.")] = False,
) -> BodyPage:
    """List the bodies of the district; everybody may know whom there is."""
    register = queries.register(session)
    found = [
        each
        for number, each in sorted(register.by_id.items())
        if number > (paging.after or 0) and (closed or each.active)
        and kind in (None, BodyKind(each.kind)) and each.territory.startswith(area)
    ]  # fmt: skip
    return paging.page(
        BodyPage, found[: paging.fetch], lambda each: each.id,
        lambda rows: [_out(session, each) for each in rows],
    )  # fmt: skip


def _out(session: Transaction, body: Body) -> BodyOut:
    told = queries.register(session).described(body)
    return BodyOut(
        id=body.id, name=told.name, kind=told.kind, aliases=list(told.aliases), home=told.home or None,
        territory=told.territory, phone=told.phone, lines=list(told.lines), active=told.active,
    )  # fmt: skip


@routes.post("/bodies", status_code=201, responses=problems(404, 409))
def found_body(told: BodyIn, session: Transaction, actor: Keeper) -> BodyOut:
    """Found a body: a department, a station, a team or a command room."""
    made = service.found(session, actor, told.told(), partial(hierarchy.without_units, session))
    return _out(session, made)


@routes.post("/bodies/import", responses=problems(413))
def import_bodies(
    file: Annotated[UploadFile, File()],
    session: Transaction,
    actor: Keeper,
    dry_run: Annotated[bool, Form()] = False,
) -> BodiesBrought:
    """Take a table of bodies (CSV or XLSX), all or nothing; nothing is closed by being left out.

    With `dry_run` nothing is written.
    """
    read = sheet.read(file.file.read(), file.filename or "", rules.TABLE)
    with db.rehearsed(session, keep=not dry_run):
        found = service.import_bodies(session, actor, read, partial(hierarchy.without_units, session))
    rows = [FateOut(row=each.row, name=each.name, fate=each.fate) for each in found]
    return BodiesBrought(written=not dry_run, rows=rows)


@routes.get("/bodies/enforcement")
def show_enforcement(
    session: Transaction,
    actor: Viewer,
    department: Annotated[text(100, 1), Query(examples=["市场监管局"])],
    area: Annotated[Code, Query(description="A unit.", examples=["510106001001001"])],
) -> EnforcementOut:
    """Say which team enforces the matters of a department at a place, and which station stands beside it."""
    found = queries.enforcement(session, department, area)
    return EnforcementOut(team=found[0] if found else None, station=found[1] if found else None)


@routes.post("/bodies/{body_id}", responses=problems(404, 409))
def change_body(body_id: BodyId, told: BodyIn, session: Transaction, actor: Keeper) -> BodyOut:
    """Change a body; people and open cases follow a new name, what is finished keeps the old one."""
    known = queries.by_id(session, body_id)
    areas = partial(hierarchy.without_units, session)
    return _out(session, service.change(session, actor, known.name, told.told(), areas))


@routes.get("/streets/{code}/room", responses=problems(404, 409))
def show_room(code: Code, session: Transaction, actor: Viewer) -> RoomOut:
    """Show what the command room of a street sees: modules, bodies with who is there, open cases of each."""
    hierarchy.unit(session, actor, code, hierarchy.edition_at(session).effective)
    found = rooms.room(session, actor, code)
    return RoomOut(
        area=found.area, template=found.grouping.template if found.grouping else None,
        modules=[
            LineOut(
                code=each.module.code, name_zh=each.module.name_zh, name_en=each.module.name_en,
                under=each.module.under, lead=each.lead, deputy=each.deputy, bodies=list(each.bodies),
                pile=_pile(each.pile),
            )
            for each in found.lines
        ],
        stationed=[_post(each) for each in found.posts], others=[_post(each) for each in found.others],
        task_forces=[_post(each) for _, each in found.forces], whole=_pile(found.whole),
        waiting=_pile(found.waiting),
    )  # fmt: skip


def _pile(pile: Pile) -> PileOut:
    return PileOut(open=pile.open, late=pile.late, cases=f"/api/incidents{query(pile.search)}")


def _post(post: Post) -> PostOut:
    kind = BodyKind(post.body.kind) if post.body else None
    return PostOut(name=post.name, kind=kind, present=list(post.present), pile=_pile(post.pile))
