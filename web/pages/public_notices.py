"""Public notices for everybody, without an account: the plans, what each changes, its files, and what one thinks."""

from typing import Annotated

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

import web.pages.dated as dated
from gis.errors import Problem
from gridmgr import clock
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.public_notice import queries, rules, service
from gridmgr.publication import rules as publications
from gridmgr.publication import service as publishing
from gridmgr.publication.model import Publication
from gridmgr.words import N_
from gridmgr.words import plans as words
from web.api.public_notice import EVERYBODY, sender
from web.deps import Transaction, give_cookie
from web.errors import status_of
from web.fields import RowId, text
from web.i18n import say
from web.login import check_form, form_cookie, guarded
from web.pages.publications import shown
from web.render import render

router = APIRouter(include_in_schema=False)
PublicationId = Annotated[RowId, Path()]

dated.serve(  # before /public-notices/{publication_id}
    router,
    dated.Terms(
        "/public-notices", publications.MATTER, publications.TERMS, N_("Terms of publications"), publishing.set_terms,
        view="plan.view", manage="plan.manage",
    ),
)  # fmt: skip


@router.get("/public-notices", response_class=HTMLResponse, dependencies=[EVERYBODY])
def notices(request: Request, session: Transaction) -> HTMLResponse:
    """List the plans on public notice, for everybody."""
    found = queries.notices(session)
    names = hierarchy.names(session, {each.area_code for each in found}, clock.today())
    return render(request, "public_notices.html", {"found": found, "names": names, "words_of": words})


@router.get("/public-notices/{publication_id}", response_class=HTMLResponse, dependencies=[EVERYBODY])
def notice(
    request: Request, session: Transaction, publication_id: PublicationId, sent: bool = False
) -> HTMLResponse:
    """Show a plan on public notice, with what was said of it."""
    return _notice(request, session, queries.notice(session, publication_id), sent=sent)


@router.post("/public-notices/{publication_id}", dependencies=[EVERYBODY])
def comment(
    request: Request, session: Transaction, publication_id: PublicationId,
    told: Annotated[text(2000), Form()] = "", name: Annotated[text(100), Form()] = "",
    lon: Annotated[text(20), Form()] = "", lat: Annotated[text(20), Form()] = "",
    secret: Annotated[text(64), Form()] = "",
) -> Response:  # fmt: skip
    """Take what somebody says of a plan; or say why it cannot be taken."""
    given = {"told": told, "name": name, "lon": lon, "lat": lat}
    try:
        check_form(request, secret)
        service.comment(session, publication_id, sender(request), name, told, rules.place(lon, lat))
    except Problem as problem:
        return _notice(request, session, queries.notice(session, publication_id), problem, given)
    return RedirectResponse(f"/public-notices/{publication_id}?sent=1", 303)


def _notice(
    request: Request, session: Session, found: Publication, problem: Problem | None = None,
    given: dict[str, str] | None = None, *, sent: bool = False,
) -> HTMLResponse:  # fmt: skip
    said = queries.comments(session, found.id, shown=True)
    secret = guarded(request)
    values = shown(session, found) | {
        "comments": said, "sent": sent, "problem": say(problem) if problem else "", "secret": secret,
        "given": given or {"told": "", "name": "", "lon": "", "lat": ""},
        "runs": rules.runs(found.state, found.notice_until, clock.now()),
        "pins": [[lon, lat, each.text] for each, lon, lat in said if lon is not None],
    }  # fmt: skip
    answer = render(request, "public_notice.html", values, status_of(problem) if problem else 200)
    give_cookie(answer, secret, form_cookie())
    return answer
