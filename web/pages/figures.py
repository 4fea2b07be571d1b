"""The figures: one table a level and period, each rate with its printed formula, each number with its cases."""

import csv
import io
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from gridmgr.account.rules import Actor
from gridmgr.casebook.queries import Search
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import COVERAGES, NoEdition
from gridmgr.statistics import queries
from gridmgr.statistics.queries import Figures
from gridmgr.statistics.rules import COUNTS, RATES, TABLES
from web import words
from web.api.search import query
from web.deps import Allow, Transaction
from web.i18n import _, percent
from web.pages.filters import Filters, choices, faults
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("figures.view"))]
# The cases behind a count, as far as the list of incidents can tell them apart.
CASES = {
    "reported": {},
    "closed": {"states": ["closed", "evaluated"]},
    "overdue": {"overdue": "true", "open": "true"},
    "finished": {"states": ["closed", "evaluated"]},
    "in_community": {"closed_in": "community"},
    "in_street": {"closed_in": "street"},
    "whistled": {"whistled": "true"},
}


@router.get("/figures", response_class=HTMLResponse)
def show(
    request: Request,
    session: Transaction,
    actor: Viewer,
    search: Filters,
    level: str = "street",
    sort: str = "",
    table: str = "time",
) -> HTMLResponse:
    """Show the figures of every unit of a level."""
    level = level if level in COVERAGES else COVERAGES[0]
    try:
        hierarchy.edition_at(session)
    except NoEdition:
        return render(request, "figures.html", {"no_edition": True})
    table = table if table in TABLES else "time"
    counts, rates = TABLES[table]
    kept = {"level": level, "sort": sort, "table": "" if table == "time" else table}
    values = {
        "no_edition": False, "level": level, "table": table, "tables": TABLES, "coverages": COVERAGES,
        "search": search, "query": query(search),
        "rows": _sorted(_rows(session, actor, level, search), sort), "sort": sort,
        "total": queries.total(session, actor, search), "cases": CASES,
        "counts": {name: COUNTS[name] for name in counts}, 
        "rates": {name: RATES[name] for name in rates if name in RATES},
        "faults": faults(session, actor, search),
        "link": lambda **more: query(search, **(kept | more)),
        "cases_of": lambda code, name: query(search, **({"code": code} if code else {}) | CASES[name]),
    }  # fmt: skip
    if is_fragment(request):
        return render(request, "fragments/figures.html", values)
    return render(request, "figures.html", values | choices(session, actor))


def _rows(session: Session, actor: Actor, level: str, search: Search) -> list[Figures]:
    return queries.figures(session, actor, level, search)


def _sorted(rows: list[Figures], sort: str) -> list[Figures]:
    """Return the rows by a column, a leading minus from large to small; what has no value stands last."""
    column = sort.lstrip("-")
    if column == "name":
        return sorted(rows, key=lambda row: row.name or "", reverse=sort.startswith("-"))
    if column not in COUNTS and column not in RATES:
        return rows
    sign = -1 if sort.startswith("-") else 1
    values = [(row.counts | row.rates)[column] for row in rows]
    order = sorted(range(len(rows)), key=lambda n: (values[n] is None, sign * (values[n] or 0)))
    return [rows[n] for n in order]


@router.get("/figures.csv")
def download(session: Transaction, actor: Viewer, search: Filters, level: str = "street") -> Response:
    """Send the same table as a file that spreadsheets open with its Chinese intact."""
    level = level if level in COVERAGES else COVERAGES[0]
    out = io.StringIO()
    writer = csv.writer(out)
    titles = [words.word(words.COUNTS, name) for name in COUNTS] + [
        f"{words.word(words.RATES, name)} ({formula(name)})" for name in RATES
    ]
    writer.writerow([_("Code"), _("Name"), *titles])
    for row in [*_rows(session, actor, level, search), queries.total(session, actor, search)]:
        name = _plain(row.name or ("" if row.code else _("Total")))
        writer.writerow(
            [
                _plain(row.code or ""),
                name,
                *(row.counts[name] for name in COUNTS),
                *(percent(row.rates[name]) for name in RATES),
            ]
        )
    return Response(
        "\ufeff" + out.getvalue(), media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="figures-{level}.csv"'},
    )  # fmt: skip


def _plain(text: str) -> str:
    """Return a text that no spreadsheet runs as a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text


def formula(name: str) -> str:
    """Return the formula of a rate in the words of the counts."""
    rate = RATES[name]
    return f"{words.word(words.COUNTS, rate.over)} ÷ {words.word(words.COUNTS, rate.under)}"
