"""Lists page by page: every list of the API has the same shape and goes on from a cursor.

    Pages = Annotated[Paging[int], Depends(paged("incidents", BigRowId))]

    def list_incidents(..., paging: Pages) -> IncidentPage:
        found = queries.page(session, paging.fetch, paging.after)  # one more than is shown
        return paging.page(IncidentPage, found, lambda row: row.id, _out)

A cursor holds the key of the last row shown, so that nothing is shown twice or left out when rows come and
go meanwhile. It is opaque to callers, and checked like all that comes from outside.
"""

import base64
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar
from urllib.parse import quote, urlencode

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from gridmgr.errors import BadInput

MOST = 500
Row, Key, Item = TypeVar("Row"), TypeVar("Key"), TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """Some rows of a list."""

    items: list[Item]
    next: str | None = Field(
        description="Goes into `cursor` for the next page; null at the end.",
        examples=["WyJpbmNpZGVudHMiLDQyXQ"],
    )


P = TypeVar("P", bound=Page)


class BadCursor(BadInput):
    """The cursor {cursor} does not belong to this list; begin again without one."""


@dataclass(frozen=True)
class Paging(Generic[Key]):
    """What page of a list is asked for: `size` rows, going on behind the key `after` (None: from the start)."""

    after: Key | None
    size: int
    kind: TypeAdapter
    name: str
    request: Request
    response: Response

    @property
    def fetch(self) -> int:
        """How many rows to ask of the database: one more tells whether another page follows."""
        return self.size + 1

    def page(
        self, shape: type[P], found: Sequence[Row], key: Callable[[Row], Key],
        shown: Callable[[Sequence[Row]], Iterable[Any]],
    ) -> P:  # fmt: skip
        """Return the page of rows fetched, and say in the answer's headers where the next one is."""
        rows, cursor = found[: self.size], None
        if len(found) > self.size:
            cursor = self._cursor(key(rows[-1]))
            self.response.headers["Link"] = f'<{self._address(cursor)}>; rel="next"'
        return shape(items=list(shown(rows)), next=cursor)

    def behind(self, rows: Sequence[Row], key: Callable[[Row], Key]) -> Sequence[Row]:
        """Return of a list that is read whole what this page may show, as `page` wants it.

        Raises
        ------
        BadCursor
            The row this page goes on behind is there no longer.
        """
        if self.after is None:
            return rows[: self.fetch]
        for n, row in enumerate(rows, start=1):
            if key(row) == self.after:
                return rows[n : n + self.fetch]
        raise BadCursor(cursor=self._cursor(self.after))

    def _cursor(self, key: Key) -> str:
        return base64.urlsafe_b64encode(self.kind.dump_json((self.name, key))).decode().rstrip("=")

    def _address(self, cursor: str) -> str:
        """Return the next page's address, relative to this one's: we may be known by another name outside."""
        asked = [pair for pair in self.request.query_params.multi_items() if pair[0] != "cursor"]
        return f"{quote(self.request.scope['path'])}?{urlencode([*asked, ('cursor', cursor)])}"


def paged(name: str, key: Any, size: int = 100) -> Callable[..., Awaitable[Paging]]:
    """Return the dependency that reads `cursor` and `size` for the list `name`, whose rows have keys of a kind."""
    kind = TypeAdapter(tuple[Literal[name], key])

    async def asked(
        request: Request,
        response: Response,
        cursor: Annotated[
            str | None,
            Query(description="`next` of the page before.", max_length=400, pattern="^[A-Za-z0-9_-]*$"),
        ] = None,
        size: Annotated[int, Query(ge=1, le=MOST, description="How many at most.")] = size,
    ) -> Paging:
        after = _key(kind, cursor) if cursor else None
        return Paging(after, size, kind, name, request, response)

    return asked


def _key(kind: TypeAdapter, cursor: str) -> Any:
    try:
        return kind.validate_json(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))[1]
    except (ValueError, ValidationError) as wrong:
        raise BadCursor(cursor=cursor[:64]) from wrong
