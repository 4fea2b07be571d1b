"""The methods by which the district is looked at, as the cards beside their results tell them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gridmgr.i18n import _, day, number
from gridmgr.words import LEVELS, N_, word

LOOKS = {
    "now": N_("Hot spots now"),
    "trend": N_("How they come and go"),
    "rates": N_("Cases per household, area, patrol hour"),
    "density": N_("Densest places"),
    "repeat": N_("Places that come back"),
}
EMERGING = {
    "new_hot": N_("New hot spot"),
    "consecutive_hot": N_("Consecutive hot spot"),
    "intensifying_hot": N_("Intensifying hot spot"),
    "persistent_hot": N_("Persistent hot spot"),
    "diminishing_hot": N_("Diminishing hot spot"),
    "sporadic_hot": N_("Sporadic hot spot"),
    "oscillating_hot": N_("Oscillating hot spot"),
    "historical_hot": N_("Historical hot spot"),
    "new_cold": N_("New cold spot"),
    "consecutive_cold": N_("Consecutive cold spot"),
    "intensifying_cold": N_("Intensifying cold spot"),
    "persistent_cold": N_("Persistent cold spot"),
    "diminishing_cold": N_("Diminishing cold spot"),
    "sporadic_cold": N_("Sporadic cold spot"),
    "oscillating_cold": N_("Oscillating cold spot"),
    "historical_cold": N_("Historical cold spot"),
    "none": N_("No pattern"),
}
COURSE = {"1": N_("hot"), "0": N_("neither hot nor cold"), "-1": N_("cold")}
PERIODS = {"day": N_("single days"), "week": N_("weeks")}
RATE_BASES = {"households": N_("Households"), "area": N_("Area in km²"), "hours": N_("Patrol hours")}
PER = {"households": N_("per 100 households"), "area": N_("per km²"), "hours": N_("per 100 patrol hours")}
SAID_CLASSES = {"few": N_("Too few to say"), "unknown": N_("Not known")}


@dataclass(frozen=True)
class Method:
    """What stands on the card of a method beside the numbers of the day."""

    what: str
    compared: str
    chance: str
    read: str
    silent: str


_REPORTS = N_(
    "why. It counts reports, not trouble: where more is reported, more is found. Voided and merged cases are left out."
)
_NONE = N_("none: nothing is tested, so nothing is called significant")
_UNTESTED, _WORKED_OUT = N_("none: nothing is drawn by lot"), N_("none: p is worked out, not drawn")
METHODS: Mapping[str, Method] = {
    "gi": Method(
        N_("Getis-Ord Gi*: the cases of a unit and its neighbours, compared with all units"),
        N_("units that share a border or a corner, and the unit itself, each with weight 1"),
        N_("two-sided normal; of many tests the false discovery rate is held (Benjamini-Hochberg)"),
        N_(
            "A hot unit and its neighbours together have more cases than chance would put there, a cold one "
            "fewer. One unit with many cases among quiet neighbours need not be hot."
        ),
        _REPORTS,
    ),
    "trend": Method(
        N_(
            "Gi* of every unit and period, and how it went: the 17 classes of emerging hot spots, with the "
            "Mann-Kendall trend"
        ),
        N_(
            "in space: units that share a border or a corner, and the unit itself; in time: its period and "
            "the one before; compared with all units in all periods"
        ),
        N_(
            "two-sided normal at 5 %; of many tests the false discovery rate is held over all units and "
            "periods (Benjamini-Hochberg)"
        ),
        N_(
            "New: hot in the last period for the first time. Consecutive: hot in the last periods without a "
            "break, never before. Intensifying, persistent, diminishing: hot in at least 90 % of the periods,"
            " getting hotter, the same, cooler. Sporadic: hot now and on and off before. Oscillating: hot "
            "now, cold at some time before. Historical: hot in at least 90 % of the periods, but not in the "
            "last. The same for cold."
        ),
        N_(
            "why, nor what comes next. Periods lean on those before them, so a trend is found a little too "
            "readily. A rhythm of the week looks like on and off: compare weeks then. It counts reports; "
            "voided and merged cases are left out."
        ),
    ),
    "rates": Method(
        N_(
            "Cases set against households, area or patrol hours; small bases are pulled towards the mean of "
            "all units (empirical Bayes, Marshall 1991), or of the neighbourhood"
        ),
        N_("for the neighbourhood: units that share a border or a corner, and the unit itself"),
        _NONE,
        N_(
            "The smoothed rate is what can be said of a unit after taking out what chance does to small "
            "numbers. Both ranks stand side by side: a grid that is patrolled twice as long reports more "
            "without being worse."
        ),
        N_(
            "whether two neighbouring ranks really differ. Units with too small a base are not ranked. Patrol"
            " hours are hours on duty by the rosters of grid members and leaders, at seats of the unit itself"
            " or inside it; where people went is not in them. Where there is no roster they are not known."
        ),
    ),
    "density": Method(
        N_("Kernel density: every case spread over a circle, added up on a raster in metres"),
        N_("a quartic kernel; how far a case reaches is the bandwidth"),
        _NONE,
        N_(
            "The inner area is where cases lie densest; borders of grids play no part. Each band is as high "
            "as the others."
        ),
        N_(
            "whether a spot is more than chance, nor anything near the edge of the district, beyond which "
            "nothing is known. A larger bandwidth shows fewer and smoother spots."
        ),
    ),
    "repeat": Method(
        N_("The same building and the same matter, so many times within so many days"),
        N_("cases located in a building; cases of other categories are counted apart"),
        _NONE,
        N_(
            "A place that comes back was closed without the cause being gone, or is reported again and again "
            "by somebody who waits. Its cases stand side by side behind the link."
        ),
        N_(
            "which of the two it is. Cases beside buildings are not in it, nor places where people have "
            "stopped reporting."
        ),
    ),
}  # fmt: skip


def told(card: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the card of a result as lines of (title, text) in the language of this request; none of no result."""
    if not card:
        return []
    method = METHODS[card["method"]]
    lines = [
        (_("Method used"), _(method.what)),
        (_("Weights"), _(method.compared) + _links(card)),
        (_("Chance"), _(method.chance) + _alpha(card)),
        (_("Permutations and seed"), _(_UNTESTED if method.chance == _NONE else _WORKED_OUT)),
        (_("Period"), period(card["since"], card["until"])),
        *((_(title), text(card)) for name, (title, text) in _OWN.items() if name in card),
        (_("Incidents"), _incidents(card)),
        (_("How to read it"), _(method.read)),
        (_("What it cannot say"), _(method.silent)),
    ]
    return lines


