"""Reads of the past: the cases an actor may see, each as it stood at an instant, in one statement.

Most cases have not moved since the instant: their cached row still is right. The others are folded
again from the steps before the first one after it, by the rules of `life.rules.apply` as aggregates; that
both say the same of any history is tested.

Two orders of time can be asked for. `recorded` (the usual one) is what the system knew at the instant, and
so what was shown then. `occurred` is what had happened by then, even if it was written down later: of records
taken over from another system it is the only one that says anything.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import (
    CTE,
    TIMESTAMP,
    ColumnElement,
    Select,
    Subquery,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on
from sqlalchemy.orm import Session
from sqlalchemy.schema import Column
from sqlalchemy.sql import coercions, roles
from sqlalchemy.sql.visitors import replacement_traverse

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.casebook.queries import Search, conditions
from gridmgr.incident.model import Incident, IncidentEvent
from gridmgr.incident.queries import visible
from gridmgr.life.model import Action, State
from gridmgr.life.rules import COUNTS, FINAL, OUT, PLACE
from gridmgr.past.model import NotOfThePast

Order = Literal["recorded", "occurred"]
CLOCKS = {"recorded": IncidentEvent.recorded_at, "occurred": IncidentEvent.occurred_at}
Instant = TIMESTAMP(timezone=True)

# What a report says once and for all.
FIXED = (
    "id", "number", "category_id", "source", "severity", "reported_at", "geom", "reporter_id",
)  # fmt: skip
# What moves; every other column of a case has no past.
MOVING = (
    *PLACE, "state", "level", "handler", "handler_code", "accepted_at", "due_at", "limit_unit", "closed_at",
    "satisfaction", "confirmed", "suspended_at", "open_tasks",
    *(name for (name, *_rest) in COUNTS.values()),
)  # fmt: skip
_UNCHANGING = ("category", "source", "since", "until", "words", "mine", "severity")  # fields of a search
_UNKEPT = ("task", "checker", "supervised")  # told by tables that keep no past

_EVENT = IncidentEvent
_GIVEN = (Action.DISPATCH, Action.REDIRECT, Action.SEND_BACK, Action.REOPEN, Action.ADOPT)


def moment(day: date) -> datetime:
    """Return the instant that stands for a day: its last one, or now if it is not over."""
    return min(clock.midnight(day, days=1) - timedelta.resolution, clock.now())


def cases(session: Session, actor: Actor, search: Search, at: datetime, by: Order = "recorded") -> Subquery:
    """Return the cases found among those the actor may see, one row each, as they stood at an instant.

    The columns are FIXED and MOVING, and `home` and `large_loop` worked out of them; their names and types are
    those of Incident, so that `bent` turns any expression over Incident into one over this. Who may see a
    case is decided by where it lies today. The search is answered as it would have been then.

    Raises
    ------
    NotOfThePast
        The search narrows by what has no past: parts of cases, requests, who answers, who is sent.
    """
    for field in _UNKEPT:
        if getattr(search, field) not in (None, False):
            raise NotOfThePast(field=field)
    always = Search(**{name: getattr(search, name) for name in _UNCHANGING})
    known = visible(actor).where(*always.conditions())
    later = _later(known, at, by)
    told = _told(later)
    stood = union_all(_still(known, later), _then(known, told, _handed_over(told, later))).subquery("stood")
    worked_out = (bent(getattr(Incident, name), stood).label(name) for name in ("home", "large_loop"))
    past = select(*stood.c, *worked_out).subquery("case_then")
    moving = replace(search, **{name: getattr(Search(), name) for name in _UNCHANGING})
    with clock.travel(at):
        asked = [bent(each, past) for each in conditions(session, actor, moving)]
    return select(*past.c).where(*asked).subquery("past") if asked else past


def bent(expression: ColumnElement, past: Subquery) -> ColumnElement:
    """Return an expression over the columns of Incident as one over the same columns of cases of the past.

    Raises
    ------
    NotOfThePast
        It reads a column that has no past.
    """

    def instead(element: Any, **_kept: Any) -> ColumnElement | None:
        if not isinstance(element, Column) or element.table.name != Incident.__tablename__:
            return None
        if element.name not in past.c:
            raise NotOfThePast(field=element.name)
        return past.c[element.name]

    return replacement_traverse(coercions.expect(roles.ExpressionElementRole, expression), {}, instead)


def _columns(names: Iterable[str]) -> list[ColumnElement]:
    return [getattr(Incident, name).label(name) for name in names]


def _later(known: Select, at: datetime, by: Order) -> CTE:
    """The cases that went on after the instant, each with the first step that did.

    What follows that step is not asked, even if it says it happened before: a history is read in its order.
    """
    return (
        known.join(_EVENT, _EVENT.incident_id == Incident.id)
        .with_only_columns(_EVENT.incident_id.label("id"), func.min(_EVENT.seq).label("seq"))
        .where(CLOCKS[by] > at)
        .group_by(_EVENT.incident_id)
        .cte("later")
    )


def _still(known: Select, later: CTE) -> Select:
    """The cases that have not moved since: as they stand."""
    moved = select(later.c.id).where(later.c.id == Incident.id).exists()
    return known.with_only_columns(*_columns((*FIXED, *MOVING))).where(~moved)


def _then(known: Select, told: CTE, handed: CTE) -> Select:
    """The cases that have moved since: as their steps before tell."""
    over = handed.c.id.is_not(None)
    folded = {name: told.c[name] for name in MOVING} | {
        "handler": case((over, handed.c.handler), else_=told.c.handler),
        "handler_code": case((over, handed.c.handler_code), else_=told.c.handler_code),
    }
    return (
        known.join(told, told.c.id == Incident.id)
        .outerjoin(handed, handed.c.id == Incident.id)
        .with_only_columns(*_columns(FIXED), *(column.label(name) for name, column in folded.items()))
    )


def _last(value: ColumnElement, *actions: Action) -> ColumnElement:
    """The value at the last of a case's steps of these kinds, NULL without one."""
    values = func.array_agg(aggregate_order_by(value, _EVENT.seq.desc()))
    return (values.filter(_EVENT.action.in_(actions)) if actions else values)[1]


