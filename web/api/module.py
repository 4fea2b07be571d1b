"""Modules: the templates, how an area is regrouped, posts and their holders, where a matter goes."""

from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import Depends, Path, Query, Response
from pydantic import BaseModel, Field

from gridmgr.account.rules import Actor
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.module import queries, rules, service
from gridmgr.module.model import Module, Part, PostKind, Template
from gridmgr.module.queries import Grouping, Seat
from web.api.schema import problems, router
from web.deps import Allow, Transaction
from web.fields import Code, RowId, Utc, text
from web.paging import Page, Paging, paged

routes = router("module")
Viewer = Annotated[Actor, Depends(Allow("module.view"))]
Keeper = Annotated[Actor, Depends(Allow("module.manage"))]
ModuleId = Annotated[RowId, Path(description="Id of the module.")]
PostId = Annotated[RowId, Path(description="Id of the post.")]
Area = Annotated[text(32), Query(description="Code prefix; empty for the whole district.")]
Prefix = text(32, 1)


class PartOut(BaseModel):
    """A module of a template."""

    code: str = Field(examples=["zhili"])
    zh: str = Field(examples=["大治理"])
    en: str = Field(examples=["Governance"])
    prefixes: list[str] = Field(description="Of the matters it takes.", examples=[["P01", "P03"]])
    under: str | None = Field(examples=[None])


class TemplateOut(BaseModel):
    """A way to regroup the work of an area."""

    key: str = Field(examples=["six"])
    zh: str = Field(examples=["六大模块"])
    en: str = Field(examples=["Six modules"])
    modules: list[PartOut] = Field(description="What every area has.")
    picks: list[PartOut] = Field(description="Of these each area picks some.")
    least: int = Field(description="How many are picked at least.")
    most: int


class TemplatePage(Page[TemplateOut]):
    """The templates."""


class ModuleOut(BaseModel):
    """A module of an area as it is now."""

    id: int
    area: str = Field(examples=["510106001"])
    code: str = Field(examples=["zhili"])
    name_zh: str = Field(examples=["大治理"])
    name_en: str = Field(examples=["Governance"])
    under: str | None = Field(examples=[None])
    prefixes: list[str] = Field(examples=[["P01", "P03"]])
    fallback: bool = Field(description="It takes what no other module takes.")


class HolderOut(BaseModel):
    """Who holds a post."""

    username: str = Field(examples=["wang"])
    name: str = Field(examples=["王芳"])


class PostOut(BaseModel):
    """A post in a module."""

    id: int
    kind: PostKind
    name: str = Field(description="Empty for the lead and the deputy.", examples=[""])
    holders: list[HolderOut]


class WholeModuleOut(ModuleOut):
    """A module with its posts and the bodies that work in it."""

    posts: list[PostOut]
    bodies: list[str] = Field(examples=[["派出所"]])


class GroupingOut(BaseModel):
    """How the work of an area is regrouped."""

    area: str = Field(examples=["510106001"])
    template: str = Field(examples=["six"])
    since: Utc
    modules: list[WholeModuleOut]


class PastOut(BaseModel):
    """How the work was regrouped for a time."""

    template: str = Field(examples=["six"])
    since: Utc
    until: datetime | None
    by: str = Field(examples=["林晓燕"])
    modules: list[str] = Field(examples=[["大党建", "大协调"]])


class PastPage(Page[PastOut]):
    """How the work of an area was regrouped so far, the present one first."""


class RegroupIn(BaseModel):
    """The template an area chooses, and the sub-modules it picks."""

    template: text(32, 1) = Field(examples=["six_and_eleven"])
    picks: list[text(32, 1)] = Field([], max_length=50, examples=[["tiaojie", "xiaofang", "zhishui"]])
    agreed: bool = Field(False, description="Posts of modules that end may be held.")


class ModuleIn(BaseModel):
    """What a module is called and which matters it takes."""

    name_zh: text(64, 1) = Field(examples=["大治理"])
    name_en: text(64, 1) = Field(examples=["Governance"])
    prefixes: list[Prefix] = Field([], max_length=200, examples=[["P01", "P03"]])


class NameIn(BaseModel):
    """A name."""

    name: text(64, 1) = Field(examples=["矛盾调解岗"])


class BodyNameIn(BaseModel):
    """A body by its name."""

    name: text(100, 1) = Field(examples=["派出所"])


class HolderIn(BaseModel):
    """Who is to hold a post."""

    username: text(64, 1) = Field(examples=["wang"])


@routes.get("/modules/templates")
def list_templates(
    actor: Viewer, paging: Annotated[Paging[str], Depends(paged("templates", text(32)))]
) -> TemplatePage:
    """List the templates an area can choose from, with what each lets it pick."""
    found = paging.behind(list(rules.TEMPLATES.values()), lambda each: each.key)
    return paging.page(
        TemplatePage, found, lambda each: each.key, lambda rows: [_template(each) for each in rows]
    )


def _template(each: Template) -> TemplateOut:
    return TemplateOut(
        key=each.key, zh=each.zh, en=each.en, modules=[_part(part) for part in each.mains],
        picks=[_part(part) for part in each.picks], least=each.least, most=each.most,
    )  # fmt: skip


def _part(part: Part) -> PartOut:
    return PartOut(code=part.code, zh=part.zh, en=part.en, prefixes=list(part.prefixes), under=part.under)


@routes.get("/modules", responses=problems(404))
def show_modules(session: Transaction, actor: Viewer, area: Area = "") -> GroupingOut:
    """Show how the work of an area is regrouped, with posts, holders and bodies."""
    return _grouping(session, queries.own(session, area))


