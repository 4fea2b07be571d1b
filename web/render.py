"""Pages from templates: the language, the person, and the nonce that lets our own scripts run."""

from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gis import palette
from gridmgr.account.rules import can
from gridmgr.dispatch.rules import said
from gridmgr.policy import rules as policies
from gridmgr.settings import settings
from web import i18n, words

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"
OWN = (
    "gridmgr.css",
    "gridmgr.js",
    "command.js",
    "drill.js",
    "seek.js",
    "people.js",
    "sharing.js",
    "report.js",
    "files.js",
    "list.js",
    "phrases.js",
    "claims.js",
    "whistle.js",
    "dispatch.js",
    "timeline.js",
    "past.js",
    "time.css",
    "compare.js",
    "wall.js",
    "wall.css",
    "charts.js",
    "hotspots.js",
    "hotspots.css",
    "paper.css",
    "map.css",
    "map.js",
    "points.js",
    "situation.js",
    "notice.js",
    "plan/plan.css",
    "plan/shapes.js",
    "plan/state.js",
    "plan/numbers.js",
    "plan/map.js",
    "plan/border.js",
    "plan/tools.js",
    "plan/desk.js",
)

environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def _version() -> str:
    """Return a short name of the present state of our own browser files, so that caches never serve old ones."""
    present = b"".join((STATIC / name).read_bytes() for name in OWN if (STATIC / name).exists())
    return sha256(present).hexdigest()[:10]


environment.filters.update(
    day=i18n.day,
    moment=i18n.moment,
    month=i18n.month,
    weekday=i18n.weekday,
    number=i18n.number,
    percent=i18n.percent,
    say=i18n.say,
    because=said,
    id=id,
    word=lambda code, table: words.word(table, code),
    finding=words.finding,
    more=policies.more,
)
environment.globals.update(
    _=i18n._,
    can=can,
    languages=i18n.LANGUAGES,
    words=words,
    palette=palette,
    span=words.span,
    hours=words.hours,
    version=_version(),
    product="gridmgr",
    file_limit=settings().file_limit_mb,
)


def render(
    request: Request, template: str, values: dict[str, Any] | None = None, status: int = HTTPStatus.OK
) -> HTMLResponse:
    """Return a page of a template, for whoever is logged in and in their language."""
    page = environment.get_template(template).render(
        request=request,
        actor=getattr(request.state, "actor", None),
        csrf=getattr(request.state, "csrf", ""),
        unread=getattr(request.state, "unread", 0),
        nonce=getattr(request.state, "nonce", ""),
        language=i18n.language.get(),
        production=settings().environment == "production",
        **(values or {}),
    )
    return HTMLResponse(page, status)


def is_fragment(request: Request) -> bool:
    """Tell whether htmx asks for a part of the page, not for the page (nor for it again after going back)."""
    return "hx-request" in request.headers and "hx-history-restore-request" not in request.headers
