"""Publications: a plan on its way to the map in force, step by step."""

from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Path
from pydantic import BaseModel, Field

from gridmgr.account.rules import Actor
from gridmgr.following.model import Way
from gridmgr.public_notice import queries as notices
from gridmgr.public_notice import service as noticing
from gridmgr.public_notice.model import MOST_FILES, NoticeComment, Standing
from gridmgr.publication import queries, rules, service
from gridmgr.publication.model import LONGEST_NOTE, Publication, State
from web.api.incident_shapes import FileIn
from web.api.plan_shapes import OnTip
from web.api.public_notice import NoticeFilesOut, files_out
from web.api.schema import problems, router
from web.api.terms import TermsIn, TermsOut, meant
from web.deps import Allow, Transaction
from web.fields import BigRowId, RowId, Utc, text
from web.paging import Page, Paging, paged

routes = router("publication")
Viewer = Annotated[Actor, Depends(Allow("plan.view"))]
Planner = Annotated[Actor, Depends(Allow("plan.draw"))]
Approver = Annotated[Actor, Depends(Allow("plan.approve"))]
Returner = Annotated[Actor, Depends(Allow("plan.draw", "plan.approve"))]
Keeper = Annotated[Actor, Depends(Allow("plan.manage"))]
PublicationId = Annotated[RowId, Path(description="Id of the publication.")]
Note = text(LONGEST_NOTE)


class SubmitIn(OnTip):
    """A plan as it was looked at."""

    note: Note = ""


class AnnounceIn(BaseModel):
    """For how long a plan is on public notice."""

    days: int | None = Field(None, ge=0, le=90, description="The days of the terms unless told.")


class ApproveIn(BaseModel):
    """From when a plan is to be the map."""

    effective: date
    keep_in_hand: bool = Field(False, description="Open cases somebody works on stay in their unit.")


class WithdrawIn(BaseModel):
    """Why a plan is taken back, or what was published is."""

    note: text(LONGEST_NOTE, 1)


class FilesIn(BaseModel):
    """Files sent before, by their content."""

    files: list[FileIn] = Field(min_length=1, max_length=MOST_FILES)


class PublicationOut(BaseModel):
    """A publication and how far it is."""

    id: int
    plan: int
    title: str
    area_code: str
    state: State
    changes: dict[str, Any] = Field(description="What it was going to change when it was submitted.")
    warnings: int = Field(description="Findings that do not stop it.")
    notice_from: Utc | None
    notice_until: Utc | None
    consultation: int | None
    effective: date | None
    keep_in_hand: bool
    edition_id: int | None
    undoes: int | None = Field(description="The publication it takes back, if it is a roll-back.")
    submitted_by: str
    submitted_at: Utc
    published_at: Utc | None


class PublicationPage(Page[PublicationOut]):
    """One page of publications."""


class StepOut(BaseModel):
    """A step a publication has taken."""

    deed: str
    state: State
    by: str
    at: Utc
    note: str


class StepsOut(BaseModel):
    """The steps of a publication, the first first."""

    steps: list[StepOut]


class FollowedOut(BaseModel):
    """Something bound to a unit that is to be no more, or to be divided, and what becomes of it."""

    matter: str = Field(examples=["task_force"])
    title: str
    before: str = Field(description="The code it is bound to.")
    after: str = Field(description="The code of the unit that follows.")
    way: Way
    decision: bool = Field(description="No rule decides it: somebody has to.")


class FollowersOut(BaseModel):
    """What follows the units of a plan, and how much of it needs a decision."""

    decisions: int
    followers: list[FollowedOut]


class CommentOut(BaseModel):
    """What somebody said of a plan on public notice."""

    id: int
    at: Utc
    name: str = Field(description="As it was given; may be empty.")
    text: str
    lon: float | None
    lat: float | None
    state: Standing
    reply: str
    read_by: str | None = Field(description="Who decided whether it is shown.")
    read_at: Utc | None


class CommentPage(Page[CommentOut]):
    """One page of comments on a notice, the newest first."""


class CommentIn(BaseModel):
    """Whether a comment is shown to everybody, and what is replied."""

    shown: bool
    reply: Note = ""


