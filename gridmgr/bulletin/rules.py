"""When papers are due, what they are called, and how one is set: pictures, pages, PDF, map. No session, no clock."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd

from gis import drawing, maps, offline, palette, thematic
from gridmgr import i18n, paper
from gridmgr.digest.model import Period, Span
from gridmgr.digest.rules import FEW_DUE, Material, after, called, change, sentences, span
from gridmgr.i18n import LANGUAGES, LOCALES, _, speaking
from gridmgr.statistics.rules import RATES, UNITS, even_classes
from gridmgr.words import HOTSPOTS, N_, STATES, WHISTLE_KINDS, word
from gridmgr.words.figures import COUNTS, SOURCES
from gridmgr.words.figures import RATES as RATE_WORDS
from gridmgr.words.reports import BULLETIN_PERIODS, BULLETIN_SUBJECTS, FLOW

STATIC = Path(__file__).resolve().parents[2] / "web" / "static"
MAP = "map.html"
SIX = time(6)  # of the morning after its last day a paper is written
MOST_LATE = 60  # periods a plan catches up with at once
PAUSES = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))  # before a failed one is tried again
MOST_POINTS = 5000  # of incidents on a map
MOST_CHILDREN = 20  # areas of a table; the content has them all
BANDS = 4  # classes of micro-grids in which something was reported
PNG, PDF, HTML = "image/png", "application/pdf", "text/html"

Files = Mapping[str, tuple[str, bytes]]
"""By name: the media type and the content."""


# ---- when ----------------------------------------------------------------------------------------------


def due_at(of: Span, zone: ZoneInfo) -> datetime:
    """Return when the paper of a span is due: Monday, or the 1st, at six in the morning."""
    return datetime.combine(of.last + timedelta(days=1), SIX, zone)


def due(period: Period, since: date, now: datetime, zone: ZoneInfo) -> Iterator[Span]:
    """Yield the spans from a day on whose papers are due by now, the oldest first; of very many the newest.

    >>> from datetime import UTC
    >>> [str(each.first) for each in due(Period.MONTH, date(2026, 1, 1), datetime(2026, 3, 1, 7, tzinfo=UTC), UTC)]
    ['2026-01-01', '2026-02-01']
    """
    found, each = [], span(period, since)
    while due_at(each, zone) <= now:
        found.append(each)
        each = after(each)
    yield from found[-MOST_LATE:]


def next_attempt(attempts: int, now: datetime) -> datetime | None:
    """Return when a paper that failed so many times is tried again; None: it is given up."""
    return now + PAUSES[attempts - 1] if attempts <= len(PAUSES) else None


# ---- what it is called -----------------------------------------------------------------------------------


def subject_name(kind: str, name: str) -> str:
    """Return what a subject is called: by its name, the district by its word."""
    return name or word(BULLETIN_SUBJECTS, kind)


def span_name(period: str, first: date, last: date) -> str:
    """Return what a span is called: 2026年第48周（11月23日至29日）, or 2026年11月."""
    if period == Period.MONTH:
        return _("{year}-{month:02}", year=first.year, month=first.month)
    year, week, _day = first.isocalendar()
    return _(
        "{year}, week {week} ({first} – {last})",
        year=year,
        week=week,
        first=i18n.day(first),
        last=i18n.day(last),
    )


def title(kind: str, name: str, period: str) -> str:
    """Return what a paper is called: 清亭街道工作周报."""
    return _("{report}: {name}", name=subject_name(kind, name), report=word(BULLETIN_PERIODS, period))


# ---- how it is set ---------------------------------------------------------------------------------------


def content_hash(content: Mapping[str, Any]) -> str:
    """Return the hash of a content, the same however it was stored."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def drawn(material: Material) -> Files:
    """Return what a paper has whatever language it is read in: its pictures, and the map in one file."""
    files = {f"{name}.png": (PNG, picture) for name, picture in _pictures(material)}
    if len(material.units):
        files[MAP] = (HTML, _map(material).encode())
    return files


def set_in(language: str) -> tuple[str, ...]:
    """Return the names of the files that a paper is in a language; none of one we do not speak."""
    return (f"{language}.html", f"{language}.pdf") if language in LANGUAGES else ()


def typeset(content: Mapping[str, Any], facts: Mapping[str, Any], pictures: Files) -> Files:
    """Return the page and the PDF of a paper in the language that is spoken.

    `facts` are those of the paper itself: issue, why, who wrote it and when.
    """
    values, named = _values(content, facts, set(pictures)), i18n.language.get()
    printed = values | {"linked": False, "sheet": paper.STYLE.read_text("utf-8")}
    return {
        f"{named}.html": (HTML, paper.page("bulletin/paper.html", values | {"linked": True}).encode()),
        f"{named}.pdf": (PDF, paper.pdf(paper.page("bulletin/printed.html", printed), pictures)),
    }


def _values(content: Mapping[str, Any], facts: Mapping[str, Any], pictures: set[str]) -> dict[str, Any]:
    """Return what the template is filled with."""
    kind, name = content["subject"]["kind"], content["subject"]["name"]
    first, last = (date.fromisoformat(content["period"][each]) for each in ("first", "last"))
    scanned = content.get("scanned")
    return {
        "content": content, "facts": facts, "pictures": pictures, "told": sentences(content),
        "title": title(kind, name, content["period"]["kind"]), "name": subject_name(kind, name),
        "report": word(BULLETIN_PERIODS, content["period"]["kind"]),
        "span": span_name(content["period"]["kind"], first, last), "first": first, "last": last,
        "as_of": datetime.fromisoformat(content["as_of"]), "hash": content_hash(content),
        "flow": _compared(content, "flow", FLOW), "rates": _rates(content), "sources": SOURCES, "states": STATES,
        "kinds": WHISTLE_KINDS, "matter": called, "change": change, "most_children": MOST_CHILDREN, "few": FEW_DUE,
        "scanned": date.fromisoformat(scanned) if scanned else None,
    }  # fmt: skip


