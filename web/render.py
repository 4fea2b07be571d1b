"""Pages from templates: the language, the person, and the nonce that lets our own scripts run."""

from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gridmgr.account.rules import can
from gridmgr.settings import settings
from web import i18n

TEMPLATES = Path(__file__).parent / "templates"

environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    extensions=["jinja2.ext.i18n"],
)
environment.install_gettext_callables(
    lambda text: i18n.catalogue(i18n.language.get()).gettext(text),
    lambda one, many, n: i18n.catalogue(i18n.language.get()).ngettext(one, many, n),
    newstyle=True,
)
environment.filters.update(
    day=i18n.day, moment=i18n.moment, number=i18n.number, percent=i18n.percent, say=i18n.say
)
environment.globals.update(can=can, languages=i18n.LANGUAGES)


def render(
    request: Request, template: str, values: dict[str, Any] | None = None, status: int = HTTPStatus.OK
) -> HTMLResponse:
    """Return a page of a template, for whoever is logged in and in their language."""
    page = environment.get_template(template).render(
        request=request,
        actor=getattr(request.state, "actor", None),
        csrf=getattr(request.state, "csrf", ""),
        nonce=getattr(request.state, "nonce", ""),
        language=i18n.language.get(),
        production=settings().environment == "production",
        **(values or {}),
    )
    return HTMLResponse(page, status)
