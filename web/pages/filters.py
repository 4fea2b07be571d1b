"""The filters of maps, lists and figures as the address carries them; a value that means nothing is left out."""

from dataclasses import replace
from datetime import date, datetime
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import QueryParams

from gridmgr.account.rules import Actor
from gridmgr.casebook.queries import LATENESS, SORTS, Search
from gridmgr.category import queries as matters
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import NoEdition, UnknownUnit
from gridmgr.life.model import HOLDERS, Source, State
from gridmgr.statistics.rules import COUNTS
from gridmgr.tally.queries import CLOSED_IN, DIMENSIONS
from gridmgr.tally.rules import EXCLUSIONS, NOTHING
from web import i18n, words
from web.api.search import box_of
from web.deps import Transaction

MOST_AREAS = 50  # in one address


def day_of(text: str) -> date | None:
    """Return the day a text tells, None if it tells none."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1900 <= day.year <= 2999 else None


def _yes(text: str | None) -> bool:
    return (text or "").lower() in ("true", "on", "1")


def instant(text: str) -> datetime | None:
    """Return the instant a text tells with its zone, None if it tells none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo and 1900 <= found.year <= 9999 else None


def _text(value: str | None, most: int) -> str:
    return (value or "").replace("\0", "").encode("utf-8", "ignore").decode().strip()[:most]


def _row(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 10 else None


def search_of(request: Request) -> Search:
    """Return what the address narrows incidents to; all states chosen is the same as none."""
    return search_from(request.query_params)


def search_from(given: QueryParams) -> Search:
    """Return what the part of an address after its question mark narrows incidents to."""
    chosen = set(given.getlist("states"))
    states = tuple(state for state in State if state in chosen)
    source = given.get("source", "")
    return Search(
        states=() if len(states) == len(State) else states,
        open={"true": True, "false": False}.get(given.get("open", "").lower()),
        category=_text(given.get("category"), 32) or None,
        source=source if source in set(Source) else None,
        code=_text(given.get("code"), 32) or None,
        since=day_of(given.get("since", "")),
        until=day_of(given.get("until", "")),
        overdue=_yes(given.get("overdue")),
        words=_text(given.get("words"), 100),
        level=given.get("level") if given.get("level") in HOLDERS else None,
        handler=_text(given.get("handler"), 100) or None,
        answers=_text(given.get("answers"), 100) or None,
        kept=_text(given.get("kept"), 100) or None,
        checker=_row(given.get("checker", "")),
        own=tuple(filter(None, (_text(each, 32) for each in given.getlist("own")[:MOST_AREAS]))),
        task=_text(given.get("task"), 100) or None,
        forces=tuple(filter(None, (_text(each, 100) for each in given.getlist("forces")[:MOST_AREAS]))),
        module=_row(given.get("module", "")),
        asked=_yes(given.get("asked")),
        ours=_yes(given.get("ours")),
        unseen=_yes(given.get("unseen")),
        mine=_row(given.get("mine", "")),
        severity=int(given["severity"]) if given.get("severity") in ("1", "2", "3") else None,
        soon=_yes(given.get("soon")),
        whistled=_yes(given.get("whistled")),
        supervised=_yes(given.get("supervised")),
        lateness=given.get("lateness") if given.get("lateness") in LATENESS else None,
        box=box_of(given.get("box", "")) or (),
        closed_in=given.get("closed_in") if given.get("closed_in") in CLOSED_IN else None,
        count=given.get("count") if given.get("count") in COUNTS else None,
        without=tuple(each for each in (NOTHING, *EXCLUSIONS) if each in given.getlist("without")),
        row_by=given.get("row_by") if given.get("row_by") in DIMENSIONS else None,
        row=_text(given.get("row"), 100) if given.get("row_by") in DIMENSIONS else "",
        sort=given.get("sort") if given.get("sort") in SORTS else "newest",
    )


Filters = Annotated[Search, Depends(search_of)]


def of_areas(search: Filters) -> Search:
    """Return the filters where `level` says which units are looked at, not which level holds the cases."""
    return replace(search, level=None)


OfAreas = Annotated[Search, Depends(of_areas)]


def faults(session: Transaction, actor: Actor, search: Search) -> list[str]:
    """Return what is wrong with filters that nothing can ever fit."""
    found = []
    if search.since and search.until and search.since > search.until:
        found.append(i18n._("The last day lies before the first day."))
    if search.code and not _known(session, actor, search.code):
        found.append(i18n._("There is no area with the code {code}.", code=search.code))
    return found


def _known(session: Transaction, actor: Actor, code: str) -> bool:
    """Tell whether a unit is, or once was: old cases keep the codes of their day."""
    try:
        return bool(hierarchy.unit(session, actor, code, hierarchy.edition_at(session).effective))
    except (NoEdition, UnknownUnit):
        return bool(hierarchy.lineage_of(session, code))


def choices(session: Transaction, actor: Actor) -> dict[str, object]:
    """Return what the filter form offers: categories by class, sources, states."""
    language = i18n.language.get()
    groups: dict[str, dict[str, str]] = {}
    for category in matters.by_id(session).values():
        groups.setdefault(category.group(language), {})[category.code] = category.name(language)
    return {
        "groups": groups, "sources": words.SOURCES, "states": words.STATES, "holders": words.HOLDERS,
        "sorts": words.SORTS, "urgencies": words.URGENCIES, "severities": words.URGENCIES, "latenesses": words.LATENESS,
    }  # fmt: skip
