"""Reads of a time line: histories of a period, of what the actor may see, as few columns as it takes."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter

from geoalchemy2.functions import ST_X, ST_Y
from sqlalchemy import ColumnElement, Float, Select, Subquery, case, cast, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.casebook.queries import Search, matching
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.incident.model import Incident, IncidentEvent
from gridmgr.life.model import Action
from gridmgr.life.rules import FINAL, OPEN
from gridmgr.past.queries import CLOCKS, Order
from gridmgr.timeline import rules
from gridmgr.timeline.model import MOST_CASES, Numbers, Played, Step, Timeline

AHEAD = timedelta(minutes=5)  # how far a reporter's clock may be fast

# What a time line is narrowed to; a state or a lateness is that of an instant and chosen there.
LASTING = ("category", "source", "code", "since", "until", "words", "severity", "mine", "whistled")


def lasting(search: Search) -> Search:
    """Return those of the filters that hold for a case through all of its life."""
    return replace(Search(), **{name: getattr(search, name) for name in LASTING})


def play(
    session: Session, actor: Actor, search: Search, since: datetime, until: datetime, step: Step,
    level: str = "micro_grid", by: Order = "recorded", most: int = MOST_CASES,
) -> Timeline:  # fmt: skip
    """Return a period as it was, instant by instant; of more than `most` cases the numbers of units alone.

    It ends now, if it would end later. At each instant a case stands as `past.queries.cases` says, by either
    order of time: as it was known then, or as it was even if that was written down later.

    Raises
    ------
    BackwardPeriod, TooManySteps, UnknownLevel, NoEdition
    """
    hierarchy.known_level(level)
    found = rules.instants(since, min(until, clock.now().astimezone(until.tzinfo)), step)
    moments = [at.timestamp() for at in found]
    asked = _touched(session, actor, search, moments, step, by)
    few = session.scalar(select(func.count()).select_from(asked.limit(most + 1).subquery())) <= most
    cases = list(_cases(session, asked, moments, step, level, by)) if few else None
    numbers = None if few else _numbers(session, actor, search, found, step, level, by)
    total = len(cases) if few else session.scalar(select(func.count()).select_from(asked.subquery()))
    return Timeline(level, step, found, _editions(session, found), total, cases, numbers)


def _touched(
    session: Session, actor: Actor, search: Search, moments: Sequence[float], step: Step, by: Order
) -> Select[tuple[int]]:
    """Return the ids of cases that may be seen at one of the instants: those not over, or that went on since."""
    begin = func.to_timestamp(rules.begins(moments, step))
    since = select(IncidentEvent.incident_id).where(CLOCKS[by] > begin)
    return (
        matching(session, actor, lasting(search))
        .where(
            Incident.reported_at <= func.to_timestamp(moments[-1]) + AHEAD,
            or_(Incident.closed_at.is_(None), Incident.id.in_(since)),
        )
        .with_only_columns(Incident.id)
    )


def _cases(
    session: Session, asked: Select, moments: Sequence[float], step: Step, level: str, by: Order
) -> Iterator[Played]:
    kept = (Incident.id, Incident.number, ST_X(Incident.geom), ST_Y(Incident.geom), Incident.category_id)
    facts = {row[0]: row[1:] for row in session.execute(asked.with_only_columns(*kept))}
    rows = session.execute(_histories(asked, level, by))
    for case_id, steps in groupby(rows, itemgetter(0)):
        history = rules.passages(tuple(row[1:]) for row in steps)
        number, lon, lat, category = facts[case_id]
        changes = tuple(rules.changes(moments, history))
        known = rules.reported_step(moments, step, history[0].at)
        if changes and rules.is_seen(changes, known):
            yield Played(number, lon, lat, category, known, changes)


def _histories(asked: Select, level: str, by: Order) -> Select:
    """Return the statement of those cases' steps, as little of each as `rules.passages` reads."""
    place = case((IncidentEvent.action.in_(rules.PLACING), IncidentEvent.payload[f"{level}_code"].astext))
    return (
        select(
            IncidentEvent.incident_id, IncidentEvent.action, IncidentEvent.state, _epoch(CLOCKS[by]),
            _epoch(IncidentEvent.occurred_at), _epoch(_told("due_at", rules.TIMING)),
            _epoch(_told("closed_at", (Action.ADOPT,))), place,
        )
        .where(IncidentEvent.incident_id.in_(asked))
        .order_by(IncidentEvent.incident_id, IncidentEvent.seq)
        .execution_options(yield_per=5000)
    )  # fmt: skip


def _told(name: str, actions: Sequence[Action]) -> ColumnElement:
    """Return an instant that rows of these actions tell in their payload."""
    told = cast(IncidentEvent.payload[name].astext, TIMESTAMP(timezone=True))
    return case((IncidentEvent.action.in_(actions), told))


def _epoch(column: ColumnElement) -> ColumnElement[float]:
    return cast(func.extract("epoch", column), Float)


def _numbers(
    session: Session,
    actor: Actor,
    search: Search,
    found: Sequence[datetime],
    step: Step,
    level: str,
    by: Order,
) -> dict[str, Numbers]:
    """Return what each unit counts at each step: of the codes cases have now, walked back from what is open now."""
    column = getattr(Incident, f"{level}_code")
    mine = matching(session, actor, lasting(search)).where(column.is_not(None))
    begin = found[0] - rules.LENGTH[step]
    steps = _steps_since(begin, by)
    events = mine.join(steps, steps.c.incident_id == Incident.id).where(steps.c.at > begin)
    over = (steps.c.action == Action.ADOPT) & steps.c.state.in_(FINAL)
    new, opened, ended = (
        _per_step(session, events.where(each), column, steps.c.at, found)
        for each in (
            steps.c.action == Action.REPORT,
            steps.c.action.in_(rules.BEGINNING),
            steps.c.action.in_(rules.ENDING) | over,
        )
    )
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


def _steps_since(begin: datetime, by: Order) -> Subquery:
    """Return the steps of the cases that went on since; none counts before an earlier one of its case."""
    going = select(IncidentEvent.incident_id).where(CLOCKS[by] > begin)
    counts = func.max(CLOCKS[by]).over(partition_by=IncidentEvent.incident_id, order_by=IncidentEvent.seq)
    return (
        select(IncidentEvent.incident_id, IncidentEvent.action, IncidentEvent.state, counts.label("at"))
        .where(IncidentEvent.incident_id.in_(going))
        .subquery("steps")
    )


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
    oldest_first = hierarchy.editions(session)[::-1]
    hierarchy.edition_at(session)  # there must be one
    changes: list[tuple[int, str]] = []
    for step, at in enumerate(found):
        day = clock.local(at).date()
        begun = [each for each in oldest_first if each.effective <= day] or oldest_first[:1]
        if not changes or changes[-1][1] != begun[-1].stamp:
            changes.append((step, begun[-1].stamp))
    return changes
