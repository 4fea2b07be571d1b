"""A plan on its way to the map: its steps for those who take them."""

from datetime import date, timedelta
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, File, Form, Path, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

import web.pages.chart as chart
from gis.drawing import Choropleth, Class
from gis.errors import Problem
from gis.offline import MapParts
from gis.thematic import difference_map
from gridmgr import clock
from gridmgr.account.rules import Actor, can
from gridmgr.boundary_plan import queries as plans
from gridmgr.consultation import queries as consultations
from gridmgr.consultation.model import ConsultationParty, Said
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.public_notice import queries as notices
from gridmgr.public_notice import service as noticing
from gridmgr.public_notice.rules import runs as running
from gridmgr.publication import queries, rules, service
from gridmgr.publication.model import Deed, Publication, State
from gridmgr.words import following
from gridmgr.words import plans as words
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import RowId, text
from web.i18n import _, say
from web.pages.uploads import files_of
from web.render import render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("plan.view"))]
PublicationId = Annotated[RowId, Path()]
NEW = "#92c5de"
AROUND = timedelta(days=30)  # of a publication, for which its figures are told as was and as now
ROLL_BACK = "roll-back"  # no step of this publication: it begins another one


@router.post("/plans/{plan_id}/submit")
def submit(
    request: Request, session: Transaction, actor: Viewer, plan_id: Annotated[RowId, Path()],
) -> Response:  # fmt: skip
    """Submit a plan, and go to its way; or say why it cannot be."""
    plan = plans.by_id(session, actor, plan_id)
    found = service.submit(session, actor, plan_id, plan.tip_id)
    return RedirectResponse(f"/publications/{found.id}", 303)


@router.get("/publications/{publication_id}", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, publication_id: PublicationId
) -> HTMLResponse:
    """Show how far a plan is, and what may be done next."""
    return _page(request, session, actor, queries.by_id(session, actor, publication_id))


@router.post("/publications/{publication_id}/files")  # before /publications/{publication_id}/{deed}
def add_files(
    request: Request, session: Transaction, actor: Viewer, publication_id: PublicationId,
    files: Annotated[list[str], Form()] = (), upload: Annotated[list[UploadFile], File(max_length=20)] = (),
) -> Response:  # fmt: skip
    """Let files belong to a plan on its way; or say why they cannot be taken."""
    brought, refused = files_of(session, actor, files, upload)
    try:
        with session.begin_nested():
            noticing.add_files(session, actor, publication_id, brought)
            if refused:
                raise refused
    except Problem as problem:
        found = queries.by_id(session, actor, publication_id)
        return _page(request, session, actor, found, problem)
    return RedirectResponse(f"/publications/{publication_id}#files", 303)


@router.post("/publications/{publication_id}/{deed}")
def step(
    request: Request, session: Transaction, actor: Viewer, publication_id: PublicationId, deed: text(16),
    note: Annotated[text(500), Form()] = "", day: Annotated[date | None, Form()] = None,
    keep: Annotated[bool, Form()] = False,
) -> Response:  # fmt: skip
    """Take a step; or say why it cannot be taken."""
    take = {
        Deed.ANNOUNCE: lambda: service.announce(session, actor, publication_id),
        Deed.CONSULT: lambda: service.consult(session, actor, publication_id, note),
        Deed.APPROVE: lambda: service.approve(
            session, actor, publication_id, day or clock.today(), keep_in_hand=keep
        ),
        Deed.PUBLISH: lambda: service.publish(session, actor, publication_id),
        Deed.WITHDRAW: lambda: service.withdraw(session, actor, publication_id, note),
        Deed.RECALL: lambda: service.recall(session, actor, publication_id, note),
        ROLL_BACK: lambda: service.roll_back(session, actor, publication_id),
    }  # fmt: skip
    goes_on = publication_id
    try:
        if deed in take:
            with session.begin_nested():
                goes_on = take[deed]().id
    except Problem as problem:
        found = queries.by_id(session, actor, publication_id)
        return _page(request, session, actor, found, problem)
    return RedirectResponse(f"/publications/{goes_on}", 303)


@router.post("/publications/{publication_id}/comments/{comment_id}")
def moderate(
    session: Transaction, actor: Viewer, publication_id: PublicationId, comment_id: Annotated[RowId, Path()],
    shown: Annotated[bool, Form()] = False, reply: Annotated[text(500), Form()] = "",
) -> Response:  # fmt: skip
    """Show a comment, or keep it back."""
    noticing.moderate(session, actor, publication_id, comment_id, shown, reply)
    return RedirectResponse(f"/publications/{publication_id}#comments", 303)


