"""Verbs of clocks: keep them as cases move, climb the rungs that are due, follow a corrected calendar.

They never commit. Whoever touches the clocks of a case holds the lock of the case first.
"""

import json
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gridmgr import clock, words
from gridmgr.account.rules import SYSTEM
from gridmgr.calendar.model import CalendarCorrected
from gridmgr.calendar.queries import calendar_for
from gridmgr.category import queries as matters
from gridmgr.category.model import Category
from gridmgr.clock import BeyondCalendar, NoWorkedTime
from gridmgr.db import copy_rows
from gridmgr.escalation import queries, rules
from gridmgr.escalation.model import URGENT, CaseClock, Clock, LadderCalled
from gridmgr.escalation.queries import Case, Told
from gridmgr.escalation.rules import Effect, Verb
from gridmgr.events import emit
from gridmgr.incident import queries as incidents
from gridmgr.incident import service as incident
from gridmgr.incident.model import Filed, Incident, Moved
from gridmgr.life.model import HOLDERS, Action, State
from gridmgr.life.rules import WORKED_ON
from gridmgr.notice import service as notice
from gridmgr.notice.model import Kind, Message
from gridmgr.policy import queries as policies
from gridmgr.policy.model import CALLS, Act, Stage

log = logging.getLogger(__name__)

# ---- clocks follow their cases -------------------------------------------------------------------


def begin(session: Session, filed: Sequence[Filed]) -> None:
    """Start the clocks of cases that have just been filed."""
    known = matters.by_id(session)
    cases = {each.id: Case(known[each.category_id], each.severity, each.home, HOLDERS[0]) for each in filed}
    _follow(session, [rules.first_step(each) for each in filed], cases, {})


def follow(session: Session, steps: Sequence[Moved]) -> None:
    """Start, stop, pause, resume and retime clocks as the steps of their cases say, in the order taken."""
    steps = [step for step in steps if rules.touches(step)]
    if steps:
        ids = {step.incident_id for step in steps}
        _follow(session, steps, queries.cases(session, ids), queries.live(session, ids))


def _follow(
    session: Session, steps: Sequence[Moved], cases: Mapping[int, Case], live: dict[int, dict[str, Clock]]
) -> None:
    before = {each.id: each for clocks in live.values() for each in clocks.values()}
    ended: list[Clock] = []
    for step in steps:
        case, clocks = cases[step.incident_id], live.setdefault(step.incident_id, {})
        further = tuple(each["key"] for each in case.category.further_limits)
        running = {key: each.state for key, each in clocks.items()}
        for effect in rules.effects(step, running, further):
            if effect.verb is Verb.STOP:
                ended.append(rules.stopped(clocks.pop(effect.key), step.at, effect.served))
            elif effect.verb is Verb.START:
                clocks |= _started(session, step, case, effect)
            elif effect.verb is Verb.RESTART:
                ended += _restarted(session, step, case, effect, clocks)
            else:
                clocks[effect.key] = _changed(session, clocks[effect.key], step.at, effect)
    after = [each for clocks in live.values() for each in clocks.values()] + ended
    # What has ended first: a limit that ends and begins again in one go has one live clock at a time.
    _update(session, [each for each in after if each.id is not None and each != before[each.id]], before)
    _insert(session, [each for each in after if each.id is None])


def _restarted(
    session: Session, step: Moved, case: Case, effect: Effect, clocks: dict[str, Clock]
) -> list[Clock]:
    """Let silence be counted anew from a step; returns the clock it ends, if that has climbed any rung.

    One that has climbed none begins again itself, so that a case at work has one clock and not one a step.
    """
    before, fresh = clocks.pop(effect.key, None), _started(session, step, case, effect)
    if before is not None and fresh and before.next_rung == 0:
        fresh = {effect.key: replace(fresh[effect.key], id=before.id)}
        before = None
    clocks |= fresh
    return [rules.stopped(before, step.at, served=True)] if before is not None else []


def hear(session: Session, incident_id: int, at: datetime) -> None:
    """Let silence be counted anew on a case on which something was said."""
    if not queries.hears_silence(session, incident_id):
        return
    case = queries.locked(session, [incident_id])[incident_id]
    state = State(case.state)
    if state in WORKED_ON:
        _follow(
            session,
            [Moved(incident_id, Action.ATTACH, state, state, at, 0, None, {})],
            queries.cases(session, [incident_id]),
            queries.live(session, [incident_id]),
        )


