"""Requests that a matter be admitted to a territory's list: asked, argued, decided."""

from typing import Annotated

from fastapi import Depends, Path
from pydantic import BaseModel, Field

from gridmgr.account.rules import Actor
from gridmgr.admission import queries, rules, service
from gridmgr.admission.model import AdmissionDeed, Deed
from gridmgr.responsibility.model import Admission, Standing
from web.api.schema import problems, router
from web.deps import Allow, Transaction
from web.fields import Code, Day, RowId, Utc, text
from web.paging import Page, Paging, paged

routes = router("admission")
Viewer = Annotated[Actor, Depends(Allow("list.view"))]
Asker = Annotated[Actor, Depends(Allow("admission.ask"))]
AdmissionId = Annotated[RowId, Path(description="Id of the request.", examples=[7])]


class AdmissionOut(BaseModel):
    """A request: what is to be admitted where and why, and how it stands."""

    id: int = Field(examples=[7])
    code: str = Field(description="Of the unit that is to answer.", examples=["510106001"])
    category: str = Field(description="Beginning of the codes of the matters.", examples=["0201"])
    lead: str = Field(description="Who is to lead there.", examples=["西安路街道"])
    reason: str = Field(examples=["街道离得近，先期处置快"])
    asker: str = Field(examples=["何志强"])
    body: str = Field(description="The department it is asked for.", examples=["环卫所"])
    asked_at: Utc
    state: Standing
    decided_at: Utc | None
    begins: Day | None
    ends: Day | None = Field(description="The last day, if it has an end.")
    deeds: list[Deed] = Field(description="What the caller may do to it now.")


class AdmissionPage(Page[AdmissionOut]):
    """Requests, the newest first."""


class AdmissionDeedOut(BaseModel):
    """One thing said or done about a request."""

    deed: Deed
    actor: str
    at: Utc
    note: str


class WholeAdmission(BaseModel):
    """A request and all that was said and done about it, in order."""

    request: AdmissionOut
    done: list[AdmissionDeedOut]


class AdmissionIn(BaseModel):
    """What is to be admitted where, and why."""

    code: Code = Field(examples=["510106001"])
    category: Code = Field(examples=["0201"])
    reason: text(rules.MOST_NOTE, 1) = Field(examples=["街道离得近，先期处置快"])
    lead: text(100) = Field("", description="Who would lead there; the unit itself if empty.", examples=[""])


class AdmissionDeedIn(BaseModel):
    """What is said or decided; a grant has a first day and perhaps a last one."""

    deed: Deed = Field(examples=["argue"])
    note: text(rules.MOST_NOTE) = Field("", examples=["需先配备两名专业人员"])
    begins: Day | None = Field(None, examples=[None])
    ends: Day | None = Field(None, examples=[None])


@routes.get("/admissions")
def list_admissions(
    session: Transaction,
    actor: Viewer,
    paging: Annotated[Paging[int], Depends(paged("admissions", RowId))],
    state: Standing | None = None,
) -> AdmissionPage:
    """List the requests that touch the caller's area."""
    found = queries.page(session, actor, state or "", paging.fetch, paging.after)
    return paging.page(
        AdmissionPage, found, lambda row: row.id, lambda rows: [_out(actor, each) for each in rows]
    )


@routes.get("/admissions/{admission_id}", responses=problems(404))
def show_admission(admission_id: AdmissionId, session: Transaction, actor: Viewer) -> WholeAdmission:
    """Show a request and what was said and done about it."""
    found = queries.request(session, actor, admission_id)
    done = queries.deeds(session, [admission_id]).get(admission_id, [])
    return WholeAdmission(request=_out(actor, found), done=list(map(_deed, done)))


@routes.post("/admissions", status_code=201, responses=problems(409))
def ask_for_admission(told: AdmissionIn, session: Transaction, actor: Asker) -> AdmissionOut:
    """Ask that a matter be admitted to the list of a unit."""
    return _out(actor, service.ask(session, actor, told.code, told.category, told.reason, told.lead))


@routes.post("/admissions/{admission_id}", responses=problems(404, 409))
def do_to_admission(
    admission_id: AdmissionId, told: AdmissionDeedIn, session: Transaction, actor: Viewer
) -> AdmissionOut:
    """Argue, grant, refuse, take back a request, or end what was granted; nobody decides their own."""
    return _out(actor, service.do(session, actor, admission_id, told.deed, told.note, told.begins, told.ends))


def _out(actor: Actor, found: Admission) -> AdmissionOut:
    same = {name: getattr(found, name) for name in AdmissionOut.model_fields if hasattr(found, name)}
    return AdmissionOut(**same, asker=found.asker_name, deeds=rules.deeds(actor, found))


def _deed(each: AdmissionDeed) -> AdmissionDeedOut:
    return AdmissionDeedOut(deed=each.deed, actor=each.actor_name, at=each.at, note=each.note)
