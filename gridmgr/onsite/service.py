"""Verbs of checks on site: send somebody, take it, hand it on, end it with the case's step. They never commit."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from gridmgr import clock, i18n
from gridmgr.account.model import Account
from gridmgr.account.rules import Actor, Role, can
from gridmgr.category import queries as matters
from gridmgr.dispatch import queries as dispatch
from gridmgr.dispatch.rules import setting_for
from gridmgr.duty import queries as duty
from gridmgr.incident import queries as incidents
from gridmgr.incident.model import Incident, Moved
from gridmgr.incident.rules import PUBLIC
from gridmgr.life.model import State
from gridmgr.notice import service as notice
from gridmgr.notice.model import Kind as Told
from gridmgr.notice.model import Message
from gridmgr.onsite import queries, rules
from gridmgr.onsite.model import Ending, How, Kind, NotSent, SiteCheck, TakenAlready, WhyNot
from gridmgr.onsite.rules import Walker

BATCH = 200
WALKING = (Role.GRID_MEMBER, Role.GRID_LEADER, Role.COMMUNITY_CLERK)


def send(session: Session, ids: Collection[int] | None = None, batch: int = BATCH) -> int:
    """Send the nearest on duty to the cases (all, or some) that wait for a look on site; returns how many cases.

    Rule: field.md §3, 核实 and 核查; where an area's setting gives the minutes to take it. The cases are locked
    and passed over while somebody else has them, so that each is given to one person.
    """
    settings = dispatch.settings(session)
    if not any(each.check_minutes for each in settings):
        return 0
    unseen = (Incident.state == State.REPORTED) & Incident.source.in_(PUBLIC) & Incident.confirmed.is_(None)
    sent = select(SiteCheck.id).where(SiteCheck.incident_id == Incident.id, SiteCheck.ended_at.is_(None))
    asked = select(Incident).where(
        or_(unseen, Incident.state == State.FED_BACK), ~sent.exists(),
        dispatch.in_areas(settings, lambda each: each.check_minutes),
    )  # fmt: skip
    if ids is not None:
        asked = asked.where(Incident.id.in_(list(ids)))
    cases = session.scalars(
        asked.order_by(Incident.id)
        .limit(batch)
        .with_for_update(skip_locked=True, key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    _send(session, cases, {})
    return len(cases)


def hand_on(session: Session, batch: int = BATCH) -> int:
    """Hand on checks that were not taken in time, or whose assignee has gone off duty; returns how many.

    Whoever was sent already is not sent again while there is anybody else.
    """
    now = clock.now()
    present = duty.seats(session).by_seat
    here = {each for (role, _), people in present.items() if role in WALKING for each in people}
    late = session.scalars(
        select(SiteCheck)
        .where(
            SiteCheck.ended_at.is_(None), SiteCheck.taken_at.is_(None),
            or_(SiteCheck.take_by <= now, SiteCheck.assignee_id.not_in(sorted(here))),
        )
        .order_by(SiteCheck.take_by, SiteCheck.id)
        .limit(batch)
        .with_for_update(skip_locked=True)
    ).all()  # fmt: skip
    return _pass_on(session, late, "")


def take(session: Session, actor: Actor, number: str) -> SiteCheck:
    """Take a check one was sent for: it is not handed on any more.

    Raises
    ------
    UnknownIncident, NoSuchCheck, NotSent, TakenAlready
    """
    check = _mine(session, actor, number, desk=False)
    if check.taken_at is not None:
        raise TakenAlready(name=check.assignee_name, time=i18n.moment(check.taken_at))
    check.taken_at = clock.now()
    session.flush()
    return check


def give_back(session: Session, actor: Actor, number: str, note: str) -> None:
    """Hand a check on because one cannot go, or because the desk sends somebody else, with a reason.

    Raises
    ------
    UnknownIncident, NoSuchCheck, NotSent, WhyNot
    """
    note = note.strip()
    if not 1 <= len(note) <= rules.LONGEST_NOTE:
        raise WhyNot(most=rules.LONGEST_NOTE)
    check = _mine(session, actor, number, desk=True)
    _pass_on(session, [check], note, actor)


def follow(session: Session, moves: Sequence[Moved]) -> None:
    """End the checks of cases that went on, and send somebody to those that wait for a look now."""
    ids = {move.incident_id for move in moves}
    checks = queries.open_of(session, ids)
    if checks:
        cases = _cases(session, checks)
        for move in moves:
            check, case = checks.get(move.incident_id), cases.get(move.incident_id)
            if check is None or check.ended_at is not None:
                continue
            if move.action in rules.DONE_BY[Kind(check.kind)]:
                _end(check, Ending.DONE, move.actor_name)
            elif rules.wanted(case) != check.kind:
                _end(check, Ending.DROPPED, move.actor_name)
        ended = [each.incident_id for each in checks.values() if each.ended_at is not None]
        _unsend(session, ended)
    back = [move.incident_id for move in moves if move.after is State.FED_BACK]
    if back:
        send(session, back)


def _mine(session: Session, actor: Actor, number: str, *, desk: bool) -> SiteCheck:
    case = incidents.locked(session, actor, number)
    check = queries.open_check(session, case)
    if check.assignee_id == actor.id or (desk and can(actor, "incident.dispatch", case.home)):
        return check
    raise NotSent(name=check.assignee_name or "—")


def _pass_on(session: Session, checks: Sequence[SiteCheck], note: str, by: Actor | None = None) -> int:
    """End these turns and send the next ones, unless their cases are in other hands just now."""
    if not checks:
        return 0
    cases = session.scalars(
        select(Incident)
        .where(Incident.id.in_([each.incident_id for each in checks]))
        .order_by(Incident.id)
        .with_for_update(skip_locked=True, key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    held, before = {case.id for case in cases}, {}
    for check in checks:
        if check.incident_id in held:
            _end(check, Ending.PASSED, by.name if by else "", note)
            before[check.incident_id] = check.assignee_id
    session.flush()  # one open check a case
    settings = dispatch.settings(session)
    still = []
    for case in cases:
        setting = setting_for(settings, case.home)
        if rules.wanted(case) and setting is not None and setting.check_minutes:
            still.append(case)
        else:
            case.checker_id = None
    _send(session, still, before)
    return len(before)


def _send(session: Session, cases: Sequence[Incident], before: Mapping[int, int | None]) -> None:
    if not cases:
        return
    settings, now = dispatch.settings(session), clock.now()
    able = queries.walkers(session, cases)
    workers = queries.workers(session, [case.id for case in cases])
    tried = _tried(session, cases)
    names = _names(session, {each.account_id for found in able.values() for each in found})
    messages = []
    for case in cases:
        kind = rules.wanted(case)
        unfit = {workers.get(case.id)} if kind is Kind.VERIFY else set()
        walker = _next(able[case.id], tried.get((case.id, kind), set()), before.get(case.id), unfit)
        minutes = setting_for(settings, case.home).check_minutes
        check = SiteCheck(
            incident_id=case.id, kind=kind, asked_at=now, take_by=now + timedelta(minutes=minutes), note="",
            assignee_id=walker and walker.account_id, assignee_name=names[walker.account_id] if walker else "",
            how=walker.how if walker else How.NOBODY, distance_m=walker.distance_m if walker else 0.0,
        )  # fmt: skip
        session.add(check)
        case.checker_id = check.assignee_id
        if walker:
            messages.append(_message(session, case, check))
    session.flush()
    notice.tell(session, messages)


def _next(
    able: Sequence[Walker], tried: Collection[int], last: int | None, unfit: Collection[int | None]
) -> Walker | None:
    """Return who goes: somebody new, else anybody but the last one, else the last one again."""
    rounds = (tried, {last} if last else (), ())
    return next(filter(None, (rules.nearest(able, each, unfit) for each in rounds)), None)


def _tried(session: Session, cases: Sequence[Incident]) -> dict[tuple[int, str], set[int]]:
    """Return who was sent to these cases before in this round of looking: what somebody has done ends a round."""
    asked = (
        select(SiteCheck.incident_id, SiteCheck.kind, SiteCheck.assignee_id, SiteCheck.ending)
        .where(SiteCheck.incident_id.in_([case.id for case in cases]))
        .order_by(SiteCheck.id)
    )
    found: dict[tuple[int, str], set[int]] = {}
    for case_id, kind, account, ending in session.execute(asked):
        if ending == Ending.PASSED and account is not None:
            found.setdefault((case_id, kind), set()).add(account)
        elif ending == Ending.DONE:
            found.pop((case_id, kind), None)
    return found


def _names(session: Session, ids: Collection[int]) -> dict[int, str]:
    asked = select(Account.id, Account.name).where(Account.id.in_(list(ids)))
    return dict(tuple(row) for row in session.execute(asked))


def _message(session: Session, case: Incident, check: SiteCheck) -> Message:
    category = matters.by_id(session)[case.category_id]
    facts = {
        "number": case.number, "category_zh": category.name_zh, "category_en": category.name_en,
        "place": case.address, "due": check.take_by.isoformat(), "note": f"{check.distance_m:.0f} m",
    }  # fmt: skip
    return Message(check.assignee_id, Told.CHECK, case.id, facts)


def _end(check: SiteCheck, ending: Ending, by: str, note: str = "") -> None:
    check.ended_at, check.ending, check.ended_by, check.note = clock.now(), ending, by or None, note


def _unsend(session: Session, ids: Collection[int]) -> None:
    if ids:
        session.flush()
        session.execute(update(Incident).where(Incident.id.in_(list(ids))).values(checker_id=None))


def _cases(session: Session, ids: Collection[int]) -> dict[int, Incident]:
    return {case.id: case for case in session.scalars(select(Incident).where(Incident.id.in_(list(ids))))}