def start(session: Session, missing: Collection[tuple[str, str, datetime]]) -> int:
    """Start clocks that cases should have had: (number, stage, since when); returns how many.

    A case that has gone on, or has got its clock meanwhile, is passed over.
    """
    found = incidents.locked_many(session, {number for number, _, _ in missing})
    ids = [each.id for each in found.values()]
    cases, live, clocks = queries.cases(session, ids), queries.live(session, ids), []
    for number, stage, since in missing:
        case = found[number]
        state = State(case.suspended_from or case.state)
        if stage in live.get(case.id, ()) or stage not in rules.expected(state):
            continue
        due_at = case.due_at if stage == Stage.HANDLE else None
        since = clock.now() if stage == Stage.SILENCE else since  # nobody knows when anything was last done
        told = {"due_at": due_at, "limit_unit": case.limit_unit}
        step = Moved(case.id, Action.ADOPT, None, state, since, 0, None, told)
        for one in _started(session, step, cases[case.id], Effect(Verb.START, stage, due_at=due_at)).values():
            if case.suspended_at:
                one = rules.paused(one, case.suspended_at, calendar_for(session, one.calendar))
            clocks.append(one)
    _insert(session, clocks)
    return len(clocks)


def _changed(session: Session, one: Clock, at: datetime, effect: Effect) -> Clock:
    calendar = calendar_for(session, one.calendar)
    if effect.verb is Verb.PAUSE:
        return rules.paused(one, at, calendar)
    if effect.verb is Verb.RESUME:
        one = rules.resumed(one, at, calendar)
    return rules.retimed(one, effect.due_at, calendar) if effect.due_at else one


def _started(session: Session, step: Moved, case: Case, effect: Effect) -> dict[str, Clock]:
    """Return the clock of a limit that begins to run, none if nothing limits it; its policy is frozen."""
    stage, day = rules.stage_of(effect.key), clock.local(step.at).date()
    asked = case.severity, stage, day, case.level
    policy = policies.policy_for(session, case.category.policy_code, *asked)
    whole = (
        policies.limit_of(session, case.category, *asked[:1], *asked[2:]) if stage is Stage.SILENCE else None
    )
    limit = rules.limit(effect.key, case.category, policy, step.payload, whole)
    if limit is None:
        return {}
    calendar = calendar_for(session, case.home)
    one = rules.begun(
        step.incident_id,
        effect.key,
        step.at,
        limit,
        policy,
        calendar,
        effect.due_at,
        case.home,
        case.severity >= URGENT,
    )
    return {effect.key: one}


_KEPT = [field.name for field in fields(Clock) if field.name not in ("id", "policy")]
_values = attrgetter(*_KEPT)


def _insert(session: Session, clocks: Iterable[Clock]) -> None:
    texts: dict[tuple, str] = {}  # of policies, which many clocks share
    rows = []
    for each in clocks:
        frozen = each.policy
        key = (frozen["policy"], frozen.get("zh"), frozen.get("en"), id(frozen["ladder"]))
        if key not in texts:
            texts[key] = json.dumps(frozen, ensure_ascii=False)
        rows.append((*map(_copied, _values(each)), texts[key]))
    if rows:
        copy_rows(session, CaseClock, [*_KEPT, "policy"], rows)


def _copied(value: Any) -> Any:
    kind = type(value)
    if kind is timedelta:
        return f"{value // _MICROSECOND} microseconds"
    if kind is tuple:
        return "{" + ",".join(f'"{each}"' for each in value) + "}"
    return value


_MICROSECOND = timedelta(microseconds=1)

_UPDATE = text("""
    UPDATE case_clock
    SET started_at = told.started_at, policy = coalesce(told.policy, case_clock.policy), amount = told.amount,
        unit = told.unit, calendar = told.calendar, allowed = told.allowed, used = told.used, since = told.since,
        due_at = told.due_at, rung_times = told.rung_times, next_rung_at = told.next_rung_at, state = told.state,
        ended_at = told.ended_at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS told (
        id bigint, started_at timestamptz, policy jsonb, amount double precision, unit text, calendar text,
        allowed interval, used interval, since timestamptz, due_at timestamptz, rung_times timestamptz[],
        next_rung_at timestamptz, state text, ended_at timestamptz)
    WHERE case_clock.id = told.id
""")


_MOVED = (
    "id", "started_at", "amount", "unit", "calendar", "allowed", "used", "since", "due_at", "rung_times",
    "next_rung_at", "state", "ended_at",
)  # fmt: skip


def _update(session: Session, clocks: Sequence[Clock], before: Mapping[int, Clock]) -> None:
    """Write clocks as they are now; the copy of a policy only where it is another one, or in another order."""
    rows = []
    for each in clocks:
        row = {name: _told(getattr(each, name)) for name in _MOVED}
        rows.append(row | ({} if each.policy == before[each.id].policy else {"policy": each.policy}))
    if rows:
        session.execute(_UPDATE, {"rows": json.dumps(rows)})


