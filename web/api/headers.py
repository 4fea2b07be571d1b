"""The headers of the API in its document: which answers carry them, and what they say."""

from typing import Any

from web import once

SCHEMA = "#/components/headers/"
COUNTED = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


def _number(description: str, example: int) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "integer", "minimum": 0}, "example": example}


def _text(description: str, example: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}, "example": example}


HEADERS = {
    "RateLimit-Limit": _number("How many requests of this kind a caller may send in a minute.", 1200),
    "RateLimit-Remaining": _number("How many of them are left now.", 1187),
    "RateLimit-Reset": _number("Seconds until the oldest of them is a minute old and one more is free.", 42),
    "Retry-After": _number("Seconds until it may be tried again.", 42),
    "ETag": _text("The version of what is shown; for `If-None-Match` and `If-Match`.", '"3"'),
    "Link": _text(
        'Where the next page is, `rel="next"`; absent at the end.', '</api/grids?cursor=W…>; rel="next"'
    ),
    "Location": _text("Where what was made is found.", "/api/incidents/202601150000042"),
    once.REPLAYED: _text("`true` if this was answered before and nothing was done now.", "true"),
}
KNOWN_VERSION = {
    "name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"},
    "description": "ETags the caller has; if one of them is still right, the answer is 304 without a body.",
    "example": '"3"',
}  # fmt: skip


def made(
    parameter: str, field: str, *operations: str, located: bool = True
) -> dict[int | str, dict[str, Any]]:
    """Return the documentation of a 201, for a route's `responses`: where the new thing is, and what it is for.

    The `field` of the answer is the `parameter` of the `operations` that can be called next.
    """
    next_ones = {
        name: {"operationId": name, "parameters": {parameter: f"$response.body#/{field}"}}
        for name in operations
    }
    return {201: {"links": next_ones} | ({"headers": _references("Location")} if located else {})}


def dress(operation: dict[str, Any], counted: bool) -> None:
    """Write into an operation which headers its answers carry; `counted` if its callers are."""
    taken = {each["name"].lower() for each in operation.get("parameters", ())}
    answers = operation["responses"]
    for code, answer in answers.items():
        carried = list(COUNTED) if counted else []
        if code == "429":
            carried.append("Retry-After")
        if code[0] == "2" and once.HEADER.lower() in taken:
            carried.append(once.REPLAYED)
        if code[0] == "2" and "cursor" in taken:
            carried.append("Link")
        if code in ("200", "304") and ("304" in answers or "if-match" in taken):
            carried.append("ETag")
        if carried:
            answer["headers"] = answer.get("headers", {}) | _references(*carried)
    if "304" in answers:
        operation.setdefault("parameters", []).append(KNOWN_VERSION)


def _references(*names: str) -> dict[str, Any]:
    return {name: {"$ref": SCHEMA + name} for name in names}
