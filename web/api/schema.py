"""The OpenAPI document of everything under /api and /tiles, and the shape of every error."""

from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, ConfigDict, Field

from gis.errors import UnknownDatum
from gridmgr.account.model import NotGranted, SessionEnded
from gridmgr.errors import Problem, Unavailable
from gridmgr.incident.model import UnknownIncident
from gridmgr.life.model import IllegalMove
from web import once
from web.api.examples import BYTES, show
from web.api.headers import HEADERS, dress
from web.api.route import Route
from web.deps import COOKIE, Open, permission
from web.etags import Changed, MatchNeeded
from web.gate import AmbiguousLength, BodyTooLarge
from web.ranges import OutOfRange
from web.rates import TooFast

TAGS = {
    "account": "Who is calling, and bearer tokens for programs.",
    "hierarchy": "Street, community, micro-grid, building: units, editions, and locating points in them.",
    "category": "Which matters there are, who handles them, and how long that may take.",
    "incident": "Reports and their life: list, map, export, history, and the steps.",
    "calendar": "The working calendar: holidays, make-up workdays, worked hours, due times.",
    "whistle": "Whistles on cases: whom a street or a department calls, who reports in, and how that is rated.",
    "duty": "Who is on duty for a unit now and next; rosters, and leave with its cover.",
    "lookup": "One search for places, addresses, cases and people; one unit at a glance.",
    "position": "Last positions of people on duty who share them, for those who lead them.",
    "organisation": "Departments, stations, teams, command rooms; who enforces what where; a street's command room.",
    "module": "How the work of an area is regrouped into modules: templates, posts and their holders.",
    "one_grid": "Members of micro-grids with the lines they serve, and lists of single lines merged.",
    "task_force": "Task forces: members, cases, and to whom these go when one is disbanded.",
    "escalation": "Clocks of cases, the ladders they climb, the policies these come from, and the auditor.",
    "responsibility": "Lists of who answers for which matter where: editions, drafts, items, and the one owner.",
    "admission": "Requests that a matter be admitted to a territory's list: ask, argue, decide.",
    "supervision": "Orders on cases with a deadline of their own: issue, answer, confirm, return, withdraw.",
    "dispatch": "The dispatch desk: whom cases should go to and why, settings of areas, checks on site.",
    "claim": "Ant work: pieces of work that people on duty take up, do, report and have accepted.",
    "coapproval": "Permits asked about together: kinds, applications, what each body says, decisions.",
    "consultation": "Opinions first: kinds, what is asked of whom, what each says, vetoes, what it comes to.",
    "weekly": "The weekly work report of people and streets, from the records.",
    "bulletin": "Weekly and monthly reports, written from the records and kept for ever; their plan.",
    "discussion": "Comments of cases, and ready-made notes for steps.",
    "file": "Photos and documents of cases, stored by their content.",
    "importing": "Files of grids or incidents: upload, say how to read, check, load all or nothing.",
    "timeline": "Any past period played again, instant by instant.",
    "comparison": "Two periods, or two editions of the grids, side by side.",
    "grading": "Grades of micro-grids: red, yellow or green, why, and how often each should be patrolled.",
    "flag": "Patterns in the records that are worth a look, and what was found by whoever looked.",
    "trend": "Trends: cases over time, handling time, ageing, flow between states, loops, and closing levels.",
    "statistics": "Rates with their formulas, and values to colour a map with.",
    "publication": "Plans on their way to the map: checked, on notice, consulted on, approved, published.",
    "public_notice": "Public notices, for everybody: plans before they are decided on, their files, comments.",
    "plan": "Drafts of other borders: edits, undo, branches, claims, and what every unit would hold.",
    "redraw": "How the micro-grids of a community could be drawn anew.",
    "hotspot": "Where it hurts: hot spots, how they come and go, rates, densities, places that come back.",
    "alarm": "The daily scan: where more has lately happened than expected, and who has looked at it.",
    "view": "Views of the command map that the caller keeps: filters, colours, place and layers.",
    "morning": "What a leader looks at in the morning: worse since work closed, about to be late, who is there.",
    "notice": "What the caller is told, and by which ways.",
    "delivery": "Webhooks, and the log of what left by mail or to them.",
    "tiles": "Mapbox vector tiles of the four levels, within the caller's scope.",
    "about": "Health, and this description.",
}
SUMMARIES = {
    400: "The body cannot be read at all.",
    401: "Nobody is logged in, the token has ended, or the password is wrong.",
    403: "None of the caller's roles allows this, or not here; or a cookie's write lacks the form's secret.",
    404: "There is no such thing, or it lies outside the caller's scope.",
    409: "It does not fit the present state.",
    412: "Somebody was faster: it has changed since the version in `If-Match`; `details` says how it stands.",
    413: "The body is larger than the limit.",
    416: "The part asked for lies behind the end; `details` says how many bytes there are.",
    422: "The input cannot be used; `errors` names each field and reason.",
    428: "Say in `If-Match` which version you have seen.",
    429: "Too often in a minute, or too many failed logins; `Retry-After` says when to come again.",
    503: "The database does not answer; nothing was written.",
}
EXAMPLES: dict[int, Problem] = {
    400: AmbiguousLength(),
    401: SessionEnded(),
    403: NotGranted(roles="grid_member", action="incident.dispatch"),
    404: UnknownIncident(number="202601150000042"),
    409: IllegalMove(number="202601150000042", state="closed", action="accept"),
    412: Changed(etag='"4"', number="202601150000042", state="accepted", seq=4),
    413: BodyTooLarge(limit=4),
    416: OutOfRange(size=2_048),
    422: UnknownDatum(datum="mars", known="wgs84, cgcs2000, gcj02, bd09"),
    428: MatchNeeded(),
    429: TooFast(limit=300, kind="writes", seconds=42),
    503: Unavailable(),
}
MEDIA = "application/problem+json"
SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A token from POST /api/tokens."},
    "session": {
        "type": "apiKey", "in": "cookie", "name": COOKIE,
        "description": "The session of a page; its writes carry the form's secret in X-CSRF-Token.",
    },
}  # fmt: skip


