"""Responsibility lists: their editions and items, drafts brought and published, and who answers for a matter."""

from typing import Annotated, Literal

from fastapi import Depends, File, Form, Path, Query, Response, UploadFile
from pydantic import BaseModel, Field

from gridmgr import clock, db
from gridmgr.account.rules import Actor
from gridmgr.category import queries as matters
from gridmgr.clock import TimeUnit
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.responsibility import queries, rules, service
from gridmgr.responsibility.model import (
    Answering,
    Fault,
    ListEdition,
    ListItem,
    ListKind,
    Owner,
    ResponsibilityList,
    facts,
)
from gridmgr.responsibility.queries import Wanted
from web.api.category import CategoryOut, category_out
from web.api.schema import problems, router
from web.deps import Allow, Transaction
from web.fields import BigRowId, Code, Day, RowId, text
from web.i18n import say
from web.paging import Page, Paging, paged

routes = router("responsibility")
Viewer = Annotated[Actor, Depends(Allow("list.view"))]
Manager = Annotated[Actor, Depends(Allow("list.manage"))]
EditionId = Annotated[RowId, Path(description="Id of the edition.", examples=[3])]


class ListOut(BaseModel):
    """A list of an area, with its edition in force."""

    id: int = Field(examples=[1])
    kind: ListKind
    code: str = Field(description="Beginning of the codes of its units.", examples=["510106"])
    name: str = Field(examples=["属地管理事项清单"])
    edition: int | None = Field(description="Id of the edition in force today.", examples=[3])
    title: str | None = Field(examples=["属地管理事项责任清单（2026年版）"])
    effective: Day | None
    items: int = Field(description="Of the edition in force.", examples=[102])
    editions: int = Field(description="Published ones.", examples=[2])
    drafts: int = Field(examples=[0])


class ListPage(Page[ListOut]):
    """Lists by area, kind and name."""


class EditionOut(BaseModel):
    """An edition of a list; a draft has no first day."""

    id: int = Field(examples=[3])
    list_id: int = Field(examples=[1])
    title: str = Field(examples=["属地管理事项责任清单（2026年版）"])
    basis: str = Field(description="The document it rests on.", examples=["区委办〔2026〕5 号"])
    drafted_by: str = Field(examples=["郑明"])
    effective: Day | None
    published_by: str | None = Field(examples=["郑明"])
    retired_on: Day | None = Field(description="First day on which it no longer holds.", examples=[None])
    retired_why: str | None = Field(examples=[None])


class EditionPage(Page[EditionOut]):
    """Editions of a list: drafts, then the latest first."""


class ItemOut(BaseModel):
    """One item: which matters it covers, who answers, on what ground and how."""

    id: int
    code: str = Field(examples=["T-017"])
    name: str = Field(examples=["生活垃圾清运"])
    categories: list[str] = Field(description="Beginnings of the codes of matters.", examples=[["0201"]])
    lead: str = Field(examples=["西安路街道办事处"])
    cooperating: list[str] = Field(examples=[["环卫所"]])
    level: Answering
    handed_from: str = Field(examples=[""])
    clause: str = Field(examples=["《城市市容和环境卫生管理条例》第十四条"])
    flow: str = Field(examples=["受理→核查→清运→反馈"])
    guide: str = Field(examples=["通知责任单位两小时内到场"])
    filing_condition: str
    closing_condition: str
    amount: float | None = Field(examples=[4])
    unit: TimeUnit | None
    evidence: str = Field(examples=["处置前后照片各一张"])
    aliases: list[str] = Field(examples=[["垃圾没人收"]])


class ItemPage(Page[ItemOut]):
    """Items in the order of the list."""


class FaultOut(BaseModel):
    """What forbids publishing an edition: the items and the matter concerned, and why."""

    items: list[str] = Field(examples=[["A1", "A2"]])
    category: str = Field(examples=["0201"])
    reason: str


class FaultsOut(BaseModel):
    """All that forbids publishing an edition from a day on; nothing if it can be published."""

    effective: Day
    faults: list[FaultOut]


class FieldChange(BaseModel):
    """What a field of an item said before, and says now."""

    field: str = Field(examples=["lead"])
    before: str | float | list[str] | None = Field(examples=["环卫所"])
    after: str | float | list[str] | None = Field(examples=["西安路街道办事处"])


class ItemChange(BaseModel):
    """An item that differs between two editions."""

    kind: Literal["added", "changed", "removed"]
    code: str = Field(examples=["T-017"])
    name: str
    fields: list[FieldChange]


class ChangesOut(BaseModel):
    """What differs between two editions, by the code of the item."""

    changes: list[ItemChange]


class DraftOut(BaseModel):
    """A draft as it was kept, or would be, and what forbids publishing it today."""

    edition: EditionOut | None
    items: int = Field(examples=[102])
    written: bool
    faults: list[FaultOut]


