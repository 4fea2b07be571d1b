"""Co-approval: kinds of permits, applications with what each body asked says, decisions, and what they come to."""

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import Depends, File, Form, Path, Query, UploadFile
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.orm import Session

from gridmgr import clock, db, sheet
from gridmgr.account.rules import Actor
from gridmgr.clock import TimeUnit
from gridmgr.coapproval import queries, rules, service
from gridmgr.coapproval.model import (
    LONGEST,
    Application,
    Approval,
    Deed,
    Opinion,
    PermitKind,
    Said,
    Silence,
    Standing,
)
from gridmgr.coapproval.queries import Search
from gridmgr.incident import queries as incidents
from web.api.schema import problems, router
from web.deps import Allow, Transaction
from web.fields import BigRowId, Code, Day, RowId, Utc, text
from web.paging import Page, Paging, paged

routes = router("coapproval")
Viewer = Annotated[Actor, Depends(Allow("approval.view"))]
Decider = Annotated[Actor, Depends(Allow("approval.decide"))]
Manager = Annotated[Actor, Depends(Allow("approval.manage"))]
ApprovalId = Annotated[BigRowId, Path(description="Id of the application.")]
Note = text(LONGEST)
DAYS = 90


class PermitKindOut(BaseModel):
    """A kind of permit."""

    id: int
    name: str = Field(examples=["门头装修"])
    name_en: str = Field(examples=["Shop front fitting"])
    prefixes: list[str] = Field(
        description="Beginnings of the codes of matters it touches.", examples=[["S0202"]]
    )
    amount: float = Field(description="How long the bodies have.", examples=[2])
    unit: TimeUnit
    silence: Silence


class PermitKindPage(Page[PermitKindOut]):
    """The kinds of permits that can be asked for, by name."""


class KindsTaken(BaseModel):
    """What a table of kinds comes to, or would come to."""

    added: int
    changed: int
    removed: int
    unchanged: int
    written: bool


class ApplicationIn(BaseModel):
    """Who wants what permitted, where."""

    kind: text(100, 1) = Field(examples=["门头装修"])
    applicant: text(100, 1) = Field(examples=["老张面馆"])
    what: text(LONGEST, 1) = Field(examples=["更换门头招牌，宽 4 米"])
    code: Code = Field(description="Of a building, or of another unit.", examples=["51010600100100001"])
    place: text(300) = Field("", description="In words; that of the unit if it is empty.")
    valid_until: Day | None = Field(None, description="The last day, if it is not for good.")


class OpinionOut(BaseModel):
    """A body that was asked, and what it says now."""

    body: str = Field(examples=["消防救援大队"])
    matters: list[str] = Field(description="Its matters that the permit touches.", examples=[["B0107"]])
    said: Said | None = Field(description="Null while it has time and says nothing.")
    note: str = Field(examples=["不得遮挡消火栓"])
    law: str = Field(examples=["消防法 第二十八条"])
    name: str | None = Field(description="Who said so.", examples=["何志强"])
    said_at: Utc | None
    overruled: bool = Field(description="Its objection was set aside.")


class ApprovalOut(BaseModel):
    """An application, who was asked, and how it stands."""

    id: int
    kind: str = Field(examples=["门头装修"])
    applicant: str = Field(examples=["老张面馆"])
    what: str = Field(examples=["更换门头招牌，宽 4 米"])
    code: str
    building_code: str | None
    place: str = Field(examples=["荷花路1号"])
    body: str | None = Field(description="Who would permit it.", examples=["市场监管所"])
    asker: str = Field(examples=["何志强"])
    asked_at: Utc
    due_at: Utc
    silence: Silence
    valid_until: Day | None
    state: Standing
    decided_at: Utc | None
    decider: str | None
    conditions: str = Field(description="Under which it was granted, or why it was not.")
    opinions: list[OpinionOut]
    objecting: list[str] = Field(description="Bodies whose objection stands.", examples=[[]])
    waiting: list[str] = Field(description="Bodies a grant still waits for.", examples=[["消防救援大队"]])


class ApprovalPage(Page[ApprovalOut]):
    """Applications, the newest first."""


class SaidOut(BaseModel):
    """One thing said or done to an application."""

    deed: Deed
    body: str | None
    actor: str
    at: Utc
    note: str
    law: str