class Fault(BaseModel):
    """One field of the request, or one cell of an uploaded table, that cannot be used."""

    row: int | None = Field(None, description="Of a table: as the spreadsheet counts.", examples=[3])
    field: str = Field(examples=["body.lon"], description="Of a table: the column's heading.")
    value: str | None = Field(None, description="Of a table: what stands in the cell.")
    reason: str = Field(examples=["Input should be less than or equal to 180"])


class ProblemBody(BaseModel):
    """Every error, after RFC 9457, in the language of the `lang` cookie."""

    model_config = ConfigDict(title="Problem")

    type: str = Field(
        examples=["about:blank#UnknownIncident"], description="Ends in the name of the problem."
    )
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no incident 20260101000001, or it is outside your area."])
    details: dict[str, str | int | float | bool] = Field({}, description="What fills the sentence.")
    errors: list[Fault] = Field([], description="Of a 422: the fields or cells that cannot be used.")


def problems(*codes: int) -> dict[int | str, dict[str, Any]]:
    """Return the documentation of those error statuses, for a route's `responses`."""
    return {code: {"description": SUMMARIES[code], "content": {MEDIA: _problem(code)}} for code in codes}


def _problem(code: int) -> dict[str, Any]:
    """Return the shape of a problem, and one that really happens."""
    told = EXAMPLES[code]
    shown = {
        "type": f"about:blank#{type(told).__name__}", "title": HTTPStatus(code).phrase, "status": code,
        "detail": str(told), "details": told.details,
    }  # fmt: skip
    return {"schema": {"$ref": "#/components/schemas/Problem"}, "example": shown}


TAGGED = {304: {"description": "The caller has this version already (`If-None-Match`)."}}
USUAL = problems(401, 403, 422, 503)


FEATURES = {
    "type": "object",
    "required": ["type", "features"],
    "properties": {
        "type": {"const": "FeatureCollection"},
        "features": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["type", "geometry", "properties"],
                "properties": {
                    "type": {"const": "Feature"},
                    "geometry": {"type": ["object", "null"]},
                    "properties": {"type": "object"},
                },
            },
        },
    },
}


def file(
    media: str, description: str, schema: Mapping[str, Any] = BYTES, **more: Any
) -> dict[int | str, dict[str, Any]]:
    """Return the documentation of an answer that is a file, for a route's `responses`."""
    return {200: {"description": description, "content": {media: {"schema": schema} | more}}}


def partial(media: str) -> dict[int | str, dict[str, Any]]:
    """Return the documentation of a part of a file, asked for by `Range`."""
    told = {"description": "The part asked for.", "content": {media: {"schema": BYTES}}}
    return {HTTPStatus.PARTIAL_CONTENT.value: told}


@lru_cache(maxsize=4)
def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of the application's programs' side; pages are not in it."""
    routes = [route for route in iter_route_contexts(app.routes) if _for_programs(route.path)]
    described = get_openapi(
        title=app.title, version=app.version, summary=app.summary, routes=routes,
        tags=[{"name": name, "description": text} for name, text in TAGS.items()],
    )  # fmt: skip
    parts = described.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        parts.pop(unused, None)
    problem = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
    parts |= problem.pop("$defs") | {"Problem": problem}
    described["components"] |= {"securitySchemes": SECURITY, "headers": HEADERS}
    for route in routes:
        for method in route.methods & {"GET", "POST", "PUT", "DELETE"} if route.methods else ():
            operation = described["paths"].get(route.path_format, {}).get(method.lower())
            if operation:
                _complete(operation, route, parts)
    return described


def _complete(operation: dict[str, Any], route: Any, parts: Mapping[str, Any]) -> None:
    """Write into an operation what is true of all of its kind: who may, what may go wrong, headers, examples."""
    _guard(operation, permission(route))
    counted = route.path.startswith("/api/")
    keyed = any(each["name"] == once.HEADER for each in operation.get("parameters", ()))
    more = (*((400, 413) if "requestBody" in operation else ()), *((409,) if keyed else ()))
    for code, told in problems(*more, *((429,) if counted else ())).items():
        operation["responses"].setdefault(str(code), told)
    dress(operation, counted)
    show(operation, parts)


def _for_programs(path: str | None) -> bool:
    return (path or "").startswith(("/api/", "/tiles/", "/healthz", "/readyz", "/metrics"))


def _guard(operation: dict[str, Any], named: object) -> None:
    """Write who may call an operation into it."""
    if isinstance(named, Open):
        operation["description"] = f"{operation.get('description', '')}\n\nOpen: {named.why}."
        return
    operation["security"] = [{name: []} for name in SECURITY]
    words = " or ".join(filter(None, (named.action, named.otherwise)))
    operation["description"] = f"{operation.get('description', '')}\n\nPermission: `{words}`."


def router(tag: str, prefix: str = "/api") -> APIRouter:
    """Return the router of one noun: its tag, the errors every route may give, readable operation ids."""
    return APIRouter(
        prefix=prefix,
        tags=[tag],
        responses=USUAL,
        route_class=Route,
        generate_unique_id_function=lambda route: operation_id(route.name),
    )


def operation_id(name: str) -> str:
    """Return a route's function name as its operation id: `report_incident` → `reportIncident`."""
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)
