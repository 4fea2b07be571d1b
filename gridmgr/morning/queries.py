"""Reads of the morning page: its numbers, and for each of them the cases behind it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Date, Select, cast, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from gridmgr import clock
from gridmgr.account.model import Account, Role
from gridmgr.account.rules import Actor
from gridmgr.calendar.queries import calendar_for
from gridmgr.casebook import queries as casebook
from gridmgr.casebook.queries import Search
from gridmgr.category import queries as matters
from gridmgr.duty import queries as duty
from gridmgr.escalation.model import CaseClock, RungClimbed
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import GridUnit
from gridmgr.incident.model import Incident, IncidentEvent
from gridmgr.incident.queries import visible
from gridmgr.life.model import Action
from gridmgr.life.rules import OPEN
from gridmgr.morning import rules
from gridmgr.morning.rules import UnknownItem, Unusual
from gridmgr.past import queries as past
from gridmgr.policy.model import Act
from gridmgr.scan import queries as scans
from gridmgr.scan.queries import Alarm
from gridmgr.scan.rules import LEVELS
from gridmgr.supervision.model import SupervisionOrder
from gridmgr.whistle.model import Call, Standing, Whistle

TOP, EMPTY, ALARMS = 5, 8, 3  # cases, empty seats and alarms that are shown at once
RETURNED = (Action.REOPEN, Action.REWORK)


@dataclass(frozen=True)
class Stretch:
    """What the page looks at: the area, since when, and now."""

    area: str
    since: datetime
    now: datetime


@dataclass(frozen=True)
class Seats:
    """The seats of one kind: how many units have one, on how many somebody sits, who, and which are empty."""

    level: str
    roles: tuple[Role, ...]
    units: int
    filled: int
    people: tuple[str, ...]
    empty: tuple[tuple[str, str], ...]  # code and name, the first few


@dataclass(frozen=True)
class Morning:
    """One look at an area in the morning."""

    stretch: Stretch
    counts: dict[str, int]  # by item of rules.ITEMS
    then: dict[str, int]  # open and late cases as they were known when work closed
    present: dict[str, int]  # and now
    soon: tuple[Incident, ...]  # the first that are about to be late
    day: date  # the last whole day
    categories: tuple[Unusual, ...]
    grids: tuple[Unusual, ...]
    scanned: date | None  # the last day that was scanned
    alarms: tuple[Alarm, ...]
    seats: tuple[Seats, ...]
    seated_at: datetime


def stretch(session: Session, area: str = "") -> Stretch:
    """Return what the page of an area looks at now: since work last closed there before today."""
    now = clock.now()
    return Stretch(area, rules.closed_at(calendar_for(session, area), now), now)


def morning(session: Session, actor: Actor, area: str = "") -> Morning:
    """Return how an area stands this morning, of what the actor may see."""
    of = stretch(session, area)
    yesterday = clock.local(of.now).date() - timedelta(days=1)
    scanned = scans.last_day(session)
    at = rules.seated_at(calendar_for(session, area), of.now)
    return Morning(
        stretch=of, counts=_counts(session, actor, of), then=_then(session, actor, of),
        present=_present(session, actor, of), soon=tuple(page(session, actor, of, "soon", TOP)), day=yesterday,
        categories=tuple(_of_categories(session, actor, area, yesterday)),
        grids=tuple(_unusual(session, actor, area, yesterday, Incident.micro_grid_code)),
        scanned=scanned, alarms=_alarms(session, actor, area, scanned),
        seats=tuple(_seats(session, actor, area, at)), seated_at=at,
    )  # fmt: skip


# ---- lists ---------------------------------------------------------------------------------------


def _overdue(session: Session, of: Stretch) -> ColumnElement[bool]:
    return Incident.due_at.between(of.since, of.now) & Incident.stopped_at.is_(None)


def _climbed(session: Session, of: Stretch) -> ColumnElement[bool]:
    rung = (
        select(RungClimbed.clock_id)
        .join(CaseClock, CaseClock.id == RungClimbed.clock_id)
        .where(
            CaseClock.incident_id == Incident.id,
            RungClimbed.climbed_at > of.since,
            RungClimbed.act != Act.REMIND,
        )
    )
    return Incident.state.in_(OPEN) & rung.exists()


def _ordered(session: Session, of: Stretch) -> ColumnElement[bool]:
    return exists().where(SupervisionOrder.incident_id == Incident.id, SupervisionOrder.issued_at > of.since)


def _unheard(session: Session, of: Stretch) -> ColumnElement[bool]:
    silent = select(Call.id).join(Whistle, Whistle.id == Call.whistle_id)
    return silent.where(
        Whistle.incident_id == Incident.id, Whistle.state == Standing.BLOWN, Call.called_at.is_not(None),
        Call.answered_at.is_(None), Call.arrived_at.is_(None), Call.excused_at.is_(None),
    ).exists()  # fmt: skip


def _returned(session: Session, of: Stretch) -> ColumnElement[bool]:
    step = (IncidentEvent.incident_id == Incident.id) & IncidentEvent.action.in_(RETURNED)
    return exists().where(step, IncidentEvent.occurred_at > of.since)


def _soon(session: Session, of: Stretch) -> ColumnElement[bool]:
    return casebook.soon(session)


def _today(session: Session, of: Stretch) -> ColumnElement[bool]:
    midnight = clock.midnight(clock.local(of.now).date(), 1)
    return Incident.due_at.between(of.now, midnight) & Incident.stopped_at.is_(None)


LISTS: dict[str, Callable[[Session, Stretch], ColumnElement[bool]]] = {
    "overdue": _overdue, "climbed": _climbed, "ordered": _ordered, "unheard": _unheard, "returned": _returned,
    "soon": _soon, "today": _today,
}  # fmt: skip


def _mine(actor: Actor, area: str) -> Select:
    return visible(actor).where(Incident.home.startswith(area, autoescape=True))


def _counts(session: Session, actor: Actor, of: Stretch) -> dict[str, int]:
    numbers = [func.count().filter(condition(session, of)) for condition in LISTS.values()]
    row = session.execute(_mine(actor, of.area).with_only_columns(*numbers)).one()
    return dict(zip(LISTS, row, strict=True))


def page(
    session: Session, actor: Actor, of: Stretch, item: str, size: int, behind: int | None = None
) -> list[Incident]:
    """Return the cases behind a number of the page, by due time, going on behind the case of an id.

    Raises
    ------
    UnknownItem
    """
    if item not in LISTS:
        raise UnknownItem(item=item)
    due = func.coalesce(Incident.due_at, casebook.FAR)
    asked = _mine(actor, of.area).where(LISTS[item](session, of))
    if behind is not None:
        last = select(due, Incident.id).where(Incident.id == behind).scalar_subquery()
        asked = asked.where(func.row(due, Incident.id) > last)
    return list(session.scalars(asked.order_by(due, Incident.id).limit(size)))


# ---- then and now --------------------------------------------------------------------------------


def _then(session: Session, actor: Actor, of: Stretch) -> dict[str, int]:
    cases = past.cases(session, actor, Search(open=True), of.since)
    with clock.travel(of.since):
        late = past.bent(casebook.late(), cases)
    asked = select(func.count(), func.count().filter(late)).select_from(cases)
    return _piled(session, asked.where(cases.c.home.startswith(of.area, autoescape=True)))


def _present(session: Session, actor: Actor, of: Stretch) -> dict[str, int]:
    asked = _mine(actor, of.area).where(Incident.state.in_(OPEN))
    numbers = func.count(), func.count().filter(casebook.late())
    return _piled(session, asked.with_only_columns(*numbers))


def _piled(session: Session, asked: Select) -> dict[str, int]:
    return dict(zip(("open", "late"), session.execute(asked).one(), strict=True))


# ---- more than usual -----------------------------------------------------------------------------


def _unusual(
    session: Session, actor: Actor, area: str, day: date, key: InstrumentedAttribute
) -> list[Unusual]:
    days = [day, *rules.compared(day)]
    local = cast(func.timezone(str(clock.zone()), Incident.reported_at), Date)
    spans = [
        (Incident.reported_at >= clock.midnight(each)) & (Incident.reported_at < clock.midnight(each, 1))
        for each in days
    ]
    asked = (
        _mine(actor, area).where(or_(*spans), key.is_not(None)).with_only_columns(local, key, func.count())
    )
    counts: dict[date, dict] = {each: {} for each in days}
    for at, value, number in session.execute(asked.group_by(local, key)):
        counts[at][value] = number
    return rules.unusual(counts[day], [counts[each] for each in days[1:]])


def _of_categories(session: Session, actor: Actor, area: str, day: date) -> list[Unusual]:
    known = matters.by_id(session)
    found = _unusual(session, actor, area, day, Incident.category_id)
    return [replace(each, key=known[each.key].code) for each in found]


# ---- the scan, and who is there ------------------------------------------------------------------


def _alarms(session: Session, actor: Actor, area: str, scanned: date | None) -> tuple[Alarm, ...]:
    """Return the first alarms of the day that was scanned last, which the page names."""
    if scanned is None:
        return ()
    found = scans.page(session, actor, scans.Search(day=scanned, level=LEVELS[0]), 50)
    return tuple(each for each in found if any(code.startswith(area) for code in each.codes))[:ALARMS]


def _seats(session: Session, actor: Actor, area: str, at: datetime) -> Iterable[Seats]:
    sitting, today = duty.seats_at(session, at), clock.local(at).date()
    units = {
        level: _units(session, actor, level, area, today) for level in {level for level, _ in rules.SEATS}
    }
    taken = [{code: sitting.at(roles, code) for code, _name in units[level]} for level, roles in rules.SEATS]
    ids = {account for level in taken[:3] for people in level.values() for account in people}
    asked = select(Account.id, Account.name).where(Account.id.in_(ids))
    names = dict(tuple(row) for row in session.execute(asked))
    for (level, roles), found in zip(rules.SEATS, taken, strict=True):
        empty = [(code, name) for code, name in units[level] if not found[code]]
        people = sorted({names[each] for seat in found.values() for each in seat if each in names})
        yield Seats(
            level, roles, len(found), len(found) - len(empty),
            tuple(people) if level != LEVELS[0] else (), tuple(empty[:EMPTY]),
        )  # fmt: skip


def _units(session: Session, actor: Actor, level: str, area: str, at: date) -> list[tuple[str, str]]:
    asked = hierarchy.listing(session, actor, level, at).where(
        GridUnit.code.startswith(area, autoescape=True)
    )
    asked = asked.with_only_columns(GridUnit.code, GridUnit.name)
    return [tuple(row) for row in session.execute(asked)]
