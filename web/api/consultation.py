"""Consultation: kinds with their terms, what opinions are asked on, what each party says, and what it comes to."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, File, Form, Path, Query, UploadFile
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.orm import Session

from gridmgr import clock, db, sheet
from gridmgr.account.rules import Actor
from gridmgr.clock import TimeUnit
from gridmgr.consultation import queries, rules, service
from gridmgr.consultation.model import (
    LONGEST,
    LONGEST_WHAT,
    MOST_FILES,
    Asking,
    Consultation,
    ConsultationFile,
    ConsultationKind,
    ConsultationParty,
    Deed,
    Said,
    Silence,
    Sphere,
    Standing,
    Who,
)
from gridmgr.consultation.queries import Search
from web.api.incident_shapes import FileIn
from web.api.schema import problems, router
from web.deps import Allow, Transaction
from web.fields import BigRowId, Day, Utc, text
from web.paging import Page, Paging, paged

routes = router("consultation")
Viewer = Annotated[Actor, Depends(Allow("consultation.view"))]
Asker = Annotated[Actor, Depends(Allow("consultation.ask"))]
Manager = Annotated[Actor, Depends(Allow("consultation.manage"))]
ConsultationId = Annotated[BigRowId, Path(description="Id of the consultation.")]
Given = dict[text(40), text(LONGEST) | float | bool]
Note = text(LONGEST)
DAYS = 365


class FormFieldOut(BaseModel):
    """A field of the form of a kind: who fills it in, and what with."""

    of: str = Field(description="asker, asked or residents.", examples=["asker"])
    name: str = Field(examples=["project"])
    type: str = Field(description="text, number, day, choice or yes.", examples=["text"])
    required: bool
    choices: list[str] = Field(examples=[[]])
    zh: str = Field(examples=["项目名称"])
    en: str = Field(examples=["Project"])


class ConsultationKindOut(BaseModel):
    """A kind of consultation, with its terms of today."""

    code: str = Field(examples=["acceptance.lifts"])
    sphere: Sphere
    name_zh: str = Field(examples=["加装电梯验收"])
    name_en: str = Field(examples=["Added lifts"])
    asks: list[Who] = Field(description="As what those concerned are asked.")
    vetoes: list[Who] = Field(description="Which of them may stop it.")
    amount: float = Field(description="How long they have.", examples=[5])
    unit: TimeUnit
    remind: float = Field(description="At this share of the time the silent are reminded.", examples=[0.6])
    silence: Silence
    closed: bool = Field(description="Only those concerned see it.")
    form: list[FormFieldOut]


class ConsultationKindPage(Page[ConsultationKindOut]):
    """The kinds one can ask about today, by their codes."""


class KindTable(BaseModel):
    """What a table of kinds comes to, or would come to."""

    added: int
    changed: int
    removed: int
    unchanged: int
    written: bool


class ConsultationIn(BaseModel):
    """What opinions are wanted on, and whose."""

    kind: text(100, 1) = Field(examples=["acceptance.lifts"])
    title: text(200, 1) = Field(examples=["荷花路 1 号加装电梯验收"])
    what: text(LONGEST_WHAT) = Field("", examples=["电梯已安装完毕，拟于下周验收"])
    asked: list[text(100, 1)] = Field(
        max_length=500, description="Codes of units, names of bodies.", examples=[["510106001001"]]
    )
    area: text(32) | None = Field(
        None, description="Which area it concerns; what those asked have in common if not given."
    )
    facts: Given = Field(
        {}, description="The asker's part of the form.", examples=[{"project": "荷花路 1 号加装电梯"}]
    )
    subject_ref: text(100) = Field("", description="What it is about, such as incident:202601150000042.")
    again_of: BigRowId | None = Field(None, description="An ended consultation this one follows.")
    files: list[FileIn] = Field([], max_length=MOST_FILES, examples=[[]])


class PartyOut(BaseModel):
    """Somebody who was asked, and what they say now."""

    id: int
    who: Who
    code: str = Field(description="Of the unit; empty for a body.")
    name: str = Field(examples=["荷花池街道"])
    may_veto: bool
    said: Said | None = Field(description="Null while they have said nothing.")
    reason: str = Field(examples=["井道遮挡一层采光"])
    answers: dict[str, Any] = Field(description="Their part of the form.", examples=[{}])
    speaker: str | None = Field(examples=["王芳"])
    said_at: Utc | None
    silent: bool = Field(description="Had said nothing by the due time.")
    adopted: bool | None = Field(description="How the asker took the objection.")
    reply: str


class ConsultationOut(BaseModel):
    """A consultation and how it stands."""

    id: int
    kind: str = Field(examples=["acceptance.lifts"])
    sphere: Sphere
    name_zh: str = Field(examples=["加装电梯验收"])
    name_en: str = Field(examples=["Added lifts"])
    subject_ref: str = Field(examples=["plan:12"])
    round: int
    title: str = Field(examples=["荷花路 1 号加装电梯验收"])
    what: str
    code: str
    facts: dict[str, Any] = Field(examples=[{"project": "荷花路 1 号加装电梯"}])
    silence: Silence
    closed: bool
    asker: str = Field(examples=["何志强"])
    body: str | None = Field(examples=["规划局"])
    asked_at: Utc
    due_at: Utc
    state: Standing = Field(examples=["open"])
    ended_at: Utc | None
    parties: list[PartyOut]


class ConsultationPage(Page[ConsultationOut]):
    """Consultations, the newest first."""


class ConsultationFileOut(BaseModel):
    """A file that came with a word; GET /api/files/{sha256} returns it."""

    sha256: str
    name: str = Field(examples=["会议纪要.pdf"])


class WordOut(BaseModel):
    """One thing said or done in a consultation."""

    deed: Deed
    party: str
    actor: str
    at: Utc
    note: str
    answers: dict[str, Any] = Field(examples=[{}])
    outcome: str = Field(description="At the end.", examples=[""])
    files: list[ConsultationFileOut]


class ConsultationWhole(ConsultationOut):
    """A consultation with its form, all that was said and done, and its other rounds."""

    form: list[FormFieldOut]
    words: list[WordOut]
    rounds: list[int] = Field(
        description="Ids of the other consultations on the same subject.", examples=[[]]
    )


class OpinionIn(BaseModel):
    """What a party says that the caller answers for; objections and vetoes need a reason."""

    said: Said
    reason: Note = Field("", examples=["井道遮挡一层采光"])
    answers: Given = Field({}, description="The party's part of the form.", examples=[{}])
    party: BigRowId | None = Field(None, description="For whom, if the caller may answer for several.")
    files: list[FileIn] = Field([], max_length=MOST_FILES, examples=[[]])


class ReplyIn(BaseModel):
    """How an objection is taken; one that is not adopted needs a reason."""

    party: BigRowId = Field(examples=[7])
    adopted: bool
    note: Note = Field("", examples=["井道改为玻璃围护"])


class WithdrawalIn(BaseModel):
    """Why the question is taken back."""

    note: text(LONGEST, 1) = Field(examples=["方案重做"])


class SphereFigures(BaseModel):
    """How the consultations of a sphere went, and how those asked answered."""

    sphere: Sphere
    asked: int = Field(examples=[20])
    running: int
    agreed: int
    heard: int = Field(description="Ended with objections and no veto.")
    stopped: int = Field(description="Ended by a veto.")
    lapsed: int
    withdrawn: int
    parties: int
    due: int = Field(description="Parties that answered, or whose due time has come.")
    in_time: int = Field(description="Parties that answered by the due time.")
    objections: int
    vetoes: int
    share_in_time: float | None = Field(description="in_time ÷ due.", examples=[0.95])


class AnsweringOut(BaseModel):
    """How a party answers."""

    name: str = Field(examples=["荷花池街道"])
    asked: int = Field(examples=[20])
    due: int
    in_time: int
    silent: int
    agreed: int
    objected: int
    vetoed: int


class ConsultationFigures(BaseModel):
    """The consultations asked in a period, by sphere and by party."""

    spheres: list[SphereFigures]
    parties: list[AnsweringOut]


@routes.get("/consultations/kinds")
def list_consultation_kinds(
    session: Transaction, actor: Viewer,
    paging: Annotated[Paging[str], Depends(paged("consultation_kinds", text(40)))],
) -> ConsultationKindPage:  # fmt: skip
    """List the kinds of consultations with the terms in force today."""
    found = sorted(queries.kinds(session), key=lambda each: each.code)
    return paging.page(
        ConsultationKindPage, paging.behind(found, lambda each: each.code), lambda each: each.code,
        lambda rows: [_kind(each) for each in rows],
    )  # fmt: skip


@routes.post("/consultations/kinds", responses=problems(413))
def import_consultation_kinds(
    file: Annotated[UploadFile, File()], session: Transaction, actor: Manager,
    effective: Annotated[Day | None, Form(description="From which day on; today if not given.")] = None,
    dry_run: Annotated[bool, Form()] = False,
) -> KindTable:  # fmt: skip
    """Take the whole table of kinds (CSV or XLSX) from a day on; one left out can no longer be asked about."""
    read = sheet.read(file.file.read(), file.filename or "", rules.KINDS)
    with db.rehearsed(session, keep=not dry_run):
        taken = service.import_kinds(session, actor, read, effective or clock.today())
    fates = [fate for _, fate in taken]
    names = ("added", "changed", "removed", "unchanged")
    return KindTable(**{name: fates.count(name) for name in names}, written=not dry_run)


@routes.get("/consultations/figures")
def show_consultation_figures(
    session: Transaction, actor: Viewer,
    since: Annotated[AwareDatetime | None, Query(description="365 days ago if not given.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Now if not given.")] = None,
) -> ConsultationFigures:  # fmt: skip
    """Show what the visible consultations asked in a period came to, and how each party answers."""
    end = until or clock.now()
    begin = since or end - timedelta(days=DAYS)
    spheres = [
        SphereFigures(**vars(each), share_in_time=each.share_in_time)
        for each in queries.figures(session, actor, begin, end)
    ]
    parties = [AnsweringOut(**vars(each)) for each in queries.answerings(session, actor, begin, end)]
    return ConsultationFigures(spheres=spheres, parties=parties)


@routes.get("/consultations")
def list_consultations(
    session: Transaction, actor: Viewer, paging: Annotated[Paging[int], Depends(paged("consultations", BigRowId))],
    state: Standing | None = None, sphere: Sphere | None = None, kind: text(40) = "", area: text(32) = "",
    subject_ref: text(100) = "",
    ours: Annotated[bool, Query(description="Only those that wait for the caller's own answer.")] = False,
) -> ConsultationPage:  # fmt: skip
    """List the consultations the caller may see."""
    search = Search(state, kind, sphere, area, ours, subject_ref)
    found = queries.page(session, actor, search, paging.fetch, paging.after)
    return paging.page(ConsultationPage, found, lambda each: each.id, lambda rows: _out(session, rows))


@routes.post("/consultations", status_code=201, responses=problems(404, 409))
def ask_for_opinions(told: ConsultationIn, session: Transaction, actor: Asker) -> ConsultationWhole:
    """Ask those a matter concerns, before it is done; their time is counted on the calendar of the area."""
    files = tuple(each.model_dump() for each in told.files)
    asking = Asking(told.title, told.what, told.area, told.facts, files, told.again_of)
    subject = rules.check_subject(told.subject_ref)
    return _whole(session, actor, service.ask(session, actor, told.kind, subject, told.asked, asking))


@routes.get("/consultations/{consultation_id}", responses=problems(404))
def show_consultation(
    consultation_id: ConsultationId, session: Transaction, actor: Viewer
) -> ConsultationWhole:
    """Show a consultation, who was asked, and all that was said."""
    return _whole(session, actor, queries.consultation(session, actor, consultation_id))


@routes.post("/consultations/{consultation_id}/opinion", responses=problems(404, 409))
def give_opinion(
    consultation_id: ConsultationId, told: OpinionIn, session: Transaction,
    actor: Annotated[Actor, Depends(Allow("consultation.answer"))],
) -> ConsultationWhole:  # fmt: skip
    """Say what a party thinks that the caller answers for; a veto of one that may stop it ends it at once."""
    files = [each.model_dump() for each in told.files]
    found = service.say(
        session, actor, consultation_id, told.said, told.reason, told.answers, files, told.party
    )
    return _whole(session, actor, found)


@routes.post("/consultations/{consultation_id}/reply", responses=problems(404, 409))
def reply_to_opinion(
    consultation_id: ConsultationId, told: ReplyIn, session: Transaction, actor: Asker
) -> ConsultationWhole:
    """Say how an objection is taken: adopted, or not and why."""
    found = service.reply(session, actor, consultation_id, told.party, told.adopted, told.note)
    return _whole(session, actor, found)


@routes.post("/consultations/{consultation_id}/withdraw", responses=problems(404, 409))
def withdraw_consultation(
    consultation_id: ConsultationId, told: WithdrawalIn, session: Transaction, actor: Asker
) -> ConsultationWhole:
    """Take the question back, with the reason."""
    return _whole(session, actor, service.withdraw(session, actor, consultation_id, told.note))


def _kind(each: ConsultationKind) -> ConsultationKindOut:
    return ConsultationKindOut.model_validate(each, from_attributes=True)


def _out(session: Session, found: list[Consultation]) -> list[ConsultationOut]:
    parties = queries.parties(session, [each.id for each in found])
    return [_one(each, parties.get(each.id, [])) for each in found]


def _one(each: Consultation, parties: list[ConsultationParty]) -> ConsultationOut:
    same = {name: getattr(each, name) for name in ConsultationOut.model_fields if hasattr(each, name)}
    shown = [PartyOut.model_validate(party, from_attributes=True) for party in parties]
    return ConsultationOut(**same, asker=each.asker_name, parties=shown)


def _whole(session: Session, actor: Actor, found: Consultation) -> ConsultationWhole:
    (out,) = _out(session, [found])
    files = queries.files(session, found.id)
    words = [
        WordOut(
            deed=each.deed, party=each.party, actor=each.actor_name, at=each.at, note=each.note, answers=each.answers,
            outcome=each.outcome, files=[_file(one) for one in files.get(each.id, [])],
        )
        for each in queries.words(session, found.id)
    ]  # fmt: skip
    rounds = [each.id for each in queries.rounds(session, actor, found)]
    return ConsultationWhole(**out.model_dump(), form=found.form, words=words, rounds=rounds)


def _file(each: ConsultationFile) -> ConsultationFileOut:
    return ConsultationFileOut(sha256=each.sha256, name=each.name)
