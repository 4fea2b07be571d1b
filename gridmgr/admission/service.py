"""Verbs of admission: ask, argue, decide, take back, end. They never commit."""

from datetime import date, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from gridmgr import clock, words
from gridmgr.account.model import NoSuchArea, Role
from gridmgr.account.rules import SYSTEM, Actor, require
from gridmgr.admission import queries, rules
from gridmgr.admission.model import (
    AdmissionDeed,
    AskedAlready,
    BadSpan,
    Deed,
    DeedImpossible,
    MatterMissing,
    NotHeard,
    OnTheListAlready,
    ReasonMissing,
    WholeDistrict,
)
from gridmgr.category import queries as matters
from gridmgr.duty import queries as duty
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import UnitsSucceeded
from gridmgr.notice import service as notice
from gridmgr.notice.model import Kind, Message
from gridmgr.responsibility import queries as lists
from gridmgr.responsibility.model import Admission, DayPassed, Standing


def ask(session: Session, actor: Actor, code: str, category: str, reason: str, lead: str = "") -> Admission:
    """Ask that a matter be admitted to the list of a unit; `lead` is who would lead there, or the unit itself.

    Rule: field.md D5, 准入: what is not on the list needs admission.

    Raises
    ------
    NotGranted, OutsideGrant, WholeDistrict, NoSuchArea, MatterMissing, ReasonMissing, OnTheListAlready
    AskedAlready
    """
    code, category, today = code.strip(), category.strip(), clock.today()
    require(actor, "admission.ask", code)
    if not code:
        raise WholeDistrict
    names = hierarchy.names(session, [code], today)
    if code not in names:
        raise NoSuchArea(code=code)
    fitting = [each.code for each in matters.in_force(session) if each.code.startswith(category)]
    if not category or not fitting:
        raise MatterMissing
    reason = _note(reason)
    if all(lists.is_given(session, each, code, today) for each in fitting):
        raise OnTheListAlready(category=category, unit=names[code])
    found = Admission(
        code=code, category=category, lead=(lead.strip() or names[code])[:100], reason=reason,
        asker_id=actor.id, asker_name=actor.name, body=actor.body or "", asked_at=clock.now(),
        state=Standing.ASKED,
    )  # fmt: skip
    _once(session, found, names[code])
    session.add(found)
    session.flush()  # its deeds point to it
    _say(session, found, actor, Deed.ASK, reason)
    return found


def _once(session: Session, found: Admission, unit: str) -> None:
    """Refuse a second request for the same, even one that is asked at the same time."""
    key = f"admission {found.code} {found.category}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))
    asked = select(Admission.id).where(
        Admission.code == found.code, Admission.category == found.category, Admission.state == Standing.ASKED
    )
    if (known := session.scalar(asked)) is not None:
        raise AskedAlready(category=found.category, unit=unit, id=known)


def do(
    session: Session, actor: Actor, admission_id: int, deed: Deed, note: str = "",
    begins: date | None = None, ends: date | None = None,
) -> Admission:  # fmt: skip
    """Argue, grant, refuse or take back a request, or end what was granted.

    Granted, it acts like an item of the list from its first day to its last, or without end. Ended, the day
    `ends` is its last one, today if none is given.

    Raises
    ------
    UnknownAdmission, DeedImpossible, NotGranted, OutsideGrant, OwnRequest, NotTheAsker, ReasonMissing, NotHeard
    BadSpan, DayPassed
    """
    queries.request(session, actor, admission_id)
    found = session.get_one(Admission, admission_id, with_for_update=True, populate_existing=True)
    after = rules.TRANSITIONS.get((Standing(found.state), deed))
    if after is None:
        raise DeedImpossible(state=words.ADMISSIONS[found.state], deed=words.ADMITTING[deed])
    if (reason := rules.refusal(actor, deed, found)) is not None:
        raise reason
    note = _note(note) if deed is not Deed.WITHDRAW else note.strip()[: rules.MOST_NOTE]
    if deed is Deed.GRANT:
        _grant(session, found, begins, ends)
    elif deed is Deed.END:
        _end(found, ends or clock.today())
    found.state = after
    if deed in (Deed.GRANT, Deed.REFUSE, Deed.WITHDRAW):
        found.decided_at = clock.now()
    _say(session, found, actor, deed, note)
    return found


