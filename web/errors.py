"""The one table from what went wrong to HTTP, and the two ways it is told: problem+json and a page."""

from http import HTTPStatus
from math import isfinite

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException

from gis.errors import Problem
from gridmgr.attachment.model import FileTooLarge
from gridmgr.errors import BadInput, Conflict, Forbidden, NotFound, TooMany, Unauthenticated, Unavailable
from gridmgr.importing.model import TooLarge
from gridmgr.responsibility.model import NotPublishable
from gridmgr.sheet import BadSheet
from web.deps import wants_stream
from web.etags import Changed, MatchNeeded
from web.gate import AmbiguousLength
from web.i18n import _, say
from web.ranges import OutOfRange
from web.render import render

STATUS: dict[type[Problem], HTTPStatus] = {
    Changed: HTTPStatus.PRECONDITION_FAILED,
    MatchNeeded: HTTPStatus.PRECONDITION_REQUIRED,
    AmbiguousLength: HTTPStatus.BAD_REQUEST,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    FileTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    OutOfRange: HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
    BadInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    Problem: HTTPStatus.INTERNAL_SERVER_ERROR,
}


ENDED = "event: end\ndata: null\n\n"


def status_of(problem: Problem) -> HTTPStatus:
    """Return the HTTP status of a problem: that of its nearest ancestor in the table."""
    return next(STATUS[ancestor] for ancestor in type(problem).__mro__ if ancestor in STATUS)


def install(app: FastAPI) -> None:
    """Let the application answer every problem from this table."""
    app.add_exception_handler(Problem, answer)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def wants_page(request: Request) -> bool:
    """Tell whether the caller is a browser on a page, not a program on the API."""
    return not request.scope["path"].startswith(("/api", "/tiles", "/healthz", "/readyz", "/metrics"))


def unforeseen(request: Request) -> Response:
    """Answer what nobody foresaw; the server's log has the details, the caller gets none."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return _told(request, status, _(status.phrase), "Unforeseen")


def answer(request: Request, problem: Problem) -> Response:
    """Answer a problem: as problem+json to a program, as a page or a way to the login to a person."""
    status = status_of(problem)
    if status is HTTPStatus.UNAUTHORIZED and wants_page(request) and request.url.path != "/login":
        if wants_stream(request):  # it comes back by itself, and can read neither status nor login
            return Response(ENDED, media_type="text/event-stream")
        target = "/login" if request.url.path == "/" else f"/login?next={request.url.path}"
        if "hx-request" in request.headers:
            return Response(status_code=HTTPStatus.NO_CONTENT, headers={"HX-Redirect": target})
        return RedirectResponse(target, HTTPStatus.SEE_OTHER)
    more = {"details": _plain(problem.details)}
    if isinstance(problem, BadSheet):
        more["errors"] = faults(problem)
    if isinstance(problem, NotPublishable):
        more["errors"] = [
            {"field": ", ".join(each.items) or "-", "value": each.category, "reason": say(each.reason)}
            for each in problem.faults
        ]
    response = _told(request, status, say(problem), type(problem).__name__, **more)
    if isinstance(problem, TooMany):
        response.headers["Retry-After"] = str(problem.details.get("seconds", 60))
    if isinstance(problem, OutOfRange):
        response.headers["Content-Range"] = f"bytes */{problem.details['size']}"
    if isinstance(problem, AmbiguousLength):  # whatever follows on this connection cannot be trusted
        response.headers["Connection"] = "close"
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def faults(problem: BadSheet) -> list[dict[str, int | str]]:
    """Return every bad cell of a table, the reason in the language of this request."""
    return [
        {"row": cell["row"], "field": cell["column"], "value": cell["value"], "reason": say(error.reason)}
        for error in problem.errors
        for cell in [error.details]
    ]


def _plain(details: dict) -> dict:
    return {
        name: value if isinstance(value, int | str) or _finite(value) else str(value)
        for name, value in details.items()
    }


def _finite(value: object) -> bool:
    return isinstance(value, float) and isfinite(value)


def _invalid(request: Request, error: RequestValidationError) -> Response:
    faults = [
        {"field": _whole(".".join(str(part) for part in fault["loc"])), "reason": _whole(_(fault["msg"]))}
        for fault in error.errors()
    ]
    detail = "; ".join(f"{fault['field']}: {fault['reason']}" for fault in faults)
    return _told(request, HTTPStatus.UNPROCESSABLE_ENTITY, detail, "InvalidRequest", errors=faults)


def _whole(text: str) -> str:
    """Return the text as UTF-8 can carry it; JSON may smuggle in half a surrogate pair."""
    return text.encode(errors="replace").decode()


def _http(request: Request, error: HTTPException) -> Response:
    if isinstance(error.__cause__, Problem):  # raised while the body was read, and wrapped by FastAPI
        return answer(request, error.__cause__)
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        allow = {"Allow": ", ".join(_methods(request))}
        if request.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=allow)
        error.headers = allow
    detail = _(status.phrase)
    if (
        status is HTTPStatus.BAD_REQUEST
    ):  # the content could not even be taken apart; the reason is the library's
        detail = _("The content cannot be read: {reason}", reason=_whole(str(error.detail)))
    response = _told(request, status, detail, status.phrase.replace(" ", ""))
    response.headers.update(error.headers or {})
    return response


def _methods(request: Request) -> list[str]:
    """Return all methods an address takes; each of its routes knows only its own."""
    routes = [each for each in iter_route_contexts(request.app.routes) if getattr(each, "path_regex", None)]
    here = [each.methods or () for each in routes if each.path_regex.match(request.scope["path"])]
    found = set().union(*here) or {"GET"}  # a file has no route of its own
    return sorted(found | {"OPTIONS"} | ({"HEAD"} if "GET" in found else set()))


def _told(request: Request, status: HTTPStatus, detail: str, kind: str, **more: object) -> Response:
    title = _(status.phrase)
    if wants_page(request):
        if "hx-request" in request.headers:
            return render(request, "fragments/problem.html", {"detail": detail}, status=status)
        return render(request, "problem.html", {"title": title, "detail": detail}, status=status)
    body = {"type": f"about:blank#{kind}", "title": title, "status": status, "detail": detail, **more}
    return JSONResponse(body, status, media_type="application/problem+json")