@routes.get("/publications")
def list_publications(
    session: Transaction, actor: Viewer, paging: Annotated[Paging[int], Depends(paged("publications", RowId))]
) -> PublicationPage:
    """List the publications whose whole ground the caller sees."""
    found = queries.page(session, actor, paging.fetch, paging.after)
    return paging.page(PublicationPage, found, lambda each: each.id, lambda rows: map(_out, rows))


@routes.get("/publications/terms")
def publication_terms(session: Transaction, _actor: Viewer) -> TermsOut:
    """Show the terms of publications in force."""
    return meant(queries.terms(session), rules.TERMS)


@routes.put("/publications/terms")
def set_publication_terms(new: TermsIn, session: Transaction, actor: Keeper) -> TermsOut:
    """Set the terms of publications from a day on; notices that run keep their days."""
    return meant(service.set_terms(session, actor, new.effective, new.terms), rules.TERMS)


@routes.post("/plans/{plan_id}/submit", status_code=201, responses=problems(404, 409))
def submit_plan(
    plan_id: Annotated[RowId, Path()], new: SubmitIn, session: Transaction, actor: Planner
) -> PublicationOut:
    """Close a draft, and check the map it makes."""
    return _out(service.submit(session, actor, plan_id, new.on_tip, new.note))


@routes.post("/plans/{plan_id}/rebase", responses=problems(404, 409))
def rebase_plan(plan_id: Annotated[RowId, Path()], session: Transaction, actor: Planner) -> dict[str, str]:
    """Take a draft to the newest state of the map, if nobody has changed what it draws."""
    return {"base": service.rebase(session, actor, plan_id).base}


@routes.get("/publications/{publication_id}", responses=problems(404))
def show_publication(publication_id: PublicationId, session: Transaction, actor: Viewer) -> PublicationOut:
    """Return a publication."""
    return _out(queries.by_id(session, actor, publication_id))


@routes.get("/publications/{publication_id}/steps", responses=problems(404))
def list_publication_steps(publication_id: PublicationId, session: Transaction, actor: Viewer) -> StepsOut:
    """List the steps a publication has taken."""
    found = queries.steps(session, queries.by_id(session, actor, publication_id).id)
    return StepsOut(
        steps=[
            StepOut(deed=s.deed, state=State(s.state), by=s.actor_name, at=s.at, note=s.note) for s in found
        ]
    )


@routes.get("/publications/{publication_id}/followers", responses=problems(404))
def list_publication_followers(
    publication_id: PublicationId, session: Transaction, actor: Viewer
) -> FollowersOut:
    """List what follows the units of a plan on the day it is published; what needs a decision stands first."""
    found = queries.followers(session, queries.by_id(session, actor, publication_id))
    told = [FollowedOut.model_validate(each, from_attributes=True) for each in found]
    return FollowersOut(decisions=sum(each.decision for each in told), followers=told)


@routes.post("/publications/{publication_id}/announce", responses=problems(404, 409))
def announce_plan(
    publication_id: PublicationId, new: AnnounceIn, session: Transaction, actor: Planner
) -> PublicationOut:
    """Put a checked plan on public notice."""
    return _out(service.announce(session, actor, publication_id, new.days))


@routes.post("/publications/{publication_id}/consult", responses=problems(404, 409))
def consult_on_plan(publication_id: PublicationId, session: Transaction, actor: Planner) -> PublicationOut:
    """Ask the streets and communities it touches."""
    return _out(service.consult(session, actor, publication_id))


@routes.post("/publications/{publication_id}/approve", responses=problems(404, 409))
def approve_plan(
    publication_id: PublicationId, new: ApproveIn, session: Transaction, actor: Approver
) -> PublicationOut:
    """Approve a plan for a day; from its midnight on it is published."""
    found = service.approve(session, actor, publication_id, new.effective, keep_in_hand=new.keep_in_hand)
    return _out(found)


@routes.post("/publications/{publication_id}/publish", responses=problems(404, 409))
def publish_plan(publication_id: PublicationId, session: Transaction, actor: Approver) -> PublicationOut:
    """Make an approved plan the map from today on."""
    return _out(service.publish(session, actor, publication_id))