def follow_units(session: Session, event: UnitsSucceeded) -> None:
    """Let what is asked for a unit that is no more be asked for its heir; what holds there ends.

    What is new in its place, or was cut off, begins with what held there. A unit that was there answers for no more
    than it did: that needs a request of its own.
    """
    day = max(event.effective, clock.today())
    asked = select(Admission).where(
        Admission.code.in_({*event.heirs, *event.models.values()}),
        or_(Admission.state == Standing.ASKED, Admission.state == Standing.GRANTED),
        or_(Admission.ends.is_(None), Admission.ends >= day),
    )
    for each in session.scalars(asked.order_by(Admission.id).with_for_update()).all():
        granted, heir = each.state == Standing.GRANTED, event.heirs.get(each.code)
        news = (
            [new for new, old in event.models.items() if old == each.code]
            if granted
            else filter(None, [heir])
        )
        for new in news:
            _again(session, each, new, day)
        if heir and granted and each.begins < day:
            each.ends = day - timedelta(days=1)
            _say(session, each, SYSTEM, Deed.END, f"{each.code} → {heir}")
        elif heir and not granted:
            each.state, each.decided_at = Standing.WITHDRAWN, clock.now()
            _say(session, each, SYSTEM, Deed.WITHDRAW, f"{each.code} → {heir}")


def _again(session: Session, old: Admission, code: str, day: date) -> None:
    """Let a request be one of another unit, as it stands, unless there is one for the same."""
    same = select(Admission.id).where(
        Admission.code == code, Admission.category == old.category, Admission.state == old.state
    )
    if session.scalar(same) is not None:
        return
    told = {name: getattr(old, name) for name in _REQUEST}
    found = Admission(**told, code=code, state=old.state)
    if old.state == Standing.GRANTED:
        found.begins, found.ends, found.decided_at = max(old.begins, day), old.ends, clock.now()
    session.add(found)
    session.flush()  # its deeds point to it
    deed = Deed.GRANT if old.state == Standing.GRANTED else Deed.ASK
    _say(session, found, SYSTEM, deed, f"{old.code} → {code}")


_REQUEST = ("category", "lead", "reason", "asker_id", "asker_name", "body", "asked_at")


def _grant(session: Session, found: Admission, begins: date | None, ends: date | None) -> None:
    if not queries.heard(session, found):
        raise NotHeard
    if begins is None or (ends is not None and ends < begins):
        raise BadSpan
    if begins < clock.today():
        raise DayPassed(day=begins)
    found.begins, found.ends = begins, ends


def _end(found: Admission, last: date) -> None:
    if last < clock.today():
        raise DayPassed(day=last)
    if last < found.begins:
        raise BadSpan
    found.ends = last


def _note(note: str) -> str:
    note = note.strip()
    if not 0 < len(note) <= rules.MOST_NOTE:
        raise ReasonMissing(most=rules.MOST_NOTE)
    return note


def _say(session: Session, found: Admission, actor: Actor, deed: Deed, note: str) -> None:
    said = select(func.count()).where(AdmissionDeed.admission_id == found.id)
    session.add(
        AdmissionDeed(
            admission_id=found.id, seq=session.scalar(said) + 1, deed=deed, actor_id=actor.id,
            actor_name=actor.name, at=clock.now(), note=note,
        )
    )  # fmt: skip
    session.flush()  # the next one counts it
    _tell(session, found, actor, deed, note)


def _tell(session: Session, found: Admission, actor: Actor, deed: Deed, note: str) -> None:
    """The street hears what is asked of it, those who decide what it thinks of it, and all what came of it."""
    seats = duty.seats(session)
    street = seats.at([Role.STREET_DISPATCHER, Role.STREET_LEADER], found.code)
    people = {
        Deed.ASK: street, Deed.WITHDRAW: street,
        Deed.ARGUE: seats.at([Role.COMMAND_CENTRE], found.code) | {found.asker_id},
    }.get(deed, street | {found.asker_id}) - {None, actor.id}  # fmt: skip
    fitting = [each for each in matters.in_force(session) if each.code.startswith(found.category)]
    names = {"category_zh": found.category, "category_en": found.category}
    if len(fitting) == 1:
        names = {"category_zh": fitting[0].name_zh, "category_en": fitting[0].name_en}
    place = hierarchy.names(session, [found.code], clock.today()).get(found.code, found.code)
    facts = names | {
        "page": f"/admissions#request-{found.id}", "place": place, "name": actor.name,
        "action": words.ADMITTING[deed], "note": note[:200],
    }  # fmt: skip
    notice.tell(session, [Message(account, Kind.ADMISSION, None, facts) for account in sorted(people)])
