"""Weekly and monthly reports: those that were written, with all their numbers and files; to want one; their plan."""

from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request, Response
from pydantic import BaseModel, Field

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.bulletin import queries, rules, service
from gridmgr.bulletin.model import Bulletin, BulletinDue, BulletinPlan, Progress
from gridmgr.bulletin.queries import Search
from gridmgr.digest import queries as digests
from gridmgr.digest.model import Period, Span, Subject
from gridmgr.digest.rules import before, sentences, span
from web import etags
from web.api.files import kept
from web.api.schema import file, problems, router
from web.deps import Allow, Transaction
from web.fields import Day, RowId, Utc, text
from web.paging import Page, Paging, paged

routes = router("bulletin")
Viewer = Annotated[Actor, Depends(Allow("bulletin.view"))]
Writer = Annotated[Actor, Depends(Allow("bulletin.write"))]
BulletinId = Annotated[RowId, Path(description="Id of the report.")]
FileName = Annotated[
    str, Path(pattern=r"^(zh|en)\.(html|pdf)$|^map\.html$|^[a-z]{1,20}\.png$", examples=["zh.pdf"])
]


class BulletinOut(BaseModel):
    """A report that was written; nothing of it ever changes."""

    id: int
    subject: Subject
    key: str = Field(
        description="A code, the id of a module, a body's name, a user name; empty: the district."
    )
    area: str = Field(description="The beginning of the codes it tells of.")
    name: str = Field(examples=["荷花池街道"])
    period: Period
    first: Day
    last: Day
    issue: int = Field(description="1; a corrected one is 2, beside the first.")
    why: str = Field(description="Why it was written again.")
    as_of: Utc = Field(description="The instant whose records it shows.")
    written_at: Utc
    written_by: str
    last_event: int = Field(description="The newest step of all histories when it was written.")
    edition_id: int | None
    hash: str = Field(description="SHA-256 of the content as JSON with sorted keys, without spaces.")


class BulletinFull(BulletinOut):
    """A report with all its numbers, what they say in sentences, and its files."""

    content: dict[str, Any]
    sentences: list[str]
    files: dict[str, str] = Field(
        description="Name → SHA-256 of what is kept.", examples=[{"zh.pdf": "0" * 64}]
    )


class BulletinPage(Page[BulletinOut]):
    """Reports, the newest first."""


class DueOut(BaseModel):
    """A report that is to be written."""

    id: int
    subject: Subject
    key: str
    period: Period
    first: Day
    planned: bool = Field(description="By a plan; else somebody wants it.")
    state: Progress
    attempts: int
    problem: str = Field(description="Why the last attempt failed.")
    bulletin_id: int | None


class DuesOut(BaseModel):
    """Reports that are not written yet."""

    due: list[DueOut]


class WantIn(BaseModel):
    """Which report is wanted."""

    subject: Subject = Field(examples=["district"])
    key: text(100) = ""
    period: Period = Period.WEEK
    day: Day | None = Field(None, description="Any day of the period; without one, the last that has ended.")
    why: text(500) = Field("", description="Needed if it is there already.")
    known_now: bool = Field(False, description="By what is known now, not at the period's end.")


class PlanOut(BaseModel):
    """That reports are written week by week, or month by month."""

    id: int
    subject: Subject
    key: str
    area: str
    period: Period
    since: Day
    tell: list[str]
    set_at: Utc


class PlansOut(BaseModel):
    """The plans that run."""

    plans: list[PlanOut]


class PlanIn(BaseModel):
    """Of what, how often, from when on, and who else is told."""

    subject: Subject = Field(examples=["district"])
    key: text(100) = ""
    period: Period = Period.WEEK
    since: Day | None = Field(None, description="Any day of the first; without one, the last that has ended.")
    tell: list[text(64)] = Field([], max_length=50)
    below: bool = Field(False, description="Of each street, or community, of it too.")


def chosen(period: Period, day: date | None) -> Span:
    """Return the period of a day; without one, the last that has ended."""
    return span(period, day) if day else before(span(period, clock.today()))


@routes.get("/bulletins")
def list_bulletins(
    session: Transaction, actor: Viewer, paging: Annotated[Paging[int], Depends(paged("bulletins", RowId, 50))],
    subject: Subject | None = None, period: Period | None = None,
    area: Annotated[text(32), Query(description="Code prefix.")] = "", since: Day | None = None,
    until: Day | None = None,
) -> BulletinPage:  # fmt: skip
    """List the reports the caller may read."""
    search = Search(subject or "", period or "", area, since, until)
    found = queries.page(session, actor, search, paging.fetch, paging.after)
    return paging.page(BulletinPage, found, lambda each: each.id, lambda rows: map(_out, rows))


