"""Verbs of dispatch: set how areas do it, do it as somebody chose or as an area lets the system. They never commit."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gis.errors import Problem
from gridmgr import clock
from gridmgr.account.rules import SYSTEM, Actor, require
from gridmgr.calendar.queries import known
from gridmgr.dispatch import queries, rules
from gridmgr.dispatch.model import (
    BadMinutes,
    Cause,
    Choice,
    DispatchHold,
    DispatchSetting,
    Mode,
    NoSeverity,
    Reason,
    SettingPast,
    Suggestion,
)
from gridmgr.hierarchy.model import UnitsSucceeded
from gridmgr.incident import queries as incidents
from gridmgr.incident import service as incident
from gridmgr.incident.model import Incident, Move, UnknownIncident
from gridmgr.life.model import Action, State

BATCH = 200
AGAIN = timedelta(minutes=10)  # after which a case that was left to people is looked at again


def set_area(
    session: Session, actor: Actor, code: str, effective: date, mode: Mode, severities: Collection[int] = (),
    check_minutes: int | None = None,
) -> DispatchSetting:  # fmt: skip
    """Set how an area dispatches and looks on site from a day on; what was set for that day is replaced.

    Raises
    ------
    NotGranted, OutsideGrant, NoSuchArea, SettingPast, NoSeverity, BadMinutes
    """
    code = code.strip()
    require(actor, "dispatch.manage", code)
    known(session, code)
    if effective < clock.today():
        raise SettingPast
    if mode is Mode.AUTOMATIC and not severities:
        raise NoSeverity
    if check_minutes is not None and not 1 <= check_minutes <= rules.LONGEST_TAKE:
        raise BadMinutes(most=rules.LONGEST_TAKE)
    told = {
        "mode": mode.value, "severities": sorted(set(severities)) if mode is Mode.AUTOMATIC else [],
        "check_minutes": check_minutes, "set_by": actor.name, "set_at": clock.now(),
    }  # fmt: skip
    row = insert(DispatchSetting).values(code=code, effective=effective, **told)
    same = row.on_conflict_do_update(index_elements=["code", "effective"], set_=told)
    return session.scalars(
        same.returning(DispatchSetting), execution_options={"populate_existing": True}
    ).one()


def drop_setting(session: Session, actor: Actor, setting_id: int) -> None:
    """Take back a setting that has not begun yet.

    Raises
    ------
    UnknownSetting, NotGranted, OutsideGrant
    """
    found = queries.setting(session, setting_id)
    require(actor, "dispatch.manage", found.code)
    session.delete(found)
    session.flush()


def choose(session: Session, actor: Actor, choices: Sequence[Choice]) -> list[Problem | None]:
    """Dispatch each case to whom somebody chose for it; returns for each why it was not, or None.

    The explanation of a suggestion that was taken is kept with the step. What the actor may not see is unknown.
    """
    asked = incidents.visible(actor).where(Incident.number.in_({each.number for each in choices}))
    seen = {case.number: case for case in session.scalars(asked)}
    told = dict(
        zip(seen, queries.suggestions(session, list(seen.values())), strict=True)
    )  # before any of them moves
    known = [each for each in choices if each.number in seen]
    moves = [
        Move(
            actor, each.number, Action.DISPATCH, _payload(each, told[each.number]),
            expected_seq=each.expected_seq,
        )
        for each in known
    ]  # fmt: skip
    refused = iter(incident.move_many(session, moves))
    return [next(refused) if each.number in seen else UnknownIncident(number=each.number) for each in choices]


def _payload(choice: Choice, suggestion: Suggestion) -> dict:
    given = {"handler": choice.body} | ({"handler_code": choice.code} if choice.code else {})
    for one in suggestion.candidates:
        if (one.body, one.code) == (choice.body, choice.code):
            return given | {"why": [Reason(Cause.CHOSEN).told(), *(reason.told() for reason in one.why)]}
    return given


def dispatch_waiting(session: Session, batch: int = BATCH) -> tuple[int, int]:
    """Dispatch what areas let the system dispatch; returns how many cases went and how many were left to people.

    Each case is locked and looked at again, so that several workers share the work and none goes twice; one
    that is left to people says why, and is looked at again when it changes or some minutes later.
    """
    settings = queries.settings(session)
    if not any(each.mode == Mode.AUTOMATIC for each in settings):
        return 0, 0
    now = clock.now()
    fresh = or_(
        DispatchHold.incident_id.is_(None),
        DispatchHold.seq != Incident.last_seq,
        DispatchHold.at < now - AGAIN,
    )
    asked = (
        select(Incident)
        .outerjoin(DispatchHold, DispatchHold.incident_id == Incident.id)
        .where(
            Incident.state == State.ACCEPTED, fresh,
            queries.in_areas(settings, lambda each: each.mode == Mode.AUTOMATIC),
        )
        .order_by(Incident.id)
        .limit(batch)
        .with_for_update(skip_locked=True, key_share=True, of=Incident)
        .execution_options(populate_existing=True)
    )  # fmt: skip
    cases = list(session.scalars(asked))
    moves, held = [], {}
    for case, suggestion in zip(cases, queries.suggestions(session, cases), strict=True):
        setting = rules.setting_for(settings, case.home)
        chosen, why = rules.automatic(setting, case, suggestion.candidates, suggestion.why_not)
        told = [reason.told() for reason in why]
        if chosen is None:
            held[case] = told
            continue
        given = {"handler": chosen.body} | ({"handler_code": chosen.code} if chosen.code else {})
        moves.append(
            Move(SYSTEM, case.number, Action.DISPATCH, given | {"why": told}, expected_seq=case.last_seq)
        )
    incident.move_many(session, moves)
    _hold(session, held)
    return len(moves), len(held)


def _hold(session: Session, held: dict[Incident, list]) -> None:
    now = clock.now()
    rows = [
        {"incident_id": case.id, "seq": case.last_seq, "at": now, "why": why} for case, why in held.items()
    ]
    if rows:
        row = insert(DispatchHold)
        changed = {name: row.excluded[name] for name in ("seq", "at", "why")}
        session.execute(row.on_conflict_do_update(index_elements=["incident_id"], set_=changed), rows)


def follow_units(session: Session, event: UnitsSucceeded) -> None:
    """Let how a unit dispatches hold for what is new in its place or was cut from it; who was there keeps its way."""
    asked = select(DispatchSetting).where(DispatchSetting.effective <= event.effective)
    latest = {each.code: each for each in session.scalars(asked.order_by(DispatchSetting.effective))}
    for new, old in event.models.items():
        if new in latest or old not in latest:
            continue
        told = {name: getattr(latest[old], name) for name in _SETTING}
        row = insert(DispatchSetting).values(code=new, effective=event.effective, **told)
        session.execute(row.on_conflict_do_nothing())


_SETTING = ("mode", "severities", "check_minutes", "set_by", "set_at")
