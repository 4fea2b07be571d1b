"""Reads of a time line: histories of a period, of what the actor may see, as few columns as it takes."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter

from geoalchemy2.functions import ST_X, ST_Y
from sqlalchemy import ColumnElement, Float, Select, case, cast, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.casebook.queries import Search, matching
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.incident.model import Incident, IncidentEvent
from gridmgr.life.model import Action, State
from gridmgr.life.rules import FINAL, OPEN
from gridmgr.timeline import rules
from gridmgr.timeline.model import MOST_CASES, Numbers, Passage, Played, Step, Timeline

occurred = IncidentEvent.occurred_at  # a row holds from the moment it tells of

# Steps that set a case's due time, end it, or say where it is: what `life.rules.apply` does with them.
TIMING = (Action.ACCEPT, Action.REOPEN, Action.EXTEND, Action.RETIME, Action.RESUME, Action.ADOPT)
PLACING = (Action.REPORT, Action.REHOME)
BEGINNING = (Action.REPORT, Action.REOPEN)
ENDING = (Action.SETTLE, Action.CLOSE, Action.VOID, Action.MERGE)

# What a time line is narrowed to; a state or a lateness is that of an instant and chosen there.
LASTING = ("category", "source", "code", "since", "until", "words", "severity", "mine", "whistled")


def lasting(search: Search) -> Search:
    """Return those of the filters that hold for a case through all of its life."""
    return replace(Search(), **{name: getattr(search, name) for name in LASTING})


def play(
    session: Session, actor: Actor, search: Search, since: datetime, until: datetime, step: Step,
    level: str = "micro_grid", most: int = MOST_CASES,
) -> Timeline:  # fmt: skip
    """Return a period as it was, instant by instant; of more than `most` cases the numbers of units alone.

    It ends now, if it would end later.

    Raises
    ------
    BackwardPeriod, TooManySteps, UnknownLevel, NoEdition
    """
    hierarchy.known_level(level)
    found = rules.instants(since, min(until, clock.now().astimezone(until.tzinfo)), step)
    moments = [at.timestamp() for at in found]
    asked = _touched(session, actor, search, moments, step)
    total = session.scalar(select(func.count()).select_from(asked.limit(most + 1).subquery()))
    cases = list(_cases(session, asked, moments, step, level)) if total <= most else None
    numbers = None if cases is not None else _numbers(session, actor, search, found, moments, step, level)
    if cases is None:
        total = session.scalar(select(func.count()).select_from(asked.subquery()))
    return Timeline(level, step, found, _editions(session, found), total, cases, numbers)


def _touched(
    session: Session, actor: Actor, search: Search, moments: Sequence[float], step: Step
) -> Select[tuple[int]]:
    """Return the ids of cases that may be seen at one of the instants: known by the last, not over before the first."""
    begin, end = func.to_timestamp(rules.begins(moments, step)), func.to_timestamp(moments[-1])
    return (
        matching(session, actor, lasting(search))
        .where(
            Incident.reported_at <= end,
            or_(Incident.closed_at.is_(None), Incident.closed_at > begin, Incident.reported_at > begin),
        )
        .with_only_columns(Incident.id)
    )


def _cases(
    session: Session, asked: Select, moments: Sequence[float], step: Step, level: str
) -> Iterator[Played]:
    kept = (
        Incident.id, Incident.number, ST_X(Incident.geom), ST_Y(Incident.geom), Incident.category_id,
        _epoch(Incident.reported_at),
    )  # fmt: skip
    facts = {row[0]: row[1:] for row in session.execute(asked.with_only_columns(*kept))}
    for case_id, history in histories(session, asked, level):
        number, lon, lat, category, reported = facts[case_id]
        changes = tuple(rules.changes(moments, history))
        known = rules.reported_step(moments, step, reported)
        if changes and rules.is_seen(changes, known):
            yield Played(number, lon, lat, category, known, changes)


def histories(session: Session, asked: Select, level: str) -> Iterator[tuple[int, list[Passage]]]:
    """Yield the history of each of those cases as a time line asks for it, in order of id."""
    rows = session.execute(
        select(
            IncidentEvent.incident_id, IncidentEvent.action, IncidentEvent.state, _epoch(occurred),
            _epoch(_told("due_at", TIMING)), _epoch(_told("closed_at", (Action.ADOPT,))),
            case((IncidentEvent.action.in_(PLACING), IncidentEvent.payload[f"{level}_code"].astext)),
        )
        .where(IncidentEvent.incident_id.in_(asked))
        .order_by(IncidentEvent.incident_id, IncidentEvent.seq)
        .execution_options(yield_per=5000)
    )  # fmt: skip
    for case_id, steps in groupby(rows, itemgetter(0)):
        yield case_id, _passages(steps)


def _passages(rows: Iterator[Sequence]) -> list[Passage]:
    """Return the rows of one case with what holds after each, as `life.rules.fold` has it."""
    due = closed = suspended = place = None
    found = []
    for _id, action, state, at, told_due, told_closed, told_place in rows:
        if action in TIMING:
            due = told_due
        if action in ENDING:
            closed = at
        elif action == Action.ADOPT:
            closed = told_closed or (at if state in FINAL else None)
        elif action == Action.REOPEN:
            closed = None
        elif action == Action.SUSPEND:
            suspended = at
        elif action == Action.RESUME:
            suspended = None
        elif action in PLACING:
            place = told_place
        stopped = closed if closed is not None else suspended
        found.append(Passage(at, State(state), due, stopped, place))
    return found


def _told(name: str, actions: Sequence[Action]) -> ColumnElement:
    """Return an instant that rows of these actions tell in their payload."""
    told = cast(IncidentEvent.payload[name].astext, TIMESTAMP(timezone=True))
    return case((IncidentEvent.action.in_(actions), told))


def _epoch(column: ColumnElement) -> ColumnElement[float]:
    return cast(func.extract("epoch", column), Float)


def _numbers(
    session: Session, actor: Actor, search: Search, found: Sequence[datetime], moments: Sequence[float],
    step: Step, level: str,
) -> dict[str, Numbers]:  # fmt: skip
    """Return what each unit counts at each step: of the codes cases have now, walked back from what is open now."""
    column = getattr(Incident, f"{level}_code")
    mine = matching(session, actor, lasting(search)).where(column.is_not(None))
    begin = func.to_timestamp(rules.begins(moments, step))
    new = _per_step(session, mine.where(Incident.reported_at > begin), column, Incident.reported_at, found)
    happened = mine.join(IncidentEvent, IncidentEvent.incident_id == Incident.id).where(occurred > found[0])
    opened = _per_step(session, happened.where(IncidentEvent.action.in_(BEGINNING)), column, occurred, found)
    over = IncidentEvent.action.in_(ENDING) | (
        (IncidentEvent.action == Action.ADOPT) & IncidentEvent.state.in_(FINAL)
    )
    ended = _per_step(session, happened.where(over), column, occurred, found)
    now = session.execute(
        mine.where(Incident.state.in_(OPEN)).with_only_columns(column, func.count()).group_by(column)
    )
    present = dict(tuple(row) for row in now)
    many, nothing = len(found), [0] * (len(found) + 1)
    return {
        code: Numbers(
            tuple(new.get(code, nothing)[:many]),
            rules.backwards(present.get(code, 0), opened.get(code, nothing), ended.get(code, nothing)),
        )
        for code in sorted(new.keys() | opened.keys() | ended.keys() | present.keys())
    }


def _per_step(
    session: Session, asked: Select, column: ColumnElement, when: ColumnElement, found: Sequence[datetime]
) -> dict[str, list[int]]:
    """Return how many rows of each unit fall into each step; the last one holds what came after the last instant."""
    # The buckets of PostgreSQL hold their lower edge, our steps their upper one: a hair earlier, and it fits.
    edges = cast(list(found), ARRAY(TIMESTAMP(timezone=True)))
    bucket = func.width_bucket(when - timedelta(microseconds=1), edges)
    rows = session.execute(asked.with_only_columns(column, bucket, func.count()).group_by(column, bucket))
    numbers: dict[str, list[int]] = {}
    for code, at, number in rows:
        numbers.setdefault(code, [0] * (len(found) + 1))[at] = number
    return numbers


def _editions(session: Session, found: Sequence[datetime]) -> list[tuple[int, str]]:
    """Return the map of each instant, from the step on in which it came into force."""
    changes: list[tuple[int, str]] = []
    for step, at in enumerate(found):
        stamp = hierarchy.edition_at(session, clock.local(at).date()).stamp
        if not changes or changes[-1][1] != stamp:
            changes.append((step, stamp))
    return changes
