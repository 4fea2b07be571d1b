"""Versions of things: who reads one learns its ETag, who changes it may say which one was seen.

A route that shows a thing calls `tag(response, version)`; a caller who has that version already is then
answered 304 without a body. A route that changes it takes `match: IfMatch` and calls
`match.check(version, ...)` while it holds the row locked: 412 if somebody was faster.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response

from gridmgr.errors import BadInput, Conflict

TAG = re.compile(r'(W/)?"([!#-~]*)"')
LIST = re.compile(rf"\s*{TAG.pattern}\s*(,\s*{TAG.pattern}\s*)*")
READ_AGAIN = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}


class Changed(Conflict):
    """Somebody was faster: this is now {etag}. Look at it again before you change it."""


class MatchNeeded(Conflict):
    """Say in If-Match which version you have seen; without it, somebody else's change could be lost."""


class BadTag(BadInput):
    """The header {header} is no list of ETags: {value}"""


def etag(version: int | str) -> str:
    """Return the ETag of a version."""
    return f'"{version}"'


def tag(response: Response, version: int | str) -> None:
    """Put the ETag of what is shown on its answer; it belongs to its reader and is asked for each time."""
    response.headers.update({"ETag": etag(version)} | READ_AGAIN)


@dataclass(frozen=True)
class Match:
    """What a caller says it has seen: some versions, any at all (`*`), or nothing (None)."""

    seen: tuple[str, ...] | None = None

    @property
    def given(self) -> bool:
        """Whether the caller says anything."""
        return self.seen is not None

    def check(self, version: int | str, **present: Any) -> None:
        """Return if the caller has seen this version or does not say; `present` tells the others how it stands.

        Raises
        ------
        Changed
        """
        if self.given and "*" not in self.seen and etag(version) not in self.seen:
            raise Changed(etag=etag(version), **present)


@dataclass(frozen=True)
class Matching:
    """The dependency that reads If-Match; a route may insist on it."""

    needed: bool = False

    async def __call__(
        self,
        if_match: Annotated[
            str | None,
            Header(
                alias="If-Match",
                description="The ETag last seen; the step is refused (412) if it has changed since.",
                examples=['"3"'],
            ),
        ] = None,
    ) -> Match:
        if if_match is None:
            if self.needed:
                raise MatchNeeded
            return Match()
        if if_match.strip() == "*":
            return Match(("*",))
        return Match(strong(tags("If-Match", if_match)))


IfMatch = Annotated[Match, Depends(Matching())]
NeedsMatch = Annotated[Match, Depends(Matching(needed=True))]


def tags(header: str, value: str) -> list[tuple[bool, str]]:
    """Return the ETags of a header, each with whether it is weak.

    Raises
    ------
    BadTag
    """
    if not LIST.fullmatch(value):
        raise BadTag(header=header, value=value[:64])
    return [(bool(weak), etag(opaque)) for weak, opaque in TAG.findall(value)]


def strong(found: list[tuple[bool, str]]) -> tuple[str, ...]:
    """Return the ETags that name exactly one version; a weak one names none."""
    return tuple(text for weak, text in found if not weak)


def spared(request: Request, response: Response) -> Response:
    """Return the answer, or 304 if it shows what the caller has already."""
    known, present = request.headers.get("if-none-match"), response.headers.get("etag")
    if known is None or present is None or request.method != "GET" or response.status_code != 200:
        return response
    if known.strip() != "*" and present.removeprefix("W/") not in {
        text for _, text in tags("If-None-Match", known)
    }:
        return response
    kept = {
        name: value for name, value in response.headers.items() if name in ("etag", "cache-control", "vary")
    }
    return Response(status_code=304, headers=kept)
