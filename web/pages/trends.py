"""Trends: each a chart with the table of its numbers below, and behind each number its cases."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

import web.pages.charting as charting
from gridmgr.account.rules import Actor
from gridmgr.casebook.queries import Search
from gridmgr.category import queries as matters
from gridmgr.life.model import HOLDERS, State
from gridmgr.trend import queries, rules
from gridmgr.trend.model import Cell, Kind, Place, Step, Trend
from web import i18n, words
from web.api.search import query
from web.deps import Allow, Transaction
from web.fields import BigRowId, text
from web.i18n import _, number, percent
from web.pages.filters import Filters, choices, faults
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("figures.view"))]
Typed = Annotated[text(100), Query()]
PAGE, MOST_ROWS = 50, 100


@dataclass(frozen=True)
class Number:
    """One number of a table, the page of its cases, and what else is said of it."""

    count: int
    href: str
    note: str = ""
    back: bool = False


@dataclass(frozen=True)
class Sheet:
    """A chart, and the table that holds its numbers."""

    key: str
    title: str
    option: dict[str, Any]
    corner: str  # what the rows are
    columns: list[str]
    rows: list[tuple[str, list[Number | None]]]
    more: int = 0  # rows left out
    tall: bool = False


def _cases(search: Search, place: dict[str, Any]) -> str:
    """Return the address of the cases at a place of a trend."""
    narrowed = query(search)
    return "/trends/cases" + (f"{narrowed}&" if narrowed else "?") + urlencode(place)


class Drawing:
    """What makes sheets of a trend: its numbers, its words, and the addresses of its cases."""

    def __init__(self, found: Trend, search: Search, groups: dict[str, str]):
        self.found, self.search, self.groups = found, search, groups
        self.steps = [day.isoformat() for day in rules.steps(found.period)]

    def href(self, series: str, at: str | None = None, part: str | None = None) -> str:
        """Return the page of the cases behind a number."""
        place = {"kind": self.found.kind.value, "series": series, "step": self.found.period.step.value}
        more = {name: value for name, value in (("at", at), ("part", part)) if value is not None}
        return _cases(self.search, place | more)

    def cells(self, series: str) -> list[Cell]:
        """Return the numbers of one series."""
        return [cell for cell in self.found.cells if cell.place.series == series]

    def table(
        self, series: str, ats: Sequence[str], parts: Sequence[str], share: bool = False
    ) -> list[tuple[str, list[Number | None]]]:
        """Return the rows of a table by place on the axis, a column for each part and one for all of them."""
        counts = {(cell.place.at, cell.place.part): cell.count for cell in self.cells(series)}
        rows = []
        for at in ats:
            whole = sum(counts.get((at, part), 0) for part in parts)
            told = [
                Number(
                    each, self.href(series, at, part), percent(each / whole) if share and whole else ""
                ) if (each := counts.get((at, part), 0)) else None
                for part in parts
            ]  # fmt: skip
            rows.append((at, [*told, Number(whole, self.href(series, at)) if whole else None]))
        return rows

    def along(self, series: str, ats: Sequence[str], parts: Sequence[str], label: Callable[[str], str]):
        """Return what a chart shows of each part along the axis."""
        counts = {(cell.place.at, cell.place.part): cell.count for cell in self.cells(series)}
        return {
            label(part): [(counts.get((at, part), 0), self.href(series, at, part)) for at in ats]
            for part in parts
        }


def _at(kind: Kind, series: str, at: str) -> str:
    """Return what a place on the axis is called."""
    if kind is Kind.FLOW:
        return words.word(words.STATES, at)
    if kind is Kind.HANDLING:
        return _between(int(at), rules.HOURS[series], _("{n} h"), _("{low} to {high} h"))
    if kind is Kind.AGEING:
        if not at.isdecimal():
            return words.word(words.KEPT, at) if at == "free" else _("Not late")
        ends = rules.AGES if series.startswith("age") else rules.LATENESS
        return _between(int(at), ends, _("{n} days"), _("{low} to {high} days"))
    return at


def _between(bar: int, ends: Sequence[float], one: str, two: str) -> str:
    if bar == len(ends):
        return "≥ " + one.format(n=number(ends[-1]))
    return two.format(low=number(ends[bar - 1] if bar else 0), high=number(ends[bar]))


PART_WORDS = {
    Kind.HANDLING: words.KEPT, Kind.LOOPS: words.LOOPS, Kind.LEVELS: words.CLOSERS, Kind.FLOW: words.STATES,
}  # fmt: skip


def _part(kind: Kind, series: str, part: str, groups: dict[str, str]) -> str:
    """Return what a part is called."""
    if kind is Kind.ACTIVITY:
        return groups.get(part, part) or _("Other")
    if kind is Kind.AGEING:
        return words.word(words.HOLDERS, part) if series.endswith("level") else part or _("Nobody yet")
    return words.word(PART_WORDS[kind], part)


# ---- the sheets of each kind -------------------------------------------------------------------------


def _sheet(
    drawing: Drawing,
    series: str,
    ats: Sequence[str],
    parts: Sequence[str],
    *,
    corner: str,
    share: bool = False,
) -> Sheet:
    """Return stacked bars of one series with their table."""
    kind = drawing.found.kind

    def named(part: str) -> str:
        return _part(kind, series, part, drawing.groups)

    axis = [_at(kind, series, at) for at in ats]
    option = charting.bars(axis, drawing.along(series, ats, parts, named), _("Others"), share)
    rows = [
        (name, row) for name, (_each, row) in zip(axis, drawing.table(series, ats, parts, share), strict=True)
    ]
    columns = [*map(named, parts), _("Total")]
    return Sheet(series, words.word(words.SERIES, series), option, corner, columns, rows)


def _activity(drawing: Drawing, measure: str) -> Iterable[Sheet]:
    cells, steps = drawing.found.cells, drawing.steps
    numbers = {
        series: [(rules.total(cells, series=series, at=at), drawing.href(series, at)) for at in steps]
        for series in rules.MEASURES
    }
    named = {words.word(words.SERIES, series): each for series, each in numbers.items()}
    rows = [
        (at, [Number(*numbers[series][n]) if numbers[series][n][0] else None for series in rules.MEASURES])
        for n, at in enumerate(steps)
    ]
    title = words.word(words.TRENDS, drawing.found.kind)
    yield Sheet("totals", title, charting.lines(steps, named), _("Day"), list(named), rows)
    yield _sheet(drawing, measure, steps, rules.parts(drawing.cells(measure)), corner=_("Day"))


def _handling(drawing: Drawing, _measure: str) -> Iterable[Sheet]:
    for unit, ends in rules.HOURS.items():
        bars = [str(n) for n in range(len(ends) + 1)]
        yield _sheet(
            drawing, unit, bars, rules.parts(drawing.cells(unit), rules.KEPT), corner=_("Time taken")
        )


def _ageing(drawing: Drawing, _measure: str) -> Iterable[Sheet]:
    for series in rules.SERIES[Kind.AGEING]:
        ends = rules.AGES if series.startswith("age") else rules.LATENESS
        bars = [str(n) for n in range(len(ends) + 1)]
        ats = bars if series.startswith("age") else ["free", "in_time", *bars]
        order = HOLDERS if series.endswith("level") else ()
        parts = rules.parts(drawing.cells(series), order)
        yield (
            _turned(drawing, series, ats, parts)
            if not order
            else _sheet(drawing, series, ats, parts, corner=_("Days"))
        )


def _turned(drawing: Drawing, series: str, ats: Sequence[str], parts: Sequence[str]) -> Sheet:
    """Return a sheet whose rows are the parts: bodies are many, the bars are few."""
    kind = drawing.found.kind
    drawn = _sheet(drawing, series, ats, parts, corner="")
    axis = [name for name, _row in drawn.rows]
    rows = [
        (_part(kind, series, part, {}), [row[n] for _name, row in drawn.rows])
        for n, part in enumerate(parts[:MOST_ROWS])
    ]
    whole = [
        sum(cell.count for cell in drawing.cells(series) if cell.place.part == part)
        for part in parts[:MOST_ROWS]
    ]
    for (_name, row), part, each in zip(rows, parts, whole, strict=False):
        row.append(Number(each, drawing.href(series, None, part)))
    left = max(0, len(parts) - MOST_ROWS)
    return Sheet(series, drawn.title, drawn.option, _("Body at work"), [*axis, _("Total")], rows, left)


def _flow(drawing: Drawing, _measure: str) -> Iterable[Sheet]:
    cases = {(cell.place.at, cell.place.part): cell.count for cell in drawing.cells("cases")}
    moves = {(cell.place.at, cell.place.part): cell.count for cell in drawing.cells("moves")}
    there = {state for way in cases for state in way}
    befores = [state.value for state in State if any(way[0] == state for way in cases)]
    afters = [state.value for state in State if any(way[1] == state for way in cases)]
    if not there:
        return
    named = (
        [words.word(words.STATES, each) for each in befores],
        [words.word(words.STATES, each) for each in afters],
    )
    cells = {
        (befores.index(before), afters.index(after)): (count, drawing.href("cases", before, after))
        for (before, after), count in cases.items()
    }
    rows = []
    for n, before in enumerate(befores):
        row: list[Number | None] = []
        for after in afters:
            count, steps = cases.get((before, after), 0), moves.get((before, after), 0)
            note = _("{n} steps", n=number(steps)) if steps > count else ""
            back = bool(count) and rules.went_back(before, after)
            row.append(Number(count, drawing.href("cases", before, after), note, back) if count else None)
        rows.append((named[0][n], row))
    option = charting.matrix(*named, cells, words.word(words.SERIES, "cases"))
    title = words.word(words.TRENDS, Kind.FLOW)
    yield Sheet("flow", title, option, _("From ↓ to →"), named[1], rows, tall=True)


def _shared(drawing: Drawing, _measure: str) -> Iterable[Sheet]:
    order = rules.LOOPS if drawing.found.kind is Kind.LOOPS else rules.CLOSERS
    parts = rules.parts(drawing.cells("closed"), order)
    sheet = _sheet(drawing, "closed", drawing.steps, parts, corner=_("Day"), share=True)
    cells, series = drawing.found.cells, "closed"
    whole = rules.total(cells)
    foot = [
        Number(each, drawing.href(series, None, part), percent(each / whole)) if each else None
        for part, each in ((part, rules.total(cells, part=part)) for part in parts)
    ]
    if whole:
        sheet.rows.append((_("Total"), [*foot, Number(whole, drawing.href(series))]))
    yield sheet


SHEETS: dict[Kind, Callable[[Drawing, str], Iterable[Sheet]]] = {
    Kind.ACTIVITY: _activity,
    Kind.HANDLING: _handling,
    Kind.AGEING: _ageing,
    Kind.FLOW: _flow,
    Kind.LOOPS: _shared,
    Kind.LEVELS: _shared,
}


# ---- the pages ---------------------------------------------------------------------------------------


@router.get("/trends", response_class=HTMLResponse)
def show(
    request: Request, session: Transaction, actor: Viewer, search: Filters, kind: Typed = "", step: Typed = "",
    measure: Typed = "reported",
) -> HTMLResponse:  # fmt: skip
    """Show one kind of trend."""
    chosen = Kind(kind) if kind in set(Kind) else Kind.ACTIVITY
    measure = measure if measure in rules.MEASURES else "reported"
    wrong = faults(session, actor, search)
    kept = {"step": step if step in set(Step) else "", "measure": "" if measure == "reported" else measure}
    values: dict[str, Any] = {
        "kind": chosen, "kinds": list(Kind), "measure": measure, "measures": rules.MEASURES, "search": search,
        "step": kept["step"], "step_names": list(Step), "faults": wrong, "sheets": [], "spreads": (), "found": None,
        "meaning": rules.MEANING[chosen], "link": lambda each: "/trends" + query(search, **kept, kind=each),
        "timed": chosen is not Kind.AGEING, "stepped": chosen in (Kind.ACTIVITY, Kind.LOOPS, Kind.LEVELS),
    }  # fmt: skip
    if not wrong:
        found = queries.trend(session, actor, chosen, search, kept["step"])
        drawing = Drawing(found, search, queries.group_names(session, i18n.language.get()))
        sheets = list(SHEETS[chosen](drawing, measure)) if found.cells else []
        values |= {"found": found, "sheets": sheets, "spreads": found.spreads}
    if is_fragment(request):
        return render(request, "fragments/trends.html", values)
    return render(request, "trends.html", values | choices(session, actor))


@router.get("/trends/cases", response_class=HTMLResponse)
def cases(
    request: Request, session: Transaction, actor: Viewer, search: Filters, kind: Typed = "", series: Typed = "",
    step: Typed = "", at: Annotated[text(40) | None, Query()] = None, part: Annotated[text(100) | None, Query()] = None,
    after: Annotated[BigRowId | None, Query()] = None,
) -> HTMLResponse:  # fmt: skip
    """Show the cases behind a number of a trend."""
    chosen = Kind(kind) if kind in set(Kind) else Kind.ACTIVITY
    series = series or rules.SERIES[chosen][0]
    place = Place(series, at, part)
    found = queries.cases(session, actor, chosen, search, place, PAGE + 1, step, after)
    shown = found[:PAGE]
    own = {"kind": chosen.value, "series": series, "step": step, "at": at, "part": part}
    own = {name: value for name, value in own.items() if value is not None}
    values = {
        "cases": shown, "places": _said(session, chosen, place), "back": "/trends" + query(search, kind=chosen.value),
        "more": _cases(search, own | {"after": shown[-1].id})
        if len(found) > PAGE else "",
        "names": {each.id: each.name(i18n.language.get()) for each in matters.by_id(session).values()},
        "title": words.word(words.TRENDS, chosen), "after": after,
    }  # fmt: skip
    return render(request, "trend_cases.html", values)


def _said(session: Session, kind: Kind, place: Place) -> list[str]:
    """Return in words which number it is."""
    said = [words.word(words.SERIES, place.series)]
    if place.at is not None:
        said.append(_named_at(kind, place))
    if place.part is not None:
        groups = queries.group_names(session, i18n.language.get())
        said.append(_part(kind, place.series, place.part, groups))
    return said


def _named_at(kind: Kind, place: Place) -> str:
    try:
        return _at(kind, place.series, place.at or "")
    except (ValueError, IndexError):  # an address somebody typed
        return (place.at or "")[:40]