class PublishIn(BaseModel):
    """From which day on an edition is to be in force."""

    effective: Day


class RetireIn(BaseModel):
    """From which day on an edition is no longer in force, and why."""

    day: Day
    why: text(500) = Field("", examples=["机构改革"])


class OwnerOut(BaseModel):
    """The one who answers for a matter at a place; without a list, its category's department."""

    lead: str = Field(examples=["西安路街道办事处"])
    cooperating: list[str] = Field(examples=[["环卫所"]])
    item: str = Field(examples=["T-017 生活垃圾清运"])
    clause: str = Field(examples=["《城市市容和环境卫生管理条例》第十四条"])
    edition: str = Field(description="Title of the edition.", examples=["属地管理事项责任清单（2026年版）"])
    territorial: bool = Field(description="A territory answers, not a department.")
    flow: str = Field("", examples=["受理→核查→清运→反馈"])
    guide: str = Field("", examples=["通知责任单位两小时内到场"])
    evidence: str = Field("", examples=["处置前后照片各一张"])
    admission: int | None = Field(None, description="Id of the admission, if it is one.", examples=[None])


@routes.get("/lists")
def list_lists(
    session: Transaction,
    actor: Viewer,
    paging: Annotated[Paging[int], Depends(paged("lists", RowId))],
    kind: ListKind | None = None,
    area: Annotated[text(32), Query(description="Code of a place: its lists and those around it.")] = "",
) -> ListPage:
    """List the responsibility lists, which are open to everybody; drafts are counted for who manages them."""
    found = paging.behind(queries.summaries(session, actor, kind or "", area), lambda row: row.list.id)
    return paging.page(ListPage, found, lambda row: row.list.id, lambda rows: map(_list, rows))


@routes.get("/lists/{list_id}/editions", responses=problems(404))
def list_list_editions(
    list_id: Annotated[RowId, Path(description="Id of the list.")],
    session: Transaction,
    actor: Viewer,
    paging: Annotated[Paging[int], Depends(paged("list-editions", RowId))],
) -> EditionPage:
    """List the editions of a list: drafts first, then the latest."""
    found = paging.behind(queries.editions(session, actor, list_id)[1], lambda row: row.id)
    return paging.page(EditionPage, found, lambda row: row.id, lambda rows: map(_edition, rows))


@routes.get("/list-editions/{edition_id}", responses=problems(404))
def show_list_edition(edition_id: EditionId, session: Transaction, actor: Viewer) -> EditionOut:
    """Show an edition of a list."""
    return _edition(queries.edition(session, actor, edition_id).edition)


@routes.get("/list-editions/{edition_id}/items", responses=problems(404))
def list_items(
    edition_id: EditionId,
    session: Transaction,
    actor: Viewer,
    paging: Annotated[Paging[int], Depends(paged("list-items", BigRowId))],
    words: Annotated[text(100), Query(description="All of them stand in the item.")] = "",
    category: Annotated[text(32), Query(description="Code of a matter the item covers.")] = "",
    lead: Annotated[text(100), Query(description="Who leads or cooperates.")] = "",
) -> ItemPage:
    """List the items of an edition."""
    wanted = Wanted(words, category, lead)
    items = [item for item in queries.edition(session, actor, edition_id).items if wanted.fits(item)]
    found = paging.behind(items, lambda row: row.id)
    return paging.page(ItemPage, found, lambda row: row.id, lambda rows: map(_item, rows))


@routes.get("/list-editions/{edition_id}/faults", responses=problems(404))
def show_faults(
    edition_id: EditionId,
    session: Transaction,
    actor: Viewer,
    effective: Annotated[Day | None, Query(description="From which day on; today if not given.")] = None,
) -> FaultsOut:
    """Say what forbids publishing an edition: matters with two owners, matters with none, and the rest."""
    day = effective or clock.today()
    found = queries.faults(session, queries.edition(session, actor, edition_id), day)
    return FaultsOut(effective=day, faults=list(map(_fault, found)))


@routes.get("/list-editions/{edition_id}/changes", responses=problems(404))
def compare_editions(
    edition_id: EditionId,
    session: Transaction,
    actor: Viewer,
    since: Annotated[RowId, Query(description="Id of the edition it is compared with.")],
) -> ChangesOut:
    """Say what an edition adds, removes and changes against another one, field by field."""
    found = queries.changes(session, actor, since, edition_id)
    return ChangesOut(
        changes=[
            ItemChange(
                kind=kind, code=code, name=name,
                fields=[FieldChange(field=field, before=was, after=is_now) for field, was, is_now in fields],
            )
            for kind, code, name, fields in found
        ]
    )  # fmt: skip