def _told(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [each.isoformat() for each in value]
    return _copied(value)


# ---- the sweep -----------------------------------------------------------------------------------

BATCH = 5000


def sweep(session: Session, batch: int = BATCH) -> int:
    """Climb the rungs that are due, at most those of `batch` clocks; returns how many clocks were served.

    Rule: field.md §4. Any number of sweepers may run at once, on any machines: each rung is climbed once.
    A case whose rung says so is handed to its level, and people are told, each of a case's highest rung alone.
    """
    at = queries.moment(session)
    ids = queries.due(session, at, batch)
    if not ids:
        return 0
    served, told = queries.climb(session, at, ids)
    with clock.travel(at):  # the histories say the same instant as the rungs
        _hand_over(session, told)
        _call(session, told, at)
        notice.tell(session, _messages(told, matters.by_id(session)))
    return served


def _hand_over(session: Session, told: Sequence[Told]) -> None:
    """Hand cases to the highest of the levels their rungs say; the cases are locked already."""
    levels: dict[str, Told] = {}
    for each in told:
        if each.act == Act.TAKE_OVER:
            levels[each.number] = max(
                levels.get(each.number, each), each, key=lambda one: HOLDERS.index(one.level)
            )
    changes = [
        (case, {"level": why.level, "clock": why.stage, "share": why.share})
        for number, case in incidents.locked_many(session, levels).items()
        for why in (levels[number],)
    ]
    if changes:
        incident.by_system(session, SYSTEM, Action.TAKE_OVER, changes)


def _call(session: Session, told: Sequence[Told], at: datetime) -> None:
    """Let those know who carry out what a rung calls for, once for each case and act: the last of several."""
    for each in {(each.incident_id, each.act): each for each in told if each.act in CALLS}.values():
        answer = each.answer_amount, each.answer_unit
        emit(session, LadderCalled(each.incident_id, Act(each.act), each.level, each.share, at, *answer))


KINDS = {
    Act.REMIND: Kind.REMIND, Act.TELL: Kind.TOLD, Act.SUPERVISE: Kind.LADDER_CALLED,
    Act.WHISTLE: Kind.LADDER_CALLED, Act.TAKE_OVER: Kind.TAKEN_OVER,
}  # fmt: skip


def _messages(told: Sequence[Told], categories: Mapping[int, Category]) -> list[Message]:
    """Return one message for each person and case: of the rung that weighs most, the last of equals."""
    weightiest: dict[tuple[int, int], Told] = {}
    for each in told:
        for account in each.accounts:
            before = weightiest.setdefault((account, each.incident_id), each)
            if rules.weight(each.act, each.level) >= rules.weight(before.act, before.level):
                weightiest[account, each.incident_id] = each
    return [
        Message(account, KINDS[Act(each.act)], each.incident_id, _details(each, categories[each.category_id]))
        for (account, _), each in weightiest.items()
    ]


def _details(told: Told, category: Category) -> dict[str, Any]:
    own = {"share": told.share, "level": words.LADDER[told.level], "stage": told.stage}
    if told.act in CALLS:
        own["deed"] = words.CALLS[told.act]
    return _of_case(told, category, told.limit_at) | own


def _of_case(case: Told | Incident, category: Category, due_at: datetime) -> dict[str, Any]:
    return {
        "number": case.number, "category_zh": category.name_zh, "category_en": category.name_en,
        "place": case.address, "due": due_at.isoformat(),
    }  # fmt: skip


# ---- a corrected calendar --------------------------------------------------------------------------

RECOUNTED = 1000  # clocks counted anew in one transaction


def recount(session: Session, what: CalendarCorrected, behind: int = 0, batch: int = RECOUNTED) -> int | None:
    """Count the live clocks over corrected days of a calendar anew, at most `batch` behind a clock.

    Returns the last clock looked at, None if there was none. Where a case is due at another time its
    history says both, and those concerned are told. A clock that can end by no calendar is left as it is.
    """
    found = queries.counted_by(session, what.code, what.first_day, what.last_day, behind, batch)
    if not found:
        return None
    cases = queries.locked(session, {incident_id for _, incident_id in found})
    wanted, before, after = {clock_id for clock_id, _ in found}, {}, []
    for clocks in queries.live(session, cases).values():
        for one in (each for each in clocks.values() if each.id in wanted):
            before[one.id] = one
            after.append(_corrected(session, one))
    _update(session, [each for each in after if each != before[each.id]], before)
    moved = [each for each in after if each.due_at != before[each.id].due_at and each.stage == Stage.HANDLE]
    changes = [
        (
            cases[each.incident_id],
            {"due_at": each.due_at.isoformat(), "was_due_at": before[each.id].due_at.isoformat()},
        )
        for each in moved
    ]
    incident.by_system(session, SYSTEM, Action.RETIME, changes)
    notice.tell(session, _retimed(session, [case for case, _ in changes]))
    return found[-1][0]


def _corrected(session: Session, one: Clock) -> Clock:
    try:
        return rules.corrected(one, calendar_for(session, one.calendar))
    except (BeyondCalendar, NoWorkedTime) as problem:
        log.warning("clock %s of area %s keeps its due time: %s", one.id, one.calendar, problem)
        return one


def _retimed(session: Session, cases: Sequence[Incident]) -> list[Message]:
    accounts = queries.concerned(session, [case.id for case in cases])
    categories = matters.by_id(session)
    return [
        Message(account, Kind.RETIMED, case.id, _of_case(case, categories[case.category_id], case.due_at))
        for case in cases
        for account in accounts.get(case.id, ())
    ]
