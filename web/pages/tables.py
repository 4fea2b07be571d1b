"""A table people bring on a page: checked and shown, then taken whole or not at all."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from gis.errors import Problem
from gridmgr import db
from gridmgr.sheet import BadSheet
from web import i18n
from web.errors import status_of
from web.render import is_fragment, render


def bring(
    request: Request, session: Session, name: str, take: bool, work: Callable[[], dict[str, Any]]
) -> HTMLResponse:
    """Do the work, undone again unless it is to `take` the table, and show what came of it.

    `work` returns what the template `name` shows: the whole page, or for htmx its fragment. Every bad cell is
    listed, and then nothing is written.
    """
    values: dict[str, Any] = {"errors": [], "problem": "", "found": None, "names": {}, "taken": take}
    status = HTTPStatus.OK
    try:
        with db.rehearsed(session, keep=take):
            values |= work()
    except BadSheet as problem:
        values["errors"], status = problem.errors, status_of(problem)
    except Problem as problem:
        values["problem"], status = i18n.say(problem), status_of(problem)
    return render(request, f"fragments/{name}" if is_fragment(request) else name, values, status)