def _told(later: CTE) -> CTE:
    """What the steps before the instant say of each case that has moved since: `life.rules.fold`, as a query."""
    given, action = _EVENT.payload, _EVENT.action
    place = _last(given, Action.REPORT, Action.REHOME)
    level = func.nullif(given["level"].astext, "")
    levels = func.array_agg(aggregate_order_by(level, _EVENT.seq.desc())).filter(level.is_not(None))
    loose = action.in_((Action.SEND_BACK, Action.REOPEN))
    state = _last(_EVENT.state)
    suspended = _last(_EVENT.occurred_at, Action.SUSPEND)
    units = _last(given["limit_unit"].astext, Action.ACCEPT, Action.REOPEN)
    values = {
        **{name: place[name].astext for name in PLACE},
        "edition_id": place["edition_id"].as_integer(),
        "state": state,
        "level": levels[1],
        "handler": _last(case((loose, null()), else_=given["handler"].astext), *_GIVEN),
        "handler_code": _last(
            case((loose | (action == Action.ADOPT), null()), else_=given["handler_code"].astext), *_GIVEN
        ),
        "accepted_at": _accepted(),
        "due_at": cast(_last(given["due_at"].astext, *_RETIMING), Instant),
        "limit_unit": units,
        "closed_at": _closed(),
        "satisfaction": _last(
            case((action == Action.EVALUATE, given["satisfaction"].as_integer())),
            Action.EVALUATE, Action.REOPEN,
        ),
        "confirmed": _last(
            case((action == Action.SETTLE, literal(True)), else_=given["found"].as_boolean()),
            Action.CONFIRM, Action.SETTLE,
        ),
        "suspended_at": case((state == State.SUSPENDED, suspended)),
        "open_tasks": _times(Action.ASSIGN_TASK) - _times(Action.FINISH_TASK),
        **{names[0]: _times(step) for step, names in COUNTS.items()},
        "given_seq": func.coalesce(func.max(_EVENT.seq).filter(action.in_(_GIVEN)), 0),
        "handed_seq": func.max(_EVENT.seq).filter(action == Action.HAND_OVER),
    }  # fmt: skip
    return (
        select(later.c.id, *(value.label(name) for name, value in values.items()))
        .join(_EVENT, and_(_EVENT.incident_id == later.c.id, _EVENT.seq < later.c.seq))
        .group_by(later.c.id)
        .cte("told")
    )


