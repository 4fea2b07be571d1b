"""How the units of a level are coloured: by hot spots and how they go, by count or rate, or not at all."""

from collections.abc import Callable, Iterator

from gis.palette import COUNTS, EMERGING, GRADE, HOTSPOT, UNSAID
from gridmgr.account.rules import Actor
from gridmgr.casebook.queries import Search
from gridmgr.errors import BadInput
from gridmgr.grading import queries as grading
from gridmgr.hotspot import queries as hotspots
from gridmgr.hotspot.model import Found
from gridmgr.statistics import queries as statistics
from gridmgr.statistics.rules import even_classes
from web import words
from web.deps import Transaction
from web.i18n import _, number, say
from web.words import N_


def nothing(kind: str = "none") -> dict:
    """Return a map without colours."""
    return {
        "colour": kind,
        "title": _(TITLES[kind]),
        "entries": [],
        "values": {},
        "palette": {},
        "card": {},
        "note": "",
    }


def scale(found: Found) -> list[dict]:
    """Return the classes of a result as a legend shows them: value, words, colour, mark, how many units."""
    numbers = found.classes
    return [
        {"value": str(value), "label": label, "colour": colour, "mark": mark, "count": numbers.get(value, 0)}
        for value, label, colour, mark in SCALES[found.kind](found)
    ]


def _gi(_found: Found) -> Iterator[tuple]:
    for klass, colour in HOTSPOT.items():
        yield klass, words.word(words.HOTSPOTS, klass), colour, ""


def _trend(_found: Found) -> Iterator[tuple]:
    for klass, sign in EMERGING.items():
        yield klass, words.word(words.EMERGING, klass), sign.colour, sign.shape


def _rates(found: Found) -> Iterator[tuple]:
    for n, colour in enumerate(COUNTS, start=1):
        inside = found.units.loc[found.units["klass"] == str(n), "smoothed"]
        if len(inside):
            low, high = rate(inside.min()), rate(inside.max())
            yield str(n), low if low == high else _("{low} to {high}", low=low, high=high), colour, ""
    for klass, colour in UNSAID.items():
        yield klass, words.word(words.SAID_CLASSES, klass), colour, ""


SCALES: dict[str, Callable[[Found], Iterator[tuple]]] = {"gi": _gi, "trend": _trend, "rates": _rates}
UNCOLOURED = {"0", "none"}  # what is nothing in particular stays as the map draws it


def rate(value: float) -> str:
    """Return a rate with as many digits as tell it from others."""
    return number(value, 0 if value >= 100 else 1 if value >= 10 else 2)


def of(found: Found) -> dict:
    """Return the classes of a result as a map takes them: legend, value and colour of each unit, the card."""
    classes = found.units["klass"].astype(str)
    entries = scale(found) if found.card else []
    return {
        "entries": entries, "values": classes[~classes.isin(UNCOLOURED)].to_dict(), "card": found.card,
        "palette": {entry["value"]: entry["colour"] for entry in entries},
    }  # fmt: skip


def _found(kind: str, find: Callable[..., Found], **asked: str) -> Callable[..., dict]:
    def colour(session: Transaction, actor: Actor, level: str, search: Search) -> dict:
        try:
            found = find(session, actor, level, search, **asked)
        except BadInput as problem:
            return nothing(kind) | {"note": say(problem)}
        return nothing(kind) | of(found)

    return colour


def count(session: Transaction, actor: Actor, level: str, search: Search) -> dict:
    """Return the units of a level in five classes of their number of incidents, as even as ties allow."""
    counts = statistics.unit_counts(session, actor, level, search)
    if not counts:
        return nothing("count")
    lows, classes = even_classes(counts, len(COUNTS))
    tops = [*(low - 1 for low in lows[1:]), max(counts.values())]
    colours = COUNTS[len(COUNTS) - len(lows) :]
    entries = [
        {
            "value": str(rank),
            "label": _range(low, top),
            "colour": colour,
            "mark": "",
            "count": list(classes.values()).count(rank),
        }
        for rank, (low, top, colour) in enumerate(zip(lows, tops, colours, strict=True), start=1)
    ]
    palette = {str(rank): colour for rank, colour in enumerate(colours, start=1)}
    return nothing("count") | {"entries": entries, "values": classes, "palette": palette}


def _range(low: int, top: int) -> str:
    if low == top:
        return _("{n} incidents", n=number(low))
    return _("{low} to {top} incidents", low=number(low), top=number(top))


def graded(session: Transaction, actor: Actor, level: str, _search: Search) -> dict:
    """Return the grades of a level's units as of now: of a coarser unit the worst inside it."""
    found = grading.worst(session, actor, level)
    entries = [
        {
            "value": grade, "label": words.word(words.GRADES, grade), "colour": sign.colour, "mark": sign.shape,
            "count": sum(each == grade for each in found.values()),
        }
        for grade, sign in GRADE.items()
    ]  # fmt: skip
    palette = {grade: sign.colour for grade, sign in GRADE.items()}
    values = {code: grade.value for code, grade in found.items()}
    return nothing("grade") | {"entries": entries if found else [], "values": values, "palette": palette}


KINDS: dict[str, Callable[..., dict] | None] = {
    "hotspot": _found("hotspot", hotspots.gi),
    "emerging": _found("emerging", hotspots.trend),
    "count": count,
    "households": _found("households", hotspots.rates, base="households"),
    "area": _found("area", hotspots.rates, base="area"),
    "grade": graded,
    "none": None,
}
TITLES = {
    "hotspot": N_("Hotspots"),
    "emerging": N_("How hot spots come and go"),
    "count": N_("Number of incidents"),
    "households": N_("Cases per 100 households"),
    "area": N_("Cases per km²"),
    "grade": N_("Grades of grids"),
    "none": N_("Not at all"),
}


def titles() -> dict[str, str]:
    """Return what the ways of colouring are called, in the order they are offered."""
    return {kind: _(title) for kind, title in TITLES.items()}