def _grouping(session: Transaction, found: Grouping) -> GroupingOut:
    ids = [each.id for each in found.modules]
    seats, bodies = queries.seats(session, ids), queries.bodies(session, ids)
    whole = [
        WholeModuleOut(
            **_module(each, found).model_dump(),
            posts=[_post(seat) for seat in seats[each.id]],
            bodies=[body.name for body in bodies[each.id]],
        )
        for each in found.modules
    ]
    return GroupingOut(area=found.area, template=found.template, since=found.since, modules=whole)


def _module(each: Module, grouping: Grouping) -> ModuleOut:
    same = {name: getattr(each, name) for name in ModuleOut.model_fields if name != "area"}
    return ModuleOut(**same, area=grouping.area)


def _post(seat: Seat) -> PostOut:
    holders = [HolderOut(username=each.username, name=each.name) for each in seat.holders]
    return PostOut(id=seat.post.id, kind=seat.post.kind, name=seat.post.name, holders=holders)


@routes.post("/modules", responses=problems(404, 409))
def regroup_area(told: RegroupIn, session: Transaction, actor: Keeper, area: Area = "") -> GroupingOut:
    """Regroup the work of an area by a template; what it had before ends and stays as a record."""
    areas = partial(hierarchy.without_units, session)
    service.regroup(session, actor, area, told.template, told.picks, areas, agreed=told.agreed)
    return _grouping(session, queries.own(session, area))


@routes.get("/modules/history")
def list_regroupings(
    session: Transaction,
    actor: Viewer,
    paging: Annotated[Paging[int], Depends(paged("regroupings", RowId))],
    area: Area = "",
) -> PastPage:
    """List how the work of an area was regrouped so far."""
    found = paging.behind(queries.history(session, area), lambda each: each.regrouping.id)
    return paging.page(
        PastPage, found, lambda each: each.regrouping.id, lambda rows: [_past(each) for each in rows]
    )


def _past(each: queries.Past) -> PastOut:
    row = each.regrouping
    return PastOut(
        template=row.template, since=row.since, until=row.until, by=row.by_name,
        modules=[module.name_zh for module in each.modules],
    )  # fmt: skip


@routes.get("/modules/for", responses=problems(404))
def find_module(
    session: Transaction,
    actor: Viewer,
    category: Annotated[Code, Query(description="Code of a category.", examples=["P0101"])],
    area: Annotated[Code, Query(description="A unit.", examples=["510106001001001"])],
) -> ModuleOut:
    """Find the module that takes a matter at a place."""
    found = queries.module_for(session, category, area)
    grouping = queries.grouping(session, area)
    if found is None or grouping is None:
        raise queries.NotRegrouped(area=area)
    return _module(found, grouping)


@routes.post("/modules/{module_id}", responses=problems(404, 409))
def change_module(module_id: ModuleId, told: ModuleIn, session: Transaction, actor: Keeper) -> ModuleOut:
    """Call a module otherwise, or let it take other matters."""
    service.change(session, actor, module_id, told.name_zh, told.name_en, told.prefixes)
    return _module(*queries.module(session, module_id))


@routes.post("/modules/{module_id}/posts", status_code=201, responses=problems(404, 409))
def add_post(module_id: ModuleId, told: NameIn, session: Transaction, actor: Keeper) -> PostOut:
    """Add a post to a module."""
    return _post(Seat(service.add_post(session, actor, module_id, told.name), ()))


@routes.delete("/posts/{post_id}", status_code=204, responses=problems(404))
def end_post(post_id: PostId, session: Transaction, actor: Keeper) -> Response:
    """Let a post end, and whoever holds it leave it."""
    service.end_post(session, actor, post_id)
    return Response(status_code=204)


@routes.post("/posts/{post_id}/holders", status_code=201, responses=problems(404, 409))
def appoint_holder(post_id: PostId, told: HolderIn, session: Transaction, actor: Keeper) -> HolderOut:
    """Give somebody a post; whoever was lead, or deputy, until now ends that."""
    service.appoint(session, actor, post_id, told.username)
    post = queries.post(session, post_id)
    seats = queries.seats(session, [post.module_id])[post.module_id]
    (holder,) = [
        each
        for seat in seats if seat.post.id == post_id
        for each in seat.holders if each.username == told.username.strip()
    ]  # fmt: skip
    return HolderOut(username=holder.username, name=holder.name)


@routes.delete("/posts/{post_id}/holders/{username}", status_code=204, responses=problems(404))
def dismiss_holder(
    post_id: PostId, username: Annotated[text(64, 1), Path()], session: Transaction, actor: Keeper
) -> Response:
    """Take a post from somebody."""
    service.dismiss(session, actor, post_id, username)
    return Response(status_code=204)


@routes.post("/modules/{module_id}/bodies", status_code=204, responses=problems(404, 409))
def join_module(module_id: ModuleId, told: BodyNameIn, session: Transaction, actor: Keeper) -> Response:
    """Let a body work in a module."""
    service.join(session, actor, module_id, told.name)
    return Response(status_code=204)


@routes.delete("/modules/{module_id}/bodies/{name}", status_code=204, responses=problems(404))
def leave_module(
    module_id: ModuleId, name: Annotated[text(100, 1), Path()], session: Transaction, actor: Keeper
) -> Response:
    """Let a body no longer work in a module."""
    service.leave(session, actor, module_id, name)
    return Response(status_code=204)
