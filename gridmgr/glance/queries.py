"""Reads of one unit at a glance, of what the actor may see, under the filters of a map."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor, can
from gridmgr.casebook import queries as casebook
from gridmgr.casebook.queries import Search
from gridmgr.coapproval import queries as coapproval
from gridmgr.duty import queries as duty
from gridmgr.duty.queries import Duty
from gridmgr.glance.model import Below, Cases, Glance, Record, Work
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import BUILDING, LEVELS, PARENT, GridUnit
from gridmgr.incident import queries as incidents
from gridmgr.incident.model import Incident
from gridmgr.life.model import State
from gridmgr.life.rules import OPEN
from gridmgr.statistics.queries import CLOSED, LEVEL_COLUMN
from gridmgr.supervision import queries as supervision
from gridmgr.supervision.model import Standing
from gridmgr.whistle import queries as whistles

CHILD = {above: level for level, above in PARENT.items()}
SHOWN, MOST = 20, 500


def glance(session: Session, actor: Actor, search: Search) -> Glance:
    """Return one look at the unit whose code the filters hold, or at all the actor sees.

    Rule: field.md §1, C1: each of the four levels senses, handles and gives feedback.

    Raises
    ------
    NoEdition
    UnknownUnit
        There is none on the map of the filters' last day, or it is not visible to the actor.
    """
    at = hierarchy.edition_at(session, search.until).effective
    unit = hierarchy.unit(session, actor, search.code, at) if search.code else None
    path = hierarchy.path_to(session, unit, at) if unit else []
    level = CHILD.get(unit.level) if unit else LEVELS[0]
    by_state, late = _by_state(session, actor, search)
    below, apart = _below(session, actor, search, unit, level, at) if level else ([], 0)
    units, households, population = _sizes(session, actor, unit, level, at)
    look = Glance(
        unit, path, units, households, population,
        Cases(sum(by_state.values()), sum(by_state[state] for state in OPEN), late, _closed(session, actor, search)),
        by_state, _bodies(session, actor, search), level, below, apart, (), 0, (), (),
        _record(session, actor, unit.code) if unit and unit.level == BUILDING else None,
    )  # fmt: skip
    return _joined(session, actor, look)


# ---- cases -------------------------------------------------------------------------------------------


def _by_state(session: Session, actor: Actor, search: Search) -> tuple[dict[State, int], int]:
    """Return how many cases stand in each state, and how many of the open ones are late."""
    asked = (
        casebook.matching(session, actor, search)
        .with_only_columns(Incident.state, func.count(), func.count().filter(casebook.late()))
        .group_by(Incident.state)
    )
    rows = {state: (number, late) for state, number, late in session.execute(asked)}
    numbers = {state: rows.get(state, (0, 0))[0] for state in State}
    return numbers, sum(rows.get(state, (0, 0))[1] for state in OPEN)


def _closed(session: Session, actor: Actor, search: Search) -> int:
    """Return how many cases were closed in the period, whenever they were reported."""
    asked = casebook.matching(session, actor, replace(search, since=None, until=None))
    asked = asked.where(Incident.state.in_(CLOSED), *_in_period(search))
    return session.scalar(asked.with_only_columns(func.count()))


def _in_period(search: Search) -> Iterable:
    if search.since:
        yield Incident.closed_at >= clock.midnight(search.since)
    if search.until:
        yield Incident.closed_at < clock.midnight(search.until, days=1)


def _bodies(session: Session, actor: Actor, search: Search) -> list[Work]:
    found = casebook.work(session, actor, replace(search, open=True))
    return sorted((Work(*row) for row in found), key=lambda each: (-each.open, each.body))


def _record(session: Session, actor: Actor, code: str) -> Record:
    ever = incidents.visible(actor).where(Incident.building_code == code)
    when = (func.count(), func.min(Incident.reported_at), func.max(Incident.reported_at))
    total, first, last = session.execute(ever.with_only_columns(*when)).one()
    number = func.count()
    repeated = (
        ever.with_only_columns(Incident.category_id, number)
        .group_by(Incident.category_id)
        .having(number > 1)
        .order_by(number.desc(), Incident.category_id)
    )
    pairs = [tuple(row) for row in session.execute(repeated)]
    return Record(total, first, last, pairs, coapproval.at_building(session, actor, code, SHOWN))


# ---- units -------------------------------------------------------------------------------------------


def _under(actor: Actor, level: str, code: str | None, at) -> Select:
    """Return the statement of a level's units right below a unit, or of all streets."""
    asked = select(GridUnit).where(
        GridUnit.level == level, hierarchy.valid_at(at), hierarchy.visible_units(actor)
    )
    return asked if code is None else asked.where(GridUnit.parent_code == code)


