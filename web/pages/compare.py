"""Two periods, or two editions of the grids, on two maps that move together, with the table of their units below."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

import web.pages.chart as chart
from gis import maps
from gis.errors import Problem
from gis.offline import MapParts
from gis.palette import COUNTS, FATE
from gridmgr import clock, sheet
from gridmgr.account.rules import Actor
from gridmgr.casebook.queries import Search
from gridmgr.comparison import queries, rules
from gridmgr.comparison.model import Basis, Comparison, Measure, Period
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import COVERAGES, NoEdition
from gridmgr.sheet import Format
from gridmgr.statistics.rules import even_classes
from gridmgr.words import N_
from web import i18n, words
from web.api.search import query
from web.deps import Allow, Transaction
from web.fields import text
from web.i18n import _
from web.pages.filters import OfAreas, choices
from web.render import render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("figures.view"))]
Typed = Annotated[text(32), Query()]
SHOWN = 200
COLUMNS = (N_("Code"), N_("Name"), N_("Left"), N_("Right"), N_("Difference"), "%", N_("Change of the unit"))


@dataclass(frozen=True)
class Asked:
    """What is compared, as the address says it."""

    kind: str
    first: Period
    second: Period
    before: int
    after: int
    level: str
    measure: Measure
    basis: Basis
    colour: str
    sort: str

    def fields(self) -> dict[str, str]:
        """Return it as the fields of the address."""
        return {
            "kind": self.kind, "first_since": str(self.first.since), "first_until": str(self.first.until),
            "second_since": str(self.second.since), "second_until": str(self.second.until),
            "before": str(self.before), "after": str(self.after), "level": self.level,
            "measure": self.measure.value, "basis": self.basis.value, "colour": self.colour, "sort": self.sort,
        }  # fmt: skip


def asked_of(
    session: Transaction, kind: Typed = "", first_since: Typed = "", first_until: Typed = "", second_since: Typed = "",
    second_until: Typed = "", before: Typed = "", after: Typed = "", level: Typed = "", measure: Typed = "",
    basis: Typed = "", colour: Typed = "", sort: Typed = "",
) -> Asked:  # fmt: skip
    """Return what the address asks for; what it lacks, or cannot mean, is the usual: last week and this one."""
    usual = rules.usual(clock.today())
    known = [each.id for each in hierarchy.editions(session)]
    kind = kind if kind in ("periods", "editions") else "periods"
    if kind == "editions":
        usual = rules.lately(clock.today()), usual[1]
    return Asked(
        kind, _period(first_since, first_until, usual[0]), _period(second_since, second_until, usual[1]),
        _known(before, known, known[1] if len(known) > 1 else 0), _known(after, known, known[0] if known else 0),
        level if level in COVERAGES else "community" if kind == "periods" else "micro_grid",
        Measure(measure) if measure in set(Measure) else Measure.REPORTED,
        Basis(basis) if basis in set(Basis) else Basis.WAS,
        colour if colour in ("counts", "fates") else "fates" if kind == "editions" else "counts", sort or "-difference",
    )  # fmt: skip


Question = Annotated[Asked, Depends(asked_of)]


def _known(typed: str, known: Sequence[int], otherwise: int) -> int:
    return int(typed) if typed.isdecimal() and len(typed) < 10 and int(typed) in known else otherwise


def _period(since: str, until: str, usual: Period) -> Period:
    first, last = _day(since), _day(until)
    return Period(first or last, last or first) if first or last else usual


def _day(typed: str) -> date | None:
    try:
        found = date.fromisoformat(typed)
    except ValueError:
        return None
    return found if 1900 <= found.year <= 2999 else None


def compared(session: Session, actor: Actor, search: Search, asked: Asked) -> Comparison:
    """Return the comparison that is asked for.

    Raises
    ------
    EndsBeforeItBegins, NotYet, OneEdition, NoEdition
    """
    if asked.kind == "periods":
        return queries.periods(
            session, actor, search, asked.first, asked.second, asked.level, asked.measure, asked.basis
        )
    known = hierarchy.editions(session)
    if not known:
        raise NoEdition
    before, after = (hierarchy.edition(session, each or known[0].id) for each in (asked.before, asked.after))
    return queries.editions(session, actor, search, asked.first, before, after, asked.level, asked.measure)


@router.get("/compare", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, search: OfAreas, asked: Question
) -> HTMLResponse:
    """Show both maps and the table."""
    found = problem = None
    try:
        found = compared(session, actor, search, asked)
    except NoEdition:
        return render(request, "compare.html", {"no_edition": True, "charts": ()})
    except Problem as refused:
        problem = i18n.say(refused)
    plain = Search(category=search.category, source=search.source, code=search.code)
    values = {
        "no_edition": False, "asked": asked, "found": found, "problem": problem, "search": search,
        "editions": hierarchy.editions(session), "coverages": COVERAGES, "presets": _presets(clock.today()),
        "link": lambda **more: "/compare" + query(plain, **(asked.fields() | more)),
        "download": "/compare.csv" + query(plain, **asked.fields()),
        "charts": _charts(session, actor, found) if found else (), "shown": SHOWN,
    }  # fmt: skip
    if found:
        values |= {
            "rows": rules.ordered(found.rows, asked.sort),
            "painted": _painted(found, asked),
        }
    return render(request, "compare.html", values | choices(session, actor))


def _presets(today: date) -> list[tuple[str, dict[str, str]]]:
    """Return the usual pairs of periods: their name, and the fields of the address."""
    last, this = rules.usual(today)
    month = Period(today.replace(day=1), today)
    before = Period((month.since - timedelta(days=1)).replace(day=1), month.since - timedelta(days=1))
    yesterday = today - timedelta(days=1)
    pairs = [
        (_("Last week and this week"), last, this),
        (_("The week before and last week"), rules.usual(last.since)[0], last),
        (_("Last month and this month"), before, month),
        (_("Yesterday and today"), Period(yesterday, yesterday), Period(today, today)),
    ]
    return [
        (name, {
            "first_since": str(first.since), "first_until": str(first.until), "second_since": str(second.since),
            "second_until": str(second.until), "kind": "periods",
        })
        for name, first, second in pairs
    ]  # fmt: skip


def _charts(session: Session, actor: Actor, found: Comparison) -> tuple[MapParts, ...]:
    bounds = hierarchy.bounds(session, actor) or chart.EVERYWHERE
    drawn = [
        maps.tile_map(chart.tiles(side.edition), bounds, words=chart.said(), **chart.ground())
        for side in (found.first, found.second)
    ]
    first, second = (chart.parts(each) for each in drawn)
    return first, second.beside()


def _painted(found: Comparison, asked: Asked) -> dict:
    """Return the class of each unit on both maps, one scale for both, its legend, and what a click says."""
    values = {
        (side, row.code): number for row in found.rows for side, number in enumerate((row.first, row.second))
    }
    lows, classes = even_classes({key: number for key, number in values.items() if number and key[1]})
    colours = COUNTS[len(COUNTS) - len(lows) :] if lows else ()
    fates = {row.code: row.fate for row in found.rows if row.fate}
    by_fate = asked.colour == "fates" and asked.kind == "editions"
    return {
        "level": found.level,
        "sides": [_fates(found, side) if by_fate else _classes(classes, side) for side in (0, 1)],
        "palette": FATE if by_fate else {str(n): colour for n, colour in enumerate(colours, 1)},
        "legend": _legend_of_fates(fates) if by_fate else _legend(lows, colours),
        "rows": {
            row.code: [row.name or row.code, row.first, row.second, row.fate or ""]
            for row in found.rows if row.code
        },
        "fates": {fate: words.word(words.LINEAGE, fate) for fate in FATE},
    }  # fmt: skip


def _classes(classes: dict, side: int) -> dict[str, int]:
    return {code: rank for (where, code), rank in classes.items() if where == side}


def _fates(found: Comparison, side: int) -> dict[str, str]:
    """Return the units of one map that changed: new ones are only on the right, retired ones on the left."""
    absent = ("new", "retired")[side]
    return {row.code: row.fate for row in found.rows if row.code and row.fate and row.fate != absent}


def _legend(lows: Sequence[int], colours: Sequence[str]) -> list[tuple[str, str]]:
    tops = [*(low - 1 for low in lows[1:]), None] if lows else []
    said = [
        str(low) if top == low else f"{low}–{top}" if top else f"{low}+"
        for low, top in zip(lows, tops, strict=True)
    ]
    return list(zip(said, colours, strict=True))


def _legend_of_fates(fates: dict[str, str]) -> list[tuple[str, str]]:
    numbers = {fate: list(fates.values()).count(fate) for fate in FATE}
    return [
        (f"{words.word(words.LINEAGE, fate)} {numbers[fate]}", FATE[fate]) for fate in FATE if numbers[fate]
    ]


@router.get("/compare.csv")
def download(session: Transaction, actor: Viewer, search: OfAreas, asked: Question) -> Response:
    """Send the whole table as a file."""
    found = compared(session, actor, search, asked)
    rows = [*rules.ordered(found.rows, asked.sort), found.total]
    body = b"".join(sheet.stream(Format.CSV, list(map(_, COLUMNS)), map(_line, rows)))
    headers = {"Content-Disposition": 'attachment; filename="compare.csv"'}
    return Response(body, media_type="text/csv; charset=utf-8", headers=headers)


def _line(row) -> list[object]:
    share = None if row.share is None else round(100 * row.share, 1)
    fate = words.word(words.LINEAGE, row.fate) if row.fate else ""
    return [row.code, row.name, row.first, row.second, row.difference, share, fate]
