"""Where people on duty are: a table, a layer of the command map, and each person's own switch."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.position import queries, rules, service
from gridmgr.position.model import Seen
from gridmgr.words.places import ago
from web import words
from web.deps import Allow, Transaction
from web.fields import text
from web.i18n import _
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
Leader = Annotated[Actor, Depends(Allow("position.view"))]
Person = Annotated[Actor, Depends(Allow("position.share"))]
SIZE, ON_MAP = 100, 2000


@router.get("/positions", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Leader, area: Annotated[text(32), Query()] = "",
    after: Annotated[text(64), Query()] = "",
) -> HTMLResponse:  # fmt: skip
    """List where the people somebody leads were last."""
    found = queries.page(session, actor, area.strip(), SIZE + 1, after)
    values = {
        "rows": found[:SIZE], "more": found[SIZE - 1].account.username if len(found) > SIZE else "",
        "area": area.strip(), "after": after, "names": _names(session, found), "kept": rules.KEPT,
        "now": clock.now(), "ago": ago,
        "pale": rules.is_pale,
    }  # fmt: skip
    if is_fragment(request):
        return render(request, "fragments/positions.html", values)
    return render(request, "positions.html", values | {"areas": hierarchy.areas(session, actor)})


@router.get("/map/positions")
def points(session: Transaction, actor: Leader) -> dict[str, list[dict[str, Any]]]:
    """Return the layer of the command map: where, who, and how long ago in words."""
    found, now = queries.page(session, actor, "", ON_MAP), clock.now()
    names = _names(session, found)
    return {
        "items": [
            {
                "id": each.account.id, "lon": each.lon, "lat": each.lat, "name": each.account.name,
                "role": "、".join(_roles(each)), "place": names.get(each.code, each.code or ""),
                "ago": ago(now - each.sent_at), "pale": rules.is_pale(each.sent_at, now),
            }
            for each in found
        ]
    }  # fmt: skip


def _roles(seen: Seen) -> list[str]:
    return list(dict.fromkeys(words.word(words.ROLES, grant.role) for grant in seen.account.grants))


def _names(session: Session, found: list[Seen]) -> dict[str, str]:
    codes = {each.code for each in found} | {grant.code for each in found for grant in each.account.grants}
    return hierarchy.names(session, codes, clock.today())


@router.get("/positions/mine", response_class=HTMLResponse)
def switch(request: Request, session: Transaction, actor: Person, quiet: bool = False) -> HTMLResponse:
    """Show the own switch; on pages about something else, only what sends."""
    return _switch(request, session, actor, quiet)


@router.post("/positions/mine")
def turn(
    request: Request, session: Transaction, actor: Person, shared: Annotated[text(8), Form()] = ""
) -> Response:
    """Switch sharing on or off."""
    if shared:
        service.share(session, actor)
    else:
        service.stop(session, actor)
    return _switch(request, session, actor, quiet=False)


def _switch(request: Request, session: Session, actor: Actor, quiet: bool) -> HTMLResponse:
    values = {
        "own": queries.shared(session, actor), "zone": str(clock.zone()), "quiet": quiet,
        "every": int(rules.EVERY.total_seconds()),
        "hours": int(rules.KEPT.total_seconds()) // 3600,
        "said": {"sent": _("Sent at {time}."), "denied": _("The browser does not tell where you are; allow it there.")},
    }  # fmt: skip
    return render(request, "fragments/sharing.html", values, HTTPStatus.OK)