@routes.post("/bulletins", status_code=202, responses=problems(404, 409))
def want_bulletin(wanted: WantIn, session: Transaction, actor: Writer) -> DueOut:
    """Want a report: the worker writes it as soon as it can; its `bulletin_id` is there then."""
    target = digests.target(session, wanted.subject, wanted.key)
    made = service.want(
        session, actor, target, chosen(wanted.period, wanted.day), wanted.why, known_now=wanted.known_now
    )
    return _due(made)


@routes.get("/bulletins/due")
def list_due_bulletins(session: Transaction, actor: Viewer) -> DuesOut:
    """List the reports that are to be written, and those that failed, with the reason."""
    return DuesOut(due=[_due(each) for each in queries.outstanding(session, actor)])


@routes.get("/bulletins/due/{due_id}", responses=problems(404))
def show_due_bulletin(due_id: RowId, session: Transaction, actor: Viewer) -> DueOut:
    """Show how far a report that is wanted has come."""
    return _due(queries.due(session, actor, due_id))


@routes.post("/bulletins/due/{due_id}/retry", responses=problems(404))
def retry_bulletin(due_id: RowId, session: Transaction, actor: Writer) -> DueOut:
    """Let a report that failed be tried again now."""
    return _due(service.retry(session, actor, due_id))


@routes.get("/bulletins/plans")
def list_bulletin_plans(session: Transaction, actor: Viewer) -> PlansOut:
    """List which reports are planned."""
    return PlansOut(plans=[_plan(each) for each in queries.plans(session, actor)])


@routes.post("/bulletins/plans", status_code=201, responses=problems(404, 409))
def plan_bulletins(planned: PlanIn, session: Transaction, actor: Writer) -> PlansOut:
    """Plan reports: they are written Monday, or on the 1st, at 06:00; missed ones are caught up with."""
    target = digests.target(session, planned.subject, planned.key)
    made = service.plan(
        session, actor, target, planned.period, planned.since, planned.tell, below=planned.below
    )
    return PlansOut(plans=[_plan(each) for each in made])


@routes.delete("/bulletins/plans/{plan_id}", responses=problems(404))
def end_bulletin_plan(plan_id: RowId, session: Transaction, actor: Writer) -> PlanOut:
    """End a plan; what was written by it stays."""
    return _plan(service.end_plan(session, actor, plan_id))


@routes.get("/bulletins/{bulletin_id}", responses=problems(404))
def show_bulletin(bulletin_id: BulletinId, session: Transaction, actor: Viewer) -> BulletinFull:
    """Show a report with all its numbers, as they were kept."""
    found = queries.bulletin(session, actor, bulletin_id)
    files = {name: each.sha256 for name, each in queries.files(session, found.id).items()}
    told = sentences(found.content)
    return BulletinFull(**_out(found).model_dump(), content=found.content, sentences=told, files=files)


@routes.get(
    "/bulletins/{bulletin_id}/files/{name}", response_class=Response,
    responses=problems(404) | file("*/*", "A page, a PDF, the map in one file, or a picture, as it is kept."),
)  # fmt: skip
def show_bulletin_file(
    bulletin_id: BulletinId, name: FileName, request: Request, session: Transaction, actor: Viewer
) -> Response:
    """Return a file of a report; in a language nobody has read it in it is set from its numbers, and kept."""
    return answered(request, *service.file(session, actor, bulletin_id, name)[1:], bulletin_id, name)


def answered(
    request: Request, media: str, content: bytes, bulletin_id: int, name: str, *, show: bool = False
) -> Response:  # fmt: skip
    """Return a file of a report as an answer that is kept by its reader: shown, or saved."""
    way = "inline" if show or media == rules.PNG else "attachment"
    headers = kept(f"bulletin-{bulletin_id}-{name}")
    headers["Content-Disposition"] = f'{way}; filename="bulletin-{bulletin_id}-{name}"'
    return etags.spared(request, Response(content, headers=headers, media_type=media))


def _out(each: Bulletin) -> BulletinOut:
    names = set(BulletinOut.model_fields) - {"written_by", "hash"}
    same = {name: getattr(each, name) for name in names}
    return BulletinOut(**same, written_by=each.writer_name, hash=each.content_hash)


def _due(each: BulletinDue) -> DueOut:
    same = {name: getattr(each, name) for name in DueOut.model_fields if name != "planned"}
    return DueOut(**same, planned=each.plan_id is not None)


def _plan(each: BulletinPlan) -> PlanOut:
    return PlanOut(**{name: getattr(each, name) for name in PlanOut.model_fields})
