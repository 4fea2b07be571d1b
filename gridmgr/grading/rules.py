"""From what is known of a micro-grid to its grade, its reasons and a suggestion. No session, no time of day."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from statistics import median

from gridmgr.grading.model import Grade, Graded, Reason, Signs
from gridmgr.terms.model import Term, TermsContradict
from gridmgr.words import N_

MATTER = "grading"
LOOK_BACK = 90  # days within which the last report of a patrol is looked for

TERMS: dict[str, Term] = {
    "days": Term(N_("Days looked at"), 28, 7, 90, whole=True),
    "overdue": Term(N_("Points for each open case past its due time"), 3, 0, 50),
    "repeats": Term(N_("Points for each place with the same matter time and again"), 3, 0, 50),
    "repeat_least": Term(
        N_("Cases of one matter in one building that make such a place"), 3, 2, 50, whole=True
    ),
    "hazards": Term(N_("Points for each urgent case that is open"), 4, 0, 50),
    "serious": Term(N_("Points for each serious case that is open"), 1, 0, 50),
    "rate": Term(N_("Points for many reports per household"), 5, 0, 50),
    "rate_times": Term(N_("Many: so many times the district's middle grid"), 2, 1, 50),
    "least_households": Term(N_("Fewer households say nothing about a rate"), 30, 1, 10_000, whole=True),
    "least_reports": Term(N_("Fewer reports say nothing about a rate"), 5, 1, 1000, whole=True),
    "silence": Term(N_("Points for silence"), 4, 0, 50),
    "silence_days": Term(N_("Silence: no report of a patrol for so many days"), 7, 1, 90, whole=True),
    "cap": Term(N_("Most points for one sign"), 10, 1, 100),
    "yellow_from": Term(N_("Yellow from so many points"), 6, 0, 500),
    "red_from": Term(N_("Red from so many points"), 12, 0, 500),
    "red_patrols": Term(N_("Patrols a week where it is red"), 14, 0, 70),
    "yellow_patrols": Term(N_("Patrols a week where it is yellow"), 7, 0, 70),
    "green_patrols": Term(N_("Patrols a week where it is green"), 3.5, 0, 70),
}

MEANING = (
    N_("A sign gives its points for each case or place counted, up to the most for one sign; all are added up."),
    N_("Reports per household are left out where households or reports are few: a few reports would say too much."),
    N_("A grade says where to look more often; it is no mark for the people who work there."),
)  # fmt: skip


def check(terms: Mapping[str, float]) -> None:
    """Refuse terms by which nothing could be yellow.

    Raises
    ------
    TermsContradict
    """
    if terms["red_from"] < terms["yellow_from"]:
        raise TermsContradict(term="red_from", other="yellow_from")


def middle_rate(known: Iterable[Signs], terms: Mapping[str, float]) -> float:
    """Return the middle of the reports per household, of the grids where they say anything; 0 if nowhere."""
    rates = [rate for each in known if (rate := rate_of(each, terms)) is not None]
    return median(rates) if rates else 0.0


def rate_of(signs: Signs, terms: Mapping[str, float]) -> float | None:
    """Return the reports per household, None where there are too few of either."""
    enough = (signs.households or 0) >= terms["least_households"] and signs.reports >= terms["least_reports"]
    return signs.reports / signs.households if enough and signs.households else None


def grade(signs: Signs, middle: float, terms: Mapping[str, float], before: Grade | None = None) -> Graded:
    """Return the grade of a micro-grid by the terms, beside the middle rate of the district.

    >>> usual = {name: term.usual for name, term in TERMS.items()}
    >>> grade(Signs("1", overdue=2), 0, usual).grade
    <Grade.YELLOW: 'yellow'>
    """
    reasons = tuple(sorted(_reasons(signs, middle, terms), key=lambda each: -each.points))
    points = sum(each.points for each in reasons)
    found = Grade.GREEN
    if points >= terms["yellow_from"]:
        found = Grade.RED if points >= terms["red_from"] else Grade.YELLOW
    return Graded(signs.code, found, points, reasons, terms[f"{found}_patrols"], before)


def _reasons(signs: Signs, middle: float, terms: Mapping[str, float]) -> Iterable[Reason]:
    for sign in ("overdue", "repeats", "hazards", "serious"):
        if points := min(getattr(signs, sign) * terms[sign], terms["cap"]):
            yield Reason(sign, getattr(signs, sign), points)
    rate = rate_of(signs, terms)
    if rate is not None and middle and rate >= middle * terms["rate_times"] and terms["rate"]:
        yield Reason("rate", round(rate / middle, 1), min(terms["rate"], terms["cap"]))
    if signs.silent_days is not None and signs.silent_days >= terms["silence_days"] and terms["silence"]:
        yield Reason("silence", signs.silent_days, min(terms["silence"], terms["cap"]))


def monday_of(day: date) -> date:
    """Return the Monday of the week of a day."""
    return day - timedelta(days=day.weekday())


def plain(graded: Graded) -> list[list]:
    """Return the reasons of a grade as they are stored."""
    return [[each.sign, each.number, each.points] for each in graded.reasons]