@routes.post("/list-editions", status_code=201, responses=problems(413))
def import_list(
    session: Transaction,
    actor: Manager,
    file: Annotated[UploadFile, File(description="CSV or XLSX with one item a row.")],
    kind: Annotated[ListKind, Form()],
    title: Annotated[text(100, 1), Form(examples=["属地管理事项责任清单（2026年版）"])],
    code: Annotated[text(32), Form(description="Of its area; empty for the whole district.")] = "",
    name: Annotated[text(100), Form(description="If an area has several lists of a kind.")] = "",
    basis: Annotated[text(500), Form(description="The document it rests on.")] = "",
    dry_run: Annotated[bool, Form(description="Only say what is wrong.")] = False,
) -> DraftOut:
    """Keep a list as a draft, all of it or nothing; nobody answers by it before it is published."""
    codes = [each.code for each in matters.in_force(session)]
    read = rules.read_items(file.file.read(), file.filename or "", kind, codes)
    with db.rehearsed(session, keep=not dry_run):
        kept = service.draft(session, actor, kind, code, title, read, name=name, basis=basis)
        found = queries.faults(session, queries.edition(session, actor, kept.id), clock.today())
        edition = None if dry_run else _edition(kept)
    return DraftOut(
        edition=edition, items=len(read.rows), written=not dry_run, faults=list(map(_fault, found))
    )


@routes.post("/list-editions/{edition_id}/publish", responses=problems(404, 409))
def publish_list(edition_id: EditionId, told: PublishIn, session: Transaction, actor: Manager) -> EditionOut:
    """Put a draft in force; `errors` names every item and matter that stands in the way."""
    return _edition(service.publish(session, actor, edition_id, told.effective))


@routes.post("/list-editions/{edition_id}/retire", responses=problems(404, 409))
def retire_list(edition_id: EditionId, told: RetireIn, session: Transaction, actor: Manager) -> EditionOut:
    """Let an edition no longer hold; cases keep the item they were accepted under."""
    return _edition(service.retire(session, actor, edition_id, told.day, told.why))


@routes.delete("/list-editions/{edition_id}", status_code=204, responses=problems(404, 409))
def discard_draft(edition_id: EditionId, session: Transaction, actor: Manager) -> Response:
    """Throw a draft away."""
    service.discard(session, actor, edition_id)
    return Response(status_code=204)


class WhoseMatter(CategoryOut):
    """A matter and who answers for it."""

    owner: OwnerOut


class WhoseOut(BaseModel):
    """What the words speak of, the likeliest first: matters, and items of lists that cover none."""

    matters: list[WhoseMatter]
    others: list[OwnerOut] = Field(description="Powers, services and other items that cover no matter.")


@routes.get("/whose")
def find_whose(
    session: Transaction,
    actor: Annotated[Actor, Depends(Allow("incident.view"))],
    words: Annotated[text(100, 1), Query(examples=["垃圾没人收"])],
    area: Annotated[text(32), Query(description="Code of a place; the whole district if empty.")] = "",
) -> WhoseOut:
    """Say whose a matter is, by whatever words one has for it: names, aliases, examples."""
    found = queries.whose(session, words, area)
    return WhoseOut(
        matters=[
            WhoseMatter(**category_out(each.category).model_dump(), owner=owner_out(each.owner))
            for each in found
            if each.category
        ],
        others=[owner_out(each.owner) for each in found if not each.category],
    )


@routes.get("/owner", responses=problems(404))
def show_owner(
    session: Transaction,
    actor: Viewer,
    category: Annotated[Code, Query(description="Code of a matter.", examples=["0201"])],
    unit: Annotated[text(32), Query(description="Code of a unit; the whole district if empty.")] = "",
    at: Annotated[Day | None, Query(description="On which day; today if not given.")] = None,
) -> OwnerOut:
    """Say who answers for a matter at a place: exactly one."""
    return owner_out(queries.owner_of(session, category, unit or hierarchy.district_code(session), at))


def owner_out(found: Owner) -> OwnerOut:
    """Return an owner as the API says it."""
    names = ("flow", "guide", "evidence")
    more = {name: getattr(found.row, name) for name in names} if found.row else {}
    return OwnerOut(
        lead=found.lead, cooperating=list(found.cooperating), item=found.item, clause=found.clause,
        edition=found.edition, territorial=found.territorial,
        admission=found.admission.id if found.admission else None, **more,
    )  # fmt: skip


def _list(found: queries.Summary) -> ListOut:
    owner: ResponsibilityList = found.list
    held = found.edition
    return ListOut(
        id=owner.id, kind=owner.kind, code=owner.code, name=owner.name, edition=held.id if held else None,
        title=held.title if held else None, effective=held.effective if held else None, items=found.items,
        editions=found.published, drafts=found.drafts,
    )  # fmt: skip


def _edition(edition: ListEdition) -> EditionOut:
    return EditionOut.model_validate(edition, from_attributes=True)


def _item(item: ListItem) -> ItemOut:
    return ItemOut(id=item.id, **facts(item))


def _fault(fault: Fault) -> FaultOut:
    return FaultOut(items=list(fault.items), category=fault.category, reason=say(fault.reason))