def _compared(content: Mapping[str, Any], part: str, names: Mapping[str, str]) -> list[tuple]:
    now, then = content[part], content["before"][part]
    return [(word(names, name), now[name], then[name], change(now[name], then[name])) for name in now]


def _rates(content: Mapping[str, Any]) -> list[tuple]:
    """Return (name, formula, over, under, rate, rate before, unit) of each rate of which anything is known."""
    counts, rates = content["figures"]["counts"], content["figures"]["rates"]
    before = content["before"]["figures"]["rates"]
    return [
        (word(RATE_WORDS, name), *_formed(name, counts), rate, before.get(name), UNITS.get(name, "share"))
        for name, rate in rates.items() if rate is not None or before.get(name) is not None
    ]  # fmt: skip


def _formed(name: str, counts: Mapping[str, int]) -> tuple[str, int | None, int | None]:
    """Return how a rate is formed: its formula, and the two counts; a score says so in its name."""
    rate = RATES.get(name)
    if rate is None:
        return "", None, None
    if rate.unit != "share":
        return f"{word(COUNTS, rate.over)} ÷ {word(COUNTS, rate.under)}", None, None
    return f"{word(COUNTS, rate.over)} ÷ {word(COUNTS, rate.under)}", counts[rate.over], counts[rate.under]


# ---- pictures and maps -----------------------------------------------------------------------------------


def both(message: str, between: str = "\n") -> str:
    """Return a message in every language: pictures and maps are drawn once, for all readers."""
    told = []
    for language in LANGUAGES:
        with speaking(language):
            told.append(_(message))
    return between.join(dict.fromkeys(told))


in_line = partial(both, between=" · ")


def _pictures(material: Material) -> Iterator[tuple[str, bytes]]:
    from gis import pictures  # only whoever writes papers draws

    days = material.content["days"]
    yield "days", pictures.bar_picture(
        [f"{int(day[5:7])}-{int(day[8:])}" for day, *_rest in days],
        {in_line(FLOW["reported"]): [row[1] for row in days], in_line(FLOW["closed"]): [row[2] for row in days]},
        form="png",
    )  # fmt: skip
    if not len(material.units):
        return
    units, borders = material.units, material.borders
    bands, fill = banded(units, both)
    yield "counts", pictures.map_picture(bands, fill=fill, borders=borders)
    if material.content["hotspots"]["card"]:
        yield "hotspots", pictures.map_picture(units, fill=_classes(both), borders=borders)
    if len(material.cases):
        yield "cases", pictures.map_picture(units, points=_points(material, both), borders=borders)


def banded(units: gpd.GeoDataFrame, say: Any) -> tuple[gpd.GeoDataFrame, drawing.Choropleth]:
    """Return units with the band of their count, and what the bands are: none, then about evenly many units each."""
    some = {code: int(count) for code, count in units["count"].items() if count}
    lows, bands = even_classes(some, BANDS)
    ends = [*(low - 1 for low in lows[1:]), *([max(some.values())] if some else ())]
    labels = ["0", *(str(low) if low == end else f"{low}–{end}" for low, end in zip(lows, ends, strict=True))]
    colours = [palette.NOTHING, *palette.COUNTS[1:]]
    classes = [drawing.Class(n, colours[n], label) for n, label in enumerate(labels)]
    shown = units.assign(band=units.index.map(lambda code: bands.get(code, 0)))
    return shown, drawing.Choropleth("band", say(N_("Cases reported")), classes)


def _classes(say: Any) -> drawing.Choropleth:
    classes = [
        drawing.Class(klass, colour, say(HOTSPOTS[str(klass)])) for klass, colour in palette.HOTSPOT.items()
    ]
    return drawing.Choropleth("klass", say(N_("Hot and cold spots")), classes)


def _points(material: Material, say: Any) -> drawing.Points:
    rows = material.cases.sort_values("reported_at", ascending=False).iloc[:MOST_POINTS]
    items = [
        [row.number, row.number, row.lon, row.lat, row.state, material.names.get(row.category_id, ""), ""]
        for row in rows.itertuples()
    ]
    labels = {state: say(label) for state, label in STATES.items()}
    return drawing.Points(say(N_("Cases by state")), labels, items=items)


def _map(material: Material) -> str:
    """Return the map of a paper in one file that opens without a network."""
    shown, counts = banded(material.units, in_line)
    points = _points(material, in_line)
    choropleths = [counts, _classes(in_line)]
    chart = thematic.value_map(shown.reset_index(drop=True), choropleths, points=points, words=_map_words())
    subject, period = material.content["subject"], material.content["period"]
    named = f"{title(subject['kind'], subject['name'], period['kind'])} {period['first']} – {period['last']}"
    return offline.standalone(maps.parts(chart), STATIC, named, LOCALES["zh"].replace("_", "-"))


def _map_words() -> drawing.Words:
    return drawing.Words(
        zoom_in=in_line("Zoom in"), zoom_out=in_line("Zoom out"), full_screen=in_line("Full screen"),
        leave_full_screen=in_line("Leave full screen"), layers=in_line("Layers"), open=in_line("Open"),
        code=in_line("Code"), number=in_line("Number"), state=in_line("State"), category=in_line("Category"),
    )  # fmt: skip