_OWN = {
    "periods": (N_("Periods"), lambda card: f"{number(card['periods'])} {word(PERIODS, card['step'])}"),
    "bandwidth": (N_("Bandwidth"), lambda card: _metres(card["bandwidth"], card["cell"])),
    "within": (
        N_("Looked for"),
        lambda card: _("{least} cases within {within} days", least=card["least"], within=card["within"]),
    ),
    "base": (N_("Set against"), lambda card: _base(card)),
    "as_of": (N_("Map of"), lambda card: day(card["as_of"])),
    "units": (N_("Units"), lambda card: f"{number(card['units'])} · {word(LEVELS, card['level'])}"),
    "hot": (N_("Found"), lambda card: _("{hot} hot, {cold} cold", hot=card["hot"], cold=card["cold"])),
}


def period(since: Any, until: Any) -> str:
    """Return a period that may have no beginning or no end."""
    if not since and not until:
        return _("Whole period")
    return f"{day(since) if since else '…'} – {day(until) if until else _('today')}"


def _links(card: Mapping[str, Any]) -> str:
    if "links" not in card:
        return ""
    pairs = _("{n} pairs", n=number(card["links"]))
    alone = _(", {n} without neighbours", n=number(card["islands"])) if card["islands"] else ""
    return _(" ({pairs}{alone})", pairs=pairs, alone=alone)


def _alpha(card: Mapping[str, Any]) -> str:
    return f"; α = {' / '.join(str(each) for each in card['alpha'])}" if "alpha" in card else ""


def _metres(bandwidth: float, cell: float) -> str:
    return _("{n} m, cells of {cell} m", n=number(bandwidth), cell=number(cell))


def _base(card: Mapping[str, Any]) -> str:
    base, known, units = word(RATE_BASES, card["base"]), number(card["known"]), number(card["units"])
    least = number(card["minimum"], 2 if card["minimum"] < 1 else 0)
    return _(
        "{base}, at least {least}; known of {known} of {units} units",
        base=base, least=least, known=known, units=units,
    )  # fmt: skip


def _incidents(card: Mapping[str, Any]) -> str:
    elsewhere = card.get("elsewhere")
    more = _("; {n} more lie in no unit of this map", n=number(elsewhere)) if elsewhere else ""
    return number(card["incidents"]) + more
