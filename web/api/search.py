"""What a list, a map, an export or a figure is narrowed to: the same query parameters everywhere."""

from typing import Annotated

from fastapi import Depends, Query

from gridmgr.incident.queries import Search
from gridmgr.life.model import Source, State
from web.fields import Code, Day, Words


def narrowed(
    states: Annotated[list[State] | None, Query(description="Any of these.", max_length=10)] = None,
    open: Annotated[bool | None, Query(description="Only open ones, or only those that are not.")] = None,
    category: Annotated[Code | None, Query(description="Beginning of a category's code.")] = None,
    source: Source | None = None,
    code: Annotated[Code | None, Query(description="A unit of any level.")] = None,
    since: Annotated[Day | None, Query(description="First local day of the report.")] = None,
    until: Annotated[Day | None, Query(description="Last local day of the report.")] = None,
    overdue: Annotated[bool, Query(description="Only those past their due time.")] = False,
    words: Annotated[Words, Query(description="Part of number, source id, address or description.")] = "",
) -> Search:
    """Return the conditions the caller gave."""
    return Search(tuple(states or ()), open, category, source, code, since, until, overdue, words)


Narrowed = Annotated[Search, Depends(narrowed)]
