"""The figures: one table by any row and period, each rate with its printed formula, each number with its cases."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from gis.errors import Problem
from gridmgr import clock, sheet
from gridmgr.account.rules import Actor, can, require
from gridmgr.casebook.queries import Search
from gridmgr.category import queries as matters
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import NoEdition
from gridmgr.past.queries import moment
from gridmgr.sheet import Format
from gridmgr.statistics import queries
from gridmgr.statistics.queries import Figures
from gridmgr.statistics.rules import BETTER, COUNTS, RATES, SCORE, TABLES, UNITS, needed, ranks
from gridmgr.tally import queries as tally
from gridmgr.tally.rules import EXCLUSIONS, NOTHING, left_out
from gridmgr.words.figures import BASES
from web import i18n, words
from web.api.search import query
from web.deps import Allow, Transaction
from web.i18n import _, number, percent
from web.pages.filters import OfAreas, choices, day_of, faults
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("figures.view"))]
SHOWN = 500  # rows on a page; the files hold all
PAGE = 50
# By which rate the rows of each table are ranked, unless they are sorted by another one.
RANKED = {
    "time": "on_time_rate", "loop": "community_rate", "quality": "rework_rate", "people": SCORE,
    "speed": "mean_worked_hours",
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What of the figures is wanted, beside the cases they are of."""

    by: str
    table: str
    sort: str
    at: date | None  # as they stood at the end of that day
    areas: str  # a key of words.figures.BASES
    previous: bool  # beside the period of the same length before

    @property
    def instant(self) -> datetime | None:
        """The instant as of which all is told, None for now."""
        return moment(self.at) if self.at else None

    def given(self) -> dict[str, object]:
        """Return what is not usual, for a link."""
        return {
            "by": self.by, "table": "" if self.table == "time" else self.table, "sort": self.sort,
            "at": self.at, "areas": kept_areas(self.areas),
            "previous": "true" if self.previous else "",
        }  # fmt: skip


def kept_areas(areas: str) -> str:
    """Return what of the areas stands in a link: nothing if it is the usual."""
    return "" if areas == "then" else areas


def asked_of(request: Request) -> Asked:
    """Return what the address asks for; what means nothing is as usual."""
    given = request.query_params
    by, table, at = given.get("by") or given.get("level", ""), given.get("table"), day_of(given.get("at", ""))
    return Asked(
        by=by if by in tally.DIMENSIONS else "street",
        table=table if table in TABLES else "time",
        sort=given.get("sort", "")[:40],
        at=at if at and at < clock.today() else None,
        areas=given["areas"] if given.get("areas") in BASES else "then",
        previous=given.get("previous") == "true",
    )


Ask = Annotated[Asked, Depends(asked_of)]


@router.get("/figures", response_class=HTMLResponse)
def show(request: Request, session: Transaction, actor: Viewer, search: OfAreas, asked: Ask) -> HTMLResponse:
    """Show the figures of every row, the total first."""
    try:
        hierarchy.edition_at(session)
    except NoEdition:
        return render(request, "figures.html", {"no_edition": True})
    usual = tally.terms(session, asked.at).without
    values = {
        "no_edition": False, "asked": asked, "search": search, "tables": TABLES,
        "faults": faults(session, actor, search),
        "dimensions": [each for each in tally.DIMENSIONS if _may(actor, each)], "areal": asked.by in tally.AREAS,
        "exclusions": EXCLUSIONS, "bases": BASES,
        "without": left_out(search.without, usual), "usual": usual, "nothing": NOTHING,
        "link": lambda **more: query(search, **(asked.given() | more)), "more": 0,
    }  # fmt: skip
    try:
        require(actor, "figures.people") if asked.by in tally.PEOPLE else None
        values |= _values(session, actor, search, asked)
    except Problem as problem:
        values["faults"] = [*values["faults"], i18n.say(problem)]
    if is_fragment(request):
        return render(request, "fragments/figures.html", values)
    return render(request, "figures.html", values | choices(session, actor))