def _below(
    session: Session, actor: Actor, search: Search, unit: GridUnit | None, level: str, at
) -> tuple[Sequence[Below], int]:
    """Return the units right below with their cases, and how many cases lie in none of them."""
    column = LEVEL_COLUMN[level]
    shut = Incident.state.in_(CLOSED)
    running = Incident.state.in_(OPEN)
    counts = (
        func.count(), func.count().filter(running), func.count().filter(running, casebook.late()),
        func.count().filter(shut, *_in_period(search)),
    )  # fmt: skip
    asked = casebook.matching(session, actor, search).with_only_columns(column, *counts).group_by(column)
    cases = {row[0]: Cases(*row[1:]) for row in session.execute(asked)}
    columns = (GridUnit.code, GridUnit.name, GridUnit.households, GridUnit.population)
    asked = _under(actor, level, unit.code if unit else None, at).with_only_columns(*columns)
    rows = session.execute(asked.order_by(GridUnit.code)).all()
    found = [Below(*row, cases.get(row.code, Cases())) for row in rows]
    return found, sum(each.total for each in cases.values()) - sum(each.cases.total for each in found)


def _sizes(
    session: Session, actor: Actor, unit: GridUnit | None, level: str | None, at
) -> tuple[dict[str, int], int | None, int | None]:
    """Return how many units of each level lie below, and households and population: its own, or of its buildings."""
    numbers, households, population = {}, unit and unit.households, unit and unit.population
    codes = select(GridUnit.code).where(GridUnit.code == unit.code) if unit else None
    sums = (func.count(), func.sum(GridUnit.households), func.sum(GridUnit.population))
    while level:
        asked = _under(actor, level, None, at)
        if codes is not None:
            asked = asked.where(GridUnit.parent_code.in_(codes))
        number, homes, people = session.execute(asked.with_only_columns(*sums)).one()
        numbers[level] = number
        if level == BUILDING:
            households, population = households or homes, population or people
        codes, level = asked.with_only_columns(GridUnit.code), CHILD.get(level)
    return numbers, households, population


# ---- people, whistles, orders ------------------------------------------------------------------------


def _joined(session: Session, actor: Actor, look: Glance) -> Glance:
    """Return the look with who is on duty there, and what is open of whistles and supervision orders."""
    area, building = look.home, look.code if look.record else None

    def there(rows: Iterable[tuple]) -> tuple:
        return tuple(row for row in rows if building is None or row[1].building_code == building)

    blown = whistles.page(session, actor, whistles.Search(open=True, area=area), MOST)
    ordered = supervision.page(session, actor, supervision.Search(Standing.OPEN, area=area), MOST)
    may = bool(can(actor, "duty.view", area))
    return replace(
        look, whistles=there(blown), orders=there(ordered), duty=_duty(session, area) if may else (),
        on_duty=_seated(session, area) if may else 0,
    )  # fmt: skip


def _duty(session: Session, area: str) -> Sequence[Duty]:
    return duty.on_duty(session, area)


def _seated(session: Session, area: str) -> int:
    """Return how many people sit in an area now, at seats of its own and of the units below."""
    seats = duty.seats(session).by_seat.items()
    return len({one for (_, code), people in seats if code.startswith(area) for one in people})
