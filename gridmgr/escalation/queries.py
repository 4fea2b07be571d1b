"""Reads of clocks: those of a case, those that are live, and what clocks need to know of their cases."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Row, exists, func, or_, select, text
from sqlalchemy.orm import Session

from gridmgr import clock, sheet
from gridmgr.account import queries as accounts
from gridmgr.account.model import Account
from gridmgr.account.rules import LEVEL_OF
from gridmgr.calendar.queries import calendar_for
from gridmgr.category import queries as matters
from gridmgr.category.model import Category
from gridmgr.clock import TimeUnit
from gridmgr.db import statement
from gridmgr.duty.queries import SITTING, next_turn
from gridmgr.escalation import rules
from gridmgr.escalation.model import LIVE, NOBODY, PATIENCE, URGENT, CaseClock, Clock, RungClimbed, Running
from gridmgr.escalation.rules import Limit
from gridmgr.incident.model import Incident
from gridmgr.life.model import HOLDERS
from gridmgr.policy import queries as policies
from gridmgr.policy import rules as tables
from gridmgr.policy.model import CALLS, Act, Policy, Rung, Stage
from gridmgr.policy.rules import Cells, DraftRead, PoliciesRead

COLUMNS = [getattr(CaseClock, field.name) for field in fields(Clock)]


def _clock(row: Row) -> Clock:
    changed = {"state": Running(row.state), "rung_times": tuple(row.rung_times)}
    return Clock(**row._asdict() | changed)


def live(session: Session, incident_ids: Collection[int]) -> dict[int, dict[str, Clock]]:
    """Return the clocks of these cases that run or stand still, by case and stage, locked.

    The caller holds the lock of the cases themselves: always the case first, then its clocks.
    """
    asked = (
        select(*COLUMNS)
        .where(CaseClock.incident_id == func.any(list(incident_ids)), CaseClock.state.in_(LIVE))
        .order_by(CaseClock.id)
        .with_for_update(key_share=True)
    )
    found: dict[int, dict[str, Clock]] = {}
    for row in session.execute(asked):
        one = _clock(row)
        found.setdefault(one.incident_id, {})[one.stage] = one
    return found


def locked(session: Session, incident_ids: Collection[int]) -> dict[int, Incident]:
    """Return cases by id, locked in order until the transaction ends."""
    asked = (
        select(Incident)
        .where(Incident.id.in_(incident_ids))
        .order_by(Incident.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {each.id: each for each in session.scalars(asked)}


def counted_by(
    session: Session, code: str, first_day: date, last_day: date, behind: int, size: int
) -> list[tuple[int, int]]:
    """Return (clock, case) of live clocks counted in working time over some days of an area, by clock.

    Over them counts what had begun before their last shift ends, and is due, or has a rung, after they begin.
    """
    begin, end = clock.midnight(first_day), clock.midnight(last_day, days=2)
    last = func.greatest(CaseClock.due_at, CaseClock.rung_times[func.cardinality(CaseClock.rung_times)])
    asked = (
        select(CaseClock.id, CaseClock.incident_id)
        .where(
            CaseClock.state.in_(LIVE), CaseClock.id > behind,
            or_(CaseClock.unit != TimeUnit.HOURS, CaseClock.policy.has_key("worked")),
            CaseClock.calendar.startswith(code, autoescape=True), CaseClock.since < end, last > begin,
        )
        .order_by(CaseClock.id)
        .limit(size)
    )  # fmt: skip
    return [tuple(row) for row in session.execute(asked)]


def hears_silence(session: Session, incident_id: int) -> bool:
    """Tell whether silence is counted on a case."""
    counted = exists().where(
        CaseClock.incident_id == incident_id, CaseClock.stage == Stage.SILENCE, CaseClock.state.in_(LIVE)
    )
    return session.scalar(select(counted))


class Case(NamedTuple):
    """What the clocks of a case go by."""

    category: Category
    severity: int
    home: str
    level: str


def cases(session: Session, incident_ids: Collection[int]) -> dict[int, Case]:
    """Return what the clocks of these cases go by."""
    asked = select(Incident.id, Incident.category_id, Incident.severity, Incident.home, Incident.level)
    rows = session.execute(asked.where(Incident.id == func.any(list(incident_ids))))
    known = matters.by_id(session)
    return {found: Case(known[category], *told) for found, category, *told in rows}


def of_case(session: Session, incident_id: int) -> list[Clock]:
    """Return all clocks of a case, in the order they started."""
    asked = select(*COLUMNS).where(CaseClock.incident_id == incident_id)
    return [_clock(row) for row in session.execute(asked.order_by(CaseClock.started_at, CaseClock.id))]


def used(session: Session, clocks: Iterable[Clock]) -> dict[int, timedelta]:
    """Return how much of their time these clocks have used up by now, or had when they ended."""
    now = clock.now()
    return {each.id: rules.used(each, now, calendar_for(session, each.calendar)) for each in clocks}


def next_due(session: Session, size: int) -> list[Clock]:
    """Return the running clocks whose next rung is due first."""
    asked = select(*COLUMNS).where(CaseClock.state == Running.RUNNING, CaseClock.next_rung_at.is_not(None))
    rows = session.execute(asked.order_by(CaseClock.next_rung_at, CaseClock.id).limit(size))
    return [_clock(row) for row in rows]


def numbers(session: Session, clocks: Iterable[Clock]) -> dict[int, str]:
    """Return the numbers of the cases of these clocks by their ids."""
    ids = {each.incident_id for each in clocks}
    rows = session.execute(select(Incident.id, Incident.number).where(Incident.id.in_(ids)))
    return dict(tuple(row) for row in rows)


def climbs(session: Session, clocks: Iterable[Clock]) -> dict[int, list[RungClimbed]]:
    """Return the rungs these clocks have climbed, in order, by clock."""
    asked = select(RungClimbed).where(RungClimbed.clock_id.in_([each.id for each in clocks]))
    found: dict[int, list[RungClimbed]] = {}
    for row in session.scalars(asked.order_by(RungClimbed.clock_id, RungClimbed.rung)):
        found.setdefault(row.clock_id, []).append(row)
    return found


# ---- who sits where, and what is due ---------------------------------------------------------------


def _sql(name: str) -> str:
    """Return a statement of this folder, with the parts put in that stand in it in braces."""
    found = SITTING if name == "sitting" else statement(Path(__file__).with_name(f"{name}.sql"))
    for part in ("reach", "seats", "sitting"):
        if f"{{{part}}}" in found:
            found = found.replace(f"{{{part}}}", _sql(part))
    return found


_SEATS, _SWEEP, _CONCERNED = _sql("seats"), text(_sql("sweep")), text(_sql("concerned"))

# The seats of the ladder by role, and those of the people of a unit that does the work itself.
_SITS = [(role, level) for role, level in LEVEL_OF.items()] + [
    (role, "people_of") for role, level in LEVEL_OF.items() if level in ("micro_grid", "community")
]
_SITTING = {"roles": [role for role, _ in _SITS], "levels": [level for _, level in _SITS]}


def moment(session: Session) -> datetime:
    """Return the instant all sweepers agree on: the database's, or the one `clock.travel` has set.

    Machines whose clocks differ sweep by one clock, so none climbs a rung early.
    """
    return clock.travelled() or session.scalar(select(func.clock_timestamp()))


class Told(NamedTuple):
    """A rung that was climbed just now and reaches somebody, or hands its case to a level."""

    incident_id: int
    stage: str
    act: str
    level: str
    share: float
    limit_at: datetime
    accounts: list[int]
    number: str
    category_id: int
    address: str
    answer_amount: float | None
    answer_unit: str | None


def due(session: Session, at: datetime, batch: int) -> list[int]:
    """Return the clocks with a rung due at an instant, the longest overdue first, locked.

    It only narrows: a clock that somebody holds is skipped and comes back in the next sweep, and one that
    somebody has just changed is looked at again before it is locked.
    """
    asked = (
        select(CaseClock.id)
        .where(CaseClock.state == Running.RUNNING, CaseClock.next_rung_at <= at)
        .order_by(CaseClock.next_rung_at, CaseClock.id)
        .limit(batch)
        .with_for_update(key_share=True, skip_locked=True)
    )
    return list(session.scalars(asked))


def climb(session: Session, at: datetime, ids: Sequence[int]) -> tuple[int, list[Told]]:
    """Climb the rungs due of these clocks, as `sweep.sql` says; returns how many clocks were served."""
    values: dict[str, Any] = {
        "at": at,
        "ids": ids,
        "holders": list(HOLDERS),
        "calls": list(CALLS),
        "urgent": URGENT,
        "patience": PATIENCE,
    }
    rows = session.execute(_SWEEP, values | _SITTING).all()
    return rows[0].served, [Told(*row[1:]) for row in rows if row.incident_id is not None]


def concerned(session: Session, incident_ids: Collection[int]) -> dict[int, list[int]]:
    """Return the accounts concerned by what becomes of these cases, as `concerned.sql` says."""
    rows = session.execute(_CONCERNED, {"ids": list(incident_ids), "at": clock.now()} | _SITTING)
    return dict(tuple(row) for row in rows)


# ---- what would happen ---------------------------------------------------------------------------


class Expected(NamedTuple):
    """A rung as it would be climbed, and the names of whoever would be told; `instead` is the level of others."""

    rung: Rung
    at: datetime
    instead: str | None  # NOBODY: there is nobody at all
    people: list[str]
    waits_until: datetime | None = None  # somebody comes on duty


@dataclass(frozen=True)
class Course:
    """What would become of a stage if it began at an instant and nobody did anything."""

    key: str
    limit: Limit
    due_at: datetime
    policy: Policy | None
    rungs: list[Expected]


def sitting(session: Session, home: str, body: str, at: datetime) -> dict[str, list[str]]:
    """Return the names of whoever sits at each level for a place and a department at an instant (`seats.sql`)."""
    asked = text(
        f"SELECT DISTINCT seat, account.name, account.id FROM ({_SEATS}) AS seats "
        "JOIN account ON account.id = account_id "
        "WHERE CASE seat WHEN 'department' THEN key = :body ELSE starts_with(:home, key) END "
        "ORDER BY seat, account.id"
    )
    found: dict[str, list[str]] = {}
    for seat, name, _ in session.execute(asked, _SITTING | {"home": home, "body": body, "at": at}):
        found.setdefault(seat, []).append(name)
    return found


def read_policies(session: Session, content: bytes, filename: str, effective: date) -> PoliciesRead:
    """Return what a file of policies says, checked against the categories and the people there are.

    Raises
    ------
    UnreadableTable, EmptyLayer, UnsafeArchive, TooLargeArchive, TooManyRows
        It is no such file.
    """
    told = sheet.read(content, filename, tables.policy_columns())
    codes = [each.code for each in matters.in_force(session, effective)]
    return tables.read_policies(told, codes, _occupied(session))


def read_draft(session: Session, cells: Sequence[Cells], effective: date) -> DraftRead:
    """Return what a draft of policies says, checked against the categories and the people there are."""
    codes = [each.code for each in matters.in_force(session, effective)]
    return tables.read_draft(cells, codes, _occupied(session))


def _occupied(session: Session) -> set[str]:
    """Return the levels at which anybody ever sits, whoever is on duty just now."""
    levels = {level for role, level in _SITS if accounts.with_role(session, role)}
    bodies = select(Account.id).where(Account.active, Account.body.is_not(None)).limit(1)
    return levels | ({"department"} if session.scalar(bodies) else set())


HELD_BY = "community"  # by whom a case is thought to be held, as long as nobody has said otherwise


def courses(
    session: Session,
    category: Category,
    severity: int,
    home: str,
    at: datetime,
    among: Collection[Policy] | None = None,
    holder: str = HELD_BY,
) -> list[Course]:
    """Return the course of every stage of a case of that category and severity at a place, from an instant.

    By the policies in force then, or by those `among` which one may choose: a draft's.
    """
    calendar, day, found = calendar_for(session, home), clock.local(at).date(), []

    def answering(stage: Stage) -> Policy | None:
        code = category.policy_code
        if among is None:
            return policies.policy_for(session, code, severity, stage, day, holder)
        return tables.most_specific(among, code, severity, stage, holder)

    whole = tables.limit_of(category, answering(Stage.HANDLE))
    told = {"limit_amount": whole[0], "limit_unit": whole[1], "due_at": True} if whole else {}
    for key in (*rules.OWN_STAGES, *(each["key"] for each in category.further_limits)):
        policy = answering(rules.stage_of(key))
        limit = rules.limit(key, category, policy, told, whole)
        if limit is not None:
            one = rules.begun(0, key, at, limit, policy, calendar, urgent=severity >= URGENT)
            steps = [
                _expected(session, *each, severity, home, category.department, holder)
                for each in zip_longest(one.ladder, one.rung_times, one.rung_times[1:])
            ]
            found.append(Course(key, limit, one.due_at, policy, steps))
    return found


def _expected(
    session: Session,
    rung: Rung,
    at: datetime,
    following: datetime | None,
    severity: int,
    home: str,
    body: str,
    holder: str,
) -> Expected:
    """Return whom a rung would reach while a level holds the case, as `sweep.sql` does it."""
    seats = sitting(session, home, body, at)
    if people := seats.get(rung.level):
        return Expected(rung, at, None, people)
    if severity < URGENT and rung.act != Act.TAKE_OVER and (following is None or following > at):
        roles = [role for role, level in _SITS if level == rung.level]
        turn = next_turn(session, roles, home, at, at + PATIENCE)
        if turn is not None and (following is None or turn < following):
            people = sitting(session, home, body, turn).get(rung.level, [])
            return Expected(rung, at, None, people, turn)
    level = next((each for each in rules.instead(rung.level, holder) if seats.get(each)), None)
    return Expected(rung, at, level or NOBODY, seats.get(level, []))