def _may(actor: Actor, by: str) -> bool:
    return by not in tally.PEOPLE or bool(can(actor, "figures.people"))


def _values(session: Session, actor: Actor, search: Search, asked: Asked) -> dict[str, Any]:
    counts, rates = TABLES[asked.table]
    wanted = needed(counts, rates)
    rows, total = _told(session, actor, search, asked, wanted)
    then, before, whole = queries.previous(search, asked.at) if asked.previous else None, {}, None
    if then is not None:
        found, whole = _told(session, actor, then, asked, wanted)
        before = {each.code: each for each in found}
    ranked = asked.sort.lstrip("-") if asked.sort.lstrip("-") in BETTER else RANKED[asked.table]
    places = ranks([each.rates.get(ranked) for each in rows], BETTER[ranked])
    ordered = _sorted(list(zip(rows, places, strict=True)), asked.sort)
    return {
        "rows": ordered[:SHOWN], "more": max(len(ordered) - SHOWN, 0), "units": len(ordered), "total": total,
        "counts": {name: COUNTS[name] for name in counts}, "rates": rates, "ranked": ranked,
        "formula": _formula_of(session, asked), "shown": shown, "then": then, "before": before, "whole": whole,
        "change": change, "cases_of": _cases_of(search, asked),
    }  # fmt: skip


def _told(
    session: Session, actor: Actor, search: Search, asked: Asked, wanted: Iterable[str]
) -> tuple[list[Figures], Figures]:
    at, wanted = asked.instant, tuple(wanted)
    return queries.table(session, actor, asked.by, search, at, counts=wanted, areas=asked.areas)


def _cases_of(search: Search, asked: Asked) -> Callable[[Figures | None, str], str]:
    """Return what makes the address of the list behind a number; of the past, or a map of today, it is its own."""
    moved = asked.areas != "then" and asked.by in tally.AREAS
    page = "/figures/cases" if asked.at or moved else "/incidents"
    more = {"at": asked.at, "areas": asked.areas if moved else ""} if page != "/incidents" else {}

    def address(row: Figures | None, name: str) -> str:
        one = search if row is None else replace(search, row_by=asked.by, row=row.code or "")
        return page + query(replace(one, count=name), **more)

    return address


def _sorted(rows: list[tuple[Figures, int | None]], sort: str) -> list[tuple[Figures, int | None]]:
    """Return the rows by a column, a leading minus from large to small; what has no value stands last."""
    column = sort.lstrip("-")
    if column == "name":
        return sorted(rows, key=lambda row: row[0].name or "", reverse=sort.startswith("-"))
    sign = -1 if sort.startswith("-") else 1
    values = [(row.counts | row.rates).get(column) for row, _place in rows]
    order = sorted(range(len(rows)), key=lambda n: (values[n] is None, sign * (values[n] or 0)))
    return [rows[n] for n in order]


def shown(name: str, value: float | None) -> str:
    """Return a rate as it is published: a share, or hours."""
    if UNITS[name] == "share" or value is None:
        return percent(value)
    return _("{n} hours", n=number(value, 1))


def change(name: str, now: float | None, before: float | None) -> tuple[str, str]:
    """Return how a number moved since the period before, with its arrow, and whether that is good, bad or neither."""
    if now is None or before is None:
        return "", ""
    step = now - before
    if UNITS.get(name) == "share":
        told = _("{n} points", n=number(abs(step) * 100, 2))
    else:
        told = _("{n} hours", n=number(abs(step), 1)) if name in UNITS else number(abs(step))
    if abs(step) < 5e-5:
        return _("as before"), ""
    tone = {1: "good", -1: "bad"}.get(BETTER.get(name, 0) * (1 if step > 0 else -1), "")
    words_of = {"good": _("{change}, better"), "bad": _("{change}, worse"), "": "{change}"}
    return words_of[tone].format(change=("↑ " if step > 0 else "↓ ") + told), tone


