"""For administrators: what left the house and what did not, and the systems that subscribed."""

from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from gis.errors import Problem
from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.category import queries as matters
from gridmgr.delivery import service as leaving
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.notice import queries, rules, service
from gridmgr.notice.model import Flavour, Kind, Progress, Way
from gridmgr.notice.queries import Log
from gridmgr.organisation import queries as organisation
from web import i18n
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import BigRowId, RowId, text
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
Manager = Annotated[Actor, Depends(Allow("notice.manage"))]
PAGE = 50
OUTWARD = tuple(kind for kind in Kind if rules.KINDS[kind].outward)
OUTSIDE = (Way.EMAIL, Way.SMS, Way.WEBHOOK, Way.ROBOT)
Verb = Literal["test", "pause", "resume", "remove"]


def _log(state: str = "", way: str = "", webhook: str = "") -> Log:
    """Return what the address or a form narrows the log to; a value that means nothing is left out."""
    return Log(
        Progress(state) if state in set(Progress) else None,
        Way(way) if way in OUTSIDE else None,
        int(webhook) if webhook.isdecimal() and len(webhook) < 10 else None,
    )


def _query(log: Log, **more: object) -> str:
    given = {"state": log.state, "way": log.way, "webhook": log.webhook_id} | more
    given = {name: value for name, value in given.items() if value}
    return "?" + urlencode(given) if given else ""


@router.get("/notices/deliveries", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Manager, state: str = "", way: str = "",
    webhook: str = "", before: str = "",
) -> HTMLResponse:  # fmt: skip
    """Show one page of the log, the newest first."""
    log = _log(state, way, webhook)
    cursor = int(before) if before.isdecimal() and len(before) < 19 else None
    found = queries.log(session, log, PAGE + 1, cursor)
    shown = found[:PAGE]
    values = {
        "deliveries": shown,
        "kinds": queries.kinds_of(session, shown),
        "more": _query(log, before=shown[-1].id) if len(found) > PAGE else "",
        "first": cursor is None,
        "query": _query(log),
        "log": log,
        "counts": queries.count_by_state(session),
        "hooks": queries.webhooks(session),
        "outside": OUTSIDE,
        "now": clock.now(),
    }
    return render(request, "fragments/deliveries.html" if is_fragment(request) else "deliveries.html", values)


@router.post("/notices/deliveries/replay")
def replay_all(
    session: Transaction,
    actor: Manager,
    way: Annotated[str, Form()] = "",
    webhook: Annotated[str, Form()] = "",
) -> Response:
    """Let all that were given up begin again, as far as the filters find them."""
    leaving.replay(session, _log("", way, webhook))
    return RedirectResponse(f"/notices/deliveries{_query(_log('', way, webhook))}", 303)


@router.post("/notices/deliveries/{delivery_id}/replay")
def replay(
    session: Transaction, actor: Manager, delivery_id: Annotated[BigRowId, Path()],
    back: Annotated[str, Form(max_length=200)] = "",
) -> Response:  # fmt: skip
    """Try one at once."""
    leaving.replay(session, Log(), delivery_id)
    return RedirectResponse(
        f"/notices/deliveries{back if back.startswith('?') and back.isprintable() else ''}", 303
    )


@router.get("/notices/webhooks", response_class=HTMLResponse)
def webhooks(request: Request, session: Transaction, actor: Manager, tried: str = "") -> HTMLResponse:
    """Show the systems that subscribed, with what became of their last delivery."""
    return _webhooks(request, session, actor, tried=tried)


@router.post("/notices/webhooks", response_class=HTMLResponse)
def add(
    request: Request, session: Transaction, actor: Manager,
    kinds: Annotated[list[Kind], Form(default_factory=list)], url: Annotated[text(500), Form()] = "",
    flavour: Annotated[Flavour, Form()] = Flavour.JSON, name: Annotated[text(100), Form()] = "",
    area: Annotated[text(32), Form()] = "", body: Annotated[text(100), Form()] = "",
    secret: Annotated[text(64), Form()] = "",
) -> HTMLResponse:  # fmt: skip
    """Subscribe a system and show its secret, this once; or a group's robot, whose secret is shown to nobody."""
    given = {"url": url, "kinds": kinds, "flavour": flavour, "name": name, "area": area, "body": body}
    try:
        hook = service.add_webhook(session, url, kinds, flavour, name, area, body, secret)
    except Problem as problem:
        return _webhooks(request, session, actor, problem=problem, given=given)
    return _webhooks(request, session, actor, new=hook)


@router.post("/notices/webhooks/{webhook_id}/{verb}")
def change(
    session: Transaction, actor: Manager, webhook_id: Annotated[RowId, Path()], verb: Verb
) -> Response:
    """Try, pause, resume or remove a webhook."""
    if verb == "test":
        service.try_webhook(session, webhook_id)
        return RedirectResponse(f"/notices/webhooks?tried={webhook_id}", 303)
    if verb == "remove":
        service.remove_webhook(session, webhook_id)
    else:
        service.set_webhook_active(session, webhook_id, verb == "resume")
    return RedirectResponse("/notices/webhooks", 303)


NOTHING = {"url": "", "kinds": [], "flavour": Flavour.JSON, "name": "", "area": "", "body": ""}


def _webhooks(request, session, actor, *, tried="", new=None, problem=None, given=NOTHING) -> HTMLResponse:
    values = {
        "areas": hierarchy.areas(session, actor),
        "bodies": organisation.offered(session, {each.department for each in matters.in_force(session)}),
        "hooks": queries.webhooks(session),
        "latest": queries.latest(session),
        "waiting": queries.waiting(session),
        "outward": OUTWARD,
        "tried": tried,
        "new": new,
        "given": given,
        "problem": i18n.say(problem) if problem else "",
    }
    return render(request, "webhooks.html", values, status_of(problem) if problem else 200)
