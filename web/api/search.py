"""What a list, a map, an export or a figure is narrowed to: the same query parameters everywhere."""

from dataclasses import replace
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import Depends, Query

from gridmgr.casebook.queries import LATENESS, SORTS, Search
from gridmgr.errors import BadInput
from gridmgr.life.model import HOLDERS, Source, State
from gridmgr.statistics.rules import COUNTS
from gridmgr.tally.queries import CLOSED_IN, DIMENSIONS
from gridmgr.tally.rules import EXCLUSIONS, NOTHING
from web.fields import Code, Day, RowId, Words, text


class NoBox(BadInput):
    """{box} is no box; expected west,south,east,north in degrees."""


def box_of(told: str) -> tuple[float, ...] | None:
    """Return the box a text tells as west,south,east,north in degrees; None if it tells none.

    >>> box_of("104.0,30.6,104.1,30.7"), box_of("104,30,103,31"), box_of("a,b,c,d")
    ((104.0, 30.6, 104.1, 30.7), None, None)
    """
    try:
        west, south, east, north = map(float, told.split(","))
    except ValueError:
        return None
    fits = -180 <= west <= east <= 180 and -90 <= south <= north <= 90  # of NaN none is true
    return (west, south, east, north) if fits else None


def narrowed(
    states: Annotated[list[State] | None, Query(description="Any of these.", max_length=10)] = None,
    open: Annotated[bool | None, Query(description="Only open ones, or only those that are not.")] = None,
    category: Annotated[Code | None, Query(description="Beginning of a category's code.")] = None,
    source: Source | None = None,
    code: Annotated[Code | None, Query(description="A unit of any level.")] = None,
    since: Annotated[Day | None, Query(description="First local day of the report.")] = None,
    until: Annotated[Day | None, Query(description="Last local day of the report.")] = None,
    overdue: Annotated[bool, Query(description="Only those past their due time.")] = False,
    soon: Annotated[bool, Query(description="Only those due within the next four working hours.")] = False,
    whistled: Annotated[bool, Query(description="Only those somebody was called to by a whistle.")] = False,
    supervised: Annotated[bool, Query(description="Only those with a supervision order that runs.")] = False,
    lateness: Annotated[
        Literal[*LATENESS] | None,
        Query(description="Only open ones about to be late, past their due time, or past it by a day."),
    ] = None,
    box: Annotated[
        text(100) | None, Query(description="Only inside west,south,east,north in degrees, WGS-84.")
    ] = None,
    closed_in: Annotated[
        Literal[*CLOSED_IN] | None, Query(description="Only those closed there, without any department.")
    ] = None,
    words: Annotated[Words, Query(description="Part of number, source id, address or description.")] = "",
    level: Annotated[Literal[*HOLDERS] | None, Query(description="Which level holds it.")] = None,
    handler: Annotated[text(100, 1) | None, Query(description="The body at work.")] = None,
    answers: Annotated[
        text(100, 1) | None,
        Query(description="A body at work, or one that answers until another takes it in hand."),
    ] = None,
    kept: Annotated[
        text(100, 1) | None,
        Query(description="A body that answers for what was passed on and nobody has taken yet."),
    ] = None,
    checker: Annotated[RowId | None, Query(description="The account that is sent to look on site.")] = None,
    task: Annotated[text(100, 1) | None, Query(description="A body with an open part of it.")] = None,
    forces: Annotated[
        list[text(100, 1)] | None,
        Query(description="Any of these task forces is at work.", max_length=50),
    ] = None,
    module: Annotated[RowId | None, Query(description="The module that takes such matters there.")] = None,
    asked: Annotated[bool, Query(description="Only those with a request that waits.")] = False,
    ours: Annotated[
        bool,
        Query(
            description="Only those held at the caller's own level; of requests, those to be granted by the caller."
        ),
    ] = False,
    own: Annotated[
        list[Code] | None, Query(description="Only work of these units' own people.", max_length=50)
    ] = None,
    mine: Annotated[RowId | None, Query(description="Only those this account has reported.")] = None,
    unseen: Annotated[bool, Query(description="Only public reports nobody has looked at on site.")] = False,
    severity: Annotated[Literal[1, 2, 3] | None, Query()] = None,
    count: Annotated[
        Literal[*COUNTS] | None, Query(description="Only those that a figure of this name counts.")
    ] = None,
    without: Annotated[
        list[Literal[*EXCLUSIONS, NOTHING]] | None,
        Query(description="What is left out of what is due; left away, as the district does.", max_length=10),
    ] = None,
    row_by: Annotated[
        Literal[*DIMENSIONS] | None, Query(description="Only those in one row of figures told by this.")
    ] = None,
    row: Annotated[text(100), Query(description="The key of that row; empty: those in no row.")] = "",
    sort: Annotated[Literal[*SORTS], Query(description="In which order.")] = "newest",
) -> Search:
    """Return the conditions the caller gave.

    Raises
    ------
    NoBox
    """
    if box and not box_of(box):
        raise NoBox(box=box)
    return Search(
        tuple(states or ()), open, category, source, code, since, until, overdue, words, level, handler,
        own=tuple(own or ()), soon=soon, task=task, asked=asked, ours=ours, unseen=unseen, mine=mine, severity=severity,
        sort=sort, forces=tuple(forces or ()), module=module, answers=answers, kept=kept, checker=checker,
        whistled=whistled, closed_in=closed_in, supervised=supervised, lateness=lateness,
        box=box_of(box) if box else (),
        count=count, without=tuple(without or ()), row_by=row_by, row=row,
    )  # fmt: skip


Narrowed = Annotated[Search, Depends(narrowed)]


def of_areas(search: Narrowed) -> Search:
    """Return the conditions where `level` says which units are looked at, not which level holds the cases."""
    return replace(search, level=None)


OfAreas = Annotated[Search, Depends(of_areas)]


def query(search: Search, **more: object) -> str:
    """Return the address's part after the question mark, with the question mark, for these filters."""
    given = search.given() | ({} if search.open is None else {"open": search.open})  # False narrows too
    if search.box:
        given["box"] = ",".join(f"{each:.6f}".rstrip("0").rstrip(".") for each in search.box)
    given = {name: str(value).lower() if isinstance(value, bool) else value for name, value in given.items()}
    given |= {"row": search.row} if search.row_by else {}  # an empty one narrows to what is in no row
    given |= {name: value for name, value in more.items() if value not in (None, "")}
    return "?" + urlencode(given, doseq=True) if given else ""
