"""Reads of one unit at a glance, of what the actor may see, under the filters of a map."""

from collections.abc import Iterable, Mapping
from dataclasses import astuple, replace
from datetime import date

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from gridmgr import clock
from gridmgr.account.rules import Actor, can
from gridmgr.casebook import queries as casebook
from gridmgr.casebook.queries import Search
from gridmgr.coapproval import queries as coapproval
from gridmgr.duty import queries as duty
from gridmgr.glance.model import Below, Cases, Glance, Record, Work
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import BUILDING, LEVELS, PARENT, GridUnit
from gridmgr.incident import queries as incidents
from gridmgr.incident.model import Incident
from gridmgr.life.model import State
from gridmgr.life.rules import CLOSED, OPEN
from gridmgr.supervision import queries as supervision
from gridmgr.supervision.model import Standing
from gridmgr.tally.queries import AREAS
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
    by_state, cases = _cases(session, actor, search, level or BUILDING)
    below = _below(session, actor, unit, level, at, cases) if level else []
    whole = (
        Cases(*map(sum, zip(*(astuple(each) for each in cases.values()), strict=True))) if cases else Cases()
    )
    units, households, population = _sizes(session, actor, unit, level, at)
    look = Glance(
        unit, path, units, households, population, whole, by_state, _bodies(session, actor, search), level, below,
        whole.total - sum(each.cases.total for each in below), (), 0, (), (),
        _record(session, actor, unit.code) if unit and unit.level == BUILDING else None,
    )  # fmt: skip
    return _joined(session, actor, look)


def seen(session: Session, actor: Actor, codes: Iterable[str], at: date) -> set[str]:
    """Return those of the codes whose units the actor sees on a day."""
    asked = select(GridUnit.code).where(
        GridUnit.code.in_(list(codes)), hierarchy.valid_at(at), hierarchy.visible_units(actor)
    )
    return set(session.scalars(asked))


# ---- cases -------------------------------------------------------------------------------------------


def _cases(
    session: Session, actor: Actor, search: Search, level: str
) -> tuple[dict[State, int], dict[str | None, Cases]]:
    """Return how many cases stand in each state, and the cases of each unit of a level; every case is read once."""
    column = AREAS[level]
    asked = (
        casebook.matching(session, actor, search)
        .with_only_columns(column, Incident.state, func.count(), func.count().filter(casebook.late()))
        .group_by(column, Incident.state)
    )
    by_state, found = dict.fromkeys(State, 0), {}
    for code, state, number, late in session.execute(asked):
        by_state[State(state)] += number
        running, shut = state in OPEN, state in CLOSED
        more = (number, number * running, late * running, number * shut)
        found[code] = tuple(map(sum, zip(found.get(code, (0, 0, 0, 0)), more, strict=True)))
    cases = {code: Cases(*numbers) for code, numbers in found.items()}
    if search.since or search.until:
        closed = _closed(session, actor, search, column)
        cases = {
            code: replace(cases.get(code, Cases()), closed=closed.get(code, 0)) for code in {*cases, *closed}
        }
    return by_state, cases


def _closed(
    session: Session, actor: Actor, search: Search, column: InstrumentedAttribute
) -> dict[str | None, int]:
    """Return how many cases of each unit were closed in the period, whenever they were reported."""
    asked = casebook.matching(session, actor, replace(search, since=None, until=None))
    asked = asked.where(Incident.state.in_(CLOSED)).with_only_columns(column, func.count()).group_by(column)
    if search.since:
        asked = asked.where(Incident.closed_at >= clock.midnight(search.since))
    if search.until:
        asked = asked.where(Incident.closed_at < clock.midnight(search.until, days=1))
    return dict(tuple(row) for row in session.execute(asked))


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


def _under(actor: Actor, level: str, code: str | None, at: date) -> Select:
    """Return the statement of a level's units right below a unit, or of all streets."""
    asked = select(GridUnit).where(
        GridUnit.level == level, hierarchy.valid_at(at), hierarchy.visible_units(actor)
    )
    return asked if code is None else asked.where(GridUnit.parent_code == code)


def _below(
    session: Session,
    actor: Actor,
    unit: GridUnit | None,
    level: str,
    at: date,
    cases: Mapping[str | None, Cases],
) -> list[Below]:
    """Return the units right below one, each with its cases."""
    columns = (GridUnit.code, GridUnit.name, GridUnit.households, GridUnit.population)
    asked = _under(actor, level, unit.code if unit else None, at).with_only_columns(*columns)
    rows = session.execute(asked.order_by(GridUnit.code)).all()
    return [Below(*row, cases.get(row.code, Cases())) for row in rows]


def _sizes(
    session: Session, actor: Actor, unit: GridUnit | None, level: str | None, at: date
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
        look, whistles=there(blown), orders=there(ordered), duty=duty.on_duty(session, area) if may else (),
        on_duty=_seated(session, area) if may else 0,
    )  # fmt: skip


def _seated(session: Session, area: str) -> int:
    """Return how many people sit in an area now, at seats of its own and of the units below."""
    seats = duty.seats(session).by_seat.items()
    return len({one for (_, code), people in seats if code.startswith(area) for one in people})