class ApprovalWhole(ApprovalOut):
    """An application with all that was said and done, and the visible cases at its place."""

    done: list[SaidOut]
    cases: list[str] = Field(description="Numbers of cases at its place, open ones first.", examples=[[]])


class AnswerIn(BaseModel):
    """What the caller's body says; conditions and objections need a note."""

    said: Literal[Said.AGREE, Said.CONDITIONS, Said.OBJECT] = Field(examples=["conditions"])
    note: Note = Field("", examples=["不得遮挡消火栓"])
    law: text(300) = Field("", examples=["消防法 第二十八条"])
    body: text(100) = Field("", description="For whom, if the caller works for no body.", examples=[""])


class OverruleIn(BaseModel):
    """Whose objection is set aside, and why."""

    body: text(100, 1) = Field(examples=["燃气公司"])
    note: text(LONGEST, 1) = Field(examples=["管线已改迁，见会议纪要"])


class DecisionIn(BaseModel):
    """The decision, with further conditions or the reason."""

    deed: Literal[Deed.GRANT, Deed.REFUSE, Deed.WITHDRAW] = Field(examples=["grant"])
    note: Note = Field("", examples=["按图施工"])


class SayingOut(BaseModel):
    """How a body answers."""

    body: str = Field(examples=["消防救援大队"])
    asked: int = Field(examples=[12])
    agreed: int
    conditions: int
    objects: int = Field(description="Objects now.")
    silent: int
    waiting: int
    objected: int = Field(description="Objected at any time.")


class ApprovalFigures(BaseModel):
    """How the applications asked in a period were settled."""

    asked: int = Field(examples=[12])
    settled: int = Field(description="Granted or refused after at least one other body was asked.")
    granted: int
    mean_hours: float | None = Field(description="From asking to deciding, of the settled ones.")
    questioned: int = Field(
        description="Granted, and a case of touched matters came up there within 30 days."
    )
    bodies: list[SayingOut]


class PermitsOut(BaseModel):
    """What was permitted at the place of a case for matters of its kind."""

    permits: list[ApprovalOut]


@routes.get("/approvals/kinds")
def list_permit_kinds(
    session: Transaction, actor: Viewer, paging: Annotated[Paging[int], Depends(paged("permit_kinds", RowId))]
) -> PermitKindPage:
    """List the kinds of permits that can be asked for."""
    found = paging.behind(queries.kinds(session), lambda each: each.id)
    return paging.page(
        PermitKindPage, found, lambda each: each.id, lambda rows: [_kind(each) for each in rows]
    )


@routes.post("/approvals/kinds", responses=problems(413))
def import_permit_kinds(
    file: Annotated[UploadFile, File()], session: Transaction, actor: Manager,
    dry_run: Annotated[bool, Form()] = False,
) -> KindsTaken:  # fmt: skip
    """Take the whole table of kinds (CSV or XLSX), all or nothing; one left out can no longer be asked for."""
    read = sheet.read(file.file.read(), file.filename or "", rules.KINDS)
    with db.rehearsed(session, keep=not dry_run):
        fates = [fate for _, fate in service.import_kinds(session, actor, read)]
    names = ("added", "changed", "removed", "unchanged")
    return KindsTaken(**{name: fates.count(name) for name in names}, written=not dry_run)


@routes.get("/approvals/figures")
def show_approval_figures(
    session: Transaction,
    actor: Viewer,
    since: Annotated[AwareDatetime | None, Query(description="90 days ago if not given.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Now if not given.")] = None,
) -> ApprovalFigures:
    """Show how the visible applications asked in a period were settled, and how each body answers."""
    end = until or clock.now()
    begin = since or end - timedelta(days=DAYS)
    figures = queries.figures(session, actor, begin, end)
    bodies = [SayingOut(**vars(each)) for each in queries.sayings(session, actor, begin, end)]
    return ApprovalFigures(**vars(figures), bodies=bodies)