@router.get("/figures.csv")
def as_csv(session: Transaction, actor: Viewer, search: OfAreas, asked: Ask) -> Response:
    """Send all counts and rates as a file that spreadsheets open with its Chinese intact."""
    return _file(Format.CSV, session, actor, search, asked)


@router.get("/figures.xlsx")
def as_xlsx(session: Transaction, actor: Viewer, search: OfAreas, asked: Ask) -> Response:
    """Send the same as an XLSX table."""
    return _file(Format.XLSX, session, actor, search, asked)


def _file(kind: Format, session: Session, actor: Actor, search: Search, asked: Asked) -> Response:
    require(actor, "figures.people") if asked.by in tally.PEOPLE else None
    rows, total = _told(session, actor, search, asked, queries.ALL)
    formula = _formula_of(session, asked)
    rates = (*RATES, SCORE)
    titles = [words.word(words.COUNTS, name) for name in COUNTS]
    titles += [f"{words.word(words.RATES, name)} ({formula(name)})" for name in rates]
    lines = (
        (row.code or "", row.name or ("" if row.code else _("No unit")), *_cells(row, rates)) for row in rows
    )
    last = ("", _("Total"), *_cells(total, rates))
    content = b"".join(sheet.stream(kind, [_("Code"), _("Name"), *titles], [*lines, last]))
    headers = {"Content-Disposition": f'attachment; filename="figures-{asked.by}.{kind.value}"'}
    return Response(content, media_type=kind.media, headers=headers)


def _cells(row: Figures, rates: Iterable[str]) -> list[object]:
    values = (row.rates.get(name) for name in rates)
    told = (
        percent(each) if UNITS[name] == "share" else each for name, each in zip(rates, values, strict=True)
    )
    return [
        *(row.counts[name] for name in COUNTS),
        *(round(e, 2) if isinstance(e, float) else e for e in told),
    ]


def _formula_of(session: Session, asked: Asked) -> Callable[[str], str]:
    weights = tally.terms(session, asked.at).weights
    return lambda name: formula(name, weights)


def formula(name: str, weights: Mapping[str, float] = tally.Terms().weights) -> str:
    """Return the formula of a rate in the words of the counts."""
    if name == SCORE:
        parts = (f"{percent(weight)} × {words.word(words.RATES, each)}" for each, weight in weights.items())
        return " + ".join(parts)
    rate = RATES[name]
    return f"{words.word(words.COUNTS, rate.over)} ÷ {words.word(words.COUNTS, rate.under)}"


@router.get("/figures/cases", response_class=HTMLResponse)
def show_cases(
    request: Request, session: Transaction, actor: Viewer, search: OfAreas, asked: Ask, before: str = ""
) -> HTMLResponse:
    """Show the cases behind a number of a past day, as they stood, or on the map in force."""
    last = int(before) if before.isdecimal() and len(before) < 19 else None
    found = queries.behind(session, actor, search, asked.instant, areas=asked.areas, size=PAGE, before=last)
    kept = {"at": asked.at, "areas": kept_areas(asked.areas)}
    more = query(search, **kept, before=found.cases[-1]["id"]) if len(found.cases) == PAGE else ""
    language = i18n.language.get()
    return render(request, "figure_cases.html", {
        "found": found, "asked": asked, "search": search, "more": more, "first": last is None,
        "to_first": query(search, **kept),
        "now": asked.instant or clock.now(), "bases": BASES, "row": row_name(session, search),
        "categories": {each.id: each.name(language) for each in matters.by_id(session).values()},
        "names": hierarchy.names(session, {each["home"] for each in found.cases}, clock.today()),
    })  # fmt: skip


def row_name(session: Session, search: Search) -> str:
    """Return what the row of a list behind a number is called."""
    if not search.row_by:
        return ""
    return queries.names(session, search.row_by, [search.row], clock.today()).get(search.row, search.row)
