"""How the units of a level are coloured on the command map: by hotspot class, by count, or not at all."""

from collections.abc import Callable

import numpy as np

from gis.palette import COUNTS, HOTSPOT
from gridmgr.account.rules import Actor
from gridmgr.casebook.queries import Search
from gridmgr.statistics import queries as statistics
from web import words
from web.deps import Transaction
from web.i18n import _, number


def nothing() -> dict:
    """Return a map without colours."""
    return {"colour": "none", "entries": [], "values": {}, "palette": {}, "card": {}}


def hotspot(session: Transaction, actor: Actor, level: str, search: Search) -> dict:
    """Return the Gi* classes of a level's units, with the card that says how they were found."""
    found = statistics.hotspots(session, actor, level, search)
    classes = found.units["klass"].astype(int)
    numbers = classes.value_counts().to_dict()
    entries = [
        {"label": words.word(words.HOTSPOTS, klass), "colour": colour, "count": numbers.get(klass, 0)}
        for klass, colour in HOTSPOT.items()
    ]
    shown = classes[classes != 0]
    palette = {str(klass): colour for klass, colour in HOTSPOT.items()}
    return {
        "colour": "hotspot", "entries": entries if found.card else [], "values": shown.to_dict(),
        "palette": palette, "card": found.card,
    }  # fmt: skip


def count(session: Transaction, actor: Actor, level: str, search: Search) -> dict:
    """Return the units of a level in five classes of their number of incidents, as even as ties allow."""
    counts = statistics.unit_counts(session, actor, level, search)
    if not counts:
        return nothing() | {"colour": "count"}
    many = np.array(list(counts.values()))
    steps = np.unique(np.ceil(np.quantile(many, [0, 0.2, 0.4, 0.6, 0.8])).astype(int))
    classes = {code: int(np.searchsorted(steps, found, side="right")) for code, found in counts.items()}
    tops = [*(int(step) - 1 for step in steps[1:]), int(many.max())]
    colours = COUNTS[len(COUNTS) - len(steps) :]
    entries = [
        {"label": _range(int(low), top), "colour": colour, "count": list(classes.values()).count(rank)}
        for rank, (low, top, colour) in enumerate(zip(steps, tops, colours, strict=True), start=1)
    ]
    palette = {str(rank): colour for rank, colour in enumerate(colours, start=1)}
    return {"colour": "count", "entries": entries, "values": classes, "palette": palette, "card": {}}


def _range(low: int, top: int) -> str:
    if low == top:
        return _("{n} incidents", n=number(low))
    return _("{low} to {top} incidents", low=number(low), top=number(top))


KINDS: dict[str, Callable[..., dict] | None] = {"hotspot": hotspot, "count": count, "none": None}


def titles() -> dict[str, str]:
    """Return what the ways of colouring are called, in the order they are offered."""
    return {"hotspot": _("Hotspots"), "count": _("Number of incidents"), "none": _("Not at all")}