@routes.get("/approvals")
def list_approvals(
    session: Transaction,
    actor: Viewer,
    paging: Annotated[Paging[int], Depends(paged("approvals", BigRowId))],
    state: Standing | None = None,
    ours: Annotated[bool, Query(description="Only those that wait for the caller's body.")] = False,
    area: Annotated[text(32), Query(description="Code prefix of the place.")] = "",
) -> ApprovalPage:
    """List the applications at places in the caller's area."""
    search = Search(state, (actor.body or "∅") if ours else "", area=area)
    found = queries.page(session, actor, search, paging.fetch, paging.after)
    return paging.page(ApprovalPage, found, lambda each: each.id, lambda rows: _out(session, rows))


@routes.post("/approvals", status_code=201, responses=problems(404))
def ask_approval(
    told: ApplicationIn, session: Transaction, actor: Annotated[Actor, Depends(Allow("approval.ask"))]
) -> ApprovalOut:
    """Ask every other body whose matters a permit touches; their time is counted on the calendar of the place."""
    return _out(session, [service.ask(session, actor, Application(**told.model_dump()))])[0]


@routes.get("/approvals/{approval_id}", responses=problems(404))
def show_approval(approval_id: ApprovalId, session: Transaction, actor: Viewer) -> ApprovalWhole:
    """Show an application, all that was said, and the cases at its place."""
    return _whole(session, actor, queries.approval(session, actor, approval_id))


@routes.post("/approvals/{approval_id}/answer", responses=problems(404, 409))
def answer_approval(
    approval_id: ApprovalId, told: AnswerIn, session: Transaction,
    actor: Annotated[Actor, Depends(Allow("approval.answer"))],
) -> ApprovalWhole:  # fmt: skip
    """Say what the caller's body thinks of it; it may say otherwise until the decision."""
    said = service.say(session, actor, approval_id, told.said, told.note, told.law, told.body)
    return _whole(session, actor, said)


@routes.post("/approvals/{approval_id}/overrule", responses=problems(404, 409))
def overrule_objection(
    approval_id: ApprovalId, told: OverruleIn, session: Transaction,
    actor: Annotated[Actor, Depends(Allow("approval.overrule"))],
) -> ApprovalWhole:  # fmt: skip
    """Set a body's objection aside, with the reason."""
    return _whole(session, actor, service.overrule(session, actor, approval_id, told.body, told.note))


@routes.post("/approvals/{approval_id}/decision", responses=problems(404, 409))
def decide_approval(
    approval_id: ApprovalId, told: DecisionIn, session: Transaction, actor: Decider
) -> ApprovalWhole:
    """Grant, refuse or withdraw it; it is granted only if no objection stands and nobody is awaited."""
    return _whole(session, actor, service.decide(session, actor, approval_id, told.deed, told.note))


@routes.get("/incidents/{number}/permits", responses=problems(404))
def show_permits(number: Code, session: Transaction, actor: Viewer) -> PermitsOut:
    """Show what was permitted at the place of a case, for matters of its kind."""
    case = incidents.by_number(session, actor, number)
    return PermitsOut(permits=_out(session, queries.permits_for(session, actor, case)))


def _kind(each: PermitKind) -> PermitKindOut:
    return PermitKindOut.model_validate(each, from_attributes=True)


def _whole(session: Session, actor: Actor, found: Approval) -> ApprovalWhole:
    (out,) = _out(session, [found])
    done = [
        SaidOut(
            deed=each.deed, body=each.body, actor=each.actor_name, at=each.at, note=each.note, law=each.law
        )
        for each in queries.deeds(session, found.id)
    ]
    cases = [case.number for case in queries.cases_there(session, actor, found)]
    return ApprovalWhole(**out.model_dump(), done=done, cases=cases)


def _out(session: Session, found: list[Approval]) -> list[ApprovalOut]:
    opinions = queries.opinions(session, [each.id for each in found])
    return [_one(each, opinions.get(each.id, [])) for each in found]


def _one(each: Approval, opinions: list[Opinion]) -> ApprovalOut:
    same = {name: getattr(each, name) for name in ApprovalOut.model_fields if hasattr(each, name)}
    is_open = each.state == Standing.OPEN
    return ApprovalOut(
        **same, asker=each.asker_name, decider=each.decider_name,
        opinions=[OpinionOut.model_validate(one, from_attributes=True) for one in opinions],
        objecting=rules.objecting(opinions),
        waiting=rules.waiting(opinions, each.silence, each.due_at <= clock.now()) if is_open else [],
    )  # fmt: skip