def _page(
    request: Request, session: Session, actor: Actor, found: Publication, problem: Problem | None = None
) -> HTMLResponse:
    may = rules.allowed(State(found.state))
    draws, approves = (bool(can(actor, each, found.area_code)) for each in ("plan.draw", "plan.approve"))
    deeds = [each for each in (Deed.ANNOUNCE, Deed.CONSULT) if each in may and draws]
    deeds = [each for each in deeds if each != Deed.CONSULT or not queries.heard(session, found)]
    own = Deed.APPROVE in may and found.submitted_by == actor.id  # somebody else has to approve it
    deeds += [each for each in (Deed.APPROVE, Deed.PUBLISH) if each in may and approves]
    deeds = [each for each in deeds if each != Deed.APPROVE or not own]
    deeds += [Deed.WITHDRAW] if Deed.WITHDRAW in may and rules.may_withdraw(actor, found) else []
    deeds += [Deed.RECALL] if Deed.RECALL in may and approves and found.effective == clock.today() else []
    deeds += [ROLL_BACK] if found.state == State.PUBLISHED and draws else []
    values = shown(session, found) | {
        "deeds": deeds, "steps": queries.steps(session, found.id), "today": clock.today(), "draws": draws,
        "comments": notices.comments(session, found.id, shown=False), "problem": say(problem) if problem else "",
        "waiting": notices.waiting(session, found.id), "takes_files": draws and noticing.open_for_files(found),
        "order": [each for each in State if each not in rules.BACK], "words_of": words,
        "followers": queries.followers(session, found), "follow_words": following,
        "figures": _figures(session, found), "own": own,
        "vetoes": _vetoes(session, found),
        "on_notice": running(found.state, found.notice_until, clock.now()),
    }  # fmt: skip
    return render(request, "publication.html", values, status_of(problem) if problem else HTTPStatus.OK)


def _vetoes(session: Session, found: Publication) -> list[ConsultationParty]:
    """Who has stopped a plan, and why."""
    if found.state != State.STOPPED or found.consultation_id is None:
        return []
    asked = consultations.parties(session, [found.consultation_id])[found.consultation_id]
    return [each for each in asked if each.said == Said.VETO]


def _figures(session: Session, found: Publication) -> dict[str, str]:
    """The addresses of the figures around the day of a publication: as was, as now, and both maps side by side."""
    if found.state != State.PUBLISHED:
        return {}
    first, last = found.effective - AROUND, min(found.effective + AROUND, clock.today())
    usual = {"code": found.area_code} if found.area_code else {}
    asked = usual | {"by": "micro_grid", "since": first, "until": last}
    maps = hierarchy.editions(session)
    at = next(n for n, each in enumerate(maps) if each.id == found.edition_id)
    told = {each: "/figures?" + urlencode(asked | {"areas": each}) for each in ("was", "now")}
    if at + 1 < len(maps):
        told["both"] = "/compare?" + urlencode(
            usual | {"kind": "editions", "before": maps[at + 1].id, "after": maps[at].id, "level": "micro_grid",
                     "first_since": first, "first_until": last}
        )  # fmt: skip
    return told


def shown(session: Session, found: Publication) -> dict[str, Any]:
    """Return what a page tells of a plan on its way, whoever reads it: where, what changes, its files."""
    was, now = queries.borders(session, found)
    gone = [code for code in was.index if code not in now.index]
    below = queries.surroundings(session, queries.plan_of(session, found), was)
    return {
        "found": found, "was": was, "now": now, "gone": gone, "chart": _chart(was, now, below),
        "names": hierarchy.names(session, {found.area_code}, clock.today()), "words_of": words,
        "files": notices.files(session, found.id),
    }  # fmt: skip


def _chart(was, now, below) -> MapParts:
    kinds = Choropleth("klass", _("Change"), [Class(0, NEW, _("new or redrawn"))])
    fields = {"name": _("Name"), "grid": _("Code")}
    ground = now.rename_axis("grid").reset_index().assign(klass=0)
    plain = [each[["name", "geometry"]].rename_axis("code").reset_index() for each in (was, now)]
    titles = {"around": _("Around it"), "building": _("Outlines of buildings")}
    drawn = difference_map(
        ground[["klass", *fields, "geometry"]], kinds, *plain, titles=(_("As it is"), _("As it is to be")),
        fields=fields, below={key: (titles[key], each) for key, each in below.items()}, words=chart.said(),
        **chart.ground(),
    )  # fmt: skip
    return chart.parts(drawn)