@routes.post("/publications/{publication_id}/withdraw", responses=problems(404, 409))
def withdraw_plan(
    publication_id: PublicationId, new: WithdrawIn, session: Transaction, actor: Returner
) -> PublicationOut:
    """Take a plan back before it is published: whoever submitted it may, or may approve it."""
    return _out(service.withdraw(session, actor, publication_id, new.note))


@routes.post("/publications/{publication_id}/recall", responses=problems(404, 409))
def recall_publication(
    publication_id: PublicationId, new: WithdrawIn, session: Transaction, actor: Approver
) -> PublicationOut:
    """Give the ground back at once as it was, on the very day it was published; approved for no day it stays."""
    return _out(service.recall(session, actor, publication_id, new.note))


@routes.get("/publications/{publication_id}/files", responses=problems(404))
def list_publication_files(
    publication_id: PublicationId, session: Transaction, actor: Viewer
) -> NoticeFilesOut:
    """List the files that belong to a plan on its way."""
    return files_out(session, queries.by_id(session, actor, publication_id).id)


@routes.post("/publications/{publication_id}/files", responses=problems(404, 409))
def add_publication_files(
    publication_id: PublicationId, new: FilesIn, session: Transaction, actor: Planner
) -> NoticeFilesOut:
    """Let files the caller has sent belong to a plan: everybody may read them once it is on public notice.

    They are added before its public notice ends, and stay.
    """
    noticing.add_files(session, actor, publication_id, [each.model_dump() for each in new.files])
    return files_out(session, publication_id)


@routes.post("/publications/{publication_id}/roll-back", status_code=201, responses=problems(404, 409))
def roll_back_publication(
    publication_id: PublicationId, session: Transaction, actor: Planner
) -> PublicationOut:
    """Submit a plan that gives the ground back as it was before a published one; it goes all steps as any other."""
    return _out(service.roll_back(session, actor, publication_id))


@routes.get("/publications/{publication_id}/comments", responses=problems(404))
def list_notice_comments(
    publication_id: PublicationId, session: Transaction, actor: Viewer,
    paging: Annotated[Paging[int], Depends(paged("notice_comments", BigRowId))],
) -> CommentPage:  # fmt: skip
    """List what was said of a plan on public notice, also what is not shown."""
    of = queries.by_id(session, actor, publication_id).id
    found = notices.comments(session, of, shown=False, size=paging.fetch, after=paging.after)
    return paging.page(
        CommentPage, found, lambda each: each[0].id, lambda rows: [_said(*row) for row in rows]
    )


@routes.post("/publications/{publication_id}/comments/{comment_id}", responses=problems(404))
def moderate_comment(
    publication_id: PublicationId, comment_id: Annotated[BigRowId, Path(description="Id of the comment.")],
    told: CommentIn, session: Transaction, actor: Planner,
) -> CommentOut:  # fmt: skip
    """Show a comment to everybody, with a reply if one is given, or keep it back."""
    said = noticing.moderate(session, actor, publication_id, comment_id, told.shown, told.reply)
    (found,) = notices.comments(session, publication_id, shown=False, only=said.id)
    return _said(*found)


def _said(each: NoticeComment, lon: float | None, lat: float | None) -> CommentOut:
    return CommentOut(
        id=each.id, at=each.at, name=each.name, text=each.text, lon=lon, lat=lat, state=Standing(each.state),
        reply=each.reply, read_by=each.read_by, read_at=each.read_at,
    )  # fmt: skip


def _out(found: Publication) -> PublicationOut:
    return PublicationOut(
        id=found.id, plan=found.plan_id, title=found.title, area_code=found.area_code, state=State(found.state),
        changes=found.changes, warnings=len(found.warnings), notice_from=found.notice_from,
        notice_until=found.notice_until, consultation=found.consultation_id, effective=found.effective,
        keep_in_hand=found.keep_in_hand, edition_id=found.edition_id, undoes=found.undoes_id,
        submitted_by=found.submitted_name, submitted_at=found.submitted_at, published_at=found.published_at,
    )  # fmt: skip