# The steps that set when a case is due, each with the time in its payload.
_RETIMING = (
    Action.ACCEPT, Action.EXTEND, Action.RETIME, Action.RESUME, Action.REOPEN, Action.ADOPT,
)  # fmt: skip


def _times(step: Action) -> ColumnElement[int]:
    return func.count().filter(_EVENT.action == step)


def _adopted(name: str, never: Iterable[State]) -> ColumnElement:
    """A time as the word of another system gives it; without one its own time, but for states that have none."""
    word = cast(_EVENT.payload[name].astext, Instant)
    none = _EVENT.payload["state"].astext.in_(list(never))
    return func.coalesce(word, case((none, null()), else_=_EVENT.occurred_at))


def _accepted() -> ColumnElement:
    adopted = _adopted("accepted_at", (State.REPORTED, *OUT))
    return _last(
        case((_EVENT.action == Action.ADOPT, adopted), else_=_EVENT.occurred_at),
        Action.ACCEPT, Action.SETTLE, Action.ADOPT,
    )  # fmt: skip


def _closed() -> ColumnElement:
    adopted = _adopted("closed_at", [each for each in State if each not in FINAL])
    when = case(
        (_EVENT.action == Action.ADOPT, adopted),
        (_EVENT.action == Action.REOPEN, null()),
        else_=_EVENT.occurred_at,
    )
    ends = (Action.SETTLE, Action.CLOSE, Action.VOID, Action.MERGE)
    return _last(when, *ends, Action.ADOPT, Action.REOPEN)


def _handed_over(told: CTE, later: CTE) -> CTE:
    """Who had the few cases then whose body was no more, or had got a new name: hand-overs followed in turn."""
    start = select(
        told.c.id, told.c.given_seq.label("seq"), told.c.handler, told.c.handler_code, literal(0).label("n")
    ).where(told.c.handed_seq > told.c.given_seq)
    followed = start.cte("followed", recursive=True)
    step = (
        select(_EVENT.seq, _EVENT.payload)
        .join(later, later.c.id == _EVENT.incident_id)
        .where(
            _EVENT.incident_id == followed.c.id, _EVENT.action == Action.HAND_OVER,
            _EVENT.seq > followed.c.seq, _EVENT.seq < later.c.seq,
        )
        .order_by(_EVENT.seq)
        .limit(1)
        .lateral("step")
    )  # fmt: skip
    before = case(
        (step.c.payload.has_key("before"), step.c.payload["before"].astext), else_=followed.c.handler
    )
    meant = followed.c.handler_code.is_(None) & followed.c.handler.is_not_distinct_from(before)

    def after(name: str) -> ColumnElement:
        return cast(case((meant, step.c.payload[name].astext), else_=followed.c[name]), Text)

    followed = followed.union_all(
        select(followed.c.id, step.c.seq, after("handler"), after("handler_code"), followed.c.n + 1)
    )
    return (
        select(followed.c.id, followed.c.handler, followed.c.handler_code)
        .ext(distinct_on(followed.c.id))
        .order_by(followed.c.id, followed.c.n.desc())
        .cte("handed")
    )
